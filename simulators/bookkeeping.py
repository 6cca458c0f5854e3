"""What only a rehearsal wants to know is written down after the answer: a stop is as quick as a real instrument's."""

import asyncio
from collections.abc import Callable

AFTER_S = 0.02


def after_answers(work: Callable[[], None]) -> None:
    """Do ``work`` once what is being answered has been; at once where nothing is served yet. Its order is kept."""
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        work()
        return
    loop.call_later(AFTER_S, work)


async def bookkeeping_done() -> None:
    """Return when all work is done that was put off before."""
    await asyncio.sleep(2 * AFTER_S)
