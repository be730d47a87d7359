"""
Read the records that go with a patrol layer, and look for what they must not tell.

Two kinds: the transparency record (JSON) and the record of the Algorithmic
Transparency Recording Standard (JSON, OpenDocument text). Both hold numbers of
whole districts and words; neither names a cell, scores one, or counts few.
"""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np

from placeshaping.verify.contents import Contents, UnreadableError
from placeshaping.verify.loose_numbers import note_pairs, number_run
from placeshaping.verify.plain_files import read_text
from placeshaping.verify.resident_rows import check_residents, is_number, tells
from placeshaping.verify.rules import Rules
from placeshaping.verify.verdict import Breach, number_of

RECORD = "patrol layer transparency record"
STANDARD = "Algorithmic Transparency Recording Standard"
TITLES = ("# Transparency record:", "# Algorithmic transparency record:")
"""How the Markdown of either begins."""

ODT = "application/vnd.oasis.opendocument.text"

_CELL = re.compile(r"\b[SH]\d{2,4}E-?\d{2,}N-?\d{2,}\b")
_PLACE = re.compile(
    r"(?<![\d.])(?:5\d|6[01])\.\d{3,}\D{1,3}-?[0-8]\.\d{3,}|\b[3-6]\d{5}\D{1,3}\d{6}\b"
)
"""Degrees or metres of the National Grid that stand beside each other."""

_TEXT, _TEXTS, _NUMBER, _FLAG, _ANY = "text", "texts", "number", "flag", "any of a list"
_ENDS = ("", "_lower", "_upper")
_MEASURES = (
    "hit_rate", "pai", "pei", "lift_vs_baseline", "difference", "poisson_deviance", "log_score",
    "brier", "crps", "area_under_hit_rate",
)  # fmt: skip
_CAUGHT = _MEASURES[:5]
_FEEDBACK = {
    **dict.fromkeys(("true_share", "begin_share", "share", "lower", "upper"), _NUMBER),
    "sentence": _TEXT,
}
_SCORES = {
    **dict.fromkeys(("category", "model", "note"), _TEXT),
    **dict.fromkeys(("share", "origins", "n", "N", "p_value", "p_holm"), _NUMBER),
    **dict.fromkeys(("baseline", "chosen", "default"), _FLAG),
    **{f"{name}{end}": _NUMBER for name in _MEASURES for end in _ENDS},
}
_CALIBRATION = {
    **dict.fromkeys(("category", "model", "group", "note"), _TEXT),
    **dict.fromkeys(("expected", "observed", "ratio", "ratio_lower", "ratio_upper"), _NUMBER),
}
_GROUPS = {
    **dict.fromkeys(("category", "model", "kind", "group", "note"), _TEXT),
    **dict.fromkeys(("share", "periods", "n", "N", "burden_ratio"), _NUMBER),
    **{f"hit_rate{end}": _NUMBER for end in _ENDS},
}
_BURDEN = {
    "group": _TEXT, "screened": _FLAG,
    **dict.fromkeys(("residents", "flagged_residents", "share", "flagged_share", "burden_ratio",
                     "lower", "upper", "per_crime_ratio", "per_crime_lower", "per_crime_upper"),
                    _NUMBER),
}  # fmt: skip
_DRIFT = re.compile(r"group|change|this release|\d{4}-\d{2}-\d{2}")
_FACTS = {
    **dict.fromkeys(("title", "purpose", "decides", "contact", "shift", "model", "because",
                     "method", "records_from", "records_to", "precision", "made_on", "expires",
                     "policy"), _TEXT),
    **dict.fromkeys(("overrides", "privacy", "cautions", "marks"), _TEXTS),
    **dict.fromkeys(("seed", "unlocated", "elsewhere", "cells", "patrols", "share_of_area",
                     "cell_size"), _NUMBER),
    "offences": {"*": _TEXT}, "parameters": {"*": _ANY},
    "sources": [{"role": _TEXT, "name": _TEXT, "sha256": _TEXT, "rows": None}],
}  # fmt: skip
FIELDS: Mapping[str, Any] = {
    "kind": _TEXT, "version": _NUMBER, "declaration": {"*": _TEXT}, "facts": _FACTS,
    "not_for": _TEXTS, "versions": {"*": _TEXT},
    "decision": {"decided_on": _TEXT, "override": {"by": _TEXT, "reason": _TEXT},
                 **dict.fromkeys(("withdrawn_because", "conditions", "unmeasured"), _TEXTS)},
    "scores": [_SCORES], "calibration": [_CALIBRATION], "groups": [_GROUPS],
    "audit": {"burdens": {"*": [_BURDEN]}, "drifts": {"*": [{"~": _DRIFT}]},
              "concentration": dict.fromkeys(("gini", "ever", "always", "kept"), _NUMBER),
              "four_fifths": _TEXTS, "feedback": _FEEDBACK, "feedback_corrected": _FEEDBACK},
}  # fmt: skip
"""Everything that a transparency record may hold: field by field, and of what kind."""

STANDARD_FIELDS: Mapping[str, Any] = {
    "standard": _TEXT, "standard_version": _TEXT, "missing": _TEXTS,
    "sections": {"*": [dict.fromkeys(("number", "attribute", "name", "answer"), _TEXT)]},
}  # fmt: skip
"""The same of a record of the standard."""

_MEMBERS = {"mimetype", "content.xml", "styles.xml", "meta.xml", "META-INF/manifest.xml"}
_ELEMENTS = {
    "document-content", "body", "text", "h", "p", "list", "list-item", "table", "table-column",
    "table-header-rows", "table-row", "table-cell",
}  # fmt: skip
_LARGEST = 20_000_000


def read_record(path: Path) -> Contents | None:
    """
    Read JSON as a record of a patrol layer; None where it is something else.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    contents
        What `check_record` judges; unlisted fields are breaches already.
    """
    if path.stat().st_size > _LARGEST:
        return None
    try:
        data = json.loads(path.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError):
        return None
    if not isinstance(data, dict):
        return None
    of_standard = data.get("standard") == STANDARD
    if data.get("kind") != RECORD and not of_standard:
        return None
    contents = Contents("atrs" if of_standard else "transparency record")
    contents.texts["text"] = json.dumps(data, ensure_ascii=False)
    declared = data.get("declaration")
    contents.declaration = declared if isinstance(declared, dict) else None
    for where, what in _odd(data, STANDARD_FIELDS if of_standard else FIELDS, "record"):
        contents.breach(where, what)
    look_at_words("record", "\n".join(_words(data)), contents)
    contents.record = data
    return contents


def read_words(path: Path) -> Contents:
    """Read a text of words; of a record of a patrol layer, look at what it names."""
    contents = read_text(path)
    text = contents.texts["text"]
    if text.startswith(TITLES):
        look_at_words("text", text.replace("\\", ""), contents)
    return contents


def read_odt(path: Path) -> Contents:
    """
    Read an OpenDocument text that holds headings, lists and tables of words.

    Raises
    ------
    UnreadableError
        If it is none, or defines entities.
    """
    contents = Contents("odt")
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        if sum(one.file_size for one in archive.infolist()) > _LARGEST:
            msg = "it is too large for a record"
            raise UnreadableError(msg)
        for name in sorted(set(names) - _MEMBERS):
            contents.breach(name[:80], "is not on the list of what an OpenDocument text needs")
        if len(set(names)) < len(names) or archive.comment:
            contents.breach("file", "holds a member twice, or a comment")
        texts = {name: archive.read(name).decode("utf-8", "replace") for name in _MEMBERS}
    if texts["mimetype"] != ODT:
        msg = "it is no OpenDocument text"
        raise UnreadableError(msg)
    for name, text in texts.items():
        if re.search(r"<!DOCTYPE|<!ENTITY|<!--", text):
            msg = f"{name} defines entities or holds a comment"
            raise UnreadableError(msg)
    tree = ElementTree.fromstring(texts["content.xml"])  # noqa: S314 - without entities
    for tag in sorted({str(one.tag).rpartition("}")[2] for one in tree.iter()} - _ELEMENTS):
        contents.breach("content.xml", "has an element that is not on the list", tag[:40])
    words = "\n".join("".join(one.itertext()) for one in _blocks(tree))
    contents.texts["text"] = "\n".join([words, *(texts[n] for n in ("meta.xml", "styles.xml"))])
    look_at_words("content.xml", words, contents)
    look_at_words("meta.xml", texts["meta.xml"], contents)
    return contents


def look_at_words(where: str, text: str, contents: Contents) -> None:
    """
    Look for cells, places and lists of numbers in the words of a record.

    Examples
    --------
    >>> contents = Contents("text")
    >>> look_at_words("text", "Cell S250E457000N298250 expects most.", contents)
    >>> [breach.what for breach in contents.breaches]
    ['names a cell of a grid, which a record must not']
    """
    found = _CELL.search(text)
    if found:
        contents.breach(where, "names a cell of a grid, which a record must not", found[0])
    place = _PLACE.search(text)
    if place:
        contents.breach(where, "tells the coordinates of a place", place[0])
    note_pairs(where, text, contents)
    run = number_run(text)
    if run:
        contents.breach(where, "holds a list of numbers", run[:80])


def check_record(contents: Contents, rules: Rules) -> Iterator[Breach]:
    """
    Look for small and exact numbers of events and of residents in a record.

    Parameters
    ----------
    contents
        A file; anything but a record is passed over.
    rules
        What it is held to.

    Examples
    --------
    >>> from placeshaping.verify.rules import RULES
    >>> contents = Contents("transparency record", record={"groups": [{"n": 3, "N": 40}]})
    >>> [breach.what for breach in check_record(contents, RULES["councillor"])]
    ['1 number of events under 5 or not rounded to 5']
    """
    record = contents.record
    if record is None or not rules.protects:
        return
    yield from _coarse(record)
    yield from check_residents(record, rules)
    for name, counts in (
        ("scores", ("n", "N")),
        ("groups", ("n", "N")),
        ("calibration", ("observed",)),
    ):
        rows = [row for row in record.get(name) or [] if isinstance(row, dict)]
        bad = [
            f"{row.get('category')}, {row.get('group', row.get('model'))}: {key} {row[key]:g}"
            for row in rows
            for key in counts
            if is_number(row.get(key)) and tells(float(row[key]), rules)
        ]
        if bad:
            many = number_of(len(bad), "number of events", names="numbers of events")
            what = f"{many} under {rules.threshold} or not rounded to {rules.rounding}"
            yield Breach(name, what, "; ".join(bad[:3]), "counts")
        yield from _missed(name, rows, rules)
        yield from _withheld(name, rows)


def _missed(name: str, rows: list[dict[str, Any]], rules: Rules) -> Iterator[Breach]:
    """Look for rates that tell of so few that were caught, or were missed."""
    for row in rows:
        rate, every = row.get("hit_rate"), row.get("N")
        if not (is_number(rate) and is_number(every)):
            continue
        most = float(every) + rules.rounding / 2
        if min(float(rate), 1 - float(rate)) * most < rules.threshold - rules.rounding / 2:
            what = f"a hit rate that tells of fewer than {rules.threshold} events"
            yield Breach(name, what, f"{row.get('group', row.get('model'))}: {rate:g}", "rates")
            return


def _withheld(name: str, rows: list[dict[str, Any]]) -> Iterator[Breach]:
    """Look for rates beside numbers that are withheld."""
    for row in rows:
        told = [key for key in _CAUGHT if is_number(row.get(key))]
        if row.get("note") == "withheld" and told:
            what = "holds a rate whose number of events is withheld"
            yield Breach(name, what, f"{row.get('group', row.get('model'))}: {told[0]}", "rates")
            return


def _coarse(record: Mapping[str, Any]) -> Iterator[Breach]:
    """Look for shares of the records that are told more exactly than to a thousandth."""
    facts = record.get("facts")
    for key in ("unlocated", "elsewhere"):
        share = facts.get(key) if isinstance(facts, dict) else None
        if is_number(share) and not np.isclose(float(share), round(float(share), 3), atol=1e-9):
            yield Breach("facts", f"tells the share {key!r} too exactly", f"{share:g}", "shares")
    audit = record.get("audit")
    for row in (record.get("groups") or []) if isinstance(audit, dict | None) else []:
        rate = row.get("hit_rate") if isinstance(row, dict) else None
        if is_number(rate) and not np.isclose(float(rate), round(float(rate), 2), atol=1e-9):
            yield Breach("groups", "tells a hit rate too exactly", f"{rate:g}", "rates")
            return


def _odd(value: Any, kind: Any, where: str) -> Iterator[tuple[str, str]]:
    """Yield where a record holds what is not on the list, and what."""
    if value is None:
        return
    if isinstance(kind, dict):
        yield from _odd_fields(value, kind, where)
    elif isinstance(kind, list):
        if not isinstance(value, list):
            yield where, "is no list of rows"
            return
        for row in value:
            yield from _odd(row, kind[0], where)
    elif not _is_of(value, kind):
        yield where, f"holds what is no {kind}" if kind else "holds what must be left out"


def _odd_fields(value: Any, kind: Mapping[str, Any], where: str) -> Iterator[tuple[str, str]]:
    if not isinstance(value, dict):
        yield where, "is no object"
        return
    for key, inner in value.items():
        if "~" in kind:
            if not kind["~"].fullmatch(str(key)):
                yield where, f"holds the field {str(key)[:40]!r}, which is not on the list"
        elif key in kind or "*" in kind:
            yield from _odd(inner, kind.get(key, kind.get("*")), f"{where}.{str(key)[:40]}")
        else:
            yield where, f"holds the field {str(key)[:40]!r}, which is not on the list"


def _is_of(value: Any, kind: str | None) -> bool:
    if kind == _TEXTS:
        return isinstance(value, list) and all(isinstance(one, str) for one in value)
    if kind == _ANY:
        return isinstance(value, str) or is_number(value)
    if kind == _NUMBER:
        return is_number(value)
    return isinstance(value, {_TEXT: str, _FLAG: bool}.get(str(kind), type(None)))


def _words(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key != "sha256":
                yield str(key)
                yield from _words(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _words(inner)
    elif isinstance(value, str):
        yield value


def _blocks(tree: ElementTree.Element) -> Iterator[ElementTree.Element]:
    """Yield paragraphs and headings."""
    for element in tree.iter():
        if str(element.tag).rpartition("}")[2] in ("p", "h"):
            yield element
