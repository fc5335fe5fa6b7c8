"""What a run is asked to do."""

from __future__ import annotations

from dataclasses import dataclass

STEPS = ("clean", "normalise", "features")


class RequestError(ValueError):
    """An argument is missing or out of its range; nothing has been read."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """A step, its tables and its gate.

    Attributes
    ----------
    step : str
        clean, normalise or features.
    feature_set : str
        The definition, JSON.
    source, target : str
        ``database.table``, or a folder.
    target_location, quarantine : str
        URIs of prefixes: of all versions of the target, and of what is refused.
    artifacts : str
        URI of the prefix for normalisation parameters; normalise needs one.
    rules : tuple of str
        Quality rules of the output.
    max_quarantined_share : float
        Quarantined rows over rows read, 0 to 1.
    rows_per_task : int
        A device with more rows is cut by time.

    Raises
    ------
    RequestError
        When a value is out of range or artifacts are missing.
    """

    step: str
    feature_set: str
    source: str
    target: str
    target_location: str
    quarantine: str
    artifacts: str = ""
    rules: tuple[str, ...] = ()
    max_quarantined_share: float = 1.0
    rows_per_task: int = 5_000_000

    def __post_init__(self) -> None:
        if self.step not in STEPS:
            raise RequestError(f"step must be one of {STEPS}, got {self.step!r}")
        if not 0 <= self.max_quarantined_share <= 1:
            raise RequestError(f"max_quarantined_share must be from 0 to 1, got {self.max_quarantined_share}")
        if self.rows_per_task < 1:
            raise RequestError(f"rows_per_task must be at least 1, got {self.rows_per_task}")
        if self.step == "normalise" and not self.artifacts:
            raise RequestError("normalise needs artifacts, the prefix of its parameters")
        for name in ("target_location", "quarantine", "artifacts"):
            prefix = getattr(self, name)
            object.__setattr__(self, name, prefix if not prefix or prefix.endswith("/") else f"{prefix}/")
