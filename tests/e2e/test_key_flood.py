"""Clients that name keys which do not exist: they cost their issuer little, and everybody else nothing."""

import os
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

import issuer as faults  # noqa: E402
from asking import SLOW, deadline, wait_until  # noqa: E402
from process import memory, open_files  # noqa: E402
from steady import SteadyTestCase  # noqa: E402
from tokens import b64, ec_key, json_bytes, with_segment  # noqa: E402
from wire import Connection, request  # noqa: E402


class FloodTestCase(SteadyTestCase):
    def scene(self, refetch_cooldown):
        self.key = ec_key("k")
        self.issuer = self.own_issuer([self.key])
        self.proxy = self.signet(self.configuration(self.issuer_entry(
            self.issuer, name="main", refetch_cooldown=refetch_cooldown)))

    def with_kids(self, name, count):
        """That many tokens with a kid of their own each. Nobody looks at their signature."""
        template = self.token()
        return [with_segment(template, 0, b64(json_bytes(self.key.header(kid="%s-%d" % (name, n)))))
                for n in range(count)]

    def clients(self, proxy=None):
        return self.proxy.metrics().value("signet_connections", side="client")


class ManyKids(FloodTestCase):
    COUNT = 10_000 if SLOW == 1 else 1_000
    FLOOD = {"rate": 1200, "connections": 100}
    COOLDOWN = 1  # second

    def test_they_cost_a_fetch_a_cooldown_and_neither_memory_nor_anybodys_turn(self):
        self.scene(refetch_cooldown="%ds" % self.COOLDOWN)
        load = self.steady({"good": self.tokens()}, rate=1000)
        # What a flood of this kind takes for good it has taken after the first.
        warming = self.steady({"unknown": self.with_kids("warm", self.COUNT // 10)}, **self.FLOOD)
        warming.wait_answered(self.COUNT // 10)
        warming.stop()
        resident = memory(self.proxy.pid).resident

        began, counted = time.monotonic(), self.issuer.count()
        flood = self.steady({"unknown": self.with_kids("flood", self.COUNT)}, **self.FLOOD)
        flood.wait_answered(self.COUNT, seconds=40)
        flood.stop()
        fetches, elapsed = self.issuer.count() - counted, time.monotonic() - began
        load.wait_answered(100)
        load.stop()

        load.assert_all_admitted()
        flood.assert_only("unknown", (401, "kid_unknown"))
        self.assertLessEqual(fetches, elapsed / self.COOLDOWN + 1)
        self.assertGreaterEqual(fetches, 2)  # or this was no flood
        found = memory(self.proxy.pid)
        if not found.sanitized:
            self.assertLess(found.resident - resident, 4 << 20)
        # Nothing that a stranger chose stands among the labels.
        self.assertNotIn("flood-", self.proxy.metrics().text)


class ThoseWhoWait(FloodTestCase):
    COUNT = 300 if SLOW == 1 else 60

    def leave_while_waiting(self, tokens):
        """One connection each, that asks and is closed without an answer, every other one by a reset."""
        for number, token in enumerate(tokens):
            wire = Connection(self.proxy.port)
            wire.send(request("GET", "/steady", token=token))
            wire.reset() if number % 2 else wire.close()

    def test_those_who_leave_cost_nothing(self):
        self.scene(refetch_cooldown="1ms")
        load = self.steady({"good": self.tokens()}, rate=500)
        load.wait_answered(100)
        clients, files = self.clients(), open_files(self.proxy.pid)
        held = faults.Held()
        self.addCleanup(held.release)
        self.issuer.fault("jwks", held)
        counted = self.issuer.count()
        self.leave_while_waiting(self.with_kids("left", self.COUNT))
        self.assertTrue(held.asked.wait(deadline(5)))
        wait_until(lambda: self.clients() == clients, "the connections to be gone")
        wait_until(lambda: open_files(self.proxy.pid) <= files + 10, "their descriptors to be gone")
        self.assertEqual(self.issuer.count(), counted + 1)  # all of them waited for one fetch
        load.wait_answered(100)
        newer = ec_key("newer")
        self.issuer.add_key(newer)
        self.issuer.fault("jwks", None)
        held.release()
        self.wait_admitted(self.token(newer))
        load.stop()
        load.assert_all_admitted()

    def test_one_issuer_hangs_and_anothers_clients_do_not_notice(self):
        key, newer, slow_key = ec_key("k"), ec_key("newer"), ec_key("k")
        self.key = key
        self.issuer, slow = self.own_issuer([key]), self.own_issuer([slow_key])
        self.proxy = self.signet(self.configuration(
            self.issuer_entry(slow, name="slow", refetch_cooldown="1ms"),
            self.issuer_entry(self.issuer, name="swift", refetch_cooldown="1ms")))
        load = self.steady({"swift": self.tokens(), "slow": self.tokens(key=slow_key, iss=slow.url)},
                           rate=500)
        held = faults.Held()
        self.addCleanup(held.release)
        slow.fault("jwks", held)
        waiting = []
        for token in self.tokens(10, ec_key("unheard-of"), iss=slow.url):
            self.proxy.remember_secret(token)
            wire = Connection(self.proxy.port)
            self.addCleanup(wire.close)
            waiting.append(wire.send(request("GET", "/steady", token=token)))
        self.assertTrue(held.asked.wait(deadline(5)))
        # While they wait, the other issuer's new key comes, and its unknown ones are told so.
        self.issuer.add_key(newer)
        self.assert_admitted(self.token(newer))
        self.assert_refused(self.token(ec_key("unheard-of")), "kid_unknown")
        load.wait_answered(200)
        self.assertTrue(self.issuer_status(name="swift")["last_success"])
        for wire in waiting:  # 2 s at most, and then what cannot be known is no 401
            answer = wire.answer()
            self.assertEqual((answer.status, answer.code), (503, "keys_unavailable"))
        load.stop()
        load.assert_all_admitted()


class AKidThatIsKnownToBeAbsent(FloodTestCase):
    """A client that goes on with the token of a key long gone."""

    def test_it_causes_fewer_fetches_until_the_set_changes(self):
        cooldown = 0.1
        self.scene(refetch_cooldown="100ms")
        gone = ec_key("long-gone")
        [token] = self.tokens(1, gone)
        began, counted = time.monotonic(), self.issuer.count()
        with self.proxy.client() as client:
            while time.monotonic() - began < 4:
                answer = self.proxy.ask("GET", "/steady", token, client=client)
                self.assertEqual((answer.status, answer.code), (401, "kid_unknown"))
        fetches, elapsed = self.issuer.count() - counted, time.monotonic() - began
        # Each wait of the third and later ones is four cool-downs in the end; those in between that nobody
        # waits for count too. Without the rule it would be one a cool-down.
        self.assertGreaterEqual(fetches, 3)
        self.assertLessEqual(fetches, 8 + elapsed / (2 * cooldown))

        # Another set: what was known of the old one says nothing of it.
        self.issuer.add_key(ec_key("another"))
        self.refreshed()
        counted = self.issuer.count()
        self.assert_refused(token, "kid_unknown")
        self.assertEqual(self.issuer.count(), counted + 1)
        # And when the key does come, with whatever fetch, it serves.
        self.issuer.add_key(gone)
        self.refreshed()
        self.assert_admitted(token)

    def test_others_that_are_unknown_are_fetched_for_all_the_same(self):
        self.scene(refetch_cooldown="1ms")
        [gone] = self.tokens(1, ec_key("long-gone"))
        for _ in range(50):
            self.assert_refused(gone, "kid_unknown")
        newer = ec_key("newer")
        self.issuer.add_key(newer)
        self.assert_admitted(self.token(newer))

    def refreshed(self):
        came = self.fetched("success")
        self.refresh(self.issuer)
        self.wait_fetched(1, "success", since=came)


if __name__ == "__main__":
    unittest.main(verbosity=2)
