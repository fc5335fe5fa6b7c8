"""LaptopCloud: an AWS-like cloud on this machine, for tests and demos. No network, no account, no Docker."""

from __future__ import annotations

import shutil
import sys
import tempfile
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import boto3
from botocore.config import Config

from cdk_ml_lens.local import deployer, guard, venvs
from cdk_ml_lens.local.server_process import ServerOptions, ServerProcess

REGION = "us-east-1"
ACCESS_KEY = SECRET_KEY = "test"
MODEL_SERVER = Path(__file__).parent / "model_server.py"


@dataclass(frozen=True, kw_only=True)
class ModelRuntime:
    """What serves models.

    Parameters
    ----------
    python : Path
        Interpreter of the server. Default in the cloud: the pinned ``model`` environment.
    server : Path
        Script that takes ``--model-dir DIR --port N`` and speaks SageMaker's container contract on 127.0.0.1.
    """

    python: Path = Path(sys.executable)
    server: Path = MODEL_SERVER


class LaptopCloud:
    """A running laptop cloud; make one with `start`, or reach a running one with `attach`.

    Attributes
    ----------
    endpoint_url : str
        The endpoint of every service.
    mqtt_port : int
        Port of the MQTT broker with mutual TLS, on 127.0.0.1.
    region, account : str
        ``us-east-1`` and ``000000000000``.

    Examples
    --------
    >>> with LaptopCloud.start() as cloud:  # doctest: +SKIP
    ...     cloud.deploy(Path("cdk.out"), "IotInference").outputs["EndpointName"]
    """

    region = REGION
    account = guard.ACCOUNT

    def __init__(self, *, endpoint_url: str, mqtt_port: int, state_dir: Path) -> None:
        self.endpoint_url = guard.require_loopback(endpoint_url)
        self.mqtt_port = mqtt_port
        self.state_dir = state_dir
        self._server: ServerProcess | None = None
        self._temporary = False
        self._clients: dict[str, Any] = {}
        guard.require_account(self.client("sts").get_caller_identity()["Account"])

    @classmethod
    def start(
        cls,
        *,
        auth: bool = False,
        lambda_workers: int = 2,
        time_scale: float = 1.0,
        state_dir: Path | None = None,
        port: int = 0,
        models: ModelRuntime | None = None,
        progress: venvs.Progress | None = None,
        detached: bool = False,
    ) -> LaptopCloud:
        """Start a cloud as a subprocess on loopback ports; it ends with `stop`, or with this process.

        Parameters
        ----------
        auth
            Enforce IAM policies and IoT policies. Default: off.
        lambda_workers
            How many event-driven Lambda invocations run at a time. Default: 2.
        time_scale
            Seconds of AWS per second here, for guardrails, alarm periods and waits and retries of state machines:
            with 60, a bake of one minute lasts one second. Default: 1.
        state_dir
            Folder for logs, models and temporary files; kept. Default: a temporary folder, removed by `stop`.
        port
            Port of the endpoint. Default: a free one.
        models
            What serves models. Default: the pinned ``model`` environment with `model_server`.
        progress
            Called with a line of text when an environment is installed.
        detached
            Keep the cloud running after this process. Default: off.

        Raises
        ------
        CloudError
            If the server does not start; the message has the last lines of its log.
        VenvError
            If the environments cannot be installed.
        """
        home = Path(tempfile.mkdtemp(prefix="ml-lens-")) if state_dir is None else state_dir.absolute()
        home.mkdir(parents=True, exist_ok=True)
        python = venvs.ensure("cloud", progress=progress)
        if models is None:
            models = ModelRuntime(python=venvs.ensure("model", progress=progress))
        server = ServerProcess(
            ServerOptions(
                state_dir=home, python=python, model_python=models.python, model_server=models.server,
                gateway_port=port, auth=auth, lambda_workers=lambda_workers, time_scale=time_scale,
                detached=detached,
            )
        )  # fmt: skip
        cloud = cls(endpoint_url=f"http://127.0.0.1:{server.gateway_port}", mqtt_port=server.mqtt_port, state_dir=home)
        cloud._server, cloud._temporary = server, state_dir is None
        return cloud

    @property
    def pid(self) -> int:
        """Return the id of the server process that this object started."""
        if self._server is None:
            raise RuntimeError("this cloud has ended, or another process started it")
        return self._server.pid

    @property
    def log(self) -> Path:
        """Return the file with everything the server wrote."""
        return self.state_dir / "server.log"

    @property
    def ca_path(self) -> Path:
        """Return the file with the root certificate that MQTT clients must trust."""
        path = self.state_dir / "ca.pem"
        if not path.exists():
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            with opener.open(f"{self.endpoint_url}/_ministack/iot/ca.pem", timeout=10) as answer:
                path.write_bytes(answer.read())
        return path

    def client(self, service: str) -> Any:
        """Return the boto3 client of this cloud for ``service``; the same one each time, safe to share."""
        if service not in self._clients:
            session = boto3.session.Session(
                aws_access_key_id=ACCESS_KEY, aws_secret_access_key=SECRET_KEY, region_name=REGION
            )
            self._clients[service] = session.client(
                service,  # type: ignore[call-overload]
                endpoint_url=self.endpoint_url,
                config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 2}, proxies={}),
            )
        return self._clients[service]

    def deploy(
        self, assembly_dir: Path, stack_name: str, *, parameters: Mapping[str, str] | None = None
    ) -> deployer.Deployment:
        """Deploy or update a stack of a CDK assembly; see `cdk_ml_lens.local.deployer.deploy`."""
        return deployer.deploy(self, assembly_dir, stack_name, parameters=parameters or {})

    def destroy(self, stack_name: str) -> None:
        """Delete a stack; see `cdk_ml_lens.local.deployer.destroy`."""
        deployer.destroy(self, stack_name)

    def stop(self) -> None:
        """End the cloud that this object started, and remove its temporary folder."""
        if self._server is not None:
            self._server.stop()
            self._server = None
        if self._temporary:
            shutil.rmtree(self.state_dir, ignore_errors=True)

    def __enter__(self) -> LaptopCloud:
        """Return the running cloud."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the cloud."""
        self.stop()
