"""
Records that say where they are by postcode: areas and coordinates from a directory.

The directory is `sources.postcode_areas.read_postcode_directory`'s: the
ONS Postcode Directory, or any table with postcodes and codes or coordinates.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from placeshaping._core.checks import check_choice, check_columns, check_unique, listed
from placeshaping._core.columns import column_tags, tag_columns
from placeshaping._core.errors import ColumnError, UnmatchedError
from placeshaping.sources.guesses import guess_columns
from placeshaping.sources.postcode_areas import read_postcode_directory
from placeshaping.sources.postcode_text import find_postcodes

_log = logging.getLogger(__name__)

Fallback = Literal["sector", "district"]


@dataclass(frozen=True)
class PostcodeReport:
    """
    What became of a column of postcodes.

    Attributes
    ----------
    rows
        Rows in all; those that follow, up to `malformed`, add up to it.
    current, ended
        Found in the directory: in use, and no longer in use.
    by_sector, by_district
        Not found, given to the middle of their sector or district, as asked for.
    unknown
        Well formed but not in the directory.
    blank
        Without a postcode.
    malformed
        With something that is no postcode.
    tidied
        Found rows whose postcode was written otherwise than the directory does.
    repaired
        Found rows in which a letter had been written for a digit or the reverse.
    without_place
        Found rows for which the directory has no coordinates.
    unknown_postcodes, malformed_values
        The distinct ones, most frequent first, at most 1,000.
    """

    rows: int
    current: int
    ended: int
    by_sector: int
    by_district: int
    unknown: int
    blank: int
    malformed: int
    tidied: int
    repaired: int
    without_place: int
    unknown_postcodes: tuple[str, ...]
    malformed_values: tuple[str, ...]

    @property
    def sentences(self) -> tuple[str, ...]:
        """The report in words, for a product's notes."""
        lost = self.unknown + self.blank + self.malformed
        said = [
            f"{self.current + self.ended:,} of {self.rows:,} records were located by postcode, "
            f"{self.ended:,} of them by one that is no longer in use."
        ]
        if self.by_sector or self.by_district:
            said.append(
                f"{self.by_sector + self.by_district:,} were given to the middle of their postcode "
                "sector or district: their area is a guess."
            )
        if lost:
            said.append(
                f"{lost:,} could not be located: {self.unknown:,} have a postcode that the "
                f"directory lacks, {self.malformed:,} something else, {self.blank:,} nothing."
            )
        return tuple(said)


def attach_postcodes(
    table: pd.DataFrame,
    postcodes: pd.DataFrame | str | Path,
    *,
    column: str | None = None,
    take: Sequence[str] | None = None,
    fallback: Sequence[Fallback] = (),
    unmatched: Literal["raise", "allow"] = "raise",
) -> pd.DataFrame:
    """
    Give records the areas and coordinates of their postcodes.

    Case, spaces and punctuation do not matter; a letter for a digit (O for 0,
    I or L for 1, S for 5) or the reverse is mended where that leads to one
    postcode that exists. Postcodes that are no longer in use are kept, and told.

    Parameters
    ----------
    table
        Records, with a column of postcodes.
    postcodes
        Directory, as `read_postcode_directory` takes or gives it.
    column
        The column of postcodes; recognised where not given.
    take
        Columns of the directory that are wanted; all where not given.
    fallback
        For postcodes that the directory lacks: ``"sector"`` (LE1 6),
        ``"district"`` (LE1) or both, in this order. The record is given to the
        postcode nearest to the middle of those in it, which is a guess.
    unmatched
        Whether records are refused, or have missing values, whose postcode is
        well formed but not in the directory. Blank and malformed ones are told
        and have missing values.

    Returns
    -------
    table
        A copy with the columns taken and ``postcode_match``: ``"current"``,
        ``"ended"``, ``"sector"``, ``"district"``, or missing.
        ``attrs["postcodes"]`` is a `PostcodeReport`; other attrs and the tags
        of columns are kept.

    Raises
    ------
    UnmatchedError
        If postcodes are not in the directory and `unmatched` is ``"raise"``, or
        if none is (but a column that is wholly blank is told and kept).
    ColumnError
        If a column is missing, or is in both tables.
    DuplicateError
        If a directory given as a table has a postcode twice.
    InputError
        If an option is none of its choices.

    Examples
    --------
    >>> directory = pd.DataFrame({"pcds": ["LE1 6XX"], "lsoa21": ["E01033561"]})
    >>> records = pd.DataFrame({"Postcode": [" le16xx", "LE1 6ZZ", None]})
    >>> attached = attach_postcodes(records, directory, unmatched="allow")
    >>> attached["lsoa_code"].tolist()
    ['E01033561', nan, nan]
    >>> attached.attrs["postcodes"].unknown_postcodes
    ('LE1 6ZZ',)
    """
    check_choice(unmatched, ["raise", "allow"], name="unmatched")
    kinds = (fallback,) if isinstance(fallback, str) else tuple(fallback)
    for kind in kinds:
        check_choice(kind, ["sector", "district"], name="fallback")
    if isinstance(postcodes, pd.DataFrame) and postcodes.index.name == "postcode":
        directory = postcodes
    else:
        directory = read_postcode_directory(postcodes)
    check_unique(directory.index, where="The postcode directory", what="postcodes")
    name = _postcode_column(table, column)
    wanted = list(directory.columns) if take is None else list(take)
    check_columns(directory.columns, wanted, where="The postcode directory")
    shared = [c for c in (*wanted, "postcode_match") if c in table.columns]
    if shared:
        msg = f"The table and the directory both have {listed(shared)}. Drop them, or name take."
        raise ColumnError(msg)
    match = _match(table[name], directory, kinds)
    report = _report(table[name], match, directory)
    _check_found(report, name, unmatched)
    taken = directory[wanted].take(np.maximum(match.position, 0)).set_axis(table.index)
    taken = taken.where(pd.Series(match.position >= 0, index=table.index))
    taken = taken.assign(postcode_match=pd.Series(match.how, index=table.index, dtype="str"))
    joined = table.join(taken) if table.index.is_unique else _beside(table, taken)
    joined.attrs.update(table.attrs)
    joined.attrs["postcodes"] = report
    tag_columns(joined, {**column_tags(table), **column_tags(directory)})
    return joined


def _beside(table: pd.DataFrame, taken: pd.DataFrame) -> pd.DataFrame:
    return table.assign(**{str(c): taken[c].array for c in taken.columns})


def _postcode_column(table: pd.DataFrame, column: str | None) -> str:
    if column is not None:
        check_columns(table.columns, [column], where="The table")
        return column
    guessed = guess_columns(table).get("postcode")
    if guessed is None:
        near = [str(c) for c in table.columns if "post" in str(c).casefold()]
        if len(near) == 1:
            return near[0]
        check_columns(table.columns, ["postcode"], where="The table")
        return "postcode"
    return guessed


@dataclass(frozen=True)
class _Match:
    """Row of the directory for each record (-1: none), how it was found, and its postcode."""

    position: np.ndarray[Any, Any]
    how: np.ndarray[Any, Any]
    tidy: pd.Series[str]
    repaired: np.ndarray[Any, Any]


def _match(values: pd.Series[Any], directory: pd.DataFrame, fallback: Sequence[str]) -> _Match:
    found = find_postcodes(values, directory.index)
    position, tidy = found.position, found.tidy
    how = np.full(len(values), None, dtype=object)
    exact = position >= 0
    how[exact] = "current"
    if "ended" in directory:
        gone = directory["ended"].notna().to_numpy()
        how[exact & gone[np.maximum(position, 0)]] = "ended"
    for kind in ("sector", "district"):
        if kind in fallback:
            middles = _middles(directory, kind)
            at = middles.reindex(_part(pd.Index(tidy), kind)).fillna(-1).to_numpy(dtype=np.intp)
            given = (position < 0) & (at >= 0) & tidy.notna().to_numpy()
            position = np.where(given, at, position)
            how[given] = kind
    return _Match(position, how, tidy, found.mended)


def _part(postcodes: pd.Index, kind: str) -> pd.Index:
    text = pd.Series(postcodes, dtype="str")
    return pd.Index(text.str[:-2] if kind == "sector" else text.str.split(" ").str[0])


def _middles(directory: pd.DataFrame, kind: str) -> pd.Series[Any]:
    """Return, for each sector or district, the row of the postcode nearest to its middle."""
    check_columns(directory.columns, ["easting", "northing"], where="The postcode directory")
    rows = pd.DataFrame(
        {
            "part": _part(directory.index, kind),
            "x": directory["easting"].to_numpy(),
            "y": directory["northing"].to_numpy(),
            "row": np.arange(len(directory)),
        }
    ).dropna()
    middle = rows.groupby("part")[["x", "y"]].transform("mean")
    rows["distance"] = np.hypot(rows["x"] - middle["x"], rows["y"] - middle["y"])
    nearest = rows.sort_values(["distance", "row"]).drop_duplicates("part")
    return nearest.set_index("part")["row"]


def _report(values: pd.Series[Any], match: _Match, directory: pd.DataFrame) -> PostcodeReport:
    text = values.astype("str").where(values.notna()).str.strip()
    blank = (text.isna() | text.eq("")).to_numpy(dtype=bool)
    lost = match.position < 0
    well = match.tidy.notna().to_numpy()
    number = {kind: int((match.how == kind).sum()) for kind in _HOW}
    located = np.ones(len(directory), dtype=bool)
    if "easting" in directory:
        located = directory["easting"].notna().to_numpy()
    found = ~lost
    same = (text == match.tidy).to_numpy(dtype=bool)
    exact = np.isin(match.how.astype("str"), ["current", "ended"])
    return PostcodeReport(
        rows=len(values),
        current=number["current"],
        ended=number["ended"],
        by_sector=number["sector"],
        by_district=number["district"],
        unknown=int((lost & well).sum()),
        blank=int((lost & blank).sum()),
        malformed=int((lost & ~well & ~blank).sum()),
        tidied=int((exact & ~same).sum()),
        repaired=int(match.repaired.sum()),
        without_place=int((found & ~located[np.maximum(match.position, 0)]).sum()),
        unknown_postcodes=_frequent(match.tidy[lost & well]),
        malformed_values=_frequent(text[lost & ~well & ~blank]),
    )


_HOW = ("current", "ended", "sector", "district")


def _frequent(values: pd.Series[str]) -> tuple[str, ...]:
    counts = values.value_counts().reset_index()
    counts.columns = pd.Index(["value", "count"])
    ordered = counts.sort_values(["count", "value"], ascending=[False, True])["value"]
    return tuple(str(value) for value in ordered.head(1_000))


def _check_found(report: PostcodeReport, column: str, unmatched: str) -> None:
    found = report.current + report.ended + report.by_sector + report.by_district
    told = (
        f"{report.unknown:,} of {report.rows:,} records have a postcode that the directory lacks "
        f"({listed(report.unknown_postcodes)})."
    )
    if report.rows and not found and report.unknown:
        msg = f"{told} None matches: check that the directory covers the place."
        raise UnmatchedError(msg)
    if not found and report.malformed:
        msg = (
            f"{report.malformed:,} of {report.rows:,} values of {column!r} are no postcodes "
            f"({listed(report.malformed_values)}), and none is one. Name the column of postcodes."
        )
        raise UnmatchedError(msg)
    if report.unknown and unmatched == "raise":
        msg = (
            f"{told} Use a newer directory, pass unmatched='allow' to keep them empty, or name a "
            "fallback ('sector', 'district')."
        )
        raise UnmatchedError(msg)
    for sentence in report.sentences:
        _log.info("%s", sentence)
