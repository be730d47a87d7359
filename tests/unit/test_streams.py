"""Counting partition by partition gives the answer of counting in memory, to the last digit."""

from __future__ import annotations

import gzip
import pickle
import zipfile
from pathlib import Path
from types import SimpleNamespace

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely

from placeshaping._core.errors import (
    ColumnError,
    EmptyError,
    FileFormatError,
    InputError,
    UnmatchedError,
    VintageError,
)
from placeshaping.areas.boundaries import read_boundaries
from placeshaping.areas.lookups import read_changes
from placeshaping.joins._merging import Sums
from placeshaping.joins.points import count_by_area, place_events
from placeshaping.joins.streams import count_streamed, plan_counting, sources_of
from placeshaping.sources.partitions import _text_of
from placeshaping.sources.police import read_police
from placeshaping.sources.services import read_services
from placeshaping.sources.streams import RecordSource, plan_partitions
from placeshaping.synthetic.district import make_district
from placeshaping.synthetic.files import write_district

HEADER = (
    "Crime ID,Month,Reported by,Falls within,Longitude,Latitude,Location,LSOA code,LSOA name,"
    "Crime type,Last outcome category,Context"
)


def line(crime_id, category="Burglary", *, lon="0.900000", lat="51.890000", month="2024-01",
         code="E01021637", force="Essex Police"):  # fmt: skip
    return f"{crime_id},{month},{force},{force},{lon},{lat},On or near,{code},X 1A,{category},,"


def write(path: Path, *lines: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([HEADER, *lines, ""]), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stream")
    write_district(make_district(60, seed=5), folder)
    return SimpleNamespace(
        folder=folder,
        crime=folder / "crime.zip",
        areas=read_boundaries(folder / "lsoa_2021.gpkg"),
        areas_2011=read_boundaries(folder / "lsoa_2011.gpkg"),
        changes=read_changes(folder / "lookup_lsoa11_lsoa21.csv"),
    )


@pytest.fixture
def squares():
    codes = pd.Index(["E01000001", "E01000002"], name="area_code")
    boxes = [shapely.box(0, 0, 6e5, 4e5), shapely.box(6e5, 0, 7e5, 4e5)]
    return gpd.GeoDataFrame(geometry=boxes, index=codes, crs=27700)


def in_memory(path, areas, *, changes=None, outside="drop", **selection):
    events = read_police(path, **selection)
    codes = place_events(events, areas, changes=changes, outside=outside)
    return count_by_area(events, areas, codes=codes, outside="drop"), events.attrs["report"]


def assert_same(streamed, counted, *reports):
    pd.testing.assert_frame_equal(streamed, counted)
    assert streamed.attrs["report"] == counted.attrs["report"]
    assert streamed.attrs["records"] == reports


def one_file(archive: Path, path: Path) -> Path:
    """Put the archive's months under each other in one file, in an order that is not theirs."""
    with zipfile.ZipFile(archive) as months:
        names = sorted(months.namelist(), key=lambda name: name[::-1])
        texts = [months.read(name).decode() for name in names]
    rows = [row for text in texts for row in text.splitlines()[1:]]
    path.write_text("\n".join([texts[0].splitlines()[0], *rows, ""]), encoding="utf-8")
    return path


@pytest.mark.parametrize("chunk_rows", [250_000, 97])
def test_archive_streams_as_it_is_read(place, chunk_rows):
    streamed = count_streamed(place.crime, place.areas, outside="drop", chunk_rows=chunk_rows)
    assert_same(streamed, *in_memory(place.crime, place.areas))


def test_folder_streams_as_it_is_read(place, tmp_path):
    with zipfile.ZipFile(place.crime) as archive:
        archive.extractall(tmp_path)
    streamed = count_streamed(tmp_path, place.areas, outside="drop")
    assert_same(streamed, *in_memory(tmp_path, place.areas))


@pytest.mark.parametrize("chunk_rows", [10**9, 1_000, 137])
def test_large_file_cut_into_blocks_streams_as_it_is_read(place, tmp_path, chunk_rows):
    path = one_file(place.crime, tmp_path / "crime.csv")
    parts = plan_partitions([RecordSource(path)], chunk_rows=chunk_rows)
    assert (len(parts) == 1) == (chunk_rows == 10**9)
    streamed = count_streamed(path, place.areas, outside="drop", chunk_rows=chunk_rows)
    assert_same(streamed, *in_memory(path, place.areas))


def test_blocks_of_a_large_file_hold_each_line_once(tmp_path):
    rows = [line(f"{n:0{1 + n % 40}}") for n in range(500)]
    path = write(tmp_path / "2024-01-essex-street.csv", *rows)
    text = path.read_bytes()
    for chunk_rows in (1, 2, 3, 50, 333):
        parts = plan_partitions([RecordSource(path)], chunk_rows=chunk_rows)
        body = b"".join(_text_of(part).partition(b"\n")[2] for part in parts)
        assert body == text.partition(b"\n")[2]


@pytest.mark.parametrize("chunk_rows", [10**9, 200])
def test_parquet_of_the_same_rows_streams_alike(place, tmp_path, chunk_rows):
    path = one_file(place.crime, tmp_path / "crime.csv")
    table = pd.read_csv(path, dtype=str)
    for name in ("Longitude", "Latitude"):
        table[name] = table[name].astype(float)
    parquet = tmp_path / "crime.parquet"
    pq.write_table(pa.Table.from_pandas(table), parquet, row_group_size=150)
    streamed = count_streamed(parquet, place.areas, outside="drop", chunk_rows=chunk_rows)
    counts, report = in_memory(path, place.areas)
    pd.testing.assert_frame_equal(streamed, counts)
    ours = streamed.attrs["records"][0]
    assert ours.files == ("crime.parquet",)
    assert {**vars(ours), "files": None} == {**vars(report), "files": None}


def test_selection_and_changes_of_codes_are_those_of_one_machine(place):
    selection = {"months": ("2022-11", "2023-08"), "categories": ["burglary", "Vehicle crime"]}
    streamed = count_streamed(
        place.crime, place.areas, changes=place.changes, outside="drop", chunk_rows=60, **selection
    )
    assert_same(streamed, *in_memory(place.crime, place.areas, changes=place.changes, **selection))


@pytest.mark.parametrize("outside", ["drop", "nearest"])
def test_half_the_areas_give_the_same_losses(place, outside):
    areas = place.areas.iloc[::2]
    areas.attrs = place.areas.attrs
    streamed = count_streamed(place.crime, areas, outside=outside, limit=300.0, chunk_rows=150)
    events = read_police(place.crime)
    codes = place_events(events, areas, outside=outside, limit=300.0)
    assert_same(
        streamed,
        count_by_area(events, areas, codes=codes, outside="drop"),
        events.attrs["report"],
    )


def test_overlapping_areas_are_told_alike(place):
    twice = place.areas.copy()
    twice.geometry = twice.geometry.buffer(150)
    counted, report = in_memory(place.crime, twice)
    assert counted.attrs["report"].in_several > 0
    streamed = count_streamed(place.crime, twice, outside="drop", chunk_rows=500)
    assert_same(streamed, counted, report)


def test_of_a_repeat_across_files_the_first_located_stays(tmp_path, squares):
    nowhere = {"lon": "", "lat": "", "code": ""}
    west, east = {"lon": "0.1"}, {"lon": "1.1"}
    write(tmp_path / "2024-01" / "2024-01-essex-street.csv",
          line("a", **nowhere), line("b", **east), line("c", **nowhere), line(""), line(""),
          line("d", "Robbery", **nowhere))  # fmt: skip
    write(tmp_path / "2024-02" / "2024-02-essex-street.csv",
          *(line(i, month="2024-02", **west) for i in "abcc"), line("", month="2024-02"),
          line("d", month="2024-02"))  # fmt: skip
    write(tmp_path / "2024-03" / "2024-03-essex-street.csv",
          *(line(i, month="2024-03", **east) for i in "abc"))  # fmt: skip
    streamed = count_streamed(tmp_path, squares, outside="drop")
    assert_same(streamed, *in_memory(tmp_path, squares))
    assert streamed.attrs["records"][0].repeated_crime_ids == 7
    assert streamed["count"].sum() == 3 + 3 + 1


def test_order_in_which_partitions_arrive_is_irrelevant(place):
    options = dict.fromkeys(["months", "forces", "categories", "columns", "category", "postcodes"])
    sources = sources_of(place.crime, kind="police", date_order="british", **options)
    plan = plan_counting(sources, place.areas, changes=None, limit=None, chunk_rows=200)
    counter = pickle.loads(pickle.dumps(plan.counter))
    partials = [counter.count(part) for part in pickle.loads(pickle.dumps(plan.partitions))]
    totals = []
    for seed in (None, 1, 2):
        order = np.arange(len(partials))
        if seed is not None:
            np.random.default_rng(seed).shuffle(order)
        sums = Sums(len(place.areas))
        for number in order:
            sums.add(partials[number])
        sums.settle()
        pairs = {pair: sums.counts[row].tolist() for pair, row in sums.pairs.items()}
        totals.append((pairs, sums.repeated, sums.duplicates(0)))
    assert totals[0] == totals[1] == totals[2]


def test_month_of_other_categories_alone_is_zero_where_every_month_is_wanted(tmp_path, squares):
    write(tmp_path / "2024-01-essex-street.csv", line("a"), line("b", "Drugs"))
    write(tmp_path / "2024-02-essex-street.csv", line("c", "Drugs", month="2024-02"))
    options = {"categories": ["Burglary"], "outside": "drop"}
    assert len(count_streamed(tmp_path, squares, **options)) == 2
    every = count_streamed(tmp_path, squares, every_month=True, **options)
    events = read_police(tmp_path)
    months = sorted(events["period"].unique())
    burglary = events[events["category"] == "Burglary"]
    expected = count_by_area(burglary, squares, periods=months, outside="drop")
    pd.testing.assert_frame_equal(every, expected, check_dtype=False)


def test_several_sources_add_up(place, squares, tmp_path):
    folder = tmp_path / "other"
    write(folder / "2024-01-essex-street.csv", line("a"), line("b", "Drugs"))
    both = count_streamed([place.crime, folder], squares, outside="drop")
    alone = [count_streamed(path, squares, outside="drop") for path in (place.crime, folder)]
    assert both["count"].sum() == sum(counts["count"].sum() for counts in alone)
    assert both.attrs["records"] == tuple(counts.attrs["records"][0] for counts in alone)


def fly_tips(path: Path, rows: int = 400) -> Path:
    rng = np.random.default_rng(3)
    table = pd.DataFrame(
        {
            "Date": [f"{d:02}/{m:02}/2024" for d, m in rng.integers(1, 13, (rows, 2))],
            "Easting": rng.integers(500_000, 700_000, rows),
            "Northing": rng.integers(100_000, 390_000, rows),
            "Type": rng.choice(["Café waste", "Tyres", "White goods"], rows),
            "Number": rng.integers(0, 9, rows),
        }
    )
    table.loc[::17, "Easting"] = np.nan
    table.loc[5, "Date"] = "25/12/2024"
    table.to_csv(path, index=False)
    return path


COLUMNS = {"date": "Date", "easting": "Easting", "northing": "Northing",
           "category": "Type", "count": "Number"}  # fmt: skip


@pytest.mark.parametrize("chunk_rows", [10**9, 60])
@pytest.mark.parametrize("columns", [None, COLUMNS])
def test_records_of_a_service_stream_as_they_are_read(tmp_path, squares, chunk_rows, columns):
    path = fly_tips(tmp_path / "tips.csv")
    events = read_services(path, columns=columns)
    codes = place_events(events, squares, outside="drop")
    streamed = count_streamed(
        path, squares, kind="services", columns=columns, outside="drop", chunk_rows=chunk_rows
    )
    counted = count_by_area(events, squares, codes=codes, outside="drop")
    pd.testing.assert_frame_equal(streamed, counted)
    assert streamed.attrs["report"] == counted.attrs["report"]
    ours, theirs = streamed.attrs["records"][0], events.attrs["report"]
    whole = chunk_rows == 10**9
    unlike = set() if whole else {"table", "undated_rows"}
    assert {k for k in vars(ours) if getattr(ours, k) != getattr(theirs, k)} <= unlike
    assert ours.table.rows == theirs.table.rows


def test_service_records_in_row_groups_of_parquet_are_counted_alike(tmp_path, squares):
    table = pd.read_csv(fly_tips(tmp_path / "tips.csv"))
    pq.write_table(pa.Table.from_pandas(table), tmp_path / "tips.parquet", row_group_size=50)
    options = {"kind": "services", "columns": COLUMNS, "outside": "drop"}
    parts = count_streamed(tmp_path / "tips.parquet", squares, chunk_rows=100, **options)
    pd.testing.assert_frame_equal(parts, count_streamed(tmp_path / "tips.csv", squares, **options))


def test_selected_months_of_a_service_are_counted_alone(tmp_path, squares):
    path = fly_tips(tmp_path / "tips.csv")
    options = {"kind": "services", "columns": COLUMNS, "outside": "drop"}
    some = count_streamed(
        path, squares, months=("2024-02", "2024-03"), categories=["Tyres"], **options
    )
    every = count_streamed(path, squares, **options)
    wanted = every["period"].isin(pd.to_datetime(["2024-02-01", "2024-03-01"]))
    wanted &= every["category"] == "Tyres"
    assert some["count"].tolist() == every.loc[wanted, "count"].tolist()


def test_gzipped_and_small_files_are_never_cut(tmp_path):
    path = tmp_path / "tips.csv.gz"
    path.write_bytes(gzip.compress(fly_tips(tmp_path / "tips.csv").read_bytes()))
    assert len(plan_partitions([RecordSource(path, kind="services")], chunk_rows=10)) == 1


def test_outside_is_refused_over_all_partitions_together(place):
    with pytest.raises(UnmatchedError, match="cannot be placed") as streamed:
        count_streamed(place.crime, place.areas.iloc[:20], chunk_rows=100)
    with pytest.raises(UnmatchedError, match="cannot be placed") as read:
        place_events(read_police(place.crime), place.areas.iloc[:20])
    assert str(streamed.value) == str(read.value)


def test_codes_of_the_other_census_year_are_refused_alike(tmp_path, place):
    codes = place.areas.index[place.areas.index > "E01950000"]
    rows = [line(f"x{n}", lon="", lat="", code=codes[n % len(codes)]) for n in range(300)]
    path = write(tmp_path / "2024-01-essex-street.csv", *rows)
    with pytest.raises(VintageError, match="those codes are of 2021") as streamed:
        count_streamed(path, place.areas_2011, outside="drop", chunk_rows=40)
    with pytest.raises(VintageError, match="those codes are of 2021") as read:
        place_events(read_police(path), place.areas_2011, outside="drop")
    assert str(streamed.value) == str(read.value)


def test_empty_selection_says_what_there_is(place):
    csv = write(place.folder / "one" / "2024-01-essex-street.csv", line("a"))
    with pytest.raises(EmptyError, match=r"has no record of the selection \(Robbery\).*It holds"):
        count_streamed(csv, place.areas, categories=["Robbery"])
    with pytest.raises(EmptyError, match="nothing of the selection"):
        count_streamed(place.crime, place.areas, months=("1999-01", "1999-02"))
    with pytest.raises(ColumnError, match="no category 'Burglry'"):
        count_streamed(place.crime, place.areas, categories=["Burglry"])
    with pytest.raises(EmptyError, match="no records to count"):
        count_streamed([], place.areas)


def test_damaged_parquet_is_refused(tmp_path, squares):
    (tmp_path / "crime.parquet").write_bytes(b"PAR1 and then nothing")
    with pytest.raises(FileFormatError, match="no whole Parquet file"):
        count_streamed(tmp_path / "crime.parquet", squares)


def test_records_without_dates_cannot_be_counted_by_month(tmp_path, squares):
    path = tmp_path / "places.csv"
    path.write_text("Easting,Northing\n550000,200000\n")
    with pytest.raises(ColumnError, match="1 of 1 events have no period"):
        count_streamed(path, squares, kind="services")


@pytest.mark.parametrize(
    ("option", "told"),
    [
        ({"kind": "x"}, "kind is 'x'. Give 'police' or 'services'"),
        ({"outside": "keep"}, "outside is 'keep'. Give 'raise', 'drop' or 'nearest'"),
        ({"chunk_rows": 0}, "chunk_rows is 0. Give a whole number of 1 or more"),
        ({"chunk_rows": 0.5}, "chunk_rows is 0.5. Give a whole number"),
    ],
)
def test_options_that_are_no_choice_are_refused(tmp_path, squares, option, told):
    path = write(tmp_path / "2024-01-essex-street.csv", line("a"))
    with pytest.raises(InputError, match=told):
        count_streamed(path, squares, **option)


def test_postcodes_ended_and_mended_are_told_of_all_partitions(tmp_path, squares):
    path = tmp_path / "tips.csv"
    codes = [("LE1 6XX", "LEI 6XX", "CO4 3SQ", "LE1 7ZZ")[row % 4] for row in range(400)]
    rows = [f"{1 + row % 28:02d}/02/2024,{code}" for row, code in enumerate(codes)]
    path.write_text("\n".join(["Date,Postcode", *rows, ""]))
    directory = pd.DataFrame(
        {"pcds": ["LE1 6XX", "CO4 3SQ"], "doterm": [None, "201001"],
         "oseast1m": [458_700, 600_000], "osnrth1m": [304_600, 225_000]}
    )  # fmt: skip
    options = {"columns": {"date": "Date", "postcode": "Postcode"}, "postcodes": directory}
    streamed = count_streamed(
        path, squares, kind="services", outside="drop", chunk_rows=60, **options
    )
    report = streamed.attrs["records"][0]
    events = read_services(path, **options)
    for name in ("located", "unknown", "ended", "mended"):
        name = f"{name}_by_postcode" if name == "located" else f"{name}_postcodes"
        assert getattr(report, name) == getattr(events.attrs["report"], name)
    assert (report.located_by_postcode, report.unknown_postcodes) == (300, 100)
    assert (report.ended_postcodes, report.mended_postcodes) == (100, 100)
