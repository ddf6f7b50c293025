"""Publish a release on the Hugging Face Hub: check it, compare it with the repository, commit, tag.

The release is in a folder or in a store.  Of one in a store a file is downloaded while it is
checked, and again while it is sent; one in the same repository is not sent but copied there.  The
branch in which it was drafted is deleted then.

A commit on the Hub is all or nothing.  Large files are uploaded first, but no visitor sees them
until the commit names them, so the repository never shows half a release.  Publishing the same
release again finds no difference and changes nothing.

The folder data/ and the files in OWN belong to the release: what an earlier release left there is
removed.  Every other file of the repository is left alone.  So is eval.yaml, unless it is as an
earlier publication wrote it: the Hub's staff or its owners may have changed it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, TypeAlias

from bioreason_bench.audit.report import AUDIT, check_audit, read_audit
from bioreason_bench.errors import ReleaseError, UsageError
from bioreason_bench.hub.benchmark import EVAL, benchmark, is_unchanged
from bioreason_bench.hub.card import card_files, card_words
from bioreason_bench.hub.store_card import fetch_quoted
from bioreason_bench.release import disk
from bioreason_bench.release.digest import digest_rows
from bioreason_bench.release.files import Files
from bioreason_bench.release.manifest import MANIFEST
from bioreason_bench.release.read import Release
from bioreason_bench.scale.hub_access import Step, http_errors, plain_failures, require_token
from bioreason_bench.scale.hub_branch import DRAFT, repo_at
from bioreason_bench.scale.remote import RemoteFiles
from bioreason_bench.scale.urls import is_on_hub

if TYPE_CHECKING:
    from huggingface_hub import (
        CommitOperationAdd,
        CommitOperationCopy,
        CommitOperationDelete,
        HfApi,
    )

    Operation: TypeAlias = CommitOperationAdd | CommitOperationCopy | CommitOperationDelete

__all__ = [
    "Checked",
    "Published",
    "Remote",
    "check_names",
    "check_release",
    "files_to_publish",
    "publish",
    "size_of",
]

DATA = "data/"
OWN = ("README.md", "chain.svg", "croissant.json", MANIFEST, AUDIT)
TAG = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,126}")


def _on_hub(url: str) -> tuple[str | None, str | None]:
    """Repository and revision of an address; two Nones if it is not on the Hub."""
    return repo_at(url) if is_on_hub(url) else (None, None)


@dataclass(frozen=True)
class Remote:
    """A data file in a store: what is known of it since it was checked."""

    release: RemoteFiles
    file: str
    size: int
    sha256: str

    def commit_in(self, repo: str) -> str | None:
        """The commit of this repository that holds the file, if one does."""
        place, commit = _on_hub(self.release.store.url)
        return commit if place == repo else None


Content = Path | bytes | Remote


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


@dataclass(frozen=True)
class Checked:
    """A release whose rows have the digests of its manifest, and whose audit broke no law.

    Attributes:
        release: The release.
        data: Its data files by name.
    """

    release: Release
    data: Mapping[str, Path | Remote]


def check_release(
    files: Files, advance: Callable[[str, int], object] = lambda _file, _rows: None
) -> Checked:
    """Check the audit of a release, then its rows against the digests in the manifest.

    Args:
        files: The release.
        advance: Called with (file, rows) after each file.

    Raises:
        ReleaseError: If the release is incomplete, changed, not audited, or its audit failed.
        UsageError: If there is no such folder.
    """
    release = Release(files)
    check_audit(files.folder)
    data: dict[str, Path | Remote] = {}
    for file, entry in release.manifest["files"].items():
        with _opened(files, file) as path:
            if digest_rows(release.read(path)) != entry["digest"]:
                raise ReleaseError(
                    f"the rows of {files.name}/{file} do not have the digest in {MANIFEST}; "
                    "generate or download the release again"
                )
            if isinstance(files, RemoteFiles):
                data[file] = Remote(files, file, path.stat().st_size, disk.sha256(path))
            else:
                data[file] = path
        advance(file, entry["rows"])
    return Checked(release, data)


@contextmanager
def _opened(files: Files, file: str) -> Iterator[Path]:
    try:
        with files.opened(file) as path:
            yield path
    except FileNotFoundError:
        raise ReleaseError(
            f"{files.name}/{file} is missing; generate or download the release again"
        ) from None


def files_to_publish(checked: Checked, repo: str) -> dict[str, Content]:
    """Content by path in the repository: data, manifest, audit, card and benchmark."""
    release = checked.release
    texts = _card(release, read_audit(release.path), repo)
    if tasks := benchmark(release, card_words(release.manifest)):
        texts[EVAL] = tasks
    files: dict[str, Content] = {name: text.encode() for name, text in texts.items()}
    files |= {name: release.path / name for name in (MANIFEST, AUDIT)}
    return {**files, **checked.data}


def _card(release: Release, audit: Mapping[str, Any] | None, repo: str) -> dict[str, str]:
    """The texts of the card, for which a release in a store is asked for a few files."""
    files, manifest = release.fetched, release.manifest
    if not isinstance(files, RemoteFiles):
        return card_files(release.path, manifest, audit, repo)
    with TemporaryDirectory(prefix="bioreason-") as folder:
        fetch_quoted(files.store, manifest, Path(folder))
        return card_files(Path(folder), manifest, audit, repo, files.sizes(manifest["files"]))


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
    checked: Checked, repo: str, *, tag: str | None = None, private: bool = False
) -> Published:
    """Make a repository on the Hub hold exactly this release, beside files of other people.

    After an error the repository is as it was before, or holds the whole release without its tag.

    Args:
        checked: What `check_release` returned.
        repo: OWNER/NAME; created if it does not exist.
        tag: The name of this version; None for no tag.
        private: Whether a new repository is private.

    Raises:
        UsageError: For a name, token or tag that cannot be used.
        BioreasonError: If the Hub or the network fails.
    """
    from huggingface_hub import HfApi

    check_names(repo, tag)
    files = files_to_publish(checked, repo)
    require_token()
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
            _delete_draft(api, repo, checked, step)
            return Published(url, tagged[tag], tag, (), ())
        difference = _difference(api, repo, head, files)
        if difference:
            step.name = "upload"
            operations = _operations(api, repo, files, difference)
            message = _commit_message(checked.release, tag)
            head = _commit(api, repo, head, operations, message, files)
        if tag:
            step.name, step.state = "tag", "the whole release is there, but without its tag"
            api.create_tag(repo, tag=tag, revision=head, repo_type="dataset")
        _delete_draft(api, repo, checked, step)
    parts = (difference.sent, difference.removed, difference.kept)
    return Published(url, head, tag, *map(tuple, parts))


def _delete_draft(api: HfApi, repo: str, checked: Checked, step: Step) -> None:
    """Delete the branch draft of the repository if the release was read from it."""
    from huggingface_hub.errors import RevisionNotFoundError

    files = checked.release.fetched
    if isinstance(files, RemoteFiles) and _on_hub(files.url) == (repo, DRAFT):
        step.name, step.state = f"delete the branch {DRAFT}", "the whole release is there"
        with suppress(RevisionNotFoundError):
            api.delete_branch(repo, branch=DRAFT, repo_type="dataset")


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
    api: HfApi, repo: str, files: Mapping[str, Content], difference: _Difference
) -> list[Operation]:
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete

    contents = ((path, files[path]) for path in difference.sent)
    return [
        *(
            _from_store(api, repo, content)
            if isinstance(content, Remote)
            else CommitOperationAdd(path, content)
            for path, content in contents
        ),
        *(CommitOperationDelete(path) for path in difference.removed),
    ]


def _from_store(api: HfApi, repo: str, content: Remote) -> Operation:
    """Copy a file inside the repository, or upload it, so that it need not stay on this disk."""
    from huggingface_hub import CommitOperationAdd, CommitOperationCopy

    if commit := content.commit_in(repo):
        return CommitOperationCopy(content.file, content.file, src_revision=commit)
    with content.release.opened(content.file) as path:
        operation = CommitOperationAdd(content.file, path)
        api.preupload_lfs_files(repo, [operation], repo_type="dataset")
    return operation


def _commit(
    api: HfApi,
    repo: str,
    head: str,
    operations: list[Operation],
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
    if entry.size != size_of(content):
        return False
    if isinstance(content, Remote):
        return bool(entry.lfs and entry.lfs.sha256 == content.sha256)
    git_header = b"blob %d\0" % entry.size
    digest = hashlib.sha256() if entry.lfs else hashlib.sha1(git_header, usedforsecurity=False)
    for part in _parts(content):
        digest.update(part)
    return digest.hexdigest() == (entry.lfs.sha256 if entry.lfs else entry.blob_id)


def size_of(content: Content) -> int:
    """The bytes of a content."""
    if isinstance(content, Remote):
        return content.size
    return content.stat().st_size if isinstance(content, Path) else len(content)


def _parts(content: Path | bytes) -> Iterator[bytes]:
    if isinstance(content, bytes):
        yield content
        return
    with content.open("rb") as file:
        while part := file.read(1 << 20):
            yield part
