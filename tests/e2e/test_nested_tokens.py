"""Signed tokens inside encrypted ones (RFC 7516, RFC 7519 section 5.2), made by jwcrypto."""

import json
import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

from jwcrypto import jwe, jwk  # noqa: E402
from proxied import AUDIENCE, ProxiedTestCase  # noqa: E402
from tokens import b64, ec_key, jwks, unb64  # noqa: E402

ENCRYPTIONS = ("A128GCM", "A192GCM", "A256GCM", "A128CBC-HS256", "A192CBC-HS384", "A256CBC-HS512")
WIDTHS = {"A128GCM": 128, "A192GCM": 192, "A256GCM": 256, "A128CBC-HS256": 256, "A192CBC-HS384": 384,
          "A256CBC-HS512": 512}
SUPPORTED = ["RSA-OAEP", "RSA-OAEP-256", "ECDH-ES", "ECDH-ES+A128KW", "ECDH-ES+A192KW", "ECDH-ES+A256KW",
             "A128KW", "A192KW", "A256KW", "A128GCMKW", "A192GCMKW", "A256GCMKW", "dir"]


def private(*keys):
    return json.dumps({"keys": [json.loads(k.export()) for k in keys]})


def encrypted(plaintext, key, alg, enc="A256GCM", **header):
    """A compact JWE. A header value of None leaves that member out."""
    whole = {"alg": alg, "enc": enc, "cty": "JWT", **header}
    token = jwe.JWE(plaintext.encode(), json.dumps({k: v for k, v in whole.items() if v is not None}),
                    algs=SUPPORTED + ["RSA1_5", "PBES2-HS256+A128KW", *ENCRYPTIONS])
    token.add_recipient(key)
    return token.serialize(compact=True)


class NestedTestCase(ProxiedTestCase):
    """Two issuers of one key file each, and a third whose tokens are only signed."""
    REQUIRED = False
    SETTINGS = {}

    @classmethod
    def prepare(cls):
        cls.folder = cls.enterClassContext(tempfile.TemporaryDirectory(prefix="signet-test-"))
        cls.key, cls.other = ec_key("one"), ec_key("two")
        cls.rsa = jwk.JWK.generate(kty="RSA", size=2048, kid="enc-rsa", use="enc")
        cls.theirs = jwk.JWK.generate(kty="EC", crv="P-256", kid="enc-other")
        cls.keys = {"rsa": cls.rsa, "P-256": jwk.JWK.generate(kty="EC", crv="P-256", kid="enc-p256"),
                    "P-384": jwk.JWK.generate(kty="EC", crv="P-384", kid="enc-p384"),
                    "P-521": jwk.JWK.generate(kty="EC", crv="P-521", kid="enc-p521"),
                    "X25519": jwk.JWK.generate(kty="OKP", crv="X25519", kid="enc-x")}
        for bits in (128, 192, 256, 384, 512):
            cls.keys[bits] = jwk.JWK.generate(kty="oct", size=bits, kid="enc-%d" % bits)
        cls.first_file = cls.write("first.json", private(*cls.keys.values()))
        second = cls.write("second.json", private(cls.theirs))
        cls.proxy = cls.shared_signet(cls.configuration(
            cls.entry("one", cls.key, {"jwks_file": cls.first_file, "required": cls.REQUIRED}),
            cls.entry("two", cls.other, {"jwks_file": second}),
            cls.entry("plain", cls.other, {}), **cls.SETTINGS))

    @classmethod
    def write(cls, name, text):
        path = os.path.join(cls.folder, name)
        with open(path + ".new", "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(path + ".new", path)
        return path

    @staticmethod
    def entry(name, key, decryption):
        return {"issuer": "https://%s.example" % name, "name": name, "audiences": [AUDIENCE],
                "jwks": jwks(key), "decryption": decryption}

    def claims(self, **changes):
        return super().claims(**{"iss": "https://one.example", **changes})

    def nested(self, key=None, alg="RSA-OAEP-256", enc="A256GCM", inner=None, **header):
        key = key or self.rsa
        return encrypted(inner or self.token(), key, alg, enc, **{"kid": key.get("kid"), **header})


class EveryAlgorithm(NestedTestCase):
    def test_every_key_management_with_every_encryption(self):
        kinds = [("RSA-OAEP", "rsa"), ("RSA-OAEP-256", "rsa")]
        for curve in ("P-256", "P-384", "P-521", "X25519"):
            kinds += [(alg, curve) for alg in SUPPORTED if alg.startswith("ECDH")]
        for bits in (128, 192, 256):
            kinds += [("A%dKW" % bits, bits), ("A%dGCMKW" % bits, bits)]
        cases = [(alg, key, enc) for alg, key in kinds for enc in ENCRYPTIONS]
        cases += [("dir", WIDTHS[enc], enc) for enc in ENCRYPTIONS]
        self.assertEqual(len(cases), (2 + 16 + 6) * 6 + 6)
        for alg, key, enc in cases:
            with self.subTest(alg=alg, key=key, enc=enc):
                seen = self.assert_admitted(self.nested(self.keys[key], alg, enc))
                self.assertEqual(seen.header("X-Auth-Issuer"), "https://one.example")

    def test_party_information_is_a_part_of_the_agreement(self):
        key = self.keys["P-256"]
        self.assert_admitted(self.nested(key, "ECDH-ES", apu=b64(b"Alice"), apv=b64(b"Bob")))

    def test_without_a_kid_the_keys_that_fit_are_tried(self):
        self.assert_admitted(self.nested(kid=None))
        self.assert_admitted(self.nested(cty="application/jwt"))
        self.assert_admitted(self.nested(self.keys["P-256"], "ECDH-ES", kid=None))

    def test_the_inner_token_is_judged_as_any_other(self):
        def inner(reason, **changes):
            self.assert_refused(self.nested(inner=self.token(**changes)), reason)
        inner("expired", exp=1_700_000_000)
        inner("audience_mismatch", aud="another")
        inner("issuer_unknown", iss="https://nobody.example")
        inner("claim_invalid", sub=7)
        token = self.token()
        self.assert_refused(self.nested(inner=token[:-4] + "AAAA"), "signature_invalid")
        self.assert_refused(self.nested(inner=self.other.token(self.claims())), "kid_unknown")

    def test_it_is_remembered_and_stripped_as_any_other(self):
        token = self.nested()
        for _ in range(4):  # two workers at most remember it
            seen = self.assert_admitted(token)
            self.assertIsNone(seen.header("Authorization"))
        self.assertGreaterEqual(self.proxy.status()["token_cache"]["hits"], 2)
        self.assert_admitted(self.token())  # not required


class Payload(NestedTestCase):
    SETTINGS = {"forward_payload_header": "X-Auth-Payload",
                "routes": [{"name": "strict", "prefix": "/strict",
                            "require": {"claims": [{"claim": "role", "equals": "boss"}]}}, {"name": "all", "prefix": "/"}]}

    def test_the_payload_that_goes_on_is_the_inner_one(self):
        claims = self.claims(role="boss")
        token = self.nested(inner=self.key.token(claims))
        for _ in range(2):  # the second time remembered
            seen = self.assert_admitted(token)
            self.assertEqual(json.loads(unb64(seen.header("X-Auth-Payload"))), claims)
            self.assert_admitted(token, target="/strict/x")
        self.assert_refused(self.nested(), "claim_not_allowed", target="/strict/x")


class Refused(NestedTestCase):
    def failed(self, token, reason="decryption_failed"):
        return self.assert_refused(token, reason)

    def test_a_part_that_was_changed(self):
        for key, alg, enc in ((self.rsa, "RSA-OAEP", "A256GCM"), (self.rsa, "RSA-OAEP-256", "A128CBC-HS256"),
                              (self.keys["P-256"], "ECDH-ES+A128KW", "A128GCM"),
                              (self.keys[256], "A256GCMKW", "A256CBC-HS512")):
            good = self.nested(key, alg, enc).split(".")
            sentences = set()
            for place in range(1, 5):
                for change in (lambda b: bytes([b[0] ^ 1]) + b[1:], lambda b: b[:-1], lambda b: b + b"\0",
                               lambda b: b""):
                    parts = list(good)
                    parts[place] = b64(change(unb64(parts[place])))
                    with self.subTest(alg=alg, place=place):
                        answer = self.failed(".".join(parts))
                        sentences.add(json.loads(answer.body)["detail"])
            self.assertEqual(len(sentences), 1, "the answer tells how far a key got")

    def test_the_header_is_covered_by_the_tag(self):
        parts = self.nested().split(".")
        header = json.loads(unb64(parts[0]))
        header["x"] = 1
        self.failed(".".join([b64(json.dumps(header).encode())] + parts[1:]))

    def test_algorithms_that_are_not_known(self):
        self.failed(self.nested(alg="RSA1_5"))
        self.failed(self.with_header(alg="PBES2-HS256+A128KW", p2c=2_000_000_000, p2s=b64(b"salt" * 4)))
        for change in ({"alg": "none"}, {"alg": "RSA-OAEP-512"}, {"alg": "rsa-oaep-256"}, {"alg": 5},
                       {"enc": "A512GCM"}, {"enc": "none"}, {"enc": None}, {"alg": None}):
            with self.subTest(change):
                self.failed(self.with_header(**change))

    def with_header(self, **changes):
        parts = self.nested().split(".")
        header = {**json.loads(unb64(parts[0])), **changes}
        return ".".join([b64(json.dumps({k: v for k, v in header.items() if v is not None}).encode())]
                        + parts[1:])

    def test_compression_is_refused_before_anything_is_inflated(self):
        self.failed(self.nested(inner=self.token(), zip="DEF"))

    def test_crit_is_refused(self):
        self.failed(self.with_header(crit=["exp"], exp=1), "crit_unsupported")

    def test_what_is_inside_must_be_signed(self):
        for cty in (None, "json", "at+jwt"):
            with self.subTest(cty):
                self.failed(self.nested(cty=cty))
        claims = json.dumps(self.claims())
        self.failed(self.nested(inner=claims), "token_malformed")
        self.failed(self.nested(inner=self.nested()), "token_malformed")
        unsigned = b64(b'{"alg":"none"}') + "." + b64(claims.encode()) + "."
        self.failed(self.nested(inner=unsigned), "token_malformed")
        self.failed(self.nested(inner=unsigned + "AA"), "alg_not_allowed")

    def test_the_issuer_that_is_inside_must_own_the_key(self):
        theirs = self.other.token(self.claims(iss="https://two.example"))
        self.assert_admitted(self.nested(self.theirs, "ECDH-ES", inner=theirs))
        self.failed(self.nested(inner=theirs))
        self.failed(self.nested(self.theirs, "ECDH-ES"))
        plain = self.other.token(self.claims(iss="https://plain.example"))
        self.assert_admitted(plain)
        self.failed(self.nested(inner=plain))

    def test_a_key_of_nobody(self):
        for kid in (None, "enc-p256", "unheard-of"):
            stranger = jwk.JWK.generate(kty="EC", crv="P-256", kid="x")
            with self.subTest(kid):
                self.failed(self.nested(stranger, "ECDH-ES", kid=kid))
        small = jwk.JWK.generate(kty="RSA", size=1024, kid="enc-rsa")
        self.failed(self.nested(small))

    def test_a_point_off_the_curve_and_keys_of_another(self):
        parts = self.nested(self.keys["P-256"], "ECDH-ES").split(".")
        good = json.loads(unb64(parts[0]))
        other = json.loads(jwk.JWK.generate(kty="EC", crv="P-384").export_public())
        for epk in ({**good["epk"], "y": b64(b"\1" * 32)}, {**good["epk"], "x": b64(b"\0" * 32), "y": b64(b"\0" * 32)},
                    other, {**good["epk"], "crv": "P-384"}, {**good["epk"], "x": b64(b"\0" + unb64(good["epk"]["x"]))},
                    {}, [], "x", None):
            with self.subTest(epk):
                self.failed(".".join([b64(json.dumps({**good, "epk": epk}).encode())] + parts[1:]))
        parts = self.nested(self.keys["X25519"], "ECDH-ES").split(".")
        good = json.loads(unb64(parts[0]))
        for x in (b"\0" * 32, b"\1" + b"\0" * 31, b"\7" * 31):  # of small order, and short
            with self.subTest(x):
                header = {**good, "epk": {**good["epk"], "x": b64(x)}}
                self.failed(".".join([b64(json.dumps(header).encode())] + parts[1:]))

    def test_text_that_is_no_jwe(self):
        parts = self.nested().split(".")
        for place, text in ((0, b64(b"[]")), (0, b64(b'{"alg":"dir","alg":"dir"}')), (0, ""), (0, parts[0] + "="),
                            (3, parts[3] + "="), (1, "a"), (2, "+" + parts[2][1:])):
            changed = list(parts)
            changed[place] = text
            with self.subTest(place=place, text=text[:20]):
                self.failed(".".join(changed), "token_malformed")
        self.failed(self.with_header(kid=7), "token_malformed")
        self.failed(".".join(parts + ["AAAA"]), "token_malformed")
        self.failed("....", "token_malformed")

    def test_explain_says_what_was_encrypted(self):
        told = self.proxy.admin("POST", "/v1/explain", self.nested().encode()).json()
        self.assertTrue(told["admitted"], told)
        self.assertEqual(told["encryption"]["alg"], "RSA-OAEP-256")
        self.assertEqual(told["claims"]["iss"], "https://one.example")
        told = self.proxy.admin("POST", "/v1/explain", self.with_header(enc="A128GCM").encode()).json()
        self.assertEqual((told["reason"], told["encryption"], told["claims"]), ("decryption_failed", None, None))
        failed = [c["check"] for c in told["checks"] if c["outcome"] == "failed"]
        self.assertEqual(failed, ["decryption"])


class Required(NestedTestCase):
    REQUIRED = True
    CHECK_AFTER = False

    def test_a_token_that_is_only_signed(self):
        self.assert_refused(self.token(), "encryption_required")
        self.assert_admitted(self.nested())
        self.assert_admitted(self.other.token(self.claims(iss="https://two.example")))

    def test_new_keys_are_taken_when_the_file_changes(self):
        fresh = jwk.JWK.generate(kty="EC", crv="P-256", kid="fresh")
        token, old = self.nested(fresh, "ECDH-ES"), self.nested()
        self.assert_admitted(old)
        self.assert_refused(token, "decryption_failed")
        try:
            self.write("first.json", "{broken")
            self.proxy.wait_log(lambda line: line.get("msg", "").startswith("decryption keys not taken"))
            self.assert_admitted(old)
            self.write("first.json", private(fresh))
            self.wait_admitted(token)
            self.assert_refused(old, "decryption_failed")
        finally:
            self.write("first.json", private(*self.keys.values()))
            self.wait_admitted(old)


class SharedKey(NestedTestCase):
    """One key file for two issuers, of whom one takes less."""

    @classmethod
    def prepare(cls):
        super().prepare()
        cls.proxy = cls.shared_signet(cls.configuration(
            cls.entry("one", cls.key, {"jwks_file": cls.first_file, "algorithms": ["RSA-OAEP-256"],
                                       "encryptions": ["A256GCM"]}),
            cls.entry("two", cls.other, {"jwks_file": cls.first_file})))

    def test_each_issuer_by_its_own_rules(self):
        theirs = self.other.token(self.claims(iss="https://two.example"))
        for alg, enc, narrow in (("RSA-OAEP-256", "A256GCM", True), ("RSA-OAEP", "A256GCM", False),
                                 ("RSA-OAEP-256", "A128CBC-HS256", False)):
            with self.subTest(alg=alg, enc=enc):
                self.assert_admitted(self.nested(alg=alg, enc=enc, inner=theirs))
                if narrow:
                    self.assert_admitted(self.nested(alg=alg, enc=enc))
                else:
                    self.assert_refused(self.nested(alg=alg, enc=enc), "decryption_failed")


class Narrowed(ProxiedTestCase):
    def test_only_what_the_issuer_names(self):
        folder = self.enterContext(tempfile.TemporaryDirectory(prefix="signet-test-"))
        signing = ec_key("one")
        key = jwk.JWK.generate(kty="RSA", size=2048, kid="k", alg="RSA-OAEP-256")
        free = jwk.JWK.generate(kty="EC", crv="P-256", kid="free")
        path = os.path.join(folder, "keys.json")
        with open(path, "w", encoding="utf-8") as file:
            file.write(private(key, free))
        proxy = self.signet(self.configuration(
            {"issuer": "https://one.example", "audiences": [AUDIENCE], "jwks": jwks(signing),
             "decryption": {"jwks_file": path, "algorithms": ["RSA-OAEP", "RSA-OAEP-256"], "encryptions": ["A256GCM"]}}))
        inner = signing.token(self.claims(iss="https://one.example"))

        def made(key, alg, enc):
            bare = jwk.JWK(**{k: v for k, v in json.loads(key.export_public()).items() if k != "alg"})
            return encrypted(inner, bare, alg, enc, kid=key.get("kid"))
        self.assert_admitted(made(key, "RSA-OAEP-256", "A256GCM"), proxy=proxy)
        for key_, alg, enc in ((key, "RSA-OAEP", "A256GCM"), (key, "RSA-OAEP-256", "A128GCM"),
                               (free, "ECDH-ES", "A256GCM")):
            with self.subTest(alg=alg, enc=enc):
                self.assert_refused(made(key_, alg, enc), "decryption_failed", proxy=proxy)


if __name__ == "__main__":
    unittest.main(verbosity=2)
