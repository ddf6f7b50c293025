"""The nano model, the sampler, packing and Muon: none of the shortcuts changes a result."""

from __future__ import annotations

import random

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from transformers import (
    CONFIG_MAPPING,
    AutoConfig,
    AutoModelForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
)

from bioreason_bench.training.models.nano import NanoConfig, NanoForCausalLM
from bioreason_bench.training.models.sample import sample
from bioreason_bench.training.packing import IGNORE, Collate, first_fit
from bioreason_bench.training.stages.label_scores import score_labels_only
from bioreason_bench.training.stages.optimizer import make_optimizer, orthogonal

END = [1, 2, 7]
SIZES = {"vocab_size": 60, "hidden_size": 32, "num_hidden_layers": 2, "initializer_range": 0.2}


@pytest.fixture(scope="module")
def nano():
    torch.manual_seed(0)
    return NanoForCausalLM(NanoConfig(**SIZES, intermediate_size=64)).eval()


@pytest.fixture(scope="module")
def llama():
    torch.manual_seed(0)
    config = LlamaConfig(**SIZES, num_attention_heads=2, intermediate_size=64)
    return LlamaForCausalLM(config).eval()


@pytest.fixture(scope="module")
def zaya():
    """A model whose cache also holds the states of convolutions and a recurrent state."""
    torch.manual_seed(0)
    if "zaya" not in CONFIG_MAPPING:
        pytest.skip("this version of transformers has no ZAYA")
    config = AutoConfig.for_model(
        "zaya",
        **SIZES,
        head_dim=16,
        layer_types=["hybrid"] * 2,
        num_attention_heads=2,
        num_key_value_heads=2,
        num_experts=2,
        moe_intermediate_size=64,
        router_hidden_size=16,
        pad_token_id=0,
        bos_token_id=None,
        eos_token_id=1,
    )
    model = AutoModelForCausalLM.from_config(config).eval()
    with torch.no_grad():
        for layer in model.model.layers:
            layer.self_attn.qk_norm.temp += 1.0  # else it attends to all tokens alike
    return model


@pytest.fixture(scope="module")
def prompts():
    draw = random.Random(0)
    return [[draw.randrange(3, 60) for _ in range(draw.randrange(1, 20))] for _ in range(13)]


def greedy_without_cache(model, prompt: list[int], tokens: int) -> list[int]:
    ids = list(prompt)
    with torch.no_grad():
        for _ in range(tokens):
            ids.append(int(model(input_ids=torch.tensor([ids])).logits[0, -1].argmax()))
            if ids[-1] in END:
                break
    return ids[len(prompt) :]


def test_decoding_with_a_cache_and_left_padding_equals_decoding_without(nano, prompts):
    width = max(map(len, prompts))
    ids = torch.tensor([[0] * (width - len(prompt)) + prompt for prompt in prompts])
    mask = torch.tensor([[0] * (width - len(prompt)) + [1] * len(prompt) for prompt in prompts])
    out = nano.generate(
        input_ids=ids,
        attention_mask=mask,
        max_new_tokens=12,
        do_sample=False,
        eos_token_id=END,
        pad_token_id=0,
    )
    for prompt, row in zip(prompts, out[:, width:].tolist(), strict=True):
        expected = greedy_without_cache(nano, prompt, 12)
        assert row[: len(expected)] == expected


@pytest.mark.parametrize("kind", ["nano", "llama", "zaya"])
def test_greedy_sampling_in_batches_equals_decoding_each_prompt_alone(kind, prompts, request):
    model = request.getfixturevalue(kind)
    completions = sample(model, prompts, ends=END, max_new=12, batch=4)
    assert [texts[0] for texts in completions] == [
        greedy_without_cache(model, prompt, 12) for prompt in prompts
    ]


def test_the_seed_fixes_samples_which_follow_the_probabilities_of_the_model(nano, prompts):
    first, again = (
        sample(nano, prompts, ends=END, max_new=8, samples=3, temperature=1.0, seed=5)
        for _ in range(2)
    )
    assert first == again
    assert first != sample(nano, prompts, ends=END, max_new=8, samples=3, temperature=1.0, seed=6)
    many = sample(
        nano, [prompts[0]], ends=END, max_new=1, samples=4000, temperature=1.0, seed=1, batch=4000
    )[0]
    with torch.no_grad():
        wanted = nano(input_ids=torch.tensor([prompts[0]])).logits[0, -1].softmax(-1)
    counted = torch.bincount(torch.tensor([text[0] for text in many]), minlength=60) / 4000
    assert float((counted - wanted).abs().max()) < 0.03


@pytest.mark.parametrize("kind", ["nano", "llama"])
def test_texts_that_share_a_row_do_not_see_each_other(kind, prompts, request):
    model = request.getfixturevalue(kind)
    items = [{"input_ids": prompt, "labels": prompt} for prompt in prompts]
    sums = []
    for packed in (True, False):
        batch = Collate(0, packed)(items)
        labels = batch.pop("labels")[:, 1:]
        with torch.no_grad():
            scores = model(**batch, use_cache=False).logits[:, :-1].log_softmax(-1)
        mask = labels != IGNORE
        sums.append((float(scores[mask].gather(-1, labels[mask][:, None]).sum()), int(mask.sum())))
    assert sums[0][1] == sums[1][1] == sum(len(prompt) - 1 for prompt in prompts)
    assert sums[0][0] == pytest.approx(sums[1][0], rel=1e-4)


def test_packing_loses_no_text_and_overfills_no_row():
    draw = random.Random(1)
    lengths = [draw.randrange(1, 40) for _ in range(200)]
    rows = first_fit(lengths, 40)
    assert sorted(text for row in rows for text in row) == list(range(200))
    assert max(sum(lengths[text] for text in row) for row in rows) <= 40
    assert len(rows) < sum(lengths) / 40 * 1.25


def test_a_model_is_saved_as_safetensors_and_loaded_by_the_auto_class(nano, tmp_path):
    nano.save_pretrained(tmp_path)
    assert {path.suffix for path in tmp_path.iterdir()} <= {".safetensors", ".json"}
    again = AutoModelForCausalLM.from_pretrained(tmp_path)
    ids = torch.tensor([[3, 4, 5, 6]])
    with torch.no_grad():
        assert torch.equal(again(input_ids=ids).logits, nano(input_ids=ids).logits)
    assert type(again) is NanoForCausalLM


def test_scoring_only_labels_gives_the_same_scores_and_gradients(nano, prompts):
    from trl.trainer.utils import add_fused_lm_head

    batch = Collate(0, packed=False)(
        [{"input_ids": prompt, "labels": [IGNORE, *prompt[1:]]} for prompt in prompts]
    )
    results = []
    for ours in (False, True):
        add_fused_lm_head(nano, outputs=("log_probs", "entropy", "is_top1"))
        if ours:
            score_labels_only(nano)
        nano.zero_grad()
        out = nano(**batch, fused_lm_head=True)
        (-out.log_probs.sum()).backward()
        results.append(
            (out.log_probs.detach(), out.entropy, nano.model.layers[0].qkv.weight.grad.clone())
        )
        vars(nano).pop("forward", None)
    for expected, actual in zip(*results, strict=True):
        assert torch.allclose(expected, actual, atol=1e-4)


def test_muon_steps_are_orthogonal_and_leave_embeddings_to_adamw(nano):
    square = orthogonal(torch.randn(24, 40))
    values = torch.linalg.svdvals(square)
    assert 0.6 < float(values.min()) <= float(values.max()) < 1.3
    optimizer = make_optimizer(nano, 1e-3, 2e-2, (0.9, 0.98), 0.0)
    muon, adam = optimizer.param_groups
    assert muon["matrix"]
    assert not adam["matrix"]
    assert all(weight.ndim == 2 for weight in muon["params"])
    assert any(weight is nano.model.embed_tokens.weight for weight in adam["params"])
    total = sum(weight.numel() for group in optimizer.param_groups for weight in group["params"])
    assert total == sum(weight.numel() for weight in nano.parameters())
