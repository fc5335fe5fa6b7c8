"""Algorithm: the presets, each one definition of training, serving and evaluation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cdk_ml_lens.core.errors import Faults
from cdk_ml_lens.training.algorithm_definition import AlgorithmDefinition
from cdk_ml_lens.training.algorithm_parts import Evaluation, Preparation, Serving
from cdk_ml_lens.training.auto_ml import AutoMl
from cdk_ml_lens.training.preset_settings import METRICS, TRAINER, check_quantile, common
from cdk_ml_lens.training.source_code import SourceCode
from cdk_ml_lens.training.training_image import TrainingImage

_RCF_LIMITS = "see docs.aws.amazon.com/sagemaker/latest/dg/rcf_hyperparameters.html"


@dataclass(frozen=True, kw_only=True)
class Algorithm(AlgorithmDefinition):
    """An algorithm. Make one with a preset, or from parts, which `AlgorithmDefinition` lists."""

    @staticmethod
    def isolation_forest(
        *, trees: int = 200, max_samples: int = 256, quantile: float = 0.995, seed: int = 0
    ) -> Algorithm:
        """Isolation forest of scikit-learn, by ``model_src/anomaly``.

        Parameters
        ----------
        trees : int
            Trees. Default: 200.
        max_samples : int
            Rows of each tree. Default: 256.
        quantile : float
            Share of normal rows below the threshold. Default: 0.995.
        seed : int
            Seed of the forest. Default: 0.

        Raises
        ------
        PropError
            When a number is out of range.
        """
        faults = Faults("isolation forest")
        faults.within("trees", trees, 1, 10_000, TRAINER)
        faults.within("max_samples", max_samples, 2, 1_000_000, TRAINER)
        check_quantile(faults, quantile)
        faults.raise_any()
        settings = {"trees": str(trees), "max-samples": str(max_samples)}
        return _anomaly("isolation-forest", {**settings, **common(quantile, seed)})

    @staticmethod
    def one_class_svm(*, nu: float = 0.5, max_samples: int = 4096, quantile: float = 0.995, seed: int = 0) -> Algorithm:
        """One-class SVM of scikit-learn, by ``model_src/anomaly``.

        Parameters
        ----------
        nu : float
            Share of the rows that it leaves outside its boundary; they alone carry its score. Default: 0.5.
        max_samples : int
            Rows that it learns from; time grows with their square. Default: 4096.
        quantile : float
            Share of normal rows below the threshold. Default: 0.995.
        seed : int
            Seed of the choice of rows. Default: 0.

        Raises
        ------
        PropError
            When a number is out of range.
        """
        faults = Faults("one-class SVM")
        faults.unless(0 < nu < 1, "nu", "lie between 0 and 1, both excluded", nu, TRAINER)
        faults.within("max_samples", max_samples, 50, 50_000, TRAINER)
        check_quantile(faults, quantile)
        faults.raise_any()
        settings = {"nu": f"{nu:g}", "max-samples": str(max_samples)}
        return _anomaly("one-class-svm", {**settings, **common(quantile, seed)})

    @staticmethod
    def autoencoder(
        *, epochs: int = 50, learning_rate: float = 0.001, quantile: float = 0.995, seed: int = 0
    ) -> Algorithm:
        """Autoencoder in PyTorch, by ``model_src/autoencoder``.

        Parameters
        ----------
        epochs : int
            Passes over the data. Default: 50.
        learning_rate : float
            Step of Adam, above 0 and below 1. Default: 0.001.
        quantile : float
            Share of normal rows below the threshold. Default: 0.995.
        seed : int
            Seed of weights and order. Default: 0.

        Raises
        ------
        PropError
            When a number is out of range.
        """
        faults = Faults("autoencoder")
        faults.within("epochs", epochs, 1, 10_000)
        faults.unless(0 < learning_rate < 1, "learning_rate", "lie between 0 and 1, both excluded", learning_rate)
        check_quantile(faults, quantile)
        faults.raise_any()
        image = TrainingImage.pytorch()
        return Algorithm(
            name="autoencoder",
            image=image,
            serving=Serving.script(TrainingImage.pytorch_serving()),
            evaluation=Evaluation.anomalies(image),
            source=SourceCode.bundled("autoencoder", "train.py"),
            hyperparameters={
                "epochs": str(epochs),
                "learning-rate": f"{learning_rate:g}",
                **common(quantile, seed),
            },
            metrics={**METRICS, "validation_loss": "metric validation_loss=([0-9.eE+-]+)"},
            checkpoints=True,
        )

    @staticmethod
    def random_cut_forest(*, evaluation: Evaluation, trees: int = 100, samples_per_tree: int = 256) -> Algorithm:
        """Random Cut Forest, built into SageMaker AI.

        Parameters
        ----------
        evaluation : Evaluation
            Yours: the artifact is read by AWS's own container only, which scores through an endpoint or a transform.
        trees : int
            Trees, 50 to 1000. Default: 100.
        samples_per_tree : int
            Rows of each tree, 1 to 2048. Default: 256.

        Raises
        ------
        PropError
            When a number is out of range.

        Notes
        -----
        Source: https://docs.aws.amazon.com/sagemaker/latest/dg/rcf_hyperparameters.html
        """
        faults = Faults("random cut forest")
        faults.within("trees", trees, 50, 1000, _RCF_LIMITS)
        faults.within("samples_per_tree", samples_per_tree, 1, 2048, _RCF_LIMITS)
        faults.raise_any()
        image = TrainingImage.random_cut_forest()
        return Algorithm(
            name="random-cut-forest",
            image=image,
            serving=Serving(image=image, content_types=("text/csv",), response_types=("application/json",)),
            evaluation=evaluation,
            hyperparameters={"num_trees": str(trees), "num_samples_per_tree": str(samples_per_tree)},
            content_type="text/csv;label_size=0",
            preparation=Preparation.plain_csv(),
            dimension="feature_dim",
        )

    @staticmethod
    def tabular(auto_ml: AutoMl, *, evaluation: Evaluation) -> Algorithm:
        """Let SageMaker AI choose and train a model for one column.

        Parameters
        ----------
        auto_ml : AutoMl
            What is predicted.
        evaluation : Evaluation
            Yours; its image must be able to load the artifact, an AutoGluon model.
        """
        image = evaluation.image
        return Algorithm(
            name="auto-ml",
            image=image,
            serving=Serving(image=image, content_types=("text/csv",), response_types=("text/csv",)),
            evaluation=evaluation,
            auto_ml=auto_ml,
        )


def _anomaly(name: str, settings: Mapping[str, str]) -> Algorithm:
    """Return one of the detectors of ``model_src/anomaly``."""
    image = TrainingImage.sklearn()
    return Algorithm(
        name=name,
        image=image,
        serving=Serving.script(image),
        evaluation=Evaluation.anomalies(image),
        source=SourceCode.bundled("anomaly", "train.py"),
        hyperparameters={"algorithm": name, **settings},
        metrics=METRICS,
        checkpoints=True,
    )
