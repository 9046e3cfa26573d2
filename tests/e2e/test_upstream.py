"""Upstreams that are away, how they are addressed, and when their connections are used again."""

import os
import socket
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

import answers  # noqa: E402
import certificates  # noqa: E402
from proxy_case import ProxyTestCase, configuration, milliseconds, wait_until  # noqa: E402
from upstream import RecordingUpstream  # noqa: E402

UNREACHABLE, TIMEOUT = (502, "upstream_unreachable"), (504, "upstream_timeout")
OK = b"HTTP/1.1 200 OK\r\n"


class Away(ProxyTestCase):
    """Upstreams that cannot be reached, or say nothing."""

    @classmethod
    def settings(cls):
        held = socket.socket()   # holds the port, and nobody listens there
        cls.addClassCleanup(held.close)
        held.bind(("127.0.0.1", 0))
        refused = held.getsockname()[1]
        cls.full = socket.create_server(("127.0.0.1", 0), backlog=0)
        cls.addClassCleanup(cls.full.close)
        cls.fill(cls.full.getsockname())
        short = {"connect_timeout": milliseconds(1), "response_timeout": milliseconds(1)}
        upstreams = {"default": {"url": cls.upstream.url},
                     "refused": {"url": "http://127.0.0.1:%d" % refused, **short},
                     "nameless": {"url": "http://no-such-name.invalid:80", **short},
                     "full": {"url": "http://127.0.0.1:%d" % cls.full.getsockname()[1], **short},
                     "silent": {"url": cls.upstream.url, **short}}
        return configuration(None, upstreams=upstreams, workers=1, timeouts={"body": milliseconds(1)}, routes=[
            {"prefix": "/" + name, "upstream": name} for name in upstreams if name != "default"]
            + [{"prefix": "/"}])

    @classmethod
    def fill(cls, address):
        """Fills the queue of a listener that nobody accepts from, so that no more connect."""
        for _ in range(16):
            filler = socket.socket()
            cls.addClassCleanup(filler.close)
            filler.settimeout(0.2)
            try:
                filler.connect(address)
            except TimeoutError:
                return
        raise AssertionError("the queue of a listener with no backlog never fills")

    def test_refused(self):
        for method in ("GET", "POST"):
            self.assert_refusal(*UNREACHABLE, "/refused", method=method)

    def test_no_such_name(self):
        answer = self.ask("/nameless")
        self.assertIn((answer.status, answer.code), [UNREACHABLE, TIMEOUT])
        self.assert_good_request_passes()

    def test_an_upstream_that_accepts_nobody(self):
        answer = self.ask("/full")
        self.assertIn((answer.status, answer.code), [UNREACHABLE, TIMEOUT])
        self.assert_good_request_passes()

    def test_an_upstream_that_never_answers(self):
        for method in ("GET", "POST"):
            with self.subTest(method):
                self.upstream.answer_next(answers.hang)
                self.assert_refused(self.ask("/silent", method, body=b"x" if method == "POST" else None), *TIMEOUT)
                self.assertEqual(len(self.upstream.take()), 1, "it was sent twice")
        self.assert_good_request_passes()

    def test_an_upstream_that_stops_inside_its_head(self):
        self.upstream.answer_next(lambda e: (e.send(OK + b"X-A: b\r\n"), e.wait_for_end()))
        answer = self.ask("/silent")
        self.assertIn((answer.status, answer.code), [UNREACHABLE, TIMEOUT])

    def test_the_outcome_is_counted(self):
        def count():
            return self.proxy.metrics().value("signet_upstream_requests_total", upstream="default")
        before = count()
        self.seen("/")
        self.assertEqual(count(), before + 1)


class Reuse(ProxyTestCase):
    """A pooled connection may end just as it is used again. What is safe is sent once more."""

    @classmethod
    def settings(cls):
        return configuration(None, workers=1, upstreams={
            "default": {"url": cls.upstream.url, "idle_timeout": "60s"},
            "brief": {"url": cls.upstream.url, "idle_timeout": milliseconds(0.5)}},
            routes=[{"prefix": "/brief", "upstream": "brief"}, {"prefix": "/"}])

    def warm(self):
        """Leaves one idle connection in the pool, and only one."""
        for peer in self.upstream.open_peers():
            peer.close()
        wait_until(lambda: self.ask("/warm").status == 200 and len(self.upstream.open_peers()) == 1,
                   "one connection to be left")
        self.upstream.forget()

    def test_get_is_sent_once_more_on_a_new_connection(self):
        for behaviour in (answers.drop, answers.drop_hard):
            with self.subTest(behaviour.__name__):
                self.warm()
                self.upstream.answer_next(behaviour)
                self.assertEqual(self.ask("/again").status, 200)
                first, second = self.upstream.take()
                self.assertEqual((first.target, second.target), ("/again", "/again"))
                self.assertIsNot(first.connection, second.connection)

    def test_get_is_sent_once_more_and_not_twice(self):
        self.warm()
        self.upstream.answer_next(*[answers.drop] * 5)
        self.assert_refused(self.ask("/again"), *UNREACHABLE)
        self.assertLessEqual(len(self.upstream.take()), 2)
        self.upstream.forget()
        self.assert_good_request_passes()

    def test_post_is_never_sent_twice(self):
        for behaviour in (answers.drop, answers.drop_hard):
            for method, body in (("POST", b"x"), ("POST", b""), ("POST", None), ("PATCH", b"x"), ("DELETE", None)):
                with self.subTest(behaviour.__name__, method=method, body=body):
                    self.warm()
                    self.upstream.answer_next(behaviour)
                    self.assert_refused(self.ask("/once", method, body=body), *UNREACHABLE)
                    self.assertEqual(len(self.upstream.take()), 1)
                    self.assert_good_request_passes()

    def test_on_a_fresh_connection_nothing_is_sent_again(self):
        for method in ("GET", "POST"):
            for peer in self.upstream.open_peers():
                peer.close()
                self.upstream.wait_for(lambda u, p=peer: p.closed.is_set(), "the end")
            self.upstream.answer_next(answers.fixed(headers=[("Connection", "close")]), answers.drop)
            self.assertEqual(self.ask("/last").status, 200)
            self.upstream.take()
            self.assert_refused(self.ask("/fresh", method), *UNREACHABLE)
            self.assertEqual(len(self.upstream.take()), 1)

    def test_connections_that_ended_while_idle_are_not_used(self):
        for method in ("GET", "POST"):
            self.warm()
            [idle] = self.upstream.open_peers()
            idle.close()
            self.upstream.answer_next(answers.echo)
            answer = self.ask("/after", method)
            self.assertIn(answer.status, (200, 502) if method == "POST" else (200,))
            self.assertLessEqual(len([r for r in self.upstream.take() if r.target == "/after"]), 1)
            self.assert_good_request_passes()

    def test_bytes_on_an_idle_connection_are_no_answer(self):
        self.warm()
        [idle] = self.upstream.open_peers()
        idle.send(OK + b"X-Forged: yes\r\nContent-Length: 6\r\n\r\nforged")
        answer = self.ask("/next")
        self.assertEqual((answer.json()["target"], answer.all("X-Forged")), ("/next", []))
        self.upstream.wait_for(lambda u: idle.ended.is_set(), "the idle connection to be dropped")

    def test_idle_connections_end_at_their_timeout(self):
        self.warm()
        self.seen("/brief")
        self.upstream.wait_for(lambda u: len(u.open_peers()) == 1, "the idle connection to be closed")

    def test_an_upstreams_keep_alive_timeout_shortens_the_idle_time(self):
        self.warm()
        self.upstream.answer_next(answers.fixed(headers=[("Keep-Alive", "timeout=1")]))
        self.seen("/")
        self.upstream.wait_for(lambda u: not u.open_peers(), "the idle connection to be closed", 10)


class Addresses(ProxyTestCase):
    @classmethod
    def settings(cls):
        cls.others = [RecordingUpstream(name="turn-%d" % i) for i in range(3)]
        for other in cls.others:
            cls.addClassCleanup(other.close)
        return configuration(None, workers=1, upstreams={
            "default": {"url": cls.upstream.url},
            "own": {"url": cls.upstream.url, "host": "upstream"},
            "named": {"url": cls.upstream.url, "host": "inside.example"},
            "turns": {"urls": [u.url for u in cls.others]}},
            routes=[{"prefix": "/" + n, "upstream": n} for n in ("own", "named", "turns")] + [{"prefix": "/"}])

    def test_the_host_that_the_upstream_is_told(self):
        for target, expected in (("/", "app.example:8080"), ("/own", "127.0.0.1:%d" % self.upstream.port),
                                 ("/named", "inside.example")):
            with self.subTest(target):
                seen = self.seen(target, host="app.example:8080")
                self.assertEqual(seen.all("Host"), [expected])
                self.assertEqual(seen.all("X-Forwarded-Host"), ["app.example:8080"])

    def test_several_urls_are_taken_in_turn(self):
        found = [self.ask("/turns").json()["by"] for _ in range(9)]
        self.assertEqual(sorted(found), sorted(["turn-0", "turn-1", "turn-2"] * 3))
        self.assertEqual(found[:3], found[3:6])


class Tls(ProxyTestCase):
    """https upstreams are verified: the chain, the name and the time."""

    @classmethod
    def settings(cls):
        authority, stranger = certificates.Authority(cls), certificates.Authority(cls, "stranger")
        cls.servers = {}
        for name, files in (("good", authority.issue("127.0.0.1", "localhost")),
                            ("wrong-name", authority.issue("other.example", "127.0.0.2")),
                            ("expired", authority.issue("127.0.0.1", days=-1)),
                            ("unknown", stranger.issue("127.0.0.1"))):
            cls.servers[name] = RecordingUpstream(tls=files.server(), name=name)
            cls.addClassCleanup(cls.servers[name].close)
        trust = {"ca_file": authority.ca_file, "connect_timeout": milliseconds(2)}
        upstreams = {name: {"url": server.url, **trust} for name, server in cls.servers.items()}
        upstreams["by-name"] = {"url": "https://localhost:%d" % cls.servers["good"].port, **trust}
        upstreams["no-trust"] = {"url": cls.servers["good"].url}
        upstreams["plain"] = {"url": "https://127.0.0.1:%d" % cls.upstream.port, **trust}
        upstreams["default"] = {"url": cls.upstream.url}
        return configuration(None, upstreams=upstreams, routes=[
            {"prefix": "/to/" + n, "upstream": n} for n in upstreams if n != "default"] + [{"prefix": "/"}])

    def setUp(self):
        super().setUp()
        for server in self.servers.values():
            server.forget()

    def test_a_verified_upstream_is_used(self):
        for target in ("/to/good", "/to/by-name"):
            with self.subTest(target):
                answer = self.ask(target, "POST", body=b"secret")
                self.assertEqual((answer.status, answer.json()["by"]), (200, "good"))
                self.assertEqual(self.servers["good"].one().body, b"secret")
        self.assertIn("localhost", self.servers["good"].server_names)

    def test_any_other_is_502_and_sees_nothing(self):
        # "no-trust" leads to the good one, to which verified connections may be open already.
        self.assertEqual(self.ask("/to/good").status, 200)
        self.servers["good"].forget()
        for name in ("wrong-name", "expired", "unknown", "no-trust"):
            with self.subTest(name):
                self.assert_refused(self.ask("/to/" + name, "POST", body=b"secret"), *UNREACHABLE)
                server = self.servers.get(name, self.servers["good"])
                self.assertEqual((server.take(), server.received()), ([], b""))
        self.assert_good_request_passes()

    def test_an_upstream_that_speaks_no_tls_sees_nothing(self):
        answer = self.ask("/to/plain", "POST", body=b"secret")
        self.assertIn((answer.status, answer.code), [UNREACHABLE, TIMEOUT])
        self.assertEqual(self.upstream.take(), [])
        self.assertNotIn(b"secret", self.upstream.received())
        self.upstream.problems.clear()   # it was sent a TLS greeting
        self.upstream.forget()
        self.assert_good_request_passes()


if __name__ == "__main__":
    unittest.main()
