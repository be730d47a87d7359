"""The command `placeshaping inspections`: from files to a list that stays inside."""

import datetime as dt
import json
import re

import openpyxl
import pandas as pd
import pytest

from placeshaping import cli
from placeshaping._core.errors import DisclosureError
from placeshaping.disclosure.records import release_records
from placeshaping.project.inspections import answer_inspections
from placeshaping.synthetic.premises import make_premises
from placeshaping.verify.files import verify_file

EXPIRES = dt.datetime.now(tz=dt.UTC).date() + dt.timedelta(days=90)
REQUEST = f"""
title = "Licensed rented homes"
purpose = "Planning the visits of the first quarter"
contact = "Housing standards team"
expires = {EXPIRES}

[properties]
file = "homes.csv"
features = ["storeys", "age", "landlord", "arrears"]
tags = {{ arrears = "personal" }}

[visits]
file = "visits.csv"
inspector = "inspector"
random = "random"

[complaints]
file = "complaints.csv"

[team]
inspections = 60
first_day = 2026-01-05
form = "logistic"
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder with the files of an invented service, and a request."""
    folder = tmp_path_factory.mktemp("homes")
    made = make_premises(1_500, seed=2)
    made.properties.to_csv(folder / "homes.csv")
    made.visits.to_csv(folder / "visits.csv", index=False, date_format="%d/%m/%Y")
    made.complaints.to_csv(folder / "complaints.csv", index=False)
    areas = sorted(made.properties["area_code"].unique())
    ranks = range(1, len(areas) + 1)
    index = {"area_code": areas, "imd_rank": ranks, "imd_decile": [(r + 3) // 4 for r in ranks]}
    pd.DataFrame(index).to_csv(folder / "deprivation.csv", index=False)
    lines = REQUEST.replace("[properties]", 'deprivation = "deprivation.csv"\n\n[properties]', 1)
    (folder / "request.toml").write_text(lines)
    return folder


@pytest.fixture(scope="module")
def outcome(folder):
    return answer_inspections(folder / "request.toml", made_on=EXPIRES - dt.timedelta(days=90))


def run(arguments, capsys):
    """Run the command; return the exit code and what it wrote."""
    with pytest.raises(SystemExit, match=r"\d|^$") as stop:
        cli.main(arguments)
    told = capsys.readouterr()
    return stop.value.code, told.out + told.err


def test_a_request_becomes_a_list_and_a_page(folder, capsys):
    code, told = run(["inspections", str(folder / "request.toml"), "--json"], capsys)
    assert code == 0
    said = json.loads(told)
    assert said["goes by"] == "model"
    assert set(said["files"]) == {
        "list.csv", "list.csv-metadata.json", "list.xlsx", "report.html",
    }  # fmt: skip
    table = pd.read_csv(folder / "inspections" / "list.csv")
    assert len(table) == 60
    assert table["chosen_by"].value_counts().to_dict() == {"rank": 54, "lot": 6}
    sheet = openpyxl.load_workbook(folder / "inspections" / "list.xlsx")["Inspection list"]
    assert sheet.max_row == 61
    assert sheet.freeze_panes == "A2"
    page = (folder / "inspections" / "report.html").read_text(encoding="utf-8")
    assert "Had it known who went" in page
    assert "arrears (personal)" in page
    assert "Times the average" in page
    assert "complaints in the last year (personal)" in page
    assert "complaints_year" not in page
    checksums = re.findall(r"SHA-256 ([0-9a-f]+)", page)
    assert [len(one) for one in checksums] == [64] * 4
    assert table["chance"].tolist() == table["chance"].round(2).tolist()
    assert not any(key in page for key in table["property"])


def test_the_page_tells_of_no_decile_with_few_properties(outcome):
    page = (outcome.folder / "report.html").read_text(encoding="utf-8")
    part = page[page.index("Properties listed in order, by") :]
    found = re.findall(
        r"<t[hd][^>]*>([^<]+)</t[hd]>\s*<td[^>]*>(\d+)</td>\s*<td[^>]*>(\d+)</td>", part
    )
    properties, listed = ([int(row[n]) for row in found] for n in (1, 2))
    assert sum(properties) == 1_500
    assert sum(listed) == 54
    assert all(one == 0 or one >= 5 for one in listed)
    assert all(all_of - some >= 5 for all_of, some in zip(properties, listed, strict=True))


def test_what_lies_after_the_first_day_is_told(folder, capsys):
    given = (folder / "request.toml").read_text().replace("2026-01-05", "2023-01-05")
    given = given.replace("contact = ", 'output = "early"\ncontact = ')
    for name in ("homes.csv", "visits.csv", "complaints.csv"):
        table = pd.read_csv(folder / name)
        table[table["property"].lt("P00400")].to_csv(folder / f"few_{name}", index=False)
        given = given.replace(f'"{name}"', f'"few_{name}"')
    (folder / "early.toml").write_text(given)
    code, said = run(["inspections", str(folder / "early.toml")], capsys)
    assert code == 0
    visits = pd.read_csv(folder / "few_visits.csv")["date"]
    late = (pd.to_datetime(visits, dayfirst=True) >= "2023-01-05").sum()
    assert f"Mind: {late:,} visits and " in said
    assert "Is 2023-01-05 the day" in (folder / "early" / "report.html").read_text(encoding="utf-8")


def test_an_area_without_decile_is_told_before_anything_is_learned(folder, capsys):
    table = pd.read_csv(folder / "homes.csv")
    table.loc[0, "area_code"] = "E01999999"
    table.to_csv(folder / "moved.csv", index=False)
    given = (folder / "request.toml").read_text().replace("homes.csv", "moved.csv")
    (folder / "moved.toml").write_text(given)
    code, said = run(["inspections", str(folder / "moved.toml")], capsys)
    assert code == 1
    assert "1 areas have no decile (E01999999)" in said


def test_the_list_stays_inside(outcome):
    for name in ("list.csv", "list.xlsx", "report.html"):
        path = outcome.folder / name
        assert verify_file(path, policy="restricted").passed, name
        assert not verify_file(path).passed, name
        assert not verify_file(path, policy="public").passed, name


def test_no_other_policy_lets_the_list_out(outcome):
    with pytest.raises(DisclosureError, match="lets out no list of places or records"):
        release_records(
            outcome.report.listed, policy="councillor", title="x",
            made_on=outcome.report.made_on,
        )  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('"storeys", ', '"storey", ', "homes.csv has no column 'storey'. Did you mean storeys?"),
        ('"arrears"]', '"age"]', "properties.tags: arrears: no such feature"),
        (
            'inspector = "inspector"',
            'inspector = "found"',
            "'found' is named as 'found' and as 'inspector'",
        ),
        (f"expires = {EXPIRES}", "", "last day"),
        ("inspections = 60", "inspections = 6000", "Visit them all"),
        (f"expires = {EXPIRES}", "expires = 2026-01-31", "lies before the product's own date"),
        ("first_day = 2026-01-05", "", "team.first_day: this key is needed"),
        ('title = "', 'policy = "public"\ntitle = "', "policy: "),
    ],
)
def test_a_wrong_request_is_told_and_nothing_is_written(folder, capsys, old, new, told):
    given = (folder / "request.toml").read_text()
    assert old in given
    wrong = given.replace(old, new, 1)
    wrong = wrong.replace("contact = ", 'output = "wrong"\ncontact = ', 1)
    (folder / "wrong.toml").write_text(wrong)
    code, said = run(["inspections", str(folder / "wrong.toml")], capsys)
    assert code == 1
    assert told in said
    assert not (folder / "wrong").exists()


def test_a_word_that_is_neither_true_nor_false_is_told_with_its_row(folder, capsys):
    table = pd.read_csv(folder / "visits.csv").astype(object)
    table.loc[3, "found"] = "no access"
    table.to_csv(folder / "odd.csv", index=False)
    request = (folder / "request.toml").read_text().replace("visits.csv", "odd.csv")
    (folder / "odd.toml").write_text(request)
    code, said = run(["inspections", str(folder / "odd.toml")], capsys)
    assert code == 1
    assert "odd.csv: 1 rows of the column 'found' say neither true nor false" in said
    assert "(no access; first in row 5)" in said


@pytest.mark.parametrize(
    "planted",
    [
        '<img src="data:image/png;base64,AAAA" alt="Where the homes are">',
        '<svg viewBox="0 0 9 9"><path d="M1 1h7v7z"/></svg>',
        "<style>main { background: url(data:image/png;base64,AAAA) }</style>",
        "<script>document.title</script>",
    ],
)
def test_a_page_that_may_draw_a_map_of_the_list_is_refused(outcome, tmp_path, planted):
    page = (outcome.folder / "report.html").read_text(encoding="utf-8")
    (tmp_path / "report.html").write_text(page.replace("</main>", f"{planted}</main>"))
    verdict = verify_file(tmp_path / "report.html", policy="restricted")
    assert any("is a map" in breach.what for breach in verdict.breaches)
