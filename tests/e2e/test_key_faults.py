"""Issuers that are away, slow, broken or hostile: what was good stays good, and nothing else."""

import os
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

import issuer as faults  # noqa: E402
from asking import SLOW, ask, wait_until  # noqa: E402
from proxied import ProxiedTestCase, check_refusal  # noqa: E402
from tokens import ec_key, json_bytes, rsa_key  # noqa: E402


class ABrokenAnswer(ProxiedTestCase):
    """The issuer answers a refresh badly: the old keys stay, and what it sent is not taken."""

    @classmethod
    def prepare(cls):
        cls.key, cls.newer = ec_key("old"), ec_key("new")
        cls.issuer = cls.shared_issuer([cls.key])
        cls.elsewhere = cls.shared_issuer([cls.newer])
        cls.proxy = cls.shared_signet(cls.configuration(
            cls.issuer_entry(cls.issuer, refetch_cooldown="1ms")))

    def assert_not_taken(self, fault, place="jwks"):
        cached = self.token()
        self.assert_admitted(cached)
        failures = self.fetches_failed()
        self.issuer.set_keys([self.newer])
        self.issuer.fault(place, fault)
        try:
            self.refresh(self.issuer, place=place)
            wait_until(lambda: self.fetches_failed() > failures, "the fetch to have failed", 20)
            status = self.issuer_status()
            self.assertTrue(status["last_error"], status)
            self.assertEqual([k["kid"] for k in status["keys"]], ["old"])
            self.assert_admitted(cached)
            self.assert_admitted(self.token())
            self.assert_refused(self.token(self.newer), "keys_unavailable")
            self.assertTrue(self.proxy.ready())
        finally:
            self.issuer.fault(place, None)
            self.issuer.set_keys([self.key])
        self.refresh(self.issuer)
        wait_until(lambda: not self.issuer_status()["last_error"], "the healed issuer's keys")

    def fetches_failed(self):
        return sum(value for name, labels, value in self.proxy.metrics().samples
                   if name == "signet_jwks_fetch_total"
                   and labels["result"] not in ("success", "ok"))

    def test_what_is_no_key_set(self):
        new = [self.newer.jwk()]
        for name, fault in {
                "a page of HTML": faults.html(), "no keys": faults.empty_keys(),
                "truncated JSON": faults.truncated_json(), "a cut body": faults.cut_short(),
                "an empty body": faults.answer(200, b""),
                "no member keys": faults.answer(200, b"{}"),
                "keys of the wrong type": faults.answer(200, b'{"keys":{}}'),
                "an array": faults.answer(200, b'[{"keys":[]}]'),
                "unusable keys only": faults.answer(
                    200, b'{"keys":[{"kty":"oct","kid":"x","k":"AAAA"}]}'),
                "a duplicate member": faults.answer(
                    200, b'{"keys":[],"keys":' + json_bytes(new) + b"}"),
                "trailing bytes": faults.answer(200, b'{"keys":' + json_bytes(new) + b"} x"),
                "an unasked-for coding": faults.gzipped()}.items():
            with self.subTest(name):
                self.assert_not_taken(fault)

    def test_statuses_other_than_200(self):
        body = b'{"keys":' + json_bytes([self.newer.jwk()]) + b"}"
        for status in (204, 304, 400, 401, 403, 404, 410, 429, 500, 502, 503):
            with self.subTest(status):
                self.assert_not_taken(faults.answer(status, b"" if status in (204, 304) else body))

    def test_sets_that_are_too_much(self):
        new = [self.newer.jwk()]
        for name, fault in {"20 MB": faults.huge(20_000_000, new),
                            "50,000 keys": faults.many_keys(50_000, new, rsa_key().jwk()),
                            "a depth of 10,000": faults.deep(10_000, new)}.items():
            with self.subTest(name):
                self.assert_not_taken(fault)

    def test_redirects_are_not_followed_to_another_host_or_port(self):
        for status in (301, 302, 303, 307, 308):
            for location in (self.elsewhere.jwks_uri, "//127.0.0.1:%d/jwks" % self.elsewhere.port,
                             "http://localhost:%d/jwks" % self.elsewhere.port):
                with self.subTest(status=status, location=location):
                    self.assert_not_taken(faults.redirect(location, status))
        self.assertEqual(self.elsewhere.count(), 0)

    def test_a_redirect_in_a_circle_ends(self):
        self.assert_not_taken(faults.redirect("/jwks"))

    def test_a_broken_discovery(self):
        for name, fault in {"HTML": faults.html(), "500": faults.answer(500, b"{}"),
                            "no jwks_uri": faults.answer(200, b"{}"),
                            "redirect": faults.redirect(self.elsewhere.jwks_uri)}.items():
            with self.subTest(name):
                # Whether discovery is read again at a refresh is the program's choice; a broken
                # one must not cost the keys in any case.
                self.issuer.fault("discovery", fault)
                try:
                    self.proxy.admin("POST", "/v1/issuers/%s/refresh"
                                     % self.issuer_status()["name"])
                    for _ in range(5):
                        self.assert_admitted(self.token())
                finally:
                    self.issuer.fault("discovery", None)

    def test_a_chunked_answer_is_a_good_one(self):
        self.issuer.fault("jwks", faults.chunked())
        try:
            self.issuer.add_key(self.newer)
            self.refresh(self.issuer)
            self.wait_admitted(self.token(self.newer))
        finally:
            self.issuer.fault("jwks", None)
            self.issuer.remove_key("new")
        self.refresh(self.issuer)
        self.wait_refused(self.token(self.newer), "kid_unknown")


class ASlowAnswer(ProxiedTestCase):
    @classmethod
    def prepare(cls):
        cls.key = ec_key("old")
        cls.issuer = cls.shared_issuer([cls.key])
        cls.proxy = cls.shared_signet(cls.configuration(cls.issuer))

    def test_it_is_cut_after_five_seconds_and_holds_nobody_up(self):
        for fault in (faults.slow(1.0), faults.hang()):
            self.issuer.fault("jwks", fault)
            self.refresh(self.issuer)
            start, slowest = time.monotonic(), 0.0
            with self.proxy.client() as client:
                while not self.issuer_status()["last_error"]:
                    asked = time.monotonic()
                    answer = self.proxy.ask("GET", "/", self.token(), client=client)
                    self.assertEqual(answer.status, 200)
                    slowest = max(slowest, time.monotonic() - asked)
                    self.assertLess(time.monotonic() - start, 5 + 5 * SLOW)
            self.assertGreater(time.monotonic() - start, 3)
            self.assertLess(slowest, 1.0 * SLOW)
            self.issuer.fault("jwks", None)
            self.refresh(self.issuer)
            wait_until(lambda: not self.issuer_status()["last_error"], "the healed issuer")
        self.upstream.forget()


class AnIssuerThatIsAway(ProxiedTestCase):
    CHECK_AFTER = False

    def test_down_at_the_start_it_heals_alone(self):
        self.key = ec_key("k")
        self.issuer = self.own_issuer([self.key], start=False)
        proxy = self.signet(self.configuration(self.issuer_entry(
            self.issuer, refresh_interval="1s", refetch_cooldown="1s")), wait_ready=False)
        for _ in range(3):
            self.assert_refused(self.token(), "keys_unavailable", proxy=proxy)
        self.assertFalse(proxy.ready())
        self.assertEqual(ask(proxy.admin_port, "GET", "/healthz").status, 200)
        self.assertTrue(self.issuer_status(proxy)["last_error"])
        self.issuer.accept()
        wait_until(proxy.ready, "readiness", 30)
        self.assert_admitted(self.token(), proxy=proxy)

    def test_no_token_is_still_401_while_the_issuer_is_away(self):
        self.key = ec_key("k")
        self.issuer = self.own_issuer([self.key], start=False)
        proxy = self.signet(self.configuration(self.issuer), wait_ready=False)
        self.assert_refused(None, "token_missing", proxy=proxy)
        self.assert_refused("a.b.c", "token_malformed", proxy=proxy)
        self.assert_refused(self.token(iss="https://other"), "issuer_unknown", proxy=proxy)

    def test_down_when_warm_the_old_keys_serve_until_max_stale_and_then_it_is_503(self):
        self.key = ec_key("k")
        self.issuer = self.own_issuer([self.key])
        proxy = self.signet(self.configuration(self.issuer_entry(
            self.issuer, refresh_interval="500ms", refetch_cooldown="500ms", max_stale="4s")))
        cached = self.token()
        self.assert_admitted(cached, proxy=proxy)
        self.issuer.refuse()
        start = time.monotonic()
        seen = []

        def unavailable():
            # A remembered token and a new one are judged alike.
            for token in (cached, self.token()):
                answer = proxy.ask("GET", "/", token)
                seen.append((time.monotonic() - start, answer.status))
                if answer.status != 200:
                    check_refusal(answer, "keys_unavailable")
            return seen[-1][1] == 503 and seen[-2][1] == 503
        wait_until(unavailable, "503", 12)
        self.assertEqual({status for _, status in seen}, {200, 503})
        self.assertGreater(max(when for when, status in seen if status == 200), 2)
        self.assertTrue(self.issuer_status(proxy)["stale"])
        self.assertTrue(proxy.ready(), "from readiness on only draining makes it 503")
        self.upstream.forget()
        for token in (cached, self.token(), self.token()):
            self.assert_refused(token, "keys_unavailable", proxy=proxy)
        self.issuer.accept()
        self.wait_admitted(cached, proxy, seconds=30)
        self.assertFalse(self.issuer_status(proxy)["stale"])

    def test_one_issuer_away_is_no_matter_to_the_other(self):
        self.key, other_key = ec_key("k"), ec_key("k")
        self.issuer, other = self.own_issuer([self.key]), self.own_issuer([other_key], start=False)
        proxy = self.signet(self.configuration(
            self.issuer_entry(self.issuer, name="here"),
            self.issuer_entry(other, name="away", required_for_ready=False)))
        for _ in range(3):
            self.assert_admitted(self.token(), proxy=proxy)
            self.assert_refused(other_key.token(self.claims(iss=other.url)), "keys_unavailable",
                                proxy=proxy)
        self.assertEqual(proxy.metrics().value("signet_denied_total", reason="keys_unavailable",
                                               issuer="away"), 3)


if __name__ == "__main__":
    unittest.main(verbosity=2)
