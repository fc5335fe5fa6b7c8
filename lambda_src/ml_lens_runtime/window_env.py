"""The part of the scorer's environment that a feature set adds; a bad variable fails with its name."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

from ml_lens_runtime.errors import ConfigurationError
from ml_lens_runtime.feature_definition import DefinitionError, FeatureSet

_MOST_BYTES = 1_000_000  # of the unpacked definition
_NAMES = ("FEATURE_SET", "WINDOW_TABLE", "NORMALISATION_BUCKET", "NORMALISATION_KEY")


@dataclass(frozen=True, kw_only=True, slots=True)
class WindowSettings:
    """Definition of the features, the table of the windows, and where the normalisation parameters are.

    Attributes
    ----------
    bucket, key : str or None
        Of the normalisation parameters; None without normalisation.
    """

    definition: FeatureSet
    table: str
    bucket: str | None = None
    key: str | None = None

    @classmethod
    def parse(cls, environ: Mapping[str, str]) -> WindowSettings | None:
        """Parse the variables; None if there is none of them.

        Raises
        ------
        ConfigurationError
            One of them is missing or invalid; its name is the first word of the message.
        """
        given = {name: environ.get(name, "").strip() for name in _NAMES}
        if not any(given.values()):
            return None
        for name in ("FEATURE_SET", "WINDOW_TABLE"):
            if not given[name]:
                raise ConfigurationError(f"{name} must be set with {' and '.join(n for n in _NAMES if given[n])}")
        definition = _definition(given["FEATURE_SET"])
        for name in ("NORMALISATION_BUCKET", "NORMALISATION_KEY"):
            if bool(given[name]) == (definition.method == "none"):
                rule = "not be set" if given[name] else "be set"
                raise ConfigurationError(f"{name} must {rule} for normalisation by {definition.method!r}")
        return cls(
            definition=definition,
            table=given["WINDOW_TABLE"],
            bucket=given["NORMALISATION_BUCKET"] or None,
            key=given["NORMALISATION_KEY"] or None,
        )


def _definition(text: str) -> FeatureSet:
    try:
        return FeatureSet.parse(text if text.startswith("{") else _unpacked(text))
    except DefinitionError as error:
        raise ConfigurationError(f"FEATURE_SET must be a feature set: {error}") from None
    except (ValueError, zlib.error) as error:
        raise ConfigurationError(f"FEATURE_SET must be JSON, or that deflated and in base64: {error}") from None


def _unpacked(text: str) -> str:
    """Return the JSON of a packed definition: all variables of a function share 4 KB."""
    inflate = zlib.decompressobj()
    return inflate.decompress(base64.b64decode(text, validate=True), _MOST_BYTES).decode()
