"""Everything that can happen to keys, all at once: for builds with sanitizers above all.

Rotations, a flood of unknown kids, clients that leave in the middle of their wait, reloads that change
times and that bring an issuer and take it away, fetches by hand, and issuers that hang or answer
nonsense. What must hold throughout: a good token, of a key that was in the set the whole time, is 200.
"""

import collections
import itertools
import os
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

import issuer as faults  # noqa: E402
from asking import SLOW, deadline, wait_until  # noqa: E402
from process import open_files  # noqa: E402
from proxied import moment  # noqa: E402
from steady import SteadyTestCase  # noqa: E402
from tokens import b64, ec_key, json_bytes, with_segment  # noqa: E402
from wire import Connection, request  # noqa: E402

ROUNDS = 110 if SLOW == 1 else 20
NOT_KNOWN = {(401, "kid_unknown"), (503, "keys_unavailable")}  # as the last fetch went

NONSENSE = [faults.html, faults.truncated_json, faults.empty_keys, faults.cut_short,
            lambda: faults.answer(500, b"{}")]
# Only where no ETag was ever given is a 304 one that nobody asked for.
UNCONDITIONAL_NONSENSE = NONSENSE + [lambda: faults.answer(304)]


class AStorm(SteadyTestCase):
    """The issuers: `main` names its jwks_uri, `found` is found by discovery, `guest` comes and goes."""

    def setUp(self):
        super().setUp()
        self.state = self.enterContext(tempfile.TemporaryDirectory(prefix="signet-test-state-"))
        self.key, self.passing = ec_key("staying"), [ec_key("passing-%d" % n) for n in range(8)]
        self.issuer, self.found, self.guest = (self.own_issuer([self.key]) for _ in range(3))
        self.found.conditional = True
        self.guest.fault("jwks", faults.hang())  # it never has keys: whoever asks for it has to wait
        self.proxy = self.signet(self.configured(0))
        self.over, self.threads, self.errors = threading.Event(), [], []
        self.newcomers, self.guests = collections.Counter(), collections.Counter()
        self.addCleanup(self.end_threads)

    def configured(self, turn):
        """Other times each turn, and every third turn the guest, which takes the first place."""
        entries = [self.issuer_entry(self.issuer, name="main", jwks_uri=self.issuer.jwks_uri,
                                     refetch_cooldown="20ms", refresh_interval="%dm" % (10 + turn % 4)),
                   self.issuer_entry(self.found, name="found", refetch_cooldown="%dms" % (20 + turn % 4))]
        if turn % 3 == 1:
            entries.insert(0, self.issuer_entry(self.guest, name="guest", required_for_ready=False,
                                                refetch_cooldown="20ms"))
        return self.configuration(*entries, state_dir=self.state)

    # -- the weather -------------------------------------------------------------------------------

    def begin(self, step, pause):
        """A thread that does this over and over, with a short pause so that the others get their turn."""
        def work():
            try:
                for turn in itertools.count():
                    if self.over.wait(pause):
                        return
                    step(turn)
            except Exception as error:  # told in the test's own thread
                self.errors.append("%s: %r" % (step.__name__, error))
        self.threads.append(threading.Thread(target=work, daemon=True))
        self.threads[-1].start()

    def end_threads(self):
        self.over.set()
        for thread in self.threads:
            thread.join(deadline(20))

    def start_weather(self):
        passing = [(self.token(key), self.token(key, iss=self.found.url)) for key in self.passing]
        unknown = ec_key("unheard-of")
        strangers = [self.token(unknown), self.token(unknown, iss=self.found.url),
                     self.token(iss=self.guest.url)]
        for token in strangers:
            self.proxy.remember_secret(token)

        def rotate(turn):
            keys = [self.key, self.passing[turn % 8], self.passing[(turn + 1) % 8]]
            for issuer, token in zip((self.issuer, self.found), passing[turn % 8]):
                issuer.set_keys(keys)
                answer = self.proxy.ask("GET", "/steady", token)
                self.newcomers[answer.status, answer.code] += 1

        def leave(turn):
            wire = Connection(self.proxy.port)
            wire.send(request("GET", "/steady", token=strangers[turn % 3]))
            wire.reset() if turn % 2 else wire.close()

        def wait_for_the_guest(turn):
            answer = self.proxy.ask("GET", "/steady", strangers[2])
            self.guests[answer.status, answer.code] += 1

        def fetch_by_hand(turn):
            name = ("main", "found")[turn % 2]
            self.assertEqual(self.proxy.admin("POST", "/v1/issuers/%s/refresh" % name).status, 202)

        self.begin(rotate, 0.01)
        self.begin(leave, 0.005)
        self.begin(wait_for_the_guest, 0.02)
        self.begin(fetch_by_hand, 0.02)

    # -- the storm ---------------------------------------------------------------------------------

    def test_a_good_token_is_admitted_throughout(self):
        base = self.proxy.metrics().value("signet_connections", side="client")
        files = open_files(self.proxy.pid)
        load = self.steady({"main": self.tokens(), "found": self.tokens(iss=self.found.url)}, rate=500)
        template = self.token()
        flood = self.steady({"flood": [
            with_segment(template, 0, b64(json_bytes(self.key.header(kid="flood-%d" % n))))
            for n in range(5000)]}, rate=200, connections=20)
        load.wait_answered(100)
        self.start_weather()
        reloads = 0
        for turn in range(ROUNDS):
            reloads += self.one_round(turn)
            self.assertEqual(self.errors, [])
        self.end_threads()
        self.assertEqual(self.errors, [])
        flood.stop()
        self.proxy.reload(self.configured(0))
        reloads += 1
        for name in ("main", "found"):
            wait_until(lambda n=name: self.is_calm(n), "%s to be calm" % name)
        load.wait_answered(200)
        load.stop()

        load.assert_all_admitted()
        flood.assert_only("flood", *NOT_KNOWN)
        self.assertLessEqual(set(self.newcomers), {(200, None)} | NOT_KNOWN)
        self.assertIn((200, None), self.newcomers)
        self.assertLessEqual(set(self.guests), {(401, "issuer_unknown"), (503, "keys_unavailable")})
        self.assertEqual([r for r in self.proxy.records() if r.get("level") == "error"], [])
        wait_until(lambda: self.proxy.metrics().value("signet_connections", side="client") == base,
                   "all clients to be gone")
        wait_until(lambda: open_files(self.proxy.pid) <= files + 10, "their descriptors to be gone")
        self.assert_every_fetch_is_counted(reloads)
        self.assert_healed()
        # And what is on disk is whole.
        for issuer in (self.issuer, self.found):
            issuer.refuse()
        self.proxy.wait_ready = False
        self.proxy.restart(hard=True)
        self.assert_admitted(self.token())
        self.assert_admitted(self.token(iss=self.found.url))

    def one_round(self, turn):
        """A fault, met by both issuers' fetches, and its end. Gives 1 where it reloaded another file."""
        failed = {name: self.fetched("failure", name=name) for name in ("main", "found")}
        held = [faults.Held(), faults.Held()] if turn % 4 == 0 else []
        nonsense = [kinds[turn % len(kinds)]() for kinds in (UNCONDITIONAL_NONSENSE, NONSENSE)]
        for issuer, fault in zip((self.issuer, self.found), held or nonsense):
            issuer.fault("jwks", fault)
        if turn % 5 == 2:
            self.found.fault("discovery", faults.answer(503, b"{}"))  # the last good document serves
        for one in held:
            self.assertTrue(one.asked.wait(deadline(10)), "no fetch came")
        changed = turn % 2 == 0
        self.proxy.reload(self.configured(turn) if changed else None)
        for name in failed if not held else ():
            self.wait_fetched(1, "failure", since=failed[name], name=name)
        came = {name: self.fetched("success", name=name) for name in failed}
        for issuer in (self.issuer, self.found):
            issuer.fault("jwks", None)
            issuer.fault("discovery", None)
        for one in held:
            one.release()
        for name in came:
            self.wait_fetched(1, "success", since=came[name], name=name)
        return int(changed)

    # -- afterwards --------------------------------------------------------------------------------

    def is_calm(self, name):
        """The last fetch was good, and the next one is the regular one."""
        status = self.issuer_status(name=name)
        return not status["last_error"] and moment(status["next_refresh"]) > time.time() + 60

    def assert_every_fetch_is_counted(self, reloads):
        """Fetches that were on their way when a reload replaced their issuer's entry end uncounted."""
        counted, came = self.fetched(name="main"), self.issuer.count()
        self.assertTrue(counted <= came <= counted + reloads, (counted, came, reloads))
        for _ in range(3):
            good = self.fetched("success", name="main")
            self.refresh(self.issuer, name="main")
            self.wait_fetched(1, "success", since=good, name="main")
        self.assertEqual((self.fetched(name="main"), self.issuer.count()), (counted + 3, came + 3))

    def assert_healed(self):
        newest = ec_key("newest")
        for issuer in (self.issuer, self.found):
            issuer.add_key(newest)
            self.wait_admitted(self.token(newest, iss=issuer.url))
            self.wait_refused(self.token(ec_key("nobodys"), iss=issuer.url), "kid_unknown")
            self.assert_admitted(self.token(iss=issuer.url))


if __name__ == "__main__":
    unittest.main(verbosity=2)
