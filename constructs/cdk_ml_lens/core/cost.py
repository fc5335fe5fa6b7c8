"""The tag that tells the bill which construct an endpoint or a job belongs to."""

from __future__ import annotations

from constructs import IConstruct

COST_TAG = "ml-lens:construct"


def job_tags(scope: IConstruct) -> list[dict[str, str]]:
    """Return the tags of a job that a state machine starts; tags of the stack never reach it.

    Parameters
    ----------
    scope : IConstruct
        The construct that pays; its path is the tag's value.

    Notes
    -----
    Activate ``ml-lens:construct`` as a cost allocation tag once per account:
    https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/activating-tags.html. The machine may tag jobs anyway,
    since Step Functions does: https://docs.aws.amazon.com/step-functions/latest/dg/sagemaker-iam.html
    Lens best practices MLCOST04-BP12, MLCOST06-BP01.
    """
    return [{"Key": COST_TAG, "Value": scope.node.path[-256:]}]
