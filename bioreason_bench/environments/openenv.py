"""OpenEnv: a server that asks one question an episode, with or without the library.

    export BIOREASON_DATA=releases/v1 BIOREASON_MODE=lookup
    uvicorn bioreason_bench.environments.openenv:make_app --factory --port 8000

An action names a tool and gives it a text.  `answer`, the default, ends the episode: in modes
closed and context an episode is one action.  In mode lookup `read_biography` and `search` come
before it.  Environment variables choose the questions, see VARIABLES.  examples/openenv is the
folder of a Space.
"""

from __future__ import annotations

import functools
import os
import secrets
import sys
import uuid
from typing import TYPE_CHECKING, Any, Literal

from bioreason_bench.environments.library import Episode, Library, make_library
from bioreason_bench.errors import BioreasonError, MissingExtra, UsageError

try:
    from openenv.core.env_server.http_server import create_app
    from openenv.core.env_server.interfaces import Environment
    from openenv.core.env_server.types import Action, EnvironmentMetadata, Observation, State
    from pydantic import Field
except ModuleNotFoundError:
    raise MissingExtra("openenv", "openenv") from None

if TYPE_CHECKING:
    from fastapi import FastAPI

__all__ = [
    "VARIABLES",
    "BioreasonAction",
    "BioreasonEnvironment",
    "BioreasonObservation",
    "library_of_variables",
    "make_app",
]

PREFIX = "BIOREASON_"
VARIABLES: dict[str, type] = {  # arguments of make_library, as BIOREASON_DATA and so on
    **dict.fromkeys(("data", "revision", "preset", "prompt"), str),
    "seed": int,
    "config": str,
    "split": str,
    "mode": str,
    "shelf": str,
    "cost": float,
    "most_calls": int,
    "reward": str,
}
MOST_SESSIONS = 64


class BioreasonAction(Action):
    """A call of a tool."""

    tool: Literal["answer", "read_biography", "search"] = Field(
        default="answer", description="What to do; read_biography and search in mode lookup alone"
    )
    text: str = Field(
        ...,
        description="answer: one sentence for each step, then 'So, the answer is: X'; "
        "read_biography: a full name; search: a text",
    )


class BioreasonObservation(Observation):
    """The question, or what a tool returned."""

    prompt: str = Field(default="", description="The question, after reset")
    result: str = Field(default="", description="What the tool returned")


class BioreasonEnvironment(Environment):
    """One question an episode."""

    SUPPORTS_CONCURRENT_SESSIONS = True

    def __init__(self, library: Library) -> None:
        super().__init__()
        self.library = library
        self._state = State(episode_id=None, step_count=0)
        self._episode: Episode | None = None

    def reset(
        self, seed: int | None = None, episode_id: str | None = None, **kwargs: Any
    ) -> BioreasonObservation:
        """Ask a question.

        Args:
            seed: Draws the question; without it, chance does.
            episode_id: The name of the episode; made up if None.
            **kwargs: `id` names the question, or `index` counts it, from 0; else it is drawn.
        """
        questions = self.library.questions
        if kwargs.get("id") is not None:
            row = questions.row(str(kwargs["id"]))
        elif kwargs.get("index") is not None:
            row = questions.rows[self._checked(int(kwargs["index"]))]
        else:
            row = questions.drawn(secrets.randbits(32) if seed is None else seed)
        self._episode = self.library.episode(row)
        self._state = State(episode_id=episode_id or str(uuid.uuid4()), step_count=0)
        return BioreasonObservation(prompt=self._episode.prompt, metadata={"id": row["id"]})

    def step(
        self,
        action: BioreasonAction,
        timeout_s: float | None = None,  # noqa: ARG002 - OpenEnv's signature
        **_: Any,
    ) -> BioreasonObservation:
        """Call a tool.  After the answer the observation has the reward and the log of calls."""
        if self._episode is None:
            raise UsageError("no question has been asked; call reset first")
        episode = self._episode
        self._state.step_count += 1
        tools = {
            "answer": episode.answer,
            "read_biography": episode.read_biography,
            "search": episode.search,
        }
        result = tools[action.tool](action.text)
        if episode.answered is None:
            return BioreasonObservation(result=result, reward=0.0)
        return BioreasonObservation(
            result=result, reward=episode.reward(), done=True, metadata=episode.log()
        )

    @property
    def state(self) -> State:
        return self._state

    def get_metadata(self) -> EnvironmentMetadata:
        from bioreason_bench import __version__

        return EnvironmentMetadata(
            name="bioreason",
            description="Multi-hop questions about synthetic people, asked closed book, in context "
            "or with a library of biographies",
            version=__version__,
        )

    def list_splits(self) -> list[str]:
        """The one split that the server was started with."""
        return [self.library.questions.split]

    def num_tasks(self, split: str) -> int:
        self._check_split(split)
        return len(self.library.questions.rows)

    def get_task(self, split: str, index: int) -> dict[str, Any]:
        """The id of a question, which `reset` takes."""
        self._check_split(split)
        return {"id": self.library.questions.rows[self._checked(index)]["id"], "index": index}

    def list_tasks(self, split: str) -> list[dict[str, Any]]:
        return self.get_task_range(split)

    def get_task_range(
        self, split: str, start: int | None = None, stop: int | None = None
    ) -> list[dict[str, Any]]:
        return [self.get_task(split, index) for index in range(self.num_tasks(split))[start:stop]]

    def _check_split(self, split: str) -> None:
        if split not in self.list_splits():
            raise UsageError(f"there is no split {split!r}; it is {self.list_splits()[0]!r}")

    def _checked(self, index: int) -> int:
        count = len(self.library.questions.rows)
        if not 0 <= index < count:
            raise IndexError(f"there is no question {index}; the last one is {count - 1}")
        return index


def library_of_variables() -> Library:
    """The library that the environment variables describe.

    Raises:
        UsageError: A variable has a wrong value.
        ReleaseError: The source cannot be read.
    """
    settings: dict[str, Any] = {"mode": "context"}
    for name, read in VARIABLES.items():
        text = os.environ.get(f"{PREFIX}{name.upper()}")
        if text:
            try:
                settings[name] = read(text)
            except ValueError:
                raise UsageError(f"{PREFIX}{name.upper()}={text!r} must be a number") from None
    return make_library(**settings)


def make_app(library: Library | None = None) -> FastAPI:
    """The server.

    Args:
        library: What it asks; that of the environment variables if None.  A wrong variable ends the
            process with one sentence, as the command lines do.
    """
    try:
        library = library or library_of_variables()
    except BioreasonError as error:
        print(f"bioreason: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    return create_app(
        functools.partial(BioreasonEnvironment, library),
        BioreasonAction,
        BioreasonObservation,
        env_name="bioreason",
        max_concurrent_envs=MOST_SESSIONS,
    )
