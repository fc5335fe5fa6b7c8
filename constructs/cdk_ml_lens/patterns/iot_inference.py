"""IotInference: from a sensor's reading to an alert, and a command back to the sensor's device."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import aws_kms as kms
from constructs import Construct

from cdk_ml_lens.core.bucket import SecureBucket
from cdk_ml_lens.core.feature_set import FeatureSet
from cdk_ml_lens.core.keys import key_or_new
from cdk_ml_lens.core.refs import ReadingAction
from cdk_ml_lens.hosting.capture import DataCapture
from cdk_ml_lens.hosting.endpoint import ModelEndpoint
from cdk_ml_lens.hosting.variants import Variant
from cdk_ml_lens.iot.actions import CommandDevice, NotifyTopic
from cdk_ml_lens.iot.features import Feature
from cdk_ml_lens.iot.fleet import DeviceFleet
from cdk_ml_lens.iot.ingestion import Ingestion
from cdk_ml_lens.iot.prediction_log import PredictionLog
from cdk_ml_lens.iot.scoring import Scoring
from cdk_ml_lens.iot.scoring_rule import ScoringRule
from cdk_ml_lens.iot.topics import RuleSql

RETENTION_DAYS = 365


class IotInference(Construct):
    """Fleet → rule → queue → scorer → endpoint → log, notification and device command; alarms go to a topic.

    Parameters
    ----------
    scope, id
        As for every construct.
    variants : sequence of Variant
        What the endpoint serves.
    features : sequence of Feature, or FeatureSet
        Inputs of the model, in its order: fields of a reading, or features of its device's window.
    ingestion : Ingestion, optional
        Default: ``Ingestion.queued()``.
    actions : sequence of ReadingAction
        What else follows an anomaly, beside the notification and the device command. Default: nothing.
    emails : sequence of str
        Who is told of anomalies and alarms. Default: nobody by mail; subscribe to the topics.
    fleet : DeviceFleet, optional
        Your own, with a pre-provisioning hook or another topic prefix. Default: a new one on ``devices/``.
    encryption_key : IKey, optional
        Customer managed key of everything. Default: a new one.

    Attributes
    ----------
    fleet, endpoint, rule, log, alerts, alarms, bucket
        The parts.

    Notes
    -----
    Captures and predictions expire after a year (Lens best practice MLSEC03-BP05).
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        variants: Sequence[Variant],
        features: Sequence[Feature] | FeatureSet,
        ingestion: Ingestion | None = None,
        actions: Sequence[ReadingAction] = (),
        emails: Sequence[str] = (),
        fleet: DeviceFleet | None = None,
        encryption_key: kms.IKey | None = None,
    ) -> None:
        super().__init__(scope, id)
        key = key_or_new(self, encryption_key, description="Encrypts readings, predictions, captures and alerts")
        self.alarms = NotifyTopic(self, "Alarms", encryption_key=key, emails=emails)
        self.alerts = NotifyTopic(self, "Alerts", encryption_key=key, emails=emails)
        self.bucket = SecureBucket(self, "Storage", encryption_key=key, expire_days=RETENTION_DAYS).bucket
        self.fleet = DeviceFleet(self, "Fleet") if fleet is None else fleet
        self.endpoint = ModelEndpoint(
            self,
            "Endpoint",
            variants=variants,
            capture=DataCapture(bucket=self.bucket),
            encryption_key=key,
            alarm_topic=self.alarms.topic,
        )
        self.log = PredictionLog(
            self, "Predictions", bucket=self.bucket, encryption_key=key, alarm_topic=self.alarms.topic
        )
        self.rule = ScoringRule(
            self,
            "Scoring",
            sql=RuleSql(topic_filter=self.fleet.telemetry_topic_filter, device_level=self.fleet.device_level),
            scoring=Scoring(endpoint=self.endpoint, features=features),
            ingestion=ingestion,
            actions=[self.alerts, CommandDevice(fleet=self.fleet), *actions],
            log=self.log,
            encryption_key=key,
            alarm_topic=self.alarms.topic,
        )
