"""What `signet explain` prints, whole: one file for every reason, for every near miss, and for what is admitted.

    tests/e2e/golden/explain/NAME.txt     the text
    tests/e2e/golden/explain/NAME.json    the object of --json, over several lines for reading; its members keep their order

    UPDATE_GOLDEN=1 python3 tests/e2e/test_explain_golden.py     writes them anew: read the difference before it is kept

A name is a reason, or a reason and what is special: `expired-clock-off`. A new one is one entry in CASES and a run with
UPDATE_GOLDEN=1. Only a running instance knows of revocations and of keys that left: those that it explains (BY_INSTANCE)
have no text. All other cases of the configuration `main` are shown to the instance as well.

What would differ from run to run is replaced (`steady`), and nothing else:

- A number that is a moment within 20 days of the run moves along with it, so that each run is at NOW.
- A count of seconds that is at most a minute away from one that the case names (`spans`) becomes that one.

Everything else is fixed: the keys stand below, no port and no path is printed, Ed25519 signs alike each time.
"""

import base64
import dataclasses
import json
import os
import re
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

from command import REPOSITORY  # noqa: E402
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: E402
from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: E402
from issuer import Issuer  # noqa: E402
from signet import SignetTestCase, deadline, run_cli, wait_until  # noqa: E402
from tokens import ABSENT, Key, b64, compact, json_bytes, jwks, unb64, with_bad_signature  # noqa: E402

GOLDEN = os.path.join(REPOSITORY, "tests", "e2e", "golden", "explain")
UPDATE = os.environ.get("UPDATE_GOLDEN") == "1"
NOW = 1767225600          # 2026-01-01T00:00:00Z, in the golden files
NEAR = 20 * 86400
PROD, PARTNER = "https://idp.example.com/realms/prod", "https://partner.example.com"
METADATA = "/.well-known/oauth-protected-resource"
GRAPH = "00000003-0000-0000-c000-000000000000"

# -- keys, made for this test and used nowhere else ----------------------------------------------------


def fixed_key(kid, d):
    return Key("OKP", Ed25519PrivateKey.from_private_bytes(unb64(d)), kid, "EdDSA", "Ed25519")


KEY = fixed_key("2026-01", "AD7zbK6e4Fyp3PZuWXk8EPV-HY4v7ECVEmmr8d3ElrE")
PARTNERS_KEY = fixed_key("partner-1", "bWt8DTr5ijBZsrMms-hR8RlUdmg9ORaWSexeAi-zOBQ")
STRANGE_KEY = fixed_key("never-published", "fha4l-fGYE1BeTIX_ONzxjIv-PTobLJAWAH9fAZLeNw")
ENCRYPTION_KEY = {"kty": "oct", "kid": "enc-2026", "k": "M_t-ObD0X6Sc1O-mGt8GElzO-Yuf4JGgXX9_KWFLNQw"}
OTHER_ENCRYPTION_KEY = {**ENCRYPTION_KEY, "k": "jXkSMcnWx2Y-IdfF1nuvBQfQSuMlMBni3Wp--sUqQ8s"}

# -- tokens --------------------------------------------------------------------------------------------


def claims(now, **changes):
    found = {"iss": PROD, "sub": "alice", "aud": "orders-api", "iat": now - 300, "exp": now + 3300, "jti": "6f1c2a",
             "scope": "orders:read", **changes}
    return {name: value for name, value in found.items() if value is not ABSENT}


def token(now, key=KEY, header=None, **changes):
    return key.token(claims(now, **changes), **(header or {}))


def partners(now, **changes):
    return token(now, PARTNERS_KEY, iss=PARTNER, **changes)


def encrypted(inner, key=ENCRYPTION_KEY, **header):
    """A nested token by the key itself (`dir`); ABSENT leaves a member of its header out."""
    whole = {"alg": "dir", "enc": "A256GCM", "cty": "JWT", "kid": key["kid"], **header}
    protected = b64(json_bytes({name: value for name, value in whole.items() if value is not ABSENT}))
    iv = b"signet-never"
    sealed = AESGCM(unb64(key["k"])).encrypt(iv, inner.encode(), protected.encode())
    return ".".join((protected, "", b64(iv), b64(sealed[:-16]), b64(sealed[-16:])))


def raw_token(header, payload):
    return compact(header, payload, KEY.sign)


def padded(text):
    """As an encoder for plain base64 would have written it."""
    return ".".join(base64.b64encode(unb64(part)).decode() for part in text.split("."))


# -- configurations ------------------------------------------------------------------------------------


def issuer_entry(**changes):
    return {"issuer": PROD, "name": "prod", "audiences": ["orders-api", "https://orders.example.com/"], "jwks": jwks(KEY),
            "max_lifetime": "24h", **changes}


def configuration(*issuers, **changes):
    return {"listen": "127.0.0.1:0", "admin": "127.0.0.1:0", "health": "off", "upstream": "http://127.0.0.1:3000",
            "issuers": list(issuers) or [issuer_entry()], **changes}


MAIN = configuration(
    issuer_entry(), issuer_entry(issuer=PARTNER, name="partner", jwks=jwks(PARTNERS_KEY)),
    resource={"identifier": "https://orders.example.com"},
    routes=[{"name": "health", "path": "/healthz", "access": "public"},
            {"name": "admin", "prefix": "/admin", "require": {"scopes": ["admin:write"]}, "issuers": [PROD]},
            {"name": "billing", "prefix": "/billing", "audiences": ["billing-api"]},
            {"name": "payments", "prefix": "/payments", "require": {"acr_values": ["mfa"], "max_age": "10m"}},
            {"name": "acme", "prefix": "/tenants/acme", "require": {"claims": [{"claim": "tenant", "equals": "acme"}]}},
            {"name": "trial", "prefix": "/trial", "mode": "report_only"},
            {"name": "orders", "prefix": "/orders"}])


def configurations(folder, closed_port):
    """By name. folder: for files; closed_port: nobody listens there."""
    decryption = os.path.join(folder, "decryption.json")
    with open(decryption, "w", encoding="utf-8") as file:
        json.dump({"keys": [ENCRYPTION_KEY]}, file)
    away = issuer_entry(jwks_uri="http://127.0.0.1:%d/jwks" % closed_port)
    del away["jwks"]
    return {"main": MAIN,
            "away": configuration(away),
            "cookie": configuration(tokens={"from_headers": [], "from_cookies": ["access_token"]}),
            "small": configuration(tokens={"max_size": "256"}),
            "param": configuration(tokens={"from_params": ["access_token"]}),
            "encrypted": configuration(issuer_entry(decryption={"jwks_file": decryption, "required": True}),
                                       issuer_entry(issuer=PARTNER, name="partner", jwks=jwks(PARTNERS_KEY)))}


# -- cases ---------------------------------------------------------------------------------------------


@dataclasses.dataclass
class Case:
    """token: of a function of the current second. spans: the counts of seconds that the clock may blur."""
    token: object
    path: str = "/orders/7"
    method: str = "GET"
    host: str = "orders.example.com"
    config: str = "main"
    spans: tuple = ()
    exit: int = 1


CASES = {
    # One for every reason, in the order of the checks.
    "bad_request": Case(token, path="/orders/%2e%2e%2fadmin"),
    "no_route": Case(token, path="/nowhere"),
    "token_missing": Case(lambda now: ""),
    "multiple_tokens": Case(token, config="param", path="/orders/7?access_token=another"),
    "token_too_large": Case(token, config="small"),
    "token_malformed": Case(lambda now: raw_token(KEY.header(), b'{"iss":"%s","sub":"a","sub":"b"}' % PROD.encode())),
    "crit_unsupported": Case(lambda now: token(now, header={"crit": ["exp"]})),
    "issuer_unknown": Case(lambda now: token(now, iss="https://idp.example.net/realms/test")),
    "encryption_required": Case(token, config="encrypted"),
    "decryption_failed": Case(lambda now: encrypted(token(now), OTHER_ENCRYPTION_KEY), config="encrypted"),
    "alg_not_allowed": Case(lambda now: raw_token({"alg": "HS256", "typ": "JWT", "kid": "2026-01"}, claims(now))),
    "keys_unavailable": Case(token, config="away", exit=2),
    "kid_unknown": Case(lambda now: token(now, STRANGE_KEY)),
    "signature_invalid": Case(lambda now: with_bad_signature(token(now))),
    "typ_mismatch": Case(lambda now: token(now, header={"typ": "dpop+jwt"})),
    "claim_missing": Case(lambda now: token(now, exp=ABSENT)),
    "claim_invalid": Case(lambda now: token(now, sub=7)),
    "expired": Case(lambda now: token(now, iat=now - 352800, exp=now - 270000), spans=(270000,)),
    "not_yet_valid": Case(lambda now: token(now, nbf=now + 273600, exp=now + 277200, iat=now - 5), spans=(273600,)),
    "lifetime_too_long": Case(lambda now: token(now, exp=now + 604500)),
    "audience_mismatch": Case(lambda now: token(now, aud=["account", "stock-api"])),
    "scope_insufficient": Case(token, path="/admin/users", method="POST"),
    "insufficient_user_authentication": Case(lambda now: token(now, acr="mfa", auth_time=now - 7200), path="/payments/9"),
    "claim_not_allowed": Case(lambda now: token(now, tenant="umbrella"), path="/tenants/acme/orders"),

    # Near misses, and the same reasons from other causes.
    "bad_request-method": Case(token, method="CONNECT"),
    "bad_request-metadata": Case(token, method="POST", path=METADATA),
    "token_malformed-opaque": Case(lambda now: "8f2c0a1be5d94c7f"),
    "token_malformed-encrypted": Case(lambda now: encrypted(token(now))),
    "token_malformed-unsigned": Case(lambda now: token(now).rsplit(".", 1)[0] + "."),
    "token_malformed-cut": Case(lambda now: token(now).rsplit(".", 1)[0]),
    "token_malformed-padded": Case(lambda now: padded(token(now))),
    "token_malformed-quoted": Case(lambda now: '"%s"' % token(now)),
    "token_malformed-inside": Case(lambda now: encrypted("e30.e30.not-signed"), config="encrypted"),
    "token_malformed-five-parts": Case(lambda now: "e30.AA.AA.AA.not-there", config="encrypted"),
    "crit_unsupported-encrypted": Case(lambda now: encrypted(token(now), crit=["exp"]), config="encrypted"),
    "decryption_failed-no-cty": Case(lambda now: encrypted(token(now), cty=ABSENT), config="encrypted"),
    "decryption_failed-other-kid": Case(lambda now: encrypted(token(now), kid="enc-2025"), config="encrypted"),
    "decryption_failed-another-issuers-key": Case(lambda now: encrypted(partners(now)), config="encrypted"),
    "expired-encrypted": Case(lambda now: encrypted(token(now, iat=now - 3645, exp=now - 45)), config="encrypted", spans=(45,)),
    "issuer_unknown-slash": Case(lambda now: token(now, iss=PROD + "/")),
    "issuer_unknown-none": Case(lambda now: token(now, iss=ABSENT)),
    "issuer_unknown-route": Case(lambda now: partners(now, scope="admin:write"), path="/admin/users"),
    "alg_not_allowed-other-key": Case(lambda now: raw_token(KEY.header(alg="ES256"), claims(now))),
    "signature_invalid-graph": Case(lambda now: with_bad_signature(token(now, aud=GRAPH))),
    "typ_mismatch-id-token": Case(lambda now: token(now, typ="ID", nonce="n-0S6", at_hash="77QmUPtjPfzWtF2AnpK9RQ")),
    "typ_mismatch-logout-token": Case(lambda now: token(
        now, events={"http://schemas.openid.net/event/backchannel-logout": {}}, sid="s-1")),
    "expired-clock-off": Case(lambda now: token(now, iat=now - 3645, exp=now - 45), spans=(45,)),
    "not_yet_valid-clock-off": Case(lambda now: token(now, nbf=now + 110, iat=now - 5), spans=(110,)),
    "not_yet_valid-issued-ahead": Case(lambda now: token(now, iat=now + 110), spans=(110,)),
    "audience_mismatch-slash": Case(lambda now: token(now, aud="https://orders.example.com")),
    "audience_mismatch-case": Case(lambda now: token(now, aud="Orders-API")),
    "audience_mismatch-scheme": Case(lambda now: token(now, aud="http://orders.example.com/")),
    "audience_mismatch-none": Case(lambda now: token(now, aud=ABSENT)),
    "audience_mismatch-graph": Case(lambda now: token(now, aud=GRAPH)),
    "audience_mismatch-route": Case(token, path="/billing/1"),
    "insufficient_user_authentication-acr": Case(lambda now: token(now, acr="pwd", auth_time=now - 60), path="/payments/9",
                                                 spans=(60,)),
    "scope_insufficient-none": Case(lambda now: token(now, scope=ABSENT), path="/admin/users"),
    "claim_missing-lifetime": Case(lambda now: token(now, iat=ABSENT)),
    "audience_mismatch-let-through": Case(lambda now: token(now, aud="stock-api"), path="/trial/1"),

    # Admitted.
    "admitted": Case(token, exit=0),
    "admitted-cookie": Case(token, config="cookie", method="POST", exit=0),
    "admitted-encrypted": Case(lambda now: encrypted(token(now)), config="encrypted", exit=0),
    "admitted-public": Case(lambda now: token(now, exp=now - 45), path="/healthz", exit=0),
    "admitted-metadata": Case(lambda now: "", path=METADATA, exit=0),
}
BY_INSTANCE = {"revoked", "kid_unknown-left-the-set"}

# Reasons that explain can never give, and why.
NEVER = {
    "csrf_rejected": "the request that is explained comes from the same origin: see admitted-cookie",
    "revocation_stale": "no store of this build can be away from the instance",
    "overloaded": "the connection is refused before a request is read",
    "upstream_unreachable": "nothing is forwarded",
    "upstream_timeout": "nothing is forwarded",
}


# -- comparing -----------------------------------------------------------------------------------------


def steady(text, now, spans):
    """Without what differs from run to run; see the module's text."""
    def moment(match):
        number = int(match[0])
        return str(number - now + NOW) if abs(number - now) < NEAR else match[0]

    def span(match):
        near = [s for s in spans if abs(int(match[1]) - s) <= deadline(60)]
        return "%d s" % min(near, key=lambda s: abs(int(match[1]) - s)) if near else match[0]
    return re.sub(r"\b(\d+) s\b", span, re.sub(r"\b\d{10}\b", moment, text))


def readable(text):
    """The object of --json as it stands in a golden file: a check a line."""
    found = json.dumps(json.loads(text), indent=2, ensure_ascii=False) + "\n"
    return re.sub(r'\{\n +("check": .*)\n +("outcome": .*)\n +("detail": .*)\n +\}', r"{\1 \2 \3}", found)


def golden_path(name, form):
    return os.path.join(GOLDEN, name + "." + form)


def golden(name, form):
    with open(golden_path(name, form), encoding="utf-8") as file:
        return file.read()


def reason_of(name):
    return name.partition("-")[0]


def all_golden():
    """Every name with its object."""
    return {name: json.loads(golden(name, "json")) for name in sorted(set(CASES) | BY_INSTANCE)}


class GoldenTestCase(SignetTestCase):
    maxDiff = None

    def same(self, name, form, found):
        if UPDATE:
            with open(golden_path(name, form), "w", encoding="utf-8") as file:
                file.write(found)
        kept = golden(name, form) if os.path.exists(golden_path(name, form)) else ""
        self.assertEqual(kept, found,
                         "%s.%s; where the new one is better: UPDATE_GOLDEN=1" % (name, form))

    def same_object(self, name, text, now, spans=()):
        """text: as it was printed, on one line."""
        self.assertEqual(json.dumps(json.loads(text), separators=(",", ":"), ensure_ascii=False), text,
                         "not minified, or a member comes twice")
        self.same(name, "json", readable(steady(text, now, spans)))

    def ask(self, instance, text, case):
        answer = instance.admin("POST", "/v1/explain", text, [
            ("Content-Type", "application/json"), ("X-Explain-Method", case.method), ("X-Explain-Host", case.host),
            ("X-Explain-Path", case.path)])
        self.assertEqual(answer.status, 200, answer)
        return answer.body.decode()


class ByCommand(GoldenTestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder = cls.enterClassContext(tempfile.TemporaryDirectory(prefix="signet-test-"))
        away = cls.enterClassContext(Issuer(start=False))
        for name, config in configurations(cls.folder, away.port).items():
            with open(os.path.join(cls.folder, name + ".yaml"), "w", encoding="utf-8") as file:
                json.dump(config, file)

    def explain(self, case, text, *form):
        done = run_cli("explain", "-c", os.path.join(self.folder, case.config + ".yaml"), "--method", case.method, "--host",
                       case.host, "--path", case.path, *form, stdin=text)
        self.assertEqual(case.exit, done.returncode, done.stdout + done.stderr)
        self.assertEqual("", done.stderr)
        return done.stdout

    def test_all_that_is_printed(self):
        for name, case in CASES.items():
            with self.subTest(name):
                now = int(time.time())
                text = case.token(now)
                said = self.explain(case, text)
                whole = self.explain(case, text, "--json")
                self.assertTrue(whole.endswith("\n"))
                self.same(name, "txt", steady(said, now, case.spans))
                self.same_object(name, whole[:-1], now, case.spans)


class ByInstance(GoldenTestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.proxy = cls.shared_signet(MAIN)

    def test_the_same_but_for_revocations(self):
        for name, case in CASES.items():
            if case.config != "main":
                continue
            with self.subTest(name):
                now = int(time.time())
                found = json.loads(steady(self.ask(self.proxy, case.token(now), case), now, case.spans))
                by_command = json.loads(golden(name, "json"))
                for one in (found, by_command):
                    one["checks"] = [c for c in one["checks"] if c["check"] != "revocation"]
                self.assertEqual("", found.pop("not_looked_at"))
                del by_command["not_looked_at"]
                self.assertEqual(by_command, found)

    def test_revoked(self):
        self.proxy.revoke(jti="of-a-stolen-laptop", reason="laptop stolen")
        now = int(time.time())
        self.same_object("revoked", self.ask(self.proxy, token(now, jti="of-a-stolen-laptop"), CASES["admitted"]), now)

    def test_a_key_that_left_the_set(self):
        publisher = self.enterContext(Issuer([KEY, PARTNERS_KEY]))
        entry = issuer_entry(jwks_uri=publisher.jwks_uri, refetch_cooldown="1ms")
        del entry["jwks"]
        proxy = self.signet(configuration(entry))
        publisher.remove_key(KEY.kid)
        self.assertEqual(202, proxy.admin("POST", "/v1/issuers/prod/refresh").status)
        wait_until(lambda: [k["kid"] for k in proxy.status()["issuers"][0]["keys"]] == [PARTNERS_KEY.kid], "the key to go")
        now = int(time.time())
        self.same_object("kid_unknown-left-the-set", self.ask(proxy, token(now), CASES["admitted"]), now, (0,))


# -- what is there at all, and what is promised of it --------------------------------------------------


class Complete(unittest.TestCase):
    def test_every_reason_has_a_file_or_a_cause(self):
        with open(os.path.join(REPOSITORY, "proxy", "base", "reason.cpp"), encoding="utf-8") as file:
            table = re.findall(r'^    \{"([a-z_]+)", \d{3},', file.read(), re.M)
        self.assertGreater(len(table), 20)
        given = (set(CASES) | BY_INSTANCE) & set(table)
        self.assertEqual(sorted(table), sorted(given | set(NEVER)))
        self.assertEqual(set(), given & set(NEVER))

    def test_a_file_for_every_name_and_none_beside(self):
        wanted = {name + form for name in CASES for form in (".txt", ".json")} | {name + ".json" for name in BY_INSTANCE}
        self.assertEqual(wanted, set(os.listdir(GOLDEN)))

    def test_a_name_begins_with_its_reason(self):
        for name, found in all_golden().items():
            self.assertEqual(reason_of(name), found["reason"] or "admitted", name)

    def test_the_checks_are_always_the_same_and_at_most_one_fails(self):
        every = [c["check"] for c in all_golden()["admitted"]["checks"]]
        for name, found in all_golden().items():
            if name != "admitted-metadata":
                self.assertEqual(every, [c["check"] for c in found["checks"]], name)
            failed = [c for c in found["checks"] if c["outcome"] == "failed"]
            self.assertEqual([found["why"]] if found["reason"] else [], [c["detail"] for c in failed], name)


KINDS = {"string": str, "number": int, "boolean": bool, "array": list, "object": dict, "null": type(None)}
FREE = {"encryption", "header", "claims"}  # the token's own: no member inside is ours


class Documented(unittest.TestCase):
    """config/README.md, "Explain": the tables are what is printed."""

    @classmethod
    def setUpClass(cls):
        with open(os.path.join(REPOSITORY, "config", "README.md"), encoding="utf-8") as file:
            section = file.read().partition("\n## Explain\n")[2].partition("\n## ")[0]
        members, _, checks = section.partition("\n| check |")
        cls.members = {name: (there, kinds) for name, there, kinds in
                       re.findall(r"^\| `([^`]+)` \| ([a-z -]+) \| ([a-z, ]+) \|", members, re.M)}
        cls.checks = {name: re.findall("`([a-z_]+)`", reasons) for name, reasons in
                      re.findall(r"^\| `([^`]+)` \| .* \| ([^|]*) \|$", checks, re.M)}
        cls.found = all_golden()

    def places(self, value, path=""):
        """Every member of ours with its value."""
        for name, inner in value.items():
            yield path + name, inner
            for one in inner if isinstance(inner, list) else [inner]:
                if isinstance(one, dict) and path + name not in FREE:
                    yield from self.places(one, path + name + ("[]." if isinstance(inner, list) else "."))

    def test_every_member_is_in_the_table_and_every_row_in_the_output(self):
        printed = {place for found in self.found.values() for place, _ in self.places(found)}
        self.assertGreater(len(printed), 15)
        self.assertEqual(sorted(self.members), sorted(printed))

    def test_each_is_of_its_type(self):
        seen = {}
        for found in self.found.values():
            for place, value in self.places(found):
                seen.setdefault(place, set()).add(next(k for k, kind in KINDS.items() if type(value) is kind))
        self.assertEqual({place: sorted(kinds.split(" or ")) for place, (_, kinds) in self.members.items()},
                         {place: sorted(kinds) for place, kinds in seen.items()})

    def test_each_is_there_when_the_table_says_so(self):
        when = {"always": lambda found: True, "with a reason": lambda found: found["reason"] is not None,
                "lacking scopes": lambda found: found["reason"] == "scope_insufficient"}
        for name, found in self.found.items():
            wanted = {place for place, (there, _) in self.members.items() if "[]" not in place and when[there](found)}
            self.assertEqual(wanted, set(found), name)

    def test_the_checks_are_those_of_the_table_in_its_order(self):
        self.assertEqual(list(self.checks), [c["check"] for c in self.found["admitted"]["checks"]]
                         + [c["check"] for c in self.found["admitted-metadata"]["checks"]])

    def test_a_reason_comes_from_the_checks_that_the_table_says(self):
        come = {(c["check"], found["reason"]) for found in self.found.values() for c in found["checks"]
                if c["outcome"] == "failed"}
        self.assertEqual(sorted((check, reason) for check, reasons in self.checks.items() for reason in reasons), sorted(come))


if __name__ == "__main__":
    unittest.main(verbosity=2)
