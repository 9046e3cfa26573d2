"""A run: what all scenarios share while it lasts, and what each of them leaves behind."""
import contextlib
import os
import subprocess
import sys

from . import processes
from .figures import Figure
from .keys import KeyServer
from .load import Load
from .peers import Setting
from .problems import Failed, Missing

TOKENS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tokens.py")


def say(text):
    print(text, flush=True)


def first_words(reason):
    """On one line, for a table."""
    text = " ".join(str(reason).split()).replace("|", "/")
    return text if len(text) < 200 else text[:200] + "…"


class Outcome:
    """What a scenario found: figures, tables as (caption, Markdown), the measurements of each row, notes, and of each peer
    what it is, what it answered before the load, why it is missing, and whether it verifies tokens."""

    def __init__(self):
        self.figures, self.tables, self.notes, self.failed = [], [], [], None
        self.rounds, self.does, self.proofs, self.missing, self.verifies = {}, {}, {}, {}, set()


class Bench:
    """One run. `outcome` is that of the scenario which runs now; `outcomes` those of the scenarios that are done."""

    def __init__(self, options, work):
        self.options, self.work, self.cores = options, work, processes.Cores()
        self.files = processes.allow_many_files()
        self.started, self.outcomes, self.outcome = [], {}, None
        self.keys = KeyServer(work)
        self.upstream_port = processes.free_port()
        self.upstream = self.run_tool("upstream", [str(self.upstream_port)], self.upstream_port)

    def stop(self):
        self.stop_all_but(0)
        self.keys.stop()

    def stop_all_but(self, keep):
        while len(self.started) > keep:
            self.started.pop().stop()

    def scenario(self, module):
        """Runs it, and ends whatever it started."""
        keep, self.outcome = len(self.started), Outcome()
        say(f"\n== {module.NAME}: {module.QUESTION}")
        try:
            module.run(self)
        except (Failed, OSError, subprocess.SubprocessError) as reason:
            self.outcome.failed = first_words(reason)
            self.outcome.figures.append(Figure("whatever was not measured", None, "<= 0"))
            say(f"{module.NAME}: FAILED: {reason}")
        finally:
            self.stop_all_but(keep)
        self.outcomes[module.NAME] = self.outcome
        for figure in self.outcome.figures:
            what, measured, around, target, reached = figure.cells()
            say(f"{what}: {measured} ({around or '-'}), to reach {target}: {reached}")

    def tool(self, name):
        return os.path.join(self.options.tools, name)

    def run_tool(self, name, arguments, port, program=None):
        """One of bench's own programs, on the load's core, until the scenario's end."""
        process = processes.Process(name, [self.tool(program or name), *arguments], self.cores.load, self.work)
        self.started.append(process)
        process.wait_for_port(port)
        return process

    # -- tokens and peers

    def setting(self, algorithm="RS256", count=2000, upstream_port=None):
        """Tokens of this algorithm, made once for a run, and where the peers find everything."""
        folder = os.path.join(self.work, f"tokens-{algorithm}-{count}")
        if not os.path.exists(folder):
            subprocess.run([sys.executable, TOKENS, "--algorithm", algorithm, "--count", str(count), "--forgeries", folder], check=True)
        return Setting(self.work, self.options.tools, self.options.signet, folder, algorithm, upstream_port or self.upstream_port,
                       self.keys.url)

    def wanted(self, peer):
        return peer.program == "signet" or not self.options.peers or peer.name in self.options.peers

    def start(self, peer, setting, cores=None, output=None, prove=True):
        """-> whether the peer runs. One that does not is named in the outcome, with the reason."""
        self.outcome.does[peer.name] = peer.does
        if peer.authenticates:
            self.outcome.verifies.add(peer.name)
        if not self.wanted(peer):
            self.outcome.missing[peer.name] = f"{peer.name}: left out by --peers"
            return False
        try:
            try:
                peer.start(setting, cores or self.cores.proxy, output)
            finally:
                if peer.process:
                    self.started.append(peer.process)
            if prove:
                self.outcome.proofs[peer.name] = peer.prove()
                say(f"{peer.name}: {self.outcome.proofs[peer.name]}")
        except Failed as reason:
            self.leave_out(peer.name, reason)
            return False
        return True

    def leave_out(self, name, reason):
        """Goes on without this peer or row; never without Signet, or without what others are compared with."""
        if name.startswith("signet") or name == "direct":
            raise Failed(f"{name}: {reason}") from None
        self.outcome.missing[name] = f"{name}: MISSING: {first_words(reason)}"
        say(f"{name}: MISSING: {reason}")

    @contextlib.contextmanager
    def briefly(self):
        """What is started inside ends with it."""
        keep = len(self.started)
        try:
            yield
        finally:
            self.stop_all_but(keep)

    # -- load and rounds

    def load(self, setting, count=None, connections=None, file="tokens.txt", status=200, from_cores=None, proxy_cores=None):
        return Load(setting.path(file), count or self.options.count, connections or self.options.connections,
                    from_cores or self.cores.load, proxy_cores or self.cores.proxy, status)

    def alternate(self, rows, shown=None, warm=1):
        """rows: {row: function of seconds that measures once}. All rows once to warm up (connections made, tokens remembered,
        memory grown), then round by round, each round beginning with another row, so that none always follows the same one.
        -> {row: [measurement]}, also kept in the outcome."""
        results = {row: [] for row in rows}

        def measure(name, seconds):
            try:
                return rows[name](seconds)
            except Missing as reason:
                self.leave_out(name, reason)
                del results[name]
                return None

        for name in rows if warm else ():
            measure(name, warm)
        for number in range(self.options.rounds):
            names = list(results)
            turn = number % len(names)
            for name in names[turn:] + names[:turn]:
                measured = measure(name, self.options.seconds)
                if measured:
                    results[name].append(measured)
            shown = shown or (lambda measured: f"{measured['us']:.2f}")
            say(f"round {number + 1} of {self.options.rounds}: " + ", ".join(f"{name} {shown(last[-1])}" for name, last in results.items()))
        self.outcome.rounds.update(results)
        return results
