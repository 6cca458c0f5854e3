"""What arrives at the COMMAND variable, from anybody: read without trust, and refused with a sentence."""

import hmac
import json

from operando.guard.inbox import Answer, Command

LONGEST_TEXT = 4000
LONGEST_ID = 100  # it stands in every answer, which must leave room for a reason
_FORM = "COMMAND takes a JSON table with id, token, command and arguments"


def parsed(text: str, token: str) -> tuple[Command, str]:
    """Return the command that ``text`` says, and why it is refused; that is empty for one of this run's own people.

    A command that is refused has the id under which the answer is shown, as far as it has one.
    """
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        return Command("", ""), f"{_FORM}."
    if not isinstance(said, dict):
        return Command("", ""), f"{_FORM}; this is another kind of value."
    identity, name, arguments = said.get("id"), said.get("command"), said.get("arguments", {})
    if not (isinstance(identity, str) and isinstance(name, str) and isinstance(arguments, dict)):
        shown = identity[:LONGEST_ID] if isinstance(identity, str) else ""
        return Command(shown, ""), "COMMAND's id and command are text, its arguments a table."
    if len(identity) > LONGEST_ID:
        found = f"COMMAND's id has {len(identity)} characters; allowed are {LONGEST_ID}."
        return Command(identity[:LONGEST_ID], ""), found
    given = said.get("token")
    if not isinstance(given, str) or not hmac.compare_digest(_bytes(given), _bytes(token)):
        return Command(identity, ""), "The token is not that of this run: read guard.token in the run directory."
    if nested := [key for key, value in arguments.items() if isinstance(value, dict | list)]:
        return Command(identity, name), f"{nested[0][:LONGEST_ID]} is a table or list; arguments are single values."
    return Command(identity, name, arguments), ""


def answer_text(answer: Answer) -> str:
    """Return the JSON that is shown, with the reason cut where it would not fit: what is shown stays whole JSON."""
    reason = answer.reason
    while len(text := json.dumps({"id": answer.id, "outcome": answer.outcome, "reason": reason})) >= LONGEST_TEXT:
        reason = reason[: len(reason) // 2]
    return text


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "backslashreplace")  # JSON can say halves of characters
