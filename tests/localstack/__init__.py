"""Tests on LocalStack: the last free release from pip, or the user's own container."""
