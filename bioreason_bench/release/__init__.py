"""The files of a release: names, digests, manifest, writing, reading, caching.

See docs/design.md, Release.
"""
