"""Figures: what was measured in each round, and what was to be reached."""
import statistics


def spread(values):
    return {"median": statistics.median(values), "least": min(values), "most": max(values)}


class Figure:
    """One number a round, of which the median counts. target: '<= 1.25', '>= 1.9' or None. why: the reason where there is
    no value; then the target is not reached either."""

    def __init__(self, what, values, target=None, unit="", why="not measured"):
        self.what, self.values, self.unit, self.why = what, list(values or []), unit, "" if values else why
        self.sign, self.limit = (target.split()[0], float(target.split()[1])) if target else (None, None)
        assert self.sign in (None, "<=", ">=")

    def measured(self):
        return bool(self.values)

    def spread(self):
        return spread(self.values)

    def reached(self):
        """True or False; None: nothing was to be reached."""
        if self.sign is None:
            return None
        if not self.values:
            return False
        median = self.spread()["median"]
        return median <= self.limit if self.sign == "<=" else median >= self.limit

    def shown(self, value):
        text = f"{value:.3f}" if abs(value) < 10 else f"{value:,.1f}"
        return f"{text} {self.unit}".strip()

    def cells(self):
        """figure, measured, least–most, to reach, reached"""
        reached = {True: "yes", False: "**no**", None: "–"}[self.reached()]
        target = f"{'≤' if self.sign == '<=' else '≥'} {self.limit:g} {self.unit}".strip() if self.sign else "–"
        if not self.values:
            return [self.what, "not measured", "", target, reached]
        figure = self.spread()
        return [self.what, self.shown(figure["median"]), f"{figure['least']:.3f}–{figure['most']:.3f}", target, reached]

    def raw(self):
        return {"figure": self.what, "rounds": self.values, "unit": self.unit, "reached": self.reached(),
                "to_reach": f"{self.sign} {self.limit:g}" if self.sign else None, **(self.spread() if self.values else {"why": self.why})}


def ratio(what, rounds, one, other, target=None, key="us", missing=None):
    """Of two rows that were measured in the same rounds: the ratio within each round, so that a slow minute weighs on both.
    rounds: {row: [measurement]}; missing: {row: why it is not there}"""
    for name in (one, other):
        if not rounds.get(name):
            return Figure(what, None, target, why=(missing or {}).get(name, f"{name} was left out"))
    return Figure(what, [a[key] / b[key] for a, b in zip(rounds[one], rounds[other])], target)
