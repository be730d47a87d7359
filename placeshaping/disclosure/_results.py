"""Which result a table is, told by its columns, and by which way it may leave."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pandas as pd

from placeshaping._core.errors import DisclosureError

Kind = Literal["summary", "streets", "list"]


@dataclass(frozen=True)
class Result:
    """
    What a method returns that is not of areas.

    Attributes
    ----------
    name
        As files declare it.
    kind
        ``"summary"`` (counts of the whole), ``"streets"`` or ``"list"``.
    made_by
        The function that makes it.
    columns
        Columns by which it is known.
    """

    name: str
    kind: Kind
    made_by: str
    columns: frozenset[str]


RESULTS = (
    Result(
        "near_repeat",
        "summary",
        "knox",
        frozenset({"distance_band", "day_band", "observed", "expected", "pattern"}),
    ),
    Result("profile", "summary", "temporal_profile", frozenset({"count", "hours", "index"})),
    Result(
        "change",
        "summary",
        "change_between or change_dispersion",
        frozenset({"before", "after", "difference"}),
    ),
    Result(
        "streets", "streets", "hot_streets", frozenset({"length_km", "count", "order", "holds"})
    ),
    Result(
        "repeat_locations",
        "list",
        "repeat_locations",
        frozenset({"order", "services", "count", "first", "last"}),
    ),
    Result(
        "near_repeat_pairs",
        "list",
        "near_repeat_pairs",
        frozenset({"originator", "follow_on", "distance", "days"}),
    ),
    Result(
        "risk_bands", "list", "risk_bands", frozenset({"event", "age_days", "days_left", "lift"})
    ),
    Result(
        "inspection_list",
        "list",
        "make_inspection_list",
        frozenset({"order", "chosen_by", "chance", "reasons"}),
    ),
)

_LABELLED = {
    "funnel": "label_funnel",
    "change": "label_change",
    "contributes": "label_dispersion",
}
"""Column of a table by area -> the function that makes labels of it."""


def known_result(table: pd.DataFrame) -> Result | None:
    """
    Tell which result a table is; None where it is none that leaves as records.

    Examples
    --------
    >>> pairs = pd.DataFrame(columns=["originator", "follow_on", "distance", "days"])
    >>> known_result(pairs).kind
    'list'
    """
    columns = set(map(str, table.columns))
    return next((one for one in RESULTS if one.columns <= columns), None)


def refuse_table(given: object) -> None:
    """
    Refuse a table where a study is wanted, and name the function that takes it.

    Raises
    ------
    DisclosureError
        If it is a table of pandas.

    Examples
    --------
    >>> refuse_table(pd.DataFrame(columns=["originator", "follow_on", "distance", "days"]))
    Traceback (most recent call last):
        ...
    placeshaping._core.errors.DisclosureError: release takes a Study. This is a table ...
    """
    if not isinstance(given, pd.DataFrame):
        return
    told = []
    result = known_result(given)
    if result is not None:
        told.append(
            f"This is a table of {result.made_by}: call release_records(table, policy=..., "
            "title=..., made_on=...)."
        )
    told += [
        f"To show its classes on the map: study.with_labels({function}({{'lsoa': table}}))."
        for column, function in _LABELLED.items()
        if column in given
    ]
    if not told:
        told.append(
            "Count its records with analyse, and give the study; classes of areas go onto it by "
            "study.with_labels(label_areas(...))."
        )
    raise DisclosureError(" ".join(["release takes a Study.", *told]))
