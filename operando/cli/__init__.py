"""The command line."""

from operando.cli.application import application, main, program

__all__ = ["application", "main", "program"]
