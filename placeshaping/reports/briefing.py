"""
A briefing for one shift on one page of A4: map, patrols, stops with their reasons, limits.

Drawn by matplotlib, which is an extra (``pictures``): see decision 0008.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from placeshaping._core.optional import require
from placeshaping._core.output import staged_file
from placeshaping.disclosure.release import Release, require_release
from placeshaping.layers.gpx import Stop, stops_of, walk_km
from placeshaping.layers.items import check_suffix
from placeshaping.maps.palettes import HIDDEN_FILL, HIDDEN_HATCH, label_styles

SUFFIXES = (".pdf",)

_WIDTH, _HEIGHT, _MARGIN = 8.27, 11.69, 0.5
_INK, _SOFT, _WARN = "#0b0c0c", "#505a5f", "#a1260d"
_POINTS, _LINE = 72, 1.25
_DWELL, _WALKING_KM_H = 15, 4.0
_LISTED, _SMALL = 7.5, 6.0
_MOST_PANELS = 5
_STYLE = {
    "font.family": ["DejaVu Sans"],  # matplotlib brings it: the same on every machine
    "pdf.fonttype": 42,
    "text.parse_math": False,
}


def write_briefing(release: Release, path: str | Path) -> Path:
    """
    Write the briefing of a release of patrol areas.

    Parameters
    ----------
    release
        What is published.
    path
        The file to write, ending in .pdf.

    Returns
    -------
    path
        The file that was written: one page. The same release gives the same
        bytes with the same matplotlib; its declaration is in the keywords.

    Raises
    ------
    DisclosureError
        If `release` is not a `Release`.
    InputError
        If it has no patrol areas.
    MissingExtraError
        If matplotlib is not installed.
    OutputError
        If the name ends otherwise, or the file cannot be written.

    Examples
    --------
    >>> write_briefing({}, "briefing.pdf")
    Traceback (most recent call last):
        ...
    placeshaping._core.errors.DisclosureError: write_briefing takes a Release, not a dict. ...
    """
    given = require_release(release, wanted_by="write_briefing")
    path = check_suffix(path, SUFFIXES)
    stops = stops_of(given)
    mpl = require("matplotlib", extra="pictures")
    midnight = dt.datetime.combine(given.made_on, dt.time(), tzinfo=dt.UTC)
    about = {
        "Title": given.title,
        "Keywords": json.dumps(dict(given.declaration), sort_keys=True),
        "Creator": str(given.declaration["made_by"]),
        "CreationDate": midnight,
    }
    with mpl.rc_context({**mpl.rcParamsDefault, "backend": mpl.rcParams["backend"], **_STYLE}):
        figure = _draw(given, stops)
        with staged_file(path) as staged:
            figure.savefig(staged, format="pdf", metadata=about)
    return path


@dataclass
class _Sheet:
    """A page, written on in inches from its lower left."""

    figure: Any
    renderer: Any = field(repr=False)

    def write(
        self, text: str, x: float, y: float, width: float, *, size: float, **look: Any
    ) -> float:
        """Write lines of at most `width` inches downwards from `y`; return where they end."""
        for line in self._lines(text, width, size, look.get("weight", "normal")):
            y -= size / _POINTS * _LINE
            self.figure.text(x / _WIDTH, y / _HEIGHT, line, size=size, va="baseline", **look)
        return y

    def _lines(self, text: str, width: float, size: float, weight: str) -> Iterator[str]:
        line = ""
        for word in text.split(" "):
            longer = f"{line} {word}".strip()
            if line and self._length(longer, size, weight) > width:
                yield line
                line = word
            else:
                line = longer
        yield line

    def _length(self, text: str, size: float, weight: str) -> float:
        fonts = require("matplotlib.font_manager", extra="pictures")
        font = fonts.FontProperties(size=size, weight=weight)
        return float(self.renderer.get_text_width_height_descent(text, font, False)[0]) / _POINTS

    def lines_of(self, text: str, width: float, size: float, weight: str) -> int:
        """Return how many lines a text takes."""
        return len(list(self._lines(text, width, size, weight)))

    def box(self, x: float, y: float, width: float, height: float) -> Any:
        """Return axes of a place in inches, without a frame."""
        axes = self.figure.add_axes((x / _WIDTH, y / _HEIGHT, width / _WIDTH, height / _HEIGHT))
        axes.set_axis_off()
        return axes


def _draw(release: Release, stops: tuple[Stop, ...]) -> Any:
    figures = require("matplotlib.figure", extra="pictures")
    agg = require("matplotlib.backends.backend_agg", extra="pictures")
    figure = figures.Figure(figsize=(_WIDTH, _HEIGHT), facecolor="white")
    canvas = agg.FigureCanvasAgg(figure)
    sheet = _Sheet(canvas.figure, agg.RendererAgg(1, 1, _POINTS))
    wide = _WIDTH - 2 * _MARGIN
    y = _HEIGHT - _MARGIN
    y = sheet.write(release.title, _MARGIN, y, wide, size=15, color=_INK, weight="bold")
    if release.expires is not None:
        until = f"Use until {release.expires.day} {release.expires:%B %Y}, then destroy."
        y = sheet.write(until, _MARGIN, y - 0.04, wide, size=10.5, color=_WARN, weight="bold")
    y = sheet.write(release.purpose, _MARGIN, y - 0.04, wide, size=9.5, color=_INK)
    low = _MARGIN + _notes_height(sheet, release)
    lines = _lines_of(stops)
    low_list = low + 0.1
    top_list = low_list + 0.3 + sum(_height_of(sheet, line, wide) for line in lines)
    letters = list(dict.fromkeys(stop.patrol for stop in stops))
    panels = 1.95 if len(letters) <= _MOST_PANELS else 0.0
    top_map = y - 0.1
    _map(sheet, release, stops, (_MARGIN, top_list + panels, wide, top_map - top_list - panels))
    if panels:
        for place, letter in enumerate(letters):
            side = wide / max(len(letters), 3)
            box = (_MARGIN + side * place, top_list + 0.08, side - 0.08, panels - 0.3)
            _panel(sheet, release, [stop for stop in stops if stop.patrol == letter], box)
    y = sheet.write("Patrols", _MARGIN, top_list, wide, size=10, color=_INK, weight="bold") - 0.02
    for text, bold in lines:
        y = sheet.write(text, _MARGIN, y, wide, size=_LISTED, color=_INK,
                        weight="bold" if bold else "normal")  # fmt: skip
    _notes(sheet, release, low)
    return figure


def _lines_of(stops: tuple[Stop, ...]) -> list[tuple[str, bool]]:
    """Say what each patrol's round is, and for which reasons which of its cells were chosen."""
    lines = []
    for letter in dict.fromkeys(stop.patrol for stop in stops):
        own = tuple(stop for stop in stops if stop.patrol == letter)
        walk = walk_km(own)
        minutes = len(own) * _DWELL + walk / _WALKING_KM_H * 60
        cells = "1 cell" if len(own) == 1 else f"{len(own)} cells"
        text = (
            f"Patrol {letter}: {cells}; a round of {walk:.1f} km by straight lines, about "
            f"{minutes / 60:.1f} hours on foot with {_DWELL} minutes at each."
        )
        lines.append((text, True))
        for reasons in dict.fromkeys(stop.reasons for stop in own):
            names = ", ".join(
                _spans([stop.visit for stop in own if stop.reasons == reasons], letter)
            )
            lines.append((f"{names}: {reasons}", False))
    return lines


def _spans(visits: list[int], letter: str) -> Iterator[str]:
    """Write visits that follow each other as one: ``A1 to A4``."""
    first = last = visits[0]
    for visit in [*visits[1:], -1]:
        if visit == last + 1:
            last = visit
            continue
        yield f"{letter}{first}" if first == last else f"{letter}{first} to {letter}{last}"
        first = last = visit


def _height_of(sheet: _Sheet, line: tuple[str, bool], width: float) -> float:
    weight = "bold" if line[1] else "normal"
    return sheet.lines_of(line[0], width, _LISTED, weight) * _LISTED / _POINTS * _LINE


def _map(
    sheet: _Sheet, release: Release, stops: tuple[Stop, ...], place: tuple[float, ...]
) -> None:
    """Draw the patrol areas with their stops on the outline of what is shown."""
    effects = require("matplotlib.patheffects", extra="pictures")
    axes = sheet.box(*place)
    table = release.tables[release.levels[0]]
    scheme = next(one for one in release.labels if one.name == "patrol")
    colours = {style.value: style.colour for style in label_styles(scheme)}
    view = table.view(period=release.periods[0].label, category=release.categories[0].label)
    of = view["patrol"].astype(object).reindex(table.areas.index.astype(str)).to_numpy()
    hidden = view["status"].astype(str).reindex(table.areas.index.astype(str)).eq("hidden")
    shapes = table.areas.geometry.to_numpy()
    chosen = np.array([str(one).startswith("patrol_") for one in of])
    _fill(axes, shapes[~chosen & ~hidden.to_numpy()], "#fbfbfb", "#e3e6e7")
    _fill(axes, shapes[hidden.to_numpy()], HIDDEN_FILL, HIDDEN_HATCH, hatch="////")
    for value in dict.fromkeys(of[chosen]):
        _fill(axes, shapes[of == value], colours[value], _INK, alpha=0.65)
    west, south, east, north = (float(one) for one in shapely.total_bounds(shapes))
    pad = 0.02 * max(east - west, north - south)
    axes.set(xlim=(west - pad, east + pad), ylim=(south - pad, north + pad), aspect="equal")
    halo = [effects.withStroke(linewidth=2, foreground="white")]
    for letter in dict.fromkeys(stop.patrol for stop in stops):
        own = [stop for stop in stops if stop.patrol == letter]
        axes.text(
            np.mean([stop.x for stop in own]), np.mean([stop.y for stop in own]), letter,
            size=11, weight="bold", ha="center", va="center", color=_INK, path_effects=halo,
        )  # fmt: skip
    _scale(axes, west, south, east - west)


def _fill(axes: Any, shapes: Any, face: str, edge: str, **look: Any) -> None:
    if not len(shapes):
        return
    patches = require("matplotlib.patches", extra="pictures")
    paths = require("matplotlib.path", extra="pictures")
    rings = shapely.get_rings(shapely.get_parts(shapely.orient_polygons(shapes)))
    parts = [paths.Path(shapely.get_coordinates(ring), closed=True) for ring in rings]
    whole = paths.Path.make_compound_path(*parts)
    axes.add_patch(patches.PathPatch(whole, facecolor=face, edgecolor=edge, lw=0.4, **look))


def _scale(axes: Any, west: float, south: float, wide: float) -> None:
    metres = next(one for one in (10_000, 5_000, 2_000, 1_000, 500, 250, 1) if one <= wide / 4)
    axes.plot([west, west + metres], [south, south], color=_INK, lw=2, solid_capstyle="butt")
    label = f"{metres / 1000:g} km" if metres >= 1000 else f"{metres:g} m"
    axes.text(west + metres, south, f"  {label}; north is up", size=7.5, va="center", color=_INK)


def _panel(sheet: _Sheet, release: Release, stops: list[Stop], place: tuple[float, ...]) -> None:
    """Draw one patrol large enough to read the order of visits."""
    axes = sheet.box(*place)
    table = release.tables[release.levels[0]]
    scheme = next(one for one in release.labels if one.name == "patrol")
    value = f"patrol_{stops[0].patrol.lower()}"
    colour = next(style.colour for style in label_styles(scheme) if style.value == value)
    shapes = table.areas.geometry.loc[[stop.code for stop in stops]].to_numpy()
    west, south, east, north = (float(one) for one in shapely.total_bounds(shapes))
    _fill(axes, shapes, colour, _INK, alpha=0.45)
    axes.set(xlim=(west, east), ylim=(south, north), aspect="equal")
    inch = max((east - west) / place[2], (north - south) / place[3])
    wide = float(np.median(np.sqrt(shapely.area(shapes)))) / inch
    size = max(min(wide * _POINTS * 0.5, 10), 3)
    for stop in stops:
        axes.text(stop.x, stop.y, str(stop.visit), size=size, ha="center", va="center", color=_INK)
    axes.set_title(f"Patrol {stops[0].patrol}, {(east - west) / 1000:.1f} km across", size=7.5)


def _columns(release: Release) -> tuple[list[str], list[str]]:
    left = [*release.notes]
    right = [*(f"Not for use: {one}" for one in release.not_for), release.statement[0]]
    right += [f"Contact: {release.contact}"] if release.contact else []
    made = f"{release.made_on.day} {release.made_on:%B %Y}, {release.declaration['made_by']}"
    return left, [*right, f"Made on {made}."]


_COLUMN = (_WIDTH - 2 * _MARGIN - 0.25) / 2


def _notes_height(sheet: _Sheet, release: Release) -> float:
    """Return how many inches the notes will take."""
    line = _SMALL / _POINTS * _LINE
    return max(
        sum(sheet.lines_of(one, _COLUMN, _SMALL, "normal") * line + 0.015 for one in sentences)
        for sentences in _columns(release)
    )


def _notes(sheet: _Sheet, release: Release, top: float) -> None:
    """Write what was used, how to read it, and what it must not be used for."""
    for x, sentences in zip((_MARGIN, _MARGIN + _COLUMN + 0.25), _columns(release), strict=True):
        y = top
        for sentence in sentences:
            y = sheet.write(sentence, x, y - 0.015, _COLUMN, size=_SMALL, color=_SOFT)
