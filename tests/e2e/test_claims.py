"""What the claims must say: times, audience, types, typ, and what the issuer requires."""

import os
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

from proxied import ProxiedTestCase  # noqa: E402
from tokens import ABSENT, ec_key, json_bytes  # noqa: E402

SKEW = 30  # the default clock_skew


class ClaimTestCase(ProxiedTestCase):
    SETTINGS = {}

    @classmethod
    def prepare(cls):
        cls.key = ec_key("k")
        cls.issuer = cls.shared_issuer([cls.key])
        cls.proxy = cls.shared_signet(cls.configuration(
            cls.issuer_entry(cls.issuer, **cls.SETTINGS)))

    def with_raw(self, name, text):
        """A token whose claim `name` is this JSON text."""
        payload = json_bytes(self.claims(**{name: ABSENT}))[:-1]
        return self.key.token(payload + b',"%s":%s}' % (name.encode(), text))


class Times(ClaimTestCase):
    def test_exp_at_the_edge_of_the_clock_skew(self):
        self.assert_refused(self.token(exp=int(time.time()) - SKEW - 1), "expired")
        self.assert_refused(self.token(exp=int(time.time()) - SKEW), "expired")
        self.assert_admitted(self.token(exp=int(time.time()) - SKEW + 2))

    def test_nbf_at_the_edge_of_the_clock_skew(self):
        self.assert_admitted(self.token(nbf=int(time.time()) + SKEW - 1))
        self.assert_admitted(self.token(nbf=int(time.time()) + SKEW))
        self.assert_refused(self.token(nbf=int(time.time()) + SKEW + 3), "not_yet_valid")

    def test_iat_may_not_lie_further_ahead_than_the_clock_skew(self):
        self.assert_admitted(self.token(iat=int(time.time()) + SKEW - 1))
        self.assert_refused(self.token(iat=int(time.time()) + SKEW + 3), "not_yet_valid")

    def test_exp_is_required_and_the_others_are_not(self):
        self.assert_refused(self.token(exp=ABSENT), "claim_missing")
        self.assert_admitted(self.token(iat=ABSENT, nbf=ABSENT, jti=ABSENT, sub=ABSENT))

    def test_fractions_and_exponents_are_numbers_too(self):
        now = time.time()
        self.assert_admitted(self.token(exp=now + 60.5, nbf=now - 0.5, iat=now - 0.25))
        self.assert_admitted(self.with_raw("exp", b"%d.0e0" % (now + 60)))
        self.assert_admitted(self.with_raw("exp", b"1e11"))
        self.assert_refused(self.with_raw("exp", b"1e9"), "expired")
        self.assert_refused(self.with_raw("exp", b"0.1"), "expired")
        self.assert_refused(self.token(exp=0), "expired")

    def test_what_is_no_time_is_invalid_and_never_absent(self):
        with self.proxy.client() as client:
            for name in ("exp", "nbf", "iat"):
                for text in (b'"123"', b"true", b"false", b"null", b"[]", b"{}", b'""', b"-1",
                             b"-0.5", b"-1e300", b"[1]", b"253402300800", b"9007199254740993",
                             b"9223372036854775807", b"9223372036854775808",
                             b"18446744073709551615", b"1e300", b"253402300799.5"):
                    with self.subTest(name, text=text):
                        self.assert_refused(self.with_raw(name, text), "claim_invalid",
                                            client=client)

    def test_a_number_beyond_any_double_is_malformed(self):
        for name in ("exp", "nbf", "iat"):
            for text in (b"1e400", b"-1e400"):
                self.assert_refused(self.with_raw(name, text), "token_malformed")

    def test_the_last_second_of_the_year_9999_is_a_time(self):
        self.assert_admitted(self.with_raw("exp", b"253402300799"))
        self.assert_refused(self.with_raw("nbf", b"253402300799"), "not_yet_valid")


class NoSkew(ClaimTestCase):
    SETTINGS = {"clock_skew": "0s"}

    def test_without_a_skew_the_clock_is_taken_at_its_word(self):
        self.assert_refused(self.token(exp=time.time() - 1), "expired")
        self.assert_refused(self.token(nbf=time.time() + 5), "not_yet_valid")
        self.assert_admitted(self.token(exp=time.time() + 5, nbf=time.time() - 1))


class Leeway(ClaimTestCase):
    SETTINGS = {"leeway": "2m"}

    def test_leeway_is_another_word_for_it(self):
        self.assert_admitted(self.token(exp=int(time.time()) - 110))
        self.assert_refused(self.token(exp=int(time.time()) - 121), "expired")


class SkewInFractions(ClaimTestCase):
    SETTINGS = {"clock_skew": "500ms"}

    def test_half_a_second_is_a_skew(self):
        self.assert_refused(self.token(exp=time.time() - 0.6), "expired")
        self.assert_refused(self.token(nbf=time.time() + 20), "not_yet_valid")
        self.assert_admitted(self.token(nbf=time.time()))


class Lifetimes(ClaimTestCase):
    SETTINGS = {"max_lifetime": "10m"}

    def token(self, **changes):
        return super().token(**{"iat": int(time.time()), **changes})

    def test_a_lifetime_that_is_too_long(self):
        now = int(time.time())
        self.assert_admitted(self.token(iat=now, exp=now + 600))
        self.assert_refused(self.token(iat=now, exp=now + 601), "lifetime_too_long")
        self.assert_refused(self.token(iat=now, exp=now + 600.5), "lifetime_too_long")
        self.assert_refused(self.token(iat=0, exp=now + 600), "lifetime_too_long")

    def test_it_cannot_be_told_without_iat(self):
        self.assert_refused(self.token(iat=ABSENT), "claim_missing")


class LifetimesOfTokensThatNeedNotEnd(ClaimTestCase):
    """required_claims without exp lets tokens live forever; max_lifetime does not."""

    SETTINGS = {"max_lifetime": "1h", "required_claims": ["sub"]}

    def test_without_exp_or_iat_no_lifetime_can_be_told(self):
        for changes in ({"exp": ABSENT}, {"iat": ABSENT}, {"exp": ABSENT, "iat": ABSENT},
                        {"exp": ABSENT, "nbf": int(time.time()) - 60}):
            with self.subTest(sorted(changes)):
                self.assert_refused(self.token(**changes), "claim_missing")
        self.assert_refused(self.token(sub=ABSENT), "claim_missing")


class LifetimesInFractions(ClaimTestCase):
    SETTINGS = {"max_lifetime": "500ms", "clock_skew": "1m"}

    def token(self, **changes):
        now = time.time()
        return super().token(**{"iat": now, "exp": now + 0.25, **changes})

    def test_a_bound_of_half_a_second(self):
        now = int(time.time())
        self.assert_admitted(self.token(iat=now, exp=now + 0.5))
        self.assert_refused(self.token(iat=now, exp=now + 0.75), "lifetime_too_long")


class Audiences(ClaimTestCase):
    def test_a_string_or_an_array_that_holds_it(self):
        for aud in ("orders-api", ["orders-api"], ["x", "orders-api"], ["orders-api", "orders-api"]):
            with self.subTest(aud):
                self.assert_admitted(self.token(aud=aud))

    def test_what_is_another_audience(self):
        for aud in ([], "", [""], "orders", "orders-ap", "orders-api2", "xorders-api", "rders-api",
                    "Orders-API", "orders-api\0", "orders-api\0x", "orders-api ", " orders-api",
                    "orders-api,x", "orders-api x", ["orders-ap", "i"], "*", ["*"]):
            with self.subTest(aud):
                self.assert_refused(self.token(aud=aud), "audience_mismatch")

    def test_what_is_no_audience_at_all(self):
        for aud in (None, 1, True, {}, {"orders-api": True}, [1], [None], ["orders-api", 1],
                    ["orders-api", None], [["orders-api"]], [{"aud": "orders-api"}]):
            with self.subTest(aud):
                self.assert_refused(self.token(aud=aud), "claim_invalid")

    def test_an_absent_one(self):
        self.assert_refused(self.token(aud=ABSENT), "audience_mismatch", "claim_missing")


class OtherAudienceClaims(ClaimTestCase):
    SETTINGS = {"audience_claims": ["client_id", "aud"], "audiences": ["orders-api", "other"]}

    def test_the_first_claim_that_the_token_carries_is_compared(self):
        self.assert_admitted(self.token(client_id="other", aud="nobody"))
        self.assert_admitted(self.token(aud="other"))
        self.assert_refused(self.token(client_id="nobody", aud="other"), "audience_mismatch")


class AnyAudience(ClaimTestCase):
    SETTINGS = {"any_audience": True}

    def test_said_aloud_any_will_do_but_not_any_type(self):
        self.assert_admitted(self.token(aud="whatever"))
        self.assert_admitted(self.token(aud=ABSENT))
        self.assert_refused(self.token(aud=1), "claim_invalid")


class TypesOfClaims(ClaimTestCase):
    def test_names_are_strings(self):
        with self.proxy.client() as client:
            for name in ("sub", "jti", "sid", "client_id", "azp", "typ"):
                for value in (1, None, True, [], ["x"], {}, 1.5):
                    with self.subTest(name, value=value):
                        self.assert_refused(self.token(**{name: value}), "claim_invalid",
                                            client=client)

    def test_what_revocations_are_found_by_is_a_string_too(self):
        with self.proxy.client() as client:
            for name in ("uti", "cid", "appid"):
                for value in (4711, None, True, [], ["4711"], {}, 1.5):
                    with self.subTest(name, value=value):
                        self.assert_refused(self.token(**{name: value}), "claim_invalid",
                                            client=client)
                self.assert_admitted(self.token(**{name: "4711"}), client=client)

    def test_other_claims_may_be_anything(self):
        self.assert_admitted(self.token(scope=1, roles=None, email=[1], x=[[]], nonce=1))


class OtherRevocationClaims(ClaimTestCase):
    """The claims that the configuration names are those that must be strings."""

    SETTINGS = {"revocation_claims": {"client": ["tenant.app"], "jti": ["ref"]}}

    def test_a_name_that_is_configured_counts_and_one_that_is_not_does_not(self):
        self.assert_refused(self.token(tenant={"app": 7}), "claim_invalid")
        self.assert_refused(self.token(ref=7), "claim_invalid")
        self.assert_admitted(self.token(tenant={"app": "7"}, ref="7"))
        self.assert_admitted(self.token(tenant={"other": 7}, cid=7, uti=7, appid=7))
        client, ref = self.token(tenant={"app": "gone"}), self.token(ref="gone")
        self.proxy.revoke(client="gone")
        self.proxy.revoke(jti="gone")
        self.assert_refused(client, "revoked")
        self.assert_refused(ref, "revoked")


class TokenTypes(ClaimTestCase):
    def test_the_usual_types(self):
        for typ in ("JWT", "jwt", "at+jwt", "AT+JWT", "application/at+jwt", "Application/JWT",
                    ABSENT):
            with self.subTest(str(typ)):
                self.assert_admitted(self.key.token(self.claims(), typ=typ))

    def test_others(self):
        for typ in ("dpop+jwt", "logout+jwt", "secevent+jwt", "at+jwt ", "JWT2", "", "jwt/at",
                    "application/", "x/at+jwt", "application/application/jwt", "kb+jwt",
                    "token-introspection+jwt", "JOSE"):
            with self.subTest(typ):
                self.assert_refused(self.key.token(self.claims(), typ=typ), "typ_mismatch")
        for typ in (1, None, [], ["JWT"], {}):
            with self.subTest(typ):
                self.assert_refused(self.key.token(self.claims(), typ=typ), "typ_mismatch",
                                    "token_malformed")

    def test_id_tokens_and_the_like_are_no_access_tokens(self):
        for claims in ({"typ": "ID"}, {"typ": "Refresh"}, {"typ": "Offline"}, {"typ": "Logout"},
                       {"token_use": "id"}, {"events": {}},
                       {"events": {"http://schemas.openid.net/event/backchannel-logout": {}}}):
            with self.subTest(claims):
                self.assert_refused(self.token(**claims), "typ_mismatch")
        for claims in ({"typ": "Bearer"}, {"token_use": "access"}, {"nonce": "x"}):
            with self.subTest(claims):
                self.assert_admitted(self.token(**claims))


class IdTokensAccepted(ClaimTestCase):
    SETTINGS = {"id_tokens": "accept", "token_types": ["JWT"]}

    def test_where_the_configuration_says_so(self):
        self.assert_admitted(self.token(token_use="id"))
        self.assert_admitted(self.token(typ="ID"))
        self.assert_refused(self.key.token(self.claims(), typ="at+jwt"), "typ_mismatch")


class OnlyAccessTokens(ClaimTestCase):
    SETTINGS = {"token_types": ["at+jwt"]}

    def token(self, **changes):
        return self.key.token(self.claims(**changes), typ="at+jwt")

    def test_an_absent_typ_counts_as_jwt(self):
        self.assert_admitted(self.token())
        self.assert_refused(self.key.token(self.claims()), "typ_mismatch")
        self.assert_refused(self.key.token(self.claims(), typ=ABSENT), "typ_mismatch")


class RequiredClaims(ClaimTestCase):
    SETTINGS = {"required_claims": ["sub", "jti", "tenant", "realm_access.roles"],
                "require": {"scopes": ["api"], "claims": [{"claim": "tenant", "equals": "acme"}]}}

    def claims(self, **changes):
        return super().claims(**{"tenant": "acme", "scope": "api x", "exp": ABSENT,
                                 "realm_access": {"roles": []}, **changes})

    def test_each_must_be_there(self):
        for name in ("sub", "jti", "tenant", "realm_access"):
            self.assert_refused(self.token(**{name: ABSENT}), "claim_missing")
        self.assert_refused(self.token(realm_access={"role": 1}), "claim_missing")

    def test_exp_need_not_be_there_when_the_list_does_not_name_it(self):
        self.assert_admitted(self.token())
        self.assert_admitted(self.token(exp=int(time.time()) + 60))
        self.assert_refused(self.token(exp=int(time.time()) - 60), "expired")
        self.assert_refused(self.token(exp="x"), "claim_invalid")

    def test_what_the_issuer_requires_of_every_token(self):
        self.assert_refused(self.token(tenant="other"), "claim_invalid")
        self.assert_refused(self.token(scope="x"), "claim_invalid")


class RequiredForHeaders(ProxiedTestCase):
    @classmethod
    def prepare(cls):
        cls.key = ec_key("k")
        cls.issuer = cls.shared_issuer([cls.key])
        cls.proxy = cls.shared_signet(cls.configuration(cls.issuer, claim_to_headers=[
            {"claim": "sub", "header": "X-Auth-Subject", "required": True}]))

    def test_a_token_without_a_required_header_claim(self):
        self.assertEqual(self.assert_admitted(self.token()).all("X-Auth-Subject"), ["user-1"])
        self.assert_refused(self.token(sub=ABSENT), "claim_missing")
        self.assert_refused(self.token(sub="a\r\nX-Admin: 1"), "claim_invalid")


if __name__ == "__main__":
    unittest.main(verbosity=2)
