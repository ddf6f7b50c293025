"""Studies over several runs: reproduction, pass@k, diagnostics, and the report."""
