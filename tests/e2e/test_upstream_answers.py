"""Answers that an upstream should never give: broken, cut off, or with something behind them."""

import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

import answers  # noqa: E402
from proxy_case import T0, ProxyTestCase, configuration, milliseconds  # noqa: E402
from wire import Connection, Ended, request  # noqa: E402

UNREACHABLE = (502, "upstream_unreachable")
OK = b"HTTP/1.1 200 OK\r\n"
FIVE = b"Content-Length: 5\r\n\r\nhello"

# What no proxy should pass on as an answer.
BROKEN = {
    "a length and chunks": OK + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks and a length": OK + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    "two different lengths": OK + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    "a list of lengths": OK + b"Content-Length: 5, 6\r\n\r\nhello",
    "a length with a sign": OK + b"Content-Length: +5\r\n\r\nhello",
    "a negative length": OK + b"Content-Length: -5\r\n\r\nhello",
    "a length of 2^64 + 5": OK + b"Content-Length: 18446744073709551621\r\n\r\nhello",
    "a length in hexadecimal": OK + b"Content-Length: 0x5\r\n\r\nhello",
    "an empty length": OK + b"Content-Length:\r\n\r\nhello",
    "an unknown coding": OK + b"Transfer-Encoding: xchunked\r\n\r\nhello",
    "chunked before another coding": OK + b"Transfer-Encoding: chunked, gzip\r\n\r\nhello",
    "two lines of chunked": OK + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a bare LF behind the length": OK + b"Content-Length: 5\nX-A: b\r\n\r\nhello",
    "a bare LF behind the status line": b"HTTP/1.1 200 OK\n" + FIVE,
    "bare LF everywhere": b"HTTP/1.1 200 OK\nContent-Length: 5\n\nhello",
    "a bare LF as the empty line": OK + b"Content-Length: 5\r\n\nhello",
    "a folded length": OK + b"Content-Length:\r\n 5\r\n\r\nhello",
    "a space before the colon": OK + b"Content-Length : 5\r\n\r\nhello",
    "no colon": OK + b"Content-Length 5\r\n\r\nhello",
    "NUL in a name": OK + b"X\x00A: b\r\n" + FIVE,
    "NUL in a value": OK + b"X-A: b\x00c\r\n" + FIVE,
    "a bare CR in a value": OK + b"X-A: b\rSet-Cookie: c=d\r\n" + FIVE,
    "a status of two digits": b"HTTP/1.1 20 OK\r\n" + FIVE,
    "a status of four digits": b"HTTP/1.1 2000 OK\r\n" + FIVE,
    "a status that is no number": b"HTTP/1.1 2xx OK\r\n" + FIVE,
    "a status below 100": b"HTTP/1.1 099 OK\r\n" + FIVE,
    "another version": b"HTTP/2.0 200 OK\r\n" + FIVE,
    "another protocol": b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
    "no HTTP at all": b"hello\r\n\r\n",
    "a 101 that nobody asked for": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                                   b"Connection: Upgrade\r\n\r\n",
    "33 options in Connection": OK + b"Connection: " + b", ".join(b"x-%d" % i for i in range(33)) + b"\r\n" + FIVE,
    "a head of 1 MB in one line": OK + b"X-A: " + b"a" * (1 << 20) + b"\r\n" + FIVE,
    "a head of 1 MB in many lines": OK + b"X-A: aaaaaaaaaaaaaaaaaaaaaaaaaa\r\n" * (1 << 15) + FIVE,
    "nothing": b"",
    "half a status line": b"HTTP/1.1 2",
    "half a head": OK + b"Content-Le",
}

# Answers that break off behind a good head: (bytes, what the client may have got of the body)
CUT = {
    "a length": (OK + b"Content-Length: 50\r\n\r\n", b"hello"),
    "chunks, between two": (OK + b"Transfer-Encoding: chunked\r\n\r\n", b"5\r\nhello\r\n"),
    "chunks, inside one": (OK + b"Transfer-Encoding: chunked\r\n\r\n", b"9\r\nhello"),
    "chunks, before the last line": (OK + b"Transfer-Encoding: chunked\r\n\r\n", b"5\r\nhello\r\n0\r\n"),
}
BAD_CHUNKS = {
    "a size with a sign": b"+5\r\nhello\r\n0\r\n\r\n", "a size with 0x": b"0x5\r\nhello\r\n0\r\n\r\n",
    "a size with a space": b"5 \r\nhello\r\n0\r\n\r\n", "no size": b"\r\nhello\r\n0\r\n\r\n",
    "17 digits": b"00000000000000005\r\nhello\r\n0\r\n\r\n", "bare LF": b"5\nhello\n0\n\n",
    "data longer than its size": b"5\r\nhelloX\r\n0\r\n\r\n", "a letter": b"g\r\nhello\r\n0\r\n\r\n",
}


class BrokenAnswers(ProxyTestCase):
    CONFIG = {"workers": 1}

    def test_a_broken_answer_is_502_and_its_connection_is_dropped(self):
        for name, data in BROKEN.items():
            with self.subTest(name):
                self.upstream.forget()
                self.upstream.answer_next(answers.raw(data, close=not data or name.startswith("half")))
                with Connection(self.proxy.port) as wire:
                    wire.send(request("POST", "/", body=b"x", token=T0))
                    answer = wire.answer()
                    self.assert_refused(answer, *UNREACHABLE)
                    [used] = {r.connection for r in self.upstream.take()}
                    self.upstream.wait_for(lambda u, p=used: p.ended.is_set() or p.closed.is_set(),
                                           "the connection to be dropped")
                    if not answer.closes:
                        wire.send(request("GET", "/next", token=T0))
                        self.assertEqual(wire.answer().json()["target"], "/next")
                self.assert_good_request_passes()

    def test_an_answer_that_breaks_off_is_no_whole_answer(self):
        for name, (head, part) in CUT.items():
            for hard in (False, True):
                with self.subTest(name, reset=hard), Connection(self.proxy.port) as wire:
                    # The head goes ahead alone, so that it is on its way before the end comes.
                    gate = answers.Gated(head, part, close="reset" if hard else True)
                    self.upstream.answer_next(gate)
                    wire.send(request("GET", "/", token=T0))
                    gate.step()
                    answer = wire.head()
                    gate.step()
                    with self.assertRaises(Ended):
                        wire.body(answer)
                    self.assertIn(answer.body, (b"", b"hello"))
                    self.upstream.forget()
        self.assert_good_request_passes()

    def test_bad_chunks_in_an_answer_cut_it(self):
        for name, data in BAD_CHUNKS.items():
            with self.subTest(name), Connection(self.proxy.port) as wire:
                self.upstream.answer_next(answers.raw(OK + b"Transfer-Encoding: chunked\r\n\r\n", data + b"\r\n"))
                wire.send(request("GET", "/", token=T0) + request("GET", "/smuggled", token=T0))
                try:
                    answer = wire.answer()
                    self.assert_refused(answer, *UNREACHABLE)
                except Ended as cut:
                    if cut.answer:
                        self.assertNotIn(b"X", cut.answer.body)
                self.upstream.forget()
        self.assert_good_request_passes()

    def test_surplus_bytes_reach_no_one_and_their_connection_is_dropped(self):
        forged = OK + b"X-Forged: yes\r\nContent-Length: 6\r\n\r\nforged"
        for name, data, status, body in (
                ("two answers", OK + FIVE + forged, 200, b"hello"),
                ("an answer and loose bytes", OK + FIVE + b"\r\n\r\nloose", 200, b"hello"),
                ("chunks and an answer", OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n" + forged,
                 200, b"hello"),
                ("204 with bytes", b"HTTP/1.1 204 No Content\r\n\r\n" + forged, 204, b""),
                ("304 with a body", b"HTTP/1.1 304 Not Modified\r\n" + FIVE + forged, 304, b"")):
            with self.subTest(name), Connection(self.proxy.port) as wire:
                self.upstream.forget()
                self.upstream.answer_next(answers.raw(data))
                wire.send(request("GET", "/", token=T0))
                answer = wire.answer()
                self.assertEqual((answer.status, answer.body), (status, body))
                [first] = self.upstream.take()
                self.upstream.wait_for(lambda u, p=first.connection: p.ended.is_set(),
                                       "the connection to be dropped")
                if answer.closes:
                    wire = self.connect()
                wire.send(request("GET", "/next", token=T0))
                answer = wire.answer()
                self.assertEqual(answer.json()["target"], "/next")
                self.assertEqual(answer.all("X-Forged"), [])

    def test_surplus_bytes_behind_an_answer_to_head_reach_no_one(self):
        self.upstream.answer_next(answers.raw(OK + FIVE))
        with Connection(self.proxy.port) as wire:
            self.assertEqual(wire.send(request("HEAD", "/", token=T0)).answer("HEAD").status, 200)
            wire.send(request("GET", "/next", token=T0))
            self.assertEqual(wire.answer().json()["target"], "/next")


class LateSurplus(ProxyTestCase):
    """A body that an answer announces and may not have, sent when the answer is long passed on."""

    CONFIG = {"workers": 1}
    FORGED = b"HTTP/1.1 200 OK\r\nX-Forged: yes\r\nContent-Length: 6\r\n\r\nforged"
    HEADS = {
        "204 with a length": b"HTTP/1.1 204 No Content\r\nContent-Length: %d\r\n\r\n" % len(FORGED),
        "204 with chunks": b"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n",
        "304 with chunks": b"HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n",
    }

    def test_the_next_request_goes_another_way(self):
        for method, body in (("GET", None), ("POST", b"x")):
            for name, head in self.HEADS.items():
                with self.subTest(name, then=method), Connection(self.proxy.port) as wire:
                    self.upstream.forget()
                    gate = answers.Gated(head, self.FORGED)
                    self.upstream.answer_next(gate)
                    wire.send(request("GET", "/first", token=T0))
                    gate.step()
                    answer = wire.answer()
                    self.assertEqual((answer.status, answer.body), (int(name[:3]), b""))
                    self.assertFalse(answer.closes)
                    wire.send(request(method, "/next", body=body, token=T0))
                    gate.step()   # the late bytes, to whoever still listens there
                    answer = wire.answer()
                    self.assertEqual(answer.all("X-Forged"), [])
                    self.assertEqual(answer.json()["target"], "/next")
                    first, second = self.upstream.take()
                    self.assertIsNot(first.connection, second.connection)
        self.assert_good_request_passes()

    def test_a_204_that_announces_nothing_keeps_its_connection(self):
        for head in (b"HTTP/1.1 204 No Content\r\n\r\n", b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n",
                     b"HTTP/1.1 304 Not Modified\r\nContent-Length: 66\r\n\r\n"):
            with self.subTest(head), Connection(self.proxy.port) as wire:
                self.upstream.answer_next(answers.raw(head))
                wire.send(request("GET", "/first", token=T0)).answer()
                self.assertEqual(wire.send(request("GET", "/next", token=T0)).answer().status, 200)
                first, second = self.upstream.take()
                self.assertIs(first.connection, second.connection)


class UntilTheEnd(ProxyTestCase):
    """An answer without a length is whole when the upstream ends it in order, and only then."""

    def begin(self, version, close):
        """The head and the first bytes have reached the client; step() ends the answer."""
        self.upstream.forget()
        gate = answers.Gated(OK + b"Connection: close\r\n\r\n", b"hello", b"", close=close)
        self.upstream.answer_next(gate)
        wire = self.connect()
        wire.send(request("GET", "/", token=T0, version=version))
        gate.step()
        answer = wire.head()
        gate.step()
        wire.wait_for(b"hello")
        gate.step()
        return wire, answer

    def test_a_reset_is_seen_as_a_cut(self):
        for version, framing in (("HTTP/1.1", "chunked"), ("HTTP/1.0", "close")):
            with self.subTest(version):
                wire, answer = self.begin(version, "reset")
                with self.assertRaises(Ended) as cut:
                    wire.body(answer)
                self.assertEqual((answer.framing, answer.body), (framing, b"hello"))
                self.assertNotIn(b"0\r\n", cut.exception.so_far)   # the last chunk
                if framing == "close":
                    self.assertTrue(cut.exception.how.startswith("reset"), cut.exception.how)
        self.assert_good_request_passes()

    def test_an_orderly_end_is_the_end(self):
        for version, framing in (("HTTP/1.1", "chunked"), ("HTTP/1.0", "close")):
            with self.subTest(version):
                wire, answer = self.begin(version, True)
                wire.body(answer)
                self.assertEqual((answer.framing, answer.body), (framing, b"hello"))


class BodyTimeout(ProxyTestCase):
    """timeouts.body holds for an upstream that stalls in the middle of its answer too."""

    @classmethod
    def settings(cls):
        return configuration(cls.upstream.url, timeouts={"body": milliseconds(1)})

    def test_a_stalled_answer_is_cut(self):
        gate = answers.Gated(OK + b"Content-Length: 50\r\n\r\nhello", b"never sent")
        self.upstream.answer_next(gate)
        with Connection(self.proxy.port) as wire:
            wire.send(request("GET", "/", token=T0))
            gate.step()
            with self.assertRaises(Ended):
                wire.answer()
        gate.open()
        self.assert_good_request_passes()

    def test_a_slow_and_steady_answer_is_not(self):
        gate = answers.Gated(OK + b"Content-Length: 6\r\n\r\n", *[b"x"] * 6)
        self.upstream.answer_next(gate)
        with Connection(self.proxy.port) as wire:
            wire.send(request("GET", "/", token=T0))
            gate.step()
            answer = wire.head()
            for count in range(1, 7):
                self.assertFalse(gate.finished.wait(0.4))   # together longer than the timeout
                gate.step()
                wire.wait_for(b"x" * count)
            self.assertEqual(wire.body(answer).body, b"xxxxxx")


if __name__ == "__main__":
    unittest.main()
