"""Families of questions: people, and one package for each of the others.

Shared by all but people: settings.py (presets), parts.py (files), grading.py (traces),
checks.py (laws and scores).  See docs/families.md and docs/extending.md.
"""
