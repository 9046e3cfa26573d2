import peers
from harness.figures import ratio
from harness.problems import Failed
from harness.report import cpu_table

from .never_seen import forgetful

NAME = "forged"
QUESTION = "What does it cost to refuse a token with a wrong signature, beside admitting one that was never seen?"


def run(bench):
    setting, outcome = bench.setting(), bench.outcome
    good, bad = forgetful(), peers.signet("signet-forged", "Signet, wrong signature, 401", CACHE_BYTES="1MiB")
    rows = {}
    for peer, file, status in ((good, "tokens.txt", 200), (bad, "forgeries.txt", 401)):
        bench.start(peer, setting)
        load = bench.load(setting, count=2000, file=file, status=status)
        load.position = 1
        rows[peer.name] = lambda seconds, peer=peer, load=load: load.run(peer, seconds)
    rounds = bench.alternate(rows)
    outcome.figures.append(ratio("refusing a forged RS256 token ÷ admitting a never-seen one", rounds, bad.name, good.name, "<= 1.1",
                                 missing=outcome.missing))
    signature, all_reasons = bad.metric("signet_denied_total", reason="signature_invalid"), bad.metric("signet_denied_total")
    outcome.notes.append(f"by Signet's own count {signature:.0f} of {all_reasons:.0f} refusals had the reason signature_invalid")
    if all_reasons - signature > 2:  # no token and an expired one, asked before the load
        raise Failed(f"forged tokens were refused for another reason than their signature: {outcome.notes[-1]}")
    outcome.tables.append(("", cpu_table(rounds, outcome.does)))
