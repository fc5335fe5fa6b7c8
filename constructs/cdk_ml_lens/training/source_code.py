"""SourceCode: a folder with a script, packed as training and processing containers take it."""

from __future__ import annotations

import gzip
import hashlib
import io
import shutil
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

from aws_cdk import aws_s3_assets as assets
from constructs import Construct

from cdk_ml_lens.core.assets import bundled
from cdk_ml_lens.core.errors import Faults

_IGNORED = ("__pycache__", "*.pyc", ".*")
_RUN_MODULE = 'import runpy\n\nrunpy.run_module("{module}", run_name="__main__", alter_sys=True)\n'


@dataclass(frozen=True, kw_only=True)
class PackedCode:
    """Code in S3: its asset, and the SHA-256 of the archive's bytes."""

    asset: assets.Asset
    sha256: str

    @property
    def url(self) -> str:
        """S3 URI of the archive."""
        return self.asset.s3_object_url


@dataclass(frozen=True, kw_only=True)
class SourceCode:
    """A script and its neighbours.

    Parameters
    ----------
    folder : Path
        All files of it travel to the container.
    program : str
        Script in the folder, such as ``train.py``.

    Raises
    ------
    PropError
        When there is no such script.

    Notes
    -----
    Script mode takes ``sourcedir.tar.gz``:
    https://github.com/aws/sagemaker-training-toolkit/blob/master/src/sagemaker_training/files.py
    """

    folder: Path
    program: str

    def __post_init__(self) -> None:
        faults = Faults("source code")
        plain = "/" not in self.program and self.program.endswith(".py")
        faults.unless(plain, "program", "be a Python file of the folder", self.program)
        there = (self.folder / self.program).is_file()
        faults.unless(there, "folder", f"hold {self.program}", str(self.folder))
        faults.raise_any()

    @staticmethod
    def bundled(name: str, program: str) -> SourceCode:
        """Return code of ours, from ``model_src/<name>``."""
        return SourceCode(folder=bundled("model_src") / name, program=program)

    def archive(self, scope: Construct, id: str) -> PackedCode:
        """Upload as ``.tar.gz``, whose bytes follow from names and contents alone."""
        raw = self._packed()
        with tempfile.TemporaryDirectory(prefix="ml-lens-code-") as scratch:
            path = Path(scratch) / "sourcedir.tar.gz"
            path.write_bytes(raw)
            asset = assets.Asset(scope, id, path=str(path))
        return PackedCode(asset=asset, sha256=hashlib.sha256(raw).hexdigest())

    def runnable(self, scope: Construct, id: str) -> PackedCode:
        """Upload as ``.zip`` that Python runs as it is (``python3 code.zip``): a processing job unpacks nothing."""
        with tempfile.TemporaryDirectory(prefix="ml-lens-code-") as scratch:
            folder = Path(scratch) / "code"
            shutil.copytree(self.folder, folder, ignore=shutil.ignore_patterns(*_IGNORED))
            (folder / "__main__.py").write_text(_RUN_MODULE.format(module=Path(self.program).stem), encoding="utf-8")
            asset = assets.Asset(scope, id, path=str(folder))
        return PackedCode(asset=asset, sha256=asset.asset_hash)

    def _packed(self) -> bytes:
        raw = io.BytesIO()
        with (
            gzip.GzipFile(filename="", fileobj=raw, mode="wb", mtime=0) as zipped,
            tarfile.open(fileobj=zipped, mode="w", format=tarfile.USTAR_FORMAT) as archive,
        ):
            for path in self._files():
                content = path.read_bytes()
                entry = tarfile.TarInfo(path.relative_to(self.folder).as_posix())
                entry.size, entry.mode = len(content), 0o644
                archive.addfile(entry, io.BytesIO(content))
        return raw.getvalue()

    def _files(self) -> list[Path]:
        found = sorted(path for path in self.folder.rglob("*") if path.is_file() and path.suffix != ".pyc")
        return [path for path in found if not _hidden(path.relative_to(self.folder))]


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") or part == "__pycache__" for part in path.parts)
