"""One module a command of `bioreason`; heavy imports stand inside the functions, so that `--help` is quick."""
