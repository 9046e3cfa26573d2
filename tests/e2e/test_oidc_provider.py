"""Against a real OpenID provider: discovery, access tokens, and its keys' rotation."""

import json
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

from oidc_provider import OidcProvider  # noqa: E402
from proxied import ProxiedTestCase, challenge  # noqa: E402
from signet import run_cli  # noqa: E402
from tokens import unb64, with_bad_signature  # noqa: E402


class ProviderTestCase(ProxiedTestCase):
    CHECK_AFTER = False
    ALG = "RS256"

    @classmethod
    def prepare(cls):
        cls.provider = OidcProvider(cls.ALG)
        cls.addClassCleanup(cls.provider.close)
        cls.proxy = cls.shared_signet(cls.configuration(
            cls.issuer_entry(cls.provider.url, name="provider", refetch_cooldown="1ms"),
            routes=[{"prefix": "/orders", "require": {"scopes": ["orders:write"]}},
                    {"prefix": "/billing", "audiences": ["billing-api"]}, {"prefix": "/"}],
            claim_to_headers=[{"claim": "sub", "header": "X-Auth-Subject"},
                              {"claim": "client_id", "header": "X-Auth-Client"},
                              {"claim": "scope", "header": "X-Auth-Scope"}]))


class AccessTokens(ProviderTestCase):
    def test_a_token_as_it_comes_is_admitted_and_its_claims_arrive(self):
        token = self.provider.token()
        self.assertEqual(json.loads(unb64(token.split(".")[0]))["typ"], "at+jwt")
        request = self.assert_admitted(token)
        self.assertEqual(request.all("X-Auth-Subject"), ["machine"])
        self.assertEqual(request.all("X-Auth-Client"), ["machine"])
        self.assertEqual(request.all("X-Auth-Scope"), ["orders:read"])
        self.assert_refused(with_bad_signature(token), "signature_invalid")

    def test_scopes_and_audiences_of_real_tokens(self):
        answer = self.assert_refused(self.provider.token(), "scope_insufficient", target="/orders")
        self.assertEqual(challenge(answer)["scope"], "orders:write")
        self.assert_admitted(self.provider.token(scope="orders:read orders:write"),
                             target="/orders")
        billing = self.provider.token("https://billing.example.test", "billing:read")
        self.assert_refused(billing, "audience_mismatch")
        self.assert_admitted(billing, target="/billing")

    def test_a_real_token_revoked(self):
        token = self.provider.token()
        self.assert_admitted(token)
        self.proxy.revoke(jti=json.loads(unb64(token.split(".")[1]))["jti"])
        self.assert_refused(token, "revoked")
        self.assert_admitted(self.provider.token())

    def test_check_online_and_explain_reach_the_provider(self):
        done = run_cli("check", "-c", self.proxy.config_file, "--online")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        done = run_cli("explain", "-c", self.proxy.config_file, stdin=self.provider.token())
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


class Rotation(ProviderTestCase):
    def test_with_an_overlap_nobody_notices(self):
        old = self.provider.token()
        self.assert_admitted(old)
        for _ in range(3):
            self.provider.rotate(overlap=True)
            self.assert_admitted(self.provider.token())
            self.assert_admitted(old)

    def test_without_an_overlap_the_old_tokens_go(self):
        old = self.provider.token()
        self.assert_admitted(old)
        self.provider.rotate(overlap=False)
        self.assert_admitted(self.provider.token())
        self.assert_refused(old, "kid_unknown")


class EllipticCurves(ProviderTestCase):
    ALG = "ES256"

    def test_tokens_and_their_rotation(self):
        self.assert_admitted(self.provider.token())
        self.provider.rotate(overlap=False)
        self.assert_admitted(self.provider.token())


class EdwardsCurves(EllipticCurves):
    ALG = "EdDSA"


class Pss(EllipticCurves):
    ALG = "PS256"


if __name__ == "__main__":
    unittest.main(verbosity=2)
