"""
Gradient boosting on what was counted before, by how much it departs from the baseline.

Trees learn the ratio of what happened to what trailing counts expected: with the
Poisson loss, the target ``count / expected`` and the weight ``expected``, that is
the deviance of the counts themselves. Without trees the forecast is the baseline;
how many trees there are is decided on held-out steps, so where the data are too
sparse to learn anything from, nothing is learned.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingRegressor

from placeshaping.likelihood._threads import one_thread
from placeshaping.likelihood.features import WINDOWS, Running, feature_names, features_of, run_sums
from placeshaping.likelihood.history import History
from placeshaping.likelihood.protocol import Fitted, Forecast, check_enough
from placeshaping.likelihood.shrinkage import GammaPrior, fit_prior

Floats = NDArray[np.float64]

FEWEST_EVENTS = 200
"""Fewer events teach trees nothing that trailing counts do not hold."""

FEWEST_STEPS = 12
"""Steps with data: some to look back on, some to learn from, some to hold out."""

_BINS = 64
_TRAINED = {"month": 24, "week": 52, "day": 182}
_HELD_OUT = {"month": 4, "week": 8, "day": 28}
_YEAR = {"month": 12, "week": 52, "day": 365}


@dataclass(frozen=True)
class Boosted:
    """
    Histogram gradient boosting with Poisson loss, on top of trailing counts.

    Attributes
    ----------
    trees
        Most trees; how many are kept is chosen on held-out steps.
    learning_rate, leaves, fewest_in_leaf
        Of the trees.
    rows
        Most rows that are learned from; rows without events are thinned out,
        and count the more.
    replicates
        Refits on resampled steps that widen the intervals by how unsure the
        fit itself is; 0 for none.
    seed
        Of thinning and resampling.
    """

    trees: int = 150
    learning_rate: float = 0.05
    leaves: int = 8
    fewest_in_leaf: int = 100
    rows: int = 200_000
    replicates: int = 0
    seed: int = 0

    @property
    def name(self) -> str:
        """As in a table of models."""
        return "boosted"

    @one_thread()
    def fit(self, history: History, *, warm: Fitted | None = None) -> FittedBoosted:
        """
        Choose the number of trees on held-out steps, then learn from all.

        An earlier fit bounds the number of trees that are tried. See
        `protocol.Model.fit`.
        """
        check_enough(history, self.name, events=FEWEST_EVENTS, steps=FEWEST_STEPS)
        rng = np.random.default_rng(self.seed)
        unit = history.step.unit
        prior = _prior(history)
        sample = _sample(history, prior, self.rows, rng)
        late = sample.step >= history.steps - _HELD_OUT[unit]
        most = self.trees
        if isinstance(warm, FittedBoosted) and warm.model == self:
            most = min(most, 2 * warm.trees + 20)
        trees, gain, size = self._tried(sample, late, most)
        ensemble = self._grown(sample, trees)
        replicates = tuple(
            self._grown(_resampled(sample, rng), trees) for _ in range(self.replicates)
        )
        return FittedBoosted(self, history, prior, ensemble, replicates, trees, gain, size)

    def _tried(
        self, sample: _Sample, late: NDArray[np.bool_], most: int
    ) -> tuple[int, float, float]:
        """Return the best number of trees, its gain in deviance, and the dispersion around it."""
        early, held = sample.only(~late), sample.only(late)
        grown = self._grown(early, most)
        ratios = list(grown.staged(held.features))
        deviance = [_deviance(held, ratio) for ratio in ratios]
        trees = int(np.argmin(deviance))
        gain = 1 - deviance[trees] / _deviance(held, np.ones(len(held.count)))
        mean = ratios[trees] * held.expected
        excess = float((held.weight * ((held.count - mean) ** 2 - mean)).sum())
        square = float((held.weight * mean**2).sum())
        return trees, gain, square / excess if excess > 0 else float("inf")

    def _grown(self, sample: _Sample, trees: int) -> _Ratio:
        level = float(
            (sample.weight * sample.count).sum() / (sample.weight * sample.expected).sum()
        )
        bins = _find_bins(sample.features)
        if trees == 0 or not bins:
            return _Ratio(level, bins, None)
        model = HistGradientBoostingRegressor(
            loss="poisson",
            learning_rate=self.learning_rate,
            max_iter=trees,
            max_leaf_nodes=self.leaves,
            min_samples_leaf=self.fewest_in_leaf,
            early_stopping=False,
            random_state=self.seed,
        )
        model.fit(
            _binned(sample.features, bins),
            sample.count / sample.expected,
            sample_weight=sample.weight * sample.expected,
        )
        return _Ratio(level, bins, model)


@dataclass(frozen=True, eq=False)
class _Ratio:
    """What happens over what the baseline expects: trees, or one number without any."""

    level: float
    bins: Mapping[int, Floats]
    model: HistGradientBoostingRegressor | None

    def of(self, features: Floats) -> Floats:
        if self.model is None:
            return np.full(len(features), self.level)
        return np.asarray(self.model.predict(_binned(features, self.bins)))

    def staged(self, features: Floats) -> Iterator[Floats]:
        """Give the ratio of no tree, one tree, two trees, ..."""
        yield np.full(len(features), self.level)
        if self.model is not None:
            yield from self.model.staged_predict(_binned(features, self.bins))


@dataclass(frozen=True, eq=False)
class _Sample:
    """Rows to learn from: one for a unit and a step."""

    features: Floats
    count: Floats
    expected: Floats
    weight: Floats
    step: NDArray[np.intp]

    def only(self, rows: NDArray[np.bool_] | NDArray[np.intp]) -> _Sample:
        return _Sample(
            self.features[rows],
            self.count[rows],
            self.expected[rows],
            self.weight[rows],
            self.step[rows],
        )


@dataclass(frozen=True, eq=False)
class FittedBoosted(Fitted):
    """
    Trees on top of trailing counts.

    Attributes
    ----------
    model, history
        What they came from.
    prior
        Of the baseline's rates.
    ratio, replicates
        What happens over what the baseline expects; the same on resampled steps.
    trees
        How many were kept.
    gain
        Share of the baseline's deviance that they took off on held-out steps.
    size
        Of the negative binomial distribution, from the held-out steps.
    """

    model: Boosted
    history: History
    prior: GammaPrior
    ratio: _Ratio
    replicates: tuple[_Ratio, ...]
    trees: int
    gain: float
    size: float

    @property
    def parameters(self) -> Mapping[str, float | str]:
        """How many trees, what they gained, on which features."""
        return {
            "trees": self.trees,
            "held-out gain in deviance": self.gain,
            "size of the negative binomial": self.size,
            "features": ", ".join(feature_names(self.history)),
        }

    def update(self, history: History) -> Self:
        """Return the same trees with newer counts."""
        return replace(self, history=history)

    @one_thread()
    def forecast(self, horizon: int = 1) -> Forecast:
        """
        Forecast the steps that follow; see `protocol.Fitted.forecast`.

        Later steps have the features of the first, but for the season.
        """
        history = self.history
        running = run_sums(history, _look_back(history))
        base = _base(running, history.steps, self.prior)
        expected = np.empty((len(base), horizon))
        size = np.full_like(expected, self.size)
        for ahead, days in enumerate(history.days_ahead(horizon)):
            features = features_of(running, history.steps + ahead, base)
            expected[:, ahead] = self.ratio.of(features) * base * days
            if self.replicates:
                ratios = np.stack([one.of(features) for one in self.replicates])
                unsure = (ratios.std(axis=0) / self.ratio.of(features)) ** 2
                size[:, ahead] = 1 / (1 / self.size + unsure)
        return Forecast(
            units=history.units,
            periods=history.step.starts(history.ahead(horizon)),
            expected=expected,
            size=size,
            method=_METHOD.format(trees=self.trees, more=_MORE if self.replicates else ""),
            cautions=history.cautions,
        )


_METHOD = (
    "Gradient boosting with Poisson loss ({trees} trees, chosen on held-out steps) of the ratio to "
    "trailing 12-month counts; negative binomial, dispersion by moments on the same steps{more}."
)
_MORE = ", widened by refits on resampled steps"


def _find_bins(features: Floats) -> dict[int, Floats]:
    """
    Return edges of the bins of each feature that tells rows apart, by its position.

    scikit-learn would find weighted quantiles of its own, which takes it longer
    than growing the trees; of so few distinct values it keeps each.
    """
    bins = {}
    for position, values in enumerate(features.T):
        known = values[~np.isnan(values)]
        if len(known) and known.min() < known.max():
            edges = np.quantile(known, np.linspace(0, 1, _BINS + 1)[1:])
            bins[position] = np.unique(edges[edges > known.min()])
    return bins


def _binned(features: Floats, bins: Mapping[int, Floats]) -> Floats:
    """Return the number of each value's bin; missing values stay missing."""
    out = np.empty((len(features), len(bins)))
    for column, (position, edges) in enumerate(bins.items()):
        values = features[:, position]
        codes = np.searchsorted(edges, values, side="right").astype(np.float64)
        out[:, column] = np.where(np.isnan(values), np.nan, codes)
    return out


def _look_back(history: History) -> int:
    unit = history.step.unit
    return max(max(WINDOWS[unit]), _YEAR[unit]) + 30


def _prior(history: History) -> GammaPrior:
    year = _YEAR[history.step.unit]
    days = float(history.days[-year:][history.known[-year:]].sum())
    return fit_prior(history.total(year), history.units.exposure * days)


def _base(running: Running, step: int, prior: GammaPrior) -> Floats:
    """Return what trailing counts expect a day, of the year before a step."""
    history = running.history
    year = _YEAR[history.step.unit]
    last = min(step, history.steps) - running.start
    first = max(last - year, 0)
    counts = (running.own[:, last] - running.own[:, first]).astype(np.float64)
    exposure = history.units.exposure * (running.days[last] - running.days[first])
    rate = (counts + prior.events) / (exposure + prior.exposure)
    return np.asarray(rate * history.units.exposure)


def _sample(history: History, prior: GammaPrior, most: int, rng: np.random.Generator) -> _Sample:
    """Return rows of the last steps, each with features from before its step alone."""
    unit = history.step.unit
    known = np.flatnonzero(history.known)
    few = max(len(known) // 2, _HELD_OUT[unit] + 1)
    steps = known[-min(_TRAINED[unit], few) :]
    running = run_sums(history, _look_back(history) + history.steps - int(steps[0]))
    days = history.days
    empty = len(steps) * len(history.units) - history.counts[:, steps].nnz
    share = min(1.0, most / max(empty, 1))
    parts = []
    for step in steps:
        count = history.at(int(step))
        kept = (count > 0) | (rng.random(len(count)) < share)
        base = _base(running, int(step), prior)
        parts.append(
            _Sample(
                features_of(running, int(step), base)[kept],
                count[kept],
                (base * days[step])[kept],
                np.where(count > 0, 1.0, 1 / share)[kept],
                np.full(int(kept.sum()), step),
            )
        )
    columns = ("features", "count", "expected", "weight", "step")
    return _Sample(*(np.concatenate([getattr(part, name) for part in parts]) for name in columns))


def _resampled(sample: _Sample, rng: np.random.Generator) -> _Sample:
    """Draw steps with replacement, each with all of its rows."""
    steps, start = np.unique(sample.step, return_index=True)
    ends = np.append(start[1:], len(sample.step))
    drawn = rng.integers(0, len(steps), len(steps))
    rows = np.concatenate([np.arange(start[one], ends[one]) for one in drawn])
    return sample.only(rows)


def _deviance(held: _Sample, ratio: Floats) -> float:
    """Poisson deviance of the held-out counts, up to what does not depend on the ratio."""
    mean = np.maximum(ratio * held.expected, np.finfo(float).tiny)
    log_ratio = np.log(np.maximum(held.count, 1e-300) / mean)
    terms = np.where(held.count > 0, held.count * log_ratio, 0.0) - held.count + mean
    return float((held.weight * terms).sum())
