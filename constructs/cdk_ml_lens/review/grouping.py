"""Groups findings for reading: one group per rule and reason, whatever the number of places and packs."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

from cdk_ml_lens.review import validation
from cdk_ml_lens.review.entries import Entry
from cdk_ml_lens.review.rule import Severity

# Rules with names (LambdaInsideVPC) mean the same in every pack of cdk-nag; numbered ones (IAM5) in their own only.
_NUMBERED = re.compile(r"[A-Z0-9]{1,8}\d+")
_CONTROLS = re.compile(r"\s*-?\s*\(Control IDs?: (?P<ids>.+?)\)\.?\s*$", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Group:
    """Findings that a reader takes in at once.

    Parameters
    ----------
    rule : str
        Without pack: ``IAM5``.
    entries : tuple of Entry
        At least one.
    fresh : bool
        Whether a baseline was given and does not have it.
    """

    rule: str
    entries: tuple[Entry, ...]
    fresh: bool

    @property
    def first(self) -> Entry:
        """The entry whose title, reason and practices stand for all."""
        return self.entries[0]

    @cached_property
    def packs(self) -> tuple[str, ...]:
        """Packs that found it."""
        return tuple(dict.fromkeys(entry.pack for entry in self.entries))

    @property
    def severity(self) -> Severity:
        """The worst of all."""
        return Severity.ERROR if any(one.severity is Severity.ERROR for one in self.entries) else Severity.WARNING

    @property
    def title(self) -> str:
        """What the rule asks for, without the ids of controls."""
        return _CONTROLS.sub("", self.first.title).rstrip(".")

    @cached_property
    def controls(self) -> tuple[tuple[str, str], ...]:
        """Pack and the ids of its controls, for packs that name some."""
        named = {entry.pack: _CONTROLS.search(entry.title) for entry in self.entries}
        return tuple((pack, found["ids"]) for pack, found in named.items() if found is not None)

    @property
    def reason(self) -> str:
        """Why the findings are acknowledged; empty for open ones."""
        given = self.first.acknowledgement
        return "" if given is None else given.reason

    @cached_property
    def lines(self) -> tuple[str, ...]:
        """Lines that acknowledged: of the source where they are known, else of the template."""
        found = (
            entry.acknowledgement.line or f"{entry.place.file}:{entry.place.line}"
            for entry in self.entries
            if entry.acknowledgement is not None
        )
        return tuple(dict.fromkeys(found))

    @cached_property
    def places(self) -> tuple[Entry, ...]:
        """One entry for each construct and detail, whichever packs found it."""
        return tuple({(one.place.app, one.place.path, one.detail): one for one in reversed(self.entries)}.values())[
            ::-1
        ]

    @cached_property
    def stacks(self) -> tuple[tuple[str, int], ...]:
        """App and stack with the number of places in each."""
        return tuple(Counter(stack_key(entry) for entry in self.places).items())


def stack_key(entry: Entry) -> str:
    """Return app and stack of a finding as one text."""
    return f"{entry.place.app}\n{entry.place.stack}"


def groups(entries: Iterable[Entry], *, fresh: frozenset[str], order: Sequence[str]) -> list[Group]:
    """Group findings by rule and reason.

    Parameters
    ----------
    entries : iterable of Entry
    fresh : frozenset of str
        Fingerprints of open findings, and kinds of acknowledgements, that the baseline does not have.
    order : sequence of str
        Packs, in the order of the report.

    Returns
    -------
    list of Group
        By pack, rule (``SM2`` before ``SM10``) and reason.
    """
    found: dict[tuple[str, str], list[Entry]] = {}
    for entry in entries:
        reason = "" if entry.acknowledgement is None else entry.acknowledgement.reason
        found.setdefault((_family(entry), reason), []).append(entry)
    made = [
        Group(
            rule=validation.base(members[0].rule),
            entries=tuple(members),
            fresh=any(one.kind in fresh or one.fingerprint in fresh for one in members),
        )
        for members in found.values()
    ]
    return sorted(made, key=lambda group: (_rank(group.first.pack, order), natural(group.rule), group.reason))


def by_rule(found: Iterable[Group]) -> list[list[Group]]:
    """Return the groups of each rule together, in the order that `groups` gave them."""
    return [list(members) for _, members in groupby(found, key=lambda group: _family(group.first))]


def natural(text: str) -> list[tuple[int, str]]:
    """Return what sorts texts with numbers as people do: ``SM2`` before ``SM10``."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", text) if part]


def _family(entry: Entry) -> str:
    short = validation.base(entry.rule)
    return entry.rule if _NUMBERED.fullmatch(short) else short


def _rank(pack: str, order: Sequence[str]) -> int:
    return order.index(pack) if pack in order else len(order)
