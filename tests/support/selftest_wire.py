"""The raw client and the recording upstream, tried against each other without the program."""

import os
import sys
import threading
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import answers  # noqa: E402
from upstream import RecordingUpstream  # noqa: E402
from wire import Connection, Ended, ProtocolError, chunked, exchange, request  # noqa: E402

MALFORMED = {
    "two framings": b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\nx",
    "a bare LF": b"HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n",
    "a folded line": b"HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 0\r\n\r\n",
    "a space before the colon": b"HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n",
    "a length with a sign": b"HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\nx",
    "a length on 204": b"HTTP/1.1 204 OK\r\nContent-Length: 0\r\n\r\n",
    "a short status": b"HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n",
    "a chunk size with 0x": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0x1\r\na\r\n0\r\n\r\n",
    "a control character": b"HTTP/1.1 200 OK\r\nA: \x01\r\nContent-Length: 0\r\n\r\n",
}


class WireAgainstUpstream(unittest.TestCase):
    def setUp(self):
        self.upstream = RecordingUpstream()
        self.addCleanup(self.upstream.close)

    def test_echo_tells_what_arrived_and_the_recording_agrees(self):
        answer = exchange(self.upstream.port, request("POST", "/a?b", {"X-One": "1"}, b"body"))
        self.assertEqual((answer.status, answer.framing), (200, "length"))
        self.assertEqual(answer.json()["length"], 4)
        seen = self.upstream.one()
        self.assertEqual((seen.method, seen.target, seen.body), ("POST", "/a?b", b"body"))
        self.assertEqual(seen.header("x-one"), "1")
        self.assertTrue(seen.complete)
        self.upstream.check()

    def test_chunks_and_trailers_are_read(self):
        head = request("POST", "/", {"Transfer-Encoding": "chunked"})
        exchange(self.upstream.port, head + chunked(b"ab", b"c", trailers=b"X-T: 1\r\n"))
        seen = self.upstream.one()
        self.assertEqual((seen.body, seen.trailers), (b"abc", [("X-T", "1")]))

    def test_malformed_answers_are_noticed(self):
        for name, data in MALFORMED.items():
            with self.subTest(name):
                self.upstream.answer_next(answers.raw(data, close=True))
                with self.assertRaises(ProtocolError):
                    exchange(self.upstream.port, request("GET", "/"))

    def test_a_cut_body_is_no_answer(self):
        self.upstream.answer_next(answers.cut(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", b"abc"))
        with self.assertRaises(Ended) as caught:
            exchange(self.upstream.port, request("GET", "/"))
        self.assertEqual(caught.exception.answer.body, b"abc")

    def test_surplus_bytes_are_noticed(self):
        self.upstream.answer_next(answers.raw(b"HTTP/1.1 204 N\r\n\r\nEXTRA", close=True))
        with Connection(self.upstream.port) as wire:
            self.assertEqual(wire.send(request("GET", "/")).answer().status, 204)
            with self.assertRaisesRegex(AssertionError, "surplus"):
                wire.expect_end()

    def test_interim_answers_are_kept_apart(self):
        self.upstream.answer_next(answers.interim(b"103 Early Hints\r\nLink: </a>"))
        answer = exchange(self.upstream.port, request("GET", "/"))
        self.assertEqual([i.status for i in answer.interim], [103])
        self.assertEqual(answer.body, b"done")

    def test_a_gated_answer_waits(self):
        gate = answers.Gated(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na", b"b")
        self.upstream.answer_next(gate)
        with Connection(self.upstream.port) as wire:
            wire.send(request("GET", "/"))
            self.assertTrue(gate.started.wait(5))
            self.assertTrue(wire.nothing_yet())
            gate.open()
            self.assertEqual(wire.answer().body, b"ab")

    def test_a_flood_is_whole_in_each_framing(self):
        for framing in ("length", "chunked", "close"):
            flood = answers.Flood(300_000, framing)
            self.upstream.answer_next(flood)
            self.assertEqual(exchange(self.upstream.port, request("GET", "/")).length, 300_000)

    def test_the_tunnel_sees_what_comes_before_its_101(self):
        gate = threading.Event()
        tunnel = answers.Tunnel(before=gate)
        self.upstream.answer_next(tunnel)
        with Connection(self.upstream.port) as wire:
            wire.send(request("GET", "/", {"Upgrade": "websocket"}) + b"early")
            self.assertTrue(tunnel.started.wait(5))
            gate.set()
            self.assertEqual(wire.answer().status, 101)
            self.assertEqual(tunnel.early, b"early")
            self.assertEqual(wire.send(b" later").exactly(11), b"EARLY LATER")

    def test_doubtful_requests_fail_the_check(self):
        for data in (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
                     b"GET / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\n\r\n",
                     b"GET / HTTP/1.1\r\nHost: a\r\nA : b\r\n\r\n"):
            with self.subTest(data), Connection(self.upstream.port) as wire:
                wire.send(data).finish().rest()
                with self.assertRaises(AssertionError):
                    self.upstream.check()

    def test_a_hanging_upstream_ends_with_its_peer(self):
        self.upstream.answer_next(answers.hang)
        with Connection(self.upstream.port) as wire:
            wire.send(request("GET", "/"))
            self.upstream.wait_requests()
            self.assertTrue(wire.nothing_yet())
        self.upstream.wait_for(lambda u: not u.open_peers(), "the connection to end")


if __name__ == "__main__":
    unittest.main()
