"""Open a model artifact as the endpoint would: unpack it and score with the code that it carries."""

from __future__ import annotations

import importlib.util
import json
import sys
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float64]

ARTIFACT = "model.tar.gz"
PROGRAM = "code/inference.py"


class ArtifactError(ValueError):
    """The artifact is missing, is no archive, or does not load in this environment."""


@dataclass(frozen=True, kw_only=True)
class Artifact:
    """A model that is ready to score.

    Parameters
    ----------
    model_version
        Version that the artifact states.
    features
        Columns that it takes, in order.
    threshold
        Score above which a row is an anomaly.
    score
        Function from rows (columns in the order of ``features``) to scores; higher is more abnormal.
    """

    model_version: str
    features: tuple[str, ...]
    threshold: float
    score: Callable[[Matrix], Matrix]


def open_artifact(folder: Path, scratch: Path, *, role: str) -> Artifact:
    """Unpack ``model.tar.gz`` of a folder and load the model with the artifact's own ``code/inference.py``.

    Parameters
    ----------
    folder
        Folder of the archive: the local path of the processing input.
    scratch
        Folder to unpack into; it must not hold another artifact of the same role.
    role
        What the model is to the comparison, ``candidate`` or ``champion``: for the reasons of a refusal.

    Raises
    ------
    ArtifactError
        No archive, no serving code in it, or a model that this environment cannot load.
    """
    archive, target = folder / ARTIFACT, scratch / role
    if not archive.is_file():
        raise ArtifactError(f"the {role} must be a file {ARTIFACT}, got none in {folder}")
    _unpack(archive, target, role)
    serving = _serving_code(target, role)
    try:
        model = serving.model_fn(str(target))
        metadata = json.loads((target / "metadata.json").read_text(encoding="utf-8"))
        return Artifact(
            model_version=str(metadata["model_version"]),
            features=tuple(metadata["features"]),
            threshold=float(metadata["threshold"]),
            score=lambda values: _scores(serving, values, model, role),
        )
    except Exception as error:  # whatever the artifact's own code raises is the reason why it cannot be judged
        raise ArtifactError(f"the {role} cannot be loaded: {type(error).__name__}: {error}") from error


def _unpack(archive: Path, target: Path, role: str) -> None:
    try:
        with tarfile.open(archive, mode="r:gz") as opened:
            opened.extractall(target, filter="data")
    except (tarfile.TarError, OSError, EOFError) as error:
        raise ArtifactError(f"the {role} must be a gzip tar archive, got {archive}: {error}") from error


def _serving_code(target: Path, role: str) -> ModuleType:
    path = target / PROGRAM
    if not path.is_file():
        raise ArtifactError(f"the {role} must carry {PROGRAM}, got {sorted(found.name for found in target.iterdir())}")
    # A name per role: candidate and champion may carry different versions of the same file.
    spec = importlib.util.spec_from_file_location(f"{role}_inference", path)
    assert spec is not None  # a file that ends with .py always has a spec with a loader
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up there
    try:
        with _neighbours(path.parent):
            spec.loader.exec_module(module)
    except Exception as error:
        raise ArtifactError(f"the {role} cannot be loaded: {PROGRAM}: {type(error).__name__}: {error}") from error
    return module


@contextmanager
def _neighbours(folder: Path) -> Iterator[None]:
    """Let the serving code import the files beside it, as the container does, and nobody else's of the same name."""
    names = {path.stem for path in folder.glob("*.py")}
    ours = {name: sys.modules.pop(name) for name in names if name in sys.modules}
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        for name in names:
            sys.modules.pop(name, None)
        sys.modules.update(ours)


def _scores(serving: Any, values: Matrix, model: Any, role: str) -> Matrix:
    try:
        return np.asarray(serving.predict_fn(values, model).scores, dtype=np.float64)
    except Exception as error:  # again the artifact's own code
        raise ArtifactError(f"the {role} cannot score: {type(error).__name__}: {error}") from error
