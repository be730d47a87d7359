"""Values of areas and who neighbours whom: what each statistic of autocorrelation starts from."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, TypeAlias

import numpy as np
import pandas as pd
from libpysal.graph import Graph
from numpy.typing import NDArray
from scipy import sparse, stats

from placeshaping._core.checks import check_choice, check_labelled, check_unique, listed
from placeshaping._core.errors import ColumnError, EmptyError, InputError
from placeshaping.hotspots._permutation import enough_permutations
from placeshaping.statistics.testing import false_discovery_rate

_log = logging.getLogger(__name__)

Floats: TypeAlias = NDArray[np.float64]
Rows: TypeAlias = NDArray[np.intp]
Weights: TypeAlias = Literal["binary", "row"]

LEVEL = 0.05
"""An area is labelled where q is below this."""

FEW_AREAS = 30
"""With fewer areas the normal approximation of an analytic p-value is poor."""


@dataclass(frozen=True)
class Lattice:
    """
    Series of values over the same areas, and the areas that touch.

    Attributes
    ----------
    index, series
        Labels of the areas and of the series.
    single
        Whether a Series was given rather than a table.
    numbers
        Areas by series; missing as NaN.
    adjacency
        One where two areas are neighbours, without selves.
    least
        Areas that a series needs.
    """

    index: pd.Index
    series: pd.Index
    single: bool
    numbers: Floats
    adjacency: sparse.csr_array
    least: int

    @cached_property
    def known(self) -> NDArray[np.bool_]:
        """Where there is a value."""
        return np.isfinite(self.numbers)

    @cached_property
    def constant(self) -> NDArray[np.bool_]:
        """Tell which series hold one value alone."""
        return constant(self.numbers)

    def patterns(self) -> list[tuple[Rows, Rows]]:
        """Group the series by the areas that they have: each group is one matrix product."""
        groups: dict[bytes, list[int]] = {}
        for column in range(self.numbers.shape[1]):
            groups.setdefault(self.known[:, column].tobytes(), []).append(column)
        both = [(np.flatnonzero(self.known[:, g[0]]), np.array(g)) for g in groups.values()]
        return [(rows, columns) for rows, columns in both if len(rows) >= self.least]

    def long(self, columns: Mapping[str, Any]) -> pd.DataFrame:
        """Lay results of areas by series out, one series after the other."""
        areas, series = self.numbers.shape
        names = self.series.take(np.repeat(np.arange(series), areas))
        flat: dict[str, Any] = {} if self.single else {"series": names}
        for name, column in columns.items():
            flat[name] = column.ravel(order="F") if isinstance(column, np.ndarray) else column
        return pd.DataFrame(flat, index=self.index.take(np.tile(np.arange(areas), series)))


def lay_out(values: pd.Series[Any] | pd.DataFrame, neighbours: Graph, *, least: int = 3) -> Lattice:
    """
    Check values and graph, and bring the graph into the order of the values.

    Raises
    ------
    EmptyError
        If there are fewer areas than `least`, or no series.
    DuplicateError, ColumnError, InputError
        If an area stands twice, values are not numbers or infinite, or areas
        are not in the graph.
    """
    check_labelled(values, name="values")
    table = _as_table(values)
    check_unique(table.index, where="values")
    return Lattice(
        index=table.index,
        series=table.columns,
        single=isinstance(values, pd.Series),
        numbers=_numbers(table, least),
        adjacency=adjacency(neighbours, table.index),
        least=least,
    )


def _as_table(values: pd.Series[Any] | pd.DataFrame) -> pd.DataFrame:
    if isinstance(values, pd.DataFrame):
        return values
    return values.to_frame("values" if values.name is None else values.name)


def _numbers(table: pd.DataFrame, least: int) -> Floats:
    if len(table) < least:
        need = {3: "three", 4: "four"}[least]
        msg = f"Hot spots need at least {need} areas, and 30 to be trusted; given: {len(table)}."
        raise EmptyError(msg)
    if table.columns.empty:
        msg = "There is no series of values. Give counts or rates, one column a series."
        raise EmptyError(msg)
    wrong = [name for name, kind in table.dtypes.items() if not pd.api.types.is_numeric_dtype(kind)]
    if wrong:
        msg = f"Not numbers: {listed(wrong)}. Give counts or rates, one column a series."
        raise ColumnError(msg)
    numbers = table.to_numpy(dtype="float64", na_value=np.nan)
    infinite = int(np.isinf(numbers).sum())
    if infinite:
        msg = f"{infinite:,} values are infinite. Make them missing (NaN) or correct them."
        raise InputError(msg)
    return numbers


def adjacency(neighbours: Graph, index: pd.Index) -> sparse.csr_array:
    """
    Return who is whose neighbour, without selves, in the order of `index`.

    Raises
    ------
    InputError
        If `neighbours` is no graph, or lacks areas.
    """
    if not isinstance(neighbours, Graph):
        msg = (
            f"neighbours is a {type(neighbours).__name__}, not a graph of neighbours. Make one "
            "from the areas: contiguity(areas), k_nearest or distance_band."
        )
        raise InputError(msg)
    position = pd.Index(neighbours.unique_ids).get_indexer(index)
    unknown = index[position < 0]
    if len(unknown):
        msg = (
            f"{len(unknown):,} of {len(index):,} areas are not in the graph of neighbours "
            f"({listed(list(unknown))}). Make it from the same areas: contiguity(areas)."
        )
        raise InputError(msg)
    matrix: sparse.csr_array = sparse.csr_array(neighbours.sparse)[position][:, position]
    matrix.setdiag(0)
    matrix.eliminate_zeros()
    matrix.data = np.ones_like(matrix.data, dtype="float64")
    return matrix


def constant(numbers: Floats) -> NDArray[np.bool_]:
    """Tell which columns hold one value alone; one without any value does not."""
    known = np.isfinite(numbers)
    high = np.where(known, numbers, -np.inf).max(axis=0)
    low = np.where(known, numbers, np.inf).min(axis=0)
    return np.asarray(high == low)


def weigh(adjacency: sparse.csr_array, weights: Weights) -> sparse.csr_array:
    """Return the weights: one each, or shares of each area's neighbours."""
    check_choice(weights, ["binary", "row"], name="weights")
    if weights == "binary":
        return adjacency
    share = 1 / np.maximum(adjacency.sum(axis=1), 1)
    return sparse.csr_array(sparse.diags_array(share) @ adjacency)


def check_correction(correction: str | None) -> None:
    """Refuse a correction that is not one."""
    check_choice(correction, ["fdr", None], name="correction")


def p_and_q(
    scores: Floats, drawn: Floats, *, permutations: int, correction: str | None
) -> tuple[Floats, Floats]:
    """Return two-sided p-values, those drawn or else of the normal distribution, and q-values."""
    p_values = drawn if permutations else 2 * stats.norm.sf(np.abs(scores))
    p_values = np.where(np.isnan(scores), np.nan, p_values)
    q_values = false_discovery_rate(p_values) if correction == "fdr" else p_values
    return p_values, q_values


def tell_local(
    lattice: Lattice, scores: Floats, *, permutations: int, correction: str | None
) -> tuple[str, ...]:
    """Say and log what a reader must know about scores of areas."""
    cautions = tell(lattice, scores, analytic=not permutations)
    if correction:
        cautions += tell_floor(len(lattice.index), permutations)
    return log_cautions(cautions, tell_constant(lattice))


def tell(lattice: Lattice, scores: Floats, *, analytic: bool) -> list[str]:
    """
    Say what a reader must know about results of areas by series; count every missing one.

    Parameters
    ----------
    lattice
        What they were worked out from.
    scores
        The results.
    analytic
        Whether p-values rest on the normal approximation.
    """
    areas = len(lattice.index)
    cautions = list(_few(areas)) if analytic else []
    missing = int((~lattice.known).any(axis=1).sum())
    if missing:
        cautions.append(
            f"{missing:,} of {areas:,} areas lack a value in some series and have no score there."
        )
    islands = lattice.adjacency.sum(axis=1) == 0
    if islands.any():
        alone = int(islands.sum())
        cautions.append(f"{alone:,} of {areas:,} areas have no neighbours and no score.")
    cautions.extend(_short(lattice))
    enough = lattice.known.sum(axis=0) >= lattice.least
    cut_off = (lattice.adjacency @ lattice.known.astype(float) == 0) & ~islands[:, None]
    cut_off &= lattice.known & enough
    if cut_off.any():
        count = int(cut_off.any(axis=1).sum())
        cautions.append(
            f"{count:,} of {areas:,} areas have neighbours without a value and no score there."
        )
    rest = lattice.known & enough & ~lattice.constant & ~cut_off & ~islands[:, None]
    rest &= ~np.isfinite(scores)
    if rest.any():
        cautions.append(
            f"{int(rest.any(axis=1).sum()):,} of {areas:,} areas have no score: their "
            "neighbourhood holds every area, or the other areas one value alone."
        )
    return cautions


def _few(areas: int) -> Iterator[str]:
    if areas < FEW_AREAS:
        yield f"Only {areas} areas: under {FEW_AREAS} the normal approximation is poor."


def _short(lattice: Lattice) -> Iterator[str]:
    short = int((lattice.known.sum(axis=0) < lattice.least).sum())
    if short and lattice.single:
        yield f"Fewer than {lattice.least} areas have a value: no scores."
    elif short:
        yield (
            f"{short:,} of {len(lattice.series):,} series have fewer than {lattice.least} values: "
            f"no scores."
        )


def tell_floor(areas: int, permutations: int) -> list[str]:
    """Say where so few permutations leave the correction nothing to find."""
    if not permutations:
        return []
    enough = enough_permutations(areas, level=LEVEL)
    if permutations >= enough:
        return []
    needed = math.floor(areas * 2 / (permutations + 1) / LEVEL) + 1
    consequence = (
        f"{needed:,} of {areas:,} areas must be there before one is found."
        if needed <= areas
        else "no area can be found."
    )
    return [
        f"With {permutations:,} permutations no p-value is below {2 / (permutations + 1):.2g}: "
        f"{consequence} "
        f"Use more permutations ({enough:,} are enough), or the analytic p-value (permutations=0)."
    ]


def tell_constant(lattice: Lattice) -> list[str]:
    """Say how many series cannot be scored; nothing wrong, a rare offence has such months."""
    flat, series = int(lattice.constant.sum()), len(lattice.series)
    if flat and lattice.single:
        return ["Every area has the same value: nothing stands out, so there are no scores."]
    return [f"{flat:,} of {series:,} series hold one value everywhere: no scores."] if flat else []


def log_cautions(cautions: list[str], facts: list[str]) -> tuple[str, ...]:
    """Write cautions to the log as warnings, facts as information; return all of them."""
    for caution in cautions:
        _log.warning("%s", caution)
    for fact in facts:
        _log.info("%s", fact)
    return (*cautions, *facts)
