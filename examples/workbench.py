"""A notebook instance and a Studio domain without internet, opened through VPC endpoints only."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms

from cdk_ml_lens import IsolatedNetwork, PrivateService, SecureWorkbench, Workbench
from cdk_ml_lens.core.bucket import SecureBucket


def build(app: cdk.App) -> cdk.Stack:
    """Build the stack."""
    stack = cdk.Stack(app, "Workbench")
    key = kms.Key(stack, "Key", enable_key_rotation=True)
    data = SecureBucket(stack, "Data", encryption_key=key).bucket
    scientist = iam.Role(stack, "Scientist", assumed_by=iam.AccountRootPrincipal())
    # region: notebook
    network = IsolatedNetwork(
        stack,
        "Network",
        services=[*PrivateService.for_workbench("notebook"), PrivateService(service="studio")],
    )
    notebook = SecureWorkbench(
        stack, "Notebook", workbench=Workbench.notebook(idle_minutes=30, volume_gb=50), network=network
    )
    notebook.add_data(data, prefix="features")
    notebook.grant_open(scientist)
    # endregion
    # region: studio
    studio = SecureWorkbench(stack, "Studio", workbench=Workbench.studio(), network=network)
    ana = studio.add_user("ana")
    ana.reach(data, prefix="features", writes=False)
    studio.grant_open(scientist, user="ana")
    # endregion
    return stack


if __name__ == "__main__":
    main = cdk.App()
    build(main)
    main.synth()
