"""Write the district's files as users have them."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pyogrio

from placeshaping._core.output import staged_folder
from placeshaping._core.progress import track
from placeshaping.synthetic.district import District
from placeshaping.synthetic.electoral import make_electoral_places, make_present_wards
from placeshaping.synthetic.names import FORCE, FORCE_SLUG
from placeshaping.synthetic.publish import published_months

_STAMP = "2025-09-01T00:00:00Z"
_ZIP_DATE = (2025, 9, 1, 0, 0, 0)


def write_district(district: District, folder: str | Path) -> Path:
    """
    Write a district to a folder, in the shapes in which a user would have the files.

    The same district gives the same bytes. Months whose number is divisible
    by five have CRLF line ends.

    Parameters
    ----------
    district
        As made by :func:`placeshaping.synthetic.district.make_district`.
    folder
        Where to; made if it is not there, files of the same names replaced.

    Returns
    -------
    folder
        The folder that was written.

    Raises
    ------
    OutputError
        If the folder cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from placeshaping.synthetic.district import make_district
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     written = write_district(make_district(10, seed=1, months=1), folder)
    ...     (written / "crime.zip").is_file()
    True
    """
    with staged_folder(folder) as staged:
        _write_areas(district, staged)
        _write_tables(district, staged)
        published = _write_crime(district, staged / "crime.zip")
        truth = {**district.truth, "force": FORCE, "published": published}
        text = json.dumps(truth, indent=1, default=float)
        (staged / "truth.json").write_text(text + "\n", encoding="utf-8", newline="\n")
    return Path(folder)


def _write_areas(district: District, folder: Path) -> None:
    layers: dict[str, gpd.GeoDataFrame] = {
        "oa_2021": district.oa,
        "lsoa_2021": district.lsoa,
        "lsoa_2011": district.lsoa_2011,
        "msoa_2021": district.msoa,
        "wards": district.wards,
        "district": district.districts,
        "streets": district.streets,
    }
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": _STAMP})
    try:
        for name, table in layers.items():
            pyogrio.write_dataframe(
                table, folder / f"{name}.gpkg", layer=name, promote_to_multi=name != "streets"
            )
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": None})


def _write_tables(district: District, folder: Path) -> None:
    tables: dict[str, pd.DataFrame] = {
        "lookup_lsoa21_msoa21_ward_district": district.lookup,
        "lookup_lsoa11_lsoa21": district.lookup_2011,
        "lookup_oa21_lsoa21": district.lookup_oa,
        "population": district.population,
        "electors_oa21": district.electors,
        "electoral_places_oa21": make_electoral_places(district),
        "present_wards": make_present_wards(district),
        "deprivation": district.deprivation,
        "postcodes": district.postcodes,
        "services": district.services,
        "fly_tipping": district.fly_tipping,
    }
    for name, table in tables.items():
        table.to_csv(folder / f"{name}.csv", index=False, lineterminator="\n")
    district.events.to_parquet(folder / "exact_times.parquet", index=False)


def _write_crime(district: District, path: Path) -> list[dict[str, object]]:
    """Write the archive as police.uk lays it out; return what was done to each month."""
    notes = []
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        months = track(published_months(district), label="Writing crime", total=district.months)
        for month, rows, note in months:
            crlf = int(month[-2:]) % 5 == 0
            text = rows.to_csv(index=False, lineterminator="\r\n" if crlf else "\n")
            member = zipfile.ZipInfo(f"{month}/{month}-{FORCE_SLUG}-street.csv", _ZIP_DATE)
            member.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(member, text)
            notes.append({**note, "line_ends": "CRLF" if crlf else "LF"})
    return notes
