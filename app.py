"""Builds the CDK app: the stacks picked by the context `stacks`, checked by cdk-nag. No network, no git, no clock."""

from __future__ import annotations

import json
from pathlib import Path

import aws_cdk as cdk
from cdk_nag import AwsSolutionsChecks

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
    if app.node.try_get_context("nag") not in (False, "false"):
        cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    app.synth()


if __name__ == "__main__":
    main()
