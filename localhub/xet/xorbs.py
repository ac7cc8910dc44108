"""Xorbs: up to 64 MiB of chunks, each compressed by itself.

Format: https://huggingface.co/docs/xet/xorb. A chunk is a header of 8 bytes and its packed bytes:

    u8 version (0), u24 packed length, u8 scheme, u24 length; little-endian

Schemes: 0 as it is; 1 an LZ4 frame; 2 an LZ4 frame of the chunk's bytes in another order: those at positions
0, 4, 8, ..., then those at 1, 5, 9, ... and so on. hf_xet 1.8 sends chunks alone; older ones append an index,
which begins with XETBLOB and repeats what the headers say.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from typing import BinaryIO

from localhub.errors import HubError

MAX_CHUNK = 128 * 1024  # bytes when unpacked
MAX_PACKED = 2 * MAX_CHUNK  # the client's own bound on what it reads
MAX_CHUNKS = 8 * 1024  # of a xorb
MAX_XORB = 65 << 20  # bytes: 64 MiB of chunks, and an index
HEADER = 8
_INDEX = b"XETBLOB"
_PLAIN, _LZ4, _GROUPED = 0, 1, 2


@dataclass(frozen=True)
class Chunk:
    """A chunk's header: how many bytes follow it, how they are packed, how many they become."""

    packed: int
    scheme: int
    size: int


def parse(raw: bytes) -> Chunk:
    """The header in `raw`; HubError 400 when it cannot be one."""
    chunk = Chunk(int.from_bytes(raw[1:4], "little"), raw[4] if len(raw) == HEADER else -1, _u24(raw, 5))
    known = len(raw) == HEADER and raw[0] == 0 and chunk.scheme in (_PLAIN, _LZ4, _GROUPED)
    if not known or not 0 < chunk.size <= MAX_CHUNK or not 0 < chunk.packed <= MAX_PACKED:
        raise HubError(400, "The xorb holds a chunk that is not one, or too large.")
    return chunk


def _u24(raw: bytes, offset: int) -> int:
    return int.from_bytes(raw[offset : offset + 3], "little")


def offsets(file: BinaryIO, end: int) -> array[int]:
    """Where each chunk of an open xorb of `end` bytes begins, and where the last one ends.

    Reads headers alone. HubError 400 when they do not lead to the end, or to an index.
    """
    found, offset = array("I", [0]), 0
    while offset < end:
        file.seek(offset)
        raw = file.read(HEADER)
        if raw.startswith(_INDEX):
            break
        offset += HEADER + parse(raw).packed
        found.append(offset)
        if offset > end or len(found) > MAX_CHUNKS + 1:
            raise HubError(400, f"The xorb ends within a chunk, or has more than {MAX_CHUNKS} of them.")
    return found


def unpack(chunk: Chunk, data: bytes) -> bytes:
    """The chunk's bytes, at most MAX_CHUNK; HubError 400 unless they are as many as its header says."""
    plain = data if chunk.scheme == _PLAIN else _frame(data, chunk.size)
    if len(data) != chunk.packed or len(plain) != chunk.size:
        raise HubError(400, "A chunk of the xorb does not unpack to what its header says.")
    return _ungroup(plain) if chunk.scheme == _GROUPED else plain


def _frame(data: bytes, size: int) -> bytes:
    """An LZ4 frame, unpacked to one byte more than `size` at most: a bomb is then found out by its length."""
    import lz4.frame

    unpacker = lz4.frame.LZ4FrameDecompressor()
    try:
        plain = unpacker.decompress(data, max_length=size + 1)
    except RuntimeError:
        raise HubError(400, "A chunk of the xorb is not an LZ4 frame.") from None
    if not unpacker.eof or unpacker.unused_data:
        raise HubError(400, "A chunk of the xorb is not one whole LZ4 frame.")
    return bytes(plain)


def _ungroup(grouped: bytes) -> bytes:
    plain, start = bytearray(len(grouped)), 0
    for lane in range(4):
        length = (len(grouped) - lane + 3) // 4
        plain[lane::4] = grouped[start : start + length]
        start += length
    return bytes(plain)
