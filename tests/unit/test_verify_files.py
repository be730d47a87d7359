"""How files are judged: by what they declare, by what is asked, and when they cannot be read."""

from __future__ import annotations

import ast
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

import placeshaping.verify
from placeshaping._core.errors import DisclosureError, MissingFileError
from placeshaping.disclosure.facts import FACTS
from placeshaping.disclosure.policies import POLICIES
from placeshaping.verify.addresses import machine_paths, outside_in_script
from placeshaping.verify.arithmetic import years_of
from placeshaping.verify.files import verify_file, verify_files
from placeshaping.verify.rules import RULES, judge_by

COUNCILLOR: dict[str, Any] = {
    "policy": "councillor", "threshold": 5, "rounding": 5, "zeros_shown": True, "levels": ["lsoa"],
}  # fmt: skip


def page(folder: Path, declaration: object, name: str = "map.html") -> Path:
    path = folder / name
    text = json.dumps(declaration)
    path.write_text(
        f'<script type="application/json" id="placeshaping-declaration">{text}</script>'
    )
    return path


def whats(path: Path, **options: Any) -> list[str]:
    return [breach.what for breach in verify_file(path, **options).breaches]


def test_rules_are_those_of_the_policies() -> None:
    """Written down twice on purpose; here the two are compared."""
    for name, policy in {**POLICIES, "facts": FACTS}.items():
        rules = RULES[name]
        assert (rules.threshold, rules.rounding) == (policy.threshold, policy.rounding)
        assert rules.zeros_shown == policy.zeros_shown
        assert rules.numbers == policy.numbers
        assert rules.lsoa_or_coarser == (policy.finest == "lsoa")
        assert (rules.method, rules.dominance) == (policy.method, policy.dominance)
        assert rules.sensitive_threshold == policy.sensitive_threshold
        assert rules.sensitive_factor == policy.sensitive_factor
        assert (rules.counts_shown, rules.finest_cell) == (policy.counts_shown, policy.finest_cell)
        assert rules.extra_fields == policy.extra_fields
        assert rules.expiry_needed == policy.needs_expiry
        assert rules.purpose_needed == policy.needs_purpose
        assert (rules.map_shareable, rules.leaves) == (policy.shareable_map, policy.leaves)
    assert set(RULES) == {*POLICIES, "facts"}


def test_attacker_imports_nothing_that_it_attacks() -> None:
    for file in Path(placeshaping.verify.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("placeshaping"):
                assert str(node.module).split(".")[1] in ("_core", "verify")


def test_internal_fails_unless_it_is_named(tmp_path: Path) -> None:
    path = page(tmp_path, {"policy": "internal"})
    assert whats(path) == ["declares the policy 'internal', under which nothing leaves"]
    assert verify_file(path, policy="internal").passed
    assert not verify_file(path, policy="public").passed


def test_unknown_policy_is_judged_as_public(tmp_path: Path) -> None:
    verdict = verify_file(page(tmp_path, {"policy": "friends"}))
    assert verdict.judged_policy == "public"
    assert verdict.declared_policy == "friends"
    assert "not known" in verdict.breaches[0].what


def test_open_needs_an_address(tmp_path: Path) -> None:
    assert whats(page(tmp_path, {"policy": "open"})) == [
        "declares 'open' without the address where the records are published"
    ]
    verdict = verify_file(
        page(tmp_path, {"policy": "open", "already_published": "https://data.police.uk/"})
    )
    assert verdict.passed
    assert verdict.judged_policy == "open"


@pytest.mark.parametrize(
    ("looser", "expected"),
    [
        ({"threshold": 3}, "declares a threshold under that of 'councillor'"),
        ({"rounding": 1}, "declares a rounding finer than that of 'councillor'"),
        ({"levels": ["oa", "lsoa"]}, "declares a level finer than an LSOA"),
        ({"policy": "public"}, "declares a threshold under that of 'public'"),
        ({"policy": "public"}, "declares that zero is shown, which 'public' hides"),
    ],
)
def test_declaration_looser_than_its_policy_fails(
    tmp_path: Path, looser: dict[str, Any], expected: str
) -> None:
    assert expected in whats(page(tmp_path, COUNCILLOR | looser))


def test_of_what_is_declared_and_what_is_asked_the_stricter_counts() -> None:
    assert judge_by(COUNCILLOR, "public")[0].threshold == 10
    assert judge_by({"policy": "public"}, "councillor")[0].policy == "public"
    assert judge_by(COUNCILLOR, "internal")[0].policy == "councillor"
    assert judge_by(None, "councillor")[0].policy == "councillor"


def test_a_file_is_held_to_what_it_promises() -> None:
    rules, _ = judge_by(COUNCILLOR | {"threshold": 20, "rounding": 10, "zeros_shown": False}, None)
    assert (rules.threshold, rules.rounding, rules.smallest_hidden) == (20, 10, 0)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.gpkg", b"SQLite format 3\0" + b"\1" * 200),
        ("a.gpkg", b"no database at all"),
        ("a.xlsx", b"PK\3\4 cut short"),
        ("a.xlsx", b""),
        ("a.zip", b"PK\3\4 cut short"),
        ("a.html", b"\x89PNG\r\n\0\0\0"),
        ("a.json", b"{"),
        ("a.json", b"[" * 100_000),
        ("a.csv", b""),
        ("a.csv", b'a,b\n"1,2\n3,4,5,6\n'),
        ("a.geojson", b'{"type": "FeatureCollection", "features": [3, null]} x'),
    ],
)
def test_damaged_file_gets_a_verdict(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    assert whats(path) == ["could not be read"]


def test_kind_that_cannot_be_judged_does_not_pass(tmp_path: Path) -> None:
    (tmp_path / "a.rtf").write_bytes(b"%PDF")
    assert whats(tmp_path / "a.rtf") == ["is of a kind that cannot be judged"]


def test_workbook_without_its_parts_gets_a_verdict(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    assert whats(tmp_path / "a.xlsx") == ["could not be read"]


def test_odd_declarations_do_not_stop_it(tmp_path: Path) -> None:
    for odd in ([], 3, "x", {"policy": ["public"]}, {"levels": 3, "policy": "public"}):
        assert verify_file(page(tmp_path, odd)).judged_policy == "public"


def test_folder_is_walked(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a.csv").write_text("area_code,count\nE01900001,20\n")
    page(tmp_path, COUNCILLOR)
    verdicts = verify_files([tmp_path])
    assert [v.file for v in verdicts] == ["a.csv", "map.html"]
    assert all(v.passed for v in verdicts)


def test_verdict_goes_into_json(tmp_path: Path) -> None:
    content = json.loads(json.dumps(verify_file(page(tmp_path, {"policy": "internal"})).to_dict()))
    assert content["passed"] is False
    assert content["breaches"][0]["where"] == "declaration"


def test_missing_file_and_unknown_policy_are_told(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match=r"map\.html: no such file"):
        verify_file(tmp_path / "map.html")
    with pytest.raises(DisclosureError, match=r"no policy 'publik'\. Did you mean public"):
        verify_file(page(tmp_path, COUNCILLOR), policy="publik")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/home/ann/x.csv", 1),
        ("file:///srv/x", 1),
        (r"C:\Users\Ann", 1),
        (r"\\server\share$\x", 1),
        ("D:/Daten/x.csv", 1),
        ("https://example.org/home/x", 0),
        ("src/home/x", 0),
        ("and/or 24/7 km/h", 0),
        ("</data>", 0),
    ],
)
def test_paths_of_a_machine_are_told_from_other_slashes(text: str, expected: int) -> None:
    assert len(machine_paths(text)) == expected


def test_addresses_in_scripts() -> None:
    assert outside_in_script(r'a("https:\/\/a.example\/x")') == [r"https:\/\/a.example"]
    assert outside_in_script("// a comment\nx = 4 // 2") == []
    assert outside_in_script("'http://www.w3.org.evil.example/'") != []


@pytest.mark.parametrize(
    ("label", "years"),
    [("2025", 1), ("2023 to 2025", 3), ("Jan 2024 to Mar 2025", 1.25), ("2024 Q3", 0.25)],
)
def test_length_of_a_period_is_read_from_its_label(label: str, years: float) -> None:
    assert years_of(label) == years
