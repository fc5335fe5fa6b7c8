"""Builds the CDK app: the stacks of the context `stacks`, checked by rule packs. No network, no git, no clock."""

from __future__ import annotations

import json
from pathlib import Path

import aws_cdk as cdk

from cdk_ml_lens import add_packs
from cdk_ml_lens.core.boundary import bound_roles
from stacks.data_lake import DataLakeStack
from stacks.iot_inference import IotInferenceStack
from stacks.mlops_loop import MlopsLoopStack
from stacks.model_hosting import ModelHostingStack
from stacks.traffic_shift import TrafficShiftStack

STACKS = {
    "DataLake": DataLakeStack,
    "IotInference": IotInferenceStack,
    "MlopsLoop": MlopsLoopStack,
    "ModelHosting": ModelHostingStack,
    "TrafficShift": TrafficShiftStack,
}


def flags() -> dict[str, object]:
    """Return the context of ``cdk.json``, so that ``python app.py`` and ``cdk synth`` give the same templates."""
    settings = json.loads((Path(__file__).parent / "cdk.json").read_text(encoding="utf-8"))
    return dict(settings["context"])


def main() -> None:
    """Synthesize the picked stacks (default: all)."""
    app = cdk.App(context=flags())
    picked = app.node.try_get_context("stacks")
    for name in STACKS if picked is None else str(picked).split(","):
        STACKS[name](app, name)
    bound_roles(app)
    if app.node.try_get_context("nag") not in (False, "false"):
        packs = app.node.try_get_context("packs")
        add_packs(app, *("AwsSolutions" if packs is None else str(packs)).split(","))
    app.synth()


if __name__ == "__main__":
    main()
