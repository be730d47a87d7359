"""What a proposal of wards does, in words."""

from __future__ import annotations

from collections.abc import Iterator

from placeshaping.shaping.ward_scores import Scores
from placeshaping.shaping.wards import Review


def describe_proposal(review: Review, scores: Scores, *, name: str) -> tuple[str, ...]:
    """
    Say in sentences what a proposal does, the judgement first.

    Parameters
    ----------
    review
        The area.
    scores
        From `score_proposal`.
    name
        Of the proposal.

    Returns
    -------
    sentences
        For people who are not statisticians.

    Examples
    --------
    >>> import geopandas as gpd, pandas as pd
    >>> from shapely import box
    >>> from placeshaping.shaping.ward_scores import score_proposal
    >>> from placeshaping.shaping.wards import make_proposal, make_review
    >>> units = gpd.GeoDataFrame(
    ...     {"electors_now": [90, 110], "electors_forecast": [98, 102]}, crs=27700,
    ...     geometry=[box(0, 0, 100, 100), box(100, 0, 200, 100)], index=["a", "b"],
    ... )
    >>> review = make_review(units, councillors=2, name="Two squares")
    >>> wards = pd.Series(["West", "East"], index=["a", "b"])
    >>> halves = make_proposal(review, wards, name="Halves", councillors={"East": 1, "West": 1})
    >>> describe_proposal(review, score_proposal(review, halves), name="Halves")[0]
    'Halves meets the tests: every ward is within 10 % of the average on the forecast, of one ...'
    """
    return tuple(_sentences(review, scores, name))


def _sentences(review: Review, scores: Scores, name: str) -> Iterator[str]:
    told = scores.summary
    mark = f"{100 * review.tolerance:g} %"
    if scores.faults:
        many = len(scores.faults)
        yield (
            f"{name} does not meet the tests yet: {many:,} "
            f"{'thing stands' if many == 1 else 'things stand'} against it."
        )
    else:
        yield (
            f"{name} meets the tests: every ward is within {mark} of the average on the forecast, "
            "of one piece, and none lies wholly within another."
        )
    sizes = scores.wards["councillors"].value_counts().sort_index()
    kinds = [f"{count:,} of {size}" for size, count in sizes.items()]
    yield (
        f"It has {told['wards']:,} wards for {told['councillors']:,} councillors "
        f"({', '.join(kinds)}); {_average(review, told['councillors'])}"
    )
    yield (
        f"The ward farthest from the average is {100 * told['largest_forecast']:.1f} % away on the "
        f"forecast, and {100 * told['largest_now']:.1f} % with today's electors; "
        f"{told['over_now']:,} of {told['wards']:,} wards are beyond {mark} today."
    )
    yield from scores.faults
    yield from scores.warnings[1 if told["over_now"] else 0 :]


def _average(review: Review, councillors: int) -> str:
    forecast = review.units["electors_forecast"].sum() / councillors
    now = review.units["electors_now"].sum() / councillors
    return f"a councillor stands for {forecast:,.0f} electors on the forecast, {now:,.0f} today."
