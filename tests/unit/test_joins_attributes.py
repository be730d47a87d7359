"""Population and deprivation by code: tags kept, census years apart."""

import geopandas as gpd
import pandas as pd
import pytest

from placeshaping._core.columns import column_tags, tag_columns
from placeshaping._core.errors import (
    ColumnError,
    DuplicateError,
    InputError,
    UnmatchedError,
    VintageError,
)
from placeshaping.joins.attributes import attach_deprivation, attach_population


def make_areas(codes, **attrs):
    index = pd.Index(codes, name="area_code")
    areas = gpd.GeoDataFrame({"area_name": [f"Name {c}" for c in codes]}, index=index)
    areas.attrs.update(attrs)
    return areas


def make_population(codes, **attrs):
    table = pd.DataFrame({"residents": range(1000, 1000 + len(codes))}, index=pd.Index(codes))
    table.attrs.update(attrs)
    return table


def test_columns_are_joined_by_code_in_the_order_of_the_areas():
    areas = make_areas(["E01000003", "E01000001"], level="lsoa")
    population = make_population(["E01000001", "E01000002", "E01000003"])
    joined = attach_population(areas, population)
    assert joined.index.tolist() == ["E01000003", "E01000001"]
    assert joined["residents"].tolist() == [1002, 1000]
    assert joined["residents"].dtype == population["residents"].dtype
    assert joined.attrs["level"] == "lsoa"
    assert "residents" not in areas


def test_tags_are_kept():
    areas = make_areas(["E01000001"])
    tag_columns(areas, {"area_name": "personal"})
    deprivation = pd.DataFrame({"imd_decile": [1]}, index=["E01000001"])
    tag_columns(deprivation, {"imd_decile": "audit_only"})
    joined = attach_deprivation(areas, deprivation)
    assert column_tags(joined) == {"area_name": "personal", "imd_decile": "audit_only"}
    assert column_tags(areas) == {"area_name": "personal"}


@pytest.mark.parametrize(
    ("areas_year", "table_year", "remedy"),
    [("2021", "2011", "Indices of Deprivation 2025"), ("2011", "2021", "Deprivation 2019")],
)
def test_declared_years_must_agree(areas_year, table_year, remedy):
    areas = make_areas(["E01000001", "E01000002"], vintage=areas_year)
    table = pd.DataFrame({"imd_decile": [1]}, index=["E01000001"])
    table.attrs["vintage"] = table_year
    message = rf"is of {table_year}, the areas are of {areas_year}: 1 of 2 .*E01000002.*{remedy}"
    with pytest.raises(VintageError, match=message):
        attach_deprivation(areas, table, missing="allow")


def test_undeclared_years_are_told_from_the_codes():
    newer = make_areas(["E01000001", "E01035000"])
    older = make_population(["E01000001", "E01000002"])
    with pytest.raises(VintageError, match=r"is of 2011, the areas are of 2021.*census of 2021"):
        attach_population(newer, older)
    with pytest.raises(VintageError, match=r"is of 2021, the areas are of 2011.*2020 or earlier"):
        attach_population(
            make_areas(["E01000001", "E01000002"]), make_population(["E01000001", "E01035000"])
        )


def test_areas_that_never_changed_may_use_either_year():
    areas = make_areas(["E01000001"], vintage="2021")
    joined = attach_population(areas, make_population(["E01000001"], vintage="2011"))
    assert joined["residents"].tolist() == [1000]


def test_another_nation_is_missing_and_no_vintage_error():
    areas = make_areas(["E01035000", "W01000001"], vintage="2021")
    english = make_population(["E01035000"], vintage="2021")
    with pytest.raises(UnmatchedError, match=r'1 of 2 areas .*\(W01000001\).*missing="allow"'):
        attach_population(areas, english)
    joined = attach_population(areas, english, missing="allow")
    assert joined["residents"].isna().tolist() == [False, True]


def test_no_match_at_all_is_refused_even_if_missing_is_allowed():
    beats = make_population(["Beat 1", "Beat 2"])
    with pytest.raises(UnmatchedError, match="None matches: check that both are of the same level"):
        attach_population(make_areas(["E01000001"]), beats, missing="allow")


def test_repeats_and_clashes_are_refused():
    areas = make_areas(["E01000001"])
    with pytest.raises(DuplicateError, match="The population table: 1 area codes"):
        attach_population(areas, make_population(["E01000001", "E01000001"]))
    with pytest.raises(ColumnError, match="both have area_name"):
        attach_population(areas, make_population(["E01000001"]).assign(area_name="x"))


def test_a_table_that_is_not_indexed_by_codes_is_refused():
    table = make_population(["E01000001"]).rename_axis("area_code").reset_index()
    with pytest.raises(ColumnError, match=r"population table is indexed by int64.*set_index"):
        attach_population(make_areas(["E01000001"]), table)
    with pytest.raises(InputError, match="missing is 'drop'"):
        attach_population(make_areas(["E01000001"]), make_population([]), missing="drop")
