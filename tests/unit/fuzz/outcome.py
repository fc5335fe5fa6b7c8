"""What may come of props: an object, a PropError, or Python's own word on names that do not exist."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from cdk_ml_lens import PropError

# Python on missing and unknown names, and typeguard on the arguments of a call of CDK.
CLEAR = re.compile(r"missing \d+ required|unexpected keyword argument|^type of argument \w+ must be")


def attempt(make: Callable[..., Any], **props: Any) -> Any:
    """Return what ``make`` makes of ``props``; ``None`` when it refuses them with words for a user.

    Raises
    ------
    AssertionError
        For any other way to fail, such as jsii's JavaScriptError.
    """
    try:
        return make(**props)
    except PropError:
        return None
    except TypeError as error:
        if CLEAR.search(str(error)):
            return None
        raise AssertionError(_told(make, props, error)) from error
    except Exception as error:
        raise AssertionError(_told(make, props, error)) from error


def _told(make: Callable[..., Any], props: dict[str, Any], error: Exception) -> str:
    shown = ", ".join(f"{name}={value!r:.120}" for name, value in props.items())
    return f"{getattr(make, '__qualname__', make)}({shown}) is neither made nor refused: {error!r:.300}"
