import os
import socket
import time

import peers
from harness.figures import Figure
from harness.problems import Failed

NAME = "start"
QUESTION = "How long from the program's start until it is ready, with its keys on disk?"
TIMES = 20


def until_ready(signet, seconds=10):
    """Milliseconds from just before the program was loaded to the first 200 of /readyz."""
    address = ("127.0.0.1", int(signet.words["HEALTH"]))
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            with socket.create_connection(address, 1) as connection:
                connection.sendall(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                if connection.recv(4096).startswith(b"HTTP/1.1 200 "):
                    return (time.monotonic_ns() - signet.process.began) / 1e6
        except OSError:
            continue
    raise Failed(f"Signet is not ready after {seconds} s:\n{signet.process.tail()}")


def run(bench):
    setting, outcome = bench.setting(), bench.outcome
    state = os.path.join(bench.work, "state")
    os.makedirs(state, exist_ok=True)
    took = []
    for _ in range((3 if bench.options.quick else TIMES) + 1):
        with bench.briefly():
            signet = peers.signet("signet-start", KEYS="jwks_file: @TOKENS@/jwks.json", STATE_DIR=state)
            signet.start(setting, bench.cores.proxy, wait=False)
            bench.started.append(signet.process)
            took.append(until_ready(signet))
    took = took[1:]  # the first one made the state directory's files
    outcome.rounds["milliseconds"] = took
    outcome.figures.append(Figure("start to ready, keys and state on disk", took, "<= 30", "ms"))
    outcome.notes.append(f"{len(took)} starts with the program and the files in the page cache, the same state directory each time")
