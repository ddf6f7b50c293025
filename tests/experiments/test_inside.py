"""Inside models: measures with known answers on models made by hand, then on a trained one."""

from __future__ import annotations

import json
import math
import re

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

import copying_models as by_hand
from click.testing import CliRunner
from transformers import LlamaConfig, LlamaForCausalLM

from bioreason_bench.commands.baseline import main
from bioreason_bench.errors import UsageError
from bioreason_bench.experiments.inside.ablate import (
    Means,
    ablate,
    ablation_lines,
    change_lines,
    matters,
)
from bioreason_bench.experiments.inside.analyse import short_names
from bioreason_bench.experiments.inside.forward import batches, score
from bioreason_bench.experiments.inside.hooks import Part, hooked, parts_of, reader
from bioreason_bench.experiments.inside.page import make_page
from bioreason_bench.experiments.inside.pairs import EXCHANGED, FAMILIES, make_pairs
from bioreason_bench.experiments.inside.patch import EVERYWHERE, LOGITS, patch, patch_lines
from bioreason_bench.experiments.inside.pca import (
    common_axes,
    distance,
    distance_lines,
    prompt_states,
    shift_lines,
)
from bioreason_bench.experiments.inside.texts import make_texts, word_class
from bioreason_bench.experiments.report.pages import as_markdown
from bioreason_bench.resources import folder
from bioreason_bench.training.data import Corpus, encode
from bioreason_bench.training.models.load import from_scratch

COMMITTED = sorted((folder("cards") / "results" / "inside").glob("*/measurements.jsonl"))


@pytest.fixture(scope="module")
def chaining():
    return by_hand.chaining_model()


@pytest.fixture(scope="module")
def corpus(nano_release):
    return Corpus(nano_release)


@pytest.fixture(scope="module")
def trained(corpus, tmp_path_factory):
    """A nano model that knows 64 questions from memory by heart, and its folder."""
    model, tokenizer = from_scratch({}, corpus, 0)
    encoded = encode(corpus.source("mem_iid")[:64], "chain", tokenizer, 64)
    texts = [encoded.text(index) for index in range(64)]
    optimizer = torch.optim.AdamW(model.parameters(), lr=4e-3)
    width = max(len(ids) for ids, _ in texts)
    ids = torch.zeros((64, width), dtype=torch.long)
    labels = torch.full((64, width), -100)
    for row, (tokens, given) in enumerate(texts):
        ids[row, : len(tokens)] = torch.tensor(tokens)
        labels[row, given : len(tokens)] = torch.tensor(tokens[given:])
    for _ in range(60):
        model(input_ids=ids, labels=labels).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    folder = tmp_path_factory.mktemp("models") / "trained"
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return model.eval(), tokenizer, folder


# models made by hand --------------------------------------------------------------------------


def test_ablation_finds_the_two_heads_that_read_and_no_other(chaining):
    found = ablate(chaining, by_hand.texts(60))
    assert found.whole.right.all()
    lines = {line["part"]: line for line in ablation_lines(found, {})}
    heads = {part for part, line in lines.items() if part.startswith("head") and matters(line)}
    assert heads == {by_hand.READS_FIRST, by_hand.READS_SECOND}
    assert matters(lines["convolution 0"]) and not matters(lines["mlp 0"])
    for part in set(lines) - heads - {"convolution 0", "layer 0", "layer 1"}:
        if not part.startswith("attention"):
            assert lines[part]["log_probability_drop"] == [0.0, 0.0, 0.0], part


def test_patching_finds_where_the_answer_is_and_which_way_it_came(chaining):
    restored = patch(chaining, by_hand.pairs(40))
    assert len(restored.starts) == restored.pairs == 40
    lines = patch_lines(restored, {})
    shares = {
        (line["part"], line["position"]): line["restored"][0]
        for line in lines[:-1]
        if "part" in line
    }
    assert shares["embedding", "question: start"] == pytest.approx(1, abs=1e-5)
    assert shares["residual 0", "question: rest"] == pytest.approx(0, abs=1e-5)
    assert shares[by_hand.READS_FIRST, EVERYWHERE] > 0.9
    assert shares[by_hand.READS_SECOND, EVERYWHERE] > 0.9
    paths = {(line["from"], line["to"]): line["restored"][0] for line in lines if "to" in line}
    assert paths.pop((by_hand.READS_FIRST, by_hand.READS_SECOND)) > 0.9
    assert paths.pop((by_hand.READS_SECOND, LOGITS)) > 0.9
    assert max(map(abs, paths.values())) < 0.05  # the first head has no path of its own


def test_patching_at_the_places_of_a_fact_finds_the_fact(chaining):
    """The end of the fact that is asked for is exchanged with another one in the context."""
    pairs = []
    for pair in by_hand.pairs(40):
        tokens = list(pair.clean)
        first, second = tokens.index(pair.gold), tokens.index(pair.other)
        tokens[first], tokens[second] = tokens[second], tokens[first]
        roles = list(pair.roles)
        roles[first] = roles[second] = "fact: bridge"
        pairs.append(type(pair)(pair.clean, tokens, pair.gold, pair.other, roles, pair.start))
    found = patch(chaining, pairs)
    assert len(found.starts) == 40
    shares = {key: value.mean() for key, value in found.shares.items()}
    assert shares["embedding", "fact: bridge"] == pytest.approx(1, abs=1e-5)
    assert shares["residual 0", "fact: bridge"] == pytest.approx(1, abs=0.05)
    assert shares["residual 1", "question: start"] == pytest.approx(1, abs=0.05)
    assert shares["residual 0", "question: start"] == pytest.approx(0, abs=0.05)


def test_in_a_random_model_no_head_matters_and_no_pair_is_right(corpus):
    model, tokenizer = from_scratch({}, corpus, 0)
    rows = corpus.source("comp_iid")[:12]
    lines = ablation_lines(ablate(model, make_texts(tokenizer, rows)), {})
    assert {line["kind"] for line in lines} == {"relation", "recalled", "read", "copied"}
    assert not any(map(matters, lines))
    for pairs in make_pairs(tokenizer, corpus, rows).values():
        (line,) = patch_lines(patch(model, pairs), {})
        assert line["pairs_right"] == 0 and line["pairs"] == len(pairs)


def test_means_are_those_of_the_other_half_at_the_same_position_type(chaining):
    texts = by_hand.texts(8)  # p0 ... p7: the halves are p0 p2 p4 p6 and p1 p3 p5 p7
    part = Part("residual", -1)
    means = Means(texts)
    means.measure(chaining, [part])
    (batch,) = batches(chaining, [text.ids for text in texts])
    embedding = chaining.model.embed_tokens.weight
    wanted = embedding[[text.ids[25] for text in texts[1::2]]].mean(0)
    kept: dict[Part, torch.Tensor] = {}
    ablated = means.instead_of(chaining, part, batch)
    with torch.no_grad(), ablated, hooked(chaining, {part: reader(kept, part)}):
        chaining(**batch.inputs)
    assert torch.allclose(kept[part][0, 25], wanted, atol=1e-6)  # of p0, from p1 p3 p5 p7
    assert not torch.allclose(kept[part][1, 25], wanted, atol=1e-6)


def test_a_model_without_preferences_has_the_entropy_of_its_vocabulary(chaining):
    flat = by_hand.chaining_model()
    torch.nn.init.zeros_(flat.lm_head.weight)
    scores = score(flat, by_hand.texts(4))
    assert np.allclose(scores.entropy, math.log(by_hand.SIZE), atol=1e-5)
    assert np.allclose(scores.log_probability, -math.log(by_hand.SIZE), atol=1e-5)
    assert score(chaining, by_hand.texts(4)).entropy.max() < 0.5


# a trained model ------------------------------------------------------------------------------


def test_changing_nothing_changes_nothing(trained, corpus):
    model, tokenizer, _ = trained
    texts = make_texts(tokenizer, corpus.source("mem_iid")[:64])
    whole = score(model, texts)
    assert whole.right.mean() > 0.95  # it was trained on them

    def same(_):
        return hooked(model, {part: lambda value: value for part in parts_of(model)})

    again = score(model, texts, same)
    # What a layer adds is taken off and put on again, hence the rounding.
    assert np.allclose(again.log_probability, whole.log_probability, atol=1e-4)
    assert (again.right == whole.right).all()


def test_patching_everything_restores_all_and_the_hooks_are_gone(trained, corpus):
    model, tokenizer, _ = trained
    rows = corpus.source("mem_iid")[:64]
    found = patch(model, make_pairs(tokenizer, corpus, rows)[FAMILIES[0]])
    assert len(found.starts) >= 5
    for part in ("embedding", "residual 0", "residual 1", "residual 2"):
        assert np.allclose(found.shares[part, EVERYWHERE], 1, atol=1e-4)
    assert np.allclose(found.shares["embedding", "question: rest"], 0, atol=1e-4)
    assert not any(module._forward_hooks for module in model.modules())


def test_a_trained_model_against_itself_has_no_change(trained, corpus):
    model, tokenizer, _ = trained
    texts = make_texts(tokenizer, corpus.source("mem_iid")[:16])
    found = ablate(model, texts)
    assert {tuple(line["accuracy_drop_change"]) for line in change_lines(found, found, {})} == {
        (0.0, 0.0, 0.0)
    }
    states = {"mem": prompt_states(model, texts)}
    assert {line["shift"] for line in shift_lines(states, states, {})} == {0.0}


# texts and pairs ------------------------------------------------------------------------------


@pytest.mark.parametrize("release", ["nano_release", "tiny_release"])
def test_spots_are_the_relations_and_the_people_of_the_chain(release, request):
    """In symbols a name is one token; in English it is several pieces."""
    corpus = Corpus(request.getfixturevalue(release))
    _, tokenizer = from_scratch({"hidden_size": 16}, corpus, 0)
    rows = corpus.source("comp_iid")[:40]
    texts = make_texts(tokenizer, rows)
    assert len(texts) == len(rows)
    for row, text in zip(rows, texts, strict=True):
        assert len(text.types) == len(text.ids)
        said = {kind: [] for kind in ("relation", "recalled", "read", "copied")}
        for spot in text.spots:
            said[spot.kind].append(tokenizer.decode(text.ids[slice(*spot.tokens)]).strip(" .'’"))
        facts = dict(zip(row["entities"][1:], row["pattern"], strict=True))
        assert said["recalled"] == [name for name, group in facts.items() if group == "P"]
        assert said["read"] == [name for name, group in facts.items() if group == "C"]
        assert said["copied"] == [row["answer"]]
        if release == "nano_release":
            assert said["relation"] == row["path"]
        bridges = [spot.bridge for spot in text.spots if spot.kind in {"recalled", "read"}]
        assert bridges == [True] * (row["hops"] - 1) + [False]


def test_pairs_differ_in_one_name_and_lead_to_the_facts_of_the_world(corpus):
    _, tokenizer = from_scratch({"hidden_size": 16}, corpus, 0)
    rows = corpus.source("comp_iid")[:60]
    families = make_pairs(tokenizer, corpus, rows)
    assert set(families) == set(FAMILIES)
    facts = {(row["subject"], row["relation"]): row["object"] for row in corpus.source("facts")}
    for family, pairs in families.items():
        for pair in pairs:
            clean, corrupted = (
                tokenizer.convert_ids_to_tokens(ids) for ids in (pair.clean, pair.corrupted)
            )
            gold, other = tokenizer.convert_ids_to_tokens([pair.gold, pair.other])
            differ = {
                role for a, b, role in zip(clean, corrupted, pair.roles, strict=True) if a != b
            }
            assert differ == EXCHANGED[family]
            assert facts[clean[-2], clean[-1]] == gold != other
            if family != "read, other fact":
                assert facts[corrupted[-2], corrupted[-1]] == other
            stated = [" ".join(corrupted[at : at + 3]) for at in range(len(corrupted))]
            assert (f"{corrupted[-2]} {corrupted[-1]} {other}" in stated) == family.startswith(
                "read"
            )


def test_the_classes_of_tokens_tell_names_from_words():
    classes = [word_class(token) for token in ("p7", "city12", " Luigi", "boss", ".", "Answer:")]
    assert classes == ["name", "name", "name", "word", "stop", "stop"]


# hidden states --------------------------------------------------------------------------------


def test_common_axes_show_a_shift_that_own_axes_would_hide():
    before = np.random.default_rng(0).normal(size=(50, 6))
    after = before + np.array([0, 0, 30.0, 0, 0, 0])
    (first, second), shares = common_axes([before, after])
    assert abs(second[:, 0].mean() - first[:, 0].mean()) == pytest.approx(30, rel=0.01)
    assert shares[0] > 0.9


def test_the_distance_is_in_units_of_the_spread_within_a_skill():
    states = np.array([[1.0, 0], [-1, 0], [0, 1], [0, -1]])
    assert distance(states, states + np.array([3.0, 4])) == pytest.approx(5)
    assert distance(10 * states, 10 * states + np.array([30.0, 40])) == pytest.approx(5)
    layers = {"a": {"embedding": states}, "b": {"embedding": states}, "c": {"embedding": states}}
    assert [line["configs"] for line in distance_lines(layers, {})] == [
        ["a", "b"],
        ["a", "c"],
        ["b", "c"],
    ]


def test_models_of_different_sizes_have_no_common_axes():
    with pytest.raises(UsageError, match="4 and 6 numbers"):
        common_axes([np.ones((3, 6)), np.ones((3, 4))])


# the command ----------------------------------------------------------------------------------


def run(*words):
    result = CliRunner().invoke(main, ["analyse", *map(str, words)])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def test_the_command_measures_two_models_and_writes_a_page(trained, corpus, tmp_path):
    pytest.importorskip("matplotlib")
    model, tokenizer = from_scratch({}, corpus, 0)
    model.save_pretrained(tmp_path / "base")
    tokenizer.save_pretrained(tmp_path / "base")
    out = tmp_path / "out"
    words = (tmp_path / "base", trained[2], "--data", corpus.path, "--limit", 3, "--out", out)
    result = run(*words)
    assert result.exit_code == 0, result.stderr
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert lines == [
        json.loads(line) for line in (out / "measurements.jsonl").read_text().splitlines()
    ]
    measures = {line["measure"] for line in lines}
    assert measures >= {"distance", "shift", "entropy", "ablation", "ablation change", "patching"}
    page = (out / "analysis.md").read_text()
    assert "Smoke run: a test set of 3 questions" in page
    for picture in out.glob("*.png"):
        assert f"({picture.name})" in page and picture.stat().st_size > 5000
    names = {picture.stem for picture in out.glob("*.svg")}
    assert names >= {"hidden-states", "distances", "entropy", "ablation-comp_iid"}


def test_another_architecture_gets_what_can_be_measured_and_a_sentence(corpus, tmp_path):
    pytest.importorskip("matplotlib")
    _, tokenizer = from_scratch({}, corpus, 0)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
    )
    LlamaForCausalLM(config).save_pretrained(tmp_path / "llama")
    tokenizer.save_pretrained(tmp_path / "llama")
    out = tmp_path / "out"
    result = run(tmp_path / "llama", "--data", corpus.path, "--limit", 3, "--out", out)
    assert result.exit_code == 0, result.stderr
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    parts = {line["part"] for line in lines if line["measure"] == "ablation"}
    assert parts == {"layer 0", "layer 1"}
    assert "is a LlamaForCausalLM: its 2 layers" in (out / "analysis.md").read_text()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--measure", "circuits"], "'circuits' is not one of"),
    ],
)
def test_a_wrong_option_is_one_sentence(words, message, trained, corpus, tmp_path):
    result = run(trained[2], "--data", corpus.path, "--out", tmp_path / "out", *words)
    assert result.exit_code == 2
    assert message in result.stderr and "Traceback" not in result.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("path", COMMITTED, ids=lambda path: path.parent.name)
def test_committed_pages_are_what_the_code_makes_of_the_committed_measurements(path):
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    labels = short_names(list(dict.fromkeys(line["model"] for line in lines)))
    page = path.with_name("analysis.md").read_text(encoding="utf-8")
    pictures = re.findall(r"\]\((\S+\.png)\)", page)
    assert sorted(pictures) == sorted(picture.name for picture in path.parent.glob("*.png"))
    assert as_markdown(make_page(lines, labels, pictures, [])) == page
