"""Publishing a release on the Hugging Face Hub: check it, compare it with what is there, one commit, one tag.

A commit on the Hub is all or nothing, so a release is never half there: large files go up beforehand, but nobody sees
them until the commit names them.  Publishing the same release again finds nothing to send and changes nothing.
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
    from huggingface_hub import HfApi

__all__ = ["Published", "check_release", "files_to_publish", "publish"]

KEPT = (".gitattributes",)  # the Hub's own, never deleted
TAG = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,126}")

Content = Path | bytes


@dataclass(frozen=True)
class Published:
    """Where a release now stands, and what had to be sent for it."""

    url: str
    commit: str
    tag: str | None
    sent: tuple[str, ...]
    removed: tuple[str, ...]


def check_release(
    folder: Path, advance: Callable[[str, int], None] = lambda _file, _rows: None
) -> Release:
    """The release, once its rows have the digests of its manifest and its audit passed; raises ReleaseError, UsageError."""
    release = Release(folder)
    for file, entry in release.manifest["files"].items():
        if digest_rows(release.read(folder / file)) != entry["digest"]:
            raise ReleaseError(
                f"{folder / file} does not hold the rows that {MANIFEST} says: its digest differs; generate or download it again"
            )
        advance(file, entry["rows"])
    check_audit(folder)
    return release


def files_to_publish(release: Release, repo: str) -> dict[str, Content]:
    """What goes up, by path in the repository: the files of the manifest, manifest and audit, and the card made for `repo`."""
    card = card_files(release.path, release.manifest, read_audit(release.path), repo)
    files: dict[str, Content] = {name: text.encode() for name, text in card.items()}
    files |= {name: release.path / name for name in (MANIFEST, AUDIT)}
    return files | {file: release.path / file for file in release.manifest["files"]}


def check_names(repo: str, tag: str | None) -> None:
    """Raises UsageError for a name that the Hub would not take."""
    from huggingface_hub.utils import HFValidationError, validate_repo_id

    try:
        validate_repo_id(repo)
    except HFValidationError as error:
        raise UsageError(
            f"--repo {repo!r} is not a name on the Hub ({str(error).rstrip('.')}); use OWNER/NAME, such as org/bioreason"
        ) from None
    if repo.count("/") != 1:
        raise UsageError(f"--repo {repo!r} lacks its owner; use OWNER/NAME, such as org/bioreason")
    if tag is not None and (
        not TAG.fullmatch(tag) or ".." in tag or tag.endswith((".", "/", ".lock"))
    ):
        raise UsageError(f"--tag {tag!r} is not a name for a tag; use one such as v1.0.0")


def publish(
    release: Release, repo: str, *, tag: str | None = None, private: bool = False
) -> Published:
    """Make `repo` on the Hub hold exactly this release (which `check_release` let through), under `tag` if there is one.

    Raises UsageError for a name, token or tag that cannot be used and BioreasonError where the Hub or the network fails;
    then the repository is as it was, or holds the whole release without its tag.
    """
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi, get_token

    check_names(repo, tag)
    files = files_to_publish(release, repo)
    api = HfApi(library_name="bioreason-bench")
    if not get_token():
        raise UsageError(
            "there is no token for the Hub; log in with: hf auth login (or set HF_TOKEN), then publish again"
        )
    step, url = Step(), f"{api.endpoint}/datasets/{repo}"
    with plain_failures(step, repo, api.endpoint):
        head = _repository(api, repo, private, step)
        step.name = "read what is there"
        tags = {
            ref.name: ref.target_commit
            for ref in api.list_repo_refs(repo, repo_type="dataset").tags
        }
        if tag in tags:
            if any(_difference(api, repo, tags[tag], files)):
                raise UsageError(
                    f"{repo} has a tag {tag} with other content, and tags do not move; choose another --tag"
                )
            return Published(url, tags[tag], tag, (), ())
        sent, removed = _difference(api, repo, head, files)
        if sent or removed:
            operations = [
                CommitOperationAdd(path, content) for path, content in files.items() if path in sent
            ]
            operations += [CommitOperationDelete(path) for path in removed]
            step.name = "upload"
            message = f"{release.manifest['preset']}, seed {release.manifest['seed']}{f', {tag}' if tag else ''}"
            head = _commit(api, repo, head, operations, message, files)
        if tag:
            step.name, step.left = "tag", "the whole release is there, but without its tag"
            api.create_tag(repo, tag=tag, revision=head, repo_type="dataset")
    return Published(url, head, tag, tuple(sent), tuple(removed))


def _repository(api: HfApi, repo: str, private: bool, step: Step) -> str:
    """The newest commit of the repository, which is made if it is not there."""
    from huggingface_hub.utils import RepositoryNotFoundError

    try:
        info = api.repo_info(repo, repo_type="dataset")
    except RepositoryNotFoundError:
        step.name = "create the repository"
        api.create_repo(repo, repo_type="dataset", private=private or None)
        info = api.repo_info(repo, repo_type="dataset")
    if private and not info.private:
        raise UsageError(
            f"{repo} is public, but --private was asked for; make it private in its settings, or choose another --repo"
        )
    return info.sha


def _commit(
    api: HfApi,
    repo: str,
    head: str,
    operations: list[Any],
    message: str,
    files: Mapping[str, Content],
) -> str:
    """One commit upon `head`.  Where only the answer to it was lost, the commit that is there counts."""
    try:
        return api.create_commit(
            repo, operations, commit_message=message, repo_type="dataset", parent_commit=head
        ).oid
    except http_errors():
        with suppress(*http_errors()):
            now = api.repo_info(repo, repo_type="dataset").sha
            if now != head and not any(_difference(api, repo, now, files)):
                return now
        raise


def _difference(
    api: HfApi, repo: str, revision: str, files: Mapping[str, Content]
) -> tuple[list[str], list[str]]:
    """Paths whose content at that revision is not ours, and paths there that are not of this release."""
    tree = api.list_repo_tree(repo, recursive=True, revision=revision, repo_type="dataset")
    there = {entry.path: entry for entry in tree if hasattr(entry, "size")}  # folders have none
    sent = [
        path
        for path, content in files.items()
        if path not in there or not _same(there[path], content)
    ]
    return sent, sorted(set(there) - set(files) - set(KEPT))


def _same(entry: Any, content: Content) -> bool:
    """Whether a file on the Hub has this content: by SHA-256 where it is stored as a large file, else by git's own hash."""
    size = content.stat().st_size if isinstance(content, Path) else len(content)
    if entry.size != size:
        return False
    digest = (
        hashlib.sha256() if entry.lfs else hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)
    )
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
