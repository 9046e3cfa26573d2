#!/usr/bin/python3
"""Against a real Keycloak: discovery, a service account's tokens, and the rotation of a realm's keys.

    sh tests/interop/keycloak.sh     # fetches what this needs, then runs it

KEYCLOAK_HOME is the unpacked distribution, JAVA the Java that runs it. Each class has a realm of its own
in the one Keycloak, which keeps everything in memory.
"""

import base64
import contextlib
import json
import os
import re
import secrets
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

from asking import ask, deadline, wait_until  # noqa: E402
from signet import SIGNET_BIN, SignetTestCase, run_cli  # noqa: E402
from upstream import RecordingUpstream  # noqa: E402

HOME = os.environ.get("KEYCLOAK_HOME", "")
AUDIENCE, CLIENT, ROLE = "orders-api", "machine", "orders-admin"
# Before a command: it ends with its parent even when that is killed.
TIED = ["setpriv", "--pdeathsig", "KILL", "--"] if shutil.which("setpriv") else []
KEY_PROVIDER = "org.keycloak.keys.KeyProvider"


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def part(token, index):
    """The header (0) or the payload (1) of a token, unverified."""
    text = token.split(".")[index]
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


def kid(token):
    return part(token, 0)["kid"]


class Keycloak:
    """`kc.sh start-dev` on a port of the system's choice, with its database in memory."""

    def __init__(self, home):
        self.directory = tempfile.mkdtemp(prefix="signet-keycloak-")
        self.log = os.path.join(self.directory, "log")
        self.user, self.password = "admin", secrets.token_hex(16)
        environment = {k: v for k, v in os.environ.items()
                       if not k.startswith(("KC_", "KEYCLOAK_", "JAVA", "DEBUG"))}
        environment.update(KC_BOOTSTRAP_ADMIN_USERNAME=self.user, KC_BOOTSTRAP_ADMIN_PASSWORD=self.password,
                           JAVA=self._java(), JAVA_OPTS_APPEND="-Djava.io.tmpdir=" + self.directory)
        # Without health and metrics there is no management listener; a port all the same, should one open.
        command = [os.path.join(home, "bin", "kc.sh"), "start-dev", "--db=dev-mem", "--http-host=127.0.0.1",
                   "--http-port=0", "--http-management-port=0"]
        started = time.monotonic()
        with open(self.log, "wb") as log:
            # A group of its own, for Java is a child of kc.sh or what kc.sh becomes, as it happens.
            self.process = subprocess.Popen(TIED + command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            env=environment, start_new_session=True)
        try:
            self.port, self.version = wait_until(self._listening, "Keycloak to listen", 240)
            wait_until(lambda: ask(self.port, "GET", "/realms/master", timeout=60).status == 200,
                       "Keycloak's master realm", 60)
        except BaseException:
            self.print_log()
            self.close()
            raise
        print("Keycloak %s is ready after %.0f s" % (self.version, time.monotonic() - started), flush=True)

    def _java(self):
        """Java as kc.sh will start it: ending with kc.sh, as kc.sh ends with the test."""
        path = os.path.join(self.directory, "java")
        with open(path, "w", encoding="utf-8") as file:
            file.write('#!/bin/sh\nexec %s "$@"\n' % shlex.join([*TIED, os.environ.get("JAVA", "java")]))
        os.chmod(path, 0o755)
        return path

    def _listening(self):
        if self.process.poll() is not None:
            raise AssertionError("Keycloak has ended by itself with %d" % self.process.returncode)
        with open(self.log, encoding="utf-8", errors="replace") as file:
            found = re.search(r"Keycloak (\S+) on JVM .*Listening on: http://127\.0\.0\.1:(\d+)", file.read())
        return found and (int(found.group(2)), found.group(1))

    def print_log(self, lines=40):
        print("\n--- the last lines of Keycloak's log", file=sys.stderr)
        with open(self.log, encoding="utf-8", errors="replace") as file:
            print("".join("    " + line[:600] for line in file.readlines()[-lines:]), file=sys.stderr)

    def close(self):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(deadline(30))
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)

    def tokens(self, realm, **form):
        """The token endpoint's answer."""
        answer = ask(self.port, "POST", "/realms/%s/protocol/openid-connect/token" % realm,
                     [("Content-Type", "application/x-www-form-urlencoded")],
                     urllib.parse.urlencode(form).encode(), timeout=60)
        if answer.status != 200:
            raise AssertionError("no token from Keycloak: %r" % answer)
        return answer.json()

    def admin(self, method, path, body=None):
        """Asks the admin API; gives the answer's JSON, or the Location of what was made."""
        # The administrator's token lives for a minute only: a new one each time.
        token = self.tokens("master", grant_type="password", client_id="admin-cli", username=self.user,
                            password=self.password)["access_token"]
        headers = [("Authorization", "Bearer " + token), ("Content-Type", "application/json")]
        answer = ask(self.port, method, "/admin/realms" + path, headers,
                     None if body is None else json.dumps(body).encode(), timeout=60)
        if answer.status not in (200, 201, 204):
            raise AssertionError("Keycloak refused %s %s: %r" % (method, path, answer))
        return answer.json() if answer.status == 200 else answer.header("Location")


class Realm:
    """A realm with one role, and a confidential client whose service account has it."""

    def __init__(self, keycloak, name):
        self.keycloak, self.name = keycloak, name
        self.url = "http://127.0.0.1:%d/realms/%s" % (keycloak.port, name)
        keycloak.admin("POST", "", {"realm": name, "enabled": True, "accessTokenLifespan": 1800})
        self.id = self.admin("GET", "")["id"]
        self.admin("POST", "/roles", {"name": ROLE})
        mapper = {"name": "audience", "protocol": "openid-connect", "protocolMapper": "oidc-audience-mapper",
                  "config": {"included.custom.audience": AUDIENCE, "access.token.claim": "true",
                             "id.token.claim": "true"}}
        self.user = self.service_account(CLIENT, protocolMappers=[mapper])
        self.admin("POST", "/users/%s/role-mappings/realm" % self.user, [self.admin("GET", "/roles/" + ROLE)])

    def admin(self, method, path, body=None):
        return self.keycloak.admin(method, "/" + self.name + path, body)

    def service_account(self, client, **settings):
        """Makes a client with one; gives the account's user id."""
        made = self.admin("POST", "/clients", {
            "clientId": client, "secret": client + "-secret", "publicClient": False,
            "standardFlowEnabled": False, "serviceAccountsEnabled": True, **settings})
        path = "/clients/%s/service-account-user" % made.rsplit("/", 1)[1]
        return self.admin("GET", path)["id"]

    def tokens(self, client=CLIENT, **form):
        return self.keycloak.tokens(self.name, grant_type="client_credentials", client_id=client,
                                    client_secret=client + "-secret", **form)

    def token(self, client=CLIENT):
        return self.tokens(client)["access_token"]

    # -- keys ----------------------------------------------------------------------------------

    def provider(self, key_id):
        """The component that a key comes from."""
        [found] = [k["providerId"] for k in self.admin("GET", "/keys")["keys"] if k.get("kid") == key_id]
        return self.admin("GET", "/components/" + found)

    def add_provider(self, kind, priority, **config):
        config = {"priority": str(priority), "enabled": "true", "active": "true", **config}
        self.admin("POST", "/components", {
            "name": "%s-%d" % (kind, priority), "providerId": kind, "providerType": KEY_PROVIDER,
            "parentId": self.id, "config": {name: [value] for name, value in config.items()}})

    def change_provider(self, component, **config):
        component["config"].update({name: [value] for name, value in config.items()})
        self.admin("PUT", "/components/" + component["id"], component)

    def published(self):
        """The key ids of the key set that anyone can fetch."""
        answer = ask(self.keycloak.port, "GET", "/realms/%s/protocol/openid-connect/certs" % self.name)
        return {key["kid"] for key in answer.json()["keys"]}


class KeycloakTestCase(SignetTestCase):
    keycloak = None

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.realm = Realm(cls.keycloak, cls.__name__.lower())
        cls.upstream = RecordingUpstream()
        cls.addClassCleanup(cls.upstream.close)
        roles = {"claim": "realm_access.roles"}
        cls.proxy = cls.shared_signet({
            "upstream": cls.upstream.url, "log": {"level": "debug"}, "timeouts": {"drain": "5s"},
            # By discovery. The cool-down is as good as none: the tests are faster than a real one.
            "issuers": [{"issuer": cls.realm.url, "name": "keycloak", "audiences": [AUDIENCE],
                         "refetch_cooldown": "1ms"}],
            "claim_to_headers": [
                {"claim": "sub", "header": "X-Auth-Subject", "required": True},
                {"claim": "azp", "header": "X-Auth-Client"},
                {**roles, "header": "X-Auth-Roles", "encoding": "csv"}],
            "routes": [
                {"prefix": "/admin", "require": {"claims": [{**roles, "any_of": [ROLE]}]}},
                {"prefix": "/other", "require": {"claims": [{**roles, "any_of": ["other"]}]}},
                {"prefix": "/"}]})

    def setUp(self):
        self.upstream.forget()

    def tearDown(self):
        self.upstream.check()

    def assert_admitted(self, token, target="/", headers=()):
        """200, and the upstream saw exactly this one request, which is returned."""
        answer = self.proxy.ask("GET", target, token, headers)
        self.assertEqual(answer.status, 200, answer)
        return self.upstream.one()

    def assert_refused(self, token, status, reason, target="/"):
        """Refused for this reason, and the upstream saw nothing."""
        answer = self.proxy.ask("GET", target, token)
        self.assertEqual((answer.status, answer.code), (status, reason), answer)
        self.assertEqual(self.upstream.take(), [], "the upstream saw a refused request")

    # -- what Signet knows of the realm's keys --------------------------------------------------

    def status(self):
        [found] = self.proxy.status()["issuers"]
        return found

    def kids(self):
        return {key["kid"] for key in self.status()["keys"]}

    def fetches(self):
        return self.proxy.metrics().value("signet_jwks_fetch_total", issuer="keycloak")

    def refresh(self):
        """Asks for a fetch, and waits until it is done."""
        before = self.fetches()
        answer = self.proxy.admin("POST", "/v1/issuers/keycloak/refresh")
        self.assertEqual(answer.status, 202, answer)
        wait_until(lambda: self.fetches() > before, "a fetch of the keys")


class Tokens(KeycloakTestCase):
    def test_a_service_account_is_admitted_and_its_roles_arrive(self):
        token = self.realm.token()
        payload = part(token, 1)
        self.assertEqual(payload["iss"], self.realm.url)
        roles = payload["realm_access"]["roles"]
        self.assertIn(ROLE, roles)
        forged = [("X-Auth-Roles", "root"), ("X_Auth_Client", "x")]
        for _ in range(2):  # the second time it is remembered
            request = self.assert_admitted(token, "/admin/7", forged)
            self.assertEqual(request.all("X-Auth-Subject"), [self.realm.user])
            self.assertEqual([value for _, value in request.like("X-Auth-Client")], [CLIENT])
            self.assertEqual([value for _, value in request.like("X-Auth-Roles")], [",".join(roles)])
            self.assertEqual(request.all("Authorization"), [])
        self.assert_refused(token, 403, "claim_not_allowed", "/other")

    def test_a_token_that_was_tampered_with_is_refused(self):
        token = self.realm.token()
        header, payload, signature = token.split(".")
        more = part(token, 1)
        more["realm_access"]["roles"].append("other")
        self.assert_refused(".".join((header, b64(json.dumps(more).encode()), signature)), 401,
                            "signature_invalid", "/other")
        other = ("B" if signature[0] == "A" else "A") + signature[1:]
        self.assert_refused(".".join((header, payload, other)), 401, "signature_invalid")
        none = b64(json.dumps({**part(token, 0), "alg": "none"}).encode())
        self.assert_refused(".".join((none, payload, signature)), 401, "alg_not_allowed")
        self.assert_refused(".".join((none, payload, "")), 401, "token_malformed")
        self.assert_admitted(token)

    def test_an_id_token_is_no_access_token(self):
        both = self.realm.tokens(scope="openid")
        self.assert_refused(both["id_token"], 401, "typ_mismatch")
        self.assert_admitted(both["access_token"])

    def test_a_token_for_another_service_is_refused(self):
        self.realm.service_account("stranger")
        self.assert_refused(self.realm.token("stranger"), 401, "audience_mismatch")

    def test_keys_for_encryption_are_skipped_and_named(self):
        # Every realm publishes an RSA-OAEP key beside the one that signs.
        status = self.status()
        self.assertEqual([(key["kty"], key["alg"]) for key in status["keys"]], [("RSA", "RS256")], status)
        self.assertEqual(len(status["skipped"]), 1, status)
        self.assertIn(status["skipped"][0]["kid"], self.realm.published())

    def test_check_online_and_explain_reach_the_realm(self):
        done = run_cli("check", "-c", self.proxy.config_file, "--online")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        done = run_cli("explain", "-c", self.proxy.config_file, stdin=self.realm.token())
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


class Rotation(KeycloakTestCase):
    def test_a_new_key_is_fetched_once_and_an_old_one_goes_when_it_is_disabled(self):
        old = self.realm.token()
        self.assert_admitted(old)
        before = self.fetches()

        self.realm.add_provider("rsa-generated", 200, keySize="2048", algorithm="RS256")
        new = self.realm.token()
        self.assertNotEqual(kid(new), kid(old))
        self.assertNotIn(kid(new), self.kids(), "the keys were fetched before the new one was needed")
        self.assert_admitted(new)
        self.assertEqual(self.fetches(), before + 1)
        self.assert_admitted(self.realm.token())
        self.assert_admitted(old)
        self.assertEqual(self.fetches(), before + 1)

        # Passive: it signs nothing more, and what it has signed is still good.
        provider = self.realm.provider(kid(old))
        self.realm.change_provider(provider, active="false")
        self.refresh()
        self.assertEqual(self.kids(), {kid(old), kid(new)})
        self.assert_admitted(old)

        self.realm.change_provider(provider, enabled="false")
        self.assertNotIn(kid(old), self.realm.published())
        self.assert_admitted(old)  # nobody has told Signet
        self.refresh()
        # Each worker takes new keys when it comes to it.
        wait_until(lambda: self.proxy.ask("GET", "/", old).status != 200, "the old token to be refused")
        self.upstream.forget()
        self.assertEqual(self.kids(), {kid(new)})
        self.assert_refused(old, 401, "kid_unknown")
        self.assert_admitted(new)


class Algorithms(KeycloakTestCase):
    def test_the_realm_changes_its_algorithm(self):
        tokens = [self.realm.token()]
        for priority, (alg, kind, config) in enumerate([
                ("PS256", "rsa-generated", {"algorithm": "PS256"}),
                ("RS512", "rsa-generated", {"algorithm": "RS512", "keySize": "4096"}),
                ("ES256", "ecdsa-generated", {"ecdsaEllipticCurveKey": "P-256"}),
                ("ES384", "ecdsa-generated", {"ecdsaEllipticCurveKey": "P-384"}),
                ("EdDSA", "eddsa-generated", {"eddsaEllipticCurveKey": "Ed25519"})], 200):
            with self.subTest(alg):
                self.realm.add_provider(kind, priority, **config)
                self.realm.admin("PUT", "", {"defaultSignatureAlgorithm": alg})
                tokens.append(self.realm.token())
                self.assertEqual(part(tokens[-1], 0)["alg"], alg)
                self.assert_admitted(tokens[-1])
        for token in tokens:
            self.assert_admitted(token)


def main():
    for what, path in (("Keycloak", os.path.join(HOME, "bin", "kc.sh")), ("Signet", SIGNET_BIN)):
        if not os.access(path, os.X_OK):
            print("no %s at %s; see tests/interop/keycloak.sh" % (what, path), file=sys.stderr)
            return 77 if what == "Keycloak" else 1
    # A time limit ends this as Ctrl-C does: Keycloak goes first.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    keycloak = KeycloakTestCase.keycloak = Keycloak(HOME)
    try:
        result = unittest.main(verbosity=2, exit=False).result
        if not result.wasSuccessful():
            keycloak.print_log()
        return 0 if result.wasSuccessful() and result.testsRun else 1
    finally:
        keycloak.close()


if __name__ == "__main__":
    sys.exit(main())
