"""The page of the loop: context values and parts are those of the stack."""

from __future__ import annotations

import inspect
import re

from stacks import loop_context
from tests.contract.pages import section


def test_context_values_are_those_that_the_stack_reads() -> None:
    table = section("mlops-loop", "Usage").partition("| Context |")[2]
    listed = {name for line in table.splitlines() for name in re.findall(r"`(\w+)`", line.split(" | ")[0])}
    source = inspect.getsource(loop_context.LoopContext)
    read = set(re.findall(r'self\._(?:get|whole)\("(\w+)"', source))
    assert listed == read
    documented = {
        name for line in source.splitlines() if " : " in line for name in line.partition(" : ")[0].split(", ")
    }
    assert {name.strip() for name in documented} == read


def test_parts_are_attributes_of_the_pattern() -> None:
    from cdk_ml_lens import MlopsLoop

    parts = re.findall(r"^\| `(\w+)` \| `(\w+)`", section("mlops-loop", "Overview"), re.MULTILINE)
    source = inspect.getsource(MlopsLoop)
    assert len(parts) == 7
    assert [name for name, kind in parts if not re.search(rf"self\.{name} = {kind}\(", source)] == []
