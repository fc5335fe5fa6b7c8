"""PropError: the one error for a prop that AWS, or good sense, would refuse."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One broken rule of one prop.

    Parameters
    ----------
    prop : str
        Name of the prop, as the caller wrote it.
    rule : str
        What the value must be, to be read after "must".
    value : object
        What the caller gave.
    hint : str, optional
        What to do instead. Default: no hint.
    """

    prop: str
    rule: str
    value: object
    hint: str | None = None

    def render(self, which: str | None) -> str:
        """Return ``<prop> must <rule> [for <which>], got <value>[; <hint>]``."""
        owner = "" if which is None else f" for {which}"
        advice = "" if self.hint is None else f"; {self.hint}"
        return f"{self.prop} must {self.rule}{owner}, got {self.value!r}{advice}"


class PropError(ValueError):
    """A prop was refused at synth, before anything reached CloudFormation.

    Attributes
    ----------
    faults : tuple of Fault
        Every broken rule of the object, so that one run shows them all.
    """

    def __init__(self, *faults: Fault, which: str | None = None) -> None:
        self.faults = faults
        self.which = which
        super().__init__("\n".join(fault.render(which) for fault in faults))


class Faults:
    """Collects the faults of one object, then raises them together.

    Examples
    --------
    >>> faults = Faults("variant 'blue'")
    >>> faults.unless(-1 >= 0, "weight", "be at least 0", -1)
    >>> faults.raise_any()
    Traceback (most recent call last):
    ...
    cdk_ml_lens.core.errors.PropError: weight must be at least 0 for variant 'blue', got -1
    """

    def __init__(self, which: str | None = None) -> None:
        self._which = which
        self._found: list[Fault] = []

    def unless(self, holds: bool, prop: str, rule: str, value: object, hint: str | None = None) -> None:
        """Note a fault unless ``holds``."""
        if not holds:
            self._found.append(Fault(prop=prop, rule=rule, value=value, hint=hint))

    def within(self, prop: str, value: float, low: float, high: float, hint: str | None = None) -> None:
        """Note a fault unless ``low <= value <= high``."""
        self.unless(low <= value <= high, prop, f"be between {low} and {high}", value, hint)

    def raise_any(self) -> None:
        """Raise a `PropError` with everything noted, or do nothing.

        Raises
        ------
        PropError
            When at least one fault was noted.
        """
        if self._found:
            raise PropError(*self._found, which=self._which)
