"""All methods of an evaluation together, and what they say to one another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, TypeVar

import pandas as pd

from placeshaping._core.errors import InputError
from placeshaping.shaping.difference import difference_in_differences
from placeshaping.shaping.displacement import displacement
from placeshaping.shaping.evaluation import TREATED, Panel
from placeshaping.shaping.event_study import event_study, pre_trend
from placeshaping.shaping.synthetic_control import SyntheticControl, synthetic_control

SURE = 0.05
"""p-value under which a difference is taken for more than chance."""

Verdict = Literal["fewer", "more", "unsure", "none"]

_Result = TypeVar("_Result")


@dataclass(frozen=True, eq=False)
class Findings:
    """
    What an evaluation has found.

    Attributes
    ----------
    displacement
        From `displacement`: treated areas and rings.
    difference
        From `difference_in_differences`; None where there are too few areas.
    series, trend
        From `event_study` and `pre_trend`; None where they cannot be told.
    control
        From `synthetic_control`; None where there are too few periods or areas.
    left_out
        Why something is missing, a sentence each.
    """

    displacement: pd.DataFrame = field(repr=False)
    difference: pd.DataFrame | None = field(repr=False)
    series: pd.DataFrame | None = field(repr=False)
    trend: pd.DataFrame | None = field(repr=False)
    control: SyntheticControl | None = field(repr=False)
    left_out: tuple[str, ...] = ()

    def of(self, part: str) -> dict[str, float]:
        """Return the numbers of the treated areas, or of a ring."""
        return row_of(self.displacement, part)

    @property
    def verdict(self) -> Verdict:
        """Whether there were fewer or more than expected; unsure where two tests disagree."""
        row = self.of(TREATED)
        tests = [row["p_value"]]
        if self.difference is not None:
            tests.append(row_of(self.difference, "poisson")["p_value"])
        seen = [p < SURE for p in tests]
        if not any(seen):
            return "none"
        if not all(seen):
            return "unsure"
        return "fewer" if row["difference"] < 0 else "more"

    @property
    def apart_before(self) -> bool:
        """Whether treated and comparison areas went apart before anything was done."""
        return self.trend is not None and bool((self.trend["p_value"] < SURE).any())

    @property
    def cautions(self) -> tuple[str, ...]:
        """What a reader must know."""
        told = list(self.displacement.attrs["cautions"])
        if self.difference is None:
            told.append("Only one test could be made: there are too few areas for the other.")
        if self.control is not None:
            told += [f"Synthetic control: {text}" for text in self.control.cautions]
        return tuple(told)


def row_of(table: pd.DataFrame, name: str) -> dict[str, float]:
    """
    Return the numbers of a row of a table; words are left out.

    Examples
    --------
    >>> row_of(pd.DataFrame({"a": [1], "b": ["x"]}, index=["r"]), "r")
    {'a': 1.0}
    """
    numbers = table.select_dtypes("number")
    return dict(zip(numbers.columns, numbers.loc[name].to_numpy(float).tolist(), strict=True))


def evaluate(
    panel: Panel, *, blocks: Panel | None = None, synthetic: bool = True, rng: int = 0
) -> Findings:
    """
    Evaluate with every method that the data bear.

    Parameters
    ----------
    panel
        From `make_panel`.
    blocks
        The same in blocks of months, for the series and the synthetic
        control; None leaves those out.
    synthetic
        Whether to look for synthetic controls.
    rng
        Seed.

    Returns
    -------
    findings
        With a sentence for what could not be done.

    Raises
    ------
    InputError
        If not even counts before and after can be compared.

    Examples
    --------
    >>> import numpy as np
    >>> from placeshaping.shaping.evaluation import make_panel
    >>> codes = [f"a{i:02}" for i in range(40)]
    >>> counts = pd.DataFrame({"area_code": codes * 2, "count": [20] * 40 + [5] * 4 + [20] * 36,
    ...                        "period": ["2024-01-01"] * 40 + ["2024-02-01"] * 40})
    >>> found = evaluate(make_panel(counts, treated=codes[:4], start="2024-02-01"))
    >>> found.verdict, round(found.displacement.loc["treated", "percent"])
    ('fewer', -75)
    """
    reasons: list[str] = []
    difference = _tried(
        "Difference in differences", lambda: difference_in_differences(panel, rng=rng), reasons
    )
    series = trend = control = None
    if blocks is not None:
        series = event_study(blocks)
        trend = _tried("The time before", lambda: pre_trend(blocks, rng=rng), reasons)
        if synthetic:
            control = _tried(
                "Synthetic control", lambda: synthetic_control(blocks, rng=rng), reasons
            )
    return Findings(displacement(panel), difference, series, trend, control, tuple(reasons))


def _tried(what: str, make: Callable[[], _Result], reasons: list[str]) -> _Result | None:
    """Return what is made, or note why it cannot be."""
    try:
        return make()
    except InputError as error:
        reasons.append(f"{what} was left out. {error}")
        return None
