"""Where and when recorded crime is likely next: models, backtests, fairness."""
