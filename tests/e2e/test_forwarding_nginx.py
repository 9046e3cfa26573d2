"""With real programs at both ends: nginx as the upstream, curl as the client."""

import gzip
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

from nginx import Nginx  # noqa: E402
from process import connections_to  # noqa: E402
from proxy_case import HOST, T0, configuration, deadline, wait_until  # noqa: E402
from signet import SignetTestCase  # noqa: E402
from wire import Connection, exchange, request  # noqa: E402

CURL = shutil.which("curl", path="/usr/bin:/usr/local/bin")
LARGE = hashlib.sha256(b"large").digest() * 320_000   # 10 MB
PAGE = b"a page of text\n" * 400
FILES = {"large": LARGE, "page.txt": PAGE, "empty.txt": b"", "style.css": b"body {}\n" * 2000}
SERVER = """
        absolute_redirect off;
        location / { gzip on; gzip_types text/css; gzip_min_length 100; add_header X-Sub $http_x_auth_subject;
                     add_header X-Had-Authorization "[$http_authorization]"; }
        location /redirect { return 302 /page.txt; }
        location /nothing { return 204; }
        location /small-bodies { client_max_body_size 1k; dav_methods PUT; client_body_in_file_only clean; }
        location /store/ { client_max_body_size 0; dav_methods PUT DELETE; create_full_put_path on; root files; }
        location /close { keepalive_timeout 0; return 200 "closed\\n"; }
        location /once { keepalive_requests 1; return 200 "once\\n"; }
        location /slashes { return 200 "$request_uri\\n"; }
"""


class NginxAndCurl(SignetTestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if CURL is None:
            raise AssertionError("curl is not installed (tests/support/install-test-deps.sh)")
        cls.nginx = Nginx(SERVER, FILES)
        cls.addClassCleanup(cls.nginx.close)
        cls.proxy = cls.shared_signet(configuration(cls.nginx.url))
        cls.proxy.remember_secret(T0)
        cls.directory = tempfile.mkdtemp(prefix="signet-test-curl-")
        cls.addClassCleanup(shutil.rmtree, cls.directory, ignore_errors=True)

    def url(self, path):
        return "http://127.0.0.1:%d%s" % (self.proxy.port, path)

    def curl(self, *args, token=T0):
        """Runs curl to its end. Gives its output and what --write-out tells, and wants exit 0."""
        command = [CURL, "--silent", "--show-error", "--http1.1", "--max-time", str(int(deadline(60))),
                   "--write-out", "%{stderr}%{json}\n", "-H", "Host: " + HOST]
        if token:
            command += ["--oauth2-bearer", token]
        done = subprocess.run(command + list(args), stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=deadline(90))
        self.assertEqual(done.returncode, 0, done.stderr.decode("utf-8", "replace"))
        return done.stdout, [json.loads(line) for line in done.stderr.splitlines()]

    def ask(self, target="/page.txt", method="GET", headers=(), token=T0, **options):
        return exchange(self.proxy.port, request(method, target, headers, host=HOST, token=token, **options))

    # -- curl ----------------------------------------------------------------------------------

    def test_curl_downloads_a_file_whole(self):
        body, [told] = self.curl(self.url("/large"))
        self.assertEqual((told["http_code"], body == LARGE), (200, True))

    def test_curl_uploads_with_a_length_and_with_chunks(self):
        path = os.path.join(self.directory, "upload")
        with open(path, "wb") as file:
            file.write(LARGE)
        for name, args in (("length", []), ("chunked", ["-H", "Transfer-Encoding: chunked"])):
            with self.subTest(name):
                # curl sends Expect: 100-continue with a body of this size.
                _, [told] = self.curl("--upload-file", path, *args, self.url("/store/" + name))
                self.assertEqual(told["http_code"], 201)
                with open(self.nginx.path("files/store/" + name), "rb") as file:
                    self.assertTrue(file.read() == LARGE)
                _, [told] = self.curl("--request", "DELETE", self.url("/store/" + name))
                self.assertEqual(told["http_code"], 204)

    def test_curl_sees_why_nginx_refuses_a_large_upload(self):
        path = os.path.join(self.directory, "refused")
        with open(path, "wb") as file:
            file.write(LARGE)
        for args in ([], ["-H", "Expect:"]):
            with self.subTest(args):
                _, [told] = self.curl("--upload-file", path, *args, self.url("/small-bodies/x"))
                self.assertEqual(told["http_code"], 413)

    def test_curl_sees_why_we_refuse_a_large_upload(self):
        path = os.path.join(self.directory, "unauthorized")
        with open(path, "wb") as file:
            file.write(LARGE[:1_000_000])
        for args in ([], ["-H", "Expect:"], ["-H", "Transfer-Encoding: chunked"]):
            with self.subTest(args):
                body, [told] = self.curl("--upload-file", path, *args, self.url("/store/never"), token=None)
                self.assertEqual((told["http_code"], json.loads(body)["code"]), (401, "token_missing"))
        self.assertFalse(os.path.exists(self.nginx.path("files/store/never")))

    def test_curl_keeps_one_connection_for_many_requests(self):
        _, told = self.curl(*[self.url("/page.txt?%d" % i) for i in range(5)])
        self.assertEqual([t["http_code"] for t in told], [200] * 5)
        self.assertEqual(sum(t["num_connects"] for t in told), 1)

    def test_curl_speaks_http_1_0(self):
        body, [told] = self.curl("--http1.0", self.url("/page.txt"))
        self.assertEqual((told["http_code"], body), (200, PAGE))

    def test_curl_asks_for_the_head_alone(self):
        _, [told] = self.curl("--head", self.url("/large"))
        self.assertEqual((told["http_code"], told["size_download"]), (200, 0))

    def test_curl_follows_a_redirect(self):
        body, [told] = self.curl("--location", self.url("/redirect"))
        self.assertEqual((told["http_code"], body), (200, PAGE))

    def test_curl_decodes_what_nginx_compressed(self):
        body, [told] = self.curl("--compressed", self.url("/style.css"))
        self.assertEqual((told["http_code"], body), (200, FILES["style.css"]))
        self.assertLess(told["size_download"], len(body))

    # -- nginx by the byte ---------------------------------------------------------------------

    def test_nginx_gets_the_claims_and_not_the_token(self):
        answer = self.ask(headers={"X-Auth-Subject": "forged", "X_Auth_Subject": "forged"})
        self.assertEqual((answer.all("X-Sub"), answer.all("X-Had-Authorization")), (["user-1"], ["[]"]))
        self.assertEqual(answer.body, PAGE)

    def test_head_ranges_and_conditions(self):
        whole = self.ask()
        with Connection(self.proxy.port) as wire:
            head = wire.send(request("HEAD", "/page.txt", token=T0)).answer("HEAD")
            self.assertEqual((head.status, head.all("Content-Length")), (200, [str(len(PAGE))]))
            part = wire.send(request("GET", "/page.txt", {"Range": "bytes=2-5"}, token=T0)).answer()
            self.assertEqual((part.status, part.body), (206, PAGE[2:6]))
            same = wire.send(request("GET", "/page.txt", {"If-None-Match": whole.header("ETag")}, token=T0))
            self.assertEqual(same.answer().status, 304)
            self.assertEqual(wire.send(request("GET", "/nothing", token=T0)).answer().status, 204)
            self.assertEqual(wire.send(request("GET", "/absent", token=T0)).answer().status, 404)
            self.assertEqual(wire.send(request("GET", "/empty.txt", token=T0)).answer().body, b"")
            packed = wire.send(request("GET", "/style.css", {"Accept-Encoding": "gzip"}, token=T0)).answer()
            self.assertEqual((packed.framing, packed.header("Content-Encoding")), ("chunked", "gzip"))
            self.assertEqual(gzip.decompress(packed.body), FILES["style.css"])

    def test_an_upstream_that_closes_after_every_answer(self):
        for target, body in (("/close", b"closed\n"), ("/once", b"once\n")):
            with Connection(self.proxy.port) as wire:
                for _ in range(5):
                    answer = wire.send(request("GET", target, token=T0)).answer()
                    self.assertEqual((answer.status, answer.body), (200, body))

    def test_requests_go_on_after_nginx_has_closed_the_idle_connection(self):
        self.assertEqual(self.ask().status, 200)
        self.assertGreater(connections_to(self.nginx.port), 0)
        wait_until(lambda: connections_to(self.nginx.port) == 0, "the idle connections to be closed", 20)
        for _ in range(3):
            self.assertEqual(self.ask().status, 200)

    def test_the_target_arrives_as_the_proxy_made_it(self):
        for target, expected in (("/slashes//a/./b", "/slashes/a/b"),
                                 ("/slashes/%61%20b?c=%2F", "/slashes/a%20b?c=%2F")):
            self.assertEqual(self.ask(target).body.decode().strip(), expected)

    def test_nginx_never_called_a_request_malformed(self):
        self.ask("/a%2fb")
        self.ask("/../x")
        self.assertNotIn("client sent invalid", self.nginx.read("error.log"))


if __name__ == "__main__":
    unittest.main()
