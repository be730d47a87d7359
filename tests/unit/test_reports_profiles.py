"""Profiles of an invented square district: numbers, comparisons, words, files, and attacks."""

import dataclasses
import datetime as dt
import json
import re

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely import Point, Polygon, box
from shapely.geometry import mapping

from placeshaping._core.errors import (
    CRSError,
    DisclosureError,
    FileFormatError,
    GeometryError,
    InputError,
    UnmatchedError,
)
from placeshaping.disclosure.release import release
from placeshaping.pages.report import render_report
from placeshaping.project.profile_places import drawn_places, every_place, named_places
from placeshaping.reports.profiles import ProfileMaker, make_profile
from placeshaping.reports.profiles_file import content_of, read_former, write_values
from placeshaping.reports.profiles_indicators import indicators_of, neighbours_at
from placeshaping.reports.profiles_page import index_of, page_of
from placeshaping.reports.profiles_places import Material, Place, numbers_of
from placeshaping.reports.profiles_words import lead_of, strengths_and_needs
from placeshaping.shaping.profiles import fit_drawn
from placeshaping.verify.files import verify_file

DAY = dt.date(2026, 11, 21)
WORDS = re.compile(r"(?i)\bworst\b|problem area|\bbad area")


def released(study, **more):
    more = {"policy": "councillor", "subject": "Recorded crime", "dataset": "Crime", **more}
    return release(study, title="Crime in Marsh", made_on=DAY, contact="nobody@example.org", **more)


def ground_of(study, *, without=()):
    """Return what is public of the areas of a study, with invented ages and minutes."""
    ladder, rng = study.ladder, np.random.default_rng(2)
    ground = ladder.areas["lsoa"].copy()
    for level in ladder.levels[1:]:
        above = ladder.areas[level]
        ground[f"{level}_code"] = above.index[ladder.positions[level]].to_numpy()
        ground[f"{level}_name"] = above["area_name"].to_numpy()[ladder.positions[level]]
    if "population" not in without:
        for name, values in study.exposures["lsoa"].items():
            ground[name] = values
        young = np.round(ground["residents"] * rng.uniform(0.1, 0.3, len(ground)))
        ground["age 0 to 15"] = young
        ground["age 16 and over"] = ground["residents"] - young
    if "deprivation" not in without:
        ground["imd_decile"] = study.deciles
        ground["income_decile"] = rng.integers(1, 11, len(ground))
    if "access" not in without:
        ground["minutes Libraries"] = rng.uniform(2, 40, len(ground))
    return ground


def material_of(study, *, without=(), ground=None, **more):
    missing = {name: f"no {name} in the recipe" for name in without}
    return Material(
        title="Marsh",
        releases={"Recorded crime": released(study, **more)},
        ground=ground_of(study, without=without) if ground is None else ground,
        finest="lsoa",
        missing=missing,
    )


@pytest.fixture(scope="module")
def study(make_study):
    return make_study(mean=6.0)


@pytest.fixture(scope="module")
def material(study):
    return material_of(study)


@pytest.fixture(scope="module")
def profile(material):
    return make_profile(material, material.place_of("msoa", ["E02900001"]), made_on=DAY)


def save(shapes, path, *, crs=27700, names=None):
    table = gpd.GeoDataFrame({"name": names or [""] * len(shapes)}, geometry=shapes, crs=crs)
    table.to_file(path, driver="GeoJSON") if path.suffix == ".geojson" else table.to_file(path)
    return path


def geojson(shape, **properties):
    feature = {"type": "Feature", "properties": properties, "geometry": mapping(shape)}
    return json.dumps({"type": "FeatureCollection", "features": [feature]})


def test_numbers_of_an_area_are_those_of_the_release(material):
    numbers = numbers_of(material, material.main, material.place_of("msoa", ["E02900003"]))
    own = material.main.tables["msoa"].values
    own = own[own["area_code"].astype(str) == "E02900003"]
    assert numbers["count"].tolist() == own["count"].tolist()
    assert numbers["upper"].dropna().tolist() == own["upper"].dropna().tolist()


def test_areas_together_are_the_sum_of_released_counts(material):
    codes = ["E02900003", "E02900004"]
    together = numbers_of(material, material.main, material.place_of("msoa", codes))
    table = material.main.tables["msoa"].view(period="2024", category="All recorded crime")
    assert together.loc[("2024", "All recorded crime"), "count"] == table.loc[codes, "count"].sum()
    people = material.main.tables["msoa"].areas.loc[codes, "residents"].sum()
    rate = 1000 * table.loc[codes, "count"].sum() / people
    assert together.loc[("2024", "All recorded crime"), "rate"] == pytest.approx(rate, abs=0.005)


def test_intervals_of_sums_are_wider_than_by_chance_alone(material):
    from placeshaping.statistics.rates import crude_rate

    row = numbers_of(material, material.main, material.place_of("msoa", ["E02900003", "E02900004"]))
    row = row.loc[("2024", "All recorded crime")]
    alone = crude_rate([row["count"]], [1000 * row["count"] / row["rate"]]).iloc[0]
    assert row["standard_error"] == pytest.approx(np.sqrt(2 * 2), abs=0.05)
    assert row["upper"] - row["lower"] > alone["upper"] - alone["lower"]


def test_profiles_take_nothing_but_releases(study):
    with pytest.raises(DisclosureError, match="make_profile takes a Release, not a Study"):
        Material("t", {"x": study}, ground_of(study), "lsoa")


def test_a_policy_without_counts_is_refused(study):
    terms = {"purpose": "p", "expires": dt.date(2026, 12, 1)}
    only = material_of(study, policy="police", **terms)
    with pytest.raises(DisclosureError, match="'police' shows no counts"):
        ProfileMaker(only, made_on=DAY)


def test_every_indicator_says_which_end_is_better(profile):
    assert {one.polarity for one in profile.indicators} == {"lower", "neither"}
    crime = next(one for one in profile.indicators if one.label == "Burglary")
    assert crime.polarity == "lower"


def test_what_holds_the_place_is_compared_with_first(profile):
    assert profile.main == "West Fen"
    assert [one.name for one in profile.beside] == ["West Fen", "5 areas most alike"]
    assert len(profile.alike) == 5
    assert "standardised indicators" in profile.alike_by
    assert "crime" not in profile.alike_by.casefold()


def test_a_hot_corner_is_told_as_a_need_with_its_interval(profile):
    strengths, needs = strengths_and_needs(profile)
    assert any("95% interval" in text and "in West Fen" in text for text in needs)
    assert not set(strengths) & set(needs)
    assert "higher than in West Fen" in lead_of(profile)


def test_differences_agree_with_the_intervals(profile):
    for one in profile.indicators:
        for other in one.comparisons:
            if one.counted or other.lower is None:
                continue
            if other.told == "above":
                assert one.value > other.value
            if one.lower > other.upper:
                assert other.told == "above"


def test_no_word_of_blame_stands_on_a_page(profile):
    page = render_report(page_of(profile))
    assert not WORDS.search(page)
    assert "Strengths" in page
    assert "Needs" in page


def test_shares_of_residents_are_those_of_the_areas(material):
    place = material.place_of("district", ["E07900001"])
    found = {one.key: one for one in indicators_of(material, place, [])}
    own = material.ground[material.ground["district_code"] == "E07900001"]
    deprived = own.loc[own["imd_decile"] <= 2, "residents"].sum() / own["residents"].sum()
    assert found["deprivation:imd"].value == round(100 * deprived)
    assert found["residents"].value == own["residents"].sum()
    far = own.loc[own["minutes Libraries"] > 15, "residents"].sum() / own["residents"].sum()
    assert found["beyond:Libraries"].value == round(100 * far)


def test_england_has_a_fifth_in_the_most_deprived_fifth(profile):
    one = next(one for one in profile.indicators if one.key == "deprivation:imd")
    assert one.beside("England").value == 20


def test_published_figures_of_elsewhere_stand_beside(study):
    table = pd.DataFrame(
        {"indicator": ["burglary", "deprivation:imd"], "place": ["East Midlands", "England"],
         "value": [4.0, 21.0], "lower": [3.9, np.nan], "upper": [4.1, np.nan]}
    )  # fmt: skip
    other = dataclasses.replace(material_of(study), benchmarks=table)
    made = make_profile(other, other.place_of("msoa", ["E02900001"]), made_on=DAY)
    by_key = {one.key: one for one in made.indicators}
    region = by_key["Recorded crime:Burglary"].beside("East Midlands")
    assert (region.value, region.told) == (4.0, "above")
    assert by_key["deprivation:imd"].beside("England").value == 21


@pytest.mark.parametrize("without", ["population", "deprivation", "access"])
def test_a_section_says_what_is_missing(study, without):
    some = material_of(study, without=(without,))
    made = make_profile(some, some.place_of("msoa", ["E02900001"]), made_on=DAY)
    page = render_report(page_of(made))
    assert f"no {without} in the recipe" in page


def test_an_area_where_nobody_lives_says_so(study):
    ground = ground_of(study)
    first = ground["msoa_code"] == "E02900001"
    ground.loc[first, ["residents", "households", "age 0 to 15", "age 16 and over"]] = 0.0
    some = material_of(study, ground=ground)
    made = make_profile(some, some.place_of("msoa", ["E02900001"]), made_on=DAY)
    assert "Nobody lives here" in render_report(page_of(made))
    assert "Residents: 0" in " ".join(": ".join(fact) for fact in page_of(made).facts)


def test_too_few_areas_have_no_neighbours(material):
    assert neighbours_at(material, "district") is None


def test_areas_are_found_by_code_and_name(material):
    assert named_places(material, ["e02900002"], each=False)[0].codes == ("E02900002",)
    assert named_places(material, ["west fen"], each=False)[0].level == "district"
    both = named_places(material, ["West Fen", "Marsh 003A"], each=True)
    assert [place.level for place in both] == ["district", "lsoa"]
    together = named_places(material, ["Marsh 001", "Marsh 002"], each=False)[0]
    assert (together.name, together.kind) == (
        "Marsh 001 and Marsh 002",
        "2 neighbourhoods (MSOAs) together",
    )


def test_areas_of_unlike_levels_count_once(material):
    one = named_places(material, ["Marsh 001", "Marsh 001A"], each=False)[0]
    assert one.level == "lsoa"
    assert len(one.codes) == 4


@pytest.mark.parametrize(
    ("name", "message"),
    [("West Fin", "Did you mean West Fen"), ("Atlantis", "is no area of this recipe")],
)
def test_an_unknown_area_offers_near_names(material, name, message):
    with pytest.raises(InputError, match=message):
        named_places(material, [name], each=False)


def test_a_level_that_is_not_shown_is_named(study):
    small = material_of(study, policy="public")
    assert "lsoa" in small.levels or small.levels[0] == "msoa"
    with pytest.raises(InputError, match="There is no level 'wards'"):
        every_place(small, "wards")
    assert len(every_place(small, "districts")) == 2


def test_a_drawn_polygon_is_read_in_degrees_and_in_metres(material, tmp_path):
    shape = box(1300, 1300, 3500, 2700)
    degrees = gpd.GeoSeries([shape], crs=27700).to_crs(4326)
    one = drawn_places(material, save(list(degrees), tmp_path / "a.geojson", crs=4326))[0]
    (tmp_path / "b.geojson").write_text(geojson(shape, name="Quay"))
    other = drawn_places(material, tmp_path / "b.geojson")[0]
    assert (one.name, other.name) == ("a", "Quay")
    pd.testing.assert_series_equal(one.fit.weights, other.fit.weights, atol=0.1)


def test_swapped_degrees_are_told(material, tmp_path):
    path = save([box(51.0, -1.2, 51.1, -1.1)], tmp_path / "a.geojson", crs=4326)
    with pytest.raises(InputError, match="wrong way round"):
        drawn_places(material, path)


def test_a_polygon_elsewhere_is_refused(material, tmp_path):
    with pytest.raises(UnmatchedError, match="100% of the polygon lies outside"):
        drawn_places(material, save([box(2e5, 2e5, 3e5, 3e5)], tmp_path / "a.gpkg"))


def test_a_polygon_of_an_unknown_system_is_refused(material, tmp_path):
    path = tmp_path / "a.geojson"
    path.write_text(geojson(box(1e7, 1e7, 2e7, 2e7)))
    with pytest.raises(CRSError, match="degrees"):
        drawn_places(material, path)


def test_a_polygon_that_crosses_itself_is_refused(material, tmp_path):
    bow = Polygon([(0, 0), (3000, 3000), (3000, 0), (0, 3000)])
    with pytest.raises(GeometryError, match="Self-intersection"):
        drawn_places(material, save([bow], tmp_path / "a.gpkg"))


def test_a_polygon_of_few_people_is_refused(material, tmp_path):
    with pytest.raises(InputError, match="at least 1,000 are needed"):
        drawn_places(material, save([box(0, 0, 300, 300)], tmp_path / "a.gpkg"))


def test_a_file_without_polygons_is_refused(material, tmp_path):
    (tmp_path / "a.geojson").write_text("no")
    with pytest.raises(FileFormatError, match="is no file of polygons"):
        drawn_places(material, tmp_path / "a.geojson")
    with pytest.raises(GeometryError, match="not as a Point"):
        drawn_places(material, save([Point(100, 100)], tmp_path / "b.gpkg"))


def drawn_of(material, shape):
    return Place("drawn", None, (), fit_drawn(shape, material.ground))


def test_a_drawn_place_says_how_it_was_answered(material):
    made = make_profile(material, drawn_of(material, box(500, 500, 3200, 2700)), made_on=DAY)
    text = " ".join(s for section in page_of(made).sections for s in section.sentences)
    assert "Answered by best fit" in text
    assert "weighted by ground" in text
    assert "Standard error" in text
    shown = made.counted[0].numbers["count"].dropna()
    assert (shown % 5 == 0).all()


def worlds(study, people, rng):
    """Yield counts of two worlds: one record lies in one or in another area of an MSOA."""
    lsoa = study.ladder.areas["lsoa"].index
    month = pd.Timestamp("2025-01-01")
    robbery = rng.integers(1, 5, len(lsoa)) + rng.choice([0, 20], len(lsoa))
    grid = pd.MultiIndex.from_product([["Burglary", "Robbery"], lsoa])
    counts = grid.to_frame(index=False, name=["category", "area_code"]).assign(period=month)
    counts["count"] = np.concatenate([rng.integers(20, 40, len(lsoa)), robbery])
    parents = study.ladder.positions["msoa"]
    for one in range(len(lsoa)):
        for other in np.flatnonzero(parents == parents[one]):
            if robbery[one] in (2, 3) and robbery[other] in (2, 3) and other != one:
                moved = counts.copy()
                moved.loc[len(lsoa) + one, "count"] -= 1
                moved.loc[len(lsoa) + other, "count"] += 1
                yield counts, moved, lsoa[one]


def test_polygons_that_differ_by_one_area_tell_no_more_than_the_release(make_study):
    """Worlds that the release does not tell apart give the same answers to every pair."""
    from placeshaping.hotspots.study import analyse

    study = make_study()
    people = pd.DataFrame(study.exposures["lsoa"], index=study.ladder.areas["lsoa"].index)
    tried = 0
    for counts, moved, code in worlds(study, people, np.random.default_rng(11)):
        both = [
            material_of(
                analyse(one, study.ladder, population=people, hot_spots_of=None),
                without=("deprivation",),
            )
            for one in (counts, moved)
        ]
        tables = [[m.main.tables[level].values for level in m.main.levels] for m in both]
        if not all(one.equals(other) for one, other in zip(*tables, strict=True)):
            continue
        tried += 1
        area = both[0].ground.geometry[code]
        for reach in (1500, 2500, 8000):
            wide = area.buffer(reach, join_style="mitre").intersection(box(0, 0, 8000, 8000))
            for shape in (wide, wide.difference(area)):
                first, second = (numbers_of(m, m.main, drawn_of(m, shape)) for m in both)
                pd.testing.assert_frame_equal(first, second)
        if tried == 2:
            return
    pytest.fail("no two worlds with the same release were found")


def test_a_hidden_count_weighs_as_its_mark_and_nothing_else(make_study):
    study = make_study(mean=1.0)
    some = material_of(study, without=("deprivation",))
    table = some.main.tables["lsoa"]
    view = table.view(period="2024", category="Vehicle crime")
    hidden = view.index[view["status"] == "hidden"]
    assert len(hidden) > 3
    everything = some.place_of("lsoa", list(view.index))
    weights = everything.fit.weights
    found = numbers_of(some, some.main, everything).loc[("2024", "Vehicle crime")]
    share = weights.loc[hidden].sum() / weights.sum()
    if share > 0.1:
        assert found["status"] == "hidden"
    else:
        expected = view["count"].fillna(2.5).sum()
        assert found["count"] == pytest.approx(expected, abs=2.5)


def test_page_values_and_sheets_pass_the_attacker(profile, material, tmp_path):
    from placeshaping.reports.profiles_sheets import write_sheets

    page = tmp_path / "a.html"
    page.write_text(render_report(page_of(profile)), "utf-8")
    drawn = make_profile(material, drawn_of(material, box(500, 500, 3200, 2700)), made_on=DAY)
    for path in (
        page,
        write_values(profile, tmp_path / "a.json"),
        write_sheets(profile, tmp_path / "a.pdf"),
        write_values(drawn, tmp_path / "b.json"),
        write_sheets(drawn, tmp_path / "b.pdf"),
    ):
        verdict = verify_file(path)
        assert verdict.passed, (path.name, verdict.breaches[:3])
        assert verdict.declared_policy == "councillor"


def leak(path, **change):
    content = json.loads(path.read_text("utf-8"))
    for row in content["services"][0]["values"]:
        if row["status"] == "shown" and row["count"]:
            row.update({k: v(row) if callable(v) else v for k, v in change.items()})
            break
    path.write_text(json.dumps(content), "utf-8")
    return [breach.what for breach in verify_file(path).breaches]


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"count": 3}, "under 5"),
        ({"count": lambda row: row["count"] + 1}, "not rounded to 5"),
        ({"status": "hidden"}, "marked as hidden"),
        ({"rate": lambda row: row["rate"] * 1.02}, "a count comes back"),
        ({"upper": lambda row: row["upper"] * 1.3}, "1 indicator of other numbers"),
        ({"victims": 4}, "'victims', which is not on the list"),
    ],
)
def test_a_leak_planted_in_the_values_is_found(profile, tmp_path, change, found):
    whats = leak(write_values(profile, tmp_path / "a.json"), **change)
    assert any(found in what for what in whats), whats


def test_a_leak_planted_in_a_drawn_place_is_found(material, tmp_path):
    drawn = make_profile(material, drawn_of(material, box(500, 500, 3200, 2700)), made_on=DAY)
    path = write_values(drawn, tmp_path / "a.json")
    whats = leak(path, upper=lambda row: row["upper"] * 1.1)
    assert any("of other counts than are shown" in what for what in whats), whats


def test_an_indicator_of_another_count_is_found(profile, tmp_path):
    path = write_values(profile, tmp_path / "a.json")
    content = json.loads(path.read_text("utf-8"))
    one = next(one for one in content["indicators"] if one["label"] == "Burglary")
    one["value"] = 1.234
    path.write_text(json.dumps(content), "utf-8")
    assert "1 indicator of other numbers than are shown" in [
        breach.what for breach in verify_file(path).breaches
    ]


def edited(page, old, new):
    assert re.search(old, page)
    return re.sub(old, new, page, count=1)


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        (r'(Burglary</th><td class="number">)[\d,]+', r"\g<1>3", "under 5"),
        (r'(Burglary</th><td class="number">)[\d,]+', r"\g<1>41", "not rounded to 5"),
        (r'(Burglary</th><td class="number">[\d,]+</td><td class="number">)[\d.]+', r"\g<1>99.9",
         "rate of another count"),
        (r"(<dd>)[\d,]+( in 2024 to 2025, )", r"\g<1>13\g<2>", "counts 13, not rounded"),
        (r"<p>", '<img src="https://example.org/x.png" alt="x"><p>', "asks for"),
    ],
)  # fmt: skip
def test_a_leak_planted_in_a_page_is_found(profile, tmp_path, old, new, found):
    path = tmp_path / "a.html"
    path.write_text(edited(render_report(page_of(profile)), old, new), "utf-8")
    whats = [breach.what for breach in verify_file(path).breaches]
    assert any(found in what for what in whats) or (found == "asks for" and whats), whats


def test_a_leak_planted_in_the_sheets_is_found(profile, tmp_path):
    from placeshaping.reports.profiles_sheets import lay_out

    content = page_of(profile)
    section = next(s for s in content.sections if s.heading == "Recorded crime")
    table = section.tables[0]
    rows = tuple((row[0], "3", *row[2:]) for row in table.rows)
    leaking = dataclasses.replace(section, tables=(dataclasses.replace(table, rows=rows),))
    sections = tuple(leaking if s is section else s for s in content.sections)
    path = lay_out(profile, dataclasses.replace(content, sections=sections), tmp_path / "a.pdf")
    assert any("under 5" in breach.what for breach in verify_file(path).breaches)


def test_other_pdf_is_refused(tmp_path):
    for name, content in (("a.pdf", b"%PDF-1.4 nothing"), ("b.pdf", b"no")):
        (tmp_path / name).write_bytes(content)
        assert [b.what for b in verify_file(tmp_path / name).breaches] == ["could not be read"]


def test_the_same_profile_gives_the_same_sheets(profile, tmp_path):
    from placeshaping.reports.profiles_sheets import write_sheets

    one, two = (write_sheets(profile, tmp_path / f"{n}.pdf").read_bytes() for n in "ab")
    assert one == two


def test_a_former_profile_is_compared_with(material, profile, tmp_path):
    path = write_values(profile, tmp_path / "a.json")
    again = ProfileMaker(material, made_on=DAY).make(profile.place, former=read_former(path))
    assert {one.told for one in again.since} == {"the same"}
    content = json.loads(path.read_text("utf-8"))
    for one in content["indicators"]:
        if one["label"] == "Burglary":
            one.update(value=900.0, lower=850.0, upper=950.0, period="2023")
    path.write_text(json.dumps(content), "utf-8")
    changed = ProfileMaker(material, made_on=DAY).make(profile.place, former=read_former(path))
    told = {one.label: one.told for one in changed.since}
    assert told["Burglary"] == "down"
    page = render_report(page_of(changed))
    assert "Beside the profile of 2026-11-21: 1 of" in page


@pytest.mark.parametrize(
    "content", ["no", "[]", '{"indicators": [{"key": "a", "value": "many"}]}', '{"indicators": 3}']
)
def test_what_is_no_former_profile_is_refused(tmp_path, content):
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(FileFormatError, match="is no profile"):
        read_former(tmp_path / "a.json")


def test_a_borough_shows_its_areas_by_name(material):
    made = make_profile(material, material.place_of("district", ["E07900001"]), made_on=DAY)
    assert list(made.inside) == sorted(made.inside)
    assert len(made.inside) == 8
    assert "By name, not by rank" in render_report(page_of(made))


def test_the_index_leads_to_every_page(material):
    maker = ProfileMaker(material, made_on=DAY)
    made = [maker.make(place) for place in every_place(material, "district")]
    page = render_report(index_of(made, title="Marsh"))
    counted = made[0].counted[0]
    assert index_of(made, title="Marsh").facts[0] == (counted.name, counted.whole.label)
    assert 'href="west-fen.html"' in page
    assert page.index("East Fen") < page.index("West Fen")


def test_hot_spots_inside_are_named(make_study):
    study = make_study(mean=6.0)
    some = material_of(study)
    made = make_profile(some, some.place_of("district", ["E07900001"]), made_on=DAY)
    names, told = made.hot_spots
    assert told == 32
    assert names
    codes = some.ground.index[some.ground["area_name"].isin(names)]
    corner = some.ground.geometry.loc[codes].centroid
    assert (corner.x < 4500).all()


def test_the_content_is_plain_json(profile):
    content = content_of(profile)
    assert json.loads(json.dumps(content)) == content
    assert content["declaration"]["kind"] == "area profile"


def test_a_stream_may_end_in_any_byte(tmp_path):
    """Packed data may end in what looks like a line end; cut there, it could not be unpacked."""
    import zlib

    from placeshaping.verify.pdf_file import read_pdf

    ends = set()
    for number in range(1000):
        body = zlib.compress(f"BT 0 0 Td (number {number}{'!' * number}) Tj ET".encode())
        if body[-1:] in (b"\r", b"\n") and body[-1] not in ends:
            ends.add(body[-1])
            raw = b"%PDF-1.4\n<< /Filter /FlateDecode >>\nstream\n" + body + b"\nendstream"
            (tmp_path / "a.pdf").write_bytes(raw)
            assert f"number {number}" in read_pdf(tmp_path / "a.pdf").texts["text"]
    assert len(ends) == 2


@pytest.fixture(scope="module")
def merged(make_study):
    """Material in which two small areas are shown as one, as little was recorded in them."""
    from placeshaping.areas.ladder import make_ladder
    from placeshaping.hotspots.study import analyse

    study = make_study(mean=6.0)
    rename = {"E01900001": "E01900001+1"}
    areas = study.ladder.areas["lsoa"].rename(index=rename)
    areas.attrs["level"] = "lsoa"
    areas["members"] = None
    areas.loc["E01900001+1", "members"] = "E01900101 E01900102"
    lookup = ground_of(study).rename(index=rename)
    counts = study.table("lsoa").query("period == '2024' and category != 'All recorded crime'")
    counts = counts.assign(
        area_code=counts["area_code"].astype(str).replace(rename),
        period=pd.Timestamp("2024-01-01"),
        category=counts["category"].astype(str),
    )[["area_code", "period", "category", "count"]]
    ladder = make_ladder(areas, lookup[["msoa_code", "district_code"]])
    one = analyse(counts, ladder, population=lookup[["residents"]], hot_spots_of=None)
    first = lookup.loc[["E01900001+1"]].set_axis(["E01900101"])
    halves = [first, first.set_axis(["E01900102"]).assign(area_name="Marsh 001Z")]
    ground = pd.concat([*halves, lookup.drop(index="E01900001+1")])
    return material_of(one, ground=ground.rename_axis("area_code"))


def test_an_area_that_is_shown_with_another_is_told(merged):
    with pytest.raises(InputError, match="Marsh 001A is shown together with Marsh 001Z"):
        named_places(merged, ["E01900101"], each=False)


def test_areas_that_are_shown_as_one_are_answered_as_one(merged):
    together = named_places(merged, ["E01900101", "E01900102"], each=False)
    assert together[0].codes == ("E01900101", "E01900102")
    found = numbers_of(merged, merged.main, together[0])
    own = merged.main.tables["lsoa"].values
    own = own[own["area_code"].astype(str) == "E01900001+1"]
    assert found["count"].tolist() == own["count"].tolist()
    places = every_place(merged, "lsoa")
    assert len(places) == 64
    assert ("E01900101", "E01900102") in [place.codes for place in places]
