"""`signet keygen` and `signet mint`: keys and tokens for development and tests."""

import json
import os
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

from proxied import ProxiedTestCase  # noqa: E402
from signet import EXIT_CONFIG, EXIT_USAGE, run_cli  # noqa: E402
from tokens import unb64  # noqa: E402

ISSUER = "https://dev.example"
SECRET_MEMBERS = {"d", "p", "q", "dp", "dq", "qi", "k", "priv"}
ALGORITHMS = {"RS256": ("RSA", None), "PS512": ("RSA", None), "ES256": ("EC", "P-256"),
              "ES384": ("EC", "P-384"), "ES512": ("EC", "P-521"), "EdDSA": ("OKP", "Ed25519")}


class Development(ProxiedTestCase):
    CHECK_AFTER = False

    def setUp(self):
        super().setUp()
        self.folder = self.enterContext(tempfile.TemporaryDirectory(prefix="signet-test-"))

    def keygen(self, *args):
        done = run_cli("keygen", *args)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def key_file(self, jwk):
        path = os.path.join(self.folder, "key.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(jwk, file)
        return path

    def mint(self, jwk, *args):
        done = run_cli("mint", "--key", self.key_file(jwk), *args)
        self.assertEqual(done.returncode, 0, done.stderr)
        token = done.stdout.strip()
        header, payload, _ = token.split(".")
        return token, json.loads(unb64(header)), json.loads(unb64(payload))

    def test_a_key_and_a_token_of_every_algorithm_go_through_the_proxy(self):
        for alg, (kty, crv) in ALGORITHMS.items():
            with self.subTest(alg):
                jwk = self.keygen("--alg", alg, "--kid", "dev-1")
                self.assertEqual((jwk["kty"], jwk.get("crv"), jwk["kid"], jwk["alg"]),
                                 (kty, crv, "dev-1", alg))
                self.assertIn("d", jwk)
                public = {k: v for k, v in jwk.items() if k not in SECRET_MEMBERS}
                proxy = self.signet(self.configuration(
                    {"issuer": ISSUER, "audiences": ["a"], "jwks": {"keys": [public]}}))
                token, header, _ = self.mint(jwk, "--iss", ISSUER, "--aud", "a", "--sub", "me")
                self.assertEqual((header["alg"], header["kid"]), (alg, "dev-1"))
                request = self.assert_admitted(token, proxy=proxy)
                self.assertEqual(request.all("X-Auth-Subject"), ["me"])

    def test_ml_dsa_is_verified_where_openssl_has_it_and_refused_by_name_where_not(self):
        sizes = {"ML-DSA-44": 1312, "ML-DSA-65": 1952, "ML-DSA-87": 2592}
        if "ML-DSA" in run_cli("version").stdout:  # among what was left out
            for alg in sizes:
                with self.subTest(alg):
                    self.assert_no_ml_dsa(alg)
            return
        for alg, size in sizes.items():
            with self.subTest(alg):
                jwk = self.keygen("--alg", alg, "--kid", "dev-1")
                self.assertEqual((jwk["kty"], jwk["alg"], len(unb64(jwk["pub"])), len(unb64(jwk["priv"]))),
                                 ("AKP", alg, size, 32))
                public = {k: v for k, v in jwk.items() if k not in SECRET_MEMBERS}
                issuer = {"issuer": ISSUER, "audiences": ["a"], "jwks": {"keys": [public]}}
                token, header, _ = self.mint(jwk, "--iss", ISSUER, "--aud", "a", "--sub", "me")
                self.assertEqual(header["alg"], alg)
                proxy = self.signet(self.configuration({**issuer, "algorithms": [alg]}))
                request = self.assert_admitted(token, proxy=proxy)
                self.assertEqual(request.all("X-Auth-Subject"), ["me"])
                for text, exit_code in ((token, 0), (token[:-9] + "AAAAAAAAA", 1)):
                    told = run_cli("explain", "-c", proxy.config_file, stdin=text)
                    self.assertEqual(told.returncode, exit_code, told.stdout + told.stderr)
                self.assertIn("signature_invalid", told.stdout)
                stranger, _, _ = self.mint(self.keygen("--alg", alg, "--kid", "dev-1"), "--iss", ISSUER, "--aud", "a")
                self.assert_refused(stranger, "signature_invalid", proxy=proxy)
                # Not among the defaults: it must be named.
                self.assert_refused(token, "alg_not_allowed", proxy=self.signet(self.configuration(issuer)))

    def assert_no_ml_dsa(self, alg):
        done = run_cli("keygen", "--alg", alg)
        self.assertEqual(done.returncode, EXIT_USAGE)
        self.assertIn("OpenSSL 3.5", done.stderr)
        done = run_cli("mint", "--key", self.key_file({"kty": "AKP", "alg": alg, "pub": "AA", "priv": "AA"}))
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("OpenSSL 3.5", done.stderr)
        text = json.dumps({"listen": "127.0.0.1:0", "upstream": "http://127.0.0.1:3000", "issuers": [
            {"issuer": ISSUER, "audiences": ["a"], "jwks": {"keys": []}, "algorithms": [alg]}]})
        done = run_cli("check", "--config-yaml", text)
        self.assertEqual(done.returncode, EXIT_CONFIG, done.stdout + done.stderr)
        self.assertIn("not in this build, it needs OpenSSL 3.5", done.stdout + done.stderr)

    def test_the_public_form_is_a_key_set_without_secrets(self):
        for alg in ("RS256", "ES256", "EdDSA"):
            found = self.keygen("--alg", alg, "--kid", "dev-1", "--public")
            [jwk] = found["keys"]
            self.assertEqual(set(jwk) & SECRET_MEMBERS, set())
            self.assertEqual(jwk["kid"], "dev-1")

    def test_keys_differ_and_have_a_kid(self):
        first, second = self.keygen("--alg", "ES256"), self.keygen("--alg", "ES256")
        self.assertNotEqual(first["x"], second["x"])
        self.assertNotEqual(first["kid"], second["kid"])

    def test_claims_and_the_end(self):
        jwk = self.keygen("--alg", "ES256")
        before = time.time()
        _, _, claims = self.mint(jwk, "--iss", ISSUER, "--sub", "u", "--aud", "a", "--claim",
                                 'roles=["x","y"]', "--claim", "level=3", "--claim", 'name="N"',
                                 "--claim", 'deep={"a":[1,null]}', "--expires-in", "90s")
        self.assertEqual((claims["iss"], claims["sub"], claims["aud"]), (ISSUER, "u", "a"))
        self.assertEqual((claims["roles"], claims["level"], claims["name"], claims["deep"]),
                         (["x", "y"], 3, "N", {"a": [1, None]}))
        self.assertTrue(before + 88 <= claims["exp"] <= time.time() + 91)

    def test_usage(self):
        for args in (("keygen", "--alg", "none"), ("keygen", "--alg", "RS255"),
                     ("mint", "--key"), ("mint", "--key", self.key_file({"kty": "EC"}), "--claim",
                                         "noequals"),
                     ("mint", "--key", self.key_file({"kty": "EC"}), "--expires-in", "soon")):
            with self.subTest(args):
                self.assertEqual(run_cli(*args).returncode, EXIT_USAGE)
        missing = run_cli("mint", "--key", os.path.join(self.folder, "absent"))
        self.assertNotEqual(missing.returncode, 0)
        self.assertIn("absent", missing.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
