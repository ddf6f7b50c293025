"""bioreason as an OpenEnv environment; `openenv push` makes a Space of this folder."""
