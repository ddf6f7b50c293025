"""GRPO: the data of a stage, where its rewards come from, and the loss without idle samples."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("trl")

from datasets import Dataset
from trl import GRPOConfig, GRPOTrainer

from bioreason_bench.draw import Draw
from bioreason_bench.training.data import Corpus, prepare
from bioreason_bench.training.models import load as models
from bioreason_bench.training.packing import Collate
from bioreason_bench.training.progress import ProgressLogger
from bioreason_bench.training.recipe import make_recipe
from bioreason_bench.training.run import begin_stage
from bioreason_bench.training.stages.grpo import train_grpo
from bioreason_bench.training.stages.grpo_trainer import ReplayGRPOTrainer, drop_idle

RECIPE = {
    "name": "small",
    "model": {"from_scratch": {"hidden_size": 32, "num_hidden_layers": 2, "intermediate_size": 64}},
    "packed": True,
    "bf16": False,
    "max_length": 192,
    "stages": [
        {
            "kind": "grpo",
            "steps": 6,
            "learning_rate": 1e-3,
            "max_completion": 8,
            "samples": 4,
            "prompts": {"comp_rl": 6},
            "reward": {"outcome": 1.0, "process": 0.5, "format": 0.1},
            "batch": {"biographies": 4, "mem": 2},
        }
    ],
}

LOSSES = [
    *(
        {"loss_type": name}
        for name in ("dapo", "cispo", "vespo", "grpo", "sapo", "bnpo", "dr_grpo")
    ),
    {"loss_type": "luspo", "importance_sampling_level": "sequence"},
    {"loss_type": "grpo", "importance_sampling_level": "sequence"},
    {"top_entropy_quantile": 0.5},
    {"entropy_coef": 0.1},
]


@pytest.mark.parametrize(
    "options", LOSSES, ids=lambda options: "-".join(map(str, options.values()))
)
def test_without_idle_samples_loss_and_gradient_are_those_of_trl(nano_release, tmp_path, options):
    """For every loss type of TRL: each divides the loss by something else."""
    model, tokenizer = models.start(make_recipe(RECIPE), Corpus(nano_release))
    config = GRPOConfig(
        output_dir=str(tmp_path),
        use_cpu=True,
        bf16=False,
        gradient_checkpointing=False,
        per_device_train_batch_size=8,
        report_to="none",
        **options,
    )
    trainer = ReplayGRPOTrainer(
        model=model,
        reward_funcs=lambda completions, **_: [0.0] * len(completions),
        args=config,
        processing_class=tokenizer,
        train_dataset=Dataset.from_list([{"prompt": "Question:"}] * 8),
        replay=None,
        replay_weight=1.0,
        collate=Collate(tokenizer.pad_token_id),
        progress=ProgressLogger("test", 1, tmp_path / "log.jsonl", show_bar=False),
    )
    model.train()
    trainer.current_gradient_accumulation_steps = 1
    inputs = grpo_inputs(len(tokenizer))
    losses, gradients = [], []
    for compute in (GRPOTrainer._compute_loss, ReplayGRPOTrainer._compute_loss):
        model.zero_grad()
        loss = compute(trainer, model, dict(inputs))
        loss.backward()
        losses.append(loss.detach())
        gradients.append(torch.cat([weight.grad.flatten() for weight in model.parameters()]))
    assert float(gradients[0].abs().max()) > 1e-4
    assert torch.allclose(*losses, atol=1e-6)
    assert torch.allclose(*gradients, atol=1e-6)


def grpo_inputs(vocabulary: int) -> dict[str, torch.Tensor]:
    """Eight samples as TRL scores them, three of which have an advantage."""
    generator = torch.Generator().manual_seed(0)
    prompt_mask = (torch.arange(10) >= torch.randint(0, 8, (8, 1), generator=generator)).long()
    completion_mask = (torch.arange(7) < torch.randint(1, 8, (8, 1), generator=generator)).long()
    prompts = torch.randint(3, vocabulary, (8, 10), generator=generator)
    completions = torch.randint(3, vocabulary, (8, 7), generator=generator)
    return {
        "prompt_ids": prompts * prompt_mask,
        "prompt_mask": prompt_mask,
        "completion_ids": completions * completion_mask,
        "completion_mask": completion_mask,
        "advantages": torch.tensor([0.0, 1.0, 0.0, -1.0, 0.0, 0.5, 0.0, 0.0]),
        "num_items_in_batch": completion_mask.sum(),
    }


def test_idle_samples_are_dropped_and_the_others_cut_to_their_longest():
    inputs = grpo_inputs(60)
    inputs["importance_sampling_ratio"] = torch.ones(8, 7)  # with vLLM
    kept = drop_idle(dict(inputs))
    assert kept["advantages"].tolist() == [1.0, -1.0, 0.5]
    width = int(kept["completion_mask"].sum(1).max())
    for name in ("completion_ids", "completion_mask", "importance_sampling_ratio"):
        assert kept[name].shape == (3, width)
    assert int(kept["completion_mask"].sum()) == int(inputs["completion_mask"][[1, 3, 5]].sum())
    inputs["advantages"] = torch.zeros(8)
    assert len(drop_idle(inputs)["advantages"]) == 1


def test_the_rewards_of_a_grpo_stage_come_from_the_grader_of_the_release(
    nano_release, tmp_path, monkeypatch
):
    class Stop(Exception):
        pass

    def record(**options):
        raise Stop(options["reward_funcs"])

    class OwnGrader:
        def grade(self, *_):
            return SimpleNamespace(exact_match=True, hop_accuracy=0.75, format_ok=True)

    corpus, recipe = Corpus(nano_release), make_recipe(RECIPE)
    model, tokenizer = models.start(recipe, corpus)
    run = begin_stage(model, tokenizer, corpus, recipe, 1, tmp_path)
    data = prepare(corpus, run.stage, tokenizer, recipe.max_length, run.draw)
    monkeypatch.setattr(corpus, "grader", OwnGrader)
    monkeypatch.setattr("bioreason_bench.training.stages.grpo_trainer.ReplayGRPOTrainer", record)
    with pytest.raises(Stop) as caught:
        train_grpo(run, data)
    (rewards,) = caught.value.args
    row = {name: [value] for name, value in data.prompts[0].items()}
    values = {reward.__name__: reward(["nonsense"], **row) for reward in rewards}
    assert values == {"outcome": [1.0], "process": [0.75], "format": [1.0]}


def test_a_stage_is_prepared_as_values_that_do_not_depend_on_how_long_it_is(nano_release):
    corpus, recipe = Corpus(nano_release), make_recipe(RECIPE)
    tokenizer = models.start(recipe, corpus)[1]
    prepared = []
    for steps in ("6", "40"):
        stage = make_recipe(RECIPE, {"grpo.steps": steps}).stages[0]
        draw = Draw(0, ("stage", "1", "grpo"))
        prepared.append(prepare(corpus, stage, tokenizer, recipe.max_length, draw))
    short, long = prepared
    assert len(short.prompts) == 6 * 6
    assert short.prompts == long.prompts[: 6 * 6]
    assert [row["id"] for row in short.prompts] != sorted(row["id"] for row in short.prompts)
    assert [short.mixture[i] for i in range(36)] == [long.mixture[i] for i in range(36)]
