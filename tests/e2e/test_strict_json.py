"""How strictly the JSON of a header and of a payload is read. Everything here is rightly signed."""

import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

from proxied import ProxiedTestCase  # noqa: E402
from tokens import json_bytes, rsa_key  # noqa: E402


class JsonTestCase(ProxiedTestCase):
    @classmethod
    def prepare(cls):
        cls.key = rsa_key("rsa-1", "RS256")
        cls.issuer = cls.shared_issuer([cls.key])
        cls.proxy = cls.shared_signet(cls.configuration(cls.issuer))

    def payload_with(self, text):
        """A good payload with this text as its last members."""
        return json_bytes(self.claims())[:-1] + b"," + text + b"}"

    def header_with(self, text):
        return json_bytes(self.key.header())[:-1] + b"," + text + b"}"


class Payloads(JsonTestCase):
    def refused(self, *payloads):
        with self.proxy.client() as client:
            for payload in payloads:
                with self.subTest(payload[-60:]):
                    self.assert_refused(self.key.token(payload), "token_malformed", client=client)

    def admitted(self, *payloads):
        with self.proxy.client() as client:
            for payload in payloads:
                with self.subTest(payload[-60:]):
                    self.assert_admitted(self.key.token(payload), client=client)

    def test_what_is_no_object(self):
        good = json_bytes(self.claims())
        self.refused(b"[]", b"[" + good + b"]", b"1", b"null", b"true", b'"text"', b" ", b"{",
                     b"}", good[:-1], good + b"}", good + b"x", good + good, good + b",",
                     b"," + good, good + b"\x00", b"\x00" + good, b"// note\n" + good,
                     b"/**/" + good)

    def test_a_byte_order_mark_and_other_encodings(self):
        good = json_bytes(self.claims())
        text = good.decode()
        self.refused(b"\xef\xbb\xbf" + good, text.encode("utf-16"), text.encode("utf-16-le"),
                     text.encode("utf-32"))

    def test_a_duplicate_member_at_any_depth_and_in_any_spelling(self):
        iss = json_bytes(self.issuer.url)
        self.refused(self.payload_with(b'"iss":' + b'"' + iss + b'"'),
                     self.payload_with(b'"iss":"https://other"'),
                     self.payload_with(b'"\\u0069ss":"https://other"'),
                     self.payload_with(b'"is\\u0073":1'),
                     self.payload_with(b'"x":1,"x":1'), self.payload_with(b'"x":{"y":1,"y":2}'),
                     self.payload_with(b'"x":[{"y":1,"\\u0079":2}]'),
                     self.payload_with(b'"":1,"":1'),
                     self.payload_with(b'"\xc3\xa9":1,"\\u00e9":1'))

    def test_the_same_name_in_two_objects_is_no_duplicate(self):
        self.admitted(self.payload_with(b'"x":{"iss":1},"y":{"iss":2},"z":[{"a":1},{"a":1}]'),
                      self.payload_with(b'"x":1,"X":2'))

    def test_escaped_names_are_the_names_that_they_spell(self):
        good = json_bytes(self.claims())
        self.admitted(good.replace(b'"iss"', b'"\\u0069\\u0073\\u0073"'),
                      good.replace(b'"exp"', b'"\\u0065xp"'),
                      good.replace(b":", b" :\r\n\t ").replace(b"http :\r\n\t //127.0.0.1 :\r\n\t ",
                                                             b"http://127.0.0.1:"))

    def test_strings_that_are_not_unicode(self):
        self.refused(self.payload_with(b'"x":"\\ud800"'), self.payload_with(b'"x":"\\udc00"'),
                     self.payload_with(b'"x":"\\ud800\\u0041"'),
                     self.payload_with(b'"x":"\\udc00\\ud800"'),
                     self.payload_with(b'"\\ud800":1'), self.payload_with(b'"x":"\xff"'),
                     self.payload_with(b'"x":"\xc0\xaf"'), self.payload_with(b'"x":"\xed\xa0\x80"'),
                     self.payload_with(b'"x":"\xf5\x80\x80\x80"'), self.payload_with(b'"x":"\xe2\x82"'),
                     self.payload_with(b'"\xff":1'))
        self.admitted(self.payload_with(b'"x":"\\ud83d\\ude00"'),
                      self.payload_with(b'"x":"\xf0\x9f\x98\x80"'),
                      self.payload_with(b'"x":"\\u0000"'))

    def test_control_characters_and_bad_escapes_in_strings(self):
        self.refused(self.payload_with(b'"x":"\n"'), self.payload_with(b'"x":"\x00"'),
                     self.payload_with(b'"x":"\x1f"'), self.payload_with(b'"x":"\\x41"'),
                     self.payload_with(b'"x":"\\u12"'), self.payload_with(b'"x":"\\\''),
                     self.payload_with(b"'x':1"), self.payload_with(b"x:1"))

    def test_numbers(self):
        self.refused(*(self.payload_with(b'"x":' + number) for number in (
            b"1e400", b"-1e400", b"1" + b"0" * 400, b"NaN", b"Infinity", b"-Infinity", b"01", b"+1",
            b".5", b"1.", b"0x10", b"1e", b"--1", b"1_000", b"- 1")))
        self.admitted(*(self.payload_with(b'"x":' + number) for number in (
            b"0", b"-0", b"1e308", b"-1.5E-5", b"18446744073709551615", b"-9223372036854775808",
            b"1e-400", b"0.1", b"1E+2")))

    def test_thirty_two_levels_and_no_more(self):
        def nested(levels):
            inner = levels - 1  # the payload itself is the first
            return (self.payload_with(b'"x":' + b"[" * inner + b"]" * inner),
                    self.payload_with(b'"x":' + b'{"a":' * (inner - 1) + b"{}" + b"}" * (inner - 1)))
        self.admitted(*nested(10), *nested(32))
        self.refused(*nested(33), *nested(64), *nested(1000))

    def test_other_breaches_of_the_grammar(self):
        self.refused(self.payload_with(b'"x":[1,]'), self.payload_with(b'"x":1,'),
                     self.payload_with(b'"x":tru'), self.payload_with(b'"x":True'),
                     self.payload_with(b'"x":None'), self.payload_with(b'"x"'),
                     self.payload_with(b'"x"::1'), self.payload_with(b'"x":1 2'),
                     self.payload_with(b'"x":[1 2]'), self.payload_with(b'"x":{1:2}'),
                     self.payload_with(b'"x":/*y*/1'), self.payload_with(b'"x":[}'),
                     self.payload_with(b'"x":\xa01'), self.payload_with(b'"x":\x0b1'))


class Headers(JsonTestCase):
    def test_the_header_is_read_as_strictly(self):
        good = json_bytes(self.key.header())
        bad = [b"[]", b"1", b'"RS256"', b"null", good[:-1], good + b"}", b"\xef\xbb\xbf" + good,
               good + b"\x00", self.header_with(b'"alg":"RS256"'), self.header_with(b'"alg":"none"'),
               self.header_with(b'"\\u0061lg":"none"'), self.header_with(b'"kid":"rsa-1"'),
               self.header_with(b'"x":"\\ud800"'), self.header_with(b'"x":"\xff"'),
               self.header_with(b'"x":1e999'), self.header_with(b'"x":[1,]'),
               self.header_with(b'"x":{"y":1,"y":1}'),
               self.header_with(b'"x":' + b"[" * 40 + b"]" * 40),
               good.replace(b'"alg"', b"'alg'"), good.decode().encode("utf-16-le")]
        payload = self.claims()
        with self.proxy.client() as client:
            for header in bad:
                with self.subTest(header[-60:]):
                    self.assert_refused(self.key.token(payload, header=header), "token_malformed",
                                        client=client)

    def test_white_space_escapes_and_further_members_do_no_harm(self):
        good = json_bytes(self.key.header())
        for header in (b" " + good + b"\r\n", good.replace(b'"alg"', b'"\\u0061lg"'),
                       self.header_with(b'"x":{"y":[1,2,{"z":null}]}'),
                       self.header_with(b'"cty":"text"'), self.header_with(b'"b":"\\u0000"')):
            with self.subTest(header):
                self.assert_admitted(self.key.token(self.claims(), header=header))

    def test_the_kid_is_a_string(self):
        for kid in (1, None, [], {}, True):
            with self.subTest(kid):
                self.assert_refused(self.key.token(self.claims(), kid=kid), "token_malformed",
                                    "kid_unknown")


if __name__ == "__main__":
    unittest.main(verbosity=2)
