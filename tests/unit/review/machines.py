"""State machines and pipelines of one step, for the tests of rules."""

from __future__ import annotations

import json
from typing import Any


def machine(call: str, arguments: Any, name: str = "Run") -> dict[str, Any]:
    """Return a state machine ``S`` whose one state makes a call: ``sagemaker:createTrainingJob.sync``."""
    state = {"Type": "Task", "Resource": f"arn:aws:states:::{call}", "Arguments": arguments, "End": True}
    definition = {"StartAt": name, "QueryLanguage": "JSONata", "States": {name: state}}
    return {"S": ("AWS::StepFunctions::StateMachine", {"DefinitionString": json.dumps(definition)})}


def pipeline(step: str, arguments: Any, name: str = "Run") -> dict[str, Any]:
    """Return a SageMaker pipeline ``P`` of one step: ``Training``."""
    body = json.dumps({"Version": "2020-12-01", "Steps": [{"Name": name, "Type": step, "Arguments": arguments}]})
    definition = {"PipelineDefinitionBody": body}
    return {"P": ("AWS::SageMaker::Pipeline", {"PipelineDefinition": definition})}
