"""A static Space on the Hub that shows a release as one page.

Such a Space is free, and only serves files: README.md says `sdk: static`, index.html is the page.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bioreason_bench.release.read import Release
from bioreason_bench.scale.hub_access import Step, plain_failures

if TYPE_CHECKING:
    from huggingface_hub import CommitOperationAdd

__all__ = ["publish_space"]

HEAD = """\
---
title: bioreason
emoji: 🧩
colorFrom: indigo
colorTo: gray
sdk: static
datasets:
- {repo}
---

The world of [{repo}](https://huggingface.co/datasets/{repo}): preset {preset}, seed {seed}.
"""


def publish_space(release: Release, page: bytes, space: str, repo: str) -> str:
    """Put a page into a static Space and return the Space's address.

    Args:
        release: The release that the page shows.
        page: The page, HTML that needs no other file.
        space: OWNER/NAME of the Space; created if it does not exist.  A README.md that is there
            is left as it is.
        repo: The data set that the page is about.

    Raises UsageError or BioreasonError as `hub.publish.publish` does.
    """
    from huggingface_hub import CommitOperationAdd, HfApi

    api = HfApi(library_name="bioreason-bench")
    step = Step("create the Space", "the data set is published, the Space is as it was")
    with plain_failures(step, space, api.endpoint):
        created = not api.repo_exists(space, repo_type="space")
        if created:
            api.create_repo(space, repo_type="space", space_sdk="static")
        operations: list[CommitOperationAdd] = [CommitOperationAdd("index.html", page)]
        if created or not api.file_exists(space, "README.md", repo_type="space"):
            manifest = release.manifest
            head = HEAD.format(repo=repo, preset=manifest["preset"], seed=manifest["seed"])
            operations.append(CommitOperationAdd("README.md", head.encode()))
        step.name = "upload the page"
        api.create_commit(
            space, operations, commit_message=f"The world of {repo}", repo_type="space"
        )
    return f"{api.endpoint}/spaces/{space}"
