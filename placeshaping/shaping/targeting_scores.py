"""
Whether a model would have found more than the plainest rules, with as many inspections.

Tried on areas, and on months, that it has not seen. The rules: most complaints,
longest since the last visit, most found before, and going anywhere. All are
given the same number of inspections. A visit tells of properties that somebody
chose to visit: scores are of ranking those, and only visits drawn by lot tell
of the rest.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd

from placeshaping._core.checks import check_choice, check_result, check_whole
from placeshaping._core.columns import column_tags
from placeshaping._core.errors import InputError
from placeshaping.shaping._targeting_model import (
    Flags,
    Floats,
    Form,
    Groups,
    choose_model,
    make_design,
    prepared,
)
from placeshaping.shaping.inspection_cases import HISTORY
from placeshaping.shaping.targeting import (
    FOLDS,
    LEAST_OF_EACH,
    area_folds,
    check_enough,
    feature_names,
)

Scheme = Literal["area", "time"]

RULES: dict[str, str] = {
    "most complaints": "complaints_year",
    "longest since last visit": "days_since_visit",
    "most found before": "found_before",
}
"""Rule -> column of the cases that it goes by, highest first."""

MODEL, INSPECTOR, ANYWHERE = "model", "model that knows the inspector", "anywhere"


def score_targeting(
    cases: pd.DataFrame,
    *,
    inspections: float,
    features: Sequence[str] | None = None,
    form: Form | Literal["choose"] = "choose",
    by: Sequence[Scheme] = ("area", "time"),
    draws: int = 999,
    level: float = 0.95,
    rng: int | np.random.Generator = 0,
) -> pd.DataFrame:
    """
    Score a model of inspections against plain rules, at the same number of inspections.

    Parameters
    ----------
    cases
        From `inspection_cases`.
    inspections
        Share of the visits on record that the team can make: 0.2 when it could
        have made every fifth.
    features, form
        As for `fit_inspections`.
    by
        ``"area"``: five folds of whole areas. ``"time"``: five spans after the
        first half of the visits, each ranked by what was learned before it.
    draws
        Resamples of areas for the intervals.
    level
        Of the intervals.
    rng
        Seed or generator.

    Returns
    -------
    scores
        Index ``by``, ``rule``; ``inspections``, ``found`` (expected, where ties
        are broken by lot), ``precision`` with ``low`` and ``high``, ``lift``
        (over going anywhere), ``gain`` (precision of the model less that of the
        rule) with ``gain_low`` and ``gain_high``. ``attrs``: ``use`` (rule to
        go by), ``of_gain`` (scheme -> share of the gain over going anywhere
        that knowing the inspector would add), ``cautions``, ``method``.

    Raises
    ------
    EmptyError
        If there are too few visits or areas.
    ColumnError
        If a feature is missing, or says who inspected.
    InputError
        If `inspections` is no share, or `by` is none of its choices.

    Examples
    --------
    >>> from placeshaping.synthetic.premises import make_premises
    >>> from placeshaping.shaping.inspection_cases import inspection_cases
    >>> made = make_premises(400, seed=1)
    >>> cases = inspection_cases(made.visits, made.properties, complaints=made.complaints)
    >>> scores = score_targeting(cases, inspections=0.2, form="logistic", by=["area"], draws=99)
    >>> scores.loc["area", "inspections"].round().unique().tolist()
    [116.0]
    """
    _check_options(inspections, by, draws)
    generator = np.random.default_rng(rng)
    names = feature_names(cases, features)
    found = cases["found"].to_numpy(dtype=bool)
    check_enough(found, cases["area_code"])
    areas = pd.factorize(cases["area_code"])[0]
    parts = []
    for scheme in by:
        ranked = _ranked(cases, names, scheme, form, areas, generator)
        chosen = {
            rule: np.concatenate([taken(of_block, inspections) for of_block in ranks])
            for rule, ranks in ranked.ranks.items()
        }
        parts.append(
            _table(chosen, found[ranked.rows], areas[ranked.rows], draws, level, generator)
        )
    scores = pd.concat(parts, keys=list(by), names=["by", "rule"])
    scores.attrs.update(
        use=_use(scores),
        of_gain={scheme: _of_inspector(part) for scheme, part in zip(by, parts, strict=True)},
        method=(
            f"Precision among the {inspections:.0%} of visits ranked highest, on areas and on "
            f"spans of time that the model had not seen; {level:.0%} intervals from {draws:,} "
            "resamples of areas; ties broken by lot, on average."
        ),
        cautions=tuple(_cautions(cases, names)),
    )
    return scores


def describe_targeting(scores: pd.DataFrame) -> str:
    """
    Say in a paragraph whether the model finds more than plain rules do.

    Parameters
    ----------
    scores
        From `score_targeting`.

    Returns
    -------
    paragraph
        For people who are not statisticians.

    Raises
    ------
    InputError
        If the table is not one of `score_targeting`.

    Examples
    --------
    >>> from placeshaping.synthetic.premises import make_premises
    >>> from placeshaping.shaping.inspection_cases import inspection_cases
    >>> made = make_premises(400, seed=1)
    >>> cases = inspection_cases(made.visits, made.properties, complaints=made.complaints)
    >>> scores = score_targeting(cases, inspections=0.2, form="logistic", by=["area"], draws=99)
    >>> print(describe_targeting(scores))
    In areas that it had not seen, the model found something at ...
    """
    check_result(
        scores, made_by="score_targeting", columns=["precision", "gain"], facts=["use", "of_gain"]
    )
    told = []
    for scheme in scores.index.unique("by"):
        table = _Rows(scores.loc[scheme])
        rule = _best_rule(table.table)
        where = "In areas that it had not seen" if scheme == "area" else "In months to come"
        sure = "surely" if table.at(rule, "gain_low") > 0 else "not surely"
        told.append(
            f"{where}, the model found something at {table.at(MODEL, 'precision'):.0%} of "
            f"{table.at(MODEL, 'inspections'):,.0f} inspections ({table.at(MODEL, 'low'):.0%} to "
            f"{table.at(MODEL, 'high'):.0%}); the best plain rule, {rule}, at "
            f"{table.at(rule, 'precision'):.0%}, and going anywhere at "
            f"{table.at(ANYWHERE, 'precision'):.0%}: {table.at(rule, 'gain'):+.1%} "
            f"({table.at(rule, 'gain_low'):+.1%} to {table.at(rule, 'gain_high'):+.1%}), so {sure} "
            "more."
        )
        share = scores.attrs["of_gain"][scheme]
        if share is not None:
            told.append(
                f"Had it known who went, {table.at(INSPECTOR, 'precision'):.0%}: "
                f"{max(share, 0):.0%} of that gain would have been the inspector's."
            )
    return " ".join(told)


def targeting_finding(scores: pd.DataFrame) -> str:
    """
    Say in two sentences what to go by, and why.

    Parameters
    ----------
    scores
        From `score_targeting`.

    Returns
    -------
    finding
        The first of a page.

    Raises
    ------
    InputError
        If the table is not one of `score_targeting`.

    Examples
    --------
    >>> table = pd.DataFrame(
    ...     {"precision": [0.4, 0.3, 0.2, 0.25, 0.15], "gain_low": [0, 0.05, 0.1, 0.1, 0.2],
    ...      "gain": [0, 0.1, 0.2, 0.15, 0.25]},
    ...     index=pd.MultiIndex.from_product([["time"], [MODEL, *RULES, ANYWHERE]]))
    >>> table.attrs = {"use": MODEL, "of_gain": {"time": None}}
    >>> print(targeting_finding(table.rename_axis(["by", "rule"])))
    Go by the model: in months to come it surely found more than any plain rule. It found
    something at 40% of its inspections, the best rule (most complaints) at 30%, ...
    """
    check_result(
        scores, made_by="score_targeting", columns=["precision", "gain"], facts=["use", "of_gain"]
    )
    scheme = scores.index.unique("by")[-1]
    rows, use = _Rows(scores.loc[scheme]), scores.attrs["use"]
    rule = _best_rule(rows.table)
    where = "in months to come" if scheme == "time" else "in areas that it had not seen"
    opening = (
        f"Go by the model: {where} it surely found more than any plain rule."
        if use == MODEL
        else f"Go by the plain rule {use!r}: the model did not surely find more than every rule."
    )
    return (
        f"{opening} {'It' if use == MODEL else 'The model'} found something at "
        f"{rows.at(MODEL, 'precision'):.0%} of its inspections, the best rule ({rule}) at "
        f"{rows.at(rule, 'precision'):.0%}, going anywhere at {rows.at(ANYWHERE, 'precision'):.0%}."
    )


class _Rows:
    """A table by rule, read number by number."""

    def __init__(self, table: pd.DataFrame) -> None:
        self.table = table

    def at(self, rule: str, column: str) -> float:
        return float(self.table[column].to_numpy()[self.table.index.get_loc(rule)])


class _Ranked:
    """Ranks of the cases that are tried, a block for each fold or span."""

    def __init__(self) -> None:
        self.blocks: list[Groups] = []
        self.ranks: dict[str, list[Floats]] = {}

    @property
    def rows(self) -> Groups:
        return np.concatenate(self.blocks)

    def add(self, rows: Groups, ranks: dict[str, Floats]) -> None:
        self.blocks.append(rows)
        for rule, rank in ranks.items():
            self.ranks.setdefault(rule, []).append(rank)


def _ranked(
    cases: pd.DataFrame,
    names: list[str],
    scheme: Scheme,
    form: Form | Literal["choose"],
    areas: Groups,
    generator: np.random.Generator,
) -> _Ranked:
    """Rank each block of cases by what was learned without it."""
    tables = {MODEL: prepared(cases[names])}
    if cases["inspector"].notna().any():
        tables[INSPECTOR] = prepared(cases[[*names, "inspector"]])
    found = cases["found"].to_numpy(dtype=bool)
    ranked = _Ranked()
    for train, test in _splits(cases, scheme, areas, generator):
        ranks: dict[str, Floats] = {}
        for rule, table in tables.items():
            numbers = make_design(table.iloc[train]).matrix(table)
            inner = area_folds(areas[train], generator)
            model, _ = choose_model(numbers[train], found[train], inner, form)
            fitted = model.fit(numbers[train], found[train])
            ranks[rule] = fitted.decision_function(numbers[test])
        for rule, column in RULES.items():
            rank = cases[column].to_numpy(dtype=float)[test]
            ranks[rule] = np.where(np.isnan(rank), np.inf, rank)  # never visited: longest ago
        ranks[ANYWHERE] = np.zeros(len(test))
        ranked.add(test, ranks)
    return ranked


def _splits(
    cases: pd.DataFrame,
    scheme: Scheme,
    areas: Groups,
    generator: np.random.Generator,
) -> Iterator[tuple[Groups, Groups]]:
    if scheme == "area":
        fold = area_folds(areas, generator)
        for one in range(FOLDS):
            yield np.flatnonzero(fold != one), np.flatnonzero(fold == one)
        return
    when = cases["date"].to_numpy(dtype="datetime64[D]").astype(np.int64)
    edges = np.quantile(when, np.linspace(0.5, 1, FOLDS + 1))
    found = cases["found"].to_numpy(dtype=bool)
    for first, last in zip(edges[:-1], [*edges[1:-1], np.inf], strict=True):
        train, test = np.flatnonzero(when < first), np.flatnonzero((when >= first) & (when < last))
        enough = min(found[train].sum(), (~found[train]).sum()) >= LEAST_OF_EACH // 2
        if len(test) and enough:
            yield train, test


def taken(rank: Floats, share: float) -> Floats:
    """
    Return the chance that each case is among those ranked highest, ties broken by lot.

    Examples
    --------
    >>> taken(np.array([3.0, 1.0, 1.0, 0.0]), 0.5).tolist()
    [1.0, 0.5, 0.5, 0.0]
    """
    number = round(share * len(rank))
    edge = np.sort(rank)[::-1][max(number - 1, 0)]
    above, tied = rank > edge, rank == edge
    chance: Floats = above + tied * (number - above.sum()) / tied.sum()
    return chance


def _table(
    chosen: dict[str, Floats],
    found: Flags,
    areas: Groups,
    draws: int,
    level: float,
    generator: np.random.Generator,
) -> pd.DataFrame:
    """Return precision and its interval for each rule, resampling whole areas."""
    groups = pd.factorize(areas)[0]
    count = groups.max() + 1
    weights = np.vstack(
        [np.ones(count), generator.multinomial(count, np.full(count, 1 / count), draws)]
    )
    precision, total, hits = {}, {}, {}
    for rule, chance in chosen.items():
        number = np.bincount(groups, chance, count)
        caught = np.bincount(groups, chance * found, count)
        precision[rule] = (weights @ caught) / np.maximum(weights @ number, 1e-12)
        total[rule], hits[rule] = number.sum(), caught.sum()
    edges = [(1 - level) / 2, (1 + level) / 2]
    rows = []
    for rule, values in precision.items():
        low, high = np.quantile(values[1:], edges)
        gains = precision[MODEL] - values
        gain_low, gain_high = np.quantile(gains[1:], edges)
        rows.append(
            {
                "rule": rule, "inspections": total[rule], "found": hits[rule],
                "precision": values[0], "low": low, "high": high,
                "lift": values[0] / precision[ANYWHERE][0],
                "gain": gains[0], "gain_low": gain_low, "gain_high": gain_high,
            }
        )  # fmt: skip
    return pd.DataFrame(rows).set_index("rule")


def _best_rule(table: pd.DataFrame) -> str:
    return str(table.loc[list(RULES), "precision"].idxmax())


def _use(scores: pd.DataFrame) -> str:
    """Return the model where it surely beats every rule by every scheme; else the best rule."""
    plain = scores[scores.index.get_level_values("rule").isin([*RULES, ANYWHERE])]
    if (plain["gain_low"] > 0).all():
        return MODEL
    return _best_rule(scores.loc[scores.index.unique("by")[-1]])


def _of_inspector(table: pd.DataFrame) -> float | None:
    """Return the share of a gain over going anywhere that is the inspector's."""
    if INSPECTOR not in table.index:
        return None
    rows = _Rows(table)
    base = rows.at(ANYWHERE, "precision")
    knowing = rows.at(INSPECTOR, "precision") - base
    return 1 - (rows.at(MODEL, "precision") - base) / knowing if knowing > 0 else None


def _check_options(inspections: float, by: Sequence[Scheme], draws: int) -> None:
    check_whole(draws, name="draws", least=99)
    if not 0 < inspections < 1:
        msg = (
            f"inspections is {inspections!r}. Give the share of the visits on record that the team "
            "can make, between 0 and 1: 60 of 300 is 0.2."
        )
        raise InputError(msg)
    if not by:
        msg = "by is empty. Give 'area', 'time', or both."
        raise InputError(msg)
    for scheme in by:
        check_choice(scheme, ("area", "time"), name="by")


def _cautions(cases: pd.DataFrame, names: list[str]) -> Iterator[str]:
    tags: dict[str, Any] = column_tags(cases)
    sensitive = [
        f"{name} ({tags[name].replace('_', ' ')})"
        for name in names
        if tags.get(name, "open") != "open" and name not in HISTORY
    ]
    if sensitive:
        yield f"The model learns from {', '.join(sensitive)}."
    lot = int(cases["random"].sum())
    if lot:
        yield f"{lot:,} of {len(cases):,} visits were drawn by lot; the rest were chosen."
    else:
        yield (
            "No visit was drawn by lot: what is true of the properties that were visited may not "
            "be true of the others. Draw every tenth by lot from now on."
        )
    if cases["inspector"].isna().all():
        yield "Who inspected is not known, so nobody can tell how much of a score is the inspector."
