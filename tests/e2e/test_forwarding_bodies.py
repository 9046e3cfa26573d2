"""Large bodies: whole, in both directions, at the pace of the slower side, in little memory."""

import hashlib
import os
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

import answers  # noqa: E402
from proxy_case import T0, ProxyTestCase, deadline, wait_until  # noqa: E402
from process import memory  # noqa: E402
from wire import Connection, request  # noqa: E402

MEGABYTE = 1 << 20
SIZE = 64 * MEGABYTE
PEAK = 40 * MEGABYTE


def upload(port, size, how, seconds=60.0):
    """Sends a body of that size. Gives the answer and the body's hash."""
    digest = hashlib.sha256()
    headers = {"Content-Length": str(size)} if how == "length" else {"Transfer-Encoding": "chunked"}
    with Connection(port, seconds=seconds) as wire:
        wire.send(request("POST", "/upload", headers, token=T0))
        for piece in answers.pattern(size):
            digest.update(piece)
            wire.send(piece if how == "length" else b"%x\r\n%s\r\n" % (len(piece), piece))
        if how == "chunked":
            wire.send(b"0\r\n\r\n")
        return wire.answer(), digest.hexdigest()


def download(wire, seconds=60.0):
    """Reads an answer. Gives it and the body's hash, without keeping the body."""
    answer = wire.answer(seconds=seconds, keep=False)
    return answer, answer.digest.hexdigest()


class LargeBodies(ProxyTestCase):
    def assert_memory_is_small(self):
        found = memory(self.proxy.pid)
        if not found.sanitized:
            self.assertLess(found.peak, PEAK, "the peak of the resident memory")

    def up(self, size):
        for how in ("length", "chunked"):
            with self.subTest(how):
                answer, digest = upload(self.proxy.port, size, how)
                self.assertEqual(answer.status, 200)
                seen = self.upstream.one()
                self.assertEqual((seen.length, seen.sha256), (size, digest))
                self.assert_memory_is_small()

    def down(self, size):
        for how in ("length", "chunked", "close"):
            with self.subTest(how), Connection(self.proxy.port) as wire:
                flood = answers.Flood(size, how)
                self.upstream.answer_next(flood)
                answer, digest = download(wire.send(request("GET", "/", token=T0)))
                self.assertEqual((answer.status, answer.length, digest), (200, size, flood.sha256()))
                self.assert_memory_is_small()

    def test_64_mb_up(self):
        self.up(SIZE)

    def test_64_mb_down(self):
        self.down(SIZE)

    def test_1_gb_up_and_down(self):
        # A build with sanitizers says nothing of memory and takes minutes for it.
        size = 256 * MEGABYTE if memory(self.proxy.pid).sanitized else 1 << 30
        self.up(size)
        self.down(size)

    def test_both_directions_at_once(self):
        def mirror(exchange):
            """Answers each piece of the body with the same piece, while the body still comes."""
            exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
            exchange.peer.exactly(size, exchange.send)
            exchange.request.complete = True

        size = 16 * MEGABYTE
        self.upstream.answer_next(mirror)
        with Connection(self.proxy.port, seconds=60) as wire:
            digest = hashlib.sha256()

            def send():
                for piece in answers.pattern(size):
                    digest.update(piece)
                    sender_wire.sendall(piece)

            wire.send(request("POST", "/", {"Content-Length": str(size)}, token=T0))
            sender_wire = wire.socket.dup()
            sender_wire.settimeout(deadline(60))
            sender = threading.Thread(target=send, daemon=True)
            sender.start()
            answer, found = download(wire)
            sender.join(deadline(30))
            sender_wire.close()
            self.assertEqual((answer.length, found), (size, digest.hexdigest()))
        self.assert_memory_is_small()


class BackPressure(ProxyTestCase):
    """A side that does not take what the other sends holds that other back."""

    HELD = 32 * MEGABYTE   # more than all kernel buffers on the way hold

    def wait_for_a_standstill(self, progress, what):
        """Waits until progress() has stood still for a while, and gives where it stands."""
        last, since = progress(), time.monotonic()

        def still():
            nonlocal last, since
            now = progress()
            if now != last:
                last, since = now, time.monotonic()
            return now > 0 and time.monotonic() - since > 0.5
        wait_until(still, what, 30)
        return last

    def assert_memory_is_small(self):
        found = memory(self.proxy.pid)
        if not found.sanitized:
            self.assertLess(found.peak, PEAK)

    def test_a_client_that_does_not_read_holds_the_upstream_back(self):
        for how in ("length", "chunked"):
            with self.subTest(how), Connection(self.proxy.port, receive=16384, seconds=60) as wire:
                flood = answers.Flood(SIZE, how)
                self.upstream.answer_next(flood)
                wire.send(request("GET", "/", token=T0))
                sent = self.wait_for_a_standstill(lambda: flood.sent, "the upstream to be held back")
                self.assertLess(sent, self.HELD)
                self.assert_memory_is_small()
                self.assertEqual(self.ask("/other").status, 200)   # nobody else is held back
                answer, digest = download(wire)
                self.assertEqual((answer.length, digest), (SIZE, flood.sha256()))
                self.assertTrue(flood.finished.wait(deadline(10)))

    def test_an_upstream_that_does_not_read_holds_the_client_back(self):
        go_on, sent, outcome = threading.Event(), [0], []

        def late(exchange):
            go_on.wait(deadline(60))
            answers.echo(exchange)

        def send():
            with Connection(self.proxy.port, seconds=60) as wire:
                wire.send(request("POST", "/", {"Content-Length": str(SIZE)}, token=T0))
                for piece in answers.pattern(SIZE):
                    wire.send(piece)
                    sent[0] += len(piece)
                outcome.append(wire.answer())

        self.upstream.answer_next(late)
        sender = threading.Thread(target=send, daemon=True)
        sender.start()
        try:
            stand = self.wait_for_a_standstill(lambda: sent[0], "the client to be held back")
            self.assertLess(stand, self.HELD)
            self.assert_memory_is_small()
        finally:
            go_on.set()
            sender.join(deadline(60))
        self.assertEqual([a.status for a in outcome], [200])
        self.assertEqual(self.upstream.one().length, SIZE)

    def test_a_client_that_leaves_lets_the_upstream_go(self):
        for leave in (lambda wire: wire.close(), lambda wire: wire.reset()):
            flood = answers.Flood(SIZE)
            self.upstream.answer_next(flood)
            wire = Connection(self.proxy.port)
            wire.send(request("GET", "/", token=T0))
            wire.head()
            leave(wire)
            self.assertTrue(flood.gone.wait(deadline(10)), "the upstream was not let go")
        self.assert_good_request_passes()


if __name__ == "__main__":
    unittest.main()
