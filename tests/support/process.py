"""What the kernel says about a process."""

import os


class Memory:
    def __init__(self, resident, peak, virtual):
        self.resident, self.peak = resident, peak
        # The shadow memory of a sanitizer is terabytes large; figures mean nothing beside it.
        self.sanitized = virtual > 1 << 40


def memory(pid):
    """Resident now and at its peak, in bytes."""
    found = {}
    with open("/proc/%d/status" % pid, encoding="ascii", errors="replace") as file:
        for line in file:
            name, _, value = line.partition(":")
            if name in ("VmRSS", "VmHWM", "VmSize"):
                found[name] = int(value.split()[0]) * 1024
    return Memory(found["VmRSS"], found["VmHWM"], found["VmSize"])


def open_files(pid):
    return len(os.listdir("/proc/%d/fd" % pid))


def connections_to(port):
    """Established connections of anyone to a local port, seen from the server's side."""
    found = 0
    with open("/proc/net/tcp", encoding="ascii") as file:
        for line in list(file)[1:]:
            fields = line.split()
            found += fields[1].endswith(":%04X" % port) and fields[3] == "01"
    return found
