"""The shortest equation that gives a count away, in words and numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from placeshaping.disclosure.ledger._span_kernels import UNKNOWN
from placeshaping.disclosure.ledger.bounds import NestedSums
from placeshaping.disclosure.ledger.system import System

Node = tuple[int, int, int, int]
Term = tuple[int, int]

LENGTHS = (1, 2, 3, 6, 20, 150)
"""Numbers of terms that are tried, one after the other."""

MOST_STEPS = 300
"""Steps after which the search for an equation is given up."""

FULL_SEARCHES = 200
"""Searches of that length; later ones, where so much is given away, take fewer steps."""

FEW_STEPS = 20

TOGETHER = "by all these releases together"
"""Stands where no equation was found in so many steps."""

MOST_TERMS = 8
"""Terms that are written out."""


@dataclass
class _Search:
    """One search: how many terms, what was tried in vain, and how many steps are left."""

    steps: int
    in_vain: dict[Node, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Proof:
    """
    How a count is worked out.

    Attributes
    ----------
    text
        The equation.
    lower, upper
        What it gives.
    other
        Position of a former release that helps; 1 is the newest.
    rows
        The cells that stand in it, as rows of the system's table.
    """

    text: str
    lower: int
    upper: int
    other: int
    rows: tuple[int, ...]


class Prover:
    """
    Finds the released cells that a bound was worked out from.

    Parameters
    ----------
    system
        The cells of all releases.
    reach
        What is known of every span; see `ledger_bounds`.
    """

    def __init__(self, system: System, reach: NDArray[np.int32]) -> None:
        self._system = system
        self._reach = reach
        columns = ["start", "end", "release", "count", "lower", "upper"]
        self._cells = system.table[columns].to_numpy(dtype=np.int64)
        self._searches = 0
        self._sums = (_by_member(system.areas.sums), _by_member(system.categories.sums))

    def prove(self, area: int, category: int, start: int, end: int) -> Proof:
        """Say how the count of an area and category between two ends is worked out."""
        reach = self._reach[area, category]
        lower, upper = -int(reach[end, start]), int(reach[start, end])
        terms = self._terms((area, category, start, end))
        result = f"{lower:,}" if lower == upper else f"{lower:,} to {upper:,}"
        name = self._name(area, category, start, end)
        others = [int(self._cells[row, 2]) for _, row in terms or ()]
        other = max((n for n in others if n > 0), default=0)
        if not other:  # the upper bound rests on the new release alone: the lower one tells
            lowest = self._terms((area, category, end, start)) or []
            found = [int(self._cells[row, 2]) for _, row in lowest]
            other = max((n for n in found if n > 0), default=1)
            terms = [(-sign, row) for sign, row in lowest] or terms
        terms = self._in_order(terms or [])
        rows = tuple(row for _, row in terms)
        if not terms:
            text = f"{name} = {result}, {TOGETHER}"
        else:
            text = f"{name} = {self._written(terms, area, category)} = {result}"
        return Proof(text, lower, upper, other, rows)

    def _terms(self, node: Node) -> list[Term] | None:
        """Return the cells of the shortest equation found for a bound, with their signs."""
        self._searches += 1
        search = _Search(MOST_STEPS if self._searches <= FULL_SEARCHES else FEW_STEPS)
        for most in LENGTHS:
            found = self._explain(node, most, frozenset(), search)
            if found is not None:
                return found
        return None

    def _explain(
        self, node: Node, most: int, above: frozenset[Node], search: _Search
    ) -> list[Term] | None:
        """Explain a bound by at most so many cells; None where that cannot be done."""
        p, q = node[2:]
        value = int(self._reach[node])
        if p == q or (p > q and value == 0):
            return []
        if value >= UNKNOWN or most < 1 or search.steps <= 0 or node in above:
            return None
        if search.in_vain.get(node, 0) >= most:
            return None
        search.steps -= 1
        if (cell := self._cell(node, value)) is not None:
            return [(1 if p < q else -1, cell)]
        if most > 1:
            above = above | {node}
            for parts in self._ways(node, value):
                found = self._explain_all(parts, most, above, search)
                if found is not None:
                    return found
        search.in_vain[node] = most
        return None

    def _explain_all(
        self, nodes: list[Node], most: int, above: frozenset[Node], search: _Search
    ) -> list[Term] | None:
        terms: list[Term] = []
        for n, node in enumerate(nodes):
            left = most - len(terms) - (len(nodes) - n - 1 if len(nodes) > 2 else 0)
            found = self._explain(node, left, above, search)
            if found is None or len(terms) + len(found) > most:
                return None
            terms += found
        return terms

    def _cell(self, node: Node, value: int) -> int | None:
        """Return the released cell that says just this, the new release's first."""
        area, category, p, q = node
        starts = self._system.groups
        group = area * self._system.shape[1] + category
        first, last = int(starts[group]), int(starts[group + 1])
        cells = self._cells[first:last]
        low, high = min(p, q), max(p, q)
        said = cells[:, 5] == value if p < q else cells[:, 4] == -value
        found = np.flatnonzero((cells[:, 0] == low) & (cells[:, 1] == high) & said)
        return first + int(found[0]) if len(found) else None

    def _ways(self, node: Node, value: int) -> Iterator[list[Node]]:
        """Yield what a bound can come from: two spans, a sum of areas, a sum of categories."""
        area, category, p, q = node
        reach = self._reach[area, category]
        by_way_of = reach[p].astype(np.int64) + reach[:, q]
        for k in np.flatnonzero(by_way_of == value):
            if k not in (p, q):
                yield [(area, category, p, int(k)), (area, category, int(k), q)]
        for axis, number in enumerate((area, category)):
            for n in self._sums[axis].get(number, ()):
                if (found := self._by_sum(node, value, axis, n)) is not None:
                    yield found

    def _by_sum(self, node: Node, value: int, axis: int, n: int) -> list[Node] | None:
        """Return what a sum makes a bound of; None where it does not give that bound."""
        area, category, p, q = node
        number = node[axis]
        sums = (self._system.areas.sums, self._system.categories.sums)[axis]
        total, parts = int(sums.totals[n]), sums.parts[sums.starts[n] : sums.starts[n + 1]]
        others = parts if number == total else parts[parts != number]
        ends = (p, q) if number == total else (q, p)
        at = (others, category) if axis == 0 else (area, others)
        said = int(self._reach[(*at, *ends)].sum(dtype=np.int64))
        if number != total:
            said += int(self._reach[_replaced(node, axis, total)])
        if said != value:
            return None
        nodes = [(*_replaced(node, axis, int(other))[:2], *ends) for other in others]
        return nodes if number == total else [_replaced(node, axis, total), *nodes]

    def _name(self, area: int, category: int, start: int, end: int) -> str:
        names = (self._system.areas.names[area], self._system.categories.names[category])
        return f"{names[0]}, {names[1]}, {self._span(start, end)}"

    def _span(self, start: int, end: int) -> str:
        first, last = self._system.ends[start], self._system.ends[end] - 1
        words = [f"{month // 12:04}-{month % 12 + 1:02}" for month in (first, last)]
        return words[0] if words[0] == words[1] else f"{words[0]} to {words[1]}"

    def _written(self, terms: list[Term], area: int, category: int) -> str:
        text = ""
        for sign, row in terms[:MOST_TERMS]:
            joined = (" + " if sign > 0 else " - ") if text else ("" if sign > 0 else "-")
            text += f"{joined}{self._term(row, area, category)}"
        rest = len(terms) - MOST_TERMS
        return f"{text} and {rest:,} more terms" if rest > 0 else text

    def _in_order(self, terms: list[Term]) -> list[Term]:
        """Let terms that are added and taken away cancel; what is added first, the new first."""
        times: Counter[int] = Counter()
        for sign, row in terms:
            times[row] += sign
        found = [(1 if n > 0 else -1, row) for row, n in times.items() for _ in range(abs(n))]
        return sorted(found, key=lambda term: (-term[0], int(self._cells[term[1], 2]), term[1]))

    def _term(self, row: int, area: int, category: int) -> str:
        """Write one released number: what it is, and what differs from the count in question."""
        start, end, release, count, lower, upper = map(int, self._cells[row])
        group = int(np.searchsorted(self._system.groups, row, side="right")) - 1
        own = divmod(group, self._system.shape[1])
        words = [self._system.releases[release]]
        if own[0] != area:
            words.append(self._system.areas.names[own[0]])
        if own[1] != category:
            words.append(self._system.categories.names[own[1]])
        words.append(self._span(start, end))
        if count < 0:
            return f"hidden ({', '.join(words)})"
        number = f"{count:,}" if lower == upper else f"{count:,} [{lower:,} to {upper:,}]"
        return f"{number} ({', '.join(words)})"


def _replaced(node: Node, axis: int, number: int) -> Node:
    area, category, p, q = node
    return (number, category, p, q) if axis == 0 else (area, number, p, q)


def _by_member(sums: NestedSums) -> dict[int, list[int]]:
    """List the sums that each area (or category) stands in."""
    found: dict[int, list[int]] = {}
    of = np.repeat(np.arange(len(sums.totals)), np.diff(sums.starts))
    for number, members in ((np.arange(len(sums.totals)), sums.totals), (of, sums.parts)):
        for n, member in zip(number.tolist(), members.tolist(), strict=True):
            found.setdefault(member, []).append(n)
    return found
