"""One path: what the rule matches is what the upstream gets."""

import os
import re
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

from proxy_case import T0, ProxyTestCase, configuration, good_token  # noqa: E402
from wire import Connection, request  # noqa: E402

# (target as sent, target as the upstream gets it)
NORMALISED = [
    ("/", "/"), ("/a/b", "/a/b"), ("/a/b/", "/a/b/"), ("/a?b=c", "/a?b=c"),
    # slashes
    ("//", "/"), ("/a//b", "/a/b"), ("///a////b//", "/a/b/"), ("//evil.example/x", "/evil.example/x"),
    # unreserved characters are decoded, all others stay encoded
    ("/%61", "/a"), ("/%41%5A%7a%30", "/AZz0"), ("/%7Euser", "/~user"), ("/a%2Db%5Fc%2ed", "/a-b_c.d"),
    ("/a%20b", "/a%20b"), ("/%C3%A9", "/%C3%A9"), ("/%ff", "/%ff"), ("/a%3Fb", "/a%3Fb"),
    ("/a%23b", "/a%23b"), ("/a%26b%3dc%2Bd", "/a%26b%3dc%2Bd"), ("/100%25", "/100%25"),
    ("/%25zz", "/%25zz"), ("/%2541", "/%2541"), ("/%25%2534%2531", "/%25%2534%2531"), ("/a%2520b", "/a%2520b"),
    ("/%2525%2525", "/%2525%2525"), ("/%2532%65", "/%2532e"), ("/a%22%3C%3E", "/a%22%3C%3E"),
    # dot segments
    ("/a/./b", "/a/b"), ("/a/../b", "/b"), ("/a/b/..", "/a/"), ("/a/.", "/a/"), ("/.", "/"),
    ("/a/..", "/"), ("/a/b/../../c", "/c"), ("/./a", "/a"), ("/a/%2e/b", "/a/b"), ("/a/%2E%2e/b", "/b"),
    ("/a/.%2e/b", "/b"), ("/a/%2e./b", "/b"), ("/a//../b", "/b"), ("/a/.//b", "/a/b"),
    ("/a/b/%2e%2e", "/a/"),
    # what only looks like one
    ("/...", "/..."), ("/..a", "/..a"), ("/a..", "/a.."), ("/.a/b", "/.a/b"), ("/a./b", "/a./b"),
    ("/a/...", "/a/..."), ("/.well-known/x", "/.well-known/x"),
    # parameters stay for the upstream
    ("/a;v=1/b", "/a;v=1/b"), ("/a;v=1;w=2", "/a;v=1;w=2"), ("/a;", "/a;"), ("/a%3Bb", "/a%3Bb"),
    ("/a;x/../b", "/b"), ("/a..;x/b", "/a..;x/b"), ("/...;x", "/...;x"),
    # other characters
    ("/a:b@c!$&'()*+,=d", "/a:b@c!$&'()*+,=d"), ("/a|b", "/a|b"),
    # the query is not touched
    ("/a/../b?x=%2F../..//%5c%00&%zz", "/b?x=%2F../..//%5c%00&%zz"), ("/a?", "/a?"), ("/a??b", "/a??b"),
    ("/a?/../b", "/a?/../b"), ("/%61?%61", "/a?%61"),
    # absolute form
    ("http://app.example/a/../b?c", "/b?c"), ("http://app.example", "/"), ("http://app.example?q", "/?q"),
]

REFUSED = [
    # a % without two digits
    "/%", "/a%", "/%4", "/%zz", "/%4g", "/%g4", "/%%41", "/a%/b", "/%u0041",
    # encoded slashes, backslashes, controls
    "/a%2Fb", "/a%2fb", "/%2F", "/%2f..%2f", "/a\\b", "/\\", "/a%5Cb", "/a%5cb", "/..\\a", "/a/..%5c..",
    "/%00", "/a%00b", "/a%0Ab", "/a%0d%0ab", "/a%09b", "/a%1fb", "/a%7Fb",
    b"/a\x01b", b"/a\x7fb",
    # a fragment, raw bytes above 127
    "/a#b", "/#", "/a?b#c", b"/\xc3\xa9", b"/a\xff", b"/\xc0\xae\xc0\xae/a", b"/a\x80",
    # still encoded after the decoding
    "/%252e", "/%252E%252e/a", "/a/%252e%252e/b", "/%252f", "/a%252Fb", "/%255c", "/a%255Cb", "/%2500",
    "/a%250ab", "/a%257fb", "/%%32%65", "/%%32%66", "/%25%32%65", "/%25%32%66", "/%2%35%63",
    # however many layers lie over it, and whichever digits they hide
    "/%25%2532e", "/%25%2532%2565", "/%25%2532%2565/a", "/a/%25%2532%2565%25%2532%2565/b", "/%2525252e",
    "/%25%32%35%32%65", "/%25%2532f", "/%25%2535%2563", "/%25%2530%2530", "/%2525%2532%2565",
    "/%" + "25" * 20 + "2e",
    # a dot segment behind which a parameter stands
    "/..;", "/..;/a", "/a/..;/b", "/a/..;x=1/b", "/.;/a", "/a/.;x/b", "/a/.;", "/a/..%3bx/b", "/a/.%3B/b",
    "/a/%2e%2e;/b", "/a/%2e%2e%3b/b", "/a/.%2e;x/b", "/%2e;/a",
    # above the root
    "/..", "/../", "/../a", "/a/../..", "/a/../../b", "/%2e%2e/a", "/./../a", "//../a", "/a/b/../../../c",
    "http://app.example/../a",
]

# Ways to reach /admin that must all be judged as /admin: (target, verdict without the scope)
FORBIDDEN, ELSEWHERE, MALFORMED = 403, 200, 400
ADMIN = [
    ("/admin", FORBIDDEN), ("/admin/", FORBIDDEN), ("/admin/x", FORBIDDEN), ("/admin?x", FORBIDDEN),
    ("//admin", FORBIDDEN), ("/./admin", FORBIDDEN), ("/x/../admin/y", FORBIDDEN), ("/%61dmin", FORBIDDEN),
    ("/%61%64%6d%69%6e/x", FORBIDDEN), ("/admi%6E/", FORBIDDEN), ("/admin;a=1", FORBIDDEN),
    ("/admin;a=1/x", FORBIDDEN), ("/admin;/x", FORBIDDEN), ("/admin/;a", FORBIDDEN), ("/admin//x", FORBIDDEN),
    ("/x/%2e%2e/admin", FORBIDDEN), ("/public/../admin/x", FORBIDDEN), ("/public/%2E%2E/admin", FORBIDDEN),
    ("/public//../admin", FORBIDDEN), ("/public/./../admin", FORBIDDEN), ("/admin/x/..", FORBIDDEN),
    ("http://app.example/admin", FORBIDDEN), ("http://app.example//admin/", FORBIDDEN),
    ("/administrator", ELSEWHERE), ("/admin2/", ELSEWHERE), ("/Admin/x", ELSEWHERE), ("/x/admin", ELSEWHERE),
    ("/admin/../x", ELSEWHERE), ("/admin-x", ELSEWHERE), ("/admin.html", ELSEWHERE),
    ("/admin%20", ELSEWHERE), ("/x?/admin", ELSEWHERE),
    ("/public/..;/admin", MALFORMED), ("/public/..%2fadmin", MALFORMED), ("/public%2f..%2fadmin", MALFORMED),
    ("/public/..\\admin", MALFORMED), ("/public/%252e%252e/admin", MALFORMED), ("/admin%00", MALFORMED),
    ("/admin%2f", MALFORMED), ("/admin#", MALFORMED), ("/../admin", MALFORMED), ("/admin%5cx", MALFORMED),
    ("/public/..%00/admin", MALFORMED), ("/%2561dmin", ELSEWHERE), ("/public/.%3B/../admin", MALFORMED),
]


def same_hex_case(text):
    """The case of the digits in %C3 is free."""
    return re.sub(r"%[0-9A-Fa-f]{2}", lambda m: m.group().upper(), text)


class OnePath(ProxyTestCase):
    CONFIG = {
        "routes": [
            {"path": "/healthz", "access": "public"}, {"prefix": "/public/", "access": "public"},
            {"prefix": "/admin/", "require": {"scopes": ["admin"]}}, {"prefix": "/"}],
    }

    def test_the_upstream_gets_the_normal_form(self):
        for target, expected in NORMALISED:
            with self.subTest(target):
                self.assertEqual(same_hex_case(self.seen(target).target), same_hex_case(expected))

    def test_what_has_two_readings_is_refused(self):
        for target in REFUSED:
            for token in (None, T0):
                with self.subTest(target, token=bool(token)):
                    self.upstream.forget()
                    self.assert_refused(self.ask(target, token=token), 400, "bad_request")
                    self.assert_nothing_arrived()
        self.assert_good_request_passes()

    def test_no_spelling_gets_around_a_prefix(self):
        for target, verdict in ADMIN:
            with self.subTest(target):
                self.upstream.forget()
                answer = self.ask(target)
                if verdict == ELSEWHERE:
                    self.assertEqual(answer.status, 200, answer)
                    continue
                self.assert_refused(answer, verdict,
                                    "scope_insufficient" if verdict == FORBIDDEN else "bad_request")
                self.assert_nothing_arrived()
        self.assert_good_request_passes()

    def test_no_spelling_is_public_by_accident(self):
        for target, verdict in ADMIN:
            with self.subTest(target):
                self.upstream.forget()
                answer = self.ask(target, token=None)
                if verdict == MALFORMED:
                    self.assert_refused(answer, 400, "bad_request")
                else:
                    self.assert_refused(answer, 401, "token_missing")
                self.assert_nothing_arrived()

    def test_with_the_scope_every_spelling_of_it_is_admitted(self):
        token = good_token(scope="admin")
        for target, verdict in ADMIN:
            if verdict == FORBIDDEN:
                with self.subTest(target):
                    self.assertRegex(self.seen(target, token=token).target, r"\A/admin(\Z|[/;?])")

    def test_exact_and_prefix_matches_go_by_the_normal_form(self):
        for target in ("/healthz", "/%68ealthz", "/x/../healthz", "//healthz", "/healthz;v=1", "/healthz?x",
                       "/public", "/public/", "/public/x", "/public;v/x", "/admin/../public/x"):
            with self.subTest(target):
                self.seen(target, token=None)
        for target in ("/healthz/", "/healthz/x", "/healthzx", "/Healthz", "/publicx", "/x/healthz",
                       "/healthz%20", "/public.html"):
            with self.subTest(target):
                self.assert_refusal(401, "token_missing", target, token=None)

    def test_a_refused_path_leaves_the_next_request_alone(self):
        for target in ("/a%2fb", "/..", "/%"):
            with Connection(self.proxy.port) as wire:
                wire.send(request("GET", target, token=T0))
                answer = wire.answer()
                self.assertEqual(answer.status, 400)
                if not answer.closes:
                    wire.send(request("GET", "/next", token=T0))
                    self.assertEqual(wire.answer().json()["target"], "/next")


class KeptSlashes(ProxyTestCase):
    """encoded_slashes: keep. %2F is data, for the rule and for the upstream."""

    CONFIG = {"encoded_slashes": "keep",
              "routes": [{"prefix": "/public", "access": "public"},
                         {"prefix": "/admin/", "require": {"scopes": ["admin"]}},
                         {"path": "/exact", "access": "public"}, {"prefix": "/"}]}

    def test_an_encoded_slash_stays_as_it_is(self):
        for target, expected in (("/a%2Fb", "/a%2Fb"), ("/a%2fb/../c", "/c"), ("/a%2F%2Fb//c", "/a%2F%2Fb/c"),
                                 ("/%2F", "/%2F"), ("/a%2fb?c=%2F", "/a%2fb?c=%2F")):
            with self.subTest(target):
                self.assertEqual(same_hex_case(self.seen(target).target), same_hex_case(expected))

    def test_it_separates_no_segments(self):
        for target in ("/admin%2Fx", "/x%2Fadmin"):
            with self.subTest(target):
                self.assertEqual(self.seen(target).target.upper(), target.upper())
        for target in ("/public%2Fx", "/exact%2F"):
            with self.subTest(target):
                self.assert_refusal(401, "token_missing", target, token=None)
        self.assert_refusal(403, "scope_insufficient", "/admin/a%2Fb")

    def test_everything_else_is_refused_as_ever(self):
        for target in ("/a%5Cb", "/a%00", "/%252F", "/%252e", "/..;/a", "/../a", "/a\\b", "/%%32%66", "/a%2",
                       "/%25%2532%2566", "/%25%2532e"):
            with self.subTest(target):
                self.assert_refusal(400, "bad_request", target)


class PathBehindTheUpstream(ProxyTestCase):
    """A path in the upstream's url is put before the request's."""

    @classmethod
    def settings(cls):
        return configuration(None, upstreams={"default": {"url": cls.upstream.url + "/base"},
                                              "slash": {"url": cls.upstream.url + "/base/"}},
                             routes=[{"prefix": "/slash", "upstream": "slash"}, {"prefix": "/"}])

    def test_it_stands_before_the_normal_form(self):
        for target, expected in (("/", "/base/"), ("/a?b", "/base/a?b"), ("/a/../c", "/base/c"),
                                 ("/slash/x", "/base/slash/x"), ("//a", "/base/a")):
            with self.subTest(target):
                self.assertEqual(self.seen(target).target, expected)

    def test_nothing_climbs_out_of_it(self):
        for target in ("/../x", "/a/../../x", "/%2e%2e/x", "/..;/x", "/%252e%252e/x"):
            with self.subTest(target):
                self.assert_refusal(400, "bad_request", target)


if __name__ == "__main__":
    unittest.main()
