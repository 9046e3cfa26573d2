"""Claims as headers: which claim, in which encoding, and what is left out or refused."""

import json
import os
import re
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

import tokens  # noqa: E402
from proxy_case import (AUDIENCE, ISSUER, KEY, ProxyTestCase, configuration, good_token,  # noqa: E402
                        issuer_config)

LEFT_OUT = None
OTHER = "https://other.example"
OTHER_KEY = tokens.rsa_key("key-2", alg="RS256")


def compact_ascii(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=True)


# (encoding, claim's value, header's value or LEFT_OUT)
ENCODINGS = [
    ("auto", "plain", "plain"),
    ("auto", "inner  space kept", "inner  space kept"),
    ("auto", "Zoë", "Zoë".encode().decode("latin-1")),
    ("auto", "日本", "日本".encode().decode("latin-1")),
    ("auto", "comma, \"quote\" \\", "comma, \"quote\" \\"),
    ("auto", 42, "42"),
    ("auto", -7, "-7"),
    ("auto", 9007199254740993, "9007199254740993"),
    ("auto", 18446744073709551615, "18446744073709551615"),
    ("auto", 1.5, "1.5"),
    ("auto", True, "true"),
    ("auto", False, "false"),
    ("auto", ["a", "b"], '["a","b"]'),
    ("auto", [], "[]"),
    ("auto", {"b": [1, {"a": None}]}, '{"b":[1,{"a":null}]}'),
    ("auto", ["é", "a, b"], '["\\u00e9","a, b"]'),
    ("string", "plain", "plain"),
    ("string", 42, "42"),
    ("string", True, "true"),
    ("csv", ["a", "b", "c"], "a,b,c"),
    ("csv", ["one"], "one"),
    ("csv", [1, True, "x"], "1,true,x"),
    ("csv", "alone", "alone"),
    ("csv", ["a", "b,c", "d"], "a,d"),
    ("csv", ["a", "b\"c", "d"], "a,d"),
    ("csv", ["Zoë", "b"], "Zoë,b".encode().decode("latin-1")),
    ("json", "plain", '"plain"'),
    ("json", 42, "42"),
    ("json", True, "true"),
    ("json", ["a", {"b": 1}], '["a",{"b":1}]'),
    ("json", "Zoë", '"Zo\\u00eb"'),
    ("json", "😀", '"\\ud83d\\ude00"'),
    ("json", "a\nb\tc", '"a\\nb\\tc"'),
    ("json", " outer ", '" outer "'),
    ("json", "\x01\x7f", '"\\u0001\\u007f"'),
    # Control characters and outer white space do not stand in a header value.
    ("auto", "a\nb", LEFT_OUT), ("auto", "a\r\nX-Auth-Admin: yes", LEFT_OUT),
    ("auto", "a\x00b", LEFT_OUT), ("auto", "a\tb", LEFT_OUT), ("auto", "a\x7fb", LEFT_OUT),
    ("auto", "\x1f", LEFT_OUT), ("auto", " a", LEFT_OUT), ("auto", "a ", LEFT_OUT),
    ("auto", "\ta", LEFT_OUT), ("auto", "a\n", LEFT_OUT),
    ("string", "a\nb", LEFT_OUT), ("string", " a", LEFT_OUT), ("string", "a\x00", LEFT_OUT),
    ("csv", "a\nb", LEFT_OUT),
    # The second block of control characters is one too (C2 80 to C2 9F as UTF-8); its neighbours are not.
    ("auto", "a\u0085b", LEFT_OUT), ("auto", "\u0080", LEFT_OUT), ("auto", "a\u009f", LEFT_OUT),
    ("string", "\u0085a", LEFT_OUT), ("string", "Zoë\u009b[31m", LEFT_OUT), ("csv", "a\u0085b", LEFT_OUT),
    ("csv", ["a", "b\u0085c", "d"], "a,d"), ("json", "a\u0085b", '"a\\u0085b"'),
    ("auto", ["a\u0085b"], '["a\\u0085b"]'),
    ("auto", "a\u00a0b", "a\u00a0b".encode().decode("latin-1")),
    ("auto", "\u0142\u0100\u1085", "\u0142\u0100\u1085".encode().decode("latin-1")),
]

# (claim as configured, payload members, header's value or LEFT_OUT)
NAMES = [
    ("tenant", {"tenant": "t"}, "t"),
    ("realm.name", {"realm": {"name": "nested"}}, "nested"),
    ("realm.name", {"realm.name": "literal", "realm": {"name": "nested"}}, "literal"),
    ("https://example.com/roles", {"https://example.com/roles": "literal"}, "literal"),
    ("realm.roles", {"realm": {"roles": ["a", "b"]}}, '["a","b"]'),
    ("realm", {"realm": {"name": "nested"}}, '{"name":"nested"}'),
    ("/realm/name", {"realm": {"name": "nested"}}, "nested"),
    ("/realm/roles/1", {"realm": {"roles": ["a", "b"]}}, "b"),
    ("/a~1b/c~0d", {"a/b": {"c~d": "escaped"}}, "escaped"),
    ("/https:~1~1example.com~1roles/0", {"https://example.com/roles": ["first"]}, "first"),
    ("realm.name", {"realm": "no object"}, LEFT_OUT),
    ("realm.name.first", {"realm": {"name": "no object"}}, LEFT_OUT),
    ("/realm/roles/2", {"realm": {"roles": ["a", "b"]}}, LEFT_OUT),
    ("tenant", {"Tenant": "other case"}, LEFT_OUT),
    ("tenant", {}, LEFT_OUT),
]


class Encodings(ProxyTestCase):
    @classmethod
    def settings(cls):
        # A header for each encoding and for each claim name, so that one instance serves them all.
        headers = [{"claim": "v-" + e, "header": "X-V-" + e, "encoding": e}
                   for e in ("auto", "string", "csv", "json", "base64url")]
        cls.names = {name: "X-Name-%d" % i for i, name in enumerate(dict.fromkeys(n for n, _, _ in NAMES))}
        headers += [{"claim": name, "header": header} for name, header in cls.names.items()]
        return configuration(cls.upstream.url, claim_to_headers=headers,
                             forward_payload_header="X-Auth-Payload")

    def expect(self, header, value, seen):
        def plain(found):  # the case of hexadecimal digits is free
            return re.sub(r"\\u[0-9A-Fa-f]{4}", lambda m: m.group().lower(), found)
        self.assertEqual([plain(v) for v in seen.all(header)], [] if value is LEFT_OUT else [value])
        self.assertEqual(seen.all("X-Auth-Admin"), [])

    def test_each_encoding(self):
        for encoding, value, expected in ENCODINGS:
            with self.subTest(encoding, value=value):
                seen = self.seen("/", token=good_token(**{"v-" + encoding: value}))
                self.expect("X-V-" + encoding, expected, seen)

    def test_a_csv_element_that_cannot_stand_in_a_header_does_not(self):
        for element in ("b\nc", "b\r\nX-Auth-Admin: yes", " b", "b ", "\x00"):
            with self.subTest(element):
                seen = self.seen("/", token=good_token(**{"v-csv": ["a", element, "d"]}))
                self.assertIn(seen.all("X-V-csv"), ([], ["a,d"]))
                self.assertEqual(seen.all("X-Auth-Admin"), [])

    def test_base64url_holds_any_value_without_padding(self):
        for value, expected in (("plain", b"plain"), ("a\r\nb", b"a\r\nb"), (" Zoë ", " Zoë ".encode()),
                                (42, b"42"), (["a", {"b": 1}], b'["a",{"b":1}]'),
                                ({"k": "é"}, b'{"k":"\\u00e9"}')):
            with self.subTest(value=value):
                [found] = self.seen("/", token=good_token(**{"v-base64url": value})).all("X-V-base64url")
                self.assertRegex(found, r"\A[A-Za-z0-9_-]*\Z")
                self.assertEqual(tokens.unb64(found), expected)

    def test_json_is_written_anew(self):
        payload = tokens.claims(ISSUER, AUDIENCE)
        text = json.dumps(payload)[:-1] + ', "v-json": { "a" :\n[ 1 , "\\u0061\\/\\u000a" ] } }'
        seen = self.seen("/", token=KEY.token(text.encode()))
        self.expect("X-V-json", '{"a":[1,"a/\\n"]}', seen)

    def test_each_way_to_name_a_claim(self):
        for name, members, expected in NAMES:
            with self.subTest(name, members=members):
                seen = self.seen("/", token=good_token(**members))
                self.expect(self.names[name], expected, seen)

    def test_no_header_of_a_request_holds_a_control_character(self):
        everything = "".join(map(chr, [*range(32), *range(0x7f, 0xa0)]))
        for encoding in ("auto", "string", "csv", "json", "base64url"):
            for value in (everything, [everything], {everything: everything}):
                with self.subTest(encoding, value=value):
                    seen = self.seen("/", token=good_token(**{"v-" + encoding: value}))
                    self.assertNotRegex(seen.raw.replace(b"\r\n", b""), rb"[\x00-\x1f\x7f]|\xc2[\x80-\x9f]")

    def test_the_payload_header_holds_the_whole_payload(self):
        payload = tokens.claims(ISSUER, AUDIENCE, name="Zoë\n", nested={"a": [1, None]})
        seen = self.seen("/", token=KEY.token(payload))
        [found] = seen.all("X-Auth-Payload")
        self.assertNotIn("=", found)
        self.assertEqual(json.loads(tokens.unb64(found)), payload)


class Required(ProxyTestCase):
    CONFIG = {
        "claim_to_headers": [{"claim": "tenant", "header": "X-Tenant", "required": True},
                             {"claim": "groups", "header": "X-Groups", "required": True,
                              "encoding": "csv"}],
        "routes": [{"prefix": "/optional", "access": "optional"},
                   {"prefix": "/public", "access": "public"}, {"prefix": "/"}],
    }
    GOOD = {"tenant": "t", "groups": ["a"]}

    @property
    def good(self):
        return good_token(**self.GOOD)

    def assert_good_request_passes(self):
        seen = self.seen("/good", token=self.good)
        self.assertEqual((seen.all("X-Tenant"), seen.all("X-Groups")), (["t"], ["a"]))
        self.upstream.forget()

    def test_a_required_claim_that_is_absent_is_refused(self):
        for missing in self.GOOD:
            claims = {k: v for k, v in self.GOOD.items() if k != missing}
            for target in ("/", "/optional"):
                with self.subTest(missing, target=target):
                    self.assert_refusal(401, "claim_missing", target, token=good_token(**claims))

    def test_a_required_claim_that_cannot_be_a_header_is_refused(self):
        for changes in ({"tenant": "a\nb"}, {"tenant": " a"}, {"tenant": "a\x00"},
                        {"tenant": "a\u0085b"}, {"groups": ["a,b"]},
                        {"groups": ["a", "b\"c"]}, {"groups": ["a\r\nb"]}):
            with self.subTest(changes):
                self.assert_refusal(401, "claim_invalid", "/",
                                    token=good_token(**{**self.GOOD, **changes}))

    def test_no_token_needs_no_claims(self):
        for target in ("/optional", "/public"):
            seen = self.seen(target, token=None, headers={"X-Tenant": "forged", "x_groups": "forged"})
            self.assertEqual((seen.like("X-Tenant"), seen.like("X-Groups")), ([], []))


class PerIssuer(ProxyTestCase):
    """An issuer's own list replaces the global one; every list's headers are removed from all."""

    @classmethod
    def settings(cls):
        other = issuer_config(issuer=OTHER, jwks=tokens.jwks(OTHER_KEY),
                              claim_to_headers=[{"claim": "sub", "header": "X-Other-Subject"}])
        return configuration(cls.upstream.url, issuers=[issuer_config(), other],
                             claim_to_headers=[{"claim": "sub", "header": "X-Auth-Subject"},
                                               {"claim": "iss", "header": "X-Auth-Issuer"}])

    def test_each_issuer_sets_its_own_headers_and_no_others_arrive(self):
        forged = {"X-Auth-Subject": "forged", "x_auth_issuer": "forged", "X-Other.Subject": "forged"}
        seen = self.seen("/", headers=forged)
        self.assertEqual((seen.like("X-Auth-Subject"), seen.like("X-Auth-Issuer")),
                         ([("X-Auth-Subject", "user-1")], [("X-Auth-Issuer", ISSUER)]))
        self.assertEqual(seen.like("X-Other-Subject"), [])
        other = OTHER_KEY.token(tokens.claims(OTHER, AUDIENCE, sub="user-2"))
        seen = self.seen("/", headers=forged, token=other)
        self.assertEqual(seen.like("X-Other-Subject"), [("X-Other-Subject", "user-2")])
        self.assertEqual(seen.like("X-Auth-Subject") + seen.like("X-Auth-Issuer"), [])


class Defaults(ProxyTestCase):
    def test_without_a_list_the_subject_and_the_issuer_are_passed(self):
        seen = self.seen("/", headers={"X-Auth-Subject": "forged", "x_auth_issuer": "forged"})
        self.assertEqual(seen.like("X-Auth-Subject"), [("X-Auth-Subject", "user-1")])
        self.assertEqual(seen.like("X-Auth-Issuer"), [("X-Auth-Issuer", ISSUER)])


if __name__ == "__main__":
    unittest.main()
