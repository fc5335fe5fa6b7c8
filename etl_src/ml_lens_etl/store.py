"""Objects by URI, in S3 or in a local folder: the same job runs in AWS, in a test and on a laptop."""

from __future__ import annotations

import functools
import io
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

S3 = "s3://"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """An object: its URI, its size in bytes, and a tag that changes with its content."""

    uri: str
    size: int
    tag: str


class Store(Protocol):
    """What a job asks of a place for objects. URIs of prefixes end with a slash."""

    def entries(self, prefix: str) -> list[Entry]:
        """Return every object below the prefix, by name."""
        ...

    def source(self, uri: str) -> Path | io.BytesIO:
        """Return what a Parquet reader takes."""
        ...

    def read(self, uri: str) -> bytes | None:
        """Return the content, None where there is no such object."""
        ...

    def write(self, uri: str, body: bytes) -> None:
        """Write the whole object at once."""
        ...

    def move(self, uri: str, target: str) -> None:
        """Copy, then delete."""
        ...

    def clear(self, prefix: str) -> None:
        """Delete every object below the prefix."""
        ...


def store_of(uri: str) -> Store:
    """Return the store of a URI: ``s3://…``, or a path."""
    return _s3() if uri.startswith(S3) else FolderStore()


class FolderStore:
    """A local folder. A write is seen whole or not at all."""

    def entries(self, prefix: str) -> list[Entry]:
        """Return every file below the folder, by name."""
        found = sorted(path for path in Path(prefix).rglob("*") if path.is_file())
        return [Entry(uri=str(path), size=path.stat().st_size, tag=str(path.stat().st_mtime_ns)) for path in found]

    def source(self, uri: str) -> Path | io.BytesIO:
        """Return the path: the reader maps it."""
        return Path(uri)

    def read(self, uri: str) -> bytes | None:
        """Return the content, None where there is no such file."""
        path = Path(uri)
        return path.read_bytes() if path.is_file() else None

    def write(self, uri: str, body: bytes) -> None:
        """Write beside the final place and rename."""
        path = Path(uri)
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f".{path.name}.part")
        beside.write_bytes(body)
        beside.rename(path)

    def move(self, uri: str, target: str) -> None:
        """Rename, into folders that are made for it."""
        Path(target).parent.mkdir(parents=True, exist_ok=True)
        shutil.move(uri, target)

    def clear(self, prefix: str) -> None:
        """Delete the folder."""
        shutil.rmtree(prefix, ignore_errors=True)


class S3Store:
    """Amazon S3."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def entries(self, prefix: str) -> list[Entry]:
        """Return every object below the prefix, by key."""
        bucket, key = split(prefix)
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=key)
        return [
            Entry(uri=f"{S3}{bucket}/{each['Key']}", size=each["Size"], tag=each["ETag"])
            for page in pages
            for each in page.get("Contents", [])
        ]

    def source(self, uri: str) -> Path | io.BytesIO:
        """Return the object's bytes."""
        bucket, key = split(uri)
        return io.BytesIO(self._client.get_object(Bucket=bucket, Key=key)["Body"].read())

    def read(self, uri: str) -> bytes | None:
        """Return the content, None where there is no such key.

        It is listed first: S3 answers "access denied" for a missing key to who may list a part of the bucket only.
        """
        bucket, key = split(uri)
        found = self._client.list_objects_v2(Bucket=bucket, Prefix=key, MaxKeys=1).get("Contents", [])
        if not found or found[0]["Key"] != key:
            return None
        body: bytes = self._client.get_object(Bucket=bucket, Key=key)["Body"].read()
        return body

    def write(self, uri: str, body: bytes) -> None:
        """Put the object."""
        bucket, key = split(uri)
        self._client.put_object(Bucket=bucket, Key=key, Body=body)

    def move(self, uri: str, target: str) -> None:
        """Copy within S3, then delete."""
        bucket, key = split(uri)
        where, name = split(target)
        self._client.copy({"Bucket": bucket, "Key": key}, where, name)
        self._client.delete_object(Bucket=bucket, Key=key)

    def clear(self, prefix: str) -> None:
        """Delete every object below the prefix; where versioning is on, the versions stay."""
        for entry in self.entries(prefix):
            bucket, key = split(entry.uri)
            self._client.delete_object(Bucket=bucket, Key=key)


def split(uri: str) -> tuple[str, str]:
    """Return bucket and key of an S3 URI."""
    bucket, _, key = uri.removeprefix(S3).partition("/")
    return bucket, key


@functools.cache
def _s3() -> S3Store:
    import boto3  # a run over local folders needs none

    return S3Store(boto3.client("s3"))
