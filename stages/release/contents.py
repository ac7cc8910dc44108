"""What a release consists of: an allow-list of names, each file looked through before it may leave."""

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from stages.core.errors import PipelineError
from stages.core.files import sha256
from stages.core.hub_words import LICENCE_FILES
from stages.core.layout import Layout
from stages.core.model_files import ADAPTER, CONFIG, PICKLED, TOKENIZER, WEIGHTS, listed
from stages.release.screening import screen, secrets
from stages.release.sidecar import shown

# Names that may stand at the root of a release, by training method.
_NAMES = {"full": (*CONFIG, *WEIGHTS, *TOKENIZER), "lora": (*ADAPTER, *TOKENIZER)}
_REQUIRED = {
    "full": ("config.json",),
    "lora": ("adapter_config.json", "adapter_model.safetensors"),
}
CARD, SIDECAR = "README.md", "card.json"
PREDICTIONS = "reports/predictions.jsonl"
_RECORD = re.compile(
    r"reports/(data|baselines|train|eval|curve|snippet|measured/speed|measured/training)\.json"
)
_BESIDE = (r"README\.md", r"card\.json", r"figures/[\w-]+\.png", _RECORD.pattern, re.escape(PREDICTIONS))


@dataclass(frozen=True)
class LocalFile:
    """One file of a release: its path there, where it is here, and its SHA-256.

    `data` is its content where that is not the source's: the card with what people wrote on the Hub's.
    """

    path: str
    source: Path
    size: int
    sha256: str
    data: bytes | None = None

    def blob(self) -> str:
        """The name git gives this content (git hash-object): SHA-1 of a short header and the bytes."""
        data = self.source.read_bytes() if self.data is None else self.data
        return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


Content = dict[str, LocalFile]


def collect(layout: Layout, method: str) -> Content:
    """Every file of the release, by its path there, in order.

    Raises PipelineError that lists all that is missing, unknown, or holds what must not be published.
    """
    sources = dict(sorted({**_model_files(layout.trained, method), **_beside(layout)}.items()))
    findings = [*_secrets_of_params(layout.params)]
    for path, source in sources.items():
        if source.is_symlink():
            findings.append(_link(source))
        elif not source.is_file():
            findings.append(f"{source} is missing: run `dvc repro {_made_by(path)}` first")
        else:
            findings += screen(source, path, layout.root)
    if findings:
        raise PipelineError("\n".join(findings))
    return {path: LocalFile(path, s, s.stat().st_size, sha256(s)) for path, s in sources.items()}


def is_of_a_release(path: str) -> bool:
    """Whether a release of ours, of any method, could hold this path."""
    beside = any(re.fullmatch(pattern, path) for pattern in _BESIDE)
    return beside or any(listed(path, names) for names in _NAMES.values())


def _model_files(folder: Path, method: str) -> dict[str, Path]:
    if folder.is_symlink():
        raise PipelineError(_link(folder))
    if not folder.is_dir():
        raise PipelineError(f"{folder} is missing: run `dvc repro train` first")
    found = {
        p.relative_to(folder).as_posix(): p for p in folder.rglob("*") if not p.is_dir() or p.is_symlink()
    }
    strangers = [p for p in sorted(found) if not listed(p, _NAMES[method])]
    if strangers:
        raise PipelineError("\n".join(_stranger(folder / path) for path in strangers))
    required = dict.fromkeys(_REQUIRED[method])
    if method == "full" and not any(path.endswith(".safetensors") for path in found):
        required["model.safetensors"] = None
    return {path: folder / path for path in required} | found


def _stranger(source: Path) -> str:
    if source.suffix in PICKLED:
        return (
            f"{source} is a pickle or may be one, and may hold tokens and local paths: it is never published"
        )
    return f"{source} is not a file that a release holds: remove it, or run `dvc repro -f train`"


def _beside(layout: Layout) -> dict[str, Path]:
    """The card, where its values come from, the records that these are in, and the figures that it shows."""
    card = layout.card.read_bytes() if layout.card.is_file() else b""
    figures = {path: layout.card.parent / path for path in shown(card.decode(errors="replace"))}
    always = {
        f"reports/{path.stem}.json" for path in (layout.data_report, layout.train_report, layout.eval_report)
    }
    reports = {path: layout.root / path for path in sorted(always | named_records(layout.card_sources))}
    own = {name: layout.card.with_name(name) for name in LICENCE_FILES if _links_to(name, card)}
    return {
        **own,
        "README.md": layout.card,
        "card.json": layout.card_sources,
        PREDICTIONS: layout.published,
        **reports,
        **figures,
    }


def _links_to(name: str, card: bytes) -> bool:
    """Whether the card's front matter says that the licence's text is in a file of this name."""
    return f"\nlicense_link: {name}\n".encode() in card.partition(b"\n---\n")[0] + b"\n"


def named_records(sidecar: Path) -> set[str]:
    """The records that the values of the card came from; none where there is no card yet."""
    try:
        named = set(json.loads(sidecar.read_text(encoding="utf-8"))["records"])
    except FileNotFoundError:
        return set()
    except (ValueError, KeyError, TypeError):
        raise PipelineError(f"{sidecar} is not the sidecar of a card: run `dvc repro card`") from None
    if strangers := sorted(path for path in named if not _RECORD.fullmatch(path)):
        raise PipelineError(f"{sidecar} names {strangers[0]}, which is no record: run `dvc repro card`")
    return named


def _made_by(path: str) -> str:
    made = {"README.md": "card", "card.json": "card", "reports/data.json": "prepare"}
    made |= {"reports/eval.json": "evaluate", PREDICTIONS: "evaluate"}
    return made.get(path, "train")


def _link(source: Path) -> str:
    return (
        f"{source} is a symbolic link, and only real files are published: if DVC made it, run"
        " `dvc config cache.type reflink,copy` and `dvc checkout --relink`"
    )


def _secrets_of_params(params: Path) -> Iterator[str]:
    """params.yaml is not published, but the card quotes it, and Git keeps it."""
    if params.is_file():
        for line, what in secrets(params.read_bytes()):
            yield f"{params.name}:{line}: holds {what}: remove it, and revoke it if it was ever shared"
