"""
Counts as one system: everything that was claimed, and every sum that ties it together.

The cells are those of all elements of three axes: periods, categories and
areas. A sum runs along one axis and holds for every pair of elements of the
other two.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from placeshaping.verify.axes import Axis, Piece, make_axis
from placeshaping.verify.claims import DECILES, Claims
from placeshaping.verify.groups import category_sets, may_be_total
from placeshaping.verify.spans import Span, span_name
from placeshaping.verify.verdict import CellKey

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
_MOST_STEPS = 8


@dataclass
class System:
    """
    The cells of some claims, with their bounds and sums.

    Attributes
    ----------
    periods, categories, areas
        The axes.
    lower, upper
        Shape (periods, categories, areas): what a reader knows of each cell.
    hidden
        Cells that are hidden, and shown nowhere.
    published
        Cells that were claimed at all; the others are slivers, or between.
    threshold, smallest
        What the mark of each cell says: `smallest` to `threshold` - 1.
    told
        What a reader of the verdict must know, in words.
    """

    periods: Axis
    categories: Axis
    areas: Axis
    lower: Floats
    upper: Floats
    hidden: Flags
    published: Flags
    threshold: Floats
    smallest: Floats
    told: list[str] = field(default_factory=list)

    @property
    def axes(self) -> tuple[Axis, Axis, Axis]:
        """The three axes, in the order of the arrays."""
        return self.periods, self.categories, self.areas

    def name(self, cell: int) -> str:
        """Name a cell by area, category and period."""
        period, category, area = np.unravel_index(cell, self.lower.shape)
        words = (
            self.areas.names[int(area)],
            self.categories.names[int(category)],
            self.periods.names[int(period)],
        )
        return " ".join(word for word in words if word)

    def key(self, cell: int) -> CellKey | None:
        """Return area, category and period of a cell that was published; None for others."""
        if not self.published.flat[cell]:
            return None
        place = np.unravel_index(cell, self.lower.shape)
        period, category, area = (
            axis.key(int(at)) for axis, at in zip(self.axes, place, strict=True)
        )
        span = (period[0], period[1]) if isinstance(period, tuple) else str(period)
        return str(area), str(category), span

    def level(self, cell: int) -> str:
        """Return the level of a cell's area."""
        return self.areas.levels[int(cell % self.lower.shape[2])] or "file"

    def sums_with(self, cell: int) -> Iterator[tuple[tuple[int, int, int], NDArray[np.intp]]]:
        """Yield the sums that a cell stands in: which, and its cells, the total first."""
        place = [int(n) for n in np.unravel_index(cell, self.lower.shape)]
        strides = (self.lower.shape[1] * self.lower.shape[2], self.lower.shape[2], 1)
        for number, axis in enumerate(self.axes):
            rest = cell - place[number] * strides[number]
            for row in self._rows(number).get(place[number], ()):
                members = np.array([axis.totals[row], *axis.parts[row]], dtype=np.intp)
                yield (number, row, rest), rest + members * strides[number]

    def _rows(self, number: int) -> dict[int, list[int]]:
        kept: dict[int, dict[int, list[int]]] = self.__dict__.setdefault("_kept", {})
        if number not in kept:
            axis, rows = self.axes[number], kept.setdefault(number, {})
            for row, (total, parts) in enumerate(zip(axis.totals, axis.parts, strict=True)):
                for element in (total, *parts):
                    rows.setdefault(element, []).append(row)
        return kept[number]


def system_of(
    claims: Sequence[Claims], *, public: Mapping[str, Sequence[str]] | None = None
) -> System:
    """
    Take claims together.

    Parameters
    ----------
    claims
        Of one file, of several, or of the releases in a ledger.
    public
        Code of an area -> codes of the areas that hold it, known to anybody.

    Returns
    -------
    system
        A cell that several claim has the bounds that all of them leave; where
        they contradict one another, those of the first.

    Examples
    --------
    >>> system_of([]).lower.shape
    (0, 0, 0)
    """
    cells = (
        pd.concat([claim.cells for claim in claims], ignore_index=True)
        if claims
        else pd.DataFrame(columns=["area", "period", "category"])
    )
    told: list[str] = []
    spans = {label: span for claim in claims for label, span in claim.spans.items()}
    keys = cells["period"].map(lambda label: spans.get(label, label))
    periods = _period_axis(claims, spans, cells, list(dict.fromkeys(keys)))
    sets, levels, inferred = category_sets(claims, cells, keys)
    told += inferred
    categories = make_axis(sets, levels=levels, names={key: str(key) for key in sets})
    areas = _area_axis(claims, list(dict.fromkeys(cells["area"])), public or {})
    place = (
        keys.map(periods.place).to_numpy(dtype=np.intp),
        cells["category"].map(categories.place).to_numpy(dtype=np.intp),
        cells["area"].map(areas.place).to_numpy(dtype=np.intp),
    )
    return _filled(_empty(periods, categories, areas, told), cells, place)


def _empty(periods: Axis, categories: Axis, areas: Axis, told: list[str]) -> System:
    """Return a system of which nothing is known."""
    shape = (len(periods.names), len(categories.names), len(areas.names))
    return System(
        periods,
        categories,
        areas,
        lower=np.zeros(shape),
        upper=np.full(shape, np.inf),
        hidden=np.zeros(shape, dtype=bool),
        published=np.zeros(shape, dtype=bool),
        threshold=np.full(shape, np.inf),
        smallest=np.zeros(shape),
        told=told,
    )


def _filled(system: System, cells: pd.DataFrame, place: tuple[NDArray[Any], ...]) -> System:
    """Put the claims into the cells."""
    if not len(cells):
        return system
    flat = np.ravel_multi_index(place, system.lower.shape)
    lower, upper = cells["lower"].to_numpy(float), cells["upper"].to_numpy(float)
    low, high = np.zeros(system.lower.size), np.full(system.lower.size, np.inf)
    np.maximum.at(low, flat, lower)
    np.minimum.at(high, flat, upper)
    odd = low > high
    if odd.any():
        cell, row = np.unique(flat, return_index=True)
        chosen = row[odd[cell]]
        low[odd], high[odd] = lower[chosen], upper[chosen]
        system.told.append(
            f"{int(odd.sum()):,} cells for which two sources say what cannot both hold "
            f"(first {system.name(int(np.flatnonzero(odd)[0]))}): the first source was believed"
        )
    shown = np.zeros(system.lower.size, dtype=bool)
    shown[flat[cells["shown"].notna().to_numpy()]] = True
    hidden = np.zeros(system.lower.size, dtype=bool)
    hidden[flat[cells["hidden"].to_numpy(dtype=bool)]] = True
    system.published.flat[flat] = True
    limit = np.full(system.lower.size, np.inf)
    np.minimum.at(limit, flat, cells["threshold"].to_numpy(float))
    smallest = np.zeros(system.lower.size)
    np.maximum.at(smallest, flat, cells["smallest"].to_numpy(float))
    system.lower, system.upper = low.reshape(system.lower.shape), high.reshape(system.lower.shape)
    system.hidden = (hidden & ~shown).reshape(system.lower.shape)
    system.threshold = _spread(limit.reshape(system.lower.shape), system.published)
    system.smallest = np.where(
        system.published, smallest.reshape(system.lower.shape), smallest.max()
    )
    return system


def _spread(limit: Floats, published: Flags) -> Floats:
    """Give cells that nobody published the threshold of their category."""
    known = np.where(published, limit, np.inf)
    by_category = known.min(axis=(0, 2), keepdims=True)
    by_category = np.where(np.isfinite(by_category), by_category, known.min())
    return np.where(published, limit, np.broadcast_to(by_category, limit.shape))


def _period_axis(
    claims: Sequence[Claims],
    spans: Mapping[str, Span],
    cells: pd.DataFrame,
    keys: Sequence[Hashable],
) -> Axis:
    """Divide the periods into months; those whose label tells none are wholes of their own."""
    unknown = [str(key) for key in keys if not isinstance(key, tuple)]
    sets: dict[Hashable, Piece] = {
        key: frozenset(range(key[0], key[1] + 1)) if isinstance(key, tuple) else frozenset([key])
        for key in keys
    }
    if 2 < len(keys) == len(unknown) and may_be_total(cells, unknown):
        sets[keys[0]] = frozenset().union(*(sets[key] for key in keys[1:]))
    _drop_empty_months(sets, claims, spans)
    labels = {span: label for label, span in reversed(list(spans.items()))}
    return make_axis(
        sets,
        levels={key: str(len(piece)) for key, piece in sets.items()},
        names={key: labels.get(key, "") if isinstance(key, tuple) else str(key) for key in keys},
        name_piece=_name_months,
    )


def _name_months(piece: Piece) -> str:
    months = sorted(month for month in piece if isinstance(month, int))
    if not months or months[-1] - months[0] + 1 != len(months):
        return f"{len(piece)} months that are in no other period"
    return span_name((months[0], months[-1]))


def _drop_empty_months(
    sets: dict[Hashable, Piece], claims: Sequence[Claims], spans: Mapping[str, Span]
) -> None:
    """Take months without data out of a span, where its parts hold all months that have some."""
    months: dict[Hashable, int] = {
        spans.get(label, label): number
        for claim in claims
        for label, number in claim.months.items()
    }
    for key in sorted(sets, key=lambda key: len(sets[key])):
        inside = [other for other in sets if other != key and sets[other] < sets[key]]
        held = frozenset().union(*(sets[other] for other in inside))
        if key in months and 0 < len(held) < len(sets[key]) and len(held) == months[key]:
            sets[key] = held


def _area_axis(
    claims: Sequence[Claims], codes: Sequence[str], public: Mapping[str, Sequence[str]]
) -> Axis:
    """Divide areas into the smallest that are known."""
    levels: dict[Hashable, str] = {
        code: level for claim in claims for code, level in claim.levels.items()
    }
    inside = _contained(claims, codes, levels, public)
    branches = _branches(inside, levels)
    sets: dict[Hashable, Piece] = {}
    for code in codes:
        parts = inside.get(code)
        sets[code] = frozenset(parts) if parts else frozenset([code])
    names = {code: name for claim in claims for code, name in claim.names.items()}
    axis = make_axis(sets, levels=levels, names={code: names.get(code, code) for code in codes})
    for whole, divided in branches:
        if whole in axis.place and all(part in axis.place for part in divided):
            axis.totals.append(axis.place[whole])
            axis.parts.append(sorted(axis.place[part] for part in divided))
    return axis


def _branches(
    inside: dict[str, set[Hashable]], levels: Mapping[Hashable, str]
) -> list[tuple[str, list[Hashable]]]:
    """
    Part levels that divide the same area without a smaller one that tells how they overlap.

    Where a file has MSOAs and wards of a district and no small areas, the
    district is the sum of either, and not of both. The first level stays in
    `inside`; the sums of the others are returned.
    """
    holding = {levels.get(code, "") for code in inside}
    found: list[tuple[str, list[Hashable]]] = []
    for whole, parts in inside.items():
        by: dict[str, list[Hashable]] = {}
        for level in dict.fromkeys(levels.values()):
            given = sorted((p for p in parts if levels.get(p) == level), key=str)
            if given and level not in holding:
                by[level] = given
        if len(by) < 2 or sum(map(len, by.values())) < len(parts):
            continue
        first, *others = by
        inside[whole] = set(by[first])
        found += [(whole, by[other]) for other in others]
    return found


def _contained(
    claims: Sequence[Claims],
    codes: Sequence[str],
    levels: Mapping[Hashable, str],
    public: Mapping[str, Sequence[str]],
) -> dict[str, set[Hashable]]:
    """Return the smallest areas in each area that has some."""
    above: dict[str, list[str]] = {code: list(held) for code, held in public.items()}
    members: dict[str, tuple[str, ...]] = {}
    for claim in claims:
        members.update(claim.members)
        for code, holding in claim.parents.items():
            above[code] = list(dict.fromkeys([*above.get(code, ()), *holding]))
    merged = {part for parts in members.values() for part in parts}
    wanted = {*codes, *members}
    holders = {held for codes_above in above.values() for held in codes_above}
    finest = {code for code in wanted | merged if code not in holders and code not in members}
    if not any(above.get(code) for code in finest):
        finest |= {code for code in above if code not in holders and code not in members}
    else:
        finest |= _between(above, holders, members, wanted, finest)
    found: dict[str, set[Hashable]] = {}
    belongs: dict[str, list[str]] = {}
    for whole, parts in members.items():
        for part in parts:
            belongs.setdefault(part, []).append(whole)
    for code in finest:
        for whole in _climb(code, above, belongs):
            found.setdefault(whole, set()).add(code)
    _single(codes, levels, found, finest)
    return found


def _between(
    above: Mapping[str, Sequence[str]],
    holders: set[str],
    members: Mapping[str, Any],
    wanted: set[str],
    finest: set[str],
) -> set[str]:
    """Return areas that are known publicly, lie under wanted ones and are published by nobody."""
    covered = {held for code in finest for held in above.get(code, ())}
    unreached = (wanted & holders) - covered
    return {
        code
        for code, held in above.items()
        if code not in holders and code not in members and unreached.intersection(held)
    }


def _climb(
    code: str, above: Mapping[str, Sequence[str]], belongs: Mapping[str, Sequence[str]]
) -> set[str]:
    """Return everything that holds an area, however many steps up."""
    found: set[str] = set()
    edge = {code}
    for _ in range(_MOST_STEPS):
        edge = {
            held for one in edge for held in (*above.get(one, ()), *belongs.get(one, ()))
        } - found
        found |= edge
        if not edge:
            break
    return found


def _single(
    codes: Sequence[str],
    levels: Mapping[Hashable, str],
    found: dict[str, set[Hashable]],
    finest: set[str],
) -> None:
    """Let the only area of a level hold all others, where nothing says what it holds."""
    sizes: dict[str, list[str]] = {}
    for code in codes:
        sizes.setdefault(levels.get(code, ""), []).append(code)
    ladder = {level: given for level, given in sizes.items() if level != DECILES}
    alone = [given[0] for given in ladder.values() if len(given) == 1]
    if len(ladder) < 2 or len(alone) == len(ladder):
        return
    for code in alone:
        if not found.get(code):
            finest.discard(code)
            found[code] = set(finest - set(alone))
