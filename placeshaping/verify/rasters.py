"""Attack a GeoTIFF: what it must not hold, and the points that it gives back."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.errors import RasterioError
from scipy import ndimage

from placeshaping._core.checks import listed
from placeshaping.verify.contents import Contents, UnreadableError
from placeshaping.verify.deconvolution import Recovered, recover_points
from placeshaping.verify.legends import check_edges
from placeshaping.verify.loose_numbers import note_pairs, number_run
from placeshaping.verify.rules import Rules, judge_by, read_declaration
from placeshaping.verify.verdict import Breach, number_of

TAG = "PLACESHAPING"
"""The tag in which a raster says what it obeys, as JSON."""

MOST_CLASSES = 5
"""Classes that a surface may have: more of them draw the numbers again."""

_TAGS = {
    "AREA_OR_POINT", TAG, "TIFFTAG_IMAGEDESCRIPTION", "TIFFTAG_SOFTWARE", "TIFFTAG_XRESOLUTION",
    "TIFFTAG_YRESOLUTION", "TIFFTAG_RESOLUTIONUNIT", "OVR_RESAMPLING_ALG",
}  # fmt: skip
_MOST_CELLS = 200_000_000
_MOST_LEVELS = 100_000
_MOST_WINDOWS = 3
_EXPLAINED = 0.98
_EVEN = 0.6
_CLOSE = 100.0
_DISC_CELLS = 12
_DISCS = 3


@dataclass(frozen=True)
class Surface:
    """
    A band of a raster.

    Attributes
    ----------
    values
        By row and column, as they are in the file.
    shown
        Whether a cell holds a value.
    transform
        Six numbers that place it.
    """

    values: NDArray[Any]
    shown: NDArray[np.bool_]
    transform: tuple[float, float, float, float, float, float]

    @property
    def cell(self) -> float:
        """Side of a cell in the file's unit."""
        return abs(float(self.transform[0]))

    @property
    def levels(self) -> NDArray[Any]:
        """Values that stand in it, ascending; at most so many that they are plainly too many."""
        return np.unique(self.values[self.shown])[:_MOST_LEVELS]

    def place(self, row: float, column: float) -> tuple[float, float]:
        """Return the coordinates of a point given in cells."""
        a, b, c, d, e, f = self.transform
        x, y = column + 0.5, row + 0.5
        return a * x + b * y + c, d * x + e * y + f


def read_raster(path: Path) -> tuple[Contents, list[Surface]]:
    """
    Read every band of a GeoTIFF, and everything that is written beside them.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    contents
        The declaration, the texts, and a breach for everything that a raster
        must not hold.
    surfaces
        Its bands.

    Raises
    ------
    UnreadableError
        If it is no raster, is damaged, or is too large.
    """
    contents = Contents("geotiff")
    try:
        with rasterio.open(path, driver="GTiff") as source:
            if source.width * source.height * source.count > _MOST_CELLS:
                msg = f"{source.width:,} x {source.height:,} cells are too many"
                raise UnreadableError(msg)
            _texts(source, contents)
            surfaces = [_band(source, number) for number in source.indexes]
    except (RasterioError, ValueError) as error:
        raise UnreadableError(str(error)) from error
    if len(surfaces) > 1:
        what = f"holds {len(surfaces)} bands: one of classes is enough"
        contents.breach("raster", what)
    return contents, surfaces


def _band(source: Any, number: int) -> Surface:
    values = source.read(number)
    shown = np.isfinite(values) if values.dtype.kind == "f" else np.ones(values.shape, np.bool_)
    nodata = source.nodatavals[number - 1]
    if nodata is not None and np.isfinite(nodata):
        shown &= values != nodata
    return Surface(values, shown, tuple(float(n) for n in tuple(source.transform)[:6]))  # type: ignore[arg-type]


def _texts(source: Any, contents: Contents) -> None:
    """Keep the declaration and every text; look for numbers among them."""
    tags = dict(source.tags())
    declared = tags.pop(TAG, None)
    for number in source.indexes:
        tags |= {f"band {number} {key}": value for key, value in source.tags(number).items()}
        if source.descriptions[number - 1]:
            contents.texts[f"band {number}"] = str(source.descriptions[number - 1])
    for namespace in source.tag_namespaces():
        if namespace not in ("IMAGE_STRUCTURE", "DERIVED_SUBDATASETS"):
            tags |= {f"{namespace} {k}": v for k, v in source.tags(ns=namespace).items()}
    unknown = [key for key in tags if key not in _TAGS]
    if unknown:
        fields = number_of(len(unknown), "tag is", names="tags are")
        what = f"{fields} not on the list of those that may leave"
        contents.breach("tags", what, listed(unknown))
    contents.texts["tags"] = "\n".join(map(str, tags.values()))
    for where, text in list(contents.texts.items()):
        note_pairs(where, text, contents)
        run = number_run(text)
        if run:
            contents.breach(where, "holds a list of numbers", run[:80])
    if declared is not None:
        contents.texts[TAG] = declared
        contents.declaration = _declaration(declared, contents)


def _declaration(text: str, contents: Contents) -> dict[str, Any] | None:
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        contents.breach(TAG, "is not a declaration", text[:80])
        return None
    run = number_run(text)
    if run:
        contents.breach(TAG, "holds a list of numbers", run[:80])
    return read_declaration(found)


def attack_raster(path: str | Path, *, rules: Rules | None = None) -> list[Breach]:
    """
    Attack a raster: say what it must not hold, and which points it gives back.

    Parameters
    ----------
    path
        A GeoTIFF.
    rules
        What it is held to; by default what it declares, ``"public"`` where it
        declares nothing.

    Returns
    -------
    breaches
        What was found, with what reading it brought up.

    Raises
    ------
    UnreadableError
        If it is no raster.
    """
    contents, surfaces = read_raster(Path(path))
    judged, found = judge_by(contents.declaration, None)
    held = rules or judged
    found += contents.breaches
    for number, surface in enumerate(surfaces, start=1):
        found += attack_surface(surface, contents.declaration, held, where=f"band {number}")
    return found


def attack_surface(
    surface: Surface, declaration: Mapping[str, Any] | None, rules: Rules, *, where: str = "band 1"
) -> Iterator[Breach]:
    """
    Attack one band of a raster.

    Parameters
    ----------
    surface
        The band.
    declaration
        What the file says of itself.
    rules
        What it is held to. Where nothing is protected, nothing is tried.
    where
        Name of the band.

    Yields
    ------
    breach
        Numbers where classes should stand, too many classes, edges that are
        data, cells finer than declared, and points that come back.

    Examples
    --------
    >>> from placeshaping.verify.rules import RULES
    >>> grid = np.arange(36.0).reshape(6, 6)
    >>> surface = Surface(grid, grid >= 0, (100, 0, 0, 0, -100, 600))
    >>> [b.what for b in attack_surface(surface, None, RULES["public"])]
    ['holds 36 different numbers (float64), where at most 5 classes may leave',
     'does not declare what its cells rest on: enough cases, or protected counts']
    """
    if not rules.protects or not surface.shown.any():
        return
    declared = declaration or {}
    yield from _classes(surface, declared, where)
    yield from _declared(surface, declared, rules, where)
    if len(surface.levels) > MOST_CLASSES:
        yield from _points_back(surface, where)
    else:
        yield from _discs(surface, where)


def _classes(surface: Surface, declared: Mapping[str, Any], where: str) -> Iterator[Breach]:
    levels = surface.levels
    edges = declared.get("edges")
    if surface.values.dtype.kind not in "ui" or len(levels) > MOST_CLASSES:
        what = (
            f"holds {len(levels):,} different numbers ({surface.values.dtype}), where at most "
            f"{MOST_CLASSES} classes may leave"
        )
        yield Breach(where, what, listed([f"{level:g}" for level in levels]), attack="surface")
    elif isinstance(edges, list) and (levels.max() > len(edges) + 1 or levels.min() < 1):
        what = f"holds classes that it does not declare: {len(edges) + 1} are declared"
        yield Breach(where, what, listed(levels.tolist()), attack="surface")


def _declared(
    surface: Surface, declared: Mapping[str, Any], rules: Rules, where: str
) -> Iterator[Breach]:
    edges = declared.get("edges")
    if isinstance(edges, list):
        yield from check_edges(edges, where=where)
    if declared.get("kind") not in ("kernel", "counts"):
        what = "does not declare what its cells rest on: enough cases, or protected counts"
        yield Breach(where, what, f"kind: {declared.get('kind')}", attack="surface")
    least = declared.get("least")
    if declared.get("kind") == "kernel" and not (
        isinstance(least, int | float) and least >= rules.threshold
    ):
        what = f"declares that cells rest on fewer than {rules.threshold} effective cases"
        yield Breach(where, what, f"least: {least}", attack="surface")
    for finest, whose in (
        (rules.finest_cell, "the policy allows"),
        (declared.get("cell"), "it says"),
    ):
        if isinstance(finest, int | float) and surface.cell < finest * (1 - 1e-6):
            what = f"has cells of {surface.cell:g} m, finer than {whose}"
            yield Breach(where, what, f"{finest:g} m", attack="surface")


def _points_back(surface: Surface, where: str) -> Iterator[Breach]:
    """Take the surface for a kernel density and look for the points it was made of."""
    # a cell of nought is one without events, also where nought is what stands for nothing
    known = surface.shown | (surface.values == 0)
    values = np.where(known, surface.values, np.nan).astype(np.float64)
    if np.nanmax(values) <= 0:
        return
    for top, left, window in _windows(values):
        found = recover_points(window)
        redrawn = found.explained >= _EXPLAINED or found.misfit <= 1
        if not len(found.rows) or not redrawn or found.even < _EVEN:
            continue
        peaks, single = _peaks(window, found, surface.cell)
        places = [
            surface.place(top + row, left + column)
            for row, column, times in zip(found.rows, found.columns, found.times, strict=True)
            if round(times) == 1
        ]
        points = number_of(len(found.rows), "point")
        what = f"gives back {points}: {single} of {peaks} peaks are single events"
        proof = (
            f"{points} with a {found.kernel} bump of {found.bandwidth * surface.cell:,.0f} m draw "
            f"{100 * found.explained:.2f} % of the surface again; single events at "
            + listed([f"{x:.0f} {y:.0f}" for x, y in places], most=3)
        )
        yield Breach(where, what, proof, attack="surface")
        return


def _windows(values: NDArray[np.float64]) -> list[tuple[int, int, NDArray[np.float64]]]:
    """Return the surface, or of a large one the parts in which fewest peaks stand."""
    side = 160
    if max(values.shape) <= 1.5 * side:
        return [(0, 0, values)]
    tiles = []
    known = np.nan_to_num(values)
    tops = (known == ndimage.maximum_filter(known, size=3)) & (known > 0)
    for top in range(0, values.shape[0], side):
        for left in range(0, values.shape[1], side):
            part = slice(top, top + side), slice(left, left + side)
            peaks = int(tops[part].sum())
            if peaks and np.isfinite(values[part]).mean() > 0.5:
                tiles.append((peaks, top, left))
    return [
        (top, left, values[top : top + side, left : left + side])
        for _, top, left in sorted(tiles)[:_MOST_WINDOWS]
    ]


def _peaks(window: NDArray[np.float64], found: Recovered, cell: float) -> tuple[int, int]:
    """Count the local peaks, and those with a single event within 100 m."""
    known = np.nan_to_num(window)
    flat = ndimage.gaussian_filter(known, max(found.bandwidth / 4, 0.5))
    top = (flat == ndimage.maximum_filter(flat, size=3)) & (flat > 1e-3 * flat.max())
    rows, columns = np.nonzero(top)
    alone = np.rint(found.times) == 1
    if not alone.any():
        return len(rows), 0
    apart = np.hypot(rows[:, None] - found.rows[alone], columns[:, None] - found.columns[alone])
    return len(rows), int((apart.min(axis=1) * cell <= max(_CLOSE, cell)).sum())


def _discs(surface: Surface, where: str) -> Iterator[Breach]:
    """
    Look for discs of one and the same size: each is the bump of a single event.

    A class that begins at some density is drawn around a lone event as a disc
    with the event in its middle, the same for every lone event.
    """
    for level in surface.levels:
        labels, number = ndimage.label(surface.shown & (surface.values >= level))
        discs = [
            disc
            for own, part in enumerate(ndimage.find_objects(labels), start=1)
            if (disc := _disc(labels, own, part))
        ]
        for size in sorted({round(radius * 2) / 2 for _, _, radius in discs}):
            alike = [disc for disc in discs if abs(disc[2] - size) <= 0.5]
            if len(alike) >= _DISCS:
                what = f"shows {len(alike)} of {number} patches as discs of one size"
                places = [surface.place(row, column) for row, column, _ in alike]
                proof = (
                    f"radius {size * surface.cell:,.0f} m, each the bump of a single event at its "
                    f"middle: {listed([f'{x:.0f} {y:.0f}' for x, y in places], most=3)}"
                )
                yield Breach(where, what, proof, attack="surface")
                return


def _disc(
    labels: NDArray[Any], own: int, part: tuple[slice, ...]
) -> tuple[float, float, float] | None:
    """Return the middle and radius of a patch that is a disc, in cells."""
    inside = labels[part] == own
    area = int(inside.sum())
    top, left = part[0].start, part[1].start
    bottom, right = part[0].stop, part[1].stop
    edge = top == 0 or left == 0 or bottom == labels.shape[0] or right == labels.shape[1]
    if area < _DISC_CELLS or edge:
        return None
    rows, columns = np.nonzero(inside)
    row, column, radius = rows.mean(), columns.mean(), float(np.sqrt(area / np.pi))
    farthest = float(np.hypot(rows - row, columns - column).max())
    if farthest > radius + 0.5 or max(inside.shape) > 2 * radius + 1.5:
        return None
    return top + float(row), left + float(column), radius
