import peers
from harness.figures import ratio
from harness.report import cpu_table

NAME = "builds"
QUESTION = "What do other builds of Signet, given by --build, cost beside the run's own?"

WORK = {"remembered": {}, "never-seen": {"CACHE_BYTES": "1MiB"}}


def run(bench):
    setting, outcome, rows = bench.setting(), bench.outcome, {}
    builds = {"plain": None, **bench.options.builds}
    for work, changes in WORK.items():
        for build, program in builds.items():
            peer = peers.signet(f"signet-{build}-{work}", f"{build}, {work}", **changes)
            peer.build = program
            bench.start(peer, setting)
            load = bench.load(setting, count=2000)
            load.position = 1  # the first token was used for the proofs
            rows[peer.name] = lambda seconds, peer=peer, load=load: load.run(peer, seconds)
    rounds = bench.alternate(rows)
    for work in WORK:
        for build in bench.options.builds:
            outcome.figures.append(ratio(f"{work} token, {build} ÷ plain", rounds, f"signet-{build}-{work}", f"signet-plain-{work}"))
    outcome.tables.append(("", cpu_table(rounds, outcome.does)))
