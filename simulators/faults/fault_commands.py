"""Faults on command: a process variable takes one as JSON, with the secret of whoever may disturb this rehearsal."""

import hmac
import json
import os
import secrets
from pathlib import Path
from typing import Any

from caproto import ChannelType
from caproto.server import PVGroup, pvproperty

from operando.model.json_lines import plain
from simulators.faults.fault_file import FaultError, fault_from
from simulators.faults.injector import Injector

MAX_LENGTH = 4000


def write_token(path: Path) -> str:
    """Make a secret that only the owner of its file can read; return it."""
    token = secrets.token_hex(16)
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(token)
    return token


class FaultCommands(PVGroup):  # type: ignore[misc]
    """``INJECT`` takes ``{"token", "fault"}``; when its put is complete, ``INJECTED`` says what came of it.

    The answer is ``{"ids"}`` or ``{"refused": sentence}``.
    """

    inject = pvproperty(name="INJECT", value="", dtype=ChannelType.CHAR, max_length=MAX_LENGTH, string_encoding="utf-8")
    injected = pvproperty(
        name="INJECTED",
        value="",
        dtype=ChannelType.CHAR,
        max_length=MAX_LENGTH,
        string_encoding="utf-8",
        read_only=True,
    )

    def __init__(self, *args: Any, injector: Injector, token: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._injector = injector
        self._token = token

    @inject.putter  # type: ignore[no-redef, untyped-decorator]
    async def inject(self, instance: Any, value: Any) -> str:
        """Do what is asked, or say why not."""
        await self.injected.write(json.dumps(await self._answer(value), default=plain)[:MAX_LENGTH])
        return ""  # nobody can read the secret here

    async def _answer(self, value: Any) -> dict[str, object]:
        try:
            text = value if isinstance(value, str) else bytes(value).decode("utf-8")
            asked = json.loads(text.rstrip("\0"))
            if not hmac.compare_digest(str(asked["token"]), self._token):
                return {"refused": "The token is not that of this rehearsal."}
            return {"ids": await self._injector.inject([fault_from(asked["fault"])])}
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            sentence = str(error) if isinstance(error, FaultError) else f"is no command: {error!r}"
            return {"refused": sentence}
