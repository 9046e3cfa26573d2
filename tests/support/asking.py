"""Asking an HTTP server one thing at a time, and looking at what it answered.

This is the polite client, on top of http.client. Tests that need control over every byte of the
request use wire.py instead.
"""

import http.client
import json
import os
import time

SLOW = float(os.environ.get("SIGNET_TEST_SLOW", "1"))


def deadline(seconds):
    """A number of seconds, stretched for slow (sanitizer, debug) builds."""
    return seconds * SLOW


def wait_until(condition, what, seconds=10.0):
    """Waits until condition() is truthy and returns its value; fails after the deadline."""
    end = time.monotonic() + deadline(seconds)
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError("waited %.0f s in vain for %s" % (deadline(seconds), what))
        time.sleep(0.02)


class Answer:
    """One HTTP answer: .status, .headers (list of pairs), .body (bytes)."""

    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    def header(self, name, default=None):
        values = self.header_all(name)
        return values[0] if values else default

    def header_all(self, name):
        return [v for n, v in self.headers if n.lower() == name.lower()]

    def json(self):
        return json.loads(self.body)

    @property
    def code(self):
        """The reason word of a problem+json answer, None for any other answer."""
        if not (self.header("Content-Type") or "").startswith("application/problem+json"):
            return None
        return self.json().get("code")

    def __repr__(self):
        return "<%d %s %r>" % (self.status, self.headers, self.body[:400])


class Client:
    """A keep-alive connection. It opens again by itself when the server has closed it."""

    def __init__(self, port, host="127.0.0.1", timeout=15.0):
        self.host, self.port, self.timeout = host, port, deadline(timeout)
        self._connection = None

    def _open(self):
        connection = http.client.HTTPConnection(self.host, self.port, timeout=self.timeout)
        connection.connect()
        return connection

    def ask(self, method, target, headers=(), body=None):
        """headers: pairs of str or bytes. Content-Length is added for a body."""
        reused = self._connection is not None
        try:
            return self._ask_once(method, target, headers, body)
        except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
            self.close()
            if not reused:
                raise
            return self._ask_once(method, target, headers, body)
        except Exception:
            self.close()
            raise

    def _ask_once(self, method, target, headers, body):
        if self._connection is None:
            self._connection = self._open()
        connection = self._connection
        headers = list(headers)
        names = {(n if isinstance(n, str) else n.decode("latin-1")).lower() for n, _ in headers}
        connection.putrequest(method, target, skip_host="host" in names, skip_accept_encoding=True)
        if body is not None and "content-length" not in names:
            headers.append(("Content-Length", str(len(body))))
        for name, value in headers:
            connection.putheader(name, value)
        connection.endheaders(body)
        response = connection.getresponse()
        answer = Answer(response.status, response.getheaders(), response.read())
        if response.will_close:
            self.close()
        return answer

    def close(self):
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def ask(port, method, target, headers=(), body=None, timeout=15.0):
    """One request on a connection of its own."""
    with Client(port, timeout=timeout) as client:
        return client.ask(method, target, list(headers) + [("Connection", "close")], body)
