"""The statistics as an archive that Python runs as it is: a processing job unpacks nothing and installs nothing."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from aws_cdk import aws_s3_assets as assets
from constructs import Construct

from cdk_ml_lens.core.assets import bundled

_PACKAGE = "drift"
_MAIN = 'import runpy\n\nrunpy.run_module("drift", run_name="__main__", alter_sys=True)\n'


def drift_code(scope: Construct, id: str) -> assets.Asset:
    """Upload ``model_src/drift`` as ``.zip`` for ``python3 <zip> baseline|report …``.

    Source: https://docs.python.org/3/library/zipapp.html
    """
    with tempfile.TemporaryDirectory(prefix="ml-lens-code-") as scratch:
        folder = Path(scratch) / "code"
        ignored = shutil.ignore_patterns("__pycache__", "*.pyc", ".*")
        shutil.copytree(bundled("model_src") / _PACKAGE, folder / _PACKAGE, ignore=ignored)
        (folder / "__main__.py").write_text(_MAIN, encoding="utf-8")
        return assets.Asset(scope, id, path=str(folder))


def file_of(code: assets.Asset) -> str:
    """Return the name that the input of a job gives to the archive."""
    return code.s3_object_key.rsplit("/", 1)[-1]
