import socket
import ssl

import peers
from harness import certificate
from harness.figures import ratio
from harness.problems import Failed
from harness.report import cpu_table

NAME = "tls"
QUESTION = "What does a verified request cost behind TLS 1.3, keep-alive, beside HAProxy with TLS and without any checks?"


def negotiated(peer):
    """Cipher suite and TLS version that the peer takes with a client of this machine's OpenSSL, as the load is."""
    context = ssl.create_default_context(cafile=peer.words["CERTIFICATE"])
    with socket.create_connection(("127.0.0.1", peer.port), 5) as plain, context.wrap_socket(plain, server_hostname="127.0.0.1") as connection:
        return connection.cipher()[0], connection.version()


def run(bench):
    setting, outcome, rows = bench.setting(count=bench.options.count), bench.outcome, {}
    own, key, both = certificate.make(bench.work)
    signet = peers.signet("signet-tls", "Signet with TLS, all checks", tls=(own, key))
    taken = {}
    bench.start(signet, setting)
    haproxy = peers.haproxy_tls(own, both, negotiated(signet)[0])
    for peer in [signet, haproxy] if bench.start(haproxy, setting) else [signet]:
        taken[peer.name] = " ".join(negotiated(peer))
        load = bench.load(setting)
        rows[peer.name] = lambda seconds, peer=peer, load=load: load.run(peer, seconds)
    if len(set(taken.values())) > 1 or not all(value.endswith("TLSv1.3") for value in taken.values()):
        raise Failed(f"not the same cipher suite of TLS 1.3: {taken}")
    rounds = bench.alternate(rows)
    outcome.figures.append(ratio("TLS, remembered token ÷ HAProxy with TLS, plain", rounds, "signet-tls", "haproxy-tls", "<= 1.0",
                                 missing=outcome.missing))
    outcome.tables.append(("", cpu_table(rounds, outcome.does, {"haproxy-tls": "haproxy-tls"})))
    outcome.notes.append(f"certificate: ECDSA, P-256; {taken[signet.name]}")
