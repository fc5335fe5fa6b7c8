"""Best practices of operations, security and reliability of the ML Lens, version 2025-11."""

from __future__ import annotations

# Two lines each: id, A where a template can show all of it (else P), title in short words; what is left to do.
OPERATIONS = """
MLOPS01-BP01 P Right skills with accountability and empowerment
    Name an owner and a deputy for each model; the model card has a field for it.
MLOPS01-BP02 P Agreed level of model explainability
    Agree with the business how far answers must be explained, and write it into the model card.
MLOPS01-BP03 P Model adherence to business requirements is monitored
    Rules see that metrics are alarmed; which metric stands for the business, only you know.
MLOPS02-BP01 P ML roles and responsibilities
    Map the roles of the template to people: who may train, approve, deploy and read.
MLOPS02-BP02 P ML profile template
    Keep a model card per model with owner, purpose, data and limits.
MLOPS02-BP03 P Model improvement strategies
    Decide what is tried next when quality falls: data, features, tuning, another algorithm.
MLOPS02-BP04 A Lineage tracker
    Register every model package from the pipeline that trained it, with its data version.
MLOPS02-BP05 P Feedback loops across lifecycle phases
    Rules see the wiring; that labels come back, and that someone reads them, is up to you.
MLOPS02-BP06 P Fairness and explainability are reviewed
    Review bias metrics and feature attributions before each approval.
MLOPS03-BP01 P Data is profiled
    Rules see checks of data quality; read the profile before you choose features.
MLOPS03-BP02 A Tracking and version control
    Version code, data and models, and name all three in the model package.
MLOPS04-BP01 A Operations automated by MLOps and CI/CD
    Release by a pipeline with an approval, not from a notebook.
MLOPS04-BP02 P Packaging patterns for approved public libraries
    Rules see where images come from; scan and pin what is inside them.
MLOPS05-BP01 A Metrics of the deployment environment
    Alarm latency, errors and use of each variant.
MLOPS06-BP01 P Architecture in step across environments, skew checked
    Synthesize all stages from one source, and compare features of training and serving.
MLOPS06-BP02 A Model observability and tracking
    Capture requests, keep logs and traces, and look at them.
MLSEC01-BP01 P Data permissions, privacy, software and licence terms
    Check the licences of data, models and packages, and keep the result with the model card.
MLSEC02-BP01 A Data encryption and obfuscation
    Encrypt every store, volume, stream and log with a key of your own.
MLSEC03-BP01 A Least privilege
    Exact actions on exact resources, conditions on PassRole and on trust.
MLSEC03-BP02 A Secure data and modeling environment
    Isolate models, jobs and notebooks from the internet.
MLSEC03-BP03 P Privacy of sensitive data
    Rules see logging and capture; classify the data, and remove or mask what the model does not need.
MLSEC03-BP04 P Data lineage is enforced
    Rules see trails and versions; record which data trained which model.
MLSEC03-BP05 A Only relevant data is kept
    Set a retention for data, captures and logs.
MLSEC04-BP01 P Secure governed ML environment
    Rules see settings; organization policies, account separation and reviews are outside a template.
MLSEC04-BP02 A Secure communication between nodes of a cluster
    Encrypt traffic between containers and nodes.
MLSEC04-BP03 P Protection against data poisoning
    Rules see who may write, and versions; compare new training data with old before you train.
MLSEC05-BP01 P Protection against adversarial and malicious activity
    Rules see the API's guards; test the model with adversarial input, and watch for extraction.
MLSEC06-BP01 A Access for legitimate consumers only
    Ask every caller who they are.
MLSEC06-BP02 A Human interactions with data are monitored
    Record data events and access logs, and have them read.
MLREL01-BP01 A APIs that shield consumers from change
    Put an API with a contract before the endpoint.
MLREL01-BP02 P ML microservice strategy
    Give each model its own endpoint, role and stack, so that it fails alone.
MLREL02-BP01 A Data catalog
    Register every data set in the Glue catalog.
MLREL02-BP02 A Data pipeline
    Retry, keep what failed, and alarm on it.
MLREL02-BP03 P Managed data changes
    Start the pipeline on arrival of data, and refuse data that breaks the schema.
MLREL03-BP01 A CI/CD/CT automation with traceability
    Let commit, data and drift start the same pipeline, and keep its executions.
MLREL03-BP02 A Feature consistency between training and inference
    Compute features in one place for both, or use a feature store with both sides.
MLREL03-BP03 P Models validated with relevant data
    Rules see the gate; that its data is like production's, only you know.
MLREL03-BP04 P Data bias is detected and mitigated
    Compute bias metrics before training, and decide per group what is acceptable.
MLREL04-BP01 A Endpoint changes through a pipeline
    Change endpoints by stack or pipeline only, with a rollback.
MLREL04-BP02 A Deployment and testing strategy
    Shift traffic in steps, watched by alarms that roll back.
MLREL05-BP01 A Automatic scaling of endpoints
    Register every variant with a scaling policy.
MLREL05-BP02 A Recoverable endpoint with managed versions
    Pin images by digest, version artifacts, and run two instances or more.
"""
