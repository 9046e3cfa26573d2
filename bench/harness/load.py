"""One measurement: wrk for some seconds at one peer, and the CPU time that the peer took for it."""
import json
import os
import subprocess
import time

from .problems import Missing

LUA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "load.lua")


def stolen_seconds(cores):
    """What the machine's host took from these cores since the start."""
    total = 0
    with open("/proc/stat", encoding="ascii") as stat:
        for line in stat:
            if line.startswith("cpu") and line[3:4].isdigit() and int(line[3:].split()[0]) in cores:
                total += int(line.split()[8]) / os.sysconf("SC_CLK_TCK")
    return total / len(cores)


class Load:
    """What is sent: `count` tokens of `file` in turn, by so many connections from these cores; `status`: what every answer
    has to be, 200 or a refusal's. A load remembers where in the file its last run ended, and goes on from there."""

    def __init__(self, file, count, connections, from_cores, proxy_cores, status=200):
        self.file, self.count, self.connections, self.status = file, count, connections, status
        self.from_cores, self.proxy_cores, self.position = from_cores, proxy_cores, 0

    def run(self, peer, seconds, meanwhile=None):
        """-> {us: CPU microseconds a request, rps, p50_us, p99_us, busy and stolen: shares of the proxy's cores, requests}

        meanwhile() is called twenty times a second."""
        command = ["wrk", "-t1", f"-c{self.connections}", f"-d{seconds}s", "--timeout", "5s", "-s", LUA,
                   peer.url(), "--", self.file, str(self.count), str(self.position)]
        cpu, stolen, began = peer.process.cpu_ns(), stolen_seconds(self.proxy_cores), time.monotonic()
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              preexec_fn=lambda: os.sched_setaffinity(0, self.from_cores)) as wrk:
            try:
                while meanwhile and time.monotonic() < began + seconds and wrk.poll() is None:
                    meanwhile()
                    time.sleep(0.05)
                printed = wrk.communicate(timeout=seconds + 30)[0]
            except BaseException:
                wrk.kill()
                raise
        cpu, stolen, wall = (peer.process.cpu_ns() - cpu, stolen_seconds(self.proxy_cores) - stolen, time.monotonic() - began)
        try:
            said = json.loads(printed.strip().splitlines()[-1])
        except (IndexError, ValueError):
            raise Missing(f"wrk did not get through: {printed} {peer.process.tail()}") from None
        refusals = 0 if self.status < 400 else said["requests"]
        if said["refused"] != refusals or said["broken"] or not said["requests"]:
            raise Missing(f"it did not answer all requests with {self.status}: {said} {peer.process.tail()}")
        self.position = said["position"]
        return {"us": cpu / 1000 / said["requests"], "rps": said["requests"] / (said["microseconds"] / 1e6), "p50_us": said["p50"],
                "p99_us": said["p99"], "busy": cpu / 1e9 / wall / len(self.proxy_cores), "stolen": stolen / wall,
                "requests": said["requests"]}
