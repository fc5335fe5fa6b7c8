"""Spot interruptions of training jobs for tests and demonstrations: without settings there is none."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .job_process import Script

INTERRUPTIONS = "ML_LENS_FAULT_SPOT_INTERRUPTIONS"
AFTER = "ML_LENS_FAULT_SPOT_AFTER"
AT = "ML_LENS_FAULT_SPOT_AT"
WAIT = "ML_LENS_FAULT_SPOT_WAIT"
FILE = "spot.json"
POLL_SECONDS = 0.02


@dataclass(frozen=True, kw_only=True)
class SpotFault:
    """How often capacity is taken away.

    Parameters
    ----------
    interruptions
        How many attempts are interrupted. Default: 0.
    after
        Seconds that an attempt runs before. Default: 1.
    at
        Text in the job's log that brings the interruption instead, as ``checkpoint 2``. Default: none.
    wait
        Seconds without capacity before the next attempt. Default: 0.
    """

    interruptions: int = 0
    after: float = 1.0
    at: str = ""
    wait: float = 0.0

    @staticmethod
    def of(environment: Mapping[str, str], folder: Path) -> SpotFault:
        """Read the variables ``ML_LENS_FAULT_SPOT_…`` of the job, else of ``spot.json`` in the cloud's folder."""
        path = folder / FILE
        given = {**(json.loads(path.read_text()) if path.exists() else {}), **environment}
        return SpotFault(
            interruptions=int(given.get(INTERRUPTIONS, 0)),
            after=float(given.get(AFTER, 1.0)),
            at=str(given.get(AT, "")),
            wait=float(given.get(WAIT, 0.0)),
        )

    def watch(self, script: Script, attempt: int) -> None:
        """Interrupt the script of this attempt (0 is the first) when its time has come."""
        if attempt < self.interruptions:
            threading.Thread(target=self._interrupt, args=(script,), daemon=True).start()

    def _interrupt(self, script: Script) -> None:
        begun = time.monotonic()
        while not script.done.is_set():
            if self._due(script, time.monotonic() - begun):
                script.stop("interrupted")
                return
            time.sleep(POLL_SECONDS)

    def _due(self, script: Script, seconds: float) -> bool:
        if not self.at:
            return seconds > self.after
        return script.log.exists() and self.at in script.log.read_text(errors="replace")
