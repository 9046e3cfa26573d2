"""The example configurations for identity providers, each with tokens as that provider makes them.

What is started is the example's own text, with the addresses of the provider, the upstream and the listeners
replaced by those of the test. The tokens have the headers and claims that the providers document.
"""

import os
import re
import sys
import time
import unittest
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

from certificates import Authority  # noqa: E402
from command import REPOSITORY  # noqa: E402
from proxied import ProxiedTestCase  # noqa: E402
from tokens import ABSENT, oct_key, rsa_key  # noqa: E402

EXAMPLES = os.path.join(REPOSITORY, "config", "examples")


class Provider(ProxiedTestCase):
    """EXAMPLE: the file. HEADER: what the provider's tokens have in their header beside alg and kid.

    access(**changes) makes a good access token's claims; a claim that is ABSENT is left out.
    """

    EXAMPLE, HEADER = None, {"typ": "JWT"}

    @classmethod
    def prepare(cls):
        cls.key = rsa_key(uuid.uuid4().hex)
        cls.provider()

    @classmethod
    def start(cls, replaced, env=None):
        with open(os.path.join(EXAMPLES, cls.EXAMPLE), encoding="utf-8") as file:
            text = file.read()
        cls.headers = set(re.findall(r"header: ([\w-]+)", text))
        usual = {"listen: 0.0.0.0:8080": "listen: 127.0.0.1:0",
                 "upstream: http://127.0.0.1:3000": "upstream: " + cls.upstream.url}
        for old, new in {**usual, **replaced}.items():
            if old not in text:
                raise AssertionError("%s has no %s" % (cls.EXAMPLE, old))
            text = text.replace(old, new)
        if "\nhealth: " not in text:
            text += "health: 127.0.0.1:0\n"
        cls.proxy = cls.shared_signet(text + "admin: 127.0.0.1:0\nlog: {level: debug}\n", env=env)

    def signed(self, payload, **header):
        header = {"alg": "RS256", "kid": self.key.kid, **self.HEADER, **header}
        return self.key.token({k: v for k, v in payload.items() if v is not ABSENT},
                              {k: v for k, v in header.items() if v is not ABSENT})

    def token(self, **changes):
        return self.signed(self.access(**changes))

    def times(self, lifetime=3600, nbf=False):
        now = int(time.time())
        return {"iat": now - 5, "exp": now - 5 + lifetime, **({"nbf": now - 5} if nbf else {})}

    def assert_passed_on(self, token, promised, **request):
        """Admitted, with exactly these of the example's headers; the client's own copies do not arrive."""
        forged = [(name, "forged") for name in sorted(self.headers)]
        seen = self.assert_admitted(token, headers=forged, **request)
        found = {name: seen.all(name) for name in self.headers}
        self.assertEqual(found, {name: [promised[name]] if name in promised else [] for name in self.headers})
        self.assertEqual(set(promised) - self.headers, set())
        self.assertIsNone(seen.header("Authorization"))

    def assert_claim(self, token, reason, claim, **request):
        """Refused for this reason, and the answer names the claim's rule as the one that does not hold."""
        answer = self.assert_refused(token, reason, **request)
        self.assertIn("do not satisfy %s " % claim, answer.json()["detail"])


class Keycloak(Provider):
    EXAMPLE = "keycloak.yaml"
    ROLES = ["offline_access", "uma_authorization", "default-roles-prod"]

    @classmethod
    def provider(cls):
        cls.issuer = cls.shared_issuer([cls.key.jwk(alg="RS256")], path="/realms/prod")
        cls.start({"https://keycloak.example.com": cls.issuer.origin})

    def access(self, **changes):
        return {**self.times(300), "auth_time": int(time.time()) - 6, "jti": "onrtac:" + str(uuid.uuid4()),
                "iss": self.issuer.url, "aud": ["orders-api", "account"],
                "sub": "36fa0f91-f94d-4a0c-afed-6b7d952e47da", "typ": "Bearer", "azp": "shop-web",
                "sid": str(uuid.uuid4()), "acr": "1", "allowed-origins": ["https://shop.example.com"],
                "realm_access": {"roles": self.ROLES},
                "resource_access": {"account": {"roles": ["manage-account", "view-profile"]}},
                "scope": "openid profile email", "email_verified": True, "name": "Alice Liddell",
                "preferred_username": "alice", "email": "alice@example.com", **changes}

    def id_token(self, **changes):
        return self.signed({k: v for k, v in self.access(
            typ="ID", aud="shop-web", at_hash="MTIzNDU2Nzg5MDEyMzQ1Ng", nonce="n1").items()
            if k not in ("realm_access", "resource_access", "scope", "allowed-origins")} | changes)

    def test_access_tokens(self):
        promised = {"X-Auth-Subject": "36fa0f91-f94d-4a0c-afed-6b7d952e47da", "X-Auth-User": "alice",
                    "X-Auth-Client": "shop-web", "X-Auth-Roles": ",".join(self.ROLES)}
        self.assert_passed_on(self.token(), promised)
        # A client with the header type of RFC 9068 switched on.
        self.assert_passed_on(self.signed(self.access(aud="orders-api"), typ="at+jwt"), promised)

    def test_a_service_account(self):
        self.assert_passed_on(self.token(preferred_username="service-account-nightly", azp="nightly",
                                         aud="orders-api", sid=ABSENT, auth_time=ABSENT, realm_access=ABSENT,
                                         scope="profile email", clientHost="10.0.0.9",
                                         clientAddress="10.0.0.9", client_id="nightly"),
                              {"X-Auth-Subject": "36fa0f91-f94d-4a0c-afed-6b7d952e47da",
                               "X-Auth-Client": "nightly", "X-Auth-User": "service-account-nightly"})

    def test_without_the_audience_mapper(self):
        for aud in ("account", ["account", "broker"], ABSENT):
            self.assert_refused(self.token(aud=aud), "audience_mismatch")

    def test_another_realm(self):
        for iss in (self.issuer.origin + "/realms/master", self.issuer.url + "/",
                    self.issuer.origin + "/auth/realms/prod"):
            self.assert_refused(self.token(iss=iss), "issuer_unknown")

    def test_other_kinds_of_token(self):
        for aud in ("shop-web", "orders-api"):
            self.assert_refused(self.id_token(aud=aud), "typ_mismatch")
        self.assert_refused(self.token(typ="Logout", events={
            "http://schemas.openid.net/event/backchannel-logout": {}}), "typ_mismatch")
        refresh = self.access(typ="Refresh", aud=self.issuer.url)
        self.assert_refused(oct_key("a-secret-of-the-realm", "HS512", length=64).token(refresh),
                            "alg_not_allowed")
        self.assert_refused(self.signed(refresh), "typ_mismatch")

    def test_the_administrators_role_is_that_of_the_client(self):
        def with_roles(client, realm=()):
            return self.token(resource_access={"account": {"roles": ["view-profile"]}, **client},
                              realm_access={"roles": list(realm)})
        self.assert_admitted(with_roles({"orders-api": {"roles": ["viewer", "admin"]}}), "/admin/users")
        for token in (self.token(), with_roles({"orders-api": {"roles": ["viewer"]}}, ["admin"]),
                      with_roles({"other-api": {"roles": ["admin"]}})):
            self.assert_claim(token, "claim_not_allowed", "resource_access.orders-api.roles",
                              target="/admin/users")


TENANT, CUSTOMER = "aaaabbbb-0000-cccc-1111-dddd2222eeee", "bbbbcccc-1111-dddd-2222-eeee3333ffff"
PERSONAL = "9188040d-6c67-4c5b-b112-36a304b66dad"  # where Microsoft's own accounts live
API, WEB = "00001111-aaaa-2222-bbbb-3333cccc4444", "11112222-bbbb-3333-cccc-4444dddd5555"
DAEMON = "22223333-cccc-4444-dddd-5555eeee6666"
OID = "aaaaaaaa-0000-1111-2222-bbbbbbbbbbbb"


class Entra(Provider):
    """What the three examples for Microsoft have in common."""

    def signed(self, payload, **header):
        return super().signed(payload, **{"x5t": self.key.kid, **header})

    @classmethod
    def microsofts_key(cls, key=None, **more):
        return (key or cls.key).jwk(x5t=(key or cls.key).kid, **more)

    def common(self, tenant, **more):
        return {**self.times(4000, nbf=True), "aud": API, "aio": "AXQAi/8IAAAA", "oid": OID, "tid": tenant,
                "rh": "I", "sub": "HKZpfaHyWadeOouYlitjrI-KffTm222X5rrV3xDqfKQ", "uti": uuid.uuid4().hex[:22],
                **more}

    def v2(self, tenant=TENANT, **changes):
        return self.common(tenant, iss="%s/%s/v2.0" % (self.issuer.origin, tenant), azp=WEB, azpacr="0",
                           ver="2.0", scp="Orders.Read", name="Alice Liddell",
                           preferred_username="alice@contoso.com") | changes

    def v2_daemon(self, tenant=TENANT, **changes):
        return self.v2(tenant, azp=DAEMON, azpacr="1", scp=ABSENT, name=ABSENT, preferred_username=ABSENT,
                       idtyp="app", sub=OID, roles=["Orders.Read.All"]) | changes

    def v2_id_token(self, tenant=TENANT, **changes):
        return self.v2(tenant, azp=ABSENT, azpacr=ABSENT, scp=ABSENT, nonce="12345", aud=WEB) | changes


class EntraV2(Entra):
    EXAMPLE = "entra-v2.yaml"

    @classmethod
    def provider(cls):
        cls.issuer = cls.shared_issuer([], path="/%s/v2.0" % TENANT)
        cls.issuer.set_keys([cls.microsofts_key(issuer=cls.issuer.url)])
        cls.start({"https://login.microsoftonline.com": cls.issuer.origin})

    access = Entra.v2

    def test_a_users_token(self):
        self.assert_passed_on(self.token(roles=["Clerk", "Auditor"]), {
            "X-Auth-Subject": OID, "X-Auth-Tenant": TENANT, "X-Auth-Client": WEB,
            "X-Auth-Roles": "Clerk,Auditor"})

    def test_a_daemons_token(self):
        self.assert_passed_on(self.signed(self.v2_daemon()), {
            "X-Auth-Subject": OID, "X-Auth-Tenant": TENANT, "X-Auth-Client": DAEMON,
            "X-Auth-Roles": "Orders.Read.All"})
        for roles in (["Orders.Write.All"], ["Orders.Read"], ABSENT):
            self.assert_refused(self.signed(self.v2_daemon(roles=roles)), "scope_insufficient")

    def test_a_user_without_the_scope(self):
        for scp in ("Orders.Write", "Orders.Read.All", "orders.read", ABSENT):
            self.assert_refused(self.token(scp=scp), "scope_insufficient")
        self.assert_admitted(self.token(scp="Orders.Write Orders.Read"))

    def test_another_audience(self):
        for aud in ("00000003-0000-0000-c000-000000000000", "api://" + API, WEB):
            self.assert_refused(self.token(aud=aud), "audience_mismatch")

    def test_another_client(self):
        self.assert_claim(self.token(azp="33334444-dddd-5555-eeee-6666ffff7777"), "claim_invalid", "azp")

    def test_id_tokens(self):
        for changes in ({}, {"aud": API}, {"aud": API, "roles": ["Orders.Read.All"]}):
            self.assert_claim(self.signed(self.v2_id_token(**changes)), "claim_invalid", "azp")

    def test_another_tenant_or_version(self):
        self.assert_refused(self.token(tenant=CUSTOMER), "issuer_unknown")
        self.assert_refused(self.token(iss="https://sts.windows.net/%s/" % TENANT, ver="1.0"),
                            "issuer_unknown")

    def test_revocation_by_oid(self):
        gone = "cccccccc-0000-1111-2222-dddddddddddd"
        self.assert_admitted(self.token(oid=gone))
        self.proxy.revoke(sub=gone)
        self.assert_refused(self.token(oid=gone), "revoked")
        jti = "AAAAAAAAAAAAAAAAAAAAAA"
        self.assert_admitted(self.token(uti=jti))
        self.proxy.revoke(jti=jti)
        self.assert_refused(self.token(uti=jti), "revoked")


class EntraV1(Entra):
    EXAMPLE = "entra-v1.yaml"
    ISSUER = "https://sts.windows.net/%s/" % TENANT  # stays: nothing is fetched from there

    @classmethod
    def provider(cls):
        cls.issuer = cls.shared_issuer([cls.microsofts_key()], path="/" + TENANT)
        cls.issuer.discovery_changes = {"issuer": cls.ISSUER}
        cls.start({"https://login.microsoftonline.com": cls.issuer.origin})

    def access(self, **changes):
        return self.common(TENANT, iss=self.ISSUER, aud="api://" + API, acr="1", amr=["pwd", "mfa"],
                           appid=WEB, appidacr="0", family_name="Liddell", given_name="Alice",
                           ipaddr="192.0.2.7", scp="Orders.Read Orders.Write",
                           unique_name="alice@contoso.com", upn="alice@contoso.com", ver="1.0") | changes

    def test_a_users_token(self):
        promised = {"X-Auth-Subject": OID, "X-Auth-User": "alice@contoso.com", "X-Auth-Client": WEB}
        self.assert_passed_on(self.token(), promised)
        self.assert_passed_on(self.token(aud=API), promised)
        del promised["X-Auth-User"]  # a guest's has none
        self.assert_passed_on(self.token(upn=ABSENT, idp="https://sts.windows.net/%s/" % CUSTOMER), promised)

    def test_what_is_refused(self):
        self.assert_refused(self.token(aud="https://graph.microsoft.com"), "audience_mismatch")
        self.assert_refused(self.token(scp="Orders.Write"), "scope_insufficient")
        self.assert_refused(self.token(iss="https://sts.windows.net/%s/" % CUSTOMER, tid=CUSTOMER),
                            "issuer_unknown")
        self.assert_refused(self.token(iss=self.ISSUER.rstrip("/")), "issuer_unknown")
        self.assert_refused(self.signed(self.v2()), "issuer_unknown")
        self.assert_claim(self.token(appid="33334444-dddd-5555-eeee-6666ffff7777"), "claim_invalid", "appid")
        self.assert_claim(self.token(appid=ABSENT, appidacr=ABSENT, scp=ABSENT, aud=API, nonce="12345"),
                          "claim_invalid", "appid")

    def test_revocation_by_client(self):
        entry = self.proxy.revoke(client=WEB)
        self.assert_refused(self.token(), "revoked")
        self.assertEqual(self.proxy.admin("DELETE", "/v1/revocations/" + entry["id"]).status, 204)


class EntraManyTenants(Entra):
    EXAMPLE = "entra-many-tenants.yaml"

    @classmethod
    def provider(cls):
        cls.issuer = cls.shared_issuer([], path="/common/v2.0")
        cls.issuer.discovery_changes = {"issuer": cls.issuer.origin + "/{tenantid}/v2.0"}
        cls.personal = rsa_key(uuid.uuid4().hex)
        cls.issuer.set_keys([
            cls.microsofts_key(issuer=cls.issuer.origin + "/{tenantid}/v2.0",
                               cloud_instance_name="microsoftonline.com"),
            cls.microsofts_key(cls.personal, issuer="%s/%s/v2.0" % (cls.issuer.origin, PERSONAL))])
        cls.start({"https://login.microsoftonline.com": cls.issuer.origin})

    access = Entra.v2

    def test_each_tenant(self):
        for tenant in (TENANT, CUSTOMER):
            self.assert_passed_on(self.token(tenant=tenant), {"X-Auth-Subject": OID, "X-Auth-Tenant": tenant})
        self.assert_admitted(self.token(tenant=CUSTOMER, azp="33334444-dddd-5555-eeee-6666ffff7777"))

    def test_others(self):
        for tenant in ("ccccdddd-2222-eeee-3333-ffff4444aaaa", PERSONAL, "common", "{tenantid}",
                       TENANT.upper()):
            self.assert_refused(self.token(tenant=tenant), "issuer_unknown")
        # The key of the personal accounts does not sign for a tenant.
        theirs = {"alg": "RS256", "typ": "JWT", "kid": self.personal.kid}
        self.assert_refused(self.personal.token(self.access(), theirs), "kid_unknown")

    def test_other_audiences_scopes_and_kinds(self):
        self.assert_refused(self.token(tenant=CUSTOMER, aud=WEB), "audience_mismatch")
        self.assert_refused(self.token(tenant=CUSTOMER, scp="User.Read"), "scope_insufficient")
        for tenant in (TENANT, CUSTOMER):
            self.assert_claim(self.signed(self.v2_id_token(tenant, aud=API)), "claim_invalid", "azp")

    def test_a_route_of_our_own_tenant(self):
        self.assert_admitted(self.token(scp="Orders.Operate"), "/operations/x")
        self.assert_claim(self.token(tenant=CUSTOMER, scp="Orders.Operate"), "claim_not_allowed", "tid",
                          target="/operations/x")
        self.assert_refused(self.token(), "scope_insufficient", target="/operations/x")


class Cognito(Provider):
    EXAMPLE, HEADER = "cognito.yaml", {}
    CLIENT, SUB = "1h57kf5cpq17m0eml12EXAMPLE", "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"

    @classmethod
    def provider(cls):
        cls.issuer = cls.shared_issuer([cls.key.jwk(alg="RS256")], path="/eu-west-1_Example01")
        cls.start({"https://cognito-idp.eu-west-1.amazonaws.com": cls.issuer.origin})

    def access(self, **changes):
        return {**self.times(), "auth_time": int(time.time()) - 6, "sub": self.SUB, "iss": self.issuer.url,
                "version": 2, "cognito:groups": ["clerks", "auditors"], "client_id": self.CLIENT,
                "origin_jti": str(uuid.uuid4()), "event_id": str(uuid.uuid4()), "token_use": "access",
                "scope": "openid orders/read", "jti": str(uuid.uuid4()), "username": "alice", **changes}

    def id_token(self, **changes):
        return self.token(**{
            "token_use": "id", "aud": self.CLIENT, "client_id": ABSENT, "scope": ABSENT, "version": ABSENT,
            "username": ABSENT, "cognito:username": "alice", "email": "alice@example.com",
            "email_verified": True, "at_hash": "x" * 22, **changes})

    def assert_admitted(self, token, target="/orders/7", **more):
        return super().assert_admitted(token, target, **more)

    def assert_refused(self, token, *reasons, target="/orders/7", **more):
        return super().assert_refused(token, *reasons, target=target, **more)

    def test_access_tokens(self):
        self.assertNotIn("aud", self.access())
        self.assert_passed_on(self.token(), {"X-Auth-Subject": self.SUB, "X-Auth-User": "alice",
                                             "X-Auth-Groups": "clerks,auditors"})
        # A machine's.
        self.assert_passed_on(self.token(sub=self.CLIENT, username=ABSENT, scope="orders/read",
                                         event_id=ABSENT, origin_jti=ABSENT, **{"cognito:groups": ABSENT}),
                              {"X-Auth-Subject": self.CLIENT})

    def test_another_client(self):
        for client in ("2other7client", ABSENT):
            self.assert_refused(self.token(client_id=client), "audience_mismatch")
        # An aud, as tokens for a resource have it, does not stand in for the client.
        self.assert_refused(self.token(client_id="2other7client", aud=self.CLIENT), "audience_mismatch")
        self.assert_refused(self.token(client_id=ABSENT, aud=self.CLIENT), "audience_mismatch")

    def test_id_tokens(self):
        self.assert_refused(self.id_token(), "typ_mismatch")
        self.assert_refused(self.id_token(client_id=self.CLIENT, scope="orders/read"), "typ_mismatch")
        self.assert_claim(self.token(token_use=ABSENT), "claim_invalid", "token_use")

    def test_another_pool(self):
        self.assert_refused(self.token(iss=self.issuer.origin + "/eu-west-1_Example02"), "issuer_unknown")

    def test_scopes(self):
        for scope in ("aws.cognito.signin.user.admin", "openid", "orders/write", "read"):
            self.assert_refused(self.token(scope=scope), "scope_insufficient")
        self.assert_refused(self.token(), "scope_insufficient", method="POST")
        self.assert_admitted(self.token(scope="orders/read orders/write"), method="POST")
        self.assert_refused(self.token(), "no_route", target="/")


class Auth0(Provider):
    EXAMPLE = "auth0.yaml"
    AUDIENCE, SUB = "https://orders.example.com", "auth0|5f7c8ec7c33c6c004bbafe82"

    @classmethod
    def provider(cls):
        cls.issuer = cls.shared_issuer([cls.key.jwk(alg="RS256", x5t="x" * 27)])
        cls.issuer.discovery_changes = {"issuer": cls.issuer.origin + "/"}
        cls.start({"https://example.eu.auth0.com": cls.issuer.origin})

    def access(self, **changes):
        return {**self.times(86400), "iss": self.issuer.origin + "/", "sub": self.SUB,
                "aud": [self.AUDIENCE, self.issuer.origin + "/userinfo"], "azp": "my_client_id",
                "scope": "openid profile read:orders", "permissions": ["read:orders", "write:orders"],
                self.AUDIENCE + "/roles": ["clerk"], **changes}

    def assert_admitted(self, token, target="/orders/7", **more):
        return super().assert_admitted(token, target, **more)

    def assert_refused(self, token, *reasons, target="/orders/7", **more):
        return super().assert_refused(token, *reasons, target=target, **more)

    def test_access_tokens(self):
        promised = {"X-Auth-Subject": self.SUB, "X-Auth-Permissions": "read:orders,write:orders",
                    "X-Auth-Roles": "clerk"}
        self.assert_passed_on(self.token(), promised)
        # The token profile of RFC 9068, which an API may be set to.
        self.assert_passed_on(self.signed(self.access(azp=ABSENT, client_id="my_client_id", jti="f1n3"),
                                          typ="at+jwt"), promised)

    def test_a_machines_token(self):
        self.assert_passed_on(self.token(sub="my_client_id@clients", aud=self.AUDIENCE,
                                         gty="client-credentials", scope="read:orders",
                                         permissions=["read:orders"],
                                         **{self.AUDIENCE + "/roles": ABSENT}),
                              {"X-Auth-Subject": "my_client_id@clients", "X-Auth-Permissions": "read:orders"})

    def test_another_audience(self):
        userinfo = self.issuer.origin + "/userinfo"
        for aud in ([userinfo], ["https://other.example.com", userinfo], self.issuer.origin + "/api/v2/",
                    self.AUDIENCE + "/"):
            self.assert_refused(self.token(aud=aud), "audience_mismatch")

    def test_id_tokens(self):
        self.assert_refused(self.token(aud="my_client_id", azp=ABSENT, scope=ABSENT, permissions=ABSENT,
                                       nonce="n", sid="s1", nickname="alice", email="alice@example.com",
                                       email_verified=True), "audience_mismatch")

    def test_tokens_that_only_auth0_can_read(self):
        self.assert_refused("eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..MTIzNDU2Nzg5MDEy.YWJjZGVmZ2hpamts"
                            ".MTIzNDU2Nzg5MDEyMzQ1Ng", "token_malformed")

    def test_the_issuer_with_its_slash(self):
        self.assert_refused(self.token(iss=self.issuer.origin), "issuer_unknown")
        self.assert_refused(oct_key(None, "HS256").token(self.access()), "alg_not_allowed")

    def test_scopes_and_permissions(self):
        self.assert_refused(self.token(scope="openid profile"), "scope_insufficient")
        self.assert_admitted(self.token(scope="openid"), method="POST")
        for permissions in (["read:orders"], [], ABSENT):
            self.assert_claim(self.token(scope="read:orders write:orders", permissions=permissions),
                              "claim_not_allowed", "permissions", method="POST")


class Okta(Provider):
    EXAMPLE, HEADER = "okta.yaml", {}
    WEB, DAEMON, UID = "0oa1exampleWebApp0h7", "0oa2exampleDaemon0h7", "00u1exampleUser00h7"

    @classmethod
    def provider(cls):
        cls.issuer = cls.shared_issuer([cls.key.jwk(alg="RS256")], path="/oauth2/default")
        cls.start({"https://example.okta.com": cls.issuer.origin})

    def access(self, **changes):
        return {**self.times(), "ver": 1, "jti": "AT." + uuid.uuid4().hex, "iss": self.issuer.url,
                "aud": "api://default", "cid": self.WEB, "uid": self.UID, "scp": ["openid", "orders.read"],
                "auth_time": int(time.time()) - 6, "sub": "alice@example.com", **changes}

    def test_access_tokens(self):
        self.assert_passed_on(self.token(groups=["Everyone", "Clerks"]), {
            "X-Auth-Subject": "alice@example.com", "X-Auth-User-Id": self.UID,
            "X-Auth-Groups": "Everyone,Clerks"})
        self.assert_passed_on(self.token(cid=self.DAEMON, sub=self.DAEMON, uid=ABSENT, auth_time=ABSENT,
                                         scp=["orders.read"]), {"X-Auth-Subject": self.DAEMON})

    def test_what_is_refused(self):
        self.assert_refused(self.token(aud="api://other"), "audience_mismatch")
        self.assert_claim(self.token(cid="0oa3exampleOther00h7"), "claim_invalid", "cid")
        for scp in (["openid"], ["orders.write"], [], ABSENT):
            self.assert_refused(self.token(scp=scp), "scope_insufficient")
        for path in ("", "/oauth2/other", "/oauth2/default/"):
            self.assert_refused(self.token(iss=self.issuer.origin + path), "issuer_unknown")

    def test_id_tokens(self):
        for aud in (self.WEB, "api://default"):
            self.assert_claim(self.token(jti="ID." + uuid.uuid4().hex, aud=aud, cid=ABSENT, uid=ABSENT,
                                         scp=ABSENT, sub=self.UID, amr=["pwd"], idp="00o1exampleIdp000h7",
                                         at_hash="x" * 22, preferred_username="alice@example.com"),
                              "claim_invalid", "cid")


class Google(Provider):
    EXAMPLE = "google.yaml"
    CLIENT = "407408718192-example.apps.googleusercontent.com"

    @classmethod
    def provider(cls):
        cls.issuer = cls.shared_issuer([cls.key.jwk(alg="RS256")])
        cls.start({"https://accounts.google.com": cls.issuer.origin})

    def access(self, **changes):
        return {**self.times(), "iss": self.issuer.url, "azp": self.CLIENT, "aud": self.CLIENT,
                "sub": "110169484474386276334", "hd": "example.com", "email": "alice@example.com",
                "email_verified": True, "at_hash": "HK6E_P6Dh8Y93mRNtsDB1Q",
                "nonce": "0394852-3190485-2490358", "name": "Alice Liddell", "given_name": "Alice",
                "family_name": "Liddell", **changes}

    def test_id_tokens(self):
        self.assert_passed_on(self.token(), {"X-Auth-Subject": "110169484474386276334",
                                             "X-Auth-Email": "alice@example.com"})
        # From an application on a phone: its own client asked, for ours.
        self.assert_admitted(self.token(azp="407408718192-phone.apps.googleusercontent.com", nonce=ABSENT))

    def test_another_domain(self):
        for changes in ({"hd": "example.org", "email": "mallory@example.org"}, {"hd": "sub.example.com"},
                        {"hd": ABSENT, "email": "mallory@gmail.com"}, {"hd": ABSENT}, {"hd": "EXAMPLE.com"}):
            self.assert_claim(self.token(**changes), "claim_invalid", "hd")

    def test_an_address_that_was_not_verified(self):
        for verified in (False, "true", ABSENT):
            self.assert_claim(self.token(email_verified=verified), "claim_invalid", "email_verified")

    def test_another_client(self):
        self.assert_refused(self.token(aud="1-other.apps.googleusercontent.com", azp=self.CLIENT),
                            "audience_mismatch")

    def test_what_else_google_gives(self):
        self.assert_refused("ya29.a0AfH6SMBexampleexampleexampleexample", "token_malformed")
        # The ID token of a service account.
        self.assert_claim(self.token(sub="113774264463038321964", azp="113774264463038321964", hd=ABSENT,
                                     email="robot@project.iam.gserviceaccount.com", at_hash=ABSENT,
                                     nonce=ABSENT), "claim_invalid", "hd")
        self.assert_refused(self.token(iss="accounts.google.com"), "issuer_unknown")


class KubernetesServiceAccounts(Provider):
    EXAMPLE, HEADER = "kubernetes-service-accounts.yaml", {}
    ISSUER = "https://kubernetes.default.svc.cluster.local"  # stays: nothing is fetched from there

    @classmethod
    def provider(cls):
        authority = Authority(cls)
        files = authority.issue("127.0.0.1")
        cls.issuer = cls.shared_issuer([cls.key.jwk(alg="RS256")],
                                       tls=(files.certificate_file, files.private_key_file))
        os.rename(authority.ca_file, os.path.join(authority.directory, "ca.crt"))
        cls.own_token = cls.signed(cls, cls.access(cls, aud=["https://kubernetes.default.svc.cluster.local"]))
        with open(os.path.join(authority.directory, "token"), "w", encoding="ascii") as file:
            file.write(cls.own_token)
        cls.start({"https://kubernetes.default.svc/openid/v1/jwks": cls.issuer.jwks_uri,
                   "health: 0.0.0.0:9902": "health: 127.0.0.1:0"},
                  env={"SERVICE_ACCOUNT_DIR": authority.directory})
        cls.proxy.remember_secret(cls.own_token)

    def access(self, namespace="shop", account="checkout", **changes):
        return {**Provider.times(None, 3607, nbf=True), "iss": KubernetesServiceAccounts.ISSUER,
                "aud": ["orders-api"], "jti": str(uuid.uuid4()),
                "sub": "system:serviceaccount:%s:%s" % (namespace, account),
                "kubernetes.io": {"namespace": namespace,
                                  "node": {"name": "node-1", "uid": "646e7c5e-32d6-4d42-9dbd-e504e6cbe6b1"},
                                  "pod": {"name": account + "-69dbf",
                                          "uid": "5e0bd49b-f040-43b0-99b7-22765a53f7f3"},
                                  "serviceaccount": {"name": account,
                                                     "uid": "14ee3fa4-a7e2-420f-9f9a-dbc4507c3798"}},
                **changes}

    def test_the_keys_are_fetched_as_a_service_account(self):
        self.assertEqual(self.issuer.fetches()[0].header("Authorization"), "Bearer " + self.own_token)
        self.assertEqual((self.issuer.count("discovery"), self.issuer.count("metadata")), (0, 0))

    def test_service_accounts_that_may_call(self):
        for account in ("checkout", "cart"):
            self.assert_passed_on(self.token(account=account), {
                "X-Auth-Subject": "system:serviceaccount:shop:" + account, "X-Auth-Namespace": "shop",
                "X-Auth-Service-Account": account})

    def test_service_accounts_that_may_not(self):
        for changes in ({"account": "default"}, {"namespace": "batch"}, {"namespace": "shop2"}):
            self.assert_claim(self.token(**changes), "claim_not_allowed", "sub")

    def test_a_namespace(self):
        self.assert_admitted(self.token(namespace="batch", account="nightly"), "/internal/run")
        for token in (self.token(), self.token(**{"kubernetes.io": ABSENT})):
            self.assert_claim(token, "claim_not_allowed", "/kubernetes.io/namespace", target="/internal/run")

    def test_tokens_for_the_api_server(self):
        self.assert_refused(self.own_token, "audience_mismatch")
        # As kubelet stretches them to a year for old clients.
        year = {**self.times(31536000), "aud": [self.ISSUER, "orders-api"]}
        year["kubernetes.io"] = {**self.access()["kubernetes.io"], "warnafter": year["iat"] + 3607}
        self.assert_refused(self.token(**year), "lifetime_too_long")

    def test_tokens_from_secrets(self):
        old = {"iss": "kubernetes/serviceaccount", "sub": "system:serviceaccount:shop:checkout",
               "kubernetes.io/serviceaccount/namespace": "shop",
               "kubernetes.io/serviceaccount/secret.name": "checkout-token",
               "kubernetes.io/serviceaccount/service-account.name": "checkout"}
        self.assert_refused(self.signed(old), "issuer_unknown")
        self.assert_refused(self.signed({**old, "iss": self.ISSUER}), "claim_missing")


if __name__ == "__main__":
    unittest.main()
