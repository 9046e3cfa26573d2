import json
import os
import subprocess

import peers
from harness import processes
from harness.figures import ratio, spread
from harness.load import stolen_seconds
from harness.problems import Missing
from harness.report import table

NAME = "bodies"
QUESTION = "What does a body of 1 GB cost, upwards and downwards, beside nginx?"
UNBUFFERED = "proxy_request_buffering off; proxy_buffering off;"


def transfer(bench, setting, peer, direction, size):
    """One body through the peer -> CPU seconds of the peer, and how long it took"""
    cpu, stolen = peer.process.cpu_ns(), stolen_seconds(bench.cores.proxy)
    ran = subprocess.run([bench.tool("bulk"), direction, str(peer.port), str(size), setting.path("tokens.txt")], check=False,
                         capture_output=True, text=True, timeout=120, preexec_fn=lambda: os.sched_setaffinity(0, bench.cores.load))
    if ran.returncode:
        raise Missing(f"{ran.stderr} {peer.process.tail()}")
    seconds = json.loads(ran.stdout)["seconds"]
    cpu = (peer.process.cpu_ns() - cpu) / 1e9
    return {"cpu_s": cpu, "seconds": seconds, "busy": cpu / seconds, "stolen": (stolen_seconds(bench.cores.proxy) - stolen) / seconds}


def run(bench):
    outcome, port = bench.outcome, processes.free_port()
    bench.run_tool("bulk-upstream", ["serve", str(port)], port, program="bulk")
    setting, size = bench.setting(upstream_port=port), 100_000_000 if bench.options.quick else 1_000_000_000
    signet, unbuffered, buffered = peers.signet(), peers.nginx("nginx-unbuffered", UNBUFFERED), peers.nginx("nginx-buffered")
    unbuffered.does, buffered.does = "nginx, its buffering off", "nginx, its buffering as by default"
    rows, names = {}, {}
    for peer in (signet, unbuffered, buffered, peers.haproxy()):
        if bench.start(peer, setting):
            for direction, word in (("put", "upload"), ("get", "download")):
                names[f"{peer.name}, {word}"] = f"{peer.does}, {word}"
                rows[f"{peer.name}, {word}"] = lambda _, peer=peer, direction=direction: transfer(bench, setting, peer, direction, size)
    rounds = bench.alternate(rows, shown=lambda measured: f"{measured['cpu_s']:.3f} s")

    for other in (unbuffered, buffered):
        for word in ("upload", "download"):
            missing = {f"{name}, {word}": why for name, why in outcome.missing.items()}
            outcome.figures.append(ratio(f"{size / 1e9:g} GB {word} ÷ {other.does}", rounds, f"{signet.name}, {word}",
                                         f"{other.name}, {word}", "<= 1.0", key="cpu_s", missing=missing))
    outcome.tables.append(("", table(["what", "CPU s", "least–most", "wall s"], [
        [names[row], f"{spread([one['cpu_s'] for one in measured])['median']:.3f}",
         f"{min(one['cpu_s'] for one in measured):.3f}–{max(one['cpu_s'] for one in measured):.3f}",
         f"{spread([one['seconds'] for one in measured])['median']:.2f}"] for row, measured in rounds.items()])))
