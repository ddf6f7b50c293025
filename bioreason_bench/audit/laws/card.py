"""The files of the card say of a release what the manifest says: readers and the Hub obey them.

`load_dataset` takes files and column types from the YAML at the head of README.md, mlcroissant from
croissant.json, and browsers run whatever an SVG holds.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from bioreason_bench.audit.ledger import Ledger
from bioreason_bench.audit.reading.files import CARD, read_text
from bioreason_bench.schema import columns

__all__ = ["check_card"]

CROISSANT, SVG = "croissant.json", "chain.svg"
FEATURES = {"string": "string", "boolean": "bool", "integer": "int32"}
TYPES = {"string": "sc:Text", "boolean": "sc:Boolean", "integer": "cr:Int32"}
KEYS = {  # of the YAML; any other could change what is loaded
    *("license", "language", "pretty_name", "task_categories", "annotations_creators"),
    *("language_creators", "multilinguality", "source_datasets", "size_categories", "tags"),
    *("configs", "dataset_info"),
}
ANCHOR = re.compile(r"(?:^|[\s,\[{:-])[&*]\w")  # by aliases a few lines can stand for gigabytes
DRAWN = {"svg", "title", "rect", "text", "tspan", "line", "path"}  # elements of a chain
ATTRIBUTES = re.compile(
    r"x|y|x1|x2|y1|y2|d|rx|width|height|viewBox|role|fill|stroke|stroke-width|stroke-dasharray|"
    r"font-family|font-size|font-weight|font-style|text-anchor"
)
XML = "{http://www.w3.org/2000/svg}"


def check_card(folder: Path, manifest: Mapping[str, Any], ledger: Ledger) -> None:
    """Compare the card with the manifest; a release without these files has no card to be wrong."""
    for name, problem_of in ((CARD, _yaml_problem), (CROISSANT, _croissant_problem)):
        if (folder / name).exists():
            ledger.check_whole("card", name, problem_of(read_text(folder / name), manifest))
    if (folder / SVG).exists():
        ledger.check_whole("card", SVG, _svg_problem(read_text(folder / SVG)))


def _patterns(manifest: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """The one pattern for the files of each split of each config."""
    return {
        config: {
            split: re.sub(r"-\d{5}-of-\d{5}\.parquet$", "-*.parquet", files[0])
            for split, files in splits.items()
        }
        for config, splits in manifest["configs"].items()
    }


def _rules(manifest: Mapping[str, Any], config: str) -> dict[str, dict[str, Any]]:
    """The columns of a config, as the schema of its first file describes them."""
    file = next(iter(manifest["configs"][config].values()))[0]
    return columns(manifest["files"][file]["schema"])


# YAML ---------------------------------------------------------------------------------------------


def _yaml_problem(card: str, manifest: Mapping[str, Any]) -> str | None:
    """What is wrong with the YAML of a card, None if nothing is."""
    import yaml

    head = re.match(r"---\n(.*?)\n---\n", card, re.DOTALL)
    if not head:
        return "the card must begin with YAML between two lines of ---"
    if ANCHOR.search(head[1]):
        return "its YAML holds an anchor or an alias, which no card has"
    try:
        # the loader written in C is ten times as fast
        values = yaml.load(head[1], getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
    except (yaml.YAMLError, ValueError, RecursionError):
        return "its YAML cannot be read"
    if not isinstance(values, dict) or not set(values) <= KEYS:
        names = sorted(map(str, set(values) - KEYS)) if isinstance(values, dict) else ["no table"]
        return f"its YAML holds {names[0]!r:.60}, which no card has"
    if values.get("license") != manifest["license"].lower():
        return f"its YAML must give the licence {manifest['license'].lower()}"
    configs = [
        {
            "config_name": config,
            "data_files": [{"split": split, "path": path} for split, path in splits.items()],
        }
        for config, splits in _patterns(manifest).items()
    ]
    if problem := _first_difference("configs", _without_default(values.get("configs")), configs):
        return problem
    infos = [_info(manifest, config) for config in manifest["configs"]]
    return _first_difference("dataset_info", _without_bytes(values.get("dataset_info")), infos)


def _without_default(entries: Any) -> Any:
    """The configs without the mark of the one that is loaded if none is named."""
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        return entries
    marked = [entry for entry in entries if entry.get("default") is True]
    return [
        {key: value for key, value in entry.items() if key != "default"}
        if marked == [entry]
        else entry
        for entry in entries
    ]


def _info(manifest: Mapping[str, Any], config: str) -> dict[str, Any]:
    """The entry of a config in dataset_info, without numbers of bytes."""
    return {
        "config_name": config,
        "features": [
            {"name": name, **_in_yaml(rule)} for name, rule in _rules(manifest, config).items()
        ],
        "splits": [
            {
                "name": split,
                "num_examples": sum(manifest["files"][file]["rows"] for file in files),
            }
            for split, files in manifest["configs"][config].items()
        ],
    }


def _without_bytes(value: Any) -> Any:
    """The value without the numbers of bytes, which depend on the writer of the files."""
    sizes = ("num_bytes", "download_size", "dataset_size")
    if isinstance(value, dict):
        return {
            key: _without_bytes(item)
            for key, item in value.items()
            if not (key in sizes and isinstance(item, int))
        }
    return [_without_bytes(item) for item in value] if isinstance(value, list) else value


def _first_difference(name: str, found: Any, expected: list[dict[str, Any]]) -> str | None:
    """Which config of a list of entries differs, None if none does."""
    if found == expected:
        return None
    entries = found if isinstance(found, list) else []
    for entry, wanted in zip(entries, expected, strict=False):
        if entry != wanted:
            return f"{name} of {wanted['config_name']} is not what the manifest says"
    return f"{name} must hold the configs of the manifest, each once"


# Croissant and SVG --------------------------------------------------------------------------------


def _croissant_problem(text: str, manifest: Mapping[str, Any]) -> str | None:
    """What is wrong with croissant.json, None if nothing is."""
    try:
        values = json.loads(text)
        sets = [part for part in values["distribution"] if part["@type"] == "cr:FileSet"]
        included = {part["@id"]: part["includes"] for part in sets}
        fields = {part["@id"]: _fields(part) for part in values["recordSet"]}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return "it cannot be read as the description of a release"
    patterns = _patterns(manifest)
    expected = {f"{name}-files": list(splits.values()) for name, splits in patterns.items()}
    if included != expected or len(sets) != len(expected):
        return "its files must be those of the manifest"
    for config in patterns:
        rules = _rules(manifest, config)
        wanted = [
            (name, _in_croissant(rule), rule["type"] == "array", f"{config}-files", name)
            for name, rule in rules.items()
        ]
        if fields.get(config) != wanted:
            return f"the columns of {config} must be those of its schema"
    if set(fields) != {*patterns, *(f"{config}_splits" for config in patterns)}:
        return "its record sets must be those of the configs"
    return None


def _fields(record_set: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """(name, type, whether it is a list, file set, column) of each column of a record set."""
    return [
        (
            field["name"],
            field["dataType"],
            field.get("repeated", False),
            field["source"]["fileSet"]["@id"],
            field["source"]["extract"]["column"],
        )
        for field in record_set["field"]
        if "column" in field.get("source", {}).get("extract", {})
    ]


def _svg_problem(text: str) -> str | None:
    """What is wrong with chain.svg, None if it is a drawing and nothing else."""
    if re.search(r"<[!?]", text):
        return "it must hold no declarations, comments or instructions"
    try:
        # without declarations nothing expands
        elements = list(ET.fromstring(text).iter())  # noqa: S314
    except ET.ParseError:
        return "it cannot be read as SVG"
    for element in elements:
        name = str(element.tag).removeprefix(XML)
        if not str(element.tag).startswith(XML) or name not in DRAWN:
            return f"it holds an element {name!r:.60}, which no chain has"
        for attribute, value in element.items():
            if not ATTRIBUTES.fullmatch(attribute) or ":" in value or "(" in value:
                return f"{name} has an attribute {attribute!r:.60} that no chain has"
    return None


def _in_yaml(rule: Mapping[str, Any]) -> dict[str, str]:
    """The type of a column as `datasets` writes it."""
    if rule["type"] == "array":
        return {"list": FEATURES[rule["items"]["type"]]}
    return {"dtype": FEATURES[rule["type"]]}


def _in_croissant(rule: Mapping[str, Any]) -> str:
    """The type of a column, or of the items of its lists."""
    return TYPES[rule["items"]["type"] if rule["type"] == "array" else rule["type"]]
