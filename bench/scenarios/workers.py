import peers
from harness.figures import Figure
from harness.report import cpu_table

NAME = "workers"
QUESTION = "How much more do two workers on two cores get done than one on one, the load generator's share taken out?"
CONNECTIONS = 256


def run(bench):
    setting, outcome, cores = bench.setting(), bench.outcome, bench.cores
    one, two = peers.signet("signet", "Signet, 1 worker"), peers.signet("signet-2-workers", "Signet, 2 workers", WORKERS="2")
    bench.start(one, setting)
    bench.start(two, setting, cores.both)
    load = bench.load(setting, connections=CONNECTIONS)
    wide = bench.load(setting, connections=CONNECTIONS, from_cores=cores.both, proxy_cores=cores.both)

    def measure_two(seconds):
        # Load and upstream wander over both cores too: bound to one, they would starve the worker there.
        bench.upstream.move(cores.both)
        try:
            return wide.run(two, seconds)
        finally:
            bench.upstream.move(cores.load)

    rounds = bench.alternate({one.name: lambda seconds: load.run(one, seconds), two.name: measure_two})
    outcome.tables.append(("", cpu_table(rounds, outcome.does)))
    # Two cores give twice the CPU time; what a request takes of it decides how many it is enough for.
    outcome.figures.append(Figure("two workers on two cores ÷ one on one", [
        2 * alone["us"] / together["us"] for alone, together in zip(rounds[one.name], rounds[two.name])], ">= 1.9"))
