"""What a SageMaker job reads from S3 and writes to it, as the job's role."""

from __future__ import annotations

import gzip
import io
import json
import shutil
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from . import role_session, storage
from .model_process import extract


class TransferError(Exception):
    """S3 did not give or take what the job needs; the message is the job's failure reason."""


@dataclass(frozen=True, kw_only=True)
class JobFiles:
    """S3 as one job sees it.

    Parameters
    ----------
    role
        ARN of the job's role.
    identity
        Name of the session.
    region, account
        Where the job runs.
    """

    role: str
    identity: str
    region: str
    account: str

    def fetch(self, url: str, target: Path) -> Path:
        """Write the object at ``url`` to ``target``.

        Raises
        ------
        TransferError
            If S3 does not give it.
        """
        bucket, key = _split(url)
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            with target.open("wb") as written:
                shutil.copyfileobj(self._client().get_object(Bucket=bucket, Key=key)["Body"], written)
        except Exception as failure:  # whatever S3 says, the job has no input
            raise TransferError(f"ClientError: Data download failed: {url}: {failure}") from failure
        return target

    def fetch_source(self, source: dict[str, Any], folder: Path) -> None:
        """Write what an ``S3DataSource`` or ``S3Input`` names below ``folder``.

        Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_S3DataSource.html
        """
        kind, url = source.get("S3DataType", "S3Prefix"), source["S3Uri"]
        if kind == "S3Prefix":
            self.fetch_prefix(url, folder)
        elif kind == "ManifestFile":
            self._fetch_manifest(url, folder)
        else:
            raise TransferError(f"the laptop cloud reads S3Prefix and ManifestFile, not {kind}")

    def fetch_prefix(self, url: str, folder: Path, *, required: bool = True) -> int:
        """Write every object whose key begins with the prefix below ``folder``; return their number.

        Raises
        ------
        TransferError
            If there is none although it is required, or S3 does not give one.
        """
        bucket, prefix = _split(url)
        folder.mkdir(parents=True, exist_ok=True)
        keys = self._keys(bucket, prefix)
        if not keys and required:
            raise TransferError(
                f'ClientError: Data download failed: No S3 objects found under S3 URL "{url}" given in input data '
                f"source. Please ensure that the bucket exists in the selected region ({self.region}), that objects "
                f'exist under that S3 prefix, and that the role "{self.role}" has "s3:ListBucket" permissions on '
                f'bucket "{bucket}".'
            )
        for key in keys:
            self.fetch(f"s3://{bucket}/{key}", _inside(folder, _relative(prefix, key)))
        return len(keys)

    def upload(self, folder: Path, url: str, *, kms_key: str | None = None) -> None:
        """Write every file of ``folder`` below ``url``."""
        for path in files_of(folder):
            self.put(path.read_bytes(), f"{url.rstrip('/')}/{path.relative_to(folder).as_posix()}", kms_key=kms_key)

    def put(self, body: bytes, url: str, *, kms_key: str | None = None) -> None:
        """Write one object.

        Raises
        ------
        TransferError
            If S3 does not take it.
        """
        bucket, key = _split(url)
        encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_key} if kms_key else {}
        try:
            self._client().put_object(Bucket=bucket, Key=key, Body=body, **encryption)
        except Exception as failure:  # whatever S3 says, the result is lost
            raise TransferError(f"ClientError: Data upload failed: {url}: {failure}") from failure

    def variables(self, *, network: bool) -> dict[str, str]:
        """Return the variables that lead a job to this cloud as its role; without a network only the region."""
        region = {"AWS_REGION": self.region, "AWS_DEFAULT_REGION": self.region}
        if not network:
            return region
        given = role_session.credentials(self.role, self.identity, region=self.region, account=self.account)
        return {**given, **region, "AWS_ENDPOINT_URL": role_session.endpoint()}

    def _client(self) -> Any:
        return role_session.client("s3", self.role, self.identity, region=self.region, account=self.account)

    def _keys(self, bucket: str, prefix: str) -> list[str]:
        try:
            pages = self._client().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
            found = [item["Key"] for page in pages for item in page.get("Contents", [])]
        except Exception as failure:  # whatever S3 says, the job has no input
            raise TransferError(f"ClientError: Data download failed: s3://{bucket}/{prefix}: {failure}") from failure
        return [key for key in found if not key.endswith("/")]

    def _fetch_manifest(self, url: str, folder: Path) -> None:
        listed = json.loads(self.fetch(url, folder.parent / f".{folder.name}-manifest").read_text())
        prefix = listed[0]["prefix"]
        for name in listed[1:]:
            self.fetch(prefix + name, _inside(folder, name))


def files_of(folder: Path) -> Iterator[Path]:
    """Yield the files of a folder in order."""
    yield from sorted(path for path in folder.rglob("*") if path.is_file())


def packed(folder: Path) -> bytes:
    """Return a folder as ``.tar.gz`` whose bytes follow from names and contents."""
    raw = io.BytesIO()
    with (
        gzip.GzipFile(filename="", fileobj=raw, mode="wb", mtime=0) as zipped,
        tarfile.open(fileobj=zipped, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for path in files_of(folder):
            content = path.read_bytes()
            entry = tarfile.TarInfo(path.relative_to(folder).as_posix())
            entry.size, entry.mode = len(content), 0o644
            archive.addfile(entry, io.BytesIO(content))
    return raw.getvalue()


def unpack(archive: Path, folder: Path) -> None:
    """Extract a ``.tar.gz`` into ``folder``.

    Raises
    ------
    TransferError
        If it is not one, or holds anything but plain files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with tarfile.open(archive) as bundle:
            extract(bundle, folder)
    except (tarfile.TarError, OSError, ValueError) as failure:
        raise TransferError(f"ClientError: {archive.name} cannot be extracted: {failure}") from failure


def _split(url: str) -> tuple[str, str]:
    try:
        return storage.split(url)
    except ValueError as failure:
        raise TransferError(f"ClientError: {failure}") from failure


def _relative(prefix: str, key: str) -> str:
    """Return where an object lands: its key after the prefix, or after the prefix's last folder if that cuts a name."""
    if key == prefix:
        return PurePosixPath(key).name
    if prefix in ("",) or prefix.endswith("/") or key[len(prefix)] == "/":
        return key[len(prefix) :].lstrip("/")
    return key[prefix.rfind("/") + 1 :]


def _inside(folder: Path, name: str) -> Path:
    place = folder / name
    if not place.resolve().is_relative_to(folder.resolve()):
        raise TransferError(f"ClientError: the object {name} would land outside its channel")
    return place
