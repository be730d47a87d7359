"""Areas by the name of a place: any level, any case, never by guess."""

import pandas as pd
import pytest

from placeshaping._core.errors import ColumnError, InputError
from placeshaping.areas.selection import codes_within

LOOKUP = pd.DataFrame(
    {
        "ward_code": ["E05000001", "E05000001", "E05000002", "E05000003", "E05000004"],
        "ward_name": ["Abbey", "Abbey", "Essex", "Abbey", "Hill"],
        "district_code": ["E07000001"] * 3 + ["E07000002", "E07000003"],
        "district_name": ["Colchester"] * 3 + ["Tendring", "Hill"],
        "police_force_code": ["E23000001"] * 4 + [None],
        "police_force_name": ["Essex"] * 4 + [None],
    },
    index=pd.Index([f"E0100000{i}" for i in range(1, 6)], name="area_code"),
)


@pytest.mark.parametrize(
    ("names", "last_digits"),
    [
        (["Colchester"], "123"),
        (["  colCHESTER "], "123"),
        (["e07000002"], "4"),
        (["E01000005"], "5"),
        (["Tendring", "E05000001"], "124"),
        ("Tendring", "4"),
        ([], ""),
    ],
)
def test_names_and_codes_of_any_level_are_found(names, last_digits):
    codes = codes_within(LOOKUP, names)
    assert "".join(code[-1] for code in codes) == last_digits


def test_the_order_is_that_of_the_lookup():
    reverse = LOOKUP.iloc[::-1]
    assert codes_within(reverse, ["Colchester"]).tolist() == reverse.index[2:].tolist()


def test_one_name_for_the_same_areas_at_two_levels_is_clear():
    assert codes_within(LOOKUP, ["Hill"]).tolist() == ["E01000005"]


def test_one_name_for_different_places_needs_a_level():
    message = r"'Essex' stands for different places at the levels ward, police_force.*level="
    with pytest.raises(InputError, match=message):
        codes_within(LOOKUP, ["Essex"])
    assert len(codes_within(LOOKUP, ["Essex"], level="police_force")) == 4
    assert len(codes_within(LOOKUP, ["Essex"], level="ward")) == 1


def test_one_name_for_two_wards_needs_a_code():
    with pytest.raises(InputError, match=r"'Abbey' is the name of 2 places .*E05000001, E05000003"):
        codes_within(LOOKUP, ["Abbey"])


def test_an_unknown_name_is_met_with_near_ones():
    with pytest.raises(InputError, match=r"'Colchster' is no place .* Did you mean Colchester"):
        codes_within(LOOKUP, ["Colchster"])
    with pytest.raises(InputError, match="Levels searched: ward, district, police_force"):
        codes_within(LOOKUP, ["Zzzz"])


def test_an_unknown_level_is_refused():
    with pytest.raises(ColumnError, match="The lookup has no column 'county_code'"):
        codes_within(LOOKUP, ["Essex"], level="county")


def test_a_recoded_district_is_found_under_either_code():
    code = pd.Index(["E01000001", "E01000002"], name="area_code")
    lookup = pd.DataFrame({"district_code": ["E08000016", "E06000001"]}, index=code)
    assert codes_within(lookup, ["E08000038"]).tolist() == ["E01000001"]
    assert codes_within(lookup, ["e08000016"]).tolist() == ["E01000001"]


@pytest.mark.parametrize("name", ["", " "])
def test_no_name_is_no_place(name):
    lookup = pd.DataFrame({"district_code": ["E08000016"], "district_name": [""]}, index=["A"])
    with pytest.raises(InputError, match="is no place in the lookup"):
        codes_within(lookup, [name])
