"""Plain CDK constructs with the checks on: an acknowledged finding, a changed severity, a rule of one's own."""

from __future__ import annotations

from collections.abc import Iterator

import aws_cdk as cdk
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns

from cdk_ml_lens import Finding, MlLensChecks, Rule, Severity
from cdk_ml_lens.review.template import Template


# region: rule
def unnamed_topics(template: Template) -> Iterator[Finding]:
    """Find topics whose mails have no sender."""
    for topic in template.of_type("AWS::SNS::Topic"):
        if topic.get("DisplayName") is None:
            yield Finding(logical_id=topic.logical_id, message="DisplayName is not set")


NAMED_TOPICS = Rule(
    id="ACME1",
    title="Topics say who writes",
    practices=("MLOPS01-BP01",),
    severity=Severity.WARNING,
    explanation="A mail without a sender's name is taken for spam, and the alarm is missed.",
    fix="Set DisplayName.",
    source="https://docs.aws.amazon.com/sns/latest/dg/sns-create-topic.html",
    check=unnamed_topics,
)
# endregion


def build(app: cdk.App) -> cdk.Stack:
    """Build the stack."""
    stack = cdk.Stack(app, "Review")
    key = kms.Key(stack, "Key", enable_key_rotation=True)
    sns.Topic(stack, "Alarms", display_name="Weather station", master_key=key, enforce_ssl=True)
    weather = kinesis.Stream(stack, "Weather", encryption=kinesis.StreamEncryption.MANAGED)
    # region: acknowledge
    acknowledged = cdk.Acknowledgment(
        id="MlLens::MlLens-LK9",
        reason="Readings of a public weather station. A key of our own would go here with the first private one.",
    )
    cdk.Validations.of(weather).acknowledge(acknowledged)
    # endregion
    # region: checks
    cdk.Validations.of(app).add_plugins(MlLensChecks())
    # endregion
    return stack


def strict(app: cdk.App) -> None:
    """Add the checks with other severities and a rule more."""
    # region: strict
    checks = MlLensChecks(severities={"LC2": Severity.ERROR}, extra=[NAMED_TOPICS])
    cdk.Validations.of(app).add_plugins(checks)
    # endregion


if __name__ == "__main__":
    main = cdk.App()
    build(main)
    main.synth()
