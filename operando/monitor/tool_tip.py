"""What a person who points at something is told, as it is written: Qt takes what looks like markup for markup."""

from html import escape


def plain_tip(text: str) -> str:
    """Return a text for a tool tip in which nothing is markup; empty for none."""
    return f"<qt>{escape(text, quote=False).replace(chr(10), '<br>')}</qt>" if text else ""
