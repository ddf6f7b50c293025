"""Questions: their contexts and their records."""
