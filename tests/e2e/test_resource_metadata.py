"""Protected resource metadata (RFC 9728): what a client without a token is told."""

import json
import os
import sys
import unittest
from urllib.parse import urlsplit

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

from oidc_provider import OidcProvider  # noqa: E402
from proxied import ProxiedTestCase, challenge, check_refusal  # noqa: E402
from tokens import rsa_key  # noqa: E402

WELL_KNOWN = "/.well-known/oauth-protected-resource"
API = "https://api.example.com"


class Metadata(ProxiedTestCase):
    @classmethod
    def prepare(cls):
        cls.key = rsa_key("k1", "RS256")
        cls.issuer, cls.second = cls.shared_issuer([cls.key]), cls.shared_issuer([cls.key], path="/second")
        cls.proxy = cls.shared_signet(cls.configuration(
            cls.issuer_entry(cls.issuer, name="first"), cls.issuer_entry(cls.second, name="second"),
            resource={"identifier": API, "scopes_supported": ["read", "write"], "documentation": API + "/docs"},
            tokens={"from_headers": [{"name": "Authorization", "value_prefix": "Bearer "}],
                    "from_params": ["access_token"]},
            routes=[{"prefix": "/mcp", "issuers": ["second"], "require": {"scopes": ["tools"]},
                     "resource": {"identifier": API + "/mcp"}},
                    {"prefix": "/other", "resource": {"identifier": "https://other.example.com/mcp",
                                                      "authorization_servers": ["https://as.example.com"]}},
                    {"prefix": "/open", "access": "public"}, {"prefix": "/"}]))

    def metadata(self, path, method="GET", **headers):
        return self.proxy.ask(method, path, None, list(headers.items()))

    def test_the_document_needs_no_token_and_is_readable_from_anywhere(self):
        answer = self.metadata(WELL_KNOWN, Origin="https://app.example")
        self.assertEqual((answer.status, answer.header("Content-Type"), answer.header("Access-Control-Allow-Origin")),
                         (200, "application/json", "*"))
        self.assertEqual(answer.json(), {
            "resource": API, "authorization_servers": [self.issuer.url, self.second.url],
            "scopes_supported": ["read", "write"], "bearer_methods_supported": ["header", "query"],
            "resource_documentation": API + "/docs"})
        self.assertEqual(self.upstream.take(), [])

    def test_a_routes_own_is_at_the_path_of_its_identifier(self):
        found = self.metadata(WELL_KNOWN + "/mcp").json()
        self.assertEqual((found["resource"], found["authorization_servers"]), (API + "/mcp", [self.second.url]))
        self.assertNotIn("scopes_supported", found)

    def test_of_two_at_one_path_the_host_decides(self):
        for host, resource in (("api.example.com", API + "/mcp"), ("Other.example.com:8443", "https://other.example.com/mcp"),
                               ("unknown.example", API + "/mcp")):
            self.assertEqual(self.metadata(WELL_KNOWN + "/mcp", Host=host).json()["resource"], resource)

    def test_head_and_a_browsers_preflight(self):
        answer = self.metadata(WELL_KNOWN, "HEAD")
        self.assertEqual((answer.status, answer.body), (200, b""))
        self.assertGreater(int(answer.header("Content-Length")), 50)
        answer = self.metadata(WELL_KNOWN, "OPTIONS", Origin="https://app.example",
                               **{"Access-Control-Request-Method": "GET",
                                  "Access-Control-Request-Headers": "mcp-protocol-version"})
        self.assertEqual((answer.status, answer.header("Access-Control-Allow-Origin")), (204, "*"))
        self.assertIn("GET", answer.header("Access-Control-Allow-Methods"))
        self.assertEqual(answer.header("Access-Control-Allow-Headers"), "*")

    def test_it_is_read_only_and_ends_where_it_ends(self):
        answer = self.metadata(WELL_KNOWN, "POST")
        self.assertEqual((answer.status, answer.header("Allow")), (405, "GET, HEAD, OPTIONS"))
        for path in (WELL_KNOWN + "/", WELL_KNOWN + "/mcp/x", WELL_KNOWN + "x", WELL_KNOWN + "/MCP"):
            self.assert_refused(None, "token_missing", target=path)

    def test_two_questions_on_one_connection(self):
        with self.proxy.client() as client:
            for _ in range(2):
                self.assertEqual(self.proxy.ask("GET", WELL_KNOWN, client=client).status, 200)
            self.assert_admitted(self.token(), client=client)

    def test_every_challenge_points_there(self):
        for target, token, reason, url in (("/", None, "token_missing", API + WELL_KNOWN),
                                           ("/", "x.y.z", "token_malformed", API + WELL_KNOWN),
                                           ("/mcp", None, "token_missing", API + WELL_KNOWN + "/mcp"),
                                           ("/other", None, "token_missing",
                                            "https://other.example.com" + WELL_KNOWN + "/mcp")):
            answer = self.assert_refused(token, reason, target=target)
            self.assertEqual(challenge(answer)["resource_metadata"], url)
        answer = self.assert_refused(self.token(iss=self.second.url), "scope_insufficient", target="/mcp")
        said = challenge(answer)
        self.assertEqual((said["resource_metadata"], said["scope"]), (API + WELL_KNOWN + "/mcp", "tools"))

    def test_it_is_counted_and_logged_as_public(self):
        mark = self.proxy.mark()
        request_id = self.metadata(WELL_KNOWN).header("X-Request-Id")
        found = self.proxy.wait_log(lambda r: r.get("request_id") == request_id, mark, "its line")
        self.assertEqual((found["decision"], found["status"], found["path"]), ("public", 200, WELL_KNOWN))


class AServerOfTheModelContextProtocol(ProxiedTestCase):
    """The way of its clients: a challenge, the metadata, the authorization server, a token for this resource."""

    CHECK_AFTER = False

    def test_from_nothing_to_an_answer(self):
        provider = OidcProvider()
        self.addCleanup(provider.close)
        resource = "https://mcp.example.test/mcp"
        self.issuer = provider
        self.proxy = self.signet(self.configuration(
            {"issuer": provider.url, "audiences": [resource]},
            resource={"identifier": resource, "scopes_supported": ["mcp:tools"]},
            routes=[{"prefix": "/mcp", "require": {"scopes": ["mcp:tools"]}}]))
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}).encode()
        headers = [("Content-Type", "application/json"), ("Accept", "application/json, text/event-stream"),
                   ("MCP-Protocol-Version", "2025-06-18")]
        answer = self.proxy.ask("POST", "/mcp", None, headers, body)
        check_refusal(answer, "token_missing")
        told = challenge(answer)["resource_metadata"]
        document = self.proxy.ask("GET", urlsplit(told).path).json()
        self.assertEqual((document["resource"], document["authorization_servers"]), (resource, [provider.url]))
        token = provider.token(resource=document["resource"], scope=document["scopes_supported"][0])
        answer = self.proxy.ask("POST", "/mcp", token, headers, body)
        self.assertEqual(answer.status, 200, answer)
        seen = self.upstream.one()
        self.assertEqual((seen.method, seen.body, seen.header("MCP-Protocol-Version")), ("POST", body, "2025-06-18"))
        self.assertIsNone(seen.header("Authorization"))


if __name__ == "__main__":
    unittest.main()
