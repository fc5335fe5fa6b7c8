"""What the proofs showed, kept while they run."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tests.local.iam_proof.catalog import Right

_ARN = re.compile(r"arn:aws:[^\s'\",]+")
_ID = re.compile(r"\bm-\d+\b|\b[0-9a-f]{8}-[0-9a-f-]{27}\b|\b\d{4,}\b")
LENGTH = 160  # of an error in the evidence, in characters


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One right of one kind of role.

    Parameters
    ----------
    kind : str
        The kind of role.
    right : Right
        Action and shape of the resource.
    outcome : str
        ``proven`` or ``allowed``.
    test : str
        Id of the test.
    reason : str, optional
        Why it is allowed without proof.
    error : str, optional
        What failed without the right; None if nothing did.
    """

    kind: str
    right: Right
    outcome: str
    test: str
    reason: str | None = None
    error: str | None = None

    @property
    def unneeded(self) -> bool:
        """Whether the work was done without it."""
        return self.outcome == "proven" and self.error is None


def plain(error: str) -> str:
    """Return an error without what differs from run to run: ARNs and ids."""
    return _ID.sub("…", _ARN.sub("<arn>", error))[:LENGTH]


SEEN: list[Outcome] = []  # of this session


def keep(outcomes: list[Outcome]) -> None:
    """Keep outcomes for the evidence."""
    SEEN.extend(outcomes)
