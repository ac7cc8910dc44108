"""`python -m localhub serve --data DIR [--port N] [--host 127.0.0.1] [--users FILE]`
`python -m localhub gc --data DIR [--older-than HOURS] [--dry-run]`
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from localhub.errors import HubError

LOOPBACK = ("127.0.0.1", "localhost", "::1")


def main() -> int:
    """Exit status: 0 after a signal, 1 for problems (a line each), 3 when the data is served already."""
    options = _options()
    try:
        return {"serve": _serve, "gc": _collect, "check": _check}[options.command](options)
    except (OSError, HubError) as error:
        for line in str(error).splitlines():  # a users file may have several mistakes
            print(f"error: {line}", file=sys.stderr)
        return 1


def _serve(options: argparse.Namespace) -> int:
    if options.host not in LOOPBACK:
        raise HubError(
            400,
            f"--host {options.host}: localhub serves this machine only; use 127.0.0.1. "
            "(It has no TLS and its pages trust whoever can reach them.)",
        )
    from localhub import serve  # heavy: starlette, uvicorn, pygit2

    return serve.run(options.data.absolute(), options.host, options.port, options.users, options.with_parent)


def _collect(options: argparse.Namespace) -> int:
    from localhub import collect  # heavy: pygit2

    return collect.run(options.data.absolute(), options.older_than, options.dry_run)


def _check(options: argparse.Namespace) -> int:
    from localhub import check  # heavy: pygit2

    return check.run(options.data.absolute())


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m localhub", description="A Hugging Face Hub on this machine."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    serve = commands.add_parser("serve", help="serve a data directory")
    serve.add_argument("--data", type=Path, required=True, help="where repositories and the token are kept")
    serve.add_argument("--port", type=_port, default=0, help="0, the default, takes a free one")
    serve.add_argument("--host", default="127.0.0.1", help="a loopback address")
    serve.add_argument(
        "--users", type=Path, help="YAML list of further users: name, fullname, email, token, orgs"
    )
    serve.add_argument("--with-parent", type=int, default=0, help=argparse.SUPPRESS)
    gc = commands.add_parser(
        "gc", help="free what deleted repositories, broken uploads and rewritten histories left"
    )
    gc.add_argument(
        "--data", type=Path, required=True, help="a data directory, which may be served meanwhile"
    )
    gc.add_argument(
        "--older-than", type=_hours, default=24.0, metavar="HOURS", help="leave what is younger (default: 24)"
    )
    gc.add_argument("--dry-run", action="store_true", help="only say what would be freed")
    check = commands.add_parser("check", help="read everything and say what is broken; status 1 if anything")
    check.add_argument("--data", type=Path, required=True, help="a data directory")
    return parser.parse_args()


def _hours(text: str) -> float:
    hours = float(text)
    if not 0 <= hours < 1e6:
        raise argparse.ArgumentTypeError(f"{text} is not a number of hours")
    return hours


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port < 65536:
        raise argparse.ArgumentTypeError(f"{port} is not a port")
    return port


if __name__ == "__main__":
    raise SystemExit(main())
