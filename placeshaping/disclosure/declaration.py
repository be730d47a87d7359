"""What a written file says of itself, so that it can be checked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import placeshaping
from placeshaping.disclosure.cell_key import MOST_CHANGE
from placeshaping.disclosure.policies import Policy, policy_named

if TYPE_CHECKING:
    from placeshaping.disclosure.release import Release


def declare(release: Release) -> dict[str, Any]:
    """
    Return what a file made of a release declares.

    Parameters
    ----------
    release
        What is published.

    Returns
    -------
    declaration
        Policy, rules, levels, date and maker; rules of a council's own policy
        as far as they are not those of its base.
    """
    rules = release.policy
    further = {
        "dataset": release.dataset or None,
        "base": rules.base,
        "loosened": list(rules.loosened),
        "counts_shown": None if rules.counts_shown else False,
        "expires": release.expires and release.expires.isoformat(),
        "labels": {one.name: list(one.values) for one in release.labels},
        "places": {kind.title: kind.published_at for kind in release.places},
        "sensitive": list(release.sensitive),
        "sensitive_threshold": rules.sensitive_threshold if release.sensitive else None,
        "largest_change": _largest_change(rules) if rules.method == "cell_key" else None,
        **_own_rules(rules),
    }
    return {
        "format": 1,
        "made_by": f"placeshaping {placeshaping.__version__}",
        "made_on": release.made_on.isoformat(),
        "title": release.title,
        "policy": rules.name,
        "method": rules.method,
        "threshold": rules.threshold,
        "rounding": rules.rounding,
        "zeros_shown": rules.zeros_shown,
        "levels": list(release.levels),
        "already_published": release.already_published,
        "stamp": rules.stamp,
        **{key: value for key, value in further.items() if value not in (None, [], {})},
    }


def _largest_change(policy: Policy) -> int:
    """Return by how much a cell key changes a count, at most."""
    return max(MOST_CHANGE, policy.threshold, policy.sensitive_threshold)


def _own_rules(policy: Policy) -> dict[str, Any]:
    """Return the rules of a council's own policy that are not those of its base."""
    if policy.base is None:
        return {}
    base = policy_named(policy.base)
    named = (
        "numbers", "dominance", "finest", "finest_cell", "sensitive_factor", "needs_expiry",
        "needs_purpose", "shareable_map", "leaves",
    )  # fmt: skip
    found = {n: getattr(policy, n) for n in named if getattr(policy, n) != getattr(base, n)}
    if policy.extra_fields != base.extra_fields:
        found["extra_fields"] = list(policy.extra_fields)
    anything = {"dominance": 1.0, "finest": "oa", "finest_cell": 0}
    return {name: anything.get(name) if rule is None else rule for name, rule in found.items()}
