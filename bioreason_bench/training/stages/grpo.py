"""GRPO on TRL's GRPOTrainer, with replay of biographies and atomic questions.

What differs from TRL as it comes, all of it leaving the update as it is:
- off vLLM, prompts are read once for all their samples (sample.py);
- with beta 0 a sample without advantage has no gradient, so it is not computed (late in training that is most of them);
- a step's prompts and its random numbers are functions of (seed, step), so that a resumed run is the same run;
- `batch` texts are learnt beside the reward (replay_weight), so that what was known is not forgotten.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from bioreason_bench.draw import Draw
from bioreason_bench.errors import UsageError
from bioreason_bench.grading.rewards import COLUMNS, make_rewards
from bioreason_bench.training.data import Corpus, Mixture, choose, prompt_of
from bioreason_bench.training.packing import Collate
from bioreason_bench.training.progress import Watch
from bioreason_bench.training.recipe import Recipe, Stage
from bioreason_bench.training.stages.sft import configure, run_trainer, trainer_options


def prompts_in_order(release: Corpus, stage: Stage, draw: Draw) -> list[dict[str, Any]]:
    """The prompts of the whole stage, `stage.prompts.rows` a step, with the columns that rewards need."""
    rows = choose(release, stage.prompts, draw)
    need = stage.steps * stage.prompts.rows
    order: list[int] = []
    for epoch in range(-(-need // len(rows))):
        order += draw.at("prompts", stage.prompts.name, epoch).permutation(len(rows)).tolist()
    return [
        {"prompt": prompt_of(rows[index]), **{name: rows[index][name] for name in COLUMNS}}
        for index in order[:need]
    ]


def train_grpo(
    model: Any,
    tokenizer: Any,
    release: Corpus,
    replay: Mixture | None,
    recipe: Recipe,
    stage: Stage,
    folder: Path,
    watch: Watch,
    draw: Draw,
) -> dict[str, float]:
    """Trains `model` in place; resumes from `folder`/checkpoints if something is there.  Returns seconds a step and the like."""
    from datasets import Dataset
    from trl import GRPOConfig

    if not stage.prompts.rows:
        raise UsageError(
            f"recipe {recipe.name}: a grpo stage needs prompts a step, such as prompts: {{comp_rl: 32}}"
        )
    options = trainer_options(recipe, stage, folder, stage.prompts.rows * stage.samples)
    options = {
        "num_generations": stage.samples,
        "max_completion_length": stage.max_completion,
        "temperature": stage.temperature,
        "top_k": 0,
        "beta": stage.beta,
        "reward_weights": list(stage.reward.values()),
        "shuffle_dataset": False,
        "steps_per_generation": stage.accumulate,
        "log_completions": False,
        **options,
    }
    trainer = grpo_trainer()(
        model=model,
        reward_funcs=make_rewards(stage.reward, stage.reward_options, end=[tokenizer.eos_token_id]),
        args=configure(GRPOConfig, options, f"recipe {recipe.name}"),
        train_dataset=Dataset.from_list(prompts_in_order(release, stage, draw)),
        processing_class=tokenizer,
        callbacks=[watch.callback()],
    )
    trainer.replay, trainer.replay_weight = replay, stage.replay_weight
    trainer.collate = Collate(tokenizer.pad_token_id, recipe.packed)
    trainer.watch = watch
    return run_trainer(trainer, model, folder, watch, stage.temperature)


def grpo_trainer() -> type:
    """The subclass of TRL's GRPOTrainer; made late, since importing TRL takes seconds."""
    from trl import GRPOTrainer

    from bioreason_bench.training.models.sample import sample

    class ReplayGRPOTrainer(GRPOTrainer):
        replay: Mixture | None = None

        def _generate_single_turn(
            self,
            prompt_ids: Any,
            images: Any,
            multimodal_fields: Any,
            num_generations: int,
            *rest: Any,
            **more: Any,
        ) -> Any:
            if (
                self.use_vllm
                or self.use_transformers_continuous_batching
                or self.is_fsdp_enabled
                or self.is_deepspeed_enabled
            ):
                return super()._generate_single_turn(
                    prompt_ids, images, multimodal_fields, num_generations, *rest, **more
                )
            model = self.accelerator.unwrap_model(self.model_wrapped)
            place = (
                self.state.global_step * self.accelerator.num_processes
                + self.accelerator.process_index
            )
            texts = sample(
                model,
                prompt_ids,
                ends=list(self.eos_token_ids),
                max_new=self.max_completion_length,
                temperature=self.temperature,
                seed=int(Draw(self.args.seed).at("rollout").words([place])[0] >> np.uint64(1)),
                batch=len(prompt_ids),
                pad=self._tokenizer.pad_token_id,
            )
            completions = [text for (text,) in texts]
            self.watch.tokens += sum(map(len, completions)) + sum(map(len, prompt_ids))
            return completions, None

        def _compute_loss(self, model: Any, inputs: dict[str, Any]) -> Any:
            training = model.training
            if (
                training
                and self.beta == 0.0
                and not self._entropy_bonus_enabled
                and "tool_mask" not in inputs
            ):
                inputs = without_idle(inputs)
            loss = super()._compute_loss(model, inputs)
            if training and self.replay is not None:
                loss = (
                    loss
                    + self.replay_weight
                    / self.current_gradient_accumulation_steps
                    * self._replay_loss(model)
                )
            return loss

        def _replay_loss(self, model: Any) -> Any:
            """Mean loss a token of this device's share of the step's replay texts."""
            parts = self.accelerator.num_processes * self.current_gradient_accumulation_steps
            part = (
                self.accelerator.process_index * self.current_gradient_accumulation_steps
                + self._step % self.current_gradient_accumulation_steps
            )
            begin = self.state.global_step * self.replay.step_rows
            items = [self.replay[begin + row] for row in range(part, self.replay.step_rows, parts)]
            batch = {
                name: tensor.to(self.accelerator.device)
                for name, tensor in self.collate(items).items()
            }
            with self.accelerator.autocast():
                out = model(**batch, fused_lm_head=True)
            value = -out.log_probs.sum() / out.label_mask.sum().clamp(min=1)
            self._metrics["train"]["replay_loss"].append(value.item())
            return value

    return ReplayGRPOTrainer


def without_idle(inputs: dict[str, Any]) -> dict[str, Any]:
    """The samples that have an advantage (at least one sample), cut to their longest prompt and completion."""
    import torch

    keep = inputs["advantages"].abs() > 1e-8
    if not bool(keep.any()):
        keep = torch.zeros_like(keep)
        keep[0] = True
    rows = keep.shape[0]
    inputs = {
        name: value[keep]
        if isinstance(value, torch.Tensor) and value.dim() and value.shape[0] == rows
        else value
        for name, value in inputs.items()
    }
    prompt, completion = (
        int(inputs["prompt_mask"].sum(1).max()),
        int(inputs["completion_mask"].sum(1).max()),
    )
    for name in ("prompt_ids", "prompt_mask"):
        inputs[name] = inputs[name][:, -prompt:]
    for name in (
        "completion_ids",
        "completion_mask",
        "old_per_token_logps",
        "sampling_per_token_logps",
    ):
        if name in inputs:
            inputs[name] = inputs[name][:, : max(1, completion)]
    return inputs
