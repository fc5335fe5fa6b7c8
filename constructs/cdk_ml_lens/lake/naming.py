"""Names that queries and policies must spell: readable, and without a character that SQL has to quote."""

from __future__ import annotations

import re

import aws_cdk as cdk
from constructs import IConstruct

from cdk_ml_lens.core.errors import Faults

LONGEST = 128


def query_name(scope: IConstruct, last: str) -> str:
    """Return ``<stack>_<path of scope>_<last>`` in lower case; CloudFormation's own names hold capitals and hyphens.

    Raises
    ------
    PropError
        When it is longer than Athena and CloudTrail take.

    Notes
    -----
    Source: https://docs.aws.amazon.com/athena/latest/APIReference/API_WorkGroup.html
    """
    stack = cdk.Stack.of(scope)
    name = stack.node.id if cdk.Token.is_unresolved(stack.stack_name) else stack.stack_name
    path = [part.node.id for part in scope.node.scopes[len(stack.node.scopes) :]]
    found = re.sub(r"[^a-z0-9]+", "_", "_".join([name, *path, last]).lower())
    faults = Faults("the data lake")
    hint = "shorten the stack's name or the ids"
    faults.unless(len(found) <= LONGEST, "id", f"make names of at most {LONGEST} characters", found, hint)
    faults.raise_any()
    return found
