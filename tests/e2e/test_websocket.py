"""Upgrades: the tunnel behind a 101, what may not slip past it, and who is let in."""

import os
import sys
import threading
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

import answers  # noqa: E402
from proxy_case import BAD_TOKEN, T0, ProxyTestCase, configuration, good_token, milliseconds  # noqa: E402
from wire import request  # noqa: E402

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="   # for that key, from RFC 6455
UPGRADE = [("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13"),
           ("Sec-WebSocket-Key", KEY)]
SMUGGLED = request("GET", "/smuggled", token=T0)


class TunnelCase(ProxyTestCase):
    CONFIG = {"routes": [{"prefix": "/public", "access": "public"}, {"prefix": "/"}]}

    def upgrade(self, target="/ws", headers=(), token=T0, tunnel=None):
        """A connection whose upgrade was accepted, and the tunnel at the upstream's end."""
        tunnel = tunnel or answers.Tunnel()
        self.upstream.answer_next(tunnel)
        wire = self.connect()
        wire.send(request("GET", target, UPGRADE + list(headers), token=token))
        answer = wire.answer()
        self.assertEqual(answer.status, 101, answer)
        return wire, tunnel, answer


class Tunnels(TunnelCase):
    def test_bytes_pass_both_ways_behind_the_101(self):
        wire, tunnel, answer = self.upgrade()
        self.assertEqual(answer.all("Sec-WebSocket-Accept"), [ACCEPT])
        self.assertEqual(answer.header("Upgrade").lower(), "websocket")
        self.assertEqual(answer.header("Connection").lower(), "upgrade")
        for data in (b"hello", b"\x00\xff\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"x" * 300_000):
            wire.send(data)
            self.assertEqual(wire.exactly(len(data)), data.upper())
        [seen] = self.upstream.take()
        self.assertEqual((seen.target, seen.header("Upgrade").lower(), seen.header("Connection").lower()),
                         ("/ws", "websocket", "upgrade"))
        self.assertEqual(seen.all("Sec-WebSocket-Key"), [KEY])
        self.assertEqual(seen.all("X-Auth-Subject"), ["user-1"])
        self.assertEqual(seen.all("Authorization"), [])

    def test_what_the_upstream_sends_right_behind_its_101_arrives(self):
        wire, _, _ = self.upgrade(tunnel=answers.Tunnel(greeting=b"welcome"))
        self.assertEqual(wire.exactly(7), b"welcome")

    def test_either_end_ends_the_tunnel(self):
        wire, tunnel, _ = self.upgrade()
        wire.send(b"a")
        self.assertEqual(wire.exactly(1), b"A")
        wire.close()
        self.assertTrue(tunnel.ended.wait(10), "the upstream did not see the client's end")
        wire, tunnel, _ = self.upgrade()
        self.upstream.take()[-1].connection.close()
        wire.expect_end()

    def test_a_client_that_has_said_all_still_gets_the_rest(self):
        wire, _, _ = self.upgrade()
        wire.send(b"last words").finish()
        self.assertEqual(wire.rest(), b"LAST WORDS")

    def test_many_tunnels_at_once(self):
        tunnels = [self.upgrade()[0] for _ in range(30)]
        for number, wire in enumerate(tunnels):
            wire.send(b"tunnel %d" % number)
        for number, wire in enumerate(tunnels):
            expected = b"TUNNEL %d" % number
            self.assertEqual(wire.exactly(len(expected)), expected)
        self.assert_good_request_passes()

    def test_names_beside_upgrade_in_connection_go_like_everywhere(self):
        self.upstream.answer_next(answers.Tunnel())
        headers = [("Connection", "keep-alive, Upgrade, X-Hop")] + UPGRADE[1:] + [("X-Hop", "1")]
        self.assertEqual(self.ask("/ws", headers=headers).status, 101)
        self.assertEqual(self.upstream.take()[0].all("X-Hop"), [])

    def test_a_public_route_tunnels_without_a_token(self):
        wire, _, _ = self.upgrade("/public", token=None)
        self.assertEqual(wire.send(b"a").exactly(1), b"A")


class EarlyBytes(TunnelCase):
    """What stands behind the request is no tunnelled byte until the upstream has said 101."""

    def test_bytes_behind_the_request_wait_for_the_101(self):
        gate = threading.Event()
        tunnel = answers.Tunnel(before=gate)
        self.upstream.answer_next(tunnel)
        wire = self.connect()
        wire.send(request("GET", "/ws", UPGRADE, token=T0) + b"early bytes")
        try:
            self.assertTrue(tunnel.started.wait(10))
            self.assertTrue(wire.nothing_yet())
        finally:
            gate.set()
        self.assertEqual(wire.answer().status, 101)
        self.assertEqual(tunnel.early, b"", "bytes were tunnelled before the 101")
        self.assertEqual(wire.exactly(11), b"EARLY BYTES")

    def test_a_request_behind_a_refused_upgrade_is_judged_like_any_other(self):
        unauthorized = request("GET", "/smuggled", token=None)
        self.upstream.answer_next(answers.fixed(426, body=b"no"))
        wire = self.connect()
        wire.send(request("GET", "/ws", UPGRADE, token=T0) + unauthorized)
        self.assertEqual(wire.answer().status, 426)
        if wire.more():   # or the proxy closes instead of reading on
            self.assert_refused(wire.answer(), 401, "token_missing")
        self.assertEqual([r.target for r in self.upstream.take()], ["/ws"])
        self.assertNotIn(b"smuggled", self.upstream.received())

    def test_an_upgrade_that_is_refused_by_us_tunnels_nothing(self):
        for token, code in ((None, "token_missing"), (BAD_TOKEN, "signature_invalid"),
                            (good_token(exp=1), "expired")):
            wire = self.connect()
            wire.send(request("GET", "/ws", UPGRADE, token=token) + b"\x81\x85early frames")
            self.assert_refused(wire.answer(), 401, code)
            self.assert_nothing_arrived()
        self.assert_good_request_passes()

    def test_an_upgrade_with_a_body_is_no_way_around(self):
        for headers, body in (([("Content-Length", str(len(SMUGGLED)))], SMUGGLED),
                              ([("Transfer-Encoding", "chunked")], b"0\r\n\r\n" + SMUGGLED)):
            with self.subTest(headers[0][0]):
                self.upstream.forget()
                self.upstream.answer_next(answers.fixed(400, body=b"no"))
                wire = self.connect()
                wire.send(request("GET", "/ws", UPGRADE + headers) + body)   # without a token
                answer = wire.answer()
                self.assertIn((answer.status, answer.code), [(401, "token_missing"), (400, "bad_request")])
                self.assert_nothing_arrived()


class NoTunnel(TunnelCase):
    def test_a_refusal_by_the_upstream_is_a_normal_answer(self):
        for status in (200, 400, 403, 426, 503):
            with self.subTest(status):
                self.upstream.answer_next(answers.fixed(status, [("X-Why", "because")], b"no tunnel"))
                wire = self.connect()
                wire.send(request("GET", "/ws", UPGRADE, token=T0))
                answer = wire.answer()
                self.assertEqual((answer.status, answer.body, answer.all("X-Why")),
                                 (status, b"no tunnel", ["because"]))
                self.upstream.take()
                if not answer.closes:
                    wire.send(request("GET", "/next", token=T0))
                    self.assertEqual(wire.answer().json()["target"], "/next")
        self.upstream.forget()
        self.assert_good_request_passes()

    def test_h2c_is_not_passed_on(self):
        for value in ("h2c", "H2C", "h2c, h2c", "h2c, websocket", "websocket, h2c"):
            for connection in ("Upgrade, HTTP2-Settings", "Upgrade", "keep-alive, upgrade"):
                for target, token in (("/", T0), ("/public", None)):
                    with self.subTest(value, connection=connection, target=target):
                        answer = self.ask(target, token=token, headers=[
                            ("Connection", connection), ("Upgrade", value),
                            ("HTTP2-Settings", "AAMAAABkAAQAoAAAAAIAAAAA")])
                        self.assertNotEqual(answer.status, 101)
                        for seen in self.upstream.take():
                            self.assertIn(seen.all("Upgrade"), [[], ["websocket"]] if "web" in value else [[]])
                            self.assertEqual(seen.all("HTTP2-Settings"), [])
        self.assert_good_request_passes()

    def test_the_preface_of_http_2_behind_h2c_reaches_no_one(self):
        wire = self.connect()
        wire.send(request("GET", "/", [("Connection", "Upgrade, HTTP2-Settings"), ("Upgrade", "h2c"),
                                       ("HTTP2-Settings", "AAMAAABkAAQAoAAAAAIAAAAA")], token=T0)
                  + b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        self.assertEqual(wire.answer().status, 200)
        wire.rest()
        self.assertNotIn(b"PRI *", self.upstream.received())
        self.assert_good_request_passes()

    def test_upgrade_without_connection_upgrade_is_no_upgrade(self):
        answer = self.ask("/ws", headers=UPGRADE[1:])
        self.assertEqual(answer.status, 200)
        self.assertEqual(self.upstream.one().all("Upgrade"), [])

    def test_a_101_without_an_upgrade_is_a_broken_answer(self):
        self.upstream.answer_next(answers.Tunnel())
        self.assert_refused(self.ask("/"), 502, "upstream_unreachable")
        self.assert_good_request_passes()

    def test_a_101_to_another_protocol_is_a_broken_answer(self):
        head = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
        for name, behaviour in (
                ("h2c", answers.Tunnel(protocol="h2c")), ("one of its own", answers.Tunnel(protocol="smuggle/1")),
                ("a list", answers.Tunnel(protocol="websocket, h2c")), ("empty", answers.Tunnel(protocol="")),
                ("longer", answers.Tunnel(protocol="websocket2")), ("no Upgrade", answers.raw(head + b"\r\n")),
                ("two lines", answers.raw(head + b"Upgrade: websocket\r\nUpgrade: h2c\r\n\r\n"))):
            for target, token in (("/ws", T0), ("/public", None)):
                with self.subTest(name, target=target):
                    self.upstream.forget()
                    self.upstream.answer_next(behaviour)
                    wire = self.connect()
                    wire.send(request("GET", target, UPGRADE, token=token) + b"early frames")
                    self.assert_refused(wire.answer(), 502, "upstream_unreachable")
                    [used] = {r.connection for r in self.upstream.take()}
                    self.upstream.wait_for(lambda u, p=used: p.ended.is_set() or p.closed.is_set(),
                                           "the connection to be dropped")
                    self.assertNotIn(b"early frames", bytes(used.received))
        self.assert_good_request_passes()

    def test_the_protocols_name_has_no_case(self):
        wire, _, _ = self.upgrade(tunnel=answers.Tunnel(protocol="WebSocket"))
        self.assertEqual(wire.send(b"a").exactly(1), b"A")


class CookieTunnels(TunnelCase):
    """A token from a cookie: the upgrade is a GET, and still needs the origin."""

    CONFIG = {"tokens": {"from_cookies": ["access_token"]}}
    COOKIE = ("Cookie", "a=1; access_token=" + T0)

    def test_the_origin_decides(self):
        for headers in ([], [("Origin", "http://evil.example")], [("Sec-Fetch-Site", "cross-site")],
                        [("Origin", "null")]):
            with self.subTest(headers):
                self.assert_refusal(403, "csrf_rejected", "/ws", headers=UPGRADE + [self.COOKIE] + headers,
                                    token=None)
        wire, _, _ = self.upgrade(headers=[self.COOKIE, ("Origin", "http://app.example")], token=None)
        self.assertEqual(wire.send(b"a").exactly(1), b"A")
        self.assertEqual(self.upstream.one().all("Cookie"), ["a=1"])


class Timeout(TunnelCase):
    @classmethod
    def settings(cls):
        return configuration(cls.upstream.url, timeouts={"tunnel": milliseconds(1), "body": milliseconds(60)})

    def test_an_idle_tunnel_ends_and_a_busy_one_does_not(self):
        wire, tunnel, _ = self.upgrade()
        for _ in range(4):   # together longer than the timeout
            self.assertFalse(tunnel.ended.wait(0.4))
            self.assertEqual(wire.send(b"a").exactly(1), b"A")
        wire.expect_end(10)
        self.assertTrue(tunnel.ended.wait(10))


if __name__ == "__main__":
    unittest.main()
