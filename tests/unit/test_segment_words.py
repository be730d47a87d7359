"""Names and portraits of groups: what is said, what is not, and in which words."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from placeshaping._core.errors import ColumnError
from placeshaping.maps.words import label_words
from placeshaping.shaping.segment_words import draft_portraits

LETTERS = list("ABC")


def groups(sizes: tuple[int, ...] = (3, 2, 1)) -> pd.DataFrame:
    letters = [letter for letter, size in zip(LETTERS, sizes, strict=True) for _ in range(size)]
    codes = [f"E019{n:05}" for n in range(len(letters))]
    return pd.DataFrame({"segment": pd.Categorical(letters, categories=LETTERS)}, codes)


def profile(*rows: tuple[str, str, float, float, float]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["segment", "variable", "mean", "everywhere", "deviations"])
    return table.assign(times=table["mean"] / table["everywhere"])


def test_names_tell_what_sets_apart_most_first() -> None:
    drafts = draft_portraits(
        profile(
            ("A", "homes owned", 50.0, 60.0, -0.6),
            ("A", "homes rented", 40.0, 20.0, 1.5),
            ("A", "children", 21.0, 20.0, 0.1),
            ("B", "homes owned", 60.0, 60.0, 0.0),
            ("C", "homes owned", 58.0, 60.0, -0.7),
        ),
        groups(),
        residents=pd.Series(1_000, groups().index),
    )
    assert drafts["name"].tolist() == [
        "More homes rented, fewer homes owned",
        "Near the average",
        "Slightly fewer homes owned",
    ]
    assert drafts.loc["A", "portrait"] == (
        "3 of 6 areas, 3,000 residents. More homes rented (40.0%, 2.0 times the average of 20.0%). "
        "Fewer homes owned (50.0%, 0.8 times the average of 60.0%). Near the average: children."
    )
    assert drafts.loc["B", "portrait"].endswith("Near the average in all that was compared.")
    assert drafts.loc["C", "summary"] == "Homes owned (58.0%; average 60.0%)."
    assert drafts["residents"].tolist() == [3_000, 2_000, 1_000]


def test_groups_of_the_same_features_get_names_of_their_own() -> None:
    alike = [(one, "homes rented", 40.0, 20.0, 1.0) for one in "ABC"]
    drafts = draft_portraits(profile(*alike, ("B", "children", 30.0, 20.0, 0.9)), groups())
    assert drafts["name"].is_unique
    assert drafts["name"].tolist()[1] == "More homes rented, more children"


def test_units_stand_behind_the_numbers() -> None:
    drafts = draft_portraits(
        profile(("A", "reports", 38.0, 20.0, 1.0)),
        groups(),
        units={"reports": " per 1,000 residents"},
    )
    told = drafts.loc["A", "portrait"]
    assert "reports (38.0 per 1,000 residents, 1.9 times the average of 20.0 per 1,000" in told


@given(
    st.lists(
        st.tuples(
            st.sampled_from(LETTERS),
            st.sampled_from(["homes rented", "homes owned", "children", "people aged 67 and over"]),
            st.floats(0, 100),
            st.floats(0.1, 100),
            st.floats(-5, 5),
        ),
        max_size=12,
        unique_by=lambda row: row[:2],
    )
)
@settings(max_examples=60, deadline=None)
def test_no_draft_labels_a_place_and_no_two_groups_share_a_name(
    rows: list[tuple[str, str, float, float, float]],
) -> None:
    drafts = draft_portraits(profile(*rows), groups())
    assert drafts["name"].is_unique
    assert label_words([*drafts["name"], *drafts["portrait"], *drafts["summary"]]) == []
    assert not drafts["portrait"].str.contains("nan|inf").any()


def test_tables_of_other_functions_are_refused() -> None:
    with pytest.raises(ColumnError, match="segment"):
        draft_portraits(profile(), pd.DataFrame({"cluster": np.arange(3)}))
    with pytest.raises(ColumnError, match="times"):
        draft_portraits(profile().drop(columns="times"), groups())
