#!/usr/bin/python3
"""Makes what a benchmark needs of tokens, in one folder: a key pair, the public half as PEM and as JWKS, and tokens.

    tokens.txt    distinct good tokens, one a line
    never.txt     as many again, for runs in which a token must be new to the proxy (only with --never-seen)
    forged.txt    one good token with another's signature
    forgeries.txt every good token with a signature that was changed (only with --forgeries)
    expired.txt   one that ended an hour ago
    jwks.json, public.pem, issuer.txt, audience.txt

The private key is not kept.
"""
import argparse
import base64
import json
import os
import time
import uuid

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

ISSUER = "https://idp.bench.example/realms/bench"
AUDIENCE = "bench"
KID = "bench-1"


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def number(value, size=None):
    return b64(value.to_bytes(size or (value.bit_length() + 7) // 8, "big"))


class Signer:
    def __init__(self, algorithm):
        self.algorithm = algorithm
        if algorithm == "RS256":
            self.key = rsa.generate_private_key(65537, 2048)
        elif algorithm == "ES256":
            self.key = ec.generate_private_key(ec.SECP256R1())
        else:
            self.key = ed25519.Ed25519PrivateKey.generate()

    def sign(self, data):
        if self.algorithm == "RS256":
            return self.key.sign(data, padding.PKCS1v15(), hashes.SHA256())
        if self.algorithm == "ES256":
            r, s = decode_dss_signature(self.key.sign(data, ec.ECDSA(hashes.SHA256())))
            return r.to_bytes(32, "big") + s.to_bytes(32, "big")
        return self.key.sign(data)

    def jwk(self):
        public = self.key.public_key()
        common = {"kid": KID, "use": "sig", "alg": self.algorithm}
        if self.algorithm == "RS256":
            numbers = public.public_numbers()
            return {"kty": "RSA", "n": number(numbers.n), "e": number(numbers.e), **common}
        if self.algorithm == "ES256":
            numbers = public.public_numbers()
            return {"kty": "EC", "crv": "P-256", "x": number(numbers.x, 32), "y": number(numbers.y, 32), **common}
        raw = public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        return {"kty": "OKP", "crv": "Ed25519", "x": b64(raw), **common}

    def pem(self):
        return self.key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def claims(now, roles):
    """What an identity provider's access token usually holds."""
    return {
        "exp": now + 86400, "iat": now, "jti": str(uuid.uuid4()), "iss": ISSUER, "aud": [AUDIENCE, "account"],
        "sub": str(uuid.uuid4()), "azp": "bench-client", "sid": str(uuid.uuid4()), "scope": "openid profile email",
        "email_verified": True, "preferred_username": "user-" + uuid.uuid4().hex[:8], "realm_access": {"roles": roles},
    }


def token(signer, payload):
    header = {"alg": signer.algorithm, "typ": "at+jwt", "kid": KID}
    head = b64(json.dumps(header, separators=(",", ":")).encode())
    body = b64(json.dumps(payload, separators=(",", ":")).encode())
    return f"{head}.{body}.{b64(signer.sign(f'{head}.{body}'.encode()))}"


def forgery(good):
    """The token with some of its signature's bytes flipped: not the first, so that an RSA signature stays below its modulus
    and costs what a good one does; and written as canonical base64url, so that it is not refused for its form."""
    signed, _, signature = good.rpartition(".")
    raw = bytearray(base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4)))
    for place in range(len(raw) // 2, len(raw) // 2 + 4):
        raw[place] ^= 0x5A
    return f"{signed}.{b64(bytes(raw))}"


def roles_for(signer, now, size):
    """Roles enough that a token has about the size asked for."""
    roles = ["user"]
    while len(token(signer, claims(now, roles))) + 20 < size:
        roles.append(f"role-{len(roles):02}-xyz")
    return roles


def write(folder, name, text):
    with open(os.path.join(folder, name), "w", encoding="ascii") as file:
        file.write(text)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--algorithm", choices=("RS256", "ES256", "EdDSA"), default="RS256")
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--size", type=int, default=1024, help="bytes a token, about")
    parser.add_argument("--never-seen", type=int, default=0)
    parser.add_argument("--forgeries", action="store_true")
    parser.add_argument("folder")
    options = parser.parse_args()
    os.makedirs(options.folder, exist_ok=True)

    signer, now = Signer(options.algorithm), int(time.time())
    roles = roles_for(signer, now, options.size)
    good = [token(signer, claims(now, roles)) for _ in range(options.count)]
    other = token(signer, claims(now, roles))
    expired = claims(now, roles) | {"iat": now - 7200, "exp": now - 3600}
    write(options.folder, "tokens.txt", "".join(line + "\n" for line in good))
    write(options.folder, "forged.txt", good[0].rsplit(".", 1)[0] + "." + other.rsplit(".", 1)[1] + "\n")
    write(options.folder, "expired.txt", token(signer, expired) + "\n")
    write(options.folder, "jwks.json", json.dumps({"keys": [signer.jwk()]}))
    write(options.folder, "public.pem", signer.pem().decode())
    write(options.folder, "issuer.txt", ISSUER)
    write(options.folder, "audience.txt", AUDIENCE)
    if options.forgeries:
        write(options.folder, "forgeries.txt", "".join(forgery(one) + "\n" for one in good))
    if options.never_seen:
        write(options.folder, "never.txt", "".join(token(signer, claims(now, roles)) + "\n" for _ in range(options.never_seen)))
    print(f"tokens: {len(good)} {options.algorithm}, {min(map(len, good))} to {max(map(len, good))} bytes, in {options.folder}")


if __name__ == "__main__":
    main()
