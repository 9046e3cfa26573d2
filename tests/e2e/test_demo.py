"""`signet demo`: the whole story in one process, with nothing else installed."""

import os
import re
import signal
import subprocess
import sys
import unittest
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

from asking import ask, deadline  # noqa: E402
from proxied import check_refusal  # noqa: E402
from signet import (SIGNET_BIN, assert_no_sanitizer, clean_environment, run_cli)  # noqa: E402


class Demo(unittest.TestCase):
    def test_once_it_shows_an_admitted_a_refused_and_a_revoked_request(self):
        done = run_cli("demo", "--once", timeout=60)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        text = done.stdout
        for word in ("200", "401", "revoked", "X-Auth-Subject"):
            self.assertIn(word.lower(), text.lower())
        # The proxy part is restarted in between, and the revocation outlives that.
        self.assertIn("restart", text.lower())
        self.assertGreater(text.lower().rindex("revoked"), text.lower().index("restart"))

    def test_it_says_what_to_try_and_that_works(self):
        process = subprocess.Popen([SIGNET_BIN, "demo"], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                   env=clean_environment())
        self.addCleanup(self.end, process)
        lines, commands = [], []
        for line in process.stdout:
            lines.append(line)
            if "curl" in line:
                commands.append(line)
            if len(commands) == 3:
                break
        self.assertEqual(len(commands), 3, "".join(lines))
        statuses = [self.run_command(command) for command in commands]
        self.assertEqual([a.status for a in statuses], [200, 401, 401], statuses)
        check_refusal(statuses[2], "revoked")
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=deadline(25))
        self.assertEqual(process.returncode, 0, errors)
        assert_no_sanitizer(errors)

    @staticmethod
    def run_command(command):
        """Does what the printed curl line would do."""
        url = urllib.parse.urlsplit(re.search(r"https?://[^\s'\"]+", command).group(0))
        headers = re.findall(r"-H\s+(['\"])([^:'\"]+):\s*(.*?)\1", command)
        method = re.search(r"-X\s+([A-Z]+)", command)
        return ask(url.port, method.group(1) if method else "GET", url.path or "/",
                   [(name, value) for _, name, value in headers])

    @staticmethod
    def end(process):
        if process.poll() is None:
            process.kill()
            process.wait()
        process.stdout.close()
        process.stderr.close()


if __name__ == "__main__":
    unittest.main(verbosity=2)
