"""One training job on this machine: its folder, code and channels, its process, its artifact."""

from __future__ import annotations

import os
import re
import shutil
import threading
import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ministack.core.responses import get_account_id, get_region

from . import glue_report
from .job_files import JobFiles, files_of, packed, unpack
from .job_process import Ended, OptMl, Running, Script, base_environment, python_command
from .training_contract import HOST as HOST
from .training_contract import Contract, ContractError

SYNC_SECONDS = 1.0


@dataclass(kw_only=True)
class TrainingRun:
    """The run of a job.

    Parameters
    ----------
    job, arn
        What CreateTrainingJob was given, and the ARN.
    folder
        Where its ``/opt/ml`` and its log are.
    running
        Knows whether the job is being stopped.
    """

    job: dict[str, Any]
    arn: str
    folder: Path
    running: Running

    @cached_property
    def contract(self) -> Contract:
        """Return what the container sees."""
        return Contract(job=self.job, root=OptMl(folder=self.folder / "ml"), arn=self.arn)

    @cached_property
    def files(self) -> JobFiles:
        """Return S3 as the job's role."""
        name = f"training-{self.job['TrainingJobName']}"
        return JobFiles(role=self.job["RoleArn"], identity=name, region=get_region(), account=get_account_id())

    @property
    def isolated(self) -> bool:
        """Tell whether the container has no network."""
        return bool(self.job.get("EnableNetworkIsolation"))

    @property
    def log(self) -> Path:
        """Return the file with what the script printed."""
        return self.folder / "output.log"

    def output(self) -> str:
        """Return what the script printed."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def check(self) -> None:
        """Refuse what the laptop cloud cannot run.

        Raises
        ------
        ContractError
            With the reason.
        """
        shutil.rmtree(self.folder, ignore_errors=True)  # of a job of that name in an earlier cloud
        self.folder.mkdir(parents=True)
        _ = self.contract.program  # refuses a job without a script
        if int(self.job["ResourceConfig"].get("InstanceCount", 1)) != 1:
            raise ContractError("ClientError: the laptop cloud trains on one instance")
        default = self.job["AlgorithmSpecification"].get("TrainingInputMode", "File")
        for channel in self.contract.channels:
            if channel.get("InputMode", default) == "Pipe":
                raise ContractError("ClientError: the laptop cloud has the input modes File and FastFile, not Pipe")
            if "S3DataSource" not in channel["DataSource"]:
                raise ContractError("ClientError: the laptop cloud reads channels from S3 only")

    def prepare(self) -> None:
        """Make a fresh ``/opt/ml`` with code, channels and checkpoints."""
        contract = self.contract
        shutil.rmtree(contract.root.folder, ignore_errors=True)
        contract.write()
        for channel in contract.channels:
            target = contract.path(f"input/data/{channel['ChannelName']}")
            self.files.fetch_source(channel["DataSource"]["S3DataSource"], target)
        if (kept := contract.checkpoints()) is not None:
            self.files.fetch_prefix(self._checkpoint_url, kept, required=False)
        self._fetch_code()

    def script(self, python: Path) -> Script:
        """Return the process of one attempt."""
        contract = self.contract
        code, program = contract.path("code"), contract.path("code") / contract.program
        if not program.is_file():
            raise ContractError(f"AlgorithmError: {contract.program} is not in {contract.submitted}")
        environment = {
            **base_environment(python), **self.files.variables(network=not self.isolated), **contract.environment(),
            "PYTHONPATH": os.pathsep.join([str(program.parent), str(code)]),
        }  # fmt: skip
        command = python_command(python, program, contract.arguments())
        return Script(command=command, environment=environment, folder=code, log=self.log)

    def execute(self, script: Script, *, limit: float) -> Ended:
        """Run the script, with its checkpoints copied to S3 meanwhile."""
        kept = self.contract.checkpoints()
        if kept is None:
            return script.run(limit=limit)
        copying = threading.Thread(target=self._copy_checkpoints, args=(kept, script.done), daemon=True)
        copying.start()
        ended = script.run(limit=limit)
        copying.join()
        return ended

    def reason(self, code: int) -> str:
        """Return the failure reason: what the script wrote to ``failure``, else what the toolkit writes there."""
        written = self.contract.path("output/failure")
        if written.is_file():
            return f"AlgorithmError: {written.read_text(errors='replace')}, exit code: {code}"[:1024]
        message = glue_report.reason(self.output(), code).removeprefix("SystemExit: ")
        said = (
            f'ExecuteUserScriptError:\nExitCode {code}\nErrorMessage "{message}"\nCommand "{self.contract.command()}"'
        )
        return f"AlgorithmError: {said}, exit code: {code}"[:1024]

    def metrics(self) -> list[dict[str, Any]]:
        """Return the last value of each metric that the job defines."""
        defined, printed = self.job["AlgorithmSpecification"].get("MetricDefinitions") or [], self.output()
        found = {metric["Name"]: re.findall(metric["Regex"], printed) for metric in defined}
        return [
            {"MetricName": name, "Value": float(values[-1]), "Timestamp": time.time()}
            for name, values in found.items()
            if values
        ]

    def upload(self) -> str:
        """Write the artifact and the other output; return the artifact's URL."""
        config = self.job["OutputDataConfig"]
        key = config.get("KmsKeyId") or None
        target = f"{config['S3OutputPath'].rstrip('/')}/{self.job['TrainingJobName']}/output"
        data = self.contract.path("output/data")
        if any(files_of(data)):
            self.files.put(packed(data), f"{target}/output.tar.gz", kms_key=key)
        model = self.contract.path("model")
        if config.get("CompressionType") == "NONE":
            self.files.upload(model, f"{target}/model", kms_key=key)
            return f"{target}/model/"
        self.files.put(packed(model), f"{target}/model.tar.gz", kms_key=key)
        return f"{target}/model.tar.gz"

    @property
    def _checkpoint_url(self) -> str:
        return str(self.job["CheckpointConfig"]["S3Uri"]).rstrip("/") + "/"

    def _fetch_code(self) -> None:
        """Unpack the script's folder: from S3, or from a channel as jobs without a network have it."""
        submitted, contract = self.contract.submitted, self.contract
        if submitted.startswith("s3://"):
            if self.isolated:
                raise ContractError(f"AlgorithmError: with network isolation {submitted} cannot be downloaded")
            unpack(self.files.fetch(submitted, self.folder / "sourcedir.tar.gz"), contract.path("code"))
            return
        place = contract.root.place(submitted or "/opt/ml/code")
        if place.is_dir() and place != contract.path("code"):
            shutil.copytree(place, contract.path("code"), dirs_exist_ok=True)
        elif place.is_file():
            unpack(place, contract.path("code"))

    def _copy_checkpoints(self, folder: Path, done: threading.Event) -> None:
        sent: dict[Path, float] = {}
        while not done.wait(SYNC_SECONDS):
            self._send(folder, sent)
        self._send(folder, sent)

    def _send(self, folder: Path, sent: dict[Path, float]) -> None:
        for path in files_of(folder):
            changed = path.stat().st_mtime
            if sent.get(path) != changed:
                self.files.put(path.read_bytes(), self._checkpoint_url + path.relative_to(folder).as_posix())
                sent[path] = changed
