"""Families of questions."""
