"""The state machine of a batch: one transform job, and its failure sent on with the cause."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import aws_cdk as cdk

from cdk_ml_lens.core.errors import Faults

_LONGEST_HOURS = 28 * 24  # https://docs.aws.amazon.com/general/latest/gr/sagemaker.html, longest transform job


@dataclass(frozen=True, kw_only=True)
class TransformOptions:
    """How a batch is cut, filtered and joined.

    Parameters
    ----------
    content_type : str
        Of the input objects. Default: ``text/csv``.
    split : {"Line", "RecordIO", "TFRecord", "None"}
        How an object is cut into records. Default: ``Line``.
    strategy : {"MultiRecord", "SingleRecord"}
        Whether one request carries many records. Default: ``MultiRecord``.
    input_filter, output_filter : str
        JSONPath of what the model sees, and of what is kept. Default: ``$``, everything.
    join : bool
        Whether each answer is written beside its input. Default: true, so that no answer is mistaken for another's.
    instance_type : str
        SageMaker AI instance type. Default: ``ml.m5.large``.
    instance_count : int
        Instances. Default: 1.
    max_hours : int
        How long one batch may take; Step Functions stops the job then. Default: 24.

    Notes
    -----
    Source: https://docs.aws.amazon.com/sagemaker/latest/dg/batch-transform-data-processing.html
    """

    content_type: str = "text/csv"
    split: Literal["Line", "RecordIO", "TFRecord", "None"] = "Line"
    strategy: Literal["MultiRecord", "SingleRecord"] = "MultiRecord"
    input_filter: str = "$"
    output_filter: str = "$"
    join: bool = True
    instance_type: str = "ml.m5.large"
    instance_count: int = 1
    max_hours: int = 24

    def __post_init__(self) -> None:
        faults = Faults("transform options")
        for prop, path in (("input_filter", self.input_filter), ("output_filter", self.output_filter)):
            faults.unless(path.startswith("$"), prop, "be a JSONPath", path)
        faults.unless(self.instance_count >= 1, "instance_count", "be at least 1", self.instance_count)
        faults.within("max_hours", self.max_hours, 1, _LONGEST_HOURS)
        joinable = self.content_type in ("text/csv", "application/json", "application/jsonlines")
        faults.unless(
            joinable or not self.join,
            "join",
            "be false for other content than CSV and JSON",
            self.content_type,
            "see batch-transform-data-processing.html",
        )
        faults.raise_any()


def definition(
    *,
    model_name: str,
    source: str,
    target: str,
    options: TransformOptions,
    key_arn: str,
    failures_url: str,
    tags: list[dict[str, str]],
) -> dict[str, Any]:
    """Return the definition, in Amazon States Language.

    Parameters
    ----------
    model_name : str
        SageMaker AI model.
    source, target : str
        ``s3://`` prefixes without a slash at the end.
    options : TransformOptions
        How a batch is cut, filtered and joined.
    key_arn : str
        Key of volumes and answers.
    failures_url : str
        Queue that takes failed batches.
    tags : list of dict
        Tags of the job, see `job_tags`.
    """
    return {
        "Comment": "Score one folder; a failure goes to the dead letters with its cause.",
        "StartAt": "Transform",
        "States": {
            "Transform": {
                "Type": "Task",
                "Resource": f"arn:{cdk.Aws.PARTITION}:states:::sagemaker:createTransformJob.sync",
                "Parameters": {**_job(model_name, source, target, options, key_arn), "Tags": tags},
                "TimeoutSeconds": options.max_hours * 3600,
                "Retry": [
                    {
                        "ErrorEquals": [
                            "SageMaker.AmazonSageMakerException",
                            "SageMaker.ResourceLimitExceededException",
                        ],
                        "IntervalSeconds": 30,
                        "MaxAttempts": 3,
                        "BackoffRate": 2,
                    }
                ],
                "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.failure", "Next": "Remember"}],
                "End": True,
            },
            "Remember": {
                "Type": "Task",
                "Resource": f"arn:{cdk.Aws.PARTITION}:states:::sqs:sendMessage",
                "Parameters": {
                    "QueueUrl": failures_url,
                    "MessageBody": {
                        "reason": "transform_failed",
                        "execution.$": "$$.Execution.Id",
                        "folder.$": "$.folder",
                        "error.$": "$.failure.Error",
                        "detail.$": "$.failure.Cause",
                    },
                },
                "ResultPath": "$.sent",
                "Next": "Failed",
            },
            "Failed": {"Type": "Fail", "ErrorPath": "$.failure.Error", "CausePath": "$.failure.Cause"},
        },
    }


def _job(model_name: str, source: str, target: str, options: TransformOptions, key_arn: str) -> dict[str, Any]:
    return {
        "TransformJobName.$": "$$.Execution.Name",
        "ModelName": model_name,
        "BatchStrategy": options.strategy,
        "TransformInput": {
            "ContentType": options.content_type,
            "SplitType": options.split,
            "DataSource": {
                "S3DataSource": {
                    "S3DataType": "S3Prefix",
                    "S3Uri.$": f"States.Format('{source}/{{}}/', $.folder)",
                }
            },
        },
        "TransformOutput": {
            "S3OutputPath.$": f"States.Format('{target}/{{}}/', $.folder)",
            "Accept": options.content_type,
            "AssembleWith": "Line" if options.split == "Line" else "None",
            "KmsKeyId": key_arn,
        },
        "DataProcessing": {
            "InputFilter": options.input_filter,
            "OutputFilter": options.output_filter,
            "JoinSource": "Input" if options.join else "None",
        },
        "TransformResources": {
            "InstanceType": options.instance_type,
            "InstanceCount": options.instance_count,
            "VolumeKmsKeyId": key_arn,
        },
    }
