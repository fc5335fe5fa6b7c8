"""Where each kind of SageMaker job keeps its network, keys and instances."""

from __future__ import annotations

from cdk_ml_lens.core.instance_types import has_local_storage
from cdk_ml_lens.review import intrinsics
from cdk_ml_lens.review.ml_jobs import AUTOML, MONITORING, PROCESSING, TRAINING, TRANSFORM, MlJob

_INSIDE = {PROCESSING: "NetworkConfig.", MONITORING: "NetworkConfig."}
_AUTOML = ("AutoMLJobConfig.SecurityConfig.", "SecurityConfig.")
_OUTPUT = {
    TRAINING: ("OutputDataConfig.KmsKeyId",),
    PROCESSING: ("ProcessingOutputConfig.KmsKeyId",),
    TRANSFORM: ("TransformOutput.KmsKeyId",),
    AUTOML: ("OutputDataConfig.KmsKeyId",),
    MONITORING: tuple(
        f"{kind}JobOutputConfig.KmsKeyId"
        for kind in ("DataQuality", "ModelQuality", "ModelBias", "ModelExplainability")
    ),
}
_VOLUME = {
    TRAINING: ("ResourceConfig.VolumeKmsKeyId",),
    PROCESSING: ("ProcessingResources.ClusterConfig.VolumeKmsKeyId",),
    TRANSFORM: ("TransformResources.VolumeKmsKeyId",),
    AUTOML: tuple(f"{place}VolumeKmsKeyId" for place in _AUTOML),
    MONITORING: ("JobResources.ClusterConfig.VolumeKmsKeyId",),
}
_INSTANCES = {
    TRAINING: "ResourceConfig.InstanceCount",
    PROCESSING: "ProcessingResources.ClusterConfig.InstanceCount",
    MONITORING: "JobResources.ClusterConfig.InstanceCount",
}


def is_encrypted_inside(job: MlJob) -> bool:
    """Tell whether traffic between the containers is encrypted, or could be."""
    places = _AUTOML if job.kind == AUTOML else (_INSIDE.get(job.kind, ""),)
    return any(not intrinsics.is_off(job.get(f"{at}EnableInterContainerTrafficEncryption")) for at in places)


def has_several_instances(job: MlJob) -> bool:
    """Tell whether a job certainly talks between instances; AutoML chooses for itself and counts as such."""
    if job.kind == AUTOML:
        return True
    count = intrinsics.known_number(job.get(_INSTANCES[job.kind], 1))
    return (count is not None and count > 1) or bool(job.get("ResourceConfig.InstanceGroups"))


def is_closed(job: MlJob) -> bool:
    """Tell whether a job is isolated or in a VPC, or could be."""
    if job.kind == AUTOML:
        return any(job.get(f"{at}VpcConfig") is not None for at in _AUTOML)
    inside = _INSIDE.get(job.kind, "")
    return (
        not intrinsics.is_off(job.get(f"{inside}EnableNetworkIsolation")) or job.get(f"{inside}VpcConfig") is not None
    )


def missing_keys(job: MlJob) -> list[str]:
    """Return what lacks a key: ``output``, ``volume``; instances that store on local disks take no volume key."""
    lacking = [
        name
        for name, places in (("output", _OUTPUT), ("volume", _VOLUME))
        if all(job.get(place) is None for place in places[job.kind])
    ]
    return [name for name in lacking if name == "output" or not _stores_locally(job)]


def _stores_locally(job: MlJob) -> bool:
    places = ("ResourceConfig", "ProcessingResources.ClusterConfig", "TransformResources", "JobResources.ClusterConfig")
    types = [job.get(f"{place}.InstanceType") for place in places]
    return any(isinstance(name, str) and has_local_storage(name) for name in types)
