"""Other people's JSON test files, each as a claim's value in a rightly signed token.

Runs where the folder with outside vectors exists: $SIGNET_SHARED, by default a folder `shared`
beside the repository. Without it the module says so and ends with 77 (skipped).
"""

import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

from asking import Client  # noqa: E402
from proxied import ProxiedTestCase, check_refusal  # noqa: E402
from signet import REPOSITORY  # noqa: E402
from tokens import json_bytes, rsa_key  # noqa: E402

SHARED = os.environ.get("SIGNET_SHARED", os.path.join(os.path.dirname(REPOSITORY), "shared"))
FOLDER = os.path.join(SHARED, "vectors", "json-parsing", "test_parsing")

# Valid by the grammar, refused here: duplicate members.
DUPLICATES = "y_object_duplicated_key"
# Left open by the grammar, refused here: numbers beyond a double, lone surrogates, bytes that are
# no UTF-8, a byte order mark in the middle, and nesting beyond 32.
OPEN_BUT_REFUSED = ("i_number_huge_exp", "i_number_neg_int_huge_exp", "i_number_pos_double_huge_exp",
                    "i_number_real_neg_overflow", "i_number_real_pos_overflow", "i_string_",
                    "i_object_key_lone_2nd_surrogate", "i_structure_")
OPEN_AND_ADMITTED = ("i_number_double_huge_neg_exp", "i_number_real_underflow")


def read(name):
    with open(os.path.join(FOLDER, name), "rb") as file:
        return file.read()


@unittest.skipUnless(os.path.isdir(FOLDER), "no outside vectors at " + FOLDER)
class JsonVectors(ProxiedTestCase):
    @classmethod
    def prepare(cls):
        cls.names = sorted(n for n in os.listdir(FOLDER) if n.endswith(".json"))
        cls.key = rsa_key("rsa-1", "RS256")
        cls.issuer = cls.shared_issuer([cls.key])
        # Some of the files are larger than a token usually is.
        cls.proxy = cls.shared_signet(cls.configuration(
            cls.issuer, tokens={"max_size": "512KiB"}, limits={"max_header_bytes": "1MiB"}))

    def token_of(self, name):
        claims = json_bytes(self.claims(jti="the-same"))
        return self.key.token(claims[:-1] + b',"x":' + read(name) + b"}")

    def answers(self, names):
        """Each token once, over one keep-alive connection that opens again when it was closed."""
        with Client(self.proxy.port) as client:
            for name in names:
                yield name, self.proxy.ask("GET", "/", self.token_of(name), client=client)

    def test_there_are_as_many_as_there_were(self):
        self.assertGreaterEqual(len(self.names), 318)

    def test_what_must_parse_is_admitted(self):
        names = [n for n in self.names if n.startswith("y_") and not n.startswith(DUPLICATES)]
        self.assertGreater(len(names), 80)
        for name, answer in self.answers(names):
            with self.subTest(name):
                self.assertEqual(answer.status, 200, answer)
        self.assertEqual(len(self.upstream.take()), len(names))

    def test_duplicate_members_are_refused(self):
        names = [n for n in self.names if n.startswith(DUPLICATES)]
        self.assertGreaterEqual(len(names), 2)
        for name, answer in self.answers(names):
            with self.subTest(name):
                check_refusal(answer, "token_malformed")

    def test_what_must_not_parse_is_refused(self):
        names = [n for n in self.names if n.startswith("n_")]
        self.assertGreater(len(names), 180)
        for name, answer in self.answers(names):
            with self.subTest(name):
                check_refusal(answer, "token_malformed")
        self.assertEqual(self.upstream.take(), [])

    def test_what_is_left_open_is_judged_the_same_each_time(self):
        names = [n for n in self.names if n.startswith("i_")]
        self.assertGreater(len(names), 30)
        first = {name: answer for name, answer in self.answers(names)}
        for name, answer in self.answers(names):
            with self.subTest(name):
                self.assertEqual((answer.status, answer.code),
                                 (first[name].status, first[name].code))
                if name.startswith(OPEN_BUT_REFUSED):
                    check_refusal(answer, "token_malformed")
                elif name.startswith(OPEN_AND_ADMITTED):
                    self.assertEqual(answer.status, 200, answer)
                elif answer.status != 200:
                    check_refusal(answer, "token_malformed")
        self.upstream.forget()


if __name__ == "__main__":
    if not os.path.isdir(FOLDER):
        print("SKIPPED: no outside vectors at %s; set SIGNET_SHARED to the folder that holds "
              "vectors/json-parsing" % FOLDER)
        sys.exit(77)
    unittest.main(verbosity=2)
