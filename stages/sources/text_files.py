"""Lines of a text file that is UTF-8 throughout, with the line number of whatever is not."""

from collections.abc import Iterator
from pathlib import Path

from stages.core.errors import PipelineError
from stages.core.records import Record


def text_lines(path: Path, name: str) -> Iterator[str]:
    """Every line with its end, split at LF, CR or CRLF only; a byte order mark is skipped.

    `name` is what errors call the file. Raises PipelineError where the bytes are no text.
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        try:
            for number, line in enumerate(file, 1):
                if "\0" in line:
                    raise PipelineError(f"{name}:{number}: holds a NUL byte: it is not a text file")
                yield line
        except UnicodeDecodeError:
            line_number, encoding = _undecodable(path)
            raise PipelineError(f"{name}:{line_number}: not UTF-8{encoding}: save it as UTF-8") from None


def read_text(path: Path, name: str) -> Iterator[Record]:
    """A row for each line that is not blank, its column called `text`."""
    for number, line in enumerate(text_lines(path, name), 1):
        if line.strip():
            yield {"at": f"{name}:{number}", "values": {"text": line.rstrip("\r\n")}}


def _undecodable(path: Path) -> tuple[int, str]:
    """The first line that is not UTF-8, found in a second pass: the decoder works on blocks, not on lines."""
    with path.open("rb") as file:
        start = file.read(2)
        if start in (b"\xff\xfe", b"\xfe\xff"):
            return 1, " (it looks like UTF-16)"
    # Latin-1 decodes every byte as itself, and the lines end where `text_lines` ends them.
    with path.open(encoding="latin-1", newline="") as lines:
        for number, line in enumerate(lines, 1):
            try:
                line.encode("latin-1").decode()
            except UnicodeDecodeError:
                return number, ""
    return 1, ""
