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
_MOST_LISTED = 34
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
    below = 2.35
    list_height = _list_height(stops)
    map_low = max(below + list_height + 0.2, 4.6)
    _map(sheet, release, stops, (_MARGIN, map_low, wide, y - 0.15 - map_low))
    _patrols(sheet, stops, map_low - 0.1, below)
    _notes(sheet, release, below - 0.05)
    return figure


def _list_height(stops: tuple[Stop, ...]) -> float:
    rows = -(-len(stops) // 2) if len(stops) <= _MOST_LISTED else 0
    return 0.35 + 0.17 * rows + 0.17 * len({stop.patrol for stop in stops})


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


def _patrols(sheet: _Sheet, stops: tuple[Stop, ...], top: float, low: float) -> None:
    """List the patrols, and under them the stops with their reasons, as far as there is room."""
    y = sheet.write("Patrols", _MARGIN, top, 3, size=10, color=_INK, weight="bold") - 0.02
    for letter in dict.fromkeys(stop.patrol for stop in stops):
        own = tuple(stop for stop in stops if stop.patrol == letter)
        walk = walk_km(own)
        minutes = len(own) * _DWELL + walk / _WALKING_KM_H * 60
        cells = "1 cell" if len(own) == 1 else f"{len(own)} cells"
        text = (
            f"{letter}: {cells}, {own[0].name} to {own[-1].name}; a round of {walk:.1f} km by "
            f"straight lines, about {minutes:.0f} minutes on foot with {_DWELL} at each."
        )
        y = sheet.write(text, _MARGIN, y, _WIDTH - 2 * _MARGIN, size=8, color=_INK)
    column = (_WIDTH - 2 * _MARGIN) / 2
    if len(stops) > _MOST_LISTED:
        text = f"The reasons of all {len(stops)} cells are in the map and the tables."
        sheet.write(text, _MARGIN, y - 0.05, 2 * column, size=8, color=_SOFT)
        return
    rows = -(-len(stops) // 2)
    for place, stop in enumerate(stops):
        x = _MARGIN + column * (place // rows)
        line = y - 0.05 - 0.17 * (place % rows)
        if line - 0.15 < low:
            continue
        sheet.write(stop.name, x, line, 0.4, size=7.5, color=_INK, weight="bold")
        sheet.write(stop.reasons, x + 0.34, line, 9, size=6.8, color=_INK)


def _notes(sheet: _Sheet, release: Release, top: float) -> None:
    """Write what was used, how to read it, and what it must not be used for."""
    wide = (_WIDTH - 2 * _MARGIN - 0.25) / 2
    left = [*release.notes]
    right = [*(f"Not for use: {one}" for one in release.not_for), release.statement[0]]
    right.append(f"Contact: {release.contact}" if release.contact else "")
    right.append(f"Made on {release.made_on.day} {release.made_on:%B %Y}, "
                 f"{release.declaration['made_by']}.")  # fmt: skip
    for x, sentences in ((_MARGIN, left), (_MARGIN + wide + 0.25, right)):
        y = top
        for sentence in filter(None, sentences):
            y = sheet.write(sentence, x, y - 0.015, wide, size=5.9, color=_SOFT)
