"""How a token is carried and how strictly its text is read."""

import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

from proxied import ProxiedTestCase, challenge  # noqa: E402
from tokens import (b64, json_bytes, rsa_key, with_bad_signature, with_other_tail_bits,  # noqa: E402
                    with_segment)


class TokenTestCase(ProxiedTestCase):
    @classmethod
    def prepare(cls):
        cls.key = rsa_key("rsa-1", "RS256")
        cls.issuer = cls.shared_issuer([cls.key])
        cls.proxy = cls.shared_signet(cls.configuration(cls.issuer))

    def signed(self, header_text, payload_text, key=None):
        """A token whose first two segments are these texts, rightly signed."""
        signing_input = header_text + "." + payload_text
        raw = signing_input.encode("utf-8", "surrogateescape")
        return signing_input + "." + b64((key or self.key).sign(raw))


class HowATokenIsCarried(TokenTestCase):
    def test_without_a_credential_the_challenge_names_no_error(self):
        answer = self.assert_refused(None, "token_missing")
        self.assertEqual(set(challenge(answer)), {"realm"})

    def test_nobody_is_let_through_for_what_it_says_it_is(self):
        for agent in ("kube-probe/1.30", "GoogleHC/1.0", "ELB-HealthChecker/2.0", "Prometheus/2"):
            with self.subTest(agent):
                self.assert_refused(None, "token_missing", headers=[("User-Agent", agent)])

    def test_other_schemes_are_no_token(self):
        for value in ("Basic x", "Basic dXNlcjpwYXNz", "Digest a=b", "Bearerer a.b.c", "x"):
            with self.subTest(value):
                self.assert_refused(None, "token_missing", headers=[("Authorization", value)])

    def test_a_scheme_without_a_token_is_malformed(self):
        for value in ("Bearer", "Bearer ", "bearer", "Bearer  "):
            with self.subTest(value):
                self.assert_refused(None, "token_malformed", headers=[("Authorization", value)])

    def test_the_scheme_is_compared_without_case(self):
        for scheme in ("Bearer", "bearer", "BEARER", "bEaReR"):
            with self.subTest(scheme):
                self.assert_admitted(None, headers=[("Authorization",
                                                     scheme + " " + self.token())])

    def test_two_authorization_headers_are_two_tokens(self):
        token = self.token()
        for first, second in ((token, token), (token, self.token()), (token, "x")):
            answer = self.assert_refused(None, "multiple_tokens", headers=[
                ("Authorization", "Bearer " + first), ("Authorization", "Bearer " + second)])
            self.assertEqual(answer.status, 400)

    def test_neither_query_nor_cookie_carries_a_token_unless_configured(self):
        token = self.token()
        self.proxy.remember_secret(token)
        self.assert_refused(None, "token_missing", target="/?access_token=" + token)
        self.assert_refused(None, "token_missing", headers=[("Cookie", "access_token=" + token)])
        self.assert_refused(None, "token_missing", headers=[("X-Access-Token", token)])

    def test_the_size_limit_is_on_the_token_as_sent(self):
        limit = 16 * 1024
        padding = (limit - len(self.token(x=""))) * 3 // 4
        while len(self.token(x="y" * padding)) > limit:
            padding -= 1
        token, too_large = self.token(x="y" * padding), self.token(x="y" * (padding + 3))
        self.assertTrue(limit - 4 <= len(token) <= limit < len(too_large))
        self.assert_admitted(token)
        self.assert_refused(too_large, "token_too_large")

    def test_the_token_is_not_passed_on(self):
        request = self.assert_admitted(self.token())
        self.assertEqual(request.like("Authorization"), [])

    def test_a_refusal_never_quotes_the_token(self):
        token = with_bad_signature(self.token())
        answer = self.assert_refused(token, "signature_invalid")
        for part in token.split("."):
            self.assertNotIn(part.encode(), answer.body)
            self.assertNotIn(part, str(answer.headers))


class OtherPlaces(TokenTestCase):
    @classmethod
    def prepare(cls):
        cls.key = rsa_key("rsa-1", "RS256")
        cls.issuer = cls.shared_issuer([cls.key])
        cls.proxy = cls.shared_signet(cls.configuration(cls.issuer, tokens={
            "from_headers": [{"name": "Authorization", "value_prefix": "Bearer "},
                             {"name": "X-Api-Token"}],
            "from_cookies": ["session"], "from_params": ["access_token"]}))

    def test_each_configured_place_is_looked_at_and_stripped(self):
        token = self.token()
        self.proxy.remember_secret(token)
        request = self.assert_admitted(None, headers=[("X-Api-Token", token)])
        self.assertEqual(request.like("X-Api-Token"), [])
        request = self.assert_admitted(None, target="/a?x=1&access_token=%s&y=%%20" % token)
        self.assertEqual(request.target, "/a?x=1&y=%20")
        request = self.assert_admitted(None, headers=[("Cookie", "a=1; session=%s; b=2" % token)])
        self.assertNotIn(token, str(request.headers))
        self.assertIn("a=1", request.header("Cookie"))
        self.assertIn("b=2", request.header("Cookie"))

    def test_different_tokens_in_two_places_are_refused(self):
        one, other = self.token(), self.token()
        self.proxy.remember_secret(other)
        self.assert_refused(one, "multiple_tokens", headers=[("X-Api-Token", other)])
        self.assert_refused(one, "multiple_tokens", target="/?access_token=" + other)
        self.assert_refused(one, "multiple_tokens", headers=[("Cookie", "session=" + other)])

    def test_the_same_token_in_two_places_is_one_and_leaves_both(self):
        token = self.token()
        request = self.assert_admitted(token, target="/?access_token=" + token,
                                       headers=[("X-Api-Token", token)])
        self.assertNotIn(token, request.target + str(request.headers))


class ForwardedTokens(TokenTestCase):
    @classmethod
    def prepare(cls):
        cls.key = rsa_key("rsa-1", "RS256")
        cls.issuer = cls.shared_issuer([cls.key])
        cls.proxy = cls.shared_signet(cls.configuration(cls.issuer, tokens={"forward": True}))

    def test_the_upstream_gets_the_token_where_the_configuration_says_so(self):
        token = self.token()
        request = self.assert_admitted(token)
        self.assertEqual(request.all("Authorization"), ["Bearer " + token])


class Segments(TokenTestCase):
    def test_a_token_has_exactly_three_segments_none_empty(self):
        header, payload, signature = self.token().split(".")
        for text in (header, header + "." + payload, ".".join([header, payload, signature, ""]),
                     ".".join([header, payload, signature, signature]),
                     ".".join([header, payload, signature, "a", "b"]),
                     ".".join([header, payload, signature, "a", "b", "c"]),
                     ".%s.%s.%s" % (header, payload, signature), ".%s.%s" % (payload, signature),
                     "%s..%s" % (header, signature), "%s.%s." % (header, payload), "..", ".", "...",
                     "%s..%s.%s" % (header, payload, signature), "." * 16000,
                     "a." * 8000):
            with self.subTest(text[:60]):
                self.assert_refused(text, "token_malformed")

    def test_a_stray_character_in_any_segment_is_refused(self):
        good = self.token().encode()
        strays = [b"=", b"==", b"+", b"/", b" ", b"\t", b"%2e", b"%2E", b"\x80", b"\xc3\xa9",
                  b"\xff", b"'", b",", b"~", b"\\", b"\""]
        for index in range(3):
            for stray in strays:
                for at_end in (False, True):
                    parts = good.split(b".")
                    middle = len(parts[index]) if at_end else len(parts[index]) // 2
                    parts[index] = parts[index][:middle] + stray + parts[index][middle:]
                    token = b".".join(parts)
                    if index == 2 and at_end and stray.isspace():
                        continue  # outer white space is no part of a header's value
                    with self.subTest(segment=index, stray=stray, at_end=at_end):
                        # A list of credentials, or bytes above 127, may be refused as HTTP.
                        self.assert_refused(token, "token_malformed", "bad_request")

    def test_padding_is_refused_even_where_it_was_signed(self):
        payload = b64(json_bytes(self.claims()))
        for spaces in range(3):
            header = b64(json_bytes(self.key.header()) + b" " * spaces)
            if len(header) % 4:
                break
        self.assert_admitted(self.signed(header, payload))
        self.assert_refused(self.signed(header + "=" * (-len(header) % 4), payload),
                            "token_malformed")

    def test_unused_bits_must_be_zero_even_where_they_were_signed(self):
        for segment in (0, 1):
            changed = 0
            for spaces in range(3):
                texts = [b64(json_bytes(self.key.header()) + b" " * (spaces if not segment else 0)),
                         b64(json_bytes(self.claims()) + b" " * (spaces if segment else 0))]
                other = with_other_tail_bits(texts[segment])
                if other is None:
                    continue
                self.assert_admitted(self.signed(*texts))
                texts[segment] = other
                changed += 1
                self.assert_refused(self.signed(*texts), "token_malformed")
            self.assertEqual(changed, 2)

    def test_the_same_signature_bytes_in_another_spelling_are_refused(self):
        token = self.token()
        self.assert_admitted(token)
        other = with_other_tail_bits(token.split(".")[2])
        self.assertIsNotNone(other, "an RS256 signature of 2048 bits has unused bits at its end")
        self.assert_refused(with_segment(token, 2, other), "token_malformed")


class KeysInTheHeader(TokenTestCase):
    def test_a_key_that_the_token_brings_or_names_is_never_used(self):
        attacker = rsa_key("evil", "RS256")
        server = self.own_issuer([attacker, attacker.jwk(kid=self.key.kid)])
        named = {"jku": server.jwks_uri, "x5u": server.origin + "/cert.pem"}
        members = [{"jwk": attacker.jwk()}, {"jku": named["jku"]}, {"x5u": named["x5u"]},
                   {"x5c": [b64(b"no certificate")]}, {"jwk": attacker.jwk(), **named}]
        for member in members:
            for kid in ("evil", self.key.kid):
                with self.subTest(list(member), kid=kid):
                    token = attacker.token(self.claims(), kid=kid, **member)
                    self.assert_refused(token, "signature_invalid" if kid == self.key.kid
                                        else "kid_unknown")
        self.assertEqual(server.count("jwks") + server.count("other"), 0)

    def test_beside_a_good_signature_they_are_ignored(self):
        server = self.own_issuer([])
        self.assert_admitted(self.key.token(self.claims(), jku=server.jwks_uri))
        self.assert_admitted(self.key.token(self.claims(), jwk=rsa_key().jwk()))
        self.assertEqual(server.count("jwks"), 0)

    def test_any_crit_is_refused(self):
        for crit in (["exp"], ["b64"], ["unheard-of"], ["alg"]):
            with self.subTest(crit):
                self.assert_refused(self.key.token(self.claims(), crit=crit, exp=1, b64=True),
                                    "crit_unsupported")
        for crit in ([], "exp", None, {}, [1]):
            with self.subTest(crit):
                self.assert_refused(self.key.token(self.claims(), crit=crit), "crit_unsupported",
                                    "token_malformed")

    def test_an_unencoded_payload_is_refused(self):
        header = b64(json_bytes(self.key.header(b64=False, crit=["b64"])))
        payload = json_bytes(self.claims()).decode()
        self.assert_refused(self.signed(header, b64(payload)), "crit_unsupported")
        self.assert_refused(self.signed(header, "plain"), "crit_unsupported", "token_malformed")
        # Without the crit that RFC 7797 demands of it, it is no less forbidden in a JWT.
        for value in (False, None, "true", 1, []):
            with self.subTest(value):
                self.assert_refused(self.key.token(self.claims(), b64=value), "token_malformed")
        self.assert_admitted(self.key.token(self.claims(), b64=True))


class TheFirstFaultNamesTheReason(TokenTestCase):
    """Each token has two faults; the order of checks says which one is told."""

    def test_in_order(self):
        other = rsa_key("unheard-of", "RS256")
        past = {"exp": 1000}
        cases = [
            ("crit_unsupported", self.key.token(self.claims(iss="https://other"), crit=["x"])),
            ("issuer_unknown", self.key.token(self.claims(iss="https://other"),
                                              header={"alg": "none"})),
            ("alg_not_allowed", other.token(self.claims(), header={"alg": "HS256", "kid": "no"})),
            ("kid_unknown", with_bad_signature(other.token(self.claims()))),
            ("signature_invalid", with_bad_signature(self.key.token(self.claims(), typ="x+jwt"))),
            ("signature_invalid", with_bad_signature(self.key.token(self.claims(**past)))),
            ("typ_mismatch", self.key.token(self.claims(sub=1), typ="x+jwt")),
            ("claim_invalid", self.key.token(self.claims(sub=1, **past))),
            ("expired", self.key.token(self.claims(aud="other", **past))),
        ]
        for reason, token in cases:
            with self.subTest(reason):
                self.assert_refused(token, reason)

    def test_of_several_faults_before_the_token_is_read(self):
        self.assert_refused("x" * 17000, "token_too_large")
        self.assert_refused(self.token() + ".", "token_malformed", target="/")


class FewerWords(TokenTestCase):
    @classmethod
    def prepare(cls):
        cls.key = rsa_key("rsa-1", "RS256")
        cls.issuer = cls.shared_issuer([cls.key])
        cls.proxy = cls.shared_signet(cls.configuration(
            cls.issuer, answers={"realm": "orders", "reasons": False}))

    def test_with_reasons_off_only_the_standard_words_leave_the_house(self):
        for token, word in ((self.token(exp=1000), "expired"),
                            (self.token(aud="x"), "audience_mismatch"),
                            (with_bad_signature(self.token()), "signature_invalid")):
            answer = self.proxy.ask("GET", "/", token)
            self.assertEqual(answer.status, 401)
            self.assertEqual(challenge(answer).get("error"), "invalid_token")
            self.assertEqual(challenge(answer).get("realm"), "orders")
            for text in (answer.body.decode(), str(answer.headers)):
                self.assertNotIn(word, text)
                self.assertNotIn(word.split("_")[0], text.lower())
        self.assertEqual(self.upstream.take(), [])

    def test_the_log_and_the_metric_still_say_why(self):
        before = self.proxy.metrics().value("signet_denied_total", reason="expired")
        mark = self.proxy.mark()
        self.proxy.ask("GET", "/", self.token(exp=1000))
        self.assertEqual(
            self.proxy.metrics().value("signet_denied_total", reason="expired"), before + 1)
        self.proxy.wait_log(lambda record: "expired" in record.values(), since=mark,
                            what="the reason in the access log")


if __name__ == "__main__":
    unittest.main(verbosity=2)
