"""The report of several runs: what each arm reaches on each level, and what that says.

A page is a list of blocks (headings, sentences, tables, pictures).  It is written as Markdown and
as HTML in a single file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from bioreason_bench.escaping import markdown_code
from bioreason_bench.experiments import figures, tables
from bioreason_bench.experiments.findings import (
    ZEROSHOT,
    control_sentence,
    passk_rule,
    percent,
    rules,
    signatures,
)
from bioreason_bench.experiments.pages import Block, Picture, as_html, as_markdown
from bioreason_bench.experiments.results import Results, read_lines
from bioreason_bench.release.disk import plain_errors, write_whole

CAPTIONS = {
    "levels": "Answers (bars) and whole chains (hatched) by arm and level; dots are seeds.",
    "gain": "Zeroshot answers before and after GRPO, by starting point.",
    "patterns": "Whole chains on zeroshot by pattern (P recalled, C read).",
    "errors": "Hop of the first error, zeroshot questions.",
    "passk": "pass@k on zeroshot, the same number of samples for every arm.",
    "sweep": "Answers on the comp levels along each sweep of a setting.",
    "curves": "Learning curves: loss of supervised stages, reward of GRPO.",
}
PROBES_UNUSABLE = 50.0  # percent of single hops below which the gate says little


def make_report(paths: Sequence[Path], out: Path, log: Callable[[str], None] = print) -> Path:
    """Write report.md, report.html and the pictures (PNG and SVG) into `out`.

    Args:
        paths: Run folders, folders of them, or files of result lines.
        out: The folder of the report; made if it is not there.
        log: Called with one line when the report is written.

    Returns:
        The path of the HTML page.
    """
    results = Results(read_lines(paths))
    with plain_errors(out):
        out.mkdir(parents=True, exist_ok=True)
    pictures = figures.draw_all(results, out)
    blocks = make_blocks(results, pictures)
    page = out / "report.html"
    with plain_errors(out):
        write_whole(out / "report.md", as_markdown(blocks))
        write_whole(page, as_html(blocks, out))
    log(f"report of {len(results.arms)} arms, {len(results.seeds)} seeds: {page}")
    return page


def make_blocks(results: Results, pictures: Mapping[str, str]) -> list[Block]:
    """The page; `pictures` maps the name of each picture that was drawn to its file."""
    blocks: list[Block] = []
    for section in (head, levels, skills, gains, parts, errors, gate, passk, sweeps, runs):
        for block in section(results):
            if not isinstance(block, Picture):
                blocks.append(block)
            elif block.file in pictures:
                blocks.append(Picture(pictures[block.file], block.text))
    return blocks


def picture(name: str) -> Picture:
    """A picture by its name; `make_blocks` puts its file in, or leaves it out."""
    return Picture(name, CAPTIONS[name])


def head(results: Results) -> Iterator[Block]:
    presets = ", ".join(sorted({run["world"]["preset"] for run in results.runs})) or "?"
    yield "# Do language models compose what they know? Results"
    yield f"World: preset {presets}. Seeds: {', '.join(map(str, results.seeds))}."
    yield (
        "Answers are exact matches by the package's grader. Chains are answers whose whole chain "
        "is right as well (process-verified). All shares are in percent."
    )
    yield "## Findings"
    if control := control_sentence(results.by_arm()):
        yield control
    yield from (f"- {sentence}" for sentence in signatures(results.by_arm(), results.bases))
    yield picture("levels")


def levels(results: Results) -> Iterator[Block]:
    yield "## Complementary reasoning (comp) by level"
    yield (
        "Means over the seeds. Low and high are the lowest and the highest seed; for a single "
        "seed they are the ends of the 95 % interval (bootstrap over start persons)."
    )
    for config in results.configs("comp"):
        yield f"### {tables.level_of(config)}"
        yield tables.score_table(results, config)
    if len(results.seeds) > 1:
        yield "### Every seed"
        yield tables.seed_table(results)


def skills(results: Results) -> Iterator[Block]:
    yield "## The atomic skills (mem, ctx)"
    for config in results.configs("mem") + results.configs("ctx"):
        yield f"### {config}"
        yield tables.score_table(results, config)


def gains(results: Results) -> Iterator[Block]:
    if gain := tables.gain_table(results):
        yield "## Does the gain from RL depend on the starting point?"
        yield gain
        yield picture("gain")


def parts(results: Results) -> Iterator[Block]:
    titles = {
        "unseen": "group of the unseen relation",
        "hops": "number of hops",
        "pattern": "pattern",
    }
    for part, title in titles.items():
        if table := tables.part_table(results, part, ZEROSHOT):
            yield f"## Zeroshot by {title}"
            yield table
    yield picture("patterns")


def errors(results: Results) -> Iterator[Block]:
    yield "## First errors (zeroshot)"
    yield tables.error_table(results)
    yield "Kinds of first errors, in percent of the wrong chains:"
    yield tables.error_kind_table(results)
    yield picture("errors")


def gate(results: Results) -> Iterator[Block]:
    gated = tables.gated_table(results)
    if gated is None:
        return
    yield "## Gated: questions all of whose single hops the same model answers"
    yield gated
    single_hops = percent(results.lines, "probes")
    if single_hops is not None and single_hops < PROBES_UNUSABLE:
        yield (
            "Most single hops fail here although longer chains of the same hops succeed: this "
            "training holds no one-hop question, so the form is new to the models. These probes "
            "do not show what a model knows; its chains on mem and ctx do."
        )


def passk(results: Results) -> Iterator[Block]:
    if not results.passk:
        return
    yield "## pass@k"
    yield tables.passk_table(results)
    yield tables.passk_reading_table(results)
    yield passk_rule()
    yield picture("passk")


def sweeps(_: Results) -> Iterator[Block]:
    yield picture("sweep")
    yield picture("curves")


def runs(results: Results) -> Iterator[Block]:
    yield "## Runs"
    yield tables.run_table(results)
    for command in dict.fromkeys(run["command"] for run in results.runs):
        yield f"Command: {markdown_code(command)}"
    if results.runs:
        first = results.runs[0]
        machine = first.get("machine", {})
        versions = ", ".join(f"{name} {number}" for name, number in first["versions"].items())
        threads = machine.get("threads", "?")
        yield f"{versions}; {machine.get('processor', '')}, {threads} thread(s) a run."
    yield rules()
