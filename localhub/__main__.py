"""`python -m localhub serve --data DIR [--port N] [--host 127.0.0.1] [--users FILE]`"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from localhub.errors import HubError

LOOPBACK = ("127.0.0.1", "localhost", "::1")


def main() -> int:
    """Exit status: 0 after a signal, 1 for a problem said in one line, 3 when the data is served already."""
    options = _options()
    if options.host not in LOOPBACK:
        print(
            f"error: --host {options.host}: localhub serves this machine only; use 127.0.0.1. "
            "(It has no TLS and its pages trust whoever can reach them.)",
            file=sys.stderr,
        )
        return 1
    from localhub import serve  # heavy: starlette, uvicorn, pygit2

    try:
        return serve.run(
            options.data.absolute(), options.host, options.port, options.users, options.with_parent
        )
    except (OSError, HubError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m localhub", description="A Hugging Face Hub on this machine."
    )
    command = parser.add_subparsers(dest="command", required=True).add_parser(
        "serve", help="serve a data directory"
    )
    command.add_argument("--data", type=Path, required=True, help="where repositories and the token are kept")
    command.add_argument("--port", type=_port, default=0, help="0, the default, takes a free one")
    command.add_argument("--host", default="127.0.0.1", help="a loopback address")
    command.add_argument("--users", type=Path, help="YAML list of further users: name, token, fullname, orgs")
    command.add_argument("--with-parent", type=int, default=0, help=argparse.SUPPRESS)
    return parser.parse_args()


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port < 65536:
        raise argparse.ArgumentTypeError(f"{port} is not a port")
    return port


if __name__ == "__main__":
    raise SystemExit(main())
