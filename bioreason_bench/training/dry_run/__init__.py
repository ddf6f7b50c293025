"""One step of every stage, before the first one is trained.

minutes    how long a stage should take
trials     dry_run
"""
