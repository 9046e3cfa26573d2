"""The proxies that are compared, each with its configuration in bench/peers/ and a proof that it does its work."""
import http.client
import os
import shutil

from .processes import Process, free_port

PEERS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "peers")


class Setting:
    """What every peer's configuration is filled with."""

    def __init__(self, work, tools, signet, tokens, algorithm, upstream_port):
        self.work, self.tools, self.signet, self.tokens, self.upstream_port = work, tools, signet, tokens, upstream_port
        self.words = {"WORK": work, "TOKENS": tokens, "UPSTREAM": str(upstream_port), "ALGORITHM": algorithm,
                      "ISSUER": self.read("issuer.txt"), "AUDIENCE": self.read("audience.txt"), "JWKS": self.read("jwks.json")}

    def read(self, name):
        with open(os.path.join(self.tokens, name), encoding="ascii") as file:
            return file.read().strip()

    def first_token(self):
        with open(os.path.join(self.tokens, "tokens.txt"), encoding="ascii") as file:
            return file.readline().strip()

    def fill(self, template, port):
        with open(os.path.join(PEERS, template), encoding="utf-8") as file:
            text = file.read()
        for word, value in {**self.words, "PORT": str(port)}.items():
            text = text.replace(f"@{word}@", value)
        path = os.path.join(self.work, template)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path


class Peer:
    """name; what it does; whether it refuses a forged token (CLAIMS: an expired one too); program; template; -> command."""

    CLAIMS = "claims"

    def __init__(self, name, does, authenticates, program, template, command):
        self.name, self.does, self.authenticates = name, does, authenticates
        self.program, self.template, self.command = program, template, command
        self.process = self.port = None

    def program_path(self, setting):
        if self.program == "signet":
            return setting.signet
        own = os.path.join(setting.tools, self.program)
        return own if os.path.exists(own) else shutil.which(self.program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")

    def start(self, setting, core):
        program = self.program_path(setting)
        if not program or not os.path.exists(program):
            raise FileNotFoundError(f"{self.program} is not installed")
        self.port = free_port()
        file = setting.fill(self.template, self.port) if self.template else None
        self.process = Process(self.name, [program, *self.command(file, self.port, setting)], core, setting.work)
        self.process.wait_for_port(self.port)

    def prove(self, setting):
        """Asks as the load will, and for what must be refused; a peer that answers otherwise is not measured."""
        good = self.ask(setting.first_token())
        if good != (200, 1024):
            raise SystemExit(f"bench: {self.name} answers a good token with {good}:\n{self.process.tail()}")
        if not self.authenticates:
            return "passes everything"
        proofs = ["admits the good token"]
        for label, token in (("none", None), ("forged", setting.read("forged.txt"))):
            status = self.ask(token)[0]
            if status not in (401, 403):
                raise SystemExit(f"bench: {self.name} answers {label} with {status}, and should refuse it")
            proofs.append(f"{label}: {status}")
        # HAProxy's jwt_verify looks at no claim: told, not asked of it.
        expired = self.ask(setting.read("expired.txt"))[0]
        if self.authenticates == self.CLAIMS and expired != 401:
            raise SystemExit(f"bench: {self.name} answers an expired token with {expired}")
        proofs.append(f"expired: {expired}")
        return ", ".join(proofs)

    def ask(self, token):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", "/orders/42?full=1", headers={"Authorization": "Bearer " + token} if token else {})
            answer = connection.getresponse()
            return answer.status, len(answer.read())
        finally:
            connection.close()


def all_peers():
    haproxy = lambda file, port, setting: ["-db", "-f", file]
    return [
        Peer("relay", "blind relay in C, four calls a request, no parsing", False, "relay", None,
             lambda file, port, setting: [str(port), str(setting.upstream_port)]),
        Peer("haproxy", "HAProxy, plain", False, "haproxy", "haproxy-plain.cfg", haproxy),
        Peer("nginx", "nginx, plain", False, "nginx", "nginx-plain.conf", lambda file, port, setting: ["-c", file]),
        Peer("signet", "Signet, all checks", Peer.CLAIMS, "signet", "signet.yaml",
             lambda file, port, setting: ["run", "-c", file]),
        Peer("haproxy-jwt", "HAProxy, jwt_verify: signature only", True, "haproxy", "haproxy-jwt.cfg", haproxy),
    ]
