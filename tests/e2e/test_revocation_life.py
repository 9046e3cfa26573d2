"""Revocations over restarts, crashes, reloads and their own number; and the commands for them."""

import json
import os
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

from proxied import ProxiedTestCase, moment  # noqa: E402
from signet import run_cli  # noqa: E402
from tokens import ec_key, es256_other_s  # noqa: E402


class LifeTestCase(ProxiedTestCase):
    CHECK_AFTER = False

    @classmethod
    def prepare(cls):
        cls.key = ec_key("k")
        cls.issuer = cls.shared_issuer([cls.key])

    def instance(self, state=True, **settings):
        if state:
            settings["state_dir"] = self.enterContext(
                tempfile.TemporaryDirectory(prefix="signet-test-state-"))
        return self.signet(self.configuration(self.issuer, **settings))

    def listed(self, proxy):
        return proxy.admin("GET", "/v1/revocations").json()["revocations"]


class OnDisk(LifeTestCase):
    def test_they_survive_an_orderly_restart_and_a_kill(self):
        proxy = self.instance()
        token, other = self.token(jti="gone"), self.token(jti="here")
        now = int(time.time())
        made = [proxy.revoke(jti="gone", reason="lost laptop"),
                proxy.revoke(sub="u2", issued_before=now - 50, expires_at=now + 5000),
                proxy.revoke(kid="other-key", issuer=self.issuer.url)]
        before = {e["id"]: e for e in self.listed(proxy)}
        self.assertEqual(set(before), {e["id"] for e in made})
        for hard in (True, False, True):
            proxy.restart(hard=hard)
            self.assert_refused(token, "revoked", proxy=proxy)
            self.assert_refused(es256_other_s(token), "revoked", proxy=proxy)
            self.assert_refused(self.token(sub="u2", iat=now - 50), "revoked", proxy=proxy)
            self.assert_admitted(self.token(sub="u2", iat=now), proxy=proxy)
            self.assert_admitted(other, proxy=proxy)
            self.assertEqual({e["id"]: e for e in self.listed(proxy)}, before)
        self.assertEqual(self.listed_by(proxy, "jti", "gone")["reason"], "lost laptop")

    def listed_by(self, proxy, kind, value):
        return [e for e in self.listed(proxy) if e.get(kind) == value][0]

    def test_a_201_is_a_promise_even_when_the_power_fails_right_after_it(self):
        proxy = self.instance()
        tokens = {}
        for round_ in range(4):
            for n in range(15):
                jti = "%d-%d" % (round_, n)
                tokens[jti] = self.token(jti=jti)
                proxy.revoke(jti=jti)
            proxy.restart(hard=True)
            with proxy.client() as client:
                for token in tokens.values():
                    self.assert_refused(token, "revoked", proxy=proxy, client=client)

    def test_a_removed_one_stays_removed_and_an_ended_one_ended(self):
        proxy = self.instance()
        token = self.token(jti="back")
        made = proxy.revoke(jti="back")
        self.assertEqual(proxy.admin("DELETE", "/v1/revocations/" + made["id"]).status, 204)
        proxy.restart(hard=True)
        self.assert_admitted(token, proxy=proxy)
        self.assertEqual(self.listed(proxy), [])

    def test_never_weaker_after_a_restart_either(self):
        proxy = self.instance()
        now = int(time.time())
        proxy.revoke(sub="u")
        proxy.restart(hard=True)
        proxy.revoke(sub="u", issued_before=now - 1000, expires_at=now + 10)
        proxy.restart(hard=True)
        self.assert_refused(self.token(sub="u", iat=now), "revoked", proxy=proxy)
        self.assertIsNone(self.listed_by(proxy, "sub", "u").get("expires_at"))

    def test_the_state_directory_may_come_from_the_environment(self):
        state = self.enterContext(tempfile.TemporaryDirectory(prefix="signet-test-state-"))
        proxy = self.signet(self.configuration(self.issuer), env={"STATE_DIRECTORY": state})
        token = self.token(jti="gone")
        proxy.revoke(jti="gone")
        self.assertNotEqual(os.listdir(state), [])
        proxy.restart(hard=True)
        self.assert_refused(token, "revoked", proxy=proxy)

    def test_nobody_else_may_read_the_state(self):
        proxy = self.instance()
        proxy.revoke(jti="x")
        for folder, _, names in os.walk(proxy.config["state_dir"]):
            for name in names:
                mode = os.stat(os.path.join(folder, name)).st_mode
                self.assertEqual(mode & 0o007, 0, name)


class InMemory(LifeTestCase):
    def test_without_a_state_directory_they_go_with_the_process_and_the_log_says_so(self):
        proxy = self.instance(state=False)
        self.assertTrue([line for line in proxy.lines if "memory" in line.lower()])
        token = self.token(jti="gone")
        proxy.revoke(jti="gone")
        self.assert_refused(token, "revoked", proxy=proxy)
        self.assertEqual(proxy.status()["revocation"]["store"], "memory")
        proxy.restart()
        self.assert_admitted(token, proxy=proxy)

    def test_memory_may_be_chosen_beside_a_state_directory(self):
        proxy = self.instance(revocation={"store": "memory"})
        proxy.revoke(jti="gone")
        proxy.restart()
        self.assertEqual(self.listed(proxy), [])


class OverReloads(LifeTestCase):
    def test_a_reload_loses_none(self):
        for state in (True, False):
            proxy = self.instance(state=state)
            token = self.token(jti="gone")
            self.assert_admitted(token, proxy=proxy)
            proxy.revoke(jti="gone")
            proxy.reload({**proxy.config, "answers": {"realm": "signet", "reasons": True}})
            self.assert_refused(token, "revoked", proxy=proxy)
            proxy.reload({**proxy.config, "answers": {"realm": "signet"}})
            self.assert_refused(token, "revoked", proxy=proxy)
            self.assertEqual(len(self.listed(proxy)), 1)


class Many(LifeTestCase):
    def test_thousands_are_imported_listed_in_pages_and_looked_up(self):
        proxy = self.instance()
        count = 1200
        lines = "".join('{"jti":"many-%d"}\n' % n for n in range(count))
        done = run_cli("revocations", "import", "--admin", proxy.admin_url, stdin=lines,
                       timeout=120)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(proxy.metrics().value("signet_revocation_entries"), count)
        self.assertEqual(proxy.status()["revocation"]["entries"], count)
        found, target, pages = set(), "/v1/revocations", 0
        while target:
            page = proxy.admin("GET", target).json()
            ids = {entry["id"] for entry in page["revocations"]}
            self.assertFalse(ids & found, "an entry on two pages")
            found |= ids
            pages += 1
            cursor = page.get("next_cursor")
            target = "/v1/revocations?cursor=" + cursor if cursor else None
        self.assertEqual(len(found), count)
        self.assertGreater(pages, 1)
        for n in (0, 600, 1199):
            self.assert_refused(self.token(jti="many-%d" % n), "revoked", proxy=proxy)
        self.assert_admitted(self.token(jti="many-1200"), proxy=proxy)
        exported = run_cli("revocations", "export", "--admin", proxy.admin_url, timeout=60)
        self.assertEqual({json.loads(line)["jti"] for line in exported.stdout.splitlines()},
                         {"many-%d" % n for n in range(count)})


class Commands(LifeTestCase):
    def setUp(self):
        super().setUp()
        self.proxy = self.instance()

    def command(self, *args, stdin="", expect=0):
        done = run_cli(*args, "--admin", self.proxy.admin_url, stdin=stdin)
        self.assertEqual(done.returncode, expect, done.stdout + done.stderr)
        return done.stdout

    def test_revoke_says_how_far_it_reaches(self):
        for option, claim in (("--jti", "jti"), ("--sid", "sid"), ("--sub", "sub"),
                              ("--client", "client_id")):
            value = "by-command-" + claim
            token = self.token(**{claim: value})
            self.assert_admitted(token)
            self.assertIn("instance", self.command("revoke", option, value))
            self.assert_refused(token, "revoked")

    def test_revoke_with_everything(self):
        now = int(time.time())
        self.command("revoke", "--sub", "u", "--issuer", self.issuer.url, "--issued-before",
                     str(now - 100), "--ttl", "1h", "--reason", "left the company")
        [entry] = self.listed(self.proxy)
        self.assertEqual((entry["sub"], entry["issuer"], entry["reason"]),
                         ("u", self.issuer.url, "left the company"))
        self.assertEqual(moment(entry["issued_before"]), now - 100)
        self.assertTrue(3590 <= moment(entry["expires_at"]) - now <= 3700)
        self.assert_admitted(self.token(sub="u", iat=now))
        self.assert_refused(self.token(sub="u", iat=now - 100), "revoked")

    def test_revoke_with_times_as_text(self):
        self.command("revoke", "--jti", "j", "--expires", "2099-01-02T03:04:05Z",
                     "--issued-before", "2026-01-02T03:04:05Z")
        [entry] = self.listed(self.proxy)
        self.assertEqual(moment(entry["expires_at"]), moment("2099-01-02T03:04:05Z"))
        self.assertEqual(moment(entry["issued_before"]), moment("2026-01-02T03:04:05Z"))

    def test_revoke_a_key_or_an_issuer(self):
        self.command("revoke", "--kid", "k")
        self.assert_refused(self.token(), "revoked")
        [entry] = self.listed(self.proxy)
        self.command("revocations", "remove", entry["id"])
        self.assert_admitted(self.token())
        self.command("revoke", "--issuer", self.issuer.url)
        self.assert_refused(self.token(), "revoked")

    def test_an_option_that_is_given_but_empty_revokes_nothing(self):
        token = self.token(jti="good")
        url = self.issuer.url
        for args in (("--jti", "", "--issuer", url), ("--sid", "", "--issuer", url),
                     ("--sub", "", "--issuer", url), ("--client", "", "--issuer", url),
                     ("--kid", "", "--issuer", url), ("--jti=", "--issuer", url),
                     ("--issuer", url, "--jti", ""), ("--jti", "good", "--issuer", ""),
                     ("--jti", ""), ("--issuer", ""), ("--jti", "good", "--issued-before", ""),
                     ("--jti", "good", "--expires", ""), ("--jti", "good", "--ttl", "")):
            with self.subTest(args):
                self.command("revoke", *args, expect=64)
                self.assertEqual(self.listed(self.proxy), [])
                self.assert_admitted(token)

    def test_an_end_that_is_past_is_refused(self):
        for args in (("--expires", "1700000000"), ("--expires", "2020-01-01T00:00:00Z")):
            self.command("revoke", "--jti", "x", *args, expect=1)
            self.assertEqual(self.listed(self.proxy), [])

    def test_an_import_leaves_out_what_has_ended(self):
        lines = ('{"jti":"ended","expires_at":"2020-01-01T00:00:00.000Z"}\n{"jti":"endless"}\n'
                 '{"jti":"later","expires_at":"2099-01-01T00:00:00.000Z"}\n')
        self.command("revocations", "import", stdin=lines)
        self.assertEqual({e["jti"] for e in self.listed(self.proxy)}, {"endless", "later"})

    def test_list_remove_export_import(self):
        self.command("revoke", "--jti", "one", "--reason", "first")
        self.command("revoke", "--sub", "two", "--issued-before", "1700000000")
        listed = self.command("revocations", "list")
        for word in ("one", "two"):
            self.assertIn(word, listed)
        exported = self.command("revocations", "export")
        entries = [json.loads(line) for line in exported.splitlines()]
        self.assertEqual({e.get("jti") or e.get("sub") for e in entries}, {"one", "two"})
        before = {e["id"]: e for e in self.listed(self.proxy)}
        for entry in before:
            self.command("revocations", "remove", entry)
        self.assertEqual(self.listed(self.proxy), [])
        self.command("revocations", "import", stdin=exported)
        after = {e["id"]: e for e in self.listed(self.proxy)}
        self.assertEqual(set(after), set(before))
        for name in ("jti", "sub", "reason", "issued_before"):
            self.assertEqual({i: e.get(name) for i, e in after.items()},
                             {i: e.get(name) for i, e in before.items()})
        self.assert_refused(self.token(jti="one"), "revoked")

    def test_what_cannot_be_done_ends_with_one(self):
        self.command("revocations", "remove", "no-such-id", expect=1)
        self.command("revocations", "import", stdin='{"jti":"x"}\n{"broken\n', expect=1)
        self.command("revoke", "--jti", "x", "--issued-before", "yesterday-ish", expect=64)
        url = self.proxy.admin_url
        self.proxy.stop()
        done = run_cli("revoke", "--jti", "x", "--admin", url)
        self.assertEqual(done.returncode, 1)
        self.assertTrue(done.stderr)

    def test_usage(self):
        for args in ((), ("--jti",), ("--jti", "x", "--sub", "y"), ("--what", "x"),
                     ("--reason", "x"), ("--jti", "x", "--ttl", "1h", "--expires", "1900000000")):
            with self.subTest(args):
                self.assertEqual(run_cli("revoke", *args).returncode, 64)
        self.assertEqual(run_cli("revocations").returncode, 64)
        self.assertEqual(run_cli("revocations", "forget").returncode, 64)


class WithATokenFile(LifeTestCase):
    def test_the_commands_bring_the_admin_token(self):
        folder = self.enterContext(tempfile.TemporaryDirectory(prefix="signet-test-"))
        path = os.path.join(folder, "admin-token")
        with open(path, "w", encoding="ascii") as file:
            file.write("correct-horse-battery-staple\n")
        proxy = self.instance(admin={"address": "127.0.0.1:0", "token_file": path})
        token = self.token(jti="gone")
        without = run_cli("revoke", "--jti", "gone", "--admin", proxy.admin_url)
        self.assertEqual(without.returncode, 1)
        self.assert_admitted(token, proxy=proxy)
        with_it = run_cli("revoke", "--jti", "gone", "--admin", proxy.admin_url,
                          "--token-file", path)
        self.assertEqual(with_it.returncode, 0, with_it.stderr)
        self.assert_refused(token, "revoked", proxy=proxy)
        listed = run_cli("revocations", "list", "--admin", proxy.admin_url, "--token-file", path)
        self.assertIn("gone", listed.stdout)
        self.assertNotIn("battery", "\n".join(proxy.lines) + listed.stdout)


if __name__ == "__main__":
    unittest.main(verbosity=2)
