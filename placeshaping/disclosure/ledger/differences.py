"""
What a new release gives away together with those before it.

Two releases that each withstand every attack can give a count away together:
a year and a year and a month leave the month, a merged area and one of its
parts leave the other part. Every count between any two dates that appear, of
every area and category and of what is left where one holds another, is
bounded by what is released; where the bounds of one lie under the threshold
and are narrower than the mark of a hidden cell, and neither the new release
alone nor the former ones alone say as much, the new release gives it away.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from placeshaping.disclosure.ledger._span_kernels import UNKNOWN, list_given
from placeshaping.disclosure.ledger.bounds import (
    NestedSums,
    SpanBounds,
    SpanCells,
    bound_spans,
)
from placeshaping.disclosure.ledger.entry import KEYS
from placeshaping.disclosure.ledger.proof import Proof, Prover
from placeshaping.disclosure.ledger.system import Known, System, make_system

EXAMPLES = 5
"""Equations that are written out of what cannot be avoided."""


@dataclass(frozen=True)
class Differences:
    """
    What a new release gives away together with former ones.

    Attributes
    ----------
    cells
        One row a cell of the new release that must be hidden, with the index
        of its cells: `level`, `area_code`, `first`, `last`, `category`,
        `other_release` (number of a former release that helps), `proof` (the
        shortest equation found), `lower` and `upper` (what a reader would
        know of the count that the equation gives).
    unavoidable
        Number of counts that the marks of hidden cells narrow, together with
        former releases: no further hiding in the new release helps there.
    examples
        Equations of the first few of those.
    contradictions
        Number of released values, or of sums of them, that contradict the
        others, as revised records do. They say nothing and are left aside.
    """

    cells: pd.DataFrame
    unavoidable: int
    examples: tuple[str, ...]
    contradictions: int


def find_differences(
    new: Known, former: Sequence[Known], *, numbers: Sequence[int], threshold: int
) -> Differences:
    """
    Find the cells of a new release that give a count away together with former releases.

    Parameters
    ----------
    new
        The new release.
    former
        Former releases of the same dataset, newest first.
    numbers
        Their numbers in the ledger.
    threshold
        Of the new release's policy; counts under it must not be known.

    Returns
    -------
    differences
        All cells that must be hidden: with these hidden nothing more is found.
    """
    if not former or threshold == 0:
        return Differences(_rows(new, {}, numbers), 0, (), 0)
    system = make_system(new, former, threshold=threshold)
    old = (system.table["release"] > 0).to_numpy()
    if not old.any() or old.all():
        return Differences(_rows(new, {}, numbers), 0, (), 0)
    number, mark = _preference(system)
    by_old = _bounds(system, number, old)
    lost = 0
    proofs: dict[int, Proof] = {}
    while True:
        joint = _bounds(system, number, np.ones_like(old))
        lost = lost if proofs else joint.contradictions
        given = _given_away(system, joint, by_old, _bounds(system, number, ~old), new, mark)
        prover = Prover(system, joint.reach)
        found = _cells_to_hide(given[given["blame"] < mark], prover, number, mark)
        if not found:
            break
        proofs.update({int(system.table["row"].iloc[at]): proof for at, proof in found.items()})
        hide = np.array(list(found), dtype=np.intp)
        number[hide] = mark
        _hide(system, hide, new.smallest_hidden)
    examples = tuple(_proof(prover, row).text for row in given.head(EXAMPLES).to_dict("records"))
    return Differences(_rows(new, proofs, numbers), len(given), examples, lost)


def _cells_to_hide(
    given: pd.DataFrame, prover: Prover, number: NDArray[np.int32], mark: int
) -> dict[int, Proof]:
    """Choose for each count that is given away the cell of its equation that is best hidden."""
    found: dict[int, Proof] = {}
    at_number = np.zeros(mark + 1, dtype=np.int64)
    at_number[number] = np.arange(len(number))
    for row in given.to_dict("records"):
        proof = _proof(prover, row)
        usable = [int(number[r]) for r in proof.rows if 0 < number[r] < mark]
        found.setdefault(int(at_number[min(usable, default=row["blame"])]), proof)
    return found


def _proof(prover: Prover, row: Mapping[Hashable, int]) -> Proof:
    return prover.prove(row["area"], row["category"], row["start"], row["end"])


def _preference(system: System) -> tuple[NDArray[np.int32], int]:
    """
    Give the new release's shown cells numbers, those to hide first the lowest; others have 0.

    Short spans, small areas and narrow categories come first, zeros last.
    Returned beside it is the number of the cells that cannot be hidden.
    """
    table = system.table
    parts = [np.array([len(key) for key in made_of])
             for made_of in (system.categories.made_of, system.areas.made_of)]  # fmt: skip
    keys = [
        table["row"].to_numpy(),
        parts[0][table["category"].to_numpy()],
        parts[1][table["area"].to_numpy()],
        system.ends[table["end"].to_numpy()] - system.ends[table["start"].to_numpy()],
        (table["count"] == 0).to_numpy(),
    ]
    order = np.lexsort(keys)
    shown = ((table["release"] == 0) & (table["count"] >= 0)).to_numpy()
    number = np.zeros(len(table), dtype=np.int32)
    chosen = order[shown[order]]
    number[chosen] = np.arange(1, len(chosen) + 1)
    mark = len(chosen) + 1
    number[((table["release"] == 0) & (table["count"] < 0)).to_numpy()] = mark
    return number, mark


def _hide(system: System, rows: NDArray[np.intp], smallest: int) -> None:
    """Hide cells of the new release; a zero that is hidden for another's sake stays a zero."""
    zero = (system.table["count"].to_numpy()[rows] == 0) & (smallest > 0)
    system.table.loc[rows, "lower"] = np.where(zero, 0, smallest)
    system.table.loc[rows, ["count", "upper"]] = [-1, UNKNOWN]


def _bounds(system: System, number: NDArray[np.int32], kept: NDArray[np.bool_]) -> SpanBounds:
    cells: SpanCells = system.span_cells(number).where(kept)
    sums: list[NestedSums] = [system.areas.sums, system.categories.sums]
    return bound_spans(cells, shape=system.shape, area_sums=sums[0], category_sums=sums[1])


def _given_away(
    system: System, joint: SpanBounds, by_old: SpanBounds, alone: SpanBounds, new: Known, mark: int
) -> pd.DataFrame:
    """List the counts that are given away: for each cell to blame the most telling one."""
    names = ["area", "category", "start", "end", "blame"]
    size = 0
    found = np.empty((0, len(names)), dtype=np.int64)
    for _ in range(2):  # first they are counted, then listed
        found = np.empty((size, len(names)), dtype=np.int64)
        size = list_given(
            joint.reach, joint.blame, by_old.reach, alone.reach, system.threshold,
            new.smallest_hidden, found,
        )  # fmt: skip
    table = pd.DataFrame(found, columns=names)
    p, q = table["start"].to_numpy(), table["end"].to_numpy()
    a, c = table["area"].to_numpy(), table["category"].to_numpy()
    width = joint.reach[a, c, p, q] + joint.reach[a, c, q, p]
    order = np.lexsort([q, p, c, a, system.ends[q] - system.ends[p], width, table["blame"]])
    chosen = table.iloc[order]
    return chosen[(chosen["blame"] >= mark) | ~chosen["blame"].duplicated()]


def _rows(new: Known, proofs: Mapping[int, Proof], numbers: Sequence[int]) -> pd.DataFrame:
    """Lay out the cells to hide, in the order of the release."""
    order = sorted(proofs)
    found = new.cells.iloc[order][KEYS].copy()
    chosen = [proofs[row] for row in order]
    found["other_release"] = np.array([numbers[p.other - 1] for p in chosen], dtype=np.int64)
    found["proof"] = pd.Series([p.text for p in chosen], index=found.index, dtype=str)
    found["lower"] = np.array([p.lower for p in chosen], dtype=np.int64)
    found["upper"] = np.array([p.upper for p in chosen], dtype=np.int64)
    return found
