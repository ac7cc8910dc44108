"""Xorbs and shards made by hand, to say what a client never would."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence

import lz4.frame

from localhub.xet import shards

PLAIN, LZ4, GROUPED = 0, 1, 2


def group(data: bytes) -> bytes:
    """Bytes 0, 4, 8, ..., then 1, 5, 9, ... and so on."""
    return b"".join(data[lane::4] for lane in range(4))


def chunk(data: bytes, scheme: int = PLAIN, size: int | None = None) -> bytes:
    """A chunk of a xorb; `size` is what its header says, if that is to be a lie."""
    packed = {
        PLAIN: lambda: data,
        LZ4: lambda: lz4.frame.compress(data),
        GROUPED: lambda: lz4.frame.compress(group(data)),
    }[scheme]()
    lengths = [length.to_bytes(3, "little") for length in (len(packed), len(data) if size is None else size)]
    return bytes([0]) + lengths[0] + bytes([scheme]) + lengths[1] + packed


def raw(name: str) -> bytes:
    """The 32 bytes of a hash, from how addresses spell it."""
    return struct.pack("<4Q", *(int(name[at : at + 16], 16) for at in range(0, 64, 16)))


def entry(data: bytes, terms: Sequence[tuple[str, int, int, int]], flags: int = 0b11 << 30) -> bytes:
    """A file of a shard: its content (for the SHA-256) and its pieces (xorb, bytes, start, stop)."""
    count = len(terms)
    head = bytes(32) + struct.pack("<II", flags, count) + bytes(8)
    pieces = b"".join(raw(x) + struct.pack("<IIII", 0, size, start, stop) for x, size, start, stop in terms)
    verification = bytes(48 * count) if flags >> 31 else b""
    sha = raw(hashlib.sha256(data).hexdigest()) + bytes(16) if flags >> 30 & 1 else b""
    return head + pieces + verification + sha


def shard(*entries: bytes) -> bytes:
    """A shard without its part on xorbs."""
    end = b"\xff" * 32 + bytes(16)
    return shards.TAG + struct.pack("<QQ", shards.VERSION, 0) + b"".join(entries) + end + end
