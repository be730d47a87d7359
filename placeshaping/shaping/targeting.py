"""
How likely an inspection is to find something, learned from a council's own visits.

Small data is the rule: some hundreds of visits, chosen by people who had their
reasons. So the models are small, their strength is chosen on areas that they
have not seen, their chances are calibrated on the same, and every chance has an
interval. Who inspected is never learned from. Whether such a model finds more
than the plainest rules is a matter of `targeting_scores`, and comes first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from placeshaping._core.checks import check_choice, check_columns, check_whole
from placeshaping._core.columns import column_tags
from placeshaping._core.errors import ColumnError, EmptyError
from placeshaping._core.progress import track
from placeshaping.shaping._targeting_model import (
    Design,
    Floats,
    Form,
    Groups,
    calibration_line,
    chances,
    choose_model,
    log_loss,
    make_design,
    prepared,
)

LEAST_OF_EACH = 20
"""Visits that found something, and that found nothing, of which a model needs so many."""

FOLDS = 5

MOST_KINDS = 40
"""Different texts that a feature may hold; with more of them it is a name."""


@dataclass(frozen=True, repr=False)
class InspectionModel:
    """
    A fitted model of what inspections find.

    Attributes
    ----------
    form
        ``"logistic"`` or ``"boosted"``.
    features
        What it learned from.
    tagged
        Features that are personal, special or of deprivation, with their tag:
        they are named on every product.
    visits, share
        Visits learned from, and the share of them that found something.
    usual
        Feature -> its usual value, beside which reasons are told.
    loss, loss_of_share
        Mean surprise in nats on areas that it had not seen, and that of giving
        every property the same chance: a model that is not below it has
        learned nothing.
    """

    form: Form
    features: tuple[str, ...]
    tagged: dict[str, str]
    visits: int
    share: float
    usual: dict[str, Any]
    loss: float
    loss_of_share: float
    _design: Design = field(repr=False)
    _fitted: Any = field(repr=False)
    _replicates: tuple[Any, ...] = field(repr=False)
    _line: tuple[float, float] = field(repr=False)

    def __repr__(self) -> str:
        """Say in a line what it is."""
        return f"<InspectionModel {self.form}, {self.visits:,} visits, {self.share:.0%} found>"

    def predict(self, table: pd.DataFrame, *, level: float = 0.9) -> pd.DataFrame:
        """
        Give properties their chance that an inspection finds something.

        Parameters
        ----------
        table
            With the features, as `standing_on` makes it.
        level
            Of the interval, which comes from refitting the model to resampled
            areas.

        Returns
        -------
        chances
            Index of `table`; ``chance``, ``low``, ``high``.

        Raises
        ------
        ColumnError
            If a feature is missing.
        """
        check_columns(table.columns, self.features, where="The table of properties")
        given = self._design.matrix(prepared(table[list(self.features)]))
        odds = np.array([self._honest(m, given) for m in (self._fitted, *self._replicates)])
        edges = [(1 - level) / 2, (1 + level) / 2]
        low, high = np.quantile(odds[1:], edges, axis=0) if len(odds) > 1 else (odds[0], odds[0])
        return pd.DataFrame(
            {
                "chance": chances(odds[0]),
                "low": chances(np.minimum(low, odds[0])),
                "high": chances(np.maximum(high, odds[0])),
            },
            index=table.index,
        )

    def pulls(self, table: pd.DataFrame) -> pd.DataFrame:
        """
        Say how far each feature moves each property from the usual one.

        Parameters
        ----------
        table
            With the features.

        Returns
        -------
        pulls
            Index of `table`, a column a feature: log odds of the property less
            those of the same property with the usual value of that feature.
            Above zero, the feature makes a finding more likely.

        Raises
        ------
        ColumnError
            If a feature is missing.
        """
        check_columns(table.columns, self.features, where="The table of properties")
        given = prepared(table[list(self.features)])
        whole = self._honest(self._fitted, self._design.matrix(given))
        told = {}
        for name in self.features:
            usual = self._design.matrix(given.assign(**{name: self.usual[name]}))
            told[name] = whole - self._honest(self._fitted, usual)
        return pd.DataFrame(told, index=table.index)

    def _honest(self, model: Any, numbers: Floats) -> Floats:
        intercept, slope = self._line
        odds: Floats = intercept + slope * model.decision_function(numbers)
        return odds


def fit_inspections(
    cases: pd.DataFrame,
    *,
    features: Sequence[str] | None = None,
    form: Form | Literal["choose"] = "choose",
    replicates: int = 50,
    rng: int | np.random.Generator = 0,
) -> InspectionModel:
    """
    Fit a model of what inspections find.

    Parameters
    ----------
    cases
        From `inspection_cases`.
    features
        Columns to learn from; by default all that the cases name.
    form
        ``"logistic"`` (penalised), ``"boosted"`` (a few small trees), or
        whichever surprises less on areas that it has not seen.
    replicates
        Refits to resampled areas, for intervals.
    rng
        Seed or generator.

    Returns
    -------
    model
        Fitted to all cases, calibrated on areas that it had not seen (Platt
        2000, by five folds of areas).

    Raises
    ------
    EmptyError
        If fewer than `LEAST_OF_EACH` visits found something, or nothing, or
        the visits lie in fewer than five areas.
    ColumnError
        If a feature is missing, or says who inspected.
    InputError
        If `form` is none of its choices.

    Examples
    --------
    >>> from placeshaping.synthetic.premises import make_premises
    >>> from placeshaping.shaping.inspection_cases import inspection_cases
    >>> made = make_premises(400, seed=1)
    >>> cases = inspection_cases(made.visits, made.properties, features=["storeys", "age"])
    >>> fit_inspections(cases, form="logistic", replicates=2)
    <InspectionModel logistic, 576 visits, ...% found>
    """
    check_choice(form, ("choose", "logistic", "boosted"), name="form")
    check_whole(replicates, name="replicates", least=0)
    names = feature_names(cases, features)
    generator = np.random.default_rng(rng)
    table, found = prepared(cases[names]), cases["found"].to_numpy(dtype=bool)
    check_enough(found, cases["area_code"])
    areas = pd.factorize(cases["area_code"])[0]
    folds = area_folds(areas, generator)
    design = make_design(table)
    numbers = design.matrix(table)
    chosen, odds = choose_model(numbers, found, folds, form)
    line = calibration_line(odds, found)
    share = float(found.mean())
    drawn = track(range(replicates), label="Refitting to resampled areas")
    again = (_resampled(areas, found, generator) for _ in drawn)
    tags = column_tags(cases)
    return InspectionModel(
        form=chosen.form,
        features=tuple(names),
        tagged={name: tags[name] for name in names if tags.get(name, "open") != "open"},
        visits=len(cases),
        share=share,
        usual={str(name): _usual(column) for name, column in table.items()},
        loss=log_loss(chances(line[0] + line[1] * odds), found),
        loss_of_share=log_loss(np.full(len(found), share), found),
        _design=design,
        _fitted=chosen.fit(numbers, found),
        _replicates=tuple(chosen.fit(numbers[rows], found[rows]) for rows in again),
        _line=line,
    )


def feature_names(cases: pd.DataFrame, features: Sequence[str] | None) -> list[str]:
    """
    Return what a model may learn from.

    Raises
    ------
    ColumnError
        If a feature is missing, says who inspected, what was found, or where,
        or names more kinds than `MOST_KINDS`.
    """
    names = list(cases.attrs.get("features", ()) if features is None else features)
    barred = sorted({"inspector", "found", "random", "date"} & set(names))
    if barred:
        msg = f"{barred[0]!r} is no feature: it is not known before somebody goes there."
        raise ColumnError(msg)
    if not names:
        msg = "There is nothing to learn from: name features, or give cases of inspection_cases."
        raise ColumnError(msg)
    check_columns(cases.columns, [*names, "found", "area_code"], where="The table of cases")
    for name in names:
        texts = 0 if pd.api.types.is_numeric_dtype(cases[name]) else cases[name].nunique()
        if texts > MOST_KINDS:
            msg = (
                f"{name!r} holds {texts:,} different texts. A feature describes, it does not name: "
                f"give at most {MOST_KINDS} kinds, or leave it out."
            )
            raise ColumnError(msg)
    return names


def check_enough(found: NDArray[np.bool_], areas: pd.Series[Any]) -> None:
    """
    Refuse too few visits to learn anything.

    Raises
    ------
    EmptyError
        If there are.
    """
    with_, without = int(found.sum()), int((~found).sum())
    if min(with_, without) < LEAST_OF_EACH:
        msg = (
            f"Of {len(found):,} visits {with_:,} found something and {without:,} nothing; "
            f"{LEAST_OF_EACH} of each are needed. Until then go by complaints and by time since "
            "the last visit, and draw part of the visits by lot."
        )
        raise EmptyError(msg)
    if areas.nunique() < FOLDS:
        msg = (
            f"The visits lie in {areas.nunique():,} areas; {FOLDS} are needed, since a model is "
            "tried on areas that it has not seen. Use smaller areas."
        )
        raise EmptyError(msg)


def area_folds(areas: Groups, generator: np.random.Generator, *, folds: int = FOLDS) -> Groups:
    """Return a fold for each case: whole areas, about as many cases in each."""
    size = np.bincount(areas)
    order = np.argsort(-size + generator.random(len(size)) * 0.5)
    fold = np.empty(len(size), dtype=np.int64)
    load = np.zeros(folds)
    for area in order:
        fold[area] = load.argmin()
        load[fold[area]] += size[area]
    return fold[areas]


def _resampled(
    areas: Groups, found: NDArray[np.bool_], generator: np.random.Generator
) -> NDArray[np.int64]:
    """Draw as many areas as there are, with all their cases; again where only one outcome came."""
    order = np.argsort(areas, kind="stable")
    parts = np.split(order, np.cumsum(np.bincount(areas))[:-1])
    while True:
        drawn = generator.integers(0, len(parts), len(parts))
        rows = np.concatenate([parts[area] for area in drawn])
        if 0 < found[rows].sum() < len(rows):
            return rows


def _usual(column: pd.Series[Any]) -> Any:
    if pd.api.types.is_numeric_dtype(column):
        return float(column.median())
    return column.mode().iloc[0]
