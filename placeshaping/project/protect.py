"""From what was gathered to a release: choose the detail, merge, analyse, protect."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping
from typing import TYPE_CHECKING

from placeshaping._core.provenance import SourceFile
from placeshaping.project.gather import Gathered
from placeshaping.project.notes import record_notes
from placeshaping.project.recipe import Recipe

if TYPE_CHECKING:
    from placeshaping.disclosure.policies import Policy
    from placeshaping.disclosure.release import Release

GUESSABLE = 1_000
"""Rows of records under which a checksum could be guessed from a protected table."""


def protect_gathered(recipe: Recipe, gathered: Gathered, *, made_on: dt.date) -> Release:
    """
    Analyse what was gathered and protect it under the recipe's policy.

    Where the recipe names no policy it is `open` for records that are
    published already and `public` for all others. Under a policy that
    protects, periods and categories are coarsened first where the recipe
    allows it, then areas in which too little was recorded are merged.

    Raises
    ------
    DisclosureError
        If the policy is looser than the input allows, or too much would be hidden.
    """
    from placeshaping.areas.ladder import make_ladder
    from placeshaping.disclosure.release import release
    from placeshaping.hotspots.study import analyse

    published = gathered.already_published if gathered.sensitivity == "open" else None
    policy = _policy_of(recipe, default="open" if published else "public")
    gathered, changes = _merged(recipe, gathered, policy)
    show = recipe.show
    ladder = make_ladder(gathered.areas, gathered.lookup, levels=recipe.areas.levels)
    study = analyse(
        gathered.counts,
        ladder,
        population=gathered.population if "rates" in show.statistics else None,
        deprivation=gathered.deprivation if "deprivation" in show.statistics else None,
        over=show.denominators,
        by=show.by,
        groups=show.groups,
        total=gathered.total,
        hot_spots_of=show.hot_spots_of if "hot_spots" in show.statistics else None,
        covered=gathered.covered,
    )
    return release(
        study,
        policy=policy,
        title=recipe.title,
        made_on=made_on,
        subject=gathered.subject,
        purpose=recipe.purpose,
        contact=recipe.contact,
        sensitivity=gathered.sensitivity,
        already_published=published,
        sensitive=show.sensitive,
        expires=recipe.expires,
        sources=[_guarded(source) if policy.protects else source for source in gathered.sources],
        notes=record_notes(gathered, recipe, policy=policy),
        changes=changes,
    )


def _policy_of(recipe: Recipe, *, default: str) -> Policy:
    """Return the policy that the recipe names, or a council's own that stands in it."""
    from placeshaping.disclosure.own_policies import make_policy
    from placeshaping.disclosure.policies import policy_named

    if isinstance(recipe.policy, Mapping):
        return make_policy(recipe.policy)
    return policy_named(recipe.policy or default)


def _merged(recipe: Recipe, gathered: Gathered, policy: Policy) -> tuple[Gathered, tuple[str, ...]]:
    """Merge the areas in which too little was recorded with their neighbours, and say so."""
    if not recipe.areas.merge or policy.threshold == 0:
        return gathered, ()
    from placeshaping.disclosure.adaptive import merge_areas
    from placeshaping.disclosure.merged import apply_partition

    covered = gathered.covered
    partition = merge_areas(
        gathered.counts, gathered.areas, gathered.lookup, policy=policy, covered=covered
    )
    if not partition.facts["merged"]:
        return gathered, ()
    tables = apply_partition(
        partition,
        areas=gathered.areas,
        counts=gathered.counts,
        lookup=gathered.lookup,
        population=gathered.population,
        deprivation=gathered.deprivation,
        covered=covered,
    )
    members = partition.members().groupby("whole")["part"].agg(" ".join)
    merged = dataclasses.replace(
        gathered,
        areas=tables.areas.assign(members=members.reindex(tables.areas.index)),
        counts=tables.counts,
        lookup=gathered.lookup if tables.lookup is None else tables.lookup,
        population=tables.population,
        deprivation=tables.deprivation,
        covered=tables.covered,
    )
    return merged, tables.notes


def _guarded(source: SourceFile) -> SourceFile:
    """
    Leave out what would give records back: their exact number, and a guessable checksum.

    Whoever knows the layout of a small file of counts can try all that are
    left by rounding until the checksum fits.
    """
    if source.role != "records":
        return source
    few = source.rows is None or source.rows < GUESSABLE
    return dataclasses.replace(source, rows=None, sha256=None if few else source.sha256)
