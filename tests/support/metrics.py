"""Reading Prometheus' text format."""

import re


class Metrics:
    """A scrape in Prometheus' text format."""

    _LINE = re.compile(r'^([A-Za-z_:][A-Za-z0-9_:]*)(?:\{(.*)\})?\s+(\S+)(?:\s+\d+)?$')
    _LABEL = re.compile(r'([A-Za-z_][A-Za-z0-9_]*)="((?:[^"\\]|\\.)*)"')

    def __init__(self, text):
        self.text = text
        self.samples = []
        self.types = {}
        for line in text.splitlines():
            if line.startswith("# TYPE "):
                _, _, name, kind = line.split(None, 3)
                self.types[name] = kind
            elif line and not line.startswith("#"):
                match = self._LINE.match(line)
                if not match:
                    raise AssertionError("not a metrics line: %r" % line)
                labels = dict(self._LABEL.findall(match.group(2) or ""))
                self.samples.append((match.group(1), labels, float(match.group(3))))

    def value(self, name, **labels):
        """The sum over all samples of that name that carry these labels; 0.0 when none does."""
        return sum(v for n, have, v in self.samples
                   if n == name and all(have.get(k) == w for k, w in labels.items()))

    def has(self, name):
        return any(n == name or n == name + "_count" for n, _, _ in self.samples)

    def labels(self, name):
        return [have for n, have, _ in self.samples if n == name]
