"""Workbench: what somebody works on, a notebook instance or a Studio domain, by static factories."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from typing import Literal

from cdk_ml_lens.core.assets import bundled
from cdk_ml_lens.core.errors import Faults

_INSTANCE = re.compile(r"ml\.[a-z0-9-]+\.[a-z0-9]+")
# Characters of a lifecycle script, base64. Source:
# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_NotebookInstanceLifecycleHook.html
_LONGEST_SCRIPT = 16_384
# The timer of idle_stop.py looks every 5 minutes; the longest is that of Studio's IdleSettings:
# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_IdleSettings.html
_IDLE = {"notebook": (10, 525_600), "studio": (60, 525_600)}


@dataclass(frozen=True, kw_only=True)
class Workbench:
    """A notebook instance or a Studio domain; make it by `notebook` or `studio`.

    Parameters
    ----------
    kind : {"notebook", "studio"}
        Which of the two.
    instance_type : str
        Of the notebook instance, or what a JupyterLab starts on. Default: ``ml.t3.medium``.
    volume_gb : int
        Encrypted volume of the notebook instance, or of each space, in GB, 5 to 16384. Default: 20.
    idle_minutes : int
        Idle for so long, it is stopped: 10 to 525600 for a notebook instance, 60 to 525600 for Studio. Default: 60.
    on_start : str, optional
        Shell commands that run as root at each start of a notebook instance. Default: the idle stop only.

    Raises
    ------
    PropError
        When SageMaker AI would refuse a value.

    Notes
    -----
    Sources: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateNotebookInstance.html,
    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DefaultEbsStorageSettings.html. Lens best practice
    MLCOST04-BP08.
    """

    kind: Literal["notebook", "studio"]
    instance_type: str = "ml.t3.medium"
    volume_gb: int = 20
    idle_minutes: int = 60
    on_start: str | None = None

    def __post_init__(self) -> None:
        faults = Faults("workbench")
        faults.unless(self.kind in _IDLE, "kind", f"be one of {list(_IDLE)}", self.kind)
        faults.raise_any()
        legal = isinstance(self.instance_type, str) and _INSTANCE.fullmatch(self.instance_type) is not None
        faults.unless(legal, "instance_type", "be like ml.t3.medium", self.instance_type)
        faults.within("volume_gb", self.volume_gb, 5, 16_384)
        faults.within("idle_minutes", self.idle_minutes, *_IDLE[self.kind])
        if self.on_start is not None:
            faults.unless(self.kind == "notebook", "on_start", "be for notebook instances only", self.on_start)
        faults.raise_any()
        faults.unless(
            len(self.start_script()) <= _LONGEST_SCRIPT,
            "on_start",
            f"leave the whole script within {_LONGEST_SCRIPT} characters of base64",
            self.on_start,
            "fetch more from S3",
        )
        faults.raise_any()

    @staticmethod
    def notebook(
        *,
        instance_type: str = "ml.t3.medium",
        volume_gb: int = 20,
        idle_minutes: int = 60,
        on_start: str | None = None,
    ) -> Workbench:
        """Return a notebook instance: Amazon Linux 2023, no root, IMDSv2, stopped when idle."""
        return Workbench(
            kind="notebook",
            instance_type=instance_type,
            volume_gb=volume_gb,
            idle_minutes=idle_minutes,
            on_start=on_start,
        )

    @staticmethod
    def studio(*, instance_type: str = "ml.t3.medium", volume_gb: int = 20, idle_minutes: int = 60) -> Workbench:
        """Return a Studio domain: private JupyterLab spaces, a role for each user, shut down when idle."""
        return Workbench(kind="studio", instance_type=instance_type, volume_gb=volume_gb, idle_minutes=idle_minutes)

    def start_script(self) -> str:
        """Return the lifecycle script of a notebook instance in base64: the idle stop, then ``on_start``."""
        folder = bundled("model_src") / "workbench"
        encoded = base64.encodebytes((folder / "idle_stop.py").read_bytes()).decode().strip()
        script = (folder / "on_start.sh").read_text(encoding="utf-8")
        script = script.replace("@SCRIPT@\n", f"{encoded}\n").replace("@MINUTES@", str(self.idle_minutes))
        own = "" if self.on_start is None else f"\n{self.on_start}\n"
        return base64.b64encode((script + own).encode()).decode()
