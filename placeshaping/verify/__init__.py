"""The attacker: reads what was written and tries to get back what it hides."""
