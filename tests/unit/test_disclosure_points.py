"""Points that may leave: snapped to public ones, or moved into a ring of addresses."""

from __future__ import annotations

import logging
import pickle
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely

from placeshaping._core.errors import (
    ColumnError,
    CRSError,
    DisclosureError,
    EmptyError,
    GeometryError,
    InputError,
)
from placeshaping.disclosure.points import Features, count_nearer, donut, snap_points
from placeshaping.disclosure.secret import Secret, read_secret

SECRET = Secret(bytes(range(32)))


def points(xy: np.ndarray, **columns: object) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(columns, geometry=shapely.points(xy), crs=27700)


def town(seed: int = 3, homes: int = 4000) -> np.ndarray:
    """A dense middle and thinly settled edges."""
    rng = np.random.default_rng(seed)
    middle = rng.normal([450_000, 300_000], 300, (homes, 2))
    edges = rng.uniform([447_000, 297_000], [453_000, 303_000], (homes // 8, 2))
    return np.concatenate([middle, edges])


def shown(features: Features) -> np.ndarray:
    return shapely.get_coordinates(features.points.geometry.to_numpy())


def test_events_go_to_the_nearest_public_point_with_enough_addresses() -> None:
    public = points(np.array([[0.0, 0], [50, 0], [200, 0]]), addresses=[8, 7, 30])
    snapped = snap_points(points(np.array([[49.0, 1], [120, 0]])), public)
    assert shown(snapped).tolist() == [[0, 0], [200, 0]]
    assert snapped.achieved == {"min": 8.0}


def test_rank_of_snapped_points_is_counted_where_addresses_are_given() -> None:
    public = points(np.array([[0.0, 0]]), addresses=[9])
    homes = points(np.array([[1.0, 0], [2, 0], [3, 0], [4, 0]]))
    snapped = snap_points(points(np.array([[3.0, 0]])), public, address_points=homes)
    assert snapped.achieved == {"min": 3.0}


def test_events_far_from_every_public_point_are_refused_or_told() -> None:
    public = points(np.array([[0.0, 0]]), addresses=[9])
    events = points(np.array([[0.0, 1], [9000, 0]]))
    with pytest.raises(DisclosureError, match="1 of 2 events are more than 2,000 m from every"):
        snap_points(events, public)
    snapped = snap_points(events, public, too_far="drop")
    assert len(snapped.points) == 1
    assert snapped.left_out == {"no public point within 2,000 m": 1}
    assert "1 events are left out" in snapped.statement[-1]


def test_public_points_of_few_addresses_are_no_use() -> None:
    with pytest.raises(EmptyError, match="None of 1 public points has 8 addresses"):
        snap_points(points(np.zeros((1, 2))), points(np.zeros((1, 2)), addresses=[7]))


def test_every_point_is_hidden_by_rank_among_as_many_addresses_as_asked() -> None:
    homes = town()
    events = homes[::40]
    masked = donut(points(events), points(homes), secret=SECRET, failed="drop")
    assert masked.achieved["min"] >= 8
    assert masked.achieved["median"] > masked.achieved["p5"] >= masked.achieved["min"]
    assert len(masked.points) + sum(masked.left_out.values()) == len(events)


def test_no_point_stays_where_it_was() -> None:
    homes = town()
    masked = donut(points(homes[:300]), points(homes), secret=SECRET, failed="drop")
    moved = shapely.get_coordinates(masked.points.geometry.to_numpy())
    assert not set(map(tuple, moved)) & set(map(tuple, np.rint(homes[:300])))


def test_block_of_flats_at_one_point_is_moved_all_the_same() -> None:
    homes = np.concatenate([np.full((100, 2), 1000.0), town(homes=400) - [449_000, 299_000]])
    masked = donut(points(homes[:1]), points(homes), secret=SECRET, precision=1.0)
    assert 0 < np.hypot(*(shown(masked)[0] - 1000.0)) < 2.5


def test_ring_holds_as_many_addresses_as_asked() -> None:
    homes = np.stack(np.meshgrid(np.arange(60.0), np.arange(60.0)), axis=-1).reshape(-1, 2) * 20
    home = np.array([600.0, 600.0])
    steps = []
    for key in range(120):
        secret = Secret(key.to_bytes(4, "big") + bytes(range(32)))
        masked = donut(points(home[None]), points(homes), secret=secret, precision=1.0)
        steps.append(shown(masked)[0] - home)
    away = np.hypot(*np.array(steps).T)
    within = np.sort(np.hypot(*(homes - home).T))
    assert away.min() >= within[7] - 1
    assert away.max() <= within[79] + 1
    # evenly over the area: half of the moves are beyond the radius that halves the ring
    half = np.sqrt((within[7] ** 2 + within[79] ** 2) / 2)
    assert 0.35 < (away > half).mean() < 0.65
    assert np.abs(np.mean(steps, axis=0)).max() < 12  # no direction is preferred


def test_same_place_goes_to_the_same_point_each_time() -> None:
    homes = town()
    again = np.repeat(homes[:5], 20, axis=0)
    once = donut(points(homes[:5]), points(homes), secret=SECRET)
    often = donut(points(again), points(homes), secret=SECRET)
    assert set(map(tuple, shown(once))) == set(map(tuple, shown(often)))
    other = donut(points(homes[:5]), points(homes), secret=Secret(bytes(range(1, 33))))
    assert set(map(tuple, shown(once))) != set(map(tuple, shown(other)))


def test_other_events_do_not_move_a_place_elsewhere() -> None:
    homes = town()
    alone = donut(points(homes[7:8]), points(homes), secret=SECRET)
    among = donut(points(homes[:40]), points(homes), secret=SECRET)
    assert set(map(tuple, shown(alone))) <= set(map(tuple, shown(among)))


def test_no_point_is_moved_into_the_sea() -> None:
    homes = town()
    land = gpd.GeoDataFrame(geometry=[shapely.box(440_000, 300_000, 460_000, 310_000)], crs=27700)
    events = homes[homes[:, 1] > 300_000][:200]
    masked = donut(points(events), points(homes), secret=SECRET, areas=land, failed="drop")
    assert (shown(masked)[:, 1] >= 300_000).all()


def test_events_that_no_move_hides_are_refused_or_told() -> None:
    homes = np.concatenate([np.tile([[0.0, 0.0]], (4, 1)), town()])
    events = np.array([[200_000.0, 500_000.0]])
    land = gpd.GeoDataFrame(geometry=[shapely.box(440_000, 290_000, 460_000, 310_000)], crs=27700)
    with pytest.raises(DisclosureError, match="1 of 1 events: no move hides them among 8"):
        donut(points(events), points(homes), secret=SECRET, areas=land)
    both = np.concatenate([events, homes[100:101]])
    masked = donut(points(both), points(homes), secret=SECRET, areas=land, failed="drop")
    assert masked.left_out == {"no move hides them among 8 addresses": 1}


def test_coordinates_keep_to_the_declared_precision() -> None:
    homes = town()
    masked = donut(points(homes[:50]), points(homes), secret=SECRET, precision=25.0)
    assert (shown(masked) % 25 == 0).all()
    assert masked.declaration["precision_m"] == 25.0


def test_order_and_index_tell_nothing_of_the_records() -> None:
    homes = town()
    events = points(homes[:60], category=["b", "a"] * 30).set_index(np.arange(900, 960))
    mixed = events.sample(frac=1, random_state=1)
    one = donut(events, points(homes), secret=SECRET, columns=["category"])
    two = donut(mixed, points(homes), secret=SECRET, columns=["category"])
    assert one.points.equals(two.points)
    assert one.points.index.tolist() == list(range(60))
    assert events.index[0] == 900


def test_other_columns_do_not_leave() -> None:
    homes = town()
    with pytest.raises(DisclosureError, match="'victim' may not leave with a masked point"):
        donut(points(homes[:9], victim=["x"] * 9), points(homes), secret=SECRET, columns=["victim"])
    with pytest.raises(ColumnError, match="period"):
        donut(points(homes[:9]), points(homes), secret=SECRET, columns=["period"])


def test_longitude_and_latitude_are_masked_in_metres() -> None:
    homes = town()
    degrees = points(homes[:30]).to_crs(4326)
    masked = donut(degrees, points(homes), secret=SECRET)
    assert masked.points.crs.to_epsg() == 27700
    assert (np.hypot(*(shown(masked).mean(axis=0) - homes[:30].mean(axis=0))) < 200).all()


@pytest.mark.parametrize("k", [(7, 80), (80, 8), (8, 8)])
def test_ring_of_too_few_addresses_is_refused(k: tuple[int, int]) -> None:
    with pytest.raises(InputError, match="give the addresses within the inner and the outer"):
        donut(points(town()[:1]), points(town()), secret=SECRET, k=k)


def test_bad_points_are_named() -> None:
    homes = points(town())
    with pytest.raises(InputError, match="There are 20 addresses and the outer circle needs 80"):
        donut(homes[:1], homes[:20], secret=SECRET)
    with pytest.raises(EmptyError, match="events has no rows"):
        donut(homes[:0], homes, secret=SECRET)
    lost = gpd.GeoDataFrame(geometry=[None, shapely.Point(1, 1)], crs=27700)
    with pytest.raises(GeometryError, match="1 of 2 rows of events have no point"):
        donut(lost, homes, secret=SECRET)
    with pytest.raises(CRSError, match="events states no coordinate reference system"):
        donut(homes[:1].set_crs(None, allow_override=True), homes, secret=SECRET)
    with pytest.raises(DisclosureError, match=r"precision is 0\.5 m"):
        donut(homes[:1], homes, secret=SECRET, precision=0.5)


def test_rank_counts_addresses_no_farther_than_the_true_place() -> None:
    homes = town()
    masked, true = homes[:50] + 30.0, homes[:50]
    counted = count_nearer(masked, true, homes)
    apart = np.hypot(*(masked[:, None] - homes[None]).transpose(2, 0, 1))
    known = (apart <= np.hypot(*(masked - true).T)[:, None] + 1e-6).sum(axis=1)
    assert counted.tolist() == known.tolist()


def test_secret_shows_itself_nowhere(caplog: pytest.LogCaptureFixture) -> None:
    homes = town()
    with caplog.at_level(logging.DEBUG):
        masked = donut(points(homes[:30]), points(homes), secret=SECRET)
    told = caplog.text + repr(masked) + repr(SECRET) + str(masked.declaration) + str(vars(masked))
    assert repr(SECRET) == f"{SECRET}" == "<Secret>"
    for form in (SECRET.key.hex(), repr(SECRET.key), str(list(SECRET.key))):
        assert form not in told
    with pytest.raises(DisclosureError, match="cannot be copied or pickled"):
        pickle.dumps(SECRET)


def test_secret_is_read_from_outside_the_project(tmp_path: Path) -> None:
    project = tmp_path / "project"
    (project / "products").mkdir(parents=True)
    key = "0123456789abcdef" * 4
    (tmp_path / "key").write_text(key + "\n")
    assert read_secret(tmp_path / "key", outside=[project]).key == key.encode()
    (project / "products" / "key").write_text(key)
    with pytest.raises(DisclosureError, match="'key' lies in the folder 'project'"):
        read_secret(project / "products" / "key", outside=[project])
    (tmp_path / "link").symlink_to(project / "products" / "key")
    with pytest.raises(DisclosureError, match="lies in the folder 'project'"):
        read_secret(tmp_path / "link", outside=[project])


def test_secret_that_can_be_guessed_is_refused(tmp_path: Path) -> None:
    (tmp_path / "short").write_text("password")
    with pytest.raises(DisclosureError, match="has 8 bytes; it needs 32"):
        read_secret(tmp_path / "short", outside=[])
    with pytest.raises(DisclosureError, match="made of 1 different bytes"):
        Secret(b"a" * 64)
