"""Pillars of the Machine Learning Lens: of its best practices, and of the rules of cdk-nag, which name none."""

from __future__ import annotations

import re

from cdk_ml_lens.review import validation

PILLARS = (
    "Operational excellence",
    "Security",
    "Reliability",
    "Performance efficiency",
    "Cost optimization",
    "Sustainability",
)
_PREFIXES = dict(zip(("MLOPS", "MLSEC", "MLREL", "MLPERF", "MLCOST", "MLSUS"), PILLARS, strict=True))
# The Lens's own pillar for what a rule of cdk-nag asks; everything that is not named here is about security.
_BY_RULE = (
    ("Reliability", r"DLQ|RedrivePolicy|Replication|Versioning|Backup|PITR|MultiAZ|Concurrency|AlarmAction"),
    (
        "Reliability",
        r"AutoScaling|DeletionProtection|ElasticBeanstalk|EventSourceMappingDestination|AsyncFailureDestination",
    ),
    ("Reliability", r"(SQS3|DDB3|RDS(3|10|11|15)|EC2(8|9)|ASG3|OS7|OS9|NEP(1|3|5)|DOC5|MSK6|ECC(5|6))"),
    ("Operational excellence", r"Xray|Tracing|StructuredLogging|RetentionPeriod|LogGroupRetention|EnhancedMonitoring"),
    ("Operational excellence", r"(SF1|SF2|L1|LambdaLatestVersion|LambdaDefaultTimeout|ASG2|EVB1|MSK3)"),
    ("Performance efficiency", r"LambdaDefaultMemorySize|APIGWDefaultThrottling|CacheEnabled$"),
)


def of_practices(practices: tuple[str, ...]) -> str:
    """Return the pillar of a rule's first best practice.

    Parameters
    ----------
    practices : tuple of str
        Best practices of the Lens: ``MLSEC03-BP02``.

    Raises
    ------
    ValueError
        If there is none, or its id is of no pillar.
    """
    prefix = re.match(r"[A-Z]+", practices[0] if practices else "")
    if prefix is None or prefix[0] not in _PREFIXES:
        raise ValueError(f"practices must start with one of {', '.join(_PREFIXES)}, got {practices}")
    return _PREFIXES[prefix[0]]


def of_rule(rule: str) -> str:
    """Return the pillar that a rule of another pack is about; security where nothing else is known."""
    short = validation.base(rule)
    for pillar, pattern in _BY_RULE:
        if re.fullmatch(pattern, short) if pattern.startswith("(") else re.search(pattern, short):
            return pillar
    return "Security"
