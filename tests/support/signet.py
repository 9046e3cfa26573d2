"""Starting, watching and stopping the program under test.

    with Signet({"upstream": ..., "issuers": [...]}) as signet:
        answer = signet.ask("GET", "/", token=token)

Ports are chosen by the system and read from the log. Whatever was started is ended by its own
pid, and stop() fails when the program did not end cleanly, when a sanitizer said something, or
when a token that was sent through ask() stands in the log.

Environment: SIGNET_BIN (the program, default <repository>/build/signet), SIGNET_TEST_SLOW (factor
on all deadlines, default 1).
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import unittest

from asking import Client, ask, deadline, wait_until  # noqa: F401  (for the tests)
from command import (EXIT_CONFIG, EXIT_USAGE, REPOSITORY, SIGNET_BIN,  # noqa: F401
                     assert_no_sanitizer, clean_environment, run_cli)
from metrics import Metrics


class Signet:
    """One running instance.

    config     a dict (listen, admin and health default to a port of the system's choice) or a
               text that is written as it is
    listeners  which listeners to wait for; by default what the dict says, for a text all three
    wait_ready wait for 200 from /readyz
    """

    def __init__(self, config, *, listeners=None, wait_ready=True, env=None, args=(), timeout=30.0):
        self.directory = tempfile.mkdtemp(prefix="signet-test-")
        self.config_file = os.path.join(self.directory, "signet.yaml")
        self.wait_ready, self.env, self.args, self.timeout = wait_ready, env, list(args), timeout
        self._listeners = listeners
        self._given_listeners = listeners
        self.process = None
        self.ports = {}
        self._lines, self._seen = [], threading.Condition()
        self._secrets = set()
        self._readers = []
        self._stderr_path = os.path.join(self.directory, "stderr")
        self.write_config(config)

    # -- configuration -------------------------------------------------------------------------

    def write_config(self, config):
        """Writes the file anew (atomically) without telling the program; see reload()."""
        if isinstance(config, dict):
            config = {"listen": "127.0.0.1:0", "admin": "127.0.0.1:0", "health": "127.0.0.1:0",
                      **config}
            text = json.dumps(config, indent=1, ensure_ascii=False) + "\n"
            wanted = ["proxy"] + [n for n in ("admin", "health") if config[n] != "off"]
        else:
            text, wanted = config, ["proxy", "admin", "health"]
        self.config = config
        if self._given_listeners is None:
            self._listeners = wanted
        with open(self.config_file + ".new", "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(self.config_file + ".new", self.config_file)

    def path(self, name):
        """A path in the instance's own temporary directory."""
        return os.path.join(self.directory, name)

    # -- life ----------------------------------------------------------------------------------

    def start(self):
        if not os.path.exists(SIGNET_BIN):
            raise AssertionError("no program at %s; build it or set SIGNET_BIN" % SIGNET_BIN)
        self.ports = {}
        command = [SIGNET_BIN, "run", "-c", self.config_file, *self.args]
        if shutil.which("setpriv"):  # ends with the test even when the test is killed
            command = ["setpriv", "--pdeathsig", "KILL", "--"] + command
        mark = self.mark()
        stderr = open(self._stderr_path, "ab")
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=stderr, env=clean_environment(self.env))
        stderr.close()
        reader = threading.Thread(target=self._read, args=(self.process.stdout,), daemon=True)
        reader.start()
        self._readers.append(reader)
        try:
            for name in self._listeners:
                record = self.wait_log(lambda r, n=name: r.get("msg") == "listening"
                                       and r.get("listener") == n, since=mark,
                                       what="the %s listener" % name, seconds=self.timeout)
                self.ports[name] = int(record["address"].rsplit(":", 1)[1])
            if self.wait_ready:
                wait_until(self._ready_or_dead, "/readyz to be 200", self.timeout)
        except BaseException:
            self.print_log()
            self.kill9()
            raise
        return self

    def _ready_or_dead(self):
        self.assert_running()
        return self.ready()

    def assert_running(self):
        if self.process.poll() is not None:
            raise AssertionError("signet has ended by itself with %d\n%s"
                                 % (self.process.returncode, self.stderr()[-4000:]))

    def stop(self, expect=0, seconds=25.0, signal_number=signal.SIGTERM):
        """SIGTERM, then the exit code, the sanitizers and the log are judged."""
        if self.process is None:
            return
        process, self.process = self.process, None
        early = process.poll()
        try:
            if early is None:
                process.send_signal(signal_number)
            try:
                process.wait(deadline(seconds))
            except subprocess.TimeoutExpired:
                raise AssertionError("signet did not end within %.0f s of SIGTERM"
                                     % deadline(seconds)) from None
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
            self._close(process)
        assert_no_sanitizer(self.stderr())
        if process.returncode != expect:
            raise AssertionError("signet ended with %d, not %d (%s)\n%s" % (
                process.returncode, expect, "by itself" if early is not None else "after SIGTERM",
                self.stderr()[-4000:]))
        self.assert_no_token_logged()

    def wait_exit(self, seconds=25.0):
        """Waits for the program to end by itself, and gives its exit code."""
        process = self.process
        process.wait(deadline(seconds))
        self.process = None
        self._close(process)
        assert_no_sanitizer(self.stderr())
        return process.returncode

    def kill9(self):
        if self.process is not None:
            process, self.process = self.process, None
            if process.poll() is None:
                process.kill()
            process.wait()
            self._close(process)

    def restart(self, hard=False):
        """Ends the program (SIGTERM, or SIGKILL when hard) and starts it on the same file."""
        self.kill9() if hard else self.stop()
        return self.start()

    def _close(self, process):
        for reader in self._readers:
            reader.join(deadline(5))
        self._readers.clear()
        process.stdout.close()

    def signal(self, number):
        self.process.send_signal(number)

    def reload(self, config=None, seconds=15.0):
        """SIGHUP, with a new file if one is given; returns the log record of the outcome."""
        if config is not None:
            self.write_config(config)
        mark = self.mark()
        self.signal(signal.SIGHUP)
        return self.wait_log(lambda r: "reload" in r.get("msg", "").lower()
                             and "reloading" not in r.get("msg", "").lower(),
                             since=mark, what="the outcome of the reload", seconds=seconds)

    def close(self):
        """Ends the program without judging anything; for cleanups after a failure."""
        self.kill9()
        shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, *_):
        try:
            if kind is None:
                self.stop()
            else:
                self.print_log()
        finally:
            self.close()

    @property
    def pid(self):
        return self.process.pid

    @property
    def port(self):
        return self.ports["proxy"]

    @property
    def admin_port(self):
        return self.ports["admin"]

    @property
    def health_port(self):
        return self.ports["health"]

    @property
    def admin_url(self):
        return "http://127.0.0.1:%d" % self.admin_port

    # -- log -----------------------------------------------------------------------------------

    def _read(self, stream):
        for line in stream:
            with self._seen:
                self._lines.append(line.decode("utf-8", "surrogateescape").rstrip("\n"))
                self._seen.notify_all()

    @property
    def lines(self):
        """All lines of standard output so far, over all starts."""
        with self._seen:
            return list(self._lines)

    def mark(self):
        with self._seen:
            return len(self._lines)

    def records(self, since=0):
        """The log lines as objects; a line that is no JSON object becomes {"msg": line}."""
        found = []
        for line in self.lines[since:]:
            try:
                record = json.loads(line)
            except ValueError:
                record = None
            found.append(record if isinstance(record, dict) else {"msg": line})
        return found

    def wait_log(self, predicate, since=0, what="a log line", seconds=10.0):
        def look():
            nonlocal since
            fresh = self.records(since)
            for record in fresh:
                if predicate(record):
                    return record
            since += len(fresh)
            if self.process is not None and self.process.poll() is not None and not fresh:
                raise AssertionError("signet ended with %d while the test waited for %s\n%s" % (
                    self.process.returncode, what, self.stderr()[-4000:]))
            return None
        return wait_until(look, what, seconds)

    def stderr(self):
        with open(self._stderr_path, "rb") as file:
            return file.read().decode("utf-8", "replace")

    def print_log(self, lines=40):
        print("\n--- the last lines of signet's log", file=sys.stderr)
        for line in self.lines[-lines:]:
            print("    " + line[:600], file=sys.stderr)
        if os.path.exists(self._stderr_path) and self.stderr():
            print("--- and of its standard error", file=sys.stderr)
            print(self.stderr()[-4000:], file=sys.stderr)

    def remember_secret(self, text):
        """A token (or another text) that must never appear in the log; stop() checks it."""
        if isinstance(text, bytes):
            text = text.decode("utf-8", "surrogateescape")
        if len(text) >= 24:
            self._secrets.add(text)
            signature = text.rsplit(".", 1)[-1]
            if len(signature) >= 24:
                self._secrets.add(signature)

    def assert_no_token_logged(self):
        text = "\n".join(self.lines) + self.stderr()
        for secret in self._secrets:
            if secret in text:
                raise AssertionError("a token stands in the log: %s…" % secret[:60])

    # -- asking --------------------------------------------------------------------------------

    def ask(self, method, target, token=None, headers=(), body=None, client=None):
        """A request to the proxy, on a connection of its own unless a Client is given."""
        headers = list(headers)
        if token is not None:
            self.remember_secret(token)
            raw = token.encode() if isinstance(token, str) else token
            headers.append(("Authorization", b"Bearer " + raw))
        if client is not None:
            return client.ask(method, target, headers, body)
        return ask(self.port, method, target, headers, body)

    def client(self):
        """A keep-alive connection to the proxy, for ask(client=…)."""
        return Client(self.port)

    def admin(self, method, path, body=None, headers=()):
        """A request to the admin listener; a dict or list becomes a JSON body."""
        headers = list(headers)
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
            headers.append(("Content-Type", "application/json"))
        if isinstance(body, str):
            body = body.encode()
        return ask(self.admin_port, method, path, headers, body)

    def revoke(self, **entry):
        """Adds a revocation and gives the entry as the 201 shows it."""
        answer = self.admin("POST", "/v1/revocations", entry)
        if answer.status != 201:
            raise AssertionError("revocation refused: %r" % answer)
        return answer.json()

    def ready(self):
        name = "admin" if "admin" in self.ports else "health"
        try:
            return ask(self.ports[name], "GET", "/readyz").status == 200
        except OSError:
            return False

    def metrics(self):
        name = "admin" if "admin" in self.ports else "health"
        answer = ask(self.ports[name], "GET", "/metrics")
        if answer.status != 200:
            raise AssertionError("no metrics: %r" % answer)
        return Metrics(answer.body.decode())

    def status(self):
        answer = self.admin("GET", "/v1/status")
        if answer.status != 200:
            raise AssertionError("no status: %r" % answer)
        return answer.json()


class SignetTestCase(unittest.TestCase):
    """Starts instances that end with the test or with the class; shows their logs on failure."""

    _running = []

    @classmethod
    def shared_signet(cls, config, **options):
        """For setUpClass: one instance for all tests of the class."""
        signet = Signet(config, **options)
        cls.addClassCleanup(cls._end, signet)
        SignetTestCase._running.append(signet)
        return signet.start()

    def signet(self, config, **options):
        """For one test. The cleanup ends it and judges how it ended."""
        signet = Signet(config, **options)
        SignetTestCase._running.append(signet)
        self.addCleanup(self._end, signet)
        return signet.start()

    @staticmethod
    def _end(signet):
        SignetTestCase._running.remove(signet)
        try:
            signet.stop()
        except AssertionError:
            signet.print_log()
            raise
        finally:
            signet.close()

    def doCleanups(self):
        outcome = getattr(self, "_outcome", None)
        if outcome is not None and not outcome.success:
            for signet in SignetTestCase._running:
                signet.print_log()
        return super().doCleanups()
