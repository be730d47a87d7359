"""Small pictures drawn as SVG that stands in the page: lines over time, and where a place lies."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import shapely
from markupsafe import Markup

from placeshaping.pages.report import ReportFigure

COLOURS = ("#12436D", "#F46A25")
_DASHES = ("", "7 5")
_INK, _GRID, _BAND = "#0b0c0c", "#b1b4b6", "#12436D"
_WIDTH, _HEIGHT = 720, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 16, 44, 40
_MAP_WIDE = 400
_FONT = "system-ui, -apple-system, Segoe UI, Roboto, Arial, sans-serif"
_HEAD = Markup(
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {} {}" font-family="{}" '
    'font-size="16" fill="{}">'
)


@dataclass(frozen=True)
class SvgFigure(ReportFigure):
    """A figure whose file is SVG instead of PNG: it takes a kilobyte, and no drawing library."""

    @property
    def address(self) -> str:
        """The picture as an address within the page."""
        return f"data:image/svg+xml;base64,{base64.b64encode(self.png).decode('ascii')}"


@dataclass(frozen=True)
class Series:
    """
    A line with its intervals.

    Attributes
    ----------
    name
        In the key.
    values, lower, upper
        One for each label of the chart; None where hidden or missing.
    """

    name: str
    values: tuple[float | None, ...]
    lower: tuple[float | None, ...] = ()
    upper: tuple[float | None, ...] = ()


def line_chart(
    labels: Sequence[str], series: Sequence[Series], *, caption: str, unit: str
) -> SvgFigure:
    """
    Draw lines over time from zero on, with a bar for each interval of the first.

    Parameters
    ----------
    labels
        Along the bottom.
    series
        One or two lines, told apart by dashes as well as by colour.
    caption
        Under the figure.
    unit
        Over the upright axis.

    Returns
    -------
    figure
        With its numbers in words for those who do not see it.

    Examples
    --------
    >>> figure = line_chart(["2024", "2025"], [Series("Abbey", (3.0, None))], caption="", unit="x")
    >>> figure.alternative
    'x. Abbey: 2024 3.0, 2025 hidden.'
    """
    known = [v for one in series for v in (*one.values, *one.upper) if v is not None]
    step = _step(max(known, default=1.0) or 1.0)
    ticks = [step * n for n in range(int(max(known, default=1.0) / step) + 2)]
    high = ticks[-1]
    wide = (_WIDTH - _LEFT - _RIGHT) / max(len(labels), 1)
    across = [_LEFT + wide * (n + 0.5) for n in range(len(labels))]
    parts = [_tick(value, high) for value in ticks]
    parts += [
        Markup('<text x="{}" y="{}" text-anchor="middle" font-size="{}">{}</text>').format(
            round(x, 1), _HEIGHT - 14, 16 if len(labels) < 6 else 13, label
        )
        for x, label in zip(across, labels, strict=True)
    ]
    for place, one in enumerate(series):
        parts += [_line(one, across, high, place), _key(one.name, place)]
    parts.append(Markup('<text x="4" y="16" font-size="14">{}</text>').format(unit))
    drawn = _HEAD.format(_WIDTH, _HEIGHT, _FONT, _INK) + Markup("").join(parts) + Markup("</svg>")
    return SvgFigure(str(drawn).encode(), caption, _said(labels, series, unit))


def _said(labels: Sequence[str], series: Sequence[Series], unit: str) -> str:
    told = [
        f"{one.name}: "
        + ", ".join(
            f"{label} {'hidden' if value is None else f'{value:,.1f}'}"
            for label, value in zip(labels, one.values, strict=True)
        )
        for one in series
    ]
    return f"{unit}. {'. '.join(told)}."


def _step(most: float) -> float:
    """Return a round distance between ticks that makes about four of them."""
    power = 1.0
    while power * 10 <= most / 4:
        power *= 10
    while power > most / 4:
        power /= 10
    return max(digit * power for digit in (1, 2, 2.5, 5) if digit * power <= most / 3)


def _y(value: float, high: float) -> float:
    return round(_HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * value / high, 1)


def _tick(value: float, high: float) -> Markup:
    y = _y(value, high)
    return Markup(
        '<path d="M{} {}H{}" stroke="{}"/><text x="{}" y="{}" text-anchor="end">{}</text>'
    ).format(_LEFT, y, _WIDTH - _RIGHT, _GRID, _LEFT - 8, y + 5, f"{value:,.6g}")


def _line(one: Series, across: Sequence[float], high: float, place: int) -> Markup:
    """Draw a line, broken where a value is hidden, with points and the intervals of the first."""
    colour, dash = COLOURS[place % 2], _DASHES[place % 2]
    path, up = "", False
    drawn: list[Markup] = []
    for n, (x, value) in enumerate(zip(across, one.values, strict=True)):
        if value is None:
            up = False
            continue
        y = _y(value, high)
        path += f"{'L' if up else 'M'}{round(x, 1)} {y}"
        up = True
        drawn.append(Markup('<circle cx="{}" cy="{}" r="4"/>').format(round(x, 1), y))
        low = one.lower[n] if one.lower else None
        top = one.upper[n] if one.upper else None
        if place == 0 and low is not None and top is not None:
            bar = f"M{round(x, 1)} {_y(top, high)}V{_y(low, high)}"
            drawn.append(Markup('<path d="{}" stroke="{}" fill="none"/>').format(bar, colour))
    line = Markup(
        '<path d="{}" fill="none" stroke="{}" stroke-width="3" stroke-dasharray="{}"/>'
    ).format(path, colour, dash)
    points = Markup("").join(drawn)
    return line + Markup('<g fill="{}" stroke-width="2">{}</g>').format(colour, points)


def _key(name: str, place: int) -> Markup:
    x = _LEFT + place * 330
    return Markup(
        '<path d="M{} 32h36" stroke="{}" stroke-width="3" stroke-dasharray="{}"/>'
        '<text x="{}" y="37" font-size="14">{}</text>'
    ).format(x, COLOURS[place % 2], _DASHES[place % 2], x + 42, name)


def locator(
    around: Sequence[Any], inside: Sequence[Any], marked: Sequence[Any], *, name: str, words: str
) -> SvgFigure:
    """
    Draw where a place lies among its neighbours.

    Parameters
    ----------
    around
        Outlines of everything, in metres.
    inside
        Outlines of the place.
    marked
        Outlines to mark within it.
    name
        Of the place, for the caption.
    words
        What is marked, for the key; empty where nothing is.

    Returns
    -------
    figure
        A map without numbers.

    Examples
    --------
    >>> squares = shapely.box([0, 100], 0, [100, 200], 100)
    >>> locator(squares, squares[:1], [], name="Abbey", words="").alternative
    'A map: Abbey is filled.'
    """
    west, south, east, north = (float(v) for v in shapely.total_bounds(list(around)))
    scale = min((_MAP_WIDE - 8) / max(east - west, 1.0), (_HEIGHT - 8) / max(north - south, 1.0))

    def path(shapes: Sequence[Any]) -> str:
        rings = shapely.get_rings(shapely.get_parts(shapely.simplify(list(shapes), 0.8 / scale)))
        told = []
        for ring in rings:
            xy = shapely.get_coordinates(ring)
            points = [f"{4 + (x - west) * scale:.0f} {4 + (north - y) * scale:.0f}" for x, y in xy]
            told.append(f"M{'L'.join(points)}Z")
        return "".join(told)

    drawn = _HEAD.format(_WIDTH, _HEIGHT, _FONT, _INK)
    drawn += _FILLED.format(path(around), "#f3f2f1", _GRID) + _FILLED.format(
        path(inside), COLOURS[0], "#fff"
    )
    drawn += _key_of_map(name, 0)
    if len(marked):
        drawn += _FILLED.format(path(marked), COLOURS[1], "#fff") + _key_of_map(words, 1)
    told = f"{name} is filled{f'; {words} in a second colour' if words else ''}."
    svg = str(drawn + Markup("</svg>")).encode()
    return SvgFigure(svg, f"Where {name} lies.", f"A map: {told}")


_FILLED = Markup('<path d="{}" fill="{}" stroke="{}" stroke-width="0.7"/>')


def _key_of_map(words: str, place: int) -> Markup:
    y = 30 + 34 * place
    return Markup('<path d="M{} {}h24v18h-24z" fill="{}"/><text x="{}" y="{}">{}</text>').format(
        _MAP_WIDE + 20, y, COLOURS[place], _MAP_WIDE + 54, y + 15, words
    )
