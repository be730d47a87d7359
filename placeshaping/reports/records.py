"""Results that are not of areas as a workbook, or as CSV with a description that machines read."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from openpyxl import Workbook
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from placeshaping._core.checks import listed
from placeshaping._core.errors import OutputError
from placeshaping._core.output import staged_file, staged_folder
from placeshaping.disclosure.records import Records, require_records
from placeshaping.layers.views import plain_texts
from placeshaping.reports.csvw import ENCODING, FORMULA
from placeshaping.reports.packing import Sheet, pack_workbook
from placeshaping.reports.sheets import MOST_ROWS

SUFFIXES = (".xlsx", ".csv")

COLUMNS: Mapping[str, str] = {
    "distance_band": "how far apart two records are; the upper end belongs to the next band",
    "day_band": "days between two records",
    "from_m": "lower end of the distance band, metres",
    "to_m": "upper end of the distance band, metres; not in it",
    "from_days": "first day of the band",
    "to_days": "first day after the band",
    "observed": "pairs of records so far apart in space and time",
    "expected": "pairs if dates had nothing to do with places",
    "ratio": "observed over expected; of areas: after over before",
    "pattern": "more or fewer pairs than chance gives, after correction for the number of bands",
    "weekday": "day of the week",
    "month": "month of the year",
    "hour": "hour of the day, by the clock on the wall",
    "hours": "how many such hours the record has",
    "index": "records an hour over the average of all hours that are shown; 1 is as usual",
    "period": "before or after",
    "status": "shown, or hidden: too few to show",
    "count": "records",
    "class": "class of the number of records",
    "rank": "1 for most records; rows with equal rounded numbers have the same rank",
    "lower": "lower end of the 95 % interval of the number before it",
    "upper": "upper end of the 95 % interval of the number before it",
    "p_value": "how often chance alone does as much",
    "q_value": "p-value after correction for the number of tests",
    "segment": "row of the street file",
    "street": "name of the street",
    "length_km": "length of the segment, km",
    "per_km": "records per km a year",
    "order": "1 for the first; equal ones share the lowest",
    "holds": "the fewest segments that together hold 25 or 50 % of the records",
    "place": "key of the place",
    "services": "services with contact there",
    "first": "first day of contact",
    "last": "last day of contact",
    "days": "days between",
    "originator": "the earlier record",
    "follow_on": "the later record",
    "distance": "metres between them",
    "event": "the record",
    "easting": "metres east, British National Grid",
    "northing": "metres north, British National Grid",
    "age_days": "days since the record",
    "days_left": "days for which the lift holds",
    "imd_decile": "tenth of the Index of Multiple Deprivation, 1 = most deprived",
    "age": "age band",
    "areas": "how many areas",
    "residents": "people who live there; of a site: who have it as their nearest",
    "residents_beyond": "of them, those who have farther to go than the threshold",
    "share_beyond": "the same as a share",
    "mean": "mean travel of those who reach one, by residents",
    "median": "travel that half of the residents have at most",
    "site": "name of the site",
    "round": "number of the round",
    "stop": "name of the stop",
    "arrives": "when it is reached, by the clock",
    "begins": "when the visit begins",
    "leaves": "when the visit ends",
    "travel": "minutes from the place before",
    "load": "what the stop adds to the vehicle",
    "existing": "whether it is in use today",
    "longest": "longest travel of an area that has it as its nearest",
    "capacity": "what it can take",
    "lift": "how many times as many follow as if dates had nothing to do with places",
    "property": "key of the property",
    "area_code": "code of its area",
    "chosen_by": "rank: in order; lot: drawn by lot among all",
    "chance": "chance that an inspection finds something",
    "low": "lower end of the 90 % interval of the chance",
    "high": "upper end of the 90 % interval of the chance",
    "reasons": "what makes a finding likelier there than at the usual property",
}
"""What each column holds, in words; some of them where the policy lets them out alone."""

_CHECKED = "For checking: what this file declares of itself"
_HEADINGS = {
    "what it shows": "What it shows", "purpose": "Purpose", "lawful basis": "Lawful basis",
    "statement": "What is hidden", "method": "Method", "mind": "Mind", "not for": "Not for",
    "source": "Source", "contact": "Contact",
}  # fmt: skip
_KEYS = {
    "near_repeat": ["distance_band", "day_band"],
    "profile": ["month", "weekday", "hour"],
    "change": ["period", "area_code"],
    "streets": ["segment"],
    "repeat_locations": ["place"],
    "near_repeat_pairs": ["originator", "follow_on"],
    "risk_bands": ["event", "distance_band"],
    "inspection_list": ["property"],
    "equity": ["imd_decile"],
    "rounds": ["round", "order"],
    "ages": ["imd_decile", "age"],
    "sites": ["site"],
}
_TITLE = Font(bold=True, size=14)
_BOLD = Font(bold=True)
_HEAD = Font(bold=True, color="FFFFFF")
_HEAD_FILL = PatternFill("solid", fgColor="12436D")
_WRAPPED = Alignment(wrap_text=True, vertical="top")


def write_records(records: Records, path: str | Path) -> list[Path]:
    """
    Write a result that is not of areas as a workbook, or as CSV.

    A workbook has the sheet "Notes" first (what it shows, what was hidden, what
    the columns hold, and what the file declares of itself), then one with the
    table: frozen header, numbers as numbers. A CSV file has a description
    beside it (``name.csv-metadata.json``, CSVW) with the same words. The same
    records give the same bytes. Lines of streets go into a GeoPackage: see
    `layers.streets.write_streets`.

    Parameters
    ----------
    records
        From `release_records`.
    path
        The file to write; its name ends in ``.xlsx`` or ``.csv``.

    Returns
    -------
    paths
        The files that were written; the description last.

    Raises
    ------
    DisclosureError
        If `records` are no `Records`.
    OutputError
        If the name ends otherwise, a sheet holds fewer rows than there are,
        or the file cannot be written; an older one is then as it was.

    Examples
    --------
    >>> write_records({}, "records.xlsx")
    Traceback (most recent call last):
        ...
    placeshaping._core.errors.DisclosureError: write_records takes Records, not a dict. ...
    """
    records = require_records(records, wanted_by="write_records")
    path = Path(path)
    if path.suffix.casefold() not in SUFFIXES:
        msg = f"{path.name}: write_records writes {listed(list(SUFFIXES))}. Name it so."
        raise OutputError(msg)
    frame = _frame(records)
    if path.suffix.casefold() == ".csv":
        return _write_csv(records, frame, path)
    if len(frame) > MOST_ROWS:
        msg = f"{path.name}: {len(frame):,} rows are more than a sheet holds. Write a .csv file."
        raise OutputError(msg)
    _write_book(records, frame, path)
    return [path]


def column_words(records: Records) -> dict[str, str]:
    """
    Return what each column of the table holds, in words.

    Parameters
    ----------
    records
        From `release_records`.

    Returns
    -------
    words
        Column -> words, in the order of the table.
    """
    told = dict(COLUMNS)
    if records.classes:
        told["class"] += f": {records.classes}"
    names = [str(name) for name in records.table.columns if name != "geometry"]
    return {name: told.get(name, name.replace("_", " ")) for name in names}


def _frame(records: Records) -> pd.DataFrame:
    """Return the table without shapes, days as texts."""
    table = pd.DataFrame(records.table.drop(columns="geometry", errors="ignore"))
    for name in table.columns:
        if pd.api.types.is_datetime64_any_dtype(table[name]):
            table[name] = table[name].dt.strftime("%Y-%m-%d")
    return plain_texts(table)


def _write_book(records: Records, frame: pd.DataFrame, path: Path) -> None:
    book = Workbook()
    notes = book.active
    if isinstance(notes, Worksheet):
        _write_notes(notes, records)
    name = records.name.replace("_", " ").capitalize()
    sheets = {name: _lay_out(book.create_sheet(name), frame)}
    book.properties.creator = "placeshaping"
    book.properties.title = records.title
    made = dt.datetime.combine(records.made_on, dt.time())
    book.properties.created = made
    buffer = io.BytesIO()
    book.save(buffer)
    with staged_file(path) as staged:
        pack_workbook(buffer, staged, sheets=sheets, made=made)


def _notes(records: Records) -> list[tuple[str, str | int]]:
    """Return the rows of the notes: words, columns, and the declaration last."""
    rows: list[tuple[str, str | int]] = [(records.title, "")]
    if records.policy.stamp:
        rows.append(("Stamp", records.policy.stamp))
    said = records.notes
    rows += [(_HEADINGS[key], text) for key, text in said if key in _HEADINGS]
    rows.append(("Columns", ""))
    rows += column_words(records).items()
    rows.append((_CHECKED, ""))
    return rows + [(key, value) for key, value in said if key not in _HEADINGS]


def _write_notes(sheet: Worksheet, records: Records) -> None:
    sheet.title = "Notes"
    for number, (key, value) in enumerate(_notes(records), start=1):
        for column, text in ((1, key), (2, value)):
            cell = sheet.cell(row=number, column=column)
            if text == "":
                continue
            cell.value = text
            if isinstance(text, str):
                cell.data_type = "s"  # openpyxl takes a text that begins with "=" for a formula
                cell.quotePrefix = True
            cell.alignment = _WRAPPED
        head = sheet.cell(row=number, column=1)
        head.font = _TITLE if number == 1 else _BOLD
        if number == 1 or value == "":
            head.alignment = Alignment()
    sheet.column_dimensions["A"].width = 24
    sheet.column_dimensions["B"].width = 100


def _lay_out(sheet: Worksheet, frame: pd.DataFrame) -> Sheet:
    """Set the sheet of the table up; its rows are written when it is packed."""
    styles = []
    for number, name in enumerate(frame.columns, start=1):
        head = sheet.cell(row=1, column=number, value=str(name))
        head.font, head.fill = _HEAD, _HEAD_FILL
        sample = sheet.cell(row=2, column=number)
        if pd.api.types.is_integer_dtype(frame[name]):
            sample.number_format = "#,##0"
        elif pd.api.types.is_float_dtype(frame[name]):
            sample.number_format = "0.00##"
        styles.append(sample.style_id)
        texts = frame[name].dropna().astype(str).str.len().max()
        width = max(len(str(name)), 0 if pd.isna(texts) else int(texts))
        sheet.column_dimensions[get_column_letter(number)].width = min(max(width + 2, 8), 40)
    sheet.freeze_panes = "A2"
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(frame.columns))}{len(frame) + 1}"
    return Sheet(frame, styles)


def _write_csv(records: Records, frame: pd.DataFrame, path: Path) -> list[Path]:
    beside = f"{path.name}-metadata.json"
    texts = frame.copy()
    for name in texts.columns:
        if not pd.api.types.is_numeric_dtype(texts[name]):
            texts[name] = texts[name].map(_harmless, na_action="ignore")
    described = json.dumps(_metadata(records, frame, path.name), indent=1, ensure_ascii=False)
    with staged_folder(path.parent) as staged:
        texts.to_csv(
            staged / path.name,
            index=False,
            encoding=ENCODING,
            lineterminator="\r\n",
            quoting=csv.QUOTE_MINIMAL,
        )
        (staged / beside).write_text(described + "\n", encoding="utf-8", newline="\n")
    return [path, path.with_name(beside)]


def _harmless(text: object) -> str:
    """Put an apostrophe before a text that a spreadsheet would work out."""
    return f"'{text}" if str(text).startswith(FORMULA) else str(text)


def _metadata(records: Records, frame: pd.DataFrame, name: str) -> dict[str, Any]:
    """Describe the table in the W3C's Metadata Vocabulary for Tabular Data."""
    words = column_words(records)
    key = [column for column in _KEYS[records.name] if column in frame]
    told = {heading: [t for k, t in records.notes if k == heading] for heading in _HEADINGS}
    described: dict[str, Any] = {
        "@context": ["http://www.w3.org/ns/csvw", {"@language": "en"}],
        "dc:title": records.title,
        "dc:description": " ".join(map(str, (*told["what it shows"], *told["statement"]))),
        "dc:subject": records.title,
        "dc:created": {"@value": records.made_on.isoformat(), "@type": "xsd:date"},
        "dc:creator": records.declaration["made_by"],
    }
    if records.contact:
        described["dc:publisher"] = records.contact
    described["prov:wasDerivedFrom"] = [
        {"dc:title": one.name, "dc:type": one.role, "dc:identifier": one.checksum}
        for one in records.sources
    ]
    said = ("purpose", "lawful basis", "method", "mind", "not for")
    described["rdfs:comment"] = [text for heading in said for text in told[heading]]
    described["notes"] = [{"placeshaping": records.declaration}]
    described["dialect"] = {
        "encoding": "utf-8", "delimiter": ",", "quoteChar": '"', "doubleQuote": True,
        "header": True, "lineTerminators": ["\r\n"],
    }  # fmt: skip
    columns = [
        {
            "name": column,
            "titles": column,
            "dc:description": words[column],
            "datatype": _datatype(frame[column]),
            "null": "",
            **({"required": True} if column in key else {}),
        }
        for column in map(str, frame.columns)
    ]
    schema = {"columns": columns, "primaryKey": key}
    described["tables"] = [{"url": name, "dc:title": records.title, "tableSchema": schema}]
    return described


def _datatype(values: pd.Series) -> str:
    if pd.api.types.is_bool_dtype(values):
        return "boolean"
    if pd.api.types.is_integer_dtype(values):
        return "integer"
    return "double" if pd.api.types.is_numeric_dtype(values) else "string"
