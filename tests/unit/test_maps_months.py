"""Months as a sentence has them, and periods that have gaps."""

from __future__ import annotations

import pandas as pd
import pytest

from placeshaping.maps.months import month_words, period_words
from placeshaping.statistics.views import make_periods


def test_gaps_stand_where_the_period_stands() -> None:
    months = pd.date_range("2018-10-01", "2025-12-01", freq="MS")
    some = months[:20].append(months[-1:])
    assert period_words(make_periods(some)[0]) == (
        "21 months between October 2018 and December 2025 (66 missing)"
    )
    assert period_words(make_periods(months[:3])[0]) == "October 2018 to December 2018"
    assert period_words(make_periods(months[:1])[0]) == "October 2018"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("for 2019-03.", "for March 2019."),
        ("for 2019-12, 2020-01.", "for December 2019 and January 2020."),
        ("for 2019-01, 2019-03 and 5 more.", "for January 2019, March 2019 and 5 more."),
        ("on 2019-03-05", "on 2019-03-05"),
        ("2019-03.csv and 2019-03/a.csv", "2019-03.csv and 2019-03/a.csv"),
        ("E01-2019-03", "E01-2019-03"),
        ("2019-13", "2019-13"),
    ],
)
def test_months_become_words_and_names_stay(given: str, words: str) -> None:
    assert month_words(given) == words
