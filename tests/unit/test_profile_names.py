"""Names of areas are looked up before anything is protected."""

import geopandas as gpd
import pytest
import shapely

from placeshaping._core.errors import InputError
from placeshaping.project.profile_places import check_names


@pytest.fixture
def ground():
    return gpd.GeoDataFrame(
        {"area_name": ["Fen 1A"], "ward_code": ["E05900001"], "ward_name": ["Tarnfleet"]},
        index=["E01900001"],
        geometry=[shapely.Point(0, 0)],
        crs=27700,
    )


def test_codes_and_names_of_every_level_are_known_letter_case_aside(ground):
    check_names(ground, ["e01900001", "FEN 1A", " Tarnfleet ", "E05900001"], finest="lsoa")


def test_an_unknown_name_is_refused_with_near_ones_and_levels(ground):
    said = r"'Tarnfleeet' is no area .* Did you mean Tarnfleet\? Levels searched: .*LSOA.*Ward\."
    with pytest.raises(InputError, match=said):
        check_names(ground, ["Tarnfleet", "Tarnfleeet"], finest="lsoa")


def test_no_name_is_fine_too(ground):
    check_names(ground, [], finest="lsoa")
