"""Values of small areas on larger ones, by lookup and never by geometry."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from placeshaping._core.checks import check_choice, check_columns, listed
from placeshaping._core.codes import LEVEL_SHORT, level_of_all
from placeshaping._core.errors import ColumnError, UnmatchedError
from placeshaping.areas.lookups import recode_as
from placeshaping.joins._apportion import apportion, carry, denominator_of, read_measures

_log = logging.getLogger(__name__)

_BUILT_FROM = {
    "oa": {"lsoa", "msoa", "district", "county", "csp", "police_force"},
    "lsoa": {"msoa", "district", "county", "csp", "police_force"},
    "msoa": {"district", "county", "csp", "police_force"},
    "ward": {"district", "county", "csp", "police_force"},
    "county_division": {"county", "police_force"},
    "district": {"county", "csp", "police_force"},
    "csp": {"police_force"},
}
"""Levels whose areas are made of whole areas of another; the rest is best fit."""


@dataclass(frozen=True)
class LevelReport:
    """
    How values came to a larger level.

    Attributes
    ----------
    source, to
        The levels.
    fit
        ``"exact"`` where larger areas are made of whole smaller ones, ``"best
        fit"`` where they are not (LSOAs and wards), ``"as the lookup says"``
        where that is not known.
    share
        Of a best fit whose lookup tells it: the share of the smaller areas
        that lies in the larger one, mean over the areas of the table.
    areas, made
        Areas of the table, and of the result.
    several
        Areas for which the lookup has more than one larger area and no share:
        no best fit can be told.
    without
        Areas for which the lookup has none.
    recoded
        Districts that were found under the other code of the same area.
    lost
        Column to the share of its total that is left out with `several` and
        `without`.
    not_in_areas
        Areas of the result that the boundaries lack.
    left_out
        Columns of the table that the result does not have.
    """

    source: str
    to: str
    fit: str
    share: float | None
    areas: int
    made: int
    several: tuple[str, ...]
    without: tuple[str, ...]
    recoded: tuple[str, ...]
    lost: dict[str, float]
    not_in_areas: tuple[str, ...]
    left_out: tuple[str, ...]

    @property
    def sentences(self) -> tuple[str, ...]:
        """The report in words, for a product's notes."""
        share = "" if self.share is None else f", {self.share:.1%} of them on average"
        said = [
            f"{self.areas:,} areas of level {LEVEL_SHORT.get(self.source, self.source)} were put "
            f"together to {self.made:,} of level {LEVEL_SHORT.get(self.to, self.to)} "
            f"({self.fit}{share})."
        ]
        if self.recoded:
            said.append(f"Recoded districts were recognised: {listed(self.recoded)}.")
        if self.several or self.without:
            parts = ", ".join(f"{part:.1%} of {column}" for column, part in self.lost.items())
            said.append(
                f"{len(self.several) + len(self.without):,} areas are left out, having no one "
                f"larger area in the lookup{f' ({parts})' if parts else ''}."
            )
        if self.not_in_areas:
            said.append(
                f"{len(self.not_in_areas):,} areas are not among the boundaries: "
                f"{listed(self.not_in_areas)}."
            )
        return tuple(said)


def convert_level(
    table: pd.DataFrame,
    lookup: pd.DataFrame,
    *,
    to: str,
    extensive: Sequence[str] | None = None,
    intensive: Sequence[str] = (),
    denominator: str | pd.Series[Any] | None = None,
    by: Sequence[str] | None = None,
    areas: pd.DataFrame | None = None,
    missing: Literal["raise", "drop"] = "raise",
) -> pd.DataFrame:
    """
    Put values of small areas together to a larger level.

    Parameters
    ----------
    table
        Indexed by ``area_code``, one row an area; or long, with ``area_code``
        as a column, one row for each area, period, category, ...
    lookup
        Indexed by ``area_code`` (`areas.lookups.make_lookup`), or with a column
        for the level of the table (`areas.lookups.read_lookup`,
        `areas.fits.best_fit`; one row an area); for a council's own areas the
        column that holds most of their codes.
    to
        Level (``"msoa"``, ``"ward"``, ``"csp"``, ...), whose column is
        ``<level>_code``, or the name of any column of the lookup.
    extensive, intensive, denominator, by
        As in `joins.vintages.convert_vintage`: what adds up, of what means are
        taken, what they are weighted by, what tells the rows of an area apart.
    areas
        Boundaries of the larger level, indexed by ``area_code``. Codes that
        they lack are told; recoded districts (Barnsley, Sheffield) are written
        as they write them.
    missing
        Whether areas are refused or left out (and told) for which the lookup
        has no larger area, or several and no share that would tell the best
        fit.

    Returns
    -------
    table
        In the layout of the input, larger areas in the order of the first of
        their parts. ``attrs["conversions"]`` ends with a `LevelReport`; other
        attrs and the tags of columns are kept.

    Raises
    ------
    UnmatchedError
        If areas have no one larger area and `missing` is ``"raise"``, or if
        none has one.
    ColumnError
        If a column is missing, or nothing says whether it adds up.

    Examples
    --------
    >>> lookup = pd.DataFrame(
    ...     {"ward_code": ["E05000001", "E05000001", "E05000002"]},
    ...     index=pd.Index(["E01000001", "E01000002", "E01000003"], name="area_code"),
    ... )
    >>> counts = pd.DataFrame({"area_code": lookup.index, "count": [1, 2, 4]})
    >>> wards = convert_level(counts, lookup, to="ward")
    >>> wards["count"].tolist(), wards.attrs["conversions"][-1].fit
    ([3, 4], 'best fit')
    """
    check_choice(missing, ["raise", "drop"], name="missing")
    measures = read_measures(table, extensive=extensive, intensive=intensive, by=by)
    codes = measures.codes.unique()
    source = str(table.attrs.get("level") or level_of_all(codes))
    rows = _rows(lookup, source, to, codes)
    parents = _parents(rows, codes)
    if areas is not None:
        parents["target_code"] = recode_as(parents["target_code"], areas.index)
    lost = parents.index[parents["target_code"].isna()]
    several = tuple(sorted(parents.index[parents["several"]]))
    without = tuple(sorted(set(lost) - set(several)))
    _check_lost(several, without, len(codes), to, missing)
    known = parents.dropna(subset="target_code")
    pairs = known[["target_code"]].rename_axis("source_code").reset_index().assign(weight=1.0)
    result = apportion(
        table, measures, pairs, denominator=denominator_of(table, measures, denominator)
    )
    made = known["target_code"].unique()
    sums = table[list(measures.extensive)].groupby(measures.codes).sum()
    report = LevelReport(
        source=source,
        to=to,
        fit=_fit(source, to),
        share=_mean_share(known),
        areas=len(known),
        made=len(made),
        several=several,
        without=without,
        recoded=tuple(sorted(known.index[known["recoded"]])),
        lost={c: _part(sums[c], lost) for c in sums.columns if len(lost)},
        not_in_areas=() if areas is None else tuple(sorted(set(made) - set(areas.index))),
        left_out=measures.left_out,
    )
    for sentence in report.sentences:
        _log.info("%s", sentence)
    return carry(table, result, report, level=to)


def _rows(lookup: pd.DataFrame, source: str, to: str, codes: pd.Index) -> pd.DataFrame:
    """Return the lookup as source_code, target_code and, where it tells it, share."""
    column = f"{to}_code" if f"{to}_code" in lookup.columns else to
    check_columns(lookup.columns, [column], where="The lookup")
    index = lookup.index.astype("str")
    known = index.unique()
    sources = index.to_series()
    held = known.get_indexer(pd.Index(recode_as(pd.Series(codes), known))) >= 0
    numbered = isinstance(lookup.index, pd.RangeIndex) and lookup.index.name is None
    if numbered or not held.any():
        sources = lookup[_own_column(lookup, source, column, codes)].astype("str").str.strip()
    target = lookup[column].astype("str").str.strip().to_numpy()
    rows = pd.DataFrame({"source_code": sources.to_numpy(), "target_code": target})
    unknown = lookup[column].isna().to_numpy() | rows["target_code"].eq("").to_numpy()
    rows["target_code"] = rows["target_code"].mask(unknown)
    rows["share"] = lookup["share"].to_numpy() if "share" in lookup.columns else np.nan
    return rows.dropna(subset="target_code").reset_index(drop=True)


def _own_column(lookup: pd.DataFrame, source: str, target: str, codes: pd.Index) -> str:
    """Return the column of the table's level; of a council's own, that with most of its codes."""
    if f"{source}_code" in lookup.columns:
        return f"{source}_code"
    held = {
        str(column): int(codes.isin(lookup[column].astype("str").str.strip()).sum())
        for column in lookup.columns
        if column != target
    }
    best = max(held, key=lambda column: held[column], default="")
    if held and 2 * held[best] >= len(codes):
        return best
    msg = (
        f"The lookup is not indexed by the table's area codes ({listed(list(codes), most=3)}), has "
        f"no column {source + '_code'!r}, and none that holds them. Its columns are: "
        f"{listed([str(c) for c in lookup.columns], most=12)}."
    )
    raise ColumnError(msg)


def _parents(rows: pd.DataFrame, codes: pd.Index) -> pd.DataFrame:
    """Return the one larger area of each code; missing where there is none, or several."""
    wanted = recode_as(pd.Series(codes, index=codes), pd.Index(rows["source_code"]))
    held = pd.Index(wanted.unique()).get_indexer(pd.Index(rows["source_code"])) >= 0
    rows = rows[held].drop_duplicates(["source_code", "target_code"])
    rows = rows.sort_values(["share", "target_code"], ascending=[False, True], na_position="last")
    size = rows.groupby("source_code")["target_code"].transform("size")
    unclear = rows.loc[(size > 1) & rows["share"].isna(), "source_code"]
    best = rows.drop_duplicates("source_code").set_index("source_code")
    best["several"] = best.index.isin(unclear)
    best["target_code"] = best["target_code"].mask(best["several"])
    parents = best.reindex(pd.Index(wanted)).set_axis(codes)
    parents["several"] = parents["several"].eq(True)
    parents["recoded"] = np.asarray(wanted != codes)
    return parents[["target_code", "share", "several", "recoded"]]


def _check_lost(
    several: tuple[str, ...], without: tuple[str, ...], total: int, to: str, missing: str
) -> None:
    if not several and not without:
        return
    told = " ".join(
        f"{len(found):,} of {total:,} areas have {what} {to!r} in the lookup ({listed(found)})."
        for found, what in ((several, "more than one"), (without, "no"))
        if found
    )
    if len(several) + len(without) == total or missing == "raise":
        ways = ["Give a lookup of the same level, census year and edition as the table"]
        if several:
            ways.append("give the shares (areas.fits.best_fit)")
        if len(several) + len(without) < total:
            ways.append("pass missing='drop' to leave them out")
        msg = f"{told} {', or '.join(ways)}."
        raise UnmatchedError(msg)
    _log.warning("%s They are left out.", told)


def _fit(source: str, to: str) -> str:
    if to in _BUILT_FROM.get(source, ()):
        return "exact"
    known = {*_BUILT_FROM, "county", "police_force"}
    return "best fit" if source in known and to in known else "as the lookup says"


def _mean_share(known: pd.DataFrame) -> float | None:
    return None if known["share"].isna().all() else float(known["share"].mean())


def _part(sums: pd.Series[Any], lost: pd.Index) -> float:
    total = float(sums.sum())
    return float(sums[sums.index.isin(lost)].sum()) / total if total else 0.0
