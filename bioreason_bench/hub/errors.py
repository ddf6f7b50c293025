"""What goes wrong with the Hub, in one sentence: what was refused, what to do next, and what the repository holds now."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from bioreason_bench.errors import BioreasonError, UsageError

__all__ = ["Step", "http_errors", "plain_failures"]


@dataclass
class Step:
    """What is being done, for the sentence that says what went wrong."""

    name: str = "look at the repository"
    left: str = "nothing of the release is visible there"


@contextmanager
def plain_failures(step: Step, repo: str, endpoint: str) -> Iterator[None]:
    """Say in one sentence what the Hub, the network or the client refused, and what the repository holds now."""
    from huggingface_hub.errors import HfHubHTTPError

    try:
        yield
    except (*http_errors(), ValueError, RuntimeError) as error:
        chain = list(_causes(error))
        answer = next(
            (
                cause
                for cause in chain
                if isinstance(cause, HfHubHTTPError) and cause.response is not None
            ),
            None,
        )
        status = answer.response.status_code if answer is not None else None
        problem, wrong_use = _explain(status, chain, repo)
        kind = UsageError if wrong_use else BioreasonError
        raise kind(
            _without_token(f"could not {step.name} at {endpoint}: {problem}; {step.left}")
        ) from None


def http_errors() -> tuple[type[Exception], ...]:
    """What the client raises when an answer is bad or does not come, by whichever HTTP library this version of it is built on."""
    from huggingface_hub.errors import HfHubHTTPError

    return (*HfHubHTTPError.__bases__, OSError)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _explain(status: int | None, chain: list[BaseException], repo: str) -> tuple[str, bool]:
    """What happened and what to do next; and whether it was asked for wrongly."""
    owner, again = repo.split("/")[0], "publish again (what has arrived is not sent twice)"
    says = " ".join(str(getattr(chain[0], "server_message", None) or chain[0]).split())[:200]
    match status:
        case 401:
            return (
                "the Hub does not know this token; log in again with: hf auth login (or set HF_TOKEN)",
                True,
            )
        case 403:
            return (
                f"this token may not write to {owner}; use a token with write access to it, or another --repo",
                True,
            )
        case 404:
            return (
                f"the Hub does not find {repo}; check its name and that the token may see it",
                True,
            )
        case 409:
            return (
                f"the Hub reports a conflict on {repo}; wait for the other change to end, then {again}",
                False,
            )
        case 412:
            return f"somebody else changed {repo} at the same time; look at it, then {again}", False
        case 400 | 422:
            return f"the Hub refuses it ({says}); correct what it names, then publish again", False
        case 429:
            return (
                f"the Hub asks for patience (429, too many requests); wait some minutes, then {again}",
                False,
            )
        case int():
            return f"the Hub answered {status}; wait a little, then {again}", False
    if isinstance(chain[0], ValueError) and not isinstance(chain[0], OSError):
        return f"the client refuses it ({says})", False
    return (
        f"the connection was lost or never came about ({says or type(chain[0]).__name__}); check the network, then {again}",
        False,
    )


def _without_token(text: str) -> str:
    """The text with any token in it taken out: errors of HTTP libraries quote headers and addresses."""
    from huggingface_hub import get_token

    token = (get_token() or "").strip()
    for secret in filter(None, (token, *token.split())):
        text = text.replace(secret, "(token)")
    text = re.sub(r"Bearer [^\s'\"]+", "Bearer (token)", text)
    return re.sub(r"//[^/@\s]+@", "//(token)@", re.sub(r"\bhf_[A-Za-z0-9]{6,}", "(token)", text))
