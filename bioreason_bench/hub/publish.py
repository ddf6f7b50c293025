"""Publish a release on the Hugging Face Hub: check it, compare it with the repository, commit, tag.

A commit on the Hub is all or nothing.  Large files are uploaded first, but no visitor sees them
until the commit names them, so the repository never shows half a release.  Publishing the same
release again finds no difference and changes nothing.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bioreason_bench.audit.report import AUDIT, check_audit, read_audit
from bioreason_bench.errors import ReleaseError, UsageError
from bioreason_bench.hub.card import card_files
from bioreason_bench.hub.errors import Step, http_errors, plain_failures
from bioreason_bench.release.digest import digest_rows
from bioreason_bench.release.manifest import MANIFEST
from bioreason_bench.release.read import Release

if TYPE_CHECKING:
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi

__all__ = ["Published", "check_names", "check_release", "files_to_publish", "publish"]

KEPT = (".gitattributes",)  # the Hub's own, never deleted
TAG = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,126}")

Content = Path | bytes


@dataclass(frozen=True)
class Published:
    """What publishing did.

    Attributes:
        url: The page of the repository.
        commit: The commit that holds the release.
        tag: The tag of that commit, if one was asked for.
        sent: Paths in the repository that were added or changed.
        removed: Paths that were deleted, because they are not part of the release.
    """

    url: str
    commit: str
    tag: str | None
    sent: tuple[str, ...]
    removed: tuple[str, ...]


def check_release(
    folder: Path, advance: Callable[[str, int], object] = lambda _file, _rows: None
) -> Release:
    """Open a release after checking its rows against the manifest's digests, and its audit.

    Args:
        folder: The release.
        advance: Called with (file, rows) after each file.

    Raises:
        ReleaseError: If the release is incomplete, changed, not audited, or its audit failed.
        UsageError: If there is no such folder.
    """
    release = Release(folder)
    for file, entry in release.manifest["files"].items():
        if digest_rows(release.read(folder / file)) != entry["digest"]:
            raise ReleaseError(
                f"the rows of {folder / file} do not have the digest in {MANIFEST}; "
                "generate or download the release again"
            )
        advance(file, entry["rows"])
    check_audit(folder)
    return release


def files_to_publish(release: Release, repo: str) -> dict[str, Content]:
    """Content by path in the repository: data, manifest, audit, and a card that names `repo`."""
    card = card_files(release.path, release.manifest, read_audit(release.path), repo)
    files: dict[str, Content] = {name: text.encode() for name, text in card.items()}
    files |= {name: release.path / name for name in (MANIFEST, AUDIT)}
    return files | {file: release.path / file for file in release.manifest["files"]}


def check_names(repo: str, tag: str | None) -> None:
    """Raise UsageError for a repository or tag whose name the Hub would not accept."""
    from huggingface_hub.utils import HFValidationError, validate_repo_id

    example = "use OWNER/NAME, such as org/bioreason"
    try:
        validate_repo_id(repo)
    except HFValidationError as error:
        reason = str(error).rstrip(".")
        raise UsageError(
            f"--repo {repo!r} is not a name on the Hub ({reason}); {example}"
        ) from None
    if repo.count("/") != 1:
        raise UsageError(f"--repo {repo!r} lacks its owner; {example}")
    if tag is not None and (
        not TAG.fullmatch(tag) or ".." in tag or tag.endswith((".", "/", ".lock"))
    ):
        raise UsageError(f"--tag {tag!r} is not a name for a tag; use one such as v1.0.0")


def publish(
    release: Release, repo: str, *, tag: str | None = None, private: bool = False
) -> Published:
    """Make a repository on the Hub hold exactly this release.

    After an error the repository is as it was before, or holds the whole release without its tag.

    Args:
        release: The release, as `check_release` returned it.
        repo: OWNER/NAME; created if it does not exist.
        tag: The name of this version; None for no tag.
        private: Whether a new repository is private.

    Raises:
        UsageError: For a name, token or tag that cannot be used.
        BioreasonError: If the Hub or the network fails.
    """
    from huggingface_hub import HfApi, get_token

    check_names(repo, tag)
    files = files_to_publish(release, repo)
    api = HfApi(library_name="bioreason-bench")
    if not get_token():
        raise UsageError(
            "there is no token for the Hub; log in with: hf auth login (or set HF_TOKEN), "
            "then publish again"
        )
    step, url = Step(), f"{api.endpoint}/datasets/{repo}"
    with plain_failures(step, repo, api.endpoint):
        head = _open_repository(api, repo, private, step)
        step.name = "read what is there"
        refs = api.list_repo_refs(repo, repo_type="dataset")
        tagged = {ref.name: ref.target_commit for ref in refs.tags}
        if tag in tagged:
            if any(_difference(api, repo, tagged[tag], files)):
                raise UsageError(
                    f"{repo} has a tag {tag} with other content, and tags do not move; "
                    "choose another --tag"
                )
            return Published(url, tagged[tag], tag, (), ())
        sent, removed = _difference(api, repo, head, files)
        if sent or removed:
            step.name = "upload"
            operations = _operations(files, sent, removed)
            head = _commit(api, repo, head, operations, _commit_message(release, tag), files)
        if tag:
            step.name, step.state = "tag", "the whole release is there, but without its tag"
            api.create_tag(repo, tag=tag, revision=head, repo_type="dataset")
    return Published(url, head, tag, tuple(sent), tuple(removed))


def _commit_message(release: Release, tag: str | None) -> str:
    message = f"{release.manifest['preset']}, seed {release.manifest['seed']}"
    return f"{message}, {tag}" if tag else message


def _open_repository(api: HfApi, repo: str, private: bool, step: Step) -> str:
    """Create the repository unless it exists, and return its newest commit."""
    from huggingface_hub.utils import RepositoryNotFoundError

    try:
        info = api.repo_info(repo, repo_type="dataset")
    except RepositoryNotFoundError:
        step.name = "create the repository"
        api.create_repo(repo, repo_type="dataset", private=private or None)
        info = api.repo_info(repo, repo_type="dataset")
    if private and not info.private:
        raise UsageError(
            f"{repo} is public, but --private was asked for; make it private in its settings, "
            "or choose another --repo"
        )
    return info.sha


def _operations(
    files: Mapping[str, Content], sent: list[str], removed: list[str]
) -> list[CommitOperationAdd | CommitOperationDelete]:
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete

    return [
        *(CommitOperationAdd(path, files[path]) for path in sent),
        *(CommitOperationDelete(path) for path in removed),
    ]


def _commit(
    api: HfApi,
    repo: str,
    head: str,
    operations: list[CommitOperationAdd | CommitOperationDelete],
    message: str,
    files: Mapping[str, Content],
) -> str:
    """Commit on top of `head` and return the new commit.

    If only the answer to the commit is lost, the commit is found in the repository.
    """
    try:
        return api.create_commit(
            repo, operations, commit_message=message, repo_type="dataset", parent_commit=head
        ).oid
    except http_errors():
        with suppress(*http_errors()):
            newest = api.repo_info(repo, repo_type="dataset").sha
            if newest != head and not any(_difference(api, repo, newest, files)):
                return newest
        raise


def _difference(
    api: HfApi, repo: str, revision: str, files: Mapping[str, Content]
) -> tuple[list[str], list[str]]:
    """Paths whose content at the revision differs from ours, and paths only the revision has."""
    tree = api.list_repo_tree(repo, recursive=True, revision=revision, repo_type="dataset")
    entries = {entry.path: entry for entry in tree if hasattr(entry, "size")}  # folders have none
    differing = [
        path
        for path, content in files.items()
        if path not in entries or not _same(entries[path], content)
    ]
    return differing, sorted(set(entries) - set(files) - set(KEPT))


def _same(entry: Any, content: Content) -> bool:
    """Whether a file on the Hub has this content.

    Large files are compared by SHA-256, others by git's own hash.
    """
    size = content.stat().st_size if isinstance(content, Path) else len(content)
    if entry.size != size:
        return False
    git_header = b"blob %d\0" % size
    digest = hashlib.sha256() if entry.lfs else hashlib.sha1(git_header, usedforsecurity=False)
    for part in _parts(content):
        digest.update(part)
    return digest.hexdigest() == (entry.lfs.sha256 if entry.lfs else entry.blob_id)


def _parts(content: Content) -> Iterator[bytes]:
    if isinstance(content, bytes):
        yield content
        return
    with content.open("rb") as file:
        while part := file.read(1 << 20):
            yield part
