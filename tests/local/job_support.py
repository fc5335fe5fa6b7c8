"""Training and processing jobs for the tests of the laptop cloud: code in S3, requests, waiting for the end."""

from __future__ import annotations

import io
import json
import tarfile
import textwrap
from collections.abc import Callable
from typing import Any

from cdk_ml_lens.local import LaptopCloud
from tests.local.conftest import Until

BUCKET = "jobs"
ROLE = "arn:aws:iam::000000000000:role/any"
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.9-0"
Params = dict[str, Any]


def archive(**files: str) -> bytes:
    """Return a ``.tar.gz`` with the given files; a double underscore in a name is a slash."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as bundle:
        for name, text in files.items():
            content = textwrap.dedent(text).encode()
            entry = tarfile.TarInfo(name.replace("__", "/") + ".py")
            entry.size = len(content)
            bundle.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def put(cloud: LaptopCloud, key: str, body: bytes | str) -> str:
    """Write an object and return its URL."""
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket=BUCKET)  # again is no error, as in us-east-1
    s3.put_object(Bucket=BUCKET, Key=key, Body=body)
    return f"s3://{BUCKET}/{key}"


def get(cloud: LaptopCloud, url: str) -> bytes:
    """Return the object at a URL."""
    bucket, _, key = url.removeprefix("s3://").partition("/")
    body: bytes = cloud.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    return body


def members(cloud: LaptopCloud, url: str) -> dict[str, bytes]:
    """Return the files of a ``.tar.gz`` in S3."""
    with tarfile.open(fileobj=io.BytesIO(get(cloud, url)), mode="r:gz") as bundle:
        return {
            entry.name: found.read()
            for entry in bundle.getmembers()
            if (found := bundle.extractfile(entry)) is not None
        }


def training(name: str, code: str, *, seconds: int = 120, hyperparameters: Params | None = None, **more: Any) -> Params:
    """Return a request of CreateTrainingJob that runs ``train.py`` of the archive at ``code``."""
    own = {"sagemaker_program": "train.py", "sagemaker_submit_directory": code}
    return {
        "TrainingJobName": name,
        "RoleArn": ROLE,
        "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        "HyperParameters": {**own, **(hyperparameters or {})},
        "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/out"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5},
        "StoppingCondition": {"MaxRuntimeInSeconds": seconds},
        **more,
    }


def processing(name: str, command: list[str], *, seconds: int = 120, **more: Any) -> Params:
    """Return a request of CreateProcessingJob that runs ``command``."""
    cluster = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5}
    return {
        "ProcessingJobName": name,
        "RoleArn": ROLE,
        "AppSpecification": {"ImageUri": IMAGE, "ContainerEntrypoint": command},
        "ProcessingResources": {"ClusterConfig": cluster},
        "StoppingCondition": {"MaxRuntimeInSeconds": seconds},
        **more,
    }


def given(name: str, url: str) -> Params:
    """Return a processing input at ``/opt/ml/processing/input/<name>``."""
    place = f"/opt/ml/processing/input/{name}"
    source = {"S3Uri": url, "LocalPath": place, "S3DataType": "S3Prefix", "S3InputMode": "File"}
    return {"InputName": name, "S3Input": source}


def wanted(url: str) -> Params:
    """Return the outputs of a processing job: ``/opt/ml/processing/output`` to ``url``."""
    target = {"S3Uri": url, "LocalPath": "/opt/ml/processing/output", "S3UploadMode": "EndOfJob"}
    return {"Outputs": [{"OutputName": "output", "S3Output": target}]}


def channel(name: str, url: str, **more: Any) -> Params:
    """Return an input channel."""
    source = {"S3DataType": "S3Prefix", "S3Uri": url, "S3DataDistributionType": "FullyReplicated"}
    return {"ChannelName": name, "DataSource": {"S3DataSource": source}, **more}


def finished(cloud: LaptopCloud, until: Until, name: str, *, kind: str = "training") -> Params:
    """Return the description of a job that has ended."""
    describe: Callable[..., Params] = getattr(cloud.client("sagemaker"), f"describe_{kind}_job")
    noun = f"{kind.capitalize()}Job"

    def probe() -> Params | None:
        described = describe(**{f"{noun}Name": name})
        return described if described[f"{noun}Status"] not in ("InProgress", "Stopping") else None

    ended: Params = until(probe, seconds=120)
    return ended


def executed(
    cloud: LaptopCloud, until: Until, resource: str, arguments: Params, *, timeout: int = 60, role: str = ROLE
) -> Params:
    """Run a state machine of one task and return the execution once it has ended."""
    states = cloud.client("stepfunctions")
    execution = started(cloud, resource, arguments, timeout=timeout, role=role)

    def probe() -> Params | None:
        described: Params = states.describe_execution(executionArn=execution)
        return described if described["status"] != "RUNNING" else None

    ended: Params = until(probe, seconds=120)
    return ended


def started(cloud: LaptopCloud, resource: str, arguments: Params, *, timeout: int = 60, role: str = ROLE) -> str:
    """Start a state machine of one task and return the ARN of its execution."""
    task = {"Type": "Task", "Resource": f"arn:aws:states:::{resource}", "Arguments": arguments, "End": True}
    definition = {
        "QueryLanguage": "JSONata",
        "StartAt": "Do",
        "States": {"Do": {**task, "TimeoutSeconds": timeout}},
    }
    states = cloud.client("stepfunctions")
    arn = states.create_state_machine(
        name=f"job-{len(states.list_state_machines()['stateMachines'])}",
        definition=json.dumps(definition),
        roleArn=role,
    )["stateMachineArn"]
    execution: str = states.start_execution(stateMachineArn=arn)["executionArn"]
    return execution


def events(cloud: LaptopCloud, name: str, pattern: Params) -> str:
    """Send events of a pattern to a new queue and return its URL."""
    sqs, bus = cloud.client("sqs"), cloud.client("events")
    queue: str = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    bus.put_rule(Name=name, EventPattern=json.dumps(pattern))
    bus.put_targets(Rule=name, Targets=[{"Id": "q", "Arn": arn}])
    return queue
