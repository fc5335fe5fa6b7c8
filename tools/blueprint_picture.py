"""Draws a blueprint as SVG: parts in columns by what they use, one page wide."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import escape
from itertools import pairwise

from tools.blueprint_groups import Blueprint, Part

BOX, GAP_X, GAP_Y, LINE, PAD, HEAD = 216, 74, 22, 17, 12, 24
_STYLE = """
text{font:13px Inter,Helvetica,Arial,sans-serif;fill:#1c2733}.t{font-weight:600}.m{fill:#5b6b7b;font-size:12px}
.b{fill:#fff;stroke:#90a4b8;stroke-width:1.2}.h{fill:#e8eff6}.e{fill:none;stroke:#7089a3;stroke-width:1.3}
"""


def draw(blueprint: Blueprint) -> str:
    """Return the picture; the same blueprint gives the same bytes.

    Parameters
    ----------
    blueprint : Blueprint
        What `tools.blueprint_groups.read` found.
    """
    columns = _columns(blueprint)
    heights = [_height(part) for part in blueprint.parts]
    tall = max(sum(heights[n] + GAP_Y for n in column) for column in columns)
    places: dict[int, tuple[int, int]] = {}
    for number, column in enumerate(columns):
        y = 10 + (tall - sum(heights[n] + GAP_Y for n in column)) // 2
        for part in column:
            places[part] = (10 + number * (BOX + GAP_X), y)
            y += heights[part] + GAP_Y
    width = 20 + len(columns) * (BOX + GAP_X) - GAP_X
    arrows = [_arrow(places[a], places[b], heights[a], heights[b]) for a, b in sorted(blueprint.uses)]
    boxes = [_box(part, *places[n], heights[n]) for n, part in enumerate(blueprint.parts)]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {tall + 10}"'
        f' width="{width}" height="{tall + 10}" role="img">'
        f"<title>Parts of {escape(blueprint.name)} and what they use</title><style>{_STYLE}</style>"
        '<defs><marker id="a" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0,0 8,4 0,8z" fill="#7089a3"/></marker></defs>'
        f"{''.join(arrows)}{''.join(boxes)}</svg>\n"
    )


def _columns(blueprint: Blueprint) -> list[list[int]]:
    """Put each part right of all that use it; within a column, near what it is used by."""
    count = len(blueprint.parts)
    forward = _without_cycles(count, blueprint.uses)
    depth = [0] * count
    for _ in range(count):
        for a, b in forward:
            depth[b] = max(depth[b], depth[a] + 1)
    columns: list[list[int]] = [[] for _ in range(max(depth) + 1)]
    for number in range(count):
        columns[depth[number]].append(number)
    for before, column in pairwise(columns):
        place = {part: row for row, part in enumerate(before)}
        column.sort(key=lambda part: _mean([place[a] for a, b in forward if b == part and a in place]))
    return columns


def _without_cycles(count: int, uses: frozenset[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the edges that do not close a cycle, taking them in order."""
    kept: list[tuple[int, int]] = []
    reach: list[set[int]] = [{number} for number in range(count)]
    for a, b in sorted(uses):
        if a not in reach[b]:
            kept.append((a, b))
            for seen in reach:
                if a in seen:
                    seen |= reach[b]
    return kept


def _mean(rows: Sequence[int]) -> float:
    return sum(rows) / len(rows) if rows else 0.0


def _height(part: Part) -> int:
    return HEAD + PAD + LINE * (len(part.shown) + bool(part.plumbing))


def _box(part: Part, x: int, y: int, height: int) -> str:
    lines = [_line(type, n) for type, n in sorted(part.shown.items())]
    texts = [
        f'<text x="{x + 10}" y="{y + HEAD + 16 + LINE * row}">{escape(line)}</text>' for row, line in enumerate(lines)
    ]
    if part.plumbing:
        muted = escape(_plumbing(part.plumbing))
        texts.append(f'<text class="m" x="{x + 10}" y="{y + HEAD + 16 + LINE * len(lines)}">{muted}</text>')
    return (
        f'<rect class="b" x="{x}" y="{y}" width="{BOX}" height="{height}" rx="6"/>'
        f'<path class="h" d="M{x + 1},{y + HEAD} v-17 q0,-6 6,-6 h{BOX - 14} q6,0 6,6 v17 z"/>'
        f'<text class="t" x="{x + 10}" y="{y + 17}">{escape(_title(part))}</text>{"".join(texts)}'
    )


def _title(part: Part) -> str:
    shown = part.path[-1] if len(part.path) == 1 else f"{part.path[-2]} / {part.path[-1]}"
    return shown if len(shown) <= 30 else part.path[-1]


def _line(type: str, count: int) -> str:
    service, _, name = type.removeprefix("AWS::").replace("Custom::", "Custom::").partition("::")
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    text = f"{service} {words[0]}{words[1:].lower()}"
    return text if count == 1 else f"{text} ({count})"


def _plumbing(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{n} {word}{'' if n == 1 else 's'}" for word, n in sorted(counts.items()))


def _arrow(start: tuple[int, int], end: tuple[int, int], tall: int, other: int) -> str:
    """Return a curve from the right edge to the left edge; back and down where the used part is not to the right."""
    x1, y1, x2, y2 = start[0] + BOX, start[1] + tall // 2, end[0], end[1] + other // 2
    if end[0] > start[0]:
        bend = (x2 - x1) // 2
        return f'<path class="e" marker-end="url(#a)" d="M{x1},{y1} C{x1 + bend},{y1} {x2 - bend},{y2} {x2},{y2}"/>'
    x1, y1, x2, y2 = start[0] + BOX // 2, start[1], end[0] + BOX // 2, end[1] + other
    curve = f"M{x1},{y1} C{x1},{y1 - 30} {x2},{y2 + 30} {x2},{y2}"
    return f'<path class="e" stroke-dasharray="4 3" marker-end="url(#a)" d="{curve}"/>'
