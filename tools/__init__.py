"""Commands for the maintainers of this repository."""
