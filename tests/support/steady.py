"""A steady stream of requests while something happens to the keys, and the scene for it.

    class Something(SteadyTestCase):
        def test_something(self):
            load = self.steady({"good": [self.token() for _ in range(20)]})
            load.wait_answered(1000)                       # 1,000 further answers
            ...
            load.use({"old": old_tokens, "new": [token]})  # counted under labels of their own
            load.wait_answered(500, "new")
            load.stop()
            load.assert_all_admitted("good", "new")

The requests come from a process of their own, and the upstream that answers them is one too, so that
neither shares an interpreter with the test. A label says what the answers are counted under: whoever
wants to know what happens from now on gives the tokens a label that is new.
"""

import json
import os
import subprocess
import sys
import threading

from asking import SLOW, deadline, wait_until
from proxied import ProxiedTestCase

CHILD = os.path.join(os.path.dirname(os.path.abspath(__file__)), "steady_child.py")
RATE = 2000       # requests a second
SLOW_RATE = 200   # the most that builds with sanitizers are asked for


class _Child:
    """A process of steady_child.py. Its standard output is read by a thread, a line at a time."""

    def __init__(self, part, take):
        self._process = subprocess.Popen([sys.executable, CHILD, part], stdin=subprocess.PIPE,
                                         stdout=subprocess.PIPE)
        self._news, self._ended = threading.Condition(), False
        self._reader = threading.Thread(target=self._read, args=(take,), daemon=True)
        self._reader.start()

    def _read(self, take):
        for line in self._process.stdout:
            with self._news:
                take(line)
                self._news.notify_all()
        with self._news:
            self._ended = True
            self._news.notify_all()

    def _wait(self, condition, what, seconds=15.0):
        with self._news:
            self._news.wait_for(lambda: condition() or self._ended, deadline(seconds))
            if not condition():
                raise AssertionError("waited %.0f s in vain for %s%s" % (
                    deadline(seconds), what, "; the process has ended" if self._ended else ""))

    def close(self):
        if self._process.poll() is None:
            self._process.stdin.close()
            try:
                self._process.wait(deadline(5))
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._reader.join(deadline(5))
        for stream in (self._process.stdin, self._process.stdout):
            stream.close()


class PlainUpstream(_Child):
    """Answers 200 to everything, and records nothing."""

    def __init__(self):
        self.port = None
        super().__init__("upstream", self._take)
        self._wait(lambda: self.port, "the plain upstream's port")

    def _take(self, line):
        self.port = int(line)

    @property
    def url(self):
        return "http://127.0.0.1:%d" % self.port


class SteadyLoad(_Child):
    """tokens: label -> list, see use(). rate: requests a second, over that many connections.

    It ends by itself after `limit` seconds, whatever happens to the test.
    """

    def __init__(self, port, tokens, rate=RATE, connections=4, target="/steady", limit=120):
        self.asked_rate = min(rate, SLOW_RATE) if SLOW > 1 else rate
        self._report = {"phase": 0, "sent": 0, "answered": 0, "seconds": 0, "counts": [], "odd": {},
                        "final": False}
        self._phase = 0
        super().__init__("load", self._take)
        self._tell({"port": port, "rate": self.asked_rate, "connections": connections,
                    "target": target, "limit": deadline(limit)})
        self.use(tokens)

    def _take(self, line):
        self._report = json.loads(line)

    def _tell(self, command):
        self._process.stdin.write(json.dumps(command).encode() + b"\n")
        self._process.stdin.flush()

    # -- the load --------------------------------------------------------------------------------

    def use(self, tokens):
        """From the return on these are sent, and nothing else. Each label gets an equal share."""
        if not all(tokens.values()):
            raise ValueError("a label without tokens: %r" % list(tokens))
        self._phase += 1
        self._tell({"tokens": tokens})
        self._wait(lambda: self._report["phase"] >= self._phase, "the new tokens to be used")

    def stop(self):
        """No more requests; returns when all answers are there."""
        self._tell({"stop": True})
        self._wait(lambda: self._report["final"], "the last answers", 25)

    # -- what came of it -------------------------------------------------------------------------

    def counts(self, label):
        """(status, code) -> how many. Status 0: no answer came, and the code says why."""
        return {(status, code): n for name, status, code, n in self._report["counts"] if name == label}

    def labels(self):
        return {name for name, *_ in self._report["counts"]}

    def answers(self, label=None):
        """How many there are so far."""
        return sum(n for name, status, _, n in self._report["counts"]
                   if status and (label is None or name == label))

    def wait_answered(self, count, label=None, seconds=15.0):
        """Waits for that many further answers."""
        wanted = self.answers(label) + count
        self._wait(lambda: self.answers(label) >= wanted, "%d answers" % count, seconds)

    @property
    def sent(self):
        return self._report["sent"]

    @property
    def rate(self):
        """Answers a second, as it really was."""
        return self._report["answered"] / max(self._report["seconds"], 0.001)

    def describe(self, label):
        """The counts, and the first answers that were no 200, each with its time and body."""
        lines = ["%s: %r at %.0f/s" % (label, self.counts(label), self.rate)]
        return "\n    ".join(lines + ["%s %d %s" % tuple(odd) for odd in self._report["odd"].get(label, [])])

    def assert_only(self, label, *outcomes):
        """There were answers, and every one was one of these (status, code)."""
        found = self.counts(label)
        if not found or not set(found) <= set(outcomes):
            raise AssertionError("expected only %r; %s" % (outcomes, self.describe(label)))

    def assert_all_admitted(self, *labels):
        """Every answer with these labels (with any, where none is named) was 200."""
        for label in labels or self.labels() or ["nothing was sent"]:
            self.assert_only(label, (200, None))


class SteadyTestCase(ProxiedTestCase):
    """The usual scene, with a path /steady that leads to a plain upstream. See the module's text."""

    CHECK_AFTER = False

    @classmethod
    def setUpClass(cls):
        cls.plain = PlainUpstream()
        cls.addClassCleanup(cls.plain.close)
        super().setUpClass()

    @classmethod
    def configuration(cls, *issuers, **settings):
        """As usual, but without access lines: there would be thousands."""
        found = super().configuration(*issuers, **settings)
        found["upstreams"] = {"default": {"url": found.pop("upstream")}, "plain": {"url": cls.plain.url}}
        found["routes"] = [{"prefix": "/steady", "upstream": "plain"}, {"prefix": "/"}]
        found["log"] = {"level": "info", "access": False}
        return found

    def steady(self, tokens, proxy=None, **options):
        """A SteadyLoad that ends with the test."""
        proxy = proxy or self.proxy
        for given in tokens.values():
            proxy.remember_secret(given[0])
        load = SteadyLoad(proxy.port, tokens, **options)
        self.addCleanup(load.close)
        return load

    def tokens(self, count=20, key=None, **changes):
        """That many good tokens, no two alike."""
        return [self.token(key, **changes) for _ in range(count)]

    # -- fetches, as the program counts them -------------------------------------------------------

    def fetched(self, result=None, proxy=None, name=None):
        """How many fetches have ended. result: success or failure; None: both."""
        labels = {k: v for k, v in (("result", result), ("issuer", name)) if v is not None}
        return int((proxy or self.proxy).metrics().value("signet_jwks_fetch_total", **labels))

    def wait_fetched(self, count=1, result=None, since=None, proxy=None, name=None, seconds=15.0):
        """Waits until that many more have ended than `since` (default: now)."""
        since = self.fetched(result, proxy, name) if since is None else since
        wait_until(lambda: self.fetched(result, proxy, name) >= since + count,
                   "%d more fetches (%s)" % (count, result or "any"), seconds)
