"""One module for each command of `bioreason`.

Heavy imports are inside the functions, so that `--help` is quick.
"""
