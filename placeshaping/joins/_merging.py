"""Partitions' counts into one: sums, then each repeated Crime ID taken back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from placeshaping.joins._partial import FACTS, Partial

_CATEGORY, _GIVEN = FACTS.index("category"), FACTS.index("given")


class Sums:
    """
    What the partitions add up to.

    The counts are one table of months and categories by areas. Of each record
    with a Crime ID are kept its digest and its cell, 16 bytes in all, until
    `settle` has found the repeats. Which of a repeat stays does not depend on
    the order in which partitions arrive: they are put in their own order first.
    """

    def __init__(self, areas: int) -> None:
        self.areas = areas
        self.facts: dict[tuple[Any, ...], int] = {}
        self.fact_rows = np.zeros(256, dtype=np.int64)
        self.pairs: dict[tuple[str, str], int] = {}
        self.counts = np.zeros((16, areas), dtype=np.int64)
        self.pair_of = np.zeros(256, dtype=np.int64)
        self.repeated: dict[int, int] = {}
        self.sources: dict[int, list[Partial]] = {}
        self.codes: set[str] = set()
        self._named: dict[tuple[int, str], list[tuple[int, Any, Any]]] = {}
        self._digests: dict[tuple[int, Any, bool], list[NDArray[np.uint64]]] = {}

    def add(self, partial: Partial) -> None:
        """Add a partition; the order in which they come is of no matter."""
        number = np.array([self._fact(partial.source, fact) for fact in partial.facts], np.int64)
        fact = number[partial.fact]
        np.add.at(self.fact_rows, fact, partial.rows)
        placed = partial.area >= 0
        cell = (self.pair_of[fact[placed]], partial.area[placed])
        np.add.at(self.counts, cell, partial.weights[placed])
        self._keep_named(partial, fact)
        for named, digests in zip((True, False), partial.digests or (), strict=False):
            self._digests.setdefault((partial.source, partial.place, named), []).append(digests)
        self.codes.update(partial.codes)
        self.sources.setdefault(partial.source, []).append(_without_rows(partial))

    def _fact(self, source: int, fact: tuple[Any, ...]) -> int:
        """Return the number of a combination of facts, making room for new ones."""
        key = (source, *fact)
        number = self.facts.get(key)
        if number is not None:
            return number
        number = self.facts[key] = len(self.facts)
        if number >= len(self.fact_rows):
            self.fact_rows = _doubled(self.fact_rows)
            self.pair_of = _doubled(self.pair_of)
        month, category = fact[:2]
        pair = self.pairs.setdefault((month, category), len(self.pairs))
        if pair >= len(self.counts):
            self.counts = _doubled(self.counts)
        self.pair_of[number] = pair
        return number

    def _keep_named(self, partial: Partial, fact: NDArray[np.int64]) -> None:
        """Keep digest and cell of each record with a Crime ID, by category."""
        if not len(partial.ids):
            return
        cells = fact * (self.areas + 1) + partial.area + 1
        categories = np.array([f[_CATEGORY] for f in partial.facts], dtype=object)
        label, names = pd.factorize(categories[partial.fact])
        of_row = label[partial.cell]
        for number, name in enumerate(names):
            rows = np.flatnonzero(of_row == number)
            if len(rows):
                kept = (partial.order, partial.ids[rows], cells[partial.cell[rows]])
                self._named.setdefault((partial.source, name), []).append(kept)

    def settle(self) -> None:
        """Take back what repeats a Crime ID and category: the first located stays."""
        given = np.array([fact[1 + _GIVEN] for fact in self.facts], dtype=bool)
        while self._named:
            (source, _), kept = self._named.popitem()
            kept.sort(key=lambda part: part[0])
            ids = np.concatenate([part[1] for part in kept])
            rows = _repeated(ids)
            if not len(rows):
                continue
            cells = np.concatenate([part[2] for part in kept])[rows]
            fact, area = np.divmod(cells, self.areas + 1)
            order = np.argsort(~given[fact], kind="stable")
            spare = order[pd.Series(ids[rows][order]).duplicated().to_numpy()]
            fact, area = fact[spare], area[spare] - 1
            np.subtract.at(self.fact_rows, fact, 1)
            placed = area >= 0
            np.subtract.at(self.counts, (self.pair_of[fact[placed]], area[placed]), 1)
            self.repeated[source] = self.repeated.get(source, 0) + len(spare)

    def duplicates(self, source: int) -> tuple[int, int]:
        """Return how many rows equal an earlier one of their file, and those without Crime ID."""
        parts = self.sources.get(source, [])
        every = sum(part.chunk_facts["duplicates"] for part in parts)
        unnamed = sum(part.chunk_facts["duplicates_kept"] for part in parts)
        for (owner, _, named), digests in self._digests.items():
            if owner == source:
                more = _surplus(np.concatenate(digests))
                every += more
                unnamed += 0 if named else more
        return every, unnamed

    def facts_of(self, source: int | None = None) -> pd.DataFrame:
        """Return the records of one source, or of all, by combination of facts."""
        rows = self.fact_rows[: len(self.facts)]
        table = pd.DataFrame(list(self.facts), columns=["source", *FACTS])
        table["rows"] = rows
        kept = table["rows"] > 0
        if source is not None:
            kept &= table["source"] == source
        return table[kept]

    def parts(self, source: int) -> list[Partial]:
        """Return the partitions of one source in their order, without their rows."""
        return sorted(self.sources.get(source, []), key=lambda part: part.order)


def _doubled(table: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.concatenate([table, np.zeros_like(table)])


def _repeated(ids: NDArray[np.uint64]) -> NDArray[np.intp]:
    """Return the rows whose digest stands more than once."""
    ordered = np.sort(ids)
    twice = ordered[1:][ordered[1:] == ordered[:-1]]
    if not len(twice):
        return np.zeros(0, dtype=np.intp)
    twice = np.unique(twice)
    near = np.minimum(np.searchsorted(twice, ids), len(twice) - 1)
    return np.flatnonzero(twice[near] == ids)


def _surplus(digests: NDArray[np.uint64]) -> int:
    """Return how many digests equal another one before them."""
    digests.sort()
    return int((digests[1:] == digests[:-1]).sum())


def _without_rows(partial: Partial) -> Partial:
    """Let go of what the sums hold already."""
    none = np.zeros(0, dtype=np.int64)
    return replace(
        partial,
        facts=[],
        fact=none.astype(np.int32),
        area=none.astype(np.int32),
        rows=none,
        weights=none,
        ids=none.astype(np.uint64),
        cell=none.astype(np.int32),
        digests=None,
        codes=(),
    )
