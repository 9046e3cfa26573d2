"""Processes that a benchmark starts: pinned to cores, watched by their CPU time and memory, ended by their id."""
import ctypes
import os
import resource
import signal
import socket
import subprocess
import time

from .problems import Failed

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def allow_many_files():
    """As many open files as may be, for this process and those that it starts."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most


class Cores:
    """One core for the proxy, another for everything else, this process too."""

    def __init__(self):
        usable = sorted(os.sched_getaffinity(0))
        if len(usable) < 2:
            raise SystemExit("bench: two cores are needed, one for the proxy and one for the load")
        self.count = len(usable)
        self.proxy, self.load = {usable[0]}, {usable[1]}
        self.both = self.proxy | self.load
        os.sched_setaffinity(0, self.load)


class Process:
    """A program on some cores. It goes when this one goes, however that ends. Its standard output goes into its log,
    or to the descriptor `output`; its input is empty, or the descriptor `input`. `began` is CLOCK_MONOTONIC just before the program was loaded, in nanoseconds."""

    def __init__(self, name, command, cores, work, output=None, input=None):
        self.name = name
        self.log = os.path.join(work, name + ".log")
        told, tell = os.pipe()

        def before_exec():
            os.sched_setaffinity(0, cores)
            _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
            os.write(tell, str(time.monotonic_ns()).encode())

        with open(self.log, "wb") as log:
            self.child = subprocess.Popen(command, stdin=subprocess.DEVNULL if input is None else input, stdout=log if output is None else output, stderr=log,
                                          preexec_fn=before_exec)
        self.began = int(os.read(told, 32))
        os.close(told)
        os.close(tell)

    def wait_for_port(self, port, seconds=15):
        deadline = time.monotonic() + seconds
        while True:
            if self.child.poll() is not None:
                raise Failed(f"{self.name} ended at once: {self.tail()}")
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return
            except OSError:
                if time.monotonic() > deadline:
                    raise Failed(f"{self.name} does not listen on port {port}: {self.tail()}") from None
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

    def resident_bytes(self, kind="VmRSS"):
        """Of all its processes; RssAnon: less what is mapped from files, as the program itself is."""
        total = 0
        for pid in self.ids():
            with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as status:
                total += sum(int(line.split()[1]) * 1024 for line in status if line.startswith(kind + ":"))
        return total

    def move(self, cores):
        """All its threads to these cores, from now on."""
        for pid in self.ids():
            for task in os.listdir(f"/proc/{pid}/task"):
                os.sched_setaffinity(int(task), cores)

    def stop(self):
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGTERM)
            try:
                self.child.wait(10)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait()
