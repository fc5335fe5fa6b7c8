"""A model's artifact: from S3 to a folder."""

from __future__ import annotations

import tarfile
from pathlib import Path
from typing import Any

from . import storage


class ModelFailedError(Exception):
    """A model did not come into service; the message is the endpoint's failure reason."""


def fetch(model_name: str, container: dict[str, Any], archive: Path, model_dir: Path) -> None:
    """Download a model's artifact to ``archive`` and unpack it into ``model_dir``.

    Raises
    ------
    ModelFailedError
        If the model has no artifact or it cannot be read.
    """
    source = (container.get("ModelDataSource") or {}).get("S3DataSource") or {}
    url = container.get("ModelDataUrl") or source.get("S3Uri")
    if not url:
        raise ModelFailedError(
            f"Model {model_name} has no ModelDataUrl: the laptop cloud serves script-mode models only"
        )
    try:
        storage.download(url, archive)
        with tarfile.open(archive) as bundle:
            extract(bundle, model_dir)
    except Exception as error:
        raise ModelFailedError(f"Could not load model data of {model_name} from {url}: {error}") from error


def extract(bundle: tarfile.TarFile, target: Path) -> None:
    """Extract plain files and folders below ``target``; anything else is refused.

    Raises
    ------
    ValueError
        If a member is a link or a device, or would land outside ``target``.
    """
    for member in bundle.getmembers():
        place = (target / member.name).resolve()
        if not (member.isfile() or member.isdir()) or not place.is_relative_to(target.resolve()):
            raise ValueError(f"archive member {member.name} must be a plain file inside the archive's folder")
        bundle.extract(member, target, set_attrs=False)
