"""Keys and tokens, with every byte under the test's control.

    key = rsa_key("k1", alg="RS256")
    token = key.token(claims(issuer.url))                    # a good one
    token = key.token(b'{"iss": 1}', header=b'{"alg":"RS256"}')   # raw bytes, signed as they are

Nothing here validates anything: making bad tokens is the point.
"""

import base64
import hashlib
import hmac
import json
import os
import secrets
import time

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

ABSENT = object()  # a claim or header member that is to be left out

_HASHES = {"256": hashes.SHA256, "384": hashes.SHA384, "512": hashes.SHA512}
_CURVES = {"P-256": ec.SECP256R1, "P-384": ec.SECP384R1, "P-521": ec.SECP521R1,
           "secp256k1": ec.SECP256K1}
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def b64(data):
    """base64url without padding."""
    if isinstance(data, str):
        data = data.encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def b64_int(number, length=None):
    length = length or max(1, (number.bit_length() + 7) // 8)
    return b64(number.to_bytes(length, "big"))


def json_bytes(value):
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode()
    return json.dumps(value, separators=(",", ":")).encode()


def claims(iss, aud="orders-api", **changes):
    """The claims of a good token, less what is ABSENT in changes."""
    now = int(time.time())
    found = {"iss": iss, "sub": "user-1", "aud": aud, "iat": now - 5, "exp": now + 600,
             "jti": secrets.token_hex(12)}
    found.update(changes)
    return {k: v for k, v in found.items() if v is not ABSENT}


def compact(header, payload, signer):
    """header and payload: bytes or text as they are, or objects; signer(signing_input) -> bytes."""
    signing_input = b64(json_bytes(header)) + "." + b64(json_bytes(payload))
    return signing_input + "." + b64(signer(signing_input.encode()))


def hs_signature(secret, signing_input, bits="256"):
    return hmac.new(secret, signing_input, getattr(hashlib, "sha" + bits)).digest()


class Key:
    """A private key with the kid and alg that its JWK shows (None: not shown)."""

    def __init__(self, kty, private, kid=None, alg=None, crv=None):
        self.kty, self.private, self.kid, self.alg, self.crv = kty, private, kid, alg, crv

    def default_alg(self):
        if self.alg:
            return self.alg
        if self.kty == "RSA":
            return "RS256"
        if self.kty == "EC":
            return {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512"}.get(self.crv, "ES256K")
        return "EdDSA" if self.kty == "OKP" else "HS256"

    # -- signing -------------------------------------------------------------------------------

    def sign(self, signing_input, alg=None):
        """A signature by the algorithm's primitive, whether or not it suits the key's size."""
        alg = alg or self.default_alg()
        if alg == "EdDSA":
            return self.private.sign(signing_input)
        bits = alg[2:5]
        if alg.startswith("HS"):
            return hs_signature(self.private, signing_input, bits)
        digest = _HASHES[bits]()
        if alg.startswith("RS"):
            return self.private.sign(signing_input, padding.PKCS1v15(), digest)
        if alg.startswith("PS"):
            pss = padding.PSS(padding.MGF1(_HASHES[bits]()), digest.digest_size)
            return self.private.sign(signing_input, pss, digest)
        r, s = decode_dss_signature(self.private.sign(signing_input, ec.ECDSA(digest)))
        length = (self.private.curve.key_size + 7) // 8
        return r.to_bytes(length, "big") + s.to_bytes(length, "big")

    def header(self, alg=None, **changes):
        found = {"alg": alg or self.default_alg(), "typ": "JWT", "kid": self.kid or ABSENT}
        found.update(changes)
        return {k: v for k, v in found.items() if v is not ABSENT}

    def token(self, payload, header=None, alg=None, **header_changes):
        """header: bytes or an object that replaces the usual one; alg: the primitive that signs."""
        if header is None:
            header = self.header(alg, **header_changes)
        return compact(header, payload, lambda data: self.sign(data, alg))

    # -- as JWK and PEM ------------------------------------------------------------------------

    def jwk(self, **changes):
        """The public JWK (for oct: the key), with changes; ABSENT removes a member."""
        if self.kty == "RSA":
            numbers = self.private.public_key().public_numbers()
            found = {"kty": "RSA", "n": b64_int(numbers.n), "e": b64_int(numbers.e)}
        elif self.kty == "EC":
            numbers = self.private.public_key().public_numbers()
            length = (self.private.curve.key_size + 7) // 8
            found = {"kty": "EC", "crv": self.crv, "x": b64_int(numbers.x, length),
                     "y": b64_int(numbers.y, length)}
        elif self.kty == "OKP":
            raw = self.private.public_key().public_bytes(serialization.Encoding.Raw,
                                                         serialization.PublicFormat.Raw)
            found = {"kty": "OKP", "crv": self.crv, "x": b64(raw)}
        else:
            found = {"kty": "oct", "k": b64(self.private)}
        found.update({"kid": self.kid or ABSENT, "alg": self.alg or ABSENT, "use": "sig"})
        found.update(changes)
        return {k: v for k, v in found.items() if v is not ABSENT}

    def public_pem(self):
        return self.private.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)

    def public_der(self):
        return self.private.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def rsa_key(kid=None, alg=None, bits=2048, e=65537):
    return Key("RSA", rsa.generate_private_key(e, bits), kid, alg)


def ec_key(kid=None, alg=None, crv="P-256"):
    return Key("EC", ec.generate_private_key(_CURVES[crv]()), kid, alg, crv)


def ed_key(kid=None, alg=None, crv="Ed25519"):
    maker = ed25519.Ed25519PrivateKey if crv == "Ed25519" else ed448.Ed448PrivateKey
    return Key("OKP", maker.generate(), kid, alg, crv)


def random_secret(length=32):
    """For a secret_file as it is: a final line break would be taken off, and the secret then be too short."""
    return os.urandom(length - 1) + b"."


def oct_key(kid=None, alg=None, secret=None, length=32):
    return Key("oct", random_secret(length) if secret is None else secret, kid, alg)


def jwks(*keys):
    """A key set of Keys and ready JWK objects."""
    return {"keys": [k.jwk() if isinstance(k, Key) else k for k in keys]}


# -- changing a finished token ---------------------------------------------------------------------

def with_segment(token, index, text):
    parts = token.split(".")
    parts[index] = text
    return ".".join(parts)


def with_bad_signature(token):
    """One character in the middle of the signature changed."""
    head, signature = token.rsplit(".", 1)
    at = len(signature) // 2
    other = "A" if signature[at] != "A" else "B"
    return head + "." + signature[:at] + other + signature[at + 1:]


def with_other_tail_bits(segment):
    """The same bytes, spelt with unused bits set in the last character; None where none exist."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    if len(segment) % 4 not in (2, 3):
        return None
    return segment[:-1] + alphabet[alphabet.index(segment[-1]) | 1]


def es256_other_s(token):
    """The other valid signature of an ES256 token: s replaced by n - s."""
    head, signature = token.rsplit(".", 1)
    raw = unb64(signature)
    s = P256_ORDER - int.from_bytes(raw[32:], "big")
    return head + "." + b64(raw[:32] + s.to_bytes(32, "big"))
