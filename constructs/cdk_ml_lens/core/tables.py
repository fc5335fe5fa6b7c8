"""Tables whose items live for days: what that means for backups."""

from __future__ import annotations

from aws_cdk import aws_dynamodb as dynamodb

from cdk_ml_lens.core.nag import acknowledge, explain


def short_lived(table: dynamodb.Table, reason: str) -> None:
    """Note why a table has neither point-in-time recovery nor a backup plan.

    Parameters
    ----------
    table : Table
        The table.
    reason : str
        Why nobody would restore it: one sentence.
    """
    acknowledge(table, "DDB3", reason)
    explain(
        table,
        {
            "DynamoDBPITREnabled": f"{reason} harden(point_in_time_recovery=True) turns recovery on.",
            "DynamoDBInBackupPlan": f"{reason} harden(backup_plan=) puts the table into a plan of yours.",
        },
    )
