"""Writes an evaluation that passes any gate on `loss`; looks at nothing."""

import json
import os
import sys
from pathlib import Path

numbers = {"model_version": "tiny", "metrics": {"loss": 0.0}}
champion = os.environ.get("CHAMPION_MODEL_PACKAGE_ARN")
found = {
    "candidate": numbers,
    "champion": None if champion is None else {**numbers, "model_package_arn": champion},
    "rows": 1000,
    "dataset_version": os.environ["DATASET_VERSION"],
}
folder = Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
(folder / "evaluation.json").write_text(json.dumps(found))
