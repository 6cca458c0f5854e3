"""The command line."""

from operando.cli.application import application, main

__all__ = ["application", "main"]
