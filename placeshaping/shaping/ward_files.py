"""Files of proposals: what the painting page and the search write, and what may be read of them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from placeshaping._core.checks import check_file, listed
from placeshaping._core.errors import EmptyError, FileFormatError, InputError, UnmatchedError
from placeshaping.shaping.wards import Proposal, Review, make_proposal

KIND = "placeshaping ward proposal"
VERSION = 1


def proposal_document(review: Review, proposal: Proposal) -> dict[str, Any]:
    """
    Return a proposal as it stands in a file: codes and wards, no number of electors.

    Parameters
    ----------
    review, proposal
        The area, and wards made of it.

    Returns
    -------
    document
        As JSON takes it.

    Examples
    --------
    >>> import geopandas as gpd
    >>> from shapely import box
    >>> from placeshaping.shaping.wards import make_review
    >>> units = gpd.GeoDataFrame(
    ...     {"electors_now": 100, "electors_forecast": 100}, crs=27700, index=["a", "b"],
    ...     geometry=[box(0, 0, 100, 100), box(100, 0, 200, 100)],
    ... )
    >>> review = make_review(units, councillors=2, name="Two squares")
    >>> wards = pd.Series(["x", "x"], index=["a", "b"])
    >>> one = make_proposal(review, wards, name="One ward", councillors={"x": 2})
    >>> proposal_document(review, one)["units"]
    {'a': 'W1', 'b': 'W1'}
    """
    rows = zip(proposal.wards.index, proposal.wards["name"], proposal.wards["councillors"],
               strict=True)  # fmt: skip
    return {
        "kind": KIND,
        "version": VERSION,
        "review": review.name,
        "digest": review.digest,
        "name": proposal.name,
        "councillors": review.councillors,
        "wards": [{"id": ward, "name": name, "councillors": int(n)} for ward, name, n in rows],
        "units": {str(code): str(ward) for code, ward in proposal.ward_of.items()},
    }


def read_proposal(path: str | Path, review: Review) -> Proposal:
    r"""
    Read a proposal from a file: JSON, GeoJSON that holds the units, or CSV.

    Parameters
    ----------
    path
        As the painting page or the command `review` wrote it.
    review
        The area that it should be of. A CSV file bears no mark of its review;
        its electors are compared instead where it has them.

    Returns
    -------
    proposal
        Every unit in a ward.

    Raises
    ------
    MissingFileError, FileFormatError
        If there is no such file, or it holds no proposal.
    InputError
        If it is of another review or of other figures, is not finished, was
        altered, or its councillors do not add up.
    UnmatchedError
        If it names units that are not of the review, lacks some, or a ward has
        no units.

    Examples
    --------
    >>> import tempfile, geopandas as gpd
    >>> from shapely import box
    >>> from placeshaping.shaping.wards import make_review
    >>> units = gpd.GeoDataFrame(
    ...     {"electors_now": 100, "electors_forecast": 100}, crs=27700, index=["a", "b"],
    ...     geometry=[box(0, 0, 100, 100), box(100, 0, 200, 100)],
    ... )
    >>> review = make_review(units, councillors=2, name="Two squares")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "halves.csv"
    ...     _ = file.write_text("area_code,ward,ward_name,councillors\na,1,A,1\nb,2,B,1\n")
    ...     read_proposal(file, review).wards["name"].to_list()
    ['A', 'B']
    """
    path = check_file(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        msg = f"{path.name} is no text: a proposal is a JSON, GeoJSON or CSV file."
        raise FileFormatError(msg) from error
    if path.suffix.casefold() in (".csv", ".tsv"):
        return _of_table(text, review, path)
    return _of_document(_document(text, path.name), review, path.name)


def _document(text: str, where: str) -> dict[str, Any]:
    try:
        held = json.loads(text)
    except json.JSONDecodeError as error:
        msg = f"{where} is damaged or no JSON ({error}). Save the proposal again."
        raise FileFormatError(msg) from error
    if isinstance(held, dict) and held.get("type") == "FeatureCollection":
        held = held.get("proposal", held)
    needed = {"wards", "units", "digest"}
    if not isinstance(held, dict) or held.get("kind") != KIND or not needed <= set(held):
        msg = (
            f"{where} holds no proposal of wards. Save one from the painting page, or take a "
            "proposal file that `placeshaping review` wrote."
        )
        raise FileFormatError(msg)
    if held.get("version") != VERSION:
        msg = f"{where} is of version {held.get('version')!r}; this is read: {VERSION}."
        raise FileFormatError(msg)
    if not isinstance(held["units"], dict) or not isinstance(held["wards"], list):
        msg = f"{where} was altered: 'units' or 'wards' is not what it should be."
        raise InputError(msg)
    return held


def _of_document(held: Mapping[str, Any], review: Review, where: str) -> Proposal:
    if held["digest"] != review.digest:
        raise InputError(_of_another(held, review, where))
    wards = [one for one in held["wards"] if isinstance(one, dict)]
    ids = [str(one.get("id")) for one in wards]
    if len(wards) != len(held["wards"]) or len(set(ids)) < len(ids):
        msg = f"{where} was altered: its wards have no letter, or one stands twice."
        raise InputError(msg)
    seats = {str(one["id"]): _seats(one, where) for one in wards}
    names = {str(one["id"]): str(one.get("name") or one["id"]) for one in wards}
    name = str(held.get("name") or Path(where).stem)
    proposal = _made(review, held["units"], seats, names, name=name, where=where)
    if held.get("councillors") != review.councillors:
        msg = (
            f"{where} was altered: it says {held.get('councillors')!r} councillors, the review "
            f"{review.councillors}."
        )
        raise InputError(msg)
    return proposal


def _of_another(held: Mapping[str, Any], review: Review, where: str) -> str:
    if str(held.get("review")) != review.name:
        return (
            f"{where} belongs to the review {held.get('review')!r}, not to {review.name!r}. Take "
            "its own recipe."
        )
    return (
        f"{where} was made with other units or electors than the recipe gives now (mark "
        f"{held['digest']}, now {review.digest}). Open it in the page it was painted on, or take "
        "the recipe as it was."
    )


def _seats(ward: Mapping[str, Any], where: str) -> int:
    seats = ward.get("councillors")
    if isinstance(seats, bool) or not isinstance(seats, int) or seats < 1:
        msg = f"{where}: {ward.get('name') or ward.get('id')} has {seats!r} councillors."
        raise InputError(msg)
    return seats


def _made(
    review: Review,
    units: Mapping[str, Any],
    seats: Mapping[str, int],
    names: Mapping[str, str],
    *,
    name: str,
    where: str,
) -> Proposal:
    """Make a proposal of what a file says, or say in what it cannot be one."""
    bare = [code for code, ward in units.items() if ward is None or ward == ""]
    if bare:
        msg = (
            f"{where} is not finished: {len(bare):,} of {len(units):,} units are in no ward yet "
            f"({listed(bare)}). It is judged when every unit has one."
        )
        raise EmptyError(msg)
    strange = sorted({str(ward) for ward in units.values()} - set(seats))
    if strange:
        msg = f"{where} was altered: units are in wards that it does not list ({listed(strange)})."
        raise UnmatchedError(msg)
    ward_of = pd.Series(dict(units), dtype="str")
    ward_of.index = ward_of.index.astype("str")
    try:
        proposal = make_proposal(review, ward_of, name=name, councillors=seats, names=names)
    except UnmatchedError as error:
        msg = f"{where}: {error}"
        raise UnmatchedError(msg) from error
    total = sum(seats.values())
    if total != review.councillors:
        msg = (
            f"{where}: its wards have {total:,} councillors together, and the review is for "
            f"{review.councillors:,}. Change the councillors of a ward."
        )
        raise InputError(msg)
    proposal.wards.index = pd.Index(list(seats), name="ward", dtype="str")
    given = ward_of.reindex(review.units.index).rename("ward")
    return Proposal(name=proposal.name, ward_of=given, wards=proposal.wards)


def _of_table(text: str, review: Review, path: Path) -> Proposal:
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    delimiter = "\t" if path.suffix.casefold() == ".tsv" else ","
    rows = list(csv.DictReader(io.StringIO("\n".join(lines)), delimiter=delimiter))
    needed = ["area_code", "ward", "councillors"]
    if not rows or not set(needed) <= set(rows[0]):
        msg = f"{path.name} holds no proposal: its columns must be {', '.join(needed)}."
        raise FileFormatError(msg)
    codes = [row["area_code"] for row in rows]
    if len(set(codes)) < len(codes):
        msg = f"{path.name} was altered: {len(codes) - len(set(codes)):,} units stand twice."
        raise InputError(msg)
    seats: dict[str, int] = {}
    names: dict[str, str] = {}
    for row in rows:
        ward, told = row["ward"], row["councillors"] or ""
        if not ward:
            continue
        number = int(told) if told.strip().isdigit() else None
        names.setdefault(ward, row.get("ward_name") or ward)
        if seats.setdefault(ward, number or 0) != number or not number:
            msg = f"{path.name}: {names[ward]} has no one number of councillors ({told!r})."
            raise InputError(msg)
    units = {row["area_code"]: row["ward"] or None for row in rows}
    proposal = _made(review, units, seats, names, name=path.stem, where=path.name)
    _check_electors(rows, review, path.name)
    return proposal


def _check_electors(rows: list[dict[str, str]], review: Review, where: str) -> None:
    """Refuse a table whose electors are not those of the review."""
    for column in ("electors_now", "electors_forecast"):
        if column not in rows[0]:
            continue
        given = pd.Series({row["area_code"]: row[column] for row in rows})
        numbers = pd.to_numeric(given, errors="coerce").reindex(review.units.index)
        odd = review.units.index[numbers != review.units[column]]
        if len(odd):
            msg = (
                f"{where}: {column} of {len(odd):,} units is not that of the review "
                f"({listed(list(odd))}). The file was altered, or is of other figures."
            )
            raise InputError(msg)
