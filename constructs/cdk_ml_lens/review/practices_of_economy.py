"""Best practices of performance, cost and sustainability of the ML Lens, version 2025-11."""

from __future__ import annotations

# Two lines each: id, A where a template can show all of it (else P), title in short words; what is left to do.
ECONOMY = """
MLPERF01-BP01 P Key performance indicators
    Agree on the indicators with the business, and put them on a dashboard.
MLPERF02-BP01 P Relevant evaluation metrics
    Choose metrics that cost what an error costs, and gate on them.
MLPERF02-BP02 P Purpose-built AI and ML services
    Rules see services that ended; whether an AI service solves the task is a choice before the template.
MLPERF03-BP01 P Modern data architecture
    Rules see formats and governance; which data belongs together is your design.
MLPERF04-BP01 P Optimized instance types for training and inference
    Measure candidates with your model and load before you choose.
MLPERF04-BP02 P Alternatives for improvement are explored
    Plan time for other algorithms, features and data, and record the runs.
MLPERF04-BP03 P Performance evaluation pipeline
    Rules see the evaluation; keep its test set fixed and representative.
MLPERF04-BP04 P Feature statistics
    Keep statistics of each feature from training, and compare those of production with them.
MLPERF04-BP05 P Performance trade-off analysis
    Compare accuracy, latency and cost of the candidates, and write down why one won.
MLPERF04-BP06 P Performance issues of transfer learning
    Test what a pretrained model brings along: bias, licence, errors on your data.
MLPERF05-BP01 P Cloud or edge deployment
    Weigh latency, connection and updates; the edge has its own release process.
MLPERF05-BP02 P Optimal deployment option in the cloud
    Rules see settings of the chosen option; choose it by the shape of the load.
MLPERF06-BP01 P Human-in-the-loop monitoring
    Have people judge a sample of answers, above all those of low confidence.
MLPERF06-BP02 P Model explainability in production
    Compare feature attributions of production with those of training.
MLPERF06-BP03 A Data drift is evaluated
    Compare captured requests with the training data on a schedule.
MLPERF06-BP04 A Performance degradation is monitored and handled
    Alarm on quality and drift, and let the alarm act.
MLPERF06-BP05 A Automated retraining framework
    Let drift start the training pipeline.
MLPERF06-BP06 P Updated data and features are reviewed
    Look at new data sources and features before each larger retraining.
MLCOST01-BP01 P Overall return on investment and opportunity cost
    Estimate value and cost of the model before you build it, and again each year.
MLCOST01-BP02 P Managed services to reduce total cost of ownership
    Rules see services that ended or are closed; compare the cost of operating your own.
MLCOST02-BP01 P ML is the right solution
    Beat a simple rule or a query first.
MLCOST02-BP02 P Custom or pretrained model trade-off
    Compare the cost of training your own with adapting a pretrained model.
MLCOST03-BP01 P Managed data labeling
    Ground Truth is closed to new customers; choose a labelling tool that writes manifests to S3.
MLCOST03-BP02 P Low-code tools and code generation for data work
    Let analysts prepare data with tools they know before you write jobs.
MLCOST03-BP03 P Managed data processing capabilities
    Prefer Glue, EMR Serverless and processing jobs to instances of your own.
MLCOST03-BP04 A Feature reusability
    Share features through a feature store or a catalogued table.
MLCOST04-BP01 P Optimal computing instance size
    Start small, look at the use of CPU and memory, then size.
MLCOST04-BP02 P Managed build environments
    Build images in CodeBuild, notebooks in Studio with an idle stop.
MLCOST04-BP03 P Local training for small experiments
    Run the first epochs on a laptop or a small instance.
MLCOST04-BP04 P Optimal ML framework
    Choose the framework by the team's skill and the speed on your data.
MLCOST04-BP05 P Automated machine learning
    Try AutoML for a baseline before weeks of tuning.
MLCOST04-BP06 A Managed training on spot capacity
    Train on spot, with checkpoints.
MLCOST04-BP07 P Distributed training
    Use more instances only where the measured speed-up pays for them.
MLCOST04-BP08 A Resources stopped when not in use
    Stop notebooks, apps and clusters when they are idle.
MLCOST04-BP09 P Training starts with small data sets
    Get code and metrics right on a sample first.
MLCOST04-BP10 A Warm start and checkpoints in tuning
    Start a tuning job from the last one, and keep checkpoints.
MLCOST04-BP11 A Hyperparameter optimization technologies
    Tune with Bayesian search or Hyperband, and stop weak runs early.
MLCOST04-BP12 A Budgets and resource tagging
    Set a budget, and tag what is billed.
MLCOST04-BP13 A Data and compute close to each other
    Keep buckets, jobs and endpoints in one Region.
MLCOST04-BP14 P Optimal algorithms
    Prefer the cheapest algorithm within the agreed quality.
MLCOST05-BP01 P Appropriate deployment option
    Serverless or asynchronous for rare calls, batch where nobody waits, real time for the rest.
MLCOST05-BP02 P Cost-effective hardware
    Rules see the processor; price per thousand predictions has to be measured.
MLCOST05-BP03 A Right-sized model hosting fleet
    Scale each variant between measured limits.
MLCOST06-BP01 A Usage and cost by ML activity
    Tag jobs and endpoints, and read the bill by tag.
MLCOST06-BP02 P Return on investment of models is monitored
    Compare the value of the answers with the tagged cost each month.
MLCOST06-BP03 A Endpoint usage is monitored, fleet right-sized
    Alarm on variants that nobody calls, and on low use.
MLCOST06-BP04 A Debugging and logging
    Log and trace functions, state machines, APIs and endpoints.
MLSUS01-BP01 P Overall environmental impact
    Ask whether the model's use is worth its energy, and who pays for it.
MLSUS02-BP01 P AI services and pretrained models
    Prefer adapting a shared model to training your own.
MLSUS02-BP02 P Sustainable Regions
    Choose a Region with low-carbon energy among those your users and laws allow.
MLSUS03-BP01 A Idle resources minimized
    Stop what is idle; serverless or asynchronous endpoints for rare calls.
MLSUS03-BP02 A Data lifecycle policies
    Expire and tier data by rule.
MLSUS03-BP03 A Sustainable storage options
    Store columns, compressed, in tiers.
MLSUS04-BP01 P Sustainable performance criteria
    Agree on an accuracy that is good enough, and stop there.
MLSUS04-BP02 P Energy-efficient algorithms
    Try the smaller model first: distilled, quantized, fewer trees.
MLSUS04-BP03 A Unnecessary training artifacts archived or deleted
    Expire checkpoints, logs and old models by prefix.
MLSUS04-BP04 A Efficient tuning methods
    Search with a strategy, in bounds, with early stopping.
MLSUS05-BP01 P Service levels aligned with sustainability goals
    Promise only the latency and availability that users need.
MLSUS05-BP02 A Efficient silicon
    Graviton, Inferentia and Trainium where they run your model.
MLSUS05-BP03 P Models optimized for inference
    Compile, prune or quantize the model, and measure its accuracy again.
MLSUS05-BP04 A Multiple models behind one endpoint
    Share instances between models that are seldom called.
MLSUS06-BP01 P Material efficiency is measured
    Track energy or instance hours per thousand predictions.
MLSUS06-BP02 A Retraining only when necessary
    Retrain on drift, not by the calendar alone.
"""
