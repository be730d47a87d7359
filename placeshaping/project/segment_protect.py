"""Groups of areas that rest on a council's own records: protected first, then grouped."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import TYPE_CHECKING

from placeshaping._core.errors import RecipeError
from placeshaping.project.notes import record_notes
from placeshaping.project.protect import policy_for
from placeshaping.project.segment_groups import (
    Grouped,
    group_areas,
    notes_on,
    segment_labels,
    words_how_sure,
)

if TYPE_CHECKING:
    import pandas as pd

    from placeshaping.disclosure.former import HiddenCell
    from placeshaping.disclosure.ledger import Ledger
    from placeshaping.disclosure.release import Release
    from placeshaping.hotspots.study import Study
    from placeshaping.project.gather import Gathered
    from placeshaping.project.segment_inputs import SegmentInputs
    from placeshaping.project.segment_request import SegmentRecipe

UNIT = " per 1,000 residents a year"


def release_groups(
    recipe: SegmentRecipe,
    inputs: SegmentInputs,
    gathered: Gathered,
    *,
    made_on: dt.date,
    ledger: Ledger | None,
    also_hidden: Collection[HiddenCell],
) -> tuple[Grouped, Release]:
    """
    Protect the records, group the areas by what is left of them, and release both.

    The groups are worked out from the numbers that leave and from published
    tables: whoever has those could work them out again, and learns nothing.

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
    grouped, release
        The groups, and what may leave of them.

    Raises
    ------
    RecipeError
        If the policy lets no numbers of these areas out to group by.
    DisclosureError
        If it is looser than the records allow, or too much would be hidden.
    """
    from placeshaping.disclosure.release import release
    from placeshaping.hotspots.study import analyse
    from placeshaping.project.protect import guarded
    from placeshaping.reports.segments import NOT_FOR

    policy = policy_for(recipe, gathered)
    level = inputs.ladder.finest
    if not policy.counts_shown or not policy.lets_out(level):
        msg = (
            f"policy: {policy.name!r} lets no counts of these areas out, and groups are made of "
            "what leaves. Take larger areas, or another policy."
        )
        raise RecipeError(msg)
    words = str(recipe.segments.records)
    study = analyse(
        gathered.counts,
        inputs.ladder,
        population=inputs.residents.to_frame("residents"),
        by="all",
        groups=recipe.show.groups,
        total=recipe.show.total or words[:1].upper() + words[1:],
        hot_spots_of=None,
        covered=gathered.covered,
    )

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
            "policy: too many of the areas would be hidden to group them. Take a longer span of "
            "records, or larger areas."
        )
        raise RecipeError(msg)
    values = inputs.values.assign(**{words: protected_rates(first, inputs.residents)})
    grouped = group_areas(recipe, inputs, values, {words: UNIT})
    notes = [
        *record_notes(gathered, recipe, policy=policy),
        *notes_on(recipe, grouped),
        words_how_sure(grouped),
        "The groups were made of the protected numbers and of published tables alone: they tell "
        "nothing that those do not.",
    ]
    labelled = study.with_labels(segment_labels(grouped, level))
    return grouped, released(labelled, notes)


def protected_rates(first: Release, residents: pd.Series[float]) -> pd.Series[float]:
    """Work out rates from the numbers that leave; a hidden one counts as the middle of its mark."""
    policy, period = first.policy, first.periods[0]
    table = first.tables[first.levels[0]]
    view = table.view(period=period.label, category=first.categories[0].label)
    count = view["count"].astype("Float64").astype("float64")
    if policy.method == "round" and policy.threshold > 1:
        middle = (policy.smallest_hidden + policy.threshold - 1) / 2
        count = count.where(view["status"] != "hidden", middle)
    people = residents.reindex(count.index)
    return 1_000 * count / (people.where(people > 0) * period.years)
