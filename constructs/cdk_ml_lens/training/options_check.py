"""What SageMaker AI would refuse, or silently ignore, of an algorithm with options."""

from __future__ import annotations

from cdk_ml_lens.core.errors import Faults
from cdk_ml_lens.training.algorithm_definition import AlgorithmDefinition
from cdk_ml_lens.training.options import TrainingOptions

_MOST_WAIT_MINUTES = 60
_NETWORK = "a container without a network reaches no MLflow"
_SPOT = "see docs.aws.amazon.com/sagemaker/latest/dg/model-managed-spot-training.html"


def check_options(algorithm: AlgorithmDefinition, options: TrainingOptions) -> None:
    """Raise a `PropError` when algorithm and options do not go together.

    An algorithm without checkpoints waits for spot capacity for an hour at most, when it is built in:
    https://docs.aws.amazon.com/sagemaker/latest/dg/model-managed-spot-training.html
    """
    faults = Faults(f"algorithm {algorithm.name!r}")
    resources = options.resources
    if resources.spot is not None and algorithm.source is None:
        waits = resources.spot.max_wait_minutes
        faults.unless(waits <= _MOST_WAIT_MINUTES, "spot", f"wait at most {_MOST_WAIT_MINUTES} minutes", waits, _SPOT)
    if resources.spot is not None:
        kept = algorithm.checkpoints or not resources.spot.checkpoints
        faults.unless(kept, "spot", "have checkpoints=False", resources.spot, "the algorithm writes no checkpoints")
    streamed = resources.input_mode == "Pipe" and algorithm.source is not None
    hint = "a script reads files; FastFile streams them"
    faults.unless(not streamed, "input_mode", "be File or FastFile", resources.input_mode, hint)
    if options.tuning is not None and algorithm.source is not None:
        metric, known = options.tuning.metric, sorted(algorithm.metrics)
        faults.unless(metric in known, "tuning", f"optimise one of {known}", metric)
    if algorithm.auto_ml is not None:
        unused = options.tuning is None and resources.spot is None and options.tracking is None
        faults.unless(unused, "options", "have no tuning, spot or tracking", options, "AutoML has its own")
    reachable = options.tracking is None or not options.isolation.isolated
    faults.unless(reachable, "isolation", "have isolated=False for tracking", options.isolation.isolated, _NETWORK)
    faults.raise_any()
