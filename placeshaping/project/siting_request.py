"""The section `[siting]` of a recipe: how many sites, among which, for whom, and what is best."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from placeshaping.project.place_inputs import Travel
from placeshaping.project.sections import Section

AREAS = "areas"
"""Candidates that are the middles of the areas."""


class Promise(Section):
    """A distance within which areas of some tenths of deprivation have a site."""

    deciles: list[int] = Field(min_length=1)
    within: float = Field(gt=0)
    share: float = Field(default=1.0, gt=0, le=1)


class SitingRequest(Travel):
    """
    What to choose.

    `candidates` and `existing` are titles of the recipe's `[[places]]`; without
    candidates the middles of the areas are. `sites` counts all there shall be,
    `new` those beside the existing ones that are kept. `service` is what one
    of them is called, `services` several. `demand` is residents, or the
    recipe's records as its policy lets them out. `capacity` is what every site
    can take, `capacities` what single ones can. `threshold` is what counts as
    far on the map; `within` what covering measures aim at.
    """

    candidates: str = AREAS
    existing: str | None = None
    keep: bool = True
    sites: int | None = Field(default=None, ge=1)
    new: int | None = Field(default=None, ge=0)
    measure: Literal["p-median", "p-centre", "maximal covering", "set covering"] = "p-median"
    within: float | None = Field(default=None, gt=0)
    demand: Literal["residents", "records"] = "residents"
    capacity: float | None = Field(default=None, gt=0)
    capacities: dict[str, float] = {}
    guarantees: list[Promise] = []
    exact: bool = False
    seconds: float = Field(default=300.0, gt=0)
    seed: int = 0
    service: str = Field(min_length=2, max_length=40)
    services: str = Field(min_length=2, max_length=40)
    title: str | None = None
    threshold: float = Field(default=15.0, gt=0)
    already_published: str | None = None
    output: str = "siting"

    @model_validator(mode="after")
    def _goes_together(self) -> SitingRequest:
        counted = [name for name in ("sites", "new") if getattr(self, name) is not None]
        fewest = self.measure == "set covering"
        if fewest and counted:
            msg = "'set covering' finds how many sites are needed: leave out sites and new"
            raise ValueError(msg)
        if not fewest and len(counted) != 1:
            msg = "say how many sites there shall be: 'sites' in all, or 'new' ones"
            raise ValueError(msg)
        if self.measure.endswith("covering") != (self.within is not None):
            msg = "'within' belongs to the covering measures, which need it"
            raise ValueError(msg)
        if self.measure != "p-median" and (self.capacity or self.capacities):
            msg = "capacities go with the measure 'p-median' alone"
            raise ValueError(msg)
        if self.new is not None and not self.keep:
            msg = "'new' counts sites beside those that are kept; with keep = false say 'sites'"
            raise ValueError(msg)
        return self
