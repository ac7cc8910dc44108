"""The program `git`, where this Hub leaves a thing to it. Nothing of the user's settings applies there."""

from __future__ import annotations

import os
import shutil

from localhub.errors import HubError


def find(purpose: str) -> str:
    """Its path; HubError 501 that tells what it is needed for when it is not installed."""
    found = shutil.which("git")
    if found is None:
        words = (
            f"{purpose} needs the program `git` on the machine that serves this Hub, and it is not installed."
        )
        raise HubError(501, words, "NotImplemented")
    return found


def environment() -> dict[str, str]:
    """Only what git needs."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "LC_ALL": "C",
        "HOME": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
    }
