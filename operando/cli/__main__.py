"""``python -m operando.cli`` is the command line without an installed script."""

from operando.cli.application import main

if __name__ == "__main__":
    main()
