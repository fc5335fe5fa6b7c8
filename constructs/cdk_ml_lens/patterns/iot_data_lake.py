"""IotDataLake: a fleet's telemetry in a data lake, prepared by one definition for training and for scoring."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_sns as sns
from constructs import Construct

from cdk_ml_lens.core.feature_set import FeatureSet
from cdk_ml_lens.iot.fleet import DeviceFleet
from cdk_ml_lens.iot.prediction_log import PredictionLog
from cdk_ml_lens.iot.topics import RuleSql
from cdk_ml_lens.lake.data_lake import DataLake
from cdk_ml_lens.lake.etl_engine import Engine
from cdk_ml_lens.lake.lake_pipeline import LakePipeline
from cdk_ml_lens.lake.lake_table import LakeTable
from cdk_ml_lens.lake.pipeline_trigger import PipelineTrigger
from cdk_ml_lens.lake.quality import QualityGate
from cdk_ml_lens.lake.stream_ingest import StreamIngest
from cdk_ml_lens.lake.stream_tables import prediction_table, telemetry_table
from cdk_ml_lens.lake.telemetry_archive import TelemetryArchive


class IotDataLake(Construct):
    """Fleet → archive → raw table → cleaned, normalised, features; every message is a row, an error or an alarm.

    Parameters
    ----------
    scope, id
        As for every construct.
    lake : DataLake
        With the zones ``raw``, ``modelled``, ``enhanced`` and ``transformed``.
    fleet : DeviceFleet
        Whose telemetry is kept.
    feature_set : FeatureSet
        Sensors and features. Give the same one to the scorer, and a model sees in service what it was trained on.
    engine : Engine, optional
        Default: ``Engine.single_node()``.
    quality : QualityGate, optional
        Default: at least one row, at most 5 % refused.
    trigger : PipelineTrigger, optional
        When features are made anew. Default: when data has arrived, at most once in five minutes.
    alarm_topic : ITopic, optional
        Who hears of failures. Default: nobody.

    Attributes
    ----------
    telemetry : LakeTable
        Raw readings.
    ingest, archive, pipeline
        The parts.

    Notes
    -----
    Lens best practices MLREL03-BP02 (consistent features), MLOPS03-BP01 (catalog), MLREL05-BP02 (originals are kept).
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        lake: DataLake,
        fleet: DeviceFleet,
        feature_set: FeatureSet,
        engine: Engine | None = None,
        quality: QualityGate | None = None,
        trigger: PipelineTrigger | None = None,
        alarm_topic: sns.ITopic | None = None,
    ) -> None:
        super().__init__(scope, id)
        self._lake = lake
        self.telemetry = lake.add_table(telemetry_table(feature_set.sensors))
        self.ingest = StreamIngest(self, "Ingest", table=self.telemetry, buffer_seconds=60, alarm_topic=alarm_topic)
        self.archive = TelemetryArchive(
            self,
            "Archive",
            sql=RuleSql(topic_filter=fleet.telemetry_topic_filter, device_level=fleet.device_level),
            ingest=self.ingest,
            alarm_topic=alarm_topic,
        )
        self.pipeline = LakePipeline(
            self,
            "Pipeline",
            lake=lake,
            source=self.telemetry,
            feature_set=feature_set,
            engine=engine,
            quality=quality,
            trigger=PipelineTrigger.arrival() if trigger is None else trigger,
            alarm_topic=alarm_topic,
        )

    def add_predictions(self, log: PredictionLog) -> LakeTable:
        """Catalog the predictions of a log, wherever it writes, as a table of the raw zone named as its prefix.

        Raises
        ------
        PropError
            When the log's bucket cannot be catalogued: it has no KMS key, or Lake Formation governs the lake.
        """
        raw = self._lake.zone("raw")
        own = log.bucket.node.path == raw.bucket.node.path
        return raw.add_table(prediction_table(log.prefix), bucket=None if own else log.bucket)

    def outputs(self, stack: cdk.Stack) -> None:
        """Add outputs that name tables, workgroup and state machine, for who queries and starts them."""
        named = {
            "TelemetryTable": self.telemetry,
            "ErrorsTable": self.ingest.errors,
            "ModelledTable": self.pipeline.modelled,
            "EnhancedTable": self.pipeline.enhanced,
            "FeatureTable": self.pipeline.features,
        }
        values = {name: f"{table.database_name}.{table.name}" for name, table in named.items()}
        values["Workgroup"] = self._lake.workgroup.name
        values["PipelineArn"] = self.pipeline.machine.arn
        for name, value in values.items():
            cdk.CfnOutput(stack, name, value=value)
