"""A cloud ends with its parent and takes everything it started along; what goes wrong is told."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cdk_ml_lens.local import CloudError, LaptopCloud, ModelRuntime, running, server_process
from tests.local.conftest import FAKE_SERVER, Until
from tests.local.server_probe import probe
from tests.local.support import endpoint_resources, write_assembly

pytestmark = pytest.mark.laptop_cloud

PARENT = """
import json, sys, tarfile, time
from pathlib import Path
from cdk_ml_lens.local import LaptopCloud, ModelRuntime
folder = Path(sys.argv[1])
models = ModelRuntime(python=Path(sys.executable), server=Path(sys.argv[2]))
cloud = LaptopCloud.start(state_dir=folder / "state", models=models)
tarfile.open(folder / "model.tar.gz", "w:gz").close()
s3 = cloud.client("s3")
s3.create_bucket(Bucket="models")
s3.upload_file(str(folder / "model.tar.gz"), "models", "model.tar.gz")
cloud.deploy(folder / "assembly", "Orphan")
print(cloud.pid, flush=True)
time.sleep(60)
"""


def children(pid: int) -> set[int]:
    listed = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    pairs = [tuple(map(int, line.split())) for line in listed.splitlines()]
    return {child for child, parent in pairs if parent == pid}


def test_server_and_model_servers_end_when_the_parent_is_killed(tmp_path: Path, until: Until) -> None:
    template = {"Resources": endpoint_resources("orphan", "s3://models/model.tar.gz")}
    write_assembly(tmp_path / "assembly", "Orphan", template)
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path), str(FAKE_SERVER)], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    server = int(parent.stdout.readline())
    models = children(server)
    assert len(models) == 1
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    until(lambda: all(running.process_identity(pid) is None for pid in {server, *models}))


def test_model_servers_end_when_the_server_itself_is_killed(tmp_path: Path, until: Until) -> None:
    template = {"Resources": endpoint_resources("killed", "s3://models/model.tar.gz")}
    write_assembly(tmp_path / "assembly", "Orphan", template)
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path), str(FAKE_SERVER)], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    server = int(parent.stdout.readline())
    models = children(server)
    os.kill(server, signal.SIGKILL)
    until(lambda: all(running.process_identity(pid) is None for pid in models))
    parent.kill()
    parent.wait()


def test_a_start_that_fails_ends_with_the_logs_last_lines(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        models = ModelRuntime(python=Path(sys.executable), server=FAKE_SERVER)
        with pytest.raises(CloudError, match=r"(?s)Address already in use.*whole log: .*server\.log"):
            LaptopCloud.start(port=port, state_dir=tmp_path, models=models)


def test_a_start_that_takes_too_long_leaves_no_server_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_process, "START_SECONDS", 0.0)
    started = []
    monkeypatch.setattr(subprocess, "Popen", noted(subprocess.Popen, started))
    with pytest.raises(CloudError, match="did not start within 0 s"):
        LaptopCloud.start(state_dir=tmp_path, models=ModelRuntime(python=Path(sys.executable), server=FAKE_SERVER))
    assert [process.poll() is None for process in started] == [False]


def noted(start: Any, started: list[Any]) -> Any:
    """Return ``start`` that keeps what it started."""

    def starting(*arguments: Any, **options: Any) -> Any:
        started.append(start(*arguments, **options))
        return started[-1]

    return starting


def test_a_temporary_state_folder_goes_with_the_cloud() -> None:
    with LaptopCloud.start(models=ModelRuntime(python=Path(sys.executable), server=FAKE_SERVER)) as cloud:
        folder = cloud.state_dir
        assert json.loads((folder / "ready.json").read_text())["pid"] == cloud.pid
    assert not folder.exists()


DEAF = """
    import asyncio, socket
    from pathlib import Path
    import hypercorn.asyncio
    from ministack import app
    entry, settings = module("entry"), module("settings")
    async def until_told(application, config, shutdown_trigger):
        await shutdown_trigger()
    hypercorn.asyncio.serve = until_told
    app._iot_mtls_state = sys.argv[3]
    mine = settings.Settings(
        state_dir=Path(sys.argv[2]), gateway_port=0, mqtt_port=0, auth=False, lambda_workers=1, retry_delays=(1.0,),
        model_python="", model_server="", watch_parent=False)
    sockets = socket.socketpair()
    async def served():
        return await asyncio.wait_for(entry._serve(mine, *sockets), 10)
    answer([asyncio.run(served()), (mine.state_dir / "ready.json").exists()])
"""


def test_a_server_whose_mqtt_listener_does_not_start_ends_at_once_and_is_never_ready(tmp_path: Path) -> None:
    assert probe(DEAF, tmp_path, "degraded") == [1, False]
