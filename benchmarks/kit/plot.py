"""Plots on logarithmic axes, as SVG written by hand."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

from benchmarks.kit.spread import Spread

Line = Sequence[tuple[float, float]]
"""Points from left to right; all coordinates are above nought."""
WIDTH, HEIGHT = 420, 330
LEFT, RIGHT, TOP, BOTTOM = 62, 14, 34, 44
COLOURS = ("#1b6ca8", "#c0392b", "#2e8b57", "#8e44ad", "#d35400", "#555555", "#a67c00", "#008080")
LEGEND_ROW = 17
ROW, LETTER = 24, 6.4
"""The height of a row of `whiskers`, and about how wide a letter of its name is."""


def exponent(line: Line) -> float:
    """Return the slope of the straight line that fits the points best, both coordinates as logarithms."""
    xs, ys = [math.log(x) for x, _ in line], [math.log(y) for _, y in line]
    middle_x, middle_y = sum(xs) / len(xs), sum(ys) / len(ys)
    above = sum((x - middle_x) * (y - middle_y) for x, y in zip(xs, ys, strict=True))
    return above / sum((x - middle_x) ** 2 for x in xs)


def log_log(panels: Mapping[str, Mapping[str, Line]], across: str, up: str) -> str:
    """Return an SVG with a panel for each title, side by side on the same axes, and one legend for all of them."""
    points = [point for lines in panels.values() for line in lines.values() for point in line]
    frame = _Frame([x for x, _ in points], [y for _, y in points])
    names = list(dict.fromkeys(name for lines in panels.values() for name in lines))
    colours = {name: COLOURS[at % len(COLOURS)] for at, name in enumerate(names)}
    width, height = WIDTH * len(panels), HEIGHT + LEGEND_ROW * math.ceil(len(names) / 4) + 8
    drawn = [
        f'<g transform="translate({WIDTH * at},0)">{_panel(frame, title, lines, colours, across, up)}</g>'
        for at, (title, lines) in enumerate(panels.items())
    ]
    return _svg(width, height, [*drawn, *_legend(colours, width)])


def whiskers(rows: Mapping[str, Spread]) -> str:
    """Return an SVG with a row for each thing that took some seconds: a dot at the median, whiskers from the least to
    the most, and a tick at the 99th percentile, all over one axis of milliseconds."""
    left = round(LETTER * max(map(len, rows))) + 24
    decades = _decades([1000 * value for one in rows.values() for value in (one.least, one.most)])
    low, right = TOP + ROW * len(rows), left + WIDTH

    def x(seconds: float) -> float:
        return left + _share(1000 * seconds, decades) * WIDTH

    parts = [_text((left + right) / 2, 20, "milliseconds: median, min to max, 99 %", "middle", "bold")]
    for power in decades:
        at = x(10.0**power / 1000)
        parts += [_stroke(at, TOP, at, low), _text(at, low + 17, f"{10.0**power:,g}", "middle")]
    for number, (name, one) in enumerate(rows.items()):
        y, colour = TOP + ROW * (number + 0.5), COLOURS[number % len(COLOURS)]
        parts += [
            _text(left - 10, y + 4, name, "end"),
            _stroke(x(one.least), y, x(one.most), y, colour),
            _stroke(x(one.late), y - 6, x(one.late), y + 6, colour),
            f'<circle cx="{x(one.median):.1f}" cy="{y:.1f}" r="5" fill="{colour}"/>',
        ]
    return _svg(right + 30, low + 28, parts)


def _svg(width: int, height: int, parts: Sequence[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        'font-family="sans-serif" font-size="12">\n'
        f'<rect width="{width}" height="{height}" fill="white"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )


class _Frame:
    """Where a point lies in a panel. Both axes go from one power of ten to another."""

    def __init__(self, xs: Sequence[float], ys: Sequence[float]) -> None:
        self.across, self.up = _decades(xs), _decades(ys)

    def x(self, value: float) -> float:
        return LEFT + _share(value, self.across) * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        return HEIGHT - BOTTOM - _share(value, self.up) * (HEIGHT - TOP - BOTTOM)


def _decades(values: Sequence[float]) -> range:
    first, last = math.floor(math.log10(min(values)) + 1e-9), math.ceil(math.log10(max(values)) - 1e-9)
    return range(first, max(last, first + 1) + 1)


def _share(value: float, decades: range) -> float:
    return (math.log10(value) - decades[0]) / (decades[-1] - decades[0])


def _panel(
    frame: _Frame, title: str, lines: Mapping[str, Line], colours: Mapping[str, str], across: str, up: str
) -> str:
    middle, low = (LEFT + WIDTH - RIGHT) / 2, HEIGHT - BOTTOM
    parts = [_text(middle, 20, title, "middle", "bold"), _text(middle, HEIGHT - 8, across, "middle")]
    parts.append(f'<g transform="translate(14,{(TOP + low) / 2}) rotate(-90)">{_text(0, 0, up, "middle")}</g>')
    for power in frame.across:
        x = frame.x(10.0**power)
        parts += [_stroke(x, TOP, x, low), _text(x, low + 17, f"{10**power:,}", "middle")]
    for power in frame.up:
        y = frame.y(10.0**power)
        parts += [_stroke(LEFT, y, WIDTH - RIGHT, y), _text(LEFT - 6, y + 4, f"{10.0**power:,g}", "end")]
    for name, line in lines.items():
        points = " ".join(f"{frame.x(x):.1f},{frame.y(y):.1f}" for x, y in line)
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colours[name]}" stroke-width="2"/>')
        parts += [f'<circle cx="{frame.x(x):.1f}" cy="{frame.y(y):.1f}" r="3" fill="{colours[name]}"/>'
                  for x, y in line]  # fmt: skip
    return "\n".join(parts)


def _legend(colours: Mapping[str, str], width: int) -> list[str]:
    parts = []
    for at, (name, colour) in enumerate(colours.items()):
        x, y = LEFT + (at % 4) * (width - LEFT) / 4, HEIGHT + LEGEND_ROW * (at // 4) + 10
        parts.append(f'<rect x="{x:.0f}" y="{y - 9:.0f}" width="18" height="4" fill="{colour}"/>')
        parts.append(_text(x + 24, y - 3, name, "start"))
    return parts


def _text(x: float, y: float, words: str, anchor: str, weight: str = "normal") -> str:
    return f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}" font-weight="{weight}">{escape(words)}</text>'


def _stroke(x1: float, y1: float, x2: float, y2: float, colour: str = "#dddddd") -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"/>'
