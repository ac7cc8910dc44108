"""Serve the embedded Hub and its pages at runtime.hub_port until Ctrl-C.

Reads   .hub; params: runtime
Run     make hub   (or: python -m stages.hub)
"""

import os
import sys

from stages.core.layout import Layout
from stages.core.runtime import run
from stages.core.schema import Params


def hub(params: Params, layout: Layout) -> None:
    """Become `python -m localhub serve`, so that Ctrl-C and signals reach the server itself."""
    port = str(params.runtime.hub_port)
    command = [sys.executable, "-m", "localhub", "serve", "--data", str(layout.hub), "--port", port]
    os.execv(command[0], command)


if __name__ == "__main__":
    run(hub, offline=False, fetched=False)
