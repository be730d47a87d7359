"""The built-in district: an invented place with real shapes, real quirks and a known truth."""
