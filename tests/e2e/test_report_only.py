"""mode: report_only: everything is decided, logged and counted, and what a token lacks holds nobody up."""

import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

from command import run_cli  # noqa: E402
from proxied import ProxiedTestCase, check_refusal  # noqa: E402
from tokens import ABSENT, ec_key, rsa_key  # noqa: E402


class ReportTestCase(ProxiedTestCase):
    ROUTES = [{"prefix": "/admin", "require": {"scopes": ["admin"]}},
              {"prefix": "/enforced", "mode": "enforce"},
              {"prefix": "/public", "access": "public", "mode": ABSENT},
              {"prefix": "/"}]
    SETTINGS = {"mode": "report_only"}

    @classmethod
    def prepare(cls):
        cls.key = rsa_key("k1", "RS256")
        cls.issuer = cls.shared_issuer([cls.key])
        routes = [{k: v for k, v in route.items() if v is not ABSENT} for route in cls.ROUTES]
        cls.proxy = cls.shared_signet(cls.configuration(
            cls.issuer_entry(cls.issuer, name="main", refetch_cooldown="1h"), routes=routes, **cls.SETTINGS))

    def lifted(self, reason, token, target="/", **more):
        """It went through, was counted and logged; the upstream's request is given back."""
        labels = {"reason": reason}
        before, mark = self.proxy.metrics(), self.proxy.mark()
        target += "?" + str(len(mark) if isinstance(mark, str) else mark)
        answer = self.proxy.ask("GET", target, token, **more)
        self.assertEqual(answer.status, 200, answer)
        seen, path = self.upstream.one(), target.split("?")[0]
        after = self.proxy.metrics()
        for name, step in (("signet_would_deny_total", 1), ("signet_denied_total", 0)):
            self.assertEqual((after.value(name, **labels) or 0) - (before.value(name, **labels) or 0), step, name)
        found = self.proxy.wait_log(lambda r: r.get("request_id") == seen.header("X-Request-Id"), mark, "its line")
        self.assertEqual((found["decision"], found["would_deny"], found["status"], found["path"]),
                         ("would_deny", reason, 200, path))
        self.assertNotIn("reason", found)
        return seen


class Lifted(ReportTestCase):
    def test_a_good_token_is_as_ever(self):
        seen = self.assert_admitted(self.token(sub="alice"))
        self.assertEqual(seen.header("X-Auth-Subject"), "alice")
        self.assertIsNone(seen.header("Authorization"))

    def test_no_token(self):
        seen = self.lifted("token_missing", None, headers=[("X-Auth-Subject", "mallory")])
        self.assertIsNone(seen.header("X-Auth-Subject"))

    def test_what_did_not_verify_goes_on_with_its_token_and_without_claims(self):
        other = ec_key("unheard-of")
        for reason, token in (("expired", self.token(exp=1)), ("token_malformed", "not.a.token"),
                              ("issuer_unknown", self.token(iss="https://other.example")),
                              ("kid_unknown", other.token(self.claims())),
                              ("claim_missing", self.token(exp=ABSENT)),
                              ("signature_invalid", self.token()[:-8] + "AAAAAAAA")):
            with self.subTest(reason):
                seen = self.lifted(reason, token, headers=[("X-Auth-Subject", "mallory")])
                self.assertEqual(seen.header("Authorization"), "Bearer " + token)
                self.assertIsNone(seen.header("X-Auth-Subject"))

    def test_what_verified_and_may_not_goes_on_with_both(self):
        token = self.token(sub="alice")
        seen = self.lifted("scope_insufficient", token, "/admin/x")
        self.assertEqual((seen.header("X-Auth-Subject"), seen.header("Authorization")), ("alice", "Bearer " + token))
        token = self.token(aud="elsewhere", sub="bob")
        for _ in range(2):  # a remembered one too
            seen = self.lifted("audience_mismatch", token)
            self.assertEqual((seen.header("X-Auth-Subject"), seen.header("Authorization")), ("bob", "Bearer " + token))

    def test_a_revoked_one_is_counted(self):
        token = self.token(jti="to-go", sub="carol")
        self.assert_admitted(token)
        self.proxy.revoke(jti="to-go")
        seen = self.lifted("revoked", token)
        self.assertEqual(seen.header("X-Auth-Subject"), "carol")

    def test_what_is_broken_is_refused_all_the_same(self):
        answer = self.proxy.ask("GET", "/", self.token(), headers=[("Authorization", "Bearer x")])
        check_refusal(answer, "multiple_tokens", "bad_request")
        self.assertEqual(self.proxy.ask("GET", "/%zz", self.token()).status, 400)
        self.upstream.forget()

    def test_a_route_of_its_own_mind(self):
        self.assert_refused(None, "token_missing", target="/enforced")
        self.assert_refused(self.token(exp=1), "expired", target="/enforced")

    def test_the_log_says_so_at_the_start(self):
        self.proxy.wait_log(lambda r: r.get("msg", "").startswith("report_only"), what="a word about it")

    def test_explain_says_both(self):
        text = run_cli("explain", "-c", self.proxy.config_file, stdin=self.token(exp=1)).stdout
        self.assertIn("refused: expired", text)
        self.assertIn("report_only", text)


class LiftedForAnAbsentIssuer(ReportTestCase):
    CHECK_AFTER = False

    def test_keys_that_cannot_be_had(self):
        away = self.own_issuer([self.key], start=False)
        self.proxy = self.signet(self.configuration(self.issuer_entry(away), mode="report_only"), wait_ready=False)
        seen = self.lifted("keys_unavailable", self.token(iss=away.url))
        self.assertIsNone(seen.header("X-Auth-Subject"))


class LiftedWhateverElse(ReportTestCase):
    CHECK_AFTER = False
    ROUTES = [{"prefix": "/"}]

    def test_it_is_told_of_where_nothing_else_is(self):
        self.proxy = self.signet(self.configuration(self.issuer, mode="report_only", log={"access": False}))
        self.assert_admitted(self.token())
        self.lifted("token_missing", None)
        self.assertEqual(len([r for r in self.proxy.records() if r["msg"] == "access"]), 1)

    def test_it_counts_though_the_upstream_fails(self):
        self.proxy = self.signet({**self.configuration(self.issuer, mode="report_only"),
                                  "upstream": "http://127.0.0.1:1"})
        self.assertEqual(self.proxy.ask("GET", "/").status, 502)
        metrics = self.proxy.metrics()
        self.assertEqual(metrics.value("signet_would_deny_total", reason="token_missing"), 1)
        self.assertEqual(metrics.value("signet_denied_total", reason="upstream_unreachable"), 1)


class Ramp(ReportTestCase):
    ROUTES = [{"prefix": "/"}]
    SETTINGS = {"mode": "report_only", "enforce_percent": 30}

    def refused(self, token):
        status = self.proxy.ask("GET", "/", token).status
        self.assertIn(status, (200, 401))
        self.upstream.forget()
        return status == 401

    def test_a_share_of_the_subjects_always_the_same(self):
        subjects = ["user-%d" % number for number in range(200)]
        first = [self.refused(self.token(sub=sub, exp=1)) for sub in subjects]
        self.assertEqual([self.refused(self.token(sub=sub, aud="elsewhere")) for sub in subjects], first)
        # 200 draws at 30 %: 60, and within six standard deviations.
        self.assertTrue(21 <= sum(first) <= 99, sum(first))
        other = self.signet(self.configuration(self.issuer, mode="report_only", enforce_percent=30))
        again = [other.ask("GET", "/", self.token(sub=sub, exp=1)).status == 401 for sub in subjects]
        self.upstream.forget()
        self.assertEqual(again, first)
        wider = self.signet(self.configuration(self.issuer, mode="report_only", enforce_percent=60))
        wide = [wider.ask("GET", "/", self.token(sub=sub, exp=1)).status == 401 for sub in subjects]
        self.upstream.forget()
        self.assertTrue(all(b for a, b in zip(first, wide) if a), "whoever was enforced stays so")

    def test_without_a_subject_it_is_the_clients_address(self):
        answers = {self.refused(None) for _ in range(5)}
        self.assertEqual(len(answers), 1)

    def test_all_of_them(self):
        self.proxy = self.signet(self.configuration(self.issuer, mode="report_only", enforce_percent=100))
        self.assert_refused(self.token(exp=1), "expired")


if __name__ == "__main__":
    unittest.main()
