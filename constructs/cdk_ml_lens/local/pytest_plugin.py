"""pytest fixtures that deploy your own CDK stacks on the laptop cloud.

Installing ``cdk-ml-lens[local]`` is enough; nothing has to be registered. ::

    import pytest
    from my_app import MyStack

    @pytest.mark.laptop_cloud
    def test_the_function_answers(laptop_cloud, deployed):
        deployment = deployed(MyStack(aws_cdk.App(), "My"))
        name = deployment.outputs["FunctionName"]
        answer = laptop_cloud.client("lambda").invoke(FunctionName=name)
        assert "FunctionError" not in answer

``laptop_cloud``
    One cloud for the whole session, a `cdk_ml_lens.local.LaptopCloud`. It starts with the first test that asks.
``deployed``
    A function: takes a stack, or the folder of an assembly and a stack name, deploys or updates it, returns a
    `cdk_ml_lens.local.Deployment`. Stacks stay until the session ends: the cloud is thrown away.
``laptop_cloud_options``
    Override it (session scope) to give other arguments to ``LaptopCloud.start``, say ``{"auth": True}``.

When a test that uses the cloud fails, its report ends with the last lines of the cloud's log.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from aws_cdk import Stack

    from cdk_ml_lens.local.cloud import LaptopCloud
    from cdk_ml_lens.local.deployer import Deployment

CLOUD = pytest.StashKey["LaptopCloud"]()


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker."""
    config.addinivalue_line("markers", "laptop_cloud: runs on the laptop cloud (MiniStack in a subprocess)")


@pytest.fixture(scope="session")
def laptop_cloud_options() -> dict[str, Any]:
    """Return the arguments of ``LaptopCloud.start``; none by default."""
    return {}


@pytest.fixture(scope="session")
def laptop_cloud(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    laptop_cloud_options: dict[str, Any],
) -> Iterator[LaptopCloud]:
    """Start one cloud for the session."""
    from cdk_ml_lens.local.cloud import LaptopCloud

    options = {"state_dir": tmp_path_factory.mktemp("laptop-cloud"), **laptop_cloud_options}
    with LaptopCloud.start(**options) as cloud:
        request.config.stash[CLOUD] = cloud
        yield cloud


@pytest.fixture(scope="session")
def deployed(laptop_cloud: LaptopCloud) -> Callable[..., Deployment]:
    """Return a function that deploys a stack and returns the deployment."""

    def deploy(what: Stack | Path, name: str | None = None, **parameters: str) -> Deployment:
        folder, stack_name = (what, name) if isinstance(what, Path) else _synthesized(what)
        if stack_name is None:
            raise TypeError("deployed(folder, name) needs the name of the stack in the folder")
        return laptop_cloud.deploy(folder, stack_name, parameters=parameters)

    return deploy


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the cloud's log to the report of a failed test."""
    report = yield
    cloud = item.config.stash.get(CLOUD, None)
    if report.failed and cloud is not None and "laptop_cloud" in getattr(item, "fixturenames", ()):
        from cdk_ml_lens.local.server_process import tail

        report.sections.append(("laptop cloud", tail(cloud.log)))
    return report


def _synthesized(stack: Stack) -> tuple[Path, str]:
    from aws_cdk import Stage

    app = stack.node.root
    if not isinstance(app, Stage):
        raise TypeError(f"stack {stack.node.path} must be in an App, got a {type(app).__name__} at the root")
    return Path(app.synth(force=True).directory), stack.artifact_id
