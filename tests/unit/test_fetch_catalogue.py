"""The catalogue of public sources: what is shipped, and how a user changes it."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest

from placeshaping._core.errors import MissingFileError, RecipeError
from placeshaping.sources.catalogue import config_folder, find_entry, read_catalogue, shipped_entry
from placeshaping.sources.fetch import list_sources


@pytest.fixture(autouse=True)
def settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("XDG_CONFIG_HOME", "APPDATA", "HOME"):
        monkeypatch.setenv(name, str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)


def write(folder: Path, text: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "catalogue.toml").write_text(text, "utf-8")


def test_shipped_entries_are_complete() -> None:
    catalogue = read_catalogue()
    for entry in catalogue.values():
        assert urlsplit(entry.url).scheme == "https", entry.name
        assert entry.title, entry.name
        assert entry.licence, entry.name
        assert entry.attribution, entry.name
        assert entry.page, entry.name
        assert entry.lookup is None or entry.lookup in catalogue, entry.name
        if entry.kind in {"features", "table"}:
            assert entry.url.endswith("/FeatureServer/0"), entry.name


def test_shipped_files_have_names_of_their_own() -> None:
    files = [entry.file for entry in read_catalogue().values()]
    assert len(files) == len(set(files))


def test_known_numbers_of_rows_are_those_of_the_publishers() -> None:
    rows = list_sources()["rows"].dropna().to_dict()
    assert rows["lsoa21"] == rows["lsoa21_coarse"] == rows["population"] == 35_672
    assert rows["lsoa11"] == 34_753
    assert rows["lsoa11_to_lsoa21"] == 33_647 + 1_900 + 239 + 10
    assert (rows["imd2025"], rows["imd2019"]) == (33_755, 32_844)


def test_addresses_are_not_listed_as_files() -> None:
    assert "crime_api" not in list_sources().index


def test_boundaries_change_single_keys_of_an_entry(tmp_path: Path) -> None:
    write(tmp_path / "boundaries", "[lsoa21]\nrows = 35673\n")
    entry = read_catalogue()["lsoa21"]
    shipped = shipped_entry("lsoa21")
    assert shipped is not None
    assert (entry.rows, entry.url, entry.code) == (35_673, shipped.url, "LSOA21CD")


def test_new_address_drops_what_was_fixed_for_the_old_one(tmp_path: Path) -> None:
    write(tmp_path / "boundaries", '[imd2025]\nurl = "https://example.org/new.csv"\n')
    entry = read_catalogue()["imd2025"]
    assert (entry.sha256, entry.rows) == (None, None)
    assert entry.file.startswith("File_7_IoD2025")
    write(tmp_path / "boundaries", '[imd2025]\nurl = "https://example.org/new.csv"\nrows = 5\n')
    assert read_catalogue()["imd2025"].rows == 5


def test_later_catalogues_come_before_earlier_ones(tmp_path: Path) -> None:
    write(config_folder(), "[lsoa21]\nrows = 1\n[lsoa11]\nrows = 1\n[imd2019]\nrows = 1\n")
    write(tmp_path / "boundaries", "[lsoa21]\nrows = 2\n[lsoa11]\nrows = 2\n")
    (tmp_path / "mine.toml").write_text("[lsoa21]\nrows = 3\n", "utf-8")
    catalogue = read_catalogue(tmp_path / "mine.toml")
    assert [catalogue[name].rows for name in ("lsoa21", "lsoa11", "imd2019")] == [3, 2, 1]


def test_own_sources_can_be_added(tmp_path: Path) -> None:
    write(
        tmp_path / "boundaries", '[bins]\nkind = "file"\nurl = "https://example.org/a/bins.csv"\n'
    )
    entry = find_entry(read_catalogue(), "bins")
    assert (entry.file, entry.kind) == ("bins.csv", "file")


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("[lsoa21\n", r"catalogue\.toml is not TOML"),
        ("rows = 3\n", "'rows' stands outside a section"),
        ("[lsoa21]\nrow = 3\n", r"\[lsoa21\]: the key 'row' is not known\. Did you mean rows"),
        ('[lsoa21]\nrows = "3"\n', "rows must be a whole number, not '3'"),
        ("[lsoa21]\nplaces = 1\n", "places must be true or false"),
        ('[lsoa21]\nkind = "arcgis"\n', r"kind is 'arcgis'\. Use one of: features"),
        ('[bins]\nkind = "file"\n', r"\[bins\] lacks url"),
        ('[bins]\nurl = "https://example.org"\n', r"\[bins\] lacks kind"),
    ],
)
def test_mistakes_in_a_catalogue_are_told(tmp_path: Path, text: str, match: str) -> None:
    write(tmp_path / "boundaries", text)
    with pytest.raises(RecipeError, match=match):
        read_catalogue()


def test_catalogue_that_is_named_must_exist(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match=r"mine\.toml: no such file"):
        read_catalogue(tmp_path / "mine.toml")


def test_source_that_is_nothing_like_a_known_one_gets_the_list() -> None:
    with pytest.raises(RecipeError, match=r"no source 'zzz'\. It has: lsoa21, "):
        find_entry(read_catalogue(), "zzz")
