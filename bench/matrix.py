#!/usr/bin/python3
"""What does a verified request cost, beside what a user would pick instead? Runs the scenarios and shows the figures.

Every peer has one core and one worker; the load and the upstream share another. The figure is the proxy's CPU time for a
request, from the kernel's account: it holds steady on a machine where requests per second do not.
"""
import argparse
import datetime
import os
import re
import signal
import sys
import tempfile

import scenarios
from harness import machine, report
from harness.bench import Bench, say
from harness.figures import ratio

HERE = os.path.dirname(os.path.abspath(__file__))


def words(text):
    return [word for word in text.split(",") if word]


def arguments():
    names = [module.NAME for module in scenarios.ALL]
    parser = argparse.ArgumentParser(prog="sh bench/run.sh", description=__doc__.splitlines()[0])
    parser.add_argument("--only", action="append", default=[], metavar="SCENARIO",
                        help="only this one; may be given again: " + ", ".join(names))
    parser.add_argument("--quick", action="store_true", help="one round of a second, smaller bodies: to see that all runs; no measurement")
    parser.add_argument("--rounds", type=int, help="default 5")
    parser.add_argument("--seconds", type=int, help="of load, each time; default 3")
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--tokens", default="2000", help="numbers of distinct tokens, each measured in the scenario remembered")
    parser.add_argument("--peers", default="", help="beside Signet only these, by the names that the rounds show")
    parser.add_argument("--build", action="append", default=[], metavar="NAME=PROGRAM",
                        help="another build of Signet, for the scenario builds; may be given again")
    parser.add_argument("--write", action="store_true", help="into bench/results/DATE.md, .json and .svg")
    parser.add_argument("--targets", action="store_true", help="exit 1 where a figure misses what is to be reached, or was not measured")
    parser.add_argument("--expect", action="append", default=[], metavar="PEER/PEER<=X",
                        help="exit 1 where this ratio of CPU time for a request is greater; may be given again")
    parser.add_argument("--signet", required=True, help="the program; run.sh gives it")
    parser.add_argument("--tools", required=True, help="folder of bench's own programs; run.sh gives it")
    options = parser.parse_args()
    options.rounds = options.rounds or (1 if options.quick else 5)
    options.seconds = options.seconds or (1 if options.quick else 3)
    options.counts = [int(count) for count in words(options.tokens)]
    options.count = max(options.counts)
    options.peers = words(options.peers)
    options.only = [name for text in options.only for name in words(text)]
    options.builds = dict(text.split("=", 1) for text in options.build if "=" in text)
    options.limits = [re.fullmatch(r"([\w-]+)/([\w-]+)<=([\d.]+)", text) for text in options.expect]
    if not all(options.limits):
        parser.error("--expect PEER/PEER<=NUMBER")
    if len(options.builds) < len(options.build):
        parser.error("--build NAME=PROGRAM")
    if set(options.only) - set(names):
        parser.error("--only one of " + ", ".join(names))
    return options


def versions(options):
    def own(name):
        return ["cat", os.path.join(options.tools, name + ".version")]
    return {"signet": [options.signet, "version"], "haproxy": ["haproxy", "-v"], "nginx": ["/usr/sbin/nginx", "-v"],
            "njs": ["dpkg-query", "-W", "-f", "${Version}", "libnginx-mod-http-js"], "envoy": own("envoy"),
            "oauth2-proxy": own("oauth2-proxy"), "wrk": ["wrk", "-v"]}


def stolen(outcomes):
    shares = [one["stolen"] for outcome in outcomes.values() for rounds in outcome.rounds.values() for one in rounds
              if isinstance(one, dict) and "stolen" in one]
    return (f"{max(shares):.0%} of the proxy's core at most, {sum(shares) / len(shares):.0%} on average, by the machine's host: "
            "counted as the proxy's") if shares else "not measured"


def expected(options, outcomes):
    """Whether every --expect holds."""
    holds = True
    for limit in options.limits:
        one, other, most = limit.groups()
        for outcome in outcomes.values():
            figure = ratio("", outcome.rounds, one, other) if outcome.rounds.get(one) and outcome.rounds.get(other) else None
            if figure and "us" in outcome.rounds[one][0]:
                median = figure.spread()["median"]
                holds &= median <= float(most)
                say(f"expected: {limit.group(0)}: {median:.3f} {'holds' if median <= float(most) else 'DOES NOT HOLD'}")
                break
        else:
            say(f"expected: {limit.group(0)}: not measured")
            holds = False
    return holds


def main():
    options = arguments()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(130))
    chosen = [module for module in scenarios.ALL
              if module.NAME in options.only or not options.only and (module is not scenarios.builds or options.builds)]
    load_average = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="signet-bench-") as work:
        os.chmod(work, 0o755)  # nginx's worker runs as another user
        bench = Bench(options, work)
        try:
            for module in chosen:
                bench.scenario(module)
        finally:
            bench.stop()
    outcomes = bench.outcomes

    say("\n" + "\n".join(line for module in chosen for line in report.details(module, outcomes[module.NAME])))
    say(report.figures_table(outcomes) + "\n")
    for reason in report.missing(outcomes):
        say(reason)
    facts = machine.describe(versions(options), bench.cores.count, load_average) | {"stolen": stolen(outcomes)}
    for key, value in facts.items():
        say(f"{key}: {value}")
    if options.write:
        how = (f"Made by `sh bench/run.sh --write`: {options.rounds} rounds in alternation, {options.seconds} s each, {options.connections} "
               "connections, keep-alive, RS256 tokens of about 1 KB, 2,000 of them in turn, answers of 1 KiB; one worker pinned to one core, "
               "load and upstream on another, unless a scenario says otherwise. CPU time is that of the proxy's processes; figures are "
               "medians, a ratio is the median of the rounds' ratios.")
        say(f"written: {report.write(os.path.join(HERE, 'results'), datetime.date.today().isoformat(), how, facts, chosen, outcomes)}.md")

    held = expected(options, outcomes)
    if options.targets:
        missed = [f"{name}: {figure.what}" for name, outcome in outcomes.items() for figure in outcome.figures if figure.reached() is False]
        say("\n".join(["targets: " + (f"{len(missed)} missed" if missed else "all reached"), *missed]))
        held &= not missed
    return 0 if held and not any(outcome.failed for outcome in outcomes.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
