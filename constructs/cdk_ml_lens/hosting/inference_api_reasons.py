"""Why the stage of an inference API is as it is, for packs that ask for something else."""

from __future__ import annotations

STAGE_REASONS = {
    "APIGWCacheEnabledAndEncrypted": "Each request is a POST with data of its own: a cache would keep data and answers "
    "of callers, and API Gateway caches GET alone by default. No prop turns it on.",
    "APIGWExecutionLoggingEnabled": "Execution logs hold values of requests; the access log and X-Ray say who called "
    "and what happened. For a search for a fault: api.deployment_stage takes logging_level.",
    "APIGWSSLEnabled": "API Gateway shows a client certificate to HTTP back ends only; this one is a Lambda function, "
    "which API Gateway calls by IAM and TLS. See "
    "https://docs.aws.amazon.com/apigateway/latest/developerguide/getting-started-client-side-ssl-authentication.html",
}
