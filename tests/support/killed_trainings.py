"""Train once uninterrupted, then again and again with SIGKILL at a drawn moment and a resumption.

    python killed_trainings.py RELEASE RECIPE FOLDER SEED TRIALS

Writes FOLDER/whole and FOLDER/0, FOLDER/1 ...  A moment is the n-th time that the run touches a
file in its folder.  The libraries are loaded once; each training is a fork.
"""

from __future__ import annotations

import os
import random
import signal
import sys
from pathlib import Path

import transformers  # noqa: F401 - loaded before the forks
import trl.trainer.grpo_trainer
import trl.trainer.sft_trainer  # noqa: F401

from bioreason_bench.training.data import Corpus
from bioreason_bench.training.recipe import load_recipe
from bioreason_bench.training.run import train

EVENTS = {"open", "os.rename", "os.remove", "os.mkdir", "os.rmdir"}


def in_a_fork(corpus: Corpus, recipe: str, out: Path, *, kill_at: int = 0) -> tuple[int, int]:
    """Train with resume; returns the status of the process and how often it touched a file."""
    counts = out.with_suffix(".touched")
    pid = os.fork()
    if pid:
        status = os.waitpid(pid, 0)[1]
        return status, len(counts.read_bytes()) if counts.exists() else 0
    touched = os.open(counts, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)

    def watch(event: str, args: tuple[object, ...]) -> None:
        if event in EVENTS and str(args[0]).startswith(f"{out}{os.sep}"):
            os.write(touched, b".")
            watch.seen += 1
            if watch.seen == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)

    watch.seen = 0
    sys.addaudithook(watch)
    code = 1
    try:
        train(load_recipe(recipe), corpus, out, resume=True, log=to_stderr, bar=False)
        code = 0
    finally:
        os._exit(code)


def to_stderr(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def main() -> None:
    release, recipe, folder, seed, trials = sys.argv[1:]
    corpus = Corpus(release)
    out = Path(folder)
    status, moments = in_a_fork(corpus, recipe, out / "whole")
    assert status == 0
    draw = random.Random(int(seed))
    for trial in range(int(trials)):
        moment = draw.randrange(1, moments)
        status, _ = in_a_fork(corpus, recipe, out / str(trial), kill_at=moment)
        assert status == signal.SIGKILL, (trial, moment, status)
        status, _ = in_a_fork(corpus, recipe, out / str(trial))
        assert status == 0, (trial, moment, status)


if __name__ == "__main__":
    main()
