"""EtlStep: what an ETL job does, from which table to which, by our kernel or by a script of your own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from cdk_ml_lens.core.assets import bundled
from cdk_ml_lens.core.errors import Faults
from cdk_ml_lens.core.feature_set import FeatureSet
from cdk_ml_lens.lake.lake_table import LakeTable
from cdk_ml_lens.lake.quality import QualityGate

StepName = Literal["clean", "normalise", "features", "script"]


@dataclass(frozen=True, kw_only=True)
class EtlStep:
    """One step, made by the static methods: clean, normalise, features, or a script.

    Parameters
    ----------
    name : {"clean", "normalise", "features", "script"}
        What is done.
    source : LakeTable
        What is read.
    target : LakeTable, optional
        What is published. Default: nothing, for a script only.
    feature_set : FeatureSet, optional
        Sensors and features. Default: none, for a script only.
    quality : QualityGate
        What the output must fulfil. Default: at least one row, at most 5 % refused.
    artifacts_prefix : str, optional
        Prefix of the normalisation parameters in the target's bucket. Default: none.
    script : Path
        Python file that Glue runs. Default: ``jobs/run_step.py`` of ``etl_src``.
    arguments : mapping of str to str
        Arguments of a script of your own, names with ``--``. Default: none.

    Raises
    ------
    PropError
        When a rule looks at a column that the target does not have, or the script is no file.
    """

    name: StepName
    source: LakeTable
    target: LakeTable | None = None
    feature_set: FeatureSet | None = None
    quality: QualityGate = field(default_factory=QualityGate)
    artifacts_prefix: str | None = None
    script: Path = field(default_factory=lambda: run_step())
    arguments: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        which = f"step {self.name!r}"
        if self.target is not None:
            self.quality.check_columns([column.name for column in self.target.columns], which)
        faults = Faults(which)
        faults.unless(self.script.is_file(), "script", "be a file", str(self.script))
        odd = [name for name in self.arguments if not name.startswith("--")]
        faults.unless(not odd, "arguments", "have names that begin with --", odd)
        faults.raise_any()

    @staticmethod
    def clean(
        *, source: LakeTable, target: LakeTable, feature_set: FeatureSet, quality: QualityGate | None = None
    ) -> EtlStep:
        """Check types and ranges, convert units, hold short gaps; refuse duplicates, late and impossible readings."""
        return _step("clean", source, target, feature_set, quality, None)

    @staticmethod
    def normalise(
        *,
        source: LakeTable,
        target: LakeTable,
        feature_set: FeatureSet,
        quality: QualityGate | None = None,
        artifacts_prefix: str | None = None,
    ) -> EtlStep:
        """Bring values to one scale, and write the parameters for the scorer.

        The prefix of the parameters is ``_artifacts/normalisation/<target>/`` unless it is given.
        """
        prefix = f"_artifacts/normalisation/{target.name}/" if artifacts_prefix is None else artifacts_prefix
        return _step("normalise", source, target, feature_set, quality, prefix)

    @staticmethod
    def features(
        *, source: LakeTable, target: LakeTable, feature_set: FeatureSet, quality: QualityGate | None = None
    ) -> EtlStep:
        """Compute the window features of every reading, and split by time."""
        return _step("features", source, target, feature_set, quality, None)

    @staticmethod
    def from_script(
        script: Path, *, source: LakeTable, target: LakeTable | None = None, arguments: Mapping[str, str] | None = None
    ) -> EtlStep:
        """Run a PySpark file of your own; ``etl_src`` can be imported in it.

        Its role reads ``source`` and publishes ``target``; what else it reaches, grant to ``EtlJob.role``.
        """
        given = {} if arguments is None else dict(arguments)
        return EtlStep(name="script", source=source, target=target, script=script, arguments=given)


def run_step() -> Path:
    """Return the script of the three steps."""
    return bundled("etl_src") / "jobs" / "run_step.py"


def _step(
    name: StepName,
    source: LakeTable,
    target: LakeTable,
    feature_set: FeatureSet,
    quality: QualityGate | None,
    artifacts_prefix: str | None,
) -> EtlStep:
    return EtlStep(
        name=name,
        source=source,
        target=target,
        feature_set=feature_set,
        quality=QualityGate() if quality is None else quality,
        artifacts_prefix=artifacts_prefix,
    )
