"""Studies over several runs: reproduction, pass@k, findings, figures and the report."""
