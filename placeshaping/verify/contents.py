"""What a file was found to hold, in one form for all kinds of file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from placeshaping.verify.spans import Span, month_number
from placeshaping.verify.verdict import Breach


@dataclass(frozen=True)
class Table:
    """
    One table of a file, as it was read.

    Attributes
    ----------
    where
        Name of the layer, table or sheet.
    frame
        Its columns, as they are named in the file.
    geometry
        Type of the geometries beside it, where there are some.
    """

    where: str
    frame: pd.DataFrame
    geometry: str | None = None

    @property
    def written_for_readers(self) -> bool:
        """Whether it is one of a page or text, with headings in words."""
        return self.where.startswith("<")

    @property
    def level(self) -> str:
        """Level of its areas, as far as its name tells."""
        return self.where.casefold().removesuffix("_values").split(" ")[-1]


@dataclass
class Contents:
    """
    Everything that was read from a file.

    Attributes
    ----------
    kind
        Kind of file.
    declaration
        What it says of itself.
    tables
        Its tables.
    texts
        Where -> text in which paths are looked for.
    links
        Outside addresses that a reader may follow by clicking.
    breaches
        What was found on reading.
    periods
        Label -> length in years, where the file says so.
    denominators
        Category -> column its rate is worked out over, where the file says so.
    spans
        Label of a period -> its first and last month, where the file says so.
    parts
        Category -> the categories that it is made of, where the file says so.
    members
        Code of an area that is made of others -> their codes.
    counted
        Labels, titles and tooltips that count records, with the number they give.
    legends
        Category -> inner edges of the classes that a page draws.
    record
        What a record of a patrol layer holds, field by field.
    draws
        Whether a page holds a picture or a script, and so may draw a map.
    public_layers
        Layers of points that were found to be the public places declared.
    """

    kind: str
    declaration: dict[str, Any] | None = None
    tables: list[Table] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)
    links: list[str] = field(default_factory=list)
    breaches: list[Breach] = field(default_factory=list)
    periods: dict[str, float] = field(default_factory=dict)
    denominators: dict[str, str | None] = field(default_factory=dict)
    spans: dict[str, Span] = field(default_factory=dict)
    parts: dict[str, tuple[str, ...]] = field(default_factory=dict)
    members: dict[str, tuple[str, ...]] = field(default_factory=dict)
    counted: list[tuple[str, int]] = field(default_factory=list)
    legends: dict[str, list[float]] = field(default_factory=dict)
    record: dict[str, Any] | None = None
    draws: bool = False
    public_layers: set[str] = field(default_factory=set)

    @property
    def masked_points(self) -> str | None:
        """Name of the layer whose points the file declares masked; they are attacked as such."""
        declared = self.declaration or {}
        return str(declared.get("layer")) if declared.get("item") == "features" else None

    def breach(self, where: str, what: str, proof: str = "") -> None:
        """Note a breach."""
        self.breaches.append(Breach(where, what, proof))

    def note_views(self, periods: Any, categories: Any) -> None:
        """Keep what is said of periods and categories: months, denominators, parts."""
        for period in periods if isinstance(periods, list) else []:
            if isinstance(period, Mapping):
                self._note_period(str(period.get("label")), period)
        for category in categories if isinstance(categories, list) else []:
            if isinstance(category, Mapping):
                label, parts = str(category.get("label")), category.get("parts")
                if "denominator" in category:
                    self.denominators[label] = category["denominator"]
                if isinstance(parts, list) and parts:
                    self.parts[label] = tuple(str(part) for part in parts)

    def _note_period(self, label: str, period: Mapping[str, Any]) -> None:
        if isinstance(period.get("months"), int | float):
            self.periods[label] = period["months"] / 12
        first, last = month_number(period.get("first")), month_number(period.get("last"))
        if first is not None and last is not None and first <= last:
            self.spans[label] = (first, last)


class UnreadableError(Exception):
    """A file is damaged, or is not what its name says."""
