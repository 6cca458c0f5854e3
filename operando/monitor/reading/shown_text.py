"""Texts from a run's files, fit to be shown: one line, of bearable length, and nothing in it moves what stands beside.

Names, reasons and notes may come from damaged or foreign files. Line ends, control sequences of a terminal, marks that
turn the direction of writing round and halves of characters become spaces; what is markup stays as it is written.
"""

LONGEST_NAME, LONGEST_SENTENCE = 64, 1000  # characters; a name of an experiment file has 64 at most


def shown_text(text: object, longest: int = LONGEST_SENTENCE) -> str:
    """Return a text as it can be shown, cut off where it is too long."""
    whole = str(text)
    if len(whole) > longest:
        whole = f"{whole[: longest - 1]}…"
    return whole if whole.isprintable() else "".join(sign if sign.isprintable() else " " for sign in whole)


def shown_name(text: object) -> str:
    """Return a name as it can be shown."""
    return shown_text(text, LONGEST_NAME)
