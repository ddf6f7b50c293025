"""The audit of sentences: laws, a parser of its own, solvers."""
