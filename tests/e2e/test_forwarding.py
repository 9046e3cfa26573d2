"""Requests and answers on their way through: framing, streaming, interim answers, connections."""

import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

import answers  # noqa: E402
from proxy_case import T0, ProxyTestCase  # noqa: E402
from wire import Connection, chunked, request  # noqa: E402

CHUNKED = {"Transfer-Encoding": "chunked"}
OK_CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

# (what the upstream sends, method, status, body, whether it closes behind it)
ANSWERS = {
    "a length": (b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody", "GET", 200, b"body", False),
    "a length of 0": (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "GET", 200, b"", False),
    "no reason phrase": (b"HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nab", "GET", 200, b"ab", False),
    "chunks": (OK_CHUNKED + chunked(b"bo", b"dy"), "GET", 200, b"body", False),
    "chunks with extensions": (OK_CHUNKED + b"2;a=b\r\nbo\r\n2\r\ndy\r\n0;c\r\n\r\n", "GET", 200, b"body", False),
    "no chunks": (OK_CHUNKED + chunked(), "GET", 200, b"", False),
    "until the end": (b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nbody", "GET", 200, b"body", True),
    "until the end, by HTTP/1.0": (b"HTTP/1.0 200 OK\r\n\r\nbody", "GET", 200, b"body", True),
    "a length, by HTTP/1.0": (b"HTTP/1.0 200 OK\r\nContent-Length: 4\r\n\r\nbody", "GET", 200, b"body", True),
    "204": (b"HTTP/1.1 204 No Content\r\n\r\n", "GET", 204, b"", False),
    "304": (b"HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\n\r\n", "GET", 304, b"", False),
    "304 with a length": (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n", "GET", 304, b"", False),
    "HEAD with a length": (b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n", "HEAD", 200, b"", False),
    "HEAD with chunks announced": (OK_CHUNKED, "HEAD", 200, b"", False),
    "HEAD without a length": (b"HTTP/1.1 200 OK\r\n\r\n", "HEAD", 200, b"", False),
    "HEAD with 404": (b"HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\n", "HEAD", 404, b"", False),
}
STATUSES = [200, 201, 202, 203, 205, 206, 207, 226, 300, 301, 302, 303, 307, 308, 400, 401, 402, 403, 404, 405,
            407, 409, 410, 418, 421, 422, 429, 431, 451, 500, 501, 502, 503, 504, 511, 599]


class Exchanges(ProxyTestCase):
    CONFIG = {"workers": 1}

    def test_each_framing_of_an_answer(self):
        for name, (data, method, status, body, close) in ANSWERS.items():
            with self.subTest(name), Connection(self.proxy.port) as wire:
                self.upstream.answer_next(answers.raw(data, close=close))
                wire.send(request(method, "/", token=T0))
                answer = wire.answer(method)
                self.assertEqual((answer.status, answer.body, answer.trailers), (status, body, []))
                if answer.framing != "close":   # and the connection goes on
                    wire.send(request("GET", "/next", token=T0))
                    self.assertEqual(wire.answer().json()["target"], "/next")

    def test_head_and_304_say_the_length_that_the_upstream_said(self):
        for method, status in (("HEAD", b"200 OK"), ("GET", b"304 Not Modified")):
            self.upstream.answer_next(answers.raw(b"HTTP/1.1 " + status + b"\r\nContent-Length: 99\r\n\r\n"))
            self.assertEqual(self.ask("/", method).all("Content-Length"), ["99"])

    def test_each_framing_of_a_request(self):
        for name, data, body in (
                ("none", request("GET", "/", token=T0), b""),
                ("length", request("POST", "/", body=b"body", token=T0), b"body"),
                ("length of 0", request("POST", "/", body=b"", token=T0), b""),
                ("chunks", request("POST", "/", CHUNKED, token=T0) + chunked(b"bo", b"dy"), b"body"),
                ("no chunks", request("POST", "/", CHUNKED, token=T0) + chunked(), b""),
                ("GET with a length", request("GET", "/", body=b"body", token=T0), b"body"),
                ("DELETE with chunks", request("DELETE", "/", CHUNKED, token=T0) + chunked(b"x"), b"x")):
            with self.subTest(name), Connection(self.proxy.port) as wire:
                self.assertEqual(wire.send(data).answer().status, 200)
                self.assertEqual(self.upstream.one().body, body)

    def test_a_request_in_single_bytes_is_read_like_any_other(self):
        wire = self.connect()
        for data in (request("POST", "/a", body=b"body", token=T0),
                     request("POST", "/b", CHUNKED, token=T0) + chunked(b"body")):
            for at in range(len(data)):
                wire.send(data[at:at + 1])
            self.assertEqual(wire.answer().status, 200)
            self.assertEqual(self.upstream.one().body, b"body")

    def test_an_answer_in_single_bytes_is_read_like_any_other(self):
        data = OK_CHUNKED + chunked(b"bo", b"dy", trailers=b"X-T: 1\r\n")
        self.upstream.answer_next(answers.raw(*[data[i:i + 1] for i in range(len(data))]))
        answer = self.ask("/")
        self.assertEqual((answer.body, answer.trailers), (b"body", []))

    def test_every_status_and_its_headers_pass(self):
        wire = self.connect()
        for status in STATUSES:
            with self.subTest(status):
                headers = [("X-From", "upstream"), ("Location", "http://other.example/%2F"),
                           ("WWW-Authenticate", 'Basic realm="theirs"'), ("Set-Cookie", "a=1; Path=/"),
                           ("Set-Cookie", "b=2"), ("X-Empty", ""), ("Server", "theirs"),
                           ("Content-Type", "text/x"), ("Content-Encoding", "gzip")]
                body = b"" if status == 205 else b"\x1f\x8b\x00not really"
                self.upstream.answer_next(answers.fixed(status, headers, body, "Their Words"))
                answer = wire.send(request("GET", "/", token=T0)).answer()
                self.assertEqual((answer.status, answer.body), (status, body))
                names = {n.lower() for n, _ in headers}
                self.assertEqual([(n.lower(), v) for n, v in answer.headers if n.lower() in names],
                                 [(n.lower(), v) for n, v in headers])

    def test_hop_by_hop_headers_of_an_answer_go(self):
        self.upstream.answer_next(answers.fixed(headers=[
            ("Connection", "X-Hop, keep-alive"), ("X-Hop", "1"), ("Keep-Alive", "timeout=9"),
            ("Proxy-Connection", "keep-alive"), ("Upgrade", "h2c"), ("X-Stays", "1")]))
        answer = self.ask("/")
        for name in ("X-Hop", "Keep-Alive", "Proxy-Connection", "Upgrade"):
            self.assertEqual(answer.all(name), [], name)
        self.assertEqual(answer.all("X-Stays"), ["1"])

    def test_trailers_of_an_answer_are_dropped(self):
        trailers = b"X-T: 1\r\nSet-Cookie: a=1\r\nContent-Length: 3\r\n"
        self.upstream.answer_next(answers.raw(OK_CHUNKED + chunked(b"body", trailers=trailers)))
        answer = self.ask("/")
        self.assertEqual((answer.body, answer.trailers), (b"body", []))
        self.assertEqual(answer.all("X-T") + answer.all("Set-Cookie"), [])

    def test_a_head_of_8_kb_passes(self):
        value = "v" * 8000
        self.upstream.answer_next(answers.fixed(headers=[("X-Long", value)]))
        self.assertEqual(self.ask("/").all("X-Long"), [value])

    def test_upstream_connections_are_used_again(self):
        before = set(self.upstream.open_peers())
        wire = self.connect()
        for _ in range(5):
            self.assertEqual(wire.send(request("GET", "/", token=T0)).answer().status, 200)
        for _ in range(5):
            self.assertEqual(self.ask("/").status, 200)
        taken = self.upstream.take()
        self.assertEqual(len(taken), 10)
        self.assertLessEqual(len({r.connection for r in taken} - before), 1)


class OldClients(ProxyTestCase):
    def test_http_1_0_is_answered_and_closed(self):
        for headers in ({}, {"Connection": "close"}):
            wire = self.connect()
            wire.send(request("GET", "/old", headers, token=T0, version="HTTP/1.0"))
            self.assertEqual(wire.answer().json()["target"], "/old")
            wire.expect_end(clean=True)
        self.assertEqual([r.target for r in self.upstream.take()], ["/old", "/old"])

    def test_http_1_0_is_never_sent_chunks_or_interim_answers(self):
        self.upstream.answer_next(answers.raw(OK_CHUNKED + chunked(b"bo", b"dy")),
                                  answers.interim(b"103 Early Hints\r\nLink: </a>"))
        for body in (b"body", b"done"):
            wire = self.connect()
            wire.send(request("GET", "/", token=T0, version="HTTP/1.0"))
            answer = wire.answer()   # refuses chunks in an HTTP/1.0 answer
            self.assertEqual((answer.status, answer.body, answer.interim), (200, body, []))
            self.assertEqual(answer.all("Transfer-Encoding"), [])
            wire.expect_end(clean=True)

    def test_http_1_0_with_a_body(self):
        wire = self.connect()
        wire.send(request("POST", "/", body=b"body", token=T0, version="HTTP/1.0"))
        self.assertEqual(wire.answer().status, 200)
        self.assertEqual(self.upstream.one().body, b"body")

    def test_a_client_that_asks_for_the_end_gets_it(self):
        wire = self.connect()
        wire.send(request("GET", "/", {"Connection": "close"}, token=T0))
        answer = wire.answer()
        self.assertTrue(answer.closes)
        wire.expect_end(clean=True)

    def test_a_client_that_has_said_all_still_gets_its_answer(self):
        gate = answers.Gated(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n", b"body")
        self.upstream.answer_next(gate)
        wire = self.connect()
        wire.send(request("GET", "/", {"Connection": "close"}, token=T0))
        self.assertTrue(gate.started.wait(10))
        gate.open()
        self.assertEqual(wire.answer().body, b"body")


class Streaming(ProxyTestCase):
    """Nothing is held: what one side has sent, the other side gets."""

    def test_the_upstream_gets_a_body_while_it_is_sent(self):
        for name, headers, pieces in (
                ("length", {"Content-Length": "8"}, [b"abcd", b"efgh"]),
                ("chunks", CHUNKED, [b"4\r\nabcd\r\n", b"4\r\nefgh\r\n0\r\n\r\n"])):
            with self.subTest(name), Connection(self.proxy.port) as wire:
                self.upstream.forget()
                wire.send(request("POST", "/", headers, token=T0))
                self.upstream.wait_requests(1)
                wire.send(pieces[0])
                self.upstream.wait_for(lambda u: u.requests[0].body == b"abcd" or b"abcd" in u.received(),
                                       "the first half of the body")
                self.assertTrue(wire.nothing_yet())
                wire.send(pieces[1])
                self.assertEqual(wire.answer().status, 200)
                self.assertEqual(self.upstream.one().body, b"abcdefgh")

    def test_the_client_gets_a_body_while_it_is_sent(self):
        for name, head, pieces in (
                ("length", b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n", [b"abcd", b"efgh"]),
                ("chunks", OK_CHUNKED, [b"4\r\nabcd\r\n", b"4\r\nefgh\r\n0\r\n\r\n"]),
                ("close", b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", [b"abcd", b"efgh"])):
            with self.subTest(name), Connection(self.proxy.port) as wire:
                gate = answers.Gated(head, *pieces, close=name == "close")
                self.upstream.answer_next(gate)
                wire.send(request("GET", "/", token=T0))
                gate.step()
                answer = wire.head()
                self.assertEqual(answer.status, 200)
                gate.step()
                wire.wait_for(b"abcd")
                gate.step()
                self.assertEqual(wire.body(answer).body, b"abcdefgh")

    def test_an_answer_that_comes_before_the_body_is_passed_on(self):
        for name, data in (("length", request("POST", "/", {"Content-Length": "1000"}, token=T0)),
                           ("chunks", request("POST", "/", CHUNKED, token=T0))):
            for go_on in (True, False):
                with self.subTest(name, upstream_goes_on=go_on), Connection(self.proxy.port) as wire:
                    self.upstream.answer_next(answers.early(413, b"too much", go_on))
                    wire.send(data)
                    answer = wire.answer()
                    self.assertEqual((answer.status, answer.body), (413, b"too much"))
        self.assert_good_request_passes()

    def test_an_upload_that_is_refused_in_the_middle_still_sees_why(self):
        self.upstream.answer_next(answers.early(413, b"too much", go_on=False))
        with Connection(self.proxy.port) as wire:
            wire.send(request("POST", "/", {"Content-Length": "500000"}, token=T0))
            for _ in range(50):
                if not wire.try_send(b"x" * 10_000):
                    break
            answer = wire.answer()
            self.assertEqual((answer.status, answer.body), (413, b"too much"))
        self.assert_good_request_passes()


class Interim(ProxyTestCase):
    HINT = b"103 Early Hints\r\nLink: </style.css>; rel=preload"

    def test_interim_answers_pass(self):
        self.upstream.answer_next(answers.interim(self.HINT, b"102 Processing", self.HINT))
        answer = self.ask("/")
        self.assertEqual([i.status for i in answer.interim], [103, 102, 103])
        self.assertEqual(answer.interim[0].all("Link"), ["</style.css>; rel=preload"])
        self.assertEqual((answer.status, answer.body), (200, b"done"))

    def test_sixteen_of_them_pass_and_more_do_not(self):
        self.upstream.answer_next(answers.interim(*[self.HINT] * 16), answers.interim(*[self.HINT] * 17))
        self.assertEqual((len((found := self.ask("/")).interim), found.status), (16, 200))
        answer = self.ask("/")
        self.assertLessEqual(len(answer.interim), 16)
        self.assert_refused(answer, 502, "upstream_unreachable")
        self.assert_good_request_passes()

    def test_a_flood_of_them_ends(self):
        def flood(exchange):
            for _ in range(200_000):   # more than any buffer between the two holds
                exchange.send(b"HTTP/1.1 103 Early Hints\r\n\r\n")
            exchange.answer(200)
        self.upstream.answer_next(flood)
        self.assert_refused(self.ask("/"), 502, "upstream_unreachable")
        self.assert_good_request_passes()

    def test_the_upstreams_100_is_passed_on_and_the_body_follows(self):
        self.upstream.answer_next(answers.continue_first)
        wire = self.connect()
        wire.send(request("POST", "/", {"Expect": "100-continue", "Content-Length": "4"}, token=T0))
        self.assertEqual(wire.head().status, 100)
        wire.send(b"body")
        self.assertEqual(wire.answer().status, 200)
        self.assertEqual(self.upstream.one().body, b"body")

    def test_a_final_answer_instead_of_100_is_passed_on(self):
        self.upstream.answer_next(answers.early(413, b"too much", go_on=False))
        wire = self.connect()
        wire.send(request("POST", "/", {"Expect": "100-continue", "Content-Length": "4000"}, token=T0))
        answer = wire.answer()
        self.assertEqual((answer.status, answer.interim), (413, []))
        self.assert_good_request_passes()

    def test_a_client_that_does_not_wait_for_100_is_served_too(self):
        wire = self.connect()
        wire.send(request("POST", "/", {"Expect": "100-continue"}, b"body", token=T0))
        self.assertEqual(wire.answer().status, 200)
        self.assertEqual(self.upstream.one().body, b"body")

    def test_a_refused_request_is_never_told_to_go_on(self):
        wire = self.connect()
        wire.send(request("POST", "/", {"Expect": "100-continue", "Content-Length": "1000000"}))
        answer = wire.answer()
        self.assertEqual(answer.interim, [])
        self.assert_refused(answer, 401, "token_missing")
        self.assert_nothing_arrived()


if __name__ == "__main__":
    unittest.main()
