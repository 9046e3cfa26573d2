"""Remembered tokens: never longer good than they are, never good for more than they are."""

import base64
import hmac
import os
import socket
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

from asking import SLOW, deadline, wait_until  # noqa: E402
from process import memory  # noqa: E402
from proxied import AUDIENCE, ProxiedTestCase, check_refusal  # noqa: E402
from tokens import b64, ec_key, json_bytes, with_bad_signature, with_segment  # noqa: E402


class CacheTestCase(ProxiedTestCase):
    SETTINGS = {}

    @classmethod
    def prepare(cls):
        cls.key, cls.other_key = ec_key("k"), ec_key("k")
        cls.issuer = cls.shared_issuer([cls.key], path="/main")
        cls.other = cls.shared_issuer([cls.other_key], path="/other")
        cls.proxy = cls.shared_signet(cls.configuration(
            cls.issuer_entry(cls.issuer, name="main", clock_skew="0s"),
            cls.issuer_entry(cls.other, name="other", clock_skew="0s"),
            workers=1,  # each worker remembers by itself
            routes=[{"prefix": "/other-issuer", "issuers": ["other"]},
                    {"prefix": "/other-audience", "audiences": ["billing-api"]},
                    {"prefix": "/scoped", "require": {"scopes": ["admin"]}},
                    {"prefix": "/ruled",
                     "require": {"claims": [{"claim": "tenant", "equals": "acme"}]}},
                    {"prefix": "/"}], **cls.SETTINGS))

    def remembered(self, **changes):
        """A token that the cache holds: it was admitted, and a second time without verifying."""
        token = self.token(**changes)
        self.assert_admitted(token)
        hits = self.proxy.status()["token_cache"]["hits"]
        self.assert_admitted(token)
        self.assertEqual(self.proxy.status()["token_cache"]["hits"], hits + 1)
        return token


class WhatIsRemembered(CacheTestCase):
    def test_hits_and_misses_are_counted(self):
        before = self.proxy.metrics()
        status = self.proxy.status()["token_cache"]
        token = self.token()
        for _ in range(5):
            self.assert_admitted(token)
        after, now = self.proxy.metrics(), self.proxy.status()["token_cache"]
        self.assertEqual(now["hits"] - status["hits"], 4)
        self.assertEqual(now["misses"] - status["misses"], 1)
        self.assertEqual(now["entries"] - status["entries"], 1)
        self.assertGreater(now["bytes"], status["bytes"])
        name = "signet_token_cache_total"
        self.assertEqual(after.value(name) - before.value(name), 5)
        self.assertEqual(after.value(name, result="hit") - before.value(name, result="hit"), 4)

    def test_a_remembered_token_past_its_end_is_refused(self):
        end = time.time() + 2
        token = self.remembered(exp=int(end))
        self.wait_refused(token, "expired", seconds=6)
        self.assertLess(abs(time.time() - int(end)), 1.5 * SLOW)
        for _ in range(3):
            self.assert_refused(token, "expired")

    def test_one_character_of_it_changed(self):
        token = self.remembered()
        for _ in range(2):
            self.assert_refused(with_bad_signature(token), "signature_invalid")
        header, payload, signature = token.split(".")
        first, last = signature[:-1], signature[-1]
        for text in (first, signature + "A", signature.swapcase(), first + ("A" if last != "A"
                                                                            else "Q")):
            self.assert_refused(with_segment(token, 2, text), "signature_invalid",
                                "token_malformed")
        claims = json_bytes(self.claims(sub="root"))
        self.assert_refused(with_segment(token, 1, b64(claims)), "signature_invalid")
        self.assert_refused(with_segment(token, 0, b64(json_bytes(self.key.header(x=1)))),
                            "signature_invalid")
        self.assert_admitted(token)

    def test_a_refused_token_is_judged_again(self):
        token = with_bad_signature(self.token())
        hits = self.proxy.status()["token_cache"]["hits"]
        for _ in range(3):
            self.assert_refused(token, "signature_invalid")
        self.assertEqual(self.proxy.status()["token_cache"]["hits"], hits)

    def test_the_same_claims_by_another_issuer_are_another_token(self):
        self.remembered(jti="one")
        self.assert_refused(self.other_key.token(self.claims(jti="one")), "signature_invalid")
        self.assert_refused(self.key.token(self.claims(jti="one", iss=self.other.url)),
                            "signature_invalid")

    def test_each_remembered_token_brings_its_own_claims(self):
        tokens = {"user-%d" % n: self.remembered(sub="user-%d" % n) for n in range(5)}
        for _ in range(3):
            for sub, token in tokens.items():
                self.assertEqual(self.assert_admitted(token).all("X-Auth-Subject"), [sub])


class OnOtherRoutes(CacheTestCase):
    def test_a_remembered_token_is_judged_by_each_routes_rules(self):
        token = self.remembered(scope="user", tenant="other")
        for _ in range(2):
            self.assert_refused(token, "issuer_unknown", target="/other-issuer")
            self.assert_refused(token, "audience_mismatch", target="/other-audience")
            self.assert_refused(token, "scope_insufficient", target="/scoped")
            self.assert_refused(token, "claim_not_allowed", target="/ruled")
            self.assert_admitted(token)

    def test_and_the_other_way_round(self):
        token = self.token(scope="admin", tenant="acme", aud="billing-api")
        self.assert_admitted(token, target="/other-audience")
        self.assert_refused(token, "audience_mismatch")
        self.assert_refused(token, "audience_mismatch", target="/scoped")
        self.assert_admitted(token, target="/other-audience")


class OverReloads(CacheTestCase):
    def test_a_new_configuration_judges_anew(self):
        token = self.remembered()
        entries = self.proxy.config["issuers"]
        first = {**entries[0], "audiences": ["something-else"]}
        original = self.proxy.config
        self.proxy.reload({**original, "issuers": [first, entries[1]]})
        self.wait_refused(token, "audience_mismatch")
        self.proxy.reload({**original, "issuers": [entries[1]]})
        self.wait_refused(token, "issuer_unknown")
        self.proxy.reload(original)
        self.wait_admitted(token, seconds=20)


class CacheOff(CacheTestCase):
    SETTINGS = {"tokens": {"cache_bytes": 0}}

    def test_without_a_cache_everything_is_verified_each_time(self):
        token = self.token()
        for _ in range(3):
            self.assert_admitted(token)
        cache = self.proxy.status()["token_cache"]
        self.assertEqual((cache["hits"], cache["entries"], cache["bytes"]), (0, 0, 0))
        count = self.proxy.metrics().value("signet_verify_duration_seconds_count", alg="ES256")
        self.assertGreaterEqual(count, 3)


class MemoryStaysFlat(ProxiedTestCase):
    """Distinct good tokens, as many as a day brings, all remembered and forgotten again."""

    COUNT = 200_000 if SLOW < 2 else 20_000
    LIMIT = 4 << 20

    @classmethod
    def prepare(cls):
        cls.secret = base64.b16encode(os.urandom(32))
        folder = cls.enterClassContext(tempfile.TemporaryDirectory(prefix="signet-test-"))
        path = os.path.join(folder, "secret")
        with open(path, "wb") as file:
            file.write(cls.secret)
        # Nothing is passed on: the tokens verify, are remembered, and lack the route's scope.
        cls.proxy = cls.shared_signet(cls.configuration(
            {"issuer": "https://legacy", "audiences": [AUDIENCE], "secret_file": path},
            tokens={"cache_bytes": cls.LIMIT}, log={"access": False},
            routes=[{"prefix": "/", "require": {"scopes": ["nobody-has-it"]}}]))

    CHECK_AFTER = False

    def send_tokens(self, start, stop, batch=100):
        header = b64(json_bytes({"alg": "HS256", "typ": "JWT"}))
        end = int(time.time()) + 3600
        with socket.create_connection(("127.0.0.1", self.proxy.port), deadline(30)) as wire:
            reader = wire.makefile("rb")
            for first in range(start, stop, batch):
                requests = []
                for n in range(first, min(first + batch, stop)):
                    claims = ('{"iss":"https://legacy","aud":"%s","exp":%d,"sub":"s","jti":"%032d"}'
                              % (AUDIENCE, end, n))
                    text = header + "." + b64(claims)
                    code = hmac.digest(self.secret, text.encode(), "sha256")
                    requests.append("GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %s.%s"
                                    "\r\n\r\n" % (text, b64(code)))
                wire.sendall("".join(requests).encode())
                for _ in requests:
                    self.read_403(reader)

    def read_403(self, reader):
        status = reader.readline()
        self.assertTrue(status.startswith(b"HTTP/1.1 403"), status)
        length = 0
        while (line := reader.readline()) not in (b"\r\n", b""):
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        self.assertIn(b"scope_insufficient", reader.read(length))

    def test_many_distinct_tokens(self):
        warm = self.COUNT // 4
        self.send_tokens(0, warm)
        cache, before = self.proxy.status()["token_cache"], memory(self.proxy.pid)
        self.assertGreater(cache["entries"], 100)
        self.assertLessEqual(cache["bytes"], self.LIMIT)
        self.send_tokens(warm, self.COUNT)
        cache, after = self.proxy.status()["token_cache"], memory(self.proxy.pid)
        self.assertLessEqual(cache["bytes"], self.LIMIT)
        self.assertEqual(cache["misses"], self.COUNT)
        if not after.sanitized:  # a sanitizer keeps what was freed
            self.assertLess(after.resident - before.resident, 8 << 20)


class CachedAndRevoked(CacheTestCase):
    def test_on_a_hit_the_revocations_are_looked_at_again(self):
        token = self.remembered(jti="will-go")
        made = self.proxy.revoke(jti="will-go")
        for _ in range(3):
            self.assert_refused(token, "revoked")
        self.proxy.admin("DELETE", "/v1/revocations/" + made["id"])
        wait_until(lambda: self.proxy.ask("GET", "/", token).status == 200, "the token's return")
        self.upstream.forget()
        check_refusal(self.proxy.ask("GET", "/", with_bad_signature(token)), "signature_invalid")


if __name__ == "__main__":
    unittest.main(verbosity=2)
