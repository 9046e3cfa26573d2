"""Tables in Markdown, and the files of a result."""
import json
import os

from . import chart
from .figures import ratio, spread


def table(head, rows, left=1):
    """Markdown with the columns lined up; the first `left` columns to the left, the others to the right."""
    lines = [list(map(str, line)) for line in [head, *rows]]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    shown = ["| " + " | ".join(cell.ljust(width) if i < left else cell.rjust(width) for i, (cell, width) in enumerate(zip(line, widths)))
             + " |" for line in lines]
    rule = "|" + "|".join("-" * (width + 2) if i < left else "-" * (width + 1) + ":" for i, width in enumerate(widths)) + "|"
    return "\n".join([shown[0], rule, *shown[1:]])


def cpu_table(rounds, names, bases=()):
    """rounds: {row: [measurement of Load.run]}; names: {row: for people}; bases: {column: row} that others are divided by"""
    bases = {column: row for column, row in dict(bases).items() if rounds.get(row)}
    head = ["what", "µs CPU/request", "least–most", "requests/s", "p99 µs", "core busy", *(f"÷ {column}" for column in bases)]
    rows = []
    for row, measured in rounds.items():
        us, rps, p99, busy = (spread([one[key] for one in measured]) for key in ("us", "rps", "p99_us", "busy"))
        rows.append([names[row], f"{us['median']:.2f}", f"{us['least']:.2f}–{us['most']:.2f}", f"{rps['median']:,.0f}",
                     f"{p99['median']:,.0f}", f"{busy['median']:.0%}",
                     *("" if row == base else f"{ratio('', rounds, row, base).spread()['median']:.2f}" for base in bases.values())])
    return table(head, rows)


def figures_table(outcomes):
    rows = [[name if not i else "", *figure.cells()] for name, outcome in outcomes.items() for i, figure in enumerate(outcome.figures)]
    return table(["scenario", "figure", "measured", "least–most", "to reach", "reached"], rows, left=2)


def missing(outcomes):
    """Peers that could not be had and scenarios that failed, each reason once."""
    failed = [f"{name}: FAILED: {outcome.failed}" for name, outcome in outcomes.items() if outcome.failed]
    return failed + list(dict.fromkeys(reason for outcome in outcomes.values() for reason in outcome.missing.values()))


def details(module, outcome):
    """A scenario's part of the result."""
    lines = [f"## {module.NAME}", "", module.QUESTION, ""]
    for caption, text in outcome.tables:
        lines += [caption, "", text, ""] if caption else [text, ""]
    return lines + [f"- {note}" for note in outcome.notes] + [""] * bool(outcome.notes)


def write(folder, date, how, machine, modules, outcomes):
    """DATE.md, DATE.json, and DATE.svg where there is something to draw. -> their common beginning"""
    os.makedirs(folder, exist_ok=True)
    base = os.path.join(folder, date)
    lines = [f"# Cost of a verified request, {date}", "", how, ""]
    drawn = chart.remembered(outcomes["remembered"]) if "remembered" in outcomes else None
    if drawn:
        with open(base + ".svg", "w", encoding="utf-8") as file:
            file.write(drawn)
        lines += [f"![Proxy CPU time per request: Signet beside its peers]({date}.svg)", ""]
    lines += [figures_table(outcomes), ""]
    lines += [f"- {reason}" for reason in missing(outcomes)] + [""] if missing(outcomes) else []
    for module in modules:
        lines += details(module, outcomes[module.NAME])
    proofs = {f"- {peer}: {proof}": None for outcome in outcomes.values() for peer, proof in outcome.proofs.items()}
    if proofs:
        lines += ["## What each was asked before the load", "", *proofs, ""]
    lines += ["## The machine and the versions", "", *(f"- {key}: {value}" for key, value in machine.items()), ""]
    with open(base + ".md", "w", encoding="utf-8") as file:
        file.write("\n".join(lines))
    raw = {"machine": machine, "scenarios": {name: {"figures": [figure.raw() for figure in outcome.figures], "answers": outcome.proofs,
                                                    "missing": outcome.missing, "notes": outcome.notes, "rounds": outcome.rounds}
                                             for name, outcome in outcomes.items()}}
    with open(base + ".json", "w", encoding="utf-8") as file:
        json.dump(raw, file, indent=1, ensure_ascii=False)
        file.write("\n")
    return base
