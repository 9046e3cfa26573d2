import peers
from harness.figures import Figure, ratio
from harness.report import cpu_table

NAME = "never-seen"
QUESTION = "What does a request with a token cost that the proxy does not remember, so that its signature is verified?"


def forgetful():
    """Each of 2,000 tokens of 1 KB is forgotten before its turn comes again."""
    return peers.signet("signet-never-seen", "Signet, all checks, token never seen", CACHE_BYTES="1MiB")


def run(bench):
    setting, outcome, rows = bench.setting(), bench.outcome, {}
    signet = forgetful()
    for peer in (signet, peers.haproxy_jwt(), peers.envoy(cache=False)):
        if bench.start(peer, setting):
            load = bench.load(setting, count=2000)
            load.position = 1  # the first token was used for the proofs
            rows[peer.name] = lambda seconds, peer=peer, load=load: load.run(peer, seconds)
    rounds = bench.alternate(rows)

    hits, misses = (signet.metric("signet_token_cache_total", result=result) for result in ("hit", "miss"))
    outcome.notes.append(f"by Signet's own count {hits:.0f} requests met a token that it remembered, {misses:.0f} did not")
    outcome.figures.append(Figure("requests that met a remembered token", [hits], "<= 0"))
    for base, label, target in (("haproxy-jwt", "HAProxy jwt_verify RS256", "<= 0.7"), ("envoy", "Envoy without token cache", "<= 0.6")):
        outcome.figures.append(ratio(f"never-seen RS256 token ÷ {label}", rounds, signet.name, base, target, missing=outcome.missing))
    outcome.tables.append(("", cpu_table(rounds, outcome.does, {"haproxy-jwt": "haproxy-jwt"})))
