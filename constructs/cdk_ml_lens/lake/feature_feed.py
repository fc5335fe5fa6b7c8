"""The step that puts the newest features of each device into a feature group."""

from __future__ import annotations

import json

from cdk_ml_lens.core.assets import bundled
from cdk_ml_lens.lake.etl_step import EtlStep
from cdk_ml_lens.lake.lake_pipeline import LakePipeline


def feed_step(pipeline: LakePipeline, group_name: str) -> EtlStep:
    """Return the step; it publishes no table.

    Parameters
    ----------
    pipeline : LakePipeline
        Whose table of features is read.
    group_name : str
        Name of the feature group.
    """
    table = pipeline.features
    return EtlStep.from_script(
        bundled("etl_src") / "jobs" / "put_features.py",
        source=table,
        arguments={
            "--source": f"{table.database_name}.{table.name}",
            "--feature_group": group_name,
            "--features": json.dumps(pipeline.feature_set.names),
        },
    )
