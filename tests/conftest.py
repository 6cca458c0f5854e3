import pytest
from hypothesis import settings

# Half the usual examples, for a run under ten minutes; a busy machine misses every deadline.
settings.register_profile("operando", max_examples=30, deadline=None)
settings.load_profile("operando")

LONG = {"system": 0, "truth": 1}  # folders whose files take longest: begun first, so that no worker is left with one


@pytest.fixture(scope="session")
def qapp_args() -> list[str]:
    """Windows of tests need no display."""
    return ["operando", "-platform", "offscreen"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: min((LONG[part] for part in item.path.parts if part in LONG), default=len(LONG)))
