"""`signet explain`: what would become of a token, and why."""

import json
import os
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

from issuer import Issuer  # noqa: E402
from proxied import ProxiedTestCase  # noqa: E402
from signet import EXIT_CONFIG, EXIT_USAGE, run_cli  # noqa: E402
from tokens import ABSENT, ec_key, rsa_key, with_bad_signature  # noqa: E402


def strings_in(value):
    """Every string in a JSON value, names of members too."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from strings_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from strings_in(inner)
    elif isinstance(value, str):
        yield value


class ExplainTestCase(ProxiedTestCase):
    def explain(self, token, *args, expect):
        """Runs it in both forms; gives the text and the object."""
        found = []
        for form in ((), ("--json",)):
            done = run_cli("explain", "-c", self.proxy.config_file, *args, *form, stdin=token)
            self.assertEqual(done.returncode, expect, done.stdout + done.stderr)
            self.assert_no_signature(token, done.stdout + done.stderr)
            found.append(done.stdout)
        return found[0], json.loads(found[1])

    def explain_by_api(self, token, path="/"):
        answer = self.proxy.admin("POST", "/v1/explain", token,
                                  [("Content-Type", "application/json"), ("X-Explain-Path", path)])
        self.assertEqual(answer.status, 200, answer)
        self.assert_no_signature(token, answer.body.decode())
        return answer.json()

    def assert_no_signature(self, token, said):
        parts = token.strip().split()[-1].split(".") if token.strip() else [""]
        if len(parts) == 3 and len(parts[2]) > 20:
            self.assertNotIn(parts[2], said, "the signature was printed")

    @staticmethod
    def outcomes(found):
        return {check["check"]: check["outcome"] for check in found["checks"]}

    @staticmethod
    def headers(found, name):
        pairs = [line.split(": ", 1) for line in found["upstream_headers"]]
        return [value for have, value in pairs if have.lower() == name.lower()]


class Explain(ExplainTestCase):
    @classmethod
    def prepare(cls):
        cls.key = rsa_key("rsa-1", "RS256")
        cls.issuer = cls.shared_issuer([cls.key])
        cls.proxy = cls.shared_signet(cls.configuration(
            cls.issuer_entry(cls.issuer, name="main", max_lifetime="1h"),
            routes=[{"prefix": "/admin", "require": {"scopes": ["admin:write"]}},
                    {"prefix": "/post", "methods": ["POST"],
                     "require": {"claims": [{"claim": "tenant", "equals": "acme"}]}},
                    {"prefix": "/host", "hosts": ["a.example"], "require": {"scopes": ["a"]}},
                    {"prefix": "/open", "access": "public"}, {"prefix": "/"}],
            claim_to_headers=[{"claim": "sub", "header": "X-Auth-Subject"},
                              {"claim": "groups", "header": "X-Auth-Groups"}]))

    def test_an_admitted_token_with_its_claims_and_headers(self):
        token = self.token(sub="user-7", groups=["a", "b"])
        for text in (token, token + "\n", "Bearer " + token + "\n"):
            said, found = self.explain(text, expect=0)
            for word in ("user-7", "X-Auth-Subject", "X-Auth-Groups", "rsa-1", self.issuer.url):
                self.assertIn(word, said)
                self.assertTrue([s for s in strings_in(found) if word in s], word)

    def test_it_says_what_it_could_not_look_at(self):
        said, _ = self.explain(self.token(), expect=0)
        self.assertIn("revocation", said.lower())

    def test_without_a_running_instance_revocation_is_not_called_passed(self):
        said, found = self.explain(self.token(), expect=0)
        outcomes = self.outcomes(found)
        self.assertEqual(outcomes.pop("revocation"), "not reached")
        self.assertEqual(set(outcomes.values()), {"passed"})
        self.assertIn("revocation", found["not_looked_at"])
        self.assertNotRegex(said, r"(?m)^ *ok +revocation\b")
        self.assertRegex(said, r"(?m)^ *ok +audience\b")
        # The instance itself has looked.
        found = self.explain_by_api(self.token())
        self.assertEqual(set(self.outcomes(found).values()), {"passed"})
        self.assertEqual(found["not_looked_at"], "")

    def test_a_check_that_nobody_made_is_not_called_passed(self):
        made = ["path", "route"]
        for token in (self.token(), "", "no.token", self.token(exp=1)):
            with self.subTest(token[:8]):
                said, by_command = self.explain(token, "--path", "/open/x", expect=0)
                self.assertNotRegex(said, r"(?m)^ *ok +signature\b")
                for found in (by_command, self.explain_by_api(token, "/open/x")):
                    outcomes = self.outcomes(found)
                    self.assertTrue(found["admitted"])
                    self.assertEqual([n for n, o in outcomes.items() if o == "passed"], made)
                    self.assertEqual({o for n, o in outcomes.items() if n not in made}, {"not reached"})
        # A refusal: what comes behind it was not made either.
        _, found = self.explain(self.token(exp=1000), expect=1)
        names = list(self.outcomes(found))
        failed = names.index("times")
        self.assertEqual([self.outcomes(found)[n] for n in names],
                         ["passed"] * failed + ["failed"] + ["not reached"] * (len(names) - failed - 1))

    def test_each_check_is_told_in_order(self):
        said, _ = self.explain(self.token(), expect=0)
        places = [said.lower().find(word) for word in ("issuer", "signature", "audience")]
        self.assertNotIn(-1, places)
        self.assertEqual(places, sorted(places))

    def test_the_same_word_as_the_proxys_for_every_refusal(self):
        cases = {
            "expired": self.token(exp=1000), "not_yet_valid": self.token(nbf=4000000000),
            "audience_mismatch": self.token(aud="other"),
            "issuer_unknown": self.token(iss="https://other"),
            "signature_invalid": with_bad_signature(self.token()),
            "alg_not_allowed": self.key.token(self.claims(), header={"alg": "HS256"}),
            "kid_unknown": ec_key("other").token(self.claims()),
            "typ_mismatch": self.key.token(self.claims(), typ="x+jwt"),
            "crit_unsupported": self.key.token(self.claims(), crit=["x"]),
            "claim_missing": self.token(exp=ABSENT), "claim_invalid": self.token(sub=1),
            "lifetime_too_long": self.token(exp=4000000000),
            "token_malformed": "no.token", "token_too_large": "x" * 20000}
        for reason, token in cases.items():
            with self.subTest(reason):
                answer = self.proxy.ask("GET", "/", token)
                self.assertEqual(answer.code, reason)
                said, found = self.explain(token, expect=1)
                self.assertIn(reason, said)
                self.assertIn(reason, set(strings_in(found)))

    def test_the_route_follows_from_method_host_and_path(self):
        token = self.token(scope="x")
        said, _ = self.explain(token, "--path", "/admin/x", expect=1)
        self.assertIn("scope_insufficient", said)
        self.assertIn("admin:write", said)
        self.explain(self.token(scope="admin:write"), "--path", "/admin/x", expect=0)
        said, _ = self.explain(token, "--path", "/post", "--method", "POST", expect=1)
        self.assertIn("claim_not_allowed", said)
        self.explain(token, "--path", "/post", "--method", "GET", expect=0)
        self.explain(token, "--path", "/host", "--host", "b.example", expect=0)
        self.explain(token, "--path", "/host", "--host", "a.example", expect=1)
        # The path is read as a request's would be.
        self.explain(token, "--path", "//x/../%61dmin/x", expect=1)

    def test_no_token_at_all(self):
        said, _ = self.explain("", expect=1)
        self.assertIn("token_missing", said)
        self.explain("", "--path", "/open/x", expect=0)

    def test_without_keys_it_is_undecided(self):
        away = Issuer([self.key], start=False)
        self.addCleanup(away.close)
        with tempfile.TemporaryDirectory(prefix="signet-test-") as folder:
            path = os.path.join(folder, "signet.yaml")
            with open(path, "w", encoding="utf-8") as file:
                json.dump({**self.proxy.config, "issuers": [self.issuer_entry(away)]}, file)
            done = run_cli("explain", "-c", path, stdin=self.token(iss=away.url))
        self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
        self.assertIn("keys_unavailable", done.stdout)

    def test_bad_configuration_and_bad_usage(self):
        done = run_cli("explain", "--config-yaml", "x: 1", stdin=self.token())
        self.assertEqual(done.returncode, EXIT_CONFIG)
        done = run_cli("explain", "-c", self.proxy.config_file, "--frobnicate", stdin="")
        self.assertEqual(done.returncode, EXIT_USAGE)

    def test_nothing_in_a_token_reaches_the_terminal_as_control(self):
        said, _ = self.explain(self.token(sub="a\x1b[31mb\r\nX-Admin: 1\u009b"), expect=0)
        self.assert_quiet(said)

    def test_nor_does_what_is_guessed_about_a_token_that_is_refused(self):
        name = "a\x1b[31mb\n  ok   signature\x7f\u009b"
        for reason, token in (("issuer_unknown", self.token(iss=name)), ("audience_mismatch", self.token(aud=name)),
                              ("kid_unknown", rsa_key(name).token(self.claims()))):
            with self.subTest(reason):
                said, found = self.explain(token, expect=1)
                self.assertEqual(found["reason"], reason)
                self.assertIn("a\\u001b[31mb\\n  ok   signature\\u007f\\u009b", found["hint"])
                self.assert_quiet(said)

    def assert_quiet(self, said):
        self.assertEqual([c for c in said
                          if ord(c) < 32 and c not in "\n\t" or 127 <= ord(c) < 160], [])

    def test_the_admin_api_explains_the_same_and_knows_the_revocations(self):
        token = self.token(jti="explained")
        answer = self.proxy.admin("POST", "/v1/explain", token,
                                  [("Content-Type", "application/json")])
        self.assertEqual(answer.status, 200, answer)
        _, by_command = self.explain(token, expect=0)
        self.assertEqual(set(answer.json()), set(by_command))
        self.proxy.revoke(jti="explained")
        answer = self.proxy.admin("POST", "/v1/explain", token,
                                  [("Content-Type", "application/json")])
        self.assertIn("revoked", set(strings_in(answer.json())))
        self.assertNotIn(token.rsplit(".", 1)[1].encode(), answer.body)


class WhatTheUpstreamWouldGet(ExplainTestCase):
    SETTINGS = {
        "forward_payload_header": "X-Auth-Payload",
        "request_headers_to_add": {"X-Served-Through": "signet"},
        "routes": [{"prefix": "/second", "upstream": "second"}, {"prefix": "/open", "access": "public"},
                   {"prefix": "/maybe", "access": "optional"}, {"prefix": "/"}]}

    @classmethod
    def prepare(cls):
        cls.key = ec_key("k")
        cls.issuer = cls.shared_issuer([cls.key])
        settings = cls.configuration(cls.issuer, **cls.SETTINGS)
        del settings["upstream"]
        settings["upstreams"] = {
            "default": {"url": cls.upstream.url},
            "second": {"url": cls.upstream.url, "host": "inner.example",
                       "request_headers_to_add": {"X-Second": "yes"}}}
        cls.proxy = cls.shared_signet(settings)

    def both_ways(self, token, path):
        _, by_command = self.explain(token, "--path", path, "--host", "app.example", expect=0)
        return by_command, self.explain_by_api(token, path)

    def test_everything_that_would_be_set_is_shown(self):
        token = self.token(sub="user-7")
        for found in self.both_ways(token, "/x"):
            self.assertEqual(self.headers(found, "X-Auth-Subject"), ["user-7"])
            self.assertEqual(self.headers(found, "X-Auth-Issuer"), [self.issuer.url])
            self.assertEqual(self.headers(found, "X-Auth-Payload"), [token.split(".")[1]])
            self.assertEqual(self.headers(found, "X-Served-Through"), ["signet"])
            self.assertEqual(self.headers(found, "X-Second"), [])
            self.assertEqual(self.headers(found, "X-Forwarded-For"), ["127.0.0.1"])
            self.assertEqual(self.headers(found, "X-Forwarded-Proto"), ["http"])
            self.assertEqual(len(self.headers(found, "X-Forwarded-Host")), 1)
            self.assertEqual(len(self.headers(found, "X-Request-Id")), 1)
            self.assertEqual(self.headers(found, "Authorization"), [])

    def test_they_are_those_that_a_request_gets(self):
        token = self.token()
        for path in ("/x", "/second/x", "/open/x", "/maybe/x"):
            with self.subTest(path):
                seen = self.assert_admitted(token, target=path)
                for found in self.both_ways(token, path):
                    told = [line.split(": ", 1) for line in found["upstream_headers"]]
                    self.assertEqual(sorted(n.lower() for n, _ in told),
                                     sorted(n.lower() for n, _ in seen.headers if n != "Connection"))
                    for name, value in told:
                        if name not in ("Host", "X-Forwarded-Host", "X-Request-Id", "Authorization"):
                            self.assertEqual([value], seen.all(name))

    def test_an_upstreams_own_headers_are_those_of_the_route_s_upstream(self):
        for found in self.both_ways(self.token(), "/second/x"):
            self.assertEqual(self.headers(found, "X-Second"), ["yes"])
            self.assertEqual(self.headers(found, "Host"), ["inner.example"])

    def test_a_public_route_passes_the_token_on_and_it_is_not_printed(self):
        token = self.token()
        for found in self.both_ways(token, "/open/x"):
            [value] = self.headers(found, "Authorization")
            self.assertNotIn(token.split(".")[2], value)
            self.assertEqual(self.headers(found, "X-Auth-Subject") + self.headers(found, "X-Auth-Payload"), [])


class ForwardedTokens(ExplainTestCase):
    """tokens.forward: the header is told, its signature never."""

    def begin(self, **tokens):
        self.proxy = self.signet(self.configuration(self.issuer, tokens={"forward": True, **tokens}))

    @classmethod
    def prepare(cls):
        cls.key = ec_key("k")
        cls.issuer = cls.shared_issuer([cls.key])

    def test_wherever_the_token_stands(self):
        for place, name in (({}, "Authorization"),
                            ({"from_headers": [{"name": "X-Token"}]}, "X-Token"),
                            ({"from_headers": [], "from_cookies": ["at"]}, "Cookie"),
                            ({"from_headers": [], "from_params": ["at"]}, None)):
            with self.subTest(name):
                self.begin(**place)
                token = self.token()
                _, by_command = self.explain(token, expect=0)   # looks for the signature in all that is said
                for found in (by_command, self.explain_by_api(token)):
                    self.assertTrue(found["admitted"])
                    if name:
                        self.assertEqual(len(self.headers(found, name)), 1)
                    self.assertEqual(self.headers(found, "X-Auth-Subject"), ["user-1"])

    def tearDown(self):
        self.upstream.check()   # the instance may speak of cookies alone


class Hints(ExplainTestCase):
    """What a refused token is, most likely."""

    @classmethod
    def prepare(cls):
        cls.key, cls.second = rsa_key("rsa-1", "RS256"), rsa_key("rsa-2", "RS256")
        cls.issuer = cls.shared_issuer([cls.key, cls.second])
        cls.proxy = cls.shared_signet(cls.configuration(
            cls.issuer_entry(cls.issuer, name="main", audiences=["https://orders.example.com/", "orders-api"])))

    def hint(self, token, reason=None):
        """By both ways; the running instance's is given."""
        _, found = self.explain(token, expect=1)
        if reason:
            self.assertEqual(found["reason"], reason)
        return found["hint"]

    def test_clocks(self):
        now = int(time.time())
        found = self.hint(self.token(exp=now - 100), "expired")
        self.assertRegex(found, r"ended 10\d s ago; a clock")
        self.assertRegex(self.hint(self.token(exp=now - 90_000)), r"^it ended 25 h ago$")
        self.assertRegex(self.hint(self.token(nbf=now + 100), "not_yet_valid"), r"nbf is \d+ s ahead; a clock")

    def test_audiences_and_issuers_that_nearly_fit(self):
        for aud, word in (("https://orders.example.com", "a trailing slash only"), ("Orders-API", "upper and lower case only"),
                          ("http://orders.example.com/", "http:// and https:// only"), ("orders-api ", "white space only")):
            with self.subTest(aud):
                self.assertIn(word, self.hint(self.token(aud=aud), "audience_mismatch"))
        found = self.hint(self.token(aud=["account", "billing-api"]))
        self.assertIn("'account', 'billing-api'; accepted: 'https://orders.example.com/', 'orders-api'", found)
        self.assertIn("a trailing slash only", self.hint(self.token(iss=self.issuer.url + "/"), "issuer_unknown"))

    def test_what_is_no_signed_jwt(self):
        good = self.token()
        for text, word in (("a.b.c.d.e", "five parts: an encrypted token"), ("8f2c0a1be5", "an opaque token"),
                           (good.rsplit(".", 1)[0] + ".", "an unsigned token"), (good.rsplit(".", 1)[0], "its last part is missing"),
                           (good + "==", "padding"), ('"%s"' % good, "quotes")):
            with self.subTest(word):
                self.assertIn(word, self.hint(text, "token_malformed"))

    def test_other_kinds_of_token(self):
        self.assertIn("an ID token", self.hint(self.token(typ="ID", nonce="n", at_hash="x"), "typ_mismatch"))
        graph = self.token(aud="00000003-0000-0000-c000-000000000000")
        self.assertIn("Microsoft Graph", self.hint(graph, "audience_mismatch"))
        self.assertIn("Microsoft Graph", self.hint(with_bad_signature(graph), "signature_invalid"))

    def test_a_kid_that_left_the_set(self):
        self.assertIn("the set has 'rsa-1', 'rsa-2'", self.hint(rsa_key("other").token(self.claims()), "kid_unknown"))
        old = self.token(self.second)
        self.assertEqual(self.explain_by_api(self.token(self.second, aud="orders-api"))["verdict"], "admitted")
        self.issuer.remove_key("rsa-2")
        self.refresh(self.issuer)
        self.wait_refused(old, "kid_unknown")
        self.assertRegex(self.explain_by_api(old)["hint"], r"'rsa-2' left the issuer's set \d+ s ago")

    def test_where_nothing_comes_to_mind(self):
        self.assertEqual(self.hint(self.token(exp=ABSENT), "claim_missing"), "")


if __name__ == "__main__":
    unittest.main(verbosity=2)
