"""A branch of a data set on the Hugging Face Hub as a place for a release: hf://datasets/org/name.

A release too large for this disk gets to the Hub file by file.  Visitors see the branch main, so
the files go to another one, `draft`: each is uploaded by the process that made it, and a commit for
every `batch` of them names them.  `bioreason publish` then makes one commit on main that copies
what the branch holds; nothing is sent again.
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from bioreason_bench.errors import UsageError
from bioreason_bench.scale.hub_access import Step, http_errors, plain_failures, require_token
from bioreason_bench.scale.store import AGAIN, Store, Upload, quiet_hub

if TYPE_CHECKING:
    from huggingface_hub import HfApi

__all__ = ["DRAFT", "HubBranch", "branch_at", "commit_at", "repo_at"]

DRAFT = "draft"
ADDRESS = re.compile(r"hf://datasets/(?P<repo>[^/@]+/[^/@]+)(?:@(?P<revision>[^@]+?))?/*")
BRANCH = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]|\.(?!\.))*(?<![.])")
TRIES = 5  # of a commit, while others commit to the same branch


@dataclass(frozen=True)
class HubBranch(Store):
    """A branch, whose url ends in @ and its name."""

    batch: ClassVar[int] = 32

    @property
    def repo(self) -> str:
        return self.url.removeprefix("hf://datasets/").partition("@")[0]

    @property
    def branch(self) -> str:
        return self.url.partition("@")[2]

    def prepare(self) -> None:
        """Create repository and branch unless they exist; the branch begins empty.

        Raises:
            UsageError: There is no token, or it may not write there.
            BioreasonError: The Hub or the network fails.
        """
        require_token()
        api = _api()
        step = Step("open the repository", "nothing was sent", AGAIN)
        with plain_failures(step, self.repo, api.endpoint):
            if not api.repo_exists(self.repo, repo_type="dataset"):
                api.create_repo(self.repo, repo_type="dataset", exist_ok=True)
            branches = api.list_repo_refs(self.repo, repo_type="dataset").branches
            if self.branch not in {branch.name for branch in branches}:
                first = api.list_repo_commits(self.repo, repo_type="dataset")[-1].commit_id
                api.create_branch(
                    self.repo,
                    branch=self.branch,
                    revision=first,
                    repo_type="dataset",
                    exist_ok=True,
                )
                self.remove([name for name in self.sizes() if name != ".gitattributes"])

    @property
    def removal(self) -> str:
        """How a user gets rid of what is there, for messages."""
        return f"delete the branch {self.branch} in the settings of {self.repo}"

    def upload(self, path: Path, name: str) -> Any:
        """Upload a file, which is not in the branch before `record` commits it."""
        from huggingface_hub import CommitOperationAdd

        operation = CommitOperationAdd(name, path)
        with self._failures("upload a file"):
            _api().preupload_lfs_files(
                self.repo, [operation], repo_type="dataset", revision=self.branch
            )
        return operation

    def record(self, uploads: Sequence[Upload]) -> None:
        """Commit these files and the notes about them."""
        from huggingface_hub import CommitOperationAdd

        notes = [CommitOperationAdd(upload.note, upload.text.encode()) for upload in uploads]
        self._commit([*(upload.receipt for upload in uploads), *notes], f"{len(uploads)} files")

    def finish(self, files: Mapping[str, Path], obsolete: Sequence[str]) -> None:
        """Commit the last files, and remove what is not needed any more, all at once."""
        from huggingface_hub import CommitOperationAdd, CommitOperationDelete

        added = [CommitOperationAdd(name, path) for name, path in files.items()]
        message = ", ".join(files) or f"{len(obsolete)} files removed"
        self._commit([*added, *map(CommitOperationDelete, obsolete)], message)

    def write(self, name: str, text: str) -> None:
        """Commit one small file."""
        from huggingface_hub import CommitOperationAdd

        self._commit([CommitOperationAdd(name, text.encode())], name)

    def remove(self, names: Sequence[str]) -> None:
        """Commit the removal of files."""
        if names:
            self.finish({}, names)

    def _commit(self, operations: list[Any], message: str) -> None:
        with self._failures("commit files"):
            _patiently(
                lambda: _api().create_commit(
                    self.repo,
                    operations,
                    commit_message=message[:200],
                    repo_type="dataset",
                    revision=self.branch,
                )
            )

    def _failures(self, what: str) -> Any:
        step = Step(what, f"what was committed before is in the branch {self.branch}", AGAIN)
        return plain_failures(step, self.repo, _api().endpoint)


def branch_at(url: str) -> HubBranch:
    """The branch that an address names, to be written; `draft` if it names none.

    Raises:
        UsageError: The address is not that of a data set, or of main, which visitors see.
    """
    repo, branch = repo_at(url)
    branch = branch or DRAFT
    if branch == "main":
        raise UsageError(
            f"{url} is what visitors see, and only bioreason publish writes there; leave out @main"
        )
    if not BRANCH.fullmatch(branch):
        raise UsageError(f"{url}: {branch!r} is not a name for a branch; leave it out for {DRAFT}")
    return HubBranch(f"hf://datasets/{repo}@{branch}")


def repo_at(url: str) -> tuple[str, str | None]:
    """Repository and revision of an address on the Hub.

    Raises:
        UsageError: The address is not that of a data set.
    """
    from huggingface_hub.utils import HFValidationError, validate_repo_id

    match = ADDRESS.fullmatch(url)
    try:
        validate_repo_id(match["repo"] if match else "")
    except HFValidationError:
        match = None
    if match is None:
        raise UsageError(f"{url} is no data set on the Hub; use hf://datasets/OWNER/NAME")
    return match["repo"], match["revision"]


def commit_at(url: str) -> str:
    """The address of the commit that an address on the Hub means now.

    Raises:
        UsageError: There is no such data set or revision, or the token has no access.
        BioreasonError: The Hub or the network fails.
    """
    repo, revision = repo_at(url)
    api = _api()
    with plain_failures(Step("open the release", "nothing was changed", AGAIN), repo, api.endpoint):
        info = api.repo_info(repo, repo_type="dataset", revision=revision)
        return f"hf://datasets/{repo}@{info.sha}"


def _api() -> HfApi:
    from huggingface_hub import HfApi

    quiet_hub()
    return HfApi(library_name="bioreason-bench")


def _patiently(commit: Callable[[], object]) -> None:
    """Commit; wait and try again while other machines commit to the same branch."""
    for left in reversed(range(TRIES)):
        try:
            commit()
            return
        except http_errors() as error:
            status = getattr(getattr(error, "response", None), "status_code", None)
            if status not in (409, 412) or not left:
                raise
            time.sleep(random.uniform(1, 5))
