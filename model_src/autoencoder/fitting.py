"""Fit the autoencoder epoch by epoch; an interrupted fit goes on after its last checkpoint, to the same weights."""

# mypy: disable-error-code="import-not-found,no-untyped-call"

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

if TYPE_CHECKING:
    from model_src.autoencoder.checkpoints import Checkpoints
    from model_src.autoencoder.network import Autoencoder, Matrix, Shape, standardised
else:  # SageMaker runs a script beside this file: its neighbours are top-level modules
    from network import Autoencoder, Shape, standardised

LEAST_RESIDUAL = 1e-6
"""Usual residual, in standard deviations, below which a feature counts as rebuilt exactly."""


@dataclass(frozen=True, kw_only=True)
class Hyperparameters:
    """Settings of the autoencoder.

    Parameters
    ----------
    quantile
        Share of normal readings that stay below the threshold, between 0 and 1.
    seed
        Seed of the weights and of the order of the rows.
    folds
        Blocks of the cross-fitting that finds the threshold; the network is fitted once more than that.
    epochs
        Passes over the rows.
    batch_size
        Rows of a step.
    learning_rate
        Of Adam.
    hidden
        Units of the layers before and after the bottleneck.
    bottleneck
        Numbers that a row is squeezed into; 0 for half the features.
    """

    quantile: float = 0.999
    seed: int = 0
    folds: int = 3
    epochs: int = 60
    batch_size: int = 128
    learning_rate: float = 3e-3
    hidden: int = 32
    bottleneck: int = 0

    def shape(self, features: int) -> Shape:
        """Return the sizes of the network for rows of so many features."""
        return Shape(features=features, hidden=self.hidden, bottleneck=self.bottleneck or max(1, features // 2))


def fit(
    values: Matrix,
    settings: Hyperparameters,
    checkpoints: Checkpoints,
    *,
    part: str,
    validation: Matrix | None = None,
) -> Autoencoder:
    """Fit the network.

    Nothing depends on where it was interrupted: the order of the rows of an epoch follows from seed and epoch, and a
    checkpoint holds weights and the state of Adam.

    Parameters
    ----------
    values
        The training rows; every column changes.
    settings
        Sizes, steps and seed.
    checkpoints
        Where finished epochs are kept and found.
    part
        Name of this fit among those of the training.
    validation
        Rows whose loss is printed after each epoch, so that a tuning job can stop a hopeless training. Default: none.
    """
    mean, spread = values.mean(axis=0), values.std(axis=0)
    rows = torch.from_numpy(standardised(values, mean, spread))
    torch.manual_seed(settings.seed)
    layers = settings.shape(values.shape[1]).layers()
    adam = torch.optim.Adam(layers.parameters(), lr=settings.learning_rate)
    done = _resume(layers, adam, checkpoints.load(part))
    for epoch in range(done, settings.epochs):
        _one_epoch(layers, adam, rows, settings, epoch)
        state = {"epoch": epoch + 1, "layers": layers.state_dict(), "adam": adam.state_dict()}
        checkpoints.save(part, to_bytes(state))
        print(f"checkpoint {epoch + 1} of {settings.epochs} ({part})", flush=True)
        if validation is not None:
            loss = _loss(layers, torch.from_numpy(standardised(validation, mean, spread)))
            print(f"metric validation_loss={loss:.6f}", flush=True)
    unscaled = Autoencoder(layers=layers, mean=mean, spread=spread, residual=np.ones_like(mean))
    usual = np.sqrt(np.mean(unscaled.residuals(values) ** 2, axis=0))
    return Autoencoder(layers=layers, mean=mean, spread=spread, residual=np.maximum(usual, LEAST_RESIDUAL))


def _resume(layers: Any, adam: Any, kept: bytes | None) -> int:
    if kept is None:
        return 0
    state = from_bytes(kept)
    layers.load_state_dict(state["layers"])
    adam.load_state_dict(state["adam"])
    print(f"resumed after epoch {state['epoch']}", flush=True)
    return int(state["epoch"])


def _one_epoch(layers: Any, adam: Any, rows: Any, settings: Hyperparameters, epoch: int) -> None:
    generator = torch.Generator().manual_seed(settings.seed * 1_000_003 + epoch)
    for batch in torch.randperm(len(rows), generator=generator).split(settings.batch_size):
        adam.zero_grad()
        loss = torch.nn.functional.mse_loss(layers(rows[batch]), rows[batch])
        loss.backward()
        adam.step()


def _loss(layers: Any, rows: Any) -> float:
    with torch.inference_mode():
        return float(torch.nn.functional.mse_loss(layers(rows), rows))


def to_bytes(state: dict[str, Any]) -> bytes:
    """Return tensors and numbers as bytes."""
    buffer = io.BytesIO()
    torch.save(state, buffer)
    return buffer.getvalue()


def from_bytes(content: bytes) -> dict[str, Any]:
    """Read what `to_bytes` wrote; no code in it is run."""
    return dict(torch.load(io.BytesIO(content), weights_only=True))
