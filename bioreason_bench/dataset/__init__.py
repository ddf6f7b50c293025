"""The plan of a release: a world, its paths, and every file as a function of the plan and the file's own number.

plan = make_dataset(load_preset("v1"))
for shard in plan.shards():
    columns = plan.make(shard)          # the same columns in any process, in any order
"""

from bioreason_bench.dataset.dataset import Dataset, make_dataset
from bioreason_bench.dataset.sharding import SHARD_ROWS, Shard

__all__ = ["SHARD_ROWS", "Dataset", "Shard", "make_dataset"]
