"""Parts of the server that need no MiniStack: capture, a model server that hangs, and unpacking of artifacts."""

from __future__ import annotations

import base64
import io
import json
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest

from cdk_ml_lens.local.server import data_capture, model_process, storage
from cdk_ml_lens.local.server.model_process import ModelFailedError, extract
from tests.waiting import until

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


def test_attributes_of_a_request_are_captured_and_one_side_may_be_enough() -> None:
    only_input = {**CONFIG, "CaptureOptions": [{"CaptureMode": "Input"}]}
    record = data_capture.record(only_input, exchange(attributes="trace=7"))
    assert set(record["captureData"]) == {"endpointInput"}
    assert record["eventMetadata"]["customAttributes"] == ["trace=7"]


def test_a_capture_that_s3_does_not_take_is_told_and_the_others_are_written(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    written: list[str] = []

    def fake_put(url: str, body: bytes, *, kms_key: str | None = None) -> None:
        if "/lost/" in url:
            raise OSError("no such bucket")
        written.append(url)

    monkeypatch.setattr(storage, "put", fake_put)
    capture = data_capture.Capture()
    for name in ("lost", "kept"):
        capture.add({**CONFIG, "DestinationS3Uri": f"s3://bucket/{name}"}, exchange())
    capture.flush()
    assert [url.split("/")[3] for url in written] == ["kept"]
    assert "captured data was not written to s3://bucket/lost/turbines/blue" in caplog.text


SILENT = """
import signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("loading weights", flush=True)
time.sleep(60)
"""


def test_a_model_server_that_never_gets_ready_is_told_and_killed_if_it_must_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "server.log"

    def start() -> subprocess.Popen[bytes]:
        with log.open("ab") as output:
            return subprocess.Popen([sys.executable, "-c", SILENT], stdout=output)

    monkeypatch.setattr(model_process, "READY_SECONDS", 0.5)
    server = model_process.ModelProcess(model_name="slow", port=1, start=start, log=log)
    until(lambda: "loading" in log.read_text())
    with pytest.raises(ModelFailedError, match="model slow did not pass the ping health check: loading weights"):
        server.wait_until_ready()
    server.stop()
    assert server.process.wait(5) == -9


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
