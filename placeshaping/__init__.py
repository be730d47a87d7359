"""
Geospatial hot spots and place shaping for UK councils and police.

The public names are loaded when they are first used, so that importing the
package costs nothing.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

_HOME: dict[str, str] = {
    name: f"{__name__}.{module}"
    for module, names in {
        "synthetic.district": ("make_district",),
        "synthetic.files": ("write_district",),
        "sources.fetch": ("fetch", "list_sources"),
        "sources.network": ("Connection",),
        "sources.guesses": ("guess_columns",),
        "sources.offences": ("offence_tag",),
        "sources.police": ("read_police",),
        "sources.public_places": ("read_public_places",),
        "sources.postcode_areas": ("read_postcode_directory",),
        "sources.services": ("read_services",),
        "sources.tabular": ("read_table",),
        "sources.deprivation": ("read_deprivation",),
        "sources.populations": ("read_population",),
        "areas.boundaries": ("read_boundaries",),
        "areas.fits": ("best_fit",),
        "areas.grids": ("cell_codes", "make_grid", "parent_cells"),
        "areas.inspection": ("inspect_file",),
        "areas.ladder": ("make_ladder",),
        "areas.lookups": ("make_lookup", "read_changes", "read_lookup", "recode_as"),
        "areas.neighbours": ("contiguity", "detached_parts", "distance_band", "k_nearest"),
        "areas.selection": ("codes_within",),
        "joins.agreement": ("compare_published",),
        "joins.cells": ("count_by_cell",),
        "joins.index": ("build_index", "read_index", "write_index"),
        "joins.attributes": ("attach_deprivation", "attach_population"),
        "joins.cluster": ("connect", "count_on_cluster", "dashboard_address"),
        "joins.sectors": ("sectors_of",),
        "joins.streams": ("count_streamed",),
        "sources.streams": ("RecordSource",),
        "joins.interpolation": ("interpolate_areal",),
        "joins.land_cover": ("built_up",),
        "joins.levels": ("convert_level",),
        "joins.postcodes": ("attach_postcodes",),
        "joins.vintages": ("convert_vintage",),
        "joins.points": ("assign_area", "count_by_area", "place_events"),
        "statistics.ages": ("band_ages",),
        "statistics.change": ("change_between", "describe_change"),
        "statistics.concentration": (
            "concentration_index",
            "describe_inequality",
            "gini",
            "lorenz_curve",
        ),
        "statistics.dispersion": ("change_dispersion", "describe_dispersion"),
        "statistics.funnel": ("describe_funnel", "funnel_limits"),
        "statistics.indices": (
            "composite_index",
            "exponential_scores",
            "rank_areas",
            "shrink_rates",
        ),
        "statistics.inequality": ("decile_table", "slope_index"),
        "statistics.rates": (
            "crude_rate",
            "empirical_bayes_rate",
            "local_empirical_bayes_rate",
            "poor_denominator",
            "wilson_interval",
        ),
        "statistics.sensitivity": ("describe_index", "rank_sensitivity", "weight_sensitivity"),
        "statistics.standardisation": (
            "describe_ratios",
            "directly_standardised_rate",
            "indirectly_standardised_ratio",
        ),
        "statistics.testing": ("false_discovery_rate",),
        "hotspots.area_classes": ("label_change", "label_dispersion", "label_funnel"),
        "hotspots.bandwidth": ("choose_bandwidth",),
        "hotspots.comparison": ("describe_relative_density",),
        "hotspots.cube": ("make_cube",),
        "hotspots.density": ("describe_density", "kernel_density"),
        "hotspots.emerging": ("emerging_hotspots",),
        "hotspots.emerging_words": ("emerging_paragraph", "emerging_summary"),
        "hotspots.finders": ("find_labels",),
        "hotspots.geary": ("geary",),
        "hotspots.getis": ("enough_permutations", "getis_ord"),
        "hotspots.join_counts": ("join_counts",),
        "hotspots.labels": ("LabelClass", "LabelScheme", "label_areas"),
        "hotspots.local_moran": ("local_moran",),
        "hotspots.moran": ("global_moran",),
        "hotspots.near_repeat": ("describe_near_repeat", "knox"),
        "hotspots.optimised": ("optimised_hotspots",),
        "hotspots.paragraph": ("describe_clusters",),
        "hotspots.relative_density": ("relative_density",),
        "hotspots.repeat_risk": ("near_repeat_pairs", "risk_bands"),
        "hotspots.repeats": ("describe_repeats", "repeat_locations"),
        "hotspots.scale": ("choose_cell_size", "choose_distance"),
        "hotspots.scan": ("scan",),
        "hotspots.scan_words": ("scan_sentences",),
        "hotspots.streets": ("describe_streets", "hot_streets"),
        "hotspots.time_of_day": ("aoristic", "describe_profile", "temporal_profile"),
        "hotspots.study": ("analyse",),
        "likelihood.backtest": ("backtest",),
        "likelihood.baselines": ("SameSeason", "TrailingCounts"),
        "likelihood.boosted": ("Boosted",),
        "likelihood.comparison": ("compare", "summarise"),
        "likelihood.endemic_epidemic": ("EndemicEpidemic",),
        "likelihood.ensemble": ("Ensemble",),
        "likelihood.fairness": ("burden_audit", "burden_drift", "feedback_urn"),
        "likelihood.history": ("history_of_counts", "history_of_events"),
        "likelihood.labels": ("likelihood_labels",),
        "likelihood.offences": ("Override", "make_target"),
        "likelihood.point_process": ("fit_self_exciting",),
        "likelihood.residuals": ("residual_analysis",),
        "likelihood.self_exciting": ("SelfExciting",),
        "likelihood.simulation": ("simulate_process",),
        "likelihood.surfaces": ("KernelDensity", "ProMap"),
        "likelihood.units": ("make_cells", "make_units"),
        "shaping.access": ("cumulative_opportunities", "floating_catchment", "nearest_service"),
        "shaping.equity": ("describe_equity", "equity_table", "people_beyond"),
        "shaping.network": ("make_network",),
        "shaping.patrol": ("plan_patrols",),
        "shaping.rounds": ("describe_rounds", "plan_rounds"),
        "shaping.siting": (
            "Guarantee",
            "maximal_covering",
            "p_centre",
            "p_median",
            "set_covering",
        ),
        "shaping.siting_words": ("describe_siting",),
        "shaping.travel_classes": ("label_change_in_travel", "label_travel"),
        "shaping.ward_compare": ("distance_table", "proposal_distance", "score_table"),
        "shaping.ward_files": ("read_proposal",),
        "shaping.ward_scores": ("score_proposal",),
        "shaping.ward_search": ("Emphasis", "nearest_bridges", "propose_wards"),
        "shaping.ward_words": ("describe_proposal",),
        "shaping.wards": ("make_proposal", "make_review"),
        "disclosure.wards": ("release_review",),
        "maps.ward_painting": ("painting_page",),
        "shaping.travel": ("costs_from_table", "travel_costs"),
        "disclosure.adaptive": ("merge_areas",),
        "disclosure.coarsening": ("choose_detail",),
        "disclosure.facts": ("release_facts",),
        "disclosure.grid_ladder": ("make_grid_ladder",),
        "disclosure.ledger": ("open_ledger",),
        "disclosure.merged": ("apply_partition",),
        "disclosure.own_policies": ("make_policy", "read_policy"),
        "disclosure.public_places": ("public_places",),
        "disclosure.points": ("donut", "snap_points"),
        "disclosure.records": ("Records", "release_records"),
        "disclosure.release": ("release",),
        "disclosure.secret": ("read_secret",),
        "disclosure.surfaces": ("mask_surface", "surface_from_counts"),
        "maps.area_map": ("area_map",),
        "maps.basemap": ("make_basemap",),
        "layers.features": ("write_features",),
        "layers.geojson": ("write_geojson",),
        "layers.geopackage": ("write_layers",),
        "layers.gpx": ("write_gpx",),
        "layers.geoparquet": ("write_geoparquet",),
        "layers.kml": ("write_kml",),
        "layers.places": ("write_places",),
        "layers.rasters": ("write_raster",),
        "layers.streets": ("write_streets",),
        "maps.pictures": ("write_picture",),
        "reports.csvw": ("write_csv",),
        "reports.records": ("write_records",),
        "project.publish": ("publish",),
        "reports.sheets": ("write_tables",),
        "project.patrol": ("answer_request",),
        "project.pipeline": ("run",),
        "verify.files": ("verify_files",),
        "_core.errors": ("PlaceshapingError",),
    }.items()
    for name in names
}
"""Public name -> the module that defines it."""

__all__ = ["__version__", *sorted(_HOME)]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(importlib.import_module(_HOME[name]), name)
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)


def __dir__() -> list[str]:
    return __all__
