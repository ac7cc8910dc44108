"""What the sections of params.yaml are made of: their base class and the types of single values."""

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

_PART = r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?"


def _repo_id(value: str) -> str:
    """The Hub's rule for ids: `name` or `namespace/name`, at most 96 characters, no `--` and no `..`."""
    well_formed = re.fullmatch(rf"{_PART}(/{_PART})?", value) and len(value) <= 96
    if not well_formed or "--" in value or ".." in value or value.endswith(".git"):
        raise ValueError("should be a Hub id such as `name/model`: letters, digits, `-_.`, no `--` or `..`")
    return value


def _relative(value: str) -> str:
    if value.startswith("/") or "\\" in value or any(part in ("", ".", "..") for part in value.split("/")):
        raise ValueError("should be a relative path with `/` and without `..`")
    return value


RepoId = Annotated[str, AfterValidator(_repo_id)]
COMMIT_SHA = re.compile(r"[0-9a-f]{40}")  # a revision of a repository that cannot move
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
RelativePath = Annotated[str, AfterValidator(_relative)]
Fraction = Annotated[float, Field(gt=0, lt=1)]
Version = Annotated[str, Field(pattern=r"^\d+\.\d+\.\d+$")]
# 3.10 is a float in YAML and would lose its zero: such a version has to be quoted.
PackageVersion = Annotated[str, Field(min_length=1)]


class Section(BaseModel):
    """A mapping of params.yaml: its keys are known, its values are of the declared types."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
