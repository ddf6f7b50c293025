"""OpenEnv: its own validator and client accept the server."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

openenv = pytest.importorskip("openenv")
uvicorn = pytest.importorskip("uvicorn")

from openenv.cli.__main__ import app as command
from typer.testing import CliRunner

from bioreason_bench.environments.library import make_library
from bioreason_bench.environments.openenv import VARIABLES, make_app

CHECKOUT = Path(__file__).resolve().parents[2]
EXAMPLE = CHECKOUT / "examples" / "openenv"


@pytest.fixture
def serve():
    """`serve(library)` starts a server and returns its address."""
    running = []

    def start(library) -> str:
        config = uvicorn.Config(make_app(library), port=0, log_level="warning")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        running.append((server, thread))
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.02)
        port = server.servers[0].sockets[0].getsockname()[1]
        return f"http://127.0.0.1:{port}"

    yield start
    for server, thread in running:
        server.should_exit = True
        thread.join(timeout=20)


def validate(*words: object):
    """Run `openenv validate` in this process."""
    return CliRunner().invoke(command, ["validate", *map(str, words)])


def test_a_question_is_answered_by_looking_people_up(serve, tiny_release):
    library = make_library("comp_rl", data=str(tiny_release), cost=0.25)
    address = serve(library)
    done = validate("--url", address)
    assert done.exit_code == 0 and "Verdict: PASS" in done.output, done.output
    with openenv.GenericEnvClient(base_url=address).sync() as client:
        asked = client.reset(seed=5)
        assert asked.observation == client.reset(seed=5).observation
        row = library.questions.row(asked.observation["metadata"]["id"])
        assert asked.observation["prompt"] == library.prompt(row)
        start = row["entities"][0]
        read = client.step({"tool": "read_biography", "text": start})
        assert start in read.observation["result"] and not read.done
        client.step({"tool": "search", "text": start})
        last = client.step({"text": row["chain"]})
        assert (last.reward, last.done) == (0.75, True)
        log = last.observation["metadata"]
        assert (log["useful_calls"], log["useless_calls"], log["searches"]) == (1, 1, 1)


def test_in_context_an_episode_is_one_action(serve, tiny_release):
    library = make_library("comp_zeroshot", data=str(tiny_release), mode="context")
    with openenv.GenericEnvClient(base_url=serve(library)).sync() as client:
        for index, row in enumerate(library.questions.rows[:5]):
            for text, reward in ((row["chain"], 1.0), ("So, the answer is: nobody", 0.0)):
                asked = client.reset(index=index)
                assert row["context"] in asked.observation["prompt"]
                step = client.step({"text": text})
                assert (step.reward, step.done) == (reward, True)
        assert client.reset(id=row["id"]).observation["prompt"] == library.prompt(row)


def test_the_tasks_of_the_split_are_listed(serve, tiny_release):
    import httpx

    address = serve(make_library("comp_rl", data=str(tiny_release)))
    assert httpx.get(f"{address}/bioreason/splits").json() == [{"name": "train", "type": "train"}]
    asked = httpx.post(f"{address}/bioreason/num_tasks", json={"split": "train"})
    assert asked.json() == {"num_tasks": 100}


def test_the_folder_of_the_space_is_valid_and_its_server_starts_from_variables(tiny_release):
    assert validate(EXAMPLE, "--level", "static", "--skip-build").exit_code == 0
    docker = (EXAMPLE / "Dockerfile").read_text(encoding="utf-8")
    assert [name for name in VARIABLES if f"_{name.upper()}" not in docker] == []
    done = subprocess.run(
        [sys.executable, "-c", "from server.app import app; print(app.title)"],
        env={**os.environ, "BIOREASON_DATA": str(tiny_release), "BIOREASON_MODE": "lookup"},
        cwd=EXAMPLE,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("MODE", "lokup", "there is no mode='lokup': did you mean 'lookup'?"),
        ("COST", "little", "BIOREASON_COST='little' must be a number"),
    ],
)
def test_a_wrong_variable_ends_the_server_with_one_sentence(
    tiny_release, monkeypatch, capsys, name, value, message
):
    monkeypatch.setenv("BIOREASON_DATA", str(tiny_release))
    monkeypatch.setenv(f"BIOREASON_{name}", value)
    with pytest.raises(SystemExit) as caught:
        make_app()
    assert (caught.value.code, capsys.readouterr().err) == (2, f"bioreason: {message}\n")
