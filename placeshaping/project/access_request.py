"""The section `[access]` of a recipe: which service, how travel is measured, and what is far."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from placeshaping.project.place_inputs import Travel

if TYPE_CHECKING:
    pass


class AccessRequest(Travel):
    """
    What to measure.

    `services` is the title of one of the recipe's `[[places]]`, `service` what
    one of them is called. `threshold` is what counts as far. `origins` are the
    middles of the areas, or their postcodes. `catchments` adds what there is
    for each 1,000 residents. `ages` names columns of the file of residents.
    """

    services: str | None = None
    service: str = Field(min_length=2, max_length=40)
    title: str | None = None
    threshold: float = Field(default=15.0, gt=0)
    origins: Literal["areas", "postcodes"] = "areas"
    catchments: bool = False
    ages: dict[str, str] | None = None
    output: str = "access"
