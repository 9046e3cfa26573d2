"""Keys that change while requests keep coming: whoever holds a good token is not turned away."""

import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

import issuer as faults  # noqa: E402
from asking import deadline, wait_until  # noqa: E402
from oidc_provider import OidcProvider  # noqa: E402
from steady import SteadyTestCase  # noqa: E402
from tokens import b64, ec_key, json_bytes, with_segment  # noqa: E402
from wire import Connection, request  # noqa: E402


class AtAProvider(SteadyTestCase):
    """The real one: its tokens, its key sets, its rotations."""

    @classmethod
    def prepare(cls):
        cls.provider = OidcProvider("RS256")
        cls.addClassCleanup(cls.provider.close)

    def setUp(self):
        super().setUp()
        # The cool-down is not what these tests are about: between two rotations lie days, not seconds.
        self.proxy = self.signet(self.configuration(self.issuer_entry(
            self.provider.url, name="provider", refetch_cooldown="1ms")))

    def provided(self, count=10):
        return [self.provider.token() for _ in range(count)]

    def test_with_an_overlap_no_token_is_refused(self):
        tokens = self.provided()
        load = self.steady({"at first": tokens})
        load.wait_answered(500)
        for turn in range(3):
            fetched = self.fetched("success")
            self.provider.rotate(overlap=True)
            newer = self.provided()
            load.use({"old %d" % turn: tokens, "new %d" % turn: newer})
            load.wait_answered(300, "new %d" % turn)
            self.assertGreater(self.fetched("success"), fetched)
            tokens += newer
        load.stop()
        load.assert_all_admitted()

    def test_without_an_overlap_the_new_key_counts_at_once_and_the_old_one_no_longer(self):
        old = self.provided()
        load = self.steady({"at first": old})
        load.wait_answered(500)  # so all of them are remembered
        for turn in range(2):
            going, new, gone, beside = ("%s %d" % (name, turn) for name in ("going", "new", "gone", "beside"))
            load.use({going: old})
            self.provider.rotate(overlap=False)
            newer = self.provided()
            load.use({new: newer})
            load.wait_answered(300, new)
            # The fetch that brought the new key is over, so the old one is gone for good.
            load.use({gone: old, beside: newer})
            load.wait_answered(300, gone)
            load.use({"between": newer})
            load.assert_all_admitted(new, beside)
            load.assert_only(going, (200, None), (401, "kid_unknown"))
            load.assert_only(gone, (401, "kid_unknown"))
            old = newer
        load.stop()
        load.assert_all_admitted("at first", "between")


class AtAScriptedIssuer(SteadyTestCase):
    def scene(self, **settings):
        self.key = ec_key("first")
        self.issuer = self.own_issuer([self.key])
        self.proxy = self.signet(self.configuration(
            self.issuer_entry(self.issuer, name="main", **settings)))

    def test_under_a_flood_of_unknown_kids_the_next_fetch_ends_all_wrong_refusals(self):
        """The flood holds the cool-down closed, so a new key has to wait for its end, and no longer."""
        self.scene(refetch_cooldown="1s")
        good, template = self.tokens(), self.token()
        unknown = [with_segment(template, 0, b64(json_bytes(self.key.header(kid="unknown-%d" % n))))
                   for n in range(500)]
        load = self.steady({"good": good}, rate=1000)
        flood = self.steady({"unknown": unknown}, rate=300, connections=20)
        flood.wait_answered(100)
        for turn in range(2):
            newer = ec_key("newer-%d" % turn)
            self.issuer.add_key(newer)
            # Every fetch that the issuer has not counted yet will bring the new key.
            counted = self.issuer.count()
            load.use({"beside": good, "early": self.tokens(key=newer)})
            wait_until(lambda n=counted: self.fetched() > n, "the next fetch", 5)
            load.use({"late %d" % turn: self.tokens(key=newer)})
            load.wait_answered(500, "late %d" % turn)
        for running in (load, flood):
            running.stop()
        load.assert_all_admitted("good", "beside", "late 0", "late 1")
        load.assert_only("early", (200, None), (401, "kid_unknown"))
        flood.assert_only("unknown", (401, "kid_unknown"))

    def test_a_key_that_is_published_ahead_costs_its_tokens_no_fetch(self):
        self.scene(refetch_cooldown="1ms")
        newer = ec_key("second")
        load = self.steady({"good": self.tokens()}, rate=500)
        self.issuer.add_key(newer)
        self.refresh(self.issuer)
        wait_until(lambda: len(self.issuer_status()["keys"]) == 2, "the second key")
        counted = self.issuer.count()
        load.use({"old": self.tokens(), "new": self.tokens(key=newer)})
        load.wait_answered(200)
        load.stop()
        load.assert_all_admitted()
        self.assertEqual(self.issuer.count(), counted)

    def test_a_fetch_that_was_answered_before_the_rotation_does_not_speak_for_it(self):
        """A refresh is on its way, with the old set in it, when the new key's first tokens arrive."""
        newer, held = self.rotation_during_a_fetch()
        waiting = []
        for token in self.tokens(5, newer):
            self.proxy.remember_secret(token)
            wire = Connection(self.proxy.port)
            self.addCleanup(wire.close)
            waiting.append(wire.send(request("GET", "/steady", token=token)))
        self.proxy.metrics()  # each worker has had its turn since
        held.release()
        self.assertEqual([wire.answer().status for wire in waiting], [200] * 5)

    def test_nor_does_it_swallow_a_refresh_by_hand(self):
        _, held = self.rotation_during_a_fetch()
        self.assertEqual(self.proxy.admin("POST", "/v1/issuers/main/refresh").status, 202)
        held.release()
        wait_until(lambda: len(self.issuer_status()["keys"]) == 2, "the second key")

    def rotation_during_a_fetch(self):
        """A fetch is on its way and its answer was made before the second key was published."""
        self.scene(refetch_cooldown="1ms")
        newer, held = ec_key("second"), faults.Held()
        self.addCleanup(held.release)
        self.issuer.fault("jwks", held)
        self.proxy.admin("POST", "/v1/issuers/main/refresh")
        self.assertTrue(held.asked.wait(deadline(5)))
        self.issuer.fault("jwks", None)
        self.issuer.add_key(newer)
        return newer, held


if __name__ == "__main__":
    unittest.main(verbosity=2)
