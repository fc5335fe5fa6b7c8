"""IAM: SageMaker's actions and resources, loopback traffic that counts as TLS, and device policies always enforced."""

from __future__ import annotations

import contextvars
import json
import logging
import re
from collections.abc import Callable
from typing import Any

from ministack import app
from ministack.core import iam_actions, iam_evaluator
from ministack.services import athena, iot

logger = logging.getLogger("laptop_cloud")
# Batch operations that IAM knows by the single one.
_SINGLE = {
    "sqs:SendMessageBatch": "sqs:SendMessage",
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
    "sns:PublishBatch": "sns:Publish",
}
_INVOCATIONS = re.compile(r"^/endpoints/([^/]+)/")
_GROUP = re.compile(r"^/FeatureGroup/([^/]+)")
_ON_PACKAGES = ("CreateModelPackage", "ListModelPackages")
_NAMED = (
    ("FeatureGroupName", "feature-group"),
    ("EndpointName", "endpoint"),
    ("EndpointConfigName", "endpoint-config"),
    ("TransformJobName", "transform-job"),  # before the model, which a transform names too
    ("ModelName", "model"),
    ("ModelPackageGroupName", "model-package-group"),
    ("ModelPackageName", "model-package"),
    ("ModelPackageArn", "model-package"),
    ("PipelineName", "pipeline"),
    ("TrainingJobName", "training-job"),
    ("ProcessingJobName", "processing-job"),
    ("HyperParameterTuningJobName", "hyper-parameter-tuning-job"),
    ("AutoMLJobName", "automl-job"),
    ("MonitoringScheduleName", "monitoring-schedule"),
)


def install() -> None:
    """Teach MiniStack's evaluator SageMaker and make ``aws:SecureTransport`` true.

    The gateway speaks plain HTTP on the loopback interface. A bucket policy that demands TLS must be testable
    with enforcement on, so a request counts as encrypted.
    IoT policies of certificates are enforced even when IAM is not: on AWS no device does without one.
    """
    iam_actions.SERVICE_TO_IAM_NAMESPACE["sagemaker"] = "sagemaker"
    iam_actions.SERVICE_TO_IAM_NAMESPACE["application-autoscaling"] = "application-autoscaling"
    iam_actions._BOTOCORE_SERVICE_MAP["sagemaker"] = ["sagemaker-runtime", "sagemaker-featurestore-runtime"]
    iam_actions.SERVICE_TO_IAM_NAMESPACE["lakeformation"] = "lakeformation"
    original_arn, original_action = iam_actions.extract_resource_arn, iam_actions.extract_iam_action

    def resource_arn(
        service: str, method: str, path: str, headers: dict[str, str], body: bytes,
        query_params: dict[str, Any], region: str, account_id: str,
    ) -> str:  # fmt: skip
        operation = headers.get("x-amz-target", "").split(".")[-1]
        if service == "sagemaker":
            return sagemaker_arn(path, body, f"arn:aws:sagemaker:{region}:{account_id}", operation)
        found: str = original_arn(service, method, path, headers, body, query_params, region, account_id)
        return _closer(service, found, body, operation, place=f"{region}:{account_id}")

    def action(*request: Any) -> str | None:
        found: str | None = original_action(*request)
        return None if found is None else _SINGLE.get(found, found)

    iam_actions.extract_iam_action = action
    iam_actions.extract_resource_arn = resource_arn
    iam_evaluator.enforce = _logging(iam_evaluator.enforce)
    iot._WSSession._evaluates_policies = _evaluates_policies
    iot._provisioning_role_allows = _on_certificates(iot._provisioning_role_allows)
    origin: contextvars.ContextVar[tuple[str, bool]] = contextvars.ContextVar("origin", default=("127.0.0.1", True))
    iam_evaluator._request_origin = origin
    app.pin_request_origin = lambda source_ip, _: origin.set((source_ip, True))


def _logging(original: Callable[..., Any]) -> Callable[..., Any]:
    """Return ``original`` with each refusal written to the log: who, what, on what."""

    def enforce(
        access_key_id: str,
        iam_action: str,
        service: str,
        region: str,
        resource_arn: str = "*",
        service_context: Any = None,
    ) -> Any:
        refusal = original(access_key_id, iam_action, service, region, resource_arn, service_context)
        if isinstance(refusal, iam_evaluator.EvalResult):
            logger.warning("AccessDenied: %s may not do %s on %s", refusal.principal_arn, iam_action, resource_arn)
        return refusal

    return enforce


def _evaluates_policies(session: Any) -> bool:
    return session.certificate_id is not None or (app.AUTH and session.iam_credential is not None)


def _on_certificates(original: Callable[..., bool]) -> Callable[..., bool]:
    """Return ``original`` with AttachThingPrincipal checked on the certificate, the resource that IAM knows for it.

    Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsiot.html
    """

    def role_allows(role_arn: str, requests: list[tuple[str, str]]) -> bool:
        certificate = dict(requests).get("iot:UpdateCertificate", "")
        checked = [
            (action, certificate if action == "iot:AttachThingPrincipal" else resource) for action, resource in requests
        ]
        return original(role_arn, checked)

    return role_allows


def _workgroup_arn(body: bytes, prefix: str) -> str:
    """Return the workgroup of the query that a request names: what Athena checks a call on a query against.

    Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonathena.html
    """
    try:
        query = athena._executions.get(json.loads(body or b"{}").get("QueryExecutionId", ""))
    except ValueError:
        return "*"
    return "*" if query is None else f"{prefix}:workgroup/{query['WorkGroup']}"


def _closer(service: str, found: str, body: bytes, operation: str, *, place: str) -> str:
    """Return what AWS checks a request against where MiniStack knows no or another resource."""
    if service == "glue":
        return _glue_arn(body, f"arn:aws:glue:{place}", operation) or found
    if (service, found) == ("athena", "*"):
        return _workgroup_arn(body, f"arn:aws:athena:{place}")
    if (service, found) == ("monitoring", "*"):
        return _alarm_arn(body, f"arn:aws:cloudwatch:{place}")
    return found


def _glue_arn(body: bytes, prefix: str, operation: str) -> str | None:
    """Return the entry of the catalog that a call is about, a table or a database; None if it is about neither.

    AWS checks its ancestors as well.
    Source: https://docs.aws.amazon.com/glue/latest/dg/glue-specifying-resource-arns.html
    """
    try:
        document = json.loads(body or b"{}")
    except ValueError:
        return None
    if database := document.get("DatabaseName"):
        table = document.get("TableName") or document.get("Name") or (document.get("TableInput") or {}).get("Name")
        return f"{prefix}:table/{database}/{table}" if table else f"{prefix}:database/{database}"
    return f"{prefix}:database/{document['Name']}" if operation in ("GetDatabase", "DeleteDatabase") else None


def _alarm_arn(body: bytes, prefix: str) -> str:
    """Return the first alarm that DescribeAlarms names, where AWS checks every one.

    Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatch.html
    """
    try:
        names = json.loads(body or b"{}").get("AlarmNames")
    except ValueError:
        return "*"
    return f"{prefix}:alarm:{names[0]}" if names else "*"


def sagemaker_arn(path: str, body: bytes, prefix: str, operation: str = "") -> str:
    """Return what SageMaker checks a request against; a group's packages are one resource.

    Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsagemaker.html
    """
    if found := _INVOCATIONS.match(path):
        return f"{prefix}:endpoint/{found.group(1)}"
    if found := _GROUP.match(path):
        return f"{prefix}:feature-group/{found.group(1).lower()}"
    try:
        document = json.loads(body or b"{}")
    except ValueError:
        return "*"
    if operation in _ON_PACKAGES and isinstance(document.get("ModelPackageGroupName"), str):
        return f"{prefix}:model-package/{document['ModelPackageGroupName'].split('/')[-1].lower()}/*"
    return _named_arn(document, prefix)


def _named_arn(document: dict[str, Any], prefix: str) -> str:
    document.update((document.get("Identifiers") or [{}])[0])  # BatchGetRecord: checked on the first group
    for member, kind in _NAMED:
        if isinstance(document.get(member), str):
            name = document[member]
            return name if name.startswith("arn:") else f"{prefix}:{kind}/{name}"
    return "*"
