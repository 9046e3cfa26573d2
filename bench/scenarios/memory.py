import http.client
import time

import peers
from harness.bench import say
from harness.figures import Figure, spread
from harness.problems import Failed
from harness.report import table

NAME = "memory"
QUESTION = "How much memory is resident: at idle, under load, for remembered tokens, for idle connections?"
TOKENS, IDLE = 10_000, 3_000
MB, KIB = 1e6, 1024


def settled(peer):
    """Resident bytes, once they have not changed for a while."""
    last, deadline = peer.process.resident_bytes(), time.monotonic() + 5
    while time.monotonic() < deadline:
        time.sleep(0.3)
        current = peer.process.resident_bytes()
        if current == last:
            break
        last = current
    return last


def idle_and_loaded(bench, setting):
    """MB at idle, and at most under 32 connections of load with 2,000 tokens in turn."""
    with bench.briefly():
        signet = peers.signet()
        bench.start(signet, setting, prove=False)
        idle, anonymous, samples = settled(signet), signet.process.resident_bytes("RssAnon"), []
        bench.load(setting).run(signet, bench.options.seconds, meanwhile=lambda: samples.append(signet.process.resident_bytes()))
        return {"idle": idle / MB, "idle, without what is mapped from files": anonymous / MB, "under load": max(samples) / MB}


def remembered_tokens(bench):
    """MB that 1,000 remembered tokens take: after 10,000 of them, less after one with the same load."""
    setting = bench.setting("ES256", TOKENS)  # signed faster than RS256's
    with bench.briefly():
        signet = peers.signet("signet-remembers", CACHE_BYTES="128MiB")
        bench.start(signet, setting, prove=False)
        bench.load(setting, count=1).run(signet, 1)
        before, load = settled(signet), bench.load(setting, count=TOKENS)
        deadline = time.monotonic() + 60
        while signet.metric("signet_token_cache_entries") < TOKENS:
            if time.monotonic() > deadline:
                raise Failed("Signet does not remember all tokens of the load")
            load.run(signet, 1)
        return (settled(signet) - before) / MB / (TOKENS - 1) * 1000


def idle_connections(bench, setting, peer):
    """KiB for each of 3,000 connections that sent one request and are kept; None where the peer is missing."""
    with bench.briefly():
        if not bench.start(peer, setting, prove=False):
            return None
        token, kept, before = setting.first_token(), [], 0
        try:
            for number in range(-100, IDLE):  # the first hundred bring what is made once
                if number == 0:
                    before = settled(peer)
                connection = http.client.HTTPConnection("127.0.0.1", peer.port, timeout=10)
                kept.append(connection)
                connection.request("GET", "/orders/42?full=1", headers={"Authorization": "Bearer " + token})
                answer = connection.getresponse()
                if answer.status != 200 or len(answer.read()) != 1024 or connection.sock is None:
                    raise Failed(f"{peer.name} does not keep a connection: {answer.status}")
            return (settled(peer) - before) / KIB / IDLE
        finally:
            for connection in kept:
                connection.close()


def run(bench):
    outcome, setting = bench.outcome, bench.setting(count=bench.options.count)
    rounds = {}

    def add(row, value):
        if value is not None:
            rounds.setdefault(row, []).append(value)

    if bench.files < 2 * IDLE + 200:
        raise Failed(f"{bench.files} open files are allowed; {2 * IDLE + 200} are needed (ulimit -Hn)")
    for number in range(bench.options.rounds):
        for row, value in idle_and_loaded(bench, setting).items():
            add(f"{row}, MB", value)
        add("1,000 remembered tokens, MB", remembered_tokens(bench))
        for make in (peers.signet, peers.haproxy, peers.nginx):
            peer = make()
            add(f"an idle connection, {peer.name}, KiB", idle_connections(bench, setting, peer))
        say(f"round {number + 1} of {bench.options.rounds}: " + "; ".join(f"{row} {values[-1]:.2f}" for row, values in rounds.items()))
    outcome.rounds.update(rounds)

    own, other = (rounds.get(f"an idle connection, {name}, KiB", []) for name in ("signet", "haproxy"))
    outcome.figures += [
        Figure("resident at idle", rounds["idle, MB"], "<= 10", "MB"),
        Figure("resident under 32 connections of load", rounds["under load, MB"], "<= 16", "MB"),
        Figure("resident for 1,000 remembered tokens", rounds["1,000 remembered tokens, MB"], "<= 1.5", "MB"),
        Figure("resident for an idle connection, less HAProxy's", [a - b for a, b in zip(own, other)], "<= 0", "KiB",
               outcome.missing.get("haproxy", "not measured"))]
    outcome.tables.append(("", table(["resident", "median", "least–most"], [
        [row, f"{spread(values)['median']:.2f}", f"{spread(values)['least']:.2f}–{spread(values)['most']:.2f}"] for row, values in rounds.items()])))
    outcome.notes.append(f"each round starts every program anew; {TOKENS:,} ES256 tokens of 1 KB; {IDLE:,} connections after one request each; "
                         "1 MB is 1,000,000 bytes")
