"""The painting page in a real browser, network off: painted by hand, scored as Python does."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from placeshaping.disclosure.wards import WardRelease, release_review
from placeshaping.maps.ward_painting import painting_page
from placeshaping.shaping.ward_files import read_proposal
from placeshaping.shaping.ward_scores import Scores, score_proposal
from placeshaping.shaping.wards import Review, make_proposal, make_review
from placeshaping.verify.files import verify_file

pytestmark = pytest.mark.browser

SIDE = 12
NAMES = ["</script><script>alert(1)</script>", "O\"Brien & 'Sons' <b>", "=1+1", "Castle"]
TOOLS = "#tools button[value={}]"

POINT = """(i) => { const { shapes, pane } = placeshaping.page;
  const spot = L.CRS.EPSG3857.pointToLatLng(L.point(shapes.centre(0, i)), 0);
  const at = pane.map.latLngToContainerPoint(spot);
  const box = document.getElementById('map').getBoundingClientRect();
  return [box.left + at.x + 1, box.top + at.y + 1]; }"""

SCORES = """() => { const { painting, review } = placeshaping.page;
  const { rows, split, summary } = painting.scores;
  const judged = placeshaping.judged(review, painting.scores);
  return {
    wards: painting.wards.map((ward) => {
      const r = rows.get(ward.slot);
      return [ward.id, ward.name, r.councillors, r.now, r.forecast, r.variance_now,
        r.variance_forecast, r.parts, r.doughnut, r.compactness, r.units]; }),
    split: split.map((one) => [
      one.kind, one.name, one.slots.map((k) => painting.ward(k).id).join(', ')]),
    summary: summary,
    faults: judged.faults.map((one) => one.words),
    warnings: judged.warnings.map((one) => one.words) }; }"""

TABLE = """() => [...document.querySelectorAll('#wards-table tbody tr')]
  .map((row) => [...row.cells].map((cell) => cell.innerText))"""


def squares(seed: int = 3) -> gpd.GeoDataFrame:
    """Return an invented area of 144 units with places, some in none, and deciles."""
    rng = np.random.default_rng(seed)
    row, column = np.divmod(np.arange(SIDE * SIDE), SIDE)
    shapes = shapely.box(
        430_000 + 200 * column, 290_000 + 200 * row, 430_200 + 200 * column, 290_200 + 200 * row
    )
    now = rng.integers(60, 400, len(row))
    parish = np.where(
        row < 4, "", [f"Parish {r // 4}-{c // 4}" for r, c in zip(row, column, strict=True)]
    )
    return gpd.GeoDataFrame(
        {
            "electors_now": now,
            "electors_forecast": np.round(now * rng.uniform(0.9, 1.3, len(row))).astype(int),
            "name": ['Unit "one" </script>', *[f"Unit {n}" for n in range(2, len(row) + 1)]],
            "parish": np.where(parish == "", None, parish),
            "polling_district": [
                f"{'ABCD'[r // 3]}{c // 3}" for r, c in zip(row, column, strict=True)
            ],
            "decile": rng.integers(1, 11, len(row)),
        },
        geometry=shapes,
        crs=27700,
        index=[f"E00{500001 + n:06d}" for n in range(len(row))],
    )


def quarters(review: Review) -> pd.Series:
    row, column = np.divmod(np.arange(SIDE * SIDE), SIDE)
    wards = [f"q{2 * (r // 6) + c // 6}" for r, c in zip(row, column, strict=True)]
    return pd.Series(wards, index=review.units.index)


def released_squares(seed: int = 3, name: str = "An invented review") -> WardRelease:
    review = make_review(squares(seed), councillors=9, name=name)
    wards = quarters(review)
    seats = {"q0": 2, "q1": 2, "q2": 2, "q3": 3}
    called = dict(zip(seats, NAMES, strict=True))
    first = make_proposal(review, wards, name="As they are", councillors=seats, names=called)
    moved = wards.copy()
    moved.iloc[[5, 17]] = "q1"
    other = make_proposal(review, moved, name="Another <i>", councillors=seats, names=called)
    return release_review(
        review,
        [first],
        present=other,
        policy="open",
        sensitivity="open",
        title="Wards <b> of an invented district",
        made_on=dt.date(2026, 11, 21),
        already_published="https://example.org/electors",
    )


@pytest.fixture(scope="module")
def released() -> WardRelease:
    return released_squares()


@pytest.fixture(scope="module")
def page_file(released: WardRelease, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("wards") / "my café" / "painting.html"
    painting_page(released).save(path)
    return path


class Opened:
    """An open page, and what it tried and complained of."""

    def __init__(self, context: Any, file: Path) -> None:
        self.page = context.new_page()
        self.errors: list[str] = []
        self.requests: list[str] = []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", lambda m: self.errors.append(m.text) if m.type == "error" else None)
        self.page.on("dialog", lambda dialog: self.errors.append(f"dialog {dialog.message}"))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(file.as_uri())
        self.run("() => placeshaping.ready")

    def run(self, code: str, given: Any = None) -> Any:
        return self.page.evaluate(code, given)

    def point(self, unit: int) -> list[float]:
        at: list[float] = self.run(POINT, unit)
        return at

    def wards(self) -> list[str]:
        ids: list[str] = self.run(
            "() => { const p = placeshaping.page.painting;"
            " return Array.from(p.of, (s) => s < 0 ? null : p.ward(s).id); }"
        )
        return ids

    def take(self, name: str) -> None:
        self.page.get_by_role("radio", name=name, exact=False).check()

    def drag(self, *units: int) -> None:
        mouse = self.page.mouse
        mouse.move(*self.point(units[0]))
        mouse.down()
        for unit in units[1:]:
            mouse.move(*self.point(unit), steps=6)
        mouse.up()

    def saved(self, button: str, folder: Path) -> Path:
        with self.page.expect_download() as download:
            self.page.click(button)
        path = folder / download.value.suggested_filename
        download.value.save_as(path)
        return path


@pytest.fixture
def opened(browser: Any, page_file: Path, request: pytest.FixtureRequest) -> Iterator[Opened]:
    width, height = getattr(request, "param", (1280, 800))
    small = width < 600
    context = browser.new_context(
        viewport={"width": width, "height": height},
        offline=True,
        has_touch=small,
        is_mobile=small,
        accept_downloads=True,
    )
    found = Opened(context, page_file)
    yield found
    assert found.errors == []
    own = (page_file.as_uri(), "data:", "blob:")
    assert [url for url in found.requests if not url.startswith(own)] == []
    context.close()


def assert_same(page: dict[str, Any], scores: Scores) -> None:
    """Hold every number and sentence of the page to those of Python."""
    columns = [
        "name", "councillors", "electors_now", "electors_forecast", "variance_now",
        "variance_forecast", "parts", "doughnut", "compactness", "units",
    ]  # fmt: skip
    own = scores.wards[columns].reset_index().to_numpy()
    assert len(page["wards"]) == len(own)
    for shown, wanted in zip(page["wards"], own, strict=True):
        assert shown[:5] == list(wanted[:5])
        assert shown[5:7] == list(wanted[5:7])  # to the last bit
        assert shown[7:9] == list(wanted[7:9])
        assert shown[9] == pytest.approx(wanted[9], rel=1e-14)
        assert shown[10] == wanted[10]
    assert page["split"] == scores.split.to_numpy().tolist()
    told, known = page["summary"], scores.summary
    for key in ("wards", "councillors", "over_forecast", "over_now", "detached", "doughnuts"):
        assert told[key] == known[key], key
    assert told["cut_edges"] == known["cut_edges"]
    assert told["compactness"] == pytest.approx(known["compactness"], rel=1e-13)
    for kind, number in told["splits"].items():
        assert number == known[f"split_{kind}"]
    assert abs(told["farthest_forecast"]["variance_forecast"]) == known["largest_forecast"]
    assert page["faults"] == list(scores.faults)
    assert page["warnings"] == list(scores.warnings)


def printed(table: list[list[str]], scores: Scores) -> None:
    """Hold the printed table to Python's own digits."""
    rows = {row[0]: row for row in table}
    for ward in scores.wards.itertuples():
        row = rows[ward.name]
        assert row[2] == f"{ward.electors_now:,}"
        assert row[4] == f"{ward.electors_forecast:,}"
        for cell, variance in ((row[3], ward.variance_now), (row[5], ward.variance_forecast)):
            number = re.match(r"[+\u2212]?(\d+\.\d)", cell)
            assert number is not None
            assert number[1] == f"{abs(100 * variance):.1f}"
            over = abs(variance) > 0.1 + 1e-9
            assert ("too" in cell) == over
        assert row[7] == f"{ward.compactness:.2f}"
        assert row[8] == f"{ward.units:,}"


def test_what_is_painted_by_mouse_and_keyboard_is_scored_as_python_scores_it(
    opened: Opened, released: WardRelease, tmp_path: Path
) -> None:
    assert_same(opened.run(SCORES), score_proposal(released.review, released.proposals[0]))
    opened.page.click(TOOLS.format("paint"))
    opened.take("Castle")
    opened.drag(77, 65, 53, 54)  # up from Castle's corner into another ward
    live = opened.page.locator("#live")
    live.get_by_text("now in Castle", exact=False).wait_for()
    opened.page.focus("#map")
    opened.page.mouse.move(2, 2)
    opened.run("() => placeshaping.page.pane.show(40)")
    opened.page.keyboard.press("ArrowUp")
    live.get_by_text("press Enter to give it to Castle", exact=False).wait_for()
    unit = opened.run("() => placeshaping.page.pane.active()")
    assert unit == 52  # north is up
    opened.page.keyboard.press("1")
    opened.page.keyboard.press("]")
    opened.page.keyboard.press("]")
    assert opened.run("() => placeshaping.page.painting.nameOf(placeshaping.page.slot())") == "=1+1"
    opened.page.keyboard.press("Enter")
    assert opened.wards()[52] == "W3"
    live.get_by_text("1 unit,", exact=False).wait_for()

    file = opened.saved("#save", tmp_path)
    proposal = read_proposal(file, released.review)
    assert proposal.ward_of.tolist() == opened.wards()
    scores = score_proposal(released.review, proposal)
    assert_same(opened.run(SCORES), scores)
    printed(opened.run(TABLE), scores)
    opened.page.click("#judge")
    told = opened.page.locator("#judgement-body li").all_inner_texts()
    assert told == [*scores.faults, *scores.warnings]
    assert opened.page.evaluate("document.activeElement.id") == "judgement"

    opened.page.keyboard.press("Control+z")
    opened.page.click("#undo")
    assert opened.wards() == released.proposals[0].ward_of.tolist()
    opened.page.click("#redo")
    opened.page.keyboard.press("Control+y")
    assert opened.wards() == proposal.ward_of.tolist()
    assert opened.run("() => placeshaping.page.painting.canRedo()") is False


def test_any_proposal_is_scored_as_python_scores_it(opened: Opened, released: WardRelease) -> None:
    review = released.review
    rng = np.random.default_rng(8)
    row, column = np.divmod(np.arange(SIDE * SIDE), SIDE)
    wholly = np.where((abs(row - 6) < 2) & (abs(column - 6) < 2), 1, 0)
    cases = [wholly, *(rng.integers(0, 5, SIDE * SIDE) for _ in range(3))]
    cases += [(row // rows * 3 + column // 4) % 6 for rows in (3, 4)]
    for case in cases:
        labels = pd.Series([f"w{n}" for n in case], index=review.units.index)
        seats = {f"w{n}": int(rng.integers(1, 5)) for n in sorted(set(case))}
        proposal = make_proposal(review, labels, name="Drawn", councillors=seats)
        opened.run(
            "([name, wards, of]) => placeshaping.page.painting.replace({ name, wards, of })",
            [
                "Drawn",
                [
                    {"id": i, "name": n, "councillors": int(c)}
                    for i, n, c in zip(
                        proposal.wards.index,
                        proposal.wards["name"],
                        proposal.wards["councillors"],
                        strict=True,
                    )
                ],
                proposal.wards.index.get_indexer(pd.Index(proposal.ward_of)).tolist(),
            ],
        )
        assert_same(opened.run(SCORES), score_proposal(review, proposal))
    assert opened.run("() => placeshaping.page.painting.steps()") == len(cases)


def test_numbers_are_rounded_as_python_rounds_them(opened: Opened) -> None:
    rng = np.random.default_rng(2)
    ties = [6.25, 18.75, -0.25, 0.35, 2.675, 12.5 + 2**-40, 6.25 - 2**-40, 0.0, 100.0]
    numbers = [*ties, *(rng.integers(-900, 900, 200) / 16), *rng.normal(0, 20, 300)]
    for decimals in (1, 2):
        told = opened.run(
            "([all, d]) => all.map((x) => placeshaping.fixed(x, d))",
            [list(map(float, numbers)), decimals],
        )
        assert told == [f"{abs(number):.{decimals}f}" for number in numbers]


def test_parts_are_counted_anew_only_where_they_may_have_changed(opened: Opened) -> None:
    same = opened.run(
        """() => { const { painting, review } = placeshaping.page; let n = 7;
        for (let k = 0; k < 300; k += 1) {
          n = (n * 1103515245 + 12345) % 2147483648;
          painting.give([n % review.size], painting.wards[(n >> 8) % painting.wards.length].slot);
          const whole = review.scores(painting.of, painting.wards);
          for (const ward of painting.wards) {
            const kept = painting.scores.rows.get(ward.slot).parts;
            if (whole.rows.get(ward.slot).parts !== kept) { return k; }
          }
        }
        for (let k = 0; k < 300; k += 1) { painting.undo(); }
        return painting.canUndo() ? 'more' : 'same'; }"""
    )
    assert same == "same"


def test_files_for_others_hold_the_same_wards(
    opened: Opened, released: WardRelease, tmp_path: Path
) -> None:
    opened.page.select_option("#spread", "polling_district")
    opened.page.click(TOOLS.format("paint"))
    opened.take("Castle")
    opened.page.mouse.click(*opened.point(0))
    opened.page.select_option("#spread", "")
    opened.page.mouse.click(*opened.point(71))
    wards = opened.wards()
    assert [wards[unit] for unit in (0, 1, 2, 12, 26, 3)] == ["W4"] * 5 + ["W1"]

    table = pd.read_csv(opened.saved("#save-csv", tmp_path), encoding="utf-8-sig")
    assert table["ward"].tolist() == wards
    units = released.review.units
    assert table["electors_now"].tolist() == units["electors_now"].tolist()
    lies = table.groupby("polling_district")["ward"].transform("nunique")
    assert table["split"].tolist() == np.where(lies > 1, "yes", "no").tolist()
    assert table.loc[table["ward"] == "W3", "ward_name"].unique().tolist() == ["'=1+1"]
    of_table = read_proposal(tmp_path / "As-they-are.csv", released.review)
    assert of_table.ward_of.tolist() == wards

    file = opened.saved("#save-geojson", tmp_path)
    read = read_proposal(file, released.review)
    assert read.ward_of.tolist() == wards
    drawn = gpd.read_file(file).set_index("id").to_crs(27700)
    assert drawn.geometry.is_valid.all()
    scores = score_proposal(released.review, read)
    assert drawn["electors_forecast"].to_dict() == scores.wards["electors_forecast"].to_dict()
    assert drawn["variance_now"].to_numpy() == pytest.approx(
        scores.wards["variance_now"].reindex(drawn.index).to_numpy(), abs=5e-7
    )
    for ward, shape in units.groupby(wards)["geometry"].agg(shapely.union_all).items():
        assert drawn.geometry[ward].symmetric_difference(shape).area < 0.03 * shape.area
    outer = json.loads(file.read_text("utf-8"))["features"][0]["geometry"]["coordinates"][0]
    assert shapely.LinearRing(outer if isinstance(outer[0][0], float) else outer[0]).is_ccw

    words = opened.saved("#save-text", tmp_path).read_text("utf-8")
    assert "It does not meet every test" in words
    for sentence in (*scores.faults, *scores.warnings):
        assert f"- {sentence}" in words.replace("\r\n", "\n")
    assert NAMES[0] in words


def test_a_ward_around_another_is_exported_with_a_hole(opened: Opened, tmp_path: Path) -> None:
    opened.run(
        """() => { const { painting } = placeshaping.page; const slot = painting.add("Middle", 1);
        painting.give([52, 53, 64, 65, 66, 79], slot); painting.give([16], slot); }"""
    )
    drawn = gpd.read_file(opened.saved("#save-geojson", tmp_path)).set_index("name")
    assert drawn.geometry.is_valid.all()
    assert drawn.geometry["Middle"].geom_type == "MultiPolygon"
    assert drawn.to_crs(27700).geometry.area.sum() == pytest.approx((SIDE * 200) ** 2, rel=0.01)
    faults = opened.run(SCORES)["faults"]
    assert "Middle lies in 3 parts that do not touch." in faults  # a corner is no border
    assert "The wards have 10 councillors together, not 9." in faults


def test_another_reviews_file_is_refused_and_changes_nothing(
    opened: Opened, released: WardRelease, tmp_path: Path
) -> None:
    file = opened.saved("#save", tmp_path)
    saved = json.loads(file.read_text("utf-8"))
    before = opened.wards()
    wrong = {
        "other.json": saved | {"review": "Elsewhere", "digest": "0" * 12},
        "figures.json": saved | {"digest": "0" * 12},
        "kind.json": {"kind": "recipe"},
        "wards.json": saved | {"wards": [{"id": "W1", "name": "", "councillors": 2}]},
        "lost.json": saved | {"units": {}},
        "strange.json": saved | {"units": saved["units"] | {"E00999999": "W1"}},
    }
    told = []
    for name, document in wrong.items():
        path = tmp_path / name
        path.write_text(json.dumps(document), encoding="utf-8")
        opened.page.set_input_files("#load", path)
        opened.page.wait_for_function(
            "(before) => document.getElementById('load-words').textContent !== before",
            arg=told[-1] if told else "Saved as a file among your downloads.",
        )
        told.append(opened.page.inner_text("#load-words"))
    assert told[0].startswith("Not loaded. This file belongs to the review “Elsewhere”, not to")
    assert "another edition" in told[1]
    assert "no saved proposal" in told[2]
    assert "damaged" in told[3]
    assert "144 units of this review are missing" in told[4]
    assert "E00999999" in told[5]
    assert all(words.endswith("Nothing was changed.") for words in told)
    assert opened.wards() == before

    units = saved["units"] | {released.review.units.index[0]: None}
    path = tmp_path / "unfinished.json"
    path.write_text(json.dumps(saved | {"units": units, "name": "<img src=x>"}), encoding="utf-8")
    opened.page.set_input_files("#load", path)
    opened.page.get_by_text("is loaded. Undo brings back", exact=False).wait_for()
    assert opened.wards()[0] is None
    assert opened.run(SCORES)["faults"][0] == "1 unit lies in no ward yet."
    assert opened.page.input_value("#name") == "<img src=x>"


def test_wards_are_added_renamed_resized_and_removed(opened: Opened) -> None:
    opened.page.click("#add")
    opened.page.keyboard.type("New & 'old' <b>")
    opened.page.keyboard.press("Tab")
    opened.page.select_option("#ward-councillors", "3")
    opened.page.click(TOOLS.format("box"))
    x, y = opened.point(14)
    opened.page.mouse.move(x - 12, y + 12)
    opened.page.mouse.down()
    x, y = opened.point(39)
    opened.page.mouse.move(x + 12, y - 12, steps=4)
    opened.page.mouse.up()
    wards = opened.wards()
    assert sorted({n for n, ward in enumerate(wards) if ward == "W5"}) == [14, 15, 26, 27, 38, 39]
    names = opened.page.locator("#ward-list .ward-name").all_inner_texts()
    assert names[-1].startswith("New & 'old' <b>")
    assert "12 of 9" in opened.page.inner_text("#facts")
    opened.page.click("#ward-remove")
    assert opened.wards().count(None) == 6
    opened.page.click("#undo")
    assert opened.wards() == wards


def test_a_lasso_gives_the_units_within_it(opened: Opened) -> None:
    opened.page.click(TOOLS.format("lasso"))
    opened.take("Castle")
    at = [opened.point(unit) for unit in (0, 4, 28)]
    opened.page.mouse.move(at[0][0] - 15, at[0][1] + 15)
    opened.page.mouse.down()
    opened.page.mouse.move(at[1][0] + 30, at[1][1] + 15, steps=8)
    opened.page.mouse.move(at[2][0], at[2][1], steps=8)
    opened.page.mouse.move(at[0][0] - 15, at[0][1] - 15, steps=8)
    opened.page.mouse.up()
    given = [n for n, ward in enumerate(opened.wards()[:72]) if ward == "W4"]
    assert {0, 1, 2, 3, 4} <= set(given)
    assert 36 not in given
    assert 11 not in given


def test_a_units_ward_is_chosen_in_the_table(opened: Opened) -> None:
    opened.page.click("#units-box summary")
    opened.page.locator("#units-table tbody tr").first.wait_for()
    assert opened.page.locator("#units-table tbody tr").count() == 50
    opened.page.fill("#units-filter", "parish 2-1")
    assert opened.page.locator("#units-table tbody tr").count() == 16
    opened.page.fill("#units-filter", "unit 100")
    opened.page.get_by_label("Ward of Unit 100 (E00500100)").select_option(label="Castle")
    assert opened.wards()[99] == "W4"
    assert opened.page.inner_text("#units-count") == "Rows 1 to 1 of 1 unit."


def test_two_proposals_stand_side_by_side_with_what_differs_hatched(opened: Opened) -> None:
    opened.page.select_option("#other", label="Another <i>")
    opened.page.click("#compare")
    words = opened.page.inner_text("#compare-words")
    assert words.startswith("2 units with")
    captions = opened.page.locator("#compare-body caption").all_inner_texts()
    assert captions == ["Both in figures", "Mine: As they are", "Another <i>"]
    hatched = opened.run(
        "() => [...placeshaping.page.review.codes.keys()]"
        ".filter((i) => placeshaping.page.others.differs(i))"
    )
    assert hatched == [5, 17]
    opened.page.click("#start")
    assert opened.wards()[5] == "W2"
    assert opened.page.inner_text("#compare-words").startswith("Every unit lies in the same ward")


def test_a_draft_is_kept_and_offered_again(opened: Opened) -> None:
    opened.run("() => { const p = placeshaping.page.painting; p.give([0, 1], p.wards[3].slot); }")
    opened.page.wait_for_function("() => Object.keys(localStorage).some((k) => /wards-/.test(k))")
    opened.page.wait_for_timeout(300)  # what is kept goes to another process first
    opened.page.reload()
    opened.run("() => placeshaping.ready")
    assert "You painted “As they are” in this browser" in opened.page.inner_text("#draft")
    opened.page.click("#draft-take")
    assert opened.wards()[:3] == ["W4", "W4", "W1"]


def test_a_browser_that_keeps_nothing_does_not_stop_the_painting(
    browser: Any, page_file: Path
) -> None:
    context = browser.new_context(offline=True)
    context.add_init_script(
        "Object.defineProperty(window, 'localStorage', { get() { throw new Error('refused'); } });"
    )
    found = Opened(context, page_file)
    found.run("() => { const p = placeshaping.page.painting; p.give([0], p.wards[3].slot); }")
    found.page.get_by_text("This browser keeps no draft", exact=False).wait_for()
    assert found.errors == []
    context.close()


@pytest.mark.parametrize("opened", [(390, 844)], indirect=True)
def test_a_finger_moves_the_map_or_paints_as_chosen(opened: Opened) -> None:
    opened.page.locator("#map").scroll_into_view_if_needed()
    opened.page.touchscreen.tap(*opened.point(60))
    assert "Unit 61" in opened.page.inner_text("#unit-words")
    before = opened.wards()
    opened.page.locator(TOOLS.format("paint")).tap()
    opened.page.select_option("#with-select", label="Castle")
    opened.page.locator("#map").scroll_into_view_if_needed()
    touch = opened.page.context.new_cdp_session(opened.page)
    at = [opened.point(unit) for unit in (55, 54, 53)]
    for kind, place in (("touchStart", at[0]), ("touchMove", at[1]), ("touchMove", at[2])):
        touch.send(
            "Input.dispatchTouchEvent",
            {"type": kind, "touchPoints": [{"x": place[0], "y": place[1]}]},
        )
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    opened.page.wait_for_function("() => placeshaping.page.painting.steps() === 1")
    changed = [n for n, (a, b) in enumerate(zip(before, opened.wards(), strict=True)) if a != b]
    assert changed == [53, 54, 55]


@pytest.mark.parametrize(
    ("opened", "scheme"),
    [((320, 640), "light"), ((1280, 800), "dark"), ((640, 400), "light")],
    indirect=["opened"],
)
def test_axe_finds_nothing_and_nothing_overflows(opened: Opened, scheme: str) -> None:
    axe = Path(os.environ.get("AXE", "node_modules/axe-core/axe.min.js"))
    if not axe.is_file():
        reason = "axe-core is not there: set AXE to its axe.min.js, or npm install axe-core"
        if os.environ.get("CI"):
            pytest.fail(f"{reason} (in CI this test must run)")
        pytest.skip(reason)
    opened.page.emulate_media(color_scheme=scheme)
    opened.run(
        "() => { const p = placeshaping.page; p.take(p.painting.wards[0].slot); p.choose(9); }"
    )
    opened.page.click("#units-box summary")
    opened.page.click("#judge")
    opened.page.click("#compare")
    opened.run("() => { document.getElementById('edit-box').open = true; }")
    assert opened.run("() => document.documentElement.scrollWidth <= innerWidth")
    opened.page.evaluate(axe.read_text(encoding="utf-8"))
    result = opened.run(
        "(kinds) => axe.run({runOnly: kinds})",
        ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    )
    assert [(v["id"], v["nodes"][0]["html"][:120]) for v in result["violations"]] == []
    small = opened.run(
        """() => [...document.querySelectorAll('button, select, input, summary, .leaflet-bar a')]
        .filter((e) => e.offsetParent !== null)
        .map((e) => [e.outerHTML.slice(0, 60), (e.closest('label') || e).getBoundingClientRect()])
        .filter(([, box]) => box.width < 24 || box.height < 24).map(([words]) => words)"""
    )
    assert small == []


def test_no_sheet_is_cleared_for_paper_where_it_would_hide_those_beneath(opened: Opened) -> None:
    opened.run(
        """() => { window.cleared = 0; const own = CanvasRenderingContext2D.prototype.clearRect;
        CanvasRenderingContext2D.prototype.clearRect = function (...box) {
          if (document.documentElement.classList.contains('printing')) { window.cleared += 1; }
          own.apply(this, box); };
        dispatchEvent(new Event('beforeprint')); }"""
    )
    opened.page.emulate_media(media="print")
    assert opened.page.locator("#map").bounding_box()["width"] < 700
    assert not opened.page.locator("#files-section").is_visible()
    assert opened.run("() => window.cleared") == 0
    opened.run("() => dispatchEvent(new Event('afterprint'))")
    assert len(opened.page.pdf(format="A4")) > 50_000


def test_without_script_a_picture_and_the_wards_stand_there(
    browser: Any, page_file: Path, released: WardRelease
) -> None:
    context = browser.new_context(java_script_enabled=False, offline=True)
    page = context.new_page()
    page.goto(page_file.as_uri())
    assert page.locator(".still svg").is_visible()
    assert page.locator(".still svg text").all_text_contents() == NAMES
    rows = page.locator("noscript table tbody tr").all_inner_texts()
    scores = score_proposal(released.review, released.proposals[0]).wards
    assert len(rows) == len(scores)
    assert f"{scores['electors_now'].iloc[0]:,}" in rows[0]
    assert not page.locator("#map").is_visible()
    context.close()


def test_the_page_passes_the_attacker(page_file: Path) -> None:
    verdict = verify_file(page_file)
    assert verdict.breaches == ()
    assert verdict.judged_policy == "open"
