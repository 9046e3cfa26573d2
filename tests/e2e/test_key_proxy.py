"""Key fetches through an HTTP proxy, by HTTPS_PROXY and NO_PROXY."""

import base64
import os
import socket
import sys
import threading
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

import certificates  # noqa: E402
from asking import wait_until  # noqa: E402
from command import run_cli  # noqa: E402
from proxied import ProxiedTestCase  # noqa: E402
from tokens import rsa_key  # noqa: E402

HOST = "idp.example.test"  # which no resolver knows: only the proxy finds it


class ConnectProxy:
    """Answers CONNECT, and leads every tunnel to one port of loopback. answer: what it says instead of 200."""

    def __init__(self, port, answer=None):
        self.target, self.answer, self.heads = port, answer, []
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()

    def _accept(self):
        while True:
            try:
                client, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        with client:
            head = b""
            while b"\r\n\r\n" not in head:
                more = client.recv(4096)
                if not more:
                    return
                head += more
            self.heads.append(head.decode())
            if self.answer is not None:
                client.sendall(self.answer)
                return
            with socket.create_connection(("127.0.0.1", self.target)) as server:
                client.sendall(b"HTTP/1.1 200 Connection established\r\nVia: 1.1 test\r\n\r\n")
                back = threading.Thread(target=self._copy, args=(server, client), daemon=True)
                back.start()
                self._copy(client, server)
                back.join()

    @staticmethod
    def _copy(source, sink):
        try:
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass


class ThroughAProxy(ProxiedTestCase):
    CHECK_AFTER = False

    @classmethod
    def prepare(cls):
        cls.key = rsa_key("k1", "RS256")
        cls.authority = certificates.Authority(cls)
        files = cls.authority.issue(HOST)
        cls.issuer = cls.shared_issuer([cls.key], tls=(files.certificate_file, files.private_key_file))
        cls.url = "https://" + HOST

    def setUp(self):
        super().setUp()
        self.issuer.discovery_changes = {"issuer": self.url, "jwks_uri": self.url + "/jwks"}

    def through(self, answer=None):
        proxy = ConnectProxy(self.issuer.port, answer)
        self.addCleanup(proxy.close)
        return proxy

    def started(self, environment, ready=True):
        entry = self.issuer_entry(self.url, ca_file=self.authority.ca_file)
        return self.signet(self.configuration(entry), env=environment, wait_ready=ready)

    def good(self):
        return self.key.token(self.claims(iss=self.url))

    def test_discovery_and_keys_come_through_it_verified_end_to_end(self):
        way = self.through()
        proxy = self.started({"HTTPS_PROXY": "http://127.0.0.1:%d" % way.port})
        self.assert_admitted(self.good(), proxy=proxy)
        self.assertEqual([head.split("\r\n")[0] for head in way.heads],
                         ["CONNECT %s:443 HTTP/1.1" % HOST] * 2)
        for head in way.heads:
            self.assertIn("\r\nHost: %s:443\r\n" % HOST, head)
            self.assertNotIn("authorization", head.lower())

    def test_its_password_goes_to_it_and_to_nobody_else(self):
        way = self.through()
        before = self.issuer.count()
        proxy = self.started({"https_proxy": "http://fetch:s%%40cret@127.0.0.1:%d/" % way.port,
                              "HTTPS_PROXY": "http://127.0.0.1:1"})
        self.assert_admitted(self.good(), proxy=proxy)
        word = "Basic " + base64.b64encode(b"fetch:s@cret").decode()
        self.assertIn("\r\nProxy-Authorization: %s\r\n" % word, way.heads[0])
        for fetch in self.issuer.fetches()[before:]:
            self.assertIsNone(fetch.header("Proxy-Authorization"))

    def test_what_it_refuses_is_a_failed_fetch_that_names_it(self):
        for answer, word in ((b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n", "407"),
                             (b"HTTP/1.1 200 OK\r\n\r\nearly", "speaks before"),
                             (b"nonsense\r\n\r\n", ""), (b"", "")):
            with self.subTest(answer):
                way = self.through(answer)
                proxy = self.started({"HTTPS_PROXY": "http://127.0.0.1:%d" % way.port}, ready=False)
                self.assert_refused(self.good(), "keys_unavailable", proxy=proxy)
                # The refusal may be older than the first fetch's end.
                said = wait_until(lambda p=proxy: self.issuer_status(p)["last_error"], "the fetch to have failed")
                self.assertIn("by the proxy 127.0.0.1", said)
                self.assertIn(word, said)

    def test_a_certificate_of_another_name_is_refused_through_it_too(self):
        files = self.authority.issue("other.example.test")
        other = self.own_issuer([self.key], tls=(files.certificate_file, files.private_key_file))
        way = ConnectProxy(other.port)
        self.addCleanup(way.close)
        proxy = self.started({"HTTPS_PROXY": "http://127.0.0.1:%d" % way.port}, ready=False)
        self.assert_refused(self.good(), "keys_unavailable", proxy=proxy)
        self.assertIn("TLS", self.issuer_status(proxy)["last_error"])
        self.assertEqual(other.count("discovery"), 0)

    def test_loopback_and_what_no_proxy_names_go_directly(self):
        way = self.through()
        files = self.authority.issue("127.0.0.1")
        near = self.own_issuer([self.key], tls=(files.certificate_file, files.private_key_file))
        proxy = self.signet(self.configuration(self.issuer_entry(near, ca_file=self.authority.ca_file)),
                            env={"HTTPS_PROXY": "http://127.0.0.1:%d" % way.port})
        self.assert_admitted(self.key.token(self.claims(iss=near.url)), proxy=proxy)
        proxy = self.started({"HTTPS_PROXY": "http://127.0.0.1:%d" % way.port, "NO_PROXY": "a.test,.example.test"},
                             ready=False)
        self.assert_refused(self.good(), "keys_unavailable", proxy=proxy)
        self.assertIn("no address for " + HOST, self.issuer_status(proxy)["last_error"])
        self.assertEqual(way.heads, [])

    def test_a_link_local_address_is_refused_before_the_proxy_hears_of_it(self):
        way = self.through()
        self.issuer.discovery_changes["jwks_uri"] = "https://169.254.10.10/jwks"
        proxy = self.started({"HTTPS_PROXY": "http://127.0.0.1:%d" % way.port}, ready=False)
        self.assert_refused(self.good(), "keys_unavailable", proxy=proxy)
        self.assertIn("allow_link_local", self.issuer_status(proxy)["last_error"])
        self.assertEqual({head.split()[1] for head in way.heads}, {HOST + ":443"})

    def test_a_variable_that_is_no_proxy_ends_the_start_with_a_word(self):
        done = run_cli("check", "--config-yaml", "upstream: http://127.0.0.1:1\nissuers: [{issuer: 'https://i.test', "
                       "any_audience: true}]", env={"HTTPS_PROXY": "https://user:secret@proxy:1"})
        self.assertEqual(done.returncode, 78)
        self.assertIn("HTTPS_PROXY", done.stderr)
        self.assertNotIn("secret", done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
