"""What the presets of `Algorithm` have in common."""

from __future__ import annotations

from cdk_ml_lens.core.errors import Faults

TRAINER = "see model_src/anomaly/train.py"
_TOLD = (
    "threshold", "training_alert_rate", "worst_fold_alert_rate", "validation_alert_rate", "validation_auc_injected",
)  # fmt: skip
METRICS = {name: rf"metric {name}=([0-9.eE+-]+)" for name in _TOLD}
"""What our scripts print, as metric definitions."""


def check_quantile(faults: Faults, quantile: float) -> None:
    """Note a fault unless the quantile is one."""
    faults.unless(0 < quantile < 1, "quantile", "lie between 0 and 1, both excluded", quantile, TRAINER)


def common(quantile: float, seed: int) -> dict[str, str]:
    """Return the hyperparameters that every script of ours has."""
    return {"quantile": f"{quantile:g}", "seed": str(seed)}
