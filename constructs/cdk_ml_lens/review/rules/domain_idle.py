"""NB8: Studio applications stop when idle."""

from __future__ import annotations

from collections.abc import Iterator

from cdk_ml_lens.review.rule import Finding, Rule, Severity
from cdk_ml_lens.review.template import Template

_IDLE = "DefaultUserSettings.JupyterLabAppSettings.AppLifecycleManagement.IdleSettings.LifecycleManagement"


def check(template: Template) -> Iterator[Finding]:
    """Find domains in which idle applications run on."""
    for one in template.of_type("AWS::SageMaker::Domain"):
        if one.get(_IDLE, "DISABLED") == "DISABLED":
            yield Finding(logical_id=one.logical_id, message="idle applications are not stopped")


RULE = Rule(
    id="NB8",
    title="Studio applications stop when idle",
    practices=("MLCOST04-BP08", "MLSUS03-BP01"),
    severity=Severity.WARNING,
    explanation="A Studio space runs, and costs, until somebody stops it.",
    fix=(
        "Set "
        "DefaultUserSettings.JupyterLabAppSettings.AppLifecycleManagement.IdleSettings.LifecycleManagement to ENABLED."
    ),
    source="https://docs.aws.amazon.com/sagemaker/latest/dg/studio-updated-idle-shutdown.html",
    check=check,
)
