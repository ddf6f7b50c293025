"""Releases larger than the disk: made and checked file by file in a branch, then published."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

import pytest
from few import SETTINGS, few
from hub_server import HubServer

fsspec = pytest.importorskip("fsspec")

from bioreason_bench.audit.verify import verify
from bioreason_bench.build import generate, generate_to_store, merge
from bioreason_bench.errors import BioreasonError, UsageError
from bioreason_bench.release.manifest import read_manifest
from bioreason_bench.scale.hub_branch import HubBranch, branch_at
from bioreason_bench.scale.remote import checkout
from bioreason_bench.scale.shares import Shares

pytestmark = pytest.mark.usefixtures("planned_once")
REPO = "org/tiny"
URL = f"hf://datasets/{REPO}"
BESIDE = {".gitattributes", "eval.yaml", "audit.json"}

CONFIG = few()


@pytest.fixture
def folder(few_release: Path) -> Path:
    """The release in a folder."""
    return few_release


def content(folder: Path) -> dict[str, bytes]:
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def without(files: dict[str, bytes], names: set[str]) -> dict[str, bytes]:
    return {name: text for name, text in files.items() if name not in names}


@pytest.fixture(scope="module")
def drafts() -> dict[str, Any]:
    """What the Hub holds after a release has been drafted and audited there, once it has."""
    return {}


@pytest.fixture
def drafted(hub: HubServer, cli, drafts) -> HubServer:
    """A Hub with an audited draft."""
    if not drafts:
        assert cli("generate", "--preset", "tiny", *SETTINGS, "--out", URL, "-q").exit_code == 0
        assert cli("verify", f"{URL}@draft", "--write", "-q").exit_code == 0
        drafts.update(hub.saved())
    hub.restore(drafts)
    return hub


def test_a_release_is_drafted_checked_and_published_without_a_folder(hub: HubServer, cli, folder):
    made = cli("generate", "--preset", "tiny", *SETTINGS, "--workers", "2", "--out", URL)
    assert made.exit_code == 0, made.stderr
    assert f"bioreason verify {URL}@draft --write && bioreason publish {URL}@draft" in made.stderr
    assert hub.files(REPO).keys() == {".gitattributes"}, "visitors see nothing yet"
    assert without(hub.files(REPO, "draft"), BESIDE) == content(folder)
    refused = cli("publish", f"{URL}@draft", "--repo", REPO)
    assert refused.exit_code == 1
    assert f"bioreason verify {URL}@draft --write" in refused.stderr
    checked = cli("verify", f"{URL}@draft", "--write")
    assert checked.exit_code == 0, checked.stdout
    assert checked.stdout.splitlines()[-1].startswith(f"{URL}@draft: ")
    puts = hub.requests("put")
    done = cli("publish", f"{URL}@draft", "--repo", REPO, "--tag", "v1")
    assert done.exit_code == 0, done.stderr
    assert hub.requests("put") == puts, "data is copied on the Hub, not sent again"
    repo = hub.repos[REPO]
    assert repo.tags == {"v1": repo.head}
    assert repo.branches.keys() == {"main"}
    changed = {*BESIDE, "README.md", "croissant.json"}  # the audit and the repository's name
    assert without(hub.files(REPO), changed) == without(content(folder), changed)
    assert cli("verify", URL, "-q").exit_code == 0


def test_an_interrupted_draft_goes_on_where_it_stopped(hub, folder, monkeypatch):
    monkeypatch.setattr(HubBranch, "batch", 6)
    hub.fail("commit", 500, after=2)
    with pytest.raises(BioreasonError, match=r"could not commit files .* same command again"):
        generate_to_store(CONFIG, branch_at(URL).url, workers=2)
    hub.heal()
    assert "manifest.json" not in hub.files(REPO, "draft")
    committed = [file for file in hub.files(REPO, "draft") if file.startswith("data/")]
    assert 0 < len(committed) < len(read_manifest(folder)["files"])
    before = hub.requests("preupload")
    generate_to_store(CONFIG, URL, workers=2)
    again = hub.requests("preupload") - before
    assert again < len(read_manifest(folder)["files"]), "committed files are not made again"
    assert without(hub.files(REPO, "draft"), BESIDE) == content(folder)


def test_machines_draft_their_shares_in_one_branch(hub, folder):
    for share in (1, 0):
        generate_to_store(CONFIG, URL, shares=Shares(share, share, 2), workers=1)
    assert merge([URL], URL) == read_manifest(folder)
    assert without(hub.files(REPO, "draft"), BESIDE) == content(folder)


def test_two_runs_of_one_draft_leave_one_release(hub, folder, monkeypatch):
    """The second finishes while the first is at work; what the first still notes is removed."""
    monkeypatch.setattr(HubBranch, "batch", 6)
    record, rivals = HubBranch.record, []

    def record_after_the_rival(self, uploads):
        if not rivals:
            rivals.append(True)
            generate_to_store(CONFIG, URL, workers=1)
        record(self, uploads)

    monkeypatch.setattr(HubBranch, "record", record_after_the_rival)
    assert generate_to_store(CONFIG, URL, workers=1) == read_manifest(folder)
    assert without(hub.files(REPO, "draft"), BESIDE) == content(folder)


def test_the_draft_goes_even_if_the_first_publication_lost_its_answer(drafted, cli):
    drafted.fail("tag", "lost", times=1)
    assert cli("publish", f"{URL}@draft", "--repo", REPO, "--tag", "v1", "-q").exit_code == 1
    done = cli("publish", f"{URL}@draft", "--repo", REPO, "--tag", "v1")
    assert done.exit_code == 0, done.stderr
    assert drafted.repos[REPO].branches.keys() == {"main"}


def test_a_broken_draft_gets_an_audit_that_says_so(drafted, cli):
    from huggingface_hub import HfApi

    HfApi().delete_file(
        "data/comp/zeroshot/test-00000-of-00001.parquet",
        repo_id=REPO,
        repo_type="dataset",
        revision="draft",
    )
    broken = cli("verify", f"{URL}@draft", "--write", "-q")
    assert broken.exit_code == 1
    assert "the manifest names this file, but it is not there" in broken.stdout
    assert json.loads(drafted.files(REPO, "draft")["audit.json"])["ok"] is False
    refused = cli("publish", f"{URL}@draft", "--repo", REPO)
    assert refused.exit_code == 1
    assert "says that this release breaks: files" in refused.stderr


def test_a_hub_that_fails_while_a_release_is_read_is_one_sentence(drafted, cli):
    for step in ("info", "tree", "resolve"):
        for status in (401, 404, 500, "drop"):
            drafted.fail(step, status)
            result = cli("verify", f"{URL}@draft", "-q")
            assert result.exit_code in (1, 2), (step, status)
            assert result.stderr.startswith("bioreason: "), result.stderr
            assert result.stderr.count("\n") == 1, result.stderr
            assert "/tmp" not in result.stderr, result.stderr
            assert "finished files" not in result.stderr, result.stderr


def test_a_new_version_begins_with_an_empty_branch(hub, cli):
    from huggingface_hub import HfApi

    HfApi().create_repo(REPO, repo_type="dataset")
    HfApi().upload_file(
        path_or_fileobj=b"{}", path_in_repo="manifest.json", repo_id=REPO, repo_type="dataset"
    )
    del hub.repos[REPO].commits[next(iter(hub.repos[REPO].commits))]  # as in a squashed history
    assert cli("generate", "--preset", "tiny", *SETTINGS, "--out", URL, "-q").exit_code == 0


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("hf://datasets/org", r"is no data set on the Hub; use hf://datasets/OWNER/NAME"),
        ("hf://org/model", r"is no data set on the Hub"),
        (f"{URL}@main", r"only bioreason publish writes there; leave out @main"),
        (f"{URL}@my branch", r"is not a name for a branch"),
        ("hf://datasets/org/x y", r"is no data set on the Hub"),
    ],
)
def test_addresses_that_are_no_branch_are_refused(url, says):
    with pytest.raises(UsageError, match=says):
        branch_at(url)


def test_without_a_token_nothing_is_made(hub, cli, monkeypatch):
    monkeypatch.delenv("HF_TOKEN")
    result = cli("generate", "--preset", "tiny", *SETTINGS, "--out", URL, "-q")
    assert result.exit_code == 2
    assert "there is no token for the Hub" in result.stderr
    assert not hub.repos


# stores that are not the Hub


@pytest.fixture
def stored() -> str:
    url = f"memory://{uuid.uuid4().hex}/tiny"
    generate_to_store(CONFIG, url)
    return url


def test_the_audit_of_a_store_is_that_of_the_folder(stored, folder):
    with checkout(stored) as files:
        there = verify(files, workers=2)
        assert not list(files.folder.glob("data/**/*.parquet")), "nothing stays on this disk"
    here = verify(folder, workers=2)
    assert there.scores == here.scores
    counts, expected = there.ledger.as_dict(), here.ledger.as_dict()
    del counts["files"], expected["files"]  # a store has no folders
    assert counts == expected


def test_the_audit_of_a_store_sees_what_is_missing_torn_or_too_much(stored):
    files, root = fsspec.core.url_to_fs(stored)
    for change in (
        lambda: files.pipe_file(f"{root}/data/extra.parquet", b"x"),
        lambda: files.rm_file(f"{root}/data/people/train-00000-of-00001.parquet"),
    ):
        change()
        with checkout(stored) as release:
            assert verify(release, workers=1).ledger.broken_in("files")


def test_a_store_is_published_file_by_file(hub, cli, folder, tmp_path):
    """Of several files of biographies, too, though the card quotes from one of them."""
    stored = f"memory://{uuid.uuid4().hex}/tiny"
    generate_to_store(CONFIG, stored, shard_rows=100)
    folder = tmp_path / "few"
    generate(CONFIG, folder, shard_rows=100, workers=2)
    assert cli("verify", stored, "--write", "-q").exit_code == 0
    result = cli("publish", stored, "--repo", REPO, "--json")
    assert result.exit_code == 0, result.stderr
    changed = {*BESIDE, "README.md", "croissant.json"}
    assert without(hub.files(REPO), changed) == without(content(folder), changed)
    space = cli("publish", stored, "--repo", REPO, "--space", "org/page")
    assert "--space needs a release in a folder" in space.stderr
    empty = cli("verify", stored + "2")
    assert empty.exit_code == 2
    assert "holds no release" in empty.stderr
