"""Figures of what models answered."""
