"""
How many groups to make of areas, and how far they hold.

No number of groups is given by nature: what speaks for each is laid side by
side. Steadiness is judged by resampling the areas (Hennig 2007,
"Cluster-wise assessment of cluster stability", Computational Statistics and
Data Analysis 52).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from placeshaping._core.checks import check_columns, check_whole
from placeshaping._core.errors import EmptyError, InputError
from placeshaping._core.progress import track
from placeshaping.shaping._clustering import (
    assign_nearest,
    best_jaccard,
    connected_ward,
    reference_within,
    silhouette_of,
    within,
)
from placeshaping.shaping._k_means import best_k_means
from placeshaping.shaping.segment_agreement import adjusted_rand
from placeshaping.shaping.segments import MOST_GROUPS, connections

if TYPE_CHECKING:
    from libpysal.graph import Graph

    from placeshaping.shaping.segment_variables import PreparedVariables

STEADY = 0.75
"""Mean agreement with resamples (adjusted Rand) from which groups are called steady."""

SMALLEST = 0.02
"""Share of the areas that the smallest group should have at least."""

NOISE = 0.25
"""Noise in standard deviations, where the steadiness of connected groups is looked at."""

_HENNIG = ((0.85, "very steady"), (0.75, "steady"), (0.6, "there, but its edge is vague"))


@dataclass(frozen=True, eq=False)
class Steadiness:
    """
    How far groups come back when they are made anew; `segment_stability` makes it.

    Attributes
    ----------
    segments
        By group: `areas`, `jaccard` (mean over resamples of its likeness to
        the nearest new group), `lower`, `upper` (95 % of the resamples) and
        `steadiness` in words, by Hennig's marks.
    adjusted_rand, lower, upper
        Mean agreement of all groups, and 95 % of the resamples.
    method
        How the groups were made anew, in a sentence.
    """

    segments: pd.DataFrame
    adjusted_rand: float
    lower: float
    upper: float
    method: str


def compare_groupings(
    prepared: PreparedVariables,
    *,
    groups: Iterable[int] = range(2, 11),
    starts: int = 20,
    references: int = 10,
    resamples: int = 20,
    rng: int = 0,
) -> pd.DataFrame:
    """
    Lay side by side what speaks for each number of groups of k-means.

    Parameters
    ----------
    prepared
        From `prepare_variables`.
    groups
        The numbers to compare.
    starts
        Of k-means.
    references
        Even draws that the gap statistic compares with.
    resamples
        Of the areas, for the steadiness.
    rng
        Seed.

    Returns
    -------
    table
        Indexed by `groups`: `within` (sum of squares), `explained` (share of
        the variance between groups), `gap` and `gap_error` (Tibshirani,
        Walther and Hastie 2001), `silhouette` (Rousseeuw 1987; of a sample
        where there are more than 4,000 areas), `steadiness` (mean adjusted
        Rand over resamples), `smallest` (areas of the smallest group) and
        `suggested` (true for one: the highest silhouette among those that are
        steady and have no tiny group).
        ``attrs["reason"]`` says why that one, in a sentence.

    Raises
    ------
    InputError
        If a number is under 2 or above 19.
    EmptyError
        If there are too few areas.

    Examples
    --------
    >>> from placeshaping.shaping.segment_variables import prepare_variables
    >>> rng = np.random.default_rng(0)
    >>> near = np.repeat([[10.0, 20.0], [60.0, 20.0], [30.0, 50.0]], 12, axis=0)
    >>> table = pd.DataFrame(near + rng.normal(0, 1, near.shape), columns=["a", "b"])
    >>> compare_groupings(prepare_variables(table), groups=range(2, 5)).attrs["suggested"]
    3
    """
    values = prepared.values.sort_index().sort_index(axis="columns").to_numpy()
    wanted = sorted({check_whole(k, name="groups", least=2) for k in groups})
    if not wanted or wanted[-1] > MOST_GROUPS:
        msg = f"groups: name numbers from 2 to {MOST_GROUPS}."
        raise InputError(msg)
    unlike = len(np.unique(values, axis=0))
    if unlike <= wanted[0]:
        msg = f"{len(values):,} areas are too few to compare groupings of. Take more areas."
        raise EmptyError(msg)
    draw = np.random.default_rng(rng)
    total = float(((values - values.mean(axis=0)) ** 2).sum())
    rows = {}
    possible = [k for k in wanted if k < unlike]
    for k in track(possible, label="Comparing numbers of groups"):
        labels, _ = best_k_means(values, k, starts=starts, seed=rng)
        inside = within(values, labels, k)
        logs = reference_within(values, k, references=references, rng=draw)
        again = _resampled(values, k, resamples=resamples, starts=_few(starts), rng=draw)
        rows[k] = {
            "within": inside,
            "explained": 1 - inside / total,
            "gap": float(logs.mean() - np.log(inside)) if inside > 0 else np.inf,
            "gap_error": float(logs.std() * np.sqrt(1 + 1 / references)),
            "silhouette": silhouette_of(values, labels, seed=rng),
            "steadiness": float(np.mean([adjusted_rand(labels, new) for _, new in again])),
            "smallest": int(np.bincount(labels).min()),
        }
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("groups")
    table["smallest"] = table["smallest"].astype("int64")
    return _with_suggestion(table, len(values))


def _few(starts: int) -> int:
    return max(starts // 4, 3)


def _with_suggestion(table: pd.DataFrame, areas: int) -> pd.DataFrame:
    fit = (table["steadiness"] >= STEADY) & (table["smallest"] >= SMALLEST * areas)
    if fit.any():
        best = _first(table.index[fit], table.loc[fit, "silhouette"])
        reason = (
            f"{best} groups: the highest silhouette ({float(table['silhouette'][best]):.2f}) among "
            f"the {int(fit.sum())} of {len(table)} numbers that are steady (adjusted Rand of "
            f"resamples {STEADY:g} or more) and whose smallest group has {SMALLEST:.0%} of the "
            "areas."
        )
    else:
        best = _first(table.index, table["steadiness"])
        reason = (
            f"{best} groups: the steadiest (adjusted Rand of resamples "
            f"{float(table['steadiness'][best]):.2f}); no number is both steady and without a tiny "
            "group, so the areas differ by degrees more than in kind."
        )
    table["suggested"] = table.index == best
    table.attrs["suggested"], table.attrs["reason"] = best, reason
    return table


def _first(groups: pd.Index, score: pd.Series[float]) -> int:
    return int(groups[int(np.argmax(score.to_numpy()))])


def segment_stability(
    prepared: PreparedVariables,
    segments: pd.DataFrame,
    *,
    neighbours: Graph | None = None,
    resamples: int = 100,
    starts: int = 10,
    rng: int = 0,
) -> Steadiness:
    """
    Make groups anew many times, and see how far they come back.

    Groups of k-means are made of areas drawn with replacement, and every area
    then goes to the nearest middle. Connected groups cannot be: neighbours
    would be missing; there noise of a quarter standard deviation is added to
    the variables instead (Hennig's jittering).

    Parameters
    ----------
    prepared, segments
        From `prepare_variables` and, with the same, `make_segments`.
    neighbours
        For connected groups: as they were made with.
    resamples
        How often.
    starts
        Of k-means each time.
    rng
        Seed.

    Returns
    -------
    steadiness
        By group and of all.

    Raises
    ------
    ColumnError
        If `segments` is not from `make_segments`.

    Examples
    --------
    >>> from placeshaping.shaping.segment_variables import prepare_variables
    >>> from placeshaping.shaping.segments import make_segments
    >>> rng = np.random.default_rng(0)
    >>> near = np.repeat([[10.0, 70.0], [60.0, 20.0]], 12, axis=0)
    >>> table = pd.DataFrame(near + rng.normal(0, 1, near.shape), columns=["a", "b"])
    >>> prepared = prepare_variables(table, most_correlated=1)
    >>> segment_stability(prepared, make_segments(prepared, groups=2)).segments["jaccard"].tolist()
    [1.0, 1.0]
    """
    check_columns(segments.columns, ["segment"], where="segments")
    ordered = prepared.values.sort_index().sort_index(axis="columns")
    values = ordered.to_numpy()
    group = segments["segment"].reindex(ordered.index)
    labels = group.cat.codes.to_numpy().astype(np.intp)
    k = len(group.cat.categories)
    draw = np.random.default_rng(rng)
    if neighbours is None:
        again = _resampled(values, k, resamples=resamples, starts=starts, rng=draw)
        told = f"Made anew from {resamples:,} resamples of the areas, seed {rng}."
    else:
        matrix = connections(ordered.index, neighbours, k)
        noise = NOISE * values.std(axis=0)
        again = (
            (None, connected_ward(values + draw.normal(0, 1, values.shape) * noise, k, matrix))
            for _ in range(resamples)
        )
        told = (
            f"Made anew {resamples:,} times with noise of {NOISE:g} standard deviations in every "
            f"variable, seed {rng}."
        )
    likeness, rand = [], []
    for rows, new in track(again, label="Making the groups anew", total=resamples):
        rand.append(adjusted_rand(labels, new))
        old, other = (labels, new) if rows is None else (labels[rows], new[rows])
        likeness.append(best_jaccard(old, other, k))
    return _steadiness(np.array(likeness), np.array(rand), group, told)


def _steadiness(
    likeness: NDArray[np.float64], rand: NDArray[np.float64], group: pd.Series[str], told: str
) -> Steadiness:
    mean = np.nanmean(likeness, axis=0)
    low, high = np.nanquantile(likeness, [0.025, 0.975], axis=0)
    table = pd.DataFrame(
        {
            "areas": group.value_counts().reindex(group.cat.categories).to_numpy(),
            "jaccard": mean,
            "lower": low,
            "upper": high,
            "steadiness": [_words(one) for one in mean],
        },
        index=pd.Index(group.cat.categories, name="segment"),
    )
    lower, upper = np.quantile(rand, [0.025, 0.975])
    return Steadiness(table, float(rand.mean()), float(lower), float(upper), told)


def _words(jaccard: float) -> str:
    return next((word for mark, word in _HENNIG if jaccard >= mark), "dissolves easily")


def _resampled(
    values: NDArray[np.float64], k: int, *, resamples: int, starts: int, rng: np.random.Generator
) -> Iterator[tuple[NDArray[np.intp] | None, NDArray[np.intp]]]:
    """Yield rows drawn with replacement, and the group of every area by their middles."""
    for _ in range(resamples):
        rows = rng.integers(0, len(values), len(values))
        sample = values[rows]
        most = min(k, len(np.unique(sample, axis=0)))
        _, centres = best_k_means(sample, most, starts=starts, seed=int(rng.integers(2**31)))
        yield rows, assign_nearest(values, centres)
