"""Scorer: the function ``score_readings`` with everything it writes to, and no permission more."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence

from aws_cdk import Names
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from cdk_ml_lens.core.function import HandlerFunction
from cdk_ml_lens.core.nag import explain
from cdk_ml_lens.core.refs import ReadingAction
from cdk_ml_lens.iot.dead_letter import DeadLetterStore
from cdk_ml_lens.iot.device_windows import DeviceWindows
from cdk_ml_lens.iot.ledger import Ledger
from cdk_ml_lens.iot.prediction_log import PredictionLog
from cdk_ml_lens.iot.scoring import Scoring

TIMEOUT_SECONDS = 60


class Scorer(Construct):
    """The scoring function, its ledger, and its grants. `ScoringRule` feeds it.

    Attributes
    ----------
    function : Function
        The Lambda function.
    role : Role
        Its role.
    windows : DeviceWindows or None
        The recent readings of each device; only if the features are a feature set.
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
        self.windows = self._windows(scoring, encryption_key)
        self.function.add_environment("ACTIONS", _actions_json([dict(action.bind(self.role)) for action in actions]))

    def _windows(self, scoring: Scoring, encryption_key: kms.IKey) -> DeviceWindows | None:
        """Make the table of the windows, and let the function use it and the normalisation parameters."""
        if scoring.feature_set is None:
            return None
        windows = DeviceWindows(self, "Windows", encryption_key=encryption_key)
        windows.grant_use(self.role)
        self.function.add_environment("WINDOW_TABLE", windows.table.table_name)
        if scoring.normalisation is not None:
            scoring.normalisation.grant_read(self.role)
        return windows

    def on_failure(self, dead_letters: DeadLetterStore, *, retries: int) -> lambda_.CfnEventInvokeConfig:
        """Send asynchronous invocations that fail for good to the dead-letter store."""
        explain(self, {"LambdaDLQ": "What fails for good goes to the failure destination, with its cause."})
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
