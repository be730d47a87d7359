"""
What a likelihood model may learn from besides past counts: places, never people.

Land use, distances to stations, shops or licensed premises are places. Columns
about people, ethnic or other census composition and deprivation serve to audit a
model and are refused as its input: by their tag, and by their name where they
carry none.
"""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from placeshaping._core.checks import check_unique, listed
from placeshaping._core.columns import column_tags, refuse_tagged
from placeshaping._core.errors import ColumnError, UnmatchedError

PURPOSE = "a crime-likelihood model"

_PEOPLE = re.compile(
    r"(?:^|[^a-z])(?:imd|iod|idaci|idaopi|depriv\w*|ethnic\w*|race|racial|religio\w*|nationalit\w*"
    r"|asian|black|white|mixed_race|migrant\w*|born|disab\w*|unemploy\w*|benefit\w*|income\w*"
    r"|tenure|social_rent\w*|overcrowd\w*|lone_parent\w*|qualification\w*|age|sex|gender"
    r"|offender\w*|suspect\w*|victim\w*|nominal\w*)(?:$|[^a-z])"
)


def check_covariates(covariates: pd.DataFrame, codes: pd.Index) -> pd.DataFrame:
    """
    Return the covariates of the units, in their order; refuse what a model must not learn from.

    Parameters
    ----------
    covariates
        Numbers that describe places, indexed by ``area_code``. Tags of columns
        are read from ``attrs`` (`_core.columns.tag_columns`).
    codes
        The units of the model.

    Returns
    -------
    covariates
        As floats, one row a unit. Tags are kept.

    Raises
    ------
    ColumnError
        If a column is tagged personal, special or audit-only, or is untagged
        and named like one; or holds no numbers.
    UnmatchedError
        If units have no row.
    DuplicateError
        If a code stands twice.

    Examples
    --------
    >>> table = pd.DataFrame({"bars_within_500_m": [3, 0], "imd_decile": [1, 9]}, index=["a", "b"])
    >>> check_covariates(table[["bars_within_500_m"]], pd.Index(["b", "a"])).iloc[:, 0].tolist()
    [0.0, 3.0]
    >>> check_covariates(table, pd.Index(["b", "a"]))
    Traceback (most recent call last):
        ...
    placeshaping._core.errors.ColumnError: Column 'imd_decile' is named like ...
    """
    refuse_tagged(covariates, covariates.columns, purpose=PURPOSE)
    tags = column_tags(covariates)
    for column in covariates.columns:
        if column not in tags and _PEOPLE.search(str(column).casefold()):
            msg = (
                f"Column {column!r} is named like one about people or deprivation, which must not "
                f"enter {PURPOSE}. Leave it out; where it is about places, tag it 'open'."
            )
            raise ColumnError(msg)
    check_unique(covariates.index, where="covariates")
    wrong = [c for c, kind in covariates.dtypes.items() if not pd.api.types.is_numeric_dtype(kind)]
    if wrong:
        msg = f"{listed(wrong)} hold no numbers. Covariates are numbers that describe places."
        raise ColumnError(msg)
    lost = codes.difference(covariates.index)
    if len(lost):
        msg = (
            f"{len(lost):,} of {len(codes):,} units have no covariates ({listed(list(lost))}). "
            "Give a row for each; a value may be missing."
        )
        raise UnmatchedError(msg)
    chosen = covariates.loc[codes].astype(np.float64)
    chosen.attrs = dict(covariates.attrs)
    return chosen
