"""The two models of inspections, behind one door: numbers and kinds in, log odds out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

Form = Literal["logistic", "boosted"]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Groups = NDArray[np.int64]

STRENGTHS = (0.03, 0.1, 0.3, 1.0)
"""Penalties (scikit-learn's C) among which the logistic form is chosen."""

_RARE = 10
_UNKNOWN = "not known"


@dataclass(frozen=True)
class Design:
    """
    How a table of features becomes numbers of like spread.

    Numbers on the scale asinh(x), a missing one at the median and told by a
    column of its own; kinds a column each, rare and new ones together.
    """

    centres: dict[str, tuple[float, float, float]]
    kinds: dict[str, tuple[str, ...]]

    def matrix(self, table: pd.DataFrame) -> Floats:
        """Return the numbers, a row for each row of the table."""
        columns: list[NDArray[Any]] = []
        for name, (median, mean, spread) in self.centres.items():
            value = np.arcsinh(table[name].to_numpy(dtype=float))
            missing = np.isnan(value)
            columns += [(np.where(missing, median, value) - mean) / spread, missing]
        for name, known in self.kinds.items():
            value = table[name].to_numpy(dtype=object)
            each = [value == kind for kind in known]
            columns += [*each, ~np.any(each, axis=0) if each else np.ones(len(table), dtype=bool)]
        return np.column_stack(columns).astype(float)


def make_design(table: pd.DataFrame) -> Design:
    """Return the design of a table that `prepared` made."""
    centres, kinds = {}, {}
    for name, column in table.items():
        if pd.api.types.is_numeric_dtype(column):
            value = np.arcsinh(column.to_numpy(dtype=float))
            known = value[~np.isnan(value)]
            median = float(np.median(known)) if len(known) else 0.0
            filled = np.where(np.isnan(value), median, value)
            centres[str(name)] = (median, float(filled.mean()), float(filled.std()) or 1.0)
        else:
            count = column.value_counts()
            kinds[str(name)] = tuple(map(str, count.index[count >= _RARE]))
    return Design(centres, kinds)


@dataclass(frozen=True)
class SmallModel:
    """A model that is small on purpose: a council has hundreds of visits, not millions."""

    form: Form
    strength: float = 0.3

    def fit(self, numbers: Floats, found: Flags) -> Any:
        """Return a classifier of scikit-learn, fitted."""
        if self.form == "logistic":
            return LogisticRegression(C=self.strength, solver="newton-cholesky").fit(numbers, found)
        return HistGradientBoostingClassifier(
            max_iter=60, learning_rate=0.05, max_leaf_nodes=6, min_samples_leaf=20,
            l2_regularization=5.0, early_stopping=False, random_state=0,
        ).fit(numbers, found)  # fmt: skip

    def odds_unseen(self, numbers: Floats, found: Flags, folds: Groups) -> Floats:
        """Return the log odds of each case when its fold was not seen."""
        odds = np.empty(len(numbers))
        for fold in np.unique(folds):
            out = folds == fold
            odds[out] = self.fit(numbers[~out], found[~out]).decision_function(numbers[out])
        return odds


def choose_model(
    numbers: Floats, found: Flags, folds: Groups, form: Form | Literal["choose"]
) -> tuple[SmallModel, Floats]:
    """Return the model that surprises least on folds not seen, and its log odds there."""
    tried = [SmallModel("logistic", strength) for strength in STRENGTHS if form != "boosted"]
    tried += [SmallModel("boosted")] if form != "logistic" else []
    pairs = [(model, model.odds_unseen(numbers, found, folds)) for model in tried]

    def surprise(pair: tuple[SmallModel, Floats]) -> float:
        intercept, slope = calibration_line(pair[1], found)
        return log_loss(chances(intercept + slope * pair[1]), found)

    return min(pairs, key=surprise)


def prepared(table: pd.DataFrame) -> pd.DataFrame:
    """Return features as a design takes them: numbers as floats, kinds as texts."""
    return pd.DataFrame(
        {
            name: column.astype(float)
            if pd.api.types.is_numeric_dtype(column)
            else column.astype(object).where(column.notna(), _UNKNOWN).astype(str)
            for name, column in table.items()
        },
        index=table.index,
    )


def chances(odds: Floats) -> Floats:
    """Return log odds as chances."""
    given: Floats = 1 / (1 + np.exp(-odds))
    return given


def log_loss(chance: Floats, found: Flags) -> float:
    """Return the mean surprise at what was found, in nats."""
    safe = np.clip(chance, 1e-9, 1 - 1e-9)
    return float(-np.where(found, np.log(safe), np.log1p(-safe)).mean())


def calibration_line(odds: Floats, found: Flags) -> tuple[float, float]:
    """
    Return intercept and slope of the line that makes log odds honest.

    From odds of visits that the model had not seen (Platt 2000); the slope is
    kept above zero, for a model that ranks the wrong way round is not turned
    round but flattened.
    """
    fitted = LogisticRegression(C=1e6, solver="newton-cholesky").fit(odds[:, None], found)
    slope = float(fitted.coef_[0, 0])
    if slope > 0:
        return float(fitted.intercept_[0]), slope
    share = found.mean()
    return float(np.log(share / (1 - share))), 0.0
