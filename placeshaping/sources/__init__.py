"""The outside world in, tidy tables out."""
