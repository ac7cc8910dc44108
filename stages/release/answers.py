"""What a Hub answers, in one line a person can act on."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from stages.core.errors import PipelineError
from stages.release.endpoint import Target

if TYPE_CHECKING:
    import httpx2
    from huggingface_hub.errors import HfHubHTTPError


class Unreachable(PipelineError):
    """The Hub cannot be asked now: no connection, no time, or trouble of its own."""


class Moved(PipelineError):
    """The Hub refused because the branch is no longer what it was."""


@contextmanager
def understood(target: Target, repo_id: str) -> Iterator[None]:
    """Turn the client's exceptions into PipelineError, Unreachable or Moved; never with the token in them."""
    import httpx2
    from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

    try:
        yield
    except OfflineModeIsEnabled:
        raise Unreachable(f"{target.url} is not asked: HF_HUB_OFFLINE is set") from None
    except (HfHubHTTPError, httpx2.RequestError) as error:
        raise _trouble(error, target, repo_id) from error
    except RuntimeError as error:  # the client's, for a large file that could not be sent
        if not isinstance(error.__cause__, HfHubHTTPError | httpx2.RequestError):
            raise
        raise _trouble(error.__cause__, target, repo_id) from error
    except (ConnectionError, PermissionError) as error:  # hf_xet's, which tell the status by their words only
        raise Unreachable(
            f"{target.url} did not take a large file ({_one_line(str(error), target)}): run `dvc repro push`"
            " again, or with HF_HUB_DISABLE_XET=1, which sends it without Xet"
        ) from error
    except json.JSONDecodeError:
        raise PipelineError(f"{target.url} does not answer as a Hub does: is hub.endpoint right?") from None
    except ValueError as error:
        if "metadata in README.md" not in str(error):
            raise
        raise PipelineError(
            f"the card is refused by {target.url}: {_one_line(str(error), target)}"
        ) from error


def _trouble(error: "HfHubHTTPError | httpx2.RequestError", target: Target, repo_id: str) -> PipelineError:
    from huggingface_hub.errors import HfHubHTTPError

    if isinstance(error, HfHubHTTPError):
        return _explained(error.response.status_code, _message(error, target), target, repo_id)
    return Unreachable(f"{target.url} cannot be reached ({_one_line(str(error), target)})")


def _explained(status: int, message: str, target: Target, repo_id: str) -> PipelineError:
    if status == 401 and target.token:
        return PipelineError(
            f"{target.url} does not take the token ({message}): set HF_TOKEN to a valid one,"
            " or run `hf auth login`"
        )
    if status in (401, 403):
        return PipelineError(
            f"{target.url} refuses to write {repo_id} ({message}): the token needs the right to write there,"
            " and hub.repo_id your account or an organisation of yours"
        )
    if status in (409, 412):
        return Moved(
            f"{repo_id} was changed by someone else meanwhile ({message}): run `dvc repro push` again"
        )
    if status == 429 or status >= 500:
        return Unreachable(f"{target.url} answers {status} ({message}): try again later")
    return PipelineError(f"{target.url} answers {status} for {repo_id}: {message}")


def _message(error: Exception, target: Target) -> str:
    return _one_line(getattr(error, "server_message", None) or str(error), target)


def _one_line(text: str, target: Target) -> str:
    line = " ".join(text.split())[:300]
    return line.replace(target.token, "***") if target.token else line
