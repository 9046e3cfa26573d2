"""What runs in the processes that steady.py starts. Standard library only, so that they start fast.

    python3 steady_child.py load        commands on standard input, reports on standard output
    python3 steady_child.py upstream    answers 200 to every request; prints its port

Commands and reports are JSON, one a line. Both processes end when their standard input does, so that
they never outlive the test that started them.

    {"port": 8080, "rate": 2000, "connections": 4, "target": "/steady", "limit": 120}   the first line
    {"tokens": {"good": [...], "new": [...]}}   from now on; each label gets an equal share of the requests
    {"stop": true}                              no more requests; what was sent is waited for
"""

import collections
import itertools
import json
import os
import re
import selectors
import socket
import sys
import time

TICK = 0.01            # seconds between two batches
REPORT = 0.05          # between two reports
MOST_WAITING = 48      # requests on a connection without an answer: fits the kernel's buffers
LONGEST_WAIT = 20.0    # for the last answers after a stop
ODD_KEPT = 5           # answers other than 200 that are kept whole, for each label

_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]+)")
_CODE = re.compile(rb'"code"[ \t]*:[ \t]*"([a-z_]+)"')


class Wire:
    """One keep-alive connection. Requests are pipelined; .waiting names their labels, oldest first."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), 10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self.out, self.buffer, self.waiting = bytearray(), bytearray(), collections.deque()

    def flush(self):
        try:
            while self.out:
                del self.out[:self.socket.send(self.out)]
        except BlockingIOError:
            pass
        except OSError:
            self.out.clear()  # the end of the connection is seen where it is read


class Load:
    def __init__(self, port, rate, connections, target, limit):
        self.port, self.rate, self.target, self.limit = port, rate, target, limit
        self.wires = [None] * connections
        self.turn = self.labels = None
        self.phase = self.sent = self.answered = 0
        self.counts, self.odd = collections.Counter(), collections.defaultdict(list)
        self.began = time.monotonic()
        self.stopped_at = None
        self.selector = selectors.DefaultSelector()
        self.selector.register(sys.stdin, selectors.EVENT_READ)
        self.commands = bytearray()

    # -- what it is told -------------------------------------------------------------------------

    def use(self, tokens):
        def request(token):
            return ("GET %s HTTP/1.1\r\nHost: app.example\r\nAuthorization: Bearer %s\r\n\r\n"
                    % (self.target, token)).encode()
        cycles = [(label, itertools.cycle([request(t) for t in given])) for label, given in tokens.items()]
        self.turn = itertools.cycle(cycles) if cycles else None
        self.phase += 1

    def stop(self):
        if self.stopped_at is None:
            self.stopped_at = time.monotonic()

    def take_commands(self):
        data = os.read(sys.stdin.fileno(), 1 << 20)
        if not data:
            sys.exit(0)
        self.commands += data
        while (end := self.commands.find(b"\n")) >= 0:
            command = json.loads(self.commands[:end])
            del self.commands[:end + 1]
            if "tokens" in command:
                self.use(command["tokens"])
            if "stop" in command:
                self.stop()

    # -- sending ---------------------------------------------------------------------------------

    def send_batch(self, count):
        if self.turn is None:
            return
        for place in range(len(self.wires)):
            if self.wires[place] is None:
                self.open(place)
        for _ in range(count):
            wire = self.wires[self.sent % len(self.wires)]
            if wire is None or len(wire.waiting) >= MOST_WAITING:
                wire = next((w for w in self.wires if w is not None and len(w.waiting) < MOST_WAITING), None)
                if wire is None:
                    break  # it cannot keep up; the rate says so
            label, requests = next(self.turn)
            wire.out += next(requests)
            wire.waiting.append(label)
            self.sent += 1
        for wire in self.wires:
            if wire is not None:
                wire.flush()

    def open(self, place):
        try:
            wire = self.wires[place] = Wire(self.port)
        except OSError as error:
            self.note("(no connection)", 0, "refused", str(error).encode())
            return
        self.selector.register(wire.socket, selectors.EVENT_READ, (place, wire))

    def drop(self, place, wire):
        self.selector.unregister(wire.socket)
        wire.socket.close()
        self.wires[place] = None

    # -- receiving -------------------------------------------------------------------------------

    def receive(self, place, wire):
        try:
            data = wire.socket.recv(1 << 18)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        wire.buffer += data
        closes = self.take_answers(wire)
        if closes:
            self.sent -= len(wire.waiting)  # by HTTP's rules these were not looked at
        elif not data:
            for label in wire.waiting:
                self.note(label, 0, "cut", bytes(wire.buffer[:300]))
        if closes or not data:
            self.drop(place, wire)

    def take_answers(self, wire):
        """True when one of them ended the connection."""
        while wire.waiting:
            end = wire.buffer.find(b"\r\n\r\n")
            if end < 0:
                return False
            head = bytes(wire.buffer[:end]).lower()
            length = _LENGTH.search(head)
            whole = end + 4 + (int(length.group(1)) if length else 0)
            if len(wire.buffer) < whole:
                return False
            body = bytes(wire.buffer[end + 4:whole])
            del wire.buffer[:whole]
            status, code = int(head[9:12]), None
            if b"\r\ncontent-type: application/problem+json" in head and (found := _CODE.search(body)):
                code = found.group(1).decode()
            self.note(wire.waiting.popleft(), status, code, body)
            if b"\r\nconnection: close" in head:
                return True
        return False

    def note(self, label, status, code, body):
        self.answered += status != 0
        self.counts[label, status, code] += 1
        if status != 200 and len(self.odd[label]) < ODD_KEPT:
            now = time.time()
            when = time.strftime("%H:%M:%S", time.gmtime(now)) + ".%03d" % (now % 1 * 1000)
            self.odd[label].append([when, status, body[:300].decode("utf-8", "replace")])

    # -- the whole -------------------------------------------------------------------------------

    def report(self, final=False):
        end = self.stopped_at or time.monotonic()
        print(json.dumps({"phase": self.phase, "sent": self.sent, "answered": self.answered,
                          "seconds": end - self.began, "final": final, "odd": self.odd,
                          "counts": [[*key, n] for key, n in self.counts.items()]}), flush=True)

    def run(self):
        batch = next_report = time.monotonic()
        owed = 0.0
        while True:
            now = time.monotonic()
            if now - self.began > self.limit:
                self.stop()
            if now >= batch:
                # After a long pause the missed batches are not made up for: a burst is no steady load.
                batch = max(batch + TICK, now - 10 * TICK)
                if self.stopped_at is None:
                    owed += self.rate * TICK
                    self.send_batch(int(owed))
                    owed -= int(owed)
                for wire in self.wires:
                    if wire is not None and wire.out:
                        wire.flush()
            if now >= next_report:
                next_report = now + REPORT
                self.report()
            if self.stopped_at is not None:
                if not any(wire is not None and wire.waiting for wire in self.wires):
                    break
                if now - self.stopped_at > LONGEST_WAIT:
                    for wire in self.wires:
                        for label in wire.waiting if wire is not None else ():
                            self.note(label, 0, "no answer", b"")
                    break
            for event, _ in self.selector.select(max(0.0, batch - time.monotonic())):
                if event.data is None:
                    self.take_commands()
                elif self.wires[event.data[0]] is event.data[1]:
                    self.receive(*event.data)
        self.report(final=True)


def load():
    # Unbuffered by hand: the selector must see what has not been read.
    first = bytearray()
    while not first.endswith(b"\n"):
        byte = os.read(sys.stdin.fileno(), 1)
        if not byte:
            return
        first += byte
    Load(**json.loads(first)).run()


def upstream():
    """Counts the ends of heads, and answers as many times: requests with a body are not its business."""
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Type: text/plain\r\n\r\nok\n"
    listener = socket.create_server(("127.0.0.1", 0), backlog=512)
    print(listener.getsockname()[1], flush=True)
    selector = selectors.DefaultSelector()
    selector.register(sys.stdin, selectors.EVENT_READ)
    selector.register(listener, selectors.EVENT_READ)
    begun = {}  # connection -> the part of a head that has come
    while True:
        for event, _ in selector.select():
            peer = event.fileobj
            if peer is sys.stdin:
                if not os.read(sys.stdin.fileno(), 4096):
                    return
            elif peer is listener:
                connection, _ = listener.accept()
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                selector.register(connection, selectors.EVENT_READ)
                begun[connection] = b""
            else:
                try:
                    data = peer.recv(1 << 18)
                    *heads, begun[peer] = (begun[peer] + data).split(b"\r\n\r\n")
                    if heads:
                        peer.sendall(answer * len(heads))
                except OSError:
                    data = b""
                if not data:
                    selector.unregister(peer)
                    del begun[peer]
                    peer.close()


if __name__ == "__main__":
    {"load": load, "upstream": upstream}[sys.argv[1]]()
