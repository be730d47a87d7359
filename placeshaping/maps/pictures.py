"""
Static pictures for reports: PNG at 300 dots an inch, and PDF, from the same release as the page.

Drawn by matplotlib, which is an extra (``pictures``): see decision 0008.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import shapely
from numpy.typing import NDArray

from placeshaping._core.errors import DisclosureError, InputError
from placeshaping._core.optional import require
from placeshaping._core.output import staged_file
from placeshaping.disclosure.classes import round_numbers
from placeshaping.disclosure.release import Release, require_release
from placeshaping.maps.about import footer
from placeshaping.maps.coverage import simplify_areas
from placeshaping.maps.palettes import OUTLINE
from placeshaping.maps.picture_views import LegendEntry, PictureView, picture_view

DOTS_PER_INCH = 300
DECLARATION_KEY = "placeshaping-declaration"
"""Under which the declaration stands among a PNG's texts; in a PDF it is the field Keywords."""

_A4 = (8.27, 11.69)
_MARGIN = 0.5
_INK, _SOFT, _STAMP = "#0b0c0c", "#505a5f", "#a1260d"
_POINTS = 72
_LINE = 1.3
_MOST_NAMES = 25
_MARK_ROOM = 0.12
"""Inches that an area is wide, typically, if its mark fits into it."""
_NO_PATTERN = "·"
_STYLE = {
    "font.family": ["DejaVu Sans"],  # matplotlib brings it: the same on every machine
    "hatch.linewidth": 0.6,
    "pdf.fonttype": 42,
    "path.simplify": False,
    "text.parse_math": False,
}


def write_picture(
    release: Release,
    path: str | Path,
    *,
    level: str | None = None,
    period: str | None = None,
    category: str | None = None,
    measure: str | None = None,
    size: Literal["A4", "A4 landscape", "A4 portrait"] = "A4",
) -> tuple[Path, ...]:
    """
    Draw one view of a release on a sheet of A4: map, legend with counts, scale, north, sources.

    Parameters
    ----------
    release
        Made by `disclosure.release`; anything else is refused.
    path
        Where to write: ``.png`` or ``.pdf``; without either, both are
        written. Old files of the names are replaced.
    level, period, category
        Labels of the release; by default the finest level, the whole span and
        the first category.
    measure
        ``"rate"``, ``"hotspots"``, ``"count"`` or ``"decile"``; by default the
        rate where it is known, else the count.
    size
        The sheet; ``"A4"`` is turned as suits the place.

    Returns
    -------
    paths
        Of what was written. The same release gives the same bytes with the
        same matplotlib; the release's declaration stands in each.

    Raises
    ------
    DisclosureError
        If `release` is no `Release`, or its policy makes no map of areas.
    InputError
        If it has no such view, or the name ends in something else.
    MissingExtraError
        If matplotlib is not installed.
    OutputError
        If a file cannot be written.

    Examples
    --------
    >>> write_picture({"count": [3]}, "map.png")
    Traceback (most recent call last):
        ...
    placeshaping._core.errors.DisclosureError: write_picture takes a Release, not a dict. ...
    """
    given = require_release(release, wanted_by="write_picture")
    if not given.policy.shareable_map or not given.policy.counts_shown:
        msg = (
            f"Policy {given.policy.name!r} makes no map of areas that could be passed on, nor a "
            "picture of one. Write tables (write_tables), or choose another policy."
        )
        raise DisclosureError(msg)
    if size not in ("A4", "A4 landscape", "A4 portrait"):
        msg = f"There is no size {size!r}. There are: A4, A4 landscape, A4 portrait."
        raise InputError(msg)
    targets = _targets(Path(path))
    view = picture_view(given, level=level, period=period, category=category, measure=measure)
    mpl = require("matplotlib", extra="pictures")
    with mpl.rc_context({**mpl.rcParamsDefault, "backend": mpl.rcParams["backend"], **_STYLE}):
        figure = _draw(given, view, upright=_is_upright(view, size))
        for target in targets:
            with staged_file(target) as staged:
                figure.savefig(
                    staged, dpi=DOTS_PER_INCH, metadata=_metadata(given, view, target.suffix)
                )
    return targets


def _targets(path: Path) -> tuple[Path, ...]:
    kinds = (".png", ".pdf")
    if path.suffix.lower() in kinds:
        return (path,)
    if path.suffix and not path.stem.startswith("."):
        msg = f"A picture is a .png or a .pdf, not {path.suffix}; without an ending, both."
        raise InputError(msg)
    return tuple(path.with_name(path.name + kind) for kind in kinds)


def _is_upright(view: PictureView, size: str) -> bool:
    west, south, east, north = view.table.areas.total_bounds
    return size.endswith("portrait") or (size == "A4" and (north - south) > 1.15 * (east - west))


def _metadata(release: Release, view: PictureView, suffix: str) -> dict[str, Any]:
    declared = json.dumps(dict(release.declaration), sort_keys=True)
    made_by = str(release.declaration["made_by"])
    title = f"{release.title}: {view.title}"
    if suffix.lower() == ".png":
        return {"Title": title, "Software": made_by, DECLARATION_KEY: declared}
    midnight = dt.datetime.combine(release.made_on, dt.time(), tzinfo=dt.UTC)
    return {
        "Title": title,
        "Subject": view.lead or view.title,
        "Keywords": declared,
        "Creator": made_by,
        "CreationDate": midnight,
    }


@dataclass
class _Sheet:
    """A figure, and how far down each of its columns is filled."""

    figure: Any
    width: float
    height: float
    renderer: Any = field(repr=False)

    def write(
        self, text: str, x: float, y: float, width: float, *, size: float, **look: Any
    ) -> float:
        """Write lines of at most `width` inches from `y` inches down; return where they end."""
        for line in self._lines(text, width, size, look.get("weight", "normal")):
            y -= size / _POINTS * _LINE
            self.figure.text(
                x / self.width, y / self.height, line, size=size, va="baseline", **look
            )
        return y

    def _lines(self, text: str, width: float, size: float, weight: str) -> Iterator[str]:
        line = ""
        for word in text.split(" "):  # not at the spaces that must not break
            longer = f"{line} {word}".strip()
            if line and self._length(longer, size, weight) > width:
                yield line
                line = word
            else:
                line = longer
        yield line

    def _length(self, text: str, size: float, weight: str) -> float:
        font = require("matplotlib.font_manager", extra="pictures").FontProperties(
            size=size, weight=weight
        )
        return float(self.renderer.get_text_width_height_descent(text, font, False)[0]) / _POINTS

    def box(self, x: float, y: float, width: float, height: float) -> Any:
        """Return axes of a place in inches, without a frame."""
        axes = self.figure.add_axes(
            (x / self.width, y / self.height, width / self.width, height / self.height)
        )
        axes.set_axis_off()
        return axes


def _draw(release: Release, view: PictureView, *, upright: bool) -> Any:
    figures = require("matplotlib.figure", extra="pictures")
    agg = require("matplotlib.backends.backend_agg", extra="pictures")
    width, height = _A4 if upright else _A4[::-1]
    figure = figures.Figure(figsize=(width, height), facecolor="white")
    canvas = agg.FigureCanvasAgg(figure)
    measure = agg.RendererAgg(1, 1, _POINTS)
    sheet = _Sheet(canvas.figure, width, height, measure)
    wide = width - 2 * _MARGIN
    y = height - _MARGIN
    if release.policy.stamp:
        y = sheet.write(
            release.policy.stamp, _MARGIN, y, wide, size=11, color=_STAMP, weight="bold"
        )
    y = sheet.write(release.title, _MARGIN, y, wide, size=17, color=_INK, weight="bold")
    y = sheet.write(view.title, _MARGIN, y - 0.05, wide, size=11.5, color=_INK)
    if view.lead:
        y = sheet.write(view.lead, _MARGIN, y - 0.05, wide, size=9.5, color=_SOFT)
    aside = 3.2 if upright else 3.0
    map_width = wide if upright else wide - aside - 0.3
    bottom = 3.3 if upright else _MARGIN
    place = (_MARGIN, bottom, map_width, y - 0.2 - bottom)
    axes = sheet.box(*place)
    _draw_areas(axes, view, place[2:])
    _draw_marks(axes, view, place[2:])
    _draw_names(axes, release, view)
    _draw_scale(axes, place[2:])
    if upright:
        _legend(sheet, view, _MARGIN, bottom - 0.25, aside)
        _notes(sheet, release, _MARGIN + aside + 0.5, bottom - 0.25, wide - aside - 0.5)
    else:
        x = width - _MARGIN - aside
        _notes(sheet, release, x, _legend(sheet, view, x, y - 0.2, aside) - 0.3, aside)
    return figure


def _draw_areas(axes: Any, view: PictureView, inches: Sequence[float]) -> None:
    patches = require("matplotlib.patches", extra="pictures")
    areas = view.table.areas
    west, south, east, north = (float(value) for value in areas.total_bounds)
    pad = 0.02 * max(east - west, north - south)
    axes.set(xlim=(west - pad, east + pad), ylim=(south - pad, north + pad), aspect="equal")
    metres_a_dot = max((east - west) / inches[0], (north - south) / inches[1]) / DOTS_PER_INCH
    shapes = simplify_areas(areas.geometry.to_numpy(), metres_a_dot / 2)
    line = 0.15 if len(areas) > 2_000 else 0.3
    for place, entry in enumerate(view.entries):
        chosen = shapes[view.of == place]
        if not len(chosen):
            continue
        path = _path(chosen)
        edge = OUTLINE if len(areas) <= 10_000 else entry.colour
        axes.add_patch(patches.PathPatch(path, facecolor=entry.colour, edgecolor=edge, lw=line))
        if entry.hatch:
            axes.add_patch(
                patches.PathPatch(
                    path, fill=False, hatch=entry.hatch, edgecolor=entry.hatch_colour, lw=0
                )
            )


def _draw_marks(axes: Any, view: PictureView, inches: Sequence[float]) -> None:
    """Write the marks of classes of words into the areas that have room for them."""
    if not view.marked:
        return
    effects = require("matplotlib.patheffects", extra="pictures")
    areas = view.table.areas
    west, south, east, north = (float(value) for value in areas.total_bounds)
    metres_an_inch = max((east - west) / inches[0], (north - south) / inches[1])
    roomy = np.sqrt(areas.geometry.area.to_numpy()) > _MARK_ROOM * metres_an_inch
    halo = [effects.withStroke(linewidth=1.2, foreground="white")]
    for area in np.flatnonzero(roomy):
        mark = view.entries[view.of[area]].mark
        if not mark or mark == _NO_PATTERN:
            continue
        at = areas.geometry.iloc[area].representative_point()
        axes.text(
            at.x,
            at.y,
            mark,
            size=6.5,
            weight="bold",
            ha="center",
            va="center",
            color=_INK,
            path_effects=halo,
        )


def _path(shapes: NDArray[Any]) -> Any:
    """Return all rings of some areas as one path; outer ones run against the clock, holes with."""
    paths = require("matplotlib.path", extra="pictures")
    rings = shapely.get_rings(shapely.get_parts(shapely.orient_polygons(shapes)))
    points, ring = shapely.get_coordinates(rings, return_index=True)
    codes = np.full(len(points), paths.Path.LINETO, dtype=np.uint8)
    starts = np.searchsorted(ring, np.arange(len(rings)))
    codes[starts] = paths.Path.MOVETO
    codes[np.r_[starts[1:], len(points)] - 1] = paths.Path.CLOSEPOLY
    return paths.Path(points, codes)


def _draw_names(axes: Any, release: Release, view: PictureView) -> None:
    """Outline and name the coarsest areas, where they are few and not themselves shown."""
    patches = require("matplotlib.patches", extra="pictures")
    effects = require("matplotlib.patheffects", extra="pictures")
    top = release.tables[release.levels[-1]]
    if not 1 < len(top.areas) <= _MOST_NAMES:
        return
    if top.level != view.table.level:
        path = _path(top.areas.geometry.to_numpy())
        axes.add_patch(patches.PathPatch(path, fill=False, edgecolor=_INK, lw=1.0))
    halo = [effects.withStroke(linewidth=2, foreground="white")]
    for name, at in zip(
        top.areas["area_name"], top.areas.geometry.representative_point(), strict=True
    ):
        axes.text(
            at.x, at.y, str(name), size=7.5, ha="center", va="center", color=_INK, path_effects=halo
        )


def _draw_scale(axes: Any, inches: Sequence[float]) -> None:
    """Draw a bar of a round length at the lower left, and an arrow to the north above it."""
    patches = require("matplotlib.patches", extra="pictures")
    axes.apply_aspect()
    left, right = axes.get_xlim()
    low, high = axes.get_ylim()
    span = min(right - left, (high - low) * inches[0] / inches[1])
    metres = round_numbers(span / 100, span / 4)[-1]
    inch = max((right - left) / inches[0], (high - low) / inches[1])
    x, y = left, low
    for part, colour in ((0, _INK), (1, "white")):
        corner = (x + part * metres / 2, y)
        axes.add_patch(
            patches.Rectangle(
                corner, metres / 2, 0.06 * inch, fc=colour, ec=_INK, lw=0.6, clip_on=False
            )
        )
    label = f"{metres / 1000:g} km" if metres >= 1000 else f"{metres:g} m"
    axes.text(x + metres, y + 0.1 * inch, label, size=7.5, ha="center", color=_INK)
    axes.text(x, y + 0.1 * inch, "0", size=7.5, ha="center", color=_INK)
    tip = (x + 0.12 * inch, y + 0.75 * inch)
    axes.add_patch(
        patches.Polygon(
            [
                (tip[0] - 0.09 * inch, tip[1] - 0.3 * inch),
                tip,
                (tip[0] + 0.09 * inch, tip[1] - 0.3 * inch),
                (tip[0], tip[1] - 0.22 * inch),
            ],
            fc=_INK,
            ec=_INK,
            clip_on=False,
        )
    )
    axes.text(tip[0], tip[1] + 0.04 * inch, "N", size=9, ha="center", weight="bold", color=_INK)


def _legend(sheet: _Sheet, view: PictureView, x: float, y: float, width: float) -> float:
    patches = require("matplotlib.patches", extra="pictures")
    y = sheet.write(view.unit, x, y, width, size=9.5, color=_INK, weight="bold") - 0.08
    for entry in view.entries:
        axes = sheet.box(x, y - 0.2, 0.34, 0.2)
        axes.set(xlim=(0, 1), ylim=(0, 1))
        whole = {"xy": (0, 0), "width": 1, "height": 1}
        axes.add_patch(patches.Rectangle(**whole, fc=entry.colour, ec=OUTLINE, lw=0.6))
        if entry.hatch:
            axes.add_patch(
                patches.Rectangle(
                    **whole, fill=False, hatch=entry.hatch, ec=entry.hatch_colour, lw=0
                )
            )
        below = sheet.write(
            f"{entry.label}: {_areas(entry)}", x + 0.44, y, width - 0.44, size=8.5, color=_INK
        )
        if entry.mark:
            ink = "white" if _is_dark(entry.colour) else _INK
            axes.text(
                0.5, 0.47, entry.mark, size=8, weight="bold", ha="center", va="center", color=ink
            )
        y = min(below, y - 0.2) - 0.09
    return y


def _is_dark(colour: str) -> bool:
    """Tell whether white is easier to read on a colour than black (WCAG's relative luminance)."""
    parts = np.array([int(colour[place : place + 2], 16) for place in (1, 3, 5)]) / 255
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722]) < 0.18


def _areas(entry: LegendEntry) -> str:
    return f"{entry.areas:,}\N{NO-BREAK SPACE}{'area' if entry.areas == 1 else 'areas'}"


def _notes(sheet: _Sheet, release: Release, x: float, y: float, width: float) -> None:
    """Write what was hidden, what it must not be used for, who made it, and the sources."""
    made = f"Made on {release.made_on.day} {release.made_on:%B %Y}."
    contact = f" Contact: {release.contact}" if release.contact else ""
    licences = footer(release)[:-1]  # the last speaks of the page's own file
    groups = (
        ("What was hidden", list(release.statement[:2])),
        ("It must not be used", list(release.not_for)),
        ("Sources", [*licences, made + contact, str(release.declaration["made_by"])]),
    )
    for heading, sentences in groups:
        if not sentences:
            continue
        y = sheet.write(heading, x, y, width, size=8.5, color=_INK, weight="bold")
        for sentence in sentences:
            y = sheet.write(sentence, x, y - 0.03, width, size=7.5, color=_SOFT)
        y -= 0.12
