""".gitignore: which paths its rules leave out. Matching is git's own, in a process that can be ended.

There are patterns on which any matcher tries more ways than anybody waits for, git's too.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path

import pygit2

from localhub import gitprogram
from localhub.errors import HubError

FILE = ".gitignore"
MAX_RULES = 65_536  # characters
MAX_SECONDS = 5


def ignored(rules: str, paths: Iterable[str], scratch: Path) -> set[str]:
    """The paths that the rules of a .gitignore at the root leave out, by themselves or with their folder.

    Works in a new folder in `scratch`; no rules of the machine or of its user apply. HubError 413 when there
    are too many rules, or when they take too long; 501 without the program git.
    """
    if len(rules) > MAX_RULES:
        raise HubError(413, f"A .gitignore is heeded up to {MAX_RULES} characters; this has {len(rules)}.")
    if not rules.strip():
        return set()
    git = gitprogram.find("Heeding a .gitignore")
    with tempfile.TemporaryDirectory(dir=scratch) as place:
        pygit2.init_repository(place)
        Path(place, FILE).write_text(rules, encoding="utf-8", errors="replace")
        command = [git, "-C", place, "-c", "safe.directory=*", "check-ignore", "--no-index", "--stdin", "-z"]
        try:
            done = subprocess.run(
                command,
                input="\0".join(f"./{path}" for path in paths).encode(),  # else `:` would begin a pattern
                capture_output=True,
                env=gitprogram.environment(),
                timeout=MAX_SECONDS,
            )
        except subprocess.TimeoutExpired:
            raise HubError(413, f"The .gitignore takes longer than {MAX_SECONDS} s; shorten it.") from None
    if done.returncode not in (0, 1):  # some are ignored, or none
        raise HubError(400, f"git does not understand the .gitignore: {done.stderr.decode()[:300].strip()}")
    return {path.removeprefix("./") for path in done.stdout.decode().split("\0") if path}
