"""On what, and with which versions, figures were taken: a figure without that is none."""
import os
import platform
import re
import subprocess


def _first(path, pattern):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            found = re.search(pattern, file.read(), re.MULTILINE)
    except OSError:
        return None
    return found.group(1).strip() if found else None


def version(command):
    try:
        ran = subprocess.run(command, check=False, capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return "absent"
    lines = (ran.stdout + ran.stderr).strip().splitlines()
    return lines[0].strip() if lines else "unknown"


def describe(programs, cores, load_average):
    """programs: {name: command that prints a version}"""
    commit = version(["git", "-C", os.path.dirname(os.path.abspath(__file__)), "describe", "--always", "--dirty"])
    return {
        "processor": _first("/proc/cpuinfo", r"^model name\s*: (.*)$") or platform.processor() or "unknown",
        "cores": cores,
        "memory": f"{int(_first('/proc/meminfo', r'^MemTotal: *([0-9]+)') or 0) / 1048576:.1f} GiB",
        "virtual": "yes" if re.search(r"\bhypervisor\b", _first("/proc/cpuinfo", r"^flags\s*: (.*)$") or "") else "no",
        "load_average": f"{load_average:.2f} in the minute before",
        "kernel": platform.release(),
        "system": _first("/etc/os-release", r'^PRETTY_NAME="?([^"\n]*)') or "unknown",
        "compiler": version(["cc", "--version"]),
        "openssl": version(["openssl", "version"]),
        "commit": "unknown" if "fatal" in commit else commit,
        **{name: version(command) for name, command in programs.items()},
    }
