#!/usr/bin/python3
"""What does a verified request cost, beside a proxy that verifies nothing and one that verifies each time?

Every peer runs on one core with one worker; the load and the upstream share another. The figure is the proxy's CPU time
for a request, from the kernel's account: it holds steady on a machine where requests per second do not.
"""
import argparse
import datetime
import os
import re
import signal
import subprocess
import sys
import tempfile

from harness import load, machine, peers, processes, report

HERE = os.path.dirname(os.path.abspath(__file__))


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3, help="of load, each time")
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--tokens", default="2000,1", help="numbers of distinct tokens, each measured")
    parser.add_argument("--peers", default="", help="only these: " + ",".join(peer.name for peer in peers.all_peers()))
    parser.add_argument("--write", action="store_true", help="into bench/results/DATE.md and .json")
    parser.add_argument("--expect", action="append", default=[], metavar="PEER/PEER<=X",
                        help="exit 1 where this ratio, with the most tokens, is greater; may be given again")
    parser.add_argument("--signet", required=True, help="the program")
    parser.add_argument("--tools", required=True, help="folder with the built relay and upstream")
    options = parser.parse_args()
    options.counts = [int(count) for count in options.tokens.split(",")]
    options.limits = [re.fullmatch(r"([\w-]+)/([\w-]+)<=([\d.]+)", text) for text in options.expect]
    if not all(options.limits):
        parser.error("--expect PEER/PEER<=NUMBER")
    return options


def say(text):
    print(text, flush=True)


def bring_up(options, chosen, cores, work, started):
    """-> {peer's name: what it answered}; peers that are not to be had are named."""
    tokens = os.path.join(work, "tokens")
    subprocess.run([sys.executable, os.path.join(HERE, "tokens.py"), "--count", str(max(options.counts)), tokens], check=True)
    port = processes.free_port()
    upstream = processes.Process("upstream", [os.path.join(options.tools, "upstream"), str(port)], cores.load, work)
    started.append(upstream)
    upstream.wait_for_port(port)
    setting = peers.Setting(work, options.tools, options.signet, tokens, "RS256", port)
    proofs = {}
    for peer in chosen:
        try:
            peer.start(setting, cores.proxy)
        except FileNotFoundError as error:
            proofs[peer.name] = f"MISSING: {error}"
        if peer.process:
            started.append(peer.process)
        if peer.name not in proofs:
            proofs[peer.name] = peer.prove(setting)
        say(f"{peer.name}: {proofs[peer.name]}")
    return tokens, proofs


def run_rounds(options, running, cores, tokens):
    rows = [(peer, count) for peer in running for count in options.counts]
    results = {(peer.name, count): [] for peer, count in rows}
    for peer, count in rows:  # Warm: connections made, tokens remembered, memory grown.
        load.measure(peer, cores, tokens, count, options.connections, 1)
    for number in range(options.rounds):
        # Each round begins elsewhere, so that none always follows the same neighbour.
        turn = number % len(rows)
        for peer, count in rows[turn:] + rows[:turn]:
            results[peer.name, count].append(load.measure(peer, cores, tokens, count, options.connections, options.seconds))
        say(f"round {number + 1} of {options.rounds}: " + ", ".join(f"{name} {results[name, count][-1]['us']:.2f}"
                                                                   for name, count in results if count == options.counts[0]))
    return results


def main():
    options = arguments()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(130))
    wanted = [name for name in options.peers.split(",") if name]
    chosen = [peer for peer in peers.all_peers() if not wanted or peer.name in wanted]
    cores, started = processes.Cores(), []
    with tempfile.TemporaryDirectory(prefix="signet-bench-") as work:
        os.chmod(work, 0o755)  # nginx's worker runs as another user
        try:
            tokens, proofs = bring_up(options, chosen, cores, work, started)
            results = run_rounds(options, [peer for peer in chosen if peer.process], cores, tokens)
            memory = {peer.name: peer.process.resident_kib() for peer in chosen if peer.process}
        finally:
            for process in reversed(started):
                process.stop()

    columns = [name for name in ("relay", "haproxy", "haproxy-jwt") if any(row[0] == name for row in results)]
    rows = report.summary(results, {row: {name: (name, row[1]) for name in columns} for row in results})
    text = report.table(rows, {peer.name: peer.does for peer in chosen}, columns)
    missing = [f"{name}: {proof}" for name, proof in proofs.items() if proof.startswith("MISSING")]
    say("\n" + "\n".join([text, *missing]) + "\n")
    facts = machine.describe({"signet": [options.signet, "version"], "haproxy": ["haproxy", "-v"],
                              "nginx": ["/usr/sbin/nginx", "-v"], "wrk": ["wrk", "-v"]})
    stolen = [measured["stolen"] for rounds in results.values() for measured in rounds]
    facts["stolen"] = (f"{max(stolen):.0%} of the proxy's core at most, {sum(stolen) / len(stolen):.0%} on average, "
                       "by the machine's host: counted as the proxy's")
    for key, value in facts.items():
        say(f"{key}: {value}")
    if options.write:
        how = (f"`sh bench/run.sh --write`: {options.rounds} rounds in alternation, {options.seconds} s each, {options.connections} connections, "
               "keep-alive, RS256 tokens of about 1 KB, answers of 1 KiB; one worker pinned to one core, load and upstream on another. "
               "CPU per request of the proxy's processes, medians; a ratio is the median of the rounds' ratios.")
        raw = {"machine": facts, "answers": proofs, "resident_kib_after": memory, "rounds": {f"{name}, {count} tokens": rounds
                                                                                           for (name, count), rounds in results.items()}}
        date = datetime.date.today().isoformat()
        say(f"written: {report.write(os.path.join(HERE, 'results'), date, f'Cost of a verified request, {date}', how, facts, proofs, text, raw)}.md")

    failed = 0
    for limit in options.limits:
        one, other, most = limit.groups()
        if (one, max(options.counts)) not in results or (other, max(options.counts)) not in results:
            say(f"expected: {limit.group(0)}: not measured")
            failed = 1
            continue
        figure = report.ratio(*([measured["us"] for measured in results[name, max(options.counts)]] for name in (one, other)))["median"]
        say(f"expected: {limit.group(0)}: {figure:.3f} {'holds' if figure <= float(most) else 'DOES NOT HOLD'}")
        failed |= figure > float(most)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
