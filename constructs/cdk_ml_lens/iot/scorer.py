"""Scorer: the function ``score_readings`` with everything it writes to, and no permission more."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from aws_cdk import Names
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from cdk_ml_lens.core.errors import Faults
from cdk_ml_lens.core.function import HandlerFunction
from cdk_ml_lens.core.refs import InvocableEndpoint, ReadingAction
from cdk_ml_lens.iot.dead_letter import DeadLetterStore
from cdk_ml_lens.iot.features import Feature, check_features, render_features
from cdk_ml_lens.iot.ledger import Ledger
from cdk_ml_lens.iot.prediction_log import PredictionLog

TIMEOUT_SECONDS = 60


@dataclass(frozen=True, kw_only=True)
class Scoring:
    """How a reading becomes a score.

    Parameters
    ----------
    endpoint : InvocableEndpoint
        The model, for example a `ModelEndpoint`.
    features : sequence of Feature
        Inputs of the model, in its order.
    content_type : {"text/csv", "application/jsonlines"}
        Body of the one call per batch. Default: ``text/csv``.
    threshold : float, optional
        Score above which a reading is an anomaly, in the model's unit. Default: the model's own answer carries it.
    model_version : str, optional
        Recorded when the model's answer does not carry its version. Default: none.
    max_reading_bytes : int
        Larger readings are quarantined, in bytes. Default: 8192. IoT Core takes 128 KiB.
    remember_hours : int
        How long a duplicate is recognised, in hours. Default: 24.

    Raises
    ------
    PropError
        When a value is out of range or a feature is missing or double.
    """

    endpoint: InvocableEndpoint
    features: Sequence[Feature]
    content_type: Literal["text/csv", "application/jsonlines"] = "text/csv"
    threshold: float | None = None
    model_version: str | None = None
    max_reading_bytes: int = 8192
    remember_hours: int = 24

    def __post_init__(self) -> None:
        check_features(self.features)
        faults = Faults("scoring")
        known = ("text/csv", "application/jsonlines")
        faults.unless(self.content_type in known, "content_type", f"be one of {known}", self.content_type)
        faults.within("max_reading_bytes", self.max_reading_bytes, 2, 131_072)
        faults.within("remember_hours", self.remember_hours, 1, 24 * 14)
        faults.raise_any()

    def environment(self) -> dict[str, str]:
        """Return the handler's variables that say how to score."""
        return {
            "ENDPOINT_NAME": self.endpoint.endpoint_name,
            "FEATURES": render_features(self.features),
            "CONTENT_TYPE": self.content_type,
            "THRESHOLD": "" if self.threshold is None else str(self.threshold),
            "MODEL_VERSION": "" if self.model_version is None else self.model_version,
            "MAX_READING_BYTES": str(self.max_reading_bytes),
            "LEDGER_HOURS": str(self.remember_hours),
        }


class Scorer(Construct):
    """The scoring function, its ledger, and its grants. `ScoringRule` feeds it.

    Attributes
    ----------
    function : Function
        The Lambda function.
    role : Role
        Its role.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        scoring: Scoring,
        actions: Sequence[ReadingAction],
        log: PredictionLog | None,
        dead_letters: DeadLetterStore,
        attempts: int,
        encryption_key: kms.IKey,
        reserved_concurrency: int | None = None,
    ) -> None:
        super().__init__(scope, id)
        ledger = Ledger(self, "Ledger", encryption_key=encryption_key)
        environment = {
            **scoring.environment(),
            "DEAD_LETTER_QUEUE_URL": dead_letters.queue.queue_url,
            "LEDGER_TABLE": ledger.table.table_name,
            "MAX_ATTEMPTS": str(attempts),
            "RULE_NAME": Names.unique_resource_name(scope, max_length=64),
            "PREDICTION_STREAM": "" if log is None else log.stream.ref,
        }
        handler = HandlerFunction(
            self,
            "Handler",
            handler="score_readings",
            environment=environment,
            encryption_key=encryption_key,
            timeout_seconds=TIMEOUT_SECONDS,
            reserved_concurrency=reserved_concurrency,
        )
        self.function, self.role = handler.function, handler.role
        scoring.endpoint.grant_invoke(self.role)
        ledger.grant_use(self.role)
        dead_letters.grant_send(self.role)
        if log is not None:
            log.grant_write(self.role)
        self.function.add_environment("ACTIONS", _actions_json([dict(action.bind(self.role)) for action in actions]))

    def on_failure(self, dead_letters: DeadLetterStore, *, retries: int) -> lambda_.CfnEventInvokeConfig:
        """Send asynchronous invocations that fail for good to the dead-letter store."""
        return lambda_.CfnEventInvokeConfig(
            self,
            "OnFailure",
            function_name=self.function.function_name,
            qualifier="$LATEST",
            maximum_retry_attempts=retries,
            maximum_event_age_in_seconds=6 * 3600,
            destination_config=lambda_.CfnEventInvokeConfig.DestinationConfigProperty(
                on_failure=lambda_.CfnEventInvokeConfig.OnFailureProperty(destination=dead_letters.queue.queue_arn)
            ),
        )


def _actions_json(descriptors: list[dict[str, str]]) -> str:
    """Render the actions as JSON, each under a name of its own, because the ledger remembers them by name."""
    seen: Counter[str] = Counter()
    for descriptor in descriptors:
        seen[descriptor["name"]] += 1
        if seen[descriptor["name"]] > 1:
            descriptor["name"] = f"{descriptor['name']}-{seen[descriptor['name']]}"
    return json.dumps(descriptors)
