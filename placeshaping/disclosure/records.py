"""
Results that are not of areas, as they may leave: summary tables, streets, officers' lists.

A table of the whole district is protected like counts of an area; streets
leave as classes; a list of places or records is for named officers alone.
Maps of areas are made by `release`, everything else here.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import pandas as pd

import placeshaping
from placeshaping._core.checks import listed
from placeshaping._core.columns import column_tags
from placeshaping._core.errors import DisclosureError
from placeshaping._core.provenance import SourceFile
from placeshaping.disclosure._record_tables import (
    class_words,
    count_edges,
    least_shown,
    street_table,
)
from placeshaping.disclosure._record_tables import summary_table as protected_table
from placeshaping.disclosure._record_words import (
    cautions_of,
    method_of,
    paragraph_of,
    statement_of,
)
from placeshaping.disclosure._results import RESULTS, Kind, Result, known_result
from placeshaping.disclosure.own_policies import known_policy
from placeshaping.disclosure.permission import Sensitivity, check_policy, governed
from placeshaping.disclosure.policies import Policy
from placeshaping.disclosure.release import NOT_FOR
from placeshaping.disclosure.seal import Sealed
from placeshaping.disclosure.statement import disclosure_statement

_MAKER = object()

_REMEDY = (
    "Records are made by disclosure.records.release_records(result, policy=...), "
    "which protects what they hold."
)


@dataclass(frozen=True, repr=False)
class Records(Sealed, maker=_MAKER, remedy=_REMEDY):
    """
    A result that is not of areas, as it may leave. Only `release_records` makes one.

    Attributes
    ----------
    name
        Which result: ``"near_repeat"``, ``"profile"``, ``"change"``,
        ``"streets"``, ``"repeat_locations"``, ``"near_repeat_pairs"``,
        ``"risk_bands"``.
    title
        As it stands on every product.
    kind
        ``"summary"``, ``"streets"`` or ``"list"``.
    table
        What leaves; streets with their lines where those were given.
    policy
        The rules that it obeys.
    paragraph
        What it shows, for people who are not statisticians.
    statement
        Sentences that say what was hidden and changed.
    method, cautions
        How it was made, and what a reader must know.
    least
        The least count that is shown; 0 where nothing is hidden.
    purpose, contact, lawful_basis
        What it is for, who answers for it, and on what basis records of
        several services were brought together.
    made_on, expires
        Date that it bears, and the last day on which it may be used.
    already_published
        Where the records can be had by anybody.
    sources, not_for
        The input files, and what it must not be used for.
    """

    name: str
    title: str
    kind: Kind
    table: pd.DataFrame
    policy: Policy
    paragraph: str
    statement: tuple[str, ...]
    method: str
    cautions: tuple[str, ...]
    least: int
    purpose: str
    contact: str
    lawful_basis: str
    made_on: dt.date
    expires: dt.date | None
    already_published: str | None
    sources: tuple[SourceFile, ...]
    not_for: tuple[str, ...]

    def __repr__(self) -> str:
        """Say in a line what it is."""
        return (
            f"<Records {self.title!r}: {self.name}, {len(self.table):,} rows, policy "
            f"{self.policy.name!r}>"
        )

    @property
    def classes(self) -> str:
        """What each class of the column `class` is; empty where there is none."""
        return class_words(self.least) if self._classed else ""

    @property
    def _classed(self) -> bool:
        streets = self.kind == "streets"
        return self.policy.protects and (streets or not self.policy.counts_shown)

    @property
    def declaration(self) -> dict[str, Any]:
        """What every written file says of itself, so that it can be checked."""
        rules = self.policy
        edges = [int(edge) for edge in count_edges(self.least)]
        further = {
            "base": rules.base,
            "loosened": list(rules.loosened),
            "counts_shown": None if rules.counts_shown else False,
            "numbers": True if rules.numbers and rules.protects else None,
            "expires": self.expires and self.expires.isoformat(),
            "class_edges": edges if self._classed else None,
        }
        return {
            "format": 1,
            "made_by": f"placeshaping {placeshaping.__version__}",
            "made_on": self.made_on.isoformat(),
            "title": self.title,
            "item": "records",
            "records": self.name,
            "kind": self.kind,
            "policy": rules.name,
            "method": rules.method,
            "threshold": rules.threshold,
            "rounding": rules.rounding,
            "zeros_shown": rules.zeros_shown,
            "levels": [],
            "already_published": self.already_published,
            "stamp": rules.stamp,
            **{key: value for key, value in further.items() if value not in (None, [])},
        }

    @property
    def notes(self) -> list[tuple[str, str | int]]:
        """
        What a file says of itself, as keys and values; only the declaration holds numbers.

        The keys of sentences may repeat.
        """
        said: list[tuple[str, str | int]] = [
            (key, _plain(value)) for key, value in self.declaration.items()
        ]
        words: Mapping[str, Sequence[str]] = {
            "what it shows": [self.paragraph],
            "purpose": [self.purpose],
            "lawful basis": [self.lawful_basis],
            "statement": self.statement,
            "method": [self.method],
            "mind": self.cautions,
            "not for": self.not_for,
            "source": [f"{one.role}: {one.name}, {one.checksum}" for one in self.sources],
            "contact": [self.contact],
        }
        said += [(key, text) for key, sentences in words.items() for text in sentences]
        return [(key, value) for key, value in said if value != ""]


def _plain(value: Any) -> str | int:
    if isinstance(value, bool) or value is None:
        return "" if value is None else str(value).lower()
    return value if isinstance(value, int | str) else json.dumps(value, ensure_ascii=False)


def require_records(given: object, *, wanted_by: str) -> Records:
    """
    Return records, or refuse anything else and name the remedy.

    Raises
    ------
    DisclosureError
        If `given` is no `Records`, or was changed after it was made.

    Examples
    --------
    >>> require_records({"count": [3]}, wanted_by="write_records")
    Traceback (most recent call last):
        ...
    placeshaping._core.errors.DisclosureError: write_records takes Records, not a dict. ...
    """
    if not isinstance(given, Records):
        msg = (
            f"{wanted_by} takes Records, not a {type(given).__name__}. Make them with "
            "release_records(result, policy='public'), or policy='internal' for your own look."
        )
        raise DisclosureError(msg)
    if not given.unchanged:
        msg = (
            f"{wanted_by} was given Records that were changed after they were made. Copy the table "
            "before you work on it, and make the records anew."
        )
        raise DisclosureError(msg)
    return given


def release_records(
    result: pd.DataFrame,
    *,
    policy: str | Policy,
    title: str,
    made_on: dt.date,
    sensitivity: Sensitivity = "personal",
    already_published: str | None = None,
    purpose: str = "",
    contact: str = "",
    lawful_basis: str = "",
    expires: dt.date | None = None,
    what: str | None = None,
    street: str | None = None,
    sources: Sequence[SourceFile] = (),
    not_for: Sequence[str] = NOT_FOR,
) -> Records:
    """
    Protect a result that is not of areas under a policy, so that it can be published.

    - Tables of counts of the whole (`knox`, `temporal_profile`, and the two
      periods of `change_between` and `change_dispersion`): counts under the
      threshold are hidden, the rest rounded, each by itself; no total is
      given. What is worked out from counts is worked out from those shown.
      Pairs are shown from so many on as need as many records as the threshold.
    - `hot_streets`: classes, the lowest of which holds everything under the
      floor; ranks where the policy shows no counts at all (`police`).
    - Lists of places or records (`repeat_locations`, `near_repeat_pairs`,
      `risk_bands`): only under `restricted` and `internal`.

    Parameters
    ----------
    result
        From one of these functions, unchanged.
    policy
        Name of one of `POLICIES`, or a council's own that hides and rounds.
    title
        As it stands on every product.
    made_on
        Date that the product bears.
    sensitivity, already_published
        Of the records: see `release`.
    purpose, contact
        What the product is for, and who answers for it.
    lawful_basis
        On what basis the records of several services were brought together;
        a list across services needs it.
    expires
        Last day on which the product may be used; some policies need it.
    what
        What was counted, for the paragraph, as the function that describes
        the result takes it.
    street
        Of `hot_streets`: column with the name of the street, which leaves.
    sources
        The input files.
    not_for
        What the product must not be used for.

    Returns
    -------
    records
        Frozen.

    Raises
    ------
    DisclosureError
        If the policy is looser than the input allows, lets out no such list,
        or the table is none that leaves this way.
    HiddenError
        If more than 30 % of a table's cells would be hidden.
    ColumnError
        If there is no column `street`.

    Examples
    --------
    >>> from placeshaping.hotspots.time_of_day import temporal_profile
    >>> times = pd.date_range("2025-03-01", periods=600, freq="97min")
    >>> profile = temporal_profile(pd.DataFrame({"time": times}), by="weekday")
    >>> records = release_records(
    ...     profile, policy="public", title="Weekdays", made_on=dt.date(2025, 6, 1)
    ... )
    >>> records.table[["weekday", "status", "count", "index"]].head(2)
       weekday status  count  index
    0   Monday  shown     90   1.02
    1  Tuesday  shown     90   1.02
    """
    found = _told(result)
    policy = governed(known_policy(policy), sensitivity)
    check_policy(
        policy,
        sensitivity=sensitivity,
        already_published=already_published,
        purpose=purpose,
        expires=expires,
        made_on=made_on,
    )
    _check_list(found, result, policy, sensitivity, lawful_basis)
    table = _protected(found, result, policy, street)
    pairs = found.name == "near_repeat"
    return Records(
        name=found.name,
        title=title,
        kind=found.kind,
        table=table,
        policy=policy,
        paragraph=paragraph_of(found, result, table, policy, what=what),
        statement=tuple(_statement(found, policy, already_published, expires)),
        method=method_of(result, policy),
        cautions=cautions_of(result, policy),
        least=least_shown(policy, pairs=pairs),
        purpose=purpose,
        contact=contact,
        lawful_basis=lawful_basis,
        made_on=made_on,
        expires=expires,
        already_published=already_published,
        sources=tuple(sources),
        not_for=tuple(not_for),
        _maker=_MAKER,
    )


def _told(result: pd.DataFrame) -> Result:
    found = known_result(result) if isinstance(result, pd.DataFrame) else None
    if found is None:
        makers = listed([one.made_by for one in RESULTS], most=len(RESULTS))
        given = "table" if isinstance(result, pd.DataFrame) else type(result).__name__
        msg = (
            f"This {given} is none that leaves as records; those are of {makers}. Areas leave "
            "through release(study, policy=...), with labels by study.with_labels(...)."
        )
        raise DisclosureError(msg)
    return found


def _check_list(
    found: Result,
    result: pd.DataFrame,
    policy: Policy,
    sensitivity: Sensitivity,
    lawful_basis: str,
) -> None:
    """Refuse lists that are not for named officers, and services combined without a basis."""
    personal = [name for name, tag in column_tags(result).items() if tag in ("personal", "special")]
    if personal and sensitivity == "open":
        msg = (
            f"sensitivity is 'open', and columns are tagged personal ({listed(personal)}). Say "
            "sensitivity = 'personal'."
        )
        raise DisclosureError(msg)
    if found.kind == "list" and (policy.leaves or policy.protects):
        msg = (
            f"Policy {policy.name!r} lets out no list of places or records, and {found.made_by} "
            "makes one. Use policy='restricted' with a purpose and a last day, for named officers, "
            "or policy='internal' for your own desk; for everybody else release counts of areas."
        )
        raise DisclosureError(msg)
    services = [name for name in map(str, result.columns) if name.startswith("count_")]
    if found.name == "repeat_locations" and len(services) > 1 and not lawful_basis.strip():
        msg = (
            f"Records of {len(services)} services are brought together place by place: say on what "
            "basis, lawful_basis = '...', which is printed."
        )
        raise DisclosureError(msg)


def _protected(
    found: Result, result: pd.DataFrame, policy: Policy, street: str | None
) -> pd.DataFrame:
    if not policy.protects:
        return _as_it_is(result)
    if found.kind != "streets":
        return protected_table(found.name, result, policy)
    return _drawn(street_table(result, policy, street=street), result)


def _as_it_is(result: pd.DataFrame) -> pd.DataFrame:
    """Return the whole result, its index as a column where it says something."""
    bare = pd.DataFrame(result.copy())
    bare.attrs = {}
    if isinstance(result, gpd.GeoDataFrame):
        bare = bare.drop(columns=result.geometry.name)
    plain = isinstance(result.index, pd.RangeIndex) and result.index.name is None
    street = "length_km" in result
    if not plain or street:
        name = str(result.index.name or ("segment" if street else "row"))
        bare = bare.rename_axis(name).reset_index()
    return _drawn(bare.reset_index(drop=True), result)


def _drawn(table: pd.DataFrame, result: pd.DataFrame) -> pd.DataFrame:
    """Put the lines of streets beside what is told of them."""
    if not isinstance(result, gpd.GeoDataFrame):
        return table
    drawn: pd.DataFrame = gpd.GeoDataFrame(
        table, geometry=result.geometry.to_numpy(), crs=result.crs
    )
    return drawn


def _statement(
    found: Result, policy: Policy, already_published: str | None, expires: dt.date | None
) -> Iterator[str]:
    opening = dataclasses.replace(policy, method="as_is", threshold=0, rounding=1)
    yield from disclosure_statement(
        opening, facts={}, left_out={}, already_published=None, expires=expires
    )
    yield from statement_of(found, policy, already_published=already_published)
