"""HTTP of the test Hub: the step of each request; how answers, refusals and failures are sent.

`Handler` knows nothing of repositories.  It finds the step of a request, asks `hub.failure(step)`
whether it must fail, checks the token, and calls `hub.answers.on_<step>(request, ...)`.
"""

from __future__ import annotations

import json
import re
import socket
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from hub_store import Refused

if TYPE_CHECKING:
    from hub_server import HubServer

REPO = r"/(?P<repo>[^/]+/[^/]+)"
API = "/api/(?:datasets|spaces)" + REPO
ROUTES = [  # step, methods, path
    ("create", "POST", "/api/repos/create"),
    ("delete", "DELETE", "/api/repos/delete"),
    ("validate", "POST", "/api/validate-yaml"),
    ("whoami", "GET", "/api/whoami-v2"),
    ("oauth", "POST", "/oauth/token"),
    ("preupload", "POST", API + "/preupload/(?P<revision>[^/]+)"),
    ("batch", "POST", "/(?:datasets|spaces)" + REPO + r"\.git/info/lfs/objects/batch"),
    ("put", "PUT", r"/lfs/(?P<oid>[0-9a-f]{64})"),
    ("verify", "POST", "/lfs/verify"),
    ("commit", "POST", API + "/commit/(?P<revision>[^/]+)"),
    ("commits", "GET", API + "/commits/(?P<revision>[^/]+)"),
    ("branch", "POST", API + "/branch/(?P<revision>[^/]+)"),
    ("unbranch", "DELETE", API + "/branch/(?P<revision>[^/]+)"),
    ("tag", "POST", API + "/tag/(?P<revision>[^/]+)"),
    ("untag", "DELETE", API + "/tag/(?P<revision>[^/]+)"),
    ("refs", "GET", API + "/refs"),
    ("tree", "GET", API + "/tree/(?P<revision>[^/]+)(?:/(?P<path>.*))?"),
    ("paths", "POST", API + "/paths-info/(?P<revision>[^/]+)"),
    ("info", "GET", API + "(?:/revision/(?P<revision>[^/]+))?"),
    (
        "resolve",
        "GET|HEAD",
        "/(?:datasets|spaces)" + REPO + "/resolve/(?P<revision>[^/]+)/(?P<path>.+)",
    ),
]
STEPS = [step for step, _, _ in ROUTES]
PATTERNS = [(step, methods.split("|"), re.compile(path + r"\Z")) for step, methods, path in ROUTES]
OPEN = (
    "info",
    "refs",
    "commits",
    "tree",
    "paths",
    "resolve",
    "validate",
    "put",
    "oauth",
)  # steps without a token
BAD_TOKEN = "Invalid credentials in Authorization header"


class Handler(BaseHTTPRequestHandler):
    """One connection; `HubServer` makes a subclass that knows its `hub`."""

    protocol_version = "HTTP/1.1"
    hub: HubServer

    def handle_one_request(self) -> None:
        self.answer_headers: dict[str, str] = {}  # an answer may add some
        self.answered = False
        self._body: bytes | None = None
        super().handle_one_request()

    def _run(self) -> None:
        try:
            self._dispatch()
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = _run  # noqa: N815 - names of the standard library

    def _dispatch(self) -> None:
        url = urlsplit(self.path)
        self.query = {key: values[0] for key, values in parse_qs(url.query).items()}
        self.token = self.headers.get("Authorization", "").removeprefix("Bearer ") or None
        step, parameters = self._step(url.path)
        failure = self.hub.failure(step)
        if failure == "drop":
            self.rfile.read(int(self.headers.get("Content-Length") or 0) // 2)
            self._hang_up(step, failure)
            return
        self.body()
        try:
            if isinstance(failure, int):
                raise Refused(failure, BAD_TOKEN if failure == 401 else "asked to fail")
            answer = self._answer(step, parameters)
        except Refused as refused:
            self._refuse(step, refused)
            return
        if failure == "lost":
            self._hang_up(step, failure)
            return
        self._log(step, 200)
        if not self.answered:
            self.reply(200, answer, self.answer_headers)

    def _step(self, path: str) -> tuple[str, dict[str, str | None]]:
        """The step of this request ("" for an unknown address), and the named parts of its path."""
        for step, methods, pattern in PATTERNS:
            match = pattern.match(path)
            if match and self.command in methods:
                return step, match.groupdict()
        return "", {}

    def _answer(self, step: str, parameters: dict[str, str | None]) -> Any:
        if not step:
            raise Refused(404, f"no such address: {self.command} {self.path}")
        if step not in OPEN and self.token != self.hub.token:
            raise Refused(401, BAD_TOKEN if self.token else "Invalid username or password.")
        with self.hub.lock:
            return getattr(self.hub.answers, f"on_{step}")(self, **parameters)

    def body(self) -> bytes:
        """The body of the request, which is read once."""
        if self._body is None:
            if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
                self._body = b"".join(iter(self._chunk, b""))
            else:
                self._body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        return self._body

    def _chunk(self) -> bytes:
        """The next chunk: its size in hexadecimal, its bytes, an empty line.  The last is empty."""
        chunk = self.rfile.read(int(self.rfile.readline().strip() or b"0", 16))
        self.rfile.readline()
        return chunk

    def json(self) -> Any:
        return json.loads(self.body())

    def reply(self, status: int, body: object, headers: dict[str, str] | None = None) -> None:
        """Send an answer: bytes as they are, anything else as JSON."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.answered = True
        self.send_response(status)
        fields = {"Content-Type": "application/json", **(headers or {})}
        for name, value in {**fields, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def _refuse(self, step: str, refused: Refused) -> None:
        self._log(step, refused.status)
        code = {"X-Error-Code": refused.code} if refused.code else {}
        headers = {"X-Error-Message": refused.message, **code}
        self.reply(refused.status, {"error": refused.message}, headers)

    def _hang_up(self, step: str, failure: str) -> None:
        self._log(step, failure)
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def _log(self, step: str, status: int | str) -> None:
        self.hub.log.append((step, self.command, urlsplit(self.path).path, status))

    def log_message(self, *args: object) -> None:
        """Write nothing to stderr."""
