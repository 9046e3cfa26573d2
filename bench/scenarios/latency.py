import json
import os
import statistics
import subprocess

import peers
from harness.figures import Figure, spread
from harness.problems import Missing
from harness.report import table

from . import remembered

NAME = "latency"
QUESTION = "How much does each proxy add to a request's p99, at half of the load that Signet can bear?"


def full_rate(bench, setting):
    """Requests per second that Signet reached with its core busy: in this run's `remembered`, or measured here."""
    done = bench.outcomes.get(remembered.NAME)
    rounds = done.rounds.get("signet") if done else None
    if not rounds:
        with bench.briefly():
            signet, load = peers.signet("signet-for-the-rate"), bench.load(setting)
            signet.start(setting, bench.cores.proxy)
            bench.started.append(signet.process)
            load.run(signet, 1)
            rounds = [load.run(signet, bench.options.seconds) for _ in range(min(3, bench.options.rounds))]
    return statistics.median(measured["rps"] for measured in rounds)


def pace(bench, setting, port, rate, seconds):
    """-> milliseconds: p50, p99, most; and the rate that was reached"""
    count, connections = bench.options.count, bench.options.connections
    ran = subprocess.run([bench.tool("pace"), str(port), setting.path("tokens.txt"), str(count), f"{rate:.0f}", str(seconds), str(connections)],
                         check=False, capture_output=True, text=True, timeout=seconds + 30,
                         preexec_fn=lambda: os.sched_setaffinity(0, bench.cores.load))
    if ran.returncode:
        raise Missing(ran.stderr)
    said = json.loads(ran.stdout)
    return {**said, **{key: said[key] / 1000 for key in ("p50", "p99", "most")}}


def run(bench):
    setting, outcome = bench.setting(count=bench.options.count), bench.outcome
    rate = full_rate(bench, setting) / 2
    outcome.does["direct"] = "no proxy: straight to the upstream"
    ports = {"direct": bench.upstream_port}
    for peer in remembered.all_peers():
        if bench.start(peer, setting):
            ports[peer.name] = peer.port
    rounds = bench.alternate({name: lambda seconds, port=port: pace(bench, setting, port, rate, seconds) for name, port in ports.items()},
                             shown=lambda measured: f"p99 {measured['p99']:.2f} ms")

    direct = [one["p99"] for one in rounds["direct"]]
    added = {name: [one["p99"] - base for one, base in zip(measured, direct)] for name, measured in rounds.items()}
    outcome.figures.append(Figure("p99 that Signet adds to a direct request at half load", added.get("signet"), "<= 0.5", "ms",
                                  outcome.missing.get("signet", "")))
    # The relay is a floor and no peer: it does nothing of what a proxy does.
    others = {name: values for name, values in added.items() if name not in ("direct", "relay", "signet")}
    if others and "signet" in added:
        best = min(others, key=lambda name: statistics.median(others[name]))
        outcome.figures.append(Figure(f"the same, less what the best peer adds ({outcome.does[best]})",
                                      [own - other for own, other in zip(added["signet"], others[best])], "<= 0", "ms"))
    else:
        outcome.figures.append(Figure("the same, less what the best peer adds", None, "<= 0", "ms", "no peer was measured"))
    rows = []
    for name, measured in rounds.items():
        p50, p99 = (spread([one[key] for one in measured])["median"] for key in ("p50", "p99"))
        more, reached = spread(added[name]), statistics.median(one["rate"] for one in measured)
        rows.append([outcome.does[name], f"{p50:.2f}", f"{p99:.2f}", *(["", ""] if name == "direct" else [
            f"{more['median']:.2f}", f"{more['least']:.2f}–{more['most']:.2f}"]), f"{reached:,.0f}",
            "yes" if reached > 0.98 * rate else "no"])
    outcome.tables.append((f"{rate:,.0f} requests fall due each second, half of what Signet reached under full load:",
                           table(["what", "p50 ms", "p99 ms", "added to p99", "least–most", "answered/s", "bears it"], rows)))
    outcome.notes.append("latency counts from when a request fell due: a proxy that cannot bear this rate falls behind ever further")
