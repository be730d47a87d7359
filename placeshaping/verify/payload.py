"""The data of a page: what may stand in it, and the tables that it spells."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from placeshaping.verify.contents import Contents, Table
from placeshaping.verify.labels import declared_labels
from placeshaping.verify.painting import faults_of_review
from placeshaping.verify.places import faults_of_places, faults_of_sectors

KEYS = {
    "format", "periods", "categories", "levels", "clusters", "arcs", "classes", "scale", "origin",
    "bounds", "transform", "view", "title", "subject", "places", "sectors", "review",
}  # fmt: skip
"""What may stand at the top of a page's data."""

LEVEL_KEYS = {
    "level", "label", "short", "codes", "names", "members", "parents", "parent_level", "holds",
    "residents", "households", "imd_decile", "count", "cluster", "labels", "polygons", "bounds",
    "measures",
}  # fmt: skip
"""What may stand in one level of them."""

VIEW_KEYS = {
    "label", "first", "last", "months", "denominator", "missing", "total", "short", "parts",
}  # fmt: skip
"""What may be said of a period or a category."""

_AREA_COLUMNS = ("residents", "households", "imd_decile", "members")


def read_payload(data: Any, contents: Contents) -> None:
    """
    Turn the data of a page into long tables, noting every field that must not be there.

    Parameters
    ----------
    data
        What the page's compressed block holds.
    contents
        What is filled.

    Examples
    --------
    >>> contents = Contents("html")
    >>> read_payload({"format": 1, "levels": [], "secret": [3]}, contents)
    >>> contents.breaches[0].what
    "holds the field 'secret', which is not on the list"
    """
    if not isinstance(data, dict):
        contents.breach("payload", "is not what a map holds", type(data).__name__)
        return
    _unknown(data, KEYS, "payload", contents)
    for name in ("periods", "categories"):
        for view in data.get(name) or []:
            _unknown(view, VIEW_KEYS, f"payload {name}", contents)
    contents.note_views(data.get("periods"), data.get("categories"))
    _legends(data.get("classes"), contents)
    labels = {
        name: [str(view.get("label")) for view in data.get(name) or [] if isinstance(view, dict)]
        for name in ("periods", "categories")
    }
    levels = list(data.get("levels") or [])
    finest = levels[0].get("codes") if levels and isinstance(levels[0], dict) else None
    for what, proof in (
        *faults_of_places(data.get("places") or [], contents.declaration),
        *faults_of_sectors(data.get("sectors") or {}, len(finest or [])),
        *_painted(data, len(finest or []), contents),
    ):
        contents.breach("payload", what, proof)
    for place, level in reversed(list(enumerate(levels))):
        if isinstance(level, dict):
            _unknown(level, LEVEL_KEYS, f"payload level {level.get('level')}", contents)
            _level(level, labels, data, _above(levels, place), contents)
        else:
            contents.breach("payload", "holds a level that is none", type(level).__name__)


def _painted(data: dict[str, Any], size: int, contents: Contents) -> Iterator[tuple[str, str]]:
    if "review" in data:
        yield from faults_of_review(data["review"], size, contents.declaration)


def _legends(classes: Any, contents: Contents) -> None:
    """Keep the inner edges of the classes that the page draws."""
    for label, edges in classes.items() if isinstance(classes, dict) else []:
        if isinstance(edges, list) and all(isinstance(edge, int | float) for edge in edges):
            contents.legends[str(label)] = [float(edge) for edge in edges[1:-1]]
        else:
            contents.breach("payload classes", "are no edges", str(edges)[:80])


def _unknown(given: Any, known: set[str], where: str, contents: Contents) -> None:
    for key in given if isinstance(given, dict) else []:
        if key not in known:
            what = f"holds the field {key!r}, which is not on the list"
            contents.breach(where, what, str(given[key])[:80])


def _above(levels: list[Any], place: int) -> dict[str, list[str | None]]:
    """Name the areas above those of a level: `parent_code`, and `ward_code` of another branch."""

    def named(at: Any, positions: Any) -> list[str | None]:
        whole = levels[at] if isinstance(at, int) and 0 <= at < len(levels) else None
        codes = (whole.get("codes") if isinstance(whole, dict) else None) or []
        return [
            str(codes[p]) if isinstance(p, int) and 0 <= p < len(codes) else None
            for p in (positions if isinstance(positions, list) else [])
        ]

    found = {
        "parent_code": named(
            levels[place].get("parent_level", place + 1), levels[place].get("parents")
        )
    }
    for at, level in enumerate(levels if place == 0 else []):
        if isinstance(level, dict) and level.get("holds"):
            found[f"{level.get('level')}_code"] = named(at, level["holds"])
    return found


def _level(
    level: dict[str, Any],
    labels: dict[str, list[str]],
    data: dict[str, Any],
    above: dict[str, list[str | None]],
    contents: Contents,
) -> None:
    """Add the tables of one level."""
    name = str(level.get("level"))
    codes = [str(code) for code in level.get("codes") or []]
    size = len(codes)
    areas: dict[str, Any] = {"area_code": codes}
    if len(level.get("names") or []) == size:
        areas["area_name"] = level["names"]
    for column in _AREA_COLUMNS:
        if len(level.get(column) or []) == size:
            areas[column] = level[column]
    areas |= {column: held for column, held in above.items() if len(held) == size}
    contents.tables.append(Table(name, pd.DataFrame(areas)))
    count = level.get("count")
    shape = (len(labels["periods"]), len(labels["categories"]), size)
    if not isinstance(count, list) or len(count) != int(np.prod(shape)):
        found = len(count) if isinstance(count, list) else type(count).__name__
        contents.breach(name, "has not one count for each view and area", f"{found}: {shape}")
        return
    frame = _long(level, labels, codes, data, shape)
    _spell(level, frame, contents)
    _measured(level, frame, contents)
    contents.tables.append(Table(f"{name}_values", frame))


def _long(
    level: dict[str, Any],
    labels: dict[str, list[str]],
    codes: list[str],
    data: dict[str, Any],
    shape: tuple[int, int, int],
) -> pd.DataFrame:
    periods, categories, size = shape
    count = pd.to_numeric(pd.Series(level["count"]), errors="coerce")
    frame = pd.DataFrame(
        {
            "period": np.repeat(labels["periods"], categories * size),
            "category": np.tile(np.repeat(labels["categories"], size), periods),
            "area_code": np.tile(np.array(codes, dtype=object), periods * categories),
            "status": np.where(count == -1, "hidden", np.where(count == -2, "missing", "shown")),
            "count": count.where(~count.isin([-1, -2])),
        }
    )
    cluster, classes = level.get("cluster"), data.get("clusters") or []
    if isinstance(cluster, list) and len(cluster) == len(frame):
        frame["cluster"] = [
            classes[c] if isinstance(c, int) and 0 <= c < len(classes) else None for c in cluster
        ]
    return frame


def _spell(level: dict[str, Any], frame: pd.DataFrame, contents: Contents) -> None:
    """Add the labels of a level: one letter a cell for each column, from the first period on."""
    given = level.get("labels")
    known = declared_labels(contents.declaration)
    where = f"payload level {level.get('level')}"
    for column, letters in given.items() if isinstance(given, dict) else ():
        if column not in known or not isinstance(letters, str) or len(letters) > len(frame):
            what = f"holds labels {str(column)!r} that the file does not declare, or not so many"
            contents.breach(where, what, str(letters)[:80])
            continue
        words = {chr(ord("a") + place): word for place, word in enumerate(known[column])}
        found = [words.get(letter, None if letter == "." else letter) for letter in letters]
        frame[column] = [*found, *[None] * (len(frame) - len(found))]


def _measured(level: dict[str, Any], frame: pd.DataFrame, contents: Contents) -> None:
    """Add measures that count no records: one value an area, in columns that the policy lists."""
    given = level.get("measures")
    where = f"payload level {level.get('level')}"
    for column, values in given.items() if isinstance(given, dict) else ():
        plain = isinstance(values, list) and all(
            one is None or isinstance(one, str | int | float) for one in values
        )
        if not plain or len(values) != len(frame) or column in frame:
            what = f"holds a measure {str(column)!r} that has not one value for each area"
            contents.breach(where, what, str(values)[:80])
            continue
        frame[str(column)] = values
