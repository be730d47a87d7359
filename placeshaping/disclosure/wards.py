"""
A ward review as it may leave: electors protected, and every score worked out from those.

Electors of a unit under the policy's floor do not leave: the unit is joined
with a neighbour. The rest are rounded where the policy says so. The search, the
painting page and `placeshaping review check` all work on the numbers that come
out of here, so that a score tells nothing more than they do.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, cast

import pandas as pd

from placeshaping._core.checks import listed
from placeshaping._core.codes import LEVEL_SHORT, level_of_all
from placeshaping._core.errors import DisclosureError, EmptyError
from placeshaping._core.provenance import SourceFile
from placeshaping.disclosure._ward_joining import join_small, merge_units, with_units
from placeshaping.disclosure.declaration import declare
from placeshaping.disclosure.own_policies import known_policy
from placeshaping.disclosure.permission import Sensitivity, check_policy, governed
from placeshaping.disclosure.policies import Policy
from placeshaping.disclosure.seal import Sealed
from placeshaping.disclosure.statement import disclosure_statement
from placeshaping.shaping.wards import ELECTORS, PLACES, Proposal, Review

if TYPE_CHECKING:
    from placeshaping.disclosure.release import Release

_MAKER = object()

_REMEDY = (
    "A WardRelease is made by disclosure.wards.release_review(review, proposals, policy=...), "
    "which protects the electors."
)

NOT_FOR = (
    "As a decision of the council or the Commission: every proposal is a draft to be consulted on.",
    "To judge any person or household.",
)
"""What a review must not be used for."""

_METHODS = ("as_is", "round", "suppress")


@dataclass(frozen=True, repr=False)
class WardRelease(Sealed, maker=_MAKER, remedy=_REMEDY):
    """
    A ward review as it may leave. Only `release_review` makes one.

    Attributes
    ----------
    title
        As it stands on every product.
    review
        Units with the electors that leave; its digest is of those.
    proposals
        Wards made of these units; the first is the one to begin with.
    present
        The present wards, where they are known.
    level
        Of the units: ``"oa"``, ``"lsoa"``, ``"area"`` and so on.
    members
        Code of a unit that was joined of several -> their codes.
    policy
        The rules that it obeys.
    statement
        Sentences that say what was hidden and changed.
    cautions
        What a reader must know.
    purpose, contact
        What it is for, and who answers for it.
    made_on, expires
        Date that it bears, and the last day on which it may be used.
    already_published
        Where the electors can be had by anybody.
    sources, not_for
        The input files, and what it must not be used for.
    """

    title: str
    review: Review
    proposals: tuple[Proposal, ...]
    present: Proposal | None
    level: str
    members: Mapping[str, tuple[str, ...]]
    policy: Policy
    statement: tuple[str, ...]
    cautions: tuple[str, ...]
    purpose: str
    contact: str
    made_on: dt.date
    expires: dt.date | None
    already_published: str | None
    sources: tuple[SourceFile, ...]
    not_for: tuple[str, ...]

    dataset: ClassVar[str] = "electors"
    labels: ClassVar[tuple[()]] = ()
    places: ClassVar[tuple[()]] = ()
    sensitive: ClassVar[tuple[()]] = ()

    def __repr__(self) -> str:
        """Say in a line what it is."""
        return (
            f"<WardRelease {self.title!r}: {len(self.review.units):,} units, "
            f"{len(self.proposals):,} proposals, policy {self.policy.name!r}>"
        )

    @property
    def levels(self) -> tuple[str, ...]:
        """The level of the units, as a declaration lists it."""
        return (self.level,)

    @property
    def declaration(self) -> dict[str, Any]:
        """What every written file says of itself, so that it can be checked."""
        said = declare(cast("Release", self))
        return {**said, "item": "review", "review": self.review.name, "digest": self.review.digest}

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
            "purpose": [self.purpose],
            "statement": self.statement,
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


def require_ward_release(given: object, *, wanted_by: str) -> WardRelease:
    """
    Return a released review, or refuse anything else and name the remedy.

    Parameters
    ----------
    given
        What was handed over.
    wanted_by
        Name of the function, for the message.

    Returns
    -------
    released
        `given` itself.

    Raises
    ------
    DisclosureError
        If `given` is no `WardRelease`, or was changed after it was made.

    Examples
    --------
    >>> require_ward_release({"electors": [3]}, wanted_by="painting_page")
    Traceback (most recent call last):
        ...
    placeshaping._core.errors.DisclosureError: painting_page takes a WardRelease, not a dict. ...
    """
    if not isinstance(given, WardRelease):
        msg = (
            f"{wanted_by} takes a WardRelease, not a {type(given).__name__}. Make it with "
            "release_review(review, proposals, policy='open', ...)."
        )
        raise DisclosureError(msg)
    if not given.unchanged:
        msg = (
            f"{wanted_by} was given a WardRelease that was changed after it was made. Copy a table "
            "before you work on it, and make the release anew."
        )
        raise DisclosureError(msg)
    return given


def protect_review(
    review: Review, *, policy: str | Policy, sensitivity: Sensitivity = "personal"
) -> tuple[Review, dict[str, tuple[str, ...]]]:
    """
    Protect the electors of a review under a policy, so that wards can be searched for.

    Parameters
    ----------
    review
        With the electors as they are.
    policy
        Name of one of `POLICIES`, or a council's own.
    sensitivity
        Of the register.

    Returns
    -------
    protected, members
        The review with the electors that may leave, and of units that were
        joined the codes of those that they are made of.

    Raises
    ------
    DisclosureError
        If the policy lets no such units or no counts out, or protects in a way
        that a review cannot follow.

    Examples
    --------
    >>> import geopandas as gpd
    >>> from shapely import box
    >>> from placeshaping.shaping.wards import make_review
    >>> units = gpd.GeoDataFrame(
    ...     {"electors_now": [93, 3, 108], "electors_forecast": [101, 4, 112]}, crs=27700,
    ...     geometry=[box(x, 0, x + 100, 100) for x in (0, 100, 200)], index=list("abc"),
    ... )
    >>> review = make_review(units, councillors=2, name="A row")
    >>> protected, members = protect_review(review, policy="councillor")
    >>> protected.units["electors_now"].to_dict(), members
    ({'a': 95, 'c': 110}, {'c': ('b', 'c')})
    """
    policy = governed(known_policy(policy), sensitivity)
    _check_way(review, policy)
    if not policy.protects:
        return review, {}
    group = join_small(review, policy)
    merged, members = merge_units(review, group)
    units = merged.units.copy()
    if policy.method == "round":
        for column in ELECTORS:
            units[column] = _rounded(units[column], policy.rounding)
    return with_units(merged, units), members


def release_review(
    review: Review,
    proposals: Sequence[Proposal],
    *,
    policy: str | Policy,
    title: str,
    made_on: dt.date,
    present: Proposal | None = None,
    sensitivity: Sensitivity = "personal",
    already_published: str | None = None,
    purpose: str = "",
    contact: str = "",
    expires: dt.date | None = None,
    sources: Sequence[SourceFile] = (),
    not_for: Sequence[str] = NOT_FOR,
) -> WardRelease:
    """
    Release a ward review with its proposals.

    Parameters
    ----------
    review
        With the electors as they are; `protect_review` is applied here.
    proposals
        Made of the units of the review, or of the protected one; at least one.
    policy
        Name of one of `POLICIES`, or a council's own. Electors by unit that
        the council or the Commission has published may leave under ``"open"``.
    title
        As it stands on every product.
    made_on
        Date that the product bears.
    present
        The present wards, to compare with.
    sensitivity, already_published
        Of the register's counts: see `release`.
    purpose, contact
        What the product is for, and who answers for it.
    expires
        Last day on which the product may be used; some policies need it.
    sources
        The input files.
    not_for
        What the product must not be used for.

    Returns
    -------
    released
        Frozen.

    Raises
    ------
    DisclosureError
        If the policy is looser than the input allows, or lets no such units
        out.
    EmptyError
        If there is no proposal, or a ward is left without units when small ones
        were joined.

    Examples
    --------
    >>> import geopandas as gpd
    >>> from shapely import box
    >>> from placeshaping.shaping.wards import make_proposal, make_review
    >>> units = gpd.GeoDataFrame(
    ...     {"electors_now": [93, 108], "electors_forecast": [101, 112]}, crs=27700,
    ...     geometry=[box(x, 0, x + 100, 100) for x in (0, 100)], index=list("ab"),
    ... )
    >>> review = make_review(units, councillors=2, name="A row")
    >>> wards = pd.Series(["x", "y"], index=units.index)
    >>> halves = make_proposal(review, wards, name="Halves", councillors={"x": 1, "y": 1})
    >>> release_review(
    ...     review, [halves], policy="public", title="Wards", made_on=dt.date(2026, 1, 31)
    ... )
    <WardRelease 'Wards': 2 units, 1 proposals, policy 'public'>
    """
    policy = governed(known_policy(policy), sensitivity)
    check_policy(
        policy,
        sensitivity=sensitivity,
        already_published=already_published,
        purpose=purpose,
        expires=expires,
        made_on=made_on,
    )
    if not proposals:
        msg = "There is no proposal to show. Search for some with propose_wards, or draw one."
        raise EmptyError(msg)
    protected, members = protect_review(review, policy=policy, sensitivity=sensitivity)
    kept = [_of_joined(protected, one) for one in proposals]
    return WardRelease(
        title=title,
        review=protected,
        proposals=tuple(kept),
        present=None if present is None else _of_joined(protected, present),
        level=level_of_all(review.units.index),
        members=MappingProxyType(members),
        policy=policy,
        statement=tuple(_statement(policy, members, already_published, expires)),
        cautions=tuple(_cautions(protected)),
        purpose=purpose,
        contact=contact,
        made_on=made_on,
        expires=expires,
        already_published=already_published,
        sources=tuple(sources),
        not_for=tuple(not_for),
        _maker=_MAKER,
    )


def _check_way(review: Review, policy: Policy) -> None:
    """Refuse policies under which a review cannot be shown."""
    level = level_of_all(review.units.index)
    if not policy.lets_out(level):
        msg = (
            f"The units are of the level {LEVEL_SHORT.get(level, level)}, finer than the policy "
            f"{policy.name!r} lets out. Where their electors are published already, say policy = "
            "'open' with already_published; otherwise give larger units, or use 'restricted' for "
            "named officers."
        )
        raise DisclosureError(msg)
    if not policy.counts_shown:
        msg = (
            f"Policy {policy.name!r} shows no counts, and a ward review is about them. Choose "
            "another policy."
        )
        raise DisclosureError(msg)
    if policy.method not in _METHODS:
        msg = (
            f"Policy {policy.name!r} protects by {policy.method!r}, which a ward review cannot "
            f"follow: every unit needs one number. Choose a policy of {listed(_METHODS)}."
        )
        raise DisclosureError(msg)


def _rounded(values: pd.Series[int], base: int) -> pd.Series[int]:
    """Round to multiples; halves to the even one, as elsewhere."""
    rounded: pd.Series[int] = ((values / base).round() * base).astype("int64")
    return rounded


def _of_joined(review: Review, proposal: Proposal) -> Proposal:
    """Give every unit that was joined the ward of the one whose code it bears."""
    ward_of = proposal.ward_of.reindex(review.units.index)
    bare = proposal.wards.index.difference(pd.Index(ward_of.dropna().unique()), sort=False)
    if ward_of.isna().any() or len(bare):
        names = listed(proposal.wards.loc[bare, "name"].to_list())
        msg = (
            f"{proposal.name!r} cannot be shown with the units that may leave: "
            f"{len(bare):,} wards are left without units ({names}). Search on "
            "protect_review(review, policy=...)[0]."
        )
        raise EmptyError(msg)
    return dataclasses.replace(proposal, ward_of=ward_of)


def _statement(
    policy: Policy,
    members: Mapping[str, Sequence[str]],
    already_published: str | None,
    expires: dt.date | None,
) -> Iterator[str]:
    bare = dataclasses.replace(policy, method="as_is", threshold=0, rounding=1)
    yield from disclosure_statement(
        bare, facts={}, left_out={}, already_published=None, expires=expires
    )
    if not policy.protects:
        if already_published:
            yield f"The electors are as published at {already_published}."
        return
    zero = "" if policy.zeros_shown else ", nor none at all"
    yield f"No unit is shown with fewer than {policy.threshold} electors{zero}."
    if members:
        joined = [f"{code} holds {' and '.join(codes)}" for code, codes in members.items()]
        yield (
            f"Small units were joined with a neighbour: {len(members):,} units are made of several "
            f"({listed(joined, most=len(joined))})."
        )
    if policy.method == "round":
        yield (
            f"Electors of each unit are rounded to {policy.rounding}; those of wards, the average "
            "and the variances are worked out from the rounded ones, so they differ a little from "
            "the register's."
        )


def _cautions(review: Review) -> Iterator[str]:
    yield (
        "The forecast of electors is the council's own; a ward near the mark may fall on either "
        "side of it."
    )
    unknown = [kind.replace("_", " ") + "s" for kind in PLACES if kind not in review.places]
    if unknown:
        told = listed([word.replace("parishs", "parishes").replace("communitys", "communities")
                       for word in unknown])  # fmt: skip
        yield f"Not known to this review, and so neither kept whole nor counted as split: {told}."
    yield "Names of searched wards are working names, after the place that most electors live in."
    if "decile" in review.units:
        yield "Deprivation is shown to look at what a proposal does; the search does not use it."
    if (review.parts > 0).any():
        yield "Some units touch no other: a ward that holds them and others counts as detached."
