"""Parts of the server that need no MiniStack: capture records and sampling, and unpacking of artifacts."""

from __future__ import annotations

import base64
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from cdk_ml_lens.local.server import data_capture, storage
from cdk_ml_lens.local.server.model_process import extract

CONFIG = {
    "EnableCapture": True,
    "InitialSamplingPercentage": 100,
    "DestinationS3Uri": "s3://bucket/prefix/",
    "CaptureOptions": [{"CaptureMode": "Output"}],
    "CaptureContentTypeHeader": {"JsonContentTypes": ["application/json"]},
    "KmsKeyId": "key-1",
}


def exchange(**changes: Any) -> data_capture.Exchange:
    values = {
        "endpoint": "turbines", "variant": "blue", "event_id": "e1", "request_type": "text/csv",
        "request": b"\xff", "response_type": "application/json; charset=utf-8", "response": b'{"score": 1}',
        "at": 1_767_229_200.0, "inference_id": None, "attributes": None,
    }  # fmt: skip
    return data_capture.Exchange(**{**values, **changes})


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> dict[str, tuple[bytes, str | None]]:
    """What is put to S3, by URL, with its key; nothing leaves this process."""
    puts: dict[str, tuple[bytes, str | None]] = {}

    def fake_put(url: str, body: bytes, *, kms_key: str | None = None) -> None:
        puts[url] = (body, kms_key)

    monkeypatch.setattr(storage, "put", fake_put)
    return puts


def test_only_the_chosen_side_is_captured_and_encoded_by_its_content_type() -> None:
    captured = data_capture.record(CONFIG, exchange())["captureData"]
    assert set(captured) == {"endpointOutput"}
    assert captured["endpointOutput"]["encoding"] == "JSON"
    both = {**CONFIG, "CaptureOptions": [{"CaptureMode": "InputAndOutput"}]}
    sides = data_capture.record(both, exchange())["captureData"]
    assert base64.b64decode(sides["endpointInput"]["data"]) == b"\xff"


def test_captures_land_under_endpoint_variant_and_hour_with_the_endpoints_key(
    written: dict[str, tuple[bytes, str | None]],
) -> None:
    capture = data_capture.Capture()
    for number in range(3):
        capture.add(CONFIG, exchange(event_id=str(number)))
    capture.flush()
    ((url, (body, key)),) = written.items()
    assert url.startswith("s3://bucket/prefix/turbines/blue/2026/01/01/01/")
    assert [json.loads(line)["eventMetadata"]["eventId"] for line in body.splitlines()] == ["0", "1", "2"]
    assert key == "key-1"


@pytest.mark.parametrize(("percent", "low", "high"), [(0, 0, 0), (20, 130, 270), (100, 1000, 1000)])
def test_sampling_keeps_its_share(
    percent: int, low: int, high: int, written: dict[str, tuple[bytes, str | None]]
) -> None:
    capture = data_capture.Capture()
    for _ in range(1000):
        capture.add({**CONFIG, "InitialSamplingPercentage": percent}, exchange())
    capture.flush()
    kept = sum(len(body.splitlines()) for body, _ in written.values())
    assert low <= kept <= high  # 20 %: 200 expected, five standard deviations are 63


def test_nothing_is_captured_when_capture_is_off(written: dict[str, tuple[bytes, str | None]]) -> None:
    capture = data_capture.Capture()
    capture.add({**CONFIG, "EnableCapture": False}, exchange())
    capture.add({}, exchange())
    capture.flush()
    assert written == {}


def bundle(entry: tarfile.TarInfo) -> tarfile.TarFile:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        archive.addfile(entry, io.BytesIO(b"x" * entry.size))
    buffer.seek(0)
    return tarfile.open(fileobj=buffer)


def test_plain_files_are_unpacked(tmp_path: Path) -> None:
    entry = tarfile.TarInfo("code/inference.py")
    entry.size = 1
    with bundle(entry) as archive:
        extract(archive, tmp_path)
    assert (tmp_path / "code" / "inference.py").read_bytes() == b"x"


@pytest.mark.parametrize("name", ["../outside.py", "/etc/outside.py", "code/../../outside.py"])
def test_an_archive_cannot_write_outside_its_folder(name: str, tmp_path: Path) -> None:
    with bundle(tarfile.TarInfo(name)) as archive, pytest.raises(ValueError, match=r"must be a plain file inside"):
        extract(archive, tmp_path / "model")
    assert not (tmp_path / "outside.py").exists()


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_are_refused(kind: bytes, tmp_path: Path) -> None:
    entry = tarfile.TarInfo("model.joblib")
    entry.type, entry.linkname = kind, "/etc/passwd"
    with bundle(entry) as archive, pytest.raises(ValueError, match=r"model\.joblib must be a plain file"):
        extract(archive, tmp_path)


@pytest.mark.parametrize("url", ["https://bucket/key", "s3:///key", "bucket/key"])
def test_only_the_url_of_an_object_names_one(url: str) -> None:
    with pytest.raises(ValueError, match=f"URL must start with s3://bucket/, got {url}"):
        storage.split(url)
