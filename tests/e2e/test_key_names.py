"""Names of issuers that the system's resolver does not answer for: they hold up nobody but their own issuer."""

import os
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

from proxied import ProxiedTestCase  # noqa: E402
from tokens import rsa_key  # noqa: E402

# Before the C library's own: names that begin with "slow" take their time, and are then not there; those that begin
# with "metadata" are where clouds keep their instances' credentials.
RESOLVER = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netdb.h>
#include <string.h>
#include <unistd.h>
int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **found)
{
    if (node && strncmp(node, "slow", 4) == 0) {
        sleep(SECONDS);
        return EAI_AGAIN;
    }
    if (node && strncmp(node, "metadata", 8) == 0)
        node = "169.254.169.254";
    int (*next)(const char *, const char *, const struct addrinfo *, struct addrinfo **) = dlsym(RTLD_NEXT, "getaddrinfo");
    return next(node, service, hints, found);
}
"""


class SlowNames(ProxiedTestCase):
    CHECK_AFTER = False

    @classmethod
    def prepare(cls):
        cls.folder = cls.enterClassContext(tempfile.TemporaryDirectory(prefix="signet-test-"))
        cls.key = rsa_key("k1", "RS256")

    def started(self, seconds, *entries):
        library = os.path.join(self.folder, "resolver-%d.so" % seconds)
        subprocess.run(["cc", "-shared", "-fPIC", "-DSECONDS=%d" % seconds, "-x", "c", "-o", library, "-", "-ldl"],
                       input=RESOLVER.encode(), check=True)
        # The address sanitizer wants to be the first library, and need not be.
        options = os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"
        self.proxy = self.signet(self.configuration(*entries), wait_ready=False,
                                 env={"LD_PRELOAD": library, "ASAN_OPTIONS": options})

    def slow(self, number):
        return self.issuer_entry("https://slow%d.test" % number, name="slow%d" % number, required_for_ready=False,
                                 refresh_interval="200ms")

    def by_name(self):
        """An issuer whose keys are looked up by a name as well."""
        self.issuer = self.own_issuer([self.key])
        return self.issuer_entry(self.issuer, name="good", refresh_interval="200ms",
                                 jwks_uri=self.issuer.jwks_uri.replace("127.0.0.1", "localhost"))

    def test_one_that_hangs_holds_up_no_other_and_not_the_end(self):
        self.started(60, self.slow(1), self.by_name(), self.slow(2))
        self.wait_admitted(self.token(), seconds=5)
        seen = self.issuer.count()
        newer = rsa_key("k2", "RS256")
        self.issuer.add_key(newer)
        self.wait_admitted(self.token(newer), seconds=5)
        self.assertGreater(self.issuer.count(), seen)
        # The end of the test is the end of the process, which waits for no look-up either.

    def test_a_name_that_leads_to_a_link_local_address_is_refused(self):
        self.started(1, self.issuer_entry("https://metadata.test", name="clouds"), self.by_name())
        self.wait_admitted(self.token())
        self.assert_refused(self.key.token(self.claims(iss="https://metadata.test")), "keys_unavailable")
        said = self.issuer_status(name="clouds")["last_error"]
        self.assertIn("metadata.test is a link-local address; allow_link_local: true permits it", said)

    def test_look_ups_that_nobody_waits_for_any_more_make_room(self):
        """They end after both of a discovery's documents have given up, 5 s each."""
        self.started(11, *(self.slow(number) for number in range(17)))
        self.proxy.wait_log(lambda r: "too many look-ups" in r.get("error", ""), what="the seventeenth to be told")
        entry = self.by_name()
        self.proxy.reload(self.configuration(entry))
        self.wait_admitted(self.token(), seconds=20)


if __name__ == "__main__":
    unittest.main()
