"""Step Functions' optimized ``sagemaker:`` integrations: requests, and ``.sync`` of training, processing, transform."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from botocore.validate import ParamValidator
from ministack.core.responses import get_account_id, get_region
from ministack.services import stepfunctions

from . import iam, sagemaker, sfn_execution, transform
from .cfn_shapes import service_model
from .job_table import ACTIVE, Job, JobTable, in_milliseconds, kebab

PREFIX = "arn:aws:states:::sagemaker:"
POLL_SECONDS = 0.1
_REQUESTS = (
    "createEndpoint", "createEndpointConfig", "createHyperParameterTuningJob", "createModel", "createProcessingJob",
    "createTrainingJob", "updateEndpoint",
)  # fmt: skip
_SERVICE = {"target_prefix": "SageMaker"}


def install() -> None:
    """Offer the integrations; a state that times out or is aborted stops its job, as on AWS.

    With IAM enforced the machine's role must allow what its states ask of SageMaker, by either kind of integration.

    Source: https://docs.aws.amazon.com/step-functions/latest/dg/connect-sagemaker.html
    """
    stepfunctions._SERVICE_DISPATCH[PREFIX] = _run
    stepfunctions._invoke_resource_with_timeout = _limited(stepfunctions._invoke_resource_with_timeout)
    stepfunctions._dispatch_aws_sdk_json = _guarded(stepfunctions._dispatch_aws_sdk_json)


def _limited(original: Callable[..., Any]) -> Callable[..., Any]:
    def invoke(resource: str, input_data: dict[str, Any], timeout: float) -> Any:
        if resource.startswith(PREFIX) and resource.endswith("Job.sync") and "Transform" not in resource:
            return _run(resource, input_data, float(timeout))
        return original(resource, input_data, timeout)

    return invoke


def _run(resource: str, arguments: dict[str, Any], limit: float | None = None) -> dict[str, Any]:
    action, _, pattern = resource.removeprefix(PREFIX).partition(".")
    tables = {table.noun: table for table in sagemaker.job_tables()}
    table = tables.get(action.removeprefix("create"))
    _complete(action, arguments)
    if (action, pattern) == ("createTransformJob", "sync"):
        _require_waiting("TransformJob", arguments)
        _require("CreateTransformJob", arguments)
        return _transformed(arguments)
    if action not in _REQUESTS or (pattern and (pattern != "sync" or table is None)):
        raise stepfunctions._ExecutionError("States.Runtime", f"the laptop cloud has no {resource}")
    if pattern and table is not None:
        _require_waiting(table.noun, arguments)
    answer = _requested(action, arguments)
    if not pattern or table is None:
        return answer
    job = _ended(table, arguments, limit)
    shown: dict[str, Any] = in_milliseconds(job)
    if table.status(job) != "Completed":
        raise stepfunctions._ExecutionError("States.TaskFailed", json.dumps(shown))
    return shown


def _complete(action: str, arguments: dict[str, Any]) -> None:
    """Raise the error of a state whose arguments are no request: nothing is asked for then."""
    if action not in (*_REQUESTS, "createTransformJob"):
        return
    shape = service_model("sagemaker").operation_model(action[0].upper() + action[1:]).input_shape
    report = ParamValidator().validate(arguments, shape)
    if report.has_errors():
        found = ", ".join(report.generate_report().splitlines())
        raise stepfunctions._ExecutionError("States.Runtime", f"could not be used to start the Task: [{found}]")


def _require_waiting(noun: str, arguments: dict[str, Any]) -> None:
    """Raise the error of a state whose role may not wait for its job: ``.sync`` takes more than the request.

    Step Functions tags the job that it starts. Sources: https://github.com/aws/aws-cdk/issues/26012,
    https://docs.aws.amazon.com/step-functions/latest/dg/sagemaker-iam.html
    """
    prefix = f"{get_region()}:{get_account_id()}"
    rule = f"arn:aws:events:{prefix}:rule/StepFunctionsGetEventsForSageMaker{noun.removeprefix('HyperParameter')}sRule"
    for verb in ("PutTargets", "PutRule", "DescribeRule"):
        sfn_execution.require(f"events:{verb}", rule, service="SageMaker")
    arn = f"arn:aws:sagemaker:{prefix}:{kebab(noun)}/{arguments[f'{noun}Name']}"
    for action in (f"Describe{noun}", f"Stop{noun}", "AddTags", "ListTags"):
        sfn_execution.require(f"sagemaker:{action}", arn, service="SageMaker")


def _require(operation: str, arguments: dict[str, Any]) -> None:
    """Raise the error of a state whose role may not make the request, or may not pass a role on."""
    prefix = f"arn:aws:sagemaker:{get_region()}:{get_account_id()}"
    arns = [iam.sagemaker_arn("/", json.dumps(arguments).encode(), prefix, operation)]
    if operation in ("CreateEndpoint", "UpdateEndpoint"):
        arns.append(f"{prefix}:endpoint-config/{arguments.get('EndpointConfigName')}")
    if operation == "CreateModel":
        arns += _packages(arguments)
    for arn in arns:
        sfn_execution.require(f"sagemaker:{operation}", arn, service="SageMaker")
    for alarm in _alarms(arguments):
        sfn_execution.require("cloudwatch:DescribeAlarms", alarm, service="SageMaker")
    given = {**arguments.get("TrainingJobDefinition", {}), **arguments}
    passed = {given[name] for name in ("RoleArn", "ExecutionRoleArn") if given.get(name)}
    for role in sorted(passed):
        context = {"iam:passedtoservice": "sagemaker.amazonaws.com"}
        sfn_execution.require("iam:PassRole", role, service="SageMaker", context=context)


def _packages(arguments: dict[str, Any]) -> list[str]:
    """Return the versions that a model is made of; who deploys them must be allowed to, beside making the model.

    Source: https://docs.aws.amazon.com/sagemaker/latest/dg/model-registry-deploy-xaccount.html
    """
    containers = [arguments.get("PrimaryContainer") or {}, *arguments.get("Containers", [])]
    return [one["ModelPackageName"] for one in containers if one.get("ModelPackageName")]


def _alarms(arguments: dict[str, Any]) -> list[str]:
    """Return the alarms that would roll an update back, which SageMaker AI looks up as its caller.

    Source: https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-configuration.html
    """
    rollback = (arguments.get("DeploymentConfig") or {}).get("AutoRollbackConfiguration") or {}
    prefix = f"arn:aws:cloudwatch:{get_region()}:{get_account_id()}:alarm"
    return [f"{prefix}:{alarm['AlarmName']}" for alarm in rollback.get("Alarms", [])]


def _guarded(original: Callable[..., Any]) -> Callable[..., Any]:
    """Return ``original`` with the machine's role asked before every request of SageMaker."""

    def dispatch(service_info: Any, service_name: str, action: str, input_data: dict[str, Any]) -> Any:
        if service_name == "sagemaker":
            _require(action[0].upper() + action[1:], input_data)
        return original(service_info, service_name, action, input_data)

    return dispatch


def _requested(action: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Make the request; an error that SageMaker's model does not name is an ``AmazonSageMakerException`` here."""
    try:
        answer: dict[str, Any] = stepfunctions._dispatch_aws_sdk_json(_SERVICE, "sagemaker", action, arguments)
    except stepfunctions._ExecutionError as refused:
        error = str(refused.error).replace(".SageMakerException", ".AmazonSageMakerException")
        raise stepfunctions._ExecutionError(error, refused.cause) from refused
    return answer


def _ended(table: JobTable, arguments: dict[str, Any], limit: float | None) -> Job:
    """Return a job once it is over; at the limit, or when the execution is aborted, it is stopped."""
    deadline = None if limit is None else time.monotonic() + limit
    while True:
        job = table.find(arguments)
        if table.status(job) not in ACTIVE:
            return job
        late = deadline is not None and time.monotonic() > deadline
        if late or sfn_execution.aborted():
            if table.status(job) == "InProgress":
                sagemaker.operations()[f"Stop{table.noun}"](arguments)
            raise stepfunctions._ExecutionError("States.Timeout", f"Task timed out after {limit} seconds")
        time.sleep(POLL_SECONDS)


def _transformed(arguments: dict[str, Any]) -> dict[str, Any]:
    try:
        transform.run(arguments, sagemaker.processes())
    except transform.TransformFailedError as failure:
        cause = {**arguments, "TransformJobStatus": "Failed", "FailureReason": str(failure)}
        raise stepfunctions._ExecutionError("States.TaskFailed", json.dumps(cause)) from failure
    return {**arguments, "TransformJobStatus": "Completed"}
