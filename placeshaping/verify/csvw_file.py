"""Read CSV with the description beside it (CSVW), and the description itself."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from placeshaping.verify.contents import Contents
from placeshaping.verify.loose_numbers import note_pairs, number_run
from placeshaping.verify.plain_files import read_csv, read_json

CONTEXT = "http://www.w3.org/ns/csvw"

FIELDS = {
    "": {"@context", "dc:title", "dc:description", "dc:subject", "dc:created", "dc:creator",
         "dc:temporal", "dc:license", "dc:publisher", "prov:wasDerivedFrom", "rdfs:comment",
         "notes", "dialect", "tables"},
    "tables": {"url", "dc:title", "tableSchema"},
    "tableSchema": {"columns", "primaryKey"},
    "columns": {"name", "titles", "dc:description", "datatype", "null", "required"},
    "datatype": {"base", "format"},
    "dialect": {"encoding", "delimiter", "quoteChar", "doubleQuote", "header", "lineTerminators"},
    "notes": {"placeshaping"},
    "prov:wasDerivedFrom": {"dc:title", "dc:type", "dc:identifier"},
    "dc:created": {"@value", "@type"},
    "dc:license": {"@id"},
    "@context": {"@language"},
}  # fmt: skip
"""Part of a description -> the fields that it may have."""

_LARGEST = 5_000_000


def description_names(name: str) -> tuple[str, str]:
    """
    Return the names under which a description of a table is looked for.

    Examples
    --------
    >>> description_names("tables/lsoa.csv")
    ('tables/lsoa.csv-metadata.json', 'tables/csv-metadata.json')
    """
    folder, slash, _ = name.rpartition("/")
    return f"{name}-metadata.json", f"{folder}{slash}csv-metadata.json"


def read_described_csv(path: Path) -> Contents:
    """
    Read a table of text, with the declaration that the description beside it makes.

    A description is looked for where CSVW has it: under the file's own name
    with ``-metadata.json``, then as ``csv-metadata.json`` in the same folder.
    Where it does not name the file, the file declares nothing.

    Raises
    ------
    UnreadableError
        If it is not a table of text.
    """
    contents = read_csv(path)
    for name in description_names(path.name):
        described = _described(path.with_name(name))
        urls = [str(table.get("url")) for table in _tables(described)]
        if described and path.name in urls:
            _declare(described, contents)
            break
    return contents


def read_plain_json(path: Path) -> Contents:
    """
    Read JSON: a description of tables, or whatever else.

    Raises
    ------
    UnreadableError
        If it is not JSON.
    """
    described = _described(path)
    return read_json(path) if described is None else _read_description(path, described)


def _described(path: Path) -> dict[str, Any] | None:
    """Return the description in a file; None where it holds none."""
    try:
        if not path.is_file() or path.stat().st_size > _LARGEST:
            return None
        data = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        return None
    context = data.get("@context") if isinstance(data, dict) else None
    given = context if isinstance(context, list) else [context]
    return data if CONTEXT in given else None


def _tables(described: Mapping[str, Any] | None) -> list[Mapping[str, Any]]:
    tables = (described or {}).get("tables")
    return [t for t in tables if isinstance(t, Mapping)] if isinstance(tables, list) else []


def _declare(described: Mapping[str, Any], contents: Contents) -> None:
    notes = described.get("notes")
    for note in notes if isinstance(notes, list) else []:
        declared = note.get("placeshaping") if isinstance(note, Mapping) else None
        if isinstance(declared, dict) and contents.declaration is None:
            contents.declaration = declared
            contents.note_views(declared.get("periods"), declared.get("categories"))


def _read_description(path: Path, described: dict[str, Any]) -> Contents:
    """Look for fields that a description does not have, and for numbers among its words."""
    contents = Contents("csvw")
    text = path.read_text(encoding="utf-8-sig")
    contents.texts["text"] = text.replace("\\\\", "\\")
    _declare(described, contents)
    for part, key in dict.fromkeys(_odd(described, "")):
        contents.breach(part or "file", f"holds the field {key!r}, which is not on the list")
    bare = {key: value for key, value in described.items() if key != "notes"}
    numbers = list(_numbers(bare))
    if numbers:
        shown = ", ".join(map(str, numbers[:5]))
        contents.breach("file", "holds numbers beside its words", shown)
    words = json.dumps(described, ensure_ascii=False)
    note_pairs("file", words, contents)
    run = number_run(words)
    if run:
        contents.breach("file", "holds a list of numbers", run[:80])
    return contents


def _odd(data: Any, part: str) -> Iterator[tuple[str, str]]:
    """Yield the fields that are not on the list, with the part that they stand in."""
    if isinstance(data, list):
        for item in data:
            yield from _odd(item, part)
    elif isinstance(data, dict):
        for key, value in data.items():
            if key not in FIELDS.get(part, set()):
                yield part, key
            elif key != "placeshaping":
                yield from _odd(value, key)


def _numbers(data: Any) -> Iterator[float]:
    if isinstance(data, dict):
        for value in data.values():
            yield from _numbers(value)
    elif isinstance(data, list):
        for value in data:
            yield from _numbers(value)
    elif isinstance(data, int | float) and not isinstance(data, bool):
        yield data
