"""The words and layers that products have of an index."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from placeshaping.hotspots.labels import AreaLabels
    from placeshaping.project.index_measure import Measured
    from placeshaping.project.index_request import IndexRecipe

LAYER = "need_tenth"
"""Column of the tables and name of the layer."""

MOVES = "tenth_moves"
"""Column and layer that says how far the tenth hangs on the weights."""

STAYS, SOME, OFTEN, UNRANKED = "stays", "sometimes_moves", "often_moves", "not_ranked"
TENTHS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
FIRM = 0.95
"""Share of the weightings in which an area that stays is in its tenth."""

_HALF = 0.5
_NAMED = 5


def index_labels(
    recipe: IndexRecipe, measured: Measured, level: str, areas: pd.Index
) -> list[AreaLabels]:
    """
    Make a layer of the tenths and one of how far they hold.

    Parameters
    ----------
    recipe
        What was asked.
    measured
        The index.
    level
        Of the areas.
    areas
        Codes of all of them.

    Returns
    -------
    labels
        For `Study.with_labels`; areas that were not ranked say so.
    """
    from placeshaping.hotspots.labels import LabelClass, LabelScheme, label_areas

    name = recipe.index.name
    ends = {1: "1: most need on these indicators", 10: "10: least need on these indicators"}
    classes = [
        LabelClass(
            f"tenth_{word}",
            ends.get(number, str(number)),
            f"{(number - 1) * 10} to {number * 10}% of the areas have more need.",
            "step",
            str(number),
        )
        for number, word in reversed(list(enumerate(TENTHS, start=1)))
    ]
    moves = [
        LabelClass(STAYS, "Stays in its tenth", "In at least 95% of the weightings.", "step", "1"),
        LabelClass(SOME, "Sometimes moves", "In its tenth in 50 to 95%.", "step", "2"),
        LabelClass(OFTEN, "Often moves", "In its tenth in less than half.", "step", "3"),
    ]
    none = [LabelClass(UNRANKED, "Not ranked", "A number is hidden or missing.", "none", "-")]
    none = none if len(measured.tenths) < len(areas) else []
    method = f"{name}: {' '.join(measured.method)}"
    tenth = measured.tenths["decile"].map(lambda number: f"tenth_{TENTHS[number - 1]}")
    schemes = {
        LAYER: (name, "Need", "Tenths of the areas by these indicators. An area says nothing of "
                "any person.", classes, tenth),
        MOVES: (f"{name}: how firm", "How firm", "Whether an area stays in its tenth when the "
                "weights are changed a little.", moves, move_words(measured.tenths["kept"])),
    }  # fmt: skip
    return [
        label_areas(
            LabelScheme(
                name=column, title=title, button=button, about=about, method=method,
                classes=(*listing, *none), cautions=measured.cautions, of_protected=True,
            ),
            {level: labels.astype(object).reindex(areas, fill_value=UNRANKED).to_frame("label")},
        )
        for column, (title, button, about, listing, labels) in schemes.items()
    ]  # fmt: skip


def move_words(kept: pd.Series[float]) -> pd.Series[str]:
    """
    Say how firmly each area is in its tenth.

    Parameters
    ----------
    kept
        Share of the weightings in which it is, 0 to 1.

    Returns
    -------
    words
        Values of the layer `MOVES`.

    Examples
    --------
    >>> import pandas as pd
    >>> move_words(pd.Series([1.0, 0.6, 0.2])).tolist()
    ['stays', 'sometimes_moves', 'often_moves']
    """
    return kept.map(lambda one: STAYS if one >= FIRM else SOME if one >= _HALF else OFTEN)


def words_found(measured: Measured, names: pd.Series[str]) -> list[str]:
    """
    Say in sentences what was found.

    Parameters
    ----------
    measured
        The index.
    names
        Area code -> name.

    Returns
    -------
    sentences
        The finding first.
    """
    first = measured.tenths[measured.tenths["decile"] == 1]
    firm = int((first["kept"] >= FIRM).sum())
    some = sorted(str(names[code]) for code in first.index)
    more = f" and {len(some) - _NAMED:,} more" if len(some) > _NAMED else ""
    return [
        f"{len(first):,} of {len(measured.tenths):,} areas are the tenth with more need on these "
        f"indicators than all others: {', '.join(some[:_NAMED])}{more}.",
        f"{firm:,} of those {len(first):,} are there in at least 95% of the weightings tried.",
        words_how_sure(measured),
    ]


def words_how_sure(measured: Measured) -> str:
    """
    Say how far the tenths hold.

    Parameters
    ----------
    measured
        The index.

    Returns
    -------
    sentence
        With the share of weightings that give the same tenth.
    """
    kept = measured.tenths["kept"]
    return (
        f"Had the domains been weighted a little otherwise, an area would be in the same tenth "
        f"{kept.mean():.0%} of the time; {int((kept < _HALF).sum()):,} of {len(kept):,} areas "
        "would be in another more often than not."
    )


def notes_on(recipe: IndexRecipe, measured: Measured) -> list[str]:
    """
    Say what the index rests on: every indicator by its name, and how it was made.

    Parameters
    ----------
    recipe
        What was asked.
    measured
        The index.

    Returns
    -------
    notes
        Sentences.
    """
    named = "; ".join(
        f"{name} ({row['domain']}; {row['more_need']} is more need)"
        for name, row in measured.indicators.iterrows()
    )
    notes = [f"Areas were ranked by: {named}.", *measured.method, *special_words(recipe)]
    return [*notes, *([f"Beside deprivation: {measured.agreement}"] if measured.agreement else [])]


def special_words(recipe: IndexRecipe) -> list[str]:
    """
    Name the indicators of a special category, and why they were used.

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
        for one in recipe.index.special
    ]
