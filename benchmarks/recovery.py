"""
Whether the self-exciting fit finds the parameters that the synthetic district was drawn with.

Run as ``python -m benchmarks.recovery``; prints the table of docs/self-exciting.md.
"""

from __future__ import annotations

from placeshaping.likelihood.point_process import fit_self_exciting
from placeshaping.synthetic.district import make_district

TRUE = ("mu_per_day", "branching", "omega_per_day", "sigma_metres")


def main() -> None:
    district = make_district(areas=200, seed=2)
    area = district.districts.geometry.union_all()
    start = district.truth["first_day"]
    events = district.events
    end = events["time"].max().ceil("D")
    print("| category | events | background a day | branching | decay a day | spread, m |")
    print("|---|---|---|---|---|---|")
    inside = whole = 0
    for offence in district.truth["offences"]:
        own = events[events["category"] == offence["category"]]
        table = fit_self_exciting(own, area, start=start, end=end).parameters
        cells = []
        for name, (_, row) in zip(TRUE, table.iterrows(), strict=True):
            true, met = offence[name], row["lower"] <= offence[name] <= row["upper"]
            inside, whole = inside + met, whole + 1
            mark = "" if met else " *"
            cells.append(f"{true:.3g}: {row['estimate']:.3g} ± {row['standard_error']:.2g}{mark}")
        print(f"| {offence['category']} | {len(own):,} | " + " | ".join(cells) + " |")
    print(f"\n{inside} of {whole} true values lie within their 95 % intervals (* outside).")


if __name__ == "__main__":
    main()
