"""A real browser without a driver: Chromium, told what to do over two pipes.

    with Browser() as browser:
        browser.open(path)
        browser.run("document.title")

Chromium speaks its DevTools protocol on file descriptors 3 and 4 (--remote-debugging-pipe): JSON
messages that end in a null byte.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Self

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
KEYS = {  # name: (code, what it types)
    "Enter": (13, "\r"), "Escape": (27, ""), "Tab": (9, ""), "ArrowDown": (40, ""),
    "ArrowUp": (38, ""), "/": (191, "/"),
}  # fmt: skip
LAUNCH = """import fcntl, os, sys  # the numbers 3 and 4 may be taken
pipes = [fcntl.fcntl(int(number), fcntl.F_DUPFD, 10) for number in sys.argv[1:3]]
for number, pipe in enumerate(pipes, 3):
    os.dup2(pipe, number)
os.execv(sys.argv[3], sys.argv[3:])
"""


def find_browser() -> str | None:
    """The path of a Chromium, None if there is none; BIOREASON_BROWSER names another one."""
    return os.environ.get("BIOREASON_BROWSER") or next(filter(None, map(shutil.which, NAMES)), None)


class Browser:
    """One window of a headless Chromium, and what happened in it.

    Attributes:
        requests: The addresses of everything that was loaded.
        problems: Messages of errors and refusals on the console.
    """

    def __enter__(self) -> Self:
        self.requests: list[str] = []
        self.problems: list[str] = []
        self._last, self._read = 0, b""
        self._folder = tempfile.mkdtemp(prefix="bioreason-browser-")
        (into, self._out), (self._in, out) = os.pipe(), os.pipe()
        options = [
            *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
            *("--hide-scrollbars", "--no-first-run", "--disable-background-networking"),
            *("--remote-debugging-pipe", f"--user-data-dir={self._folder}", "about:blank"),
        ]
        words = [sys.executable, "-c", LAUNCH, str(into), str(out), find_browser(), *options]
        self._process = subprocess.Popen(
            words, pass_fds=(into, out), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        os.close(into)
        os.close(out)
        page = next(
            one for one in self._send("Target.getTargets")["targetInfos"] if one["type"] == "page"
        )
        found = self._send("Target.attachToTarget", targetId=page["targetId"], flatten=True)
        self._session = {"sessionId": found["sessionId"]}
        for part in ("Page", "Runtime", "Network", "Log"):
            self.tell(f"{part}.enable")
        return self

    def __exit__(self, *error: object) -> None:
        self._process.terminate()
        self._process.wait(30)
        os.close(self._out)
        os.close(self._in)
        shutil.rmtree(self._folder, ignore_errors=True)

    def tell(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send the window a command of the protocol, and return what it answers."""
        return self._send(method, self._session, **parameters)

    def open(self, path: Path, address: str = "", seconds: float = 60) -> float:
        """Open a page and wait until it is ready; return the seconds that this took."""
        begin = time.monotonic()
        self.tell("Page.navigate", url="about:blank")
        self.requests.clear()
        self.tell("Page.navigate", url=path.resolve().as_uri() + address)
        self.wait_for("document.documentElement?.dataset.ready === 'yes'", seconds)
        return time.monotonic() - begin

    def run(self, script: str) -> Any:
        """The value of an expression in the page."""
        reply = self.tell(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        if "exceptionDetails" in reply:
            raise AssertionError(reply["exceptionDetails"])
        return reply["result"].get("value")

    def wait_for(self, script: str, seconds: float = 10) -> None:
        """Wait until an expression is true."""
        end = time.monotonic() + seconds
        while not self.run(script):
            assert time.monotonic() < end, (script, self.problems)
            time.sleep(0.02)

    def go(self, address: str) -> None:
        """Change the part of the address after #, and wait for the view."""
        self.run(f"location.hash = {json.dumps(address)}")
        self.run("new Promise(done => setTimeout(done, 0))")

    def text(self) -> str:
        """The text of the view, as one would select it."""
        return self.run("document.querySelector('main').innerText")

    def press(self, *keys: str) -> None:
        """Press keys: names of KEYS, or texts that are typed letter by letter."""
        for key in keys:
            if key not in KEYS:
                for letter in key:
                    self.tell("Input.insertText", text=letter)
                continue
            code, text = KEYS[key]
            common = {"key": key, "code": key, "windowsVirtualKeyCode": code}
            self.tell("Input.dispatchKeyEvent", type="keyDown", text=text, **common)
            self.tell("Input.dispatchKeyEvent", type="keyUp", **common)

    def size(self, width: int, height: int, scale: float = 1) -> None:
        self.tell(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=scale,
            mobile=width < 500,
        )

    def prefer(self, theme: str) -> None:
        """What the system prefers: light or dark."""
        features = [{"name": "prefers-color-scheme", "value": theme}]
        self.tell("Emulation.setEmulatedMedia", features=features)

    def picture(self, path: Path) -> None:
        path.write_bytes(base64.b64decode(self.tell("Page.captureScreenshot")["data"]))

    def _send(self, method: str, session: dict[str, str] | None = None, **parameters: Any) -> Any:
        self._last += 1
        message = {"id": self._last, "method": method, "params": parameters, **(session or {})}
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while True:
            reply = self._receive()
            if reply.get("id") == self._last:
                assert "error" not in reply, (method, reply["error"])
                return reply["result"]
            self._note(reply.get("method"), reply.get("params", {}))

    def _receive(self) -> dict[str, Any]:
        while b"\0" not in self._read:
            piece = os.read(self._in, 2**20)
            assert piece, "the browser has ended"
            self._read += piece
        message, _, self._read = self._read.partition(b"\0")
        return json.loads(message)

    def _note(self, event: str | None, values: dict[str, Any]) -> None:
        if event == "Network.requestWillBeSent":
            self.requests.append(values["request"]["url"])
        elif event == "Runtime.exceptionThrown":
            details = values["exceptionDetails"]
            self.problems.append(details.get("exception", {}).get("description", details["text"]))
        elif event == "Log.entryAdded" and values["entry"]["level"] == "error":
            self.problems.append(values["entry"]["text"])
