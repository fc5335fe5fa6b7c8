"""OPS7: what is trained is registered, so that a model can be traced to its data and its code."""

from __future__ import annotations

from collections.abc import Iterator

from cdk_ml_lens.review import jobs, statements
from cdk_ml_lens.review.rule import Finding, Rule, Severity
from cdk_ml_lens.review.template import Template

_TRAINING = ("createTrainingJob", "createHyperParameterTuningJob", "createAutoMLJobV2")
_REGISTRIES = (
    "AWS::SageMaker::ModelPackageGroup",
    "AWS::SageMaker::ModelPackage",
    "AWS::SageMaker::MlflowApp",
    "AWS::SageMaker::MlflowTrackingServer",
)


def check(template: Template) -> Iterator[Finding]:
    """Find definitions that train, in an app that neither has a registry nor may write to one."""
    if template.everywhere(*_REGISTRIES) or any(_registers(one) for one in (template, *template.others)):
        return
    training = [job.owner.logical_id for job in jobs.of(template) if job.operation in _TRAINING]
    for logical_id in dict.fromkeys(training):
        yield Finding(logical_id=logical_id, message="trains models, and nothing of the app registers them")


def _registers(template: Template) -> bool:
    calls = any(job.operation == "createModelPackage" for job in jobs.of(template))
    allowed = (action.lower() for one in statements.of(template) if one.allows for action in one.actions)
    return calls or "sagemaker:createmodelpackage" in allowed


RULE = Rule(
    id="OPS7",
    title="What is trained is registered",
    practices=("MLOPS02-BP04", "MLREL03-BP01", "MLSEC03-BP04"),
    severity=Severity.WARNING,
    explanation="When the model in production misbehaves, nobody can tell which data and which code it came from.",
    fix="Register the result as a model package (AWS::SageMaker::ModelPackageGroup), or its run with MLflow.",
    source="https://docs.aws.amazon.com/sagemaker/latest/dg/model-registry.html",
    check=check,
)
