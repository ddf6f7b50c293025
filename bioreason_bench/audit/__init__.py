"""Checking a release from its own text: nothing here knows what the generator knew.

reading reads files, biographies and contexts back to facts; laws say what must hold of them;
solvers answer by shortcuts; verify runs them all; report writes the outcome to audit.json.
"""
