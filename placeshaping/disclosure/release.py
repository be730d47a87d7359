"""
The one object that can be published, and the one function that makes it.

Maps, layers and reports take a `Release` and nothing else. Numbers that stand
in it have passed its policy; rates are worked out from the protected counts,
so that dividing them gives back no more than those.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pandas as pd

from placeshaping._core.errors import DisclosureError, HiddenError
from placeshaping._core.provenance import SourceFile
from placeshaping.disclosure._results import refuse_table
from placeshaping.disclosure.declaration import declare
from placeshaping.disclosure.former import (
    HiddenCell,
    attacked_sentence,
    is_remembered,
    named_cells,
    protect_beside,
)
from placeshaping.disclosure.loss import information_lost
from placeshaping.disclosure.own_policies import known_policy
from placeshaping.disclosure.permission import Sensitivity, check_policy, governed
from placeshaping.disclosure.policies import Policy
from placeshaping.disclosure.protection import (
    Protected,
    check_sensitive,
    is_sensitive,
    protect,
)
from placeshaping.disclosure.seal import Sealed
from placeshaping.disclosure.statement import disclosure_statement, reading_cautions
from placeshaping.disclosure.tables import AreaTable, GroupTable, area_table, group_table
from placeshaping.hotspots.labels import LabelScheme
from placeshaping.hotspots.study import Study
from placeshaping.statistics.views import CategoryView, PeriodView

if TYPE_CHECKING:
    from placeshaping.disclosure.ledger import Ledger
    from placeshaping.disclosure.points import Features
    from placeshaping.disclosure.public_places import PublicPlaces
    from placeshaping.disclosure.surfaces import Raster

NOT_FOR = (
    "To judge or single out any person, household or street.",
    "As grounds for a stop, a search or an arrest, or as evidence.",
    "To rank places without regard to the intervals beside the numbers.",
)
"""What no product of this package must be used for."""

MOST_HIDDEN = 0.30
"""Share of areas that may be hidden in the view that opens first."""

_MAKER = object()

_REMEDY = (
    "A Release is made by disclosure.release(study, policy=...), which protects what "
    "it holds; for your own look at raw numbers use policy='internal'."
)


@dataclass(frozen=True, repr=False)
class Release(Sealed, maker=_MAKER, remedy=_REMEDY):
    """
    What may leave, under a named policy. Only `release` makes one.

    Attributes
    ----------
    title, subject, purpose, contact
        Words for the product; `subject` is what is counted ("Recorded crime").
    policy
        The rules that its numbers obey.
    periods, categories
        What is shown, totals first.
    tables
        Level -> `AreaTable`, finest first.
    deprivation
        Numbers by deprivation decile; None where that is not known.
    statement
        Sentences that say what was hidden and why.
    notes
        Sentences about the records: how many, how many could not be placed.
    cautions
        Sentences that a reader must know before reading the numbers.
    not_for
        What the product must not be used for.
    sources
        The input files.
    made_on, expires
        Date that the product bears, and the last day on which it may be used.
    sensitive
        Labels of the categories that have the stricter threshold.
    dataset
        Name of the records in the ledger.
    items
        Name -> masked points or a masked surface, beside the tables.
    labels
        What the further labels of its areas are called and mean.
    places
        Places that are public already, shown beside what was counted.
    sectors
        Postcode sector -> codes of the finest areas that it lies in, by which
        a reader may look a place up.
    facts
        Figures of what the protection cost, for the manifest.
    found, glance
        Of measures that count no records (`release_facts`): what was found, in
        sentences, and what is to be seen at a glance. Empty otherwise: the
        products write those from the numbers.
    """

    title: str
    subject: str
    purpose: str
    contact: str
    policy: Policy
    periods: tuple[PeriodView, ...]
    categories: tuple[CategoryView, ...]
    tables: Mapping[str, AreaTable]
    deprivation: GroupTable | None
    statement: tuple[str, ...]
    notes: tuple[str, ...]
    cautions: tuple[str, ...]
    not_for: tuple[str, ...]
    sources: tuple[SourceFile, ...]
    already_published: str | None
    made_on: dt.date
    hot_spots_of: str | None
    expires: dt.date | None = None
    sensitive: tuple[str, ...] = ()
    dataset: str = ""
    items: Mapping[str, Features | Raster] = field(default_factory=dict)
    labels: tuple[LabelScheme, ...] = ()
    places: tuple[PublicPlaces, ...] = ()
    sectors: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    found: tuple[str, ...] = ()
    glance: tuple[tuple[str, str], ...] = ()

    def __repr__(self) -> str:
        """Say in a line what it is; its tables are long."""
        return (
            f"<Release {self.title!r}, policy {self.policy.name!r}, levels "
            f"{', '.join(self.levels)}, {len(self.periods)} periods, {len(self.categories)} "
            "categories>"
        )

    def table(self, level: str | None = None) -> pd.DataFrame:
        """
        Return the released numbers of a level as one long table, a copy.

        Parameters
        ----------
        level
            A level of the release; by default the finest.

        Returns
        -------
        table
            As `AreaTable.values`, with `area_name`.
        """
        chosen = self.tables[self.levels[0] if level is None else level]
        names = chosen.areas["area_name"].reindex(chosen.values["area_code"].astype(str))
        return chosen.values.assign(area_name=names.to_numpy())

    @property
    def levels(self) -> tuple[str, ...]:
        """The levels that may be shown, finest first."""
        return tuple(self.tables)

    @property
    def declaration(self) -> dict[str, Any]:
        """What every written file says of itself, so that it can be checked."""
        return declare(self)


def require_release(given: object, *, wanted_by: str) -> Release:
    """
    Return a release, or refuse anything else and name the remedy.

    Raises
    ------
    DisclosureError
        If `given` is not a `Release`, or was changed after it was made.

    Examples
    --------
    >>> require_release({"count": [3]}, wanted_by="area_map")
    Traceback (most recent call last):
        ...
    placeshaping._core.errors.DisclosureError: area_map takes a Release, not a dict. ...
    """
    if isinstance(given, Release):
        if given.unchanged:
            return given
        msg = (
            f"{wanted_by} was given a Release that was changed after it was made. Change the "
            "study, or copy a table before you work on it, and make the release anew."
        )
        raise DisclosureError(msg)
    msg = (
        f"{wanted_by} takes a Release, not a {type(given).__name__}. "
        "Make one with placeshaping.release(study, policy='public'), or policy='internal' for "
        "your own look at raw numbers."
    )
    raise DisclosureError(msg)


def release(
    study: Study,
    *,
    policy: str | Policy,
    title: str,
    made_on: dt.date,
    subject: str = "Recorded crime",
    purpose: str = "",
    contact: str = "",
    sensitivity: Sensitivity = "personal",
    already_published: str | None = None,
    sensitive: Collection[str] = (),
    expires: dt.date | None = None,
    ledger: Ledger | None = None,
    dataset: str | None = None,
    also_hidden: Collection[HiddenCell] = (),
    sources: Sequence[SourceFile] = (),
    notes: Sequence[str] = (),
    changes: Sequence[str] = (),
    items: Sequence[Features | Raster] = (),
    places: Sequence[PublicPlaces] = (),
    sectors: Mapping[str, Sequence[str]] | None = None,
    not_for: Sequence[str] = NOT_FOR,
) -> Release:
    """
    Protect a study under a policy, so that it can be published.

    Parameters
    ----------
    study
        Unprotected counts, rates and hot spots.
    policy
        Name of one of `POLICIES`, or a council's own, made by `make_policy`.
        Records that are ``"special"`` are protected with its threshold for
        sensitive categories throughout.
    title
        As it stands on every product.
    made_on
        Date that the product bears.
    subject
        What is counted, in words.
    purpose, contact
        What the product is for, and who answers for it.
    sensitivity, already_published
        Of the records: ``"open"``, ``"personal"`` or ``"special"``, and where
        anybody can have them. The policy `open` needs both ``"open"`` and an
        address.
    sensitive
        Categories of the records, or labels of what is shown, that have the
        stricter threshold.
    expires
        Last day on which the product may be used; some policies need it.
    ledger
        What was released before: what would give others away together with
        it is hidden too. Nothing is entered into it.
    dataset
        Name of the records in the ledger; by default `subject`.
    also_hidden
        Cells that must not be shown whatever their count, because an attack
        has named them: level, area, period and category as they are labelled.
    sources
        The input files.
    notes
        Sentences about the records, printed on the product.
    changes
        Sentences about what was coarsened or merged beforehand; they stand in
        the disclosure statement.
    items
        Masked points and surfaces of the same records (`snap_points`, `donut`,
        `mask_surface`), each with a name of its own.
    places
        Public places to show beside what was counted: see `public_places`.
    sectors
        Postcode sector -> codes of the finest areas that it lies in: see
        `joins.sectors.sectors_of`.
    not_for
        What the product must not be used for.

    Returns
    -------
    release
        Frozen; levels at which more than 30 % of the areas would be hidden
        when the product opens are left out, which its statement says.

    Raises
    ------
    DisclosureError
        If the policy is looser than the input allows, if no level passes, by
        itself or beside what was released before, or if a table is given that
        another function releases.
    """
    refuse_table(study)
    policy = governed(known_policy(policy), sensitivity)
    check_policy(
        policy,
        sensitivity=sensitivity,
        already_published=already_published,
        purpose=purpose,
        expires=expires,
        made_on=made_on,
    )
    known = [name for view in study.categories for name in (view.label, *view.parts)]
    check_sensitive(sensitive, known)
    marked = tuple(view.label for view in study.categories if is_sensitive(view, sensitive))

    def assemble(protected: Protected, further: Sequence[str]) -> Release:
        kept, left_out = _choose_levels(study, protected, policy)
        tables = {level: area_table(study, protected, level, kept, policy) for level in kept}
        finest = tables[kept[0]]
        opened = finest.view(period=study.periods[0].label, category=study.categories[0].label)
        facts = information_lost(study, protected, kept, policy=policy)
        labels = tuple(one.scheme for one in study.labels if set(one.tables) & set(kept))
        statement = disclosure_statement(
            policy,
            facts=facts,
            left_out=left_out,
            already_published=already_published,
            audited=protected.audited,
            sensitive=marked,
            labels=[one.title for one in labels if not one.of_protected],
            labels_of_protected=[one.title for one in labels if one.of_protected],
            changes=[
                *changes,
                *further,
                *_without_groups(study, protected),
                *(text for item in items for text in item.statement),
                *(kind.sentence for kind in places),
            ],
            expires=expires,
        )
        return Release(
            title=title,
            subject=subject,
            purpose=purpose,
            contact=contact,
            policy=policy,
            periods=study.periods,
            categories=study.categories,
            tables=MappingProxyType(tables),
            deprivation=group_table(study, protected, policy),
            statement=tuple(statement),
            notes=tuple(notes),
            cautions=tuple(reading_cautions(study.periods[0], finest.areas, opened)),
            not_for=tuple(not_for),
            sources=tuple(sources),
            already_published=already_published,
            made_on=made_on,
            hot_spots_of=study.hot_spots_of,
            expires=expires,
            sensitive=marked,
            dataset=dataset or subject,
            items=MappingProxyType({item.name: item for item in items}),
            labels=labels,
            places=tuple(places),
            sectors=MappingProxyType({k: tuple(v) for k, v in (sectors or {}).items()}),
            facts=MappingProxyType(facts),
            _maker=_MAKER,
        )

    named = named_cells(study, also_hidden)
    if ledger is None or not is_remembered(policy):
        protected = protect(study, policy=policy, sensitive=sensitive, also_hidden=named)
        return assemble(protected, attacked_sentence(named))
    return protect_beside(
        ledger,
        study,
        policy=policy,
        sensitive=sensitive,
        assemble=assemble,
        also_hidden=named,
    )


def _choose_levels(
    study: Study, protected: Protected, policy: Policy
) -> tuple[list[str], dict[str, str]]:
    """Return the levels that may be shown, and why the others are left out."""
    kept, left_out = [], {}
    for level in study.ladder.levels:
        covered = study.covered[level]
        if not policy.lets_out(level):
            left_out[level] = f"the policy's finest level is {policy.finest}"
        elif not covered.any():
            left_out[level] = "the records cover none of its areas whole"
        else:
            share = float(protected.hidden[level][0, 0][covered].mean())
            if share <= MOST_HIDDEN:
                kept.append(level)
            else:
                left_out[level] = f"{share:.0%} of its areas would be hidden"
    if kept:
        return kept, left_out
    why = "; ".join(f"{level}: {reason}" for level, reason in left_out.items())
    msg = (
        f"Under the policy {policy.name!r} no level can be shown ({why}; at most "
        f"{MOST_HIDDEN:.0%} may be hidden). Take a longer span, fewer categories, or a coarser "
        "level."
    )
    raise HiddenError(msg)


def _without_groups(study: Study, protected: Protected) -> Iterator[str]:
    if study.deciles is not None and protected.groups is None and protected.audited:
        yield (
            "The table by deprivation is left out: counts shown exactly would have to be protected "
            "in all districts together."
        )
