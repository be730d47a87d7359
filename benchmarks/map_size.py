"""
The page of a county, and that of 5,000 areas, beside folium's pages of the same areas.

For the second, once as users write it (full borders, one Choropleth for each attribute), and once
as good as folium allows: borders simplified as ours are, coordinates of six decimals, and Leaflet
and what else the page loads (where `NODE_MODULES` names folium's npm packages) inside.

The borders of the file are generalised already (a median of 42 vertices an LSOA), so that
simplifying leaves out few of them: of finer borders folium's page grows, and ours does not.
"""

from __future__ import annotations

import datetime as dt
import tempfile
import tomllib
from pathlib import Path

import folium
import geopandas as gpd
import shapely

from benchmarks.harness import Result, beside
from benchmarks.map_open import FILES, MODULES, national
from placeshaping.disclosure.release import Release
from placeshaping.maps.area_map import area_map
from placeshaping.maps.coverage import choose_tolerance, simplify_areas
from placeshaping.pages.leaflet import leaflet_script, leaflet_styles
from placeshaping.project.gather import gather
from placeshaping.project.protect import protect_gathered
from placeshaping.project.recipe import make_recipe

RECIPE = Path(__file__).parents[1] / "tests" / "real" / "leicestershire.toml"


THOUSANDS = 5_000


def run(data: Path) -> list[Result]:
    return [*_county(data), *_thousands(data)]


def _thousands(data: Path) -> list[Result]:
    """Compare 5,000 areas with two attributes: ours, folium's as written, folium's at its least."""
    released = national(data, nearest=THOUSANDS)
    plain = _frame(released)
    thin = plain.set_geometry(
        simplify_areas(plain.geometry.to_numpy(), choose_tolerance(plain)), crs=plain.crs
    )
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{name}.html" for name in ("ours", "plain", "inlined")]
        area_map(released).save(paths[0])
        _choropleths(plain.to_crs(4326), paths[1])
        small = thin.to_crs(4326)
        small["geometry"] = shapely.set_precision(small.geometry.to_numpy(), 1e-6, mode="pointwise")
        _choropleths(small, paths[2])
        _inline(paths[2])
        ours, theirs, inlined = (path.stat().st_size / 1e6 for path in paths)
    work = f"page of {len(plain):,} LSOAs, counts and rates"
    vertices = int(shapely.get_num_coordinates(plain.geometry.to_numpy()).sum())
    return [
        Result(
            "map_5000_size",
            work,
            ours,
            peer="two folium.Choropleth",
            theirs=theirs,
            unit="MB",
            notes={"vertices an area": f"{vertices / len(plain):.0f}"},
        ),
        Result(
            "map_5000_size_inlined",
            work,
            ours,
            peer="the same, simplified and inlined",
            theirs=inlined,
            unit="MB",
        ),
    ]


def _frame(released: Release) -> gpd.GeoDataFrame:
    table = released.tables["lsoa"]
    view = table.view(period=released.periods[0].label, category=released.categories[0].label)
    return table.areas[["area_name", "geometry"]].join(view[["count", "rate"]]).reset_index()


def _choropleths(frame: gpd.GeoDataFrame, path: Path) -> None:
    """Write what the documentation of folium shows: one Choropleth for each attribute."""
    plain = folium.Map(location=(52.8, -1.8), zoom_start=7)
    for attribute in ("count", "rate"):
        folium.Choropleth(
            geo_data=frame.to_json(),
            data=frame,
            columns=["area_code", attribute],
            key_on="feature.properties.area_code",
            name=attribute,
        ).add_to(plain)
    folium.LayerControl().add_to(plain)
    plain.save(path)


def _inline(path: Path) -> None:
    """Put what the page loads into it: Leaflet at least, the rest where it is to be had."""
    inside = leaflet_script() + leaflet_styles()
    for place in FILES.values():
        for name in ("", "/dist/js/bootstrap.bundle.min.js", "/dist/css/bootstrap.min.css",
                     "/css/all.min.css", "/leaflet.awesome-markers.js"):  # fmt: skip
            file = MODULES / f"{place}{name}"
            if file.is_file():
                inside += file.read_text(encoding="utf-8")
    path.write_text(path.read_text(encoding="utf-8") + inside, encoding="utf-8")


def _county(data: Path) -> list[Result]:
    recipe = make_recipe(tomllib.loads(RECIPE.read_text(encoding="utf-8")))
    released = protect_gathered(recipe, gather(recipe, folder=data), made_on=dt.date(2026, 1, 31))
    table = released.tables["lsoa"]
    view = table.view(period=released.periods[0].label, category=released.categories[0].label)
    frame = table.areas[["area_name", "geometry"]].join(view["rate"]).to_crs(4326).reset_index()
    with tempfile.TemporaryDirectory() as folder:
        ours_path, theirs_path = Path(folder) / "ours.html", Path(folder) / "theirs.html"

        def ours() -> None:
            area_map(released).save(ours_path)

        def theirs() -> None:
            plain = folium.Map()
            folium.Choropleth(
                geo_data=frame.to_json(),
                data=frame,
                columns=["area_code", "rate"],
                key_on="feature.properties.area_code",
            ).add_to(plain)
            plain.save(theirs_path)

        taken = beside(ours, theirs, times=3)
        sizes = [path.stat().st_size / 1000 for path in (ours_path, theirs_path)]
    views = len(released.periods) * len(released.categories)
    return [
        Result(
            "map_size",
            f"page of {len(frame)} LSOAs, 3 levels, {views} views; the peer: one level, one view, "
            "and blank without a network",
            sizes[0],
            peer="folium.Choropleth",
            theirs=sizes[1],
            unit="KB",
            limit=600,
        ),
        Result(
            "map_export",
            "writing that page",
            taken[0],
            peer="folium.Choropleth, one view",
            theirs=taken[1],
        ),
    ]
