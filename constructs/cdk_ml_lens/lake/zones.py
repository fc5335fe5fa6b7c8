"""Zone, Lifecycle, ObjectLock, Replication: what a zone of the lake is, as values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from cdk_ml_lens.core.errors import Faults
from cdk_ml_lens.core.replication import Replication
from cdk_ml_lens.lake.schema import NAME

if TYPE_CHECKING:
    pass

LENS_ZONES = ("raw", "modelled", "enhanced", "transformed")


@dataclass(frozen=True, kw_only=True)
class Lifecycle:
    """How objects of a zone age, in days since they were written.

    Parameters
    ----------
    tiering_days : int, optional
        Age at which objects move to Intelligent-Tiering, in days; ``None``: never. Default: 0, at once.
    archive_days : int, optional
        Days without access after which Intelligent-Tiering archives an object, 90 to 730; it must then be restored
        before it is read. Default: never.
    expire_days : int, optional
        Age at which current objects are deleted, in days. Default: never.
    noncurrent_days : int
        How long overwritten and deleted objects are kept, in days. Default: 90.

    Raises
    ------
    PropError
        When a number is out of range.

    Notes
    -----
    Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/intelligent-tiering-overview.html. Lens best practice
    MLCOST02-BP03.
    """

    tiering_days: int | None = 0
    archive_days: int | None = None
    expire_days: int | None = None
    noncurrent_days: int = 90

    def __post_init__(self) -> None:
        faults = Faults("lifecycle")
        if self.tiering_days is not None:
            faults.unless(self.tiering_days >= 0, "tiering_days", "be at least 0", self.tiering_days)
        if self.archive_days is not None:
            faults.within("archive_days", self.archive_days, 90, 730)
            faults.unless(
                self.tiering_days is not None, "archive_days", "be left out without tiering", self.archive_days
            )
        least = 1 if self.tiering_days is None else self.tiering_days + 1
        if self.expire_days is not None:
            faults.unless(self.expire_days >= least, "expire_days", f"be at least {least}", self.expire_days)
        faults.unless(self.noncurrent_days >= 1, "noncurrent_days", "be at least 1", self.noncurrent_days)
        faults.raise_any()


@dataclass(frozen=True, kw_only=True)
class ObjectLock:
    """No version of an object can be deleted before its time.

    Parameters
    ----------
    days : int
        How long, in days.
    mode : {"GOVERNANCE", "COMPLIANCE"}
        ``GOVERNANCE`` yields to those with ``s3:BypassGovernanceRetention``; ``COMPLIANCE`` to nobody, nor to AWS.
        Default: ``GOVERNANCE``.

    Raises
    ------
    PropError
        When the days or the mode are not S3's.

    Notes
    -----
    Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html. Lens best practice MLSEC02-BP01.
    """

    days: int
    mode: Literal["GOVERNANCE", "COMPLIANCE"] = "GOVERNANCE"

    def __post_init__(self) -> None:
        faults = Faults("object lock")
        faults.within("days", self.days, 1, 36500)
        modes = ("GOVERNANCE", "COMPLIANCE")
        faults.unless(self.mode in modes, "mode", f"be one of {modes}", self.mode)
        faults.raise_any()


@dataclass(frozen=True, kw_only=True)
class Zone:
    """One zone: a bucket and a database for data of the same state of preparation.

    Parameters
    ----------
    name : str
        Name, also in the database's name and in tags.
    lifecycle : Lifecycle
        How its objects age. Default: Intelligent-Tiering at once, nothing expires.
    object_lock : ObjectLock, optional
        Write once. Default: objects may be deleted by who is granted that. It cannot be added to a bucket later without
        replacing it here.
    replication : Replication, optional
        Copies elsewhere. Default: none.

    Raises
    ------
    PropError
        When the name cannot be part of a database's name.

    Notes
    -----
    The Lens names raw, modelled, enhanced and transformed; `Zone.lens` makes them.
    """

    name: str
    lifecycle: Lifecycle = Lifecycle()
    object_lock: ObjectLock | None = None
    replication: Replication | None = None

    def __post_init__(self) -> None:
        faults = Faults("zone")
        good = NAME.fullmatch(self.name) is not None and len(self.name) <= 40
        faults.unless(good, "name", "be a lower-case letter, then at most 39 letters, digits or _", self.name)
        faults.raise_any()

    @staticmethod
    def lens() -> Sequence[Zone]:
        """Return the zones of the Lens: raw, modelled, enhanced, transformed."""
        return tuple(Zone(name=name) for name in LENS_ZONES)
