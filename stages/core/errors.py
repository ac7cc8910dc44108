"""The one exception a user can cause, and the one line it prints."""

import re


class PipelineError(Exception):
    """A mistake in the input or the surroundings that its reader can mend.

    The message is one line, or one line a finding: what failed, where (file, line, key), what to do next.
    `stages.core.runtime.run` prints it as `error: ...` without a traceback and exits with status 1.
    """


def without_credentials(text: str, mark: str = "") -> str:
    """The text, fit to be shown: with `user:password@` taken out of every URL, and `mark` in its place."""
    return re.sub(r"://[^/\s]*@", f"://{mark}", text)
