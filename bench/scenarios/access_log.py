import os

import peers
from harness.figures import ratio
from harness.problems import Failed
from harness.processes import Process
from harness.report import cpu_table

NAME = "access-log"
QUESTION = "What does the access log add: a line of JSON for each request, to a pipe that is read?"


def run(bench):
    setting, outcome = bench.setting(), bench.outcome
    off, on = peers.signet("signet", "Signet, access log off"), peers.signet("signet-access-log", "Signet, access log on", ACCESS_LOG="true")
    rows = {}
    read, write = os.pipe()
    # Counts lines, on the load's core; its own output goes into its log.
    reader = start_reader(bench, read)
    for peer, output in ((off, None), (on, write)):
        bench.start(peer, setting, output=output)
        load = bench.load(setting)
        rows[peer.name] = lambda seconds, peer=peer, load=load: load.run(peer, seconds)
    os.close(write)
    rounds = bench.alternate(rows)
    outcome.figures.append(ratio("access log on ÷ off", rounds, on.name, off.name, "<= 1.12", missing=outcome.missing))
    outcome.tables.append(("", cpu_table(rounds, outcome.does, {"off": off.name})))

    dropped, requests = on.metric("signet_access_lines_dropped_total"), on.metric("signet_requests_total")
    on.process.stop()
    reader.child.wait(10)
    lines = int(reader.tail().split()[0])
    outcome.notes.append(f"{requests:.0f} requests, {lines} lines read, {dropped:.0f} dropped")
    if lines + dropped < requests:
        raise Failed(f"access lines are lost: {outcome.notes[-1]}")
    if dropped > requests / 100:
        outcome.notes.append("**more than one line in a hundred was dropped, since the reader was too slow: the figure is too good**")


def start_reader(bench, read):
    reader = Process("reader", ["wc", "-l"], bench.cores.load, bench.work, input=read)
    bench.started.append(reader)
    os.close(read)
    return reader
