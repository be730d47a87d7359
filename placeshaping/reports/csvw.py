"""Tables as CSV, one file a level, with a description that machines read (CSVW)."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from placeshaping._core.output import staged_folder
from placeshaping.disclosure.release import Release, require_release
from placeshaping.disclosure.tables import AreaTable
from placeshaping.layers.views import AREA_COLUMNS, about, plain_texts
from placeshaping.reports.notes import HOW_TO_READ, column_words
from placeshaping.reports.sheets import COLUMNS, in_order

METADATA = "csv-metadata.json"
"""The name under which a reader of CSVW looks for the description of the tables of a folder."""

ENCODING = "utf-8-sig"
"""
UTF-8 with a byte order mark: without one, Excel reads a file that is opened by
double-click in the code page of the machine, and spoils names. Readers of
UTF-8 as the web defines it, CSVW's among them, pass the mark over.
"""

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A text that begins with one of these would be worked out by a spreadsheet."""

_ORDER = (
    "area_code", *AREA_COLUMNS, *(name for name in COLUMNS if name not in ("area_code",
    *AREA_COLUMNS)),
)  # fmt: skip
_FURTHER = {
    "parent_code": "code of the area of the next level that holds it",
    "ward_code": "code of the ward that holds it, by best fit",
    "msoa_code": "code of the MSOA that holds it",
    "residents": "people who live in the area",
    "households": "households in the area",
}
_KEYS = {
    "deprivation": ("period", "category", "imd_decile"),
    "inequality": ("period", "category"),
}
_WHOLE = {
    "residents", "households", "imd_decile", "count", "class", "rank", "areas",
}  # fmt: skip
_NUMBERS = {
    "rate", "lower", "upper", "rate_smoothed", "gi_star", "q_value", "exposure", "slope",
    "slope_lower", "slope_upper", "ratio",
}  # fmt: skip


def write_csv(release: Release, folder: str | Path, *, licence: str | None = None) -> list[Path]:
    """
    Write a release as CSV files with metadata.

    One file a level (``lsoa.csv``, ...) with a row for each period, category
    and area; ``deprivation.csv`` and ``inequality.csv`` where deprivation is
    known; and ``csv-metadata.json``, which describes them in the W3C's
    vocabulary for tabular data: columns, types, keys, what an empty cell
    means, sources, and under `notes` what the files declare of themselves.

    UTF-8 with a byte order mark, commas, CRLF. Hidden cells are empty, which
    the column `status` says. A text that a spreadsheet would take for a
    formula begins with an apostrophe. The same release gives the same bytes.

    Parameters
    ----------
    release
        What is published.
    folder
        Where to write; other files in it stay, older ones of the same names
        are replaced, all or none.
    licence
        Address of the licence under which the tables may be used.

    Returns
    -------
    paths
        The files that were written, the metadata last.

    Raises
    ------
    DisclosureError
        If `release` is not a `Release`.
    OutputError
        If they cannot be written; older ones are then as they were.

    Examples
    --------
    >>> write_csv({}, "tables")
    Traceback (most recent call last):
        ...
    placeshaping._core.errors.DisclosureError: write_csv takes a Release, not a dict. ...
    """
    release = require_release(release, wanted_by="write_csv")
    folder = Path(folder)
    tables = dict(_tables(release))
    with staged_folder(folder) as staged:
        for name, (_, frame) in tables.items():
            _write(frame, staged / f"{name}.csv")
        described = _metadata(release, tables, licence)
        text = json.dumps(described, indent=1, ensure_ascii=False)
        (staged / METADATA).write_text(text + "\n", encoding="utf-8", newline="\n")
    return [folder / name for name in (*(f"{name}.csv" for name in tables), METADATA)]


def _tables(release: Release) -> Iterator[tuple[str, tuple[str, pd.DataFrame]]]:
    """Yield the name of each file with its title and content."""
    for level, table in release.tables.items():
        yield level, (f"{release.subject} by area: {table.label}", _level(table))
    if release.deprivation is not None:
        group = f"{release.subject} by tenth of the Index of Multiple Deprivation"
        yield "deprivation", (group, release.deprivation.values)
        slope = f"{release.subject}: slope and relative index of inequality"
        yield "inequality", (slope, release.deprivation.slopes)


def _level(table: AreaTable) -> pd.DataFrame:
    """Put what is known of its area beside each number."""
    known = [name for name in AREA_COLUMNS if name in table.areas]
    codes = table.values["area_code"].astype(str)
    places = table.areas.index.astype(str).get_indexer(codes)
    told = {name: table.areas[name].array.take(places) for name in known}
    frame = table.values.assign(area_code=codes, **told)
    return in_order(frame, _ORDER)


def _write(frame: pd.DataFrame, path: Path) -> None:
    texts = plain_texts(frame)
    for name in texts.columns:
        if not pd.api.types.is_numeric_dtype(texts[name]):
            texts[name] = texts[name].map(_harmless, na_action="ignore")
    texts.to_csv(
        path, index=False, encoding=ENCODING, lineterminator="\r\n", quoting=csv.QUOTE_MINIMAL
    )


def _harmless(text: str) -> str:
    """
    Put an apostrophe before a text that a spreadsheet would work out.

    Examples
    --------
    >>> _harmless("=1+1"), _harmless("Leicester 003A")
    ("'=1+1", 'Leicester 003A')
    """
    return f"'{text}" if text.startswith(FORMULA) else text


def _metadata(
    release: Release, tables: Mapping[str, tuple[str, pd.DataFrame]], licence: str | None
) -> dict[str, Any]:
    """Describe the tables in the W3C's Metadata Vocabulary for Tabular Data."""
    said = about(release)
    described: dict[str, Any] = {
        "@context": ["http://www.w3.org/ns/csvw", {"@language": "en"}],
        "dc:title": release.title,
        "dc:description": " ".join((*release.statement, *release.notes)),
        "dc:subject": release.subject,
        "dc:created": {"@value": release.made_on.isoformat(), "@type": "xsd:date"},
        "dc:creator": said["made_by"],
        "dc:temporal": release.periods[0].label,
    }
    if licence is not None:
        described["dc:license"] = {"@id": licence}
    if release.contact:
        described["dc:publisher"] = release.contact
    described["prov:wasDerivedFrom"] = [
        {"dc:title": source.name, "dc:type": source.role, "dc:identifier": source.checksum}
        for source in release.sources
    ]
    described["rdfs:comment"] = [*HOW_TO_READ, *release.cautions, *release.not_for]
    described["notes"] = [{"placeshaping": said}]
    described["dialect"] = {
        "encoding": "utf-8", "delimiter": ",", "quoteChar": '"', "doubleQuote": True,
        "header": True, "lineTerminators": ["\r\n"],
    }  # fmt: skip
    meanings = {**column_words(release), **_FURTHER}
    described["tables"] = [_table(name, *tables[name], meanings) for name in tables]
    return described


def _table(
    name: str, title: str, frame: pd.DataFrame, meanings: Mapping[str, str]
) -> dict[str, Any]:
    names = [str(column) for column in frame.columns]
    key = _KEYS.get(name, ("area_code", "period", "category"))
    return {
        "url": f"{name}.csv",
        "dc:title": title,
        "tableSchema": {
            "columns": [
                _column(column, frame[column], meanings.get(column, column), required=column in key)
                for column in names
            ],
            "primaryKey": list(key),
        },
    }


def _column(name: str, values: pd.Series, meaning: str, *, required: bool) -> dict[str, Any]:
    number = name in _NUMBERS or (name not in _WHOLE and values.dtype.kind == "f")
    kind = "integer" if name in _WHOLE else "double" if number else "string"
    described: dict[str, Any] = {
        "name": name,
        "titles": name,
        "dc:description": meaning,
        "datatype": kind,
        "null": "",
    }
    if name == "status":
        statuses: Sequence[str] = ("shown", "hidden", "missing")
        described["datatype"] = {"base": "string", "format": "|".join(statuses)}
    if required:
        described["required"] = True
    return described
