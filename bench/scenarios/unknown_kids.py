import base64
import contextlib
import json
import os
import statistics
import subprocess

import peers
from harness.figures import Figure
from harness.report import table

from .latency import full_rate, pace

NAME = "unknown-kids"
QUESTION = "What do good requests feel of a flood of tokens with kids that the issuer never had, 1,000 a second?"

RATE = 1000  # 10,000 in ten seconds
COUNT = 10_000


def with_random_kids(setting):
    """Tokens of the right issuer, each with a kid of its own, so that each would be worth a fetch."""
    path = setting.path("random-kids.txt")
    _, payload, signature = setting.first_token().split(".")
    with open(path, "w", encoding="ascii") as file:
        for _ in range(COUNT):
            header = {"alg": "RS256", "typ": "at+jwt", "kid": os.urandom(12).hex()}
            head = base64.urlsafe_b64encode(json.dumps(header).encode()).rstrip(b"=").decode()
            file.write(f"{head}.{payload}.{signature}\n")
    return path


@contextlib.contextmanager
def flood(bench, port, path, seconds):
    command = [bench.tool("pace"), str(port), path, str(COUNT), str(RATE), str(seconds), "64", "401"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, preexec_fn=lambda: os.sched_setaffinity(0, bench.cores.load)) as process:
        try:
            yield
        finally:
            process.kill()


def run(bench):
    setting, outcome = bench.setting(count=bench.options.count), bench.outcome
    rate = full_rate(bench, setting) / 2
    signet = peers.signet("signet-fetching", "Signet, keys fetched, cool-down 1 s",
                          KEYS="jwks_uri: @KEYS_URL@\n    refetch_cooldown: 1s")
    bench.start(signet, setting)
    path = with_random_kids(setting)
    seconds = bench.options.seconds

    def measure(flooded):
        fetches = signet.metric("signet_jwks_fetch_total")
        with flood(bench, signet.port, path, seconds + 2) if flooded else contextlib.nullcontext():
            measured = pace(bench, setting, signet.port, rate, seconds)
        return {**measured, "fetches": signet.metric("signet_jwks_fetch_total") - fetches, "rss": signet.process.resident_bytes() / 1e6}

    rows = {"quiet": lambda _: measure(False), "flooded": lambda _: measure(True)}
    rounds = bench.alternate(rows, shown=lambda m: f"p99 {m['p99']:.2f} ms, {m['fetches']:.0f} fetches, {m['rss']:.1f} MB")
    outcome.figures.append(Figure("p99 of good requests, flooded ÷ quiet", [a["p99"] / b["p99"] for a, b in zip(rounds["flooded"], rounds["quiet"])], "<= 2"))
    outcome.figures.append(Figure("fetches in a second of the flood, cool-down 1 s", [m["fetches"] / (seconds + 1) for m in rounds["flooded"]], "<= 1.2"))
    outcome.figures.append(Figure("resident at the end, less at the first round", [m["rss"] - rounds["quiet"][0]["rss"] for m in rounds["flooded"]], "<= 2", "MB"))
    outcome.tables.append((f"{rate:,.0f} good requests fall due each second:", table(
        ["", "p50 ms", "p99 ms", "fetches", "MB"],
        [[row, *(f"{statistics.median(m[key] for m in measured):.2f}" for key in ("p50", "p99", "fetches", "rss"))]
         for row, measured in rounds.items()])))
