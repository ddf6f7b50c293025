"""TRL: `environment_factory` for GRPOTrainer (experimental in TRL 1.16).

    from bioreason_bench.environments.library import make_library
    from bioreason_bench.environments.trl import environment, rows

    library = make_library("comp_rl", data="releases/v1", mode="lookup")
    GRPOTrainer(model, train_dataset=rows(library), environment_factory=environment(library))

The public methods of an environment are the tools of the model: `read_biography`, `search` and
`answer` in mode lookup, else `answer` alone.  The reward is that of the first answer; a model that
never calls `answer` earns 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bioreason_bench.environments.library import Episode, Library
from bioreason_bench.errors import MissingExtra

if TYPE_CHECKING:
    from datasets import Dataset

__all__ = ["environment", "rows"]

ANSWER = "Give your whole reply to the tool answer, which you call once."


def rows(library: Library) -> Dataset:
    """The data set to train with: `prompt` (messages) and `id`, by which `reset` finds the row."""
    from datasets import Dataset

    return Dataset.from_list(
        [
            {"prompt": [{"role": "user", "content": _prompt(library, row)}], "id": row["id"]}
            for row in library.questions.rows
        ]
    )


def _prompt(library: Library, row: Mapping[str, Any]) -> str:
    """What the model is sent; a prompt without tools does not say that it is to call `answer`."""
    prompt = library.prompt(row)
    return prompt if library.mode == "lookup" else f"{prompt}\n\n{ANSWER}"


def environment(library: Library) -> type:
    """The class of environments over a library: one instance plays one episode at a time.

    Raises:
        MissingExtra: TRL is not installed.
    """
    try:
        import trl  # noqa: F401 - the class is for nothing else
    except ModuleNotFoundError:
        raise MissingExtra("trl", "train") from None

    class BioreasonAnswer:
        """A question that is answered by calling a tool."""

        _episode: Episode

        def reset(self, id: str, **_: Any) -> None:  # noqa: A002 - the name of the column
            """Begin the question with this id."""
            self._episode = library.episode(library.questions.row(id))

        def answer(self, text: str) -> str:
            """
            Give the final answer to the question. Call it once: only the first answer counts.

            Args:
                text: One short sentence for each step, and at the end "So, the answer is: "
                    followed by the answer alone.

            Returns:
                A confirmation.
            """
            return self._episode.answer(text)

        def get_reward(self) -> float:
            """The reward of the episode."""
            return self._episode.reward()

        def _log(self) -> dict[str, float]:
            """The metrics of the episode and the number of useful and useless calls."""
            return self._episode.log()

    class BioreasonLibrary(BioreasonAnswer):
        """A question about people who can be looked up."""

        def read_biography(self, name: str) -> str:
            """
            Read what the library has about a person.

            Args:
                name: The full name of the person.

            Returns:
                The biography.
            """
            return self._episode.read_biography(name)

        def search(self, text: str) -> str:
            """
            Find people whose name contains a text, and sentences that contain it.

            Args:
                text: The text, such as a name or a part of one.

            Returns:
                At most five names or sentences, one on each line.
            """
            return self._episode.search(text)

    return BioreasonLibrary if library.mode == "lookup" else BioreasonAnswer
