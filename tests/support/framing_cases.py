"""Requests whose meaning two parsers could read in two ways, as data.

{auth} stands where an Authorization line goes, or nothing. Each request is followed on the wire
by one for /smuggled, which must never be read as a request.
"""

REFUSED = {400}
UNKNOWN_CODING = {400, 501}
UNKNOWN_VERSION = {400, 505}


def _post(*fields, body=b"0\r\n\r\n", version=b"1.1"):
    return (b"POST /refused HTTP/" + version + b"\r\nHost: app.example\r\n{auth}"
            + b"".join(f + b"\r\n" for f in fields) + b"\r\n" + body)


def _get(*fields, line=b"GET /refused HTTP/1.1", host=b"Host: app.example\r\n"):
    return line + b"\r\n" + host + b"{auth}" + b"".join(f + b"\r\n" for f in fields) + b"\r\n"


CHUNKED = b"Transfer-Encoding: chunked"
TWO_FRAMINGS = {
    "Content-Length before chunked": _post(b"Content-Length: 5", CHUNKED),
    "chunked before Content-Length": _post(CHUNKED, b"Content-Length: 5"),
    "chunked and a Content-Length of 0": _post(CHUNKED, b"Content-Length: 0"),
    "chunked and a Content-Length in another case": _post(b"transfer-encoding: chunked",
                                                          b"CONTENT-LENGTH: 5"),
    "Content-Length and an unknown coding": _post(b"Content-Length: 5",
                                                  b"Transfer-Encoding: xchunked", body=b"hello"),
    "Content-Length and an empty coding": _post(b"Content-Length: 5", b"Transfer-Encoding:",
                                                body=b"hello"),
}

_CODINGS = [b"xchunked", b"identity", b"gzip", b"chunked, identity", b",chunked", b"chunked,",
            b"gzip, chunked", b"identity, chunked", b"chunked, chunked", b"chunked chunked",
            b"chunked;q=1", b"\"chunked\"", b"chunked\x0b", b"\x0bchunked", b"chunked\x00", b"",
            b"chun ked", b"0"]
CODINGS = {"Transfer-Encoding of %r" % c.decode(): _post(b"Transfer-Encoding: " + c)
           for c in _CODINGS}
CODINGS.update({
    "two lines of chunked": _post(CHUNKED, CHUNKED),
    "identity, then chunked on a line of its own": _post(b"Transfer-Encoding: identity", CHUNKED),
    "chunked, then identity on a line of its own": _post(CHUNKED, b"Transfer-Encoding: identity"),
    "chunked on a folded line": _post(b"Transfer-Encoding:\r\n chunked"),
    "a space before the colon of Transfer-Encoding": _post(b"Transfer-Encoding : chunked"),
    "HTTP/1.0 with chunked": _post(CHUNKED, version=b"1.0"),
})

_LENGTHS = [b"5,5", b"5, 5", b"5,6", b"+5", b"0x5", b"5 5", b"", b"-1", b"-0", b"5.0", b"5e0",
            b"5;", b"five", b"\"5\"", b"5\x0b", b"18446744073709551616", b"18446744073709551621",
            b"99999999999999999999999999", b"\xd9\xa5"]
LENGTHS = {"Content-Length of %r" % n.decode(): _post(b"Content-Length: " + n, body=b"hello")
           for n in _LENGTHS}
LENGTHS.update({
    "two equal lengths": _post(b"Content-Length: 5", b"Content-Length: 5", body=b"hello"),
    "two different lengths": _post(b"Content-Length: 5", b"Content-Length: 6", body=b"hello"),
    "two lengths apart": _post(b"Content-Length: 5", b"X-A: b", b"content-length: 0", body=b"hello"),
    "a space before the colon of Content-Length": _post(b"Content-Length : 5", body=b"hello"),
    "a tab before the colon of Content-Length": _post(b"Content-Length\t: 5", body=b"hello"),
    "a folded length": _post(b"Content-Length:\r\n 5", body=b"hello"),
    "a length that goes on behind a fold": _post(b"Content-Length: 5\r\n 5", body=b"hello"),
})

LINES = {
    "a folded line": _get(b"X-A: b\r\n c"),
    "a line folded by a tab": _get(b"X-A: b\r\n\tc"),
    "a folded first line": b"GET /refused HTTP/1.1\r\n Host: app.example\r\n{auth}\r\n",
    "space before the first header": b"GET /refused HTTP/1.1\r\n X-A: b\r\nHost: app.example\r\n"
                                     b"{auth}\r\n",
    "bare LF everywhere": b"GET /refused HTTP/1.1\nHost: app.example\n{auth}\n",
    "bare LF behind the request line": b"GET /refused HTTP/1.1\nHost: app.example\r\n{auth}\r\n",
    "bare LF behind a header": _get(b"X-A: b\nX-C: d"),
    "bare LF as the empty line": b"GET /refused HTTP/1.1\r\nHost: app.example\r\n{auth}\n",
    "bare CR in a value": _get(b"X-A: b\rX-C: d"),
    "bare CR behind the request line": b"GET /refused HTTP/1.1\rHost: app.example\r\n{auth}\r\n",
    "CR CR LF": _get(b"X-A: b\r"),
    "a space before the colon": _get(b"X-A : b"),
    "a tab before the colon": _get(b"X-A\t: b"),
    "a space in a name": _get(b"X A: b"),
    "no colon": _get(b"X-A"),
    "an empty name": _get(b": b"),
    "NUL in a name": _get(b"X-\x00A: b"),
    "NUL in a value": _get(b"X-A: b\x00c"),
    "a byte above 127 in a name": _get(b"X-\xc3\xa9: b"),
    "a single high byte in a name": _get(b"\xffX: b"),
    "a parenthesis in a name": _get(b"X(A): b"),
    "a control character in a name": _get(b"X\x01A: b"),
    "a quote in a name": _get(b"X\"A: b"),
}

HOSTS = {
    "no Host": _get(host=b""),
    "two Hosts": _get(host=b"Host: app.example\r\nHost: app.example\r\n"),
    "two different Hosts": _get(host=b"Host: app.example\r\nHost: other.example\r\n"),
    "two Hosts apart": _get(b"X-A: b", b"host: other.example"),
    "a Host with a comma": _get(host=b"Host: app.example,other.example\r\n"),
    "a Host with userinfo": _get(host=b"Host: user@app.example\r\n"),
    "a Host with a path": _get(host=b"Host: app.example/admin\r\n"),
    "a Host with a query": _get(host=b"Host: app.example?x\r\n"),
    "a Host with a fragment": _get(host=b"Host: app.example#x\r\n"),
    "a Host with a scheme": _get(host=b"Host: http://app.example\r\n"),
    "a Host with a space": _get(host=b"Host: app.example other\r\n"),
    "a Host with a backslash": _get(host=b"Host: app.example\\admin\r\n"),
    "a Host with a port that is no number": _get(host=b"Host: app.example:80x\r\n"),
    "a Host with two ports": _get(host=b"Host: app.example:80:81\r\n"),
    "a Host with a high byte": _get(host=b"Host: app\xff.example\r\n"),
    "a space before Host's colon": _get(host=b"Host : app.example\r\n"),
}

REQUEST_LINES = {
    "a relative target": _get(line=b"GET refused HTTP/1.1"),
    "a target that is an asterisk": _get(line=b"GET * HTTP/1.1"),
    "a target with a query alone": _get(line=b"GET ?refused HTTP/1.1"),
    "two spaces before the target": _get(line=b"GET  /refused HTTP/1.1"),
    "two spaces behind the target": _get(line=b"GET /refused  HTTP/1.1"),
    "a space in the target": _get(line=b"GET /refused x HTTP/1.1"),
    "a space behind the version": _get(line=b"GET /refused HTTP/1.1 "),
    "a space before the method": _get(line=b" GET /refused HTTP/1.1"),
    "tabs for spaces": _get(line=b"GET\t/refused\tHTTP/1.1"),
    "a tab in the target": _get(line=b"GET /ref\tused HTTP/1.1"),
    "a NUL in the target": _get(line=b"GET /ref\x00used HTTP/1.1"),
    "a NUL in the method": _get(line=b"GE\x00T /refused HTTP/1.1"),
    "a bracket in the method": _get(line=b"G{E}T /refused HTTP/1.1"),
    "no method": _get(line=b"/refused HTTP/1.1"),
    "no version": _get(line=b"GET /refused"),
    "no target": _get(line=b"GET HTTP/1.1"),
    "another host in absolute form": _get(line=b"GET http://other.example/refused HTTP/1.1"),
    "userinfo in absolute form": _get(line=b"GET http://u@app.example/refused HTTP/1.1"),
    "another scheme in absolute form": _get(line=b"GET ftp://app.example/refused HTTP/1.1"),
    "another port in absolute form": _get(line=b"GET http://app.example:81/refused HTTP/1.1"),
    "an authority as target": _get(line=b"GET app.example:80 HTTP/1.1"),
}

VERSIONS = {
    "HTTP/2.0": _get(line=b"GET /refused HTTP/2.0"),
    "HTTP/1.2": _get(line=b"GET /refused HTTP/1.2"),
    "HTTP/0.9": _get(line=b"GET /refused HTTP/0.9"),
    "HTTP/1.10": _get(line=b"GET /refused HTTP/1.10"),
    "HTTP/1": _get(line=b"GET /refused HTTP/1"),
    "lower case": _get(line=b"GET /refused http/1.1"),
    "another protocol": _get(line=b"GET /refused ICY/1.1"),
    "the preface of HTTP/2": b"PRI * HTTP/2.0\r\n{auth}\r\nSM\r\n\r\n",
}

CONNECTS = {
    "CONNECT to an authority": _get(line=b"CONNECT app.example:443 HTTP/1.1"),
    "CONNECT to another authority": _get(line=b"CONNECT other.example:443 HTTP/1.1"),
}

CONNECTION_NAMES = {
    "Connection: " + n.decode(): _post(b"Connection: " + n, b"Content-Length: 5", body=b"hello")
    for n in (b"Content-Length", b"content-length", b"close, Content-Length", b"Host", b"keep-alive,host",
              b"Transfer-Encoding", b"close ,\tTRANSFER-ENCODING")}

# class: (cases, statuses)
CLASSES = {
    "two framings": (TWO_FRAMINGS, UNKNOWN_CODING),
    "codings": (CODINGS, UNKNOWN_CODING),
    "lengths": (LENGTHS, REFUSED),
    "lines": (LINES, REFUSED),
    "hosts": (HOSTS, REFUSED),
    "request lines": (REQUEST_LINES, REFUSED),
    "versions": (VERSIONS, UNKNOWN_VERSION),
    "headers that Connection must not name": (CONNECTION_NAMES, REFUSED),
}

# What stands behind the head of a chunked request; after a good first chunk and without one.
BAD_CHUNKS = {
    "a plus sign": b"+5\r\nhello\r\n0\r\n\r\n",
    "a minus sign": b"-5\r\nhello\r\n0\r\n\r\n",
    "0x": b"0x5\r\nhello\r\n0\r\n\r\n",
    "a space before the size": b" 5\r\nhello\r\n0\r\n\r\n",
    "a space behind the size": b"5 \r\nhello\r\n0\r\n\r\n",
    "a tab behind the size": b"5\t\r\nhello\r\n0\r\n\r\n",
    "17 digits": b"00000000000000005\r\nhello\r\n0\r\n\r\n",
    "17 digits that overflow": b"10000000000000005\r\nhello\r\n0\r\n\r\n",
    "a size of 2^64 - 1": b"ffffffffffffffff\r\nhello\r\n0\r\n\r\n",
    "an empty size": b"\r\nhello\r\n0\r\n\r\n",
    "a letter past f": b"5g\r\nhello\r\n0\r\n\r\n",
    "an extension without a size": b";a=b\r\nhello\r\n0\r\n\r\n",
    "NUL in an extension": b"5;a=\x00b\r\nhello\r\n0\r\n\r\n",
    "bare LF in an extension": b"5;a=b\nhello\r\n0\r\n\r\n",
    "bare CR in an extension": b"5;a\rb\r\nhello\r\n0\r\n\r\n",
    "bare LF behind a size": b"5\nhello\r\n0\r\n\r\n",
    "bare LF behind the data": b"5\r\nhello\n0\r\n\r\n",
    "bare LF at the end": b"5\r\nhello\r\n0\n\n",
    "data longer than its size": b"5\r\nhelloX\r\n0\r\n\r\n",
    "data without its line end": b"5\r\nhello0\r\n\r\n",
    "an extension of 100 KB": b"5;a=" + b"x" * 100_000 + b"\r\nhello\r\n0\r\n\r\n",
    "trailers of 100 KB": b"5\r\nhello\r\n0\r\n" + b"X-T: " + b"x" * 100_000 + b"\r\n\r\n",
    "10,000 trailers": b"5\r\nhello\r\n0\r\n" + b"X-T: x\r\n" * 10_000 + b"\r\n",
    "a trailer with NUL": b"5\r\nhello\r\n0\r\nX-T: \x00\r\n\r\n",
    "a folded trailer": b"5\r\nhello\r\n0\r\nX-T: a\r\n b\r\n\r\n",
}

GOOD_CHUNKS = {
    "plain": (b"5\r\nhello\r\n0\r\n\r\n", b"hello"),
    "upper-case digits": (b"A\r\n0123456789\r\n0\r\n\r\n", b"0123456789"),
    "leading zeros": (b"0005\r\nhello\r\n000\r\n\r\n", b"hello"),
    "16 digits": (b"0000000000000005\r\nhello\r\n0\r\n\r\n", b"hello"),
    "an extension": (b"5;a=b\r\nhello\r\n0;c\r\n\r\n", b"hello"),
    "a quoted extension": (b"5;a=\"b;c\"\r\nhello\r\n0\r\n\r\n", b"hello"),
    "trailers": (b"5\r\nhello\r\n0\r\nX-T: 1\r\nX-U: 2\r\n\r\n", b"hello"),
    "nothing": (b"0\r\n\r\n", b""),
    "many chunks": (b"1\r\na\r\n" * 500 + b"0\r\n\r\n", b"a" * 500),
}
