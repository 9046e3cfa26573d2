"""Tokens in cookies and query parameters: one token, from one place, and nothing else touched."""

import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

from proxy_case import BAD_TOKEN, T0, ProxyTestCase, good_token  # noqa: E402

OTHER = good_token(sub="user-2")

# (what the client sends, what the upstream gets; None: no Cookie at all); T stands for the token
STRIPPED = [
    ("access_token=T", None),
    ("access_token=T; a=1", "a=1"),
    ("a=1; access_token=T", "a=1"),
    ("a=1; access_token=T; b=2", "a=1; b=2"),
    ("a=1; b=2; c=3; access_token=T; d=4; e=5", "a=1; b=2; c=3; d=4; e=5"),
    ("a=x=y==; access_token=T; b=", "a=x=y==; b="),
    ("a=\"q; access_token=T; b=r\"", "a=\"q; b=r\""),
    ("a=%20%3B; access_token=T; b=x y  z", "a=%20%3B; b=x y  z"),
    ("flag; access_token=T; other-flag", "flag; other-flag"),
    ("access_tokens=1; access_token=T; xaccess_token=2", "access_tokens=1; xaccess_token=2"),
    ("Access_Token=1; access_token=T; ACCESS_TOKEN=2", "Access_Token=1; ACCESS_TOKEN=2"),
    ("access-token=1; access_token=T; access.token=2", "access-token=1; access.token=2"),
    ("a=access_token=x; access_token=T", "a=access_token=x"),
    ("a=1; a=1; access_token=T; a=1", "a=1; a=1; a=1"),
    (b"a=\xc3\xa9\xff; access_token=T; b=\x80", b"a=\xc3\xa9\xff; b=\x80"),
    ("a=1;b=2; access_token=T; c=3;d=4", "a=1;b=2; c=3;d=4"),
    ("a={\"k\": [1,2]}; access_token=T; b=<>", "a={\"k\": [1,2]}; b=<>"),
]

# Cookies in odd spacing: what is left over must be the same parts, whichever blank goes along.
ODD_SPACING = ["a=1;access_token=T;b=2", "a=1;  access_token=T;  b=2", "a=1 ; access_token=T ; b=2",
               "access_token=T;a=1", ";access_token=T", "a=1;;access_token=T;;b=2", "a=1; access_token=T;",
               "a=1;\taccess_token=T;\tb=2"]

# (query as sent, targets that the upstream may get); T stands for the token
QUERIES = [
    ("/p?access_token=T", ["/p", "/p?"]),
    ("/p?access_token=T&a=1", ["/p?a=1"]),
    ("/p?a=1&access_token=T", ["/p?a=1"]),
    ("/p?a=1&access_token=T&b=%20%2F..", ["/p?a=1&b=%20%2F.."]),
    ("/p?a=x=y&access_token=T&b", ["/p?a=x=y&b"]),
    ("/p?access_tokens=1&access_token=T&xaccess_token=2", ["/p?access_tokens=1&xaccess_token=2"]),
    ("/p?Access_Token=1&access_token=T", ["/p?Access_Token=1"]),
    ("/p?a=access_token=1&access_token=T", ["/p?a=access_token=1"]),
    ("/p?q=a?b;c&access_token=T&r=~!*'()", ["/p?q=a?b;c&r=~!*'()"]),
]
# Queries without a token pass to the last byte.
UNTOUCHED = ["?", "?&", "?&&a=1&&", "?a", "?=", "?a=%zz&b=%", "?a=1?b=2", "?x=%2F..%5c&y=../..", "?a+b%20c",
             "?[0]={}|\\^`\"<>", "?%2e%2E/%00"]


def with_token(text, token=T0):
    raw = text if isinstance(text, bytes) else text.encode()
    return raw.replace(b"=T", b"=" + token.encode())


class CookieTokens(ProxyTestCase):
    CONFIG = {"tokens": {"from_cookies": ["access_token", "second"]},
              "routes": [{"prefix": "/public", "access": "public"},
                         {"prefix": "/optional", "access": "optional"}, {"prefix": "/"}]}

    def test_the_token_cookie_goes_and_the_rest_stays_byte_for_byte(self):
        for sent, left in STRIPPED:
            with self.subTest(sent):
                seen = self.seen("/", headers=[("Cookie", with_token(sent))], token=None)
                left = left.decode("latin-1") if isinstance(left, bytes) else left
                self.assertEqual(seen.all("Cookie"), [] if left is None else [left])
                self.assertNotIn(T0.encode(), seen.raw)
                self.assertEqual(seen.all("X-Auth-Subject"), ["user-1"])

    def test_odd_spacing_loses_the_token_and_nothing_else(self):
        for sent in ODD_SPACING:
            with self.subTest(sent):
                seen = self.seen("/", headers=[("Cookie", with_token(sent))], token=None)
                parts = [p.strip() for v in seen.all("Cookie") for p in v.split(";")]
                self.assertEqual([p for p in parts if p],
                                 [p.strip() for p in sent.split(";") if "=T" not in p and p.strip()])
                self.assertNotIn(T0.encode(), seen.raw)

    def test_several_cookie_lines_are_one_list(self):
        seen = self.seen("/", token=None, headers=[("Cookie", "a=1"), ("Cookie", with_token("access_token=T")),
                                                   ("Cookie", "b=2; c=3")])
        self.assertEqual("; ".join(seen.all("Cookie")), "a=1; b=2; c=3")

    def test_a_token_cookie_that_comes_twice_is_two_tokens(self):
        for first, second in ((T0, T0), (T0, OTHER), (T0, BAD_TOKEN), (T0, ""), ("", T0)):
            for headers in ([("Cookie", "access_token=%s; access_token=%s" % (first, second))],
                            [("Cookie", "access_token=%s; a=1; access_token=%s" % (first, second))],
                            [("Cookie", "access_token=" + first), ("Cookie", "access_token=" + second)]):
                with self.subTest(first=first[-8:], second=second[-8:], lines=len(headers)):
                    self.assert_refusal(400, "multiple_tokens", "/", headers=headers, token=None)

    def test_different_tokens_in_two_places_are_refused(self):
        cookie = [("Cookie", "access_token=" + OTHER)]
        self.assert_refusal(400, "multiple_tokens", "/", headers=cookie)
        self.assert_refusal(400, "multiple_tokens", "/optional", headers=cookie)
        self.assert_refusal(400, "multiple_tokens", "/", headers=[("Cookie", "access_token=" + BAD_TOKEN)])
        self.assert_refusal(400, "multiple_tokens", "/", token=None,
                            headers=[("Cookie", "access_token=%s; second=%s" % (T0, OTHER))])

    def test_the_same_token_in_two_places_is_one_and_goes_from_both(self):
        seen = self.seen("/", headers=[("Cookie", "a=1; access_token=%s; b=2" % T0)])
        self.assertEqual((seen.all("Authorization"), seen.all("Cookie")), ([], ["a=1; b=2"]))
        seen = self.seen("/", token=None, headers=[("Cookie", "access_token=%s; second=%s; b=2" % (T0, T0))])
        self.assertEqual(seen.all("Cookie"), ["b=2"])

    def test_two_authorization_headers_are_refused(self):
        for second in ("Bearer " + T0, "Bearer " + OTHER, "Basic dTpw", ""):
            with self.subTest(second[:8]):
                self.assert_refusal(400, "multiple_tokens", "/", headers=[("Authorization", second)])

    def test_another_scheme_is_no_token_and_a_cookie_still_is(self):
        self.assert_refusal(401, "token_missing", "/", headers=[("Authorization", "Basic dTpw")], token=None)
        seen = self.seen("/", token=None, headers=[("Authorization", "Basic dTpw"),
                                                   ("Cookie", "access_token=" + T0)])
        self.assertEqual(seen.all("X-Auth-Subject"), ["user-1"])

    def test_names_that_only_resemble_it_hold_no_token(self):
        for name in ("Access_Token", "ACCESS_TOKEN", "access_token2", "xaccess_token", "access-token",
                     "access.token", "x.access_token"):
            with self.subTest(name):
                self.assert_refusal(401, "token_missing", "/", headers=[("Cookie", name + "=" + T0)],
                                    token=None)

    def test_a_bad_token_in_a_cookie_is_refused(self):
        for target in ("/", "/optional"):
            self.assert_refusal(401, "signature_invalid", target, token=None,
                                headers=[("Cookie", "a=1; access_token=" + BAD_TOKEN)])

    def test_public_and_anonymous_requests_keep_their_cookies(self):
        cookie = "a=1; access_token=%s; access_token=x;  b=2" % T0
        self.assertEqual(self.seen("/public", token=None, headers=[("Cookie", cookie)]).all("Cookie"),
                         [cookie])
        self.assertEqual(self.seen("/optional", token=None, headers=[("Cookie", "a=1;  b=2 ;c")])
                         .all("Cookie"), ["a=1;  b=2 ;c"])

    def test_a_head_full_of_cookies_is_stripped_like_any_other(self):
        many = ["c%d=%d" % (i, i) for i in range(2400)]
        for at in (0, 1200, 2400):
            sent = many[:at] + ["access_token=" + T0] + many[at:]
            seen = self.seen("/", token=None, headers=[("Cookie", "; ".join(sent))])
            self.assertEqual(seen.all("Cookie"), ["; ".join(many)])
        self.assert_refusal(401, "token_missing", "/", token=None, headers=[("Cookie", "=;" * 14_000)])
        self.assert_refusal(401, "token_missing", "/", token=None, headers=[("Cookie", ";" * 28_000)])


class SpacedNames(ProxyTestCase):
    """Readers of cookies trim what stands around '=', so `at =x` is a cookie named at here too."""

    CONFIG = {"tokens": {"from_cookies": ["at"]}}
    SPELLINGS = ["at =%s", "at\t=%s", "at = %s", "at= %s", "at=%s ", " \tat \t= \t%s\t", "at  =  %s"]

    def test_a_token_behind_a_spaced_name_counts_and_goes(self):
        for spelling in self.SPELLINGS:
            for form, left in (("%s", None), ("a=1; %s; b=2", "a=1; b=2"), ("a = 1;%s", "a = 1")):
                with self.subTest(spelling, form=form):
                    cookie = form % (spelling % T0)
                    seen = self.seen("/", headers=[("Cookie", cookie)], token=None)
                    self.assertEqual(seen.all("X-Auth-Subject"), ["user-1"])
                    self.assertEqual([v.strip() for v in seen.all("Cookie")], [] if left is None else [left])
                    self.assertNotIn(T0.encode(), seen.raw)

    def test_a_spaced_name_beside_the_plain_one_is_that_name_twice(self):
        for spelling in self.SPELLINGS:
            for first, second in ((spelling % "X", "at=" + T0), ("at=" + T0, spelling % "X"),
                                  (spelling % T0, "at=" + T0), (spelling % T0, "at")):
                for headers in ([("Cookie", first + "; " + second)], [("Cookie", first), ("Cookie", second)]):
                    with self.subTest(first[:8], second=second[:8], lines=len(headers)):
                        self.assert_refused(self.ask("/", headers=headers, token=None), 400, "multiple_tokens")
        self.assert_nothing_arrived()
        self.assert_good_request_passes()

    def test_a_space_inside_a_name_makes_another_name(self):
        for name in ("a t", "at x", "x at", "=at"):
            with self.subTest(name):
                self.assert_refused(self.ask("/", headers=[("Cookie", name + "=" + T0)], token=None),
                                    401, "token_missing")
        self.assert_nothing_arrived()


class ForwardedCookies(ProxyTestCase):
    """With tokens.forward the upstream reads the cookies again, by its own rules."""

    CONFIG = {"tokens": {"from_cookies": ["at"], "forward": True}}

    def test_what_it_could_read_as_another_token_is_refused(self):
        for cookie in ("at =X; at=T", "at=T; at =X", "at\t=X; at=T", "at = X;at=T", " at =X; a=1; at=T",
                       "at =T; at=T"):
            with self.subTest(cookie):
                self.assert_refusal(400, "multiple_tokens", "/", token=None,
                                    headers=[("Cookie", with_token(cookie))])

    def test_one_token_is_passed_on_as_it_came(self):
        for cookie in ("a=1; at =T; b=2", "at=T"):
            with self.subTest(cookie):
                seen = self.seen("/", headers=[("Cookie", with_token(cookie))], token=None)
                self.assertEqual(seen.all("Cookie"), [with_token(cookie).decode()])
                self.assertEqual(seen.all("X-Auth-Subject"), ["user-1"])


class ParameterTokens(ProxyTestCase):
    CONFIG = {"tokens": {"from_params": ["access_token"]}}

    def test_the_parameter_goes_and_the_rest_of_the_query_stays(self):
        for target, expected in QUERIES:
            with self.subTest(target):
                seen = self.seen(with_token(target), token=None)
                self.assertIn(seen.target, expected)
                self.assertNotIn(T0.encode(), seen.raw)

    def test_a_query_without_it_passes_unchanged(self):
        for query in UNTOUCHED:
            with self.subTest(query):
                self.assertEqual(self.seen("/p" + query).target, "/p" + query)

    def test_two_tokens_are_refused(self):
        self.assert_refusal(400, "multiple_tokens", "/?access_token=%s&access_token=%s" % (T0, OTHER),
                            token=None)
        self.assert_refusal(400, "multiple_tokens", "/?access_token=" + OTHER)

    def test_the_same_token_in_header_and_query_is_one_and_goes_from_both(self):
        seen = self.seen("/p?a=1&access_token=" + T0)
        self.assertEqual((seen.target, seen.all("Authorization")), ("/p?a=1", []))

    def test_a_bad_token_in_the_query_is_refused(self):
        self.assert_refusal(401, "signature_invalid", "/?access_token=" + BAD_TOKEN, token=None)

    def test_no_token_from_the_query_stands_in_the_log(self):
        secret = good_token(sub="logged-never")
        self.proxy.remember_secret(secret)   # stop() looks for it in the log
        self.seen("/p?access_token=" + secret, token=None)


class Unnamed(ProxyTestCase):
    """Cookies and parameters are no place for tokens unless they are named."""

    def test_by_default_only_the_header_counts(self):
        self.assert_refusal(401, "token_missing", "/?access_token=" + T0, token=None)
        self.assert_refusal(401, "token_missing", "/", token=None, headers=[("Cookie", "access_token=" + T0)])

    def test_what_is_not_named_is_not_stripped(self):
        seen = self.seen("/p?access_token=x&a=1", headers=[("Cookie", "access_token=y; a=1")])
        self.assertEqual((seen.target, seen.all("Cookie")), ("/p?access_token=x&a=1", ["access_token=y; a=1"]))

    def test_a_query_without_a_token_passes_unchanged(self):
        for query in UNTOUCHED:
            with self.subTest(query):
                self.assertEqual(self.seen("/p" + query).target, "/p" + query)


if __name__ == "__main__":
    unittest.main()
