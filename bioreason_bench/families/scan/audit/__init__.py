"""The audit of SCAN commands: laws, an interpreter of its own, solvers."""
