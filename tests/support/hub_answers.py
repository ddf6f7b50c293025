"""The answers of the test Hub: one method for each step, with the JSON that the real Hub sends.

A method gets the request and the named parts of its path.  It returns the JSON of the answer, or
raises `Refused`, or sends an answer of its own by `request.reply`.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from typing import Any
from urllib.parse import parse_qs, unquote

import yaml
from hub_http import Handler
from hub_store import Refused, Repo, Store, Tree, git_hash

LFS_BYTES = 10_000_000  # files of this size travel by the LFS protocol, Parquet files always
PAGE = 1000  # entries of a tree in one answer, as on the real Hub
DATE = "2026-01-01T00:00:00.000Z"
PUBLISHER = "the.identity.of-a-job"  # of the one trusted publisher
Json = dict[str, Any]


class Answers:
    """Answers requests from a store, which the requests change."""

    def __init__(self, store: Store, url: str, token: str, namespaces: tuple[str, ...]) -> None:
        self.store, self.url, self.token, self.namespaces = store, url, token, namespaces

    def repo(self, name: str, token: str | None) -> Repo:
        """The repository; raises Refused if it does not exist or this token may not see it."""
        repo = self.store.repos.get(name)
        if repo is None or (repo.private and token != self.token):
            status = 404 if token == self.token else 401
            raise Refused(status, "Repository not found", "RepoNotFound")
        return repo

    # repositories and accounts

    def on_create(self, request: Handler) -> Json:
        body = request.json()
        name = self._full_name(body)
        owner = name.split("/")[0]
        if owner not in self.namespaces:
            raise Refused(403, f"You have no rights to create a dataset in namespace {owner!r}")
        if not re.fullmatch(r"[\w][\w.-]{0,95}", body["name"]):
            raise Refused(400, f"Invalid repository name {body['name']!r}")
        if name in self.store.repos:
            raise Refused(409, "You already created this dataset repo")
        private = body.get("visibility") == "private" or bool(body.get("private"))
        repo = self.store.repos[name] = Repo(name, private)
        attributes = self.store.keep(b"*.parquet filter=lfs diff=lfs merge=lfs -text\n")
        repo.commit({".gitattributes": attributes}, "initial commit")
        return {"url": f"{self.url}/datasets/{name}", "name": name, "id": "0"}

    def on_delete(self, request: Handler) -> Json:
        self.store.repos.pop(self._full_name(request.json()), None)
        return {}

    def _full_name(self, body: Json) -> str:
        return f"{body.get('organization') or self.namespaces[-1]}/{body['name']}"

    def on_whoami(self, request: Handler) -> Json:
        organisations = [{"name": name} for name in self.namespaces[:-1]]
        return {"type": "user", "name": self.namespaces[-1], "orgs": organisations, "auth": {}}

    def on_oauth(self, request: Handler) -> Json:
        """A token for the identity of a CI job, if it is that of the trusted publisher."""
        if request.json()["subject_token"] != PUBLISHER:
            raise Refused(400, "invalid_grant: no publisher matches this issuer")
        return {"access_token": self.token, "token_type": "bearer", "expires_in": 3600}

    def on_info(self, request: Handler, repo: str, revision: str | None) -> Json:
        held = self.repo(repo, request.token)
        commit = held.resolve(revision)
        return {
            "id": repo,
            "_id": "0",
            "author": repo.split("/")[0],
            "sha": commit,
            "private": held.private,
            "siblings": [{"rfilename": path} for path in sorted(held.commits[commit])],
            "disabled": False,
            "gated": False,
            "downloads": 0,
            "likes": 0,
            "tags": [],
            "lastModified": DATE,
        }

    def on_refs(self, request: Handler, repo: str) -> Json:
        held = self.repo(repo, request.token)
        branches = [
            {"name": name, "ref": f"refs/heads/{name}", "targetCommit": commit}
            for name, commit in held.branches.items()
        ]
        tags = [
            {"name": name, "ref": f"refs/tags/{name}", "targetCommit": commit}
            for name, commit in held.tags.items()
        ]
        return {"branches": branches, "converts": [], "tags": tags, "pullRequests": []}

    # upload

    def on_validate(self, request: Handler) -> Json:
        front = re.match(r"---\n(.*?)\n---\n", request.json()["content"], re.DOTALL)
        if front is None:
            warning = {"message": "empty or missing yaml metadata in repo card"}
            return {"errors": [], "warnings": [warning]}
        try:
            metadata = yaml.safe_load(front[1])
            problem = "" if isinstance(metadata, dict) else "the metadata must be a mapping"
        except yaml.YAMLError as error:
            problem = str(error)
        if problem:
            request.reply(400, {"errors": [{"message": problem}], "warnings": []})
        return {"errors": [], "warnings": []}

    def on_preupload(self, request: Handler, repo: str, revision: str) -> Json:
        held = self.repo(repo, request.token)
        tree = held.tree(revision)
        files = [self._upload_mode(tree, entry) for entry in request.json()["files"]]
        return {"files": files, "commitOid": held.head}

    def _upload_mode(self, tree: Tree, entry: Json) -> Json:
        lfs = entry["path"].endswith(".parquet") or entry["size"] >= LFS_BYTES
        oid = tree.get(entry["path"])
        if oid is not None and not lfs:
            oid = git_hash(self.store.blobs[oid])
        mode = "lfs" if lfs else "regular"
        return {"path": entry["path"], "uploadMode": mode, "shouldIgnore": False, "oid": oid}

    def on_batch(self, request: Handler, repo: str) -> Json:
        self.repo(repo, request.token)
        objects = [self._transfer(item) for item in request.json()["objects"]]
        return {"transfer": "basic", "objects": objects}

    def _transfer(self, item: Json) -> Json:
        if item["oid"] in self.store.blobs:  # there already: nothing to upload
            return {"oid": item["oid"], "size": item["size"]}
        upload = {"href": f"{self.url}/lfs/{item['oid']}", "header": {}}
        verify = {"href": f"{self.url}/lfs/verify", "header": {}}
        return {**item, "actions": {"upload": upload, "verify": verify}}

    def on_put(self, request: Handler, oid: str) -> Json:
        if hashlib.sha256(request.body()).hexdigest() != oid:
            raise Refused(400, "the content is not what was announced")
        self.store.lfs.add(self.store.keep(request.body()))
        return {}

    def on_verify(self, request: Handler) -> Json:
        body = request.json()
        if len(self.store.blobs.get(body["oid"], b"")) != body["size"]:
            raise Refused(404, f"object {body['oid']} was not uploaded")
        return {}

    def on_commit(self, request: Handler, repo: str, revision: str) -> Json:
        held = self.repo(repo, request.token)
        branch, head = unquote(revision), held.resolve(revision)
        header, *operations = [json.loads(line) for line in request.body().splitlines() if line]
        if header["value"].get("parentCommit", head) != head:
            raise Refused(412, "A commit has happened since. Please refresh and try again.")
        tree = held.tree(revision)
        for operation in operations:
            tree = self._changed(tree, operation["key"], operation["value"])
        commit = held.commit(tree, header["value"]["summary"], branch)
        page = f"{self.url}/datasets/{repo}/commit/{commit}"
        return {"success": True, "commitOid": commit, "commitUrl": page, "hookOutput": ""}

    def _changed(self, tree: Tree, operation: str, value: Json) -> Tree:
        """The tree after one operation of a commit."""
        path = value["path"]
        if operation == "file":
            return {**tree, path: self.store.keep(base64.b64decode(value["content"]))}
        if operation == "lfsFile":
            if value["oid"] not in self.store.blobs:
                raise Refused(400, f"LFS pointer pointed to a file that does not exist: {path}")
            return {**tree, path: value["oid"]}
        if operation == "deletedFile":
            if path not in tree:
                raise Refused(404, "A file with this name doesn't exist", "EntryNotFound")
            return {name: oid for name, oid in tree.items() if name != path}
        if operation == "deletedFolder":
            folder = path.rstrip("/") + "/"
            return {name: oid for name, oid in tree.items() if not name.startswith(folder)}
        raise Refused(400, f"unknown operation {operation!r}")

    def on_commits(self, request: Handler, repo: str, revision: str) -> list[Json]:
        held = self.repo(repo, request.token)
        held.resolve(revision)
        return [
            {"id": commit, "title": "a commit", "message": "", "authors": [], "date": DATE}
            for commit in reversed(held.commits)
        ]

    def on_branch(self, request: Handler, repo: str, revision: str) -> Json:
        held, branch = self.repo(repo, request.token), unquote(revision)
        if branch in held.branches:
            raise Refused(409, f"Reference already exists: refs/heads/{branch}")
        held.branches[branch] = held.resolve(request.json().get("startingPoint"))
        return {}

    def on_unbranch(self, request: Handler, repo: str, revision: str) -> Json:
        held, branch = self.repo(repo, request.token), unquote(revision)
        if branch == "main" or branch not in held.branches:
            raise Refused(404, f"no branch {branch} that can be deleted", "RevisionNotFound")
        del held.branches[branch]
        return {}

    def on_tag(self, request: Handler, repo: str, revision: str) -> Json:
        held, tag = self.repo(repo, request.token), request.json()["tag"]
        if tag in held.tags:
            raise Refused(409, f"Tag reference exists already: {tag}")
        held.tags[tag] = held.resolve(revision)
        return {}

    def on_untag(self, request: Handler, repo: str, revision: str) -> Json:
        self.repo(repo, request.token).tags.pop(unquote(revision), None)
        return {}

    # download

    def on_tree(self, request: Handler, repo: str, revision: str, path: str | None) -> list[Json]:
        tree = self.repo(repo, request.token).tree(revision)
        folder = unquote(path or "").strip("/")
        recursive = request.query.get("recursive", "false").lower() in ("true", "1")
        entries = self.store.entries(tree, folder, recursive)
        if not entries and folder:
            raise Refused(404, f"{folder} does not exist on {revision}", "EntryNotFound")
        start = int(request.query.get("cursor", 0))
        if start + PAGE < len(entries):
            query = {**request.query, "cursor": start + PAGE}
            parameters = "&".join(f"{key}={value}" for key, value in query.items())
            address = f"{self.url}{request.path.split('?')[0]}?{parameters}"
            request.answer_headers["Link"] = f'<{address}>; rel="next"'
        return entries[start : start + PAGE]

    def on_paths(self, request: Handler, repo: str, revision: str) -> list[Json]:
        tree, body = self.repo(repo, request.token).tree(revision), request.body()
        form = json.loads(body) if body.startswith(b"{") else parse_qs(body.decode())
        entries = [self.store.entry(tree, path) for path in form["paths"]]
        return [entry for entry in entries if entry]

    def on_resolve(self, request: Handler, repo: str, revision: str, path: str) -> None:
        """Send a file, or the part of it that a Range header asks for."""
        held = self.repo(repo, request.token)
        commit = held.resolve(revision)
        oid = held.commits[commit].get(unquote(path))
        if oid is None:
            raise Refused(404, "Entry not found", "EntryNotFound")
        content, status = self.store.blobs[oid], 200
        headers = {
            "ETag": f'"{oid}"',
            "X-Repo-Commit": commit,
            "Accept-Ranges": "bytes",
            "Content-Type": "application/octet-stream",
        }
        span = byte_range(request.headers.get("Range", ""), len(content))
        if span:
            first, last = span
            if first >= len(content):
                raise Refused(416, "Range not satisfiable")
            headers["Content-Range"] = f"bytes {first}-{last}/{len(content)}"
            content, status = content[first : last + 1], 206
        request.reply(status, content, headers)


def byte_range(header: str, size: int) -> tuple[int, int] | None:
    """First and last byte that a Range header asks for, None without one.

    byte_range("bytes=5-9", 100) == (5, 9); byte_range("bytes=-10", 100) == (90, 99)
    """
    span = re.fullmatch(r"bytes=(\d*)-(\d*)", header)
    if span is None:
        return None
    if not span[1]:
        return max(0, size - int(span[2])), size - 1
    return int(span[1]), min(int(span[2]), size - 1) if span[2] else size - 1
