"""The commands ``up``, ``deploy`` and ``down``."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console
from rich.table import Column, Table

from cdk_ml_lens.local import app_synth, running
from cdk_ml_lens.local.cloud import ACCESS_KEY, REGION, SECRET_KEY, LaptopCloud
from cdk_ml_lens.local.deployer import Deployment

console = Console()


def up(folder: Path, *, port: int, auth: bool) -> int:
    """Start a cloud for ``folder`` that keeps running, and say how to reach it."""
    found = running.load(folder)
    if found is not None:
        console.print(f"a laptop cloud runs already (process {found.pid})")
    else:
        found = _start(folder, port=port, auth=auth)
    print_access(found)
    return 0


def deploy(
    folder: Path,
    stack: str,
    *,
    app: str | None,
    context: Mapping[str, str],
    parameters: Mapping[str, str],
    keep: bool,
) -> int:
    """Synthesize and deploy ``stack``, to the running cloud or to one that lasts as long as this command."""
    found = running.load(folder)
    with tempfile.TemporaryDirectory(prefix="ml-lens-") as scratch:
        with console.status("synthesizing"):
            assembly = _assembly(folder, Path(scratch) / "cdk.out", app, context)
        if found is None and not keep:
            with console.status("starting the cloud"):
                cloud = LaptopCloud.start(progress=console.print)
            with cloud:
                _show(_deploy(cloud, assembly, stack, parameters))
            console.print("the cloud has ended; `ml-lens up` or `--keep` leaves one running")
            return 0
        found = _start(folder, port=0, auth=False) if found is None else found
        _show(_deploy(attach(found), assembly, stack, parameters))
    if keep:
        print_access(found)
    return 0


def down(folder: Path) -> int:
    """End the cloud of ``folder``."""
    ended = running.stop(folder)
    console.print(f"ended the laptop cloud at {ended.endpoint_url} (process {ended.pid})")
    return 0


def attach(found: running.RunningCloud) -> LaptopCloud:
    """Return a `LaptopCloud` for a cloud that another command started."""
    return LaptopCloud(endpoint_url=found.endpoint_url, mqtt_port=found.mqtt_port, state_dir=Path(found.state_dir))


def print_access(found: running.RunningCloud) -> None:
    """Print what boto3 and the AWS CLI need, ready to paste into a shell."""
    variables = {
        "AWS_ENDPOINT_URL": found.endpoint_url,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_DEFAULT_REGION": REGION,
    }
    for name, value in variables.items():
        console.print(f"export {name}={value}", highlight=False, soft_wrap=True)
    console.print(f"MQTT with mutual TLS: 127.0.0.1:{found.mqtt_port}", highlight=False)
    console.print(f"log: {Path(found.state_dir) / 'server.log'}", highlight=False, soft_wrap=True)
    console.print("end it with: ml-lens down", highlight=False)


def _start(folder: Path, *, port: int, auth: bool) -> running.RunningCloud:
    state_dir = running.state_file(folder).parent / "cloud"
    with console.status("starting the cloud"):
        cloud = LaptopCloud.start(port=port, auth=auth, state_dir=state_dir, detached=True, progress=console.print)
    return running.save(
        folder,
        pid=cloud.pid,
        endpoint_url=cloud.endpoint_url,
        mqtt_port=cloud.mqtt_port,
        state_dir=cloud.state_dir,
    )


def _assembly(folder: Path, out: Path, app: str | None, context: Mapping[str, str]) -> Path:
    if app is not None and (folder / app / "manifest.json").exists():
        return folder / app
    return app_synth.synthesize(app_dir=folder, out=out, command=app, context=context)


def _deploy(cloud: LaptopCloud, assembly: Path, stack: str, parameters: Mapping[str, str]) -> Deployment:
    with console.status(f"deploying {stack}"):
        return cloud.deploy(assembly, stack, parameters=parameters)


def _show(deployment: Deployment) -> None:
    changed = "" if deployment.changed else " (no changes)"
    console.print(f"{deployment.stack_name}: {deployment.status}{changed} in {deployment.seconds:.1f} s")
    table = Table("output", Column("value", overflow="fold"))
    for key, value in sorted(deployment.outputs.items()):
        table.add_row(key, value)
    if deployment.outputs:
        console.print(table)
