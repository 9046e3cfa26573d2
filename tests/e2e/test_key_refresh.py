"""Keys that come and go while the proxy runs, and when it fetches."""

import os
import signal
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

import issuer as faults  # noqa: E402
from asking import SLOW, ask, wait_until  # noqa: E402
from proxied import ProxiedTestCase, check_refusal, moment  # noqa: E402
from tokens import ABSENT, b64, claims, ec_key, json_bytes, rsa_key, with_segment  # noqa: E402
from wire import Connection  # noqa: E402


class RefreshTestCase(ProxiedTestCase):
    CHECK_AFTER = False  # each test has an issuer and a proxy of its own

    def scene(self, keys, **settings):
        """An issuer with these keys, and a proxy with these settings for it."""
        self.issuer = self.own_issuer(keys)
        self.proxy = self.signet(self.configuration(self.issuer_entry(self.issuer, **settings)))
        return self.issuer, self.proxy


class AnUnknownKid(RefreshTestCase):
    def test_a_new_keys_first_token_is_admitted_after_one_fetch(self):
        key, newer = ec_key("first"), ec_key("second")
        issuer, _ = self.scene([key], refetch_cooldown="1ms")
        self.assert_admitted(self.token(key))
        before = issuer.count()
        issuer.add_key(newer)
        self.assert_admitted(self.token(newer))
        self.assertEqual(issuer.count(), before + 1)
        self.assert_admitted(self.token(key))
        self.assertEqual(issuer.count(), before + 1)

    def test_it_is_401_when_the_fetch_did_not_bring_it(self):
        key = ec_key("first")
        issuer, _ = self.scene([key], refetch_cooldown="1ms")
        before = issuer.count()
        self.assert_refused(self.token(ec_key("unheard-of")), "kid_unknown")
        self.assertEqual(issuer.count(), before + 1)
        self.assert_admitted(self.token(key))

    def test_it_is_503_when_the_fetch_failed(self):
        key = ec_key("first")
        issuer, _ = self.scene([key], refetch_cooldown="1ms")
        issuer.fault("jwks", faults.answer(500, b"{}"))
        self.assert_refused(self.token(ec_key("unheard-of")), "keys_unavailable")
        self.assert_admitted(self.token(key))

    def test_a_key_without_a_kid_in_the_set_does_not_stand_in_for_the_new_one(self):
        nameless, newer = ec_key(), ec_key("second")
        issuer, _ = self.scene([nameless], refetch_cooldown="1ms")
        self.assert_admitted(self.token(nameless))
        self.assert_admitted(nameless.token(self.claims(), kid="whatever"))
        before = issuer.count()
        issuer.add_key(newer)
        self.assert_admitted(self.token(newer))
        self.assertEqual(issuer.count(), before + 1)
        self.assert_admitted(self.token(newer))
        self.assert_admitted(nameless.token(self.claims(), kid="whatever"))
        self.assertEqual(issuer.count(), before + 1)

    def test_beside_a_key_without_a_kid_an_unheard_of_one_is_fetched_for_and_refused(self):
        nameless, foreign = ec_key(), ec_key("unheard-of")
        issuer, _ = self.scene([nameless], refetch_cooldown="1ms")
        before = issuer.count()
        self.assert_refused(self.token(foreign), "kid_unknown", "signature_invalid")
        self.assertEqual(issuer.count(), before + 1)
        # Without a kid in the token there is nothing to fetch for.
        self.assert_refused(foreign.token(self.claims(), kid=ABSENT), "signature_invalid")
        self.assertEqual(issuer.count(), before + 1)
        issuer.fault("jwks", faults.answer(500, b"{}"))
        self.assert_refused(self.token(foreign), "keys_unavailable")
        self.assert_refused(foreign.token(self.claims(), kid=ABSENT), "signature_invalid")
        self.assert_admitted(self.token(nameless))

    def test_it_waits_two_seconds_at_most(self):
        key, newer = ec_key("first"), ec_key("second")
        issuer, _ = self.scene([key], refetch_cooldown="1ms")
        issuer.add_key(newer)
        issuer.fault("jwks", faults.hang())
        start = time.monotonic()
        self.assert_refused(self.token(newer), "keys_unavailable")
        self.assertTrue(1.5 < time.monotonic() - start < 2 + 3 * SLOW)
        self.assert_admitted(self.token(key))

    def test_inside_the_cooldown_the_last_fetch_answers_and_one_more_is_planned(self):
        key, newer = ec_key("first"), ec_key("second")
        issuer, _ = self.scene([key], refetch_cooldown="3s")
        unheard_of = ec_key("unheard-of")
        wait_until(lambda: self.proxy.ask("GET", "/", self.token(unheard_of)).code
                   == "kid_unknown", "the first refusal")
        count, start = issuer.count(), time.monotonic()
        issuer.add_key(newer)
        for _ in range(20):
            self.assert_refused(self.token(unheard_of), "kid_unknown")
        self.assertLessEqual(issuer.count(), count + 1 + int((time.monotonic() - start) / 3))
        # Nobody asks from here on: the fetch was planned for the end of the cool-down.
        wait_until(lambda: "second" in [k["kid"] for k in self.issuer_status()["keys"]],
                   "the planned fetch", 10)
        self.assert_admitted(self.token(newer))

    def test_inside_the_cooldown_after_a_failure_it_is_503(self):
        key = ec_key("first")
        issuer, _ = self.scene([key], refetch_cooldown="20s")
        issuer.fault("jwks", faults.html())
        self.refresh(issuer)
        wait_until(lambda: self.issuer_status()["last_error"], "the failure to be known")
        start, count = time.monotonic(), issuer.count()
        for _ in range(5):
            self.assert_refused(self.token(ec_key("unheard-of")), "keys_unavailable")
        if time.monotonic() - start < 15:
            self.assertLessEqual(issuer.count(), count + 1)
        self.assert_admitted(self.token(key))


class AFloodOfUnknownKids(RefreshTestCase):
    def latencies(self, count):
        """The 99th percentile of T0's latency, in seconds."""
        token, found = self.token(), []
        with self.proxy.client() as client:
            for _ in range(count):
                start = time.monotonic()
                self.assertEqual(self.proxy.ask("GET", "/", token, client=client).status, 200)
                found.append(time.monotonic() - start)
        return sorted(found)[int(count * 0.99)]

    def test_a_thousand_kids_cost_one_fetch_a_cooldown_and_hold_nobody_up(self):
        self.key = rsa_key("rsa-1", "RS256")
        cooldown = 5
        issuer, proxy = self.scene([self.key], refetch_cooldown="%ds" % cooldown)
        quiet = self.latencies(200)
        before, start = issuer.count(), time.monotonic()
        template = self.token()
        codes, errors = set(), []

        def flood(worker):
            try:
                with proxy.client() as client:
                    for n in range(250):
                        header = self.key.header(kid="kid-%d-%d" % (worker, n))
                        token = with_segment(template, 0, b64(json_bytes(header)))
                        codes.add(proxy.ask("GET", "/", token, client=client).code)
            except Exception as error:  # told in the test's own thread
                errors.append(error)
        threads = [threading.Thread(target=flood, args=(n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        busy = self.latencies(200)
        for thread in threads:
            thread.join()
        elapsed = time.monotonic() - start
        self.assertEqual(errors, [])
        self.assertEqual(codes, {"kid_unknown"})
        self.assertLessEqual(issuer.count() - before, 1 + int(elapsed / cooldown) + 1)
        # Four more clients share the machine with the one that is measured.
        self.assertLess(busy, 2 * quiet + 0.1 * SLOW)
        self.upstream.forget()
        self.assert_admitted(self.token())


class KeysThatGo(RefreshTestCase):
    def test_a_removed_keys_tokens_are_refused_within_the_interval_cached_or_not(self):
        key, other = ec_key("going"), ec_key("staying")
        issuer, _ = self.scene([key, other], refresh_interval="1s", refetch_cooldown="1s")
        cached = self.token(key)
        for _ in range(3):
            self.assert_admitted(cached)
        issuer.remove_key("going")
        self.wait_refused(cached, "kid_unknown", seconds=5)
        self.assert_refused(self.token(key), "kid_unknown")
        self.assert_admitted(self.token(other))

    def test_a_cached_token_without_a_kid_goes_with_its_key_too(self):
        key, other = ec_key("going"), ec_key("staying")
        issuer, _ = self.scene([key, other])
        cached = key.token(self.claims(), kid=ABSENT)
        for _ in range(3):
            self.assert_admitted(cached)
        issuer.remove_key("going")
        self.refresh(issuer)
        self.wait_refused(cached, "signature_invalid")

    def test_a_kid_that_now_names_another_key(self):
        key, successor = ec_key("name"), ec_key("name")
        issuer, _ = self.scene([key])
        cached = self.token(key)
        self.assert_admitted(cached)
        issuer.set_keys([successor])
        self.refresh(issuer)
        self.wait_admitted(self.token(successor))
        self.assert_refused(cached, "signature_invalid")

    def test_a_key_that_turned_unusable_is_removed(self):
        key, other = rsa_key("name"), ec_key("other")
        issuer, _ = self.scene([key, other])
        cached = self.token(key)
        self.assert_admitted(cached)
        issuer.set_keys([key.jwk(use="enc"), other])
        self.refresh(issuer)
        self.wait_refused(cached, "kid_unknown")


class WhenItFetches(RefreshTestCase):
    def test_the_answer_may_shorten_the_interval_but_not_below_thirty_seconds(self):
        expected = {None: 600, "max-age=1": 30, "public, max-age=90": 90, "max-age=0": 600,
                    "no-cache": 600, "max-age=86400": 600, "max-age=x": 600,
                    "max-age=99999999999999999999": 600}
        issuer, _ = self.scene([ec_key("k")])
        for control, seconds in expected.items():
            with self.subTest(control):
                issuer.jwks_headers = [("Cache-Control", control)] if control else []
                before = self.issuer_status()["last_success"]
                start = time.time()
                self.refresh(issuer)
                wait_until(lambda b=before: self.issuer_status()["last_success"] != b,
                           "the fetch to be taken in")
                distance = moment(self.issuer_status()["next_refresh"]) - start
                # A refresh may come a little early so that not all instances ask at once.
                self.assertTrue(seconds * 0.5 - 1 <= distance <= seconds + 5, distance)

    def test_it_refreshes_by_itself(self):
        issuer, proxy = self.scene([ec_key("k")], refresh_interval="1s")
        wait_until(lambda: issuer.count() >= 3, "three fetches")
        self.assertGreaterEqual(proxy.metrics().value("signet_jwks_fetch_total"), 2)
        ages = proxy.metrics().labels("signet_jwks_age_seconds")
        self.assertEqual([label["issuer"] for label in ages], [self.issuer_status()["name"]])
        self.assertLess(proxy.metrics().value("signet_jwks_age_seconds"), 10 * SLOW)

    def test_a_refresh_by_hand_is_answered_at_once(self):
        issuer, proxy = self.scene([ec_key("k")])
        issuer.fault("jwks", faults.hang())
        start = time.monotonic()
        answer = proxy.admin("POST", "/v1/issuers/%s/refresh" % self.issuer_status()["name"])
        self.assertEqual(answer.status, 202)
        self.assertLess(time.monotonic() - start, 1.5 * SLOW)
        self.assertEqual(proxy.admin("POST", "/v1/issuers/no-such/refresh").status, 404)


class AFetchThatOutlivesItsRequest(RefreshTestCase):
    def hanging_scene(self):
        self.key = ec_key("first")
        self.newer = ec_key("second")
        issuer, proxy = self.scene([self.key], refetch_cooldown="1ms")
        self.gate = threading.Event()

        def gated(scripted, place, stream):
            self.gate.wait(30)
            faults.respond(stream, 200, scripted.document(place))
        issuer.fault("jwks", gated)
        self.addCleanup(self.gate.set)
        return issuer, proxy

    def waiting_clients(self, issuer, proxy, count=5):
        before = issuer.count()
        connections = []
        for _ in range(count):
            token = self.token(self.newer)
            proxy.remember_secret(token)
            wire = Connection(proxy.port)
            self.addCleanup(wire.close)
            wire.send(b"GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %s\r\n\r\n"
                      % token.encode())
            connections.append(wire)
        wait_until(lambda: issuer.count() > before, "the fetch that they wait for")
        return connections

    def test_all_who_wait_share_one_fetch_and_are_admitted(self):
        issuer, proxy = self.hanging_scene()
        before = issuer.count()
        clients = self.waiting_clients(issuer, proxy)
        issuer.add_key(self.newer)
        self.gate.set()
        for wire in clients:
            self.assertEqual(wire.answer().status, 200)
        self.assertLessEqual(issuer.count() - before, 2)

    def test_clients_that_left_do_no_harm(self):
        issuer, proxy = self.hanging_scene()
        for wire in self.waiting_clients(issuer, proxy):
            wire.close()
        issuer.add_key(self.newer)
        self.gate.set()
        self.wait_admitted(self.token(self.newer))
        self.assert_admitted(self.token(self.key))

    def test_the_line_of_one_who_left_tells_of_its_own_request(self):
        """While it waits, the worker reads other clients' heads; its own must not be read again from there."""
        issuer, proxy = self.hanging_scene()
        token = self.token(self.newer)
        proxy.remember_secret(token)
        before, mark = issuer.count(), proxy.mark()
        wires = []
        for _ in range(8):  # whichever workers they come to
            wire = Connection(proxy.port)
            self.addCleanup(wire.close)
            wire.send(b"GET /left HTTP/1.1\r\nHost: alice.example\r\nAuthorization: Bearer %s\r\n\r\n" % token.encode())
            wires.append(wire)
        wait_until(lambda: issuer.count() > before, "the fetch that they wait for")
        for wire in wires:
            wire.close()
        for number in range(40):
            ask(proxy.port, "DELETE", "/other/%d" % number, [("Host", "bob-%s.example" % ("x" * 200))])
        self.gate.set()

        def lines():
            return [r for r in proxy.records(mark) if r.get("path") == "/left"]
        wait_until(lambda: len(lines()) == 8, "the lines of those who left")
        self.assertEqual({(r["method"], r["host"]) for r in lines()}, {("GET", "alice.example")})
        self.upstream.forget()

    def test_a_reload_meanwhile_does_no_harm(self):
        issuer, proxy = self.hanging_scene()
        clients = self.waiting_clients(issuer, proxy)
        proxy.reload(self.configuration(self.issuer_entry(issuer, refetch_cooldown="1s")))
        issuer.add_key(self.newer)
        self.gate.set()
        for wire in clients:
            self.assertIn(wire.answer().status, (200, 503))
        self.wait_admitted(self.token(self.newer), seconds=20)

    def test_issuers_by_the_hundred_that_are_configured_away_meanwhile(self):
        """A reload that takes its time is followed at once by another generation, before those who wait have
        been told of the first: their issuer's place is beyond the end of the list by then."""
        key, hangs = rsa_key("k1", "RS256"), self.own_issuer([], path="/last")
        hangs.fault("discovery", faults.hang())
        hangs.fault("jwks", faults.hang())
        many = [{"issuer": "i%d" % n, "name": "i%d" % n, "any_audience": True, "jwks": {"keys": [key.jwk()]}}
                for n in range(300)]
        last = self.issuer_entry(hangs, name="last", required_for_ready=False)
        routes = [{"prefix": "/r%d" % n, "require": {"claims": [{"claim": "x", "pattern": "[a-z]{1,30}%d" % n}]}}
                  for n in range(1000)]
        self.proxy = proxy = self.signet(self.configuration(*many, last, workers=1, watch=False), wait_ready=False)
        token = ec_key("unheard-of").token(claims(hangs.url))
        proxy.remember_secret(token)
        for turn in range(3):
            wires = []
            for _ in range(10):
                wire = Connection(proxy.port)
                self.addCleanup(wire.close)
                wire.send(b"GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %s\r\n\r\n" % token.encode())
                wires.append(wire)
            wait_until(lambda: proxy.metrics().value("signet_connections", side="client") >= 10, "those who wait")
            new = self.issuer_entry("http://127.0.0.1:%d/new%d" % (hangs.port, turn), name="new", required_for_ready=False)
            proxy.reload(self.configuration(many[0], new, workers=1, watch=False, routes=[*routes, {"prefix": "/"}]))
            for wire in wires:
                self.assertIn(wire.answer().status, (401, 503))
            proxy.reload(self.configuration(*many, last, workers=1, watch=False))
        self.assert_admitted(key.token(claims("i0", aud=ABSENT)))

    def test_an_issuer_that_is_configured_away_meanwhile(self):
        issuer, proxy = self.hanging_scene()
        other = self.own_issuer([self.key], path="/other")
        clients = self.waiting_clients(issuer, proxy)
        proxy.reload(self.configuration(other))
        self.gate.set()
        for wire in clients:
            self.assertIn(wire.answer().status, (200, 401, 503))
        self.wait_admitted(self.key.token(claims(other.url)))
        self.assert_refused(self.token(self.key), "issuer_unknown")

    def test_the_end_does_not_wait_for_a_fetch(self):
        issuer, proxy = self.hanging_scene()
        clients = self.waiting_clients(issuer, proxy)
        start = time.monotonic()
        proxy.signal(signal.SIGTERM)
        for wire in clients:
            answer = wire.answer()
            self.assertEqual(answer.status, 503)
        proxy.stop(signal_number=0)  # it was told already
        self.assertLess(time.monotonic() - start, 10 * SLOW)


class Readiness(RefreshTestCase):
    def test_an_issuer_that_is_not_required_does_not_hold_it_up(self):
        self.key = ec_key("k")
        good, absent = self.own_issuer([self.key]), self.own_issuer([], start=False)
        self.issuer = good
        self.proxy = self.signet(self.configuration(
            self.issuer_entry(good, name="good"),
            self.issuer_entry(absent, name="absent", required_for_ready=False)))
        self.assert_admitted(self.token())
        self.assert_refused(self.key.token(claims(absent.url)), "keys_unavailable")

    def test_a_required_one_does(self):
        self.key = ec_key("k")
        good, absent = self.own_issuer([self.key]), self.own_issuer([self.key], start=False)
        self.issuer = good
        proxy = self.signet(self.configuration(
            self.issuer_entry(good, refetch_cooldown="1s", name="good"),
            self.issuer_entry(absent, refetch_cooldown="1s", refresh_interval="1s", name="absent")),
            wait_ready=False)
        self.wait_admitted(self.token(), proxy)
        for port in (proxy.admin_port, proxy.health_port):
            self.assertEqual(ask(port, "GET", "/readyz").status, 503)
            self.assertEqual(ask(port, "GET", "/healthz").status, 200)
        check_refusal(proxy.ask("GET", "/", self.key.token(claims(absent.url))),
                      "keys_unavailable")
        absent.accept()
        wait_until(proxy.ready, "readiness", 30)
        self.wait_admitted(self.key.token(claims(absent.url)), proxy)
        absent.refuse()  # once ready, only draining ends it
        self.assertTrue(proxy.ready())


if __name__ == "__main__":
    unittest.main(verbosity=2)
