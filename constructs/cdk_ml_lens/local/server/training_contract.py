"""SageMaker's container contract for training: files of /opt/ml, hyperparameters, SM_ variables, script mode."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .job_process import OptMl

Params = dict[str, Any]
HOST = "algo-1"
PROGRAM, SUBMITTED = "sagemaker_program", "sagemaker_submit_directory"
_FOLDERS = ("input/config", "input/data", "code", "model", "output/data", "output/intermediate")
_NOT_THE_SCRIPTS = re.compile(r"sagemaker_.*|_tuning_objective_metric|default_user_module_name")


class ContractError(Exception):
    """The job asks for what the laptop cloud has not; the message is the job's failure reason."""


@dataclass(frozen=True, kw_only=True)
class Contract:
    """What a training job's container sees.

    Sources: https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-training-algo-running-container.html,
    https://github.com/aws/sagemaker-training-toolkit/blob/master/ENVIRONMENT_VARIABLES.md

    Parameters
    ----------
    job
        The request of CreateTrainingJob.
    root
        Its ``/opt/ml``.
    arn
        ARN of the job.
    """

    job: Params
    root: OptMl
    arn: str

    @property
    def hyperparameters(self) -> dict[str, str]:
        """Return the hyperparameters as they were given."""
        return {name: str(value) for name, value in (self.job.get("HyperParameters") or {}).items()}

    @property
    def own(self) -> dict[str, Any]:
        """Return the script's hyperparameters: SageMaker's own are out, JSON is decoded, as the toolkit does."""
        given = self.hyperparameters.items()
        return {
            name: _decoded(self.root.mapped(value)) for name, value in given if not _NOT_THE_SCRIPTS.fullmatch(name)
        }

    @property
    def submitted(self) -> str:
        """Return where the code is: a URL, or a path of the container."""
        return str(_decoded(self.hyperparameters.get(SUBMITTED, "")))

    @property
    def program(self) -> str:
        """Return the script, relative to its folder.

        Raises
        ------
        ContractError
            If the job has none: a built-in algorithm, or a container of its own.
        """
        name = str(_decoded(self.hyperparameters.get(PROGRAM, "")))
        if not name.endswith(".py"):
            image = self.job["AlgorithmSpecification"].get("TrainingImage", "a built-in algorithm")
            raise ContractError(
                f"ClientError: the laptop cloud runs Python scripts in script mode ({PROGRAM}), not {image}"
            )
        return name

    @property
    def channels(self) -> list[Params]:
        """Return the input channels."""
        return self.job.get("InputDataConfig") or []

    def path(self, name: str) -> Path:
        """Return a path below ``/opt/ml``."""
        return self.root.folder / name

    def checkpoints(self) -> Path | None:
        """Return the folder of checkpoints, ``None`` if the job keeps none."""
        config = self.job.get("CheckpointConfig")
        return None if config is None else self.root.place(config.get("LocalPath", "/opt/ml/checkpoints"))

    def write(self) -> None:
        """Make the folders and the configuration files."""
        for name in _FOLDERS:
            self.path(name).mkdir(parents=True, exist_ok=True)
        if (kept := self.checkpoints()) is not None:
            kept.mkdir(parents=True, exist_ok=True)
        config = self.path("input/config")
        documents = {
            "hyperparameters": self.hyperparameters,
            "inputdataconfig": self._input_data(),
            "resourceconfig": self._resources(),
        }
        for name, document in documents.items():
            (config / f"{name}.json").write_text(json.dumps(document))

    def arguments(self) -> list[str]:
        """Return the script's arguments, by name."""
        words: list[str] = []
        for name, value in sorted(self.own.items()):
            words += [f"-{name}" if len(name) == 1 else f"--{name}", _word(value)]
        return words

    def command(self) -> str:
        """Return the command as the container would show it."""
        return " ".join(["python3", self.program, *self.arguments()])

    def environment(self) -> dict[str, str]:
        """Return the variables: the job's own, SageMaker's, the toolkit's."""
        given = (self.job.get("Environment") or {}).items()
        return {
            **{name: self.root.mapped(str(value)) for name, value in given},
            "TRAINING_JOB_NAME": self.job["TrainingJobName"],
            "TRAINING_JOB_ARN": self.arn,
            "SAGEMAKER_BASE_DIR": str(self.root.folder),  # the toolkit's name for /opt/ml
            **self._toolkit(),
        }

    def _toolkit(self) -> dict[str, str]:
        code, program = str(self.path("code")), self.program
        places = {
            "MODEL_DIR": "model", "INPUT_DIR": "input", "INPUT_CONFIG_DIR": "input/config", "OUTPUT_DIR": "output",
            "OUTPUT_DATA_DIR": "output/data", "OUTPUT_INTERMEDIATE_DIR": "output/intermediate",
        }  # fmt: skip
        names = sorted(channel["ChannelName"] for channel in self.channels)
        values: dict[str, Any] = {
            **{name: str(self.path(place)) for name, place in places.items()},
            **{f"CHANNEL_{name.upper()}": str(self.path(f"input/data/{name}")) for name in names},
            **{f"HP_{name.upper()}": value for name, value in self.own.items()},
            "CHANNELS": names, "HPS": self.own, "USER_ARGS": self.arguments(), "USER_ENTRY_POINT": program,
            "MODULE_DIR": self.submitted or code, "MODULE_NAME": program.removesuffix(".py"), "CODE_DIR": code,
            "CURRENT_HOST": HOST, "HOSTS": [HOST], "NUM_CPUS": os.cpu_count() or 1, "NUM_GPUS": 0,
            "NUM_NEURONS": 0, "LOG_LEVEL": 20, "NETWORK_INTERFACE_NAME": "lo",
            "RESOURCE_CONFIG": self._resources(), "INPUT_DATA_CONFIG": self._input_data(),
        }  # fmt: skip
        values["TRAINING_ENV"] = {name.lower(): value for name, value in values.items()}
        return {f"SM_{name}": value if isinstance(value, str) else _compact(value) for name, value in values.items()}

    def _input_data(self) -> Params:
        return {channel["ChannelName"]: _channel(channel) for channel in self.channels}

    def _resources(self) -> Params:
        kind = self.job["ResourceConfig"].get("InstanceType", "")
        group = {"instance_group_name": "homogeneousCluster", "instance_type": kind, "hosts": [HOST]}
        return {
            "current_host": HOST, "current_instance_type": kind, "current_group_name": "homogeneousCluster",
            "hosts": [HOST], "instance_groups": [group], "network_interface_name": "lo",
        }  # fmt: skip


def _channel(channel: Params) -> Params:
    source = channel["DataSource"]["S3DataSource"]
    return {
        "TrainingInputMode": channel.get("InputMode", "File"),
        "S3DistributionType": source.get("S3DataDistributionType", "FullyReplicated"),
        "RecordWrapperType": channel.get("RecordWrapperType", "None"),
        **({"ContentType": channel["ContentType"]} if "ContentType" in channel else {}),
    }


def _compact(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def _word(value: object) -> str:
    if isinstance(value, dict):
        return ",".join(f"{name}={item}" for name, item in value.items())
    return "" if value is None else str(value)


def _decoded(text: str) -> Any:
    """Return what a hyperparameter says: JSON if it is, else the text."""
    try:
        return json.loads(text)
    except ValueError:
        return text
