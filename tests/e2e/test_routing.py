"""Routes: which one is taken, and what it asks of a token."""

import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

import tokens  # noqa: E402
from issuer import Issuer  # noqa: E402
from proxy_case import (AUDIENCE, BAD_TOKEN, ISSUER, KEY, T0, ProxyTestCase, configuration,  # noqa: E402
                        good_token, issuer_config)
from upstream import RecordingUpstream  # noqa: E402

OTHER = "https://other.example"
OTHER_KEY = tokens.rsa_key("key-1", alg="RS256")   # the same kid as the first issuer's key
NO_ROUTE = (404, "no_route")
MISSING = (401, "token_missing")


class RouteCase(ProxyTestCase):
    def run_table(self, table):
        """Rows of (target, options of ask, 200 or the refusal)."""
        for target, options, expected in table:
            with self.subTest(target, **{k: str(v)[-40:] for k, v in options.items()}):
                self.upstream.forget()
                answer = self.ask(target, **options)
                if expected == 200:
                    self.assertEqual(answer.status, 200, answer)
                    self.assertEqual(len(self.upstream.take()), 1)
                else:
                    self.assert_refused(answer, *expected, method=options.get("method", "GET"))
                    self.assert_nothing_arrived()


class Matching(RouteCase):
    CONFIG = {"routes": [
        {"name": "exact", "path": "/exact", "access": "public"},
        {"name": "tenant", "hosts": ["tenant.example", "*.tenants.example"], "path": "/hosted",
         "access": "public"},
        {"name": "read", "methods": ["GET"], "prefix": "/methods", "access": "public"},
        {"name": "write", "methods": ["POST", "PUT"], "prefix": "/methods"},
        {"name": "first", "prefix": "/order/open", "access": "public"},
        {"name": "second", "prefix": "/order"},
        {"name": "shadowed", "prefix": "/order/late", "access": "public"},
        {"name": "anonymous", "prefix": "/optional", "access": "optional"},
        {"name": "strict", "prefix": "/strict", "access": "optional", "require": {"scopes": ["read"]}},
    ]}

    def assert_good_request_passes(self):
        self.seen("/order/good")
        self.upstream.forget()

    def test_what_no_route_matches_is_not_found_whatever_token_comes(self):
        for target in ("/", "/nowhere", "/exact/", "/exactly", "/ordering", "/methodsx"):
            for token in (None, T0, BAD_TOKEN):
                with self.subTest(target, token=str(token)[-8:]):
                    self.assert_refusal(*NO_ROUTE, target, token=token)

    def test_hosts(self):
        here = {"token": None}
        self.run_table([
            ("/hosted", {**here, "host": "tenant.example"}, 200),
            ("/hosted", {**here, "host": "TENANT.Example"}, 200),
            ("/hosted", {**here, "host": "tenant.example:8080"}, 200),
            ("/hosted", {**here, "host": "one.tenants.example"}, 200),
            ("/hosted", {**here, "host": "one.tenants.example:443"}, 200),
            ("/hosted", {**here, "host": "app.example"}, NO_ROUTE),
            ("/hosted", {**here, "host": "tenants.example"}, NO_ROUTE),
            ("/hosted", {**here, "host": "xtenants.example"}, NO_ROUTE),
            ("/hosted", {**here, "host": "one.tenants.example.evil.example"}, NO_ROUTE),
            ("/hosted", {**here, "host": "tenant.example.evil.example"}, NO_ROUTE),
            ("/hosted", {**here, "host": "x-tenant.example"}, NO_ROUTE),
            ("http://tenant.example/hosted", {**here, "host": "tenant.example"}, 200),
        ])

    def test_a_forwarded_host_of_a_stranger_chooses_no_route(self):
        self.run_table([("/hosted", {"token": None, "headers": {"X-Forwarded-Host": "tenant.example"}},
                         NO_ROUTE)])

    def test_methods_go_on_to_the_next_route(self):
        self.run_table([
            ("/methods", {"token": None}, 200),
            ("/methods/x", {"token": None, "method": "HEAD"}, 200),
            ("/methods", {"token": None, "method": "POST"}, MISSING),
            ("/methods", {"method": "POST"}, 200),
            ("/methods", {"method": "PUT"}, 200),
            ("/methods", {"method": "DELETE"}, NO_ROUTE),
            ("/methods", {"method": "OPTIONS"}, NO_ROUTE),
            ("/methods", {"method": "get"}, NO_ROUTE),
            ("/methods", {"method": "DELETE", "headers": {"X-HTTP-Method-Override": "GET"}}, NO_ROUTE),
        ])

    def test_the_first_match_wins(self):
        self.run_table([("/order/open", {"token": None}, 200), ("/order/open/x", {"token": None}, 200),
                        ("/order/opened", {"token": None}, MISSING), ("/order", {"token": None}, MISSING),
                        ("/order/late", {"token": None}, MISSING), ("/order/late", {}, 200)])

    def test_optional_routes(self):
        bad = (401, "signature_invalid")
        self.run_table([
            ("/optional", {"token": None}, 200), ("/optional", {}, 200), ("/optional", {"token": BAD_TOKEN}, bad),
            ("/optional", {"token": None, "headers": {"Authorization": "Basic dTpw"}}, 200),
            ("/optional", {"token": ""}, (401, "token_malformed")),
            ("/optional", {"token": good_token(exp=1)}, (401, "expired")),
            ("/strict", {"token": None}, MISSING), ("/strict", {}, (403, "scope_insufficient")),
            ("/strict", {"token": good_token(scope="read")}, 200), ("/strict", {"token": BAD_TOKEN}, bad),
        ])
        self.assertEqual(self.seen("/optional", token=None).like("X-Auth-Subject"), [])
        self.assertEqual(self.seen("/optional").all("X-Auth-Subject"), ["user-1"])

    def test_public_routes_look_for_no_token(self):
        for token in (None, T0, BAD_TOKEN, "", "." * 100):
            self.assertEqual(self.seen("/exact", token=token).like("X-Auth-Subject"), [])
        self.run_table([("/exact", {"headers": {"Authorization": "Bearer " + BAD_TOKEN}}, 200)])


class Remembered(RouteCase):
    """A token that one route admits is judged anew by each other."""

    @classmethod
    def settings(cls):
        other = issuer_config(issuer=OTHER, name="other", jwks=tokens.jwks(OTHER_KEY))
        tenant = {"claims": [{"claim": "tenant", "equals": "x"}]}
        return configuration(cls.upstream.url, issuers=[issuer_config(name="first"), other], routes=[
            {"prefix": "/scope", "require": {"scopes": ["read"]}},
            {"prefix": "/scopes", "require": {"scopes": ["read", "write"]}},
            {"prefix": "/claim", "require": tenant}, {"prefix": "/audience", "audiences": ["admin-api"]},
            {"prefix": "/issuer", "issuers": ["other"]}, {"prefix": "/"}])

    def test_the_rules_of_each_route_hold_for_a_token_that_is_known(self):
        token = good_token(scope="read", tenant="t")
        for _ in range(3):
            self.run_table([("/scope", {"token": token}, 200), ("/", {"token": token}, 200),
                            ("/scopes", {"token": token}, (403, "scope_insufficient")),
                            ("/claim", {"token": token}, (403, "claim_not_allowed")),
                            ("/audience", {"token": token}, (401, "audience_mismatch")),
                            ("/issuer", {"token": token}, (401, "issuer_unknown"))])

    def test_the_signature_is_judged_before_any_rule(self):
        for target in ("/scope", "/claim", "/audience", "/issuer"):
            self.run_table([(target, {"token": BAD_TOKEN}, (401, "signature_invalid"))])


class Upstreams(RouteCase):
    @classmethod
    def settings(cls):
        cls.second = RecordingUpstream(name="second")
        cls.addClassCleanup(cls.second.close)
        return configuration(None, upstreams={"default": {"url": cls.upstream.url},
                                              "second": {"url": cls.second.url}},
                             routes=[{"prefix": "/second", "upstream": "second"}, {"prefix": "/"}])

    def test_a_route_chooses_its_upstream(self):
        self.assertEqual(self.ask("/second/x").json()["by"], "second")
        self.assertEqual(self.ask("/x/second").json()["by"], "upstream")
        self.assertEqual(([r.target for r in self.second.take()], [r.target for r in self.upstream.take()]),
                         (["/second/x"], ["/x/second"]))


PREFLIGHT = {"Origin": "https://spa.example", "Access-Control-Request-Method": "POST"}


class Preflight(RouteCase):
    CONFIG = {"bypass_cors_preflight": True}

    def test_a_preflight_needs_no_token_and_nothing_else_passes(self):
        self.run_table([
            ("/", {"method": "OPTIONS", "headers": PREFLIGHT, "token": None}, 200),
            ("/", {"method": "OPTIONS", "headers": {"Origin": "https://spa.example"}, "token": None}, MISSING),
            ("/", {"method": "OPTIONS", "headers": {"Access-Control-Request-Method": "POST"}, "token": None},
             MISSING),
            ("/", {"method": "OPTIONS", "token": None}, MISSING),
            ("/", {"method": "GET", "headers": PREFLIGHT, "token": None}, MISSING),
            ("/", {"method": "POST", "headers": PREFLIGHT, "token": None}, MISSING),
            ("/", {"method": "options", "headers": PREFLIGHT, "token": None}, MISSING),
            ("/", {"method": "OPTIONS"}, 200),
        ])


class NoExceptions(RouteCase):
    """Nothing that a client can say of itself takes the place of a token."""

    AGENTS = ["kube-probe/1.30", "GoogleHC/1.0", "ELB-HealthChecker/2.0", "Consul Health Check", "Envoy/HC",
              "HealthChecker/1.0", "curl/8.0 (health)"]
    HEADERS = {"X-Forwarded-User": "admin", "Remote-User": "admin", "X-Auth-Subject": "admin",
               "X-Forwarded-For": "127.0.0.1", "X-Real-IP": "127.0.0.1", "X-Envoy-Internal": "true",
               "X-Original-URL": "/healthz", "X-Rewrite-URL": "/healthz", "Host-Override": "localhost",
               "X-HTTP-Method-Override": "OPTIONS", "X-Forwarded-Uri": "/healthz"}

    def test_a_health_checkers_name_opens_nothing(self):
        self.run_table([(target, {"token": None, "headers": {"User-Agent": agent}}, MISSING)
                        for agent in self.AGENTS for target in ("/", "/healthz", "/ping", "/readyz")])

    def test_no_header_opens_anything(self):
        self.run_table([("/", {"token": None, "headers": {name: value}}, MISSING)
                        for name, value in self.HEADERS.items()])

    def test_no_method_opens_anything(self):
        for method in ("HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "PURGE"):
            with self.subTest(method):
                self.assert_refusal(*MISSING, "/", method=method, token=None)

    def test_by_default_a_preflight_needs_a_token_too(self):
        self.run_table([("/", {"method": "OPTIONS", "headers": PREFLIGHT, "token": None}, MISSING),
                        ("/", {"method": "OPTIONS", "headers": PREFLIGHT}, 200)])


class Answers(ProxyTestCase):
    """answers.reasons: false. Only RFC 6750's words leave the house."""

    CONFIG = {"answers": {"realm": "house", "reasons": False}}

    def test_refusals_of_every_kind_look_alike(self):
        shapes = set()
        for token in (BAD_TOKEN, good_token(exp=1), good_token(aud="other"), good_token(nbf=4102444800),
                      OTHER_KEY.token(tokens.claims(ISSUER, AUDIENCE)), "a.b.c", "x" * 20_000):
            answer = self.ask("/", token=token)
            self.assertEqual(answer.status, 401)
            self.assertIn('realm="house"', answer.header("WWW-Authenticate"))
            self.assertIn('error="invalid_token"', answer.header("WWW-Authenticate"))
            request_id = answer.header("X-Request-Id").encode()
            shapes.add((answer.body.replace(request_id, b""), answer.header("WWW-Authenticate")))
        self.assertEqual(len(shapes), 1, shapes)
        self.assert_nothing_arrived()
        self.assert_good_request_passes()


class AnswersAboutRules(ProxyTestCase):
    """answers.reasons: false. Neither the rules nor the state of an issuer's keys are told."""

    KEYLESS = "https://telling.example"

    @classmethod
    def settings(cls):
        away = Issuer(start=False)
        cls.addClassCleanup(away.close)
        keyless = issuer_config(issuer=cls.KEYLESS, name="telling-name", jwks_uri=away.jwks_uri,
                                required_for_ready=False)
        del keyless["jwks"]
        return configuration(cls.upstream.url, issuers=[issuer_config(), keyless],
                             answers={"reasons": False}, tokens={"from_cookies": ["at"]},
                             routes=[{"prefix": "/claims", "name": "telling-route", "require":
                                      {"claims": [{"claim": "telling-claim", "equals": "telling-value"}]}},
                                     {"prefix": "/"}])

    # reason -> (options of ask, status, code, words that would tell it)
    CASES = {
        "claim_not_allowed": ({"target": "/claims"}, 403, "forbidden", ["claim", "rule"]),
        "csrf_rejected": ({"method": "POST", "token": None, "headers": [("Cookie", "at=" + T0)]}, 403,
                          "forbidden", ["csrf", "origin", "site", "cookie"]),
        "keys_unavailable": ({"token": KEY.token(tokens.claims(KEYLESS, AUDIENCE))}, 503, "unavailable",
                             ["key", "issuer", "jwks"]),
    }

    def test_neither_word_nor_detail_leaves_the_house(self):
        for reason, (options, status, code, words) in self.CASES.items():
            with self.subTest(reason):
                before = self.proxy.metrics().value("signet_denied_total", reason=reason)
                mark = self.proxy.mark()
                answer = self.ask(**options)
                self.assertEqual(answer.status, status, answer)
                problem = answer.json()
                self.assertEqual(set(problem), {"type", "title", "status", "code", "request_id"})
                self.assertEqual((problem["type"], problem["code"], problem["status"]),
                                 ("urn:signet:problem:" + code, code, status))
                request_id = answer.header("X-Request-Id")
                told = (answer.body.decode() + str(answer.headers)).replace(request_id, "").lower()
                for word in [reason, "telling", "detail"] + words:
                    self.assertNotIn(word, told)
                self.assertEqual(answer.all("Cache-Control"), ["no-store"])
                self.assertEqual(bool(answer.all("Retry-After")), status == 503)
                # The operator still learns it.
                self.assertEqual(self.proxy.metrics().value("signet_denied_total", reason=reason), before + 1)
                self.proxy.wait_log(lambda r, want=reason: r.get("reason") == want, mark, "the reason in the log")
        self.assert_nothing_arrived()
        self.assert_good_request_passes()

    def test_faults_of_the_request_stay_named(self):
        for target, status, code in (("/%", 400, "bad_request"), ("/..", 400, "bad_request")):
            answer = self.ask(target)
            self.assertEqual((answer.status, answer.code), (status, code))


if __name__ == "__main__":
    unittest.main()
