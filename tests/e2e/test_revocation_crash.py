"""Killed again and again while revocations are added: no acknowledged one is lost.

A kill leaves what the kernel already took, so this shows that an entry is handed over before its 201 and that
every start recovers; that it is on the disk by then, as a power failure would ask, is SQLite's doing.
"""

import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

from asking import SLOW, Client, deadline, wait_until  # noqa: E402
from proxied import ProxiedTestCase, moment  # noqa: E402
from signet import SIGNET_BIN, clean_environment  # noqa: E402
from tokens import ec_key  # noqa: E402

ROUNDS = 200 if SLOW <= 1 else 20
WRITERS = 4
MOST = 40  # new entries of a writer in a round, since all are listed after each; then it only strengthens


class Writer(threading.Thread):
    """Adds entries on one connection until the program is gone. tried: every jti sent; kept: the entry of
    each 201, by id; strongest: the latest issued_before acknowledged for a target of its own, which is
    strengthened over and over."""

    def __init__(self, port, name, first):
        super().__init__(daemon=True)
        self.port, self.sub, self.number = port, name, first
        self.tried, self.kept, self.strongest, self.wrong = set(), {}, 0, None

    def run(self):
        try:
            with Client(self.port) as client:
                while True:
                    self.number += 1
                    if len(self.kept) < MOST:
                        jti = "%s-%d" % (self.sub, self.number)
                        self.tried.add(jti)
                        self.add(client, jti=jti, reason="r" * (self.number % 200))
                    if self.number % 4 == 0 or len(self.kept) >= MOST:
                        self.add(client, sub=self.sub, issued_before=self.number)
        except OSError:
            pass  # killed
        except Exception as wrong:  # http.client's, of an answer that broke off: killed as well
            if not type(wrong).__module__.startswith("http."):
                self.wrong = wrong

    def add(self, client, **entry):
        answer = client.ask("POST", "/v1/revocations", [("Content-Type", "application/json")],
                            json.dumps(entry).encode())
        if answer.status != 201:
            raise AssertionError("revocation refused: %r" % answer)
        kept = answer.json()
        kept.pop("reach")  # a list does not repeat it
        if "jti" in entry:
            self.kept[kept["id"]] = kept
        else:
            self.strongest = entry["issued_before"]


class Killed(ProxiedTestCase):
    CHECK_AFTER = False

    @classmethod
    def prepare(cls):
        cls.key = ec_key("k")
        cls.issuer = cls.shared_issuer([cls.key])

    def listed(self, proxy):
        found, cursor = {}, ""
        with Client(proxy.admin_port) as client:
            while cursor is not None:
                page = client.ask("GET", "/v1/revocations" + cursor).json()
                found.update((entry["id"], entry) for entry in page["revocations"])
                cursor = "?cursor=" + page["next_cursor"] if page.get("next_cursor") else None
        return found

    def test_no_acknowledged_revocation_is_lost(self):
        state = self.enterContext(tempfile.TemporaryDirectory(prefix="signet-test-state-"))
        proxy = self.signet(self.configuration(self.issuer, state_dir=state, health="off",
                                               log={"level": "info"}))
        kept, tried, strongest, numbers = {}, set(), {}, [0] * WRITERS
        for number in range(ROUNDS):
            writers = [Writer(proxy.admin_port, "w%d" % i, first) for i, first in enumerate(numbers)]
            for writer in writers:
                writer.start()
            wait_until(lambda: all(w.kept or w.wrong for w in writers), "every writer's first 201")
            time.sleep(random.uniform(0, 0.06))
            proxy.kill9()
            for writer in writers:
                writer.join(30)
                self.assertFalse(writer.is_alive(), "a writer hangs")
                self.assertIsNone(writer.wrong)
                kept.update(writer.kept)
                tried |= writer.tried
                strongest[writer.sub] = max(strongest.get(writer.sub, 0), writer.strongest)
            numbers = [w.number for w in writers]
            if number % 4 == 0:
                self.kill_while_it_starts(proxy.config_file)
            proxy.start()
            self.check(proxy, number, kept, tried, strongest, writers)

    def kill_while_it_starts(self, config):
        """In the midst of SQLite's recovery, maybe."""
        starting = subprocess.Popen([SIGNET_BIN, "run", "-c", config], stdin=subprocess.DEVNULL,
                                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                    env=clean_environment())
        time.sleep(random.uniform(0, deadline(0.03)))
        starting.kill()
        starting.wait()

    def check(self, proxy, number, kept, tried, strongest, writers):
        listed = self.listed(proxy)
        lost = [entry for identity, entry in kept.items() if listed.get(identity) != entry]
        self.assertEqual(lost, [], "round %d: %d of %d are lost or changed" % (number, len(lost), len(kept)))
        values = [entry.get("jti") for entry in listed.values() if "jti" in entry]
        self.assertEqual(set(values) - tried, set(), "round %d: never sent" % number)
        self.assertEqual(len(values), len(set(values)), "round %d: twice" % number)
        subs = {entry["sub"]: moment(entry["issued_before"]) for entry in listed.values() if "sub" in entry}
        for sub, least in strongest.items():
            self.assertGreaterEqual(subs.get(sub, 0), least, "round %d: %s is weaker" % (number, sub))
        # What is listed is asked, too: all of them, and the last of each writer by a token.
        asked = proxy.status()["revocation"]["entries"]
        self.assertEqual(asked, len(listed), "round %d: in the index, and listed" % number)
        with proxy.client() as client:
            for writer in writers:
                token = self.token(jti=list(writer.kept.values())[-1]["jti"])
                self.assert_refused(token, "revoked", proxy=proxy, client=client)


if __name__ == "__main__":
    unittest.main(verbosity=2)
