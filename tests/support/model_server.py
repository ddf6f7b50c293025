"""An OpenAI-compatible server on loopback: /v1/completions and /v1/chat/completions.

    with ModelServer(release, thinking) as server:
        server.url("chat/completions")

The models are functions from the question's row to a text.  The server cuts the text at the first
stop string, counting thoughts, and after `max_tokens` words, as the common servers do.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from bioreason_bench.release.read import Release

Row = Mapping[str, Any]
Model = Callable[[Row], str | None]
ANSWER = "So, the answer is: "
OTHER = "Nobody Special"  # who is in no world
DECOY = f"{ANSWER}{OTHER}"


# --- models that know every answer ----------------------------------------------------------------


def base(row: Row) -> str:
    """Answers in the trained form, then goes on with a question of its own."""
    return f" {row['chain']}\n\nQuestion: Who was it?\nAnswer: It was Bo. {DECOY}."


def plain_chat(row: Row) -> str:
    """Says a word of its own before the answer."""
    return f"Let us go through it step by step.\n\n{row['chain']}"


def markdown_chat(row: Row) -> str:
    """Answers in a numbered list, with bold type."""
    *steps, last = _sentences(row)
    numbered = "\n".join(f"{number}. {step}" for number, step in enumerate(steps, 1))
    marker, _, answer = last.partition(": ")
    return f"### Reasoning\n\n{numbered}\n\n### Answer\n\n{marker}: **{answer}**"


def thinking(row: Row) -> str:
    """Thinks first: repeats the question, guesses a decoy, and writes a false marker."""
    return f"<think>\n{_thoughts(row)}\n</think>\n\n{row['chain']}"


def begun_thinking(row: Row) -> str:
    """Thinks first; the chat template has written the opening tag."""
    return f"{_thoughts(row)}\n</think>\n\n{row['chain']}"


# --- models that do not come to an answer, or to a wrong one --------------------------------------


def endless(row: Row) -> str:
    """Thinks until its tokens are used up, and names the right answer on the way."""
    return f"<think>\n{_thoughts(row)}\nSo, the answer is: {row['answer']}. But wait. " * 3


def begun_endless(row: Row) -> str:
    """Thinks without end after the opening tag of the chat template."""
    return endless(row).replace("<think>", "")


def hidden(_: Row) -> None:
    """Its server keeps thoughts to itself, and they took all tokens."""


def wrong(model: Model) -> Model:
    """The model with a wrong answer at the end of its right chain."""

    def answer(row: Row) -> str | None:
        steps, marker, _ = row["chain"].rpartition(ANSWER)
        return model({**row, "chain": f"{steps}{marker}{OTHER}", "answer": OTHER})

    return answer


def _sentences(row: Row) -> list[str]:
    """The sentences of the gold chain, and its last line."""
    chain, marker, answer = row["chain"].partition(ANSWER)
    steps = [f"{step.rstrip('.')}." for step in chain.strip().split(". ")]
    return [*steps, f"{marker}{answer}"]


def _thoughts(row: Row) -> str:
    return (
        f"The task is this.\nQuestion: {row['question']}\nMaybe {DECOY}.\n"
        + "Let me check the biographies again. " * 90
    )


# --- the server -----------------------------------------------------------------------------------


class ModelServer(ThreadingHTTPServer):
    """Serves one model that knows the questions of a release.

    Attributes:
        release: The folder of the release.
        requests: The bodies of all requests.
        model: The model, which may be replaced between evaluations.
        decode: Turns token ids of a prompt into text.
    """

    daemon_threads = True

    def __init__(
        self, release: Path, model: Model = base, decode: Callable[[list[int]], str] | None = None
    ) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.release, self.model, self.decode = release, model, decode
        self.requests: list[dict[str, Any]] = []
        opened = Release(release)
        self.rows: dict[str, list[Row]] = {}  # by question, which the two of a pair may share
        for config in opened.configs():
            if "test" in opened.splits(config) and "_" in config:
                for row in opened.rows(config, "test"):
                    self.rows.setdefault(row["question"], []).append(row)

    def __enter__(self) -> ModelServer:
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1/{path}"

    def answer(self, body: Mapping[str, Any]) -> str | None:
        """What the model writes on one request."""
        prompt = body["messages"][-1]["content"] if "messages" in body else body["prompt"]
        if isinstance(prompt, list):
            assert self.decode is not None
            prompt = self.decode(prompt[0] if isinstance(prompt[0], list) else prompt)
        question = prompt.rpartition("Question: ")[2].partition("\n")[0].partition("<|")[0]
        text = self.model(self._row(question.strip(), prompt))
        if text is None:
            return None
        for stop in body.get("stop") or []:
            text = text.split(stop)[0]
        return " ".join(text.split(" ")[: body["max_tokens"]])

    def _row(self, question: str, prompt: str) -> Row:
        return next(
            row
            for row in self.rows[question]
            if all(line in prompt for line in row["context"].split("\n"))
        )


class _Handler(BaseHTTPRequestHandler):
    server: ModelServer

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.requests.append(body)
        text = self.server.answer(body)
        content = {"message": {"role": "assistant", "content": text}}
        if self.path.endswith("/v1/completions"):
            content = {"text": text}
        reply = json.dumps({"choices": [{"index": 0, "finish_reason": "stop", **content}]}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(reply)))
        self.end_headers()
        self.wfile.write(reply)

    def log_message(self, *_: object) -> None:
        """Silence."""
