"""Inspect AI: the questions as a task, scored by the one grader.

    inspect eval bioreason_bench/bioreason -T questions=ctx_zeroshot --model openai/gpt-5

Inspect finds the module by its entry point in the group `inspect_ai`.  Standard errors are
clustered by the person at whom a question starts: questions about one person are not independent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from bioreason_bench.errors import BioreasonError, MissingExtra, UsageError, quoted, suggest
from bioreason_bench.evaluation.harness.functions import documents, mean_of_pairs
from bioreason_bench.evaluation.open_source import check_source, open_source
from bioreason_bench.grading.answer import same_answer
from bioreason_bench.grading.grader import Grade
from bioreason_bench.questions.prompts import chat_prompt, make_prompt

try:
    from inspect_ai import Task, task
    from inspect_ai.dataset import MemoryDataset, Sample
    from inspect_ai.model import GenerateConfig, ModelOutput
    from inspect_ai.scorer import (
        Metric,
        SampleScore,
        Score,
        Scorer,
        Target,
        mean,
        metric,
        scorer,
        stderr,
    )
    from inspect_ai.solver import TaskState, generate
except ImportError:
    raise MissingExtra("inspect-ai", "inspect") from None

__all__ = ["bioreason", "chain", "pair_accuracy"]

VERSION = "1.0"  # raised whenever a score of the same model may change
PROMPTS = {"chat": chat_prompt, "base": make_prompt}
GENERATION = {
    "chat": GenerateConfig(temperature=0.0, max_tokens=16_384),
    "base": GenerateConfig(
        temperature=0.0, max_tokens=320, stop_seqs=["\nQuestion:", " Question:"]
    ),
}
MEANS: dict[str, list[Metric]] = {"*": [mean(), stderr(cluster="start")]}
CUT = ("max_tokens", "model_length")  # stop reasons of a reply that was not finished


@task
def bioreason(
    questions: str = "comp_zeroshot",
    variant: str = "",
    prompt: str = "chat",
    *,
    data: str | None = None,
    revision: str | None = None,
    preset: str | None = None,
    seed: int | None = None,
    split: str = "test",
) -> Task:
    """Questions about the people of a world.

    Args:
        questions: The config of questions, such as ctx_zeroshot or comp_zeroshot.
        variant: "openbook" shows the biographies of all recalled facts as well, "probes" asks each
            hop on its own.
        prompt: "chat" says in words what to answer and how; "base" is the bare prompt of training.
        data: The folder of a release, or a repository on the Hub such as org/bioreason@v1.0.0.
        revision: Revision of the repository.
        preset: Preset of a new world, instead of `data`; without both, the official release.
        seed: Seed of the new world.
        split: "test" or "validation".
    """
    try:
        if prompt not in PROMPTS:
            raise UsageError(f"there is no prompt={quoted(prompt)}: {suggest(prompt, PROMPTS)}")
        check_source(data, revision, preset, seed)
        rows = documents(
            questions,
            variant,
            data=data,
            revision=revision,
            preset=preset,
            seed=seed,
            split=split,
        )["test"].to_list()
        grading = chain(data=data, revision=revision, preset=preset, seed=seed)
    except BioreasonError as error:
        refusal = click.ClickException(str(error))  # which Inspect prints as one line
        refusal.exit_code = error.exit_code  # type: ignore[misc]
        raise refusal from None
    name = f"{questions}_{variant}" if variant else questions
    return Task(
        dataset=MemoryDataset([_sample(row, prompt) for row in rows], name=name),
        solver=generate(),
        scorer=grading,
        metrics=[MEANS, pair_accuracy()] if rows[0].get("pair") else MEANS,
        config=GENERATION[prompt],
        display_name=f"bioreason {name}",
        version=VERSION,
    )


def _sample(row: Mapping[str, Any], prompt: str) -> Sample:
    """A question for Inspect; its metadata are the whole row, so that a log can be scored again."""
    return Sample(
        id=row["id"],
        input=PROMPTS[prompt](row),
        target=row["answer"],
        metadata={**row, "start": row["entities"][0]},
    )


@scorer(metrics=MEANS)
def chain(
    data: str | None = None,
    revision: str | None = None,
    preset: str | None = None,
    seed: int | None = None,
) -> Scorer:
    """The grader of the release that the settings name, see `open_source`.

    Reasoning that the model's service returns on its own is not graded; thoughts in the text are
    cut by the grader.
    """
    grader = open_source(data, revision, preset, seed).grader()

    async def score(state: TaskState, target: Target) -> Score:  # noqa: ARG001 - Inspect's signature
        grade = grader.grade(state.output.completion, state.metadata)
        return Score(
            value=_values(grade, state.metadata, state.output),
            answer=grade.answer,
            explanation=grade.error_kind or "right",
        )

    return score


def _values(grade: Grade, row: Mapping[str, Any], output: ModelOutput) -> dict[str, float]:
    """The metrics of one completion.

    A reply is truncated if it was cut in its thoughts, in the text or in reasoning of its own.
    """
    cut = output.stop_reason in CUT and not output.completion.strip()
    values = {**grade.metrics(), "truncated": float(grade.truncated or cut)}
    if row.get("answer_context"):
        follows = grade.answer is not None and same_answer(grade.answer, row["answer_context"])
        values["follows_context"] = float(follows)
    return values


@metric
def pair_accuracy() -> Metric:
    """Share of the pairs of questions both of which are answered right."""

    def share(scores: list[SampleScore]) -> float:
        return mean_of_pairs([_of_pair(score) for score in scores])

    return share


def _of_pair(scored: SampleScore) -> tuple[str, float]:
    values: Any = scored.score.value  # the table that `chain` gives
    return (scored.sample_metadata or {})["pair"], values["exact_match"]
