"""
LSOAs of 2011 and of 2021: values of one census year on the areas of the other.

The table of changes of the Office for National Statistics says what became of
each area: unchanged (U), split (S), merged (M), or irregular (X). The codes of
areas that changed were never used again, so a table in which both years are
mixed, as police.uk publishes the months from early 2023 to May 2023, can be
read row by row.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from placeshaping._core.checks import check_choice, check_columns, listed
from placeshaping._core.codes import Vintage, level_of_all
from placeshaping._core.errors import ColumnError, UnmatchedError
from placeshaping.joins._apportion import (
    Measures,
    apportion,
    carry,
    denominator_of,
    read_measures,
)
from placeshaping.joins._shares import shares_of
from placeshaping.joins.published import CHANGE_COLUMNS

_log = logging.getLogger(__name__)

Weights = pd.Series | pd.DataFrame | Literal["equal"] | None
"""What the parts of a split area are weighted by."""

_KINDS = {"U": "unchanged", "M": "merged", "S": "split", "X": "irregular"}


@dataclass(frozen=True)
class Split:
    """
    One part of an area that was shared out, and how sure that is.

    Attributes
    ----------
    source_code, target_code
        The area that was divided, and the part.
    share
        Estimated share of the part, 0 to 1.
    total
        The area's total of the first column that adds up.
    standard_error
        Binomial standard error of the part's value: as if each record fell
        into the part by the share, independently. Records cluster, so it is a
        lower bound.
    """

    source_code: str
    target_code: str
    share: float
    total: float
    standard_error: float


@dataclass(frozen=True)
class BestFit:
    """
    An irregular area, the one to which it was given whole, and the others.

    Attributes
    ----------
    source_code, target_code
        The irregular area, and where it went.
    others
        Areas to which parts of it belong as well.
    """

    source_code: str
    target_code: str
    others: tuple[str, ...]


@dataclass(frozen=True)
class ConversionReport:
    """
    What became of the areas of a table.

    Attributes
    ----------
    to
        Census year of the result.
    found
        Census year of the codes that were given: ``"2011"``, ``"2021"``,
        ``"mixed"``, or None where no code tells.
    areas
        How many areas were unchanged, merged, split, irregular, or of the
        wanted year already.
    splits, irregular
        The areas that were shared out, and those that went whole to a best fit.
    weighted_by
        In words, what the shares come from.
    estimated
        Column to the share of its total that lies in split or irregular areas.
    incomplete
        Areas of the result of which a part was not in the table.
    left_out
        Columns of the table that the result does not have.
    """

    to: str
    found: str | None
    areas: Mapping[str, int]
    splits: tuple[Split, ...]
    irregular: tuple[BestFit, ...]
    weighted_by: str
    estimated: Mapping[str, float]
    incomplete: tuple[str, ...]
    left_out: tuple[str, ...]

    @property
    def sentences(self) -> tuple[str, ...]:
        """The report in words, for a product's notes."""
        number = ", ".join(f"{n:,} {kind}" for kind, n in self.areas.items() if n)
        said = [f"Codes were brought to LSOAs of {self.to}: {number}."]
        if self.splits:
            shares = ", ".join(f"{share:.1%} of {c}" for c, share in self.estimated.items())
            said.append(
                f"Split areas were shared out {self.weighted_by}; "
                f"{shares or 'some'} lies in areas whose shares are estimates."
            )
        if self.irregular:
            codes = [fit.source_code for fit in self.irregular]
            said.append(f"Irregular areas went whole to their best fit: {listed(codes)}.")
        if self.incomplete:
            said.append(f"{len(self.incomplete):,} areas lack a part: their values are too low.")
        return tuple(said)


def convert_vintage(
    table: pd.DataFrame,
    changes: pd.DataFrame,
    *,
    to: Vintage = "2021",
    weights: Weights = None,
    extensive: Sequence[str] | None = None,
    intensive: Sequence[str] = (),
    denominator: str | pd.Series[Any] | None = None,
    by: Sequence[str] | None = None,
    whole: bool = False,
    uncertainty: bool = False,
    incomplete: Literal["raise", "allow"] = "raise",
) -> pd.DataFrame:
    """
    Bring values by LSOA from one census year to the other.

    Unchanged and merged areas are exact (from 2021 back to 2011, unchanged and
    split ones). An area that was divided is shared out by `weights`. An
    irregular one goes whole to its best fit: the greatest share where `weights`
    tell it, else the area that no other led to. Totals are conserved. Codes of
    the wanted year stay as they are, so a series that changes its codes half
    way comes out on one year.

    Parameters
    ----------
    table
        Indexed by ``area_code``, one row an area; or long, with ``area_code``
        as a column, one row for each area, period, category, ...
    changes
        From `areas.lookups.read_changes`.
    to
        Census year of the result.
    weights
        How divided areas are shared out: residents (or households, ...) by
        area of the year `to`, as a Series or as `sources.populations.read_population`
        gives them; or a table of output areas with the codes of both years and
        ``residents``, which knows the overlap itself; or ``"equal"``.
    extensive
        Columns that add up. Where not given: ``count``, ``residents``,
        ``households``, ``population``, ``expected``.
    intensive
        Columns of which means are taken: rates, scores, shares. A part has the
        value of the whole.
    denominator
        What means are weighted by where areas are put together: a column of
        the table, or a Series by area code. `weights`, where they have the
        codes, if not given.
    by
        Columns that tell the rows of an area apart; ``period`` and
        ``category`` where not given. Other columns are left out and told.
    whole
        Whether counts stay whole numbers: by largest remainders on running
        totals, so that rare records are shared out over time as well.
    uncertainty
        Whether each extensive column gets its binomial standard error beside
        it (``count_se``), 0 where the value is exact.
    incomplete
        Whether an area of the result is refused when one of those that it was
        put together from is not in the table. Allow it where a missing row
        means zero.

    Returns
    -------
    table
        In the layout of the input, areas in the order of those they come from.
        ``attrs["conversions"]`` ends with a `ConversionReport`; other attrs and
        the tags of columns are kept.

    Raises
    ------
    UnmatchedError
        If codes are not in `changes`, weights lack areas, or a result would be
        incomplete.
    ColumnError
        If a column is missing, nothing says whether it adds up, or weights are
        no counts of people.
    InputError
        If areas were divided and no weights are given.

    Notes
    -----
    Source of the change indicator: Office for National Statistics, LSOA (2011)
    to LSOA (2021) to local authority district (2022) exact fit lookup. How
    recorded crime spreads over a divided area is not known; residents are a
    stand-in, and town centres are where they fail.

    Examples
    --------
    >>> changes = pd.DataFrame(
    ...     {
    ...         "lsoa11_code": ["E01000001", "E01000002", "E01000002"],
    ...         "lsoa21_code": ["E01000001", "E01035001", "E01035002"],
    ...         "change": ["U", "S", "S"],
    ...     }
    ... )
    >>> counts = pd.DataFrame({"area_code": ["E01000001", "E01000002"], "count": [5, 8]})
    >>> residents = pd.Series({"E01035001": 1500, "E01035002": 500})
    >>> convert_vintage(counts, changes, weights=residents, uncertainty=True)
       area_code  count  count_se
    0  E01000001    5.0  0.000000
    1  E01035001    6.0  1.224745
    2  E01035002    2.0  1.224745
    """
    check_columns(changes.columns, CHANGE_COLUMNS, where="The table of changes")
    check_choice(to, ["2011", "2021"], name="to")
    check_choice(incomplete, ["raise", "allow"], name="incomplete")
    measures = read_measures(table, extensive=extensive, intensive=intensive, by=by)
    rows = _turned(changes, to)
    known = _known(measures, rows, to)
    lacking = _incomplete(measures, rows, incomplete)
    shares = shares_of(rows[rows["source_code"].isin(known.sources)], weights, to=to)
    pairs = _with_same(shares.pairs, known.already)
    base = denominator if denominator is not None else shares.by_area
    result = apportion(
        table,
        measures,
        pairs[~pairs["irregular"] | (pairs["weight"] > 0)],
        denominator=denominator_of(table, measures, base),
        whole=whole,
        doubt=uncertainty,
    )
    report = _report(table, measures, pairs, known, shares.weighted_by, to, lacking)
    for sentence in report.sentences:
        _log.info("%s", sentence)
    return carry(table, result, report, vintage=to)


def _turned(changes: pd.DataFrame, to: Vintage) -> pd.DataFrame:
    """Return the changes as source and target, in the direction that is wanted."""
    source, target = "lsoa11_code", "lsoa21_code"
    if to == "2011":
        source, target = target, source
    unknown = changes.loc[~changes["change"].isin(list(_KINDS)), "change"]
    if len(unknown):
        msg = (
            f"{len(unknown):,} of {len(changes):,} changes are not U, S, M or X "
            f"({listed([*unknown.astype('str').unique()])}). "
            "Read the table with areas.lookups.read_changes."
        )
        raise ColumnError(msg)
    rows = changes[[source, target, "change"]].drop_duplicates()
    rows.columns = pd.Index(["source_code", "target_code", "change"])
    rows["sources_of_target"] = rows.groupby("target_code")["source_code"].transform("size")
    return rows.reset_index(drop=True)


def _with_same(pairs: pd.DataFrame, already: pd.Index) -> pd.DataFrame:
    """Add the areas that are of the wanted year already."""
    if not len(already):
        return pairs
    same = {"source_code": already, "target_code": already, "weight": 1.0, "irregular": False}
    return pd.concat([pairs, pd.DataFrame(same)], ignore_index=True)


@dataclass(frozen=True)
class _Known:
    """The codes of a table: to be converted, or of the wanted year already."""

    sources: pd.Index
    already: pd.Index
    kinds: Mapping[str, int]
    found: str | None


def _known(measures: Measures, rows: pd.DataFrame, to: Vintage) -> _Known:
    codes = measures.codes.unique()
    is_source = codes.isin(rows["source_code"])
    already = ~is_source & codes.isin(rows["target_code"])
    strange = codes[~is_source & ~already]
    if len(strange):
        level = level_of_all(codes)
        hint = (
            f" They are of level {level!r}: only LSOAs can be converted."
            if level not in ("lsoa", "area")
            else " Use the table of changes of the whole nation, or leave these rows out."
        )
        msg = (
            f"{len(strange):,} of {len(codes):,} area codes are not in the table of changes "
            f"({listed(sorted(strange))}).{hint}"
        )
        raise UnmatchedError(msg)
    changed = rows[rows["source_code"].isin(codes[is_source])].drop_duplicates("source_code")
    kinds = {name: int((changed["change"] == key).sum()) for key, name in _KINDS.items()}
    moved = len(changed) - kinds["unchanged"]
    other = "2011" if to == "2021" else "2021"
    found = "mixed" if moved and already.any() else other if moved else None
    found = to if already.any() and not moved else found
    kinds["already"] = int(already.sum())
    return _Known(codes[is_source], codes[already], kinds, found)


def _incomplete(measures: Measures, rows: pd.DataFrame, incomplete: str) -> tuple[str, ...]:
    """Find areas of the result of which only some of the sources are in the table."""
    codes = measures.codes.unique()
    regular = rows[rows["change"] != "X"]
    held = regular["source_code"].isin(codes)
    reached = regular.loc[held, "target_code"]
    lacking = regular[~held & regular["target_code"].isin(reached)]
    targets = tuple(sorted(lacking["target_code"].unique()))
    if not targets:
        return ()
    told = (
        f"{len(targets):,} areas ({listed(targets)}) are put together from several of which the "
        f"table lacks {len(lacking):,} ({listed(sorted(lacking['source_code']))})."
    )
    if incomplete == "raise":
        msg = f"{told} Add their rows, or pass incomplete='allow' if a missing row means zero."
        raise UnmatchedError(msg)
    _log.warning("%s Their values hold what is there.", told)
    return targets


def _report(
    table: pd.DataFrame,
    measures: Measures,
    pairs: pd.DataFrame,
    known: _Known,
    weighted_by: str,
    to: Vintage,
    lacking: tuple[str, ...],
) -> ConversionReport:
    irregular = pairs["irregular"]
    shared = pairs["source_code"].duplicated(keep=False) & ~irregular
    fits = pairs[irregular & (pairs["weight"] > 0)]
    passed_over = pairs[irregular & (pairs["weight"] == 0)]
    others = passed_over.groupby("source_code")["target_code"].agg(tuple)
    estimates = {*pairs.loc[shared, "source_code"], *fits["source_code"]}
    sums = table[list(measures.extensive)].groupby(measures.codes).sum()
    rough = sums[sums.index.isin(estimates)].sum()
    total = sums.sum()
    first = sums.iloc[:, 0] if len(sums.columns) else pd.Series(np.nan, index=sums.index)
    return ConversionReport(
        to=to,
        found=known.found,
        areas=known.kinds,
        splits=_splits(pairs[shared], first),
        irregular=tuple(
            BestFit(source, target, tuple(others.get(source, ())))
            for source, target in zip(fits["source_code"], fits["target_code"], strict=True)
        ),
        weighted_by=weighted_by,
        estimated={c: float(rough[c] / total[c]) if total[c] else 0.0 for c in sums.columns},
        incomplete=lacking,
        left_out=measures.left_out,
    )


def _splits(shared: pd.DataFrame, totals: pd.Series[Any]) -> tuple[Split, ...]:
    total = totals.reindex(pd.Index(shared["source_code"])).to_numpy(dtype="float64")
    share = shared["weight"].to_numpy(dtype="float64")
    error = np.sqrt(np.maximum(total, 0) * share * (1 - share))
    columns = (shared["source_code"], shared["target_code"], share.tolist())
    return tuple(Split(*row) for row in zip(*columns, total.tolist(), error.tolist(), strict=True))
