"""Areas cut down to built-up land by a raster, through tobler."""

import itertools

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely
from affine import Affine

from placeshaping._core.errors import EmptyError, MissingFileError
from placeshaping.joins.interpolation import interpolate_areal
from placeshaping.joins.land_cover import built_up

pytest.importorskip("tobler.dasymetric", reason="extra: shaping")

E, N = 450_000, 300_000


@pytest.fixture
def raster(tmp_path):
    """Write 4 by 2 pixels of 100 m: houses (20, 21) in the west, woods (1) elsewhere."""
    cover = np.array([[20, 21, 1, 1], [20, 20, 1, 1]], dtype="int16")
    profile = {"driver": "GTiff", "height": 2, "width": 4, "count": 1, "dtype": "int16"}
    place = {"crs": "EPSG:27700", "transform": Affine(100, 0, E, 0, -100, N + 200)}
    path = tmp_path / "cover.tif"
    with rasterio.open(path, "w", **profile, **place) as file:
        file.write(cover, 1)
    return path


def strips(prefix, *edges):
    shapes = [shapely.box(E + a, N, E + b, N + 200) for a, b in itertools.pairwise(edges)]
    index = pd.Index([f"{prefix}{i}" for i in range(1, len(edges))], name="area_code")
    return gpd.GeoDataFrame(geometry=shapes, index=index, crs=27700)


def test_values_go_to_built_up_land(raster):
    source, target = strips("S", 0, 400), strips("T", 0, 100, 200, 400)
    counts = pd.DataFrame({"count": [12]}, index=source.index)
    homes = built_up(source, raster, values=[20, 21])
    assert homes.area.tolist() == pytest.approx([40_000])
    made = interpolate_areal(counts, homes, target, via="area")
    assert made["count"].tolist() == pytest.approx([6, 6])
    assert source.area.tolist() == [80_000]
    narrow = interpolate_areal(counts, built_up(source, raster, values=[21]), target, via="area")
    assert narrow["count"].tolist() == pytest.approx([12])


def test_areas_without_built_up_land_stay_whole(raster):
    homes = built_up(strips("S", 0, 250, 400), raster, values=[20, 21])
    assert homes.area.tolist() == pytest.approx([40_000, 30_000])
    assert homes.attrs["without_built_up"] == ("S2",)


def test_a_raster_that_does_not_serve_is_refused(raster, tmp_path):
    with pytest.raises(EmptyError, match=r"none of 1 areas has a pixel of the classes 20"):
        built_up(strips("S", 200, 400), raster, values=[20])
    with pytest.raises(EmptyError, match="that the raster covers the areas"):
        built_up(strips("S", 5000, 6000), raster, values=[20])
    with pytest.raises(MissingFileError, match="no such file"):
        built_up(strips("S", 0, 400), tmp_path / "none.tif", values=[20])
