"""What a shard says about files: of which pieces of which xorbs each is put together.

Format: https://huggingface.co/docs/xet/shard; little-endian, in records of 48 bytes:

    header     32 bytes of tag, u64 version (2), u64 length of the footer (0 in an upload)
    files      FILE, n TERMs, n verification records (flag bit 31), METADATA (flag bit 30), FILE, ...
               until a record that begins with 32 bytes of 0xff
    xorbs      for deduplication; not read, since all that counts here is whether the SHA-256 comes out

    FILE       hash, u32 flags, u32 n, 8 bytes unused
    TERM       hash of the xorb, u32 flags, u32 bytes of the piece, u32 first chunk, u32 chunk after the last
    METADATA   SHA-256, 16 bytes unused
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from localhub.errors import HubError

TAG = b"HFRepoMetaData\0" + bytes.fromhex("556967456a7b815783a5bdd95ccdd14aa9")
VERSION = 2
RECORD = 48
MAX_FILE = 500 * 10**9  # bytes; the Hub's own bound
_END = b"\xff" * 32
_VERIFIED, _DESCRIBED = 1 << 31, 1 << 30
_TERM = struct.Struct("<32sIIII")


@dataclass(frozen=True)
class Term:
    """A piece of a file: chunks `start` to `stop` (not included) of a xorb, `size` bytes in all."""

    xorb: str
    size: int
    start: int
    stop: int


@dataclass(frozen=True)
class File:
    """A file of a shard: its SHA-256, its size in bytes, and its TERM records as they came."""

    oid: str
    size: int
    records: bytes


def files(shard: bytes) -> Iterator[File]:
    """The files of a shard, one after the other. HubError 400 as soon as something is not as it should be."""
    if shard[:32] != TAG or _number(shard, 32, 8) != VERSION:
        raise HubError(400, f"This is not a shard of version {VERSION}.")
    offset = RECORD
    while True:
        head = _record(shard, offset)
        if head[:32] == _END:
            return
        flags, count = struct.unpack_from("<II", head, 32)
        verified, described = bool(flags & _VERIFIED), bool(flags & _DESCRIBED)
        if flags & ~(_VERIFIED | _DESCRIBED) or not described:
            raise HubError(400, "A file of the shard has unknown parts, or no SHA-256.")
        terms = offset + RECORD
        metadata = terms + RECORD * count * (1 + verified)
        oid = name_of(_record(shard, metadata)[:32])
        yield _file(oid, shard[terms : terms + RECORD * count])
        offset = metadata + RECORD


def terms(file: File) -> Iterator[Term]:
    """The pieces of a file, in order."""
    for xorb, _, size, start, stop in _TERM.iter_unpack(file.records):
        yield Term(name_of(xorb), size, start, stop)


def name_of(raw: bytes) -> str:
    """A hash as addresses and names spell it: four little-endian u64, each as 16 hexadecimal digits."""
    return "".join(f"{word:016x}" for word in struct.unpack("<4Q", raw))


def _file(oid: str, records: bytes) -> File:
    size = sum(size for _, _, size, _, _ in _TERM.iter_unpack(records))
    if size > MAX_FILE:
        raise HubError(413, f"A file may hold at most {MAX_FILE} bytes.")
    return File(oid, size, records)


def _record(shard: bytes, offset: int) -> bytes:
    record = shard[offset : offset + RECORD]
    if len(record) < RECORD:
        raise HubError(400, "The shard ends in the middle.")
    return record


def _number(shard: bytes, offset: int, length: int) -> int:
    return int.from_bytes(shard[offset : offset + length], "little")
