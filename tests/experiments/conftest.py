"""Studies that several test files read: never write into them."""

from __future__ import annotations

import pytest
from made_study import CHANCES, passk_line, write_lines, write_study

from bioreason_bench.experiments.report import make_report

STUDY = {
    "name": "main",
    "about": "Five worlds.",
    "worlds": 5,
    "question": "Does GRPO add what SFT does not?",
    "arms": ["sft_mem_ctx", "sft_comp", "sft_mem_ctx+grpo", "sft_mem_ctx+gold"],
    "claims": [
        {
            "first": "sft_mem_ctx",
            "second": "sft_mem_ctx+grpo",
            "text": "reward adds to mastered skills",
        },
        {"first": "sft_mem_ctx+gold", "second": "sft_mem_ctx+grpo"},
        {"first": "sft_comp", "second": "sft_comp", "first_config": "comp_iid"},
    ],
}


@pytest.fixture(scope="session")
def study(tmp_path_factory):
    """Run folders of four arms in five worlds, with claims and pass@k in two of them."""
    root = write_study(tmp_path_factory.mktemp("study"), CHANCES, study=STUDY)
    for seed in (1, 2):
        lines = [
            passk_line("sft_mem_ctx", seed, 0.05, 0.5),
            passk_line("sft_mem_ctx+grpo", seed, 0.9, 0.95),
            passk_line("sft_mem_ctx+gold", seed, 0.9, 0.95),
        ]
        write_lines(root / f"seed{seed}" / "sft_mem_ctx.passk.jsonl", lines)
    return root


@pytest.fixture(scope="session")
def page(study, tmp_path_factory):
    """The HTML page of the study's report, made from its run folders."""
    pytest.importorskip("matplotlib")
    return make_report([study], tmp_path_factory.mktemp("page"), log=lambda _: None)
