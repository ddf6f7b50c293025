"""The data set: a world, its paths, and every file as a function of the file's own number.

dataset = make_dataset(load_preset("v1"))
for shard in dataset.shards():
    columns = dataset.make(shard)          # the same columns in any process, in any order
"""

from bioreason_bench.dataset.dataset import Dataset, make_dataset, make_writer
from bioreason_bench.dataset.sharding import SHARD_ROWS, Shard

__all__ = ["SHARD_ROWS", "Dataset", "Shard", "make_dataset", "make_writer"]
