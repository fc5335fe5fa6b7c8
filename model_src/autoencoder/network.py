"""The autoencoder: what it rebuilds badly is abnormal. Scores are residuals measured in their usual size."""

# mypy: disable-error-code="import-not-found"

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

Matrix = npt.NDArray[np.float64]

FAR_AWAY = 1e3
"""Standard deviations beyond which all values count the same: absurd finite readings cannot overflow."""


@dataclass(frozen=True, kw_only=True)
class Shape:
    """Sizes of the network.

    Parameters
    ----------
    features
        Values of a row.
    hidden
        Units of the layers before and after the bottleneck.
    bottleneck
        Numbers that a row is squeezed into; fewer than features, or the network copies its input.
    """

    features: int
    hidden: int
    bottleneck: int

    def layers(self) -> Any:
        """Return the layers with fresh weights, which follow from torch's seed."""
        sizes = (self.features, self.hidden, self.bottleneck, self.hidden, self.features)
        steps: list[Any] = []
        for before, after in pairwise(sizes):
            steps += [torch.nn.Linear(before, after, dtype=torch.float64), torch.nn.Tanh()]
        return torch.nn.Sequential(*steps[:-1])


@dataclass(frozen=True, kw_only=True)
class Autoencoder:
    """A fitted network with the scales that belong to it.

    Parameters
    ----------
    layers
        The network; it takes and gives standardised rows.
    mean, spread
        Mean and standard deviation of each feature of the training rows.
    residual
        Root mean square of each feature's residual over the training rows, in standard deviations.
    """

    layers: Any
    mean: Matrix
    spread: Matrix
    residual: Matrix

    def scores(self, values: Matrix) -> Matrix:
        """Return one score per row: the root mean square of its residuals, each in its usual size.

        About 1 for a row like the training rows; higher is more abnormal.
        """
        return np.asarray(np.sqrt(np.mean((self.residuals(values) / self.residual) ** 2, axis=1)), dtype=np.float64)

    def residuals(self, values: Matrix) -> Matrix:
        """Return what the network misses of each value, in standard deviations of the feature."""
        rows = standardised(values, self.mean, self.spread)
        with torch.inference_mode():
            rebuilt = self.layers(torch.from_numpy(rows)).numpy()
        return np.asarray(rows - rebuilt, dtype=np.float64)

    def state(self) -> dict[str, Any]:
        """Return everything as tensors, for `torch.save`."""
        scales = {"mean": self.mean, "spread": self.spread, "residual": self.residual}
        return {"layers": self.layers.state_dict(), **{name: torch.from_numpy(value) for name, value in scales.items()}}

    @classmethod
    def of(cls, state: dict[str, Any], shape: Shape) -> Autoencoder:
        """Return the autoencoder that a state describes."""
        layers = shape.layers()
        layers.load_state_dict(state["layers"])
        return cls(layers=layers, **{name: state[name].numpy() for name in ("mean", "spread", "residual")})


def standardised(values: Matrix, mean: Matrix, spread: Matrix) -> Matrix:
    """Return the rows in standard deviations from the mean, limited to `FAR_AWAY`."""
    with np.errstate(over="ignore"):
        return np.clip((values - mean) / spread, -FAR_AWAY, FAR_AWAY)
