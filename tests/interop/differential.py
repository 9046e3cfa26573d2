#!/usr/bin/python3
"""Signet beside a second implementation: mutated tokens, each judged by it and by Debian's python3-jwcrypto.

    sh tests/interop/differential.sh     # installs what this needs, then runs it

A token that Signet admits and jwcrypto refuses is a failure; so is one that both admit but read differently.
A token that jwcrypto admits and Signet refuses needs a cause among CAUSES that holds for this very token, with
Signet's reason and in a kind of mutation that is named there; else it is a failure too. With a failure the token
is printed, and at the end the keys.

The seed fixes which mutations are made. Keys and signatures are new each time, and the times are of today.

jwcrypto is set as strictly as it goes: a list of algorithms, a key set by kid, `iss`, `aud` and `exp` demanded, `nbf`
checked where it stands. What it leaves to its caller, Caller adds: the header's `typ`, as jwcrypto has read it. Not
demanded, for Signet's documentation does not: that `nbf`, `iat`, `jti`, `kid` or `typ` are there, or ECDSA's lower s.
Not tried: `Ed25519` as a name in `alg`, which Signet takes for EdDSA (RFC 9864, younger than this jwcrypto), and what
no HTTP header can carry. Whatever jwcrypto raises, a crash too, counts as a refusal.
"""

import argparse
import base64
import collections
import contextlib
import functools
import hashlib
import itertools
import json
import multiprocessing
import os
import random
import re
import resource
import string
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

from cryptography.hazmat.primitives import hashes  # noqa: E402
from cryptography.hazmat.primitives.asymmetric import ec, padding, utils  # noqa: E402
from jwcrypto.common import JWException  # noqa: E402
from jwcrypto.jwk import JWK, JWKSet  # noqa: E402
from jwcrypto.jwt import JWT  # noqa: E402
from signet import Signet  # noqa: E402
from tokens import (P256_ORDER, b64, compact, ec_key, ed_key, hs_signature, jwks, oct_key, rsa_key,  # noqa: E402
                    unb64)
from upstream import RecordingUpstream  # noqa: E402
from wire import Connection, Ended, request  # noqa: E402

ISSUER, SECRET_ISSUER, AUDIENCE = "https://idp.example/realms/one", "https://idp.example/secret", "orders-api"
ALGORITHMS = ["RS256", "PS256", "ES256", "ES384", "ES512", "EdDSA"]
TYPES, SKEW, MOST = ("jwt", "at+jwt"), 30, 16 << 10
BATCH, WINDOW = 500, 16     # tokens that are made together; requests on the connection without an answer
ORDERS = {
    "ES256": P256_ORDER,
    "ES384": (((1 << 192) - 1) << 192) + 0xc7634d81f4372ddf581a0db248b0a77aecec196accc52973,
    "ES512": (((1 << 261) - 1) << 260) + 0xa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409}
ED25519_ORDER = (1 << 252) + 27742317777372353535851937790883648493
# What both must read alike where both admit: the claim, and the header in which Signet passes it on as JSON.
READ = {"sub": "X-Auth-Sub", "jti": "X-Auth-Jti", "iss": "X-Auth-Iss", "aud": "X-Auth-Aud", "exp": "X-Auth-Exp",
        "extra": "X-Auth-Extra", "email": "X-Auth-Email"}


# -- jwcrypto ------------------------------------------------------------------------------------------

class Caller:
    """What a careful program makes of jwcrypto."""

    def __init__(self, key_set, secret):
        self.issuers = [(ISSUER, JWKSet.from_json(key_set), ALGORITHMS),
                        (SECRET_ISSUER, JWK(kty="oct", k=secret), ["HS256"])]

    def judge(self, token):
        """The claims as JSON, or None, with what was raised. Admitted is what one issuer's settings admit."""
        raised = []
        for issuer, keys, algorithms in self.issuers:
            try:
                return json.dumps(self._claims(token, issuer, keys, algorithms)), None
            except (JWException, ValueError) as error:
                raised.append(repr(error)[:300])
            except Exception as error:  # jwcrypto raises whatever comes its way
                raised.append("crash: " + repr(error)[:300])
        return None, raised

    @staticmethod
    def _claims(token, issuer, keys, algorithms):
        def verified(**also):
            checked = JWT(algs=algorithms, check_claims={"iss": issuer, "aud": AUDIENCE, "exp": None, **also})
            checked.leeway = SKEW
            checked.deserialize(token, keys)
            return checked

        found = verified()
        claims = json.loads(found.claims)
        if "nbf" in claims:     # named at once, jwcrypto would demand it
            verified(nbf=None)
        kind = json.loads(found.header).get("typ", "JWT").lower()
        if kind.removeprefix("application/") not in TYPES:
            raise JWException("typ")
        return {name: claims[name] for name in READ if name in claims}


def serve_judgements(pipe, other_end, key_set, secret):
    """The process of its own in which jwcrypto judges one list of tokens after the other, until there is none."""
    other_end.close()
    caller = Caller(key_set, secret)
    with contextlib.suppress(EOFError):     # something has failed on the other side
        while (tokens := pipe.recv()) is not None:
            pipe.send([caller.judge(token) for token in tokens])
        pipe.send(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


# -- Signet --------------------------------------------------------------------------------------------

def tell_claims(exchange):
    """The upstream's answer: the claims as Signet passed them on."""
    said = {claim: exchange.request.header(name) for claim, name in READ.items()}
    exchange.answer(200, [], json.dumps(said).encode())


class Asker:
    """One keep-alive connection to Signet, which is opened again where Signet has ended it."""

    def __init__(self, port):
        self.port, self.wire, self.opened = port, None, 0

    def ask(self, tokens):
        """Yields (claims as JSON or None, reason) for each."""
        requests = [request("GET", "/", token=token.encode("latin-1")) for token in tokens]
        at = 0
        while at < len(requests):
            if self.wire is None:
                self.wire, self.opened = Connection(self.port), self.opened + 1
            window = requests[at:at + WINDOW]
            if not self.wire.try_send(b"".join(window)):
                self.close()
                continue
            for _ in window:
                try:
                    answer = self.wire.answer()
                except Ended:
                    raise AssertionError("no answer to %r" % requests[at]) from None
                at += 1
                yield (answer.body, None) if answer.status == 200 else (None, answer.code or str(answer.status))
                if answer.closes:   # what was sent behind it was not looked at
                    self.close()
                    break

    def close(self):
        if self.wire is not None:
            self.wire.close()
        self.wire = None


# -- tokens --------------------------------------------------------------------------------------------

class Signer:
    """A key, the issuer that has it, and a stock of good tokens."""

    def __init__(self, key, issuer, now):
        self.key, self.issuer, self.now, self.alg = key, issuer, now, key.alg
        self.stock = []

    def header(self):
        """Members as [name, value], both JSON texts."""
        found = [['"alg"', json.dumps(self.alg)], ['"typ"', '"JWT"']]
        return found + ([['"kid"', json.dumps(self.key.kid)]] if self.key.kid else [])

    def claims(self, rng):
        return [['"iss"', json.dumps(self.issuer)], ['"sub"', '"user-%d"' % rng.randrange(1000)],
                ['"aud"', '"%s"' % AUDIENCE], ['"iat"', str(self.now - rng.randrange(60, 600))],
                ['"exp"', str(self.now + rng.randrange(3600, 36000))], ['"jti"', '"%032x"' % rng.getrandbits(128)]]

    def sign(self, header, claims, alg=None):
        """header and claims: members, or bytes as they are."""
        return compact(as_bytes(header), as_bytes(claims), lambda data: self.key.sign(data, alg))


def as_bytes(members):
    return members if isinstance(members, bytes) else encoded(
        "{" + ",".join(name + ":" + value for name, value in members) + "}")


def encoded(text):
    return text.encode("utf-8", "surrogatepass")


def with_member(members, name, value):
    """One member replaced, added, or left out where the value is None."""
    name = json.dumps(name)
    kept = [[n, value if n == name else v] for n, v in members if n != name or value is not None]
    return kept if value is None or any(n == name for n, _ in kept) else kept + [[name, value]]


class World:
    """All signers, and the generator of random numbers that decides everything."""

    def __init__(self, seed):
        self.seed, self.rng, self.now = seed, random.Random(seed), int(time.time())
        keys = [rsa_key("rs", "RS256"), rsa_key("ps", "PS256"), ec_key("es256", "ES256"),
                ec_key("es384", "ES384", "P-384"), ec_key("es512", "ES512", "P-521"), ed_key("ed", "EdDSA")]
        self.secret = oct_key(alg="HS256")
        self.key_set = jwks(*keys)
        self.signers = [Signer(key, ISSUER, self.now) for key in keys]
        self.signers.append(Signer(self.secret, SECRET_ISSUER, self.now))
        for signer in self.signers:
            signer.stock = [signer.sign(signer.header(), signer.claims(self.rng)) for _ in range(24)]
        self.strangers = [rsa_key(), ec_key(), ed_key()]
        # The cheap ones sign most of what is signed anew.
        self.cheap = [self.signers[i] for i in (0, 1, 2, 2, 2, 3, 4, 5, 5, 5, 5, 6, 6, 6, 6)]

    def signer(self):
        return self.rng.choice(self.cheap)

    def token(self):
        return self.rng.choice(self.rng.choice(self.signers).stock)


# -- mutations -----------------------------------------------------------------------------------------
# Each takes the world and gives (name, token); the token is text of the characters U+0000 to U+00FF.

PARTS = ("header", "payload", "signature")
B64URL = string.ascii_letters + string.digits + "-_"


def unchanged(world):
    signer = world.signer()
    return "as made", signer.sign(signer.header(), signer.claims(world.rng))


def flip(world):
    """A bit or a byte of the text."""
    rng, token = world.rng, world.token()
    parts = token.split(".")
    index = rng.randrange(3)
    at = rng.choice([0, len(parts[index]) - 1, rng.randrange(len(parts[index]))])
    at += sum(len(p) + 1 for p in parts[:index])
    kind = rng.choice(("bit", "byte", "base64url"))
    if kind == "bit":
        new = chr(ord(token[at]) ^ 1 << rng.randrange(8))
    else:
        new = chr(rng.randrange(256)) if kind == "byte" else rng.choice(B64URL)
    return "%s of the %s" % (kind, PARTS[index]), token[:at] + new + token[at + 1:]


def spelling(world):
    """The same bytes, or nearly, written in another base64."""
    rng, parts = world.rng, world.token().split(".")
    index = rng.randrange(3)
    part = parts[index]
    kind = rng.choice(("padding", "too much padding", "tail bits", "other alphabet", "white space", "foreign character",
                       "inner padding", "mixed alphabet"))
    inside = rng.randrange(1, len(part))
    if kind == "padding":
        new = part + "=" * (-len(part) % 4 or 4)
    elif kind == "too much padding":
        new = part + "=" * rng.randrange(1, 9)
    elif kind == "tail bits":
        new = part[:-1] + B64_ORDER[B64_ORDER.index(part[-1]) ^ rng.randrange(1, 16)]
    elif kind == "other alphabet":
        new = part.replace("-", "+").replace("_", "/")
    elif kind == "mixed alphabet":
        at = [m.start() for m in re.finditer("[-_]", part)] or [inside]
        at = rng.choice(at)
        new = part[:at] + {"-": "+", "_": "/"}.get(part[at], "+") + part[at + 1:]
    else:
        what = {"white space": (" ", "\t", "    ", " " * 3), "inner padding": ("=", "==", "===="),
                "foreign character": ("!", "%3D", "~" * 4, "\xa0", "\xff" * 4, "*" * 2, ",,,,", '"')}[kind]
        new = part[:inside] + rng.choice(what) + part[inside:]
    parts[index] = new
    return "%s in the %s" % (kind, PARTS[index]), ".".join(parts)


B64_ORDER = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"


def cut(world):
    rng, token = world.rng, world.token()
    parts = token.split(".")
    index = rng.randrange(3)
    kind = rng.choice(("the whole", "the end of a part", "the start of a part", "the middle of a part"))
    if kind == "the whole":
        return kind, token[:rng.randrange(1, len(token))]
    length = rng.choice([1, 2, 3, 4, rng.randrange(1, len(parts[index]) + 1)])
    start = {"the end of a part": len(parts[index]) - length, "the start of a part": 0}.get(
        kind, rng.randrange(len(parts[index])))
    parts[index] = parts[index][:max(start, 0)] + parts[index][max(start, 0) + length:]
    return kind, ".".join(parts)


def dots(world):
    rng, token = world.rng, world.token()
    a, b, c = token.split(".")
    other = world.token().split(".")
    kind, new = rng.choice([
        ("one more at a random place", insert(token, rng.randrange(len(token)), ".")),
        ("an empty part", rng.choice([".".join(p) for p in ((a, b, ""), (a, "", c), ("", b, c), ("", "", c), ("", "", ""),
                                                           (a, "", ""))])),
        ("four or five parts", ".".join([a, b, c] + other[:rng.randrange(1, 3)])),
        ("two parts", rng.choice([a + "." + b, a + b + "." + c, a + "." + b + c])),
        ("one part", rng.choice([a + b + c, a, c])),
        ("at an end", rng.choice(["." + token, token + ".", token + "..", ".." + token])),
        ("doubled", rng.choice([a + ".." + b + "." + c, a + "." + b + ".." + c])),
        ("two tokens", token + rng.choice([".", ",", " ", ", ", ";"]) + ".".join(other))])
    return kind, new


def insert(text, at, what):
    return text[:at] + what + text[at:]


def swap(world):
    """Parts of two or three tokens."""
    rng = world.rng
    kind = rng.choice(("of one key", "of any keys", "in another order"))
    if kind == "of one key":
        stock = rng.choice(world.signers).stock
        tokens = [rng.choice(stock).split(".") for _ in range(3)]
    else:
        tokens = [world.token().split(".") for _ in range(3)]
    order = rng.sample(range(3), 3) if kind == "in another order" else range(3)
    return kind, ".".join(tokens[i][part] for i, part in enumerate(order))


def signature(world):
    """Other bytes for a signature, in flawless base64url."""
    rng = world.rng
    signer = rng.choice(world.signers)
    head, text = rng.choice(signer.stock).rsplit(".", 1)
    raw = unb64(text)
    at = rng.randrange(len(raw))
    general = [
        ("a bit", raw[:at] + bytes([raw[at] ^ 1 << rng.randrange(8)]) + raw[at + 1:]),
        ("a byte", raw[:at] + rng.randbytes(1) + raw[at + 1:]),
        ("random", rng.randbytes(len(raw))), ("random length", rng.randbytes(rng.randrange(0, 600))),
        ("zeros", bytes(len(raw))), ("ones", b"\xff" * len(raw)),
        ("zeros before", bytes(rng.randrange(1, 9)) + raw), ("zeros behind", raw + bytes(rng.randrange(1, 9))),
        ("cut short", raw[:at]), ("start cut off", raw[at + 1:]), ("twice", raw + raw), ("backwards", raw[::-1])]
    special = {"RS256": rsa_signatures, "PS256": rsa_signatures, "EdDSA": ed_signatures, "HS256": mac_signatures}.get(
        signer.alg, ec_signatures)
    if rng.random() < 0.3:
        kind, new = rng.choice(general)
    else:
        kind, new = special(rng, signer, head.encode(), raw)
    return kind, head + "." + b64(new)


def ec_signatures(rng, signer, _, raw):
    order, size = ORDERS[signer.alg], len(raw) // 2
    r, s = (int.from_bytes(half, "big") for half in (raw[:size], raw[size:]))
    edge = [0, 1, 2, order - 2, order - 1, order, order + 1, (1 << 8 * size) - 1]

    def halves(r, s, extra=0):
        return r.to_bytes(size + extra, "big") + s.to_bytes(size + extra, "big")

    room = (1 << 8 * size) - 1
    return rng.choice([
        ("ECDSA: n - s", halves(r, order - s)),
        ("ECDSA: r or s at an edge", rng.choice([halves(rng.choice(edge), s), halves(r, rng.choice(edge))])),
        ("ECDSA: r and s at an edge", halves(rng.choice(edge), rng.choice(edge))),
        ("ECDSA: n + r or n + s", rng.choice([halves(min(r + order, room), s), halves(r, min(s + order, room)),
                                              halves(r + order, s + order, 1), halves(r, s + order, 1)])),
        ("ECDSA: n - r", halves(order - r, s)), ("ECDSA: r and s changed over", halves(s, r)),
        ("ECDSA: DER", utils.encode_dss_signature(r, s)),
        ("ECDSA: longer halves", halves(r, s, rng.randrange(1, 40))),
        ("ECDSA: one half longer", rng.choice([bytes(1) + raw, raw[:size] + bytes(1) + raw[size:]])),
        ("ECDSA: no leading zeros", raw.lstrip(b"\0") if raw[0] == 0 else raw[1:]),
        ("ECDSA: an odd length", raw[:-1])])


def rsa_signatures(rng, signer, data, raw):
    numbers = signer.key.private.private_numbers()
    n, d, size = numbers.public_numbers.n, numbers.d, len(raw)
    value = int.from_bytes(raw, "big")
    edge = rng.choice([0, 1, 2, n - 1, n, n + 1, (1 << 8 * size) - 1])
    digest = hashlib.sha256(data).digest()
    info = bytes.fromhex("3031300d060960864801650304020105000420") + digest
    shorter = bytes.fromhex("302f300b0609608648016503040201") + b"\x04\x20" + digest

    def padded(what, behind=b"", kind=1, fill=b"\xff"):
        return bytes([0, kind]) + fill * (size - 3 - len(what) - len(behind)) + b"\0" + what + behind

    def raised(block):
        return pow(int.from_bytes(block, "big") % n, d, n).to_bytes(size, "big")

    salts = [0, 8, 20, 31, 33, 64, size - 32 - 2]
    choices = [
        ("RSA: an edge", edge.to_bytes(size, "big")),
        ("RSA: n - s", (n - value).to_bytes(size, "big")),
        ("RSA: n + s", (n + value).to_bytes(size + 1, "big").removeprefix(b"\0")),
        ("RSA: leading zeros", bytes(rng.randrange(1, 300)) + raw),
        ("RSA: no leading zeros", raw.lstrip(b"\0") if raw[0] == 0 else raw[1:]),
        ("RSA: a padding of its own", raised(rng.choice([
            padded(info, rng.randbytes(rng.randrange(1, 100))), padded(info, kind=2), padded(info, kind=0, fill=b"\0"),
            padded(shorter), padded(digest), padded(info, fill=b"\xfe"), bytes([0, 1]) + b"\xff" * 8 + b"\0" + info + bytes(
                size - 11 - len(info)), bytes(size - len(digest)) + digest, info.rjust(size, b"\0")]))),
        ("RSA: the other padding", signer.key.sign(data, "PS256" if signer.alg == "RS256" else "RS256")),
        ("RSA: another hash", signer.key.sign(data, signer.alg[:2] + rng.choice(["384", "512"]))),
    ]
    if signer.alg == "PS256":
        choices += [
            ("PSS: another salt", signer.key.private.sign(
                data, padding.PSS(padding.MGF1(hashes.SHA256()), rng.choice(salts)), hashes.SHA256())),
            ("PSS: another mask", signer.key.private.sign(
                data, padding.PSS(padding.MGF1(rng.choice([hashes.SHA1, hashes.SHA384, hashes.SHA512])()), 32),
                hashes.SHA256()))] * 3
    return rng.choice(choices)


def ed_signatures(rng, _signer, _, raw):
    s = int.from_bytes(raw[32:], "little")
    small = [bytes([1]) + bytes(31), bytes(32), b"\xec" + b"\xff" * 30 + b"\x7f", b"\xed" + b"\xff" * 30 + b"\x7f",
             b"\xee" + b"\xff" * 30 + b"\x7f", b"\xff" * 32, bytes(31) + b"\x80"]
    times = rng.randrange(1, 15)
    return rng.choice([
        ("EdDSA: s + k * L", raw[:32] + (s + times * ED25519_ORDER).to_bytes(32, "little")),
        ("EdDSA: s at an edge", raw[:32] + rng.choice([0, 1, ED25519_ORDER - 1, ED25519_ORDER, ED25519_ORDER + 1])
         .to_bytes(32, "little")),
        ("EdDSA: a small R", rng.choice(small) + rng.choice([raw[32:], bytes(32)])),
        ("EdDSA: R's sign", raw[:31] + bytes([raw[31] ^ 0x80]) + raw[32:]),
        ("EdDSA: L - s", raw[:32] + (ED25519_ORDER - s).to_bytes(32, "little"))])


def mac_signatures(rng, signer, data, raw):
    secret = signer.key.private
    return rng.choice([
        ("HMAC: cut short", raw[:rng.randrange(0, 32)]),
        ("HMAC: another hash", hs_signature(secret, data, rng.choice(["384", "512"]))),
        ("HMAC: another hash, cut", hs_signature(secret, data, "512")[:32]),
        ("HMAC: no key", hs_signature(b"", data)), ("HMAC: the secret's text", hs_signature(b64(secret).encode(), data)),
        ("HMAC: a key with zeros behind", hs_signature(secret + bytes(rng.randrange(1, 32)), data)),
        ("HMAC: hexadecimal", raw.hex().encode()), ("HMAC: the secret", secret)])


# -- headers, signed anew

JUNK = ["null", "true", "false", "0", "1", "-1", "1.5", '""', '"x"', "[]", "{}", "[null]", '["x"]', '{"x":1}', "[[]]"]


def header_member(world):
    rng, signer = world.rng, world.signer()
    header, claims = signer.header(), signer.claims(rng)
    kind = rng.choice(("alg", "alg", "crit", "b64", "typ", "typ", "kid", "kid", "keys", "cty", "twice", "further"))
    name, change = {"alg": header_alg, "crit": header_crit, "b64": header_b64, "typ": header_typ, "kid": header_kid,
                    "keys": header_keys, "cty": header_cty, "twice": header_twice, "further": header_further}[kind](
                        rng, world, signer, header, claims)
    return "%s: %s" % (kind, name), change if isinstance(change, str) else signer.sign(change, claims)


def header_alg(rng, world, signer, header, claims):
    def named(alg):
        return with_member(header, "alg", json.dumps(alg))

    public = world.rng.choice(world.signers[:6]).key
    shared = rng.choice([public.public_pem(), public.public_pem().strip(), public.public_der(),
                         json.dumps(public.jwk()).encode(), unb64(public.jwk().get("n", public.jwk().get("x"))), b""])
    bits = rng.choice(["256", "384", "512"])
    confused = with_member(with_member(header, "alg", '"HS%s"' % bits), "kid", rng.choice([None, json.dumps(public.kid)]))
    none = as_bytes(named(rng.choice(["none", "None", "NONE", "nOnE", "none "])))
    # Its own key, but by another algorithm that it can do.
    able = {"RSA": ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"], "EC": ["ES256", "ES384", "ES512"],
            "OKP": ["EdDSA"], "oct": ["HS256", "HS384", "HS512"]}[signer.key.kty]
    other = rng.choice(able)
    return rng.choice([
        ("none", rng.choice([compact(none, as_bytes(claims), lambda data: b""), none])),
        ("a public key as the secret", compact(as_bytes(confused), as_bytes(claims),
                                               lambda data: hs_signature(shared, data, bits))),
        ("another of the key", signer.sign(named(other), claims, other)),
        ("another in name only", named(rng.choice(ALGORITHMS + ["HS256", "ES256K", "RS384", "PS512", "HS512"]))),
        ("in other letters", named(rng.choice([signer.alg.lower(), signer.alg + " ", " " + signer.alg, signer.alg + "\0",
                                              signer.alg.swapcase(), signer.alg[:-1]]))),
        ("no string", with_member(header, "alg", rng.choice(JUNK + ['["%s"]' % signer.alg]))),
        ("absent", with_member(header, "alg", None))])


def header_crit(rng, _world, signer, header, _claims):
    value = rng.choice(JUNK + ['["alg"]', '["kid"]', '["typ"]', '["exp"]', '["b64"]', '["x"]', '["alg","alg"]', '["crit"]',
                               '["b64","x"]', '"alg"', '["jwk"]', '[""]', '[1]'])
    header = with_member(header, "crit", value)
    if rng.random() < 0.5:
        header = with_member(header, rng.choice(["x", "b64", "exp"]), rng.choice(["true", "false", "1"]))
    return value, header


def header_b64(rng, _world, signer, header, claims):
    value = rng.choice(["true", "false", "false", "false"] + JUNK)
    header = with_member(header, "b64", value)
    if rng.random() < 0.5:
        return value + " without crit", header
    header = with_member(header, "crit", '["b64"]')
    if value != "false":
        return value, header
    # As RFC 7797 signs it, with the payload encoded or as it is.
    payload = as_bytes(claims)
    data = b64(as_bytes(header)).encode() + b"." + payload
    end = "." + b64(signer.key.sign(data))
    return "false, signed so", b64(as_bytes(header)) + "." + rng.choice([b64(payload), payload.decode()]) + end


def header_typ(rng, _world, _signer, header, _claims):
    value = rng.choice([None, "jwt", "JWT", "Jwt", "at+jwt", "AT+JWT", "at+JWT", "application/jwt", "application/at+jwt",
                        "APPLICATION/JWT", "Application/At+Jwt", "JWS", "JOSE", "JOSE+JSON", "dpop+jwt", "logout+jwt",
                        "secevent+jwt", "id+jwt", "", "application/", "JWT ", " JWT", "text/jwt", "/jwt", "jwt;x=1",
                        "application/application/jwt", "application/x/jwt", "JWT\0", "J\u0057T", "\u212aWT", "JWT,at+jwt",
                        "at jwt", "at%2Bjwt", "appl\u0131cation/jwt", "APPL\u0130CATION/JWT", "\uff2aWT"])
    if rng.random() < 0.25:
        return "no string", with_member(header, "typ", rng.choice(JUNK + ['["JWT"]', '{"JWT":1}']))
    return ascii(value), with_member(header, "typ", value if value is None else json.dumps(value))


def header_kid(rng, world, signer, header, claims):
    kid = signer.key.kid or "x"
    value = rng.choice([
        None, "", kid.upper(), kid + " ", " " + kid, kid + "\0", "../" + kid, "/dev/null", "' OR 1=1 --", kid + "#", kid[:-1],
        kid * 50, "\u00e9" + kid, "https://evil.example/" + kid])
    stranger = rng.choice(world.strangers)
    return rng.choice([
        ("absent", with_member(header, "kid", None)),
        ("another spelling", with_member(header, "kid", value if value is None else json.dumps(value))),
        ("another key's", with_member(header, "kid", json.dumps(rng.choice(world.signers[:6]).key.kid))),
        ("no string", with_member(header, "kid", rng.choice(JUNK + ['["%s"]' % kid]))),
        ("escaped", with_member(header, "kid", '"\\u%04x%s"' % (ord(kid[0]), kid[1:]))),
        ("a stranger's signature", compact(as_bytes(with_member(header, "alg", json.dumps(stranger.default_alg()))),
                                           as_bytes(claims), stranger.sign))])


def header_keys(rng, world, signer, header, claims):
    """A key, or where to fetch one, in the header."""
    stranger = rng.choice(world.strangers)
    forged = rng.random() < 0.5
    jwk = json.dumps((stranger if forged else rng.choice(world.signers[:6]).key).jwk())
    member = rng.choice([("jwk", jwk), ("jku", '"http://127.0.0.1:9/jwks"'), ("x5u", '"http://127.0.0.1:9/pem"'),
                         ("x5c", '["%s"]' % base64.b64encode(rng.randbytes(90)).decode()), ("x5t", '"%s"' % b64(bytes(20))),
                         ("x5t#S256", '"%s"' % b64(bytes(32))), ("jwk", rng.choice(JUNK)), ("jku", rng.choice(JUNK)),
                         ("x5c", rng.choice(JUNK))])
    header = with_member(header, *member)
    if not forged:
        return member[0] + ", well signed", header
    header = with_member(header, "alg", json.dumps(stranger.default_alg()))
    header = with_member(header, "kid", rng.choice([None, '"new"', json.dumps(signer.key.kid or "rs")]))
    return member[0] + ", signed by its key", compact(as_bytes(header), as_bytes(claims), stranger.sign)


def header_cty(rng, _world, _signer, header, _claims):
    value = rng.choice(['"JWT"', '"jwt"', '"application/jwt"', '"json"'] + JUNK)
    return value, with_member(header, "cty", value)


def header_twice(rng, _world, _signer, header, _claims):
    name = rng.choice(['"alg"', '"kid"', '"typ"', '"\\u0061lg"', '"x"'])
    value = rng.choice(['"none"', '"HS256"', '"RS256"', '"ed"', '"x"', dict(header).get(name, "1")])
    more = [[name, value]] * (2 if name == '"x"' else 1)
    return name, rng.choice([header + more, more + header])


def header_further(rng, _world, _signer, header, _claims):
    name = rng.choice(["zip", "enc", "epk", "iss", "aud", "exp", "nonce", "x", "", "ALG", "Kid", "Crit", "constructor"])
    return name, with_member(header, name, some_json(rng))


# -- claims, signed anew

TIMES = ["0", "-0", "-0.0", "1", "-1", "0.5", "1e0", "1e10", "4e9", "1e308", "1e400", "-1e400", "1e-400", "253402300799",
         "253402300799.5", "253402300800", "9223372036854775807", "9223372036854775808", "18446744073709551615",
         "18446744073709551616", "1" + "0" * 400, "NaN", "Infinity", "-Infinity", "0x10", "01", "+1", "1.", ".5", "1e", "--1"]


def claims_member(world):
    rng, signer = world.rng, world.signer()
    claims = signer.claims(rng)
    kind = rng.choice(("time", "time", "aud", "aud", "iss", "names", "id", "twice", "extra", "extra", "extra", "shape"))
    name, change = {"time": claim_time, "aud": claim_aud, "iss": claim_iss, "names": claim_names, "id": claim_id,
                    "twice": claim_twice, "extra": claim_extra, "shape": claims_shape}[kind](rng, signer, claims)
    return "%s: %s" % (kind, name), signer.sign(signer.header(), change)


def claim_time(rng, signer, claims):
    """Nothing within ten minutes of what decides: the two are not asked in the same moment."""
    name = rng.choice(["exp", "exp", "nbf", "iat"])
    near = signer.now + rng.choice([-1, 1]) * rng.randrange(600 + SKEW, 10 ** rng.randrange(4, 9))
    kind, value = rng.choice([
        ("another time", str(near)), ("a fraction", "%d.%d" % (near, rng.randrange(10 ** 6))),
        ("an exponent", "%de-3" % (near * 1000)), ("a string", '"%d"' % near), ("an odd number", rng.choice(TIMES)),
        ("an odd number", rng.choice(TIMES)), ("an odd string", '"%s"' % rng.choice(TIMES + ["", " ", "now", "2030-01-01"])),
        ("no number", rng.choice(JUNK)), ("an array", "[%d]" % near), ("absent", None),
        ("milliseconds", str(near * 1000))])
    return name + ", " + kind, with_member(claims, name, value)


def claim_aud(rng, _signer, claims):
    variants = [AUDIENCE.upper(), AUDIENCE + " ", " " + AUDIENCE, AUDIENCE + "\0", AUDIENCE[:-1], AUDIENCE + "x", "", "*",
                AUDIENCE + "," + AUDIENCE, AUDIENCE + " other", "https://" + AUDIENCE, "orders\u2010api", "other"]
    kind = rng.choice(("another", "an array with it", "an array without it", "a mixed array", "no string", "absent",
                       "in other clothes"))
    some = [json.dumps(rng.choice(variants)) for _ in range(rng.randrange(0, 5))]
    if kind == "another":
        value = json.dumps(rng.choice(variants))
    elif kind == "an array without it":
        value = "[" + ",".join(some) + "]"
    elif kind in ("an array with it", "a mixed array"):
        some.insert(rng.randrange(len(some) + 1), '"%s"' % AUDIENCE)
        if kind == "a mixed array":
            some.insert(rng.randrange(len(some) + 1), rng.choice(JUNK))
        value = "[" + ",".join(some) + "]"
    elif kind == "no string":
        value = rng.choice(JUNK)
    elif kind == "in other clothes":
        value = rng.choice(['[["%s"]]', '{"%s":1}', '[{"%s":1}]', '{"aud":"%s"}', '"[\\"%s\\"]"']) % AUDIENCE
    else:
        value = None
    return kind, with_member(claims, "aud", value)


def claim_iss(rng, signer, claims):
    own = signer.issuer
    variants = [own.upper(), own + "/", own[:-1], own + "\0", own + " ", own.replace("https", "http"), own + "#", own + "?",
                own.replace(".", "\u3002"), own.replace("/realms", "//realms"), own.replace("example", "example:443"), "",
                "https://evil.example", ISSUER if own != ISSUER else SECRET_ISSUER, own.replace("e", "\u0435", 1)]
    return rng.choice([
        ("another", with_member(claims, "iss", json.dumps(rng.choice(variants)))),
        ("escaped", with_member(claims, "iss", '"' + "".join("\\u%04x" % ord(c) for c in own) + '"')),
        ("no string", with_member(claims, "iss", rng.choice(JUNK))), ("absent", with_member(claims, "iss", None)),
        ("an array", with_member(claims, "iss", "[%s]" % json.dumps(own)))])


def claim_names(rng, _signer, claims):
    """Claims that must be strings."""
    name = rng.choice(["sub", "jti", "sid", "client_id", "azp", "typ", "email", "scope", "scp", "cid", "uti", "appid"])
    value = rng.choice(JUNK + [json.dumps(some_string(rng))] * 8)
    return name + (", a string" if value[0] == '"' else ", no string"), with_member(claims, name, value)


def claim_id(rng, _signer, claims):
    """What may say that this is another kind of token."""
    name, value = rng.choice([
        ("typ", rng.choice(['"ID"', '"Refresh"', '"Offline"', '"Logout"', '"id"', '"Bearer"', '"JWT"', '"ID "'])),
        ("token_use", rng.choice(['"id"', '"access"', '"ID"', '"refresh"'] + JUNK)),
        ("events", rng.choice(['{"http://schemas.openid.net/event/backchannel-logout":{}}'] + JUNK)),
        ("nonce", '"n"'), ("at_hash", '"n"'), ("cnf", '{"jkt":"x"}'), ("token_type", '"refresh"')])
    return name, with_member(claims, name, value)


def claim_twice(rng, signer, claims):
    name = rng.choice(["exp", "iss", "aud", "sub", "nbf", "x"])
    value = {"exp": str(signer.now + rng.choice([-9000, 90000])), "nbf": str(signer.now + rng.choice([-9000, 90000])),
             "iss": json.dumps(rng.choice([ISSUER, SECRET_ISSUER, "x"])), "aud": '"%s"' % rng.choice([AUDIENCE, "x"])}.get(
                 name, '"root"')
    spelled = rng.choice([json.dumps(name), '"\\u%04x%s"' % (ord(name[0]), name[1:])])
    if rng.random() < 0.3:
        inner = '{%s:1,"y":2,%s:3}' % (json.dumps(name), spelled)
        return "inside", with_member(claims, "extra", rng.choice(["%s", "[%s]", '{"z":%s}']) % inner)
    more = [[spelled, value]]
    return name, rng.choice([claims + more, more + claims]) + (more if name in ("nbf", "x") else [])


def claim_extra(rng, _signer, claims):
    """A claim that nobody checks, with anything in it."""
    kind = rng.choice(("any", "any", "any", "string", "number", "deep", "long", "lone surrogate"))
    if kind == "any":
        value = some_json(rng)
    elif kind == "string":
        value = some_string_text(rng)
    elif kind == "number":
        value = some_number(rng)
    elif kind == "deep":
        levels = rng.choice([10, 30, 31, 32, 33, 100, 1000, 3000])
        value = rng.choice(["[" * levels + "]" * levels, '{"a":' * levels + "1" + "}" * levels])
    elif kind == "long":
        value = '"%s"' % ("x" * rng.choice([1000, 6000, 12000, 14000, 16000, 20000]))
    else:
        value = rng.choice(['"\\ud800"', '"\\udc00\\ud800"', '"a\\udfffb"', '{"\\ud83d":1}', '"\ud800"', '"\\ud83d\\u0041"'])
    return kind, with_member(claims, rng.choice(["extra", "extra", "email"]), value)


def claims_shape(rng, _signer, claims):
    text = as_bytes(claims)
    kind, new = rng.choice([
        ("no object", rng.choice(JUNK + ["", " ", '"%s"' % ISSUER]).encode()), ("an array of it", b"[" + text + b"]"),
        ("a byte order mark", b"\xef\xbb\xbf" + text), ("UTF-16", rng.choice(["utf-16", "utf-16-le", "utf-16-be"])),
        ("a trailing comma", text[:-1] + b",}"), ("more behind", text + rng.choice([b"{}", b"}", b",", b"\0", b"x", b"//"])),
        ("white space", rng.choice([b" ", b"\r\n", b"\t"]) + text + rng.choice([b" ", b"\n", b"\t\t"])),
        ("odd white space", rng.choice([b"\x0b", b"\x0c", b"\xc2\xa0", b"\xe2\x80\xa8", b"\0"]) + text),
        ("single quotes", text.replace(b'"', b"'")), ("a comment", text[:-1] + b"/**/}"), ("cut", text[:-1]),
        ("an encoded string", json.dumps(text.decode()).encode()), ("names without quotes", text.replace(b'"sub"', b"sub")),
        ("white space between", text.replace(b",", b" ,\n").replace(b":", b" : "))])
    return kind, text.decode().encode(new) if isinstance(new, str) else new


def some_string(rng):
    kinds = [lambda: rng.choice(string.printable[:95]), lambda: chr(rng.randrange(0x20)), lambda: chr(rng.randrange(0x7f, 0xd800)),
             lambda: chr(rng.randrange(0x10000, 0x110000)), lambda: rng.choice("\u2028\ufeff\uffff\x7f\0\"\\/")]
    return "".join(rng.choices(kinds, (20, 1, 4, 2, 2))[0]() for _ in range(rng.choice([0, 1, 3, 10, 40])))


def some_string_text(rng):
    """A JSON string, by turns escaped where it must be, and where it need not."""
    text, out = some_string(rng), ""
    for char in text:
        if char in '"\\' or char < " ":
            out += json.dumps(char)[1:-1] if rng.random() < 0.97 else char
        elif rng.random() < 0.2:
            out += json.dumps(char)[1:-1] if ord(char) > 0x7e else rng.choice(["\\u%04x", "\\u%04X"]) % ord(char)
        else:
            out += char
    return '"' + out + '"'


def some_number(rng):
    return rng.choice([
        lambda: str(rng.randrange(-10 ** rng.randrange(1, 25), 10 ** rng.randrange(1, 25))),
        lambda: repr(rng.uniform(-1, 1) * 10 ** rng.randrange(-300, 300)), lambda: str(rng.choice([-1, 1]) * (
            (1 << rng.choice([31, 53, 63, 64])) + rng.randrange(-2, 3))),
        lambda: "%d.%de%d" % (rng.randrange(100), rng.randrange(10 ** 6), rng.randrange(-400, 400)),
        lambda: rng.choice(TIMES)])()


def some_json(rng, depth=0):
    kind = rng.randrange(10 if depth < 5 else 7)
    if kind < 3:
        return some_string_text(rng)
    if kind < 5:
        return some_number(rng)
    if kind < 7:
        return rng.choice(["true", "false", "null"])
    inner = [some_json(rng, depth + 1) for _ in range(rng.randrange(4))]
    if kind == 7:
        return "[" + ",".join(inner) + "]"
    return "{" + ",".join(some_string_text(rng) + ":" + value for value in inner) + "}"


# -- JSON as text, mangled and signed anew

SNIPPETS = [
    b",", b"}", b"{", b"]", b"[", b'"', b":", b"\\", b"\\u0000", b"\\ud800", b"\\udc00\\ud800", b"\\ud83d\\ude00", b"\\u0061",
    b"\\x41", b"\xef\xbb\xbf", b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\0", b"\t", b"\n", b" ", b"/**/",
    b"//", b"NaN", b"-Infinity", b"-", b"+", b"0", b".", b"e", b"1e999", b"1e2", b"null", b"true", b"True", b"undefined",
    b'"exp":1,', b'"exp":99999999999,', b'"iss":"x",', b'"aud":"orders-api",', b'"alg":"none",', b'"kid":"x",', b'"nbf":0,',
    b'"crit":[],', b'"b64":true,', b"\xe2\x80\xa8", b"\x0c", b"\xc2\xa0", b"'", b"1e-2", b"00", b"E+1", b'"a":{"b":[1,2]},']


def mangled(rng, text):
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        at = rng.randrange(len(text) + 1)
        to = min(len(text), at + rng.choice([1, 1, 2, 4, rng.randrange(1, 40)]))
        kind = rng.randrange(7)
        if kind == 0:
            text = text[:at] + text[to:]
        elif kind == 1:
            text = text[:at] + rng.randbytes(1) + text[at + 1:]
        elif kind == 2:
            text = text[:to] + text[at:to] + text[to:]
        elif kind == 3:
            text = text[:at] + text[at:to][::-1] + text[to:]
        elif kind == 4:     # where a member may start
            places = [m.end() for m in re.finditer(b"[{,]", text)] or [0]
            at = rng.choice(places)
            text = text[:at] + rng.choice(SNIPPETS) + text[at:]
        else:
            text = text[:at] + rng.choice(SNIPPETS) + text[at:]
    return text


def header_text(world):
    rng, signer = world.rng, world.signer()
    return "bytes", signer.sign(mangled(rng, as_bytes(signer.header())), signer.claims(rng))


def claims_text(world):
    rng, signer = world.rng, world.signer()
    claims = signer.claims(rng)
    if rng.random() < 0.4:
        claims.append(['"extra"', some_json(rng)])
    if rng.random() < 0.4:
        claims.append(['"nbf"', str(signer.now - rng.randrange(1000, 9000))])
    rng.shuffle(claims)
    return "bytes", signer.sign(signer.header(), mangled(rng, as_bytes(claims)))


def serialization(world):
    """RFC 7515's other form, JSON, with as many dots as a token has."""
    rng = world.rng
    header, payload, end = world.token().split(".")
    if rng.random() < 0.5:
        text = {"protected": header, "payload": payload, "signature": end, "header": {"x": rng.choice(["..", "a.b.c", "."])}}
        return "flattened", json.dumps(text)
    one = {"protected": header, "signature": end, "header": {"x": ".."}}
    return "general", json.dumps({"payload": payload, "signatures": [one] * rng.randrange(1, 3)})


# The kinds, and how many of a hundred are of each.
MUTATIONS = [
    ("control", 1, unchanged), ("flip", 9, flip), ("spelling", 10, spelling), ("cut", 4, cut), ("dots", 4, dots),
    ("swap", 4, swap), ("signature", 12, signature), ("header", 15, header_member), ("claims", 18, claims_member),
    ("header text", 7, header_text), ("claims text", 15, claims_text), ("serialization", 1, serialization)]
# What a header of HTTP cannot carry, or not at its ends, is no matter of tokens.
UNCARRIED = re.compile(r"\A[ \t]|[ \t]\Z|[\x00-\x08\x0a-\x1f\x7f]|\A\Z")


def mutations(world, count):
    """That many different (kind, name, token)."""
    rng, seen, tried = world.rng, set(), 0
    functions, weights = [(kind, f) for kind, _, f in MUTATIONS], [weight for _, weight, _ in MUTATIONS]
    good = {hash(token) for signer in world.signers for token in signer.stock}
    while len(seen) < count:
        # Anew for each: how much one has drawn depends on its keys, and shall not decide about the next.
        rng.seed("%d %d" % (world.seed, tried))
        tried += 1
        kind, function = rng.choices(functions, weights)[0]
        name, token = function(world)
        if UNCARRIED.search(token) or hash(token) in seen or hash(token) in good:
            continue
        seen.add(hash(token))
        yield kind, name, token


# -- why Signet refuses what jwcrypto admits -----------------------------------------------------------

class Seen:
    """A token that jwcrypto admitted, taken apart as jwcrypto does it."""

    def __init__(self, token, world):
        self.token, self.world = token, world
        self.json_form = token.startswith("{")
        self.texts = [] if self.json_form else token.split(".")
        self.raw = [base64.urlsafe_b64decode(t.encode() + b"=" * (-len(t) % 4)) for t in self.texts]
        self.header, self.claims = ({}, {}) if self.json_form else (json.loads(r) for r in self.raw[:2])
        if not self.json_form:
            self.faults = strict_json_faults(self.raw[0]) | strict_json_faults(self.raw[1])
        else:
            self.faults = set()


def strict_json_faults(raw):
    """What a strict reader finds in a JSON text that Python's reader takes."""
    found = set()

    def members(pairs):
        if len({name for name, _ in pairs}) < len(pairs):
            found.add("duplicate")
        return dict(pairs)

    def integer(text):
        number = int(text)
        if not -1 << 63 <= number < 1 << 64:
            found.add("number")
        return number

    def fraction(text):
        number = float(text)
        if number in (float("inf"), float("-inf")):
            found.add("number")
        return number

    value = json.loads(raw, object_pairs_hook=members, parse_int=integer, parse_float=fraction,
                       parse_constant=lambda text: found.add("constant"))
    if re.search("[\ud800-\udfff]", json.dumps(value, ensure_ascii=False)):
        found.add("surrogate")
    if levels(raw.decode()) > 32:
        found.add("depth")
    return found


def levels(text):
    depth = most = 0
    for char in re.sub(r'"(?:[^"\\]|\\.)*"', "", text):
        depth += (char in "[{") - (char in "]}")
        most = max(most, depth)
    return most


def not_canonical(seen):
    return any(not re.fullmatch("[A-Za-z0-9_-]*", text) or b64(raw) != text for text, raw in zip(seen.texts, seen.raw))


def is_time(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= 253402300799


def bad_time(seen):
    return any(name in seen.claims and not is_time(seen.claims[name]) for name in ("exp", "nbf", "iat"))


def bad_string(seen):
    return any(name in seen.claims and not isinstance(seen.claims[name], str)
               for name in ("sub", "jti", "uti", "sid", "client_id", "azp", "cid", "appid", "typ"))


def bad_audience(seen):
    audience = seen.claims["aud"]
    return isinstance(audience, list) and not all(isinstance(value, str) for value in audience)


def other_token(seen):
    return (seen.claims.get("typ") in ("ID", "Refresh", "Offline", "Logout") or seen.claims.get("token_use") == "id"
            or "events" in seen.claims)


def wrong_length(seen):
    length = {"ES256": 64, "ES384": 96, "ES512": 132}.get(seen.header.get("alg"))
    return length is not None and len(seen.raw[2]) != length


def other_algorithm(seen):
    return any(s.key.kid == seen.header.get("kid") and s.alg != seen.header["alg"] for s in seen.world.signers)


Cause = collections.namedtuple("Cause", "name reason kinds holds text")
HEADERS, CLAIMS = ("header", "header text"), ("claims", "claims text")
JSON_FAULTS = {
    "duplicate": "A member stands twice in an object. jwcrypto takes the last one.",
    "constant": "`NaN` or `Infinity` stands where JSON has no such number.",
    "number": "A number fits neither a 64-bit integer nor a double.",
    "surrogate": "Half a surrogate pair, which no UTF-8 can express, is escaped in a string.",
    "depth": "There are more than 32 levels of nesting."}
# In the order of Signet's checks. The table in tests/vectors/README.md says the same.
CAUSES = [
    Cause("size", "token_too_large", CLAIMS, lambda s: len(s.token) > MOST,
          "The token is larger than `max_size`. jwcrypto has no limit."),
    Cause("JSON form", "token_malformed", ("serialization",), lambda s: s.json_form,
          "It is in RFC 7515's JSON form, and a JWT is in the compact one. jwcrypto only counts the dots."),
    Cause("base64url", "token_malformed", ("flip", "spelling", "cut", "dots"), not_canonical,
          "The base64url has padding, stray bits, the other alphabet or foreign characters. jwcrypto skips what it does "
          "not know, and checks the signature over what it has encoded anew."),
    *(Cause(fault, "token_malformed", HEADERS + CLAIMS, functools.partial(lambda fault, s: fault in s.faults, fault), text)
      for fault, text in JSON_FAULTS.items()),
    Cause("kid", "token_malformed", HEADERS, lambda s: not isinstance(s.header.get("kid", ""), str),
          "`kid` is no string. jwcrypto does not look at it where the issuer has one key only."),
    Cause("crit", "crit_unsupported", HEADERS, lambda s: "crit" in s.header,
          "The header has a `crit`. jwcrypto takes an empty one, and one that names what it knows."),
    Cause("key's alg", "alg_not_allowed", HEADERS, other_algorithm,
          "The key's own `alg`, or its curve, is another than the header's. jwcrypto does not compare them."),
    Cause("ECDSA's length", "signature_invalid", ("signature",), wrong_length,
          "The ECDSA signature has not the curve's length. jwcrypto cuts any length into halves."),
    Cause("another token", "typ_mismatch", CLAIMS, other_token,
          "The claims are those of an ID, refresh or logout token. jwcrypto leaves that to its caller."),
    Cause("string", "claim_invalid", CLAIMS, bad_string,
          "A claim that names somebody or something is no string. jwcrypto takes null for `sub`, `jti` and `typ`, "
          "and does not look at the others."),
    Cause("time", "claim_invalid", CLAIMS, bad_time,
          "`exp`, `nbf` or `iat` is no number from 0 to the end of the year 9999. jwcrypto takes negative and huge ones, "
          "and for `iat` also text and null."),
    Cause("mixed aud", "claim_invalid", CLAIMS, bad_audience,
          "`aud` has an element that is no string, beside the right one. jwcrypto means to refuse it, but looks at the "
          "names of the claims instead."),
    Cause("iat ahead", "not_yet_valid", CLAIMS, lambda s: s.claims["iat"] > s.world.now + SKEW,
          "`iat` is in the future. jwcrypto does not compare it with the clock."),
]


def causes_of(seen, kind, reason):
    return [cause for cause in CAUSES if cause.reason == reason and kind in cause.kinds and cause.holds(seen)]


# -- the whole -----------------------------------------------------------------------------------------

class Comparison:
    def __init__(self, world):
        self.world = world
        self.outcomes = collections.Counter()   # (kind, Signet admits, jwcrypto admits)
        self.groups = collections.Counter()     # (reason, kind: name, cause), of what only jwcrypto admits
        self.crashes = collections.Counter()
        self.failures = collections.Counter()

    def take(self, kind, name, token, signet, other):
        (said, reason), (claims, raised) = signet, other
        self.outcomes[kind, reason is None, raised is None] += 1
        for text in raised or ():
            if text.startswith("crash: "):
                self.crashes[text[7:].split("(")[0]] += 1
        if reason is None and raised is not None:
            self.fail("Signet admits what jwcrypto refuses with %s" % " and ".join(raised), kind, name, token)
        elif reason is None:
            self.compare(json.loads(said), json.loads(claims), kind, name, token)
        elif raised is None:
            found = causes_of(Seen(token, self.world), kind, reason)
            self.groups[reason, kind + ": " + name, found[0].name if found else "unknown"] += 1
            if not found:
                self.fail("no known cause for Signet's %s of what jwcrypto admits" % reason, kind, name, token)
        elif kind == "control":
            self.fail("both refuse a good token: %s, %s" % (reason, raised), kind, name, token)

    def compare(self, said, claims, kind, name, token):
        for claim, text in said.items():
            if (json.loads(text) if text is not None else None) != claims.get(claim):
                self.fail("%s is %s to Signet and %r to jwcrypto" % (claim, text, claims.get(claim)), kind, name, token)

    def fail(self, what, kind, name, token):
        self.failures[what.split(" ")[0], kind, name] += 1
        if self.failures[what.split(" ")[0], kind, name] <= 2:     # the third of a sort says nothing new
            print("\nfailure in %s: %s: %s\n%s" % (kind, name, what, ascii(token)), flush=True)

    def print_summary(self):
        columns = [(True, True), (False, False), (False, True), (True, False)]
        line = "%-16s" + "%12s" * 5
        print("\n" + line % ("mutation", "both admit", "both refuse", "Signet", "jwcrypto", "all"))
        print(line % ("", "", "", "refuses", "refuses", ""))
        for kind in [kind for kind, _, _ in MUTATIONS] + ["all"]:
            counts = [sum(n for (k, *how), n in self.outcomes.items() if tuple(how) == column and kind in (k, "all"))
                      for column in columns]
            print(line % (kind, *counts, sum(counts)))
        print("\nwhat only jwcrypto admits, by Signet's reason, mutation and cause")
        for (reason, name, cause), n in sorted(self.groups.items()):
            print("%6d  %-18s %-50s %s" % (n, reason, name, cause))
        unmet = {cause.name for cause in CAUSES} - {cause for _, _, cause in self.groups}
        print("causes that no token had: %s" % (", ".join(sorted(unmet)) or "none"))
        print("\n%d crashes of jwcrypto, counted as refusals: %s" % (
            sum(self.crashes.values()), ", ".join("%s %d" % pair for pair in self.crashes.most_common())))


def compare(world, count, signet, pipe, upstream):
    comparison, asker = Comparison(world), Asker(signet.port)
    made = mutations(world, count)
    while batch := list(itertools.islice(made, BATCH)):
        tokens = [token for _, _, token in batch]
        pipe.send(tokens)
        answers = list(asker.ask(tokens))
        for (kind, name, token), answer, judgement in zip(batch, answers, pipe.recv(), strict=True):
            comparison.take(kind, name, token, answer, judgement)
        upstream.check()
        upstream.forget()
    asker.close()
    print("%d tokens, over %d connections one after the other" % (count, asker.opened))
    return comparison


def main():
    parser = argparse.ArgumentParser(description="Mutated tokens: Signet beside jwcrypto.")
    parser.add_argument("--count", type=int, default=100000, help="of tokens")
    parser.add_argument("--seed", type=int, default=7519)
    options = parser.parse_args()
    started = time.monotonic()
    world = World(options.seed)
    key_set = json.dumps(world.key_set)
    # Before any thread is started here. It ends when the pipe does, with this process at the latest.
    pipe, end = multiprocessing.Pipe()
    judge = multiprocessing.get_context("fork").Process(
        target=serve_judgements, args=(end, pipe, key_set, b64(world.secret.private)), daemon=True)
    judge.start()
    end.close()
    try:
        with RecordingUpstream(default=tell_claims) as upstream:
            signet = Signet({
                "upstream": upstream.url, "workers": 1, "log": {"access": False},
                "tokens": {"cache_bytes": 0, "max_size": MOST},
                "claim_to_headers": [{"claim": claim, "header": name, "encoding": "json"} for claim, name in READ.items()],
                "issuers": []})
            for name, data in (("jwks", key_set.encode()), ("secret", world.secret.private)):
                with open(signet.path(name), "wb") as file:
                    file.write(data)
            common = {"audiences": [AUDIENCE], "clock_skew": "%ds" % SKEW}
            signet.write_config({**signet.config, "issuers": [
                {"issuer": ISSUER, "name": "one", "algorithms": ALGORITHMS, "jwks_file": signet.path("jwks"), **common},
                {"issuer": SECRET_ISSUER, "name": "secret", "algorithms": ["HS256"],
                 "secret_file": signet.path("secret"), **common}]})
            with signet:
                comparison = compare(world, options.count, signet, pipe, upstream)
        pipe.send(None)
        peak = [pipe.recv(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss]
    finally:
        pipe.close()
        judge.join(10)
        if judge.is_alive():
            judge.kill()
    comparison.print_summary()
    print("seed %d, %.0f s, at most %d MiB here and %d MiB for jwcrypto" % (
        options.seed, time.monotonic() - started, peak[1] >> 10, peak[0] >> 10))
    if comparison.failures:
        print("\n%d failures\nthe keys: %s\nthe secret: %s" % (
            sum(comparison.failures.values()), key_set, b64(world.secret.private)))
    return 1 if comparison.failures else 0


if __name__ == "__main__":
    sys.exit(main())
