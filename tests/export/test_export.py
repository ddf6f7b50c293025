"""Exports, read back as each trainer reads them.

TRL runs; LLaMA-Factory's rules for alpaca records and veRL's loader are imitated.
"""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path

import datasets
import networkx as nx
import pyarrow.parquet as pq
import pytest
from small_world import SMALL, WORKSHOP

import bioreason_bench
from bioreason_bench.errors import ReleaseError
from bioreason_bench.export.export import export
from bioreason_bench.export.formats import FORMATS
from bioreason_bench.grading.rewards import COLUMNS, make_rewards, outcome
from bioreason_bench.grading.saved import load_grader
from bioreason_bench.questions.prompts import chat_prompt, make_prompt
from bioreason_bench.release.read import Release
from bioreason_bench.taxonomy import QUESTION_KINDS, SKILLS

KIND_CONFIGS = [kind.config for kind in QUESTION_KINDS]


@pytest.fixture(scope="session")
def exported(tiny_release: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A folder for each trainer."""
    root = tmp_path_factory.mktemp("exports")
    for to in FORMATS:
        export(Release(tiny_release), to, root / to)
    return {to: root / to for to in FORMATS}


def read_lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def loaded(path: Path, home: Path) -> datasets.Dataset:
    """The file as trainers load it."""
    builder = {".jsonl": "json", ".parquet": "parquet"}[path.suffix]
    return datasets.load_dataset(builder, data_files=str(path), split="train", cache_dir=str(home))


def test_each_question_and_each_biography_of_the_release_is_exported_once(tiny_release, exported):
    """Among them the questions beyond the levels, and the probes."""
    release = Release(tiny_release)
    ids = {
        row["id"]
        for config in [*release.question_configs(), "biographies", "probes", *KIND_CONFIGS]
        for split in release.splits(config)
        for row in release.rows(config, split, ["id"])
    }
    got = [
        row["id"] for path in exported["llamafactory"].rglob("*.jsonl") for row in read_lines(path)
    ]
    assert set(got) <= ids and len(got) == len(set(got))
    rl = {row["id"] for row in release.rows("comp_rl", "train")}
    assert ids - set(got) == rl, "LLaMA-Factory does no RL"


@pytest.mark.parametrize("to", ["trl", "llamafactory", "verl"])
def test_no_test_question_lies_where_training_looks(exported, tiny_release, tmp_path, to):
    """A glob over a training folder finds training questions and biographies alone."""
    release = Release(tiny_release)
    trained = {
        row["id"]
        for config, split in (
            *((f"{skill}_iid", "train") for skill in SKILLS),
            ("comp_rl", "train"),
            *(("biographies", split) for split in release.splits("biographies")),
        )
        for row in release.rows(config, split, ["id"])
    }
    pattern = {"trl": "[sg]*[to]/*.jsonl", "llamafactory": "*.jsonl", "verl": "*[tl]/*.parquet"}[to]
    files = [
        path
        for path in exported[to].glob(pattern)
        if path.parent.name in ("sft", "grpo", "rl", exported[to].name)
    ]
    assert len(files) > 3
    for path in files:
        for row in loaded(path, tmp_path):
            assert (row.get("id") or row["extra_info"]["id"]) in trained, path


def test_every_row_has_the_canary(exported, tiny_release, tmp_path):
    canary = Release(tiny_release).manifest["canary"]
    files = [path for to in exported for path in exported[to].rglob("*.jsonl")]
    files += list(exported["verl"].rglob("*.parquet"))
    assert len(files) > 100
    for path in files:
        if path.suffix == ".jsonl":
            assert {row["canary"] for row in read_lines(path)} == {canary}, path
        else:
            table = pq.read_table(path, columns=["canary"])
            assert table["canary"].unique().to_pylist() == [canary], path


def test_the_readme_tells_limits_that_no_named_text_exceeds(exported):
    notes = (exported["verl"] / "README.md").read_text(encoding="utf-8")
    table = {
        name: (int(prompt.replace(",", "")), int(text.replace(",", "")))
        for name, prompt, text in re.findall(
            r"^\| ([\w-]+) \| [\d,]+ \| ([\d,]+) \| ([\d,]+) \|$", notes, re.MULTILINE
        )
    }
    rows = pq.read_table(exported["verl"] / "rl" / "comp-rl.parquet")["prompt"].to_pylist()
    assert table["comp-rl"][0] == max(len(turns[0]["content"]) for turns in rows)
    assert set(re.findall(r"(?:rl|sft)(?:-test)?/([\w-]+)\.parquet", notes)) <= set(table)
    limit = int(re.search(r"max_prompt_length=(\d+)", notes)[1])
    assert limit * 3 >= table["comp-rl"][0] and limit < table["comp-rl"][0]
    assert not re.search(r"\b(PROMPT|RESPONSE|LENGTH)\b", notes)


# chat models --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def for_chats(tiny_release, tmp_path_factory) -> dict[str, Path]:
    """The same exports with the instruction for chat models."""
    root = tmp_path_factory.mktemp("chats")
    for to in ("trl", "llamafactory", "verl"):
        export(Release(tiny_release), to, root / to, prompt="chat")
    return {to: root / to for to in ("trl", "llamafactory", "verl")}


def test_with_prompt_chat_every_prompt_is_that_of_chat_models(tiny_release, for_chats, tmp_path):
    release = Release(tiny_release)
    prompts = [chat_prompt(row) for row in release.rows("comp_iid", "train")]
    chains = [row["chain"] for row in release.rows("comp_iid", "train")]
    sft = loaded(for_chats["trl"] / "sft" / "comp-train.jsonl", tmp_path)
    assert list(sft["prompt"]) == [[{"role": "user", "content": prompt}] for prompt in prompts]
    assert [turns[0]["content"] for turns in sft["completion"]] == chains
    alpaca = read_lines(for_chats["llamafactory"] / "comp-train.jsonl")
    assert [(row["instruction"], row["output"]) for row in alpaca] == list(
        zip(prompts, chains, strict=True)
    )
    turns = loaded(for_chats["verl"] / "sft" / "comp-train.parquet", tmp_path)["messages"]
    assert [[turn["content"] for turn in one] for one in turns] == [
        list(pair) for pair in zip(prompts, chains, strict=True)
    ]
    rl = loaded(for_chats["verl"] / "rl" / "comp-rl.parquet", tmp_path)["prompt"]
    wanted = [chat_prompt(row) for row in release.rows("comp_rl", "train")]
    assert [one[0]["content"] for one in rl] == wanted


def test_rewards_read_the_chats_of_such_an_export(for_chats, tmp_path):
    rows = loaded(for_chats["trl"] / "grpo" / "comp-rl.jsonl", tmp_path)
    columns = {name: list(rows[name]) for name in rows.column_names}
    chats = [[{"role": "assistant", "content": chain}] for chain in columns["chain"]]
    grader = load_grader(for_chats["trl"])
    for reward in make_rewards({"outcome": 1.0, "process": 1.0}, grader=grader):
        assert reward(completions=chats, trainer_state=None, **columns) == [1.0] * len(chats)


# TRL ----------------------------------------------------------------------------------------------


def test_trl_prompts_and_completions_are_those_of_evaluation(tiny_release, exported, tmp_path):
    for folder, part, config, split in (
        ("sft", "mem-train", "mem_iid", "train"),
        ("sft-test", "comp-zeroshot-test", "comp_zeroshot", "test"),
    ):
        rows = loaded(exported["trl"] / folder / f"{part}.jsonl", tmp_path)
        for got, row in zip(rows, Release(tiny_release).rows(config, split), strict=True):
            assert (got["prompt"], got["completion"]) == (make_prompt(row), " " + row["chain"])
            assert got["portion"] == row["portion"]


def test_trl_rewards_find_their_columns_and_pay_for_the_gold_chain(exported, tmp_path):
    rows = loaded(exported["trl"] / "grpo" / "comp-rl.jsonl", tmp_path)
    assert rows.num_rows == 100 and set(COLUMNS) | {"prompt"} <= set(rows.column_names)
    columns = {name: rows[name] for name in COLUMNS}
    assert outcome([" " + chain for chain in columns["chain"]], **columns) == [1.0] * 100
    assert outcome(list(rows["prompt"]), **columns) == [0.0] * 100


def test_trl_trainers_take_a_step_on_the_files(exported, tmp_path):
    trl, transformers = pytest.importorskip("trl"), pytest.importorskip("transformers")
    questions, rl = (
        loaded(exported["trl"] / file, tmp_path)
        for file in ("sft/mem-train.jsonl", "grpo/comp-rl.jsonl")
    )
    texts = loaded(exported["trl"] / "sft" / "biographies-parametric.jsonl", tmp_path)
    tokenizer = word_tokenizer(
        [*questions["prompt"], *questions["completion"], *texts["text"], *rl["prompt"]]
    )
    size = {
        "hidden_size": 16,
        "intermediate_size": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "num_key_value_heads": 2,
    }
    config = transformers.LlamaConfig(
        vocab_size=len(tokenizer),
        max_position_embeddings=4096,
        eos_token_id=1,
        pad_token_id=0,
        **size,
    )
    model = transformers.LlamaForCausalLM(config)
    plain = {
        "output_dir": str(tmp_path / "out"),
        "max_steps": 1,
        "report_to": [],
        "use_cpu": True,
        "bf16": False,
        "gradient_checkpointing": False,
    }
    for rows in (questions, texts):
        args = trl.SFTConfig(per_device_train_batch_size=2, **plain)
        trl.SFTTrainer(
            model, args=args, train_dataset=rows.select(range(8)), processing_class=tokenizer
        ).train()
    args = trl.GRPOConfig(
        per_device_train_batch_size=2, num_generations=2, max_completion_length=4, **plain
    )
    trainer = trl.GRPOTrainer(
        model, outcome, args=args, train_dataset=rl.select(range(4)), processing_class=tokenizer
    )
    trainer.train()
    assert trainer.state.global_step == 1


def word_tokenizer(texts: list[str]):
    """A tokenizer of the words of these texts."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    words = sorted({word for text in texts for word in text.split()})
    made = Tokenizer(
        models.WordLevel(
            {word: k for k, word in enumerate(["<pad>", "<eos>", "<unk>", *words])},
            unk_token="<unk>",
        )
    )
    made.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return PreTrainedTokenizerFast(
        tokenizer_object=made, pad_token="<pad>", eos_token="<eos>", unk_token="<unk>"
    )


# LLaMA-Factory ------------------------------------------------------------------------------------


def test_llamafactory_declares_every_file_and_only_columns_that_it_has(exported):
    folder = exported["llamafactory"]
    info = json.loads((folder / "dataset_info.json").read_text())
    assert {entry["file_name"] for entry in info.values()} == {
        path.relative_to(folder).as_posix() for path in folder.rglob("*.jsonl")
    }
    for entry in info.values():
        first = read_lines(folder / entry["file_name"])[0]
        assert set(entry["columns"].values()) <= set(first)


def test_llamafactory_turns_its_records_into_prompt_and_response(tiny_release, exported):
    """Its rule for alpaca records: join prompt and query by a line break unless one is empty.

    A column that is not declared is empty.
    """

    def turns(name: str) -> list[tuple[str, str | None]]:
        entry = info[name]
        names = [entry["columns"].get(part) for part in ("prompt", "query", "response")]
        rows = read_lines(exported["llamafactory"] / entry["file_name"])
        cells = [[row[column] if column else None for column in names] for row in rows]
        return [
            ("\n".join(part for part in (prompt, query) if part), response)
            for prompt, query, response in cells
        ]

    info = json.loads((exported["llamafactory"] / "dataset_info.json").read_text())
    release = Release(tiny_release)
    questions = [
        (make_prompt(row), " " + row["chain"]) for row in release.rows("comp_iid", "train")
    ]
    assert turns("bioreason_comp_train") == questions
    texts = [row["text"] for row in release.rows("biographies", "parametric")]
    assert turns("bioreason_biographies_parametric") == [(text, None) for text in texts], (
        "stage pt reads the prompt"
    )
    assert turns("bioreason_biographies_parametric_sft") == [("", text) for text in texts], (
        "stage sft trains on the response"
    )


# veRL ---------------------------------------------------------------------------------------------


def test_verl_reads_messages_ground_truth_and_extra_info(tiny_release, exported, tmp_path):
    rows = loaded(exported["verl"] / "rl" / "comp-rl.parquet", tmp_path)
    columns = ["data_source", "env_class", "prompt", "ability", "reward_model", "extra_info"]
    assert rows.column_names == [*columns, "canary"]
    for number, (got, row) in enumerate(
        zip(rows, Release(tiny_release).rows("comp_rl", "train"), strict=True)
    ):
        assert got["prompt"] == [{"role": "user", "content": make_prompt(row)}]
        assert got["reward_model"] == {"style": "rule", "ground_truth": row["answer"]}
        assert (
            got["extra_info"]["index"] == number
            and got["extra_info"]["entities"] == row["entities"]
        )
    turns = loaded(exported["verl"] / "sft" / "ctx-train.parquet", tmp_path)["messages"][0]
    assert [turn["role"] for turn in turns] == ["user", "assistant"]


def test_verl_loads_the_reward_of_the_export_and_it_pays_for_the_answer_alone(exported, tmp_path):
    spec = importlib.util.spec_from_file_location(
        "reward_of_the_export", exported["verl"] / "reward.py"
    )  # as veRL loads it
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for row in loaded(exported["verl"] / "rl-test" / "comp-zeroshot-test.parquet", tmp_path):
        gold, given = row["reward_model"]["ground_truth"], row["extra_info"]

        def score(text: str, gold: str = gold, given: dict = given) -> float:
            return module.compute_score(
                data_source="bioreason",
                solution_str=text,
                ground_truth=gold,
                extra_info=given,
                reward_router_address=None,
                num_turns=1,
            )

        assert score(given["chain"]) == 1.0 and score(f"So, the answer is: {gold}") == 1.0
        assert (
            score(f"{gold} is what I think of. So, the answer is: nobody") == 0.0
            and score(f"It could be {gold}.") == 0.0
        )


def test_the_reward_of_an_export_reads_relations_of_ones_own(tmp_path):
    """By name it can be another reward than the default; a broken grader file is one sentence."""
    from bioreason_bench.build import generate
    from bioreason_bench.config import load_preset

    own = {"relations": str(WORKSHOP)}
    generate(load_preset("tiny").override(SMALL | own), tmp_path / "workshop", workers=1)
    folder = tmp_path / "verl"
    export(Release(tmp_path / "workshop"), "verl", folder)
    spec = importlib.util.spec_from_file_location("own_reward", folder / "reward.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    rows = pq.read_table(folder / "rl-test" / "comp-iid-test.parquet")["extra_info"].to_pylist()
    for row in rows:
        wrong = f"{row['chain'].rpartition(':')[0]}: something else"
        for reward, value in (("process", 1.0), ("outcome", 0.0), ("composite", 0.5)):
            got = module.compute_score("bioreason", wrong, row["answer"], row, reward=reward)
            assert got == value
    (tmp_path / "grader.json").write_text("{}")
    with pytest.raises(ReleaseError, match="is no file of a grader"):
        load_grader(tmp_path)


def test_verl_gets_biographies_as_plain_text(tiny_release, exported, tmp_path):
    rows = loaded(exported["verl"] / "sft" / "biographies-contextual.parquet", tmp_path)
    texts = [row["text"] for row in Release(tiny_release).rows("biographies", "contextual")]
    assert rows["text"] == texts and [turns[-1]["content"] for turns in rows["messages"]] == texts


# GraphML ------------------------------------------------------------------------------------------


def test_graphml_holds_the_graph_of_the_release(tiny_release, exported):
    got, world = (
        nx.read_graphml(exported["graphml"] / "world.graphml"),
        bioreason_bench.graph(tiny_release),
    )
    assert sorted(got.edges(keys=True)) == sorted(world.edges(keys=True)) and dict(
        got.nodes(data=True)
    ) == dict(world.nodes(data=True))


# the command --------------------------------------------------------------------------------------


def test_the_command_prints_the_folder_that_it_wrote(cli, tiny_release, tmp_path):
    result = cli("export", tiny_release, "--to", "trl", "--out", tmp_path / "out")
    assert result.exit_code == 0 and result.stdout == f"{tmp_path / 'out'}\n"
    notes = (tmp_path / "out" / "README.md").read_text()
    assert "TRL 1." in notes and Release(tiny_release).manifest["canary"] in notes


def test_a_folder_in_use_is_left_alone(cli, tiny_release, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    result = cli("export", tiny_release, "--to", "verl", "--out", tmp_path)
    assert result.exit_code == 2 and "already exists" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_an_export_that_fails_leaves_nothing_behind(cli, tiny_release, tmp_path):
    import shutil

    broken = shutil.copytree(tiny_release, tmp_path / "broken")
    path = next(broken.glob("data/biographies/parametric-*"))
    path.write_bytes(path.read_bytes()[:100])
    result = cli("export", broken, "--to", "trl", "--out", tmp_path / "out")
    assert result.exit_code == 1 and path.name in result.stderr
    assert [entry.name for entry in tmp_path.iterdir()] == ["broken"]


def test_an_unknown_trainer_is_refused_with_those_there_are(cli, tiny_release):
    result = cli("export", tiny_release, "--to", "axolotl")
    assert result.exit_code == 2 and all(to in result.stderr for to in FORMATS)
