"""Areas: boundaries, what contains what, and what lies beside what."""
