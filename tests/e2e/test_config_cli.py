"""`signet check`: every mistake at once, with its place; and where the configuration comes from."""

import json
import os
import re
import socket
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

from issuer import Issuer, html  # noqa: E402
from signet import EXIT_CONFIG, EXIT_USAGE, SignetTestCase, run_cli  # noqa: E402
from tokens import ec_key, jwks  # noqa: E402

SMALLEST = """\
listen: 127.0.0.1:0
upstream: http://127.0.0.1:3000
issuers:
  - issuer: https://idp.example.com/realms/prod
    audiences: [orders-api]
"""


class CheckTestCase(unittest.TestCase):
    def setUp(self):
        self.folder = self.enterContext(tempfile.TemporaryDirectory(prefix="signet-test-"))
        self.file = os.path.join(self.folder, "signet.yaml")

    def write(self, text, name="signet.yaml"):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def check(self, text, *args, env=None):
        return run_cli("check", "-c", self.write(text), *args, env=env)

    def good(self, text, *args, env=None):
        done = self.check(text, *args, env=env)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def bad(self, text, *patterns, env=None):
        """78, and each pattern is found; without one, at least a place is."""
        done = self.check(text, env=env)
        said = done.stdout + done.stderr
        self.assertEqual(done.returncode, EXIT_CONFIG, said)
        self.assertRegex(said, re.escape(self.file) + r":\d+:\d+: ")
        for pattern in patterns:
            self.assertRegex(said, pattern)
        return said

    def places(self, said):
        return [(int(line), int(column)) for line, column in
                re.findall(r"^%s:(\d+):(\d+): " % re.escape(self.file), said, re.M)]


class GoodFiles(CheckTestCase):
    def test_the_smallest_useful_file(self):
        self.good(SMALLEST)

    def test_json_and_its_spellings(self):
        self.good('{"listen": "127.0.0.1:0", "upstream": "http://127.0.0.1:3000", "issuers": '
                  '[{"issuer": "https://idp", "audiences": ["a"]}], "admin": "off"}')

    def test_the_environment_fills_in(self):
        text = SMALLEST.replace("orders-api", '"${AUDIENCE}"').replace(
            "3000", "${UPSTREAM_PORT:-3000}")
        self.good(text, env={"AUDIENCE": "x"})
        self.bad(text, r":5:\d+: .*AUDIENCE")
        self.good(text.replace("${AUDIENCE}", "$$literal"))
        # What is filled in is text, never syntax.
        self.bad(SMALLEST + "admin: ${ADMIN}\n", env={"ADMIN": "127.0.0.1:0\nworkers: 1"})

    def test_every_setting_at_its_default(self):
        self.good(SMALLEST + EVERYTHING)

    def test_what_only_looks_doubtful(self):
        issuer = SMALLEST + "    "
        for text in (issuer + "clock_skew: 500ms\n", issuer + "leeway: 1500ms\n", issuer + "clock_skew: 0s\n",
                     issuer + "max_lifetime: 500ms\n", issuer + "max_lifetime: 0s\n",
                     issuer + "decryption: {}\n", issuer + "claim_to_headers: []\n",
                     SMALLEST + "request_headers_to_remove: [\"X-Forwarded-*\", \"X-Auth-*\", Remote-User]\n",
                     SMALLEST + "request_headers_to_remove: []\n", SMALLEST + "routes: []\n",
                     SMALLEST + "routes:\n  - {name: \"\", prefix: /}\n",
                     SMALLEST + "request_headers_to_add: {Authorization: Basic SERVICE}\n",
                     SMALLEST + "timeouts: {drain: 0s, shutdown_delay: 0s}\n"):
            with self.subTest(text[len(SMALLEST):]):
                self.good(text, "--strict")

    def test_a_key_set_that_is_empty_on_purpose_is_a_warning(self):
        text = SMALLEST + "    jwks: {\"keys\": []}\n"
        self.assertRegex(self.good(text), r":6:\d+: .*warning.*jwks|warning.*:6:\d+: .*jwks")
        self.assertEqual(self.check(text, "--strict").returncode, EXIT_CONFIG)

    def test_the_admin_listener_may_have_a_name(self):
        token_file = self.write("secret\n", "token")
        for address in ("admin.internal:9901", "localhost:0", "ip6-localhost:9901", "127.0.0.1:9901"):
            with self.subTest(address):
                self.good(SMALLEST + "admin: {address: \"%s\", token_file: %s}\n" % (address, token_file), "--strict")
        self.good(SMALLEST + "admin: localhost:9901\n", "--strict")
        # Without a token file nobody knows whether it is loopback.
        self.assertEqual(self.check(SMALLEST + "admin: admin.internal:9901\n", "--strict").returncode, EXIT_CONFIG)
        self.bad(SMALLEST + "admin: \"admin internal:9901\"\n", "admin")
        self.bad(SMALLEST + "admin: \"user@admin:9901\"\n", "admin")
        self.bad(SMALLEST.replace("127.0.0.1:0", "app.internal:8080"), "app.internal")
        self.bad(SMALLEST + "health: app.internal:8080\n", "app.internal")

    def test_check_does_not_need_the_issuer(self):
        with Issuer([], start=False) as issuer:
            self.good(SMALLEST.replace("https://idp.example.com/realms/prod", issuer.url))


EVERYTHING = """\
admin: "off"
health: "off"
workers: auto
state_dir: ""
watch: false
tokens:
  from_headers: [{name: Authorization, value_prefix: "Bearer "}]
  from_cookies: []
  from_params: []
  forward: false
  csrf: {mode: enforce, trusted_origins: []}
  max_size: 16KiB
  cache_bytes: 16MiB
claim_to_headers:
  - {claim: sub, header: X-Auth-Subject, required: false, encoding: auto}
  - {claim: iss, header: X-Auth-Issuer}
forward_payload_header: ""
request_headers_to_remove: [Remote-User, "X-Auth-Request-*"]
request_headers_to_add: {}
routes:
  - {path: /healthz, access: public, methods: [GET]}
  - {name: api, hosts: ["*.example.com"], prefix: /api/, upstream: default, issuers: [],
     audiences: [x], require: {scopes: [a], claims: [{claim: b, any_of: [c, 1, true]}]}}
encoded_slashes: reject
mode: enforce
bypass_cors_preflight: false
limits: {max_header_bytes: 32KiB, max_headers: 100, max_connections: 10000}
timeouts: {client_header: 10s, client_idle: 75s, body: 60s, tunnel: 1h, shutdown_delay: 0s, drain: 20s}
trusted_proxies: [10.0.0.0/8, "fd00::/8", 192.0.2.1]
answers: {realm: signet, reasons: true}
log: {level: info, format: json, access: true, claims: []}
"""


class Mistakes(CheckTestCase):
    def test_all_are_told_at_once_each_with_its_place(self):
        said = self.bad("listen: 127.0.0.1:0\n"
                        "upstraem: http://127.0.0.1:3000\n"
                        "issuers:\n"
                        "  - issuer: https://idp.example.com\n"
                        "    audience: [orders-api]\n"
                        "    clock_skew: soon\n"
                        "workers: -1\n"
                        "log: {level: loud}\n",
                        r":2:1: .*did you mean.*upstream", r":5:5: .*did you mean.*audiences",
                        r":6:\d+: ", r":7:\d+: ", r":8:\d+: .*loud")
        places = self.places(said)
        self.assertEqual(places, sorted(places))
        self.assertGreaterEqual(len(places), 5)

    def test_mistakes_in_the_text_and_in_the_files_that_it_names_are_told_in_one_run(self):
        broken = self.write("{", "broken.json")
        said = self.bad(SMALLEST + "    jwks_file: /nonexistent/keys.json\n"
                        "  - issuer: https://second.example\n"
                        "    audiences: [a]\n"
                        "    jwks_file: %s\n"
                        "frobnicate: 1\n"
                        "workers: many\n"
                        "admin: {address: \"127.0.0.1:0\", token_file: /nonexistent/token}\n" % broken,
                        r":6:\d+: .*/nonexistent/keys.json", r":9:\d+: .*broken.json", r":10:1: .*frobnicate",
                        r":11:\d+: .*workers", r":12:\d+: .*/nonexistent/token")
        places = self.places(said)
        self.assertEqual(places, sorted(places))
        self.assertEqual(len(places), 5, said)
        listener = ("listen: {address: '127.0.0.1:0', tls: {certificate_file: /nonexistent/crt, "
                    "private_key_file: /nonexistent/key}}")
        self.bad(SMALLEST.replace("listen: 127.0.0.1:0", listener) + "upstraem: x\n",
                 r":1:\d+: .*/nonexistent/crt", r":6:1: .*upstraem")

    def test_letters_that_changed_places_are_one_mistake(self):
        said = self.bad(SMALLEST + "upstreams: {default: {url: http://a, hots: preserve}}\nlgo: {level: info}\n")
        self.assertRegex(said, r"hots.*did you mean.*host")
        self.assertRegex(said, r"lgo.*did you mean.*log")

    def test_what_would_shut_everybody_out(self):
        issuer = SMALLEST + "    "
        for text, pattern in {
                issuer + "decryption: []": "decryption", issuer + "decryption: yes": "decryption",
                issuer + "token_types: []": "token_types", issuer + "token_types: [\"\"]": "token_types",
                issuer + "audience_claims: []": "audience_claims", issuer + "max_stale: 0s": "max_stale",
                issuer + "require: []": "require",
                SMALLEST.replace("[orders-api]", "[\"\"]"): "audiences",
                SMALLEST + "routes:\n  - \n  - {prefix: /}": "routes",
                SMALLEST + "routes:\n  - {prefix: /}\n  - ": "routes",
                SMALLEST + "routes:\n  - ~": "routes",
                SMALLEST + "routes: [{prefix: /, audiences: [\"\"]}]": "audiences",
                SMALLEST + "routes: [{prefix: /, require: []}]": "require",
                SMALLEST + "claim_to_headers:\n  - \n": "claim_to_headers",
                SMALLEST + "trusted_proxies:\n  - \n": "trusted_proxies",
                SMALLEST + "timeouts: {client_header: 0s}": "client_header",
                SMALLEST + "timeouts: {client_idle: 0ms}": "client_idle",
                SMALLEST + "timeouts: {body: 0s}": "body", SMALLEST + "timeouts: {tunnel: 0h}": "tunnel",
                }.items():
            with self.subTest(text[len(SMALLEST):]):
                self.bad(text + "\n", pattern)
        for key in ("connect_timeout", "response_timeout"):
            self.bad(SMALLEST.replace("upstream: http://127.0.0.1:3000",
                                      "upstreams: {default: {url: 'http://127.0.0.1:3000', %s: 0s}}" % key), key)

    def test_headers_that_cannot_be_removed(self):
        for name in ("Auth*", "Authorization", "A*", "a*", "Co*", "Cookie", "Host", "Ho*", "Content-*",
                     "content_*", "Con*", "Pro*", "T*", "Transfer_Encoding", "X_Forwarded_For", "*"):
            with self.subTest(name):
                self.bad(SMALLEST + "request_headers_to_remove: ['%s']\n" % name, re.escape(name))

    def test_what_is_required(self):
        self.bad("listen: 127.0.0.1:0\n", "upstream", "issuers")
        self.bad(SMALLEST.replace("    audiences: [orders-api]\n", ""), r":4:\d+: .*audiences")
        self.bad(SMALLEST.replace("audiences: [orders-api]", "audiences: []"), r"audiences")
        self.bad("listen: 127.0.0.1:0\nupstream: http://127.0.0.1:1\nissuers: []\n", "issuers")

    def test_unknown_and_duplicate_keys_and_aliases(self):
        self.bad(SMALLEST + "frobnicate: 1\n", r":6:1: .*frobnicate")
        self.bad(SMALLEST + "upstream: http://127.0.0.1:3001\n", r":6:1: .*upstream")
        self.bad(SMALLEST + "log: {level: info, level: debug}\n", r":6:\d+: .*level")
        self.bad(SMALLEST.replace("[orders-api]", "&a [orders-api]")
                 + "trusted_proxies: *a\n", r"alias|anchor")
        self.bad(SMALLEST + "limits: {max_header: 1}\n", "did you mean.*max_headers?")

    def test_what_is_no_yaml_or_no_map(self):
        for text in ("", "[]", "just words", "listen: [", "listen: 'x", "\tlisten: x",
                     "listen: x: y", "--- a\n--- b\n", "listen: \x01\n"):
            with self.subTest(text):
                self.bad(text)

    def test_values(self):
        issuer = "  - issuer: https://idp\n    audiences: [a]\n    "
        for line, pattern in {
                "listen: nonsense": "listen", "listen: 127.0.0.1:99999": "99999",
                "workers: 0": "workers", "workers: many": "workers",
                "health: here": "health", "mode: relaxed": "mode",
                "encoded_slashes: maybe": "encoded_slashes",
                "limits: {max_header_bytes: big}": "big",
                "limits: {max_header_bytes: -1KiB}": "max_header_bytes|-1KiB",
                "timeouts: {drain: 20}": "drain|20", "timeouts: {drain: -1s}": "drain|-1s",
                "timeouts: {drain: 20 s s}": "drain|20", "trusted_proxies: [10.0.0.0/33]": "/33",
                "trusted_proxies: [host]": "host", "tokens: {max_size: 0}": "max_size",
                "watch: perhaps": "watch|perhaps",
                "log: {format: xml}": "xml", "log: yes please": "log",
                "routes: {path: /}": "routes", "routes: [{access: open}]": "open",
                "routes: [{path: healthz}]": "healthz", "routes: [{path: /a, prefix: /b}]": "prefix",
                "routes: [{prefix: /, upstream: other}]": "other",
                "routes: [{prefix: /, issuers: [other]}]": "other",
                "routes: [{prefix: /, methods: ['G T']}]": "G T",
                "routes: [{prefix: /, require: {claims: [{claim: a}]}}]": "claim",
                "routes: [{prefix: /, require: {claims: [{any_of: [a]}]}}]": "claim",
                "request_headers_to_add: {'Bad Name': x}": "Bad Name",
                "request_headers_to_add: {X-A: \"a\\nb\"}": "X-A|control",
                "claim_to_headers: [{claim: sub, header: 'X Y'}]": "X Y",
                "claim_to_headers: [{claim: sub}]": "header",
                "claim_to_headers: [{claim: sub, header: X-A, encoding: xml}]": "xml",
                }.items():
            with self.subTest(line):
                base = SMALLEST
                if line.startswith("listen"):
                    base = SMALLEST.split("\n", 1)[1]
                self.bad(base + line + "\n", pattern)
        for line, pattern in {
                "algorithms: [none]": "none", "algorithms: [RS265]": "RS265",
                "algorithms: []": "algorithms", "algorithms: [RS256, HS256]": "HS256",
                "jwks_file: /nonexistent/x": "/nonexistent/x",
                "public_key_file: /nonexistent/y": "/nonexistent/y",
                "secret_file: /nonexistent/z": "/nonexistent/z",
                "jwks: {}": "jwks", "jwks: {keys: 1}": "keys",
                "jwks_uri: ftp://idp/jwks": "ftp", "jwks_uri: http://idp.example.com/jwks": "http",
                "jwks_uri: https://169.254.169.254/x": "link.local|169",
                "refresh_interval: often": "often", "max_stale: -1s": "max_stale|-1s",
                "clock_skew: 1s\n    leeway: 2s": "leeway|clock_skew",
                "id_tokens: perhaps": "perhaps",
                "jwks_uri: https://a/b\n    jwks: {keys: []}": "jwks",
                "ca_file: /nonexistent/ca": "/nonexistent/ca",
                }.items():
            with self.subTest(line):
                self.bad(SMALLEST.split("issuers:")[0] + "issuers:\n" + issuer + line + "\n",
                         pattern)

    def test_claim_headers_that_would_break_the_request(self):
        for name in ("Host", "Connection", "Content-Length", "Content-Type", "content-anything",
                     "Transfer-Encoding", "Authorization", "Cookie", "X-Forwarded-For",
                     "X-Forwarded-Proto", "x-forwarded-host",
                     # as gateways behind us read them
                     "X_Forwarded_For", "x_forwarded_proto", "X-Forwarded_Host", "X.Forwarded~Host",
                     "Content_Length", "content.type", "Transfer_Encoding", "X_Request_Id", "Keep_Alive",
                     "Proxy_Authorization"):
            with self.subTest(name):
                self.bad(SMALLEST + "claim_to_headers: [{claim: sub, header: %s}]\n" % name,
                         r":6:\d+: .*(?i:%s)" % re.escape(name))
                self.bad(SMALLEST + "    claim_to_headers: [{claim: sub, header: %s}]\n" % name,
                         r":6:\d+: .*(?i:%s)" % re.escape(name))
                self.bad(SMALLEST + "forward_payload_header: %s\n" % name, r":6:\d+: .*(?i:%s)" % re.escape(name))
                if name != "Authorization":
                    self.bad(SMALLEST + "request_headers_to_add: {%s: x}\n" % name,
                             r":6:\d+: .*(?i:%s)" % re.escape(name))

    def test_names_that_must_be_unique(self):
        second = "  - issuer: https://idp.example.com/realms/prod\n    audiences: [x]\n"
        self.bad(SMALLEST + second, "realms/prod")
        self.bad(SMALLEST + second.replace("/prod", "/test"), "idp.example.com")
        self.good(SMALLEST + second.replace("/prod", "/test") + "    name: test\n")

    def test_a_secret_shorter_than_the_hash(self):
        short = self.write("too short\n", "secret")
        text = SMALLEST + "    secret_file: %s\n" % short
        self.bad(text, "secret")
        self.write("0123456789abcdef0123456789abcdef\n", "secret")
        self.good(text)
        self.bad(text + "    algorithms: [HS512]\n", "HS512")
        self.bad(text + "    algorithms: [RS256]\n", "RS256|secret_file")

    def test_an_admin_listener_off_loopback_without_a_token(self):
        # There /v1 would not exist; whoever wrote this wants to know.
        done = self.check(SMALLEST + "admin: 0.0.0.0:9901\n")
        said = done.stdout + done.stderr
        self.assertRegex(said, r"admin|token_file")
        self.assertNotEqual(self.check(SMALLEST + "admin: 0.0.0.0:9901\n", "--strict").returncode, 0)


class NotInThisBuild(CheckTestCase):
    def test_what_is_not_built_yet_is_refused_and_never_ignored(self):
        for text in (SMALLEST + "revocation: {store: redis}\n",
                     SMALLEST.replace("listen: 127.0.0.1:0", "listen: {address: '127.0.0.1:0', tls:"
                                      " {certificate_file: a, private_key_file: b,"
                                      " client_certificate: required}}")):
            with self.subTest(text):
                self.bad(text, "not in this build")


class Warnings(CheckTestCase):
    def test_strict_counts_what_is_only_doubtful(self):
        text = SMALLEST.replace("    audiences: [orders-api]", "    any_audience: true")
        text += "    clock_skew: 1h\n"
        said = self.good(text)
        if "warning" in said:
            done = self.check(text, "--strict")
            self.assertEqual(done.returncode, EXIT_CONFIG)
        self.good(SMALLEST, "--strict")


class Online(CheckTestCase):
    def test_each_key_set_is_fetched(self):
        with Issuer([ec_key("k")]) as issuer:
            text = SMALLEST.replace("https://idp.example.com/realms/prod", issuer.url)
            self.good(text, "--online")
            self.assertEqual(issuer.count("jwks"), 1)
            self.good(text)
            self.assertEqual(issuer.count("jwks"), 1)
            issuer.fault("jwks", html())
            done = self.check(text, "--online")
            self.assertEqual(done.returncode, EXIT_CONFIG)
            self.assertIn(issuer.url, done.stdout + done.stderr)


class WhereItComesFrom(CheckTestCase):
    def test_the_places_in_their_order(self):
        good = self.write(SMALLEST)
        bad = self.write("upstream: 1\n", "bad.yaml")
        self.assertEqual(run_cli("check", "--config-yaml", SMALLEST).returncode, 0)
        self.assertEqual(run_cli("check", "--config-yaml", "x: 1").returncode, EXIT_CONFIG)
        self.assertEqual(run_cli("check", env={"SIGNET_CONFIG_YAML": SMALLEST}).returncode, 0)
        self.assertEqual(run_cli("check", env={"SIGNET_CONFIG": good}).returncode, 0)
        self.assertEqual(run_cli("check", env={"SIGNET_CONFIG": bad}).returncode, EXIT_CONFIG)
        both = {"SIGNET_CONFIG_YAML": SMALLEST, "SIGNET_CONFIG": bad}
        self.assertEqual(run_cli("check", env=both).returncode, 0)
        self.assertEqual(run_cli("check", "-c", bad, env=both).returncode, EXIT_CONFIG)
        self.assertEqual(run_cli("check", "-c", good,
                                 env={"SIGNET_CONFIG_YAML": "x: 1"}).returncode, 0)

    def test_a_file_that_is_not_there(self):
        done = run_cli("check", "-c", os.path.join(self.folder, "absent.yaml"))
        self.assertEqual(done.returncode, EXIT_CONFIG)
        self.assertIn("absent.yaml", done.stdout + done.stderr)

    def test_run_refuses_what_check_refuses(self):
        text = "upstraem: x\n"
        checked = self.bad(text)
        done = run_cli("run", "-c", self.write(text))
        self.assertEqual(done.returncode, EXIT_CONFIG)
        self.assertEqual(self.places(done.stdout + done.stderr)[:1], self.places(checked)[:1])

    def test_run_that_cannot_listen_ends_with_one(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            done = run_cli("run", "-c", self.write(
                SMALLEST.replace("127.0.0.1:0", "127.0.0.1:%d" % port) + "admin: \"off\"\n"))
            self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
            self.assertIn(str(port), done.stdout + done.stderr)


class TwoInstances(SignetTestCase):
    def test_a_second_one_does_not_share_the_port(self):
        # A token that is revoked at one would pass at the other.
        issuer = {"issuer": "https://idp.example.com", "audiences": ["a"], "jwks": jwks(ec_key("k"))}
        for workers in (1, 3):
            with self.subTest(workers):
                first = self.signet({"upstream": "http://127.0.0.1:9", "issuers": [issuer], "workers": workers})
                config = {**first.config, "listen": "127.0.0.1:%d" % first.port, "admin": "off", "health": "off"}
                for listen in (config["listen"], "0.0.0.0:%d" % first.port):
                    done = run_cli("run", "--config-yaml", json.dumps({**config, "listen": listen}))
                    self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
                    self.assertIn(str(first.port), done.stdout + done.stderr)
                for name, port in (("admin", first.admin_port), ("health", first.health_port)):
                    done = run_cli("run", "--config-yaml", json.dumps({
                        **config, "listen": "127.0.0.1:0", name: "127.0.0.1:%d" % port}))
                    self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
                # The first one serves on, and the port is free at once when it ends.
                self.assertEqual(first.ask("GET", "/").code, "token_missing")
                first.write_config({**first.config, "listen": config["listen"]})
                first.restart()
                self.assertEqual(first.ask("GET", "/").code, "token_missing")


class Usage(unittest.TestCase):
    def test_mistakes_in_usage_are_64(self):
        for args in ((), ("frobnicate",), ("check", "--frobnicate"), ("check", "-c"),
                     ("check", "extra", "words"), ("keygen",), ("mint",), ("run", "--once")):
            with self.subTest(args):
                done = run_cli(*args)
                self.assertEqual(done.returncode, EXIT_USAGE, done.stdout + done.stderr)
                self.assertTrue(done.stderr)

    def test_help_everywhere(self):
        commands = ("run", "check", "explain", "revoke", "revocations", "health", "keygen", "mint",
                    "demo", "version")
        top = run_cli("--help")
        self.assertEqual(top.returncode, 0)
        for command in commands:
            self.assertIn(command, top.stdout)
            done = run_cli(command, "--help")
            self.assertEqual((done.returncode, command in done.stdout), (0, True), command)

    def test_version(self):
        done = run_cli("version")
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stdout, r"\d+\.\d+\.\d+")
        self.assertRegex(done.stdout, r"(?i)openssl")


if __name__ == "__main__":
    unittest.main(verbosity=2)
