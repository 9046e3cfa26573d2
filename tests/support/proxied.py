"""The usual scene: an issuer, an upstream, the proxy between them, and how refusals are judged.

    class Something(ProxiedTestCase):
        @classmethod
        def prepare(cls):
            cls.key = rsa_key("k1", "RS256")
            cls.issuer = cls.shared_issuer([cls.key])
            cls.proxy = cls.shared_signet(cls.configuration(cls.issuer))

        def test_an_expired_token_is_refused(self):
            self.assert_refused(self.token(exp=1), "expired")

After every test a good request on a fresh connection must be admitted.
"""

import datetime
import re

from asking import wait_until
from issuer import Issuer
from signet import SignetTestCase
from tokens import claims
from upstream import RecordingUpstream

AUDIENCE = "orders-api"

# reason -> (status, RFC 6750 error); None: a WWW-Authenticate without error; False: none at all
REASONS = {"token_missing": (401, None), "multiple_tokens": (400, "invalid_request"),
           "scope_insufficient": (403, "insufficient_scope"),
           "insufficient_user_authentication": (401, "insufficient_user_authentication"),
           "claim_not_allowed": (403, False), "csrf_rejected": (403, False),
           "keys_unavailable": (503, False), "revocation_stale": (503, False),
           "overloaded": (503, False), "no_route": (404, False), "bad_request": (400, False),
           "upstream_unreachable": (502, False), "upstream_timeout": (504, False)}
for _reason in ("token_malformed token_too_large encryption_required decryption_failed "
                "alg_not_allowed kid_unknown signature_invalid "
                "expired not_yet_valid issuer_unknown audience_mismatch typ_mismatch "
                "crit_unsupported claim_missing claim_invalid lifetime_too_long revoked").split():
    REASONS[_reason] = (401, "invalid_token")


def challenge(answer):
    """The parameters of `WWW-Authenticate: Bearer …`, or None without that header."""
    values = answer.header_all("WWW-Authenticate")
    if not values:
        return None
    if len(values) != 1 or not values[0].startswith("Bearer "):
        raise AssertionError("not one Bearer challenge: %r" % values)
    return dict(re.findall(r'([a-z_]+)="((?:[^"\\]|\\.)*)"', values[0]))


def check_refusal(answer, *reasons):
    """The answer is a refusal for one of these reasons, and is shaped as the contract says."""
    if answer.code not in reasons:
        raise AssertionError("expected %s, got %r" % (" or ".join(reasons), answer))
    status, error = REASONS[answer.code]
    problem = answer.json()
    wanted = {"type": "urn:signet:problem:" + answer.code, "status": status, "code": answer.code}
    for name, value in wanted.items():
        if problem.get(name) != value:
            raise AssertionError("%s should be %r in %r" % (name, value, answer))
    for name in ("title", "detail", "request_id"):
        if not isinstance(problem.get(name), str) or not problem[name]:
            raise AssertionError("no %s in %r" % (name, answer))
    if answer.status != status or answer.header("Cache-Control") != "no-store" \
            or answer.header("X-Request-Id") != problem["request_id"]:
        raise AssertionError("status, Cache-Control or X-Request-Id of %r" % answer)
    said = challenge(answer)
    if error is False:
        if said is not None:
            raise AssertionError("a challenge where none belongs: %r" % answer)
    elif said is None or said.get("realm") != "signet" or said.get("error") != error:
        raise AssertionError("expected a challenge with error %r: %r" % (error, answer))
    if status == 503 and not (answer.header("Retry-After") or "").isdigit():
        raise AssertionError("no Retry-After in %r" % answer)
    return answer


def moment(value):
    """A time as the admin API may write it (Unix seconds or RFC 3339), as Unix seconds."""
    if isinstance(value, (int, float)):
        return float(value)
    return datetime.datetime.fromisoformat(value.replace("Z", "+00:00")).timestamp()


class ProxiedTestCase(SignetTestCase):
    """Override prepare(); see the module's text. CHECK_AFTER = False: no good request at the end."""

    CHECK_AFTER = True
    proxy = key = issuer = None

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.upstream = RecordingUpstream()
        cls.addClassCleanup(cls.upstream.close)
        cls.prepare()

    @classmethod
    def prepare(cls):
        """Sets cls.key, cls.issuer and cls.proxy."""

    @classmethod
    def shared_issuer(cls, keys, **options):
        issuer = Issuer(keys, **options)
        cls.addClassCleanup(issuer.close)
        return issuer

    def own_issuer(self, keys, **options):
        issuer = Issuer(keys, **options)
        self.addCleanup(issuer.close)
        return issuer

    @staticmethod
    def issuer_entry(issuer, **settings):
        """A configuration entry for an Issuer; audiences are set unless any_audience is."""
        entry = {"issuer": issuer if isinstance(issuer, str) else issuer.url}
        if "any_audience" not in settings:
            entry["audiences"] = [AUDIENCE]
        entry.update(settings)
        return entry

    @classmethod
    def configuration(cls, *issuers, **settings):
        """issuers: Issuers or ready entries. The log is at its most talkative: tokens must not
        stand there either."""
        entries = [i if isinstance(i, dict) else cls.issuer_entry(i) for i in issuers]
        return {"upstream": cls.upstream.url, "issuers": entries, "log": {"level": "debug"},
                "timeouts": {"drain": "5s"}, **settings}

    def setUp(self):
        super().setUp()
        self.upstream.forget()

    def tearDown(self):
        self.upstream.check()
        if self.CHECK_AFTER and self.proxy is not None and self.proxy.process is not None:
            self.assert_admitted(self.token())
        super().tearDown()

    # -- tokens --------------------------------------------------------------------------------

    def claims(self, **changes):
        if "iss" not in changes:
            changes["iss"] = self.issuer.url
        return claims(**{"aud": AUDIENCE, **changes})

    def token(self, key=None, **changes):
        """A good token, with changed claims."""
        return (key or self.key).token(self.claims(**changes))

    # -- judging -------------------------------------------------------------------------------

    def assert_admitted(self, token, target="/", method="GET", proxy=None, headers=(), body=None,
                        client=None):
        """200, and the upstream saw exactly this one request, which is returned."""
        proxy = proxy or self.proxy
        answer = proxy.ask(method, target, token, headers, body, client)
        self.assertEqual(answer.status, 200, answer)
        return self.upstream.one()

    def assert_refused(self, token, *reasons, target="/", method="GET", proxy=None, headers=(),
                       body=None, client=None):
        """Refused for one of the reasons, and the upstream saw nothing."""
        proxy = proxy or self.proxy
        answer = proxy.ask(method, target, token, headers, body, client)
        check_refusal(answer, *reasons)
        self.assertEqual(self.upstream.take(), [], "the upstream saw a refused request")
        return answer

    # -- the issuer's side ---------------------------------------------------------------------

    def issuer_status(self, proxy=None, name=None):
        """What /v1/status says of one issuer (of the only one, or the one with that name)."""
        issuers = (proxy or self.proxy).status()["issuers"]
        found = [i for i in issuers if name is None or i["name"] == name]
        self.assertEqual(len(found), 1, issuers)
        return found[0]

    def refresh(self, issuer, proxy=None, name=None, place="jwks"):
        """Asks for a fetch, and waits until the issuer has seen one that is new."""
        proxy = proxy or self.proxy
        before = issuer.count(place)
        label = name or self.issuer_status(proxy)["name"]
        answer = proxy.admin("POST", "/v1/issuers/%s/refresh" % label)
        self.assertEqual(answer.status, 202, answer)
        wait_until(lambda: issuer.count(place) > before, "a fetch of %s" % place)

    def wait_admitted(self, token, proxy=None, seconds=10.0):
        """Until this token is admitted; for changes that take their time."""
        proxy = proxy or self.proxy
        wait_until(lambda: proxy.ask("GET", "/", token).status == 200, "the token to be admitted",
                   seconds)
        self.upstream.forget()

    def wait_refused(self, token, reason, proxy=None, seconds=10.0):
        """Until this token is refused for that reason."""
        proxy = proxy or self.proxy
        wait_until(lambda: proxy.ask("GET", "/", token).code == reason, "the token to be refused "
                   "as " + reason, seconds)
        self.upstream.forget()
