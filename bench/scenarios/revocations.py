import ctypes
import http.client
import json
import os
import sqlite3
import time
import uuid

import peers
from harness.bench import say
from harness.figures import Figure
from harness.problems import Failed
from harness.processes import Process
from . import start

NAME = "revocations"
QUESTION = "How long does a start take with a million revocations on disk, and what does their index cost?"
ENTRIES, TIMES = 1_000_000, 7
MB = 1e6


class Ids:
    """Ids as Signet makes them, by which it pages: SipHash-2-4 of 128 bits, from OpenSSL."""

    KEY = (0x5369676e65740001).to_bytes(8, "little") + (0x7265766f63617469).to_bytes(8, "little")

    def __init__(self):
        c = self.crypto = ctypes.CDLL("libcrypto.so.3")
        pointer, text, size = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t
        c.EVP_MAC_fetch.restype = c.EVP_MAC_CTX_new.restype = pointer
        c.EVP_MAC_fetch.argtypes = [pointer, text, text]
        c.EVP_MAC_CTX_new.argtypes = [pointer]
        c.EVP_MAC_init.argtypes = [pointer, text, size, pointer]
        c.EVP_MAC_update.argtypes = [pointer, text, size]
        c.EVP_MAC_final.argtypes = [pointer, text, pointer, size]
        self.context = c.EVP_MAC_CTX_new(c.EVP_MAC_fetch(None, b"SIPHASH", None))

    def __call__(self, kind, issuer, value):
        text = b"%s:%d:%s%s" % (kind.encode(), len(issuer), issuer, value)
        out = ctypes.create_string_buffer(16)
        if not (self.crypto.EVP_MAC_init(self.context, self.KEY, 16, None)
                and self.crypto.EVP_MAC_update(self.context, text, len(text))
                and self.crypto.EVP_MAC_final(self.context, out, None, 16)):
            raise Failed("OpenSSL has no SipHash")
        return out.raw[::-1].hex()


def started(bench, setting, state):
    """-> Signet, and the milliseconds until it was ready."""
    signet = peers.signet("signet-revocations", KEYS="jwks_file: @TOKENS@/jwks.json", STATE_DIR=state,
                          ADMIN="127.0.0.1:@ADMIN_PORT@")
    signet.ports = ["HEALTH", "ADMIN_PORT"]
    signet.start(setting, bench.cores.proxy, wait=False)
    bench.started.append(signet.process)
    return signet, start.until_ready(signet, 120)


def first_entry(bench, setting, state):
    """Signet makes the file, with one entry."""
    with bench.briefly():
        signet, _ = started(bench, setting, state)
        admin = http.client.HTTPConnection("127.0.0.1", int(signet.words["ADMIN_PORT"]), timeout=10)
        entry = {"jti": str(uuid.uuid4()), "issuer": setting.words["ISSUER"], "reason": "lost laptop",
                 "expires_at": int(time.time()) + 86400}
        admin.request("POST", "/v1/revocations", json.dumps(entry), {"Content-Type": "application/json"})
        answer = admin.getresponse()
        if answer.status != 201:
            raise Failed(f"Signet answers a revocation with {answer.status}: {answer.read()}")
        admin.close()


def fill(state, entries):
    """Copies of the one entry, each with a jti and an end of its own."""
    base = sqlite3.connect(os.path.join(state, "revocations.db"))
    rows = base.execute("SELECT * FROM revocations")
    columns, [one] = [column[0] for column in rows.description], rows.fetchall()
    one, ids = dict(zip(columns, one)), Ids()
    if ids(one["kind"], one["issuer"], one["value"]) != one["id"]:
        raise Failed("Signet makes its ids otherwise now; this scenario must follow")

    def copies():
        for number in range(1, entries):
            value = str(uuid.uuid4()).encode()
            yield tuple({**one, "id": ids(one["kind"], one["issuer"], value), "value": value,
                         "expires_at": one["expires_at"] + number}.values())

    places = ", ".join("?" * len(columns))
    with base:
        base.executemany(f"INSERT INTO revocations ({', '.join(columns)}) VALUES ({places})", copies())
    base.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    base.close()


def index_table(bench):
    """What bench_revocations says of the index by itself; None where it is not built."""
    program = bench.tool("bench_revocations")
    if not os.path.exists(program):
        return None
    with bench.briefly():
        arguments = ["--seconds", "1", "10000"] if bench.options.quick else []
        process = Process("bench_revocations", [program, *arguments], bench.cores.both, bench.work)
        bench.started.append(process)
        if process.child.wait(300) != 0:
            raise Failed(f"bench_revocations: {process.tail()}")
        with open(process.log, encoding="utf-8") as log:
            return log.read().strip()


def run(bench):
    setting, outcome, quick = bench.setting(), bench.outcome, bench.options.quick
    entries, times = (20_000, 2) if quick else (ENTRIES, TIMES)
    state = os.path.join(bench.work, "state-revocations")
    os.makedirs(state, exist_ok=True)
    first_entry(bench, setting, state)
    took = {1: [], entries: []}
    resident = []
    for number in took:
        if number > 1:
            fill(state, number)
        for _ in range(times + 1):
            with bench.briefly():
                signet, milliseconds = started(bench, setting, state)
                known = signet.metric("signet_revocation_entries")
                if known != number:
                    raise Failed(f"Signet knows {known:,.0f} revocations, not {number:,}")
                took[number].append(milliseconds)
                resident.append(signet.process.resident_bytes() / MB)
        took[number] = took[number][1:]  # the first brought the files into the page cache
        say(f"start with {number:,} revocations: " + ", ".join(f"{one:,.0f}" for one in took[number]) + " ms")
    size = os.path.getsize(os.path.join(state, "revocations.db")) / MB
    outcome.rounds.update({f"milliseconds with {number:,}": values for number, values in took.items()})
    outcome.figures += [
        Figure(f"start to ready, {entries:,} revocations on disk", took[entries], "<= 5000", "ms"),
        Figure("start to ready, one revocation on disk", took[1], None, "ms"),
        Figure(f"resident after a start with {entries:,}", resident[-times:], None, "MB")]
    outcome.notes.append(f"each entry a jti with issuer, end and reason; {size:,.0f} MB of revocations.db, "
                         "in the page cache")
    table = index_table(bench)
    if table:
        outcome.tables.append(("The index by itself, one run of `bench_revocations`:", table))
    else:
        outcome.notes.append("the index by itself was not measured: `bench_revocations` is not built "
                             "(-DSIGNET_BENCH=ON)")
