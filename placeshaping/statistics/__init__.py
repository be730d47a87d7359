"""What counts mean: rates and their intervals, smoothing, inequality, corrected p-values."""
