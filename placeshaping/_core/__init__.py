"""What every layer may use: names, checks, errors, and nothing that knows a method."""
