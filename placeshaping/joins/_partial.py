"""One partition placed and counted: small, picklable, and additive."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from placeshaping._core.codes import made_for_2021
from placeshaping.joins._geometry import coordinates, find
from placeshaping.joins._tally import weights_of
from placeshaping.joins.index import AreaIndex, build_index
from placeshaping.joins.published import match_published
from placeshaping.sources.partitions import read_partition
from placeshaping.sources.services import ServiceReport
from placeshaping.sources.streams import Partition, RecordSource

BY_COORDINATE, BY_CODE, BY_NEAREST, OUTSIDE, UNPLACED = range(5)
"""How a record found its area, or why it has none."""

UNCODED, OLDER, MADE_FOR_2021 = range(3)
"""What a record's published code tells of its census year."""

INCOMPARABLE, AGREES, DIFFERS = range(3)
"""Whether coordinate and published code mean the same area."""

NOWHERE, LOCATED, OFF_MAP = range(3)
"""Where a record says that it lies: not at all, in the United Kingdom, or outside it."""

FACTS = ("month", "category", "force", "given", "place", "how", "code", "agreement",
         "several", "lost_code")  # fmt: skip
"""What the reports count records by, in the order of the columns of `Partial.facts`."""


HELD = ("months", "forces", "categories", "covered")
"""What a partition holds, asked for or not; and the months that it covers."""

_BLOCK = 512


@dataclass(frozen=True)
class Partial:
    """
    What a partition adds to the counts and to the reports.

    Attributes
    ----------
    source, order, name, place
        Which partition, and the file that it lies in: by name, and where.
    facts
        Distinct combinations of `FACTS`, one tuple each.
    fact, area, rows, weights
        The cells: number of the combination, row of `areas` (-1: none), records
        in it, and how many events they stand for.
    ids, cell
        Digest of each Crime ID and the cell that its record was counted into.
    digests
        Of whole rows with and without Crime ID, where the file was cut.
    chunk_facts
        `rows_read`, `undated`, `duplicates`, `duplicates_kept`.
    held
        `HELD`.
    codes
        Distinct published codes of its records.
    report
        Of the records of a service.
    """

    source: int
    order: int
    name: str
    place: tuple[str, str | None]
    facts: list[tuple[Any, ...]]
    fact: NDArray[np.int32]
    area: NDArray[np.int32]
    rows: NDArray[np.int64]
    weights: NDArray[np.int64]
    ids: NDArray[np.uint64]
    cell: NDArray[np.int32]
    digests: tuple[NDArray[np.uint64], NDArray[np.uint64]] | None
    chunk_facts: dict[str, int]
    held: dict[str, tuple[str, ...]]
    codes: tuple[str, ...]
    report: ServiceReport | None


@dataclass
class Counter:
    """
    Places and counts partitions; holds what all of them need.

    Sent once to each worker. What it learns on the way (the meaning of
    published codes) is not sent along.
    """

    sources: tuple[RecordSource, ...]
    index: AreaIndex
    areas: gpd.GeoDataFrame
    changes: pd.DataFrame | None
    limit: float | None
    threads: int | None = None
    _known: dict[str, int] = field(default_factory=dict, repr=False)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_known": {}}

    def count(self, partition: Partition) -> Partial:
        """Read a partition, place its records and count them."""
        chunk = read_partition(partition, self.sources[partition.source])
        placing, area, code, labels = self._place(chunk.events)
        lost = (area < 0) & (code >= 0)
        placing |= {"code": code, "lost_code": np.where(lost, code + 1, 0)}
        columns = _fact_columns(chunk.events, placing)
        fact, facts = _combinations(columns, chunk.events, labels)
        joint, cells = pd.factorize(fact.astype(np.int64) * (len(self.areas) + 1) + area + 1)
        cell_fact, cell_area = np.divmod(cells, len(self.areas) + 1)
        rows = np.bincount(joint, minlength=len(cells)).astype(np.int64)
        stands_for = weights_of(chunk.events)
        named = chunk.ids != 0
        name = partition.member.name
        return Partial(
            source=partition.source,
            order=partition.order,
            name=name if partition.member.inside else partition.member.container.name,
            place=(str(partition.member.container), partition.member.inside),
            facts=facts,
            fact=cell_fact.astype(np.int32),
            area=(cell_area - 1).astype(np.int32),
            rows=rows,
            weights=rows if stands_for is None else _summed(joint, stands_for, len(cells)),
            ids=chunk.ids[named],
            cell=joint[named].astype(np.int32),
            digests=chunk.digests,
            chunk_facts={
                name: getattr(chunk, name)
                for name in ("rows_read", "undated", "duplicates", "duplicates_kept")
            },
            held={name: getattr(chunk, name) for name in HELD},
            codes=tuple(labels),
            report=chunk.report,
        )

    def _place(self, events: pd.DataFrame) -> tuple[Any, ...]:
        """Give each record an area as `place_events` does; refuse nothing yet."""
        x, y = coordinates(events)
        located = np.isfinite(x) & np.isfinite(y)
        inside, several = self.index.locate(x, y, threads=self.threads)
        by_coordinate = inside.astype(np.int64)
        code, distinct = pd.factorize(events["area_code"])
        labels: list[str] = pd.Index(distinct).astype(object).tolist()
        meant = np.append(self._meaning(labels), -1)[code]
        area = np.where(by_coordinate >= 0, by_coordinate, meant)
        how = np.where(by_coordinate >= 0, BY_COORDINATE, BY_CODE)
        if self.limit is not None:
            away = np.flatnonzero((area < 0) & located)
            near = find(x[away], y[away], self.areas, limit=self.limit, index=self.index)
            area[away] = near.nearest
            how[away] = BY_NEAREST
        how[(area < 0) & located] = OUTSIDE
        how[(area < 0) & ~located] = UNPLACED
        agreement = np.full(len(events), INCOMPARABLE)
        comparable = (by_coordinate >= 0) & (meant >= 0)
        agreement[comparable] = np.where(by_coordinate == meant, AGREES, DIFFERS)[comparable]
        facts = {"how": how, "agreement": agreement, "several": self._in_several(x, y, several)}
        return facts, area, code, labels

    def _in_several(
        self, x: NDArray[np.float64], y: NDArray[np.float64], several: int
    ) -> NDArray[np.bool_]:
        """Mark the records inside several areas: few, so blocks that hold any are halved."""
        marked = np.zeros(len(x), dtype=bool)
        if not several:
            return marked
        open_parts = []
        for start in range(0, len(x), _BLOCK):
            stop = min(start + _BLOCK, len(x))
            held = self.index.locate(x[start:stop], y[start:stop], threads=1)[1]
            open_parts.append((start, stop, held))
        while open_parts:
            start, stop, count = open_parts.pop()
            if count in (0, stop - start):
                marked[start:stop] = count > 0
                continue
            middle = (start + stop) // 2
            left = self.index.locate(x[start:middle], y[start:middle], threads=1)[1]
            open_parts += [(start, middle, left), (middle, stop, count - left)]
        return marked

    def _meaning(self, labels: list[str]) -> NDArray[np.int64]:
        """Return the row of `areas` that each code means; asked once for each code."""
        new = [label for label in labels if label not in self._known]
        if new:
            codes = pd.Series(new, dtype="str")
            meant = match_published(codes, self.areas, changes=self.changes).position
            self._known.update(zip(new, (int(row) for row in meant), strict=True))
        return np.array([self._known[label] for label in labels], dtype=np.int64)


def make_counter(
    sources: tuple[RecordSource, ...],
    areas: gpd.GeoDataFrame,
    *,
    changes: pd.DataFrame | None,
    limit: float | None,
    threads: int | None = None,
) -> Counter:
    """Compile the areas; keep their outlines only where the nearest may be asked for."""
    index = build_index(areas)
    kept = areas[["geometry"]] if limit is not None else gpd.GeoDataFrame(index=areas.index)
    kept.attrs = {name: areas.attrs.get(name) for name in ("level", "vintage")}
    return Counter(sources, index, kept, changes, limit, threads)


def _fact_columns(events: pd.DataFrame, placing: dict[str, Any]) -> dict[str, NDArray[np.int64]]:
    columns = {name: events[name].cat.codes.to_numpy() for name in ("month", "category", "force")}
    columns["given"] = events["given"].to_numpy(dtype=bool)
    columns["place"] = np.where(events["easting"].notna(), LOCATED, NOWHERE)
    columns["place"][events["off_map"].to_numpy(dtype=bool)] = OFF_MAP
    together = {**columns, **placing}
    return {name: np.asarray(values).astype(np.int64) for name, values in together.items()}


@cache
def _newer(code: str) -> bool:
    return made_for_2021(code)


def _combinations(
    columns: dict[str, NDArray[np.int64]], events: pd.DataFrame, labels: list[str]
) -> tuple[NDArray[np.intp], list[tuple[Any, ...]]]:
    """Give each record the number of its combination of facts; spell the combinations out."""
    newer = np.array([MADE_FOR_2021 if _newer(x) else OLDER for x in labels] + [UNCODED])
    columns["code"] = newer[columns["code"]]
    joint = np.zeros(len(events), dtype=np.int64)
    for name in FACTS:
        values = columns[name] + 1  # a missing month is -1
        joint = joint * (int(values.max(initial=0)) + 1) + values
    number, _ = pd.factorize(joint)
    first = np.full(int(number.max(initial=-1)) + 1, -1)
    first[number[::-1]] = np.arange(len(number))[::-1]
    spelt: list[list[Any]] = []
    for name in FACTS:
        values = columns[name][first]
        if name in ("month", "category", "force"):
            names = [*map(str, events[name].cat.categories), None]
            spelt.append([names[value] for value in values])
        elif name == "lost_code":
            spelt.append([labels[value - 1] if value else None for value in values])
        else:
            spelt.append([int(value) for value in values])
    return number, list(zip(*spelt, strict=True))


def _summed(joint: NDArray[np.intp], weights: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    return np.bincount(joint, weights=weights, minlength=size).astype(np.int64)
