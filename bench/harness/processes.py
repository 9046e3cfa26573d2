"""Processes that a benchmark starts: pinned to a core, watched by their CPU time, ended by their id."""
import ctypes
import os
import signal
import socket
import subprocess
import time

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Cores:
    """One core for the proxy, another for everything else."""

    def __init__(self):
        usable = sorted(os.sched_getaffinity(0))
        if len(usable) < 2:
            raise SystemExit("bench: two cores are needed, one for the proxy and one for the load")
        self.proxy, self.load = usable[0], usable[1]


class Process:
    """A program on one core. It goes when this one goes, however that ends."""

    def __init__(self, name, command, core, work):
        self.name = name
        self.log = os.path.join(work, name + ".log")

        def before_exec():
            os.sched_setaffinity(0, {core})
            _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)

        with open(self.log, "wb") as log:
            self.child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=before_exec)

    def wait_for_port(self, port, seconds=15):
        deadline = time.monotonic() + seconds
        while True:
            if self.child.poll() is not None:
                raise SystemExit(f"bench: {self.name} ended at once:\n{self.tail()}")
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return
            except OSError:
                if time.monotonic() > deadline:
                    raise SystemExit(f"bench: {self.name} does not listen on port {port}:\n{self.tail()}") from None
                time.sleep(0.02)

    def tail(self):
        with open(self.log, encoding="utf-8", errors="replace") as log:
            return "".join(log.readlines()[-20:])

    def ids(self):
        """This process and all below it: nginx and others do their work in children."""
        found, todo = [], [self.child.pid]
        while todo:
            pid = todo.pop()
            found.append(pid)
            try:
                for task in os.listdir(f"/proc/{pid}/task"):
                    with open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as children:
                        todo.extend(map(int, children.read().split()))
            except OSError:
                pass
        return found

    def cpu_ns(self):
        """Nanoseconds on a CPU of all threads of all its processes, which stay the same while it is measured."""
        total = 0
        for pid in self.ids():
            for task in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{task}/schedstat", encoding="ascii") as schedstat:
                    total += int(schedstat.read().split()[0])
        return total

    def resident_kib(self):
        total = 0
        for pid in self.ids():
            with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as status:
                total += sum(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))
        return total

    def stop(self):
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGTERM)
            try:
                self.child.wait(10)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait()
