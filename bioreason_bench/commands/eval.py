"""`bioreason eval`: lm-evaluation-harness with this package's tasks; other options go to it."""

from __future__ import annotations

import click


@click.command(
    name="eval",
    context_settings={
        "ignore_unknown_options": True,
        "allow_extra_args": True,
        "help_option_names": ["--help"],
    },
    add_help_option=True,
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def command(arguments: tuple[str, ...]) -> None:
    """Score a model: run lm_eval with the bioreason tasks and ARGUMENTS (see lm_eval run --help).

    \b
    bioreason eval --model hf --model_args pretrained=Qwen/Qwen2.5-1.5B --tasks bioreason_comp
    bioreason eval ... --tasks bioreason_comp_openbook_chat --apply_chat_template   a chat model
    bioreason eval ... --metadata '{"data": "releases/v1"}'                       a folder
    bioreason eval ... --metadata '{"data": "org/bioreason", "revision": "v1.0.0"}'   the Hub
    bioreason eval ... --metadata '{"preset": "small", "seed": 7}'                a new world
    bioreason eval ... --metadata '{"split": "validation"}'                       to tune on
    bioreason eval ... --tasks bioreason_comp_passk --metadata '{"samples": 512}'

    Without --metadata: the official release (v1, seed 42), made on first use.
    `bioreason tasks list` prints the tasks. With --output_path the answers are logged too, so that
    `bioreason plot` and `bioreason stats` can read them. Groups leave out the tasks of levels that
    the data do not have.
    """  # noqa: D301 - click reads \b
    import contextlib

    from bioreason_bench.evaluation.harness.run import run_harness

    if any(
        argument in ("hf", "hf-auto", "huggingface") or argument.endswith("=hf")
        for argument in arguments
    ):
        with contextlib.suppress(ModuleNotFoundError):
            from bioreason_bench.training.models.nano import register

            register()
    run_harness(list(arguments))
