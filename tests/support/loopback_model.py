"""An OpenAI-compatible chat service on 127.0.0.1, whose models answer from a table of gold chains.

    with LoopbackModel({question: chain}) as service:
        OpenAI(base_url=service.url, api_key="none")   # model="right", "wrong", "thinking", ...
        service.prompts                                # the messages that arrived, by model

The models: `right` writes the gold chain; `wrong` a chain and answer about nobody; `thinking` first
writes a thought with a wrong answer; `reasoning` returns that thought beside the text; `endless`
never ends its thought; `cut` has spent all its tokens on reasoning; `half` is right on every
question of an even number of letters.
"""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

__all__ = ["LoopbackModel"]

WRONG = "So, the answer is: nobody"
THOUGHT = f"Question: who is it? Perhaps nobody. {WRONG}."


class LoopbackModel:
    """The service; a context manager that listens while it is entered.

    Attributes:
        url: The base URL for clients.
        prompts: The last message of every request, by model.
        settings: Temperature and limit of tokens of the last request.
    """

    def __init__(self, chains: Mapping[str, str]) -> None:
        self.chains = chains
        self.prompts: dict[str, list[str]] = defaultdict(list)
        self.settings: dict[str, float] = {}
        handler = type("LoopbackHandler", (_Handler,), {"service": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def __enter__(self) -> LoopbackModel:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def choice(self, model: str, prompt: str) -> dict[str, Any]:
        """The reply of a model, as the API's `choices` hold it."""
        question = prompt.rpartition("Question: ")[2].partition("\n")[0]
        gold = self.chains[question]
        messages: dict[str, dict[str, str]] = {
            "right": {"content": gold},
            "wrong": {"content": WRONG},
            "half": {"content": WRONG if len(question) % 2 else gold},
            "thinking": {"content": f"<think>\n{THOUGHT}\n</think>\n\n{gold}"},
            "reasoning": {"content": gold, "reasoning_content": THOUGHT},
            "endless": {"content": f"<think>\n{gold}"},
            "cut": {"content": "", "reasoning_content": gold},
        }
        finish = "length" if model in ("endless", "cut") else "stop"
        return {
            "index": 0,
            "finish_reason": finish,
            "message": {"role": "assistant", **messages[model]},
        }


class _Handler(BaseHTTPRequestHandler):
    service: LoopbackModel
    protocol_version = "HTTP/1.1"

    def log_message(self, *args: object) -> None:
        """Print nothing."""

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["content-length"])))
        model, prompt = request["model"], request["messages"][-1]["content"]
        if isinstance(prompt, list):
            prompt = "".join(part.get("text", "") for part in prompt)
        self.service.prompts[model].append(prompt)
        self.service.settings = {
            name: value
            for name, value in request.items()
            if name in ("temperature", "max_tokens", "max_completion_tokens")
        }
        answer = {
            "id": "reply",
            "object": "chat.completion",
            "created": 0,
            "model": model,
            "choices": [self.service.choice(model, prompt)],
            "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
        }
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
