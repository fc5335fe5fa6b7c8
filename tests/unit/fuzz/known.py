"""Objects by the annotation that takes them: values by their class, things of CDK by their interface."""

from __future__ import annotations

from typing import Any

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk import aws_stepfunctions as sfn
from constructs import IConstruct

from cdk_ml_lens.core.refs import InvocableEndpoint, PrivateNetwork
from tests.unit.fuzz.catalog import good_values
from tests.unit.fuzz.place import Place

Known = dict[Any, list[Any]]


def known_of(at: Place) -> Known:
    """Return what may be drawn for an annotation that is not plain."""
    found: Known = {
        kms.IKey: [at.key],
        s3.IBucket: [at.bucket],
        sns.ITopic: [at.topic],
        iam.IRole: [at.role],
        lambda_.IFunction: [at.function],
        sfn.IStateMachine: [at.machine],
        events.IEventBus: [at.bus],
        kinesis.IStream: [at.stream],
        cloudwatch.IAlarm: [at.alarm],
        cloudwatch.IMetric: [at.metric],
        IConstruct: [at.stack],
        InvocableEndpoint: [at.endpoint],
        PrivateNetwork: [at.network],
    }
    for value in good_values(at):
        for kind in type(value).__mro__[:-1]:
            found.setdefault(kind, []).append(value)
    return found
