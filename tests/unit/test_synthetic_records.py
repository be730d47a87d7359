"""The invented district's records: police files with their quirks, deprivation, services."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from placeshaping._core.codes import is_synthetic, made_for_2021
from placeshaping._core.crs import to_grid
from placeshaping._core.errors import OutputError
from placeshaping._core.provenance import sha256
from placeshaping.synthetic.district import District, make_district
from placeshaping.synthetic.files import write_district
from placeshaping.synthetic.publish import POLICE_COLUMNS, published_months

FILES = {
    "crime.zip", "lsoa_2021.gpkg", "lsoa_2011.gpkg", "oa_2021.gpkg", "msoa_2021.gpkg",
    "wards.gpkg", "district.gpkg", "lookup_lsoa21_msoa21_ward_district.csv",
    "lookup_lsoa11_lsoa21.csv", "lookup_oa21_lsoa21.csv", "population.csv", "electors_oa21.csv",
    "deprivation.csv", "postcodes.csv", "streets.gpkg", "services.csv", "fly_tipping.csv",
    "exact_times.parquet", "truth.json", "electoral_places_oa21.csv", "present_wards.csv",
}  # fmt: skip


@pytest.fixture(scope="module")
def district() -> District:
    return make_district(60, seed=11, first_month="2022-12", months=9)


@pytest.fixture(scope="module")
def folder(district: District, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_district(district, tmp_path_factory.mktemp("a folder with é") / "made")


@pytest.fixture(scope="module")
def months(folder: Path) -> dict[str, pd.DataFrame]:
    with zipfile.ZipFile(folder / "crime.zip") as archive:
        return {n[:7]: pd.read_csv(io.BytesIO(archive.read(n))) for n in archive.namelist()}


def test_every_file_is_written(folder: Path):
    assert {path.name for path in folder.iterdir()} == FILES


def test_same_seed_gives_the_same_bytes(district: District, folder: Path, tmp_path: Path):
    again = make_district(60, seed=11, first_month="2022-12", months=9)
    other = write_district(again, tmp_path / "again")
    for name in FILES:
        assert sha256(other / name) == sha256(folder / name), name


def test_another_seed_gives_another_place(district: District):
    other = make_district(60, seed=12, first_month="2022-12", months=1)
    assert not other.districts.geometry.iloc[0].equals(district.districts.geometry.iloc[0])


def test_boundaries_survive_the_file(district: District, folder: Path):
    for name, table in (("lsoa_2021", district.lsoa), ("oa_2021", district.oa)):
        read = gpd.read_file(folder / f"{name}.gpkg")
        assert read.crs.to_epsg() == 27700
        assert read.iloc[:, 0].tolist() == table.iloc[:, 0].tolist()
        assert shapely.equals(read.geometry.to_numpy(), table.geometry.to_numpy()).all()
        assert shapely.coverage_is_valid(read.geometry.to_numpy())


def test_police_files_are_laid_out_as_on_police_uk(months: dict[str, pd.DataFrame]):
    assert list(months) == [str(m) for m in pd.period_range("2022-12", "2023-08", freq="M")]
    for month, rows in months.items():
        assert tuple(rows.columns) == POLICE_COLUMNS
        assert set(rows["Month"]) == {month}
        assert set(rows["Reported by"]) == {"Fenmarch Police"}
        assert rows["Context"].isna().all()


def test_some_files_end_their_lines_with_crlf(folder: Path):
    with zipfile.ZipFile(folder / "crime.zip") as archive:
        ends = {name[5:7]: b"\r\n" in archive.read(name) for name in archive.namelist()}
    assert [month for month, crlf in ends.items() if crlf] == ["05"]


def test_antisocial_behaviour_has_neither_id_nor_outcome(months: dict[str, pd.DataFrame]):
    rows = pd.concat(months.values())
    asb = rows["Crime type"] == "Anti-social behaviour"
    assert rows.loc[asb, ["Crime ID", "Last outcome category"]].isna().all(axis=None)
    assert rows.loc[~asb, ["Crime ID", "Last outcome category"]].notna().all(axis=None)
    assert rows.loc[~asb, "Crime ID"].str.fullmatch("[0-9a-f]{64}").all()


def test_all_fourteen_categories_are_there_in_real_shares(months: dict[str, pd.DataFrame]):
    share = pd.concat(months.values())["Crime type"].value_counts(normalize=True)
    assert len(share) == 14
    assert 0.28 < share["Violence and sexual offences"] < 0.42
    assert 0.03 < share["Burglary"] < 0.06
    assert share["Possession of weapons"] < 0.02


def test_code_vintages_change_in_the_spring_of_2023(
    district: District, months: dict[str, pd.DataFrame]
):
    old = set(district.lsoa_2011["LSOA11CD"]) - set(district.lsoa["LSOA21CD"])
    for month, rows in months.items():
        codes = rows["LSOA code"].dropna()
        before, after = codes.isin(old).any(), codes.map(made_for_2021).any()
        if month <= "2023-01":
            assert before
            assert not after
        elif month < "2023-06":
            assert before
            assert after
        else:
            assert after
            assert not before


def test_rows_without_coordinates_have_no_lsoa(months: dict[str, pd.DataFrame]):
    for rows in months.values():
        blank = rows["Longitude"].isna()
        assert 0.004 < blank.mean() < 0.07
        assert rows.loc[blank, ["Latitude", "LSOA code", "LSOA name"]].isna().all(axis=None)
        assert rows.loc[blank, "Location"].eq("No Location").all()
        assert rows.loc[~blank, "Location"].str.startswith("On or near ").all()


def test_published_codes_agree_with_the_boundaries(
    district: District, months: dict[str, pd.DataFrame]
):
    rows = months["2023-07"].dropna(subset=["Longitude"])
    rows = rows[rows["LSOA code"].isin(district.lsoa["LSOA21CD"])]
    x, y = to_grid(rows["Longitude"], rows["Latitude"])
    points = gpd.GeoDataFrame(
        {"code": rows["LSOA code"]}, geometry=gpd.points_from_xy(x, y), crs=27700
    )
    hit = gpd.sjoin(points, district.lsoa, predicate="within")
    assert len(hit) > 0.999 * len(points)
    assert (hit["code"] == hit["LSOA21CD"]).mean() > 0.999


def test_a_few_points_lie_far_outside_under_foreign_codes(
    district: District, months: dict[str, pd.DataFrame]
):
    rows = pd.concat(months.values()).dropna(subset=["Longitude"])
    known = set(district.lsoa["LSOA21CD"]) | set(district.lsoa_2011["LSOA11CD"])
    away = rows[~rows["LSOA code"].isin(known)]
    assert 0 < len(away) < 0.01 * len(rows)
    assert away["LSOA code"].map(is_synthetic).all()
    x, y = to_grid(away["Longitude"], away["Latitude"])
    land = district.districts.geometry.union_all()
    assert shapely.distance(land, shapely.points(x, y)).min() > 20_000


def test_published_rows_are_the_events_and_the_stated_additions(
    district: District, folder: Path, months: dict[str, pd.DataFrame]
):
    notes = json.loads((folder / "truth.json").read_text())["published"]
    exact = pd.read_parquet(folder / "exact_times.parquet")
    by_month = exact.groupby(exact["time"].dt.strftime("%Y-%m")).size()
    for note in notes:
        rows = months[note["month"]]
        assert by_month[note["month"]] == note["events"]
        added = note["exact_duplicates_added"] + note["crime_ids_repeated"]
        assert len(rows) == note["rows"] == note["events"] + added
        assert rows["Longitude"].isna().sum() == note["without_coordinates"]
        named = rows[rows["Crime ID"].notna()]
        assert named["Crime ID"].duplicated().sum() <= added
    assert sum(n["crime_ids_repeated"] for n in notes) > 0
    assert len(exact) == len(district.events)


def test_published_counts_by_category_are_the_events_of_that_category(
    district: District, months: dict[str, pd.DataFrame]
):
    exact = district.events["category"].value_counts()
    rows = pd.concat(months.values())
    for category, count in exact.items():
        of_kind = rows[rows["Crime type"] == category]
        if category == "Anti-social behaviour":
            assert count <= len(of_kind) <= count * 1.02 + 10
        else:
            assert of_kind["Crime ID"].nunique() == count


def test_some_rows_are_exact_duplicates(months: dict[str, pd.DataFrame]):
    rows = pd.concat(months.values())
    assert 0.002 < rows.duplicated().mean() < 0.12


def test_coordinates_are_snap_points(district: District, months: dict[str, pd.DataFrame]):
    rows = pd.concat(months.values()).dropna(subset=["Longitude"])
    places = rows[["Longitude", "Latitude"]].drop_duplicates()
    assert len(places) <= len(district.snap_points) + 60
    assert len(places) < 0.7 * len(rows)


def test_a_month_is_the_same_whichever_months_are_read_before(district: District):
    everything = {month: rows for month, rows, _ in published_months(district)}
    first = next(published_months(district))
    pd.testing.assert_frame_equal(first[1], everything[first[0]])


def test_deprivation_has_the_official_layout(district: District):
    table = district.deprivation
    assert list(table.columns[:7]) == [
        "LSOA code (2021)",
        "LSOA name (2021)",
        "Local Authority District code (2024)",
        "Local Authority District name (2024)",
        "Index of Multiple Deprivation (IMD) Score",
        "Index of Multiple Deprivation (IMD) Rank (where 1 is most deprived)",
        "Index of Multiple Deprivation (IMD) Decile (where 1 is most deprived 10% of LSOAs)",
    ]
    assert len(table.columns) == 4 + 3 * 16 + 4
    assert table["LSOA code (2021)"].tolist() == district.lsoa["LSOA21CD"].tolist()
    assert "Children and Young People Sub-domain Decile (where 1 is most deprived 10% of LSO" in (
        table.columns
    )


def test_ranks_scores_and_deciles_agree(district: District):
    table = district.deprivation
    for name in [c for c in table.columns if " Rank (" in c]:
        stem = name.split(" Rank (")[0]
        rank = table[name]
        assert rank.is_unique
        assert rank.between(1, 33_755).all()
        decile = next(c for c in table.columns if c.startswith(f"{stem} Decile"))
        assert (table[decile] == (rank - 1) * 10 // 33_755 + 1).all()
        score = next(c for c in table.columns if c.startswith(f"{stem} Score"))
        ordered = table.sort_values(name)[score].to_numpy()
        assert (np.diff(ordered) <= 1e-9).all()


def test_deprivation_is_spatially_correlated(district: District):
    from esda import Moran
    from libpysal.graph import Graph

    table = district.lsoa.merge(
        district.deprivation, left_on="LSOA21CD", right_on="LSOA code (2021)"
    )
    rank = table[next(c for c in table if c.startswith("Index") and " Rank " in c)].to_numpy()
    near = Graph.build_knn(table.set_index("LSOA21CD").centroid, k=6).transform("r")
    moran = Moran(rank, near.to_W(), permutations=0)
    assert moran.I > 0.3


def test_crime_rises_with_deprivation_and_towards_the_centre(district: District):
    events = gpd.GeoDataFrame(
        district.events[["category"]],
        geometry=gpd.points_from_xy(district.events["easting"], district.events["northing"]),
        crs=27700,
    )
    hit = gpd.sjoin(events, district.lsoa, predicate="within")
    count = hit["LSOA21CD"].value_counts().reindex(district.lsoa["LSOA21CD"], fill_value=0)
    rate = count / district.population.set_index("LSOA21CD")["residents"]
    rank = district.deprivation.set_index("LSOA code (2021)").iloc[:, 4]
    assert rate.corr(rank, method="spearman") < -0.3
    yearly = rate.mean() / (district.truth["days"] / 365.25) * 1_000
    assert 70 < yearly < 115


def test_postcodes_cannot_be_real_and_lie_in_their_area(district: District):
    table = district.postcodes
    assert table["pcds"].is_unique
    assert table["pcds"].str.fullmatch(r"(ZQ|QZ|XZ|VZ|ZX)[1-9]\d? \d[ABD-HJLNP-UW-Z]{2}").all()
    points = gpd.GeoDataFrame(
        table, geometry=gpd.points_from_xy(table["oseast1m"], table["osnrth1m"]), crs=27700
    )
    hit = gpd.sjoin(points, district.oa, predicate="within")
    assert len(hit) > 0.999 * len(table)
    assert (hit["oa21"] == hit["OA21CD"]).mean() > 0.999
    assert 0.04 < table["doterm"].notna().mean() < 0.12


def test_services_have_a_postcode_in_use(district: District):
    table = district.services
    assert set(table["category"]) == {"Library", "GP surgery", "Licensed premises", "Street bin"}
    used = district.postcodes.loc[district.postcodes["doterm"].isna(), "pcds"]
    assert table["postcode"].isin(used).all()
    assert table["name"].notna().all()


def test_fly_tipping_has_the_gaps_of_a_councils_file(folder: Path):
    table = pd.read_csv(folder / "fly_tipping.csv")
    assert table["date"].str.fullmatch(r"\d\d/\d\d/\d{4}").all()
    assert 0.02 < table["easting"].isna().mean() < 0.12
    assert 0.04 < table["postcode"].isna().mean() < 0.2
    assert (table["easting"].isna() == table["northing"].isna()).all()
    assert (table["easting"].isna() & table["postcode"].isna()).any()


def test_a_file_in_the_way_is_told(district: District, tmp_path: Path):
    (tmp_path / "taken").write_text("not a folder")
    with pytest.raises(OutputError, match="inside could not be written"):
        write_district(district, tmp_path / "taken" / "inside")
