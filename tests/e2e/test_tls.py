"""The TLS listener: versions, suites, and certificates that change while it serves."""

import json
import os
import ssl
import sys
import tempfile
import unittest
import warnings

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

import certificates  # noqa: E402
import tokens  # noqa: E402
from proxy_case import HOST, KEY, T0, ProxyTestCase, configuration, issuer_config, wait_until  # noqa: E402
from wire import Connection, exchange, request  # noqa: E402

# TLS 1.2 suites that no longer belong, by OpenSSL's names: without forward secrecy, with CBC and
# SHA-1, without authentication, without encryption. Those that OpenSSL cannot offer are passed over.
OLD_SUITES = ["AES128-SHA", "AES256-SHA", "AES128-GCM-SHA256", "AES256-GCM-SHA384", "AES128-SHA256",
              "CAMELLIA128-SHA", "DES-CBC3-SHA", "RC4-SHA", "ECDHE-RSA-AES128-SHA", "ECDHE-RSA-AES256-SHA",
              "DHE-RSA-AES128-SHA", "ECDHE-ECDSA-AES128-SHA", "PSK-AES128-CBC-SHA", "ADH-AES128-SHA",
              "ADH-AES128-GCM-SHA256", "AECDH-AES128-SHA", "NULL-SHA", "NULL-SHA256", "ECDHE-RSA-NULL-SHA"]


class TlsCase(ProxyTestCase):
    KIND = "EC"   # of the listener's key

    @classmethod
    def settings(cls):
        cls.authority = certificates.Authority(cls)
        cls.files = cls.authority.issue(HOST, kind=cls.KIND)
        return configuration(cls.upstream.url, **cls.CONFIG, listen={
            "address": "127.0.0.1:0", "tls": cls.files.config()})

    def secure(self, context=None):
        """A TLS connection, verified against the test's authority."""
        wire = Connection(self.proxy.port, tls=context or self.authority.client(), server_name=HOST)
        self.addCleanup(wire.close)
        return wire

    def ask(self, target="/", method="GET", headers=(), body=None, token=T0, host=HOST, **options):
        return exchange(self.proxy.port, request(method, target, headers, body, host, token), method=method,
                        tls=self.authority.client(), server_name=HOST, **options)

    def pinned(self, version):
        """A client's context for this one version, old ones included."""
        context = self.authority.client()
        context.set_ciphers("ALL:@SECLEVEL=0")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = context.maximum_version = version
        return context

    def served(self):
        with Connection(self.proxy.port, tls=self.authority.client(), server_name=HOST) as wire:
            return certificates.served_serial(wire.socket)


class Versions(TlsCase):
    KIND = "RSA"   # most old suites need an RSA key

    def test_tls_1_2_and_1_3_are_served(self):
        for version, name in ((ssl.TLSVersion.TLSv1_2, "TLSv1.2"), (ssl.TLSVersion.TLSv1_3, "TLSv1.3")):
            with self.subTest(name):
                wire = self.secure(self.pinned(version))
                self.assertEqual(wire.socket.version(), name)
                self.assertEqual(wire.send(request("GET", "/", token=T0)).answer().status, 200)
                self.assertEqual(wire.send(request("GET", "/")).answer().code, "token_missing")

    def test_older_versions_are_not(self):
        for version in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
            with self.subTest(version.name), self.assertRaises((ssl.SSLError, ConnectionError)):
                self.secure(self.pinned(version))
        self.assert_good_request_passes()

    def test_old_suites_are_not(self):
        for suite in OLD_SUITES:
            context = self.pinned(ssl.TLSVersion.TLSv1_2)
            try:
                context.set_ciphers(suite + ":@SECLEVEL=0")
            except ssl.SSLError:
                continue   # this OpenSSL cannot even offer it
            with self.subTest(suite), self.assertRaises((ssl.SSLError, ConnectionError)):
                self.secure(context)
        self.assert_good_request_passes()

    def test_http_1_1_is_agreed_on(self):
        context = self.authority.client()
        context.set_alpn_protocols(["h2", "http/1.1"])
        self.assertEqual(self.secure(context).socket.selected_alpn_protocol(), "http/1.1")
        self.assertIsNone(self.secure().socket.selected_alpn_protocol())

    def test_the_upstream_is_told_https(self):
        seen = self.seen("/", headers={"X-Forwarded-Proto": "http"})
        self.assertEqual((seen.all("X-Forwarded-Proto"), seen.all("X-Forwarded-For")), (["https"], ["127.0.0.1"]))

    def test_absolute_form_names_the_scheme(self):
        self.assertEqual(self.seen("https://app.example/x").target, "/x")

    def test_bodies_and_pipelining_work_as_without(self):
        body = os.urandom(1 << 20)
        wire = self.secure()
        wire.send(request("POST", "/a", body=body, token=T0) + request("GET", "/b", token=T0))
        self.assertEqual([wire.answer().status, wire.answer().status], [200, 200])
        first, second = self.upstream.take()
        self.assertEqual((first.body, second.target), (body, "/b"))

    def test_a_refused_body_is_drained_and_the_end_is_announced(self):
        wire = self.secure()
        wire.send(request("POST", "/", body=b"x" * 500_000))
        self.assert_refused(wire.answer(), 401, "token_missing")
        wire.expect_end()
        self.assert_nothing_arrived()

    def test_plain_http_is_no_way_in(self):
        with Connection(self.proxy.port) as wire:
            wire.try_send(request("GET", "/", token=T0))
            rest = wire.rest()
        self.assertNotIn(b" 200 ", rest[:20])
        self.assert_nothing_arrived()
        self.assert_good_request_passes()

    def test_a_handshake_that_is_never_finished_harms_no_one(self):
        for data in (b"", b"\x16\x03\x01", b"\x16\x03\x01\x40\x00" + b"x" * 100, b"\x80\x2e\x01\x03\x01",
                     os.urandom(300)):
            wire = self.connect()
            wire.try_send(data)
            self.assert_good_request_passes()


class Reloading(TlsCase):
    def test_new_files_are_served_without_a_restart(self):
        self.assertEqual(self.served(), self.files.serial)
        lasting = self.secure()
        for _ in range(2):
            fresh = self.authority.issue(HOST)
            fresh.copy_over(self.files)
            wait_until(lambda s=fresh.serial: self.served() == s, "the new certificate", 15)
        self.assertEqual(lasting.send(request("GET", "/", token=T0)).answer().status, 200)

    def test_a_bad_file_changes_nothing(self):
        before = self.served()
        with open(self.files.certificate_file, "rb") as file:
            good = file.read()
        for bad in (b"", b"no certificate", good[:len(good) // 2]):
            with open(self.files.certificate_file + ".new", "wb") as file:
                file.write(bad)
            mark = self.proxy.mark()
            os.replace(self.files.certificate_file + ".new", self.files.certificate_file)
            self.proxy.wait_log(lambda r: r.get("level") in ("error", "warn", "warning"), since=mark,
                                what="a word about the bad file", seconds=15)
            self.assertEqual(self.served(), before)
        fresh = self.authority.issue(HOST)
        fresh.copy_over(self.files)
        wait_until(lambda: self.served() == fresh.serial, "the new certificate", 15)

    def test_a_pair_that_is_replaced_in_two_moments_is_taken_when_it_fits(self):
        fresh = self.authority.issue(HOST)
        before, mark = self.served(), self.proxy.mark()
        for source, target in ((fresh.private_key_file, self.files.private_key_file),
                               (fresh.certificate_file, self.files.certificate_file)):
            os.rename(source, target)
            if target == self.files.private_key_file:   # a key that is not the certificate's
                self.proxy.wait_log(lambda r: r.get("level") == "error", mark, "a word about the key", 15)
                self.assertEqual(self.served(), before)
        wait_until(lambda: self.served() == fresh.serial, "the new certificate", 15)
        self.files.serial = fresh.serial


class RenewalBesideABrokenFile(TlsCase):
    """A certificate is taken whatever state the other files are in."""

    @classmethod
    def settings(cls):
        cls.folder = cls.enterClassContext(tempfile.TemporaryDirectory(prefix="signet-test-"))
        cls.jwks_file = os.path.join(cls.folder, "jwks.json")
        cls.put(json.dumps(tokens.jwks(KEY)))
        issuer = issuer_config(jwks_file=cls.jwks_file)
        del issuer["jwks"]
        return {**super().settings(), "issuers": [issuer]}

    @classmethod
    def put(cls, text):
        with open(cls.jwks_file + ".new", "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(cls.jwks_file + ".new", cls.jwks_file)

    def test_it_is_served_all_the_same(self):
        for state in ('{"keys": [', "", None):
            with self.subTest(state):
                self.put(state or "")
                if state is None:
                    os.remove(self.jwks_file)
                fresh = self.authority.issue(HOST)
                fresh.copy_over(self.files)
                wait_until(lambda s=fresh.serial: self.served() == s, "the new certificate", 15)
                self.assert_good_request_passes()   # by the keys that were read last
        self.put(json.dumps(tokens.jwks(KEY)))


class OnOrOff(TlsCase):
    """Whether clients speak TLS does not change under them."""

    def refused_reload(self, proxy, config):
        good = proxy.config
        before = proxy.metrics().value("signet_config_reloads_total", result="failure")
        record = proxy.reload(config)
        proxy.write_config(good)
        self.assertEqual(record["level"], "error", record)
        self.assertIn("listen.tls", json.dumps(record))
        self.assertEqual(proxy.metrics().value("signet_config_reloads_total", result="failure"), before + 1)

    def test_a_reload_does_not_turn_it_off(self):
        lasting = self.secure()
        address = "127.0.0.1:0"
        for listen in (address, {"address": address}):
            with self.subTest(listen):
                self.refused_reload(self.proxy, {**self.proxy.config, "listen": listen,
                                                 "routes": [{"prefix": "/elsewhere"}]})
                self.assertEqual(self.served(), self.files.serial)
                with Connection(self.proxy.port) as wire:
                    wire.try_send(request("GET", "/", token=T0))
                    self.assertNotIn(b"HTTP/1.1 200", wire.rest())
                self.assert_nothing_arrived()
                # None of the rest was taken either.
                self.assert_good_request_passes()
        self.assertEqual(lasting.send(request("GET", "/", token=T0)).answer().status, 200)

    def test_nor_on(self):
        proxy = self.signet(configuration(self.upstream.url))
        self.refused_reload(proxy, {**proxy.config, "listen": {"address": "127.0.0.1:0",
                                                               "tls": self.files.config()}})
        self.assertEqual(exchange(proxy.port, request("GET", "/", token=T0)).status, 200)
        self.upstream.forget()

    def test_other_files_are_taken(self):
        other = self.authority.issue(HOST)
        record = self.proxy.reload({**self.proxy.config, "listen": {"address": "127.0.0.1:0",
                                                                    "tls": other.config()}})
        self.assertEqual(record["level"], "info", record)
        wait_until(lambda: self.served() == other.serial, "the other certificate", 15)
        self.files.serial = other.serial


if __name__ == "__main__":
    unittest.main()
