"""Public places and postcode sectors: names and places, and nothing that counts."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from placeshaping._core.checks import listed
from placeshaping._core.crs import to_degrees, to_grid
from placeshaping.verify.contents import Contents
from placeshaping.verify.loose_numbers import code_pairs

MOST_PLACES = 2_000

LAYER = "places"
"""The layer of public places, in every format."""

_KEYS = {"title", "names", "x", "y"}
_COLUMNS = ["name", "kind", "published_at"]
_DECIMALS = 6
_ADDRESS = re.compile(r"(?i)https?://[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}(?::\d+)?(?:[/?#]|$)")
_LETTERS = re.compile(r"[^\W\d_]{2}")
_SECTOR = re.compile(r"[A-Z]{1,2}\d[A-Z\d]? \d")


def faults_of_places(
    given: Any, declaration: Mapping[str, Any] | None
) -> Iterator[tuple[str, str]]:
    """
    Say what is wrong with the public places of a page.

    Parameters
    ----------
    given
        What the page's data hold.
    declaration
        What the file says of itself: title -> address of each kind of place.

    Yields
    ------
    fault
        What, and a proof.

    Examples
    --------
    >>> kind = {"title": "Libraries", "names": ["Old Library"], "x": [-1.1], "y": [52.6]}
    >>> list(faults_of_places([kind], {"places": {"Libraries": "https://example.org/list"}}))
    []
    >>> next(faults_of_places([kind], None))
    ('shows places of which the file does not say where they are published', 'Libraries')
    """
    said = (declaration or {}).get("places")
    declared = said if isinstance(said, Mapping) else {}
    for kind in given if isinstance(given, list) else [given]:
        if not isinstance(kind, dict) or set(kind) != _KEYS:
            yield "holds places with other fields than names and points", str(kind)[:80]
            continue
        title, names = str(kind["title"]), kind["names"]
        if not _ADDRESS.match(str(declared.get(title, ""))):
            yield "shows places of which the file does not say where they are published", title
        if not isinstance(names, list) or any(not isinstance(name, str) for name in names):
            yield "holds places without names", title
            continue
        if len(names) > MOST_PLACES:
            yield f"shows {len(names):,} places of a kind, as no list of public ones does", title
        odd = [name for name in names if not _LETTERS.search(name) or code_pairs(name)]
        if odd:
            yield "holds names of places that are numbers", listed(odd)
        axes = [kind["x"], kind["y"]]
        if any(not _numbers(axis, len(names)) for axis in axes):
            yield "has not one point for each place", title
            continue
        seen = list(zip(names, *axes, strict=True))
        if len(set(seen)) < len(seen):
            again = [str(one[0]) for k, one in enumerate(seen) if one in seen[:k]]
            yield "holds places that stand there again: how often is a count", listed(again)


def take_places(
    frame: pd.DataFrame, points: Sequence[Any], contents: Contents, *, where: str
) -> bool:
    """
    Judge a layer of public places; the points of one without fault need not be masked.

    Parameters
    ----------
    frame
        Its columns, without the points.
    points
        One (x, y) a row, in metres or degrees; None where a row has no point.
    contents
        Of the file; its faults become breaches, a layer without one is noted.
    where
        Name of the layer.

    Returns
    -------
    taken
        Whether the layer holds the declared places, and nothing else.
    """
    faults = list(faults_of_layer(frame, points, contents.declaration))
    for what, proof in faults:
        contents.breach(where, what, proof)
    if not faults:
        contents.public_layers.add(where)
    return not faults


def faults_of_layer(
    frame: pd.DataFrame, points: Sequence[Any], declaration: Mapping[str, Any] | None
) -> Iterator[tuple[str, str]]:
    """
    Say what is wrong with a layer of public places.

    Its points must be those of which the file declares the sum, to the metre:
    a record's point among them, or one that was moved, is found.

    Parameters
    ----------
    frame
        `name`, `kind` and `published_at`.
    points
        One (x, y) a row.
    declaration
        What the file says of itself: `places`, title -> address, and
        `places_sha256`.

    Yields
    ------
    fault
        What, and a proof.

    Examples
    --------
    >>> row = {"name": ["Mill"], "kind": ["Libraries"], "published_at": ["https://example.org"]}
    >>> for what, _ in faults_of_layer(pd.DataFrame(row), [(451000.0, 300000.0)], None):
    ...     print(what)
    shows places of which the file does not say where they are published
    holds points that are not the public places that the file declares
    """
    said = declaration or {}
    if sorted(map(str, frame.columns)) != sorted(_COLUMNS):
        yield "holds places with other fields than names and points", listed(list(frame.columns))
        return
    xy = _in_order(points)
    if xy is None or len(xy) != len(frame) or not len(frame):
        yield "has not one point for each place", f"{len(frame):,} places"
        return
    degrees = bool((np.abs(xy) <= [180, 90]).all())
    metres = np.rint(np.column_stack(to_grid(xy[:, 0], xy[:, 1])) if degrees else xy)
    turned = np.round(np.column_stack(to_degrees(metres[:, 0], metres[:, 1])), _DECIMALS)
    if (np.abs(xy - (turned if degrees else metres)) > 1e-9).any():
        yield "holds places that are finer than a metre", f"{xy[0, 0]:.10g} {xy[0, 1]:.10g}"
    for kind, rows in frame.groupby("kind", sort=False, dropna=False):
        at = turned[frame.index.get_indexer(rows.index)].T.tolist()
        given = {"title": kind, "names": rows["name"].tolist(), "x": at[0], "y": at[1]}
        yield from faults_of_places([given], said)
        declared = said.get("places")
        address = declared.get(kind) if isinstance(declared, Mapping) else None
        if address is not None and set(rows["published_at"]) != {address}:
            yield "names other addresses for its places than the file declares", str(kind)
    if _sum(frame, metres) != said.get("places_sha256"):
        what = "holds points that are not the public places that the file declares"
        yield what, f"{len(frame):,} places"


def _in_order(points: Sequence[Any]) -> NDArray[np.float64] | None:
    try:
        xy = np.array([tuple(point) for point in points], dtype=np.float64)
    except (TypeError, ValueError):
        return None
    return xy if xy.ndim == 2 and xy.shape[1] == 2 and np.isfinite(xy).all() else None


def _sum(frame: pd.DataFrame, metres: NDArray[np.float64]) -> str:
    rows = zip(frame["kind"], frame["name"], metres.astype(np.int64).tolist(), strict=True)
    lines = sorted(f"{kind}\t{name}\t{x}\t{y}\n" for kind, name, (x, y) in rows)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def faults_of_sectors(given: Any, areas: int) -> Iterator[tuple[str, str]]:
    """
    Say what is wrong with the postcode sectors of a page.

    Examples
    --------
    >>> list(faults_of_sectors({"LE1 6": [1, 0]}, 2))
    []
    >>> [what for what, _ in faults_of_sectors({"LE1 6": [7]}, 2)]
    ['holds postcode sectors that are none, or of areas that there are not']
    """
    odd = [
        f"{name}: {places}"[:40]
        for name, places in (given.items() if isinstance(given, dict) else [("", given)])
        if not _SECTOR.fullmatch(str(name))
        or not isinstance(places, list)
        or len(set(map(str, places))) < len(places)
        or any(type(place) is not int or not 0 <= place < areas for place in places)
    ]
    if odd:
        yield "holds postcode sectors that are none, or of areas that there are not", listed(odd)


def _numbers(axis: Any, size: int) -> bool:
    """Tell whether something is as many numbers of degrees."""
    return (
        isinstance(axis, list)
        and len(axis) == size
        and all(type(value) in (int, float) and -180 <= value <= 180 for value in axis)
    )
