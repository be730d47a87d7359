"""
The list that a team works through, what became of it, and whom it fell on.

Most of a list goes by the model or the rule that found most; a share is drawn
by lot among all properties, and that share alone tells how common a fault is
where nobody would have looked. What was found goes back into the record.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from placeshaping._core.checks import check_choice, check_columns, check_whole, listed
from placeshaping._core.columns import tag_columns
from placeshaping._core.errors import DuplicateError, InputError, UnmatchedError
from placeshaping.shaping.inspection_audit import compare_deciles, decile_of_each
from placeshaping.shaping.inspection_cases import days_of
from placeshaping.shaping.inspection_words import COUNTED, feature_words
from placeshaping.shaping.targeting import InspectionModel
from placeshaping.shaping.targeting_scores import MODEL, RULES
from placeshaping.statistics.rates import wilson_interval

REASONS = 3
"""Reasons that stand beside a property."""

_STRONG = 0.1  # log odds under which a feature is no reason


def make_inspection_list(
    standing: pd.DataFrame,
    model: InspectionModel,
    *,
    inspections: int,
    by: str = MODEL,
    by_lot: float = 0.1,
    rng: int | np.random.Generator = 0,
) -> pd.DataFrame:
    """
    List the properties to inspect, most likely first, and some by lot.

    Parameters
    ----------
    standing
        From `standing_on`: what is known of each property today.
    model
        From `fit_inspections`; its chances stand beside every property, also
        where a plain rule decides.
    inspections
        Visits that the team can make.
    by
        ``"model"``, or one of the plain rules of `score_targeting`, as its
        ``attrs["use"]`` says.
    by_lot
        Share of the visits drawn by lot among all properties.
    rng
        Seed of the lot, and of the order of ties.

    Returns
    -------
    list
        Index ``property``, in the order of the visits, those drawn by lot spread
        evenly among the others, so that a team that runs short drops both: ``order``,
        ``area_code``, ``chosen_by`` (``"rank"`` or ``"lot"``), ``chance`` with
        ``low`` and ``high`` (90 %), ``reasons`` in words. All tagged
        ``personal``. ``attrs``: ``by``, ``drawn`` (chance of being drawn by
        lot), ``properties``, ``features``, ``tagged``.

    Raises
    ------
    InputError
        If there are fewer properties than visits, `by` is no rule, or `by_lot`
        no share.
    ColumnError
        If a feature is missing.

    Examples
    --------
    >>> from placeshaping.synthetic.premises import make_premises
    >>> from placeshaping.shaping.inspection_cases import inspection_cases, standing_on
    >>> from placeshaping.shaping.targeting import fit_inspections
    >>> made = make_premises(400, seed=1)
    >>> known = {"features": ["storeys", "landlord"], "complaints": made.complaints}
    >>> model = fit_inspections(
    ...     inspection_cases(made.visits, made.properties, **known), form="logistic", replicates=9
    ... )
    >>> today = standing_on(pd.Timestamp("2026-01-01"), made.visits, made.properties, **known)
    >>> listed = make_inspection_list(today, model, inspections=40)
    >>> listed["chosen_by"].value_counts().to_dict()
    {'rank': 36, 'lot': 4}
    """
    check_whole(inspections, name="inspections")
    check_choice(by, (MODEL, *RULES), name="by")
    if not 0 <= by_lot <= 1:
        msg = f"by_lot is {by_lot!r}. Give a share between 0 and 1, as 0.1."
        raise InputError(msg)
    check_fewer(inspections, of=len(standing))
    generator = np.random.default_rng(rng)
    lot = generator.choice(len(standing), round(by_lot * inspections), replace=False)
    ranked = _ranked(standing, model, by, generator)
    rest = ranked[~np.isin(ranked, lot)][: inspections - len(lot)]
    by_rank = np.ones(inspections, dtype=bool)
    by_rank[generator.choice(inspections, len(lot), replace=False)] = False
    rows = np.empty(inspections, dtype=np.int64)
    rows[by_rank], rows[~by_rank] = rest, lot
    table = standing.iloc[rows]
    reasons = reasons_for(model, table)
    made = pd.concat(
        [
            table[["area_code"]].assign(chosen_by=np.where(by_rank, "rank", "lot")),
            model.predict(table),
            reasons.rename("reasons"),
        ],
        axis=1,
    )
    made.insert(0, "order", np.arange(1, len(made) + 1))
    made.index.name = "property"
    tag_columns(made, dict.fromkeys(["property", *made.columns], "personal"))
    made.attrs.update(
        by=by,
        drawn=len(lot) / len(standing),
        properties=len(standing),
        features=model.features,
        tagged=dict(model.tagged),
    )
    return made


def check_fewer(inspections: int, *, of: int) -> None:
    """
    Refuse a list of all properties.

    Raises
    ------
    InputError
        If the team can make more visits than there are properties.

    Examples
    --------
    >>> check_fewer(60, of=1500)
    """
    if inspections > of:
        msg = (
            f"The team can make {inspections:,} visits, and there are {of:,} properties. Visit "
            "them all; no list is needed."
        )
        raise InputError(msg)


def reasons_for(
    model: InspectionModel, table: pd.DataFrame, *, most: int = REASONS
) -> pd.Series[str]:
    """
    Say in words what makes a finding likelier at each property than at the usual one.

    Parameters
    ----------
    model
        From `fit_inspections`.
    table
        With the features.
    most
        Reasons for a property, the strongest first.

    Returns
    -------
    reasons
        Index of `table`: "3 complaints in the last year (usual: 0); ...", or
        "nothing stands out".

    Raises
    ------
    ColumnError
        If a feature is missing.
    """
    pulls = model.pulls(table)
    told = []
    for row, values in zip(
        pulls.to_numpy(), table[list(pulls)].itertuples(index=False), strict=True
    ):
        strongest = [i for i in np.argsort(-row)[:most] if row[i] > _STRONG]
        names = [str(pulls.columns[i]) for i in strongest]
        told.append(
            "; ".join(
                _reason(name, values[i], model.usual[name])
                for name, i in zip(names, strongest, strict=True)
            )
            or "nothing stands out"
        )
    return pd.Series(told, index=table.index, dtype="str")


def add_outcomes(
    visits: pd.DataFrame, listed_before: pd.DataFrame, outcomes: pd.DataFrame
) -> pd.DataFrame:
    """
    Put what was found at the listed properties into the record, marked where drawn by lot.

    Parameters
    ----------
    visits
        The record: ``property``, ``date``, ``found``.
    listed_before
        The list that the team worked through, from `make_inspection_list`.
    outcomes
        ``property``, ``date``, ``found`` and what else the record has.

    Returns
    -------
    visits
        The record with the outcomes after it, ``random`` set; the input is
        unchanged.

    Raises
    ------
    ColumnError
        If a column is missing.
    UnmatchedError
        If outcomes are of properties that were not on the list.
    DuplicateError
        If outcomes are in the record already.

    Examples
    --------
    >>> day = pd.to_datetime(["2026-02-01"])
    >>> record = pd.DataFrame({"property": ["a"], "date": day, "found": [True]})
    >>> worked = pd.DataFrame({"chosen_by": ["lot"]}, index=["b"])
    >>> new = pd.DataFrame({"property": ["b"], "date": day, "found": [False]})
    >>> add_outcomes(record, worked, new)["random"].tolist()
    [False, True]
    """
    for table, where in ((visits, "The record"), (outcomes, "The table of outcomes")):
        check_columns(table.columns, ["property", "date", "found"], where=where)
    check_columns(listed_before.columns, ["chosen_by"], where="The list")
    strange = outcomes.loc[~outcomes["property"].isin(listed_before.index), "property"]
    if len(strange):
        msg = (
            f"{len(strange):,} outcomes are of properties that were not on the list "
            f"({listed(list(strange.unique()))}). Put those into the record as visits of their own."
        )
        raise UnmatchedError(msg)
    lot = listed_before["chosen_by"].eq("lot").reindex(outcomes["property"]).to_numpy(dtype=bool)
    before = visits["random"].astype(bool) if "random" in visits else False
    both = pd.concat([visits.assign(random=before), outcomes.assign(random=lot)], ignore_index=True)
    twice = both.assign(date=days_of(both, what="outcomes")).duplicated(["property", "date"])
    if twice.any():
        msg = f"{int(twice.sum()):,} outcomes stand in the record already. Add each list once."
        raise DuplicateError(msg)
    return both


def score_list(listed_before: pd.DataFrame, outcomes: pd.DataFrame) -> pd.DataFrame:
    """
    Say how much the list found, beside what was drawn by lot.

    Parameters
    ----------
    listed_before
        From `make_inspection_list`.
    outcomes
        ``property`` and ``found``.

    Returns
    -------
    scores
        Index ``chosen_by``: ``visits``, ``found``, ``rate`` with ``low`` and
        ``high`` (Wilson, 95 %), ``promised`` (mean chance on the list). The
        row ``"lot"`` estimates how common a fault is among all properties.

    Raises
    ------
    ColumnError
        If a column is missing.

    Examples
    --------
    >>> worked = pd.DataFrame({"chosen_by": ["rank", "lot"], "chance": [0.4, 0.1]}, ["a", "b"])
    >>> score_list(worked, pd.DataFrame({"property": ["a", "b"], "found": [True, False]}))[
    ...     ["visits", "found", "rate", "promised"]]
               visits  found  rate  promised
    chosen_by
    rank            1      1   1.0       0.4
    lot             1      0   0.0       0.1
    """
    check_columns(listed_before.columns, ["chosen_by", "chance"], where="The list")
    check_columns(outcomes.columns, ["property", "found"], where="The table of outcomes")
    seen = outcomes.set_index("property")["found"].astype(bool)
    joined = listed_before.join(seen, how="inner")
    rows = []
    for chosen, part in joined.groupby("chosen_by", sort=False):
        limits = wilson_interval([int(part["found"].sum())], [len(part)]).iloc[0]
        rows.append(
            {
                "chosen_by": chosen, "visits": len(part), "found": int(part["found"].sum()),
                "rate": part["found"].mean(), "low": limits["lower"], "high": limits["upper"],
                "promised": part["chance"].mean(),
            }
        )  # fmt: skip
    return pd.DataFrame(rows).set_index("chosen_by")


def audit_inspections(
    listed_before: pd.DataFrame, standing: pd.DataFrame, deciles: pd.Series[Any]
) -> pd.DataFrame:
    """
    Say on which areas a list falls, by deprivation decile.

    Parameters
    ----------
    listed_before
        From `make_inspection_list`.
    standing
        From `standing_on`: all properties.
    deciles
        Decile of each area (1 most deprived), by area code.

    Returns
    -------
    audit
        Index ``decile``: ``properties``, ``listed``, ``per_100`` with ``low``
        and ``high`` (Wilson, 95 %), ``ratio`` (to all deciles together),
        ``chance`` (mean chance of those listed). Only properties chosen by
        rank count as listed.

    Raises
    ------
    ColumnError
        If a column is missing.
    UnmatchedError
        If areas have no decile.

    Examples
    --------
    >>> homes = pd.DataFrame({"area_code": ["x", "x", "y"]}, index=["a", "b", "c"])
    >>> worked = pd.DataFrame({"chosen_by": ["rank"], "chance": [0.4]}, index=["a"])
    >>> audit_inspections(worked, homes, pd.Series({"x": 1, "y": 9}))["per_100"].to_dict()
    {1: 50.0, 9: 0.0}
    """
    check_columns(standing.columns, ["area_code"], where="The table of properties")
    check_columns(listed_before.columns, ["chosen_by", "chance"], where="The list")
    decile = decile_of_each(standing, deciles)
    ranked = listed_before.loc[listed_before["chosen_by"].eq("rank"), "chance"]
    table = pd.DataFrame({"decile": decile, "listed": standing.index.isin(ranked.index)})
    table["chance"] = ranked.reindex(standing.index)
    audit = table.groupby("decile").agg(
        properties=("listed", "size"), listed=("listed", "sum"), chance=("chance", "mean")
    )
    return compare_deciles(audit)


def _ranked(
    standing: pd.DataFrame, model: InspectionModel, by: str, generator: np.random.Generator
) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Return rows of the properties, first to be visited first, ties in an order by lot."""
    lot = generator.permutation(len(standing))
    if by == MODEL:
        rank = model.predict(standing)["chance"].to_numpy(dtype=float)
    else:
        rank = standing[RULES[by]].fillna(np.inf).to_numpy(dtype=float)
    order: np.ndarray[Any, np.dtype[np.int64]] = lot[np.argsort(-rank[lot], kind="stable")]
    return order


def _reason(name: str, value: Any, usual: Any) -> str:
    words = feature_words(name)
    if not isinstance(usual, float):
        return f"{words}: {'not known' if pd.isna(value) else value} (usual: {usual})"
    if pd.isna(value):
        return "never visited" if name == "days_since_visit" else f"{words} not known"
    if name in COUNTED:
        return f"{value:,.0f} {words} (usual: {usual:,.0f})"
    return f"{words} {value:,.4g} (usual: {usual:,.4g})"
