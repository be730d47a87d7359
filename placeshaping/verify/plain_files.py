"""Read CSV, JSON and GeoJSON."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from placeshaping.verify.contents import Contents, Table, UnreadableError

MANIFEST_KEYS = {"declaration", "recipe", "inputs", "versions", "facts", "outputs"}
"""What may stand at the top of a manifest."""

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
    """Read a text of words."""
    contents = Contents("text")
    contents.texts["text"] = _text(path)
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
        _features(data, contents)
    elif isinstance(data, dict) and "declaration" in data and "outputs" in data:
        contents.kind = "manifest"
        _manifest(data, contents)
    else:
        _rows_of(data, "json", contents)
    return contents


def _features(data: dict[str, Any], contents: Contents) -> None:
    given = data.get("features", [data])
    features = [feature for feature in given if isinstance(feature, dict)]
    rows = [feature.get("properties") or {} for feature in features]
    kinds = sorted({str((f.get("geometry") or {}).get("type")) for f in features})
    contents.tables.append(Table("features", pd.DataFrame(rows), ", ".join(kinds)))
    for key in data:
        if key not in ("type", "features", "placeshaping", "crs", "bbox", "name", "properties",
                       "geometry", "id"):  # fmt: skip
            contents.breach("file", f"holds the field {key!r}, which is not on the list")


def _manifest(data: dict[str, Any], contents: Contents) -> None:
    for key in data:
        if key not in MANIFEST_KEYS:
            contents.breach("manifest", f"holds the field {key!r}, which is not on the list")
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
    """Make a table of every list of objects, and of every object of lists."""
    if isinstance(data, list):
        rows = [row for row in data if isinstance(row, dict)]
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
