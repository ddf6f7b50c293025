"""A chat server on loopback, as OpenAI's, that answers each prompt with what a function says."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TOKENS = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}


@contextmanager
def chat_server(answer: Callable[[str], str]) -> Iterator[str]:
    """Serve `answer(text of the last message)`; yields the address that ends in /v1."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_):
            pass

        def do_GET(self):
            self.send({"object": "list", "data": [{"id": "scripted", "object": "model"}]})

        def do_POST(self):
            asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
            content = asked["messages"][-1]["content"]
            if not isinstance(content, str):
                content = "".join(part.get("text", "") for part in content)
            message = {"role": "assistant", "content": answer(content)}
            base = {"id": "1", "created": 1, "model": "scripted", "usage": TOKENS}
            if not asked.get("stream"):
                choice = {"index": 0, "finish_reason": "stop", "message": message}
                self.send({**base, "object": "chat.completion", "choices": [choice]})
                return
            chunks = [
                {"index": 0, "delta": message, "finish_reason": None},
                {"index": 0, "delta": {}, "finish_reason": "stop"},
            ]
            lines = [
                json.dumps({**base, "object": "chat.completion.chunk", "choices": [chunk]})
                for chunk in chunks
            ]
            body = "".join(f"data: {line}\n\n" for line in [*lines, "[DONE]"])
            self.send_bytes(body.encode(), "text/event-stream")

        def send(self, value: dict):
            self.send_bytes(json.dumps(value).encode(), "application/json")

        def send_bytes(self, body: bytes, kind: str):
            self.send_response(200)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
