"""Residents and households from the layouts of census and estimates."""

from __future__ import annotations

import pytest

from placeshaping._core.columns import column_tags
from placeshaping._core.errors import ColumnError, DuplicateError, VintageError
from placeshaping.sources.kinds import kind_of
from placeshaping.sources.populations import read_population

LAYOUTS = {
    "nomis": (
        "date,geography,geography code,Residence type: Total; measures: Value,"
        "Residence type: Lives in a household; measures: Value\n"
        "2021,A 1,E01000001,1475,1400\n2021,A 2,E01000002,1300,1300\n",
        {"residents": [1475, 1300]}, None,
    ),
    "long households": (
        "LSOA21CD,total_households,tenure,n,prop\nE01000001,837.0,Owned,337,0.4\n"
        "E01000001,837.0,Rented,500,0.6\nE01000002,700.0,Owned,700,1\n",
        {"households": [837, 700]}, "2021",
    ),
    "long residents": (
        "LSOA21CD,total_residents,ethnic_group,n,prop\nE01000001,10,A,4,0.4\nE01000001,10,B,6,0.6\n",
        {"residents": [10]}, "2021",
    ),
    "single years": (
        "LSOA11CD," + ",".join([*map(str, range(90)), "90+"]) + "\n"
        + "E01000001," + ",".join(["2"] * 91) + "\n",
        {"residents": [182]}, "2011",
    ),
    "mid-year with total": (
        "LSOA11NM,LSOA11CD,total_population,0,1\nA,E01000001,1954.0,27,22\n",
        {"residents": [1954]}, "2011",
    ),
    "denominators": (
        "LSOA code (2011),Total population: mid 2015 (excluding prisoners),"
        'Population aged 16-59: mid 2015 (excluding prisoners)\nE01000001,"1,296",656\n',
        {"residents": [1296]}, "2011",
    ),
    "plain": (
        "area_code;population;households\nBeat 1;1 000;400\nBeat 2;2000;800\n",
        {"residents": [1000, 2000], "households": [400, 800]}, None,
    ),
    "all ages": ("lsoa21cd,All Ages\nE01000001,5\n", {"residents": [5]}, "2021"),
    "nomis api": ("GEOGRAPHY_CODE,OBS_VALUE\nE01000001,5\n", {"residents": [5]}, None),
    "household total": (
        "geography code,Household composition: Total: All households; measures: Value\n"
        "E01034000,5\n", {"households": [5]}, "2021",
    ),
}  # fmt: skip


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_is_recognised(tmp_path, layout):
    text, expected, vintage = LAYOUTS[layout]
    path = tmp_path / "population été.csv"
    path.write_bytes(text.replace("\n", "\r\n").encode("utf-8-sig"))
    table = read_population(path)
    assert table.to_dict("list") == expected
    assert table.index.name == "area_code"
    assert table.index.is_unique
    assert table.attrs["vintage"] == vintage
    assert all(str(dtype) == "int64" for dtype in table.dtypes)
    assert column_tags(table) == {}


def test_a_column_can_be_named(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("beat,Pop 2024,Disabled residents\nB1,10,2\nB2,20,\n")
    table = read_population(
        path, code="beat", columns={"residents": "Pop 2024", "disabled": "Disabled residents"}
    )
    assert table["residents"].to_dict() == {"B1": 10, "B2": 20}
    assert column_tags(table) == {"disabled": "audit_only"}
    assert table.attrs["report"].missing == {"disabled": 1}
    with pytest.raises(ColumnError, match=r"no column 'Pop 2025'\. Did you mean Pop 2024"):
        read_population(path, code="beat", columns={"residents": "Pop 2025"})


@pytest.mark.parametrize(
    ("text", "error", "match"),
    [
        ("LSOA21CD,IMD_rank\nE01000001,5\n", ColumnError, "no column of residents or households"),
        ("place,population\nA,5\n", ColumnError, "looks like an area code"),
        ("LSOA21CD,population\nE01000001,many\n", ColumnError, r"are no counts \(many\)"),
        ("LSOA21CD,population\nE01000001,-5\n", ColumnError, r"are no counts \(-5\)"),
        ("LSOA21CD,population\nE01000001,5\nE01000001,6\n", DuplicateError, "more than one total"),
        ("LSOA11CD,population\nE01034000,5\n", VintageError, "says 2011, but 1 codes"),
    ],
)
def test_what_is_no_population_is_refused(tmp_path, text, error, match):
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(error, match=match):
        read_population(tmp_path / "a.csv")


def test_rows_without_code_are_counted(tmp_path):
    (tmp_path / "a.csv").write_text("LSOA21CD,population\nE01000001,5\n,500\n")
    assert read_population(tmp_path / "a.csv").attrs["report"].without_code == 1


@pytest.mark.parametrize(
    ("header", "known"),
    [
        ("Beat,residents,area_km2", True),
        ("beat_code,Beat name,residents", True),
        ("Neighbourhood code,residents,x", True),
        ("Postcode,residents,x", False),
        ("area,residents,x", True),
        ("place,residents,x", False),
    ],
)
def test_own_codes_are_recognised_by_name_and_unlike_values(tmp_path, header, known):
    rows = {"residents": ("10", "20"), "area_km2": ("1.5", "2.5")}
    lines = [[rows.get(n, (f"{n[0]}1", f"{n[0]}2"))[i] for n in header.split(",")] for i in (0, 1)]
    path = tmp_path / "beats.csv"
    path.write_text("\n".join([header, *map(",".join, lines)]))
    if not known:
        with pytest.raises(ColumnError, match="looks like an area code"):
            read_population(path)
        return
    table = read_population(path)
    assert table["residents"].tolist() == [10, 20]
    assert kind_of(path) == "population"


@pytest.mark.parametrize("text", ["beat,residents\nB1,1\nB1,2\n", "area,residents\n1.5,1\n2,2\n"])
def test_columns_that_do_not_name_each_row_are_no_codes(tmp_path, text):
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(ColumnError, match="looks like an area code"):
        read_population(tmp_path / "a.csv")


def test_population_of_the_indices_of_deprivation_is_told(tmp_path):
    path = tmp_path / "deprivation.csv"
    rank = "Index of Multiple Deprivation (IMD) Rank (where 1 is most deprived)"
    path.write_text(
        f"LSOA code (2021),{rank},Total population: mid 2022\nE01000001,5,1500\nE01000002,9,1600\n"
    )
    told = read_population(path).attrs["report"].source_of
    assert told == "denominators of the Indices of Deprivation, mid-2022"
    path.write_text("LSOA21CD,residents\nE01000001,5\n")
    assert read_population(path).attrs["report"].source_of is None
