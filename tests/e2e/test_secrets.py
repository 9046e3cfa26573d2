"""Issuers that sign with a shared secret (HS256, HS384, HS512)."""

import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

from proxied import AUDIENCE, ProxiedTestCase  # noqa: E402
from tokens import ABSENT, Key, compact, hs_signature, oct_key, rsa_key  # noqa: E402

ISSUER = "legacy-issuer"  # need not be a URL


class SecretTestCase(ProxiedTestCase):
    SECRET = b"0123456789abcdef" * 4
    FILE_TAIL = b""
    SETTINGS = {}

    @classmethod
    def prepare(cls):
        cls.key = oct_key(secret=cls.SECRET)
        folder = cls.enterClassContext(tempfile.TemporaryDirectory(prefix="signet-test-"))
        path = os.path.join(folder, "secret")
        with open(path, "wb") as file:
            file.write(cls.SECRET + cls.FILE_TAIL)
        cls.proxy = cls.shared_signet(cls.configuration(
            {"issuer": ISSUER, "name": "legacy", "audiences": [AUDIENCE], "secret_file": path,
             **cls.SETTINGS}))

    def claims(self, **changes):
        return super().claims(iss=ISSUER, **changes)


class ALongSecret(SecretTestCase):
    FILE_TAIL = b"\n"  # one final line break is no part of it

    def test_every_hash_that_the_length_allows(self):
        for alg in ("HS256", "HS384", "HS512"):
            self.assert_admitted(self.key.token(self.claims(), alg=alg))
            self.assert_admitted(self.key.token(self.claims(), alg=alg, kid="whatever"))

    def test_another_secret_is_refused(self):
        for name, secret in {"empty": b"", "with the line break": self.SECRET + b"\n",
                             "cut": self.SECRET[:-1], "random": os.urandom(64),
                             "with a NUL": self.SECRET + b"\0x"}.items():
            with self.subTest(name):
                self.assert_refused(Key("oct", secret).token(self.claims(), alg="HS256"),
                                    "signature_invalid")

    def test_a_truncated_or_prolonged_code_is_refused(self):
        for name, change in {"cut": lambda s: s[:-1], "half": lambda s: s[:16],
                             "a byte": lambda s: s[:1], "longer": lambda s: s + b"\0",
                             "twice": lambda s: s + s}.items():
            with self.subTest(name):
                self.assert_refused(compact(
                    self.key.header("HS256"), self.claims(),
                    lambda data, c=change: c(hs_signature(self.SECRET, data))), "signature_invalid")

    def test_a_code_of_another_hash_is_refused(self):
        header = self.key.header("HS256")
        self.assert_refused(self.key.token(self.claims(), header=header, alg="HS512"),
                            "signature_invalid")

    def test_asymmetric_algorithms_are_not_accepted(self):
        self.assert_refused(rsa_key().token(self.claims(), kid=ABSENT), "alg_not_allowed")
        self.assert_refused(rsa_key("x").token(self.claims(), alg="PS256"), "alg_not_allowed")
        self.assert_refused(self.key.token(self.claims(), header={"alg": "none"}),
                            "alg_not_allowed")


class AShortSecret(SecretTestCase):
    SECRET = b"0123456789abcdef" * 2

    def test_a_hash_longer_than_the_secret_is_not_accepted(self):
        self.assert_admitted(self.key.token(self.claims(), alg="HS256"))
        for alg in ("HS384", "HS512"):
            self.assert_refused(self.key.token(self.claims(), alg=alg), "alg_not_allowed")


class ASecretThatEndsInLineBreaks(SecretTestCase):
    SECRET = b"0123456789abcdef" * 4 + b"\n"
    FILE_TAIL = b"\n"

    def test_only_one_line_break_is_taken_off(self):
        self.assert_admitted(self.key.token(self.claims(), alg="HS256"))


class OneHash(SecretTestCase):
    SETTINGS = {"algorithms": ["HS256"]}

    def test_only_the_named_hash_is_accepted(self):
        self.assert_admitted(self.key.token(self.claims(), alg="HS256"))
        self.assert_refused(self.key.token(self.claims(), alg="HS512"), "alg_not_allowed")


if __name__ == "__main__":
    unittest.main(verbosity=2)
