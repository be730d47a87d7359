"""Areas into groups, and the words and layers that products have of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from placeshaping._core.checks import listed
from placeshaping._core.errors import RecipeError

if TYPE_CHECKING:
    import pandas as pd

    from placeshaping.hotspots.labels import AreaLabels
    from placeshaping.project.segment_inputs import SegmentInputs
    from placeshaping.project.segment_request import SegmentRecipe
    from placeshaping.shaping.segment_agreement import Agreement
    from placeshaping.shaping.segment_choice import Steadiness
    from placeshaping.shaping.segment_variables import PreparedVariables

LAYER = "segment"
"""Column of the tables and name of the layer."""

UNGROUPED = "no_group"
_LISTED = 6


@dataclass(frozen=True, eq=False)
class Grouped:
    """
    Groups and all that is said of them, before anything is released.

    Attributes
    ----------
    segments, prepared, choice, steadiness
        From `shaping.segments` and its neighbours.
    profile, portraits
        With names as they are printed.
    deciles, agreement
        The audit, and another classification; None without.
    units
        Variable -> unit, where it is not per cent.
    """

    segments: pd.DataFrame
    prepared: PreparedVariables
    choice: pd.DataFrame
    steadiness: Steadiness
    profile: pd.DataFrame
    portraits: pd.DataFrame
    deciles: pd.DataFrame | None
    agreement: Agreement | None
    units: dict[str, str]

    @property
    def cautions(self) -> tuple[str, ...]:
        """What a reader must know before the numbers."""
        from placeshaping.shaping.segment_choice import STEADY

        told = tuple(self.segments.attrs["cautions"])
        if self.steadiness.adjusted_rand >= STEADY:
            return told
        return (
            "These groups are not steady: made anew, many areas fall into others. Take them as one "
            "way to look at the place, and try fewer groups.",
            *told,
        )


def group_areas(
    recipe: SegmentRecipe, inputs: SegmentInputs, values: pd.DataFrame, units: dict[str, str]
) -> Grouped:
    """
    Make the groups and describe them.

    Parameters
    ----------
    recipe
        How.
    inputs
        Of the place.
    values
        Percentages and rates, by area.
    units
        Variable -> unit, where it is not per cent.

    Returns
    -------
    grouped
        The groups, and what is said of them.
    """
    from placeshaping.areas.neighbours import contiguity
    from placeshaping.shaping.segment_agreement import compare_segments
    from placeshaping.shaping.segment_choice import compare_groupings, segment_stability
    from placeshaping.shaping.segment_pieces import join_pieces
    from placeshaping.shaping.segment_variables import prepare_variables
    from placeshaping.shaping.segment_words import draft_portraits
    from placeshaping.shaping.segments import make_segments, profile_segments, segments_by_decile

    ask = recipe.segments
    prepared = prepare_variables(
        values,
        transform=ask.transform,
        scale=ask.scale,
        most_correlated=ask.most_correlated,
        most_skewed=ask.most_skewed,
        keep=ask.keep,
        special=[one.variable for one in ask.special],
    )
    most = max(ask.most, ask.groups or 0)
    choice = compare_groupings(prepared, groups=range(2, most + 1), rng=ask.seed)
    areas = inputs.ladder.areas[inputs.ladder.finest]
    connected = ask.method == "connected"
    neighbours = join_pieces(areas, contiguity(areas)) if connected else None
    segments = make_segments(
        prepared,
        groups=ask.groups or int(choice.attrs["suggested"]),
        method=ask.method,
        neighbours=neighbours,
        starts=ask.starts,
        rng=ask.seed,
    )
    profile = profile_segments(values, segments, weights=inputs.residents)
    portraits = draft_portraits(profile, segments, units=units, residents=inputs.residents)
    deciles = None if inputs.deciles is None else segments_by_decile(segments, inputs.deciles)
    published = inputs.published
    return Grouped(
        segments=segments,
        prepared=prepared,
        choice=choice,
        steadiness=segment_stability(
            prepared, segments, neighbours=neighbours, resamples=ask.resamples, rng=ask.seed
        ),
        profile=profile,
        portraits=_renamed(portraits, ask.names),
        deciles=deciles,
        agreement=None
        if published is None
        else compare_segments(segments["segment"], published, rng=ask.seed),
        units=units,
    )


def _renamed(portraits: pd.DataFrame, names: Mapping[str, str]) -> pd.DataFrame:
    strange = [letter for letter in names if letter not in portraits.index]
    if strange:
        msg = (
            f"segments.names: there is no group {listed(strange)}; there are "
            f"{listed(list(portraits.index), most=19)}."
        )
        raise RecipeError(msg)
    own = [names.get(str(letter), name) for letter, name in portraits["name"].items()]
    return portraits.assign(name=own)


def segment_labels(grouped: Grouped, level: str) -> AreaLabels:
    """
    Make a layer of the groups.

    Parameters
    ----------
    grouped
        The groups.
    level
        Of the areas.

    Returns
    -------
    labels
        For `Study.with_labels`.
    """
    from placeshaping.hotspots.labels import LabelClass, LabelScheme, label_areas

    letters = [str(letter) for letter in grouped.portraits.index]
    classes = [
        LabelClass(
            f"group_{letter.lower()}",
            str(grouped.portraits.loc[letter, "name"]),
            str(grouped.portraits.loc[letter, "summary"]),
            "other",
            letter,
        )
        for letter in letters
    ]
    group = grouped.segments["segment"].astype(object)
    label = group.map(lambda letter: f"group_{letter.lower()}", na_action="ignore")
    if label.isna().any():
        classes.append(LabelClass(UNGROUPED, "In no group", "A value is missing.", "none", "-"))
    scheme = LabelScheme(
        name=LAYER,
        title="Areas that are alike",
        button="Groups",
        about="Areas of a group are alike in what they were compared by, wherever they lie. A "
        "group says what is usual, and nothing of any person.",
        method=f"Areas that are alike: {grouped.segments.attrs['method']}",
        classes=tuple(classes),
        cautions=grouped.cautions,
        of_protected=True,
    )
    return label_areas(scheme, {level: label.fillna(UNGROUPED).to_frame("label")})


def words_found(grouped: Grouped) -> list[str]:
    """
    Say in sentences what was found.

    Parameters
    ----------
    grouped
        The groups.

    Returns
    -------
    sentences
        The finding first.
    """
    drafts = grouped.portraits
    areas, groups = int(drafts["areas"].sum()), len(drafts)
    named = "; ".join(
        f"{letter}, {name[:1].lower()}{name[1:]} ({many:,})"
        for letter, name, many in zip(
            drafts.index[:_LISTED],
            drafts["name"][:_LISTED],
            drafts["areas"][:_LISTED],
            strict=True,
        )
    )
    more = f"; and {groups - _LISTED} more" if groups > _LISTED else ""
    return [
        f"{areas:,} areas fall into {groups} groups of areas that are alike.",
        f"The groups and their areas: {named}{more}.",
        words_how_sure(grouped),
    ]


def words_how_sure(grouped: Grouped) -> str:
    """
    Say how far the groups hold.

    Parameters
    ----------
    grouped
        The groups.

    Returns
    -------
    sentence
        With the agreement of resamples and its interval.
    """
    one = grouped.steadiness
    return (
        f"The groups explain {grouped.segments.attrs['explained']:.0%} of the differences between "
        f"areas. Made anew, they agree with themselves at {one.adjusted_rand:.2f} (95% of the "
        f"times {one.lower:.2f} to {one.upper:.2f}; 1 is the same, 0 is chance)."
    )


def notes_on(recipe: SegmentRecipe, grouped: Grouped) -> list[str]:
    """
    Say what the groups rest on: every variable by its name, and what was asked for.

    Parameters
    ----------
    recipe
        What was asked.
    grouped
        The groups.

    Returns
    -------
    notes
        Sentences.
    """
    table = grouped.prepared.variables
    used = [str(name) for name in table.index[table["used"]]]
    left = [f"{name}: {why}" for name, why in table["reason"].items() if why]
    notes = [f"Areas were compared by {', '.join(used)}."]
    notes += [f"Not used: {'; '.join(left)}."] if left else []
    notes += [f"{grouped.segments.attrs['method']}", *special_words(recipe)]
    if grouped.agreement is not None and recipe.segments.compare is not None:
        notes.append(f"Beside {recipe.segments.compare.name}: {grouped.agreement.sentence}")
    return notes


def special_words(recipe: SegmentRecipe) -> list[str]:
    """
    Name the variables of a special category, and why they were used.

    Parameters
    ----------
    recipe
        What was asked.

    Returns
    -------
    sentences
        One for each.
    """
    return [
        f"Of a special category, and used all the same: {one.variable}. The reason: "
        f"{one.reason.rstrip('.')}."
        for one in recipe.segments.special
    ]
