"""A small Hub on 127.0.0.1, for the real clients of huggingface_hub and datasets.

    with HubServer() as hub:
        hub.fail("commit", 500)           # from now on every commit is answered 500
        hub.fail("put", "drop", after=2)  # from the third upload on, the connection breaks
        HfApi(endpoint=hub.url, token=hub.token).create_repo("org/data", repo_type="dataset")

Repositories live in memory.  As on the real Hub, Parquet files and files of 10 MB or more travel by
the LFS protocol.  Xet is not spoken (clients need HF_HUB_DISABLE_XET=1).  Modules: hub_store (what
the Hub holds), hub_http (requests and failures), hub_answers (what each request does).
"""

from __future__ import annotations

import copy
import threading
from dataclasses import dataclass
from functools import partial
from http.server import ThreadingHTTPServer
from typing import Any

from hub_answers import Answers
from hub_http import STEPS, Handler
from hub_store import Repo, Store


@dataclass
class Failure:
    """How a step fails: the status, the requests that still pass, and those that fail then."""

    status: int | str
    after: int
    times: int


class HubServer:
    """The server and what it holds; a context manager that listens while it is entered.

    Attributes:
        url: The endpoint for clients.
        token: The only token that is accepted.
        log: (step, method, path, status) of every request.
    """

    def __init__(
        self,
        token: str = "hf_onlyForTheServerUnderTest",
        namespaces: tuple[str, ...] = ("org", "me"),
    ) -> None:
        self.token = token
        self.log: list[tuple[str, str, str, int | str]] = []
        self.lock = threading.RLock()
        self._failures: dict[str, Failure] = {}
        handler = type("HubHandler", (Handler,), {"hub": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._store = Store()
        self.answers = Answers(self._store, self.url, token, namespaces)

    def __enter__(self) -> HubServer:
        serve = partial(self._server.serve_forever, poll_interval=0.02)
        threading.Thread(target=serve, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def repos(self) -> dict[str, Repo]:
        return self._store.repos

    def files(self, repo: str, revision: str | None = None) -> dict[str, bytes]:
        """Content by path at a revision, as a visitor sees it; {} without such a repository."""
        held = self.repos.get(repo)
        tree = held.tree(revision) if held else {}
        return {path: self._store.blobs[digest] for path, digest in tree.items()}

    def saved(self) -> dict[str, Any]:
        """A copy of all that is held, for `restore` of this or another server."""
        return copy.deepcopy(vars(self._store))

    def restore(self, saved: dict[str, Any]) -> None:
        """Hold what another server held."""
        vars(self._store).update(copy.deepcopy(saved))

    def requests(self, step: str) -> int:
        """How many requests of a step have arrived."""
        return sum(1 for name, *_ in self.log if name == step)

    def environment(self, home: str) -> dict[str, str]:
        """The environment of a client process, set before it imports huggingface_hub."""
        return {
            "HF_ENDPOINT": self.url,
            "HF_HUB_DISABLE_XET": "1",
            "HF_HOME": home,
            "HF_TOKEN": self.token,
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        }

    def fail(self, step: str, status: int | str, after: int = 0, times: int = -1) -> None:
        """Make requests of a step fail.

        Args:
            step: One of hub_http.STEPS.
            status: The status to answer; "drop" breaks the connection in the middle of the request,
                "lost" does what is asked and breaks it before the answer.
            after: Requests that pass first.
            times: Requests that fail then; -1 for all.
        """
        assert step in STEPS, f"no step {step!r}, only {STEPS}"
        self._failures[step] = Failure(status, after, times)

    def heal(self) -> None:
        """Let no request fail any more."""
        self._failures.clear()

    def failure(self, step: str) -> int | str | None:
        """How the request of this step that is being answered fails; None if it passes."""
        with self.lock:
            failure = self._failures.get(step)
            if failure is None or failure.times == 0:
                return None
            if failure.after > 0:
                failure.after -= 1
                return None
            failure.times -= 1
            return failure.status
