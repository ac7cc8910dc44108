"""What other people's libraries and programs say, made fit for a line of ours."""

import re


def without_credentials(text: str) -> str:
    """The text with `user:password@` taken out of every URL."""
    return re.sub(r"://[^/\s]*@", "://", text)
