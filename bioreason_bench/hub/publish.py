"""Publish a release on the Hugging Face Hub: check it, compare it with the repository, commit, tag.

A commit on the Hub is all or nothing.  Large files are uploaded first, but no visitor sees them
until the commit names them, so the repository never shows half a release.  Publishing the same
release again finds no difference and changes nothing.

The folder data/ and the files in OWN belong to the release: what an earlier release left there is
removed.  Every other file of the repository is left alone.  So is eval.yaml, unless it is as an
earlier publication wrote it: the Hub's staff or its owners may have changed it.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from bioreason_bench.audit.report import AUDIT, check_audit, read_audit
from bioreason_bench.errors import ReleaseError, UsageError
from bioreason_bench.escaping import without_token
from bioreason_bench.hub.benchmark import EVAL, benchmark, is_unchanged
from bioreason_bench.hub.card import card_files, card_words
from bioreason_bench.hub.errors import Step, http_errors, plain_failures
from bioreason_bench.release.digest import digest_rows
from bioreason_bench.release.manifest import MANIFEST
from bioreason_bench.release.read import Release

if TYPE_CHECKING:
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi

__all__ = ["Published", "check_names", "check_release", "files_to_publish", "publish"]

DATA = "data/"
OWN = ("README.md", "chain.svg", "croissant.json", MANIFEST, AUDIT)
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
        removed: Paths that were deleted: parts of an earlier release that this one lacks.
        kept: Paths that publishing would have written, had nobody else changed them.
    """

    url: str
    commit: str
    tag: str | None
    sent: tuple[str, ...]
    removed: tuple[str, ...]
    kept: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Difference:
    """Paths to send, to remove, and to leave as others changed them."""

    sent: list[str]
    removed: list[str]
    kept: list[str]

    def __bool__(self) -> bool:
        return bool(self.sent or self.removed)


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
    """Content by path in the repository: data, manifest, audit, card and benchmark."""
    texts = card_files(release.path, release.manifest, read_audit(release.path), repo)
    if tasks := benchmark(release, card_words(release.manifest)):
        texts[EVAL] = tasks
    files: dict[str, Content] = {name: text.encode() for name, text in texts.items()}
    files |= {name: release.path / name for name in (MANIFEST, AUDIT)}
    return files | {file: release.path / file for file in release.manifest["files"]}


def check_names(repo: str, tag: str | None, option: str = "--repo") -> None:
    """Raise UsageError for a repository or tag whose name the Hub would not accept.

    Args:
        repo: OWNER/NAME.
        tag: The tag, if there is to be one.
        option: The option that names the repository, for the message.
    """
    from huggingface_hub.utils import HFValidationError, validate_repo_id

    example = "use OWNER/NAME, such as org/bioreason"
    try:
        validate_repo_id(repo)
    except HFValidationError as error:
        reason = str(error).rstrip(".")
        raise UsageError(
            f"{option} {repo!r} is not a name on the Hub ({reason}); {example}"
        ) from None
    if repo.count("/") != 1:
        raise UsageError(f"{option} {repo!r} lacks its owner; {example}")
    if tag is not None and (
        not TAG.fullmatch(tag) or ".." in tag or tag.endswith((".", "/", ".lock"))
    ):
        raise UsageError(f"--tag {tag!r} is not a name for a tag; use one such as v1.0.0")


def publish(
    release: Release, repo: str, *, tag: str | None = None, private: bool = False
) -> Published:
    """Make a repository on the Hub hold exactly this release, beside files of other people.

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
    from huggingface_hub import HfApi

    check_names(repo, tag)
    files = files_to_publish(release, repo)
    _require_token()
    api = HfApi(library_name="bioreason-bench")
    step, url = Step(), f"{api.endpoint}/datasets/{repo}"
    with plain_failures(step, repo, api.endpoint):
        head = _open_repository(api, repo, private, step)
        step.name = "read what is there"
        refs = api.list_repo_refs(repo, repo_type="dataset")
        tagged = {ref.name: ref.target_commit for ref in refs.tags}
        if tag in tagged:
            if _difference(api, repo, tagged[tag], files):
                raise UsageError(
                    f"{repo} has a tag {tag} with other content, and tags do not move; "
                    "choose another --tag"
                )
            return Published(url, tagged[tag], tag, (), ())
        difference = _difference(api, repo, head, files)
        if difference:
            step.name = "upload"
            operations = _operations(files, difference)
            head = _commit(api, repo, head, operations, _commit_message(release, tag), files)
        if tag:
            step.name, step.state = "tag", "the whole release is there, but without its tag"
            api.create_tag(repo, tag=tag, revision=head, repo_type="dataset")
    parts = (difference.sent, difference.removed, difference.kept)
    return Published(url, head, tag, *map(tuple, parts))


def _require_token() -> None:
    """Raise UsageError if there is no token: stored, in HF_TOKEN, or from a trusted publisher."""
    from huggingface_hub import get_token

    try:
        token = get_token()
    except Exception as error:  # noqa: BLE001 - exchanging the identity of a CI job fails in many ways
        reason = without_token(str(error).strip() or type(error).__name__)
        raise UsageError(
            f"the trusted publisher of {os.environ.get('HF_OIDC_RESOURCE')} gave no token "
            f"({reason}); correct its settings on the Hub and the permissions of the job"
        ) from None
    if not token:
        raise UsageError(
            "there is no token for the Hub; log in with: hf auth login (or set HF_TOKEN), "
            "then publish again"
        )


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
    files: Mapping[str, Content], difference: _Difference
) -> list[CommitOperationAdd | CommitOperationDelete]:
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete

    return [
        *(CommitOperationAdd(path, files[path]) for path in difference.sent),
        *(CommitOperationDelete(path) for path in difference.removed),
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
            if newest != head and not _difference(api, repo, newest, files):
                return newest
        raise


def _difference(api: HfApi, repo: str, revision: str, files: Mapping[str, Content]) -> _Difference:
    """How a revision differs from these files, as far as they are ours to change."""
    tree = api.list_repo_tree(repo, recursive=True, revision=revision, repo_type="dataset")
    entries = {entry.path: entry for entry in tree if hasattr(entry, "size")}  # folders have none
    differing = [
        path
        for path, content in files.items()
        if path not in entries or not _same(entries[path], content)
    ]
    surplus = set(entries) - set(files)
    own = set(OWN)
    foreign: set[str] = set()
    if EVAL in entries and EVAL in {*differing, *surplus}:
        (own if _wrote_benchmark(api, repo, revision) else foreign).add(EVAL)
    return _Difference(
        sent=[path for path in differing if path not in foreign],
        removed=sorted(path for path in surplus if path in own or path.startswith(DATA)),
        kept=[path for path in differing if path in foreign],
    )


def _wrote_benchmark(api: HfApi, repo: str, revision: str) -> bool:
    """Whether the eval.yaml of a revision is as publishing wrote it."""
    with TemporaryDirectory(prefix="bioreason-eval-") as folder:
        path = api.hf_hub_download(
            repo, EVAL, repo_type="dataset", revision=revision, local_dir=folder
        )
        return is_unchanged(Path(path).read_text(encoding="utf-8", errors="replace"))


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
