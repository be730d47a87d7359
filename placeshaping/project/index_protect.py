"""An index that rests on a council's own records: protected first, then ranked."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import TYPE_CHECKING

from placeshaping._core.errors import RecipeError
from placeshaping.project.index_measure import Measured, measure_areas
from placeshaping.project.index_words import index_labels, notes_on, words_how_sure
from placeshaping.project.notes import record_notes
from placeshaping.project.protect import policy_for
from placeshaping.project.segment_protect import protected_rates

if TYPE_CHECKING:
    from placeshaping.disclosure.former import HiddenCell
    from placeshaping.disclosure.ledger import Ledger
    from placeshaping.disclosure.policies import Policy
    from placeshaping.disclosure.release import Release
    from placeshaping.hotspots.study import Study
    from placeshaping.project.gather import Gathered
    from placeshaping.project.index_inputs import IndexInputs
    from placeshaping.project.index_request import IndexRecipe


def release_index(
    recipe: IndexRecipe,
    inputs: IndexInputs,
    gathered: Gathered,
    *,
    made_on: dt.date,
    ledger: Ledger | None,
    also_hidden: Collection[HiddenCell],
) -> tuple[Measured, Release]:
    """
    Protect the records, rank the areas by what is left of them, and release both.

    Ranks are worked out from the numbers that leave and from published tables:
    whoever has those could work them out again, and learns nothing.

    Parameters
    ----------
    recipe
        How.
    inputs, gathered
        Of the place, and its records.
    made_on
        Date that the products bear.
    ledger
        What was released before.
    also_hidden
        Cells that an attack has named.

    Returns
    -------
    measured, release
        The index, and what may leave of it.

    Raises
    ------
    RecipeError
        If the policy lets no numbers of these areas out to rank by.
    DisclosureError
        If it is looser than the records allow, or too much would be hidden.
    """
    from placeshaping.disclosure.release import release
    from placeshaping.project.protect import guarded
    from placeshaping.reports.index_page import NOT_FOR

    policy = policy_for(recipe, gathered)
    level = inputs.ladder.finest
    _check_policy(policy, level)
    study = _study(recipe, inputs, gathered)

    def released(of: Study, notes: list[str]) -> Release:
        return release(
            of,
            policy=policy,
            title=recipe.title,
            made_on=made_on,
            subject=gathered.subject,
            purpose=recipe.purpose,
            contact=recipe.contact,
            sensitivity=gathered.sensitivity,
            already_published=gathered.already_published
            if gathered.sensitivity == "open"
            else None,
            sensitive=recipe.show.sensitive,
            expires=recipe.expires,
            ledger=ledger,
            also_hidden=also_hidden,
            dataset=recipe.dataset,
            sources=[guarded(one) if policy.protects else one for one in inputs.sources],
            notes=notes,
            not_for=NOT_FOR,
        )

    first = released(study, [])
    if level not in first.levels:
        msg = (
            "policy: too many of the areas would be hidden to rank them. Take a longer span of "
            "records, or larger areas."
        )
        raise RecipeError(msg)
    own = {name: protected_rates(first, inputs.residents) for name in _own_words(recipe)}
    measured = measure_areas(recipe, inputs, inputs.values.assign(**own))
    notes = [
        *record_notes(gathered, recipe, policy=policy),
        *notes_on(recipe, measured),
        words_how_sure(measured),
        "The index was made of the protected numbers and of published tables alone: it tells "
        "nothing that those do not.",
    ]
    labelled = study.with_labels(*index_labels(recipe, measured, level, inputs.values.index))
    return measured, released(labelled, notes)


def _own_words(recipe: IndexRecipe) -> list[str]:
    return [] if recipe.index.own is None else [recipe.index.own.words]


def _check_policy(policy: Policy, level: str) -> None:
    if not policy.counts_shown or not policy.lets_out(level):
        msg = (
            f"policy: {policy.name!r} lets no counts of these areas out, and an index is made of "
            "what leaves. Take larger areas, or another policy."
        )
        raise RecipeError(msg)


def _study(recipe: IndexRecipe, inputs: IndexInputs, gathered: Gathered) -> Study:
    from placeshaping.hotspots.study import analyse

    words = _own_words(recipe)[0]
    return analyse(
        gathered.counts,
        inputs.ladder,
        population=inputs.residents.to_frame("residents"),
        by="all",
        groups=recipe.show.groups,
        total=recipe.show.total or words[:1].upper() + words[1:],
        hot_spots_of=None,
        covered=gathered.covered,
    )
