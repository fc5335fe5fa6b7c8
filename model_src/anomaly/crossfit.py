"""Score every row with a detector that has not seen it, block by block; finished blocks outlive an interruption."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from model_src.anomaly.checkpoints import Checkpoints
    from model_src.anomaly.detector import Hyperparameters, Matrix, held_out_scores
else:  # SageMaker runs a script beside this file: its neighbours are top-level modules
    from detector import held_out_scores


def cross_fit(values: Matrix, settings: Hyperparameters, checkpoints: Checkpoints) -> list[Matrix]:
    """Return the held-out scores of each block; a training that was interrupted goes on after its last block.

    Parameters
    ----------
    values
        The training rows.
    settings
        Of the detector; ``folds`` is the number of blocks.
    checkpoints
        Where finished blocks are kept and found.
    """
    held_out = []
    for fold in range(settings.folds):
        kept = checkpoints.load(f"fold-{fold}")
        block = held_out_scores(values, settings, fold) if kept is None else _from_bytes(kept)
        if kept is None:
            checkpoints.save(f"fold-{fold}", _to_bytes(block))
        held_out.append(block)
        print(f"checkpoint {fold + 1} of {settings.folds}{'' if kept is None else ' (resumed)'}", flush=True)
    return held_out


def _to_bytes(values: Matrix) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, values, allow_pickle=False)
    return buffer.getvalue()


def _from_bytes(content: bytes) -> Matrix:
    return np.asarray(np.load(io.BytesIO(content), allow_pickle=False), dtype=np.float64)
