"""Splits: which (start, path) pairs exist, by level.

shares · roles · paths · distractors (who can be in a context) · starts (who can begin a path) ·
levels · swaps (for counterfactual pairs and conflicts) · directions
"""
