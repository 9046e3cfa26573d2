"""A proxy under test: its program, its configuration, and the proof that it does its work. Which ones there are: peers/."""
import http.client
import os
import re
import shutil
import ssl

from .problems import Failed, Missing
from .processes import Process, free_port

PEERS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "peers")


class Setting:
    """Where a peer runs, and the words that stand in configurations as @WORD@."""

    def __init__(self, work, tools, signet, tokens, algorithm, upstream_port, keys_url):
        self.work, self.tools, self.signet, self.tokens = work, tools, signet, tokens
        self.words = {"WORK": work, "TOKENS": tokens, "UPSTREAM": str(upstream_port), "ALGORITHM": algorithm,
                      "ISSUER": self.read("issuer.txt"), "AUDIENCE": self.read("audience.txt"), "JWKS": self.read("jwks.json"),
                      "KEYS_URL": f"{keys_url}/{os.path.basename(tokens)}/jwks.json"}

    def path(self, name):
        return os.path.join(self.tokens, name)

    def read(self, name):
        with open(self.path(name), encoding="ascii") as file:
            return file.read().strip()

    def first_token(self):
        with open(self.path("tokens.txt"), encoding="ascii") as file:
            return file.readline().strip()

    def fill(self, template, name, words):
        with open(os.path.join(PEERS, template), encoding="utf-8") as file:
            text = file.read()
        for word, value in words.items():
            text = text.replace(f"@{word}@", value)
        left = re.search(r"@[A-Z_]+@", text)
        if left:
            raise Failed(f"nothing to put for {left.group()} of {template}")
        path = os.path.join(self.work, f"{name}-{template}")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path


class Peer:
    """name: a word; does: for people; program: a name, looked for among bench's own tools and then in the system; command:
    its arguments, in which @FILE@ is the filled template; files: templates beside it; authenticates: False, SIGNATURE (a forged token is refused) or
    CLAIMS (an expired one too); words: further ones for its configuration; ports: words that each become a free port;
    build: another program of Signet's than the run's."""

    SIGNATURE, CLAIMS = "signature", "claims"

    def __init__(self, name, does, program, command, template=None, authenticates=False, words=None, ports=(), files=(), needs=None,
                 tls=False):
        self.name, self.does, self.program, self.command, self.template = name, does, program, command, template
        self.authenticates, self.words, self.ports, self.files, self.needs, self.tls = authenticates, dict(words or {}), ports, files, needs, tls
        self.process = self.port = self.setting = self.build = None

    def program_path(self, setting):
        if self.program == "signet":
            return self.build or setting.signet
        own = os.path.join(setting.tools, self.program)
        return own if os.path.exists(own) else shutil.which(self.program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")

    def why_missing(self, setting):
        """What peers/fetch.sh left word of."""
        for name in (self.name, self.program):
            path = os.path.join(setting.tools, name + ".missing")
            if os.path.exists(path):
                with open(path, encoding="utf-8") as file:
                    return " ".join(file.read().split())
        return None

    def start(self, setting, cores, output=None, wait=True):
        program = self.program_path(setting)
        for path in (program, self.needs):
            if program is None or path and not os.path.exists(path):
                raise Missing(self.why_missing(setting) or f"{path or self.program} is not installed")
        self.setting, self.port = setting, free_port()
        for word in self.ports:
            self.words[word] = str(free_port())
        words = {"NAME": self.name, **self.words, **setting.words, "PORT": str(self.port)}
        for file in self.files:
            setting.fill(file, self.name, words)
        words["FILE"] = setting.fill(self.template, self.name, words) if self.template else ""
        command = [re.sub(r"@([A-Z_]+)@", lambda word: words[word.group(1)], part) for part in self.command]
        self.process = Process(self.name, [program, *command], cores, setting.work, output)
        if wait:
            self.process.wait_for_port(self.port)

    def url(self):
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    def prove(self):
        """Asks as the load will, and for what must be refused; a peer that answers otherwise is not measured."""
        good = self.ask(self.setting.first_token())
        if good != (200, 1024):
            raise Missing(f"it answers a good token with {good}: {self.process.tail()}")
        if not self.authenticates:
            return "passes everything"
        proofs = ["admits the good token"]
        for label, token in (("none", None), ("forged", self.setting.read("forged.txt"))):
            status = self.ask(token)[0]
            if status not in (401, 403):
                raise Missing(f"it answers {label} with {status}, and should refuse it")
            proofs.append(f"{label}: {status}")
        # HAProxy's jwt_verify looks at no claim: told, not asked of it.
        expired = self.ask(self.setting.read("expired.txt"))[0]
        if self.authenticates == self.CLAIMS and expired not in (401, 403):
            raise Missing(f"it answers an expired token with {expired}")
        proofs.append(f"expired: {expired}")
        return ", ".join(proofs)

    def connection(self, port=None):
        if self.tls and port is None:
            context = ssl.create_default_context(cafile=self.words["CERTIFICATE"])
            return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=10, context=context)
        return http.client.HTTPConnection("127.0.0.1", port or self.port, timeout=10)

    def ask(self, token):
        connection = self.connection()
        try:
            connection.request("GET", "/orders/42?full=1", headers={"Authorization": "Bearer " + token} if token else {})
            answer = connection.getresponse()
            return answer.status, len(answer.read())
        finally:
            connection.close()

    def metric(self, name, **labels):
        """The sum of Signet's samples of this name with these labels; 0 where there is none."""
        connection = self.connection(int(self.words["HEALTH"]))
        try:
            connection.request("GET", "/metrics")
            page = connection.getresponse().read().decode()
        finally:
            connection.close()
        total = 0.0
        for sample, value in re.findall(r"^(\w+(?:\{.*\})?) ([-+.\deE]+|NaN)$", page, re.M):
            if sample.partition("{")[0] == name and all(f'{label}="{wanted}"' in sample for label, wanted in labels.items()):
                total += float(value)
        return total
