"""What the test Hub holds: repositories, their commits and tags, and file contents by SHA-256."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

Tree = dict[str, str]  # path -> SHA-256 of the content


class Refused(Exception):
    """An answer other than 200: the status, the Hub's message and its error code."""

    def __init__(self, status: int, message: str, code: str = "") -> None:
        super().__init__(message)
        self.status, self.message, self.code = status, message, code


@dataclass
class Repo:
    """A repository; each commit follows the newest of its branch."""

    name: str
    private: bool
    commits: dict[str, Tree] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)  # name -> newest commit
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def head(self) -> str:
        """The newest commit of main."""
        return self.branches.get("main", "")

    def commit(self, tree: Tree, message: str, branch: str = "main") -> str:
        """Add a commit on top of a branch and return its id."""
        parts = json.dumps([self.name, self.branches.get(branch), message, tree], sort_keys=True)
        commit = hashlib.sha1(parts.encode()).hexdigest()
        self.commits[commit], self.branches[branch] = tree, commit
        return commit

    def resolve(self, revision: str | None) -> str:
        """The commit of a branch, a tag, or a commit id of at least 7 digits."""
        revision = unquote(revision or "main")
        if (
            branch := revision.removeprefix("refs/heads/").replace("HEAD", "main")
        ) in self.branches:
            return self.branches[branch]
        if revision in self.tags:
            return self.tags[revision]
        for commit in self.commits:
            if len(revision) >= 7 and commit.startswith(revision):
                return commit
        raise Refused(404, f"Invalid rev id: {revision}", "RevisionNotFound")

    def tree(self, revision: str | None) -> Tree:
        return self.commits[self.resolve(revision)]


class Store:
    """All repositories, and all contents that were uploaded, whether or not a commit names them."""

    def __init__(self) -> None:
        self.repos: dict[str, Repo] = {}
        self.blobs: dict[str, bytes] = {}  # by SHA-256
        self.lfs: set[str] = set()  # SHA-256 of the contents that came by the LFS protocol

    def keep(self, content: bytes) -> str:
        """Keep a content and return its SHA-256."""
        digest = hashlib.sha256(content).hexdigest()
        self.blobs[digest] = content
        return digest

    def entries(self, tree: Tree, folder: str, recursive: bool) -> list[dict[str, Any]]:
        """The files and folders inside a folder ("" for the root), as the Hub lists them."""
        entries: dict[str, dict[str, Any]] = {}
        for path, digest in sorted(tree.items()):
            if folder and not path.startswith(folder + "/"):
                continue
            depth = folder.count("/") + 1 if folder else 0
            inner = [parent for parent in parents(path) if parent.count("/") >= depth]
            for parent in inner if recursive else inner[:1]:
                entries.setdefault(parent, folder_entry(parent))
            if recursive or not inner:
                entries[path] = self.file_entry(path, digest)
        return list(entries.values())

    def entry(self, tree: Tree, path: str) -> dict[str, Any] | None:
        """The file or folder of this path; None if there is none."""
        if path in tree:
            return self.file_entry(path, tree[path])
        if any(name.startswith(path + "/") for name in tree):
            return folder_entry(path)
        return None

    def file_entry(self, path: str, digest: str) -> dict[str, Any]:
        content = self.blobs[digest]
        entry = {"type": "file", "oid": git_hash(content), "size": len(content), "path": path}
        if digest in self.lfs:
            entry["lfs"] = {"oid": digest, "size": len(content), "pointerSize": 130}
        return entry


def parents(path: str) -> Iterator[str]:
    """The folders above a path: "a/b/c" gives "a", then "a/b"."""
    parts = path.split("/")
    for length in range(1, len(parts)):
        yield "/".join(parts[:length])


def folder_entry(path: str) -> dict[str, Any]:
    oid = hashlib.sha1(path.encode()).hexdigest()
    return {"type": "directory", "oid": oid, "size": 0, "path": path}


def git_hash(content: bytes) -> str:
    """The id that git gives a file of this content."""
    return hashlib.sha1(b"blob %d\x00" % len(content) + content).hexdigest()
