"""Kinds of questions beyond the levels, a module for each."""
