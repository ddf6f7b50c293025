"""Proving a release from its own text: nothing here knows what the generator knew.

evidence reads files, biographies and contexts back to facts; the laws_* modules say what must hold of them; solvers answer
by shortcuts; verify runs it all and makes the report (audit.json).
"""
