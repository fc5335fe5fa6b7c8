"""The fault suite: the flagship on the laptop cloud, faults injected for real, and accounts that must close."""

from __future__ import annotations

from cdk_ml_lens.local.faults.rows import Row
from cdk_ml_lens.local.faults.suite import NAMES, run

__all__ = ["NAMES", "Row", "run"]
