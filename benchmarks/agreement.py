"""How far places and published codes agree, by force, with a map of where they differ."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl

from benchmarks.harness import Result
from placeshaping.areas.boundaries import read_boundaries
from placeshaping.areas.lookups import read_changes, read_lookup
from placeshaping.areas.selection import codes_within
from placeshaping.joins.agreement import compare_published
from placeshaping.project.listed_areas import listed_areas, whole_lookup
from placeshaping.sources.police import read_police

HERE = Path(__file__).parent


def run(data: Path) -> list[Result]:
    mpl.use("Agg")
    lookups = [
        read_lookup(data / "lookups" / name)
        for name in ("lsoa21_ward24_lad24.csv.gz", "lad24_csp24_pfa24.csv")
    ]
    whole = whole_lookup(listed_areas(lookups), lookups)
    changes = read_changes(data / "lookups" / "lsoa11_lsoa21_lad22.csv.gz")
    return [_of_force(force, data, whole, changes) for force in ("Leicestershire", "Essex")]


def _of_force(force: str, data: Path, whole, changes) -> Result:
    codes = codes_within(whole, [force])
    areas = read_boundaries(data / "boundaries" / "lsoa_2021_ew.parquet", codes=list(codes))
    events = read_police(data / "police_uk" / f"{force.lower()}.zip")
    agreement = compare_published(events, areas, changes=changes)
    axes = areas.assign(share=100 * agreement["share"]).plot(
        "share", cmap="viridis", vmin=60, vmax=100, legend=True, figsize=(9, 8), linewidth=0
    )
    axes.set_axis_off()
    axes.set_title(f"{force}: records whose published code is that of their place, per cent")
    picture = HERE / f"agreement-{force.lower()}.png"
    axes.figure.savefig(picture, dpi=110, bbox_inches="tight")
    low = agreement["share"].lt(0.8).sum()
    return Result(
        f"agreement_{force.lower()}",
        f"{len(events):,} records of {force}, {len(areas)} LSOAs: places that agree with codes",
        100 * agreement.attrs["share"],
        unit="%",
        notes={"map": picture.name, "LSOAs under 80 %": int(low)},
    )
