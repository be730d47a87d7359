"""
Whom sites are chosen for: residents, or records as their policy lets them out.

Records never weigh in as they are. They are protected first, as a product of
the same recipe would be, and the choice is worked out from what could be told
anyway: nothing that it says can give back more than that.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from placeshaping._core.errors import EmptyError, RecipeError
from placeshaping._core.provenance import SourceFile
from placeshaping.project.place_inputs import PlaceInputs, PlaceRecipe
from placeshaping.project.siting_request import SitingRequest

if TYPE_CHECKING:
    import pandas as pd

    from placeshaping.disclosure.permission import Sensitivity
    from placeshaping.disclosure.policies import Policy
    from placeshaping.disclosure.release import Release
    from placeshaping.project.former import Former

HIDDEN_AS = 0.5
"""Share of the threshold that a hidden number of records counts as."""


@dataclass(frozen=True)
class Demand:
    """
    Weights of the areas.

    Attributes
    ----------
    weights
        By area.
    name
        What is counted, in the plural.
    policy, sensitivity, already_published
        Of records: what may be told of them. Open for residents.
    released
        The records as protected; None for residents.
    sources
        Their files.
    former
        The ledger of what was released before.
    """

    weights: pd.Series[float]
    name: str
    policy: Policy | str = "open"
    sensitivity: Sensitivity = "open"
    already_published: str | None = None
    released: Release | None = None
    sources: tuple[SourceFile, ...] = ()
    former: Former | None = None

    @property
    def judged_by(self) -> str | None:
        """Policy to name to the attacker, where files are not meant for all."""
        rules = None if self.released is None else self.released.policy
        return rules.name if rules is not None and (rules.loosened or not rules.leaves) else None

    @contextmanager
    def entering(self) -> Iterator[Callable[[], None]]:
        """Give what enters the protected records in the ledger, as if they had left."""
        if self.former is None or self.released is None:
            yield lambda: None
            return
        with self.former.entering(self.released) as enter:
            yield enter


@contextmanager
def read_demand(
    request: SitingRequest,
    recipe: PlaceRecipe,
    inputs: PlaceInputs,
    *,
    folder: Path,
    made_on: dt.date,
) -> Iterator[Demand]:
    """
    Give the weights of the areas.

    Raises
    ------
    RecipeError
        If records are asked for and the recipe names none.
    DisclosureError
        If the policy is looser than the records allow, or shows no counts.
    """
    if request.demand == "residents":
        yield Demand(inputs.residents, "residents")
        return
    from placeshaping.project.former import open_former
    from placeshaping.project.gather import gather
    from placeshaping.project.protect import protect_gathered, secret_of

    plain = _plain(recipe)
    gathered = gather(plain, folder=folder, secret=secret_of(plain, folder=folder))
    with open_former(plain, gathered, folder=folder) as former:
        released = protect_gathered(plain, gathered, made_on=made_on, ledger=former.ledger)
        yield Demand(
            weights=_weights(released, inputs),
            name="records",
            policy=released.policy,
            sensitivity=gathered.sensitivity,
            already_published=gathered.already_published,
            released=released,
            sources=tuple(one for one in released.sources if one.role == "records"),
            former=former,
        )


def _plain(recipe: PlaceRecipe) -> PlaceRecipe:
    """Return the recipe for counts of the whole span alone, areas as they are."""
    if not recipe.records:
        msg = "siting.demand: the recipe names no records. Add [records], or take 'residents'."
        raise RecipeError(msg)
    areas = recipe.areas.model_copy(update={"merge": False, "postcodes": None})
    show = recipe.show.model_copy(
        update={"by": "all", "detail": "keep", "statistics": [], "find": []}
    )
    return recipe.model_copy(update={"areas": areas, "show": show, "places": []})


def _weights(released: Release, inputs: PlaceInputs) -> pd.Series[float]:
    """Take the counts that may be told; a hidden one counts as half the threshold."""
    import pandas as pd

    finest = released.tables[released.levels[0]]
    if finest.level != inputs.ladder.finest or not released.policy.counts_shown:
        msg = (
            f"siting.demand: under the policy {released.policy.name!r} no counts of the areas may "
            "be told, so sites cannot be chosen by them. Take a longer span, larger areas, another "
            "policy, or demand = 'residents'."
        )
        raise RecipeError(msg)
    first = {"period": released.periods[0].label, "category": released.categories[0].label}
    view = finest.view(**first)
    counts = pd.to_numeric(view["count"]).astype("Float64")
    hidden = view["status"].eq("hidden")
    counts = counts.where(~hidden, HIDDEN_AS * released.policy.threshold).fillna(0.0)
    weights = counts.astype("float64").reindex(inputs.areas.index).fillna(0.0)
    if not weights.sum() > 0:
        msg = "siting.demand: no records lie in the areas. Check that both are of one place."
        raise EmptyError(msg)
    return weights
