"""The ladder of levels."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely import box

from placeshaping._core.errors import InputError, UnmatchedError
from placeshaping.areas.ladder import make_ladder

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


def test_levels_that_do_not_nest_are_refused() -> None:
    with pytest.raises(InputError, match=r"1 areas of level 'msoa' lie in more than one"):
        make_ladder(squares(), lookup(msoa_code=list("MMNN"), district_code=list("DEEE")))


def test_no_lookup_gives_one_level() -> None:
    assert make_ladder(squares()).levels == ("lsoa",)
