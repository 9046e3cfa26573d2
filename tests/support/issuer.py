"""A scripted issuer: OpenID discovery and a key set, that count their fetches and can misbehave.

    issuer = Issuer([key])            # serves at once, on a port of the system's choice
    issuer.set_keys([other])          # from now on
    issuer.fault("jwks", html())      # see the fault makers below; None heals
    issuer.refuse(); issuer.accept()  # the port closes and opens again
    issuer.conditional = True         # key sets carry an ETag, and If-None-Match is answered 304

Every connection carries one request, so that a fault meets the very next fetch.
"""

import gzip
import hashlib
import json
import socket
import socketserver
import ssl
import threading
import time

from tokens import Key


class Fetch:
    """One request that the issuer was sent. status: of its answer, where no fault gave it."""

    def __init__(self, method, target, headers):
        self.method, self.target, self.headers = method, target, headers
        self.when = time.monotonic()
        self.status = None

    def header(self, name):
        return self.headers.get(name.lower())


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, client_address):
        pass  # a client that left early


class _Handler(socketserver.StreamRequestHandler):
    def handle(self):
        self.server.issuer._serve(self)


class Issuer:
    """path: where it lives under its port (its identifier is .url); tls: (certificate, key) files.

    serve_discovery, serve_metadata: whether OpenID discovery and RFC 8414 metadata exist.
    """

    def __init__(self, keys=(), path="", tls=None, serve_discovery=True, serve_metadata=False,
                 start=True):
        self._lock = threading.Lock()
        self._keys, self._faults, self._fetches = [], {}, []
        self.serve = {"discovery": serve_discovery, "metadata": serve_metadata, "jwks": True}
        self.jwks_headers, self.discovery_changes, self.jwks_changes = [], {}, {}
        self.conditional = False
        self._tls, self._server = tls, None
        # Holds the port while the issuer refuses: bound, but not listening.
        self._holder = socket.socket()
        self._holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._holder.bind(("127.0.0.1", 0))
        self.port = self._holder.getsockname()[1]
        self.origin = "%s://127.0.0.1:%d" % ("https" if tls else "http", self.port)
        self.path, self.url = path, self.origin + path
        self.jwks_uri = self.origin + "/jwks"
        self.released = threading.Event()  # ends hanging and slow answers
        self.set_keys(keys)
        if start:
            self.accept()

    # -- the script ----------------------------------------------------------------------------

    def set_keys(self, keys):
        with self._lock:
            self._keys = [k.jwk() if isinstance(k, Key) else k for k in keys]

    def add_key(self, key):
        with self._lock:
            self._keys.append(key.jwk() if isinstance(key, Key) else key)

    def remove_key(self, kid):
        with self._lock:
            self._keys = [k for k in self._keys if k.get("kid") != kid]

    def jwks(self):
        with self._lock:
            return {"keys": list(self._keys), **self.jwks_changes}

    def fault(self, place, fault):
        """place: discovery, metadata or jwks. fault: a maker's result, or None to heal."""
        with self._lock:
            self._faults[place] = fault

    def refuse(self):
        """Connections are refused from now on; the port stays ours."""
        server, self._server = self._server, None
        if server is not None:
            server.shutdown()
            server.server_close()

    def accept(self):
        if self._server is None:
            server = _Server(("127.0.0.1", self.port), _Handler)
            server.issuer = self
            threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
            self._server = server

    def close(self):
        self.released.set()
        self.refuse()
        self._holder.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # -- what happened -------------------------------------------------------------------------

    def fetches(self, place="jwks"):
        with self._lock:
            return [f for name, f in self._fetches if name == place]

    def count(self, place="jwks"):
        return len(self.fetches(place))

    # -- serving -------------------------------------------------------------------------------

    def _place(self, target):
        target = target.split("?")[0]
        if target == self.path + "/.well-known/openid-configuration":
            return "discovery"
        if target == "/.well-known/oauth-authorization-server" + self.path:
            return "metadata"
        return "jwks" if target == "/jwks" else "other"

    def _serve(self, handler):
        if self._tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*self._tls)
            try:
                handler.connection = context.wrap_socket(handler.connection, server_side=True)
            except OSError:
                return
            handler.rfile = handler.connection.makefile("rb")
            handler.wfile = handler.connection.makefile("wb", 0)
        line = handler.rfile.readline().decode("latin-1").split()
        if len(line) != 3:
            return
        headers = {}
        while True:
            header = handler.rfile.readline().decode("latin-1").strip()
            if not header:
                break
            name, _, value = header.partition(":")
            headers[name.strip().lower()] = value.strip()
        place = self._place(line[1])
        fetch = Fetch(line[0], line[1], headers)
        with self._lock:
            self._fetches.append((place, fetch))
            fault = self._faults.get(place)
        try:
            if fault is not None:
                fault(self, place, handler.wfile)
            elif self.serve.get(place):
                self._respond(fetch, place, handler.wfile)
            else:
                fetch.status = 404
                respond(handler.wfile, 404, b"no such page", [], "text/plain")
        except OSError:
            pass
        finally:
            if self._tls:
                try:
                    handler.connection.unwrap()
                except (OSError, ValueError):
                    pass
                handler.connection.close()

    def _respond(self, fetch, place, stream):
        body = self.document(place)
        headers = list(self.jwks_headers) if place == "jwks" else []
        if place == "jwks" and self.conditional:
            tag = etag(body)
            headers.append(("ETag", tag))
            if fetch.header("If-None-Match") == tag:
                fetch.status = 304
                stream.write(head(304, headers + [("Connection", "close")]))
                stream.flush()
                return
        fetch.status = 200
        respond(stream, 200, body, headers)

    def document(self, place):
        if place == "jwks":
            return json.dumps(self.jwks()).encode()
        return json.dumps({
            "issuer": self.url, "jwks_uri": self.jwks_uri,
            "authorization_endpoint": self.origin + "/authorize",
            "token_endpoint": self.origin + "/token", "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            **self.discovery_changes}).encode()


def etag(body):
    """The entity tag that a conditional issuer gives this body."""
    return '"%s"' % hashlib.sha256(body).hexdigest()[:16]


def head(status, headers):
    lines = ["HTTP/1.1 %d Scripted" % status] + ["%s: %s" % pair for pair in headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def respond(stream, status, body, headers=(), content_type="application/json"):
    given = {n.lower() for n, _ in headers}
    headers = list(headers) + [("Connection", "close"), ("Content-Length", len(body))]
    if "content-type" not in given:
        headers.append(("Content-Type", content_type))
    stream.write(head(status, headers) + body)
    stream.flush()


# -- fault makers ----------------------------------------------------------------------------------

def answer(status=200, body=b"", content_type="application/json", headers=()):
    """Any answer at all."""
    return lambda issuer, place, stream: respond(stream, status, body, headers, content_type)


def html():
    return answer(200, b"<!doctype html><title>Maintenance</title><p>Back soon.", "text/html")


def empty_keys():
    return answer(200, b'{"keys":[]}')


def redirect(location, status=302):
    return answer(status, b"", headers=[("Location", location)])


def truncated_json():
    """The document's first half, with a Content-Length that fits it."""
    def fault(issuer, place, stream):
        body = issuer.document(place)
        respond(stream, 200, body[:len(body) // 2])
    return fault


def cut_short():
    """A whole Content-Length, half a body, end of stream."""
    def fault(issuer, place, stream):
        body = issuer.document(place)
        stream.write(head(200, [("Content-Type", "application/json"), ("Connection", "close"),
                                ("Content-Length", len(body))]) + body[:len(body) // 2])
    return fault


def huge(size, inside):
    """A valid key set: `inside` (JWKs) and a member of padding that makes it `size` bytes long."""
    body = json.dumps({"keys": inside, "padding": ""}).encode()
    body = body[:-2] + b"x" * (size - len(body)) + body[-2:]
    return answer(200, body)


def many_keys(count, inside, template):
    """`inside` and then `count` keys like the JWK `template`, each with a kid of its own."""
    body = json.dumps({"keys": inside + [{**template, "kid": "filler-%d" % n}
                                         for n in range(count)]}).encode()
    return answer(200, body)


def deep(depth, inside):
    """A key set with a member nested `depth` deep."""
    body = json.dumps({"keys": inside}).encode()
    return answer(200, body[:-1] + b',"deep":' + b"[" * depth + b"]" * depth + b"}")


def slow(seconds_per_byte=1.0):
    """The right answer, byte by byte, until the client leaves or the issuer is closed."""
    def fault(issuer, place, stream):
        body = issuer.document(place)
        stream.write(head(200, [("Content-Type", "application/json"), ("Connection", "close"),
                                ("Content-Length", len(body))]))
        for byte in body:
            if issuer.released.wait(seconds_per_byte):
                return
            stream.write(bytes([byte]))
            stream.flush()
    return fault


def hang():
    """Not a byte, until the issuer is closed."""
    return lambda issuer, place, stream: issuer.released.wait(120)


class Held:
    """The answer as it was when it was asked for (.asked is set by then), sent once release() is called."""

    def __init__(self):
        self.asked, self._released = threading.Event(), threading.Event()

    def release(self):
        self._released.set()

    def __call__(self, issuer, place, stream):
        body = issuer.document(place)
        self.asked.set()
        if self._released.wait(120):
            respond(stream, 200, body)


def gzipped():
    """The right answer, in a content coding that nobody asked for."""
    def fault(issuer, place, stream):
        respond(stream, 200, gzip.compress(issuer.document(place)),
                [("Content-Encoding", "gzip")])
    return fault


def chunked():
    """The right answer in chunked transfer coding, in small pieces."""
    def fault(issuer, place, stream):
        body = issuer.document(place)
        stream.write(head(200, [("Content-Type", "application/json"), ("Connection", "close"),
                                ("Transfer-Encoding", "chunked")]))
        for at in range(0, len(body), 100):
            piece = body[at:at + 100]
            stream.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        stream.write(b"0\r\n\r\n")
    return fault
