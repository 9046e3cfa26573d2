#!/usr/bin/env python3
"""The verdict on a CTest run, where CTest itself is lenient: skipped, disabled and missing tests.

Reads the JUnit file that CTest wrote. Exit 0 and no word: nothing to object. Exit 1: each objection on its own line.
"""
import argparse
import collections
import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

# Tests that went through, but left cases out: Python's unittest, Node's test runner (TAP and spec), pytest.
INNER_SKIPS = re.compile(r"^(?:OK|FAILED) \(.*\bskipped=[1-9]|^(?:#|ℹ) (?:skipped|todo) [1-9]|^=+ .*\b[1-9]\d* skipped\b", re.MULTILINE)
SHARED = re.compile(r"\.\./shared\b")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", required=True, help="build directory, to ask CTest for the labels")
    parser.add_argument("--minimum", default="1", help="a number, or a file with lines `LABEL NUMBER` (`total`: all tests)")
    parser.add_argument("--shared", default=os.path.join(os.path.dirname(__file__), "..", "..", "..", "shared"),
                        help="the folder whose absence is the one reason to skip")
    parser.add_argument("results", help="what ctest --output-junit wrote")
    return parser.parse_args()


def minimums(text):
    if text.isdigit():
        return {"total": int(text)}
    wanted = {}
    with open(text, encoding="utf-8") as lines:
        for line in lines:
            line = line.split("#")[0].split()
            if line:
                label, number = line
                wanted[label] = int(number)
    return wanted


def labels(build):
    """Test name -> its labels."""
    shown = subprocess.run(["ctest", "--test-dir", build, "--show-only=json-v1"], check=True, capture_output=True, text=True)
    found = {}
    for test in json.loads(shown.stdout)["tests"]:
        properties = {entry["name"]: entry["value"] for entry in test.get("properties", [])}
        found[test["name"]] = properties.get("LABELS", [])
    return found


def objections(cases, labels_of, wanted, shared_exists):
    ran = collections.Counter()
    for case in cases:
        name, status = case.get("name"), case.get("status")
        output = case.findtext("system-out") or ""
        excused = not shared_exists and SHARED.search(output)
        if status == "notrun" and not excused:
            skip = case.find("skipped")
            reason = output.strip().splitlines()[-1:] or [skip.get("message") if skip is not None else "no reason given"]
            yield f"{name}: not run: {reason[0]}"
        elif status == "disabled":
            yield f"{name}: disabled"
        elif status == "run" and INNER_SKIPS.search(output) and not excused:
            yield f"{name}: passed, but left cases out: {INNER_SKIPS.search(output).group(0)}"
        # A skip that is excused still counts: the test is there.
        ran["total"] += 1
        for label in labels_of.get(name, []):
            ran[label] += 1
    for label, least in wanted.items():
        if ran[label] < least:
            yield f"{label}: {ran[label]} tests, and there should be at least {least}"


def main():
    options = arguments()
    try:
        cases = ElementTree.parse(options.results).getroot().findall("testcase")
        labels_of = labels(options.build)
    except (OSError, ElementTree.ParseError, subprocess.CalledProcessError) as error:
        print(f"judge: no record of the tests: {error}", file=sys.stderr)
        return 1
    found = list(objections(cases, labels_of, minimums(options.minimum), os.path.isdir(options.shared)))
    for line in found:
        print(f"judge: {line}", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
