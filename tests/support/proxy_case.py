"""What most of the proxy's tests start from: one issuer's key, one upstream, one instance.

    class Cases(ProxyTestCase):
        CONFIG = {"routes": [...]}          # laid over the usual configuration

        def test_something(self):
            answer = self.ask("/path", headers={"X-One": "1"})     # with a good token
            self.assert_refused(self.ask("/", token=None), 401, "token_missing")
"""

import tokens
import wire
from proxied import REASONS, challenge
from signet import SignetTestCase, deadline, wait_until  # noqa: F401  (for the tests)
from upstream import RecordingUpstream

ISSUER = "https://issuer.example"
AUDIENCE = "orders-api"
HOST = "app.example"
KEY = tokens.rsa_key("key-1", alg="RS256")


def good_token(**changes):
    return KEY.token(tokens.claims(ISSUER, **{"aud": AUDIENCE, **changes}))


T0 = good_token()
BAD_TOKEN = tokens.with_bad_signature(T0)


def milliseconds(seconds):
    """A duration for the configuration, stretched for slow builds."""
    return "%dms" % int(deadline(seconds) * 1000)


def issuer_config(**changes):
    return {"issuer": ISSUER, "audiences": [AUDIENCE], "jwks": tokens.jwks(KEY), **changes}


def configuration(upstream_url, **changes):
    """The usual configuration. The drain is short, so that no test waits for it."""
    found = {"upstream": upstream_url, "issuers": [issuer_config()], "timeouts": {},
             "log": {"level": "info"}}
    if "upstreams" in changes:
        del found["upstream"]
    found.update(changes)
    found["timeouts"] = {"drain": milliseconds(2), **found["timeouts"]}
    return found


class ProxyTestCase(SignetTestCase):
    """One upstream and one instance for the class; the upstream's record is new for each test."""

    CONFIG = {}
    UPSTREAM = {}
    token = T0

    @classmethod
    def settings(cls):
        """The configuration; overridden where it needs more than CONFIG."""
        return configuration(cls.upstream.url, **cls.CONFIG)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.upstream = RecordingUpstream(**cls.UPSTREAM)
        cls.addClassCleanup(cls.upstream.close)
        cls.proxy = cls.shared_signet(cls.settings())
        cls.proxy.remember_secret(T0)

    def setUp(self):
        self.upstream.forget()

    def tearDown(self):
        self.upstream.check()

    # -- asking --------------------------------------------------------------------------------

    def connect(self, **options):
        """A raw connection to the proxy, closed with the test."""
        connection = wire.Connection(self.proxy.port, **options)
        self.addCleanup(connection.close)
        return connection

    def ask(self, target="/", method="GET", headers=(), body=None, token=T0, host=HOST, **options):
        """One well-formed request on a connection of its own."""
        return wire.exchange(self.proxy.port,
                             wire.request(method, target, headers, body, host, token),
                             method=method, **options)

    def seen(self, *args, **options):
        """Asks, wants 200, and gives the request as the upstream saw it."""
        answer = self.ask(*args, **options)
        self.assertEqual(answer.status, 200, answer)
        return self.upstream.one()

    # -- judging -------------------------------------------------------------------------------

    def assert_refused(self, answer, status, code, method="GET"):
        """The refusal is this one, in the form that every refusal has."""
        self.assertEqual(answer.status, status, answer)
        request_id = answer.header("X-Request-Id")
        self.assertTrue(request_id, "no X-Request-Id: %r" % answer)
        self.assertEqual(answer.all("Cache-Control"), ["no-store"], answer)
        if method != "HEAD":
            self.assertEqual(answer.code, code, answer)
            problem = answer.json()
            self.assertEqual(problem["type"], "urn:signet:problem:" + code)
            self.assertEqual(problem["status"], status)
            self.assertEqual(problem["request_id"], request_id)
            self.assertTrue(problem["title"])
        error, said = REASONS[code][1], challenge(answer)
        if error is False:
            self.assertIsNone(said, answer)
        else:
            self.assertEqual((said["realm"], said.get("error")), ("signet", error), answer)
            self.assertEqual("error_description" in said, error is not None, answer)
        if status == 503:
            self.assertRegex(answer.header("Retry-After", ""), r"\A[0-9]+\Z")

    def assert_nothing_arrived(self):
        taken = self.upstream.take()
        self.assertEqual(taken, [], "the upstream was reached")
        self.assertEqual(self.upstream.received(), b"", "bytes reached the upstream")

    def assert_good_request_passes(self):
        """A good request on a fresh connection is 200; what it left behind is forgotten."""
        answer = self.ask("/good")
        self.assertEqual(answer.status, 200, answer)
        self.assertTrue([r for r in self.upstream.take() if r.target.endswith("/good")])
        self.upstream.forget()

    def assert_refusal(self, status, code, *args, method="GET", **options):
        """Asks; the answer is this refusal, nothing arrives, and a good request is still 200."""
        self.upstream.forget()
        answer = self.ask(*args, method=method, **options)
        self.assert_refused(answer, status, code, method)
        self.assert_nothing_arrived()
        self.assert_good_request_passes()
        return answer
