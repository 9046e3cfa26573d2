"""A token from a cookie: who may make a browser send it."""

import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

import certificates  # noqa: E402
from answers import Tunnel  # noqa: E402
from proxy_case import BAD_TOKEN, T0, ProxyTestCase  # noqa: E402
from wire import exchange, request  # noqa: E402

COOKIE = ("Cookie", "access_token=" + T0)
TRUSTED = "https://partner.example"


def site(value):
    return ("Sec-Fetch-Site", value)


def origin(value):
    return ("Origin", value)


# (request's Host, headers, whether the cookie's token is honoured on a POST)
POSTS = [
    # neither header
    ("app.example", [], False),
    ("app.example", [("Referer", "http://app.example/")], False),
    # Sec-Fetch-Site alone
    ("app.example", [site("same-origin")], True),
    ("app.example", [site("none")], True),
    ("app.example", [site("same-site")], False),
    ("app.example", [site("cross-site")], False),
    ("app.example", [site("")], False),
    ("app.example", [site("anything")], False),
    ("app.example", [site("same-origin, none")], False),
    # Origin alone
    ("app.example", [origin("http://app.example")], True),
    ("app.example", [origin("http://other.example")], False),
    ("app.example", [origin("http://app.example.evil.example")], False),
    ("app.example", [origin("http://evil-app.example")], False),
    ("app.example", [origin("http://sub.app.example")], False),
    ("app.example", [origin("http://app.exampl")], False),
    ("app.example", [origin("http://app.example:8080")], False),
    ("app.example", [origin("http://app.example@evil.example")], False),
    ("app.example", [origin("http://evil.example/app.example")], False),
    ("app.example", [origin("http://evil.example#app.example")], False),
    ("app.example", [origin("http://evil.example\\app.example")], False),
    ("app.example", [origin("app.example")], False),
    ("app.example", [origin("null")], False),
    ("app.example", [origin("")], False),
    ("app.example", [origin("http://app.example http://app.example")], False),
    ("app.example", [origin("http://app.example, http://evil.example")], False),
    # host, port and, where it is known, scheme
    ("app.example:8080", [origin("http://app.example:8080")], True),
    ("app.example:8080", [origin("http://app.example")], False),
    ("app.example:8080", [origin("http://app.example:8081")], False),
    ("app.example:8080", [origin("http://app.example:80808")], False),
    ("App.Example", [origin("http://app.example")], True),
    ("app.example:80", [origin("http://app.example")], True),
    ("app.example", [origin("https://app.example")], True),     # TLS may end in front of us
    ("app.example:8443", [origin("https://app.example:8443")], True),
    ("app.example:80", [origin("https://app.example")], False),
    ("[::1]:8080", [origin("http://[::1]:8080")], True),
    ("[::1]:8080", [origin("http://[::2]:8080")], False),
    # both
    ("app.example", [site("same-origin"), origin("http://app.example")], True),
    ("app.example", [site("same-origin"), origin("http://evil.example")], False),
    ("app.example", [site("none"), origin("null")], False),
    ("app.example", [site("cross-site"), origin("http://app.example")], False),
    ("app.example", [site("same-site"), origin("http://app.example")], False),
    # trusted origins
    ("app.example", [origin(TRUSTED)], True),
    ("app.example", [site("cross-site"), origin(TRUSTED)], True),
    ("app.example", [site("same-site"), origin(TRUSTED)], True),
    ("app.example", [origin("http://partner.example")], False),
    ("app.example", [origin("https://partner.example:8443")], False),
    ("app.example", [origin("https://partner.example.evil.example")], False),
    ("app.example", [site("cross-site"), origin("https://other.example")], False),
    # neither may come twice
    ("app.example", [site("same-origin"), site("same-origin")], False),
    ("app.example", [site("same-origin"), site("cross-site")], False),
    ("app.example", [origin("http://app.example"), origin("http://app.example")], False),
    ("app.example", [origin(TRUSTED), origin("http://evil.example")], False),
    ("app.example", [site("same-origin"), origin("http://app.example"), origin("http://app.example")], False),
]
FOREIGN = [[], [site("cross-site")], [site("cross-site"), origin("http://evil.example")],
           [origin("http://evil.example")], [origin("null")]]


class CookieTokens(ProxyTestCase):
    CONFIG = {"tokens": {"from_cookies": ["access_token"],
                         "csrf": {"mode": "enforce", "trusted_origins": [TRUSTED]}},
              "routes": [{"prefix": "/public", "access": "public"},
                         {"prefix": "/optional", "access": "optional"}, {"prefix": "/"}]}

    def test_a_post_needs_to_come_from_the_same_origin(self):
        for host, headers, honoured in POSTS:
            with self.subTest(host=host, headers=headers):
                self.upstream.forget()
                answer = self.ask("/", "POST", headers + [COOKIE], b"x", token=None, host=host)
                if honoured:
                    self.assertEqual(answer.status, 200, answer)
                    self.assertEqual(self.upstream.one().all("X-Auth-Subject"), ["user-1"])
                else:
                    self.assert_refused(answer, 403, "csrf_rejected")
                    self.assert_nothing_arrived()
        self.assert_good_request_passes()

    def test_methods_that_change_nothing_are_honoured_from_anywhere(self):
        for method in ("GET", "HEAD", "OPTIONS"):
            for headers in FOREIGN:
                with self.subTest(method, headers=headers):
                    self.seen("/", method, headers + [COOKIE], token=None)

    def test_every_other_method_is_checked(self):
        for method in ("POST", "PUT", "PATCH", "DELETE", "PURGE", "PROPFIND", "get"):
            with self.subTest(method):
                for target in ("/", "/optional"):
                    self.assert_refusal(403, "csrf_rejected", target, method=method, headers=[COOKIE],
                                        token=None)
                self.seen("/", method, [COOKIE, site("same-origin")], token=None)

    def test_a_method_that_is_overridden_by_header_stays_what_it_is(self):
        seen = self.seen("/", headers=[COOKIE, ("X-HTTP-Method-Override", "DELETE")], token=None)
        self.assertEqual((seen.method, seen.like("X-HTTP-Method-Override")), ("GET", []))

    def test_a_token_in_the_header_needs_none_of_it(self):
        for headers in FOREIGN:
            self.seen("/", "POST", headers, b"x", token=T0)

    def test_requests_without_a_token_are_not_judged_by_origin(self):
        self.assert_refusal(401, "token_missing", "/", method="POST", token=None,
                            headers=[origin("http://evil.example")])
        self.seen("/public", "POST", [COOKIE, origin("http://evil.example")], b"x", token=None)
        self.seen("/optional", "POST", [origin("http://evil.example")], b"x", token=None)

    def test_the_origin_is_judged_before_the_token(self):
        for token in (BAD_TOKEN, "not-a-token", "x" * 20_000):
            self.assert_refusal(403, "csrf_rejected", "/", method="POST", token=None,
                                headers=[("Cookie", "access_token=" + token), origin("http://evil.example")])

    def test_a_websocket_upgrade_is_checked_although_it_is_a_get(self):
        upgrade = [COOKIE, ("Connection", "Upgrade"), ("Upgrade", "websocket"),
                   ("Sec-WebSocket-Version", "13"), ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")]
        for headers in FOREIGN:
            with self.subTest(headers):
                self.assert_refusal(403, "csrf_rejected", "/", headers=upgrade + headers, token=None)
        for headers in ([origin("http://app.example")], [origin(TRUSTED)], [site("same-origin")]):
            with self.subTest(headers):
                self.upstream.answer_next(Tunnel())
                self.assertEqual(self.ask("/", headers=upgrade + headers, token=None).status, 101)


class Off(ProxyTestCase):
    CONFIG = {"tokens": {"from_cookies": ["access_token"], "csrf": "off"}}

    def test_nothing_is_asked_for_when_it_is_off(self):
        for headers in FOREIGN:
            self.seen("/", "POST", headers + [COOKIE], b"x", token=None)


class BehindTrustedProxy(ProxyTestCase):
    """The scheme is known from a trusted proxy, and then it counts."""

    CONFIG = {"tokens": {"from_cookies": ["access_token"]}, "trusted_proxies": ["127.0.0.1/32"]}

    # (X-Forwarded-Proto, Origin, honoured)
    CASES = [("https", "https://app.example", True), ("https", "http://app.example", False),
             ("http", "http://app.example", True), ("http", "https://app.example", False)]

    def test_the_scheme_counts_where_it_is_told(self):
        for scheme, source, honoured in self.CASES:
            with self.subTest(scheme=scheme, source=source):
                headers = [COOKIE, origin(source), ("X-Forwarded-Proto", scheme)]
                if honoured:
                    self.seen("/", "POST", headers, b"x", token=None)
                else:
                    self.assert_refusal(403, "csrf_rejected", "/", method="POST", headers=headers, body=b"x",
                                        token=None)

    def test_of_two_schemes_none_is_known(self):
        for schemes in (["https", "http"], ["http", "https"], ["https, http"], ["http,https"]):
            for source in ("https://app.example", "http://app.example"):
                with self.subTest(schemes, source=source):
                    seen = self.seen("/", "POST", [COOKIE, origin(source)]
                                     + [("X-Forwarded-Proto", scheme) for scheme in schemes], b"x", token=None)
                    self.assertEqual(seen.like("X-Forwarded-Proto"), [("X-Forwarded-Proto", "http")])

    def test_another_spelling_of_it_is_not_heard(self):
        for name in ("X_Forwarded_Proto", "X-Forwarded_Proto", "X.Forwarded~Proto"):
            with self.subTest(name):
                self.assert_refusal(403, "csrf_rejected", "/", method="POST", body=b"x", token=None,
                                    headers=[COOKIE, origin("http://app.example"), (name, "http"),
                                             ("X-Forwarded-Proto", "https"), (name, "http")])


class OwnTls(ProxyTestCase):
    """The scheme is known from our own listener."""

    CASES = [("https://app.example", 200), ("http://app.example", 403), ("https://app.example:8443", 403)]

    @classmethod
    def settings(cls):
        cls.authority = certificates.Authority(cls)
        tls = cls.authority.issue("app.example").config()
        found = super().settings()
        found.update(listen={"address": "127.0.0.1:0", "tls": tls},
                     tokens={"from_cookies": ["access_token"]})
        return found

    def test_the_scheme_counts(self):
        for source, status in self.CASES:
            with self.subTest(source):
                answer = exchange(self.proxy.port, request("POST", "/", [COOKIE, origin(source)], b"x"),
                                  tls=self.authority.client(), server_name="app.example")
                self.assertEqual(answer.status, status, answer)
                self.assertEqual(len(self.upstream.take()), int(status == 200))


if __name__ == "__main__":
    unittest.main()
