"""The life of the program: draining at SIGTERM, reloading at SIGHUP, and what clients see of it."""

import os
import signal
import sys
import threading
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

import answers  # noqa: E402
import tokens  # noqa: E402
from asking import ask  # noqa: E402
from metrics import Metrics  # noqa: E402
from proxy_case import (AUDIENCE, HOST, ISSUER, T0, configuration, deadline, good_token,  # noqa: E402
                        issuer_config, milliseconds, wait_until)
from signet import SignetTestCase  # noqa: E402
from upstream import RecordingUpstream  # noqa: E402
from wire import Connection, Ended, exchange, request  # noqa: E402

SLOW_ANSWER = (b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nha", b"lf", b" way")


class LifeCase(SignetTestCase):
    """An instance for each test, since most of them end it."""

    def setUp(self):
        self.upstream = RecordingUpstream()
        self.addCleanup(self.upstream.close)

    def begin(self, **changes):
        self.proxy = self.signet(configuration(self.upstream.url, **changes))
        return self.proxy

    def connect(self, **options):
        wire = Connection(self.proxy.port, **options)
        self.addCleanup(wire.close)
        return wire

    def readiness(self):
        return ask(self.proxy.health_port, "GET", "/readyz").status

    def accepts(self):
        try:
            Connection(self.proxy.port).close()
            return True
        except OSError:
            return False

    def assert_ends(self, seconds=25.0):
        self.assertEqual(self.proxy.wait_exit(seconds), 0)
        self.proxy.assert_no_token_logged()


class Draining(LifeCase):
    def test_sigterm_without_clients_ends_at_once(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            self.begin(timeouts={"drain": "20s"})
            self.proxy.signal(number)
            self.assert_ends(10)

    def test_what_is_in_flight_finishes_and_the_exit_is_clean(self):
        self.begin(timeouts={"drain": milliseconds(20)})
        gate = answers.Gated(*SLOW_ANSWER)
        self.upstream.answer_next(gate)
        wire = self.connect()
        wire.send(request("GET", "/", token=T0))
        self.assertTrue(gate.started.wait(10))
        self.proxy.signal(signal.SIGTERM)
        wait_until(lambda: not self.accepts(), "the listener to close")
        gate.open()
        answer = wire.answer()
        self.assertEqual((answer.status, answer.body), (200, b"half way"))
        self.assertTrue(answer.closes, "no Connection: close in %r" % answer)
        wire.expect_end(clean=True)
        self.assert_ends()

    def test_an_answer_that_had_begun_finishes_too(self):
        self.begin(timeouts={"drain": milliseconds(20)})
        gate = answers.Gated(*SLOW_ANSWER)
        self.upstream.answer_next(gate)
        wire = self.connect()
        wire.send(request("GET", "/", token=T0))
        gate.step()
        answer = wire.head()
        self.proxy.signal(signal.SIGTERM)
        wait_until(lambda: not self.accepts(), "the listener to close")
        gate.open()
        self.assertEqual(wire.body(answer).body, b"half way")
        wire.expect_end()
        self.assert_ends()

    def test_an_upload_that_had_begun_finishes_too(self):
        self.begin(timeouts={"drain": milliseconds(20)})
        wire = self.connect()
        wire.send(request("POST", "/", {"Content-Length": "8"}, token=T0) + b"half")
        self.upstream.wait_requests(1)
        self.proxy.signal(signal.SIGTERM)
        wait_until(lambda: not self.accepts(), "the listener to close")
        wire.send(b" way")
        answer = wire.answer()
        self.assertEqual((answer.status, answer.closes), (200, True))
        self.assertEqual(self.upstream.one().body, b"half way")
        self.assert_ends()

    def test_readiness_ends_at_once_and_connections_are_accepted_for_the_delay(self):
        self.begin(timeouts={"shutdown_delay": milliseconds(3), "drain": milliseconds(5)})
        self.assertEqual(self.readiness(), 200)
        self.proxy.signal(signal.SIGTERM)
        wait_until(lambda: self.readiness() == 503, "/readyz to be 503", 2)
        self.assertEqual(ask(self.proxy.health_port, "GET", "/healthz").status, 200)
        answer = exchange(self.proxy.port, request("GET", "/", token=T0))
        self.assertEqual(answer.status, 200)
        self.assert_ends()

    def test_the_figures_can_be_had_until_the_end(self):
        self.begin(timeouts={"shutdown_delay": milliseconds(2), "drain": milliseconds(20)})
        gate = answers.Gated(*SLOW_ANSWER)
        self.upstream.answer_next(answers.fixed(), gate)
        self.assertEqual(exchange(self.proxy.port, request("GET", "/", token=T0)).status, 200)
        wire = self.connect()
        wire.send(request("GET", "/", token=T0))
        self.assertTrue(gate.started.wait(10))

        def requests():
            scrapes = [ask(port, "GET", "/metrics") for port in (self.proxy.admin_port, self.proxy.health_port)]
            self.assertEqual({scrape.status for scrape in scrapes}, {200})
            return [Metrics(scrape.body.decode()).value("signet_requests_total") for scrape in scrapes]
        wait_until(lambda: requests() == [1, 1], "the first request to be counted")
        self.proxy.signal(signal.SIGTERM)
        wait_until(lambda: self.readiness() == 503, "/readyz to be 503", 2)
        self.assertEqual(requests(), [1, 1])   # in the delay
        self.assertEqual(exchange(self.proxy.port, request("GET", "/", token=T0)).status, 200)
        wait_until(lambda: requests() == [2, 2], "the request in the delay to be counted")
        wait_until(lambda: not self.accepts(), "the listener to close")
        self.assertEqual(requests(), [2, 2])   # while what is in flight finishes
        gate.open()
        self.assertEqual(wire.answer().body, b"half way")
        self.assert_ends()

    def test_idle_connections_do_not_hold_the_end_up(self):
        self.begin(timeouts={"drain": "60s", "client_idle": "60s", "client_header": "60s"})
        idle, fresh = self.connect(), self.connect()
        self.assertEqual(idle.send(request("GET", "/", token=T0)).answer().status, 200)
        self.proxy.signal(signal.SIGTERM)
        idle.expect_end()
        fresh.expect_end()
        self.assert_ends(15)

    def test_what_takes_longer_than_the_drain_is_cut(self):
        self.begin(timeouts={"drain": milliseconds(1)})
        self.upstream.answer_next(answers.hang)
        wire = self.connect()
        wire.send(request("GET", "/", token=T0))
        self.upstream.wait_requests(1)
        self.proxy.signal(signal.SIGTERM)
        if wire.more():   # told so, or only cut
            self.assertIn(wire.answer().status, (502, 503, 504))
        wire.expect_end()
        self.assert_ends(15)

    def test_a_tunnel_is_cut_at_the_drains_end(self):
        self.begin(timeouts={"drain": milliseconds(1)})
        self.upstream.answer_next(answers.Tunnel())
        wire = self.connect()
        wire.send(request("GET", "/", [("Connection", "Upgrade"), ("Upgrade", "websocket"),
                                       ("Sec-WebSocket-Version", "13"),
                                       ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")], token=T0))
        self.assertEqual(wire.answer().status, 101)
        self.assertEqual(wire.send(b"a").exactly(1), b"A")
        self.proxy.signal(signal.SIGTERM)
        wire.expect_end()
        self.assert_ends(15)

    def test_a_second_sigterm_harms_nothing(self):
        self.begin(timeouts={"drain": milliseconds(20)})
        gate = answers.Gated(*SLOW_ANSWER)
        self.upstream.answer_next(gate)
        wire = self.connect()
        wire.send(request("GET", "/", token=T0))
        gate.step()
        answer = wire.head()
        self.proxy.signal(signal.SIGTERM)
        wait_until(lambda: not self.accepts(), "the listener to close")
        self.proxy.signal(signal.SIGHUP)
        gate.open()
        self.assertEqual(wire.body(answer).body, b"half way")
        self.assert_ends()


class UnderLoad(LifeCase):
    """Clients that go on asking while the program ends or reloads."""

    def crowd(self, count, stop):
        """Threads that ask on keep-alive connections until stop. Gives them, and what went wrong."""
        wrong, done = [], [0] * count

        def ask_on(number):
            while not stop.is_set():
                try:
                    wire = Connection(self.proxy.port)
                except OSError:
                    return   # the listener is closed
                with wire:
                    while not stop.is_set():
                        if not wire.try_send(request("POST", "/%d" % number, body=b"x" * 2000, token=T0)):
                            break
                        try:
                            answer = wire.answer()
                        except Ended as ended:
                            if ended.so_far:   # nothing at all: it was closed while idle
                                wrong.append(repr(ended))
                            break
                        except Exception as error:
                            wrong.append(repr(error))
                            break
                        if answer.status != 200:
                            wrong.append(repr(answer))
                        done[number] += 1
                        if answer.closes:
                            break

        threads = [threading.Thread(target=ask_on, args=(n,), daemon=True) for n in range(count)]
        for thread in threads:
            thread.start()
        wait_until(lambda: all(n > 5 for n in done) or wrong, "the crowd to be served", 20)
        return threads, wrong, done

    def test_sigterm_under_load(self):
        self.begin(timeouts={"drain": milliseconds(10)})
        stop = threading.Event()
        threads, wrong, _ = self.crowd(8, stop)
        try:
            self.proxy.signal(signal.SIGTERM)
            self.assert_ends()
        finally:
            stop.set()
            for thread in threads:
                thread.join(deadline(20))
        self.assertEqual(wrong, [])
        self.assertEqual([r for r in self.upstream.take() if not r.complete], [])

    def test_reloads_under_load_are_seen_by_no_client(self):
        self.begin()
        stop = threading.Event()
        threads, wrong, done = self.crowd(4, stop)
        try:
            for number in range(10):
                before = sum(done)
                self.proxy.reload(configuration(self.upstream.url, claim_to_headers=[
                    {"claim": "sub", "header": "X-Generation-%d" % number}]))
                wait_until(lambda n=before: sum(done) > n + 8 or wrong, "requests after the reload")
        finally:
            stop.set()
            for thread in threads:
                thread.join(deadline(20))
        self.assertEqual(wrong, [])
        self.upstream.forget()
        self.assertEqual(exchange(self.proxy.port, request("GET", "/", token=T0)).status, 200)
        self.assertEqual(self.upstream.one().all("X-Generation-9"), ["user-1"])


class Reloading(LifeCase):
    BAD = ["", "listen: [", "nonsense: true\n", "listen: 127.0.0.1:0\nupstream: http://127.0.0.1:1\nissuers: []\n"]

    def successful(self):
        return self.proxy.metrics().value("signet_config_last_reload_successful")

    def test_a_good_file_is_taken(self):
        self.begin()
        other = tokens.rsa_key("key-2", alg="RS256")
        token = other.token(tokens.claims(ISSUER, AUDIENCE))
        answer = exchange(self.proxy.port, request("GET", "/", token=token))
        self.assertEqual((answer.status, answer.code), (401, "kid_unknown"))
        wire = self.connect()
        self.assertEqual(wire.send(request("GET", "/", token=T0)).answer().status, 200)
        self.proxy.reload(configuration(self.upstream.url, issuers=[issuer_config(jwks=tokens.jwks(other))]))
        self.assertEqual(self.successful(), 1)
        self.assertEqual(exchange(self.proxy.port, request("GET", "/", token=token)).status, 200)
        # The old connection goes on, and a token that was remembered is judged by the new keys.
        self.assertEqual(wire.send(request("GET", "/", token=token)).answer().status, 200)
        answer = wire.send(request("GET", "/", token=T0)).answer()
        self.assertEqual((answer.status, answer.code), (401, "kid_unknown"))

    def test_a_changed_upstream_and_routes_are_taken(self):
        self.begin()
        with RecordingUpstream(name="second") as second:
            self.assertEqual(exchange(self.proxy.port, request("GET", "/", token=T0)).json()["by"], "upstream")
            self.proxy.reload(configuration(second.url, routes=[{"prefix": "/in"}]))
            self.assertEqual(exchange(self.proxy.port, request("GET", "/in", token=T0)).json()["by"], "second")
            self.assertEqual(exchange(self.proxy.port, request("GET", "/", token=T0)).code, "no_route")

    def test_a_bad_file_changes_nothing_and_is_told(self):
        self.begin()
        good = configuration(self.upstream.url)
        for bad in self.BAD:
            with self.subTest(bad):
                self.proxy.reload(good)
                self.assertEqual(self.successful(), 1)
                mark = self.proxy.mark()
                self.proxy.reload(bad)
                wait_until(lambda: self.successful() == 0, "the metric to say so")
                self.assertTrue([r for r in self.proxy.records(mark) if r.get("level") == "error"])
                self.assertEqual(exchange(self.proxy.port, request("GET", "/", token=T0)).status, 200)
                self.assertEqual(exchange(self.proxy.port, request("GET", "/")).code, "token_missing")
                self.assertEqual(self.readiness(), 200)
        self.proxy.reload(good)
        self.assertEqual(self.successful(), 1)

    def test_reloads_are_counted_by_their_outcome(self):
        self.begin()
        good = configuration(self.upstream.url)

        def counted():
            metrics = self.proxy.metrics()
            return [metrics.value("signet_config_reloads_total", result=r) for r in ("success", "failure")]
        labels = [dict(have) for have in self.proxy.metrics().labels("signet_config_reloads_total")]
        self.assertEqual(sorted(have["result"] for have in labels), ["failure", "success"])
        self.assertEqual(self.proxy.metrics().types["signet_config_reloads_total"], "counter")
        self.assertEqual(counted(), [0, 0])
        expected = [0, 0]
        for config, result in ((good, 0), ("nonsense: true\n", 1), ("", 1), (good, 0),
                               ({**good, "listen": "127.0.0.1:1"}, 1),      # good, but only for a start
                               ({**good, "workers": 7}, 1), (good, 0)):
            self.proxy.reload(config)
            expected[result] += 1
            self.assertEqual(counted(), expected)
            self.assertEqual(self.successful(), 1 - result)

    def test_a_file_that_is_gone_changes_nothing(self):
        self.begin()
        os.rename(self.proxy.config_file, self.proxy.config_file + ".away")
        self.proxy.reload()
        wait_until(lambda: self.successful() == 0, "the metric to say so")
        self.assertEqual(exchange(self.proxy.port, request("GET", "/", token=T0)).status, 200)

    def test_a_request_in_flight_keeps_its_generation(self):
        self.begin()
        gate = answers.Gated(*SLOW_ANSWER)
        self.upstream.answer_next(gate)
        wire = self.connect()
        wire.send(request("GET", "/", token=T0))
        gate.step()
        answer = wire.head()
        with RecordingUpstream(name="second") as second:
            for _ in range(3):
                self.proxy.reload(configuration(second.url))
            gate.open()
            self.assertEqual(wire.body(answer).body, b"half way")
            wire.send(request("GET", "/", token=T0))
            self.assertEqual(wire.answer().json()["by"], "second")

    def test_watch_takes_a_changed_file_by_itself(self):
        self.begin(watch=True)
        self.proxy.write_config(configuration(self.upstream.url, watch=True, routes=[
            {"prefix": "/open", "access": "public"}, {"prefix": "/"}]))
        wait_until(lambda: exchange(self.proxy.port, request("GET", "/open")).status == 200,
                   "the changed file to be taken", 15)


class Coming(LifeCase):
    def test_health_answers_from_the_start_and_the_proxy_serves_when_ready(self):
        self.begin()
        self.assertEqual(ask(self.proxy.health_port, "GET", "/healthz").status, 200)
        self.assertEqual(self.readiness(), 200)
        self.assertEqual(exchange(self.proxy.port, request("GET", "/", token=T0, host=HOST)).status, 200)

    def test_a_restart_serves_the_same_tokens(self):
        self.begin()
        token = good_token()
        for hard in (False, True):
            self.assertEqual(exchange(self.proxy.port, request("GET", "/", token=token)).status, 200)
            self.proxy.restart(hard=hard)
        self.assertEqual(exchange(self.proxy.port, request("GET", "/", token=token)).status, 200)


if __name__ == "__main__":
    unittest.main()
