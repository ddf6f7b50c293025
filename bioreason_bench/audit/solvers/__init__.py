"""Solvers that answer by shortcuts, and their scores."""
