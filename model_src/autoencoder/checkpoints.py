"""Finished parts of a training, kept in the folder that SageMaker copies to S3 and back: for managed spot."""

from __future__ import annotations

import hashlib
import os
import sys
from dataclasses import dataclass
from pathlib import Path


def default_folder() -> Path:
    """Return SageMaker's checkpoint folder; ``SAGEMAKER_BASE_DIR`` moves it outside SageMaker."""
    # https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CheckpointConfig.html
    return Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml")) / "checkpoints"


@dataclass(frozen=True, kw_only=True)
class Checkpoints:
    """The checkpoints of one training: same data, settings, code and library versions.

    SageMaker makes the folder when the job has a ``CheckpointConfig``. Without it nothing is kept. Parts are never
    unpickled here, and a part that was copied in half is not used.

    Parameters
    ----------
    folder
        The job's checkpoint folder; it may hold checkpoints of other trainings.
    run
        What identifies the training; it becomes a folder name.
    """

    folder: Path
    run: str

    def load(self, name: str) -> bytes | None:
        """Return a part, or None when it is not there or damaged."""
        path = self._path(name)
        if not path.is_file():
            return None
        stated, _, content = path.read_bytes().partition(b"\n")
        if stated != _digest(content):
            print(f"warning: the checkpoint {path} is damaged and not used", file=sys.stderr)
            return None
        return content

    def save(self, name: str, content: bytes) -> None:
        """Keep a part; it appears under its name only when it is complete."""
        if not self.folder.is_dir():
            return
        path = self._path(name)
        path.parent.mkdir(exist_ok=True)
        unfinished = path.with_name(f".{name}.unfinished")
        unfinished.write_bytes(_digest(content) + b"\n" + content)
        unfinished.replace(path)

    def _path(self, name: str) -> Path:
        return self.folder / self.run / name


def _digest(content: bytes) -> bytes:
    return hashlib.sha256(content).hexdigest().encode()
