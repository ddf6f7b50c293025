"""The plan of a release: a world, its paths, and every file as a function of the plan and the file's own number.

plan = make_plan(load_preset("v1"))
for shard in plan.shards():
    columns = plan.make(shard)          # the same columns in any process, in any order
"""

from bioreason_bench.plan.files import SHARD_ROWS, Shard
from bioreason_bench.plan.plan import Plan, make_plan

__all__ = ["SHARD_ROWS", "Plan", "Shard", "make_plan"]
