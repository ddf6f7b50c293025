"""Read every config of a data set with `datasets` and nothing else, and print what came.

Tests run this file in environments that do not have this package.

    python read_release.py PATH_OR_REPO [--revision TAG] [--streaming]

It prints {"datasets": version, "configs": {config: {split: [rows, SHA-256 of the rows]}},
"features": {config: [column names]}, "default": {split: ...} of the config that is loaded if none
is named}.
"""

import argparse
import hashlib
import json


def digest(rows):
    """Return the number of rows, and the SHA-256 of their JSON, one row a line."""
    count, text = 0, hashlib.sha256()
    for row in rows:
        text.update(json.dumps(row, sort_keys=True, ensure_ascii=False).encode() + b"\n")
        count += 1
    return [count, text.hexdigest()]


def main():
    import datasets

    parser = argparse.ArgumentParser()
    parser.add_argument("path")
    parser.add_argument("--revision")
    parser.add_argument("--streaming", action="store_true")
    arguments = parser.parse_args()
    path = arguments.path
    revision = {"revision": arguments.revision} if arguments.revision else {}
    configs, features = {}, {}
    unnamed = datasets.load_dataset(path, streaming=arguments.streaming, **revision)
    default = {split: digest(rows) for split, rows in unnamed.items()}
    for config in datasets.get_dataset_config_names(path, **revision):
        splits = datasets.load_dataset(path, config, streaming=arguments.streaming, **revision)
        configs[config] = {split: digest(rows) for split, rows in splits.items()}
        features[config] = list(next(iter(splits.values())).features)
    shown = {"configs": configs, "features": features, "default": default}
    print(json.dumps({"datasets": datasets.__version__, **shown}))


if __name__ == "__main__":
    main()
