"""The ledger of what has been released before: `open_ledger`, and the `Ledger` that it opens."""

from placeshaping.disclosure.ledger.book import Ledger, open_ledger
from placeshaping.disclosure.ledger.rows import LedgerRelease

__all__ = ["Ledger", "LedgerRelease", "open_ledger"]
