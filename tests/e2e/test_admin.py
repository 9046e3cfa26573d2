"""The admin API and the health listener: who may do what, and what the answers say."""

import json
import os
import signal
import socket
import sys
import tempfile
import time
import unittest
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

from asking import Client, ask, wait_until  # noqa: E402
from proxied import ProxiedTestCase, moment  # noqa: E402
from signet import run_cli  # noqa: E402
from tokens import ec_key  # noqa: E402

JSON = ("Content-Type", "application/json")
REVOCATIONS = "/v1/revocations"


class AdminTestCase(ProxiedTestCase):
    @classmethod
    def prepare(cls):
        cls.key = ec_key("k", "ES256")
        cls.issuer = cls.shared_issuer([cls.key])
        cls.proxy = cls.shared_signet(cls.configuration(
            cls.issuer_entry(cls.issuer, name="main"), answers={"realm": "signet"}))

    def status_of(self, method, path, headers=(), body=None, proxy=None):
        proxy = proxy or self.proxy
        return ask(proxy.admin_port, method, path, headers, body).status


class Revocations(AdminTestCase):
    def tearDown(self):
        for entry in self.proxy.admin("GET", REVOCATIONS).json()["revocations"]:
            self.proxy.admin("DELETE", REVOCATIONS + "/" + entry["id"])
        super().tearDown()

    def test_the_entry_that_is_made(self):
        end = int(time.time()) + 1000
        answer = self.proxy.admin("POST", REVOCATIONS, {
            "jti": "j", "issuer": self.issuer.url, "expires_at": end, "reason": "lost ☃"})
        self.assertEqual(answer.status, 201)
        self.assertTrue(answer.header("Content-Type").startswith("application/json"))
        entry = answer.json()
        self.assertEqual((entry["jti"], entry["issuer"], entry["reason"], entry["reach"]),
                         ("j", self.issuer.url, "lost ☃", "instance"))
        self.assertEqual(moment(entry["expires_at"]), end)
        self.assertIsInstance(entry["id"], str)
        [listed] = self.proxy.admin("GET", REVOCATIONS).json()["revocations"]
        self.assertEqual(listed["id"], entry["id"])
        self.assertEqual(listed["jti"], "j")

    def test_the_same_target_has_the_same_id(self):
        ids = {}
        for target in ({"jti": "x"}, {"sub": "x"}, {"sid": "x"}, {"client": "x"}, {"kid": "x"},
                       {"jti": "y"}, {"jti": "x", "issuer": "https://a"},
                       {"jti": "x", "issuer": "https://b"}, {"issuer": "https://a"}):
            ids[str(target)] = self.proxy.revoke(**target)["id"]
            self.assertEqual(self.proxy.revoke(**target, reason="again")["id"], ids[str(target)])
        self.assertEqual(len(set(ids.values())), len(ids))
        self.assertEqual(len(self.proxy.admin("GET", REVOCATIONS).json()["revocations"]), len(ids))
        self.assertEqual(self.proxy.metrics().value("signet_revocation_entries"), len(ids))

    def test_removal(self):
        entry = self.proxy.revoke(jti="j")
        token = self.token(jti="j")
        self.assert_refused(token, "revoked")
        answer = self.proxy.admin("DELETE", REVOCATIONS + "/" + entry["id"])
        self.assertEqual((answer.status, answer.body), (204, b""))
        self.assert_admitted(token)
        self.assertEqual(self.status_of("DELETE", REVOCATIONS + "/" + entry["id"]), 404)
        self.assertEqual(self.status_of("DELETE", REVOCATIONS + "/no-such-id"), 404)

    def test_bad_input_is_400_and_changes_nothing(self):
        for body in (b"", b"{}", b"[]", b"null", b"{", b'{"jti":"x"} x', b'{"jti":"x","jti":"y"}',
                     b'{"jti":1}', b'{"jti":null}', b'{"jti":""}', b'{"jti":"x","sub":"y"}',
                     b'{"jti":"x","unknown":1}', b'{"jti":"x","issuer":1}',
                     b'{"jti":"x","issued_before":"soon"}', b'{"jti":"x","issued_before":[]}',
                     b'{"jti":"x","issued_before":-1}', b'{"jti":"x","expires_at":"2026-13-01T00:00:00Z"}',
                     b'{"jti":"x","expires_at":1e400}', b'{"jti":"x","expires_at":true}',
                     b'{"jti":"x","reason":1}', b'{"reason":"x"}', b'{"jti":"\xff"}',
                     b'{"jti":"\\ud800"}', b'"jti"'):
            with self.subTest(body):
                answer = self.proxy.admin("POST", REVOCATIONS, body, [JSON])
                self.assertEqual(answer.status, 400, answer)
        self.assertEqual(self.proxy.admin("GET", REVOCATIONS).json()["revocations"], [])

    def test_an_end_in_the_past_is_400_since_nothing_would_be_revoked(self):
        now = int(time.time())
        token = self.token(jti="x")
        for end in (0, 1, 1700000000, now - 60, "1970-01-01T00:00:00Z", "2020-02-29T12:00:00+02:00"):
            with self.subTest(end):
                answer = self.proxy.admin("POST", REVOCATIONS, {"jti": "x", "expires_at": end})
                self.assertEqual(answer.status, 400, answer)
                self.assertIn("expires_at", answer.json()["detail"])
        self.assertEqual(self.proxy.admin("GET", REVOCATIONS).json()["revocations"], [])
        self.assert_admitted(token)
        # One that stands is not touched by it.
        self.proxy.revoke(jti="x", expires_at=now + 600)
        self.proxy.admin("POST", REVOCATIONS, {"jti": "x", "expires_at": now - 60})
        self.assert_refused(token, "revoked")
        # The past is fine as the time before which tokens were issued.
        self.proxy.revoke(sub="user-9", issued_before=now - 60)

    def test_a_body_beyond_reason_is_refused(self):
        body = json.dumps({"jti": "x", "reason": "y" * (8 << 20)}).encode()
        answer = None
        try:
            answer = self.proxy.admin("POST", REVOCATIONS, body, [JSON])
        except (ConnectionError, OSError):
            pass  # it stopped listening in the middle
        if answer is not None:
            self.assertIn(answer.status, (400, 413))
        self.assertEqual(self.proxy.admin("GET", REVOCATIONS).json()["revocations"], [])

    def test_every_change_is_one_line_in_the_log(self):
        for method, path, body in (("POST", REVOCATIONS, {"jti": "logged-jti"}),
                                   ("POST", "/v1/issuers/main/refresh", None)):
            mark = self.proxy.mark()
            self.proxy.admin(method, path, body)
            self.proxy.wait_log(lambda r, p=path: p in json.dumps(r), since=mark,
                                what="a line about " + path)

    def test_the_line_names_what_was_made(self):
        def record(method, path):
            # Looked for by what it names: lines are written behind the answer, so that another
            # test's may still be to come.
            return self.proxy.wait_log(
                lambda r: (r.get("msg"), r.get("method"), r.get("path")) ==
                          ("admin change", method, path), what="the line")
        path = REVOCATIONS + "/" + self.proxy.revoke(jti="secret-enough")["id"]
        self.assertEqual(record("POST", path)["status"], 201)
        self.proxy.admin("DELETE", path)
        self.assertEqual(record("DELETE", path)["status"], 204)
        self.proxy.admin("POST", REVOCATIONS, {"jti": ""})
        self.assertEqual(record("POST", REVOCATIONS)["status"], 400)


class AtLogLevelError(AdminTestCase):
    def test_changes_are_logged_whatever_the_level(self):
        proxy = self.signet(self.configuration(self.issuer_entry(self.issuer, name="main")))
        proxy.write_config({**proxy.config, "log": {"level": "error"}})
        proxy.signal(signal.SIGHUP)   # which the log no longer tells
        wait_until(lambda: proxy.metrics().value("signet_config_reloads_total", result="success") == 1,
                   "the reload")
        for _ in range(2):   # in the second round nothing is written but what is looked for
            mark = proxy.mark()
            entry = proxy.revoke(jti="x", reason="a reason")
            path = REVOCATIONS + "/" + entry["id"]
            found = proxy.wait_log(lambda r: r.get("method") == "POST", mark, "the change")
            self.assertEqual((found["msg"], found["path"], found["status"]), ("admin change", path, 201))
            mark = proxy.mark()
            self.assertEqual(proxy.admin("DELETE", path).status, 204)
            found = proxy.wait_log(lambda r: r.get("method") == "DELETE", mark, "the removal")
            self.assertEqual((found["msg"], found["path"], found["status"]), ("admin change", path, 204))
            self.assertEqual([r["msg"] for r in proxy.records(mark) if r["msg"] != "access"], ["admin change"])
        mark = proxy.mark()
        self.assertEqual(proxy.admin("POST", "/v1/issuers/main/refresh").status, 202)
        proxy.wait_log(lambda r: r.get("path") == "/v1/issuers/main/refresh", mark, "the refresh")


class NamesThatNeedEncoding(AdminTestCase):
    NAMES = ["main", "prod / eu", "100% é", "a?b#c", "%2F"]

    @classmethod
    def prepare(cls):
        cls.key = ec_key("k", "ES256")
        cls.issuers = [cls.shared_issuer([cls.key]) for _ in cls.NAMES]
        cls.issuer = cls.issuers[0]
        cls.proxy = cls.shared_signet(cls.configuration(
            *[cls.issuer_entry(i, name=n) for i, n in zip(cls.issuers, cls.NAMES)]))

    def test_an_issuer_is_refreshed_by_its_encoded_name(self):
        for name, issuer in zip(self.NAMES, self.issuers):
            everything = "".join("%%%02X" % byte for byte in name.encode())
            for encoded in (urllib.parse.quote(name, safe=""), everything, everything.lower()):
                with self.subTest(encoded):
                    before = [i.count() for i in self.issuers]
                    self.assertEqual(self.status_of("POST", "/v1/issuers/%s/refresh" % encoded), 202)
                    wait_until(lambda i=issuer, n=before[self.NAMES.index(name)]: i.count() > n, "the fetch")
                    others = [i.count() - n for i, n in zip(self.issuers, before) if i is not issuer]
                    self.assertEqual(others, [0] * len(others))

    def test_it_is_decoded_once(self):
        for encoded in ("%256dain", "ma%2569n", "main%00", "main%2Fx", "%", "prod%252F", "%2F%2F"):
            with self.subTest(encoded):
                self.assertEqual(self.status_of("POST", "/v1/issuers/%s/refresh" % encoded), 404)


class ByName(AdminTestCase):
    """admin may be given by a host name, which is then a Host that may change things."""

    def hosts(self, proxy):
        port = proxy.admin_port
        return {host: self.status_of("POST", REVOCATIONS, [JSON, ("Host", host % port)], b'{"jti":"by-name"}', proxy)
                for host in ("localhost:%d", "LOCALHOST:%d", "127.0.0.1:%d", "[::1]:%d", "evil.example:%d")}

    def test_localhost(self):
        for admin in ("localhost:0", {"address": "localhost:0"}):
            with self.subTest(admin):
                proxy = self.signet(self.configuration(self.issuer, admin=admin))
                self.assertEqual(self.hosts(proxy), {"localhost:%d": 201, "LOCALHOST:%d": 201, "127.0.0.1:%d": 201,
                                                     "[::1]:%d": 201, "evil.example:%d": 403})

    def test_a_name_that_is_looked_up(self):
        name = socket.gethostname()
        try:
            loopback = socket.gethostbyname(name).startswith("127.")
        except OSError:
            loopback = False
        if not loopback:
            self.skipTest("the name of this machine is no name of 127.0.0.0/8")
        folder = self.enterContext(tempfile.TemporaryDirectory(prefix="signet-test-"))
        token_file = os.path.join(folder, "token")
        with open(token_file, "w", encoding="ascii") as file:
            file.write("correct-horse-battery-staple\n")
        proxy = self.signet(self.configuration(self.issuer, admin={"address": name + ":0",
                                                                   "token_file": token_file}), wait_ready=False)
        headers = [("Authorization", "Bearer correct-horse-battery-staple"), JSON]
        for host, status in ((name, 201), ("localhost", 201), ("127.0.0.1", 201), ("evil.example", 403),
                             ("x" + name, 403), (name + ".evil.example", 403)):
            with self.subTest(host), Client(proxy.admin_port, host=socket.gethostbyname(name)) as client:
                answer = client.ask("POST", REVOCATIONS, headers + [("Host", "%s:%d" % (host, proxy.admin_port))],
                                    b'{"jti":"by-name"}')
                self.assertEqual(answer.status, status, answer)


class WhoMayChange(AdminTestCase):
    def change(self, *headers, body=b'{"jti":"never-made"}', path=REVOCATIONS):
        return self.status_of("POST", path, headers, body)

    def tearDown(self):
        entries = self.proxy.admin("GET", REVOCATIONS).json()["revocations"]
        for entry in entries:
            self.proxy.admin("DELETE", REVOCATIONS + "/" + entry["id"])
        super().tearDown()

    def assert_nothing_made(self):
        self.assertEqual(self.proxy.admin("GET", REVOCATIONS).json()["revocations"], [])

    def test_a_body_must_be_declared_as_json(self):
        for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data",
                     "application/jsonx", "text/json", ""):
            with self.subTest(kind):
                self.assertEqual(self.change(("Content-Type", kind)), 415)
        self.assertEqual(self.change(), 415)
        self.assert_nothing_made()
        self.assertEqual(self.change(("Content-Type", "application/json; charset=utf-8")), 201)
        self.assertEqual(self.status_of("POST", "/v1/issuers/main/refresh"), 202)

    def test_a_foreign_origin_is_forbidden(self):
        for origin in ("https://evil.example", "null", "http://127.0.0.1:1", "http://localhost",
                       "https://127.0.0.1:%d" % (self.proxy.admin_port + 1)):
            with self.subTest(origin):
                self.assertEqual(self.change(JSON, ("Origin", origin)), 403)
        for site in ("cross-site", "same-site", "nonsense"):
            with self.subTest(site):
                self.assertEqual(self.change(JSON, ("Sec-Fetch-Site", site)), 403)
        self.assert_nothing_made()
        own = "http://127.0.0.1:%d" % self.proxy.admin_port
        self.assertEqual(self.change(JSON, ("Origin", own), ("Sec-Fetch-Site", "same-origin")), 201)

    def test_a_host_that_someone_else_may_own_is_forbidden(self):
        port = self.proxy.admin_port
        for host in ("evil.example", "evil.example:%d" % port, "localhost.evil.example:%d" % port,
                     "127.0.0.1.evil.example", "127.0.0.1.nip.io:%d" % port):
            with self.subTest(host):
                self.assertEqual(self.change(JSON, ("Host", host)), 403)
        self.assert_nothing_made()
        for host in ("localhost:%d" % port, "127.0.0.1:%d" % port, "[::1]:%d" % port):
            self.assertEqual(self.change(JSON, ("Host", host)), 201)

    def test_removal_is_a_change_too(self):
        entry = self.proxy.revoke(jti="x")
        path = REVOCATIONS + "/" + entry["id"]
        self.assertEqual(self.status_of("DELETE", path, [("Origin", "https://evil")]), 403)
        self.assertEqual(self.status_of("DELETE", path, [("Host", "evil.example")]), 403)
        self.assertEqual(self.status_of("DELETE", path), 204)

    def test_methods_and_paths_that_there_are_not(self):
        for method, path in (("PUT", REVOCATIONS), ("DELETE", "/v1/status"), ("POST", "/metrics"),
                             ("PATCH", "/healthz")):
            self.assertEqual(self.status_of(method, path), 405, (method, path))
        for path in ("/v1", "/v1/nothing", "/v2/status", "/v1/revocations/../status", "/nothing",
                     "/v1//status", "/V1/status"):
            self.assertEqual(self.status_of("GET", path), 404, path)


class WithATokenFile(ProxiedTestCase):
    SECRET = "correct-horse-battery-staple"

    @classmethod
    def prepare(cls):
        cls.key = ec_key("k")
        cls.issuer = cls.shared_issuer([cls.key])
        folder = cls.enterClassContext(tempfile.TemporaryDirectory(prefix="signet-test-"))
        cls.token_file = os.path.join(folder, "token")
        with open(cls.token_file, "w", encoding="ascii") as file:
            file.write(cls.SECRET + "\n")
        cls.proxy = cls.shared_signet(cls.configuration(
            cls.issuer, admin={"address": "127.0.0.1:0", "token_file": cls.token_file}))
        cls.proxy.remember_secret(cls.SECRET)

    def test_everything_below_v1_needs_it_from_loopback_too(self):
        for value in (None, "Bearer", "Bearer ", "Bearer wrong", "Basic " + self.SECRET,
                      "Bearer " + self.SECRET[:-1], "Bearer " + self.SECRET + "x", self.SECRET,
                      "Bearer " + self.SECRET.upper(), "Bearer " + self.SECRET + "\0"):
            headers = [] if value is None else [("Authorization", value)]
            for method, path in (("GET", "/v1/status"), ("GET", REVOCATIONS),
                                 ("POST", REVOCATIONS), ("DELETE", REVOCATIONS + "/x"),
                                 ("POST", "/v1/explain"), ("GET", "/v1/nothing")):
                with self.subTest(value, path=path):
                    body = b'{"jti":"x"}' if method == "POST" else None
                    answer = ask(self.proxy.admin_port, method, path, headers + [JSON], body)
                    # A NUL may be refused as HTTP.
                    self.assertIn(answer.status, (401, 400) if value and "\0" in value else (401,))

    def test_with_it_they_open(self):
        headers = [("Authorization", "Bearer " + self.SECRET), JSON]
        port = self.proxy.admin_port
        self.assertEqual(ask(port, "GET", "/v1/status", headers).status, 200)
        made = ask(port, "POST", REVOCATIONS, headers, b'{"jti":"x"}')
        self.assertEqual(made.status, 201)
        path = REVOCATIONS + "/" + made.json()["id"]
        self.assertEqual(ask(port, "DELETE", path, headers).status, 204)

    def test_health_metrics_and_the_dashboard_stay_open(self):
        for path in ("/healthz", "/readyz", "/metrics", "/"):
            self.assertEqual(ask(self.proxy.admin_port, "GET", path).status, 200, path)

    def test_the_dashboard_holds_no_data(self):
        answer = ask(self.proxy.admin_port, "GET", "/")
        self.assertTrue(answer.header("Content-Type").startswith("text/html"))
        self.assertNotIn(self.issuer.url.encode(), answer.body)


class StatusAndMetrics(AdminTestCase):
    def test_the_status(self):
        self.assert_admitted(self.token())
        status = self.proxy.status()
        self.assertTrue({"version", "uptime_seconds", "config_sha256", "ready", "issuers",
                         "revocation", "token_cache", "upstreams"} <= set(status))
        self.assertIs(status["ready"], True)
        self.assertGreaterEqual(status["uptime_seconds"], 0)
        self.assertRegex(status["config_sha256"], r"^[0-9a-f]{64}$")
        [issuer] = status["issuers"]
        self.assertEqual((issuer["name"], issuer["issuer"]), ("main", self.issuer.url))
        self.assertEqual([{k: key[k] for k in ("kid", "kty", "alg", "use")}
                          for key in issuer["keys"]],
                         [{"kid": "k", "kty": "EC", "alg": "ES256", "use": "sig"}])
        self.assertEqual((issuer["skipped"], issuer["stale"]), ([], False))
        self.assertFalse(issuer["last_error"])
        self.assertLess(abs(moment(issuer["last_success"]) - time.time()), 120)
        self.assertEqual(status["revocation"]["store"], "memory")
        self.assertEqual(status["revocation"]["entries"], 0)
        self.assertTrue({"lag_seconds", "connected"} <= set(status["revocation"]))
        self.assertTrue({"entries", "bytes", "hits", "misses"} <= set(status["token_cache"]))
        self.assertEqual(len(status["upstreams"]), 1)

    def test_the_names_of_the_metrics(self):
        self.assert_admitted(self.token())
        self.assert_refused(self.token(exp=1), "expired")
        metrics = self.proxy.metrics()
        for name, labels in {
                "signet_requests_total": {"route", "decision"},
                "signet_denied_total": {"reason", "issuer", "route"},
                "signet_token_cache_total": {"result"},
                "signet_jwks_fetch_total": {"issuer", "result"},
                "signet_jwks_age_seconds": {"issuer"}, "signet_revocation_entries": set(),
                "signet_revocation_lag_seconds": set(),
                "signet_upstream_requests_total": {"upstream", "code"},
                "signet_connections": {"side"}, "signet_config_last_reload_successful": set(),
                "signet_build_info": {"version"}}.items():
            with self.subTest(name):
                self.assertTrue(metrics.has(name))
                for have in metrics.labels(name):
                    self.assertEqual(set(have), labels)
        for name in ("signet_request_duration_seconds", "signet_verify_duration_seconds"):
            self.assertEqual(metrics.types[name], "histogram")
            self.assertGreater(metrics.value(name + "_count"), 0)
        self.assertEqual([set(have) for have in
                          metrics.labels("signet_verify_duration_seconds_count")][0], {"alg"})
        self.assertEqual(metrics.value("signet_config_last_reload_successful"), 1)

    def test_labels_never_come_from_a_token(self):
        strange = "evil-%s" % ("x" * 20)
        for token in (self.token(iss="https://" + strange), self.token(sub=strange, exp=1),
                      self.key.token(self.claims(), kid=strange),
                      self.key.token(self.claims(), header={"alg": strange})):
            answer = self.proxy.ask("GET", "/" + strange, token)
            self.assertEqual(answer.status, 401)
        self.proxy.ask("BREW", "/", self.token())
        text = self.proxy.metrics().text
        self.assertNotIn(strange, text)
        self.assertNotIn("BREW", text)
        self.upstream.forget()

    def test_requests_are_counted_by_route_and_decision(self):
        before = self.proxy.metrics()
        self.assert_admitted(self.token())
        self.assert_refused(None, "token_missing")
        after = self.proxy.metrics()
        name = "signet_requests_total"
        self.assertEqual(after.value(name) - before.value(name), 2)
        decisions = {have["decision"] for have in after.labels(name)}
        self.assertGreaterEqual(len(decisions), 2)
        name = "signet_upstream_requests_total"
        self.assertEqual(after.value(name) - before.value(name), 1)

    def test_the_version_is_the_same_everywhere(self):
        version = self.proxy.status()["version"]
        self.assertIn(version, run_cli("version").stdout)
        [labels] = self.proxy.metrics().labels("signet_build_info")
        self.assertEqual(labels["version"], version)


class Health(AdminTestCase):
    def test_the_health_listener_has_three_pages_and_nothing_else(self):
        for path in ("/healthz", "/readyz", "/metrics"):
            self.assertEqual(ask(self.proxy.health_port, "GET", path).status, 200)
        for path in ("/", "/v1/status", REVOCATIONS, "/v1/explain", "/index.html"):
            self.assertEqual(ask(self.proxy.health_port, "GET", path).status, 404)
        self.assertIn(ask(self.proxy.health_port, "POST", REVOCATIONS, [JSON],
                          b'{"jti":"x"}').status, (404, 405))
        self.assertEqual(self.proxy.admin("GET", REVOCATIONS).json()["revocations"], [])

    def test_the_admin_pages_are_not_on_the_proxys_port(self):
        for path in ("/v1/status", "/healthz", "/metrics"):
            self.assert_refused(None, "token_missing", target=path)

    def test_the_command_asks_the_instance_that_the_configuration_names(self):
        def command(*args):
            text = json.dumps({**self.proxy.config, "listen": "127.0.0.1:1", **listeners})
            return run_cli("health", "--config-yaml", text, *args).returncode
        for listeners in ({"admin": "127.0.0.1:%d" % self.proxy.admin_port, "health": "off"},
                          {"health": "127.0.0.1:%d" % self.proxy.health_port, "admin": "off"},
                          {"health": "0.0.0.0:%d" % self.proxy.health_port, "admin": "off"}):
            self.assertEqual(command(), 0)
            self.assertEqual(command("--ready"), 0)
        listeners = {"admin": "127.0.0.1:1", "health": "off"}
        self.assertEqual(command(), 1)

    def test_the_command_tells_ready_from_alive(self):
        away = self.own_issuer([], start=False)
        proxy = self.signet(self.configuration(away), wait_ready=False)
        text = json.dumps({**proxy.config, "admin": "127.0.0.1:%d" % proxy.admin_port,
                           "health": "off"})
        self.assertEqual(run_cli("health", "--config-yaml", text).returncode, 0)
        self.assertEqual(run_cli("health", "--config-yaml", text, "--ready").returncode, 1)


if __name__ == "__main__":
    unittest.main(verbosity=2)
