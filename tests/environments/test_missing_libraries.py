"""A missing library is one sentence that names its extra."""

from __future__ import annotations

import sys
from importlib import import_module

import pytest

from bioreason_bench.environments.library import make_library
from bioreason_bench.environments.trl import environment
from bioreason_bench.errors import MissingExtra

HOMES = {
    "verifiers": ("verifiers.v1", "verifiers"),
    "openenv": ("openenv.core.env_server.http_server", "openenv"),
    "reasoning_gym": ("reasoning_gym.factory", "reasoning-gym"),
    "skyrl_gym": ("skyrl_gym.envs.base_text_env", "skyrl-gym"),
}


@pytest.mark.parametrize(("module", "home"), HOMES.items())
def test_importing_an_environment_names_the_extra(monkeypatch, module, home):
    library, extra = home
    monkeypatch.setitem(sys.modules, library, None)  # as if it were not installed
    monkeypatch.delitem(sys.modules, f"bioreason_bench.environments.{module}", raising=False)
    with pytest.raises(MissingExtra) as caught:
        import_module(f"bioreason_bench.environments.{module}")
    assert str(caught.value).endswith(f"install it with: pip install 'bioreason-bench[{extra}]'")


def test_an_environment_for_trl_names_the_extra_train(monkeypatch, tiny_release):
    monkeypatch.setitem(sys.modules, "trl", None)
    with pytest.raises(MissingExtra, match=r"bioreason-bench\[train\]"):
        environment(make_library("comp_rl", data=str(tiny_release), first=1))
