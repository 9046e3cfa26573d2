#!/usr/bin/python3
"""Which room may include which, and which room may use which library. The table below is the one in proxy/README.md.

    python3 tests/layout/include_direction_test.py

A violation is reported as file:line. The last class plants violations and looks whether they are found.
"""

import os
import re
import tempfile
import unittest

REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

# room -> the rooms that it may include, besides itself. Rooms above only.
ROOMS = {
    "base": [],
    "jose": ["base"],
    "telemetry": ["base"],
    "keys": ["base", "jose"],
    "revocation": ["base"],
    "policy": ["base", "jose"],
    "http": ["base", "policy"],
    "gate": ["base", "jose", "keys", "revocation", "policy", "http"],
    "admin": ["base", "telemetry", "keys", "revocation", "gate"],
    "store": ["base", "keys", "revocation"],
    "net": ["base", "telemetry", "keys", "revocation", "http", "gate"],
    "config": ["base", "jose", "telemetry", "keys", "revocation", "policy", "http", "gate", "admin", "store", "net"],
    "app": ["base", "jose", "telemetry", "keys", "revocation", "policy", "http", "gate", "admin", "store", "net", "config"],
}

# What a header's name begins with -> the rooms that may include it. Longest match counts.
LIBRARIES = {
    "boost/asio.hpp": ["net"],
    "boost/asio/ip": ["net"],
    "boost/asio/ssl": ["net"],
    "boost/beast": ["net"],
    "sys/socket": ["net"],
    "openssl/": ["jose", "net"],
    "simdjson": ["base", "jose"],
    "sqlite3": ["store"],
    "yaml-cpp/": ["config"],
    "re2/": ["policy"],
    "boost/url/": ["net", "config"],
    "prometheus/": ["telemetry"],
    "CLI/": ["app"],
    "spdlog/": ["telemetry", "app"],
}

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(["<])([^">\n]+)[">]', re.M)
SOURCES = (".cpp", ".hpp", ".h", ".hh", ".cc", ".c", ".ipp", ".inl")


def without_comments(text):
    """The text with comments blanked, line breaks kept; strings are left alone."""
    def blank(match):
        found = match.group(0)
        return re.sub(r"[^\n]", " ", found) if found.startswith("/") else found
    return re.sub(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"', blank, text, flags=re.S)


def sources(root):
    """(room, path) of every source file below proxy/<room>/ and config/."""
    for top in ("proxy", "config"):
        for folder, folders, files in os.walk(os.path.join(root, top)):
            folders.sort()
            for name in sorted(files):
                if not name.endswith(SOURCES):
                    continue
                path = os.path.relpath(os.path.join(folder, name), root)
                parts = path.split(os.sep)
                yield ("config" if top == "config" else parts[1] if len(parts) > 2 else None), path


def library_rooms(header):
    prefixes = [prefix for prefix in LIBRARIES if header.startswith(prefix)]
    return LIBRARIES[max(prefixes, key=len)] if prefixes else None


def violations(root):
    found = []
    for room, path in sources(root):
        if room is None:
            continue  # proxy/*.hpp, such as a precompiled header, belongs to no room
        if room not in ROOMS:
            found.append(f"{path}:1: {room} is no room of the table")
            continue
        with open(os.path.join(root, path), encoding="utf-8") as file:
            text = without_comments(file.read())
        for match in INCLUDE.finditer(text):
            kind, header = match.groups()
            where = f"{path}:{text.count(chr(10), 0, match.start(1)) + 1}"
            if header.startswith("proxy/"):
                header = header.removeprefix("proxy/")
            first = header.split("/", 1)[0]
            if ".." in header.split("/"):
                found.append(f"{where}: {header} goes round the rooms")
            elif first in ROOMS and "/" in header:
                if kind == "<":
                    found.append(f"{where}: {header} is ours and is included with quotes")
                elif first != room and first not in ROOMS[room]:
                    found.append(f"{where}: {room} may not include {header}")
            else:
                rooms = library_rooms(header)
                if rooms is not None and room not in rooms:
                    found.append(f"{where}: {header} belongs to {' and '.join(rooms)}, not to {room}")
    return found


class IncludeDirection(unittest.TestCase):
    def test_every_include_goes_up(self):
        self.assertEqual([], violations(REPOSITORY), "\n" + "\n".join(violations(REPOSITORY)))

    def test_the_table_is_the_one_that_is_written_down(self):
        with open(os.path.join(REPOSITORY, "proxy", "README.md"), encoding="utf-8") as file:
            table = file.read().partition("\n## Who may include whom\n")[2].partition("\nLibraries")[0]
        told, above = {}, []
        for room, row in re.findall(r"^\| `(\w+)` \| (.*) \|$", table, re.M):
            told[room] = set(above) if row == "every room above" else set(re.findall(r"`(\w+)`", row))
            above.append(room)
        self.assertEqual({room: set(rooms) for room, rooms in ROOMS.items()}, told)

    def test_there_is_something_to_look_at(self):
        rooms = {room for room, _ in sources(REPOSITORY)}
        self.assertLessEqual({"base", "jose", "http", "net", "app", "config"}, rooms)


class TestOfTheTest(unittest.TestCase):
    PLANTED = {
        "proxy/base/a.hpp": ('#include <string>\n#include "base/b.hpp"\n', []),
        "proxy/base/b.hpp": ('#include "jose/token.hpp"\n', [1]),
        "proxy/jose/a.cpp": ('#include <openssl/evp.h>\n#include "base/a.hpp"\n#include "jose/b.hpp"\n', []),
        "proxy/jose/c.cpp": ('// #include "net/x.hpp"\n/* a\n#include "net/x.hpp"\n*/\n#include "net/x.hpp"\n', [5]),
        "proxy/policy/a.cpp": ('#include <openssl/evp.h>\n\n  #  include "policy/b.hpp"\n#include "keys/x.hpp"\n', [1, 4]),
        "proxy/http/a.cpp": ('#include <boost/beast/http/parser.hpp>\n#include <boost/system/result.hpp>\n', [1]),
        "proxy/http/b.cpp": ('#include "config/load.hpp"\n#include "app/main.hpp"\n#include "proxy/gate/gate.hpp"\n', [1, 2, 3]),
        "proxy/http/c.cpp": ('#include "../net/session.hpp"\n#include <net/session.hpp>\n', [1, 2]),
        "proxy/gate/a.cpp": ('#include <boost/asio/ip/tcp.hpp>\n#include <sys/socket.h>\n#include <boost/asio.hpp>\n', [1, 2, 3]),
        "proxy/net/a.cpp": ('#include <boost/asio/ip/tcp.hpp>\n#include <boost/asio/ssl.hpp>\n#include <openssl/ssl.h>\n'
                            '#include "gate/gate.hpp"\n#include "admin/status.hpp"\n', [5]),
        "proxy/store/a.cpp": ('#include <sqlite3.h>\n#include <simdjson.h>\n', [2]),
        "proxy/telemetry/a.cpp": ('#include <prometheus/registry.h>\n#include <spdlog/spdlog.h>\n#include <sqlite3.h>\n', [3]),
        "proxy/app/cli/run.cpp": ('#include <CLI/CLI.hpp>\n#include "config/load.hpp"\n#include "net/session.hpp"\n'
                                  '#include <yaml-cpp/yaml.h>\n', [4]),
        "config/load.cpp": ('#include <yaml-cpp/yaml.h>\n#include "net/settings.hpp"\n#include "app/x.hpp"\n#include <CLI/CLI.hpp>\n', [3, 4]),
        "proxy/cellar/a.cpp": ('#include "base/a.hpp"\n', [1]),
        "proxy/pch.hpp": ('#include <boost/asio/ip/tcp.hpp>\n', []),
    }

    def test_planted_violations_are_found(self):
        with tempfile.TemporaryDirectory() as root:
            for path, (text, _) in self.PLANTED.items():
                os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
                with open(os.path.join(root, path), "w", encoding="utf-8") as file:
                    file.write(text)
            expected = sorted(f"{path}:{line}" for path, (_, lines) in self.PLANTED.items() for line in lines)
            self.assertEqual(expected, sorted(one.split(": ")[0] for one in violations(root)))

    def test_the_table_has_no_circle(self):
        seen = set()
        for room, above in ROOMS.items():
            self.assertLessEqual(set(above), seen, f"{room} includes a room that stands below it")
            seen.add(room)


if __name__ == "__main__":
    unittest.main()
