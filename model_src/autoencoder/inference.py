"""Serve the autoencoder: the four functions of SageMaker's PyTorch container, also on a laptop."""

# mypy: disable-error-code="import-not-found"

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch

if TYPE_CHECKING:
    from model_src.autoencoder.network import Autoencoder, Shape
    from model_src.autoencoder.wire import Scored, UnreadableInputError, input_fn, output_fn
else:  # the container runs this file with its neighbours beside it as top-level modules
    from network import Autoencoder, Shape
    from wire import Scored, UnreadableInputError, input_fn, output_fn

__all__ = ["IncompatibleArtifactError", "Model", "input_fn", "model_fn", "output_fn", "predict_fn"]


class IncompatibleArtifactError(RuntimeError):
    """The artifact was made with library versions that this environment does not have."""


@dataclass(frozen=True, kw_only=True)
class Model:
    """A loaded autoencoder with what its artifact says about it."""

    autoencoder: Autoencoder
    features: tuple[str, ...]
    threshold: float
    model_version: str


def model_fn(model_dir: str) -> Model:
    """Load the artifact: tensors only, no code in it is run.

    Raises
    ------
    IncompatibleArtifactError
        When PyTorch differs in its major version.
    """
    folder = Path(model_dir)
    metadata = json.loads((folder / "metadata.json").read_text(encoding="utf-8"))
    if metadata["torch"].split(".")[0] != torch.__version__.split(".")[0]:
        raise IncompatibleArtifactError(
            f"artifact {metadata['model_version']} was made with PyTorch {metadata['torch']} (here:"
            f" {torch.__version__}); train it again with the versions of this environment"
        )
    shape = Shape(**metadata["shape"])
    state = torch.load(folder / "model.pt", weights_only=True)
    return Model(
        autoencoder=Autoencoder.of(state, shape),
        features=tuple(metadata["features"]),
        threshold=float(metadata["threshold"]),
        model_version=str(metadata["model_version"]),
    )


def predict_fn(values: npt.NDArray[np.float64], model: Model) -> Scored:
    """Score all rows at once; a higher score is more abnormal."""
    if values.shape[1] != len(model.features):
        raise UnreadableInputError(
            f"each row must hold {len(model.features)} values ({', '.join(model.features)}), got {values.shape[1]}"
        )
    return Scored(scores=model.autoencoder.scores(values), threshold=model.threshold, model_version=model.model_version)
