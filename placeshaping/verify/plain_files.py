"""Read CSV, JSON and GeoJSON."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from placeshaping.verify.cells import GRID, LEVELS
from placeshaping.verify.contents import Contents, Table, UnreadableError
from placeshaping.verify.loose_numbers import note_pairs, number_run
from placeshaping.verify.places import LAYER as PLACES
from placeshaping.verify.places import take_places
from placeshaping.verify.profiles import is_profile, read_profile

MANIFEST_KEYS = {"declaration", "recipe", "inputs", "versions", "facts", "outputs"}
"""What may stand at the top of a manifest."""

FACT_KEYS = {"statement", "notes", "cautions"}
"""What may stand beside the levels among the facts of a manifest."""

COLLECTION_KEYS = {
    "type", "features", "placeshaping", "crs", "bbox", "name", "properties", "geometry", "id",
}  # fmt: skip
FEATURE_KEYS = {"type", "id", "bbox", "properties", "geometry"}
"""What may stand in GeoJSON."""

_FACT = re.compile(
    r"(?:hidden|shown|missing|areas|cells|percent|share|narrow|merged|rank|moran)[a-z_]*$"
)
_LIST_AT_LEAST = 2


def _text(path: Path) -> str:
    raw = path.read_bytes()
    if b"\0" in raw[:4096]:
        msg = "it holds binary data where text is expected"
        raise UnreadableError(msg)
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp1252", errors="replace")


def read_csv(path: Path) -> Contents:
    """
    Read a table of text: comma, semicolon or tab.

    Raises
    ------
    UnreadableError
        If it is not a table of text.
    """
    contents = Contents("csv")
    text = _text(path)
    head = text.partition("\n")[0]
    separator = max(",;\t|", key=head.count)
    try:
        frame = pd.read_csv(io.StringIO(text), sep=separator, dtype=object, keep_default_na=False)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, ValueError) as error:
        raise UnreadableError(str(error)) from error
    frame = frame.replace("", None)
    contents.tables.append(Table(path.stem, frame))
    contents.texts["text"] = text
    return contents


def read_text(path: Path) -> Contents:
    """Read a text of words; area codes with numbers on are a table."""
    contents = Contents("text")
    text = contents.texts["text"] = _text(path)
    note_pairs("text", text, contents)
    run = number_run(text)
    if run:
        contents.breach("text", "holds a list of numbers", run[:80])
    return contents


def read_json(path: Path) -> Contents:
    """
    Read JSON: a manifest, features, or lists of rows wherever they stand.

    Raises
    ------
    UnreadableError
        If it is not JSON.
    """
    text = _text(path)
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UnreadableError(str(error)) from error
    features = isinstance(data, dict) and data.get("type") in ("FeatureCollection", "Feature")
    contents = Contents("geojson" if features else "json")
    contents.texts["text"] = text.replace("\\\\", "\\")
    if isinstance(data, dict):
        declared = data.get("declaration", data.get("placeshaping"))
        contents.declaration = declared if isinstance(declared, dict) else None
    if features:
        views = contents.declaration or {}
        contents.note_views(views.get("periods"), views.get("categories"))
        _features(data, contents)
    elif isinstance(data, dict) and is_profile(contents.declaration):
        read_profile(data, contents)
    elif isinstance(data, dict) and "declaration" in data and "outputs" in data:
        contents.kind = "manifest"
        _manifest(data, contents)
    else:
        _rows_of(_without_declaration(data, contents), "json", contents)
    return contents


def _without_declaration(data: Any, contents: Contents) -> Any:
    """Leave out what a file says of itself, once no counts were found in it."""
    if contents.declaration is None:
        return data
    said = json.dumps(contents.declaration, ensure_ascii=False)
    note_pairs("declaration", said, contents)
    run = number_run(said)
    if run:
        contents.breach("declaration", "holds a list of numbers", run[:80])
    return {k: v for k, v in data.items() if v is not contents.declaration}


def _features(data: dict[str, Any], contents: Contents) -> None:
    given = data.get("features", [data])
    features = [feature for feature in given if isinstance(feature, dict)]
    rows = [feature.get("properties") or {} for feature in features]
    kinds = sorted({kind for f in features for kind in _kinds(f.get("geometry"))})
    frame = pd.DataFrame(rows)
    if not _is_public(data, features, frame, contents):
        contents.tables.append(Table("features", frame, ", ".join(kinds)))
    _foreign(data, COLLECTION_KEYS, "file", contents)
    for feature in features:
        if feature is not data:
            _foreign(feature, FEATURE_KEYS, "feature", contents)
    names = [feature.get("id") for feature in features if "id" in feature]
    codes = [row.get("area_code") for row in rows]
    numbered = [list(range(first, len(features) + first)) for first in (0, 1)]
    if names and names != codes and names not in numbered:
        what = "has features whose id is neither the area's code nor a running number"
        contents.breach("file", what, ", ".join(map(str, names[:5])))


def _is_public(
    data: dict[str, Any], features: list[dict[str, Any]], frame: pd.DataFrame, contents: Contents
) -> bool:
    """Tell whether features are the public places that the file declares; faults are breaches."""
    if data.get("name") != PLACES or "places" not in (contents.declaration or {}):
        return False
    shapes = [feature.get("geometry") for feature in features]
    points = [
        shape.get("coordinates")
        if isinstance(shape, dict) and shape.get("type") == "Point" and len(shape) == _LIST_AT_LEAST
        else None
        for shape in shapes
    ]
    return take_places(frame, points, contents, where="features")


def _foreign(data: dict[str, Any], known: set[str], where: str, contents: Contents) -> None:
    for key in data:
        if key not in known:
            what = f"holds the field {key!r}, which is not on the list"
            if not contents.breaches or contents.breaches[-1].what != what:
                contents.breach(where, what)


def _kinds(geometry: Any) -> Iterator[str]:
    """Yield the kinds of a geometry and of those within it."""
    if isinstance(geometry, dict):
        inner = geometry.get("geometries")
        if isinstance(inner, list):
            for part in inner:
                yield from _kinds(part)
        else:
            yield str(geometry.get("type"))


def _manifest(data: dict[str, Any], contents: Contents) -> None:
    _foreign(data, MANIFEST_KEYS, "manifest", contents)
    facts = data.get("facts")
    for key, value in facts.items() if isinstance(facts, dict) else []:
        if isinstance(value, dict) and (key in LEVELS or GRID.fullmatch(key)):
            odd = [
                k for k, v in value.items() if not _FACT.match(str(k)) or isinstance(v, list | dict)
            ]
            for name in odd:
                contents.breach(
                    "manifest facts", f"holds the field {name!r}, which is not on the list"
                )
        elif key not in FACT_KEYS:
            contents.breach("manifest facts", f"holds the field {key!r}, which is not on the list")
    text = json.dumps(data, ensure_ascii=False)
    note_pairs("manifest", text, contents)
    run = number_run(text)
    if run:
        contents.breach("manifest", "holds a list of numbers", run[:80])
    for name, value in _leaves(data):
        if re.search(r"(?i)(password|secret|token|api_?key|hmac|salt|seed)$", name) and value:
            contents.breach("manifest", f"holds {name!r}, which looks like a secret")


def _leaves(data: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(data, dict):
        for key, value in data.items():
            yield from _leaves(value, str(key))
    elif isinstance(data, list):
        for value in data:
            yield from _leaves(value, name)
    else:
        yield name, data


def _rows_of(data: Any, where: str, contents: Contents) -> None:
    """Make a table of every list of objects or of lists, and of every object of lists."""
    if isinstance(data, list):
        rows = [row for row in data if isinstance(row, dict | list)]
        if rows:
            contents.tables.append(Table(where, pd.DataFrame(rows)))
        elif len(data) >= _LIST_AT_LEAST and all(isinstance(v, int | float) for v in data):
            contents.tables.append(Table(where, pd.DataFrame({where.split(".")[-1]: data})))
        return
    for key, value in data.items() if isinstance(data, dict) else []:
        if isinstance(value, list | dict):
            _rows_of(value, f"{where}.{key}", contents)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            contents.tables.append(Table(where, pd.DataFrame({key: [value]})))
        elif isinstance(value, str) and number_run(value):
            contents.breach(f"{where}.{key}", "holds a list of numbers", value[:80])
