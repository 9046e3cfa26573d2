"""Which algorithm verifies with which key, and that the token has no say in it."""

import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature  # noqa: E402

from proxied import ProxiedTestCase  # noqa: E402
from tokens import (ABSENT, P256_ORDER, b64, compact, ec_key, ed_key, hs_signature,  # noqa: E402
                    json_bytes, rsa_key, unb64)

ED25519_ORDER = 2 ** 252 + 27742317777372353535851937790883648493


class AlgorithmTestCase(ProxiedTestCase):
    """One issuer with a key of every kind."""

    @classmethod
    def prepare(cls):
        cls.key = rsa_key("rsa-256", "RS256")
        cls.rsa_any = rsa_key("rsa-any")
        cls.ec = ec_key("ec-256", "ES256")
        cls.ec_any = ec_key("ec-any")
        cls.p384, cls.p521 = ec_key("ec-384", crv="P-384"), ec_key("ec-521", crv="P-521")
        cls.ed = ed_key("ed")
        cls.issuer = cls.shared_issuer([cls.key, cls.rsa_any, cls.ec, cls.ec_any, cls.p384,
                                        cls.p521, cls.ed])
        # A signature of 21,830 characters is to be judged as one, not as a token too large.
        cls.proxy = cls.shared_signet(cls.configuration(cls.issuer, tokens={"max_size": "24KiB"}))


class GoodAlgorithms(AlgorithmTestCase):
    def test_every_algorithm_verifies_with_a_key_that_fits(self):
        fitting = [(self.key, "RS256"), (self.ec, "ES256"), (self.ec_any, "ES256"),
                   (self.p384, "ES384"), (self.p521, "ES512"), (self.ed, "EdDSA")]
        fitting += [(self.rsa_any, alg) for alg in ("RS256", "RS384", "RS512",
                                                    "PS256", "PS384", "PS512")]
        for key, alg in fitting:
            with self.subTest(kid=key.kid, alg=alg):
                self.assert_admitted(key.token(self.claims(), alg=alg))

    def test_without_a_kid_every_key_that_fits_is_tried(self):
        for key, alg in ((self.key, "RS256"), (self.rsa_any, "RS256"), (self.rsa_any, "PS512"),
                         (self.ec, "ES256"), (self.ec_any, "ES256"), (self.p384, "ES384"),
                         (self.p521, "ES512"), (self.ed, "EdDSA")):
            with self.subTest(kid=key.kid, alg=alg):
                self.assert_admitted(key.token(self.claims(), alg=alg, kid=ABSENT))


class NamesInFull(ProxiedTestCase):
    """RFC 9864: Ed25519 and Ed448 beside EdDSA; and ES256K, which must be named."""

    CHECK_AFTER = False

    @classmethod
    def prepare(cls):
        cls.keys = {"Ed25519": ed_key("ed25519"), "Ed448": ed_key("ed448", crv="Ed448"),
                    "ES256K": ec_key("k", crv="secp256k1")}
        cls.issuer = cls.shared_issuer(cls.keys.values())

    def with_algorithms(self, *names):
        more = {"algorithms": list(names)} if names else {}
        self.proxy = self.signet(self.configuration(self.issuer_entry(self.issuer, **more)))

    def signed(self, name, alg):
        key = self.keys[name]
        header = {"alg": alg, "kid": key.kid}
        return key.token(self.claims(), header=header)

    def test_by_default_either_name_of_the_keys_own_curve(self):
        self.with_algorithms()
        for name, other in (("Ed25519", "Ed448"), ("Ed448", "Ed25519")):
            self.assert_admitted(self.signed(name, "EdDSA"))
            self.assert_admitted(self.signed(name, name))
            self.assert_refused(self.signed(name, other), "alg_not_allowed")
        self.assert_refused(self.signed("ES256K", "ES256K"), "alg_not_allowed")

    def test_a_curve_that_is_named_is_the_only_one(self):
        self.with_algorithms("Ed25519", "ES256K")
        self.assert_admitted(self.signed("Ed25519", "Ed25519"))
        self.assert_admitted(self.signed("ES256K", "ES256K"))
        self.assert_refused(self.signed("Ed25519", "EdDSA"), "alg_not_allowed")
        self.assert_refused(self.signed("Ed448", "Ed448"), "alg_not_allowed")
        self.assert_refused(self.signed("ES256K", "ES256"), "alg_not_allowed")

    def test_eddsa_stands_for_both(self):
        self.with_algorithms("EdDSA")
        for name in ("Ed25519", "Ed448"):
            self.assert_admitted(self.signed(name, name))


class NoAlgorithm(AlgorithmTestCase):
    def test_unsigned_tokens(self):
        old_signature = unb64(self.token().split(".")[2])
        signatures = {"old": old_signature, "random": os.urandom(256), "short": b"x"}
        for alg in ("none", "None", "nOnE", "NONE", "none ", " none", "none\u0000", ""):
            for kid in (self.key.kid, "unheard-of", ABSENT):
                header = self.key.header(alg or "none", kid=kid)
                header["alg"] = alg
                for name, signature in signatures.items():
                    with self.subTest(alg=alg, kid=str(kid), signature=name):
                        token = compact(header, self.claims(), lambda _, s=signature: s)
                        self.assert_refused(token, "alg_not_allowed")
                with self.subTest(alg=alg, signature="empty"):
                    # Three segments of which one is empty are no token in the first place.
                    token = compact(header, self.claims(), lambda _: b"")
                    self.assert_refused(token, "token_malformed", "alg_not_allowed")

    def test_an_alg_that_is_no_known_name(self):
        for alg in ("rs256", " RS256", "RS256 ", "RS256\u0000", "RS 256", "HS257", "RS1", "RS-256",
                    "ES521", "ES256K", "Ed25519 ", "RS256,none", "x" * 5000, "RSA-OAEP", "dir"):
            with self.subTest(alg[:20]):
                token = self.key.token(self.claims(), header={"alg": alg, "kid": self.key.kid})
                self.assert_refused(token, "alg_not_allowed")

    def test_an_alg_that_is_no_string(self):
        for alg in (ABSENT, 1, [], None, {}, True, ["RS256"], {"alg": "RS256"}):
            with self.subTest(alg):
                header = self.key.header(kid=self.key.kid, alg="RS256")
                header["alg"] = alg
                header = {k: v for k, v in header.items() if v is not ABSENT}
                self.assert_refused(self.key.token(self.claims(), header=header),
                                    "token_malformed", "alg_not_allowed")


class PublicKeysAsSecrets(AlgorithmTestCase):
    def test_a_public_key_is_no_hmac_secret_in_any_spelling(self):
        for key in (self.key, self.rsa_any, self.ec):
            numbers = key.private.public_key().public_numbers()
            secrets = {"pem": key.public_pem(), "pem less its last line break":
                       key.public_pem().rstrip(b"\n"), "der": key.public_der(),
                       "jwk": json_bytes(key.jwk()), "empty": b"",
                       "number": (numbers.n.to_bytes(256, "big") if key.kty == "RSA"
                                  else numbers.x.to_bytes(32, "big")),
                       "number as text": (b64(numbers.n.to_bytes(256, "big")).encode()
                                          if key.kty == "RSA" else b"x")}
            for kid in (key.kid, ABSENT):
                with self.proxy.client() as client:
                    for name, secret in secrets.items():
                        for bits in ("256", "384", "512"):
                            header = key.header(kid=kid)
                            header["alg"] = "HS" + bits
                            token = compact(header, self.claims(), lambda data, s=secret, b=bits:
                                            hs_signature(s, data, b))
                            with self.subTest(kid=str(kid), secret=name, bits=bits):
                                self.assert_refused(token, "alg_not_allowed", client=client)


class KeysThatDoNotFit(AlgorithmTestCase):
    def test_the_key_is_bound_to_its_algorithm(self):
        cases = [(self.key, "RS512"), (self.key, "RS384"), (self.key, "PS256"), (self.ec, "ES384"),
                 (self.ec_any, "ES384"), (self.ec_any, "ES512"), (self.p384, "ES256"),
                 (self.p521, "ES256"), (self.p384, "ES512")]
        for key, alg in cases:
            with self.subTest(kid=key.kid, alg=alg):
                self.assert_refused(key.token(self.claims(), alg=alg),
                                    "alg_not_allowed", "kid_unknown", "signature_invalid")

    def test_the_kid_of_a_key_of_another_kind(self):
        everything = [self.key, self.ec, self.p384, self.p521, self.ed]
        for signer in everything:
            for named in everything:
                if named.kty == signer.kty and named.crv == signer.crv:
                    continue
                with self.subTest(signer=signer.kid, kid=named.kid):
                    self.assert_refused(signer.token(self.claims(), kid=named.kid),
                                        "alg_not_allowed", "kid_unknown", "signature_invalid")

    def test_the_kid_of_another_key_of_the_same_kind(self):
        self.assert_refused(self.rsa_any.token(self.claims(), kid=self.key.kid),
                            "signature_invalid")
        self.assert_refused(self.ec_any.token(self.claims(), kid=self.ec.kid), "signature_invalid")


class BrokenSignatures(AlgorithmTestCase):
    def refused(self, key, signature, name):
        header = key.header()
        with self.subTest(name):
            self.assert_refused(compact(header, self.claims(), lambda _: signature),
                                "signature_invalid")

    def test_rsa(self):
        for name, signature in {
                "zero": b"\0" * 256, "one": b"\0" * 255 + b"\1", "all ones": b"\xff" * 256,
                "too short": b"\1" * 255, "too long": b"\0" + b"\1" * 256, "a byte": b"\1",
                "of 8192 bits": b"\1" * 1024}.items():
            self.refused(self.key, signature, name)
        modulus = self.key.private.public_key().public_numbers().n
        self.refused(self.key, modulus.to_bytes(256, "big"), "the modulus")

    def test_rsa_with_its_length_changed(self):
        header, claims = self.key.header(), self.claims()
        for name, change in {"a zero before": lambda s: b"\0" + s, "a zero after":
                             lambda s: s + b"\0", "the last byte cut": lambda s: s[:-1],
                             "the first byte cut": lambda s: s[1:]}.items():
            with self.subTest(name):
                self.assert_refused(compact(header, claims, lambda d, c=change: c(self.key.sign(d))),
                                    "signature_invalid")

    def test_ecdsa_with_numbers_out_of_range(self):
        order = P256_ORDER.to_bytes(32, "big")
        one, zero, ones = b"\0" * 31 + b"\1", b"\0" * 32, b"\xff" * 32
        for name, signature in {
                "r = s = 0": zero + zero, "r = 0": zero + one, "s = 0": one + zero,
                "r = n": order + one, "s = n": one + order, "r = s = n": order + order,
                "all ones": ones + ones, "r = s = 1": one + one}.items():
            self.refused(self.ec, signature, name)

    def test_ecdsa_of_another_length_or_form(self):
        header, claims = self.ec.header(), self.claims()

        def der(data):
            raw = self.ec.sign(data)
            return encode_dss_signature(int.from_bytes(raw[:32], "big"),
                                        int.from_bytes(raw[32:], "big"))
        changes = {"der": der, "a byte short": lambda d: self.ec.sign(d)[:-1],
                   "a byte long": lambda d: self.ec.sign(d) + b"\0",
                   "a zero before each": lambda d: b"\0" + self.ec.sign(d)[:32] + b"\0"
                   + self.ec.sign(d)[32:],
                   "twice": lambda d: self.ec.sign(d) * 2, "half": lambda d: self.ec.sign(d)[:32],
                   "21,830 characters": lambda d: os.urandom(16372),
                   "as long as P-384's": lambda d: os.urandom(96),
                   "as long as P-521's": lambda d: os.urandom(132)}
        for name, change in changes.items():
            with self.subTest(name):
                self.assert_refused(compact(header, claims, change), "signature_invalid")
        for key, length in ((self.p384, 64), (self.p384, 104), (self.p521, 96), (self.p521, 128)):
            self.refused(key, os.urandom(length), "%s with %d bytes" % (key.kid, length))

    def test_ed25519(self):
        header, claims = self.ed.header(), self.claims()

        def with_order_added(data):
            raw = self.ed.sign(data)
            number = int.from_bytes(raw[32:], "little") + ED25519_ORDER
            return raw[:32] + number.to_bytes(32, "little")
        for name, change in {
                "s + order": with_order_added, "a byte short": lambda d: self.ed.sign(d)[:-1],
                "a byte long": lambda d: self.ed.sign(d) + b"\0", "zero": lambda d: b"\0" * 64,
                "ones": lambda d: b"\xff" * 64, "small order": lambda d: b"\1" + b"\0" * 63,
                }.items():
            with self.subTest(name):
                self.assert_refused(compact(header, claims, change), "signature_invalid")

    def test_a_signature_for_another_header_or_payload(self):
        header, payload, signature = self.token().split(".")
        other = b64(json_bytes(self.claims(sub="root")))
        self.assert_refused(".".join([header, other, signature]), "signature_invalid")
        other = b64(json_bytes(self.key.header(x="1")))
        self.assert_refused(".".join([other, payload, signature]), "signature_invalid")


class FewerAlgorithms(AlgorithmTestCase):
    @classmethod
    def prepare(cls):
        super().prepare()
        cls.proxy = cls.shared_signet(cls.configuration(
            cls.issuer_entry(cls.issuer, algorithms=["ES256", "PS256"])))
        cls.rs256, cls.key = cls.key, cls.ec

    def test_only_the_named_algorithms_are_accepted(self):
        self.assert_admitted(self.rsa_any.token(self.claims(), alg="PS256"))
        for key, alg in ((self.rs256, "RS256"), (self.rsa_any, "RS256"), (self.rsa_any, "PS384"),
                         (self.p384, "ES384"), (self.ed, "EdDSA")):
            with self.subTest(kid=key.kid, alg=alg):
                self.assert_refused(key.token(self.claims(), alg=alg), "alg_not_allowed")


if __name__ == "__main__":
    unittest.main(verbosity=2)
