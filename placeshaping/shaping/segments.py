"""
Segments: small areas that are alike, put into groups.

K-means, as in the official classifications of areas (Gale et al. 2016,
Journal of Spatial Information Science 12), or Ward's method over neighbours
where groups shall hang together on the ground. How many groups, and how far
they hold, is told by `segment_choice`.
"""

from __future__ import annotations

from string import ascii_uppercase
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csgraph
from scipy.spatial.distance import cdist

from placeshaping._core.checks import check_choice, check_columns, check_whole, listed
from placeshaping._core.errors import EmptyError, InputError, UnmatchedError
from placeshaping.shaping._clustering import centres_of, connected_ward
from placeshaping.shaping._k_means import best_k_means
from placeshaping.shaping.segment_variables import PreparedVariables

if TYPE_CHECKING:
    from libpysal.graph import Graph
    from scipy import sparse

Method = Literal["k_means", "connected"]

MOST_GROUPS = 19
"""One letter each, and no more than labels may have."""

FEW_AREAS = 5
"""Areas of a group under which a reader is told that it is small."""


def segment_letters(groups: int) -> list[str]:
    """
    Return the letters of groups.

    Examples
    --------
    >>> segment_letters(3)
    ['A', 'B', 'C']
    """
    return list(ascii_uppercase[:groups])


def make_segments(
    prepared: PreparedVariables,
    *,
    groups: int,
    method: Method = "k_means",
    neighbours: Graph | None = None,
    starts: int = 100,
    rng: int = 0,
) -> pd.DataFrame:
    """
    Put areas that are alike into groups.

    Parameters
    ----------
    prepared
        From `prepare_variables`.
    groups
        How many; see `segment_choice.compare_groupings`.
    method
        ``"k_means"``: groups wherever their areas lie. ``"connected"``: Ward's
        method joining neighbours alone, so that each group is one piece of
        land; less alike inside, by as much as `attrs["explained"]` is lower.
    neighbours
        For ``"connected"``: from `areas.neighbours.contiguity`.
    starts
        Of k-means; the best is taken.
    rng
        Seed of the starts.

    Returns
    -------
    segments
        By area, in the order that was prepared; areas that lack a value come
        last and have no group. `segment` (categorical: letters, A for most
        areas), `distance` to the middle of the own group, `second` (the group
        that is next nearest) and `margin` (0 where both are as near, 1 in the
        middle of the own). ``attrs`` hold `method`, `cautions`, `explained`
        (share of the variance between groups) and `centres`. Neither the order
        of rows nor that of columns changes the groups.

    Raises
    ------
    EmptyError
        If there are fewer areas (unlike each other) than groups.
    InputError
        If `groups` is out of range, or connected groups are asked for without
        neighbours, or of land in more pieces than groups.
    UnmatchedError
        If neighbours are of other areas.

    Examples
    --------
    >>> from placeshaping.shaping.segment_variables import prepare_variables
    >>> areas = pd.Index([f"E0100000{n}" for n in range(1, 6)], name="area_code")
    >>> table = {"renting": [9, 55, 12, 60, 52], "alone": [30, 23, 18, 20, 12]}
    >>> segments = make_segments(prepare_variables(pd.DataFrame(table, areas)), groups=2)
    >>> segments["segment"].tolist()
    ['B', 'A', 'B', 'A', 'A']
    """
    check_choice(method, ["k_means", "connected"], name="method")
    check_whole(starts, name="starts")
    _check_groups(prepared.values, groups)
    values = prepared.values.sort_index().sort_index(axis="columns")
    matrix = values.to_numpy()
    if method == "k_means":
        labels, _ = best_k_means(matrix, groups, starts=starts, seed=rng)
        told = f"K-means into {groups} groups, the tightest of {starts:,} starts, seed {rng}"
    else:
        labels = connected_ward(matrix, groups, connections(values.index, neighbours, groups))
        told = f"Ward's method into {groups} groups, joining neighbouring areas alone"
    labels = _largest_first(labels, groups)
    result = _lay_out(values, labels, groups)
    order = [*prepared.values.index, *prepared.left_out]
    result = result.reindex(pd.Index(order, name=prepared.values.index.name))
    result.attrs["method"] = f"{told}; {prepared.method}"
    result.attrs["explained"] = _explained(matrix, labels, groups)
    result.attrs["centres"] = pd.DataFrame(
        centres_of(matrix, labels, groups),
        index=pd.Index(segment_letters(groups), name="segment"),
        columns=values.columns,
    )
    result.attrs["cautions"] = (*prepared.cautions, *_small_groups(result["segment"]))
    return result


def _check_groups(values: pd.DataFrame, groups: int) -> None:
    check_whole(groups, name="groups", least=2)
    if groups > MOST_GROUPS:
        msg = f"groups is {groups}; more than {MOST_GROUPS} cannot be told apart on a map."
        raise InputError(msg)
    unlike = len(values.drop_duplicates())
    if unlike < groups:
        msg = (
            f"{groups} groups of {len(values):,} areas, of which {unlike:,} are unlike each other, "
            "cannot be made. Ask for fewer."
        )
        raise EmptyError(msg)


def connections(areas: pd.Index, neighbours: Graph | None, groups: int) -> sparse.csr_array:
    """
    Return the neighbours of some areas as a matrix; refuse land in too many pieces.

    Parameters
    ----------
    areas
        In the order wanted.
    neighbours
        Of them, and maybe others.
    groups
        How many connected groups shall be made.

    Returns
    -------
    matrix
        Symmetric, of zeros and ones.

    Raises
    ------
    InputError
        If no neighbours are given, or the areas are in several pieces.
    UnmatchedError
        If areas are not among them.
    """
    if neighbours is None:
        msg = f"{groups} connected groups need neighbours: neighbours=contiguity(areas)."
        raise InputError(msg)
    place = pd.Index(neighbours.unique_ids).get_indexer(areas)
    lost = areas[place < 0]
    if len(lost):
        msg = (
            f"{len(lost):,} of {len(areas):,} areas are not among the neighbours "
            f"({listed(list(lost))}). Make them of the same areas."
        )
        raise UnmatchedError(msg)
    matrix: sparse.csr_array = neighbours.sparse.tocsr()[place][:, place]
    pieces, _ = csgraph.connected_components(matrix, directed=False)
    if pieces > 1:
        msg = (
            f"The areas lie in {pieces:,} pieces that do not touch, and connected groups need one. "
            "Join them, join_pieces(areas, neighbours), or take areas of one piece."
        )
        raise InputError(msg)
    return matrix


def _largest_first(labels: NDArray[np.intp], groups: int) -> NDArray[np.intp]:
    """Rank the groups by their size; of equal ones, that of the first area first."""
    sizes = np.bincount(labels, minlength=groups)
    first = np.array([int(np.argmax(labels == group)) for group in range(groups)])
    rank = np.empty(groups, dtype=np.intp)
    rank[np.lexsort((first, -sizes))] = np.arange(groups)
    return rank[labels]


def _lay_out(values: pd.DataFrame, labels: NDArray[np.intp], groups: int) -> pd.DataFrame:
    letters = pd.Index(segment_letters(groups))
    away = cdist(values.to_numpy(), centres_of(values.to_numpy(), labels, groups))
    rows = np.arange(len(labels))
    own = away[rows, labels].copy()
    away[rows, labels] = np.inf
    second = away.argmin(axis=1)
    other = away[rows, second]
    margin = np.clip(1 - own / np.maximum(other, 1e-300), 0, 1)
    return pd.DataFrame(
        {
            "segment": pd.Categorical.from_codes(labels.tolist(), categories=letters),
            "distance": own,
            "second": pd.Categorical.from_codes(second.tolist(), categories=letters),
            "margin": margin,
        },
        index=values.index,
    )


def _explained(values: NDArray[np.float64], labels: NDArray[np.intp], groups: int) -> float:
    away = values - centres_of(values, labels, groups)[labels]
    return float(1 - (away**2).sum() / ((values - values.mean(axis=0)) ** 2).sum())


def _small_groups(segment: pd.Series[str]) -> tuple[str, ...]:
    sizes = segment.value_counts()
    small = [f"{name} ({size})" for name, size in sizes.sort_index().items() if size < FEW_AREAS]
    if not small:
        return ()
    return (f"Groups of fewer than {FEW_AREAS} areas: {', '.join(small)}. Read them area by area.",)


def profile_segments(
    values: pd.DataFrame, segments: pd.DataFrame, *, weights: pd.Series[float] | None = None
) -> pd.DataFrame:
    """
    Compare each group with all areas, variable by variable.

    Parameters
    ----------
    values
        Areas by variables as they are read: percentages, rates. Variables that
        made no groups may be among them.
    segments
        From `make_segments`.
    weights
        By area: what a mean is weighted by, such as residents. By default every
        area counts alike.

    Returns
    -------
    profile
        A row for each group and variable: `segment`, `variable`, `mean` (of
        the group), `everywhere` (of all areas), `times` (the one over the
        other) and `deviations` (their difference in standard deviations of the
        areas). Missing values are left out.

    Raises
    ------
    ColumnError
        If `segments` is not from `make_segments`.
    UnmatchedError
        If areas with a group have no values.

    Examples
    --------
    >>> from placeshaping.shaping.segment_variables import prepare_variables
    >>> areas = pd.Index([f"E0100000{n}" for n in range(1, 6)], name="area_code")
    >>> table = pd.DataFrame({"renting": [9, 55, 12, 60, 52], "alone": [30, 23, 18, 20, 12]}, areas)
    >>> segments = make_segments(prepare_variables(table), groups=2)
    >>> profile_segments(table, segments).round(2).head(2)
      segment variable   mean  everywhere  times  deviations
    0       A  renting  55.67        37.6   1.48        0.72
    1       A    alone  18.33        20.6   0.89       -0.34
    """
    check_columns(segments.columns, ["segment"], where="segments")
    group = segments["segment"].dropna()
    lost = group.index.difference(values.index)
    if len(lost):
        msg = f"{len(lost):,} areas with a group have no values ({listed(list(lost))})."
        raise UnmatchedError(msg)
    table = values.loc[group.index].astype("float64")
    weight = pd.Series(1.0, group.index) if weights is None else weights.reindex(group.index)
    spread, everywhere = table.std(), _mean(table, weight)
    rows = []
    for letter in group.cat.categories:
        members = group.index[group == letter]
        mean = _mean(table.loc[members], weight[members])
        rows.append(
            pd.DataFrame(
                {
                    "segment": letter,
                    "variable": table.columns.astype(str),
                    "mean": mean.to_numpy(),
                    "everywhere": everywhere.to_numpy(),
                    "times": (mean / everywhere.where(everywhere != 0)).to_numpy(),
                    "deviations": ((mean - everywhere) / spread.where(spread > 0)).to_numpy(),
                }
            )
        )
    return pd.concat(rows, ignore_index=True)


def _mean(table: pd.DataFrame, weight: pd.Series[float]) -> pd.Series[float]:
    known = table.notna().mul(weight, axis="index").sum()
    found: pd.Series[float] = table.mul(weight, axis="index").sum() / known.where(known > 0)
    return found


def segments_by_decile(segments: pd.DataFrame, deciles: pd.Series[float]) -> pd.DataFrame:
    """
    Audit groups by deprivation: how many areas of each lie in which tenth.

    Parameters
    ----------
    segments
        From `make_segments`.
    deciles
        Deprivation decile by area, 1 being the most deprived.

    Returns
    -------
    table
        Groups by decile, 1 to 10: areas. Those without a decile are left out.

    Examples
    --------
    >>> segments = pd.DataFrame({"segment": pd.Categorical(["A", "A", "B"])}, list("abc"))
    >>> segments_by_decile(segments, pd.Series([1, 2, 9], list("abc")))[[1, 2, 9]]
             1  2  9
    segment
    A        1  1  0
    B        0  0  1
    """
    check_columns(segments.columns, ["segment"], where="segments")
    tenth = deciles.reindex(segments.index)
    known = segments["segment"].notna() & tenth.notna()
    table = pd.crosstab(segments.loc[known, "segment"], tenth[known].astype(int))
    table = table.reindex(index=segments["segment"].cat.categories, columns=range(1, 11))
    return table.fillna(0).astype("int64").rename_axis(index="segment", columns=None)
