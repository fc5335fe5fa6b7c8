"""What the state machine of a training pipeline may do, each action with the state that needs it."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

from cdk_ml_lens.core import grants
from cdk_ml_lens.core.nag import acknowledge, finding_of
from cdk_ml_lens.training.refs import ModelGroup

# kind of job: name in actions, in ARNs, and in the rule by which Step Functions waits for it
TRAINING = ("TrainingJob", "training-job", "TrainingJobs")
PROCESSING = ("ProcessingJob", "processing-job", "ProcessingJobs")
TUNING = ("HyperParameterTuningJob", "hyper-parameter-tuning-job", "TuningJobs")
Kind = tuple[str, str, str]


def allow_jobs(scope: Construct, role: iam.Role, *, kind: Kind, names: str, passed: iam.IRole) -> None:
    """Run jobs of one kind with one role, wait for them, stop them; Step Functions tags what it starts.

    Parameters
    ----------
    scope : Construct
        Any construct of the stack.
    role : Role
        The machine's.
    kind : Kind
        `TRAINING`, `PROCESSING` or `TUNING`.
    names : str
        Names of the jobs, with a wildcard.
    passed : IRole
        Role of the jobs.

    Notes
    -----
    Source: https://docs.aws.amazon.com/step-functions/latest/dg/sagemaker-iam.html
    """
    action, resource, rule = kind
    stack = cdk.Stack.of(scope)
    jobs = stack.format_arn(service="sagemaker", resource=resource, resource_name=names)
    verbs = (f"Create{action}", f"Describe{action}", f"Stop{action}", "AddTags", "ListTags")
    grants.allow(role, [f"sagemaker:{verb}" for verb in verbs], [jobs])
    acknowledge(role, f"IAM5[{finding_of(scope, jobs)}]", "A job is named after the execution that starts it.")
    managed = stack.format_arn(
        service="events", resource="rule", resource_name=f"StepFunctionsGetEventsForSageMaker{rule}Rule"
    )
    grants.allow(role, ["events:DescribeRule", "events:PutRule", "events:PutTargets"], [managed])
    pass_role(role, passed)


def allow_best(scope: Construct, role: iam.Role, *, names: str) -> None:
    """Look at the best training job of a search; its name begins with the search's."""
    jobs = cdk.Stack.of(scope).format_arn(service="sagemaker", resource="training-job", resource_name=names)
    grants.allow(role, ["sagemaker:DescribeTrainingJob"], [jobs])
    acknowledge(role, f"IAM5[{finding_of(scope, jobs)}]", "A search names its training jobs after itself.")


def allow_auto_ml(scope: Construct, role: iam.Role, *, names: str, passed: iam.IRole) -> None:
    """Start, look at and stop AutoML jobs."""
    jobs = cdk.Stack.of(scope).format_arn(service="sagemaker", resource="automl-job", resource_name=names)
    actions = ("CreateAutoMLJobV2", "DescribeAutoMLJobV2", "StopAutoMLJob")
    grants.allow(role, [f"sagemaker:{action}" for action in actions], [jobs])
    acknowledge(role, f"IAM5[{finding_of(scope, jobs)}]", "A job is named after the execution that starts it.")
    pass_role(role, passed)


def pass_role(role: iam.Role, passed: iam.IRole) -> None:
    """Hand a role to SageMaker AI, and to nothing else."""
    role.add_to_policy(
        iam.PolicyStatement(
            actions=["iam:PassRole"],
            resources=[passed.role_arn],
            conditions={"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
        )
    )


def allow_functions(role: iam.Role, arns: Sequence[str]) -> None:
    """Invoke the functions of the pipeline."""
    grants.allow(role, ["lambda:InvokeFunction"], list(arns))


def allow_events(scope: Construct, role: iam.Role, source: str) -> None:
    """Announce failures on the default bus, under our source only."""
    bus = cdk.Stack.of(scope).format_arn(service="events", resource="event-bus", resource_name="default")
    role.add_to_policy(
        iam.PolicyStatement(
            actions=["events:PutEvents"],
            resources=[bus],
            # On AWS every entry has a source; IfExists is for evaluators that do not know the key.
            conditions={"StringEqualsIfExists": {"events:source": source}},
        )
    )


def allow_champion(scope: Construct, role: iam.Role, registry: ModelGroup) -> None:
    """Find the newest approved version of the group, and where its artifact lies."""
    allow_versions(scope, role, registry, ["ListModelPackages", "DescribeModelPackage"])


def allow_versions(scope: Construct, role: iam.IRole, registry: ModelGroup, actions: Sequence[str]) -> None:
    """Allow actions on the versions of a group, the one resource that IAM has for them.

    Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsagemaker.html
    """
    grants.allow(role, [f"sagemaker:{action}" for action in actions], [registry.packages_arn])
    acknowledge(
        role, f"IAM5[{finding_of(scope, registry.packages_arn)}]", "A version gets its number when it is registered."
    )
