"""``python -m operando.cli`` is the command line without an installed script."""

from operando.cli.application import program

if __name__ == "__main__":
    program()
