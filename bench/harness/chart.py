"""A bar chart as SVG, readable on a light and on a dark page."""
import html

from .figures import spread

WIDTH, RIGHT, BAR, GAP, TOP, BOTTOM = 900, 70, 20, 10, 78, 62
STYLE = """
  .back { fill: #ffffff } text { fill: #1f2328; font: 13px system-ui, "Segoe UI", "Liberation Sans", sans-serif }
  .title { font-size: 16px; font-weight: 600 } .small { font-size: 12px; fill: #59636e } .value { font-variant-numeric: tabular-nums }
  .grid { stroke: #d1d9e0 } .axis { stroke: #59636e } .spread { stroke: #1f2328; stroke-width: 1.5 }
  .own { fill: #0f766e } .verifies { fill: #5b8def } .plain { fill: #9aa4af }
  @media (prefers-color-scheme: dark) {
    .back { fill: #0d1117 } text { fill: #e6edf3 } .small { fill: #9198a1 } .grid { stroke: #30363d } .axis { stroke: #9198a1 }
    .spread { stroke: #e6edf3 } .own { fill: #2dd4bf } .verifies { fill: #4f7fd9 } .plain { fill: #6e7681 }
  }
"""
KINDS = {"own": "Signet", "verifies": "verifies tokens", "plain": "verifies nothing"}


def ticks(most):
    """Round numbers from 0 to past `most`, at most eight steps."""
    step = next(base * 10 ** power for power in range(-2, 9) for base in (1, 2, 5) if most / (base * 10 ** power) <= 8)
    count = -int(-most // step)
    return [i * step for i in range(count + 1)]


def bars(title, axis, rows):
    """rows: [(label, kind, {median, least, most})]"""
    marks = ticks(max(figure["most"] for _, _, figure in rows))
    left = 24 + 7.6 * max(len(label) for label, _, _ in rows)  # about what a letter takes
    inside, height = WIDTH - left - RIGHT, TOP + len(rows) * (BAR + GAP) + BOTTOM
    bottom = height - BOTTOM + 4

    def x(value):
        return left + value / marks[-1] * inside

    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img" '
             f'aria-labelledby="title">', f'<title id="title">{html.escape(title)}</title>', f"<style>{STYLE}</style>",
             f'<rect class="back" width="{WIDTH}" height="{height}" rx="6"/>', f'<text class="title" x="20" y="30">{html.escape(title)}</text>']
    place = 20
    for kind, meaning in KINDS.items():
        parts += [f'<rect class="{kind}" x="{place}" y="45" width="12" height="12" rx="2"/>',
                  f'<text class="small" x="{place + 18}" y="56">{meaning}</text>']
        place += 40 + 7 * len(meaning)
    parts += [f'<line class="spread" x1="{place}" x2="{place + 16}" y1="51" y2="51"/>',
              f'<text class="small" x="{place + 22}" y="56">least to most of the rounds</text>']
    for mark in marks:
        parts += [f'<line class="grid" x1="{x(mark):.1f}" x2="{x(mark):.1f}" y1="{TOP - 8}" y2="{bottom}"/>',
                  f'<text class="small" x="{x(mark):.1f}" y="{bottom + 18}" text-anchor="middle">{mark:g}</text>']
    for i, (label, kind, figure) in enumerate(rows):
        y = TOP + i * (BAR + GAP)
        middle, text = y + BAR / 2, f"{figure['median']:.1f}"
        parts += [f'<text x="{left - 10}" y="{middle + 4.5}" text-anchor="end">{html.escape(label)}</text>',
                  f'<rect class="{kind}" x="{left}" y="{y}" width="{x(figure["median"]) - left:.1f}" height="{BAR}" rx="2"/>',
                  f'<line class="spread" x1="{x(figure["least"]):.1f}" x2="{x(figure["most"]):.1f}" y1="{middle}" y2="{middle}"/>',
                  f'<text class="value" x="{max(x(figure["most"]), x(figure["median"])) + 8:.1f}" y="{middle + 4.5}">{text}</text>']
    parts += [f'<line class="axis" x1="{left}" x2="{left}" y1="{TOP - 8}" y2="{bottom}"/>',
              f'<text class="small" x="{left + inside / 2}" y="{bottom + 40}" text-anchor="middle">{html.escape(axis)}</text>', "</svg>", ""]
    return "\n".join(parts)


def remembered(outcome):
    """Of the scenario `remembered`: CPU time for a request of each peer; None where nothing was measured."""
    rows = []
    for name, measured in outcome.rounds.items():
        if name in outcome.does and measured:
            kind = "own" if name.startswith("signet") else "verifies" if name in outcome.verifies else "plain"
            rows.append((outcome.does[name], kind, spread([one["us"] for one in measured])))
    rows.sort(key=lambda row: row[2]["median"])
    return bars("CPU time of the proxy for one request", "µs of one core per request; 1 KB tokens, 1 KiB answers, keep-alive; median", rows) \
        if rows else None
