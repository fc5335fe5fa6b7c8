"""Props of the wrong kind: refused with a PropError, before the jsii kernel hears of them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kms as kms

from cdk_ml_lens import AlarmRule, ApiAccess, IsolatedNetwork, PropError, Sensor, Variant, Workbench, telemetry_table
from cdk_ml_lens.core.kinds import can_cross, describe, fits
from cdk_ml_lens.core.refs import PrivateNetwork
from cdk_ml_lens.core.typed import typed

KEY = "arn:aws:kms:eu-west-1:111122223333:key/theirs"


@pytest.mark.parametrize(
    ("value", "hint", "fit"),
    [
        (1, int, True), (True, int, False), (1.5, int, False), ("1", int, False),
        (1, float, True), (float("nan"), float, False), (float("inf"), float, False), (False, float, False),
        (10**400, float, False), ("a", str, True), (b"a", str, False), ("\ud800", str, False), (None, str | None, True),
        (None, str, False), (["a"], Sequence[str], True), ("a", Sequence[str], False), ([1], Sequence[str], False),
        ({"a": 1}, Mapping[str, int], True), ({1: 1}, Mapping[str, int], False), ([], Mapping[str, int], False),
        ((1, "a"), tuple[int, str], True), ((1,), tuple[int, str], False), ((1, 2), tuple[int, ...], True),
        ("a", Literal["a", "b"], True), ("c", Literal["a", "b"], False), (1, Literal[True], False),
        (len, Callable[[Any], int], True), (1, Callable[[Any], int], False), (object(), Any, True),
    ],
)  # fmt: skip
def test_a_value_fits_its_annotation_as_cloudformation_would_see_it(value: Any, hint: Any, fit: bool) -> None:
    assert fits(value, hint) is fit


def test_things_of_cdk_and_of_ours_fit_by_their_members(stack: cdk.Stack) -> None:
    imported, made = kms.Key.from_key_arn(stack, "Theirs", KEY), kms.Key(stack, "Ours")
    network = IsolatedNetwork(stack, "Network")
    assert fits(imported, kms.IKey)
    assert fits(made, kms.IKey)
    assert not fits(network, kms.IKey)
    assert fits(network, PrivateNetwork)
    assert not fits(made, PrivateNetwork)
    assert fits({"subnets": []}, ec2.SubnetSelection)  # CDK takes a mapping for a struct
    assert not fits({}, IsolatedNetwork)


@pytest.mark.parametrize("deadly", [float("nan"), "\ud800", ["\ud800"], {"a": float("inf")}, b"x", object()])
def test_what_kills_the_kernel_is_known(deadly: Any) -> None:
    assert not can_cross(deadly)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Variant(name=7), "name must be a text for variant, got 7"),  # type: ignore[arg-type]
        (lambda: Workbench.notebook(volume_gb="5"), "volume_gb must be a whole number"),  # type: ignore[arg-type]
        (lambda: telemetry_table([1]), "sensors must be a sequence of Sensor"),  # type: ignore[list-item]
        (lambda: ApiAccess(kind="cognito", user_pool=3), "user_pool must be"),  # type: ignore[arg-type]
        (lambda: Sensor(name="a", factor=float("nan")), "factor must be finite"),  # its own rule says it first
        (lambda: AlarmRule(metric="M", threshold="1"), "threshold must be a finite number"),  # type: ignore[arg-type]
    ],
)
def test_values_and_factories_refuse_other_kinds(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(PropError, match=message):
        make()


def test_a_construct_of_wrong_props_leaves_nothing_in_the_tree(stack: cdk.Stack) -> None:
    with pytest.raises(
        PropError, match=r"zones must be a whole number .*, got '2'\n.*encryption_key must be IKey or None"
    ):
        IsolatedNetwork(stack, "Network", zones="2", encryption_key=stack)  # type: ignore[arg-type]
    assert stack.node.children == []


def test_python_speaks_for_itself_about_names_that_do_not_exist(stack: cdk.Stack) -> None:
    with pytest.raises(TypeError, match=r"IsolatedNetwork.__init__\(\) got an unexpected keyword argument 'zone'"):
        IsolatedNetwork(stack, "Network", zone=2)  # type: ignore[call-arg]


def test_signature_and_identity_stay() -> None:
    assert typed(Variant) is Variant
    assert typed(telemetry_table) is telemetry_table
    assert list(inspect.signature(Workbench.studio).parameters) == ["instance_type", "volume_gb", "idle_minutes"]


@pytest.mark.parametrize(
    ("hint", "words"),
    [
        (int | None, "be a whole number or None"),
        (Literal["a", "b"], "be one of ['a', 'b']"),
        (Callable[[str], int], "be callable"),
        (Mapping[str, Sequence[float]], "be a mapping of a text to a sequence of a finite number"),
    ],
)
def test_a_kind_is_told_in_words(hint: Any, words: str) -> None:
    assert describe(hint) == words


def test_an_error_of_a_value_with_props_of_the_right_kind_stays_what_it_is() -> None:
    @typed
    class Share:
        def __init__(self, *, parts: int) -> None:
            self.size = 1 / parts

    assert Share(parts=4).size == 0.25
    with pytest.raises(ZeroDivisionError):
        Share(parts=0)
    with pytest.raises(PropError, match="parts must be a whole number"):
        Share(parts="4")  # type: ignore[arg-type]
