"""Intervals of evaluations that fit only exact counts."""

import pandas as pd
import pytest

from placeshaping.verify.contents import Table
from placeshaping.verify.evaluations import check_evaluation

ROWS = {
    "part": ["comparison", "treated"],
    "records_before": [370.0, 10.0],
    "records_after": [365.0, 20.0],
    "expected": [None, 9.86486],
    "difference": [None, 10.1351],
    "interval_from": [None, -3.76836],
    "interval_to": [None, 24.0386],
    "percent_from": [None, -38.1998],
    "percent_to": [None, 243.679],
}


def found(**changed):
    rows = ROWS | {name: [None, value] for name, value in changed.items()}
    return [breach.what for breach in check_evaluation(Table("json", pd.DataFrame(rows)))]


def test_an_interval_around_the_difference_passes():
    assert found() == []


@pytest.mark.parametrize(
    "changed",
    [{"interval_from": -3.81}, {"interval_to": 24.1}, {"percent_from": -39.0}, {"percent_to": 241}],
    ids=str,
)
def test_an_interval_of_other_numbers_does_not(changed):
    assert found(**changed) == ["1 interval not around the difference that is shown"]


def test_an_interval_without_limits_is_let_pass():
    assert found(interval_from="no limit", interval_to="no limit") == []
