"""Indices of deprivation in the layouts of their editions."""

from __future__ import annotations

import gzip

import openpyxl
import pytest

from placeshaping._core.columns import column_tags
from placeshaping._core.errors import ColumnError, DuplicateError, FileFormatError, VintageError
from placeshaping.sources.deprivation import DOMAINS, read_deprivation

DOMAIN_NAMES = (
    "Index of Multiple Deprivation (IMD)", "Income", "Employment",
    "Education, Skills and Training", "Health Deprivation and Disability", "Crime",
    "Barriers to Housing and Services", "Living Environment",
)  # fmt: skip


def file_7(year: str, *, district: str) -> list[list[object]]:
    """Lay a table out as the official file 7 of 2019 and 2025 is."""
    header: list[object] = [
        f"LSOA code ({year})", f"LSOA name ({year})",
        f"Local Authority District code ({district})",
        f"Local Authority District name ({district})",
    ]  # fmt: skip
    for name in DOMAIN_NAMES:
        rate = " (rate)" if name in {"Income", "Employment"} else ""
        header += [
            f"{name} Score{rate}",
            f"{name} Rank (where 1 is most deprived)",
            f"{name} Decile (where 1 is most deprived 10% of LSOAs)",
        ]
    header += [
        "Income Deprivation Affecting Children Index (IDACI) Score (rate)",
        "Children and Young People Sub-domain Rank (where 1 is most deprived)",
        "Total population: mid 2022",
    ]
    rows: list[list[object]] = [header]
    for rank in range(1, 13):
        row: list[object] = [f"E0100{rank:04d}", f"Place {rank}", "E07000001", "Somewhere"]
        for _ in DOMAIN_NAMES:
            row += [50.5 - rank, 1000 + rank, min(10, rank)]
        rows.append([*row, 0.1, 7, 1500])
    return rows


def as_csv(rows: list[list[object]], *, thousands: bool = True) -> str:
    def cell(value: object) -> str:
        if thousands and isinstance(value, int) and value >= 1000:
            return f'"{value:,}"'
        return f'"{value}"' if "," in str(value) else str(value)

    return "\r\n".join(",".join(map(cell, row)) for row in rows) + "\r\n"


@pytest.mark.parametrize(
    ("year", "district", "edition"),
    [("2011", "2019", "2019"), ("2021", "2024", "2025"), ("2011", "2013", "2015")],
)
def test_file_7_gives_every_domain_with_edition_and_vintage(tmp_path, year, district, edition):
    path = tmp_path / "File 7 - été.csv"
    path.write_bytes(as_csv(file_7(year, district=district)).encode("utf-8-sig"))
    table = read_deprivation(path)
    assert list(table.columns) == [
        f"{domain}_{measure}" for domain in DOMAINS for measure in ("rank", "decile", "score")
    ]
    assert table.index[0] == "E01000001"
    assert table["imd_rank"].tolist() == list(range(1001, 1013))
    assert table["housing_decile"].tolist() == [*range(1, 10), 10, 10, 10]
    assert table["income_score"].iloc[0] == 49.5
    assert (table.attrs["vintage"], table.attrs["edition"]) == (year, edition)
    assert set(column_tags(table).values()) == {"audit_only"}
    assert set(column_tags(table)) == set(table.columns)


def test_workbook_and_gzip_give_the_same(tmp_path):
    rows = file_7("2021", district="2024")
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(as_csv(rows).encode()))
    book = openpyxl.Workbook()
    book.active.append(["Notes"])
    data = book.create_sheet("IoD2025")
    for row in rows:
        data.append(row)
    book.save(tmp_path / "a.xlsx")
    assert read_deprivation(tmp_path / "a.csv.gz").equals(read_deprivation(tmp_path / "a.xlsx"))


def test_short_names_and_floats_are_understood(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("LSOA21CD,IMD_decile,IMD_rank,Housing_and_Services_rank\n"
                    "E01000001,8.0,26525.0,5.0\n")  # fmt: skip
    table = read_deprivation(path)
    assert table.iloc[0].to_dict() == {"imd_rank": 26525, "imd_decile": 8, "housing_rank": 5}
    assert table["imd_rank"].dtype == "int64"


def test_the_composite_index_is_recognised(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(
        "nation,lsoa,overall_local_score,income_score,UK_IMD_E_score,original_decile,"
        "E_expanded_decile,UK_IMD_E_rank,UK_IMD_E_pop_decile,UK_IMD_E_pop_quintile\n"
        "E,E01021988,92.7,56.9,92.7,1,1.0,1.0,1,1\nS,S01006506,9.1,5.2,10.1,9,9,30000.5,9,5\n"
    )
    table = read_deprivation(path)
    assert table.attrs["edition"] == "composite"
    assert table.attrs["vintage"] == "2011"
    assert list(table.columns) == ["imd_rank", "imd_decile", "imd_score", "income_score"]
    assert table["imd_rank"].tolist() == [1.0, 30000.5]


def test_missing_values_are_told_and_stay_missing(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("LSOA21CD,IMD_rank\nE01000001,\nE01000002,5\n,7\n")
    table = read_deprivation(path)
    assert table["imd_rank"].isna().tolist() == [True, False]
    assert table.attrs["report"].missing == {"imd_rank": 1}
    assert table.attrs["report"].empty_rows == 1


@pytest.mark.parametrize(
    ("text", "error", "match"),
    [
        ("LSOA21CD,Income\nE01000001,5\n", ColumnError, "no index of deprivation"),
        ("place,IMD_rank\nA,5\n", ColumnError, "looks like an area code"),
        ("LSOA21CD,IMD_rank\nE01000001,first\n", ColumnError, r"are no numbers \(first\)"),
        ("LSOA21CD,IMD_decile\nE01000001,11\n", ColumnError, "like 11, are no decile"),
        ("LSOA21CD,IMD_rank\nE01000001,1\nE01000001,2\n", DuplicateError, "more than once"),
        ("LSOA11CD,IMD_rank\nE01034000,1\n", VintageError, "says 2011, but 1 codes"),
    ],
)
def test_what_is_no_index_is_refused(tmp_path, text, error, match):
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(error, match=match):
        read_deprivation(tmp_path / "a.csv")


def test_an_index_turned_round_is_refused(tmp_path):
    rows = "".join(f"E0100{rank:04d},{rank},{11 - rank}\n" for rank in range(1, 11))
    (tmp_path / "a.csv").write_text(f"LSOA21CD,IMD_rank,IMD_decile\n{rows}")
    with pytest.raises(ColumnError, match="run against each other"):
        read_deprivation(tmp_path / "a.csv")


def test_a_file_that_is_no_table_is_refused(tmp_path):
    (tmp_path / "a.xlsx").write_bytes(b"PK\x03\x04 broken")
    with pytest.raises(FileFormatError, match=r"a\.xlsx"):
        read_deprivation(tmp_path / "a.xlsx")
