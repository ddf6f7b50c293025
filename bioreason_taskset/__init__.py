"""The taskset of bioreason_bench under a name that verifiers can find: `bioreason-taskset`."""

from bioreason_bench.environments.verifiers import BioreasonTaskset

__all__ = ["BioreasonTaskset"]
