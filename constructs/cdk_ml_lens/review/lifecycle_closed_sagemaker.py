"""Features of SageMaker that AWS gives to existing customers only, for `lifecycle`."""

from __future__ import annotations

from cdk_ml_lens.review.lifecycle import Lifecycle, State

CLOSED_OF_SAGEMAKER = (
    Lifecycle(
        key="AugmentedAi",
        name="Augmented AI",
        state=State.CLOSED,
        since="2026-07",
        replacement="a Step Functions task with a token, and a review page",
        source="https://docs.aws.amazon.com/sagemaker/latest/dg/a2i-use-augmented-ai-a2i-human-review-loops.html",
        types=("AWS::SageMaker::HumanTaskUi",),
        calls=("sagemaker:createFlowDefinition", "sagemakera2iruntime:startHumanLoop"),
    ),
    Lifecycle(
        key="Clarify",
        name="SageMaker Clarify",
        state=State.CLOSED,
        since="2026-07",
        replacement="own bias metrics, and SHAP in a processing job",
        source="https://docs.aws.amazon.com/sagemaker/latest/dg/clarify-configure-processing-jobs.html",
        types=("AWS::SageMaker::ModelBiasJobDefinition", "AWS::SageMaker::ModelExplainabilityJobDefinition"),
        features=("AWS::SageMaker::EndpointConfig ExplainerConfig", "sagemaker:createEndpointConfig ExplainerConfig"),
        calls=("sagemaker:createModelBiasJobDefinition", "sagemaker:createModelExplainabilityJobDefinition"),
    ),
    Lifecycle(
        key="Debugger",
        name="SageMaker Debugger",
        state=State.CLOSED,
        since="2026-07",
        replacement="MLflow, TensorBoard and CloudWatch metrics",
        source="https://docs.aws.amazon.com/sagemaker/latest/dg/debugger-availability-change.html",
        features=("sagemaker:createTrainingJob DebugRuleConfigurations", "sagemaker:createTrainingJob DebugHookConfig"),
    ),
    Lifecycle(
        key="GroundTruth",
        name="SageMaker Ground Truth",
        state=State.CLOSED,
        since="2026-06-30",
        replacement="a labelling tool that writes manifests to S3",
        source="https://docs.aws.amazon.com/sagemaker/latest/dg/sms.html",
        types=("AWS::SageMaker::Workteam", "AWS::SageMaker::Workforce"),
        calls=("sagemaker:createLabelingJob",),
    ),
    Lifecycle(
        key="ModelMonitor",
        name="SageMaker Model Monitor",
        state=State.CLOSED,
        since="2026-07",
        replacement="data capture with a drift job of one's own",
        source="https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-availability-change.html",
        types=(
            "AWS::SageMaker::MonitoringSchedule",
            "AWS::SageMaker::DataQualityJobDefinition",
            "AWS::SageMaker::ModelQualityJobDefinition",
        ),
        calls=(
            "sagemaker:createMonitoringSchedule",
            "sagemaker:createDataQualityJobDefinition",
            "sagemaker:createModelQualityJobDefinition",
        ),
    ),
    Lifecycle(
        key="StudioClassic",
        name="SageMaker Studio Classic",
        state=State.CLOSED,
        since="2024-12-31",
        replacement="a Space with JupyterLab or Code Editor",
        source="https://docs.aws.amazon.com/sagemaker/latest/dg/studio.html",
        features=("AWS::SageMaker::App AppType=JupyterServer", "AWS::SageMaker::App AppType=KernelGateway"),
    ),
)
