"""The ladder of levels."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely import box

from placeshaping._core.errors import ColumnError, DuplicateError, InputError, UnmatchedError
from placeshaping.areas.ladder import Ladder, make_ladder

CODES = pd.Index([f"E0190000{i}" for i in range(1, 5)], name="area_code")


def squares() -> gpd.GeoDataFrame:
    shapes = [box(x, y, x + 1, y + 1) for x in (0, 1) for y in (0, 1)]
    return gpd.GeoDataFrame({"area_name": list("abcd")}, geometry=shapes, index=CODES, crs=27700)


def lookup(**columns: list[str | None]) -> pd.DataFrame:
    return pd.DataFrame(columns, index=CODES)


def test_larger_areas_are_united_from_small_ones() -> None:
    ladder = make_ladder(squares(), lookup(msoa_code=list("NNMM"), msoa_name=list("nnmm")))
    above = ladder.areas["msoa"]
    assert above.index.tolist() == ["M", "N"]
    assert above["area_name"].tolist() == ["m", "n"]
    assert above.geometry.area.tolist() == [2.0, 2.0]
    assert above.geometry["N"].equals(box(0, 0, 1, 2))


def test_values_are_conserved_at_every_level() -> None:
    ladder = make_ladder(squares(), lookup(msoa_code=list("NNMM"), district_code=list("DDDD")))
    values = np.arange(8).reshape(2, 4)
    for level in ladder.levels:
        assert ladder.sum_to(level, values).sum(axis=-1).tolist() == [6, 22]


def test_parents_are_found_between_any_two_levels() -> None:
    ladder = make_ladder(squares(), lookup(msoa_code=list("NNMO"), district_code=list("DDEE")))
    above = ladder.areas["district"].index[ladder.parents("msoa", "district")]
    assert dict(zip(ladder.areas["msoa"].index, above, strict=True)) == {
        "M": "E",
        "N": "D",
        "O": "E",
    }


def test_area_without_a_parent_is_named() -> None:
    with pytest.raises(UnmatchedError, match=r"1 of 4 areas have no msoa.*E01900003"):
        make_ladder(squares(), lookup(msoa_code=["M", "M", None, "M"]))


def test_area_in_two_parents_at_the_top_is_refused() -> None:
    with pytest.raises(InputError, match=r"1 areas of level 'msoa' lie in more than one 'distr.*M"):
        make_ladder(squares(), lookup(msoa_code=list("MMNN"), district_code=list("DEEE")))
    with pytest.raises(InputError, match=r"1 areas of level 'msoa' lie in more than one 'ward'"):
        branches(levels=["msoa", "ward"])


def branches(levels: list[str] | None = None) -> Ladder:
    """MSOA M has two squares, of which ward V has one and two of MSOA N."""
    above = lookup(msoa_code=list("MMNN"), ward_code=list("UVVV"), district_code=list("DDDD"))
    return make_ladder(squares(), above, levels=levels or ["msoa", "ward", "district"])


def test_levels_that_do_not_nest_in_each_other_are_branches() -> None:
    ladder = branches()
    assert ladder.levels == ("lsoa", "msoa", "ward", "district")
    assert ladder.pairs() == (
        ("lsoa", "msoa"),
        ("lsoa", "ward"),
        ("lsoa", "district"),
        ("msoa", "district"),
        ("ward", "district"),
    )
    assert not ladder.nests("msoa", "ward")
    assert not ladder.nests("msoa", "lsoa")
    assert ladder.areas["ward"].geometry.area.tolist() == [1.0, 3.0]


def test_parent_level_is_the_next_that_holds_a_level_whole() -> None:
    ladder = branches()
    found = {level: ladder.parent_level(level) for level in ladder.levels}
    assert found == {"lsoa": "msoa", "msoa": "district", "ward": "district", "district": None}
    assert ladder.parent_level("lsoa", among=["lsoa", "ward", "district"]) == "ward"
    assert ladder.parent_level("msoa", among=["msoa", "ward"]) is None


def test_branch_that_nests_by_chance_is_added_up_too() -> None:
    above = lookup(msoa_code=list("MMNN"), ward_code=list("UVWW"), district_code=list("DDDD"))
    ladder = make_ladder(squares(), above, levels=["msoa", "ward", "district"])
    assert ("ward", "msoa") in ladder.pairs()
    assert ("msoa", "ward") not in ladder.pairs()
    assert ladder.parent_level("ward") == "district"
    with pytest.raises(InputError, match=r"'district' stands before 'msoa', which is finer"):
        make_ladder(squares(), above, levels=["district", "msoa", "ward"])


def test_first_branch_is_the_one_named_first() -> None:
    assert branches(["ward", "msoa", "district"]).parent_level("lsoa") == "ward"


def test_parents_across_branches_are_refused() -> None:
    with pytest.raises(
        InputError, match=r"1 areas of level 'msoa' lie in more than one 'ward' \(M"
    ):
        branches().parents("msoa", "ward")


def test_no_lookup_gives_one_level() -> None:
    assert make_ladder(squares()).levels == ("lsoa",)


def test_levels_in_the_wrong_order_are_told() -> None:
    above = lookup(msoa_code=list("NNMO"), district_code=list("DDEE"))
    with pytest.raises(InputError, match=r"Finer levels come first: \['msoa', 'district'\]"):
        make_ladder(squares(), above, levels=["district", "msoa"])


def test_misspelt_level_names_the_nearest() -> None:
    above = lookup(msoa_code=list("NNMO"), district_code=list("DDEE"))
    with pytest.raises(ColumnError, match=r"no level 'mosa'. Did you mean msoa\? It has: msoa, di"):
        make_ladder(squares(), above, levels=["mosa"])
    with pytest.raises(ColumnError, match=r"no level 'ward'. It has: msoa, district"):
        make_ladder(squares(), above, levels=["ward"])


def test_level_of_the_areas_themselves_is_not_above_them() -> None:
    with pytest.raises(InputError, match="'lsoa' is the level of the areas themselves"):
        make_ladder(squares(), lookup(msoa_code=list("NNMO")), levels=["lsoa", "msoa"])


def test_repeated_code_in_the_lookup_is_refused() -> None:
    above = lookup(msoa_code=list("NNMO"))
    with pytest.raises(DuplicateError, match=r"lookup: 1 area codes stand more than .*E01900001"):
        make_ladder(squares(), pd.concat([above, above.iloc[:1]]))


def test_codes_that_are_numbers_are_refused() -> None:
    with pytest.raises(
        ColumnError, match=r"areas: 4 of 4 area codes in the index are no text \(0,"
    ):
        make_ladder(squares().reset_index())
    with pytest.raises(ColumnError, match=r"lookup: 4 of 4 area codes in the index are no text"):
        make_ladder(squares(), lookup(msoa_code=list("NNMO")).reset_index())


@pytest.mark.parametrize("empty", [None, "", " "])
def test_larger_area_without_a_name_is_told(empty: str | None) -> None:
    above = lookup(msoa_code=list("NNMM"), msoa_name=["n", empty, empty, empty])
    with pytest.raises(ColumnError, match=r"1 of 2 areas of level 'msoa' have no name.*\(M\)"):
        make_ladder(squares(), above)


def test_one_name_for_a_larger_area_is_enough() -> None:
    above = lookup(msoa_code=list("NNMM"), msoa_name=[None, "n", "m", None])
    assert make_ladder(squares(), above).areas["msoa"]["area_name"].tolist() == ["m", "n"]


def test_areas_without_names_are_refused() -> None:
    with pytest.raises(ColumnError, match="areas has no column 'area_name'"):
        make_ladder(squares().drop(columns="area_name"))


@pytest.mark.parametrize("blank", ["", "  "])
def test_area_with_a_blank_parent_is_named(blank: str) -> None:
    with pytest.raises(UnmatchedError, match=r"1 of 4 areas have no msoa.*E01900003"):
        make_ladder(squares(), lookup(msoa_code=["M", "M", blank, "M"]))


def test_blanks_around_a_parent_do_not_make_another() -> None:
    ladder = make_ladder(
        squares(), lookup(msoa_code=["M", "M ", " N", "N"], msoa_name=list("mmnn"))
    )
    assert ladder.areas["msoa"]["area_name"].to_dict() == {"M": "m", "N": "n"}
