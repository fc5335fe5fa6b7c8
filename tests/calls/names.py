"""What the scan of AWS calls must be told: whose client a name is, and which names are no client."""

from __future__ import annotations

# A name that is a service's own is its client wherever it stands.
SERVICES = {
    "cloudformation": "cloudformation",
    "firehose": "firehose",
    "iot": "iot",
    "s3": "s3",
    "sagemaker": "sagemaker",
    "sqs": "sqs",
}

# Calls that make a client, with the service as their first argument.
MAKERS = frozenset({"client", "_client", "_service"})

RUNTIME = "lambda_src/ml_lens_runtime"
LOCAL = "constructs/cdk_ml_lens/local"
# (file, name) -> service, where a client is handed over under a general name.
CLIENTS = {
    (f"{RUNTIME}/ab_cohorts.py", "client"): "dynamodb",  # from evaluate_test: clients.ledger
    (f"{RUNTIME}/ab_journal.py", "client"): "dynamodb",  # Journal(client=clients.ledger)
    (f"{RUNTIME}/ab_state.py", "client"): "dynamodb",  # StateStore(client=clients.ledger)
    (f"{RUNTIME}/http_model.py", "runtime"): "sagemaker-runtime",  # made by `client` of the same file
    (f"{RUNTIME}/retrain_outbox.py", "bus"): "events",  # RetrainClients.bus
    (f"{RUNTIME}/retrain_setup.py", "client"): "s3",  # RetrainClients.artifacts
    (f"{RUNTIME}/retrain_store.py", "client"): "dynamodb",  # StateStore(client=clients.ledger)
    (f"{RUNTIME}/window_store.py", "client"): "dynamodb",  # WindowStore(client=clients.window)
    ("etl_src/jobs/put_features.py", "store"): "sagemaker-featurestore-runtime",  # _client() of the same file
    ("etl_src/ml_lens_etl/catalog.py", "_client"): "glue",  # GlueCatalog(boto3.client("glue"))
    ("etl_src/ml_lens_etl/store.py", "_client"): "s3",  # S3Store(boto3.client("s3"))
    (f"{LOCAL}/cli_loadtest.py", "client"): "sagemaker-runtime",  # `make` is boto3.client there, untyped
    (f"{LOCAL}/cli_rebuild.py", "machines"): "stepfunctions",  # `make` is boto3.client there, untyped
    (f"{LOCAL}/lake_query.py", "_client"): "athena",  # Athena(cloud.client("athena"), …)
    (f"{LOCAL}/loop_watch.py", "states"): "stepfunctions",  # cloud.client("stepfunctions"), handed to a helper
    (f"{LOCAL}/rollout_traffic.py", "client"): "sagemaker-runtime",  # made by `_client` of the same file
    (f"{LOCAL}/server/firehose_lambda.py", "client"): "lambda",  # from firehose_delivery
    (f"{LOCAL}/server/firehose_parquet.py", "client"): "glue",  # from firehose_delivery
}

# (file, name) -> what it is, where a method is named as an operation of a service that is used here.
OTHERS = {
    ("etl_src/ml_lens_etl/publish.py", "catalog"): "our own catalog, local or Glue",
    (f"{LOCAL}/demo_fleet.py", "_connections"): "MQTT connections",
    (f"{LOCAL}/device.py", "_client"): "an MQTT client",
    (f"{LOCAL}/device.py", "client"): "an MQTT client",
    (f"{LOCAL}/faults/door.py", "_devices"): "MQTT connections",
    (f"{LOCAL}/faults/scripts.py", "stage"): "our own stage of the faults",
    (f"{LOCAL}/model_server.py", "model"): "a model in this process",
    (f"{LOCAL}/provisioning.py", "connection"): "an MQTT connection",
    (f"{LOCAL}/server/invoke.py", "process"): "a model server's process",
    (f"{LOCAL}/server/model_groups.py", "self"): "a store of the emulator itself",
    (f"{LOCAL}/server/model_shapes.py", "_model"): "a model server's process",
    (f"{LOCAL}/server/model_shapes.py", "stage"): "a model server's process",
    (f"{LOCAL}/server/monitors.py", "self"): "a store of the emulator itself",
    (f"{LOCAL}/server/sagemaker.py", "_invoker"): "our own invoker",
    (f"{LOCAL}/server/transform.py", "process"): "a model server's process",
}

# (file, function) -> where an operation is chosen at run time, and by what.
CHOSEN = {
    (f"{LOCAL}/server/sfn_s3.py", "_client"): "the emulator's Step Functions: the action that a state machine names",
}
