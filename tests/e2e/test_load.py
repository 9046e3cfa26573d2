"""Limits and timeouts: clients that are slow, many, or too large, and those that are served beside them."""

import os
import resource
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

import answers  # noqa: E402
import certificates  # noqa: E402
from process import memory, open_files  # noqa: E402
from proxy_case import T0, ProxyTestCase, configuration, deadline, milliseconds, wait_until  # noqa: E402
from wire import Connection, Ended, exchange, request  # noqa: E402

HALF_A_HEAD = b"GET / HTTP/1.1\r\nHost: app.example\r\nX-Slow: "
MEGABYTE = 1 << 20


class SlowClients(ProxyTestCase):
    @classmethod
    def settings(cls):
        return configuration(cls.upstream.url, timeouts={
            "client_header": milliseconds(1), "client_idle": milliseconds(1), "body": milliseconds(1)})

    def assert_timed_out(self, wire):
        """408 and the end, or only the end."""
        rest = wire.rest(15)
        if rest:
            self.assertTrue(rest.startswith(b"HTTP/1.1 408 "), rest[:100])
            self.assertIn(b'"code":"bad_request"', rest.replace(b'": "', b'":"'))

    def test_half_a_head_is_408(self):
        for part in (HALF_A_HEAD, b"G", request("GET", "/", token=T0)[:-2]):
            with self.subTest(part[:20]):
                wire = self.connect()
                wire.send(part)
                answer = wire.answer()
                self.assert_refused(answer, 408, "bad_request")
                wire.expect_end()
                self.assert_nothing_arrived()
        self.assert_good_request_passes()

    def test_a_head_that_drips_is_cut_all_the_same(self):
        wire = self.connect()
        wire.send(HALF_A_HEAD)

        def drip():
            return not wire.nothing_yet() or not wire.try_send(b"x")
        wait_until(drip, "the dripping head to be cut", 15)
        self.assert_timed_out(wire)
        self.assert_nothing_arrived()
        self.assert_good_request_passes()

    def test_a_second_head_that_drips_is_cut_too(self):
        wire = self.connect()
        self.assertEqual(wire.send(request("GET", "/", token=T0)).answer().status, 200)
        wire.send(HALF_A_HEAD)
        self.assert_timed_out(wire)

    def test_silence_is_cut(self):
        fresh, used = self.connect(), self.connect()
        self.assertEqual(used.send(request("GET", "/", token=T0)).answer().status, 200)
        for wire in (fresh, used):
            self.assert_timed_out(wire)

    def test_a_body_that_stops_is_cut(self):
        for name, data in (
                ("length", request("POST", "/slow", {"Content-Length": "100"}, token=T0) + b"some"),
                ("chunks", request("POST", "/slow", {"Transfer-Encoding": "chunked"}, token=T0) + b"4\r\nsome\r\n"),
                ("a chunk", request("POST", "/slow", {"Transfer-Encoding": "chunked"}, token=T0) + b"9\r\nsome"),
                ("nothing of it", request("POST", "/slow", {"Content-Length": "100"}, token=T0))):
            with self.subTest(name):
                wire = self.connect()
                wire.send(data)
                self.assert_refused(wire.answer(), 408, "bad_request")
                wire.expect_end()
                self.assertEqual([r for r in self.upstream.take() if r.complete], [])
        self.assert_good_request_passes()

    def test_a_body_that_comes_slowly_and_steadily_is_not(self):
        wire = self.connect()
        wire.send(request("POST", "/", {"Content-Length": "8"}, token=T0))
        self.upstream.wait_requests(1)
        arrived = self.upstream.requests[0].connection
        for count in range(1, 9):
            self.assertFalse(arrived.ended.wait(0.2))   # together longer than the timeout
            wire.send(b"x")
            self.upstream.wait_for(lambda u, n=count: arrived.received.endswith(b"x" * n), "the next byte")
        self.assertEqual(wire.answer().status, 200)

    def test_a_reader_that_stops_is_cut(self):
        for framing in ("length", "chunked"):
            flood = answers.Flood(64 * MEGABYTE, framing)
            self.upstream.answer_next(flood)
            with self.subTest(framing), Connection(self.proxy.port, receive=16384) as wire:
                wire.send(request("GET", "/", token=T0))
                self.assertTrue(flood.gone.wait(deadline(15)), "the upstream was not let go")
                with self.assertRaises(Ended):
                    wire.answer(keep=False)
        self.assert_good_request_passes()

    def test_an_answer_that_takes_long_is_no_slow_client(self):
        gate = answers.Gated(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate")
        self.upstream.answer_next(gate)
        wire = self.connect()
        wire.send(request("GET", "/", token=T0))
        self.assertTrue(gate.started.wait(10))
        self.assertFalse(gate.finished.wait(deadline(2)))   # longer than every timeout of the client's
        gate.open()
        self.assertEqual(wire.answer().body, b"late")


class ManyConnections(ProxyTestCase):
    COUNT = 2000

    @classmethod
    def settings(cls):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = cls.COUNT + 500
        if hard < wanted:
            raise AssertionError("at most %d open files are allowed here, not %d" % (hard, wanted))
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
        return configuration(cls.upstream.url, timeouts={"client_header": milliseconds(6),
                                                         "client_idle": milliseconds(6)})

    def test_two_thousand_slow_clients_harm_no_one(self):
        before = memory(self.proxy.pid).resident
        files = open_files(self.proxy.pid)
        crowd = []
        try:
            for number in range(self.COUNT):
                crowd.append(Connection(self.proxy.port))
                crowd[-1].send(HALF_A_HEAD if number % 2 else b"")
                if number % 200 == 0:
                    self.assert_good_request_passes()
            for _ in range(20):
                self.assert_good_request_passes()
            found = memory(self.proxy.pid)
            if not found.sanitized:
                self.assertLess(found.resident - before, self.COUNT * 40 * 1024)
            for wire in crowd:
                rest = wire.rest(60)
                self.assertTrue(not rest or rest.startswith(b"HTTP/1.1 408 "), rest[:60])
        finally:
            for wire in crowd:
                wire.close()
        self.assertEqual(self.upstream.take(), [])
        wait_until(lambda: open_files(self.proxy.pid) < files + 50, "the descriptors to be closed")
        self.assert_good_request_passes()

    def test_connections_that_come_and_go_leave_nothing_behind(self):
        self.assert_good_request_passes()
        files = open_files(self.proxy.pid)
        for number in range(300):
            wire = Connection(self.proxy.port)
            wire.send((b"", HALF_A_HEAD, request("GET", "/", token=T0),
                       request("POST", "/", {"Content-Length": "100"}, token=T0) + b"some")[number % 4])
            wire.reset() if number % 3 else wire.close()
        wait_until(lambda: open_files(self.proxy.pid) < files + 20, "the descriptors to be closed")
        self.upstream.forget()
        self.assert_good_request_passes()


class Limits(ProxyTestCase):
    """With the limits as they are by default."""

    def head(self, size, token=T0):
        """A request whose head has exactly this many bytes, in headers of 1 KB."""
        fixed = request("GET", "/", token=token)[:-2]
        rest = size - len(fixed) - 2
        fields = []
        while rest > 0:
            part = rest if rest < 1100 else 1000
            fields.append(b"X-%03d: " % len(fields) + b"v" * (part - 9) + b"\r\n")
            rest -= part
        return fixed + b"".join(fields) + b"\r\n"

    def test_a_head_of_33_kb_is_431(self):
        for token in (T0, None):
            for data in (self.head(33 * 1024, token), request("GET", "/", {"X-A": "v" * 33 * 1024}, token=token),
                         request("GET", "/", {"Cookie": "a=" + "v" * 33 * 1024}, token=token)):
                with self.subTest(token=bool(token), first=data[:80]), Connection(self.proxy.port) as wire:
                    wire.try_send(data)
                    self.assert_refused(wire.answer(), 431, "bad_request")
                    wire.expect_end(clean=True)
                    self.assert_nothing_arrived()
        self.assert_good_request_passes()

    def test_a_head_of_31_kb_passes(self):
        data = self.head(31 * 1024)
        self.assertEqual(len(data), 31 * 1024)
        self.assertEqual(exchange(self.proxy.port, data).status, 200)

    def test_a_target_of_33_kb_is_refused(self):
        for token in (T0, None):
            with Connection(self.proxy.port) as wire:
                wire.try_send(request("GET", "/" + "a" * 33 * 1024, token=token))
                answer = wire.answer()
                self.assertIn(answer.status, (414, 431))
                self.assert_refused(answer, answer.status, "bad_request")
                wire.expect_end(clean=True)
            self.assert_nothing_arrived()
        self.assert_good_request_passes()

    def test_a_head_without_an_end_is_not_waited_for(self):
        for piece in (b"X-A: b\r\n", b"v"):
            with Connection(self.proxy.port) as wire:
                wire.send(HALF_A_HEAD)
                for _ in range(64):
                    if not wire.try_send(piece * 1024):
                        break
                self.assert_refused(wire.answer(), 431, "bad_request")
        self.assert_good_request_passes()

    def test_101_headers_are_431_and_100_are_not(self):
        for count, status in ((100, 200), (101, 431), (500, 431)):
            with self.subTest(count):
                # Host and Authorization count too.
                data = request("GET", "/", [("X-%d" % i, "v") for i in range(count - 2)], token=T0)
                answer = exchange(self.proxy.port, data)
                self.assertEqual(answer.status, status)
                if status == 431:
                    self.assert_refused(answer, 431, "bad_request")
                    self.assert_nothing_arrived()
                self.upstream.forget()
        self.assert_good_request_passes()

    def test_30_kb_of_dots_as_a_token_is_401(self):
        for token in ("." * 30_000, "a." * 15_000, "a" * 30_000, "." * 16_000):
            with self.subTest(token[:4], size=len(token)):
                answer = self.ask("/", token=token)
                self.assert_refused(answer, 401, "token_too_large" if len(token) > 16_384 else "token_malformed")
                self.assert_nothing_arrived()
        self.assert_good_request_passes()


class SmallLimits(ProxyTestCase):
    CONFIG = {"limits": {"max_header_bytes": "4KiB", "max_headers": 10}, "tokens": {"max_size": "1KiB"}}

    def test_the_limits_are_those_of_the_configuration(self):
        self.seen("/", headers={"X-A": "v" * 2000})
        self.assert_refusal(431, "bad_request", "/", headers={"X-A": "v" * 4096})
        self.seen("/", headers=[("X-%d" % i, "v") for i in range(8)])
        self.assert_refusal(431, "bad_request", "/", headers=[("X-%d" % i, "v") for i in range(9)])
        self.assert_refusal(401, "token_too_large", "/", token=T0 + "A" * 1024)


class Overload(ProxyTestCase):
    COUNT = 20
    CONFIG = {"workers": 1, "limits": {"max_connections": COUNT}}

    def setUp(self):
        super().setUp()
        wait_until(lambda: self.proxy.metrics().value("signet_connections", side="client") == 0,
                   "the connections of the test before to be gone")

    def test_beyond_the_limit_a_client_waits_or_is_told_so_and_is_served_later(self):
        crowd = [self.connect() for _ in range(self.COUNT)]
        for wire in crowd:
            self.assertEqual(wire.send(request("GET", "/", token=T0)).answer().status, 200)
        self.upstream.forget()
        late = self.connect()
        late.send(request("GET", "/late", token=T0))
        # Those inside are served while the late one is not.
        for wire in crowd:
            self.assertEqual(wire.send(request("GET", "/inside", token=T0)).answer().status, 200)
        self.assertEqual({r.target for r in self.upstream.take()}, {"/inside"})
        told = not late.nothing_yet()
        if told:
            self.assert_refused(late.answer(), 503, "overloaded")
        for wire in crowd:
            wire.close()
        if not told:   # it waited in the queue of the listener
            self.assertEqual(late.answer().json()["target"], "/late")
        wait_until(self.served, "new clients to be served")
        self.assert_good_request_passes()

    def test_who_is_turned_away_is_counted_and_logged(self):
        crowd = [self.connect() for _ in range(self.COUNT)]
        for wire in crowd:
            self.assertEqual(wire.send(request("GET", "/", token=T0)).answer().status, 200)
        self.upstream.forget()
        before, mark = self.proxy.metrics(), self.proxy.mark()
        late = self.connect()
        answer = late.answer()   # without a word from the client
        self.assert_refused(answer, 503, "overloaded")
        self.assertTrue(answer.closes)
        record = self.proxy.wait_log(lambda r: r.get("request_id") == answer.header("X-Request-Id"), mark,
                                     "the access line")
        self.assertEqual((record["msg"], record["reason"], record["status"], record["decision"], record["client"]),
                         ("access", "overloaded", 503, "deny", "127.0.0.1"))
        after = self.proxy.metrics()
        for name, labels in (("signet_denied_total", {"reason": "overloaded"}),
                             ("signet_requests_total", {"decision": "deny"})):
            self.assertEqual(after.value(name, **labels) - before.value(name, **labels), 1, name)
        self.assert_nothing_arrived()
        for wire in crowd:
            wire.close()
        wait_until(self.served, "new clients to be served")

    def served(self):
        try:
            return self.ask("/").status == 200
        except (Ended, OSError):
            return False


class OverloadWithTls(ProxyTestCase):
    """No handshake is made to say so; the figures and the log say it all the same."""

    COUNT = 5

    @classmethod
    def settings(cls):
        cls.authority = certificates.Authority(cls)
        return configuration(cls.upstream.url, workers=1, limits={"max_connections": cls.COUNT}, listen={
            "address": "127.0.0.1:0", "tls": cls.authority.issue("app.example").config()})

    def test_who_is_turned_away_is_counted_and_logged(self):
        context = self.authority.client()
        crowd = [self.connect(tls=context, server_name="app.example") for _ in range(self.COUNT)]
        for wire in crowd:
            self.assertEqual(wire.send(request("GET", "/", token=T0)).answer().status, 200)
        before, mark = self.proxy.metrics(), self.proxy.mark()
        self.connect().expect_end()
        record = self.proxy.wait_log(lambda r: r.get("reason") == "overloaded", mark, "the access line")
        self.assertEqual((record["msg"], record["status"], record["decision"]), ("access", 0, "deny"))
        name = "signet_denied_total"
        self.assertEqual(self.proxy.metrics().value(name, reason="overloaded")
                         - before.value(name, reason="overloaded"), 1)
        self.assertEqual(crowd[0].send(request("GET", "/", token=T0)).answer().status, 200)


if __name__ == "__main__":
    unittest.main()
