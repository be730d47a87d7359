"""What came, checked before it is kept; and how it is kept."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from placeshaping._core.errors import FetchError
from placeshaping._core.provenance import sha256
from placeshaping.sources.cache import Cache, cache_folder
from placeshaping.sources.catalogue import Entry
from placeshaping.sources.content import check_content

TEXT = "LSOA21CD,LSOA21NM,residents\nE01000001,A,1\nE01000002,B,2\n"


def entry(**keys: object) -> Entry:
    fields = {"name": "people", "kind": "file", "url": "https://example.org/p", "file": "p.csv"}
    return Entry(**{**fields, **keys})  # type: ignore[arg-type]


def test_table_that_is_as_described_passes(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_text(TEXT, "utf-8")
    told = entry(rows=2, columns=("lsoa21cd",), sha256=sha256(path))
    assert check_content(path, told, origin="p.csv") == 2


@pytest.mark.parametrize(
    ("text", "keys", "match"),
    [
        (TEXT, {"rows": 3}, "2 rows where 3 are expected"),
        (TEXT, {"columns": ("LSOA11CD",)}, "has no column LSOA11CD; it has LSOA21CD"),
        (TEXT, {"sha256": "0" * 64}, r"the checksum is \w{12}\.\.\., not 000000000000"),
        (TEXT[:-5], {}, r"cut short \(its last row has 1 cells of 3\)"),
        ("<html><body>Blocked</body></html>", {}, "a web page instead of data"),
        ("\ufeff\n<!DOCTYPE HTML>", {}, "a web page instead of data"),
        ("PK\x03\x04 and no more", {"file": "p.ods"}, "cut short or damaged"),
        ("no workbook", {"file": "p.ods"}, "this is no .ods file"),
        ("a\0b\n", {}, "what came is no table"),
    ],
)
def test_content_that_is_not_as_described_is_refused(
    tmp_path: Path, text: str, keys: dict[str, object], match: str
) -> None:
    path = tmp_path / "p.csv"
    path.write_text(text, "utf-8")
    with pytest.raises(FetchError, match=match):
        check_content(path, entry(**keys), origin="p.csv")


def test_question_mark_in_a_column_stands_for_any_year(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_text(TEXT, "utf-8")
    assert check_content(path, entry(columns=("LSOA??CD",)), origin="p.csv") == 2
    with pytest.raises(FetchError, match=r"has no column MSOA\?\?CD"):
        check_content(path, entry(columns=("MSOA??CD",)), origin="p.csv")


def test_archive_with_a_damaged_member_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "p.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.csv", TEXT)
    path.write_bytes(path.read_bytes().replace(b"E01000002", b"E01000003"))
    with pytest.raises(FetchError, match=r"a\.csv in it is damaged"):
        check_content(path, entry(file="p.zip"), origin="p.zip")


def test_cache_keeps_by_checksum_with_a_note_beside(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache")
    with cache.partial({"source": "people"}) as folder:
        (folder / "p.csv").write_text(TEXT, "utf-8")
        kept = cache.keep(
            folder / "p.csv", {"source": "people"}, name="p.csv", provenance={"url": "https://x"}
        )
    assert kept.path == tmp_path / "cache" / "files" / kept.sha256 / "p.csv"
    note = json.loads(kept.path.with_name("p.csv.json").read_text(encoding="utf-8"))
    assert note == {
        "name": "p.csv", "sha256": kept.sha256, "bytes": len(TEXT), "url": "https://x",
    }  # fmt: skip
    assert cache.find({"source": "people"}) == kept
    assert cache.find({"source": "other"}) is None


def test_cache_does_not_hand_out_what_was_changed(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    with cache.partial({"source": "people"}) as folder:
        (folder / "p.csv").write_text(TEXT, "utf-8")
        kept = cache.keep(folder / "p.csv", {"source": "people"}, name="p.csv", provenance={})
    kept.path.write_text("changed", "utf-8")
    assert cache.find({"source": "people"}) is None
    assert not kept.path.exists()


def break_off(cache: Cache) -> None:
    with cache.partial({"source": "a"}) as folder:
        (folder / "half").write_text("1", "utf-8")
        msg = "broke off"
        raise FetchError(msg)


def test_unfinished_work_stays_and_finished_work_goes(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    with pytest.raises(FetchError, match="broke off"):
        break_off(cache)
    with cache.partial({"source": "a"}) as again:
        assert (again / "half").read_text(encoding="utf-8") == "1"
    assert not again.exists()


def test_folder_of_the_cache_can_be_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PLACESHAPING_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.delenv("PLACESHAPING_CACHE")
    assert cache_folder().is_absolute()
