"""Ready-made behaviours for a RecordingUpstream: the good, the slow and the broken answer."""

import base64
import hashlib
import threading

from asking import deadline
from upstream import PeerGone, echo  # noqa: F401  (echo is one of them)

_WEBSOCKET = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def fixed(status=200, headers=(), body=b"", reason="OK"):
    """A well-formed answer after the whole request was read."""
    def behaviour(exchange):
        exchange.read_body()
        exchange.answer(status, headers, body, reason)
    return behaviour


def raw(*parts, close=False, read_body=True):
    """Exactly these bytes, well-formed or not."""
    def behaviour(exchange):
        if read_body:
            exchange.read_body()
        exchange.send(*parts)
        if close:
            exchange.close()
    return behaviour


def hang(exchange):
    """Never answers; ends when the proxy gives up."""
    exchange.read_body()
    exchange.wait_for_end()
    exchange.close()


def drop(exchange):
    """Takes the request and ends the connection without a word."""
    exchange.read_body()
    exchange.close()


def drop_hard(exchange):
    """The same with a reset."""
    exchange.read_body()
    exchange.reset()


def cut(head, *parts, hard=False):
    """Sends a head that promises more than what follows, then ends the connection."""
    def behaviour(exchange):
        exchange.read_body()
        exchange.send(head, *parts)
        exchange.reset() if hard else exchange.close()
    return behaviour


class Gated:
    """An answer in parts that waits before each part until step() is called.

    started is set once the request's head is there, finished once the last part was sent, and gone
    when the proxy ended the connection before that. close: False | True | "reset", behind the last.
    """

    def __init__(self, *parts, read_body=True, close=False):
        self.parts, self.read_body, self.close = parts, read_body, close
        self.started, self.finished, self.gone = (threading.Event() for _ in range(3))
        self._steps = threading.Semaphore(0)

    def step(self, count=1):
        self._steps.release(count)

    def open(self):
        self.step(len(self.parts))

    def __call__(self, exchange):
        if self.read_body:
            exchange.read_body()
        self.started.set()
        try:
            for part in self.parts:
                if not self._steps.acquire(timeout=deadline(60)):
                    exchange.close()
                    return
                exchange.send(part)
            self.finished.set()
        except PeerGone:
            self.gone.set()
            raise
        if self.close:
            exchange.reset() if self.close == "reset" else exchange.close()


class Flood:
    """A large answer, as fast as it is taken. framing: length | chunked | close."""

    def __init__(self, size, framing="length", piece=1 << 16):
        self.size, self.framing, self.piece = size, framing, piece
        self.sent = 0
        self.finished, self.gone = threading.Event(), threading.Event()

    def sha256(self):
        digest = hashlib.sha256()
        for piece in pattern(self.size, self.piece):
            digest.update(piece)
        return digest.hexdigest()

    def __call__(self, exchange):
        exchange.read_body()
        head = {"length": b"Content-Length: %d\r\n" % self.size,
                "chunked": b"Transfer-Encoding: chunked\r\n", "close": b"Connection: close\r\n"}
        exchange.send(b"HTTP/1.1 200 OK\r\n" + head[self.framing] + b"\r\n")
        try:
            for piece in pattern(self.size, self.piece):
                exchange.send(b"%x\r\n%s\r\n" % (len(piece), piece)
                              if self.framing == "chunked" else piece)
                self.sent += len(piece)
            if self.framing == "chunked":
                exchange.send(b"0\r\n\r\n")
        except PeerGone:
            self.gone.set()
            raise
        self.finished.set()
        if self.framing == "close":
            exchange.close()


def pattern(size, piece=1 << 16):
    """Pieces of a body that is cheap to make and has no two equal blocks nearby."""
    block = hashlib.sha256(b"signet").digest() * (piece // 32)
    count = 0
    while size > 0:
        part = (b"%08x" % count + block[8:])[:min(size, piece)]
        count += 1
        size -= len(part)
        yield part


def early(status=413, body=b"too much", go_on=True):
    """Answers before the request's body was read; then reads it, or ends the connection."""
    def behaviour(exchange):
        exchange.answer(status, [("X-Early", "yes")] + ([] if go_on else [("Connection", "close")]),
                        body, "Early")
        if not go_on:
            exchange.close()
    return behaviour


def interim(*heads, status=200, body=b"done"):
    """1xx answers, then a final one. heads: bytes such as b'103 Early Hints\\r\\nLink: </a>'."""
    def behaviour(exchange):
        for head in heads:
            exchange.send(b"HTTP/1.1 " + head + b"\r\n\r\n")
        exchange.read_body()
        exchange.answer(status, body=body)
    return behaviour


def continue_first(exchange):
    """100 (Continue) before the body is read, then the echo."""
    exchange.send(b"HTTP/1.1 100 Continue\r\n\r\n")
    echo(exchange)


class Tunnel:
    """Accepts an upgrade and echoes every byte in upper case until one side ends.

    before  an Event that is waited for before the 101 is sent
    """

    def __init__(self, before=None, greeting=b"", protocol="websocket"):
        self.before, self.greeting, self.protocol = before, greeting, protocol
        self.early = None            # bytes that came before the 101 was sent
        self.received = bytearray()
        self.started, self.ended = threading.Event(), threading.Event()

    def __call__(self, exchange):
        request, peer = exchange.request, exchange.peer
        self.started.set()
        if self.before is not None:
            self.before.wait(deadline(30))
        self.early = peer.waiting()
        key = (request.header("Sec-WebSocket-Key") or "").encode()
        accept = base64.b64encode(hashlib.sha1(key + _WEBSOCKET).digest())
        exchange.send(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: %s\r\nConnection: Upgrade\r\n"
                      b"Sec-WebSocket-Accept: %s\r\n\r\n%s"
                      % (self.protocol.encode(), accept, self.greeting))
        try:
            while peer.buffer or peer.fill():
                data = bytes(peer.buffer)
                peer.buffer.clear()
                self.received += data
                exchange.send(data.upper())
        finally:
            self.ended.set()
            exchange.close()
