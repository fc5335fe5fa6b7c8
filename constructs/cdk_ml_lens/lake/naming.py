"""Names that queries and policies must spell: readable, and without a character that SQL has to quote."""

from __future__ import annotations

import re

import aws_cdk as cdk
from constructs import IConstruct


def query_name(scope: IConstruct, last: str) -> str:
    """Return ``<stack>_<path of scope>_<last>`` in lower case.

    CloudFormation's own names would hold capitals and hyphens.
    """
    stack = cdk.Stack.of(scope)
    name = stack.node.id if cdk.Token.is_unresolved(stack.stack_name) else stack.stack_name
    path = [part.node.id for part in scope.node.scopes[len(stack.node.scopes) :]]
    return re.sub(r"[^a-z0-9]+", "_", "_".join([name, *path, last]).lower())
