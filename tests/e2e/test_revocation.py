"""Revocations: what they reach, from when on, and that no variant of a token escapes them."""

import os
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

from asking import Client, wait_until  # noqa: E402
from proxied import ProxiedTestCase, check_refusal, moment  # noqa: E402
from tokens import (ABSENT, ec_key, es256_other_s, rsa_key, with_other_tail_bits,  # noqa: E402
                    with_segment)


def rfc3339(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


class RevocationTestCase(ProxiedTestCase):
    """Two issuers; every test uses subjects, sessions and clients of its own."""

    @classmethod
    def prepare(cls):
        cls.key, cls.other_key = ec_key("k", "ES256"), rsa_key("other", "RS256")
        cls.issuer = cls.shared_issuer([cls.key], path="/main")
        cls.other = cls.shared_issuer([cls.other_key], path="/other")
        cls.proxy = cls.shared_signet(cls.configuration(
            cls.issuer_entry(cls.issuer, name="main"), cls.issuer_entry(cls.other, name="other"),
            tokens={"from_headers": [{"name": "Authorization", "value_prefix": "Bearer "},
                                     {"name": "X-Token"}], "from_cookies": ["session"]},
            routes=[{"prefix": "/open", "access": "public"},
                    {"prefix": "/maybe", "access": "optional"}, {"prefix": "/"}]))

    def revoke(self, **entry):
        """Revokes, and takes it back at the end of the test."""
        made = self.proxy.revoke(**entry)
        self.addCleanup(self.proxy.admin, "DELETE", "/v1/revocations/" + made["id"])
        return made

    def foreign(self, **changes):
        return self.other_key.token(self.claims(iss=self.other.url, **changes))


class WhatIsReached(RevocationTestCase):
    def test_a_token_is_refused_on_the_very_next_request_cached_or_not(self):
        for remembered in (False, True):
            token = self.token(jti="jti-%s" % remembered)
            if remembered:
                for _ in range(3):
                    self.assert_admitted(token)
            made = self.revoke(jti="jti-%s" % remembered)
            self.assertEqual(made["jti"], "jti-%s" % remembered)
            self.assertEqual(made["reach"], "instance")
            for _ in range(3):
                self.assert_refused(token, "revoked")
        self.assert_admitted(self.token(jti="jti-other"))

    def test_it_holds_at_once_on_every_connection(self):
        clients = [Client(self.proxy.port) for _ in range(8)]
        for client in clients:
            self.addCleanup(client.close)
        for round_ in range(15):
            token = self.token(jti="round-%d" % round_)
            for client in clients:
                self.assertEqual(self.proxy.ask("GET", "/", token, client=client).status, 200)
            self.revoke(jti="round-%d" % round_)
            for client in clients:
                check_refusal(self.proxy.ask("GET", "/", token, client=client), "revoked")
        self.upstream.forget()

    def test_by_session_subject_and_client(self):
        for kind, claim in (("sid", "sid"), ("sub", "sub"), ("client", "client_id"),
                            ("client", "azp"), ("client", "cid"), ("client", "appid"),
                            ("jti", "uti")):
            with self.subTest(kind, claim=claim):
                value = "%s-of-this-test" % claim
                token, other = self.token(**{claim: value}), self.token(**{claim: value + "x"})
                self.assert_admitted(token)
                self.revoke(**{kind: value})
                self.assert_refused(token, "revoked")
                self.assert_refused(self.token(**{claim: value}), "revoked")
                self.assert_admitted(other)

    def test_every_claim_of_a_kind_is_looked_up(self):
        token = self.token(client_id="front", azp="back", jti="one", uti="two")
        self.assert_admitted(token)
        self.revoke(client="back")
        self.assert_refused(token, "revoked")
        token = self.token(jti="three", uti="four")
        self.revoke(jti="four")
        self.assert_refused(token, "revoked")

    def test_a_value_is_compared_byte_for_byte_and_within_its_kind(self):
        self.revoke(sub="Alice")
        for other in ("alice", "Alice ", "Alic", "Alice2", "Alice\0", "ALICE", ""):
            self.assert_admitted(self.token(sub=other))
        self.assert_admitted(self.token(jti="Alice", sid="Alice", client_id="Alice"))
        self.assert_refused(self.token(sub="Alice"), "revoked")

    def test_values_of_every_kind_of_text(self):
        for value in ("ä", "日本語", "a b", "a/b?c#d%20", "x" * 900, '"\\', "*", "a:b", "{}", "a\tb"):
            with self.subTest(value[:20]):
                token = self.token(jti=value)
                self.assert_admitted(token)
                self.revoke(jti=value)
                self.assert_refused(token, "revoked")

    def test_by_the_key_that_verified(self):
        self.assert_admitted(self.token())
        made = self.proxy.revoke(kid="k")
        try:
            self.assert_refused(self.token(), "revoked")
            self.assert_refused(self.key.token(self.claims(), kid=ABSENT), "revoked")
            self.assert_admitted(self.foreign())
        finally:
            self.proxy.admin("DELETE", "/v1/revocations/" + made["id"])
        self.assert_admitted(self.token())

    def test_a_whole_issuer(self):
        token = self.token()
        self.assert_admitted(token)
        made = self.proxy.revoke(issuer=self.issuer.url)
        try:
            self.assert_refused(token, "revoked")
            self.assert_refused(self.token(), "revoked")
            self.assert_admitted(self.foreign())
        finally:
            self.proxy.admin("DELETE", "/v1/revocations/" + made["id"])
        self.assert_admitted(token)

    def test_of_one_issuer_only_where_the_entry_names_it(self):
        self.revoke(sub="both-have-it", issuer=self.other.url)
        self.assert_admitted(self.token(sub="both-have-it"))
        self.assert_refused(self.foreign(sub="both-have-it"), "revoked")
        self.revoke(jti="in-both")
        self.assert_refused(self.token(jti="in-both"), "revoked")
        self.assert_refused(self.foreign(jti="in-both"), "revoked")


class WhereItIsLookedAt(RevocationTestCase):
    def test_in_the_order_of_the_checks(self):
        self.revoke(sub="gone")
        self.assert_refused(self.token(sub="gone", exp=1000), "expired")
        self.assert_refused(self.token(sub="gone", aud="x"), "audience_mismatch")
        self.assert_refused(ec_key("k").token(self.claims(sub="gone")), "signature_invalid")

    def test_on_optional_routes_too_and_not_on_public_ones(self):
        self.revoke(sub="gone")
        self.assert_refused(self.token(sub="gone"), "revoked", target="/maybe")
        self.assert_admitted(self.token(sub="gone"), target="/open")

    def test_another_signature_of_the_same_token_does_not_escape(self):
        token = self.token(jti="variants")
        other = es256_other_s(token)
        self.assertNotEqual(other, token)
        self.assert_admitted(other)  # ECDSA has two signatures for each: both are good ones
        self.revoke(jti="variants")
        self.assert_refused(token, "revoked")
        self.assert_refused(other, "revoked")
        self.assert_refused(self.key.token(self.claims(jti="variants"), x="other header"),
                            "revoked")

    def test_another_spelling_of_the_same_bytes_does_not_escape(self):
        token = self.foreign(jti="spelling")
        self.revoke(jti="spelling")
        other = with_segment(token, 2, with_other_tail_bits(token.split(".")[2]))
        self.assert_refused(other, "token_malformed")
        for text in (token + "=", token + "==", token.replace("-", "+").replace("_", "/") + "="):
            self.assert_refused(text, "token_malformed")

    def test_another_place_does_not_escape(self):
        token = self.token(jti="places")
        self.proxy.remember_secret(token)
        places = [[("Cookie", "session=" + token)], [("X-Token", token)],
                  [("Cookie", "session=" + token), ("Authorization", "Bearer " + token)]]
        for headers in places:
            self.assert_admitted(None, headers=headers)
        self.revoke(jti="places")
        for headers in places:
            self.assert_refused(None, "revoked", headers=headers)


class IssuedBefore(RevocationTestCase):
    def test_tokens_issued_later_stay_good(self):
        now = int(time.time())
        self.revoke(sub="u", issued_before=now - 100)
        self.assert_refused(self.token(sub="u", iat=now - 200), "revoked")
        self.assert_refused(self.token(sub="u", iat=now - 101), "revoked")
        self.assert_refused(self.token(sub="u", iat=now - 100), "revoked")
        self.assert_admitted(self.token(sub="u", iat=now - 99))
        self.assert_admitted(self.token(sub="u", iat=now))
        self.assert_refused(self.token(sub="u", iat=ABSENT), "revoked")

    def test_as_text(self):
        now = int(time.time())
        for value in (rfc3339(now - 100), rfc3339(now - 100 + 7200).replace("Z", "+02:00")):
            made = self.proxy.revoke(sub="text", issued_before=value)
            self.assert_refused(self.token(sub="text", iat=now - 100), "revoked")
            self.assert_admitted(self.token(sub="text", iat=now - 50))
            self.proxy.admin("DELETE", "/v1/revocations/" + made["id"])

    def test_a_whole_issuer_up_to_a_time(self):
        now = int(time.time())
        made = self.proxy.revoke(issuer=self.issuer.url, issued_before=now - 100)
        try:
            self.assert_refused(self.token(iat=now - 100), "revoked")
            self.assert_admitted(self.token(iat=now))
        finally:
            self.proxy.admin("DELETE", "/v1/revocations/" + made["id"])


class NeverWeaker(RevocationTestCase):
    def test_a_condition_does_not_soften_an_entry_without_one(self):
        now = int(time.time())
        first = self.revoke(sub="never")
        second = self.revoke(sub="never", issued_before=now - 1000)
        self.assertEqual(first["id"], second["id"])
        self.assert_refused(self.token(sub="never", iat=now), "revoked")

    def test_an_entry_without_a_condition_takes_one_away(self):
        now = int(time.time())
        self.revoke(sub="harder", issued_before=now - 1000)
        self.assert_admitted(self.token(sub="harder", iat=now))
        self.revoke(sub="harder")
        self.assert_refused(self.token(sub="harder", iat=now), "revoked")

    def test_the_later_time_wins(self):
        now = int(time.time())
        for first, second in ((now - 100, now - 1000), (now - 1000, now - 100)):
            made = self.proxy.revoke(sub="times", issued_before=first)
            self.assertEqual(self.proxy.revoke(sub="times", issued_before=second)["id"],
                             made["id"])
            self.assert_refused(self.token(sub="times", iat=now - 200), "revoked")
            self.assert_admitted(self.token(sub="times", iat=now - 50))
            self.proxy.admin("DELETE", "/v1/revocations/" + made["id"])
            self.assert_admitted(self.token(sub="times", iat=now - 200))

    def test_an_earlier_end_does_not_shorten(self):
        """What is left of it is the longest: a day, and without any end."""
        now = int(time.time())
        for first, second, end in ((now + 86400, now + 60, now + 86400),
                                   (now + 60, now + 86400, now + 86400),
                                   (None, now + 60, None), (now + 60, None, None)):
            with self.subTest(first=first, second=second):
                def entry(expires):
                    return {"sub": "ends", **({"expires_at": expires} if expires else {})}
                self.proxy.revoke(**entry(first))
                made = self.proxy.revoke(**entry(second))
                listed = [e for e in self.proxy.admin("GET", "/v1/revocations").json()["revocations"]
                          if e["id"] == made["id"]]
                self.assertEqual(len(listed), 1)
                found = listed[0].get("expires_at")
                self.assertEqual(None if found is None else int(moment(found)), end)
                self.proxy.admin("DELETE", "/v1/revocations/" + made["id"])

    def test_entries_of_one_issuer_and_of_all_are_two_targets(self):
        every = self.revoke(sub="two-targets")
        one = self.revoke(sub="two-targets", issuer=self.issuer.url)
        self.assertNotEqual(every["id"], one["id"])
        self.proxy.admin("DELETE", "/v1/revocations/" + every["id"])
        self.assert_refused(self.token(sub="two-targets"), "revoked")
        self.assert_admitted(self.foreign(sub="two-targets"))


class Ends(ProxiedTestCase):
    @classmethod
    def prepare(cls):
        cls.key = ec_key("k")
        cls.issuer = cls.shared_issuer([cls.key])
        cls.proxy = cls.shared_signet(cls.configuration(
            cls.issuer_entry(cls.issuer, clock_skew="3s")))

    def test_an_entry_holds_until_its_end_plus_the_clock_skew(self):
        end = int(time.time()) + 2
        token = self.token(jti="short")
        self.proxy.revoke(jti="short", expires_at=end)

        def nearly_over():
            answer = self.proxy.ask("GET", "/", token)
            if time.time() < end + 2.9:  # when it was judged, it had not ended
                check_refusal(answer, "revoked")
            return time.time() > end + 2.5
        wait_until(nearly_over, "the end of the entry", 10)
        self.wait_admitted(token)

    def test_an_entry_without_an_end_outlives_the_token(self):
        token = self.token(jti="outlived", exp=int(time.time()) + 1)
        self.proxy.revoke(jti="outlived")
        check_refusal(self.proxy.ask("GET", "/", token), "revoked")
        self.wait_refused(token, "expired", seconds=10)
        # A second token with that jti, made later, is as revoked as the first.
        self.assert_refused(self.token(jti="outlived"), "revoked")
        listed = self.proxy.admin("GET", "/v1/revocations").json()["revocations"]
        self.assertEqual([e["jti"] for e in listed if e.get("jti") == "outlived"], ["outlived"])
        for entry in listed:
            self.proxy.admin("DELETE", "/v1/revocations/" + entry["id"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
