#!/usr/bin/env python3
"""Where co_await may stand (proxy/net/task.hpp says why)."""
import os
import re
import unittest

REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
AWAIT = re.compile(r"\bco_await\b")
# A statement of its own (also behind a condition without one), an initialisation or assignment, or co_return.
GOOD = re.compile(r"^(?:(?:if|while|for) \([^{}]*\) |else )?(?:[\w:<>*&,. \[\]]+ = |co_return )?co_await [^;{}]*$")


def statements(text):
    text = re.sub(r"//[^\n]*|\"(?:[^\"\\\n]|\\.)*\"", "", text)
    found = []
    for piece in re.split(r"[;{}]", text):
        # The semicolons of `for (…; …; …)` end no statement.
        open_for = found and re.match(r"for \(", found[-1]) and found[-1].count("(") > found[-1].count(")")
        piece = re.sub(r"^(?:case [\w:]+|default): ", "", " ".join(piece.split()))
        found[-1:] = [found[-1] + "; " + piece] if open_for else found[-1:] + [piece]
    return found


def wrong(text):
    for statement in statements(text):
        if not AWAIT.search(statement):
            continue
        # `if (auto x = co_await f(); x)`: an initialisation, which the semicolon has ended.
        if statement.count("(") > statement.count(")"):
            statement = re.sub(r"^if \((?=[^()]*= co_await )", "", statement)
        condition = re.match(r"(?:if|while|for) \((.*)\) (?:[\w:<>*&,. \[\]]+ = |co_return )?co_await ", statement)
        in_condition = condition and AWAIT.search(condition.group(1))
        if not GOOD.match(statement) or in_condition or len(AWAIT.findall(statement)) != 1:
            yield statement


class CoAwait(unittest.TestCase):
    def test_it_stands_alone(self):
        for folder, _, names in os.walk(os.path.join(REPOSITORY, "proxy")):
            for name in names:
                if not name.endswith((".cpp", ".hpp")):
                    continue
                with open(os.path.join(folder, name), encoding="utf-8") as file:
                    self.assertEqual(list(wrong(file.read())), [], os.path.join(folder, name))

    def test_what_it_finds(self):
        for bad in ("if (co_await f()) co_return;", "co_return a || co_await f();", "if (x && !co_await f()) g();",
                    "const auto y = x ? co_await f() : z;", "g(co_await f());", "while (co_await f()) {}",
                    "for (;co_await f();) {}", "const bool a = !co_await f();"):
            self.assertNotEqual(list(wrong("{ " + bad + " }")), [], bad)
        for good in ("co_await f();", "const auto y = co_await f(a, b);", "co_return co_await f();", "if (x) co_await f();",
                     "while (!done) co_await event_;", "const auto [error] = co_await f();", "x = co_await f();", "if (auto [e, n] = co_await f(x); e) g();"):
            self.assertEqual(list(wrong("{ " + good + " }")), [], good)


if __name__ == "__main__":
    unittest.main()
