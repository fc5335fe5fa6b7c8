"""DataQuality, ModelQuality, ModelBias and ModelExplainability: what SageMaker AI's own monitor looks at."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal

from cdk_ml_lens.core.container_image import ContainerImage
from cdk_ml_lens.core.errors import Faults
from cdk_ml_lens.monitoring.monitor_fields import AnswerFields, MonitorFile
from cdk_ml_lens.monitoring.monitor_images import ANALYZER, EXPLAINER
from cdk_ml_lens.monitoring.quality_values import GroundTruth

_PROBLEMS = ("BinaryClassification", "MulticlassClassification", "Regression")


@dataclass(frozen=True, kw_only=True)
class DataQuality:
    """Requests against statistics and constraints of the training data.

    Parameters
    ----------
    constraints, statistics : MonitorFile, optional
        Of a baselining job. Default: none; the report then has statistics only.
    """

    name: ClassVar[str] = "DataQuality"
    image: ClassVar[ContainerImage] = ANALYZER
    isolated: ClassVar[bool] = True
    constraints: MonitorFile | None = None
    statistics: MonitorFile | None = None


@dataclass(frozen=True, kw_only=True)
class ModelQuality:
    """Answers against labels that arrive later.

    Parameters
    ----------
    labels : GroundTruth
        Where labels arrive.
    problem : {"BinaryClassification", "MulticlassClassification", "Regression"}
        What the model does.
    answer : AnswerFields
        The prediction or its probability.
    constraints : MonitorFile, optional
        Of a baselining job. Default: none.

    Raises
    ------
    PropError
        When the problem is unknown, no answer is named, or features are.

    Notes
    -----
    Sources: https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-model-quality.html,
    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-sagemaker-modelqualityjobdefinition-endpointinput.html
    """

    name: ClassVar[str] = "ModelQuality"
    image: ClassVar[ContainerImage] = ANALYZER
    isolated: ClassVar[bool] = True
    labels: GroundTruth
    problem: Literal["BinaryClassification", "MulticlassClassification", "Regression"]
    answer: AnswerFields
    constraints: MonitorFile | None = None

    def __post_init__(self) -> None:
        faults = Faults("model quality")
        faults.unless(self.problem in _PROBLEMS, "problem", f"be one of {list(_PROBLEMS)}", self.problem)
        faults.unless(self.answer.judge_answers, "answer", "name inference or probability", self.answer)
        hint = "AWS::SageMaker::ModelQualityJobDefinition has no FeaturesAttribute"
        faults.unless(self.answer.features is None, "answer", "name no features", self.answer.features, hint)
        faults.raise_any()


@dataclass(frozen=True, kw_only=True)
class ModelBias:
    """Bias metrics of answers and labels by group.

    Parameters
    ----------
    labels : GroundTruth
        Where labels arrive.
    config : MonitorFile
        Clarify's analysis configuration.
    answer : AnswerFields
        The prediction or its probability, and the features.
    constraints : MonitorFile, optional
        Of a baselining job. Default: none.

    Raises
    ------
    PropError
        When no answer is named.

    Notes
    -----
    Source: https://docs.aws.amazon.com/sagemaker/latest/dg/clarify-model-monitor-bias-drift.html
    """

    name: ClassVar[str] = "ModelBias"
    image: ClassVar[ContainerImage] = EXPLAINER
    isolated: ClassVar[bool] = True
    labels: GroundTruth
    config: MonitorFile
    answer: AnswerFields
    constraints: MonitorFile | None = None

    def __post_init__(self) -> None:
        faults = Faults("model bias")
        faults.unless(self.answer.judge_answers, "answer", "name inference or probability", self.answer)
        faults.raise_any()


@dataclass(frozen=True, kw_only=True)
class ModelExplainability:
    """Attributions of features (SHAP) against those of the training data.

    Parameters
    ----------
    config : MonitorFile
        Clarify's analysis configuration; its predictor names the model, and the prefix of the endpoint it makes.
    model_name : str
        The model that the configuration names: Clarify serves it on an endpoint of its own while the job runs.
    endpoint_prefix : str
        First part of that endpoint's name. Default: ``sm-clarify``.
    answer : AnswerFields, optional
        Where features and prediction are. Default: the whole request and answer.
    constraints : MonitorFile, optional
        Of a baselining job. Default: none.

    Raises
    ------
    PropError
        When a name is empty.

    Notes
    -----
    The container calls SageMaker AI, so it cannot be isolated from the network. Source:
    https://docs.aws.amazon.com/sagemaker/latest/dg/clarify-model-monitor-feature-attribution-drift.html
    """

    name: ClassVar[str] = "ModelExplainability"
    image: ClassVar[ContainerImage] = EXPLAINER
    isolated: ClassVar[bool] = False
    config: MonitorFile
    model_name: str
    endpoint_prefix: str = "sm-clarify"
    answer: AnswerFields = field(default_factory=AnswerFields)
    constraints: MonitorFile | None = None

    def __post_init__(self) -> None:
        faults = Faults("model explainability")
        for prop in ("model_name", "endpoint_prefix"):
            faults.unless(bool(getattr(self, prop)), prop, "not be empty", getattr(self, prop))
        faults.unless(self.answer.threshold is None, "answer", "have no threshold", self.answer.threshold)
        faults.raise_any()


AnyKind = DataQuality | ModelQuality | ModelBias | ModelExplainability
