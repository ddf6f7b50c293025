"""A small Hub on 127.0.0.1: what the true huggingface_hub and datasets clients need to publish and load a data set.

    with HubServer() as hub:
        hub.fail("commit", 500)              # every commit from here on is answered 500
        hub.fail("put", "drop", after=2)     # from the third upload on, the connection is cut in the middle of the body
        HfApi(endpoint=hub.url, token=hub.token).create_repo("org/data", repo_type="dataset")

Standard library only.  Repositories live in memory: content by SHA-256, commits as {path: SHA-256}, branches and tags as
names of commits.  Files of 10 MB or more, and all Parquet files, travel by the LFS protocol, as on the real Hub; Xet is not
spoken (clients need HF_HUB_DISABLE_XET=1).  `STEPS` names the requests that can be told to fail; the status "drop" cuts the
connection in the middle of the request, "lost" does what was asked and cuts it before the answer.  `hub.log` holds
(step, method, path, status) of everything that was asked.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import socket
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

import yaml

REPO = r"/(?P<repo>[^/]+/[^/]+)"
API = "/api/datasets" + REPO
ROUTES = [  # step, method, path
    ("create", "POST", "/api/repos/create"),
    ("delete", "DELETE", "/api/repos/delete"),
    ("validate", "POST", "/api/validate-yaml"),
    ("whoami", "GET", "/api/whoami-v2"),
    ("preupload", "POST", API + "/preupload/(?P<revision>[^/]+)"),
    ("batch", "POST", "/datasets" + REPO + r"\.git/info/lfs/objects/batch"),
    ("put", "PUT", r"/lfs/(?P<oid>[0-9a-f]{64})"),
    ("verify", "POST", "/lfs/verify"),
    ("commit", "POST", API + "/commit/(?P<revision>[^/]+)"),
    ("tag", "POST", API + "/tag/(?P<revision>[^/]+)"),
    ("untag", "DELETE", API + "/tag/(?P<revision>[^/]+)"),
    ("refs", "GET", API + "/refs"),
    ("tree", "GET", API + "/tree/(?P<revision>[^/]+)(?:/(?P<path>.*))?"),
    ("paths", "POST", API + "/paths-info/(?P<revision>[^/]+)"),
    ("info", "GET", API + "(?:/revision/(?P<revision>[^/]+))?"),
    ("resolve", "GET|HEAD", "/datasets" + REPO + "/resolve/(?P<revision>[^/]+)/(?P<path>.+)"),
]
STEPS = [step for step, _, _ in ROUTES]
PATTERNS = [(step, methods.split("|"), re.compile(path + r"\Z")) for step, methods, path in ROUTES]
LFS_BYTES = 10_000_000
PAGE = 1000  # entries of a tree in one answer, as on the real Hub


class Refused(Exception):
    """An answer other than 200: the status, the Hub's error code and its sentence."""

    def __init__(self, status: int, message: str, code: str = "") -> None:
        super().__init__(message)
        self.status, self.message, self.code = status, message, code


@dataclass
class Repo:
    name: str
    private: bool
    commits: dict[str, dict[str, str]] = field(default_factory=dict)  # commit -> {path: SHA-256}
    messages: list[str] = field(default_factory=list)
    head: str = ""
    tags: dict[str, str] = field(default_factory=dict)

    def commit(self, tree: dict[str, str], message: str) -> str:
        self.messages.append(message)
        self.head = hashlib.sha1(
            json.dumps([self.name, self.head, message, tree], sort_keys=True).encode()
        ).hexdigest()
        self.commits[self.head] = tree
        return self.head

    def resolve(self, revision: str | None) -> str:
        """The commit that a branch, tag or (shortened) commit id stands for."""
        revision = unquote(revision or "main")
        if revision in ("main", "HEAD", "refs/heads/main"):
            return self.head
        found = self.tags.get(revision) or next(
            (oid for oid in self.commits if len(revision) >= 7 and oid.startswith(revision)), None
        )
        if found is None:
            raise Refused(404, f"Invalid rev id: {revision}", "RevisionNotFound")
        return found


@dataclass
class Failure:
    status: int | str
    after: int  # requests of the step that still pass
    times: int  # requests that fail then; -1 for all


class HubServer:
    """The server and what it holds; a context manager that listens while it is entered."""

    def __init__(
        self,
        token: str = "hf_onlyForTheServerUnderTest",
        namespaces: tuple[str, ...] = ("org", "me"),
    ) -> None:
        self.token, self.namespaces = token, namespaces
        self.repos: dict[str, Repo] = {}
        self.blobs: dict[
            str, bytes
        ] = {}  # by SHA-256; those that a commit names and those that were only uploaded
        self.lfs: set[str] = set()
        self.log: list[tuple[str, str, str, int | str]] = []
        self.failures: dict[str, Failure] = {}
        self.lock = threading.RLock()
        server = self

        class Handler(_Handler):
            hub = server

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def __enter__(self) -> HubServer:
        threading.Thread(
            target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        ).start()
        return self

    def __exit__(self, *error: object) -> None:
        self.server.shutdown()
        self.server.server_close()

    def fail(self, step: str, status: int | str, after: int = 0, times: int = -1) -> None:
        """Answer the step with `status` ("drop" cuts the connection), after so many good answers, so many times (-1: always)."""
        assert step in STEPS, f"no step {step!r}, only {STEPS}"
        self.failures[step] = Failure(status, after, times)

    def heal(self) -> None:
        self.failures.clear()

    def files(self, repo: str, revision: str | None = None) -> dict[str, bytes]:
        """What a visitor sees at a revision: {path: content}; {} where there is no such repository."""
        held = self.repos.get(repo)
        return (
            {path: self.blobs[oid] for path, oid in held.commits[held.resolve(revision)].items()}
            if held
            else {}
        )

    def asked(self, step: str) -> int:
        return sum(1 for name, *_ in self.log if name == step)

    def environment(self, home: str) -> dict[str, str]:
        """What a client process must have in its environment before it imports huggingface_hub."""
        quiet = {"HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
        return {
            "HF_ENDPOINT": self.url,
            "HF_HUB_DISABLE_XET": "1",
            "HF_HOME": home,
            "HF_TOKEN": self.token,
            **quiet,
        }

    def _failure(self, step: str) -> int | str | None:
        failure = self.failures.get(step)
        if failure is None or failure.times == 0:
            return None
        if failure.after > 0:
            failure.after -= 1
            return None
        failure.times -= 1
        return failure.status

    # --- the answers; each takes the handler, the parts of the path and the query, and returns something for JSON

    def repo(self, name: str, token: str | None) -> Repo:
        held = self.repos.get(name)
        if held is None or (held.private and token != self.token):
            raise Refused(
                404 if token == self.token else 401, "Repository not found", "RepoNotFound"
            )
        return held

    def on_create(self, ask: _Handler) -> dict:
        body = ask.json()
        name = f"{body.get('organization') or self.namespaces[-1]}/{body['name']}"
        if name.split("/")[0] not in self.namespaces:
            raise Refused(
                403,
                f"You don't have the rights to create a dataset under the namespace {name.split('/')[0]!r}",
            )
        if not re.fullmatch(r"[\w][\w.-]{0,95}", body["name"]):
            raise Refused(400, f"Invalid repository name {body['name']!r}")
        if name in self.repos:
            raise Refused(409, "You already created this dataset repo")
        self.repos[name] = Repo(
            name, private=body.get("visibility") == "private" or bool(body.get("private"))
        )
        self.repos[name].commit(
            {".gitattributes": self.keep(b"*.parquet filter=lfs diff=lfs merge=lfs -text\n")},
            "initial commit",
        )
        return {"url": f"{self.url}/datasets/{name}", "name": name, "id": "0"}

    def on_delete(self, ask: _Handler) -> dict:
        body = ask.json()
        self.repos.pop(f"{body.get('organization') or self.namespaces[-1]}/{body['name']}", None)
        return {}

    def on_validate(self, ask: _Handler) -> dict:
        text = ask.json()["content"]
        front = re.match(r"---\n(.*?)\n---\n", text, re.DOTALL)
        if front is None:
            return {
                "errors": [],
                "warnings": [{"message": "empty or missing yaml metadata in repo card"}],
            }
        try:
            held = yaml.safe_load(front[1])
            problem = None if isinstance(held, dict) else "the metadata must be a mapping"
        except yaml.YAMLError as error:
            problem = str(error)
        if problem:
            ask.reply(400, {"errors": [{"message": problem}], "warnings": []})
            return {}
        return {"errors": [], "warnings": []}

    def on_whoami(self, ask: _Handler) -> dict:
        return {
            "type": "user",
            "name": self.namespaces[-1],
            "orgs": [{"name": name} for name in self.namespaces[:-1]],
            "auth": {},
        }

    def on_preupload(self, ask: _Handler, repo: str, revision: str) -> dict:
        held = self.repo(repo, ask.token)
        tree = held.commits[held.resolve(revision)]

        def mode(entry: dict) -> dict:
            lfs = entry["path"].endswith(".parquet") or entry["size"] >= LFS_BYTES
            oid = tree.get(entry["path"])
            oid = oid if oid is None or lfs else git_hash(self.blobs[oid])
            return {
                "path": entry["path"],
                "uploadMode": "lfs" if lfs else "regular",
                "shouldIgnore": False,
                "oid": oid,
            }

        return {"files": [mode(entry) for entry in ask.json()["files"]], "commitOid": held.head}

    def on_batch(self, ask: _Handler, repo: str) -> dict:
        self.repo(repo, ask.token)

        def entry(item: dict) -> dict:
            if item["oid"] in self.blobs:
                return {"oid": item["oid"], "size": item["size"]}
            upload = {"href": f"{self.url}/lfs/{item['oid']}", "header": {}}
            return {
                **item,
                "actions": {
                    "upload": upload,
                    "verify": {"href": f"{self.url}/lfs/verify", "header": {}},
                },
            }

        return {"transfer": "basic", "objects": [entry(item) for item in ask.json()["objects"]]}

    def on_put(self, ask: _Handler, oid: str) -> dict:
        body = ask.body()
        if hashlib.sha256(body).hexdigest() != oid:
            raise Refused(400, "the content is not what was announced")
        self.lfs.add(self.keep(body))
        return {}

    def on_verify(self, ask: _Handler) -> dict:
        body = ask.json()
        if len(self.blobs.get(body["oid"], b"")) != body["size"]:
            raise Refused(404, f"object {body['oid']} was not uploaded")
        return {}

    def on_commit(self, ask: _Handler, repo: str, revision: str) -> dict:
        held = self.repo(repo, ask.token)
        held.resolve(revision)
        lines = [json.loads(line) for line in ask.body().splitlines() if line]
        header, operations = lines[0]["value"], lines[1:]
        if header.get("parentCommit", held.head) != held.head:
            raise Refused(412, "A commit has happened since. Please refresh and try again.")
        tree = dict(held.commits[held.head])
        for operation in operations:
            value, path = operation["value"], operation["value"]["path"]
            if operation["key"] == "file":
                tree[path] = self.keep(base64.b64decode(value["content"]))
            elif operation["key"] == "lfsFile":
                if value["oid"] not in self.blobs:
                    raise Refused(400, f"LFS pointer pointed to a file that does not exist: {path}")
                tree[path] = value["oid"]
            elif operation["key"] == "deletedFile":
                if path not in tree:
                    raise Refused(404, "A file with this name doesn't exist", "EntryNotFound")
                del tree[path]
            elif operation["key"] == "deletedFolder":
                tree = {
                    name: oid
                    for name, oid in tree.items()
                    if not name.startswith(path.rstrip("/") + "/")
                }
            else:
                raise Refused(400, f"unknown operation {operation['key']!r}")
        oid = held.commit(tree, header["summary"])
        return {
            "success": True,
            "commitOid": oid,
            "commitUrl": f"{self.url}/datasets/{repo}/commit/{oid}",
            "hookOutput": "",
        }

    def on_tag(self, ask: _Handler, repo: str, revision: str) -> dict:
        held, tag = self.repo(repo, ask.token), ask.json()["tag"]
        if tag in held.tags:
            raise Refused(409, f"Tag reference exists already: {tag}")
        held.tags[tag] = held.resolve(revision)
        return {}

    def on_untag(self, ask: _Handler, repo: str, revision: str) -> dict:
        self.repo(repo, ask.token).tags.pop(unquote(revision), None)
        return {}

    def on_refs(self, ask: _Handler, repo: str) -> dict:
        held = self.repo(repo, ask.token)
        branch = {"name": "main", "ref": "refs/heads/main", "targetCommit": held.head}
        tags = [
            {"name": name, "ref": f"refs/tags/{name}", "targetCommit": oid}
            for name, oid in held.tags.items()
        ]
        return {"branches": [branch], "converts": [], "tags": tags, "pullRequests": []}

    def on_tree(self, ask: _Handler, repo: str, revision: str, path: str | None) -> list[dict]:
        held = self.repo(repo, ask.token)
        commit = held.resolve(revision)
        recursive = ask.query.get("recursive", "false").lower() in ("true", "1")
        entries = self.entries(held.commits[commit], unquote(path or "").strip("/"), recursive)
        if not entries and path:
            raise Refused(404, f"{unquote(path)} does not exist on {revision}", "EntryNotFound")
        start = int(ask.query.get("cursor", 0))
        if start + PAGE < len(entries):
            more = "&".join(
                f"{key}={value}" for key, value in {**ask.query, "cursor": start + PAGE}.items()
            )
            ask.answer_headers["Link"] = f'<{self.url}{ask.path.split("?")[0]}?{more}>; rel="next"'
        return entries[start : start + PAGE]

    def on_paths(self, ask: _Handler, repo: str, revision: str) -> list[dict]:
        held = self.repo(repo, ask.token)
        tree = held.commits[held.resolve(revision)]
        body = ask.body()
        asked = (
            json.loads(body)["paths"] if body.startswith(b"{") else parse_qs(body.decode())["paths"]
        )
        found = [self.entries(tree, path, recursive=False, itself=True) for path in asked]
        return [entry for entries in found for entry in entries]

    def on_info(self, ask: _Handler, repo: str, revision: str | None) -> dict:
        held = self.repo(repo, ask.token)
        commit = held.resolve(revision)
        siblings = [{"rfilename": path} for path in sorted(held.commits[commit])]
        told = {
            "id": repo,
            "_id": "0",
            "author": repo.split("/")[0],
            "sha": commit,
            "private": held.private,
            "siblings": siblings,
        }
        return {
            **told,
            "disabled": False,
            "gated": False,
            "downloads": 0,
            "likes": 0,
            "tags": [],
            "lastModified": "2026-01-01T00:00:00.000Z",
        }

    def on_resolve(self, ask: _Handler, repo: str, revision: str, path: str) -> None:
        held = self.repo(repo, ask.token)
        commit = held.resolve(revision)
        oid = held.commits[commit].get(unquote(path))
        if oid is None:
            raise Refused(404, "Entry not found", "EntryNotFound")
        body, status = self.blobs[oid], 200
        headers = {
            "ETag": f'"{oid}"',
            "X-Repo-Commit": commit,
            "Accept-Ranges": "bytes",
            "Content-Type": "application/octet-stream",
        }
        span = re.fullmatch(r"bytes=(\d*)-(\d*)", ask.headers.get("Range", ""))
        if span:
            first = int(span[1]) if span[1] else max(0, len(body) - int(span[2]))
            last = min(int(span[2]), len(body) - 1) if span[1] and span[2] else len(body) - 1
            if first >= len(body):
                raise Refused(416, "Range not satisfiable")
            headers["Content-Range"] = f"bytes {first}-{last}/{len(body)}"
            body, status = body[first : last + 1], 206
        ask.reply(status, body, headers)

    def keep(self, content: bytes) -> str:
        oid = hashlib.sha256(content).hexdigest()
        self.blobs[oid] = content
        return oid

    def entries(
        self, tree: dict[str, str], path: str, recursive: bool, itself: bool = False
    ) -> list[dict]:
        """Files and folders below `path` as the tree answer lists them; with `itself`, the one entry that `path` names."""
        found: dict[str, dict] = {}
        for name, oid in sorted(tree.items()):
            if itself and name != path and not name.startswith(path + "/"):
                continue
            if not itself and path and not name.startswith(path + "/"):
                continue
            parts, depth = name.split("/"), len(path.split("/")) if path else 0
            stops = (
                [depth]
                if itself
                else range(depth + 1, len(parts) + 1)
                if recursive
                else [depth + 1]
            )
            for stop in stops:
                if stop < len(parts):
                    folder = "/".join(parts[:stop])
                    oid_of_folder = hashlib.sha1(folder.encode()).hexdigest()
                    found.setdefault(
                        folder,
                        {"type": "directory", "oid": oid_of_folder, "size": 0, "path": folder},
                    )
                else:
                    found[name] = self.entry(name, oid)
        return list(found.values())

    def entry(self, name: str, oid: str) -> dict:
        content = self.blobs[oid]
        entry = {"type": "file", "oid": git_hash(content), "size": len(content), "path": name}
        if oid in self.lfs:
            entry["lfs"] = {"oid": oid, "size": len(content), "pointerSize": 130}
        return entry


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: HubServer

    def handle_one_request(self) -> None:
        self.answer_headers: dict[str, str] = {}
        self.read: bytes | None = None
        super().handle_one_request()

    def _dispatch(self) -> None:
        url = urlsplit(self.path)
        self.query = {key: values[0] for key, values in parse_qs(url.query).items()}
        self.token = self.headers.get("Authorization", "").removeprefix("Bearer ") or None
        found = [
            (step, match)
            for step, methods, pattern in PATTERNS
            if self.command in methods and (match := pattern.match(url.path))
        ]
        if not found:
            self.body()
            return self._finish("", Refused(404, f"no such address: {self.command} {url.path}"))
        step, match = found[0]
        with self.hub.lock:
            failure = self.hub._failure(step)
        if failure == "drop":
            self.rfile.read(int(self.headers.get("Content-Length") or 0) // 2)
            return self._hang_up(step, failure)
        self.body()
        try:
            if isinstance(failure, int):
                raise Refused(
                    failure,
                    {401: "Invalid credentials in Authorization header"}.get(
                        failure, "told to fail"
                    ),
                )
            if (
                step not in ("info", "refs", "tree", "paths", "resolve", "validate", "put")
                and self.token != self.hub.token
            ):
                raise Refused(
                    401,
                    "Invalid credentials in Authorization header"
                    if self.token
                    else "Invalid username or password.",
                )
            with self.hub.lock:
                answer = getattr(self.hub, f"on_{step}")(self, **match.groupdict())
        except Refused as refused:
            return self._finish(step, refused)
        if failure == "lost":
            return self._hang_up(step, failure)
        self.hub.log.append((step, self.command, url.path, 200))
        if answer is not None and not self.answered:
            self.reply(200, answer, self.answer_headers)
        return None

    def _hang_up(self, step: str, how: str) -> None:
        self.hub.log.append((step, self.command, urlsplit(self.path).path, how))
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def _finish(self, step: str, refused: Refused) -> None:
        self.hub.log.append((step, self.command, urlsplit(self.path).path, refused.status))
        headers = {
            "X-Error-Message": refused.message,
            **({"X-Error-Code": refused.code} if refused.code else {}),
        }
        self.reply(refused.status, {"error": refused.message}, headers)

    def body(self) -> bytes:
        if self.read is None:
            if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
                parts = []
                while size := int(self.rfile.readline().strip() or b"0", 16):
                    parts.append(self.rfile.read(size))
                    self.rfile.readline()
                self.rfile.readline()
                self.read = b"".join(parts)
            else:
                self.read = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        return self.read

    def json(self) -> dict:
        return json.loads(self.body())

    def reply(self, status: int, body: object, headers: dict[str, str] | None = None) -> None:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.answered = True
        self.send_response(status)
        for name, value in {
            "Content-Type": "application/json",
            **(headers or {}),
            "Content-Length": str(len(content)),
        }.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def _run(self) -> None:
        self.answered = False
        try:
            self._dispatch()
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = _run  # noqa: N815 - names of the standard library

    def log_message(self, *args: object) -> None:
        pass


def git_hash(content: bytes) -> str:
    """The id that git gives a file of this content."""
    return hashlib.sha1(b"blob %d\x00" % len(content) + content).hexdigest()
