"""Publishing, with the real clients of the Hub, against a local server that can be made to fail."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml
from click.testing import CliRunner
from few import few
from hub_answers import PUBLISHER
from hub_server import HubServer
from read_release import digest

from bioreason_bench.hub.space import publish_space
from bioreason_bench.release.read import Release
from bioreason_bench.taxonomy import LEVELS

REPO = "org/bioreason"
READER = Path(__file__).parents[1] / "support" / "read_release.py"
SENTENCE = re.compile(r"bioreason: [^\n]+\n\Z")


@pytest.fixture(scope="session")
def audited(tiny_release: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny release with its audit; shared by all tests, so never write into it."""
    folder = tmp_path_factory.mktemp("audited") / "tiny"
    shutil.copytree(tiny_release, folder)
    write_audit(folder)
    return folder


@pytest.fixture(scope="session")
def one_level(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An audited release with fewer files than `audited`, and other rows."""
    from bioreason_bench.build import generate

    folder = tmp_path_factory.mktemp("audited") / "one-level"
    generate(few(7), folder, workers=2, shard_rows=200)
    write_audit(folder)
    return folder


def write_audit(folder: Path) -> None:
    from bioreason_bench.commands.main import main

    result = CliRunner().invoke(main, ["verify", str(folder), "--write", "-q"])
    assert result.exit_code == 0, result.output


def visible(hub: HubServer, revision: str | None = None) -> set[str]:
    """The files of a release that a visitor sees, without the benchmark beside it."""
    return set(hub.files(REPO, revision)) - {".gitattributes", "eval.yaml"}


def expected(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


# what publishing does


def test_one_commit_holds_the_whole_release_and_the_tag_names_it(hub, cli, audited):
    result = cli("publish", audited, "--repo", REPO, "--tag", "v1.0.0")
    assert result.exit_code == 0, result.stderr
    assert result.stdout == f"{hub.url}/datasets/{REPO}\n"
    repo = hub.repos[REPO]
    assert len(repo.commits) == 2, "the Hub's first commit and ours"
    assert repo.tags == {"v1.0.0": repo.head}
    assert visible(hub) == expected(audited)
    for file in expected(audited) - {"README.md", "croissant.json"}:
        assert hub.files(REPO)[file] == (audited / file).read_bytes()


def test_the_card_names_the_repository_that_it_is_in(hub, cli, audited):
    assert cli("publish", audited, "--repo", "me/worlds", "-q").exit_code == 0
    files = hub.files("me/worlds")
    assert b'load_dataset("me/worlds"' in files["README.md"]
    assert json.loads(files["croissant.json"])["url"].endswith("/datasets/me/worlds")
    assert b"org/bioreason" not in files["README.md"] + files["croissant.json"]


def test_publishing_the_same_release_again_changes_nothing(hub, cli, audited):
    for _ in range(2):
        assert cli("publish", audited, "--repo", REPO, "--tag", "v1").exit_code == 0
    again = cli("publish", audited, "--repo", REPO)
    assert again.exit_code == 0 and "nothing was sent" in again.stderr
    assert (
        len(hub.repos[REPO].commits) == 2
        and hub.requests("commit") == 1
        and hub.requests("tag") == 1
    )
    new_tag = cli("publish", audited, "--repo", REPO, "--tag", "v2", "--json")
    assert (
        json.loads(new_tag.stdout)["sent"] == []
        and hub.repos[REPO].tags["v2"] == hub.repos[REPO].tags["v1"]
    )


def test_another_release_replaces_the_first_and_leaves_the_tag_alone(hub, cli, audited, one_level):
    assert cli("publish", audited, "--repo", REPO, "--tag", "v1").exit_code == 0
    refused = cli("publish", one_level, "--repo", REPO, "--tag", "v1")
    assert refused.exit_code == 2 and "tag v1 with other content" in refused.stderr
    assert visible(hub) == expected(audited)
    assert cli("publish", one_level, "--repo", REPO, "--tag", "v2").exit_code == 0
    assert visible(hub) == expected(one_level) != expected(audited)
    assert visible(hub, "v1") == expected(audited)
    assert cli("publish", audited, "--repo", REPO, "--tag", "v1").exit_code == 0, (
        "the first is still there under its tag"
    )
    assert visible(hub) == expected(one_level)


def test_files_that_are_not_part_of_the_release_are_not_sent(hub, cli, audited, tmp_path):
    folder = shutil.copytree(audited, tmp_path / "release")
    (folder / "notes.txt").write_text("mine")
    (folder / ".DS_Store").write_text("")
    assert cli("publish", folder, "--repo", REPO).exit_code == 0
    assert visible(hub) == expected(audited)


def test_a_dry_run_lists_the_files_without_any_request(hub, cli, audited, monkeypatch):
    monkeypatch.delenv("HF_TOKEN")
    result = cli("publish", audited, "--repo", REPO, "--dry-run")
    assert result.exit_code == 0
    listed = {line.split()[1] for line in result.stdout.splitlines()}
    assert listed == expected(audited) | {"eval.yaml"}
    assert set(
        json.loads(cli("publish", audited, "--repo", REPO, "--dry-run", "--json").stdout)["files"]
    ) == expected(audited) | {"eval.yaml"}
    assert hub.log == []


def test_the_example_in_the_help_keeps_its_lines(cli):
    text = cli("publish", "--help").stdout
    assert (
        "\n    bioreason verify v1 --write\n    bioreason publish v1 --repo org/bioreason" in text
    )


def test_a_new_repository_can_be_private_and_a_public_one_is_refused_as_private(hub, cli, audited):
    assert cli("publish", audited, "--repo", REPO, "--private").exit_code == 0
    assert hub.repos[REPO].private
    assert cli("publish", audited, "--repo", "me/open").exit_code == 0
    refused = cli("publish", audited, "--repo", "me/open", "--private")
    assert refused.exit_code == 2 and "is public" in refused.stderr


# files of other people


def put(hub: HubServer, path: str, content: str) -> None:
    """Add or change a file of the repository, as its owners or the Hub's staff may."""
    from huggingface_hub import HfApi

    HfApi(endpoint=hub.url, token=hub.token).upload_file(
        path_or_fileobj=content.encode(), path_in_repo=path, repo_id=REPO, repo_type="dataset"
    )


def test_files_of_other_people_are_left_alone_and_stale_data_are_removed(
    hub, cli, audited, one_level
):
    assert cli("publish", audited, "--repo", REPO).exit_code == 0
    theirs = {"LICENSE", "assets/logo.svg", ".eval_results/model.yaml"}
    for path in (*theirs, "data/comp/train-00007-of-00008.parquet", "data/notes.txt"):
        put(hub, path, "theirs")
    done = cli("publish", one_level, "--repo", REPO, "--json")
    assert visible(hub) == expected(one_level) | theirs
    removed = json.loads(done.stdout)["removed"]
    assert {"data/comp/train-00007-of-00008.parquet", "data/notes.txt"} <= set(removed)
    assert not theirs & set(removed)


OPEN = (  # configs beside those of ctx whose contexts state everything
    *(f"{skill}_{level}_openbook" for skill in ("mem", "comp") for level in LEVELS),
    *("ctx_unanswerable", "comp_unanswerable"),
)


def test_a_benchmark_that_others_changed_is_kept_and_ours_is_renewed(hub, cli, audited, one_level):
    def tasks() -> list[str]:
        content = yaml.safe_load(hub.files(REPO)["eval.yaml"])
        return [task["id"] for task in content["tasks"] if task["id"] not in OPEN]

    assert cli("publish", audited, "--repo", REPO, "--tag", "v1").exit_code == 0
    assert set(OPEN) <= {
        task["id"] for task in yaml.safe_load(hub.files(REPO)["eval.yaml"])["tasks"]
    }
    assert tasks() == [f"ctx_{level}" for level in LEVELS]
    assert cli("publish", one_level, "--repo", REPO).exit_code == 0
    assert tasks() == ["ctx_zeroshot"], "nobody had changed it"
    theirs = hub.files(REPO)["eval.yaml"].decode().replace("name: bioreason", "name: Bio-Reason")
    put(hub, "eval.yaml", theirs)
    for release, sent in ((audited, True), (audited, False)):
        done = cli("publish", release, "--repo", REPO, "--json")
        assert json.loads(done.stdout)["kept"] == ["eval.yaml"]
        assert "eval.yaml was changed by somebody else" in done.stderr
        assert bool(json.loads(done.stdout)["sent"]) == sent
        assert hub.files(REPO)["eval.yaml"].decode() == theirs
    assert cli("publish", audited, "--repo", REPO, "--tag", "v2").exit_code == 0
    assert hub.repos[REPO].tags["v2"] == hub.repos[REPO].head


@pytest.mark.parametrize("theirs", [False, True])
def test_a_static_space_gets_the_page_and_keeps_a_readme_of_its_owner(
    hub, one_level, tmp_path, theirs
):
    from huggingface_hub import HfApi

    api = HfApi(endpoint=hub.url, token=hub.token)
    if theirs:
        api.create_repo("org/world", repo_type="space", space_sdk="static")
        api.upload_file(
            path_or_fileobj=b"mine",
            path_in_repo="README.md",
            repo_id="org/world",
            repo_type="space",
        )
    for page in (b"<p>one</p>", b"<p>two</p>"):
        address = publish_space(Release(one_level), page, "org/world", REPO)
        assert address == f"{hub.url}/spaces/org/world"
        assert hub.files("org/world")["index.html"] == page
    readme = hub.files("org/world")["README.md"].decode()
    assert readme == "mine" if theirs else yaml.safe_load(readme.split("---")[1])["sdk"] == "static"


def test_publish_puts_the_page_of_explore_into_a_space(hub, cli, one_level):
    pytest.importorskip("bioreason_bench.explore")
    done = cli("publish", one_level, "--repo", REPO, "--space", "org/world", "-q")
    assert done.exit_code == 0
    assert done.stdout.splitlines()[1] == f"{hub.url}/spaces/org/world"
    assert b"<html" in hub.files("org/world")["index.html"]


# what it refuses


@pytest.mark.parametrize(
    ("damage", "fragment"),
    [
        (lambda folder: (folder / "audit.json").unlink(), "no audit.json"),
        (lambda folder: (folder / "audit.json").write_text("{"), "cannot be read"),
        (lambda folder: edit_audit(folder, ok=False), "breaks"),
        (lambda folder: edit_audit(folder, sample=10), "sample"),
        (lambda folder: edit_audit(folder, manifest=f"sha256:{0:064}"), "another release"),
        (lambda folder: reverse_rows(next(folder.glob("data/comp/zeroshot/test-*"))), "digest"),
        (lambda folder: next(folder.glob("data/comp/*.parquet")).unlink(), "missing"),
        (lambda folder: (folder / "manifest.json").unlink(), "not a complete release"),
    ],
)
def test_a_release_that_is_incomplete_or_not_audited_is_refused_before_any_request(
    hub, cli, one_level, tmp_path, damage, fragment
):
    folder = shutil.copytree(one_level, tmp_path / "release")
    damage(folder)
    result = cli("publish", folder, "--repo", REPO, "-q")
    assert result.exit_code == 1 and fragment in result.stderr and SENTENCE.match(result.stderr)
    assert hub.log == []


def edit_audit(folder: Path, **values: object) -> None:
    path = folder / "audit.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def reverse_rows(path: Path) -> None:
    table = pq.read_table(path)
    pq.write_table(table.take(list(range(table.num_rows))[::-1]), path)


@pytest.mark.parametrize(
    "options",
    [
        ("--repo", "no owner"),
        ("--repo", "bioreason"),
        ("--repo", "a/b/c"),
        ("--repo", "org/-wrong-"),
        ("--repo", "org/" + "x" * 99),
        ("--repo", REPO, "--tag", "with blank"),
        ("--repo", REPO, "--tag", "a..b"),
        ("--repo", REPO, "--space", "no-owner"),
    ],
)
def test_a_wrong_name_is_refused_before_any_request(hub, cli, one_level, options):
    result = cli("publish", one_level, *options, "-q")
    assert result.exit_code == 2 and SENTENCE.match(result.stderr)
    assert hub.log == []


def test_without_a_token_the_message_says_how_to_log_in(hub, cli, one_level, monkeypatch):
    monkeypatch.delenv("HF_TOKEN")
    result = cli("publish", one_level, "--repo", REPO, "-q")
    assert result.exit_code == 2 and "hf auth login" in result.stderr
    assert hub.log == []


def test_a_trusted_publisher_needs_no_stored_token(hub, cli, one_level, monkeypatch):
    monkeypatch.delenv("HF_TOKEN")
    monkeypatch.setenv("HF_OIDC_RESOURCE", f"datasets/{REPO}")
    refused = cli("publish", one_level, "--repo", REPO, "-q")
    assert refused.exit_code == 2 and "trusted publisher" in refused.stderr
    monkeypatch.setenv("HF_OIDC_ID_TOKEN", "somebody.elses.job")
    refused = cli("publish", one_level, "--repo", REPO, "-q")
    assert refused.exit_code == 2 and "invalid_grant" in refused.stderr
    assert SENTENCE.match(refused.stderr) and REPO not in hub.repos
    monkeypatch.setenv("HF_OIDC_ID_TOKEN", PUBLISHER)
    assert cli("publish", one_level, "--repo", REPO, "-q").exit_code == 0
    assert visible(hub) == expected(one_level)


# what happens when the Hub or the network fails

FAILURES = [
    ("info", "drop"),
    ("create", 400),
    ("create", "drop"),
    ("refs", 500),
    ("tree", 429),
    ("validate", 500),
    ("preupload", 403),
    ("preupload", "drop"),
    ("batch", 500),
    ("put", "drop"),
    ("verify", 403),
    ("commit", 400),
    ("commit", 409),
    ("commit", 500),
    ("commit", "drop"),
    *(
        pytest.param(step, status, marks=pytest.mark.deep)
        for step, status in [
            ("info", 500),
            ("create", 401),
            ("create", 403),
            ("create", 409),
            ("preupload", 404),
            ("put", 500),
            ("commit", 401),
            ("commit", 403),
            ("commit", 412),
        ]
    ),
]


@pytest.mark.parametrize(("step", "status"), FAILURES)
def test_a_failed_upload_leaves_no_partial_release_and_can_be_repeated(
    hub, cli, one_level, step, status
):
    hub.fail(step, status, after=2 if step == "put" else 0)
    result = cli("publish", one_level, "--repo", REPO, "--tag", "v1", "-q")
    assert result.exit_code in (1, 2), result.stdout
    assert SENTENCE.search(result.stderr) and "Traceback" not in result.stderr
    assert "nothing of the release is visible there" in result.stderr
    assert hub.token not in result.stderr + result.stdout
    assert visible(hub) == set() and (REPO not in hub.repos or not hub.repos[REPO].tags)
    hub.heal()
    again = cli("publish", one_level, "--repo", REPO, "--tag", "v1", "-q")
    assert again.exit_code == 0, again.stderr
    assert visible(hub, "v1") == expected(one_level)


def test_what_was_uploaded_before_a_failure_is_not_sent_twice(hub, cli, one_level):
    hub.fail("commit", 500)
    assert cli("publish", one_level, "--repo", REPO, "-q").exit_code == 1
    sent = hub.requests("put")
    hub.heal()
    assert cli("publish", one_level, "--repo", REPO, "-q").exit_code == 0
    assert hub.requests("put") == sent > 10


def test_a_failure_after_an_earlier_release_leaves_that_one_whole(hub, cli, one_level, audited):
    assert cli("publish", audited, "--repo", REPO, "--tag", "v1").exit_code == 0
    hub.fail("put", "drop", after=1)
    assert cli("publish", one_level, "--repo", REPO, "--tag", "v2", "-q").exit_code == 1
    assert visible(hub) == visible(hub, "v1") == expected(audited)


def test_a_commit_whose_answer_is_lost_is_found_and_tagged(hub, cli, one_level):
    hub.fail("commit", "lost")
    assert cli("publish", one_level, "--repo", REPO, "--tag", "v1", "-q").exit_code == 0
    assert visible(hub, "v1") == expected(one_level) and len(hub.repos[REPO].commits) == 2


@pytest.mark.parametrize("status", [403, 409, 500, "drop"])
def test_a_failed_tag_says_that_the_release_is_there_without_it(hub, cli, one_level, status):
    hub.fail("tag", status)
    result = cli("publish", one_level, "--repo", REPO, "--tag", "v1", "-q")
    assert result.exit_code in (1, 2) and "without its tag" in result.stderr
    hub.heal()
    assert cli("publish", one_level, "--repo", REPO, "--tag", "v1", "-q").exit_code == 0
    assert visible(hub, "v1") == expected(one_level) and hub.requests("commit") == 1


@pytest.mark.parametrize(
    "token", ["hf_wrongWRONGwrong", "hf_withA\x7fstrangeCharacter", "s3cret with blank"]
)
def test_no_message_ever_holds_a_token(hub, cli, one_level, monkeypatch, token):
    monkeypatch.setenv("HF_TOKEN", token)
    result = cli("publish", one_level, "--repo", REPO)
    assert result.exit_code in (1, 2) and "Traceback" not in result.stderr
    assert not any(part in result.stderr + result.stdout for part in [token, *token.split()[:1]])
    assert REPO not in hub.repos


# what users get


def read_with(python: str, *args: object, env: dict[str, str]) -> dict:
    """What read_release.py prints when run by this Python."""
    done = subprocess.run(
        [python, READER, *args],
        capture_output=True,
        text=True,
        env={**os.environ, **env},
        timeout=600,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    got = json.loads(done.stdout.splitlines()[-1])
    assert got["default"] == got["configs"]["comp_zeroshot"], "what load_dataset(path) gives"
    return got


def truth(folder: Path) -> dict[str, dict[str, list]]:
    """Number and digest of the rows of every split, as this package reads them."""
    release = Release(folder)
    return {
        config: {split: digest(release.rows(config, split)) for split in release.splits(config)}
        for config in release.configs()
    }


@pytest.fixture(scope="session")
def published(one_level: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubServer]:
    """A Hub with the release, which the command published in a process of its own."""
    with HubServer() as server:
        env = {**os.environ, **server.environment(str(tmp_path_factory.mktemp("hf")))}
        words = [
            sys.executable,
            "-m",
            "bioreason_bench",
            "publish",
            str(one_level),
            "--repo",
            REPO,
            "--tag",
            "v1.0.0",
        ]
        done = subprocess.run(words, capture_output=True, text=True, env=env, timeout=300)
        assert done.returncode == 0 and done.stdout == f"{server.url}/datasets/{REPO}\n", (
            done.stderr
        )
        yield server


def test_every_config_loads_from_the_folder(audited, tmp_path):
    got = read_with(sys.executable, audited, env={"HF_HOME": str(tmp_path), "HF_HUB_OFFLINE": "1"})
    assert got["configs"] == truth(audited)


def test_every_config_loads_from_the_hub_by_tag(published, one_level, tmp_path):
    got = read_with(
        sys.executable, REPO, "--revision", "v1.0.0", env=published.environment(str(tmp_path))
    )
    assert got["configs"] == truth(one_level)


def test_every_config_streams_from_the_hub(published, one_level, tmp_path):
    got = read_with(sys.executable, REPO, "--streaming", env=published.environment(str(tmp_path)))
    assert got["configs"] == truth(one_level)
    assert got["features"]["comp_zeroshot"][:3] == ["id", "skill", "level"], (
        "features are known before a row is read"
    )


@pytest.mark.deep
@pytest.mark.slow
def test_the_oldest_supported_datasets_reads_the_same_rows(published, one_level, tmp_path):
    """Lists written by newer versions of `datasets` do not load in 3.6; plain Parquet does."""
    python = environment_with(tmp_path / "old", "datasets==3.6.0")
    env = published.environment(str(tmp_path / "hf"))
    for args in ([one_level], [REPO, "--revision", "v1.0.0"], [REPO, "--streaming"]):
        got = read_with(python, *args, env=env)
        assert got["datasets"] == "3.6.0" and got["configs"] == truth(one_level)


def environment_with(folder: Path, *packages: str) -> str:
    """The Python of a fresh virtual environment with these packages; skips without a registry."""
    subprocess.run([sys.executable, "-m", "venv", folder], check=True, capture_output=True)
    pip = subprocess.run(
        [folder / "bin" / "pip", "install", "-q", *packages],
        capture_output=True,
        text=True,
        timeout=600,
    )
    if pip.returncode:
        pytest.skip(f"no package registry: {pip.stderr.strip().splitlines()[-1]}")
    return str(folder / "bin" / "python")
