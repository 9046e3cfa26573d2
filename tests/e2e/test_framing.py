"""Ambiguous HTTP: refused, closed, and never seen by the upstream in any reading."""

import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

import framing_cases as cases  # noqa: E402
from proxy_case import BAD_TOKEN, HOST, T0, ProxyTestCase, wait_until  # noqa: E402
from wire import Connection, chunked, request  # noqa: E402

AUTHORIZATION = b"Authorization: Bearer " + T0.encode() + b"\r\n"
SMUGGLED = request("GET", "/smuggled", token=T0)


class AmbiguousHeads(ProxyTestCase):
    """Each case is sent without a token and with a good one: a 401 can hide a framing let through."""

    def refuse(self, data, statuses, follow=SMUGGLED):
        with Connection(self.proxy.port) as wire:
            wire.try_send(data + follow)
            answer = wire.answer()
            self.assertIn(answer.status, statuses, answer)
            self.assert_refused(answer, answer.status, "bad_request")
            self.assertTrue(answer.closes, "no Connection: close in %r" % answer)
            wire.expect_end(clean=True)
        self.assert_nothing_arrived()

    def run_class(self, name):
        table, statuses = cases.CLASSES[name]
        for case, template in table.items():
            for credential in (b"", AUTHORIZATION):
                with self.subTest(case, token=bool(credential)):
                    self.upstream.forget()
                    self.refuse(template.replace(b"{auth}", credential), statuses)
        self.assert_good_request_passes()

    def test_both_framings_at_once(self):
        self.run_class("two framings")

    def test_transfer_codings_other_than_one_chunked(self):
        self.run_class("codings")

    def test_content_lengths_that_are_not_one_number(self):
        self.run_class("lengths")

    def test_header_lines_by_the_letter(self):
        self.run_class("lines")

    def test_exactly_one_plain_host(self):
        self.run_class("hosts")

    def test_request_lines_by_the_letter(self):
        self.run_class("request lines")

    def test_other_versions(self):
        self.run_class("versions")

    def test_connection_may_not_name_what_frames_or_routes(self):
        self.run_class("headers that Connection must not name")

    def test_connection_may_name_thirty_two_fields_and_no_more(self):
        def lines(count, per_line):
            names = [b"x-%d" % i for i in range(count)]
            return b"".join(b"Connection: " + b", ".join(names[at:at + per_line]) + b"\r\n"
                            for at in range(0, count, per_line))
        head = b"GET /x HTTP/1.1\r\nHost: app.example\r\n"
        for per_line in (1, 8, 100):
            for count in (33, 80, 2000):
                if per_line * 80 < count:
                    continue   # more lines than a head may have
                for credential in (b"", AUTHORIZATION):
                    with self.subTest(count, per_line=per_line, token=bool(credential)):
                        self.upstream.forget()
                        self.refuse(head + credential + lines(count, per_line) + b"\r\n", (400,))
            for more in (b"", b"Connection: close, keep-alive, , keep-alive\r\n"):   # these name no field
                with self.subTest(32, per_line=per_line, more=more), Connection(self.proxy.port) as wire:
                    self.upstream.forget()
                    wire.send(head + AUTHORIZATION + lines(32, per_line) + more + b"X-31: gone\r\nX-32: stays\r\n\r\n")
                    self.assertEqual(wire.answer().status, 200)
                    seen = self.upstream.one()
                    self.assertEqual((seen.all("X-31"), seen.all("X-32")), ([], ["stays"]))
        self.assert_good_request_passes()

    def test_connect_is_no_method_here(self):
        for case, template in cases.CONNECTS.items():
            for credential in (b"", AUTHORIZATION):
                with self.subTest(case, token=bool(credential)):
                    self.upstream.forget()
                    with Connection(self.proxy.port) as wire:
                        wire.send(template.replace(b"{auth}", credential))
                        self.assert_refused(wire.answer(), 405, "bad_request")
                    self.assert_nothing_arrived()
        self.assert_good_request_passes()


def chunked_head(credential):
    return (b"POST /refused HTTP/1.1\r\nHost: app.example\r\n" + credential
            + b"Transfer-Encoding: chunked\r\n\r\n")


# Each of the next two has an upstream of its own: what BadChunks lets through in part may be recorded late.


class GoodChunks(ProxyTestCase):
    def test_good_chunks_pass(self):
        for case, (body, plain) in cases.GOOD_CHUNKS.items():
            with self.subTest(case):
                wire = self.connect()
                wire.send(chunked_head(AUTHORIZATION) + body + request("GET", "/next", token=T0))
                self.assertEqual(wire.answer().status, 200)
                self.assertEqual(wire.answer().json()["target"], "/next")
                seen, following = self.upstream.take()
                self.assertEqual((seen.body, seen.trailers), (plain, []))
                self.assertEqual(following.target, "/next")


class BadChunksWithoutAToken(ProxyTestCase):

    def test_bad_chunks_without_a_token(self):
        for case, body in cases.BAD_CHUNKS.items():
            with self.subTest(case):
                self.upstream.forget()
                with Connection(self.proxy.port) as wire:
                    wire.try_send(chunked_head(b"") + body + SMUGGLED)
                    answer = wire.answer()
                    self.assertIn((answer.status, answer.code),
                                  [(401, "token_missing"), (400, "bad_request")])
                    wire.expect_end()
                self.assert_nothing_arrived()
        self.assert_good_request_passes()


class BadChunks(ProxyTestCase):
    """The head is good, so with a token the upstream may see it; it never sees a whole request."""

    def test_bad_chunks_are_refused_and_nothing_behind_them_is_a_request(self):
        for case, body in cases.BAD_CHUNKS.items():
            for first in (b"", b"3\r\nabc\r\n"):
                with self.subTest(case, behind_a_good_chunk=bool(first), token=True):
                    self.upstream.forget()
                    with Connection(self.proxy.port) as wire:
                        wire.try_send(chunked_head(AUTHORIZATION) + first + body + SMUGGLED)
                        self.assert_refused(wire.answer(), 400, "bad_request")
                        wire.expect_end()
                    self.assertEqual([r for r in self.upstream.take() if r.complete], [])
                    self.assertNotIn(b"smuggled", self.upstream.received())
        self.assert_good_request_passes()

    def test_a_client_that_leaves_in_mid_body_sends_no_request(self):
        for framing, part in (("length", b"Content-Length: 10\r\n\r\nhello"),
                              ("chunked", b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"),
                              ("chunk", b"Transfer-Encoding: chunked\r\n\r\n5\r\nhel")):
            with self.subTest(framing):
                self.upstream.forget()
                wire = self.connect()
                wire.send(b"POST /left HTTP/1.1\r\nHost: app.example\r\n" + AUTHORIZATION + part)
                wire.finish().rest()
                self.upstream.wait_for(lambda u: all(r.complete or r.connection.ended.is_set()
                                                     for r in u.requests),
                                       "the proxy to leave the upstream")
                self.assertEqual([r for r in self.upstream.take() if r.complete], [])
        self.assert_good_request_passes()


class WellFormed(ProxyTestCase):
    """What looks odd and is allowed."""

    ALLOWED = {
        "Chunked in capitals": (b"POST", b"/x", b"Transfer-Encoding: CHUNKED\r\n", b"0\r\n\r\n"),
        "a length with spaces around": (b"POST", b"/x", b"Content-Length:   2 \t\r\n", b"ab"),
        "no space behind the colon": (b"GET", b"/x", b"X-A:b\r\n", b""),
        "an empty value": (b"GET", b"/x", b"X-A:\r\n", b""),
        "bytes above 127 in a value": (b"GET", b"/x", b"X-A: \xc3\xa9\xff\r\n", b""),
        "a body on GET": (b"GET", b"/x", b"Content-Length: 2\r\n", b"ab"),
        "a method of one's own": (b"PURGE", b"/x", b"", b""),
        "a method in lower case": (b"get", b"/x", b"", b""),
        "absolute form for the same host": (b"GET", b"http://app.example/x", b"", b""),
        "absolute form in capitals": (b"GET", b"HTTP://APP.example/x", b"", b""),
    }

    def test_what_is_allowed_passes(self):
        for case, (method, target, fields, body) in self.ALLOWED.items():
            with self.subTest(case):
                wire = self.connect()
                wire.send(method + b" " + target + b" HTTP/1.1\r\nHost: app.example\r\n"
                          + AUTHORIZATION + fields + b"\r\n" + body)
                self.assertEqual(wire.answer().status, 200)
                seen = self.upstream.one()
                self.assertEqual((seen.method, seen.target, seen.body),
                                 (method.decode(), "/x", body if b"Length" in fields else b""))

    def test_pipelined_requests_are_judged_one_by_one_and_answered_in_order(self):
        order = [(T0, 200), (None, 401), (T0, 200), (BAD_TOKEN, 401), (T0, 200)]
        with Connection(self.proxy.port) as wire:
            wire.send(b"".join(request("GET", "/%d" % i, token=token)
                               for i, (token, _) in enumerate(order)))
            answers = [wire.answer() for _ in order]
        self.assertEqual([a.status for a in answers], [status for _, status in order])
        self.assertEqual([answers[i].json()["target"] for i in (0, 2, 4)], ["/0", "/2", "/4"])
        self.assertEqual([answers[i].code for i in (1, 3)], ["token_missing", "signature_invalid"])
        self.assertEqual([r.target for r in self.upstream.take()], ["/0", "/2", "/4"])

    def test_pipelined_requests_with_bodies_keep_their_bodies(self):
        with Connection(self.proxy.port) as wire:
            wire.send(request("POST", "/a", body=b"first", token=T0)
                      + request("POST", "/b", {"Transfer-Encoding": "chunked"}, token=T0)
                      + chunked(b"sec", b"ond")
                      + request("GET", "/c", token=T0))
            self.assertEqual([wire.answer().status for _ in range(3)], [200] * 3)
        self.assertEqual([(r.target, r.body) for r in self.upstream.take()],
                         [("/a", b"first"), ("/b", b"second"), ("/c", b"")])


class RefusedBodies(ProxyTestCase):
    """The body of a refused request is drained, and is never read as a request."""

    def body(self, size):
        line = request("GET", "/admin", token=T0)
        return (line * (size // len(line) + 1))[:size]

    def test_a_refusal_without_a_body_keeps_the_connection(self):
        wire = self.connect()
        for data, status in ((request("GET", "/"), 401), (request("POST", "/", body=b""), 401),
                             (request("GET", "/", token=BAD_TOKEN), 401),
                             (request("GET", "/x", token=T0), 200)):
            wire.send(data)
            answer = wire.answer()
            self.assertEqual(answer.status, status)
            self.assertFalse(answer.closes, answer)
        self.assertEqual(self.upstream.one().target, "/x")

    def test_the_answer_survives_a_megabyte_of_requests_in_a_refused_body(self):
        body = self.body(1_000_000)
        for token, code in ((None, "token_missing"), (BAD_TOKEN, "signature_invalid")):
            for name, data in (
                    ("length", request("POST", "/", body=body, token=token)),
                    ("chunked", request("POST", "/", {"Transfer-Encoding": "chunked"}, token=token)
                     + chunked(body[:500_000], body[500_000:]))):
                with self.subTest(name, code=code), Connection(self.proxy.port) as wire:
                    wire.send(data)
                    self.assert_refused(wire.answer(), 401, code)
                    wire.expect_end(clean=True)
                    self.assert_nothing_arrived()
        self.assert_good_request_passes()

    def test_the_answer_and_the_end_come_before_the_body(self):
        with Connection(self.proxy.port) as wire:
            wire.send(request("POST", "/", {"Content-Length": "1000000"}))
            self.assert_refused(wire.answer(), 401, "token_missing")
            wire.expect_end(clean=True)
            for _ in range(10):   # half of what is drained; a reset would meet one of these
                self.assertTrue(wire.try_send(self.body(50_000)), "the body was met by a reset")
        self.assert_nothing_arrived()
        self.assert_good_request_passes()

    def test_a_body_past_the_drain_is_cut_and_still_no_request(self):
        with Connection(self.proxy.port) as wire:
            wire.send(request("POST", "/", {"Content-Length": "50000000"}))
            self.assert_refused(wire.answer(), 401, "token_missing")
            piece = self.body(1 << 16)
            taken = 0
            while taken < 50_000_000 and wire.try_send(piece):
                taken += len(piece)
            self.assertLess(taken, 50_000_000, "the whole body was taken")
        self.assert_nothing_arrived()
        self.assert_good_request_passes()

    def test_the_drain_ends_by_itself(self):
        with Connection(self.proxy.port) as wire:
            wire.send(request("POST", "/", {"Content-Length": "1000000"}))
            self.assert_refused(wire.answer(), 401, "token_missing")
            wire.expect_end(clean=True)
            wait_until(lambda: not wire.try_send(b"x"), "the drain to end", 10)

    def test_ambiguous_heads_with_a_large_body_are_answered_too(self):
        body = self.body(1_000_000)
        head = ("POST / HTTP/1.1\r\nHost: %s\r\nTransfer-Encoding: chunked\r\n"
                "Content-Length: %d\r\n\r\n" % (HOST, len(body))).encode()
        with Connection(self.proxy.port) as wire:
            wire.send(head + body)
            self.assert_refused(wire.answer(), 400, "bad_request")
            wire.expect_end(clean=True)
        self.assert_nothing_arrived()
        self.assert_good_request_passes()


if __name__ == "__main__":
    unittest.main()
