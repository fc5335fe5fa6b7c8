"""harden: what compliance packs ask of every function, table and alarm, turned on below one scope at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import aws_cdk as cdk
from aws_cdk import aws_backup as backup
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_sns as sns
from constructs import Construct, IConstruct

from cdk_ml_lens.core.errors import Faults
from cdk_ml_lens.core.function import HandlerFunction
from cdk_ml_lens.core.nag import acknowledge, explain_policy, explanations
from cdk_ml_lens.core.refs import PrivateNetwork

_BACKUP_POLICY = "Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForBackup"


def harden(
    scope: Construct,
    *,
    network: PrivateNetwork | None = None,
    reserved_concurrency: int | None = None,
    point_in_time_recovery: bool = False,
    backup_plan: backup.IBackupPlan | None = None,
    alarm_topic: sns.ITopic | None = None,
) -> None:
    """Change the functions, tables and alarms that are below ``scope`` already: call it when all are made.

    Parameters
    ----------
    scope : Construct
        Stack or construct.
    network : PrivateNetwork, optional
        Where every function runs. It must reach each service that the functions call. Default: where they are.
    reserved_concurrency : int, optional
        Copies that each function takes from the account's pool, where it has no number of its own. Default: none.
    point_in_time_recovery : bool
        Whether every table can be restored to any second of the last 35 days. Default: where a table's loss counts.
    backup_plan : IBackupPlan, optional
        Plan of AWS Backup that every table joins. Default: none.
    alarm_topic : ITopic, optional
        Who is told by alarms that tell nobody so far. If it is encrypted, its key must let ``cloudwatch.amazonaws.com``
        use it. Default: they stay so.

    Raises
    ------
    PropError
        When nothing is asked for, or ``reserved_concurrency`` is below 1.

    Notes
    -----
    Functions and alarms are those of this library's constructs, tables are all. Closes LambdaInsideVPC,
    LambdaConcurrency, DynamoDBPITREnabled, DynamoDBInBackupPlan and CloudWatchAlarmAction. Lens best practices
    MLSEC03-BP03 and MLREL05-BP02. Source:
    https://docs.aws.amazon.com/config/latest/developerguide/operational-best-practices-for-hipaa_security.html
    """
    asked = (network, reserved_concurrency, backup_plan, alarm_topic)
    faults = Faults("harden")
    faults.unless(point_in_time_recovery or any(one is not None for one in asked), "props", "ask for something", None)
    if reserved_concurrency is not None:
        faults.unless(reserved_concurrency >= 1, "reserved_concurrency", "be at least 1", reserved_concurrency)
    faults.raise_any()
    below = scope.node.find_all()
    for function in [one for one in below if isinstance(one, HandlerFunction)]:
        _harden_function(function, network, reserved_concurrency)
    tables = [one for one in below if isinstance(one, dynamodb.Table)]
    if point_in_time_recovery:
        _make_restorable(tables)
    if backup_plan is not None:
        _back_up(tables, backup_plan)
    if alarm_topic is not None:
        _tell(below, alarm_topic)


def _harden_function(function: HandlerFunction, network: PrivateNetwork | None, copies: int | None) -> None:
    if network is not None:
        function.place_in(network)
    if copies is not None:
        function.reserve(copies)


def _make_restorable(tables: Iterable[dynamodb.Table]) -> None:
    kind = dynamodb.CfnTable
    for table in tables:
        resource = table.node.default_child
        assert isinstance(resource, kind)
        resource.point_in_time_recovery_specification = kind.PointInTimeRecoverySpecificationProperty(
            point_in_time_recovery_enabled=True
        )


def _back_up(tables: Sequence[dynamodb.Table], plan: backup.IBackupPlan) -> None:
    """Make one selection in each stack; AWS Backup's own managed policy is what its role has.

    Source: https://docs.aws.amazon.com/aws-backup/latest/devguide/security-iam-awsmanpol.html
    """
    by_stack: dict[str, list[dynamodb.Table]] = {}
    for table in tables:
        by_stack.setdefault(cdk.Names.node_unique_id(cdk.Stack.of(table).node), []).append(table)
    for group in by_stack.values():
        selection = backup.BackupSelection(
            cdk.Stack.of(group[0]),
            "TableBackups",
            backup_plan=plan,
            resources=[backup.BackupResource.from_dynamo_db_table(table) for table in group],
        )
        acknowledge(selection, f"IAM4[{_BACKUP_POLICY}]", "AWS keeps this policy in step with what AWS Backup calls.")
        explain_policy(selection)


def _tell(below: Iterable[IConstruct], topic: sns.ITopic) -> None:
    notify = actions.SnsAction(topic)
    for alarm in below:
        if isinstance(alarm, cloudwatch.Alarm) and "CloudWatchAlarmAction" in explanations(alarm):
            alarm.add_alarm_action(notify)
            alarm.add_ok_action(notify)
