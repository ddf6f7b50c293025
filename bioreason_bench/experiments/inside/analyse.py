"""All measures for a list of models, the base first: lines, pictures and a page."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bioreason_bench.errors import UsageError, one_line, suggest
from bioreason_bench.escaping import json_text
from bioreason_bench.experiments.inside import figures
from bioreason_bench.experiments.inside.ablate import (
    Ablation,
    ablate,
    ablation_lines,
    change_lines,
)
from bioreason_bench.experiments.inside.entropy import entropy_lines, own_chain_line
from bioreason_bench.experiments.inside.figures import chosen, distinct
from bioreason_bench.experiments.inside.forward import score
from bioreason_bench.experiments.inside.hooks import is_nano, layers_of
from bioreason_bench.experiments.inside.page import make_page
from bioreason_bench.experiments.inside.pairs import Pair, make_pairs
from bioreason_bench.experiments.inside.patch import patch, patch_lines
from bioreason_bench.experiments.inside.pca import (
    States,
    distance_lines,
    prompt_states,
    shift_lines,
)
from bioreason_bench.experiments.inside.texts import Text, make_texts
from bioreason_bench.experiments.report.pages import as_markdown
from bioreason_bench.figure_style import require_matplotlib
from bioreason_bench.release.disk import plain_errors, user_path, write_whole
from bioreason_bench.taxonomy import LEVELS, SKILLS
from bioreason_bench.training.data import Corpus, Row
from bioreason_bench.training.measure import questions_of
from bioreason_bench.training.models import load as models

if TYPE_CHECKING:
    from transformers import PreTrainedModel

MEASURES = ("pca", "entropy", "ablation", "patching")
PAIRS = 50  # most pairs of each family
Line = dict[str, Any]


@dataclass
class _Study:
    """What is measured, and what has been so far.

    Attributes:
        corpus: The release.
        questions: The questions of each test set.
        measures: Some of MEASURES.
        log: Called with a line for each model and measure.
        lines: The measurements.
        states: model -> config -> hidden states by layer.
        ablations: config -> the ablation of the last model, to compare the next one with.
        notes: What could not be measured, a sentence each.
    """

    corpus: Corpus
    questions: Mapping[str, list[Row]]
    measures: Sequence[str]
    log: Callable[[str], None]
    lines: list[Line] = field(default_factory=list)
    states: dict[str, dict[str, States]] = field(default_factory=dict)
    ablations: dict[str, Ablation] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def analyse(
    names: Sequence[str],
    corpus: Corpus,
    out: Path,
    *,
    level: str = "iid",
    split: str = "test",
    limit: int = 200,
    measures: Sequence[str] = MEASURES,
    log: Callable[[str], None] = print,
) -> list[Line]:
    """Measure models on the same questions and write measurements.jsonl, analysis.md, pictures.

    Args:
        names: Folders of models, or their names on the Hub: the base, then after each stage.
        corpus: The release that is asked.
        out: Folder of what is written.
        level: Level of the questions.
        split: "test" or "validation".
        limit: Questions of each skill; 0 for all.
        measures: Some of MEASURES.
        log: Called with a line for each model and measure.

    Returns:
        The lines of measurements.jsonl: one for each measurement.

    Raises:
        UsageError: There is no such level, measure or model, or models cannot be compared.
    """
    if level not in LEVELS:
        raise UsageError(
            f"there is no level {one_line(level, 60)!r}; {suggest(level[:60], LEVELS)}"
        )
    if len(set(names)) < len(names):
        raise UsageError("a model is named twice; name each once, the base first")
    require_matplotlib()
    configs = [f"{skill}_{level}" for skill in SKILLS if corpus.has(f"{skill}_{level}", split)]
    if not configs:
        raise UsageError(f"{corpus.path} has no {split} questions of level {level}")
    questions = {config: questions_of(corpus, config, split, limit) for config in configs}
    folder = user_path(out)
    is_new = not folder.exists()
    with plain_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    models.quiet()
    study = _Study(corpus, questions, measures, log)
    try:
        for number, name in enumerate(names):
            _measure_model(study, name, names[number - 1] if number else None)
    except BaseException:
        if is_new:
            with suppress(OSError):  # somebody else has put something there
                folder.rmdir()
        raise
    labels = short_names(names)
    lines = "".join(json_text(line) + "\n" for line in study.lines)
    write_whole(folder / "measurements.jsonl", lines)
    pictures = draw(study.lines, study.states, labels, folder)
    page = as_markdown(make_page(study.lines, labels, pictures, study.notes))
    write_whole(folder / "analysis.md", page)
    log(f"{folder / 'analysis.md'} shows {len(study.lines)} measurements")
    return study.lines


def _measure_model(study: _Study, name: str, before: str | None) -> None:
    """Add the measurements of one model, and what changed since the one before it."""
    model, tokenizer = models.load_to_measure(name)
    note = what_is_left_out(name, model)
    if note:
        study.notes.append(note)
        study.log(note)
    for config, rows in study.questions.items():
        texts = make_texts(tokenizer, rows)
        head = {"model": name, "config": config, "questions": len(texts)}
        if not texts:
            raise UsageError(f"no chain of {config} names the people of its path in order")
        if "pca" in study.measures:
            study.states.setdefault(name, {})[config] = prompt_states(model, texts)
        if "entropy" in study.measures:
            study.lines += entropy_lines(texts, score(model, texts), head)
            study.lines.append(own_chain_line(model, tokenizer, rows, head))
            study.log(f"{name}: {config}: entropy is measured")
        if "ablation" in study.measures:
            _add_ablation(study, model, texts, before, head)
            study.log(f"{name}: {config}: ablation is done")
        if "patching" in study.measures:
            for family, pairs in make_pairs(tokenizer, study.corpus, rows, PAIRS).items():
                _add_patching(study, model, pairs, {**head, "family": family})
    if "pca" in study.measures:
        states = study.states[name]
        fewest = min(map(len, study.questions.values()))
        study.lines += distance_lines(states, {"model": name, "questions": fewest})
        if before is not None:
            pair = {"before": before, "model": name}
            study.lines += shift_lines(study.states[before], states, pair)


def what_is_left_out(name: str, model: PreTrainedModel) -> str:
    """A sentence about what cannot be measured in this model; "" for a nano model."""
    if is_nano(model):
        return ""
    return (
        f"{name} is a {type(model).__name__}: its {len(layers_of(model))} layers and the states "
        "between them are measured; single heads, attention, MLP, convolution and the paths "
        "between heads only in nano models"
    )


def _add_ablation(
    study: _Study,
    model: PreTrainedModel,
    texts: Sequence[Text],
    before: str | None,
    head: Line,
) -> None:
    now = ablate(model, texts)
    study.lines += ablation_lines(now, head)
    last = study.ablations.get(head["config"])
    if last is not None and _comparable(last, now):
        study.lines += change_lines(last, now, {"before": before, **head})
    study.ablations[head["config"]] = now


def _comparable(before: Ablation, after: Ablation) -> bool:
    """Whether two models have the same spots and parts."""
    return np.array_equal(before.kind, after.kind) and list(before.without) == list(after.without)


def _add_patching(study: _Study, model: PreTrainedModel, pairs: Sequence[Pair], head: Line) -> None:
    restored = patch(model, pairs)
    study.lines += patch_lines(restored, head)
    study.log(
        f"{head['model']}: {head['config']}: patching is done: {head['family']}: "
        f"{len(restored.starts)} of {len(pairs)} pairs are right"
    )


def draw(
    lines: Sequence[Line],
    states: Mapping[str, Mapping[str, States]],
    labels: Mapping[str, str],
    folder: Path,
) -> list[str]:
    """Draw the pictures of what was measured; returns their PNG files."""
    files = []
    if states:
        files.append(figures.hidden_states(states, list(labels.values()), folder / "hidden-states"))
    for measure, picture in (("distance", figures.distances), ("entropy", figures.entropy)):
        found = chosen(lines, measure=measure)
        if found:
            files.append(picture(found, labels, folder / picture.__name__))
    ablated = chosen(lines, measure="ablation")
    for config in distinct(ablated, "config"):
        stem = folder / f"ablation-{config}"
        files.append(figures.ablation(chosen(ablated, config=config), labels, stem))
    patched = [line for line in chosen(lines, measure="patching") if "part" in line]
    if patched:
        files.append(figures.patching(patched, labels, folder / "patching"))
    paths = chosen(lines, measure="path")
    if paths:
        files.append(figures.heads(patched, paths, labels, folder / "heads"))
        files.append(figures.paths(paths, labels, folder / "paths"))
    return files


def short_names(names: Sequence[str]) -> dict[str, str]:
    """Model -> the last parts of its path that tell it from the others."""
    most = max(len(Path(name).parts) for name in names)
    for length in range(1, most + 1):
        short = ["/".join(Path(name).parts[-length:]) for name in names]
        if len(set(short)) == len(names):
            return dict(zip(names, short, strict=True))
    return {name: name for name in names}
