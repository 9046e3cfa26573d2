import peers
from harness.figures import ratio
from harness.report import cpu_table

NAME = "remembered"
QUESTION = "What does a request with a token that was seen before cost, beside proxies that verify nothing and others that verify?"

# What Signet is divided by, for people too, and how much is to be reached.
FIGURES = [
    ("signet", "relay", "blind relay", "<= 1.25"), ("signet", "haproxy", "HAProxy plain", "<= 1.0"), ("signet", "nginx", "nginx plain", None),
    ("signet", "haproxy-jwt", "HAProxy jwt_verify RS256", "<= 0.25"),
    ("signet-es256", "haproxy-jwt-es256", "HAProxy jwt_verify ES256", "<= 0.12"),
    ("signet", "envoy-cache", "Envoy jwt_authn, token cache on", "<= 0.4"), ("signet", "envoy", "Envoy jwt_authn, token cache off", "<= 0.3"),
    ("signet", "nginx-njs", "nginx with njs", None), ("signet", "oauth2-proxy", "oauth2-proxy", None)]


def all_peers():
    return [peers.relay(), peers.haproxy(), peers.nginx(), peers.signet(), peers.haproxy_jwt(), peers.envoy(cache=True),
            peers.envoy(cache=False), peers.nginx_njs(), peers.oauth2_proxy()]


def all_peers_es256():
    return [peers.signet("signet-es256", "Signet, all checks, ES256"), peers.haproxy_jwt("ES256")]


def run(bench):
    rows, names = {}, {}
    for algorithm, chosen in (("RS256", all_peers()), ("ES256", all_peers_es256())):
        setting = bench.setting(algorithm, bench.options.count)
        for peer in chosen:
            if bench.start(peer, setting):
                for count in bench.options.counts:
                    row = peer.name if count == bench.options.count else f"{peer.name}, {count} token{'s' * (count > 1)}"
                    names[row] = peer.does + row.removeprefix(peer.name)
                    load = bench.load(setting, count)
                    rows[row] = lambda seconds, peer=peer, load=load: load.run(peer, seconds)
    rounds = bench.alternate(rows)

    outcome = bench.outcome
    for own, base, label, target in FIGURES:
        outcome.figures.append(ratio(f"remembered token ÷ {label}", rounds, own, base, target, missing=outcome.missing))
    outcome.tables.append(("", cpu_table(rounds, names, {"relay": "relay", "haproxy": "haproxy"})))
