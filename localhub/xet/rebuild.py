"""Put a file together from its pieces, chunk by chunk: memory holds one chunk and some offsets."""

from __future__ import annotations

import shutil
from array import array
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from localhub.errors import HubError
from localhub.xet import xorbs
from localhub.xet.shards import File, Term, terms

Offsets = dict[str, "array[int]"]
MAX_KNOWN = 64  # xorbs whose offsets are held, 32 KiB each at most
STEP = 1 << 17  # bytes read and written at once


def write(shelf: Path, file: File, target: Path, known: Offsets) -> None:
    """Write a file of a shard to `target`, a new file, from the xorbs on a shelf.

    `known` carries offsets from one file of a shard to the next. Raises HubError 400 for pieces that are not
    there or do not fit, and when the SHA-256 is not the one that the shard says; 507 when it cannot fit.
    """
    if file.size > shutil.disk_usage(target.parent).free:
        raise HubError(507, "No space left on the disk that holds this Hub's data.")
    digest = sha256()
    with open(target, "xb", buffering=STEP) as out:
        for term in terms(file):
            for data in _piece(shelf, term, known):
                digest.update(data)
                out.write(data)
    if digest.hexdigest() != file.oid:
        raise HubError(400, f"The pieces do not make a file with the SHA-256 {file.oid}.")


def _piece(shelf: Path, term: Term, known: Offsets) -> Iterator[bytes]:
    try:
        with open(shelf / term.xorb, "rb", buffering=STEP) as file:
            yield from _chunks(file, term, known)
    except FileNotFoundError:
        raise HubError(400, f"Xorb {term.xorb} was not uploaded here; start the upload again.") from None


def _chunks(file: BinaryIO, term: Term, known: Offsets) -> Iterator[bytes]:
    places = _offsets(file, term.xorb, known)
    left = term.size
    if not term.start < term.stop < len(places):
        raise HubError(400, f"Xorb {term.xorb} has no chunks {term.start} to {term.stop}.")
    file.seek(places[term.start])
    for _ in range(term.start, term.stop):
        chunk = xorbs.parse(file.read(xorbs.HEADER))
        left -= chunk.size
        if left < 0:
            break
        yield xorbs.unpack(chunk, file.read(chunk.packed))
    if left:
        raise HubError(400, f"A piece of xorb {term.xorb} does not have the {term.size} bytes announced.")


def _offsets(file: BinaryIO, xorb: str, known: Offsets) -> array[int]:
    if xorb not in known:
        if len(known) >= MAX_KNOWN:
            known.clear()
        end = file.seek(0, 2)
        known[xorb] = xorbs.offsets(file, end)
    return known[xorb]
