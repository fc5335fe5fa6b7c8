"""One processing job on this machine: its folder, inputs and outputs, its process."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ministack.core.responses import get_account_id, get_region

from .job_files import JobFiles, TransferError
from .job_process import OptMl, Script, base_environment, python_command

MESSAGE_BYTES = 1024
_PYTHONS = ("python", "python3", "/usr/bin/python3", "/usr/bin/python")


@dataclass(kw_only=True)
class ProcessingRun:
    """The run of a job.

    Source: https://docs.aws.amazon.com/sagemaker/latest/dg/build-your-own-processing-container.html

    Parameters
    ----------
    job, arn
        What CreateProcessingJob was given, and the ARN.
    folder
        Where its ``/opt/ml`` and its log are.
    """

    job: dict[str, Any]
    arn: str
    folder: Path

    @property
    def root(self) -> OptMl:
        """Return what stands for ``/opt/ml``."""
        return OptMl(folder=self.folder / "ml")

    @property
    def log(self) -> Path:
        """Return the file with what the container printed."""
        return self.folder / "output.log"

    @cached_property
    def files(self) -> JobFiles:
        """Return S3 as the job's role."""
        name = f"processing-{self.job['ProcessingJobName']}"
        return JobFiles(role=self.job["RoleArn"], identity=name, region=get_region(), account=get_account_id())

    @property
    def outputs(self) -> list[dict[str, Any]]:
        """Return the outputs that go to S3."""
        given = (self.job.get("ProcessingOutputConfig") or {}).get("Outputs") or []
        return [output["S3Output"] for output in given if "S3Output" in output]

    def output(self) -> str:
        """Return what the container printed."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def prepare(self) -> None:
        """Make ``/opt/ml`` with the configuration, the inputs and the folders of the outputs.

        Raises
        ------
        TransferError
            If the laptop cloud cannot run the job, or S3 does not give an input.
        """
        self._check_program()
        self._check_transfers()
        config = self.root.folder / "config"
        config.mkdir(parents=True, exist_ok=True)
        (self.root.folder / "output").mkdir(exist_ok=True)
        shown = {"ProcessingJobArn": self.arn, **self.job}
        (config / "processingjobconfig.json").write_text(json.dumps(shown))
        hosts = {"current_host": "algo-1", "hosts": ["algo-1"]}
        (config / "resourceconfig.json").write_text(json.dumps(hosts))
        for given in self.job.get("ProcessingInputs") or []:
            self.files.fetch_source(given["S3Input"], self.root.place(given["S3Input"]["LocalPath"]))
        for wanted in self.outputs:
            self.root.place(wanted["LocalPath"]).mkdir(parents=True, exist_ok=True)

    def script(self, python: Path) -> Script:
        """Return the process: entry point and arguments with the paths of this machine."""
        specification = self.job["AppSpecification"]
        given = [*specification["ContainerEntrypoint"], *(specification.get("ContainerArguments") or [])]
        words = [self.root.mapped(str(word)) for word in given]
        isolated = bool((self.job.get("NetworkConfig") or {}).get("EnableNetworkIsolation"))
        own = {name: self.root.mapped(str(value)) for name, value in (self.job.get("Environment") or {}).items()}
        environment = {
            **base_environment(python), **self.files.variables(network=not isolated), **own,
            "PROCESSING_JOB_NAME": self.job["ProcessingJobName"], "PROCESSING_JOB_ARN": self.arn,
            "SAGEMAKER_BASE_DIR": str(self.root.folder),  # what scripts of ours take for /opt/ml
        }  # fmt: skip
        if words[0] in _PYTHONS and len(words) > 1 and words[1].endswith(".py"):
            search = [str(Path(words[1]).parent), *([own["PYTHONPATH"]] if "PYTHONPATH" in own else [])]
            environment["PYTHONPATH"] = os.pathsep.join(search)
            words = python_command(python, Path(words[1]), words[2:])
        elif words[0] in _PYTHONS:
            words[0] = str(python)
        return Script(command=words, environment=environment, folder=self.root.folder, log=self.log)

    def message(self) -> str | None:
        """Return the exit message: the first 1 KB of ``/opt/ml/output/message``."""
        path = self.root.folder / "output" / "message"
        return path.read_bytes()[:MESSAGE_BYTES].decode(errors="ignore") if path.is_file() else None

    def upload(self) -> None:
        """Write the outputs to S3."""
        key = (self.job.get("ProcessingOutputConfig") or {}).get("KmsKeyId") or None
        for wanted in self.outputs:
            self.files.upload(self.root.place(wanted["LocalPath"]), wanted["S3Uri"], kms_key=key)

    def _check_program(self) -> None:
        specification = self.job["AppSpecification"]
        if not specification.get("ContainerEntrypoint"):
            raise TransferError(
                "ClientError: the laptop cloud runs the entry point that a job names, not what is inside "
                f"{specification['ImageUri']}"
            )
        program = self.root.mapped(specification["ContainerEntrypoint"][0])
        if program not in _PYTHONS and shutil.which(program) is None:
            raise TransferError(f"AlgorithmError: the laptop cloud has no program {program}")

    def _check_transfers(self) -> None:
        cluster = self.job["ProcessingResources"]["ClusterConfig"]
        if int(cluster.get("InstanceCount", 1)) != 1:
            raise TransferError("ClientError: the laptop cloud processes on one instance")
        for given in self.job.get("ProcessingInputs") or []:
            source = given.get("S3Input")
            if source is None or source.get("S3InputMode", "File") != "File":
                raise TransferError(
                    f"ClientError: the laptop cloud reads files from S3, not input {given['InputName']}"
                )
        if len(self.outputs) < len((self.job.get("ProcessingOutputConfig") or {}).get("Outputs") or []):
            raise TransferError("ClientError: the laptop cloud writes outputs to S3 only")
