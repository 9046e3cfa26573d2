"""What a route requires of a token that is good: issuers, audiences, scopes and claims."""

import os
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

from asking import wait_until  # noqa: E402
from proxied import ProxiedTestCase, challenge  # noqa: E402
from tokens import ABSENT, ec_key, rsa_key, with_bad_signature  # noqa: E402


def rule(**what):
    return {"claims": [what]}


class Rules(ProxiedTestCase):
    @classmethod
    def prepare(cls):
        cls.key, cls.partner_key = ec_key("k"), ec_key("k")
        cls.issuer = cls.shared_issuer([cls.key], path="/main")
        cls.partner = cls.shared_issuer([cls.partner_key], path="/partner")
        named = {
            "scopes": {"scopes": ["orders:read", "orders:write"]},
            "any-of": rule(claim="realm_access.roles", any_of=["admin", "owner"]),
            "all-of": rule(claim="groups", all_of=["a", "b"]),
            "none-of": rule(claim="flags", none_of=["blocked", 7]),
            "equals": rule(claim="tenant", equals="acme"),
            "equals-number": rule(claim="level", equals=3),
            "equals-text": rule(claim="level", equals="3"),
            "equals-true": rule(claim="verified", equals=True),
            "exists": rule(claim="email", exists=True),
            "literal": rule(claim="https://example.com/roles", any_of=["admin"]),
            "dotted": rule(claim="a.b", equals="x"),
            "pointer": rule(claim="/a~1b/c/0", equals="x"),
            "both": {"scopes": ["x"], "claims": [{"claim": "tenant", "equals": "acme"}]},
            "either": [{"scopes": ["admin"]}, rule(claim="tenant", equals="acme")],
        }
        routes = [{"prefix": "/%s/" % name, "require": require} for name, require in named.items()]
        routes += [{"prefix": "/main-only/", "issuers": ["main"]},
                   {"prefix": "/special/", "audiences": ["special-api"]},
                   {"prefix": "/open/", "access": "public"},
                   {"prefix": "/maybe/", "access": "optional"},
                   {"prefix": "/maybe-scoped/", "access": "optional",
                    "require": {"scopes": ["x"]}},
                   {"path": "/exact", "methods": ["POST"], "require": {"scopes": ["write"]}},
                   {"prefix": "/"}]
        cls.proxy = cls.shared_signet(cls.configuration(
            cls.issuer_entry(cls.issuer, name="main"),
            cls.issuer_entry(cls.partner, name="partner"), routes=routes))

    def good(self, path, **claims):
        with self.subTest(path, **claims):
            self.assert_admitted(self.token(**claims), target="/%s/x" % path)

    def bad(self, path, reason="claim_not_allowed", **claims):
        with self.subTest(path, **claims):
            return self.assert_refused(self.token(**claims), reason, target="/%s/x" % path)

    def test_all_scopes_are_required_wherever_they_stand(self):
        both = ["orders:read", "orders:write"]
        self.good("scopes", scope=" ".join(both))
        self.good("scopes", scope="x orders:write y orders:read")
        self.good("scopes", scope=both)
        self.good("scopes", scp=both)
        self.good("scopes", scp=" ".join(both))
        self.good("scopes", scope=both[0], scp=[both[1]])

    def test_a_missing_scope_is_403_and_the_challenge_names_the_scopes(self):
        for claims in ({}, {"scope": ""}, {"scope": "orders:read"}, {"scope": "orders:readx"},
                       {"scope": "orders:read,orders:write"}, {"scope": "ORDERS:READ ORDERS:WRITE"},
                       {"scope": ["orders:read orders:write"]}, {"scope": 1}, {"scope": None},
                       {"scope": {"orders:read": 1, "orders:write": 1}},
                       {"roles": ["orders:read", "orders:write"]},
                       {"scope": "orders:read\torders:write"}):
            answer = self.bad("scopes", "scope_insufficient", **claims)
            self.assertEqual(set(challenge(answer)["scope"].split()),
                             {"orders:read", "orders:write"})

    def test_any_of(self):
        self.good("any-of", realm_access={"roles": ["x", "owner"]})
        self.good("any-of", realm_access={"roles": "admin"})
        for roles in ([], "", ["Admin"], ["admin "], [["admin"]], None, {"admin": True}, "x admin",
                      [None], ["adminx"]):
            self.bad("any-of", realm_access={"roles": roles})
        self.bad("any-of")
        self.bad("any-of", realm_access="admin")
        self.bad("any-of", realm_access=["admin"])

    def test_all_of(self):
        self.good("all-of", groups=["b", "c", "a"])
        for groups in (["a"], [], "a", "a b", ["ab"], ["a", "B"]):
            self.bad("all-of", groups=groups)
        self.bad("all-of")

    def test_none_of_is_the_only_one_that_an_absent_claim_passes(self):
        self.good("none-of")
        self.good("none-of", flags=["new"])
        self.good("none-of", flags="7")
        self.bad("none-of", flags=["new", "blocked"])
        self.bad("none-of", flags="blocked")
        self.bad("none-of", flags=[7])
        self.bad("none-of", flags=7)

    def test_equals_compares_by_type(self):
        self.good("equals", tenant="acme")
        self.good("equals", tenant=["x", "acme"])
        for tenant in ("Acme", "acme ", "", None, True, 1, {}, [["acme"]]):
            self.bad("equals", tenant=tenant)
        self.good("equals-number", level=3)
        self.bad("equals-number", level="3")
        self.bad("equals-number", level=True)
        self.good("equals-text", level="3")
        self.bad("equals-text", level=3)
        self.good("equals-true", verified=True)
        for verified in ("true", 1, False, None):
            self.bad("equals-true", verified=verified)
        self.bad("equals-true")

    def test_exists(self):
        self.good("exists", email="a@b")
        self.good("exists", email="")
        self.bad("exists")

    def test_a_claim_is_named_literally_first_then_by_path_or_pointer(self):
        self.good("literal", **{"https://example.com/roles": ["admin"]})
        self.bad("literal", **{"https://example.com/roles": ["user"],
                               "https://example": {"com/roles": ["admin"]}})
        self.good("dotted", a={"b": "x"})
        self.good("dotted", **{"a.b": "x"})
        self.bad("dotted", **{"a.b": "y", "a": {"b": "x"}})
        self.good("pointer", **{"a/b": {"c": ["x"]}})
        self.bad("pointer", **{"a": {"b": {"c": ["x"]}}})
        self.bad("pointer", **{"a/b": {"c": ["y", "x"]}})

    def test_within_one_map_all_must_hold_and_in_a_list_one_map(self):
        self.good("both", scope="x", tenant="acme")
        self.bad("both", "scope_insufficient", tenant="acme")
        self.bad("both", "claim_not_allowed", scope="x")
        self.good("either", scope="admin")
        self.good("either", tenant="acme")
        with self.subTest("neither"):
            self.assert_refused(self.token(), "claim_not_allowed", "scope_insufficient",
                                target="/either/x")

    def test_the_routes_issuers(self):
        self.good("main-only")
        partner = self.partner_key.token(self.claims(iss=self.partner.url))
        self.assert_admitted(partner)
        self.assert_refused(partner, "issuer_unknown", target="/main-only/x")

    def test_the_routes_audiences_take_the_place_of_the_issuers(self):
        self.good("special", aud="special-api")
        self.bad("special", "audience_mismatch", aud="orders-api")
        self.assert_refused(self.token(aud="special-api"), "audience_mismatch", target="/x")

    def test_a_public_route_looks_for_no_token(self):
        token = with_bad_signature(self.token())
        request = self.assert_admitted(token, target="/open/x")
        self.assertEqual(request.all("Authorization"), ["Bearer " + token])
        self.assert_admitted(None, target="/open/x")

    def test_an_optional_route_refuses_a_bad_token_and_passes_none(self):
        self.assertEqual(self.assert_admitted(None, target="/maybe/x").like("X-Auth-Subject"), [])
        request = self.assert_admitted(self.token(), target="/maybe/x")
        self.assertEqual(request.all("X-Auth-Subject"), ["user-1"])
        self.assert_refused(with_bad_signature(self.token()), "signature_invalid",
                            target="/maybe/x")
        self.assert_refused(self.token(exp=1), "expired", target="/maybe/x")
        self.assert_refused(None, "token_missing", target="/maybe-scoped/x")
        self.assert_refused(self.token(), "scope_insufficient", target="/maybe-scoped/x")
        self.assert_admitted(self.token(scope="x"), target="/maybe-scoped/x")

    def test_a_method_that_misses_goes_on_to_the_next_route(self):
        self.assert_admitted(self.token(), target="/exact")
        self.assert_refused(self.token(), "scope_insufficient", target="/exact", method="POST")
        self.assert_admitted(self.token(scope="write"), target="/exact", method="POST", body=b"x")

    def test_every_refusal_is_counted_by_reason_issuer_and_route(self):
        before = self.proxy.metrics()
        self.bad("equals", tenant="x")
        self.assert_refused(self.token(aud=ABSENT), "audience_mismatch", "claim_missing")
        after = self.proxy.metrics()
        labels = {"reason": "claim_not_allowed", "issuer": "main", "route": "/equals/"}
        self.assertEqual(after.value("signet_denied_total", **labels),
                         before.value("signet_denied_total", **labels) + 1)
        self.assertEqual(after.value("signet_denied_total", route="/"),
                         before.value("signet_denied_total", route="/") + 1)


class StepUp(ProxiedTestCase):
    """RFC 9470: a route may ask how, and how long ago, the user signed in."""

    @classmethod
    def prepare(cls):
        cls.key = rsa_key("k1", "RS256")
        cls.issuer = cls.shared_issuer([cls.key])
        cls.proxy = cls.shared_signet(cls.configuration(
            cls.issuer_entry(cls.issuer, clock_skew="0s"),
            routes=[{"prefix": "/pay", "require": {"scopes": ["pay"], "max_age": "5m", "acr_values": ["phr", "phrh"]}},
                    {"prefix": "/now", "require": {"max_age": "2s"}}, {"prefix": "/"}]))

    def test_the_challenge_says_what_to_ask_the_issuer_for(self):
        now = int(time.time())
        good = {"scope": "pay", "auth_time": now - 10, "acr": "phr"}
        self.assert_admitted(self.token(**good), target="/pay")
        for change in ({"auth_time": now - 400}, {"auth_time": ABSENT}, {"auth_time": "x"}, {"acr": "pwd"},
                       {"acr": ABSENT}):
            with self.subTest(change):
                answer = self.assert_refused(self.token(**{**good, **change}), "insufficient_user_authentication",
                                             target="/pay")
                said = challenge(answer)
                self.assertEqual((said["acr_values"], said["max_age"]), ("phr phrh", "300"))
        self.assert_refused(self.token(**{**good, "scope": "x"}), "scope_insufficient", target="/pay")
        self.assert_admitted(self.token(scope="x"))

    def test_a_remembered_token_grows_old(self):
        token = self.token(auth_time=int(time.time()))
        self.assert_admitted(token, target="/now")
        self.wait_refused_at(token, "/now", "insufficient_user_authentication")
        self.assert_admitted(token)  # on the other route it is as good as before

    def wait_refused_at(self, token, target, reason):
        wait_until(lambda: self.proxy.ask("GET", target, token).code == reason, "the refusal")
        self.upstream.forget()


if __name__ == "__main__":
    unittest.main(verbosity=2)
