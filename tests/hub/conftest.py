"""A Hub on this machine that the client of this process talks to."""

from __future__ import annotations

import time
import types
from collections.abc import Iterator
from pathlib import Path

import pytest
from hub_server import HubServer


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[HubServer]:
    """An empty Hub that this process's client talks to, without waiting between retries."""
    from huggingface_hub import HfFileSystem, constants, file_download
    from huggingface_hub.utils import _http

    with HubServer() as server:
        template = constants.HUGGINGFACE_CO_URL_TEMPLATE.replace(constants.ENDPOINT, server.url)
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(file_download, "HUGGINGFACE_CO_URL_TEMPLATE", template, raising=False)
        monkeypatch.setattr(constants, "ENDPOINT", server.url)
        monkeypatch.setattr(
            constants, "HF_HUB_DISABLE_XET", True, raising=False
        )  # old clients know no Xet
        monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "token"))
        monkeypatch.setattr(
            _http,
            "time",
            types.SimpleNamespace(
                sleep=lambda seconds: None, time=time.time, monotonic=time.monotonic
            ),
        )
        monkeypatch.setenv("HF_TOKEN", server.token)
        HfFileSystem.clear_instance_cache()
        yield server
