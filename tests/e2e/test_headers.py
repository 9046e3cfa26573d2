"""Header hygiene: what a client may not say, whatever its spelling, on every kind of route."""

import itertools
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

from proxy_case import BAD_TOKEN, HOST, ISSUER, T0, ProxyTestCase  # noqa: E402
from wire import Connection, chunked, request  # noqa: E402

PREFLIGHT = [("Origin", "https://app.example"), ("Access-Control-Request-Method", "POST")]

# Spellings of X-Auth-Subject that some program behind the proxy reads as that header.
SPELLINGS = ["X-Auth-Subject", "x-auth-subject", "X-AUTH-SUBJECT", "X_Auth_Subject", "x_auth_subject",
             "X-Auth_Subject", "X_Auth-Subject", "X.Auth.Subject", "X.Auth~Subject", "X~Auth~Subject",
             "X!Auth#Subject", "X$Auth%Subject", "X&Auth'Subject", "X*Auth+Subject", "X^Auth`Subject",
             "X|Auth|Subject"]
FORGERIES = {"once": ["admin"], "twice": ["admin", "root"], "empty": [""], "a list": ["admin, root"],
             "the verified value": ["user-1"]}

# Never passed on, from anyone: the default of request_headers_to_remove, and Proxy.
ALWAYS_REMOVED = ["Remote-User", "remote_user", "X-Remote-User", "X_Remote_User", "X-Forwarded-User",
                  "X-Forwarded-Email", "X-Forwarded-Groups", "X-Forwarded-Preferred-Username",
                  "X-Forwarded-Access-Token", "X_Forwarded_Access_Token", "X-Auth-Request-User",
                  "X-Auth-Request-Email", "x_auth_request_anything", "X.Auth~Request.Groups", "Proxy",
                  "proxy", "PROXY"]

# Believed from trusted proxies alone.
FORWARDING = ["Forwarded", "FORWARDED", "X-Real-IP", "X_Real_IP", "X.Real~IP", "X-Original-URL",
              "X-Original-Method", "X_Original_URL", "X-Original-Anything", "X-Rewrite-URL",
              "X_Rewrite_URL", "X-HTTP-Method-Override", "X_HTTP_Method_Override", "X-Forwarded-Port",
              "X-Forwarded-Prefix", "X-Forwarded-Server", "X-Forwarded-Scheme", "X-Forwarded-Ssl",
              "X-Forwarded-Uri", "X_Forwarded_Anything", "X-Forwarded.Method"]

HOP_BY_HOP = {"Keep-Alive": "timeout=5", "Proxy-Connection": "keep-alive", "TE": "trailers",
              "Proxy-Authorization": "Basic eDp5", "Trailer": "X-T"}


NUMBERS = itertools.count()


def own_path():
    """A path that no other request has: access lines are written in batches, so an earlier one may come late."""
    return "/log/%d" % next(NUMBERS)


class ForgedClaims(ProxyTestCase):
    CONFIG = {
        "claim_to_headers": [{"claim": "sub", "header": "X-Auth-Subject"},
                             {"claim": "email", "header": "X-Auth-Email"}],
        "forward_payload_header": "X-Auth-Payload",
        "bypass_cors_preflight": True,
        "routes": [{"prefix": "/public", "access": "public"}, {"prefix": "/optional", "access": "optional"},
                   {"prefix": "/"}],
    }
    # (method, target, token, further headers, whether the claims are set)
    PLACES = [("GET", "/required", T0, [], True), ("POST", "/required", T0, [], True),
              ("OPTIONS", "/required", T0, [], True), ("OPTIONS", "/required", None, PREFLIGHT, False),
              ("GET", "/public", None, [], False), ("GET", "/public", T0, [], False),
              ("OPTIONS", "/public", None, [], False), ("GET", "/optional", None, [], False),
              ("GET", "/optional", T0, [], True), ("OPTIONS", "/optional", T0, [], True)]

    def test_a_forged_claim_header_never_arrives(self):
        for method, target, token, more, verified in self.PLACES:
            expected = [("X-Auth-Subject", "user-1")] if verified else []
            for spelling in SPELLINGS:
                with self.subTest(method=method, target=target, token=bool(token), name=spelling):
                    seen = self.seen(target, method, more + [(spelling, "admin")], token=token)
                    self.assertEqual(seen.like("X-Auth-Subject"), expected)
                    self.assertNotIn(b"admin", seen.raw)

    def test_every_form_of_forgery(self):
        for form, forged in FORGERIES.items():
            with self.subTest(form):
                seen = self.seen("/required", headers=[("X-Auth-Subject", v) for v in forged])
                self.assertEqual(seen.like("X-Auth-Subject"), [("X-Auth-Subject", "user-1")])

    def test_a_mix_of_spellings_in_one_request(self):
        seen = self.seen("/required", headers=[(s, "admin") for s in SPELLINGS])
        self.assertEqual(seen.like("X-Auth-Subject"), [("X-Auth-Subject", "user-1")])

    def test_a_claim_that_the_token_lacks_leaves_no_header(self):
        for spelling in ("X-Auth-Email", "x_auth_email"):
            seen = self.seen("/required", headers={spelling: "admin@app.example"})
            self.assertEqual(seen.like("X-Auth-Email"), [])

    def test_the_payload_header_is_ours_too(self):
        for target, token, count in (("/required", T0, 1), ("/public", None, 0), ("/optional", None, 0)):
            for spelling in ("X-Auth-Payload", "x_auth_payload", "X.Auth~Payload"):
                with self.subTest(target=target, name=spelling):
                    seen = self.seen(target, headers={spelling: "forged"}, token=token)
                    self.assertEqual(len(seen.like("X-Auth-Payload")), count)
                    self.assertNotIn(b"forged", seen.raw)

    def test_neighbours_of_a_claim_header_pass(self):
        for name in ("X-Auth-Subjects", "X-Auth-Subjec", "XX-Auth-Subject", "X-AuthSubject",
                     "X-Auth--Subject"):
            with self.subTest(name):
                self.assertEqual(self.seen("/required", headers={name: "v"}).all(name), ["v"])

    def test_trailers_never_become_headers(self):
        for target, token in (("/required", T0), ("/public", None)):
            with Connection(self.proxy.port) as wire:
                wire.send(request("POST", target, {"Transfer-Encoding": "chunked", "Trailer": "X-T"},
                                  token=token)
                          + chunked(b"body", trailers=b"X-Auth-Subject: admin\r\nX-T: 1\r\n"
                                                      b"Authorization: Bearer x\r\nContent-Length: 9\r\n"))
                self.assertEqual(wire.answer().status, 200)
            seen = self.upstream.one()
            self.assertEqual((seen.body, seen.trailers), (b"body", []))
            self.assertEqual(seen.all("X-T"), [])
            self.assertNotIn(b"admin", self.upstream.received())

    def test_names_in_connection_do_not_strip_what_the_proxy_sets(self):
        for value in ("close, X-Auth-Subject", "X-Auth-Subject", "x_auth_subject, X-Auth-Payload",
                      "Authorization, Cookie, X-Forwarded-For", "X-Forwarded-Host, X-Forwarded-Proto",
                      "X-Request-Id, keep-alive", "close, ,,X-Auth-Subject,"):
            with self.subTest(value):
                seen = self.seen("/required", headers={"Connection": value})
                self.assertEqual(seen.all("X-Auth-Subject"), ["user-1"])
                self.assertEqual(len(seen.all("X-Auth-Payload")), 1)
                self.assertEqual(seen.all("X-Forwarded-For"), ["127.0.0.1"])
                self.assertEqual(seen.all("X-Forwarded-Proto"), ["http"])
                self.assertEqual(seen.all("X-Forwarded-Host"), [HOST])
                self.assertEqual(len(seen.all("X-Request-Id")), 1)

    def test_a_token_named_in_connection_is_still_looked_at(self):
        self.assert_refusal(401, "token_missing", "/required", headers={"Connection": "Authorization"},
                            token=None)

    def test_headers_named_in_connection_go(self):
        seen = self.seen("/required", headers=[("Connection", "X-Once, close"), ("Connection", "x-twice"),
                                               ("X-Once", "1"), ("X-Twice", "2"), ("X-Stays", "3")])
        self.assertEqual((seen.all("X-Once"), seen.all("X-Twice"), seen.all("X-Stays")), ([], [], ["3"]))

    def test_hop_by_hop_headers_go(self):
        for target, token in (("/required", T0), ("/public", None)):
            for name, value in HOP_BY_HOP.items():
                with self.subTest(name, target=target):
                    self.assertEqual(self.seen(target, headers={name: value}, token=token).all(name), [])

    def test_what_is_never_passed_on(self):
        for target, token in (("/required", T0), ("/public", None), ("/optional", None)):
            for name in ALWAYS_REMOVED + FORWARDING:
                with self.subTest(name, target=target):
                    seen = self.seen(target, headers={name: "forged"}, token=token)
                    self.assertNotIn(b"forged", seen.raw)

    def test_ordinary_headers_pass_in_order_and_unchanged(self):
        sent = [("Accept", "text/html;q=0.9, */*"), ("X-Multi", "one"), ("x-CASE", "Kept  as it \t is"),
                ("X-Multi", "two"), ("X-Empty", ""), ("X-Bytes", b"\xc3\xa9\xff"),
                ("User-Agent", "kube-probe/1.30"), ("Accept-Encoding", "gzip")]
        seen = self.seen("/required", headers=sent)
        expected = [(n, v if isinstance(v, str) else v.decode("latin-1")) for n, v in sent]
        names = {n.lower() for n, _ in sent}
        self.assertEqual([(n.lower(), v) for n, v in seen.headers if n.lower() in names],
                         [(n.lower(), v) for n, v in expected])


class WhatTheProxySets(ProxyTestCase):
    CONFIG = {
        "request_headers_to_add": {"X-Served-Through": "signet", "X-Both": "global"},
        "claim_to_headers": [{"claim": "sub", "header": "X-Auth-Subject"}],
        "routes": [{"prefix": "/public", "access": "public"}, {"prefix": "/optional", "access": "optional"},
                   {"prefix": "/second", "upstream": "second"}, {"prefix": "/"}],
    }

    @classmethod
    def settings(cls):
        found = super().settings()
        del found["upstream"]
        found["upstreams"] = {"default": {"url": cls.upstream.url},
                              "second": {"url": cls.upstream.url,
                                         "request_headers_to_add": {"X-Second": "yes"}}}
        return found

    def test_fixed_headers_arrive_and_replace_what_the_client_sent(self):
        for target, token in (("/required", T0), ("/public", None), ("/optional", None)):
            seen = self.seen(target, headers={"x-served-through": "forged", "X-Other": "1"}, token=token)
            self.assertEqual(seen.all("X-Served-Through"), ["signet"])
            self.assertEqual(seen.all("X-Other"), ["1"])

    def test_fixed_headers_of_one_upstream(self):
        self.assertEqual(self.seen("/second").all("X-Second"), ["yes"])
        self.assertEqual(self.seen("/second").all("X-Served-Through"), ["signet"])
        self.assertEqual(self.seen("/first").all("X-Second"), [])

    def test_where_the_request_came_from(self):
        seen = self.seen("/", headers={"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https",
                                       "X-Forwarded-Host": "evil.example"}, host="app.example:8443")
        self.assertEqual(seen.like("X-Forwarded-For"), [("X-Forwarded-For", "127.0.0.1")])
        self.assertEqual(seen.like("X-Forwarded-Proto"), [("X-Forwarded-Proto", "http")])
        self.assertEqual(seen.like("X-Forwarded-Host"), [("X-Forwarded-Host", "app.example:8443")])

    def test_a_stranger_does_not_choose_the_request_id(self):
        ids = set()
        for name in ("X-Request-Id", "x_request_id", "X-Request-ID", "X.Request~Id"):
            seen = self.seen("/", headers={name: "chosen-by-the-client"})
            [(_, value)] = seen.like("X-Request-Id")
            self.assertRegex(value, r"\A[A-Za-z0-9._-]{1,128}\Z")
            self.assertNotIn("chosen", value)
            ids.add(value)
        self.assertEqual(len(ids), 4)
        answer = self.ask("/", headers={"X-Request-Id": "chosen"}, token=None)
        self.assertNotEqual(answer.header("X-Request-Id"), "chosen")

    def test_the_token_goes_and_public_routes_keep_everything(self):
        self.assertEqual(self.seen("/").all("Authorization"), [])
        self.assertEqual(self.seen("/optional").all("Authorization"), [])
        seen = self.seen("/public", headers={"Cookie": "a=1; access_token=x;  b=2"})
        self.assertEqual(seen.all("Authorization"), ["Bearer " + T0])
        self.assertEqual(seen.all("Cookie"), ["a=1; access_token=x;  b=2"])
        seen = self.seen("/public", headers={"Authorization": "Basic dTpw"}, token=None)
        self.assertEqual(seen.all("Authorization"), ["Basic dTpw"])


class ForwardedToken(ProxyTestCase):
    CONFIG = {"tokens": {"forward": True}}

    def test_the_upstream_gets_the_token_when_asked_to(self):
        self.assertEqual(self.seen("/").all("Authorization"), ["Bearer " + T0])


class FixedAuthorization(ProxyTestCase):
    """request_headers_to_add may name Authorization; ours takes the place of the client's."""

    CONFIG = {"request_headers_to_add": {"Authorization": "Basic SERVICE"},
              "tokens": {"from_cookies": ["at"]},
              "routes": [{"prefix": "/public", "access": "public"}, {"prefix": "/optional", "access": "optional"},
                         {"prefix": "/"}]}
    COOKIE = ("Cookie", "at=" + T0)

    def test_the_upstream_gets_ours_alone(self):
        basic, bearer = ("Authorization", "Basic dTpw"), ("Authorization", "Bearer " + T0)
        for target, headers in (("/public", []), ("/public", [basic]), ("/public", [bearer]),
                                ("/public", [("authorization", "Negotiate x")]),
                                ("/optional", []), ("/optional", [basic]), ("/optional", [bearer]),
                                ("/required", [bearer]), ("/required", [self.COOKIE]),
                                ("/required", [self.COOKIE, basic]), ("/required", [basic, self.COOKIE]),
                                ("/required", [self.COOKIE, bearer]),
                                ("/required", [("Connection", "Authorization"), bearer])):
            with self.subTest(target, headers=[(n, v[:12]) for n, v in headers]):
                seen = self.seen(target, headers=headers, token=None)
                self.assertEqual(seen.like("Authorization"), [("Authorization", "Basic SERVICE")])
                if target == "/required":
                    self.assertEqual(seen.all("X-Auth-Subject"), ["user-1"])

    def test_the_clients_own_is_still_looked_at(self):
        self.assert_refusal(401, "signature_invalid", "/", token=BAD_TOKEN)
        self.assert_refusal(401, "token_missing", "/", token=None, headers=[("Authorization", "Basic dTpw")])
        self.assert_refusal(400, "multiple_tokens", "/", headers=[("Authorization", "Basic dTpw")])


class FixedAuthorizationBesideTheToken(ProxyTestCase):
    CONFIG = {"request_headers_to_add": {"Authorization": "Basic SERVICE"},
              "tokens": {"from_cookies": ["at"], "forward": True}}

    def test_a_token_that_is_passed_on_does_not_stand_beside_it(self):
        for headers, token in (([], T0), ([("Cookie", "at=" + T0)], None),
                               ([("Cookie", "at=" + T0), ("Authorization", "Basic dTpw")], None)):
            seen = self.seen("/", headers=headers, token=token)
            self.assertEqual(seen.like("Authorization"), [("Authorization", "Basic SERVICE")])


class DefaultClaimHeaders(ProxyTestCase):
    """Nothing said of claims: the subject and the issuer are passed on, and nobody else's word for them."""

    CONFIG = {"routes": [{"prefix": "/public", "access": "public"}, {"prefix": "/optional", "access": "optional"},
                         {"prefix": "/"}]}
    VERIFIED = {"X-Auth-Subject": "user-1", "X-Auth-Issuer": ISSUER}
    CASES = [str, str.lower, str.upper, lambda n: n.replace("-", "_"), lambda n: n.replace("-", "_").lower(),
             lambda n: n.replace("-", "_", 1), lambda n: n.swapcase()]

    def test_beside_a_good_token_exactly_the_verified_ones_arrive(self):
        for name, verified in self.VERIFIED.items():
            for spelling in self.CASES:
                for form, forged in FORGERIES.items():
                    with self.subTest(spelling(name), form=form):
                        seen = self.seen("/", headers=[(spelling(name), v) for v in forged])
                        self.assertEqual(seen.like(name), [(name, verified)])

    def test_all_of_them_at_once(self):
        forged = [(spelling(name), "https://evil.example") for name in self.VERIFIED for spelling in self.CASES]
        seen = self.seen("/", headers=forged)
        for name, verified in self.VERIFIED.items():
            self.assertEqual(seen.like(name), [(name, verified)])
        self.assertNotIn(b"evil", seen.raw)

    def test_without_a_token_none_arrives(self):
        for target, token in (("/public", None), ("/public", T0), ("/optional", None)):
            for name in self.VERIFIED:
                for spelling in self.CASES:
                    with self.subTest(spelling(name), target=target):
                        seen = self.seen(target, headers=[(spelling(name), "forged")] * 2, token=token)
                        self.assertEqual(seen.like(name), [])


class TrustedPeer(ProxyTestCase):
    """The test's own address is a trusted proxy."""

    CONFIG = {"trusted_proxies": ["127.0.0.0/8"],
              "claim_to_headers": [{"claim": "sub", "header": "X-Auth-Subject"}]}

    def test_its_forwarding_headers_are_believed(self):
        seen = self.seen("/", headers={"X-Forwarded-For": "203.0.113.9, 198.51.100.4",
                                       "X-Forwarded-Proto": "https", "X-Forwarded-Host": "www.example",
                                       "X-Forwarded-Port": "443", "X-Real-IP": "203.0.113.9",
                                       "Forwarded": "for=203.0.113.9", "X-Original-URL": "/there"})
        self.assertEqual(seen.all("X-Forwarded-For"), ["203.0.113.9, 198.51.100.4, 127.0.0.1"])
        self.assertEqual(seen.all("X-Forwarded-Proto"), ["https"])
        self.assertEqual(seen.all("X-Forwarded-Host"), ["www.example"])
        for name, value in (("X-Forwarded-Port", "443"), ("X-Real-IP", "203.0.113.9"),
                            ("Forwarded", "for=203.0.113.9"), ("X-Original-URL", "/there")):
            self.assertEqual(seen.all(name), [value])

    def test_aliases_of_what_we_write_never_arrive(self):
        for name in ("X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Request-Id"):
            before = self.seen("/").like(name)
            for dash in "_.~!":
                for alias in (name.replace("-", dash), name.replace("-", dash, 1), name.lower().replace("-", dash)):
                    with self.subTest(alias):
                        seen = self.seen("/", headers=[(alias, "192.0.2.66"), (alias, "forged")])
                        self.assertEqual(len(seen.like(name)), 1, seen.headers)
                        self.assertNotIn(b"192.0.2.66", seen.raw)
                        self.assertNotIn(b"forged", seen.raw)
                        if name != "X-Request-Id":
                            self.assertEqual(seen.like(name), before)

    def test_an_alias_does_not_stand_beside_the_real_one(self):
        seen = self.seen("/", headers=[("X-Forwarded-For", "203.0.113.9"), ("X_Forwarded_For", "192.0.2.66"),
                                       ("X_Forwarded_Proto", "https"), ("X-Forwarded-Proto", "http")])
        self.assertEqual(seen.like("X-Forwarded-For"), [("X-Forwarded-For", "203.0.113.9, 127.0.0.1")])
        self.assertEqual(seen.like("X-Forwarded-Proto"), [("X-Forwarded-Proto", "http")])

    def test_of_two_values_none_is_believed(self):
        for values in (["https", "http"], ["http", "https"], ["https", "https"], ["https, http"], ["https,https"],
                       ["", "https"]):
            with self.subTest(values):
                seen = self.seen("/", headers=[("X-Forwarded-Proto", v) for v in values])
                self.assertEqual(seen.like("X-Forwarded-Proto"), [("X-Forwarded-Proto", "http")])
        for values in (["a.example", "b.example"], ["a.example, b.example"]):
            with self.subTest(values):
                seen = self.seen("/", headers=[("X-Forwarded-Host", v) for v in values])
                self.assertEqual(seen.like("X-Forwarded-Host"), [("X-Forwarded-Host", HOST)])

    def test_the_log_names_the_client_behind_it(self):
        for chain, client in (([], "127.0.0.1"), (["203.0.113.9"], "203.0.113.9"),
                              (["198.51.100.4, 203.0.113.9"], "203.0.113.9"),
                              (["198.51.100.4", "203.0.113.9, 127.0.0.2"], "203.0.113.9"),
                              (["127.0.0.3, 127.0.0.2"], "127.0.0.3"), (["2001:db8::9"], "2001:db8::9"),
                              (["203.0.113.9, unknown"], "127.0.0.1"),
                              (["203.0.113.9, <script>, 127.0.0.2"], "127.0.0.2")):
            for token in (T0, None):
                with self.subTest(chain, token=token is not None):
                    mark, target = self.proxy.mark(), own_path()
                    answer = self.ask(target, headers=[("X-Forwarded-For", line) for line in chain], token=token)
                    self.assertEqual(answer.status, 200 if token else 401)
                    found = self.proxy.wait_log(lambda r: r.get("path") == target, mark, "the access line")
                    self.assertEqual(found["client"], client)

    def test_what_only_begins_like_an_address_is_no_client(self):
        # Behind the % of a scoped IPv6 address anything may stand, a token too.
        for entry in ("2001:db8::9%" + T0, "2001:db8::9%eth0", "fe80::1%<b>", "203.0.113.9%x", "203.0.113.9 x"):
            with self.subTest(entry[:20]):
                mark, target = self.proxy.mark(), own_path()
                self.ask(target, headers={"X-Forwarded-For": entry})
                found = self.proxy.wait_log(lambda r: r.get("path") == target, mark, "the access line")
                self.assertTrue(found["client"] == "127.0.0.1", found["client"][:60])

    def test_nothing_said_is_filled_in(self):
        seen = self.seen("/")
        self.assertEqual(seen.all("X-Forwarded-For"), ["127.0.0.1"])
        self.assertEqual(seen.all("X-Forwarded-Proto"), ["http"])
        self.assertEqual(seen.all("X-Forwarded-Host"), [HOST])

    def test_a_good_request_id_is_kept_and_a_bad_one_replaced(self):
        for value in ("a", "Trace.1_2-3", "x" * 128):
            self.assertEqual(self.seen("/", headers={"X-Request-Id": value}).all("X-Request-Id"), [value])
            self.assertEqual(self.ask("/", headers={"X-Request-Id": value}, token=None)
                             .header("X-Request-Id"), value)
        self.upstream.forget()
        for value in ("", "x" * 129, "a b", "a\"b", "a,b", "<a>", "é"):
            with self.subTest(value):
                [found] = self.seen("/", headers={"X-Request-Id": value}).all("X-Request-Id")
                self.assertNotEqual(found, value)
                self.assertRegex(found, r"\A[A-Za-z0-9._-]{1,128}\Z")

    def test_it_may_not_say_who_the_user_is(self):
        for name in ALWAYS_REMOVED + SPELLINGS:
            with self.subTest(name):
                self.assertNotIn(b"forged", self.seen("/", headers={name: "forged"}).raw)


class UntrustedRange(ProxyTestCase):
    CONFIG = {"trusted_proxies": ["192.0.2.0/24", "2001:db8::/32"]}

    def test_a_peer_outside_the_ranges_is_a_stranger(self):
        seen = self.seen("/", headers={"X-Forwarded-For": "192.0.2.1", "X-Real-IP": "192.0.2.1"})
        self.assertEqual(seen.all("X-Forwarded-For"), ["127.0.0.1"])
        self.assertEqual(seen.like("X-Real-IP"), [])

    def test_the_log_names_the_peer(self):
        mark, target = self.proxy.mark(), own_path()
        self.seen(target, headers={"X-Forwarded-For": "203.0.113.9"})
        found = self.proxy.wait_log(lambda r: r.get("path") == target, mark, "the access line")
        self.assertEqual(found["client"], "127.0.0.1")


if __name__ == "__main__":
    unittest.main()
