"""One measurement: wrk for some seconds at one peer, and the CPU time that the peer took for it."""
import json
import os
import subprocess
import time

LUA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "load.lua")


def stolen_seconds(core):
    """What the machine's host took from this core since the start."""
    with open("/proc/stat", encoding="ascii") as stat:
        for line in stat:
            if line.startswith(f"cpu{core} "):
                return int(line.split()[8]) / os.sysconf("SC_CLK_TCK")
    return 0


def measure(peer, cores, tokens, count, connections, seconds):
    """-> {us: CPU microseconds a request, rps, p50_us, p99_us, busy and stolen: shares of the proxy's core, requests}"""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "5s", "-s", LUA,
               f"http://127.0.0.1:{peer.port}", "--", os.path.join(tokens, "tokens.txt"), str(count)]
    cpu, stolen, began = peer.process.cpu_ns(), stolen_seconds(cores.proxy), time.monotonic()
    ran = subprocess.run(command, check=False, capture_output=True, text=True, timeout=seconds + 30,
                         preexec_fn=lambda: os.sched_setaffinity(0, {cores.load}))
    cpu, stolen, wall = peer.process.cpu_ns() - cpu, stolen_seconds(cores.proxy) - stolen, time.monotonic() - began
    try:
        said = json.loads(ran.stdout.strip().splitlines()[-1])
    except (IndexError, ValueError):
        raise SystemExit(f"bench: wrk at {peer.name} failed:\n{ran.stdout}{ran.stderr}") from None
    if said["refused"] or said["broken"] or not said["requests"]:
        raise SystemExit(f"bench: {peer.name} did not answer all requests with 200: {said}\n{peer.process.tail()}")
    return {"us": cpu / 1000 / said["requests"], "rps": said["requests"] / (said["microseconds"] / 1e6), "p50_us": said["p50"],
            "p99_us": said["p99"], "busy": cpu / 1e9 / wall, "stolen": stolen / wall,
            "requests": said["requests"]}
