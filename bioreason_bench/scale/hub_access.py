"""Access to the Hub: a token, and one sentence for whatever goes wrong there.

It says what failed, what to do next, and what the repository holds now.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from bioreason_bench.errors import BioreasonError, UsageError
from bioreason_bench.escaping import without_token

__all__ = ["Step", "http_errors", "plain_failures", "require_token", "without_token"]

AGAIN = "publish again (files that have arrived are not sent twice)"


@dataclass
class Step:
    """The step of publication that is under way, for the sentence about its failure.

    Attributes:
        name: What is being done, to be read after "could not".
        state: What the repository holds if this fails.
        again: How to try again.
    """

    name: str = "look at the repository"
    state: str = "nothing of the release is visible there"
    again: str = AGAIN


@contextmanager
def plain_failures(step: Step, repo: str, endpoint: str) -> Iterator[None]:
    """Turn errors of the Hub, the network and the client into one of ours, without any token.

    Raises UsageError for what the user has to correct, BioreasonError for what may pass by itself.
    """
    from huggingface_hub.errors import HfHubHTTPError

    expected: tuple[type[Exception], ...] = (*http_errors(), ValueError, RuntimeError)
    try:
        yield
    except expected as error:
        causes = list(_causes(error))
        statuses = [
            cause.response.status_code
            for cause in causes
            if isinstance(cause, HfHubHTTPError) and cause.response is not None
        ]
        problem, wrong_use = _explain(statuses[0] if statuses else None, error, repo, step.again)
        error_class = UsageError if wrong_use else BioreasonError
        message = f"could not {step.name} at {endpoint}: {problem}; {step.state}"
        raise error_class(without_token(message)) from None


def require_token() -> None:
    """Raise UsageError if there is no token: stored, in HF_TOKEN, or from a trusted publisher."""
    from huggingface_hub import get_token

    try:
        token = get_token()
    except Exception as error:  # noqa: BLE001 - exchanging the identity of a CI job fails in many ways
        reason = without_token(str(error).strip() or type(error).__name__)
        raise UsageError(
            f"the trusted publisher of {os.environ.get('HF_OIDC_RESOURCE')} gave no token "
            f"({reason}); correct its settings on the Hub and the permissions of the job"
        ) from None
    if not token:
        raise UsageError(
            "there is no token for the Hub; log in with: hf auth login (or set HF_TOKEN), "
            "then run the command again"
        )


def http_errors() -> tuple[type[Exception], ...]:
    """What the client raises for a bad answer or none, whichever HTTP library it is built on."""
    from huggingface_hub.errors import HfHubHTTPError

    bases: tuple[type[Exception], ...] = HfHubHTTPError.__bases__
    return (*bases, OSError)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error, what it was raised from, and so on."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _explain(status: int | None, error: BaseException, repo: str, again: str) -> tuple[str, bool]:
    """What happened and what to do next; and whether it is for the user to correct.

    Args:
        status: The HTTP status of the Hub's answer, None if there was none.
        error: The error that the client raised.
        repo: The repository.
        again: How to try again.
    """
    owner = repo.split("/")[0]
    message = " ".join(str(getattr(error, "server_message", None) or error).split())[:200]
    wrong_use = {
        401: "the Hub does not accept this token; log in with: hf auth login (or set HF_TOKEN)",
        403: f"this token may not write to {owner}; use one that may, or another repository",
        404: f"the Hub finds no {repo}; check its name, and that the token has access to it",
    }
    refused = f"the Hub refuses it ({message}); correct what it names, then {again}"
    failures = {
        400: refused,
        409: f"another change of {repo} is under way; wait until it has ended, then {again}",
        412: f"{repo} was changed by someone else at the same time; look at it, then {again}",
        422: refused,
        429: f"too many requests (429); wait some minutes, then {again}",
    }
    if status in wrong_use:
        return wrong_use[status], True
    if status is not None:
        other = f"the Hub answered {status}; wait a little, then {again}"
        return failures.get(status, other), False
    if isinstance(error, ValueError) and not isinstance(error, OSError):
        return f"the client refuses it ({message})", False
    reason = message or type(error).__name__
    return f"the connection failed or was lost ({reason}); check the network, then {again}", False
