"""Each attack breaks its own known-bad example, and lets a protected file pass."""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from placeshaping._core.errors import DisclosureError, FileFormatError, LockedFileError
from placeshaping.statistics.rates import empirical_bayes_rate
from placeshaping.verify.files import verify_file, verify_files
from placeshaping.verify.ledger import read_ledger
from placeshaping.verify.verdict import Verdict

EXACT = {
    "policy": "members",
    "base": "councillor",
    "method": "suppress",
    "threshold": 5,
    "rounding": 1,
    "loosened": ["rounding"],
}
ROUNDED = {"policy": "councillor", "threshold": 5, "rounding": 5, "zeros_shown": True}


def rows(table: dict[tuple[str, str, str], int | None], **more: str) -> list[dict[str, Any]]:
    """Return (area, period, category) -> count as rows; None is hidden."""
    return [
        {
            "area_code": area,
            "period": period,
            "category": category,
            "status": "hidden" if count is None else "shown",
            "count": count,
            **({"parent_code": more[area]} if area in more else {}),
        }
        for (area, period, category), count in table.items()
    ]


def written(
    path: Path, declaration: dict[str, Any] | None = None, **tables: list[dict[str, Any]]
) -> Path:
    path.write_text(json.dumps({"declaration": declaration, **tables}))
    return path


def proofs(verdict: Verdict) -> list[str]:
    return [row["proof"] for row in verdict.rows()]


def attacks(verdict: Verdict) -> set[str]:
    return {row["attack"] for row in verdict.rows()}


def categories(count: dict[str, int | None], area: str = "E01900001") -> list[dict[str, Any]]:
    return rows({(area, "2025", name): number for name, number in count.items()})


def test_margins_left_in_a_suppressed_table(tmp_path: Path) -> None:
    bad = categories({"All": 412, "Burglary": None, "Robbery": 405, "Arson": 4 + 1})
    verdict = verify_file(written(tmp_path / "bad.json", EXACT, lsoa_values=bad), policy="members")
    assert proofs(verdict)[0].startswith("E01900001 Burglary 2025 = 412 - 405 - 5 = 2 (412: ")
    assert attacks(verdict) == {"subtraction"}
    good = categories({"All": 412, "Burglary": None, "Robbery": 405, "Arson": None})
    file = written(tmp_path / "good.json", EXACT, lsoa_values=good)
    assert verify_file(file, policy="members").passed


def test_two_sums_solve_what_no_single_sum_does(tmp_path: Path) -> None:
    """A tenth lies within an MSOA, all but one LSOA of it; every LSOA is hidden."""
    areas = {f"E0190000{n}": "E02900001" for n in range(4)} | {"E01900004": "E02900002"}
    lsoa = rows({(area, "2025", "All"): None for area in areas}, **areas)
    for row in lsoa:
        row["imd_decile"] = 1 if row["area_code"] < "E01900003" else 2
    msoa = rows({("E02900001", "2025", "All"): 23, ("E02900002", "2025", "All"): None})
    tenths = [
        {"imd_decile": n, "period": "2025", "category": "All", "status": s, "count": c}
        for n, s, c in ((1, "shown", 20), (2, "hidden", None))
    ]
    file = written(
        tmp_path / "x.json", EXACT, lsoa_values=lsoa, msoa_values=msoa, deprivation=tenths
    )
    verdict = verify_file(file, policy="members")
    assert "E01900003 All 2025 = 23 - 20 = 3" in " ".join(proofs(verdict))
    assert "E01900003 All 2025" not in " ".join(
        proofs(verify_file(file, policy="members", budget=0))
    )
    msoa[0].update(count=40)
    good = written(
        tmp_path / "good.json", EXACT, lsoa_values=lsoa, msoa_values=msoa, deprivation=tenths
    )
    assert verify_file(good, policy="members").passed


def test_two_layers_protected_apart(tmp_path: Path) -> None:
    """Each hides another cell of the same sum; together nothing is hidden."""
    one = categories({"All": 60, "A": 30, "B": None, "C": None})
    other = categories({"All": 60, "A": None, "B": 27, "C": None})
    first = written(tmp_path / "layers.json", EXACT, lsoa_values=one)
    second = written(tmp_path / "tables.json", EXACT, lsoa_values=other)
    assert verify_file(first, policy="members").passed
    assert verify_file(second, policy="members").passed
    verdicts = verify_files([first, second], policy="members")
    assert [verdict.passed for verdict in verdicts] == [True, True, False]
    assert proofs(verdicts[-1])[0].startswith("E01900001 C 2025 = 60 - 30 - 27 = 3")
    assert verify_files([first, first], policy="members")[-1].passed


def lookup(path: Path) -> Path:
    path.write_text(
        "lsoa21cd,msoa21cd,wd24cd\n"
        "E01900001,E02900001,E05900001\nE01900002,E02900001,E05900001\n"
        "E01900003,E02900001,E05900002\nE01900004,E02900002,E05900002\n"
    )
    return path


def test_sliver_between_two_geographies(tmp_path: Path) -> None:
    """An MSOA of three LSOAs and a ward of two: one LSOA is the difference."""
    msoa = rows({("E02900001", "2025", "All"): 53, ("E02900002", "2025", "All"): 40})
    ward = rows({("E05900001", "2025", "All"): 50, ("E05900002", "2025", "All"): 43})
    file = written(tmp_path / "x.json", EXACT, msoa_values=msoa, ward_values=ward)
    public = lookup(tmp_path / "lookup.csv")
    assert verify_file(file, policy="members").passed
    verdict = verify_file(file, policy="members", population=public)
    assert attacks(verdict) == {"sliver"}
    assert proofs(verdict)[0].startswith("E02900001 in E05900002 All 2025 = 53 - 50 = 3")
    far = rows({("E05900001", "2025", "All"): 30, ("E05900002", "2025", "All"): 63})
    good = written(tmp_path / "good.json", EXACT, msoa_values=msoa, ward_values=far)
    assert verify_file(good, policy="members", population=public).passed


def test_merged_area_against_its_plain_parts(tmp_path: Path) -> None:
    merged = rows({("E01900001+1", "2025", "All"): 12})
    merged[0]["members"] = "E01900001 E01900002"
    plain = rows({("E01900001", "2025", "All"): 9, ("E01900002", "2025", "All"): None})
    first = written(tmp_path / "a.json", EXACT, lsoa_values=merged)
    second = written(tmp_path / "b.json", EXACT, lsoa_values=plain)
    verdict = verify_files([first, second], policy="members")[-1]
    assert proofs(verdict)[0].startswith("E01900002 All 2025 = 12 - 9 = 3")


def make_ledger(path: Path, cells: list[tuple[str, str, str, str, int | None]]) -> Path:
    """Write a ledger of releases that each hold one cell: area, first, last, category, count."""
    with closing(sqlite3.connect(path)) as database, database:
        database.executescript(
            "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT);"
            "INSERT INTO meta VALUES ('format', '1'), ('made_by', 'a test');"
            "CREATE TABLE releases (id INTEGER PRIMARY KEY, dataset TEXT, title TEXT, made_on TEXT,"
            " policy TEXT, threshold INT, rounding INT, zeros_shown INT, withdrawn_on TEXT,"
            " withdrawn_because TEXT, left_the_house INT);"
            "CREATE TABLE cells (release_id, level TEXT, area_code TEXT, first TEXT, last TEXT,"
            " category TEXT, status TEXT, count INT, threshold INT);"
            "CREATE TABLE members (release_id, kind TEXT, whole TEXT, part TEXT);"
        )
        for number, (area, first, last, category, count) in enumerate(cells, start=1):
            database.execute(
                "INSERT INTO releases VALUES (?, 'crime', 't', '2026-01-01', 'members', 5, 1, 1,"
                " NULL, NULL, 1)",
                (number,),
            )
            status = "hidden" if count is None else "shown"
            database.execute(
                "INSERT INTO cells VALUES (?, 'lsoa', ?, ?, ?, ?, ?, ?, 5)",
                (number, area, first, last, category, status, count),
            )
    return path


def test_rolling_twelve_month_windows(tmp_path: Path) -> None:
    """Last year's window, this one's, and the month that came in: the month that went out."""
    before = make_ledger(
        tmp_path / "releases.sqlite",
        [
            ("E01900001", "2024-01", "2024-12", "All", 57),
            ("E01900001", "2025-01", "2025-01", "All", 8),
        ],
    )
    new = rows({("E01900001", "Feb 2024 to Jan 2025", "All"): 62})
    file = written(tmp_path / "x.json", EXACT, lsoa_values=new)
    assert verify_file(file, policy="members").passed
    verdict = verify_files([file], policy="members", ledger=before)[-1]
    assert attacks(verdict) == {"several sources"}
    assert any("E01900001 All Jan 2024 = 57 + 8 - 62 = 3" in proof for proof in proofs(verdict))
    wide = rows({("E01900001", "Feb 2024 to Jan 2025", "All"): 45})
    good = written(tmp_path / "good.json", EXACT, lsoa_values=wide)
    assert verify_files([good], policy="members", ledger=before)[-1].passed


def test_span_that_holds_another_but_not_all_of_it(tmp_path: Path) -> None:
    counts = {"2025": 50, "2025 (Jan to Nov)": 46}
    table = rows({("E01900001", period, "All"): count for period, count in counts.items()})
    verdict = verify_file(written(tmp_path / "x.json", EXACT, t=table), policy="members")
    assert proofs(verdict)[0].startswith("E01900001 All Dec 2025 = 50 - 46 = 4")


def test_group_of_categories_that_the_file_does_not_spell(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    table: dict[tuple[str, str, str], int | None] = {}
    for area in (f"E0190{n:04}" for n in range(30)):
        a, b, c, d = (int(n) for n in rng.integers(20, 90, 4))
        for name, count in {
            "All": a + b + c + d,
            "Theft": a + b + c,
            "A": a,
            "B": b,
            "C": c,
            "D": d,
        }.items():
            table[area, "2025", name] = count
    hidden = ("E01900007", "2025", "B")
    whole = table["E01900007", "2025", "Theft"] or 0
    table["E01900007", "2025", "Theft"] = whole - (table[hidden] or 0) + 2
    table["E01900007", "2025", "All"] = None
    table[hidden] = None
    file = written(tmp_path / "x.json", EXACT, lsoa_values=rows(table))
    verdict = verify_file(file, policy="members")
    assert any("Theft taken for A + B + C" in check for check in verdict.checks)
    assert proofs(verdict)[0].startswith("E01900007 B 2025 = ")
    assert proofs(verdict)[0].split(" (")[0].endswith(" = 2")


def test_noise_is_averaged_over_many_tables(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    noisy = {
        f"table_{n}": rows({("E01900001", "2025", "All"): 7 + int(rng.integers(-2, 3))})
        for n in range(60)
    }
    keyed = {"policy": "keyed", "base": "councillor", "method": "cell_key", "rounding": 1,
             "loosened": ["rounding"]}  # fmt: skip
    verdict = verify_file(written(tmp_path / "bad.json", keyed, **noisy), policy="keyed")
    assert "averaging" in attacks(verdict)
    assert any("so the count is 7" in proof for proof in proofs(verdict))
    same = {f"table_{n}": rows({("E01900001", "2025", "All"): 9}) for n in range(60)}
    good = verify_file(written(tmp_path / "good.json", keyed, **same), policy="keyed")
    assert "averaging" not in attacks(good)


def test_rate_to_one_decimal_with_a_population_that_the_file_does_not_hold(tmp_path: Path) -> None:
    codes = [f"E0190{n:04}" for n in range(5)]
    people = tmp_path / "people.csv"
    people.write_text("lsoa21cd,population\n" + "".join(f"{code},1520\n" for code in codes))
    bad = pd.DataFrame({"area_code": codes, "count": 10, "rate": [1.3, 4.6, 6.6, 6.6, 6.6]})
    bad.to_csv(tmp_path / "bad.csv", index=False)
    assert verify_file(tmp_path / "bad.csv", policy="councillor").passed
    verdict = verify_file(tmp_path / "bad.csv", policy="councillor", population=people)
    assert any("so the count is 2; shown as 10" in proof for proof in proofs(verdict))
    bad.assign(rate=6.6).to_csv(tmp_path / "good.csv", index=False)
    assert verify_file(tmp_path / "good.csv", policy="councillor", population=people).passed


def test_smoothed_rates_of_true_counts_give_them_back(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    people = rng.integers(1200, 2200, 60)
    true = rng.poisson(people * rng.gamma(4, 0.01, 60))
    shown = np.maximum(5 * np.rint(true / 5), 5)
    frame = pd.DataFrame(
        {"area_code": [f"E0190{n:04}" for n in range(60)], "residents": people, "count": shown}
    )
    for name, counts in (("bad", true), ("good", shown)):
        rates = empirical_bayes_rate(pd.Series(counts), pd.Series(people)).round(2)
        frame.assign(rate_smoothed=rates.to_numpy()).to_csv(tmp_path / f"{name}.csv", index=False)
    bad = verify_file(tmp_path / "bad.csv", policy="councillor")
    assert "smoothed rates" in attacks(bad)
    told = " ".join(proofs(bad))
    hidden = [n for n in range(60) if true[n] != shown[n]]
    assert len(hidden) > 30
    assert all(f"E0190{n:04}: smoothed" in told for n in hidden)
    assert all(f"is {true[n]}; shown as {shown[n]:g}" in told for n in hidden)
    assert verify_file(tmp_path / "good.csv", policy="councillor").passed


def test_everybody_or_nobody_in_an_area(tmp_path: Path) -> None:
    own = {"policy": "own", "base": "public", "extra_fields": ["percent"], "loosened": ["extra"]}
    table = [{"area_code": f"E0190000{n}", "percent": p} for n, p in enumerate((100, 40, 0))]
    verdict = verify_file(written(tmp_path / "x.json", own, t=table), policy="own")
    assert proofs(verdict) == ["E01900000: percent 100; E01900002: percent 0"]
    assert verify_file(written(tmp_path / "y.json", own, t=table[1:2]), policy="own").passed


def test_dominance_is_judged_where_the_largest_share_is_declared(tmp_path: Path) -> None:
    own = {"policy": "own", "base": "public", "extra_fields": ["largest_share"]}
    table = [{"area_code": f"E0190000{n}", "largest_share": s} for n, s in enumerate((0.3, 0.8))]
    verdict = verify_file(written(tmp_path / "x.json", own, t=table), policy="own")
    assert attacks(verdict) == {"dominance"}
    assert verify_file(written(tmp_path / "y.json", own, t=table[:1]), policy="own").passed


def test_own_policy_is_judged_by_its_rules_and_named_where_it_is_looser(tmp_path: Path) -> None:
    file = written(tmp_path / "x.json", EXACT, lsoa_values=categories({"All": 7}))
    alone = verify_file(file)
    assert [b.what for b in alone.breaches] == [
        "declares the policy 'members', which is looser than 'councillor'"
    ]
    assert verify_file(file, policy="members").passed
    stricter = {**ROUNDED, "policy": "careful", "base": "councillor", "threshold": 10}
    table = categories({"All": 5})
    verdict = verify_file(written(tmp_path / "y.json", stricter, lsoa_values=table))
    assert [b.what for b in verdict.breaches] == ["1 count under 10"]
    with pytest.raises(DisclosureError, match="no policy 'member'"):
        verify_file(file, policy="member")


def test_sensitive_categories_have_their_own_threshold(tmp_path: Path) -> None:
    said = {**ROUNDED, "sensitive": ["Robbery"]}
    table = categories({"All": 20, "Robbery": 5, "Arson": 15})
    verdict = verify_file(written(tmp_path / "x.json", said, lsoa_values=table))
    assert [b.what for b in verdict.breaches] == ["1 count under 10, in sensitive categories"]


@pytest.mark.parametrize(("day", "passes"), [(30, True), (31, True), (32, False)])
def test_file_past_its_date_fails(tmp_path: Path, day: int, passes: bool) -> None:
    said = {**ROUNDED, "expires": "2026-01-31"}
    today = dt.date(2026, 1, 1) + dt.timedelta(days=day - 1)
    file = written(tmp_path / "x.json", said, lsoa_values=categories({"All": 20}))
    assert verify_file(file, today=today).passed == passes


def test_police_product_holds_no_counts_and_says_until_when(tmp_path: Path) -> None:
    said = {"policy": "police", "expires": "2026-01-31"}
    table = [{"area_code": "E01900001", "cluster": "hot_99"}]
    assert verify_file(written(tmp_path / "x.json", said, t=table)).passed
    counted = written(tmp_path / "y.json", {"policy": "police"}, t=categories({"All": 20}))
    whats = [breach.what for breach in verify_file(counted).breaches]
    assert "does not say until when it may be used, which 'police' demands" in whats
    assert "1 number in 'count', where only classes and ranks may leave" in whats


def test_ledger_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "broken.sqlite").write_bytes(b"SQLite format 3\0" + b"\1" * 400)
    with pytest.raises(FileFormatError, match="damaged, or no ledger"):
        read_ledger(tmp_path / "broken.sqlite")
    newer = make_ledger(tmp_path / "newer.sqlite", [])
    with closing(sqlite3.connect(newer)) as database, database:
        database.execute("UPDATE meta SET value = '2'")
    with pytest.raises(FileFormatError, match="ledger of version 2; this program reads up to 1"):
        read_ledger(newer)


def test_ledger_in_use_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("placeshaping.verify.ledger._WAIT", 0.05)
    path = make_ledger(tmp_path / "x.sqlite", [])
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("BEGIN EXCLUSIVE")
        with pytest.raises(LockedFileError, match="in use by another program"):
            read_ledger(path)


def test_report_has_a_row_for_each_cell(tmp_path: Path) -> None:
    table = pd.DataFrame({"area_code": ["E01900001", "E01900002"], "count": [3, 4]})
    table.to_csv(tmp_path / "x.csv", index=False)
    told = verify_file(tmp_path / "x.csv").rows()
    assert [(row["attack"], row["cell"]) for row in told] == [
        ("counts", "E01900001"),
        ("counts", "E01900002"),
    ]
