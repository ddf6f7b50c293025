"""The class of pass@k tasks under its 0.1.0 name, which installed copies of the tasks import."""

from bioreason_bench.evaluation.harness.tasks import PassAtK

__all__ = ["PassAtK"]
