"""Figures from rounds, and the table that shows them."""
import json
import os
import statistics


def spread(values):
    return {"median": statistics.median(values), "least": min(values), "most": max(values)}


def ratio(rounds, base):
    """Of two lists of the same rounds: the median of the ratios within a round, so that a slow minute weighs on both."""
    return spread([a / b for a, b in zip(rounds, base)])


def summary(results, bases):
    """results: {row: [measurement a round]}; bases: {row: {base's name: base's row}}"""
    rows = {}
    for row, rounds in results.items():
        us = [one["us"] for one in rounds]
        rows[row] = {"us": spread(us), "rps": spread([one["rps"] for one in rounds]), "p99_us": spread([one["p99_us"] for one in rounds]),
                     "busy": spread([one["busy"] for one in rounds]), "ratios": {
                         name: ratio(us, [one["us"] for one in results[base]]) for name, base in bases[row].items() if base in results}}
    return rows


def table(rows, names, columns):
    """Markdown, with the columns lined up."""
    lines = [["what", "tokens", "µs CPU/request", "least–most", "requests/s", "p99 µs", "core busy", *(f"÷ {name}" for name in columns)]]
    for row, figures in rows.items():
        us = figures["us"]
        cells = [names[row[0]], str(row[1]), f"{us['median']:.2f}", f"{us['least']:.2f}–{us['most']:.2f}",
                 f"{figures['rps']['median']:,.0f}", f"{figures['p99_us']['median']:,.0f}", f"{figures['busy']['median']:.0%}"]
        lines.append(cells + [f"{figures['ratios'][name]['median']:.2f}" if name in figures["ratios"] else "" for name in columns])
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    shown = ["| " + " | ".join(cell.ljust(width) if i == 0 else cell.rjust(width) for i, (cell, width) in enumerate(zip(line, widths))) + " |"
             for line in lines]
    rule = "|" + "|".join("-" * (width + 2) if i == 0 else "-" * (width + 1) + ":" for i, width in enumerate(widths)) + "|"
    return "\n".join([shown[0], rule, *shown[1:]])


def write(folder, name, title, how, machine, proofs, text, raw):
    os.makedirs(folder, exist_ok=True)
    lines = [f"# {title}", "", how, "", text, "", "Before the load, each peer was asked:", ""]
    lines += [f"- {peer}: {proof}" for peer, proof in proofs.items()]
    lines += ["", "The machine and the versions:", "", *(f"- {key}: {value}" for key, value in machine.items()), ""]
    base = os.path.join(folder, name)
    with open(base + ".md", "w", encoding="utf-8") as file:
        file.write("\n".join(lines))
    with open(base + ".json", "w", encoding="utf-8") as file:
        json.dump(raw, file, indent=1)
        file.write("\n")
    return base
