#!/usr/bin/python3
"""What the documents promise: the schema and config/README.md name the same keys with the same defaults, the examples are
accepted by the program, links lead somewhere, tests that are named exist, and the top level stays as it is agreed.

    python3 tests/layout/docs_test.py

SIGNET_BIN is the program that the examples are shown to, build/signet unless set. Needs git and openssl.
"""

import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest

REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SIGNET_BIN = os.environ.get("SIGNET_BIN", os.path.join(REPOSITORY, "build", "signet"))
SCHEMA = "config/signet.schema.json"
REFERENCE = "config/README.md"
EXAMPLES = "config/examples"
TOP_LEVEL = {"proxy", "config", "tests", "bench", "deploy", "CMakeLists.txt", "CMakePresets.json", "README.md",
             "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "LICENSE"}


def read(path):
    with open(os.path.join(REPOSITORY, path), encoding="utf-8") as file:
        return file.read()


def git(*arguments):
    """The names that git prints, or None outside a work tree."""
    try:
        done = subprocess.run(["git", "-c", "safe.directory=*", "-C", REPOSITORY, *arguments],
                              capture_output=True, text=True, encoding="utf-8")
    except OSError:
        return None
    return done.stdout.split("\0")[:-1] if done.returncode == 0 else None


def tree():
    """Every file that is, or would be, part of the repository."""
    listed = git("ls-files", "-z", "--cached", "--others", "--exclude-standard")
    if listed is not None:
        return sorted({path for path in listed if os.path.lexists(os.path.join(REPOSITORY, path))})
    found = []
    for folder, folders, files in os.walk(REPOSITORY):
        folders[:] = [name for name in folders if name != ".git" and not name.startswith("build")]
        found += [os.path.relpath(os.path.join(folder, name), REPOSITORY) for name in files]
    return sorted(found)


def documents():
    return [path for path in tree() if path.endswith(".md") and not path.startswith("tests/vectors/")]


# -- keys ------------------------------------------------------------------------------------------

def schema_keys(schema):
    """{key path: default or None} of a JSON Schema; list elements are `[]`, chosen names `<name>`."""
    keys = {}

    def resolve(node):
        while "$ref" in node:
            referred = schema
            for part in node["$ref"].removeprefix("#/").split("/"):
                referred = referred[part]
            node = {**referred, **{k: v for k, v in node.items() if k != "$ref"}}
        return node

    def walk(node, path):
        node = resolve(node)
        alternatives = [resolve(one) for one in node.get("anyOf", [])]
        for one in alternatives:
            # A map, or a list of such maps: both are written under the same path.
            if one.get("type") == "array" and any("properties" in other for other in alternatives):
                walk(one["items"], path)
            else:
                walk(one, path)
        for name, member in node.get("properties", {}).items():
            inner = f"{path}.{name}" if path else name
            keys.setdefault(inner, rendered(resolve(member)["default"]) if "default" in resolve(member) else None)
            walk(member, inner)
        if isinstance(node.get("additionalProperties"), dict) and "properties" in resolve(node["additionalProperties"]):
            walk(node["additionalProperties"], path + ".<name>")
        if isinstance(node.get("items"), dict):
            walk(node["items"], path + "[]")

    walk(schema, "")
    return keys


def rendered(value):
    """A default as config/README.md writes it: YAML in flow style."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value if value and value == value.strip() and not value.endswith(":") else f'"{value}"'
    if isinstance(value, list):
        return "[" + ", ".join(map(rendered, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {rendered(member)}" for name, member in value.items()) + "}"
    return str(value)


def described_keys(text):
    """{key path: default or None} of the reference's tables, and the paths that stand twice."""
    keys, twice = {}, []
    for key, default in re.findall(r"^\| `([^`]+)` \| [^|]*(?:\| )(required|–|`.*?`) \| ", between_keys(text), re.M):
        if key in keys:
            twice.append(key)
        keys[key] = default.strip("`") if default.startswith("`") else None
    return keys, twice


def between_keys(text):
    return text.partition("\n# Every key\n")[2].partition("\n# How it behaves\n")[0]


class Reference(unittest.TestCase):
    def setUp(self):
        self.schema = json.loads(read(SCHEMA))
        self.in_schema = schema_keys(self.schema)
        self.in_readme, self.twice = described_keys(read(REFERENCE))

    def test_every_key_of_the_schema_is_in_the_readme(self):
        self.assertGreater(len(self.in_schema), 100)
        self.assertEqual([], sorted(set(self.in_schema) - set(self.in_readme)))

    def test_every_key_of_the_readme_is_in_the_schema(self):
        self.assertEqual([], sorted(set(self.in_readme) - set(self.in_schema)))

    def test_no_key_is_described_twice(self):
        self.assertEqual([], self.twice)

    def test_defaults_are_the_same(self):
        both = set(self.in_schema) & set(self.in_readme)
        self.assertEqual({}, {key: (self.in_schema[key], self.in_readme[key]) for key in sorted(both)
                              if self.in_schema[key] != self.in_readme[key]})

    def test_every_key_has_a_description_and_every_map_is_closed(self):
        def walk(node, path):
            if not isinstance(node, dict):
                return
            if "properties" in node and node.get("type") == "object":
                self.assertIs(node.get("additionalProperties"), False, f"{path} lets unknown keys through")
                for name, member in node["properties"].items():
                    self.assertIn("description", member, f"{path}.{name}")
            for name, member in node.items():
                for one in member if isinstance(member, list) else [member]:
                    if name not in ("if", "then", "else", "allOf", "oneOf", "default"):
                        walk(one, f"{path}.{name}")
        walk(self.schema, "")

    def test_reasons_are_those_of_the_code(self):
        built = {(word, status) for word, status in re.findall(r'\{"([a-z_]+)", (\d{3}),', read("proxy/base/reason.cpp"))}
        table = read(REFERENCE).partition("\n## Answers and reasons\n")[2].partition("\n## ")[0]
        told = set(re.findall(r"^\| `([a-z_]+)` \| (\d{3}) \|", table, re.M))
        self.assertGreater(len(built), 20)
        self.assertEqual(built, told)


# -- examples --------------------------------------------------------------------------------------

class Examples(unittest.TestCase):
    def test_each_is_valid(self):
        self.assertTrue(os.path.exists(SIGNET_BIN), f"no program at {SIGNET_BIN}; build it or set SIGNET_BIN")
        names = sorted(os.listdir(os.path.join(REPOSITORY, EXAMPLES)))
        self.assertTrue(names)
        with tempfile.TemporaryDirectory() as folder:
            environment = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "HOME": folder, **self.files_of_a_deployment(folder)}
            for name in names:
                with self.subTest(name):
                    self.assertTrue(name.endswith(".yaml"), "not an example")
                    path = os.path.join(REPOSITORY, EXAMPLES, name)
                    done = subprocess.run([SIGNET_BIN, "check", "-c", path], capture_output=True, text=True, env=environment,
                                          timeout=60)
                    self.assertEqual(0, done.returncode, done.stdout + done.stderr)

    def files_of_a_deployment(self, folder):
        """What a deployment would mount, as the variables that the examples read; a certificate of our own making."""
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-days", "2", "-subj", "/CN=signet.test", "-addext", "subjectAltName=DNS:signet.test",
                        "-keyout", os.path.join(folder, "tls.key"), "-out", os.path.join(folder, "tls.crt")],
                       check=True, capture_output=True)
        shutil.copy(os.path.join(folder, "tls.crt"), os.path.join(folder, "ca.crt"))
        with open(os.path.join(folder, "token"), "w", encoding="ascii") as file:
            file.write("not-a-real-token")
        return {"SIGNET_TLS_DIR": folder, "SERVICE_ACCOUNT_DIR": folder, "STATE_DIRECTORY": folder}

    def test_each_is_in_the_readme(self):
        text = read(REFERENCE)
        for name in os.listdir(os.path.join(REPOSITORY, EXAMPLES)):
            self.assertIn(f"(examples/{name})", text)


# -- text ------------------------------------------------------------------------------------------

def anchors(text):
    """The fragments that a page's headings make."""
    found = set()
    for heading in re.findall(r"^#{1,6} (.+?)\s*$", re.sub(r"^```.*?^```", "", text, flags=re.S | re.M), re.M):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").lower()
        found.add(re.sub(r"[^\w\- ]", "", plain).replace(" ", "-"))
    return found


class Text(unittest.TestCase):
    def test_relative_links_lead_somewhere(self):
        files = set(tree())
        folders = {os.path.dirname(path) for path in files}
        folders |= {parent for path in folders for parent in [path.rsplit("/", n)[0] for n in range(path.count("/") + 1)]}
        wrong = []
        for page in documents():
            text = read(page)
            prose = re.sub(r"^```.*?^```", "", text, flags=re.S | re.M)
            for target in re.findall(r"\]\(([^)\s]+)\)", prose):
                if re.match(r"[a-z]+:", target):
                    continue
                path, _, fragment = target.partition("#")
                whole = os.path.normpath(os.path.join(os.path.dirname(page), path)) if path else page
                if whole not in files and whole.rstrip("/") not in folders:
                    wrong.append(f"{page}: {target}")
                elif fragment and whole.endswith(".md") and fragment not in anchors(read(whole)):
                    wrong.append(f"{page}: {target} (no such heading)")
        self.assertEqual([], wrong)

    def test_tests_that_are_named_exist(self):
        # `tests/e2e/test_tokens.py`, `tests/e2e/test_tokens.py::test_name` or a folder; braces are not expanded.
        files = set(tree())
        wrong = []
        for page in documents():
            for path, name in re.findall(r"`(tests/[\w./-]+?)/?(?:::(\w+))?`", read(page)):
                if path in files:
                    if name and not re.search(rf"\b{name}\b", read(path)):
                        wrong.append(f"{page}: {path} has no {name}")
                elif not any(other.startswith(path + "/") for other in files):
                    wrong.append(f"{page}: {path}")
        self.assertEqual([], wrong)

    def test_sources_that_are_named_exist(self):
        # `http/target.hpp` in a page below proxy/ is a file there.
        files = set(tree())
        self.assertEqual([], [f"{page}: {path}" for page in documents() if page.startswith("proxy/")
                              for path in re.findall(r"`(\w+/[\w/]+\.[ch]pp)`", read(page)) if f"proxy/{path}" not in files])

    def test_nothing_tells_where_or_by_what_it_was_made(self):
        # Put together here, so that this file does not find itself.
        places = ["/" + name + "/" for name in ("wo" + "rk", "fa" + "rm", "ro" + "ot")] + ["." + "library"]
        words = ["assist" + "ants?", "chat" + "bots?", "language mod" + "els?", "co" + "pilot", "l" + "lms?"]
        pattern = re.compile("|".join([r"(?<![\w.-])" + re.escape(place) for place in places] + [rf"\b{w}\b" for w in words]),
                             re.I)
        found = []
        for path in tree():
            if path.startswith("tests/vectors/") or path.endswith(("package-lock.json", ".png", ".svg", ".gz")):
                continue
            try:
                lines = read(path).splitlines()
            except (UnicodeDecodeError, IsADirectoryError):
                continue
            found += [f"{path}:{n}: {line.strip()[:120]}" for n, line in enumerate(lines, 1) if pattern.search(line)]
        self.assertEqual([], found)


class TopLevel(unittest.TestCase):
    def test_holds_only_what_is_agreed(self):
        top = {path.split("/", 1)[0] for path in git("ls-files", "-z") or []}
        self.assertEqual([], sorted(name for name in top if name not in TOP_LEVEL and not name.startswith(".")))


# -- the test itself -------------------------------------------------------------------------------

class TestOfTheTest(unittest.TestCase):
    def test_schema_paths(self):
        schema = {"$defs": {"d": {"type": "string"}, "m": {"type": "object", "properties": {"k": {"$ref": "#/$defs/d"}}}},
                  "properties": {"a": {"anyOf": [{"$ref": "#/$defs/d"}, {"type": "object", "properties": {"x": {"default": 5}}}]},
                                 "b": {"items": {"properties": {"y": {"$ref": "#/$defs/d", "default": "1s"}}}},
                                 "c": {"anyOf": [{"$ref": "#/$defs/m"}, {"type": "array", "items": {"$ref": "#/$defs/m"}}]},
                                 "e": {"additionalProperties": {"properties": {"z": {"default": []}}}}}}
        self.assertEqual({"a": None, "a.x": "5", "b": None, "b[].y": "1s", "c": None, "c.k": None, "e": None, "e.<name>.z": "[]"},
                         schema_keys(schema))

    def test_readme_rows(self):
        text = ("\n# Every key\n| key | type | default | what |\n|---|---|---|---|\n| `a` | x | `1s` | y |\n"
                "| `b[].c` | x or `z` | required | y |\n| `d` | x | – | `y` |\n| `a` | x | `2s` | y |\n\n# How it behaves\n| `n` | x | – | y |\n")
        self.assertEqual(({"a": "2s", "b[].c": None, "d": None}, ["a"]), described_keys(text))

    def test_anchors(self):
        self.assertEqual({"answers-log-trust", "a-b"}, anchors("# Answers, log, trust\n```sh\n# no heading\n```\n## `a` [b](c)\n"))


if __name__ == "__main__":
    unittest.main()
