"""The evaluation of a pipeline: candidate and champion over the same test rows, in one processing job."""

from __future__ import annotations

from cdk_ml_lens.core.asl import State, States, caught, choice, js, task
from cdk_ml_lens.training.plan import TrainingPlan
from cdk_ml_lens.training.processing_job import ProcessingJob, below

_FAILED = "EvaluateFailed"


def evaluate_states(plan: TrainingPlan, *, next: str) -> States:
    """Return the states from ``FindChampion`` to a written ``evaluation.json``, whose URI is ``$evaluation``."""
    catch = [caught(_FAILED, "Evaluate", "Announce")]
    group = plan.registry.group_name
    return {
        "FindChampion": task(
            "aws-sdk:sagemaker:listModelPackages",
            {
                "ModelPackageGroupName": group,
                "ModelApprovalStatus": "Approved",
                "SortBy": "CreationTime",
                "SortOrder": "Descending",
                "MaxResults": 1,
            },
            next="HasChampion",
            catch=catch,
            assign={
                "champion": js(
                    "($found := $states.result.ModelPackageSummaryList[0].ModelPackageArn;"
                    " $exists($found) ? $found : '')"
                ),
                "evaluation": below(plan, "evaluations/<me>/evaluation.json"),
                "decision": below(plan, "evaluations/<me>/decision.json"),
            },
        ),
        "HasChampion": choice(("$champion != ''", "DescribeChampion"), default="Evaluate"),
        "DescribeChampion": task(
            "aws-sdk:sagemaker:describeModelPackage",
            {"ModelPackageName": js("$champion")},
            next="EvaluateBoth",
            catch=catch,
            assign={"championData": js("$states.result.InferenceSpecification.Containers[0].ModelDataUrl")},
        ),
        "Evaluate": _job(plan, beside=False, next=next),
        "EvaluateBoth": _job(plan, beside=True, next=next),
    }


def _job(plan: TrainingPlan, *, beside: bool, next: str) -> State:
    evaluation = plan.algorithm.evaluation
    inputs = {"test": js("$splits.test"), "model": js("$modelData")}
    champion = {"champion": js("$championData")} if beside else {}
    arn = {"CHAMPION_MODEL_PACKAGE_ARN": js("$champion")} if beside else {}
    job = ProcessingJob(
        name=js("$job"),
        role=plan.evaluation_role,
        image=evaluation.image,
        code=plan.evaluation_code,
        arguments=evaluation.arguments,
        inputs={**inputs, **champion},
        outputs={"": below(plan, "evaluations/<me>/")},
        environment={"DATASET_VERSION": js("$version"), **arn},
    )
    return job.state(plan, next=next, catch=[caught(_FAILED, "Evaluate", "Announce")])
