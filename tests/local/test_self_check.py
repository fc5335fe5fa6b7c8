"""The server refuses to run on a MiniStack that is not the one its patches were made for."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from cdk_ml_lens.local import venvs
from cdk_ml_lens.local.server_process import SERVER

PROBE = """
import importlib, json, os, sys
os.environ["MOTO_ACCOUNT_ID"] = "000000000000"
sys.path.insert(0, sys.argv[1])
selfcheck = importlib.import_module("server.selfcheck")
expected = importlib.import_module("server.expected")
made_up = (
    expected.Expected(module="ministack.services.iot", name="_no_such_name"),
    expected.Expected(module="ministack.services.iot", name="_rule_message", parameters=("text",)),
    expected.Expected(module="ministack.services.no_such_module", name="anything"),
    expected.Expected(module="ministack.services.iot", name="_MISSING", parameters=("text",)),
)
print(json.dumps([selfcheck.problems(), selfcheck.problems(made_up)]))
selfcheck.MINISTACK = "0.0.1"
selfcheck.verify()
"""


def test_every_patched_name_is_as_expected_and_a_changed_one_is_named() -> None:
    done = subprocess.run(
        [venvs.ensure("cloud"), "-c", PROBE, str(SERVER.parent)], capture_output=True, text=True, check=False
    )
    real, made_up = json.loads(done.stdout)
    assert real == []
    assert "_no_such_name is missing" in made_up[0]
    assert "_rule_message must take ('text',), got ('payload',)" in made_up[1]
    assert "no_such_module.anything is missing" in made_up[2]
    assert "_MISSING must be a function" in made_up[3]
    assert done.returncode == 1
    assert "does not fit this MiniStack:\n  ministack must be 0.0.1, got 1." in done.stderr


def test_the_server_imports_neither_the_library_nor_the_cdk() -> None:
    for source in SERVER.glob("*.py"):
        for line in source.read_text().splitlines():
            assert not line.strip().startswith(
                ("import cdk_ml_lens", "from cdk_ml_lens", "import aws_cdk", "from aws_cdk")
            )


def test_the_pins_name_one_version_each_and_no_registry() -> None:
    for name in ("cloud", "etl", "model", "spark"):
        lines = (Path(venvs.PINS) / f"{name}.txt").read_text().splitlines()
        pins = [line for line in lines if line and not line.startswith("#") and not line.startswith(" ")]
        assert len(pins) > 5
        assert all("==" in pin and "://" not in pin for pin in pins)
