"""The page of an analysis: tables, pictures, and sentences computed from the lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bioreason_bench.escaping import markdown_code
from bioreason_bench.experiments.inside.ablate import POINTS, matters
from bioreason_bench.experiments.inside.figures import chosen, distinct
from bioreason_bench.experiments.inside.patch import EVERYWHERE, LOGITS
from bioreason_bench.experiments.report.pages import Block, Picture, Table

Line = dict[str, Any]
LEAST_PATH = 0.1  # share restored from which a path is listed
FEW = 50  # questions of a test set below which nothing can be concluded
CAPTIONS = {
    "hidden-states": "Hidden states at the last token of the prompt, on the first two principal "
    "axes of all models together, layer by layer. Title: share of variance on each axis.",
    "distances": "Distance between the centroids of two skills, divided by the spread within them.",
    "entropy": "Entropy of the next token along gold chains, and along the model's own chains.",
    "patching": "Share of the logit difference (%) that the clean residual stream restores, "
    "by layer and place.",
    "heads": "Share of the logit difference (%) that a single clean head restores; "
    "rows are layers, columns heads.",
    "paths": "Share of the logit difference (%) restored along the path from a head (row) "
    "to a later head (column).",
}


def make_page(
    lines: Sequence[Line], labels: Mapping[str, str], pictures: Sequence[str], notes: Sequence[str]
) -> list[Block]:
    """The blocks of the page.

    Args:
        lines: All measurements.
        labels: Model -> its name on the page, base first.
        pictures: The files of the pictures.
        notes: What could not be measured, a sentence each.
    """
    blocks: list[Block] = ["# Inside the models"]
    blocks += [
        f"- {markdown_code(label)}: {markdown_code(model)}"
        for model, label in labels.items()
        if label != model
    ]
    blocks += [f"- {note}" for note in notes]
    fewest = min((line["questions"] for line in lines if "questions" in line), default=FEW)
    if fewest < FEW:
        blocks.insert(1, f"Smoke run: a test set of {fewest} questions; nothing can be concluded.")
    sections = (
        ("Hidden states", _hidden, ("hidden-states", "distances")),
        ("Entropy", _entropy, ("entropy",)),
        ("Ablation", _ablation, ("ablation",)),
        ("Patching", _patching, ("patching", "heads", "paths")),
    )
    for title, section, names in sections:
        found = section(lines, labels)
        if found:
            blocks += [f"## {title}", *found, *_pictures(pictures, names)]
    return blocks


def _pictures(files: Sequence[str], names: Sequence[str]) -> list[Block]:
    return [
        Picture(file, CAPTIONS.get(stem, f"What the removal of a part costs: {stem}."))
        for name in names
        for file in files
        if (stem := file.removesuffix(".png")).startswith(name)
    ]


def _with_interval(values: Sequence[float] | None, unit: float = 1.0, digits: int = 2) -> str:
    """A mean with its interval, as in 0.50 [0.41, 0.62]; a dash where nothing was measured."""
    if values is None:
        return "–"
    mean, low, high = (f"{unit * value:.{digits}f}" for value in values)
    return f"{mean} [{low}, {high}]"


def _hidden(lines: Sequence[Line], labels: Mapping[str, str]) -> list[Block]:
    """Distances between skills for each layer and model, and the shifts of training."""
    found = chosen(lines, measure="distance")
    if not found:
        return []
    rows = []
    for layer in distinct(found, "layer"):
        for pair in dict.fromkeys(tuple(line["configs"]) for line in found):
            cells = [
                f"{line['distance']:.2f}"
                for model in labels
                for line in chosen(found, model=model, layer=layer, configs=list(pair))
            ]
            rows.append([layer, f"{pair[0]} to {pair[1]}", *cells])
    chance = max(line["chance"] for line in found)
    blocks: list[Block] = [
        (
            "Distance between the centroids of two skills, in units of the spread within a skill. "
            f"Two samples of the same states would be about {chance:.2f} apart."
        ),
        Table(["layer", "skills", *labels.values()], rows),
    ]
    shifts = chosen(lines, measure="shift")
    if shifts:
        pairs = distinct(shifts, "before", "model")
        heads = [f"{labels[before]} to {labels[after]}" for before, after in pairs]
        body = [
            [
                layer,
                config,
                *(
                    f"{line['shift']:.2f}"
                    for _, after in pairs
                    for line in chosen(shifts, model=after, layer=layer, config=config)
                ),
            ]
            for layer in distinct(shifts, "layer")
            for config in distinct(shifts, "config")
        ]
        blocks += [
            "How far training moved the centroid of a skill, in the same units.",
            Table(["layer", "skill", *heads], body),
        ]
    return blocks


def _entropy(lines: Sequence[Line], labels: Mapping[str, str]) -> list[Block]:
    found = chosen(lines, measure="entropy")
    if not found:
        return []
    rows = [
        [
            config,
            kind,
            *(
                _with_interval(line["entropy"], digits=3)
                for model in labels
                for line in chosen(found, config=config, kind=kind, model=model)
            ),
        ]
        for config, kind in distinct(found, "config", "kind")
    ]
    return [
        "Entropy in nats, with the 95 % interval over start persons.",
        Table(["test set", "token", *labels.values()], rows),
    ]


def _ablation(lines: Sequence[Line], labels: Mapping[str, str]) -> list[Block]:
    """Which heads and other parts matter for recalled and for read hops."""
    found = chosen(lines, measure="ablation")
    if not found:
        return []
    blocks: list[Block] = [
        (
            f"A part matters if its removal costs more than {100 * POINTS:.0f} points of accuracy "
            "(the whole 95 % interval). Points lost, the largest first:"
        )
    ]
    rows = []
    for config, kind in distinct(found, "config", "kind"):
        for model, label in labels.items():
            of_model = chosen(found, config=config, kind=kind, model=model)
            if of_model:
                accuracy = f"{100 * of_model[0]['accuracy']:.0f}"
                heads = [line for line in of_model if line["part"].startswith("head")]
                others = [line for line in of_model if line not in heads]
                rows.append([config, kind, label, accuracy, _costs(heads), _costs(others)])
    blocks.append(Table(["test set", "token", "model", "accuracy", "heads", "other parts"], rows))
    changes = [
        line
        for line in chosen(lines, measure="ablation change")
        if line["accuracy_drop_change"][1] > 0 or line["accuracy_drop_change"][2] < 0
    ]
    if changes:
        blocks += [
            (
                "Parts whose removal costs more or less after training than before "
                "(points; the interval excludes 0; about one in twenty does so by chance):"
            ),
            Table(
                ["test set", "token", "from", "to", "part", "change"],
                [
                    [
                        line["config"],
                        line["kind"],
                        labels[line["before"]],
                        labels[line["model"]],
                        line["part"],
                        _with_interval(line["accuracy_drop_change"], 100, 1),
                    ]
                    for line in changes
                    if line["kind"] in {"recalled", "read"} and line["part"].startswith("head")
                ],
            ),
        ]
    return blocks


def _costs(lines: Sequence[Line]) -> str:
    """The parts that matter and what they cost, in points."""
    found = sorted(filter(matters, lines), key=lambda line: -line["accuracy_drop"][0])
    return ", ".join(
        f"{line['part'].removeprefix('head ')} ({100 * line['accuracy_drop'][0]:.0f})"
        for line in found
    ) or ("none" if lines else "not measured")


def _patching(lines: Sequence[Line], labels: Mapping[str, str]) -> list[Block]:
    """For each family of pairs the heads and paths that restore most."""
    found = chosen(lines, measure="patching")
    if not found:
        return []
    rows = []
    for config, family in distinct(found, "config", "family"):
        for model, label in labels.items():
            fields = {"config": config, "family": family, "model": model}
            of_model = chosen(found, **fields)
            if not of_model:
                continue
            first = of_model[0]
            heads = [
                (line["part"].removeprefix("head "), line["restored"])
                for line in chosen(of_model, position=EVERYWHERE)
                if line["part"].startswith("head")
            ]
            of_paths = chosen(lines, measure="path", **fields)
            direct = [
                (line["from"].removeprefix("head "), line["restored"])
                for line in of_paths
                if line["to"] == LOGITS
            ]
            through = [
                (f"{line['from']} → {line['to']}".replace("head ", ""), line["restored"])
                for line in of_paths
                if line["to"] != LOGITS
            ]
            pairs = f"{first['pairs_right']} of {first['pairs']}"
            rows.append([config, family, label, pairs, *map(_largest, (heads, direct, through))])
    return [
        (
            "Pairs that the model answers rightly in both texts, and the share of the logit "
            f"difference (%) restored by single heads, from {100 * LEAST_PATH:.0f} % on."
        ),
        Table(
            ["test set", "pairs", "model", "right", "head", "its path to the logits", "path"], rows
        ),
    ]


def _largest(shares: Sequence[tuple[str, Sequence[float]]]) -> str:
    """Those whose interval lies above LEAST_PATH, the largest first."""
    found = sorted(
        ((name, values) for name, values in shares if values[1] > LEAST_PATH),
        key=lambda item: -item[1][0],
    )
    return ", ".join(f"{name} ({100 * values[0]:.0f})" for name, values in found) or "none"
