"""Which districts a place holds."""

from __future__ import annotations

import pandas as pd
import pytest

from placeshaping._core.errors import InputError
from placeshaping.sources.places_within import find_districts

ESSEX = [("E07000071", "Colchester"), ("E07000072", "Epping Forest")]
UNITARY = ("E06000033", "Southend-on-Sea")


@pytest.fixture
def forces() -> pd.DataFrame:
    districts = [*ESSEX, UNITARY, ("E07000096", "Dacorum")]
    force = ["Essex", "Essex", "Essex", "Hertfordshire"]
    return pd.DataFrame(
        {
            "LAD24CD": [code for code, _ in districts],
            "LAD24NM": [name for _, name in districts],
            "PFA24CD": ["E23000028"] * 3 + ["E23000027"],
            "PFA24NM": force,
        }
    )


@pytest.fixture
def counties(forces: pd.DataFrame) -> pd.DataFrame:
    table = forces.iloc[[0, 1, 3], :2].copy()
    return table.assign(
        CTY24CD=["E10000012"] * 2 + ["E10000015"], CTY24NM=["Essex"] * 2 + ["Herts"]
    )


def test_widest_place_of_a_name_is_taken_and_told(
    forces: pd.DataFrame, counties: pd.DataFrame
) -> None:
    districts, notes = find_districts(["Essex"], [forces, counties])
    assert districts == sorted([*ESSEX, UNITARY])
    assert notes == [
        "Essex is taken as the police force (3 districts), not the county (2 districts); "
        "'county: Essex' asks for that."
    ]


def test_level_settles_the_place(forces: pd.DataFrame, counties: pd.DataFrame) -> None:
    assert find_districts(["county: essex"], [forces, counties]) == (ESSEX, [])


@pytest.mark.parametrize(
    "name", ["E07000071", "colchester", " Colchester ", "district: Colchester"]
)
def test_codes_and_names_in_any_case_are_understood(forces: pd.DataFrame, name: str) -> None:
    assert find_districts([name], [forces]) == (ESSEX[:1], [])


def test_police_force_is_known_by_its_full_name(
    forces: pd.DataFrame, counties: pd.DataFrame
) -> None:
    assert find_districts(["Essex Police"], [forces, counties]) == (sorted([*ESSEX, UNITARY]), [])


def test_places_add_up_without_repeats(forces: pd.DataFrame, counties: pd.DataFrame) -> None:
    districts, _ = find_districts(["Colchester", "county: Essex"], [forces, counties])
    assert districts == ESSEX


def test_places_of_one_name_that_lie_apart_are_refused(forces: pd.DataFrame) -> None:
    other = pd.DataFrame({"LAD24CD": ["E07000096"], "LAD24NM": ["Dacorum"],
                          "CTY24CD": ["E10000099"], "CTY24NM": ["Essex"]})  # fmt: skip
    with pytest.raises(
        InputError, match=r"different places .*Say which, for instance 'police force"
    ):
        find_districts(["Essex"], [forces, other])


def test_unknown_place_suggests_near_ones(forces: pd.DataFrame) -> None:
    with pytest.raises(InputError, match="Did you mean Colchester"):
        find_districts(["Colchster"], [forces])


def test_tables_without_districts_know_no_place() -> None:
    with pytest.raises(InputError, match="Give a district, force or county"):
        find_districts(["Essex"], [pd.DataFrame({"WD24CD": ["E05000001"]})])
