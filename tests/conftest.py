import os
from pathlib import Path

import pytest
from hypothesis import settings

from operando.model import expendable

# Half the usual examples, for a run under ten minutes; a busy machine misses every deadline.
settings.register_profile("operando", max_examples=30, deadline=None)
settings.load_profile("operando")

# Files, and folders whose files, take longest: begun first, so that no worker is left with one when the other is done.
LONG = {"test_code_quality.py": 0, "system": 1, "truth": 2, "campaigns": 3, "session": 4, "guard": 5}


@pytest.fixture(scope="session")
def qapp_args() -> list[str]:
    """Windows of tests need no display."""
    return ["operando", "-platform", "offscreen"]


@pytest.fixture(autouse=True)
def needed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep this process, and with it what later tests start, as needed as it was where a test analyses within it."""
    monkeypatch.setattr(expendable, "_OOM_SCORE", Path(os.devnull))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: min((LONG[part] for part in item.path.parts if part in LONG), default=len(LONG)))
