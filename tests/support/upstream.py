"""An upstream that records every byte it is sent and answers by script.

    with RecordingUpstream() as upstream:
        upstream.answer_next(raw(b"HTTP/1.1 200 OK\r\n..."))
        ...
        [request] = upstream.take()

Each request takes the next behaviour from the script; when the script is empty, .default (an
echo) answers. A behaviour is a callable that gets the Exchange right after the request's head was
read; the ready-made ones stand in answers.py. What the proxy sends is read strictly: whatever a
careful server would find doubtful is noted in .problems, and check() fails on it.
"""

import collections
import hashlib
import json
import re
import select
import socket
import ssl
import struct
import threading

from asking import deadline, wait_until
from wire import ProtocolError, parse_chunk_size, parse_fields, values

KEEP = 1 << 20   # bytes of a body or of a connection that are kept
_REQUEST_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([\x21-\x7e]+) HTTP/1\.1\Z")


class PeerGone(Exception):
    """The proxy has ended the connection."""


class Request:
    """A request as it arrived. complete is set once its body was read to its end."""

    def __init__(self, raw, connection):
        self.raw, self.connection = raw, connection
        first, *rest = raw.split(b"\r\n")
        match = _REQUEST_LINE.match(first)
        if not match:
            raise ProtocolError("not a request line: %r" % first[:200])
        self.method, self.target = match.group(1).decode(), match.group(2).decode()
        self.headers = parse_fields(rest)
        self.body, self.length, self.trailers = b"", 0, []
        self.complete = False
        self._hash = hashlib.sha256()

    def all(self, name):
        return values(self.headers, name)

    def header(self, name, default=None):
        found = self.all(name)
        return found[0] if found else default

    def like(self, name):
        """All headers that are this one when every character but letters and digits is a dash."""
        def plain(text):
            return re.sub(r"[^0-9a-z]", "-", text.lower())
        return [(n, v) for n, v in self.headers if plain(n) == plain(name)]

    @property
    def sha256(self):
        return self._hash.hexdigest()

    def took(self, piece):
        self.length += len(piece)
        self._hash.update(piece)
        if len(self.body) < KEEP:
            self.body += piece[:KEEP - len(self.body)]

    def __repr__(self):
        return "<%s %s %r%s>" % (self.method, self.target, self.headers,
                                 "" if self.complete else " incomplete")


class Peer:
    """One connection from the proxy."""

    def __init__(self, connection, owner):
        self.socket, self.owner = connection, owner
        self.received = bytearray()   # every byte, up to KEEP
        self.total = 0
        self.buffer = bytearray()     # of those, what no request has used
        self.requests = 0
        self.server_name = None
        self.ended = threading.Event()   # the proxy has ended it
        self.closed = threading.Event()  # we have

    def fill(self):
        try:
            data = self.socket.recv(1 << 18)
        except TimeoutError:
            raise
        except OSError:
            data = b""
        if not data:
            self.ended.set()
            return False
        self.total += len(data)
        if len(self.received) < KEEP:
            self.received += data[:KEEP - len(self.received)]
        self.buffer += data
        return True

    def waiting(self):
        """What has arrived behind the last request, without waiting for more."""
        while select.select([self.socket], [], [], 0)[0] and self.fill():
            pass
        return bytes(self.buffer)

    def until(self, mark):
        while (at := self.buffer.find(mark)) < 0:
            if not self.fill():
                raise PeerGone()
        block = bytes(self.buffer[:at])
        del self.buffer[:at + len(mark)]
        return block

    def exactly(self, count, sink):
        while count:
            if not self.buffer and not self.fill():
                raise PeerGone()
            piece = bytes(self.buffer[:count])
            del self.buffer[:len(piece)]
            count -= len(piece)
            sink(piece)

    def send(self, data):
        try:
            self.socket.sendall(data)
        except OSError:
            self.ended.set()
            raise PeerGone() from None

    def close(self):
        self.closed.set()
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.socket.close()

    def reset(self):
        self.closed.set()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()


class Exchange:
    """What a behaviour works with. Return from it to keep the connection; close() to end it."""

    def __init__(self, request, peer):
        self.request, self.peer, self.upstream = request, peer, peer.owner

    def read_body(self):
        """Reads the request's body to its end, strictly."""
        request, peer = self.request, self.peer
        if request.complete:
            return request.body
        lengths, codings = request.all("Content-Length"), request.all("Transfer-Encoding")
        if codings:
            while size := parse_chunk_size(peer.until(b"\r\n")):
                peer.exactly(size, request.took)
                if peer.until(b"\r\n"):
                    raise ProtocolError("a chunk is longer than its size")
            while line := peer.until(b"\r\n"):
                request.trailers += parse_fields([line])
        elif lengths:
            peer.exactly(int(lengths[0]), request.took)
        request.complete = True
        self.upstream.notify()
        return request.body

    def send(self, *parts):
        for part in parts:
            self.peer.send(part)

    def answer(self, status=200, headers=(), body=b"", reason="OK"):
        self.send(answer_bytes(status, headers, body, reason, method=self.request.method))

    def close(self):
        self.peer.close()

    def reset(self):
        self.peer.reset()

    def wait_for_end(self, seconds=30.0):
        """Reads on until the proxy ends the connection; False when it does not in time."""
        try:
            self.peer.socket.settimeout(deadline(seconds))
            while self.peer.fill():
                self.peer.buffer.clear()
            return True
        except TimeoutError:
            return False
        finally:
            if self.peer.socket.fileno() >= 0:
                self.peer.socket.settimeout(None)


def answer_bytes(status=200, headers=(), body=b"", reason="OK", method="GET"):
    lines = ["HTTP/1.1 %d %s" % (status, reason)] + ["%s: %s" % pair for pair in headers]
    if status >= 200 and status not in (204, 304):
        lines.append("Content-Length: %d" % len(body))
    head = "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"
    return head if method == "HEAD" or status in (204, 304) else head + body


def echo(exchange):
    """200 with the request as JSON: method, target, headers, length and hash of the body."""
    exchange.read_body()
    request = exchange.request
    body = json.dumps({"method": request.method, "target": request.target,
                       "headers": request.headers, "length": request.length,
                       "sha256": request.sha256, "by": exchange.upstream.name}).encode()
    exchange.answer(200, [("Content-Type", "application/json")], body)


class RecordingUpstream:
    """Listens on a port of the system's choice, 127.0.0.1. See the module's text.

    tls      an ssl.SSLContext of a server; .server_names collects the SNI names it was asked for
    """

    def __init__(self, tls=None, name="upstream", default=echo, strict=True):
        self.name, self.default, self.tls, self.strict = name, default, tls, strict
        self.script = collections.deque()
        self.requests, self.peers, self.problems, self.server_names = [], [], [], []
        self._changed = threading.Condition()
        self._threads = []
        self._open = True
        if tls is not None:
            tls.sni_callback = lambda _socket, name, _context: self.server_names.append(name)
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = self.listener.getsockname()[1]
        self._acceptor = threading.Thread(target=self._accept, daemon=True)
        self._acceptor.start()

    @property
    def url(self):
        return "%s://127.0.0.1:%d" % ("https" if self.tls else "http", self.port)

    # -- for the tests -----------------------------------------------------------------------

    def answer_next(self, *behaviours):
        """These behaviours answer the next requests, one each."""
        with self._changed:
            self.script.extend(behaviours)

    def take(self):
        """All requests since the last take(), in order of their arrival."""
        with self._changed:
            taken, self.requests = self.requests, []
        return taken

    def one(self):
        """The one request since the last take()."""
        taken = self.take()
        if len(taken) != 1:
            raise AssertionError("the upstream saw %d requests, not one: %r" % (len(taken), taken))
        return taken[0]

    def wait_for(self, condition, what, seconds=10.0):
        """Waits until condition(self) is truthy; it is looked at whenever something has arrived."""
        return wait_until(lambda: condition(self), what, seconds)

    def wait_requests(self, count=1, complete=False, seconds=10.0):
        self.wait_for(lambda u: len([r for r in u.requests if r.complete or not complete]) >= count,
                      "%d requests at the upstream" % count, seconds)

    def received(self):
        """Every byte of every connection so far."""
        with self._changed:
            return b"".join(bytes(p.received) for p in self.peers)

    def open_peers(self):
        with self._changed:
            return [p for p in self.peers if not p.ended.is_set() and not p.closed.is_set()]

    def forget(self):
        """Forgets what was recorded, and the script; open connections stay."""
        with self._changed:
            self.requests, self.problems = [], []
            self.script.clear()
            for peer in self.peers:
                peer.received.clear()
            self.peers = [p for p in self.peers if not p.ended.is_set() and not p.closed.is_set()]

    def check(self):
        """Fails when the proxy sent anything that a careful server would find doubtful."""
        with self._changed:
            problems, self.problems = self.problems, []
        if problems and self.strict:
            raise AssertionError("the upstream was sent doubtful HTTP: " + "; ".join(problems))

    def notify(self):
        with self._changed:
            self._changed.notify_all()

    def close(self):
        self._open = False
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listener.close()
        with self._changed:
            peers = list(self.peers)
        for peer in peers:
            peer.close()
        self._acceptor.join(deadline(5))
        for thread in self._threads:
            thread.join(deadline(5))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # -- serving -----------------------------------------------------------------------------

    def _accept(self):
        while self._open:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads = [t for t in self._threads if t.is_alive()] + [thread]
            thread.start()

    def _serve(self, connection):
        if self.tls is not None:
            try:
                connection = self.tls.wrap_socket(connection, server_side=True)
            except (OSError, ssl.SSLError):
                connection.close()
                return
        peer = Peer(connection, self)
        with self._changed:
            self.peers.append(peer)
        try:
            while self._open and not peer.closed.is_set():
                if not self._serve_one(peer):
                    break
        except PeerGone:
            pass
        except (ProtocolError, ValueError) as error:
            self._problem(str(error))
        except OSError as error:
            if self._open and not peer.closed.is_set():
                self._problem("%s: %s" % (type(error).__name__, error))
        finally:
            peer.close()
            self.notify()

    def _problem(self, text):
        with self._changed:
            self.problems.append(text)

    def _serve_one(self, peer):
        while not peer.buffer:
            if not peer.fill():
                return False
        request = Request(peer.until(b"\r\n\r\n"), peer)
        peer.requests += 1
        self._judge(request)
        exchange = Exchange(request, peer)
        if not request.all("Content-Length") and not request.all("Transfer-Encoding"):
            request.complete = True
        with self._changed:
            self.requests.append(request)
            behaviour = self.script.popleft() if self.script else self.default
            self._changed.notify_all()
        behaviour(exchange)
        if peer.closed.is_set():
            return False
        exchange.read_body()
        return "close" not in (request.header("Connection") or "").lower()

    def _judge(self, request):
        lengths, codings = request.all("Content-Length"), request.all("Transfer-Encoding")
        if len(request.all("Host")) != 1:
            self._problem("Host: %r" % request.all("Host"))
        if lengths and codings or len(lengths) > 1 or codings not in ([], ["chunked"]):
            self._problem("framing of %r and %r" % (lengths, codings))
        if lengths and not lengths[0].isdigit():
            self._problem("Content-Length: %r" % lengths)
        if not request.target.startswith("/") and request.target != "*":
            self._problem("target %r" % request.target)
        for name in ("Keep-Alive", "Proxy-Connection", "Proxy-Authorization", "TE", "Trailer"):
            if request.all(name):
                self._problem("hop-by-hop header %s was passed on" % name)
