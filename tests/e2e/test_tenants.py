"""An issuer with many tenants: one set of keys, many values of iss."""

import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

from command import run_cli  # noqa: E402
from proxied import ProxiedTestCase  # noqa: E402
from tokens import ec_key  # noqa: E402


class Tenants(ProxiedTestCase):
    """As Entra ID has it: keys for all, keys for one, a discovery document that says {tenantid}."""

    CHECK_AFTER = False

    @classmethod
    def prepare(cls):
        cls.issuer = cls.shared_issuer([])
        cls.common, cls.private, cls.plain = ec_key("common"), ec_key("private"), ec_key("plain")
        cls.base = cls.issuer.url
        cls.issuer.set_keys([cls.common.jwk(issuer=cls.base + "/{tenantid}/v2.0"),
                             cls.private.jwk(issuer=cls.base + "/consumers/v2.0"), cls.plain.jwk()])
        cls.issuer.discovery_changes = {"issuer": cls.base + "/{tenantid}/v2.0"}
        cls.key = cls.common

    def served(self, **settings):
        entry = self.issuer_entry(self.base + "/{tenant}/v2.0", name="entra", refetch_cooldown="1ms",
                                  discovery_url=self.base + "/.well-known/openid-configuration", **settings)
        self.proxy = self.signet(self.configuration(entry))

    def of(self, tenant, key=None, **more):
        return self.token(key, iss="%s/%s/v2.0" % (self.base, tenant), **more)

    def test_those_that_are_named(self):
        self.served(tenants=["one", "two"])
        seen = self.assert_admitted(self.of("one"))
        self.assertEqual(seen.header("X-Auth-Issuer"), self.base + "/one/v2.0")
        self.assert_admitted(self.of("two", self.plain))
        for tenant in ("three", "ONE", "", "one/two", "{tenant}", "{tenantid}"):
            self.assert_refused(self.of(tenant), "issuer_unknown")
        self.assert_refused(self.token(iss=self.base + "/{tenant}/v2.0"), "issuer_unknown")

    def test_any(self):
        self.served(any_tenant=True)
        self.assert_admitted(self.of("whoever"))
        self.assert_refused(self.token(iss=self.base), "issuer_unknown")

    def test_a_key_that_names_its_issuer_signs_for_that_one_alone(self):
        self.served(any_tenant=True)
        self.assert_admitted(self.of("consumers", self.private))
        for tenant in ("one", "consumers2"):
            self.assert_refused(self.of(tenant, self.private), "kid_unknown")
        self.assert_refused(self.private.token(self.claims(iss=self.base + "/one/v2.0"), kid="common"), "signature_invalid")

    def test_revocations_go_by_the_tenants_own_issuer(self):
        self.served(any_tenant=True)
        one, two = (self.of(tenant, sub="alice") for tenant in ("one", "two"))
        self.assert_admitted(one)
        self.proxy.revoke(sub="alice", issuer=self.base + "/one/v2.0")
        self.assert_refused(one, "revoked")
        self.assert_admitted(two)
        self.proxy.revoke(issuer=self.base + "/two/v2.0")
        self.assert_refused(two, "revoked")
        self.assert_admitted(self.of("three"))

    def test_what_is_refused_at_load(self):
        base = "upstream: http://127.0.0.1:1\nissuers:\n  - any_audience: true\n    "
        good = "issuer: 'https://l.test/{tenant}/v2'\n    jwks_uri: https://l.test/keys\n    "
        for text, word in ((good, "needs `tenants`"), (good + "tenants: [a]\n    any_tenant: true", "tenants"),
                           (good + "tenants: ['a/b']", "not a tenant's name"),
                           ("issuer: 'https://l.test/{tenant}/v2'\n    any_tenant: true", "discovery_url or jwks_uri"),
                           (good.replace("l.test/{tenant}", "{tenant}.test") + "any_tenant: true", "in the path"),
                           (good.replace("{tenant}", "{tenant}{tenant}") + "any_tenant: true", "once"),
                           (good.replace("{tenant}", "{realm}") + "any_tenant: true", "{tenant}"),
                           ("issuer: https://l.test\n    tenants: [a]", "goes with an issuer that has {tenant}")):
            with self.subTest(text):
                done = run_cli("check", "--config-yaml", base + text)
                self.assertEqual(done.returncode, 78, done.stdout)
                self.assertIn(word, done.stderr + done.stdout)


if __name__ == "__main__":
    unittest.main()
