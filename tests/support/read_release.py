"""Reads every config of a data set with `datasets` and nothing else, and prints what came: run by tests in environments of their own.

python read_release.py PATH_OR_REPO [--revision TAG] [--streaming]
  -> {"datasets": version, "configs": {config: {split: [rows, sha256 of the rows]}}, "features": {config: [column names]}}
"""

import argparse
import hashlib
import json


def digest(rows):
    """Number of rows and SHA-256 of their JSON, one a line."""
    count, text = 0, hashlib.sha256()
    for row in rows:
        text.update(json.dumps(row, sort_keys=True, ensure_ascii=False).encode() + b"\n")
        count += 1
    return [count, text.hexdigest()]


def main():
    import datasets

    ask = argparse.ArgumentParser()
    ask.add_argument("path")
    ask.add_argument("--revision")
    ask.add_argument("--streaming", action="store_true")
    given = ask.parse_args()
    where = {"revision": given.revision} if given.revision else {}
    configs, features = {}, {}
    for config in datasets.get_dataset_config_names(given.path, **where):
        parts = datasets.load_dataset(given.path, config, streaming=given.streaming, **where)
        configs[config] = {split: digest(rows) for split, rows in parts.items()}
        features[config] = list(next(iter(parts.values())).features)
    print(json.dumps({"datasets": datasets.__version__, "configs": configs, "features": features}))


if __name__ == "__main__":
    main()
