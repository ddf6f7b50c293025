"""Releases beyond one process and one disk: parts that are made anywhere, and merged."""
