"""A raw HTTP/1.1 client: sends exactly the bytes it is given, and reads strictly.

    with Connection(port) as wire:
        wire.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        answer = wire.answer()
        wire.expect_end()

Every answer is parsed by the letter of RFC 9112: what a lenient client would forgive is a
ProtocolError here. asking.py is the polite client for everything else.
"""

import hashlib
import json
import re
import socket
import ssl
import struct
import time

from asking import deadline

_STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-5][0-9][0-9]) ([\t\x20-\x7e\x80-\xff]*)\Z")
_FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*\Z", re.S)
_CHUNK_SIZE = re.compile(rb"[0-9A-Fa-f]{1,16}\Z")


class ProtocolError(AssertionError):
    """The peer sent something that is not well-formed HTTP/1.1."""


class Ended(AssertionError):
    """The peer ended the connection before the answer was whole."""

    def __init__(self, how, so_far):
        super().__init__("the connection ended (%s) after %r" % (how, bytes(so_far[:200])))
        self.how = how
        self.so_far = bytes(so_far)
        self.answer = None   # with what came of its body, where its head had come


class NothingCame(AssertionError):
    """The deadline passed."""


def parse_fields(lines):
    """Header lines to (name, value) pairs; anything doubtful is a ProtocolError."""
    fields = []
    for line in lines:
        match = _FIELD.match(line)
        if not match or re.search(rb"[\x00-\x08\x0a-\x1f\x7f]", match.group(2)):
            raise ProtocolError("not a header line: %r" % line[:200])
        fields.append((match.group(1).decode("ascii"), match.group(2).decode("latin-1")))
    return fields


def parse_chunk_size(line):
    if not _CHUNK_SIZE.match(line):
        raise ProtocolError("a chunk size of %r" % line[:60])
    return int(line, 16)


def values(fields, name):
    return [v for n, v in fields if n.lower() == name.lower()]


class Answer:
    """One parsed answer. The interim (1xx) answers before it stand in .interim."""

    def __init__(self, minor, status, reason, headers):
        self.minor, self.status, self.reason, self.headers = minor, status, reason, headers
        self.body = b""
        self.length = 0          # of the body, also where its bytes were not kept
        self.digest = hashlib.sha256()
        self.framing = "none"    # none | length | chunked | close
        self.trailers = []
        self.interim = []

    def all(self, name):
        return values(self.headers, name)

    def header(self, name, default=None):
        found = self.all(name)
        return found[0] if found else default

    header_all = all   # as asking.Answer calls it

    def json(self):
        return json.loads(self.body)

    @property
    def closes(self):
        return "close" in [t.strip().lower() for v in self.all("Connection") for t in v.split(",")]

    @property
    def code(self):
        """The reason word of a problem+json answer, None for any other answer."""
        if not (self.header("Content-Type") or "").startswith("application/problem+json"):
            return None
        return self.json().get("code")

    def __repr__(self):
        return "<%d %s %r>" % (self.status, self.headers, self.body[:300])


def parse_head(block):
    """The bytes before the empty line to an Answer without a body."""
    if b"\n" in block.replace(b"\r\n", b"") or b"\r" in block.replace(b"\r\n", b""):
        raise ProtocolError("a lone CR or LF in the head: %r" % bytes(block[:200]))
    first, *rest = bytes(block).split(b"\r\n")
    match = _STATUS_LINE.match(first)
    if not match:
        raise ProtocolError("not a status line: %r" % first[:200])
    return Answer(int(match.group(1)), int(match.group(2)), match.group(3).decode("latin-1"),
                  parse_fields(rest))


def body_framing(answer, method):
    """('none'|'length'|'chunked'|'close', length) by RFC 9112 section 6.3, strictly."""
    lengths, codings = answer.all("Content-Length"), answer.all("Transfer-Encoding")
    if lengths and codings:
        raise ProtocolError("Content-Length and Transfer-Encoding in one answer")
    if len(lengths) > 1 or (lengths and not re.match(r"[0-9]{1,19}\Z", lengths[0])):
        raise ProtocolError("Content-Length is %r" % lengths)
    if codings and codings != ["chunked"]:
        raise ProtocolError("Transfer-Encoding is %r" % codings)
    if answer.status < 200 or answer.status == 204:
        if lengths or codings:
            raise ProtocolError("a %d answer with %r" % (answer.status, lengths + codings))
        return "none", 0
    if method == "HEAD" or answer.status == 304:
        return "none", 0
    if codings:
        if answer.minor == 0:
            raise ProtocolError("chunked in an HTTP/1.0 answer")
        return "chunked", 0
    if lengths:
        return "length", int(lengths[0])
    return "close", 0


class Connection:
    """One client connection. All waits share the deadline that was given at the start or per call.

    tls      an ssl.SSLContext, with server_name as the name to verify
    receive  SO_RCVBUF, for readers that are to be slow
    """

    def __init__(self, port, host="127.0.0.1", tls=None, server_name=None, seconds=15.0,
                 receive=None):
        self.seconds = seconds
        self.buffer = bytearray()
        self.ended = None        # None | "fin" | "reset"
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            if receive:
                self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
            self.socket.settimeout(deadline(seconds))
            self.socket.connect((host, port))
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if tls is not None:
                self.socket = tls.wrap_socket(self.socket, server_hostname=server_name)
        except BaseException:
            self.socket.close()
            raise

    # -- sending ---------------------------------------------------------------------------

    def send(self, *parts):
        for part in parts:
            self.socket.settimeout(deadline(self.seconds))
            self.socket.sendall(part)
        return self

    def try_send(self, part):
        """Sends what the peer takes; False when it has closed on us."""
        try:
            self.send(part)
            return True
        except (BrokenPipeError, ConnectionResetError):
            return False

    def finish(self):
        """FIN: nothing more will be sent."""
        self.socket.shutdown(socket.SHUT_WR)
        return self

    def reset(self):
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # -- receiving -------------------------------------------------------------------------

    def _fill(self, end, most=1 << 16):
        """Reads once; True when bytes came, False at the end of the connection."""
        if self.ended:
            return False
        left = end - time.monotonic()
        if left <= 0:
            raise NothingCame("nothing came in time; so far %r" % bytes(self.buffer[:300]))
        self.socket.settimeout(left)
        try:
            data = self.socket.recv(most)
        except TimeoutError:
            raise NothingCame("nothing came in time; so far %r"
                              % bytes(self.buffer[:300])) from None
        except OSError as error:  # a reset, or a TLS end without its close_notify
            self.ended = "reset: %s" % error
            return False
        if not data:
            self.ended = "fin"
            return False
        self.buffer += data
        return True

    def _end(self, seconds):
        return time.monotonic() + deadline(self.seconds if seconds is None else seconds)

    def _until(self, mark, end, most=1 << 20):
        while True:
            at = self.buffer.find(mark)
            if at >= 0:
                block = bytes(self.buffer[:at])
                del self.buffer[:at + len(mark)]
                return block
            if len(self.buffer) > most:
                raise ProtocolError("no %r within %d bytes" % (mark, most))
            if not self._fill(end):
                raise Ended(self.ended, self.buffer)

    def _exactly(self, count, end, sink):
        while count:
            if not self.buffer and not self._fill(end):
                raise Ended(self.ended, self.buffer)
            piece = bytes(self.buffer[:count])
            del self.buffer[:len(piece)]
            count -= len(piece)
            sink(piece)

    def head(self, seconds=None):
        """The head of the next answer, interim or not, without its body."""
        return parse_head(self._until(b"\r\n\r\n", self._end(seconds)))

    def answer(self, method="GET", seconds=None, keep=True):
        """The next final answer with its body. keep=False counts and hashes its bytes only."""
        interim = []
        while True:
            answer = self.head(seconds)
            if answer.status == 101 or answer.status >= 200:
                break
            body_framing(answer, method)
            interim.append(answer)
        answer.interim = interim
        if answer.status == 101:
            return answer
        return self.body(answer, method, seconds, keep)

    def wait_for(self, data, seconds=None):
        """Waits until these bytes stand somewhere in what has come and is not read yet."""
        end = self._end(seconds)
        while data not in self.buffer:
            if not self._fill(end):
                raise Ended(self.ended, self.buffer)

    def body(self, answer, method="GET", seconds=None, keep=True):
        """Reads the body that belongs to a head which head() gave."""
        end = self._end(seconds)
        pieces = []

        def sink(piece):
            answer.length += len(piece)
            answer.digest.update(piece)
            if keep:
                pieces.append(piece)

        answer.framing, length = body_framing(answer, method)
        try:
            if answer.framing == "length":
                self._exactly(length, end, sink)
            elif answer.framing == "chunked":
                self._chunks(answer, end, sink)
            elif answer.framing == "close":
                while self.buffer or self._fill(end):
                    sink(bytes(self.buffer))
                    self.buffer.clear()
                if self.ended != "fin":
                    raise Ended(self.ended, self.buffer)
        except Ended as cut:
            cut.answer = answer
            raise
        finally:
            answer.body = b"".join(pieces)
        return answer

    def _chunks(self, answer, end, sink):
        while True:
            size = parse_chunk_size(self._until(b"\r\n", end))
            if size == 0:
                break
            self._exactly(size, end, sink)
            if self._until(b"\r\n", end) != b"":
                raise ProtocolError("a chunk is longer than its size")
        while line := self._until(b"\r\n", end):
            answer.trailers += parse_fields([line])

    def exactly(self, count, seconds=None):
        """That many bytes, whatever they mean."""
        pieces = []
        self._exactly(count, self._end(seconds), pieces.append)
        return b"".join(pieces)

    def rest(self, seconds=None):
        """Everything until the peer ends the connection; how it ended stands in .ended."""
        end = self._end(seconds)
        while self._fill(end):
            pass
        rest = bytes(self.buffer)
        self.buffer.clear()
        return rest

    def expect_end(self, seconds=None, clean=False):
        """The peer ends the connection and has sent nothing more. clean: by FIN, not by a reset."""
        rest = self.rest(seconds)
        if rest:
            raise AssertionError("surplus bytes before the end: %r" % rest[:300])
        if clean and self.ended != "fin":
            raise AssertionError("the connection ended by %s" % self.ended)
        return self.ended

    def more(self, seconds=None):
        """Waits for what comes next: True for bytes, False for the end."""
        return bool(self.buffer) or self._fill(self._end(seconds))

    def nothing_yet(self):
        """True when no byte and no end has come so far."""
        if self.buffer or self.ended:
            return False
        self.socket.setblocking(False)
        try:
            data = self.socket.recv(1 << 16)
        except (BlockingIOError, InterruptedError, ssl.SSLWantReadError):
            return True
        except OSError as error:
            self.ended = "reset: %s" % error
            return False
        finally:
            if self.socket.fileno() >= 0:
                self.socket.setblocking(True)
        if data:
            self.buffer += data
        else:
            self.ended = "fin"
        return False


def request(method, target, headers=(), body=None, host="app.example", token=None,
            version="HTTP/1.1"):
    """The bytes of a well-formed request. bytes and str mix; str is sent as UTF-8."""
    def raw(text):
        return text if isinstance(text, bytes) else str(text).encode("utf-8")

    lines = [b"%s %s %s" % (raw(method), raw(target), raw(version))]
    if host is not None:
        lines.append(b"Host: " + raw(host))
    if token is not None:
        lines.append(b"Authorization: Bearer " + raw(token))
    pairs = headers.items() if isinstance(headers, dict) else headers
    lines += [raw(name) + b": " + raw(value) for name, value in pairs]
    if body is not None:
        lines.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join(lines) + b"\r\n\r\n" + (body or b"")


def chunked(*pieces, trailers=b""):
    """A body in chunks, one a piece."""
    return b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in pieces if p) + b"0\r\n" + trailers + b"\r\n"


def exchange(port, data, method=None, seconds=15.0, **connection):
    """One request on a connection of its own, and its answer."""
    with Connection(port, seconds=seconds, **connection) as wire:
        wire.send(data)
        return wire.answer(method or data.split(b" ", 1)[0].decode("latin-1"))
