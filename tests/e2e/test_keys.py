"""Which keys of a key set verify, and where key sets may come from."""

import base64
import hashlib
import json
import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

import certificates  # noqa: E402
from cryptography import x509  # noqa: E402
from cryptography.hazmat.primitives import hashes, serialization  # noqa: E402

from asking import wait_until  # noqa: E402
from command import run_cli  # noqa: E402
from issuer import redirect  # noqa: E402
from proxied import AUDIENCE, ProxiedTestCase  # noqa: E402
from tokens import (ABSENT, Key, b64, b64_int, claims, compact, ec_key, ed_key,  # noqa: E402
                    hs_signature, jwks, oct_key, random_secret,
                    rsa_key)

P256_PRIME = 2 ** 256 - 2 ** 224 + 2 ** 192 + 2 ** 96 - 1


def pkcs1_block(data, length=256):
    """The block that an RS256 signature would be under the exponent 1."""
    digest = hashes.Hash(hashes.SHA256())
    digest.update(data)
    info = bytes.fromhex("3031300d060960864801650304020105000420") + digest.finalize()
    return b"\0\1" + b"\xff" * (length - len(info) - 3) + b"\0" + info


class AMixedKeySet(ProxiedTestCase):
    """Keys that cannot be used stand beside one that can."""

    @classmethod
    def prepare(cls):
        cls.key = rsa_key("good", "RS256")
        cls.spare = rsa_key()
        spare = cls.spare.jwk
        cls.small, cls.ec = rsa_key("rsa-1024", bits=1024), ec_key()
        cls.secret = random_secret()
        x = int.from_bytes(os.urandom(31), "big")
        cls.bad = [
            spare(kid="use-enc", use="enc"), spare(kid="ops-encrypt", use=ABSENT,
                                                   key_ops=["encrypt"]),
            spare(kid="kty-ec", kty="EC"), spare(kid="kty-unknown", kty="XYZ"),
            spare(kid="kty-number", kty=1), spare(kid="kty-absent", kty=ABSENT),
            spare(kid="alg-number", alg=256), spare(kid="alg-of-encryption", alg="RSA-OAEP"),
            spare(kid="alg-of-ec", alg="ES256"), spare(kid="alg-none", alg="none"),
            cls.small.jwk(), spare(kid="rsa-e-1", e="AQ"), spare(kid="rsa-e-2", e="Ag"),
            spare(kid="rsa-no-n", n=ABSENT), spare(kid="rsa-n-padded", n=spare()["n"] + "=="),
            spare(kid="rsa-n-empty", n=""),
            spare(kid="rsa-8200", n=b64_int(2 ** 8199 + 1)),
            spare(kid="rsa-n-number", n=12345),
            cls.ec.jwk(kid="ec-off-curve", x=b64_int(x, 32), y=b64_int(x, 32)),
            cls.ec.jwk(kid="ec-zero", x=b64(b"\0" * 32), y=b64(b"\0" * 32)),
            cls.ec.jwk(kid="ec-above-p", x=b64_int(P256_PRIME + 1, 32)),
            cls.ec.jwk(kid="ec-short", x=b64(b"\1" * 31)), cls.ec.jwk(kid="ec-no-y", y=ABSENT),
            cls.ec.jwk(kid="ec-crv", crv="P-257"), cls.ec.jwk(kid="ec-p384", crv="P-384"),
            ed_key().jwk(kid="ed-short", x=b64(b"\1" * 31)), ed_key().jwk(kid="ed-crv", crv="X25519"),
            oct_key("oct-good", secret=cls.secret).jwk(), oct_key("oct-short", secret=b"a").jwk(),
            oct_key("oct-empty", secret=b"").jwk(),
        ]
        cls.not_even_objects = [None, 1, "key", [], {}]
        cls.issuer = cls.shared_issuer([*cls.bad, *cls.not_even_objects, cls.key])
        cls.proxy = cls.shared_signet(cls.configuration(cls.issuer))

    NEVER = ("kid_unknown", "alg_not_allowed", "signature_invalid")

    def test_the_good_key_serves(self):
        self.assert_admitted(self.token())
        self.assert_admitted(self.key.token(self.claims(), kid=ABSENT))

    def test_the_others_never_verify(self):
        with self.proxy.client() as client:
            for jwk in self.bad:
                kty, kid = jwk.get("kty"), jwk["kid"]
                signer, alg = ((self.ec, "ES256") if kid.startswith("ec-")
                               else (self.small, "RS256") if kid == "rsa-1024"
                               else (self.spare, "RS256"))
                with self.subTest(kid):
                    self.assert_refused(signer.token(self.claims(), alg=alg, kid=kid), *self.NEVER,
                                        client=client)
                if kty == "oct":
                    for secret in (self.secret, b"a", b""):
                        token = compact({"alg": "HS256", "kid": kid}, self.claims(),
                                        lambda data, s=secret: hs_signature(s, data))
                        with self.subTest(kid, secret=secret):
                            self.assert_refused(token, "alg_not_allowed", client=client)

    def test_an_exponent_of_one_would_let_anyone_sign(self):
        for kid in ("rsa-e-1", ABSENT):
            self.assert_refused(compact(self.key.header(kid=kid), self.claims(), pkcs1_block),
                                *self.NEVER)

    def test_without_a_kid_they_do_not_verify_either(self):
        for signer, alg in ((self.spare, "RS256"), (self.small, "RS256")):
            self.assert_refused(signer.token(self.claims(), alg=alg, kid=ABSENT),
                                "signature_invalid", "kid_unknown")

    def test_the_status_names_what_is_used_and_what_is_skipped(self):
        status = self.issuer_status()
        self.assertEqual([k["kid"] for k in status["keys"]], ["good"])
        self.assertEqual({k: status["keys"][0][k] for k in ("kty", "alg", "use")},
                         {"kty": "RSA", "alg": "RS256", "use": "sig"})
        skipped = json.dumps(status["skipped"])
        for jwk in self.bad:
            self.assertIn(jwk["kid"], skipped)
        self.assertNotIn('"good"', skipped)


class AKeysOwnCertificate(ProxiedTestCase):
    """x5c and x5t#S256 of a JWK (RFC 7517 sections 4.7 and 4.9)."""

    @classmethod
    def prepare(cls):
        authority = certificates.Authority(cls)
        der, keys = [], []
        for name in ("one", "two"):
            files = authority.issue(name, kind="RSA")
            with open(files.certificate_file, "rb") as file:
                der.append(x509.load_pem_x509_certificate(file.read()).public_bytes(serialization.Encoding.DER))
            with open(files.private_key_file, "rb") as file:
                keys.append(Key("RSA", serialization.load_pem_private_key(file.read(), None), alg="RS256"))
        cls.key = keys[0]
        own, other = (base64.b64encode(one).decode() for one in der)
        digest, foreign = (b64(hashlib.sha256(one).digest()) for one in der)
        cls.good = {"own": {"x5c": [own]}, "own-and-digest": {"x5c": [own], "x5t#S256": digest},
                    "chain": {"x5c": [own, other]}, "digest-alone": {"x5t#S256": foreign}}
        cls.bad = {"others": {"x5c": [other]}, "others-first": {"x5c": [other, own]},
                   "wrong-digest": {"x5c": [own], "x5t#S256": foreign},
                   "digest-no-string": {"x5c": [own], "x5t#S256": 1},
                   "no-list": {"x5c": own}, "empty": {"x5c": []}, "number": {"x5c": [1]},
                   "base64url": {"x5c": [b64(der[0])]}, "cut": {"x5c": [own[:-8]]},
                   "more": {"x5c": [base64.b64encode(der[0] + b"\0\0\0").decode()]},
                   "line-breaks": {"x5c": [own[:64] + "\n" + own[64:]]}}
        cls.issuer = cls.shared_issuer([cls.key.jwk(kid=kid, **more) for kid, more in {**cls.good, **cls.bad}.items()])
        cls.proxy = cls.shared_signet(cls.configuration(cls.issuer))

    CHECK_AFTER = False

    def test_a_key_serves_where_its_certificate_agrees(self):
        for kid in self.good:
            with self.subTest(kid):
                self.assert_admitted(self.key.token(self.claims(), kid=kid))

    def test_one_that_contradicts_itself_does_not_and_is_named(self):
        skipped = {one["kid"]: one["why"] for one in self.issuer_status()["skipped"]}
        self.assertEqual(sorted(skipped), sorted(self.bad))
        for kid in self.bad:
            with self.subTest(kid):
                self.assertIn("x5", skipped[kid])
                self.assert_refused(self.key.token(self.claims(), kid=kid), "kid_unknown")


class KeysWithoutNames(ProxiedTestCase):
    @classmethod
    def prepare(cls):
        cls.keys = [ec_key() for _ in range(12)]
        cls.key, cls.other = cls.keys[0], rsa_key("named")
        cls.issuer = cls.shared_issuer(cls.keys + [cls.other])
        cls.proxy = cls.shared_signet(cls.configuration(cls.issuer))

    def test_at_most_eight_keys_are_tried(self):
        admitted = 0
        for key in self.keys:
            answer = self.proxy.ask("GET", "/", key.token(self.claims()))
            admitted += answer.status == 200
            if answer.status != 200:
                self.assertEqual(answer.code, "signature_invalid")
        self.assertEqual(admitted, 8)
        self.upstream.forget()

    def test_a_kid_in_the_token_does_not_exclude_keys_without_one(self):
        self.assert_admitted(self.key.token(self.claims(), kid="whatever"))

    def test_a_named_key_is_not_used_for_another_name(self):
        self.assert_admitted(self.other.token(self.claims()))
        self.assert_admitted(self.other.token(self.claims(), kid=ABSENT))
        self.assert_refused(self.other.token(self.claims(), kid="other-name"), "kid_unknown",
                            "alg_not_allowed")


class TwoIssuersWithOneKid(ProxiedTestCase):
    @classmethod
    def prepare(cls):
        cls.key, cls.other_key = rsa_key("same", "RS256"), rsa_key("same", "RS256")
        cls.issuer = cls.shared_issuer([cls.key], path="/one")
        cls.other = cls.shared_issuer([cls.other_key], path="/two")
        cls.proxy = cls.shared_signet(cls.configuration(
            cls.issuer_entry(cls.issuer, name="one"), cls.issuer_entry(cls.other, name="two")))

    def test_each_token_verifies_only_by_its_own_issuers_key(self):
        own = {self.issuer.url: self.key, self.other.url: self.other_key}
        for iss, key in own.items():
            self.assert_admitted(key.token(self.claims(iss=iss)))
            for other in own.values():
                if other is not key:
                    for kid in ("same", ABSENT):
                        self.assert_refused(other.token(self.claims(iss=iss), kid=kid),
                                            "signature_invalid")

    def test_an_issuer_is_compared_byte_for_byte(self):
        for iss in (self.issuer.url + "/", self.issuer.url[:-1], self.issuer.url + "x",
                    self.issuer.url.upper(), self.issuer.origin, "", " " + self.issuer.url,
                    self.issuer.url + "\0", "https" + self.issuer.url[4:],
                    self.issuer.url.replace("/one", "/%6fne"), self.issuer.url + "?x",
                    self.issuer.url + "#x", self.issuer.url.replace("127.0.0.1", "localhost")):
            with self.subTest(iss):
                self.assert_refused(self.token(iss=iss), "issuer_unknown")

    def test_an_issuer_that_is_absent_or_no_string(self):
        self.assert_refused(self.key.token(claims(ABSENT, AUDIENCE)), "issuer_unknown",
                            "claim_missing")
        for iss in (1, None, True, [self.issuer.url], {"iss": self.issuer.url}):
            with self.subTest(iss):
                self.assert_refused(self.token(iss=iss), "issuer_unknown", "claim_invalid")


class WhereKeysComeFrom(ProxiedTestCase):
    @classmethod
    def prepare(cls):
        cls.key = rsa_key("rsa-1", "RS256")
        cls.folder = cls.enterClassContext(tempfile.TemporaryDirectory(prefix="signet-test-"))
        cls.authority = certificates.Authority(cls)

    def certificate(self, name, **options):
        files = self.authority.issue(name, **options)
        return files.certificate_file, files.private_key_file

    def file(self, name, data):
        path = os.path.join(self.folder, name)
        with open(path + ".new", "wb") as file:
            file.write(data if isinstance(data, bytes) else json.dumps(data).encode())
        os.replace(path + ".new", path)
        return path

    def admitted_with(self, iss, key=None, **settings):
        proxy = self.signet(self.configuration(self.issuer_entry(iss, **settings)))
        url = iss if isinstance(iss, str) else iss.url
        self.assert_admitted((key or self.key).token(self.claims(iss=url)), proxy=proxy)
        return proxy

    def test_discovery_below_an_issuer_with_a_path(self):
        issuer = self.own_issuer([self.key], path="/realms/prod")
        self.admitted_with(issuer)
        self.assertEqual(issuer.fetches("discovery")[0].target,
                         "/realms/prod/.well-known/openid-configuration")

    def test_metadata_of_rfc_8414_where_there_is_no_openid_discovery(self):
        issuer = self.own_issuer([self.key], path="/tenant", serve_discovery=False,
                                 serve_metadata=True)
        self.admitted_with(issuer)
        self.assertEqual(issuer.fetches("metadata")[0].target,
                         "/.well-known/oauth-authorization-server/tenant")

    def test_named_urls(self):
        issuer = self.own_issuer([self.key], serve_discovery=False)
        self.admitted_with(issuer, jwks_uri=issuer.jwks_uri)
        self.assertEqual(issuer.count("discovery"), 0)
        inner = self.own_issuer([self.key], path="/inner")
        inner.discovery_changes["issuer"] = "https://idp.example.com/outer"
        self.admitted_with("https://idp.example.com/outer",
                           discovery_url=inner.url + "/.well-known/openid-configuration")

    def test_keys_in_the_configuration(self):
        self.admitted_with("https://idp.example.com", jwks=jwks(self.key))

    def test_a_set_that_is_empty_on_purpose_is_503_and_never_401(self):
        for ready in (True, False):
            issuer = self.own_issuer([self.key])
            proxy = self.signet(self.configuration(
                self.issuer_entry(issuer, name="good"),
                self.issuer_entry("https://keyless.example", name="keyless", jwks={"keys": []},
                                  required_for_ready=ready)), wait_ready=not ready)
            self.wait_admitted(self.key.token(self.claims(iss=issuer.url)), proxy)
            self.assertEqual(proxy.ready(), not ready)
            for kid in ("rsa-1", ABSENT):
                self.assert_refused(self.key.token(self.claims(iss="https://keyless.example"), kid=kid),
                                    "keys_unavailable", proxy=proxy)
            self.assertTrue([r for r in proxy.records() if r.get("level") == "warn"
                             and "jwks" in json.dumps(r)], "no warning in the log")
            # A reload that brings keys heals it.
            config = proxy.config
            config["issuers"][1]["jwks"] = jwks(self.key)
            proxy.reload(config)
            self.wait_admitted(self.key.token(self.claims(iss="https://keyless.example")), proxy)
            wait_until(proxy.ready, "readiness")

    def test_a_reload_with_the_same_keys_is_no_change_of_keys(self):
        proxy = self.admitted_with("https://idp.example.com", jwks=jwks(self.key))
        mark = proxy.mark()
        proxy.reload()
        self.assertEqual([r for r in proxy.records(mark) if r["msg"] == "keys changed"], [])
        config = proxy.config
        config["issuers"][0]["jwks"] = jwks(ec_key("newer"))
        proxy.reload(config)
        [found] = [r for r in proxy.records(mark) if r["msg"] == "keys changed"]
        self.assertEqual(found["appeared"], "newer")

    def test_a_file_of_keys_is_watched(self):
        path = self.file("jwks.json", jwks(self.key))
        proxy = self.admitted_with("https://idp.example.com", jwks_file=path)
        newer = ec_key("newer")
        self.file("jwks.json", jwks(newer))
        old = self.key.token(self.claims(iss="https://idp.example.com"))
        self.wait_admitted(newer.token(self.claims(iss="https://idp.example.com")), proxy)
        self.assert_refused(old, "kid_unknown", proxy=proxy)
        self.file("jwks.json", b'{"keys": [')  # a broken file changes nothing
        fresh = newer.token(self.claims(iss="https://idp.example.com"))
        self.assert_admitted(fresh, proxy=proxy)

    def test_files_behind_kubernetes_links_are_followed(self):
        """A ConfigMap's folder: the file is a link to ..data/, and ..data a link that is switched by a rename."""
        mount = os.path.join(self.folder, "mount")
        secrets = {"1": random_secret(), "2": random_secret()}
        newer = ec_key("newer")
        for version, key in (("1", self.key), ("2", newer)):
            os.makedirs(os.path.join(mount, "..version-" + version))
            with open(os.path.join(mount, "..version-" + version, "jwks.json"), "wb") as file:
                file.write(json.dumps(jwks(key)).encode())
            with open(os.path.join(mount, "..version-" + version, "secret"), "wb") as file:
                file.write(secrets[version])
        os.symlink("..version-1", os.path.join(mount, "..data"))
        for name in ("jwks.json", "secret"):
            os.symlink(os.path.join("..data", name), os.path.join(mount, name))
        proxy = self.signet(self.configuration(
            self.issuer_entry("https://files.example", name="files", jwks_file=os.path.join(mount, "jwks.json")),
            self.issuer_entry("https://secret.example", name="secret", secret_file=os.path.join(mount, "secret"))))

        def signed(version):
            key = oct_key(None, secret=secrets[version])
            return key.token(self.claims(iss="https://secret.example"), header={"alg": "HS256"})
        old = self.key.token(self.claims(iss="https://files.example"))
        self.assert_admitted(old, proxy=proxy)
        self.assert_admitted(signed("1"), proxy=proxy)
        os.symlink("..version-2", os.path.join(mount, "..data.new"))
        os.replace(os.path.join(mount, "..data.new"), os.path.join(mount, "..data"))
        self.wait_admitted(newer.token(self.claims(iss="https://files.example")), proxy)
        self.wait_admitted(signed("2"), proxy)
        self.assert_refused(old, "kid_unknown", proxy=proxy)
        self.assert_refused(signed("1"), "signature_invalid", proxy=proxy)

    def test_pem_files_of_public_keys_and_of_certificates(self):
        third = ed_key()
        certificate_file, key_file = self.certificate("signing.example.com")
        with open(certificate_file, "rb") as file:
            certificate = file.read()
        with open(key_file, "rb") as file:
            newer = Key("EC", serialization.load_pem_private_key(file.read(), None), crv="P-256")
        pem = self.key.public_pem() + certificate + third.public_pem()
        path = self.file("keys.pem", pem)
        proxy = self.admitted_with("https://idp.example.com", public_key_file=path)
        for key in (self.key, newer, third):
            self.assert_admitted(key.token(self.claims(iss="https://idp.example.com")), proxy=proxy)
        fourth = ec_key()
        self.file("keys.pem", fourth.public_pem())
        self.wait_admitted(fourth.token(self.claims(iss="https://idp.example.com")), proxy)
        self.assert_refused(third.token(self.claims(iss="https://idp.example.com")),
                            "signature_invalid", "kid_unknown", "alg_not_allowed", proxy=proxy)

    def test_https_with_an_authority_of_ones_own_and_a_bearer_token(self):
        issuer = self.own_issuer([self.key], tls=self.certificate("127.0.0.1"))
        token_file = self.file("bearer", b"kubernetes-token-1\n")
        self.admitted_with(issuer, ca_file=self.authority.ca_file, jwks_uri=issuer.jwks_uri,
                           bearer_token_file=token_file)
        self.assertEqual(issuer.fetches()[0].header("Authorization"), "Bearer kubernetes-token-1")

    def test_the_bearer_token_is_read_at_each_fetch_and_never_sent_in_the_clear(self):
        issuer = self.own_issuer([self.key], tls=self.certificate("127.0.0.1"))
        token_file = self.file("bearer2", b"first")
        proxy = self.admitted_with(issuer, ca_file=self.authority.ca_file,
                                   bearer_token_file=token_file, jwks_uri=issuer.jwks_uri)
        self.file("bearer2", b"second")
        self.refresh(issuer, proxy)
        self.assertEqual(issuer.fetches()[-1].header("Authorization"), "Bearer second")
        plain = self.own_issuer([self.key])
        config = self.file("clear.yaml", self.configuration(self.issuer_entry(
            issuer, ca_file=self.authority.ca_file, jwks_uri=plain.jwks_uri,
            bearer_token_file=token_file)))
        found = run_cli("check", "-c", config)
        self.assertEqual(found.returncode, 78)
        self.assertIn("bearer_token_file", found.stderr)
        self.assertEqual(plain.count(), 0)

    def test_https_that_is_not_trusted_or_names_another_host(self):
        for tls, ca_file in ((self.certificate("127.0.0.1"), ""),
                             (self.certificate("idp.example.com"), self.authority.ca_file),
                             (self.certificate("127.0.0.1", days=-2),
                              self.authority.ca_file)):
            issuer = self.own_issuer([self.key], tls=tls)
            proxy = self.signet(self.configuration(self.issuer_entry(issuer, ca_file=ca_file)),
                                wait_ready=False)
            self.assert_refused(self.key.token(self.claims(iss=issuer.url)), "keys_unavailable",
                                proxy=proxy)
            self.assertEqual(issuer.count("discovery") + issuer.count("jwks"), 0)

    def test_a_redirect_from_https_to_http_is_not_followed(self):
        issuer = self.own_issuer([self.key], tls=self.certificate("127.0.0.1"))
        plain = self.own_issuer([self.key])
        issuer.fault("jwks", redirect(plain.jwks_uri))
        proxy = self.signet(self.configuration(self.issuer_entry(
            issuer, ca_file=self.authority.ca_file)), wait_ready=False)
        self.assert_refused(self.key.token(self.claims(iss=issuer.url)), "keys_unavailable",
                            proxy=proxy)
        self.assertEqual(plain.count(), 0)

    def test_discovery_that_speaks_for_another_issuer_or_points_elsewhere(self):
        for changes in ({"issuer": "https://idp.example.com"}, {"issuer": ABSENT},
                        {"jwks_uri": "file:///etc/hostname"}, {"jwks_uri": 1},
                        {"jwks_uri": "http://169.254.169.254/latest/meta-data"}, {"jwks_uri": ""},
                        {"jwks_uri": "http://192.0.2.1/jwks"}, {"jwks_uri": "https://2852039166/x"},
                        {"jwks_uri": "https://0xa9fea9fe/x"}, {"jwks_uri": "https://169.254.43518/x"}):
            with self.subTest(changes):
                issuer = self.own_issuer([self.key])
                issuer.discovery_changes = {k: None if v is ABSENT else v
                                            for k, v in changes.items()}
                proxy = self.signet(self.configuration(issuer), wait_ready=False)
                self.assert_refused(self.key.token(self.claims(iss=issuer.url)),
                                    "keys_unavailable", proxy=proxy)
                self.assertEqual(issuer.count("jwks"), 0)
                self.assertTrue(self.issuer_status(proxy)["last_error"])


class LargeKeys(ProxiedTestCase):
    def test_every_size_from_2048_bits_and_every_curve(self):
        keys = [rsa_key("rsa-3072", bits=3072), rsa_key("rsa-e-3", e=3), ed_key("ed25519"),
                ec_key("p384", crv="P-384"), ec_key("p521", crv="P-521")]
        issuer = self.own_issuer(keys)
        proxy = self.signet(self.configuration(issuer))
        for key in keys:
            with self.subTest(key.kid):
                self.assert_admitted(key.token(self.claims(iss=issuer.url)), proxy=proxy)

    def test_ed448_is_either_listed_and_verifies_or_is_skipped(self):
        ed448, good = ed_key("ed448", crv="Ed448"), ec_key("good")
        issuer = self.own_issuer([ed448, good])
        proxy = self.signet(self.configuration(issuer))
        self.assert_admitted(good.token(self.claims(iss=issuer.url)), proxy=proxy)
        listed = "ed448" in [k["kid"] for k in self.issuer_status(proxy)["keys"]]
        token = ed448.token(self.claims(iss=issuer.url))
        if listed:
            self.assert_admitted(token, proxy=proxy)
        else:
            self.assert_refused(token, "kid_unknown", proxy=proxy)


if __name__ == "__main__":
    unittest.main(verbosity=2)
