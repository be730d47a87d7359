"""Points from surfaces: the attacker breaks densities, and classes withstand it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely
from rasterio.transform import Affine
from scipy.spatial import KDTree

from placeshaping.disclosure.surfaces import DENSITY_EDGES, mask_surface
from placeshaping.layers.rasters import write_classes
from placeshaping.verify.contents import UnreadableError
from placeshaping.verify.deconvolution import recover_points
from placeshaping.verify.rasters import TAG, attack_raster

CELL = 100.0
SIDE = 50
PLACE = (CELL, 0.0, 400_000.0, 0.0, -CELL, 305_000.0)
X = 400_000 + CELL * (np.arange(SIDE) + 0.5)
Y = 305_000 - CELL * (np.arange(SIDE) + 0.5)
DECLARED = {"format": 1, "policy": "public", "threshold": 10, "rounding": 5, "zeros_shown": False}


def spread(seed: int, number: int = 25) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.uniform([400_300, 300_300], [404_700, 304_700], (number, 2))


def density(xy: np.ndarray, bandwidth: float = 300.0) -> np.ndarray:
    square = (X[None, :, None] - xy[:, 0]) ** 2 + (Y[:, None, None] - xy[:, 1]) ** 2
    bumps = np.where(square < bandwidth**2, (1 - square / bandwidth**2) ** 2, 0)
    return bumps.sum(axis=-1) * 3 / (np.pi * (bandwidth / 1000) ** 2)


def two_figures(values: np.ndarray) -> np.ndarray:
    last = 10.0 ** (np.floor(np.log10(np.maximum(values, 1e-9))) - 1)
    return np.rint(values / last) * last


def written(path: Path, values: np.ndarray, **tags: Any) -> Path:
    rows, columns = values.shape[-2:]
    bands = values.reshape(-1, rows, columns)
    with rasterio.open(
        path, "w", driver="GTiff", height=rows, width=columns, count=len(bands),
        dtype=values.dtype, crs=27700, transform=Affine(*PLACE), nodata=0,
    ) as made:  # fmt: skip
        made.write(bands)
        made.update_tags(**tags)
    return path


def found(path: Path) -> str:
    return "\n".join(f"{b.where}: {b.what} [{b.proof}]" for b in attack_raster(path))


def test_all_points_come_back_from_a_density_of_two_figures() -> None:
    true = spread(2)
    back = recover_points(two_figures(density(true)))
    places = np.column_stack([X[0] + CELL * back.columns, Y[0] - CELL * back.rows])
    distance, _ = KDTree(places).query(true)
    assert (distance <= 50).sum() == 25
    assert back.kernel == "quartic"
    assert back.bandwidth * CELL == pytest.approx(300, rel=0.02)
    assert back.explained > 0.999


def test_points_come_back_from_a_gaussian_density() -> None:
    true = spread(3, 12)
    square = (X[None, :, None] - true[:, 0]) ** 2 + (Y[:, None, None] - true[:, 1]) ** 2
    back = recover_points(two_figures(np.exp(-square / 80_000).sum(axis=-1)))
    places = np.column_stack([X[0] + CELL * back.columns, Y[0] - CELL * back.rows])
    assert (KDTree(places).query(true)[0] <= 100).all()
    assert back.kernel == "gaussian"


def test_density_of_two_figures_is_broken(tmp_path: Path) -> None:
    values = two_figures(density(spread(2))).astype(np.float32)
    told = found(written(tmp_path / "d.tif", values))
    assert "different numbers (float32), where at most 5 classes may leave" in told
    assert "gives back 25 points" in told
    assert "with a quartic bump of 300 m draw 99.9" in told


def test_ten_colour_bins_are_broken(tmp_path: Path) -> None:
    values = density(spread(1))
    bins = np.ceil(10 * values / values.max()).astype(np.uint8)
    told = found(written(tmp_path / "d.tif", bins))
    assert "holds 10 different numbers (uint8), where at most 5 classes may leave" in told
    assert "peaks are single events" in told


def test_classes_that_rest_on_nothing_declared_are_broken(tmp_path: Path) -> None:
    told = found(written(tmp_path / "d.tif", np.ones((9, 9), dtype=np.uint8)))
    assert "does not declare what its cells rest on" in told


def test_lone_events_are_broken_in_five_classes(tmp_path: Path) -> None:
    x, y = np.meshgrid(np.arange(400_700, 404_700, 1000), np.arange(300_700, 304_700, 1000))
    true = np.column_stack([x.ravel(), y.ravel()])
    classes = np.digitize(density(true, 400), [0.5, 2, 4, 6]).astype(np.uint8)
    told = found(written(tmp_path / "d.tif", classes))
    assert "patches as discs of one size" in told
    assert "each the bump of a single event at its middle: 400700 303700" in told


def protected(path: Path, seed: int, **changes: Any) -> Path:
    rng = np.random.default_rng(seed)
    middle = rng.uniform([401_000, 301_000], [404_000, 304_000], (4, 2))
    many = np.concatenate([rng.normal(m, 350, (60, 2)) for m in middle] + [spread(seed)])
    events = gpd.GeoDataFrame(geometry=shapely.points(many), crs=27700)
    raster = mask_surface(density(many), PLACE, events, bandwidth=300, policy="public")
    return write_classes(raster, path, declaration={**DECLARED, **changes}, about="Protected.")


@pytest.mark.parametrize("seed", range(6))
def test_protected_surface_withstands(tmp_path: Path, seed: int) -> None:
    assert found(protected(tmp_path / "d.tif", seed)) == ""


def test_no_event_can_be_told_from_the_protected_surface(tmp_path: Path) -> None:
    path = protected(tmp_path / "d.tif", 1)
    with rasterio.open(path) as made:
        classes = made.read(1)
    back = recover_points(np.where(classes > 0, classes, np.nan).astype(float))
    assert back.explained < 0.98 or back.even < 0.6


def test_written_surface_says_what_it_obeys(tmp_path: Path) -> None:
    with rasterio.open(protected(tmp_path / "d.tif", 1)) as made:
        assert made.crs.to_epsg() == 27700
        assert made.dtypes == ("uint8",)
        assert made.nodata == 0
        assert made.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert made.colormap(1)[5] == (37, 52, 148, 255)
        declared = json.loads(made.tags()[TAG])
    assert declared["policy"] == "public"
    assert declared["edges"] == list(DENSITY_EDGES)
    assert len(declared["labels"]) == 5
    assert [p.name for p in tmp_path.iterdir()] == ["d.tif"]


def test_same_surface_gives_the_same_file(tmp_path: Path) -> None:
    one, two = protected(tmp_path / "a.tif", 1), protected(tmp_path / "b.tif", 1)
    assert one.read_bytes() == two.read_bytes()


def declared_as(path: Path, **changes: Any) -> Path:
    values = np.ones((10, 10), dtype=np.uint8)
    own = {"item": "raster", "kind": "counts", "edges": [20.0, 100.0], "cell": 100.0}
    return written(path, values, **{TAG: json.dumps({**DECLARED, **own, **changes})})


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"edges": [7.0, 13.0]}, "2 of 2 class edges are no round numbers: they are values"),
        ({"edges": [1.0, 2.0, 5.0, 10.0, 20.0]}, "has 6 classes; at most 5 may leave"),
        ({"kind": "kernel", "least": 5}, "declares that cells rest on fewer than 10 effective"),
        ({"kind": "kernel"}, r"declares that cells rest on fewer than 10 effective"),
        ({"cell": 250.0}, "has cells of 100 m, finer than it says"),
        ({"policy": "internal"}, "declares the policy 'internal', under which nothing leaves"),
    ],
)
def test_declaration_that_gives_away_is_broken(
    tmp_path: Path, changes: dict[str, Any], match: str
) -> None:
    assert found(declared_as(tmp_path / "good.tif")) == ""
    assert match in found(declared_as(tmp_path / "d.tif", **changes))


def test_classes_beyond_the_declared_ones_are_broken(tmp_path: Path) -> None:
    own = {**DECLARED, "item": "raster", "edges": [20.0]}
    values = np.array([[1, 2, 3]], dtype=np.uint8)
    told = found(written(tmp_path / "d.tif", values, **{TAG: json.dumps(own)}))
    assert "holds classes that it does not declare: 2 are declared [1, 2, 3]" in told


def test_numbers_beside_the_classes_are_broken(tmp_path: Path) -> None:
    values = np.ones((3, 4, 4), dtype=np.uint8)
    told = found(written(tmp_path / "d.tif", values, RAW=" ".join(map(str, range(30)))))
    assert "holds 3 bands: one of classes is enough" in told
    assert "tags: 1 tag is not on the list of those that may leave [RAW]" in told
    assert "tags: holds a list of numbers" in told


def test_what_is_no_raster_is_unreadable(tmp_path: Path) -> None:
    (tmp_path / "d.tif").write_bytes(b"II*\0nothing")
    with pytest.raises(UnreadableError, match=r"d\.tif"):
        attack_raster(tmp_path / "d.tif")
