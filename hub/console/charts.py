"""Charts as SVG, drawn here: each has a title and a description, and stands beside a table that says the same.

Colours are classes of the style sheet, so that no style stands in a page; the order of the bars is that of the legend.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor, log10

from markupsafe import Markup, escape

WIDTH = 440
PLOT_HEIGHT = 150
TOP = 14
LEFT = 64
BOTTOM = 24
LINE = 26
LABEL_WIDTH = 164
LONGEST_LABEL = 21
SHADES = 4


@dataclass(frozen=True, slots=True)
class Series:
    """One row of figures with its name; they stand for the labels of the chart, one each."""

    name: str
    figures: Sequence[float]


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart and the table beside it. ``name`` is the id of its parts in the page; ``unit`` is said in the table."""

    name: str
    title: str
    told: str
    labels: Sequence[str]
    series: Sequence[Series]
    heading: str

    @property
    def empty(self) -> bool:
        """There is nothing to draw."""
        return not any(figure for one in self.series for figure in one.figures)

    @property
    def rows(self) -> list[tuple[str, list[str]]]:
        """The same as a table: each label with a figure for each series."""
        return [
            (label, [_number(one.figures[place]) for one in self.series]) for place, label in enumerate(self.labels)
        ]

    @property
    def columns(self) -> Markup:
        """Upright bars, the series on top of each other: for days."""
        highest = max((sum(figures) for figures in zip(*(one.figures for one in self.series), strict=True)), default=0)
        top = _round_up(highest)
        step = (WIDTH - LEFT) / max(1, len(self.labels))
        parts = [_grid(top)]
        for place, label in enumerate(self.labels):
            x, floor_y = LEFT + place * step, float(TOP + PLOT_HEIGHT)
            for shade, one in enumerate(self.series):
                high = one.figures[place] / top * PLOT_HEIGHT
                if high:
                    floor_y -= high
                    parts.append(_bar(x + step * 0.1, floor_y, step * 0.8, high, shade))
            if place % max(1, round(len(self.labels) / 5)) == 0:
                parts.append(_text(x + step / 2, TOP + PLOT_HEIGHT + 17, label, "middle"))
        return self._drawn(TOP + PLOT_HEIGHT + BOTTOM, parts)

    @property
    def bars(self) -> Markup:
        """Lying bars, the series beside each other: for names."""
        highest = max((figure for one in self.series for figure in one.figures), default=0) or 1
        each = LINE if len(self.series) == 1 else LINE * 0.62 * len(self.series) + 8
        room = WIDTH - LABEL_WIDTH - 56
        parts = []
        for place, label in enumerate(self.labels):
            y = place * each + 4
            parts.append(_text(LABEL_WIDTH - 8, y + each / 2, _short(label), "end"))
            thick = (each - 8) / len(self.series)
            for shade, one in enumerate(self.series):
                long, at = one.figures[place] / highest * room, y + shade * thick
                parts.append(_bar(LABEL_WIDTH, at, max(long, 1 if one.figures[place] else 0), thick - 1, shade))
                parts.append(_text(LABEL_WIDTH + long + 6, at + thick / 2 + 4, _number(one.figures[place]), "start"))
        return self._drawn(round(len(self.labels) * each + 6), parts)

    def _drawn(self, height: int, parts: list[str]) -> Markup:
        """The parts as one picture; what is in them is escaped where it is made."""
        body = "".join(parts)
        return Markup(  # noqa: S704 (every text in it is escaped above, all else are numbers)
            f'<svg class="hub-chart" viewBox="0 0 {WIDTH} {height}" role="img"'
            f' aria-labelledby="{escape(self.name)}-title {escape(self.name)}-desc">'
            f'<title id="{escape(self.name)}-title">{escape(self.title)}</title>'
            f'<desc id="{escape(self.name)}-desc">{escape(self.told)}</desc>{body}</svg>'
        )


def few(rows: Sequence[tuple[str, float]], most: int, rest: str = "others") -> list[tuple[str, float]]:
    """The first ``most`` rows, and what is left in one row."""
    if len(rows) <= most:
        return list(rows)
    return [*rows[:most], (f"{len(rows) - most} {rest}", sum(figure for _, figure in rows[most:]))]


def stacked(found: dict[str, list[int]], most: int = SHADES) -> list[Series]:
    """Counts by name as the series of a chart, the greatest first; what goes over ``most`` is one series."""
    ordered = sorted(found.items(), key=lambda row: (-sum(row[1]), row[0]))
    if len(ordered) <= most:
        return [Series(name, figures) for name, figures in ordered]
    rest = [sum(column) for column in zip(*(figures for _, figures in ordered[most - 1 :]), strict=True)]
    return [*(Series(name, figures) for name, figures in ordered[: most - 1]), Series("all others", rest)]


def _grid(top: float) -> str:
    lines = []
    for part in (0.0, 0.5, 1.0):
        y = TOP + PLOT_HEIGHT * (1 - part)
        lines.append(f'<line class="axis" x1="{LEFT}" x2="{WIDTH}" y1="{y:g}" y2="{y:g}"/>')
        lines.append(_text(LEFT - 8, y + 4, _number(top * part), "end"))
    return "".join(lines)


def _bar(x: float, y: float, wide: float, high: float, shade: int) -> str:
    return f'<rect class="bar-{shade + 1}" x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{high:.1f}"/>'


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _short(label: str) -> str:
    return label if len(label) <= LONGEST_LABEL else f"{label[: LONGEST_LABEL - 1]}…"


def _number(figure: float) -> str:
    if figure == round(figure) or figure >= 100:
        return f"{figure:,.0f}"
    return f"{figure:,.2f}".rstrip("0").rstrip(".") if figure < 1 else f"{figure:,.1f}"


def _round_up(highest: float) -> float:
    """The next number that reads well: 1, 2 or 5 times a power of ten."""
    if highest <= 0:
        return 1
    unit = 10.0 ** floor(log10(highest))
    return next(times * unit for times in (1, 2, 5, 10) if times * unit >= highest)
