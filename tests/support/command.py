"""The program under test as a command: where it is, and running it to its end."""

import os
import subprocess

from asking import deadline

REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SIGNET_BIN = os.environ.get("SIGNET_BIN", os.path.join(REPOSITORY, "build", "signet"))
EXIT_USAGE, EXIT_CONFIG = 64, 78


def clean_environment(extra=None):
    """The environment without anything that would configure Signet from outside the test."""
    kept = {k: v for k, v in os.environ.items()
            if not k.startswith("SIGNET_") and k != "STATE_DIRECTORY"
            and k.lower() not in ("https_proxy", "no_proxy")}
    kept.update(extra or {})
    return kept


def assert_no_sanitizer(text):
    if "Sanitizer" in text or "runtime error:" in text:
        raise AssertionError("a sanitizer spoke up:\n" + text[:3000] + "\n…\n" + text[-1000:])


def run_cli(*args, stdin="", env=None, timeout=30.0, cwd=None):
    """Runs `signet ARGS…` to its end. Gives .returncode, .stdout, .stderr as text."""
    done = subprocess.run([SIGNET_BIN, *args], input=stdin, text=True, encoding="utf-8",
                          errors="surrogateescape", capture_output=True,
                          env=clean_environment(env), timeout=deadline(timeout), cwd=cwd)
    assert_no_sanitizer(done.stderr)
    if done.returncode < 0:
        raise AssertionError("signet %s died by signal %d\n%s"
                             % (" ".join(args), -done.returncode, done.stderr[-4000:]))
    return done
