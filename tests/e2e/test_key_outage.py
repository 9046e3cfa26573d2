"""Issuers that are away, over restarts and reloads too: their last good keys serve, and nothing else does."""

import glob
import hashlib
import json
import os
import shutil
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

import issuer as faults  # noqa: E402
from asking import wait_until  # noqa: E402
from proxied import moment  # noqa: E402
from signet import Signet  # noqa: E402
from steady import SteadyTestCase  # noqa: E402
from tokens import ec_key  # noqa: E402


class KeptFile:
    """The one file of kept keys below a state directory: a line with the digest of what follows, then JSON.

    Its times are in milliseconds. put() writes what a test makes of it, with Signet's own permissions.
    """

    HEADING = b"signet keys 1 "

    def __init__(self, state, issuer=None):
        # The only one, or the one whose content names this issuer.
        [self.path] = [path for path in glob.glob(os.path.join(state, "keys", "*.keys"))
                       if issuer is None or '"issuer":"%s"' % issuer in self.text(path)]
        with open(self.path, "rb") as file:
            self.whole = file.read()
        self.first, _, body = self.whole.partition(b"\n")
        self.members = json.loads(body)

    @staticmethod
    def text(path):
        with open(path, encoding="utf-8") as file:
            return file.read()

    def with_members(self, **changes):
        """The file's text with changed members and the digest that belongs to them; None removes one."""
        members = {k: v for k, v in {**self.members, **changes}.items() if v is not None}
        body = json.dumps(members, separators=(",", ":")).encode() + b"\n"
        return self.HEADING + hashlib.sha256(body).hexdigest().encode() + b"\n" + body

    def remove(self):
        if os.path.isdir(self.path):
            os.rmdir(self.path)
        elif os.path.lexists(self.path):
            os.unlink(self.path)

    def put(self, text, mode=0o600):
        self.remove()
        with open(self.path, "wb") as file:
            file.write(text)
        os.chmod(self.path, mode)


class OutageTestCase(SteadyTestCase):
    def scene(self, conditional=False, proxy=True, workers="auto", **settings):
        """An issuer, and a proxy that keeps its keys in .state. settings: of the issuer's entry."""
        self.key = ec_key("k")
        self.issuer = self.own_issuer([self.key])
        self.issuer.conditional = conditional
        self.state = self.enterContext(tempfile.TemporaryDirectory(prefix="signet-test-state-"))
        self.entry = self.issuer_entry(self.issuer, name="main", **settings)
        if proxy:
            self.proxy = self.signet(self.configuration(self.entry, state_dir=self.state, workers=workers))

    def configured(self, **changes):
        """The same configuration with another entry."""
        return self.configuration({**self.entry, **changes}, state_dir=self.state)

    def restart(self, hard=False):
        """Without waiting for readiness: what holds at once is what these tests ask for."""
        self.proxy.wait_ready = False
        self.proxy.restart(hard=hard)

    def go_away(self):
        """The issuer is away, and the proxy has noticed."""
        self.issuer.refuse()
        self.refresh_and_wait("failure")

    def refresh_and_wait(self, result="success"):
        """One fetch by hand, to its end; gives the issuer's record of it."""
        before = self.fetched(result, name="main")
        self.assertEqual(self.proxy.admin("POST", "/v1/issuers/main/refresh").status, 202)
        self.wait_fetched(result=result, since=before, name="main")
        return (self.issuer.fetches() or [None])[-1]

    def kids(self):
        return [key["kid"] for key in self.issuer_status(name="main")["keys"]]


class ALongOutage(OutageTestCase):
    def test_hours_and_two_restarts_later_nobody_was_refused(self):
        """A refresh interval of 1 s stands for the usual 10 m: five fetches in vain are most of an hour."""
        self.scene(refresh_interval="1s", refetch_cooldown="1s")
        good = self.tokens()
        load = self.steady({"warm": good})
        load.wait_answered(1000)
        self.issuer.refuse()
        self.wait_fetched(5, "failure")
        load.wait_answered(200)
        load.stop()
        load.assert_all_admitted("warm")
        self.assertTrue(self.issuer_status()["last_error"])

        for hard in (False, True):
            self.restart(hard)
            self.assert_admitted(good[0])
            self.assertTrue(self.proxy.ready())
            # The key set may be an old one, so a key that it lacks may be good.
            self.assert_refused(self.token(ec_key("unheard-of")), "keys_unavailable")
            load = self.steady({"restarted": good})
            self.wait_fetched(1, "failure", since=0)
            load.wait_answered(1000)
            load.stop()
            load.assert_all_admitted("restarted")

        load = self.steady({"healing": good})
        failed, came = self.fetched("failure"), self.fetched("success")
        self.issuer.accept()
        self.wait_fetched(1, "success", since=came)
        self.assertLessEqual(self.fetched("failure"), failed + 1)  # one may have been on its way
        load.wait_answered(200)
        load.stop()
        load.assert_all_admitted("healing")
        self.assertFalse(self.issuer_status()["last_error"])

    def test_past_max_stale_it_is_503_and_neither_200_nor_401_after_restarts_too(self):
        self.scene(refresh_interval="200ms", refetch_cooldown="200ms", max_stale="2s")
        good = self.tokens()
        load = self.steady({"warm": good}, rate=500)
        load.wait_answered(200)
        self.issuer.refuse()
        wait_until(lambda: self.issuer_status()["stale"], "the keys to be too old")
        self.proxy.metrics()  # each worker knows by then
        load.use({"stale": good})
        load.wait_answered(200)
        load.stop()
        load.assert_only("warm", (200, None), (503, "keys_unavailable"))
        load.assert_only("stale", (503, "keys_unavailable"))
        self.assertIn((200, None), load.counts("warm"))
        self.assert_refused(good[0], "keys_unavailable")  # with Retry-After
        for hard in (True, False):
            mark = self.proxy.mark()
            self.restart(hard)
            for token in (good[0], self.token(), self.token(ec_key("unheard-of"))):
                self.assert_refused(token, "keys_unavailable")
            self.assertFalse(self.proxy.ready())
            self.proxy.wait_log(lambda r: r["msg"] == "kept keys not used", since=mark)
        self.issuer.accept()
        self.wait_admitted(good[0])
        wait_until(self.proxy.ready, "readiness")

    def test_the_keys_may_have_changed_meanwhile(self):
        self.scene(refresh_interval="1s", refetch_cooldown="1ms")
        old, newer = self.token(), ec_key("newer")
        self.issuer.refuse()
        self.issuer.set_keys([newer])
        self.restart(hard=True)
        self.assert_admitted(old)
        self.assert_refused(self.token(newer), "keys_unavailable")
        self.issuer.accept()
        self.wait_admitted(self.token(newer))
        self.assert_refused(old, "kid_unknown")


class OverReloads(OutageTestCase):
    def test_other_times_cost_no_keys(self):
        self.scene(refresh_interval="1s", refetch_cooldown="1s")
        good = self.tokens()
        load = self.steady({"good": good})
        load.wait_answered(200)
        self.go_away()
        for changes in ({"refresh_interval": "2s"}, {"refetch_cooldown": "5s"}, {"max_stale": "12h"},
                        {"refresh_interval": "3s", "clock_skew": "5s"}):
            failed = self.fetched("failure")
            self.proxy.reload(self.configured(**changes))
            self.assertEqual(self.proxy.metrics().value("signet_config_last_reload_successful"), 1)
            self.wait_fetched(1, "failure", since=failed)  # a fetch follows, and is in vain
            load.wait_answered(100)
        load.stop()
        load.assert_all_admitted()
        self.assertEqual(self.kids(), ["k"])
        # Where it heals, the new times hold.
        self.issuer.accept()
        self.wait_fetched(1, "success")
        self.assertFalse(self.issuer_status()["last_error"])

    def test_a_shorter_max_stale_counts_from_the_last_success(self):
        self.scene()
        self.assert_admitted(self.token())
        self.go_away()
        age = self.proxy.metrics().value("signet_jwks_age_seconds")
        self.proxy.reload(self.configured(max_stale="%dms" % max(1, age * 1000)))
        self.wait_refused(self.token(), "keys_unavailable")
        self.proxy.reload(self.configured(max_stale="24h"))
        self.wait_admitted(self.token())

    def test_keys_of_another_place_are_not_trusted(self):
        """The issuer is the same, and so is the kid; jwks_uri is another one, where nobody answers yet."""
        name, self.key, other_key = "https://idp.example", ec_key("k"), ec_key("k")
        self.issuer, other = self.own_issuer([self.key]), self.own_issuer([other_key], start=False)
        self.state = self.enterContext(tempfile.TemporaryDirectory(prefix="signet-test-state-"))
        self.entry = self.issuer_entry(name, name="main", jwks_uri=self.issuer.jwks_uri,
                                       refresh_interval="1s", refetch_cooldown="1ms")
        self.proxy = self.signet(self.configured())
        token, other_token = self.token(iss=name), self.token(other_key, iss=name)
        self.assert_admitted(token)
        self.proxy.reload(self.configured(jwks_uri=other.jwks_uri))
        for again in (False, True):
            if again:  # nor does what is kept of the first place serve for the second
                self.restart(hard=True)
            for refused in (token, other_token, self.token(iss=name)):
                self.assert_refused(refused, "keys_unavailable")
        other.accept()
        self.wait_admitted(other_token)
        self.assert_refused(token, "signature_invalid")


class KeptFiles(OutageTestCase):
    """The issuer is down at the start; whether the kept file is used decides between 200 and 503."""

    @classmethod
    def prepare(cls):
        cls.key = ec_key("k")
        cls.issuer = cls.shared_issuer([cls.key])
        state = tempfile.TemporaryDirectory(prefix="signet-test-state-")
        cls.addClassCleanup(state.cleanup)
        cls.state = state.name
        cls.settings = cls.configuration(cls.issuer_entry(cls.issuer, name="main"), state_dir=cls.state)
        with Signet(cls.settings):
            pass
        cls.issuer.refuse()
        cls.kept = KeptFile(cls.state)

    def assert_used(self):
        with Signet(self.settings, wait_ready=False) as proxy:
            self.assert_admitted(self.token(), proxy=proxy)
            self.assertTrue(proxy.ready())

    def assert_not_used(self):
        with Signet(self.settings, wait_ready=False) as proxy:
            # Said before the listeners were open, so it is there by now.
            said = [r for r in proxy.records() if r["msg"] == "kept keys not used"]
            self.assertEqual([(r["level"], r["issuer"]) for r in said], [("warn", "main")])
            self.assertTrue(said[0]["detail"])
            for _ in range(2):
                self.assert_refused(self.token(), "keys_unavailable", proxy=proxy)
            self.assertFalse(proxy.ready())

    def test_one_that_is_whole_is_used(self):
        """This holds for what the other tests make, too: only the one thing that they change is wrong."""
        now = int(time.time() * 1000)
        for name, text in {"as it was": self.kept.whole,
                           "with another member": self.kept.with_members(padding="x" * 1000),
                           "nearly max_stale old": self.kept.with_members(
                               fetched_at=now - 86_300_000)}.items():
            with self.subTest(name):
                self.kept.put(text)
                self.assert_used()

    def test_one_that_was_changed_is_not(self):
        whole, first = self.kept.whole, self.kept.first
        for name, text in {"empty": b"", "cut in the middle": whole[:len(whole) // 2],
                           "less its last byte": whole[:-1], "a byte more": whole + b"\n",
                           "the first line alone": first + b"\n", "without the first line":
                           whole[len(first) + 1:], "other keys": whole.replace(b'"k\\"', b'"j\\"'),
                           "a later time": whole.replace(b'"fetched_at":1', b'"fetched_at":2'),
                           "another digest": whole.replace(first, first[:-1] + b"0" if first[-1:] != b"0"
                                                           else first[:-1] + b"1"),
                           "HTML": b"<!doctype html><title>Not found</title>",
                           "bytes": bytes(range(256)) * 8}.items():
            with self.subTest(name):
                self.assertNotEqual(text, whole)
                self.kept.put(text)
                self.assert_not_used()

    def test_nor_is_one_that_says_what_it_should_not(self):
        """The digest is right in all of them."""
        now = int(time.time() * 1000)
        for name, changes in {"another issuer": {"issuer": self.issuer.url + "/"},
                              "no issuer": {"issuer": None},
                              "another source": {"source": "jwks_uri " + self.issuer.jwks_uri},
                              "too old": {"fetched_at": now - 86_400_000 - 1000},
                              "from 1970": {"fetched_at": 0},
                              "from the beginning of time": {"fetched_at": -2 ** 63},
                              "from the future": {"fetched_at": now + 3_600_000},
                              "from the far future": {"fetched_at": 2 ** 63 - 1},
                              "a time of another type": {"fetched_at": str(now)},
                              "no time": {"fetched_at": None}, "no keys": {"keys": None},
                              "an empty set": {"keys": '{"keys":[]}'}, "no set": {"keys": "<html>"},
                              "keys of another type": {"keys": {"keys": [self.key.jwk()]}},
                              "3 MB": {"padding": "x" * 3_000_000}}.items():
            with self.subTest(name):
                self.kept.put(self.kept.with_members(**changes))
                self.assert_not_used()

    def test_nor_one_that_others_may_write_or_that_is_no_file(self):
        def link():
            shutil.copy(self.kept.path, self.kept.path + ".elsewhere")
            self.kept.remove()
            os.symlink(self.kept.path + ".elsewhere", self.kept.path)

        def fifo():
            self.kept.remove()
            os.mkfifo(self.kept.path, 0o600)

        def directory():
            self.kept.remove()
            os.mkdir(self.kept.path)

        cases = {"by all": lambda: os.chmod(self.kept.path, 0o602),
                 "by a group": lambda: os.chmod(self.kept.path, 0o620),
                 "a link": link, "a pipe": fifo, "a directory": directory}
        if os.geteuid() == 0:
            cases["another user's"] = lambda: os.chown(self.kept.path, 65534, 65534)
        for name, change in cases.items():
            with self.subTest(name):
                self.kept.put(self.kept.whole)
                change()
                self.assert_not_used()


class WhatIsKept(OutageTestCase):
    def test_one_file_an_issuer_that_nobody_else_may_read(self):
        self.scene()
        self.issuer.add_key(ec_key("another"))
        self.refresh_and_wait()
        folder = os.path.join(self.state, "keys")
        [name] = os.listdir(folder)
        self.assertEqual(os.stat(os.path.join(folder, name)).st_mode & 0o777, 0o600)
        self.assertEqual(os.stat(folder).st_mode & 0o077, 0)
        self.assertIn("another", KeptFile(self.state).members["keys"])

    def test_a_bad_file_is_replaced_by_the_next_good_fetch(self):
        """A broken file's ETag is not believed either: the answer would be 304, for keys that nobody has."""
        self.scene(conditional=True)
        self.proxy.stop()
        kept = KeptFile(self.state)
        kept.put(kept.whole.replace(b'"k\\"', b'"j\\"'))
        seen = self.issuer.count()
        self.proxy.start()
        self.assert_admitted(self.token())
        self.assertIsNone(self.issuer.fetches()[seen].header("If-None-Match"))
        self.issuer.refuse()
        self.restart(hard=True)
        self.assert_admitted(self.token())

    def test_two_issuers_with_one_kid_keep_their_own(self):
        self.key, other_key = ec_key("k"), ec_key("k")
        self.issuer, other = self.own_issuer([self.key]), self.own_issuer([other_key])
        self.state = self.enterContext(tempfile.TemporaryDirectory(prefix="signet-test-state-"))
        self.proxy = self.signet(self.configuration(
            self.issuer_entry(self.issuer, name="one"), self.issuer_entry(other, name="two"),
            state_dir=self.state))
        self.issuer.refuse()
        other.refuse()
        own, others = self.token(), self.token(other_key, iss=other.url)
        for hard in (False, True):
            self.restart(hard)
            self.assert_admitted(own)
            self.assert_admitted(others)
            self.assert_refused(self.token(self.key, iss=other.url), "signature_invalid")
            self.assert_refused(self.token(other_key), "signature_invalid")
        # The file of the one, renamed over that of the other: whole, and yet not this issuer's.
        self.proxy.stop()
        one, two = KeptFile(self.state, self.issuer.url), KeptFile(self.state, other.url)
        two.put(one.whole)
        mark = self.proxy.mark()
        self.proxy.start()
        record = self.proxy.wait_log(lambda r: r["msg"] == "kept keys not used", since=mark)
        self.assertEqual(record["issuer"], "two")
        self.assert_admitted(own)
        self.assert_refused(others, "keys_unavailable")
        self.assert_refused(self.token(self.key, iss=other.url), "keys_unavailable")

    def test_a_kill_in_the_middle_of_a_write_leaves_a_whole_file(self):
        self.scene(refetch_cooldown="1ms")
        for turn in range(5):
            for number in range(turn + 2):
                self.issuer.set_keys([self.key, ec_key("filler-%d-%d" % (turn, number))])
                self.proxy.admin("POST", "/v1/issuers/main/refresh")
            self.proxy.kill9()
            self.issuer.refuse()
            mark = self.proxy.mark()
            self.proxy.wait_ready = False
            self.proxy.start()
            self.assert_admitted(self.token())
            self.assertEqual([r for r in self.proxy.records(mark) if r["msg"] == "kept keys not used"], [])
            self.issuer.accept()
            self.refresh_and_wait()

    def test_where_nothing_can_be_written_it_serves_and_says_so(self):
        """A plain file in the folder's place keeps even root from writing."""
        self.scene(proxy=False)
        folder = os.path.join(self.state, "keys")
        with open(folder, "wb"):
            pass
        os.chmod(self.state, 0o500)
        self.proxy = self.signet(self.configuration(self.entry, state_dir=self.state,
                                                    revocation={"store": "memory"}))
        self.assert_admitted(self.token())
        record = self.proxy.wait_log(lambda r: "not kept on disk" in r["msg"], what="the word about the disk")
        self.assertEqual((record["level"], record["issuer"]), ("error", "main"))
        self.assertIn("keys", record["detail"])
        newer = ec_key("newer")
        self.issuer.add_key(newer)
        self.refresh_and_wait()
        self.assert_admitted(self.token(newer))
        # Once it can be written again, it is.
        os.chmod(self.state, 0o700)
        os.unlink(folder)
        self.refresh_and_wait()
        self.assertIn("newer", KeptFile(self.state).members["keys"])


class ConditionalFetches(OutageTestCase):
    def test_a_304_keeps_the_keys_and_is_a_success(self):
        self.scene(conditional=True, workers=1, max_stale="1s")  # of which a tenth may pass between two writes
        self.assertIsNone(self.issuer.fetches()[0].header("If-None-Match"))
        cached = self.token()
        self.assert_admitted(cached)
        before, kept = self.issuer_status(), KeptFile(self.state).members
        fetch = self.refresh_and_wait("success")
        self.assertEqual((fetch.header("If-None-Match"), fetch.status),
                         (faults.etag(self.issuer.document("jwks")), 304))
        self.assertEqual(self.fetched("failure"), 0)
        after = self.issuer_status()
        self.assertEqual((after["keys"], after["last_error"]), (before["keys"], None))
        self.assertGreater(moment(after["last_success"]), moment(before["last_success"]))
        # The set is the same, so remembered tokens are remembered still; what is kept is as young as the 304.
        hits = self.proxy.status()["token_cache"]["hits"]
        self.assert_admitted(cached)
        self.assertEqual(self.proxy.status()["token_cache"]["hits"], hits + 1)
        wait_until(lambda: self.refresh_and_wait("success") and
                   KeptFile(self.state).members["fetched_at"] > kept["fetched_at"], "a younger file")
        # And a set that did change arrives, with a tag of its own.
        newer = ec_key("newer")
        self.issuer.add_key(newer)
        self.assertEqual(self.refresh_and_wait().status, 200)
        self.assert_admitted(self.token(newer))
        fetch = self.refresh_and_wait()
        self.assertEqual((fetch.header("If-None-Match"), fetch.status),
                         (faults.etag(self.issuer.document("jwks")), 304))

    def test_a_304_may_say_anew_how_long_it_holds(self):
        self.scene(conditional=True)
        for control, seconds in (("max-age=120", 120), ("max-age=60", 60), ("max-age=1", 30), (None, 30)):
            with self.subTest(control):
                self.issuer.jwks_headers = [("Cache-Control", control)] if control else []
                start = time.time()
                self.assertEqual(self.refresh_and_wait().status, 304)
                distance = moment(self.issuer_status()["next_refresh"]) - start
                # One that says nothing leaves what was said last. A refresh may come a little early so that not all instances ask at once.
                self.assertTrue(seconds * 0.5 - 1 <= distance <= seconds + 5, distance)

    def test_past_max_stale_the_whole_set_is_asked_for(self):
        """A tag that was wrong, or a lie, must not keep a set for ever."""
        self.scene(conditional=True, refresh_interval="200ms", refetch_cooldown="1ms", max_stale="1s")
        token = self.token()
        self.issuer.refuse()
        self.wait_refused(token, "keys_unavailable")
        seen = self.issuer.count()
        self.issuer.accept()
        self.wait_admitted(token)
        fetch = self.issuer.fetches()[seen]
        self.assertEqual((fetch.status, fetch.header("If-None-Match")), (200, None))

    def test_a_304_that_nobody_asked_for_is_a_failure(self):
        self.scene(proxy=False)
        self.issuer.fault("jwks", faults.answer(304, headers=[("ETag", '"x"')]))
        self.proxy = self.signet(self.configuration(self.entry, state_dir=self.state), wait_ready=False)
        self.wait_fetched(1, "failure", since=0)
        self.assert_refused(self.token(), "keys_unavailable")
        self.assertFalse(self.proxy.ready())
        self.assertEqual((self.fetched("success"), self.kids()), (0, []))
        self.issuer.fault("jwks", None)
        self.refresh_and_wait()
        self.assert_admitted(self.token())
        # With keys at hand it is no better: they stay, and the fetch has failed.
        self.issuer.fault("jwks", faults.answer(304))
        self.refresh_and_wait("failure")
        self.assertTrue(self.issuer_status()["last_error"])
        self.assert_admitted(self.token())

    def test_after_a_restart_the_set_is_the_issuers_newest(self):
        """Whether the tag outlives the restart is the program's choice."""
        self.scene(conditional=True)
        self.restart()
        self.wait_fetched(1, "success", since=0)
        self.assertIn(self.issuer.fetches()[-1].status, (200, 304))
        self.assert_admitted(self.token())
        self.proxy.stop()
        newer = ec_key("newer")
        self.issuer.set_keys([newer])
        self.proxy.start()
        self.wait_fetched(1, "success", since=0)
        self.assertEqual(self.issuer.fetches()[-1].status, 200)
        self.assert_admitted(self.token(newer))
        self.assert_refused(self.token(), "kid_unknown")

    def test_a_tag_is_not_sent_where_it_does_not_come_from(self):
        self.scene(conditional=True)
        newer = ec_key("newer")
        other = self.own_issuer([newer])
        other.conditional = True
        self.issuer.discovery_changes = {"jwks_uri": other.jwks_uri}
        self.refresh_and_wait()
        self.assertIsNone(other.fetches()[0].header("If-None-Match"))
        self.assert_admitted(self.token(newer))


class WithoutDiscovery(OutageTestCase):
    """The discovery document cannot be had; the key set can."""

    def test_a_rotation_arrives_all_the_same_after_a_restart_too(self):
        self.scene(refetch_cooldown="1ms")
        load = self.steady({"good": self.tokens()}, rate=500)
        load.wait_answered(100)
        self.issuer.fault("discovery", faults.answer(503, b"{}"))
        second = ec_key("second")
        self.issuer.add_key(second)
        came = self.fetched("success")
        self.assert_admitted(self.token(second))
        self.assertGreater(self.fetched("success"), came)
        self.assertIn("503", self.issuer_status()["last_error"])  # and yet it is not hidden
        load.stop()
        load.assert_all_admitted()
        third = ec_key("third")
        self.issuer.set_keys([third])
        self.restart(hard=True)
        self.wait_fetched(1, "success", since=0)
        self.assert_admitted(self.token(third))
        self.assert_refused(self.token(second), "kid_unknown")
        self.issuer.fault("discovery", None)
        self.refresh_and_wait()
        self.assertFalse(self.issuer_status()["last_error"])

    def test_where_it_was_never_had_there_are_no_keys(self):
        self.scene(proxy=False)
        self.issuer.fault("discovery", faults.answer(503, b"{}"))
        self.proxy = self.signet(self.configuration(self.entry), wait_ready=False)
        self.wait_fetched(1, "failure", since=0)
        self.assert_refused(self.token(), "keys_unavailable")
        self.assertEqual(self.issuer.count(), 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
