"""
Several releases of one dataset as one system of counts.

Areas and categories are known by what they are made of, not by their names:
a merged area of one release and a plain one of another are the same where they
hold the same smallest areas. Where one holds others but not all of it, what is
left is an area (or category) as well, though nobody has published it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from placeshaping._core.checks import listed
from placeshaping.disclosure.ledger._span_kernels import UNKNOWN
from placeshaping.disclosure.ledger.bounds import NestedSums, SpanCells
from placeshaping.disclosure.policies import Policy

Things = frozenset[str]

DEPTH = 2
"""How often what is left of an area is compared with the other areas again."""


@dataclass(frozen=True)
class Known:
    """
    What readers know of one release.

    Attributes
    ----------
    name
        ``"this release"`` or ``"release 3"``.
    smallest_hidden
        0 where a hidden cell may be zero, else 1.
    error
        How far a shown count may be from the true one; None where that is not known.
    cells, members
        As in `LedgerEntry`.
    """

    name: str
    smallest_hidden: int
    error: int | None
    cells: pd.DataFrame
    members: pd.DataFrame


def error_of(policy: Policy) -> int | None:
    """
    Return how far a shown count may be from the true one under a policy.

    None for methods that add noise or round so that totals add up: how far
    those go depends on more than the policy, and their counts are not taken
    as bounds.

    Examples
    --------
    >>> from placeshaping.disclosure.policies import policy_named
    >>> error_of(policy_named("public")), error_of(policy_named("open"))
    (2, 0)
    """
    return policy.rounding // 2 if policy.method in ("as_is", "round", "suppress") else None


@dataclass(frozen=True)
class Kind:
    """
    All areas (or all categories) of a system.

    Attributes
    ----------
    made_of
        What each is made of.
    names
        Of each; what nobody has published is named by what it is left of.
    sums
        Which are the sum of others.
    """

    made_of: list[Things]
    names: list[str]
    sums: NestedSums


@dataclass(frozen=True)
class System:
    """
    The cells of several releases, in one numbering.

    Attributes
    ----------
    areas, categories
        What is counted.
    ends
        Months (counted from year 0) at which spans begin or end.
    table
        One row a cell that says something, sorted by area and category,
        those of the new release first: `area`, `category`, `start`, `end`
        (numbers), `release` (0 is the new one), `row` (of its cells),
        `count` (-1 where hidden), `lower`, `upper`.
    releases
        Their names, in the order of `release`.
    threshold
        Of each category: counts under it must not be known.
    """

    areas: Kind
    categories: Kind
    ends: NDArray[np.int64]
    table: pd.DataFrame
    releases: list[str]
    threshold: NDArray[np.int64]

    @property
    def shape(self) -> tuple[int, int, int]:
        """Numbers of areas, categories and ends of spans."""
        return len(self.areas.names), len(self.categories.names), len(self.ends)

    def span_cells(self, blame: NDArray[np.int32]) -> SpanCells:
        """Return the cells as bounds, each with the number that it is blamed by."""
        numbers, bounds = (
            [self.table[name].to_numpy(dtype=kind) for name in names]
            for kind, names in (
                (np.int64, ("area", "category", "start", "end")),
                (np.int32, ("lower", "upper")),
            )
        )
        return SpanCells(*numbers, *bounds, blame)  # type: ignore[call-arg]

    @cached_property
    def groups(self) -> NDArray[np.int64]:
        """Where the rows of each area and category start in `table`."""
        group = self.table["area"].to_numpy() * self.shape[1] + self.table["category"].to_numpy()
        starts: NDArray[np.int64] = np.searchsorted(group, np.arange(np.prod(self.shape[:2]) + 1))
        return starts


def make_system(new: Known, former: Sequence[Known], *, threshold: int) -> System:
    """
    Put a new release and those before it into one system.

    Parameters
    ----------
    new
        The new release.
    former
        Those before it, newest first. Areas and categories that have nothing
        in common with the new release are left out.
    threshold
        Of categories of which the new release shows no part.

    Returns
    -------
    system
        Of all their cells that say something.
    """
    known = [new, *former]
    table = pd.concat([_bounded(release, n) for n, release in enumerate(known)], ignore_index=True)
    areas, table["area"] = _identified(known, table, kind="area", column="area_code")
    categories, table["category"] = _identified(known, table, kind="category", column="category")
    table = table[(table["area"] >= 0) & (table["category"] >= 0)]
    start, end = _month(table["first"]), _month(table["last"]) + 1
    ends = np.unique(np.concatenate([start, end]))
    table = table.assign(start=np.searchsorted(ends, start), end=np.searchsorted(ends, end))
    wanted = ["area", "category", "start", "end", "release", "row", "count", "lower", "upper"]
    table = table.sort_values(["area", "category", "release", "row"], ignore_index=True)
    return System(
        areas, categories, ends, table[wanted], [release.name for release in known],
        _thresholds(new, categories, threshold),
    )  # fmt: skip


def _bounded(release: Known, number: int) -> pd.DataFrame:
    """Turn the cells of a release into what they say: a lowest and a highest count."""
    cells = release.cells
    count = cells["count"].to_numpy(dtype=np.int64, na_value=-1)
    threshold = cells["threshold"].to_numpy(dtype=np.int64)
    shown = (cells["status"] == "shown").to_numpy()
    error = UNKNOWN if release.error is None else release.error
    zero = (count == 0) & (release.smallest_hidden == 1) & (release.error is not None)
    least = np.maximum(count - error, np.where(threshold <= count + error, threshold, 0))
    lower = np.where(shown, np.where(zero | (count < 0), 0, np.maximum(least, 0)), 0)
    upper = np.where(shown & (count >= 0), np.where(zero, 0, count + error), UNKNOWN)
    hidden = (cells["status"] == "hidden").to_numpy()
    found = pd.DataFrame(
        {
            "level": cells["level"].to_numpy(), "area_code": cells["area_code"].to_numpy(),
            "category": cells["category"].to_numpy(), "first": cells["first"].to_numpy(),
            "last": cells["last"].to_numpy(), "release": number, "row": np.arange(len(cells)),
            "count": count, "lower": np.where(hidden, release.smallest_hidden, lower),
            "upper": np.minimum(upper, UNKNOWN),
        }
    )  # fmt: skip
    return found[(cells["status"] != "missing").to_numpy()]


def _month(text: pd.Series[str]) -> NDArray[np.int64]:
    """Count months from year 0; spans are few, so each is read once."""
    codes, unique = pd.factorize(text)
    months = [12 * int(month[:4]) + int(month[5:]) - 1 for month in unique]
    found: NDArray[np.int64] = np.array(months, dtype=np.int64)[codes]
    return found


def _identified(
    known: Sequence[Known], table: pd.DataFrame, *, kind: str, column: str
) -> tuple[Kind, NDArray[np.int64]]:
    """Give areas (or categories) numbers by what they are made of; -1 for strangers."""
    made_of = _makers(known, kind)
    numbers: dict[Things, int] = {}
    names: list[str] = []
    partitions: dict[tuple[int, ...], None] = {}
    found = np.full(len(table), -1, dtype=np.int64)
    local: Things = frozenset()
    for n in range(len(known)):
        rows = np.flatnonzero((table["release"] == n).to_numpy())
        codes, unique = pd.factorize(table[column].iloc[rows])
        keys = [made_of(str(code), n) for code in unique]
        if n == 0:
            local = frozenset().union(*keys)
        position = np.full(len(unique), -1, dtype=np.int64)
        for u, key in enumerate(keys):
            if not key.isdisjoint(local):
                position[u] = numbers.setdefault(key, len(numbers))
                if position[u] == len(names):
                    names.append(str(unique[u]))
        found[rows] = position[codes]
        order = list(numbers)
        held = sorted({int(p) for p in position if p >= 0}, key=lambda p: (len(order[p]), p))
        partitions.update(dict.fromkeys(_layers(held, order)))
    return _nested(list(numbers), names, list(partitions)), found


def _makers(known: Sequence[Known], kind: str) -> _MadeOf:
    own = []
    for release in known:
        rows = release.members[release.members["kind"] == kind]
        parts: dict[str, list[str]] = {}
        for whole, part in zip(rows["whole"].astype(str), rows["part"].astype(str), strict=True):
            parts.setdefault(whole, []).append(part)
        own.append(parts)
    return _MadeOf(own)


class _MadeOf:
    """Tells what a code is made of: as its release says, or else another, newest first."""

    def __init__(self, own: Sequence[Mapping[str, Sequence[str]]]) -> None:
        self._own = own
        self._any: dict[str, Sequence[str]] = {}
        for parts in own:
            for whole, inside in parts.items():
                self._any.setdefault(whole, inside)
        self._smallest: dict[str, Things] = {}

    def __call__(self, code: str, release: int) -> Things:
        """Return the smallest parts of a code in a release."""
        if code not in self._own[release]:
            return self._small(code, ())
        return frozenset().union(*(self._small(p, (code,)) for p in self._own[release][code]))

    def _small(self, code: str, above: tuple[str, ...]) -> Things:
        if code in above or code not in self._any:
            return frozenset([code])
        if code not in self._smallest:
            inside = (self._small(part, (*above, code)) for part in self._any[code])
            self._smallest[code] = frozenset().union(*inside)
        return self._smallest[code]


def _layers(held: Iterable[int], order: Sequence[Things]) -> list[tuple[int, ...]]:
    """Divide areas into layers in which none overlaps another; given smallest first."""
    layers: list[tuple[list[int], set[str]]] = []
    for number in held:
        for layer, taken in layers:
            if taken.isdisjoint(order[number]):
                layer.append(number)
                taken.update(order[number])
                break
        else:
            layers.append(([number], set(order[number])))
    return [tuple(sorted(layer)) for layer, _ in layers]


def _nested(made_of: list[Things], names: list[str], partitions: list[tuple[int, ...]]) -> Kind:
    """Find which are sums of others, and add what is left over and the whole of each layer."""
    numbers = {key: number for number, key in enumerate(made_of)}
    made_of, names = list(made_of), list(names)

    def number_of(key: Things, name: str) -> int:
        if key not in numbers:
            numbers[key] = len(made_of)
            made_of.append(key)
            names.append(name)
        return numbers[key]

    for layer in partitions:
        number_of(frozenset().union(*(made_of[n] for n in layer)), "all together")
    sums: dict[tuple[int, ...], None] = {}
    for _ in range(DEPTH):
        last = len(made_of)
        for layer in partitions:
            owner = {thing: n for n in layer for thing in made_of[n]}
            for total in range(last):
                inside = _inside(made_of[total], owner, made_of)
                if not inside or inside == [total]:
                    continue
                rest = made_of[total].difference(*(made_of[n] for n in inside))
                if rest:
                    name = f"{names[total]} without {listed([names[n] for n in inside], most=2)}"
                    inside.append(number_of(rest, name))
                sums[(total, *sorted(inside))] = None
        left = sorted(range(last, len(made_of)), key=lambda n: (len(made_of[n]), n))
        partitions = [*partitions, *_layers(left, made_of)]
    return Kind(made_of, names, _packed(sorted(sums, key=len)))  # short proofs first


def _inside(total: Things, owner: Mapping[str, int], made_of: Sequence[Things]) -> list[int]:
    """Return the areas of a layer that lie wholly in another, in order."""
    touched = Counter(owner[thing] for thing in total if thing in owner)
    return sorted(n for n, times in touched.items() if times == len(made_of[n]))


def _packed(sums: Sequence[tuple[int, ...]]) -> NestedSums:
    lengths = [len(one) - 1 for one in sums]
    return NestedSums(
        np.array([one[0] for one in sums], dtype=np.int64),
        np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        np.array([part for one in sums for part in one[1:]], dtype=np.int64),
    )


def _thresholds(new: Known, categories: Kind, otherwise: int) -> NDArray[np.int64]:
    """
    Return the threshold of each category: its own, or the least of its parts.

    A part has the threshold of the narrowest category of the new release that holds it.
    """
    given = new.cells.groupby("category", observed=True)["threshold"].max()
    made_of = _makers([new], "category")
    own = {made_of(str(label), 0): int(value) for label, value in given.items()}
    part: dict[str, int] = {}
    for key in sorted(own, key=len, reverse=True):
        part.update(dict.fromkeys(key, own[key]))
    least = [min(part.get(thing, otherwise) for thing in key) for key in categories.made_of]
    return np.array(
        [own.get(key, low) for key, low in zip(categories.made_of, least, strict=True)],
        dtype=np.int64,
    )
