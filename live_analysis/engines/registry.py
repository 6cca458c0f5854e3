"""Engines by the name that people choose them by."""

from collections.abc import Callable
from importlib.util import find_spec

from live_analysis.engines.engine import Engine


class EngineError(ValueError):
    """An engine that does not exist or is not installed."""


def _native(num_threads: int) -> Engine:
    from live_analysis.engines.native import NativeEngine

    return NativeEngine(num_threads)


def _astra(num_threads: int) -> Engine:
    from live_analysis.engines.astra_engine import AstraEngine

    return AstraEngine(num_threads)


def _tomopy(num_threads: int) -> Engine:
    from live_analysis.engines.tomopy_engine import TomopyEngine

    return TomopyEngine(num_threads)


ENGINES: dict[str, Callable[[int], Engine]] = {"native": _native, "astra": _astra, "tomopy": _tomopy}
HOW_TO_INSTALL = {
    "astra": 'pip install "operando[astra]"',
    "tomopy": "conda env create --file environment.yml (it is on conda-forge, not on the Python package index)",
}


def installed_engines() -> list[str]:
    """Return the names of the engines that can be used here."""
    return [name for name in ENGINES if name not in HOW_TO_INSTALL or find_spec(name) is not None]


def engine_named(name: str, *, num_threads: int = 2) -> Engine:
    """Return an engine.

    Raises
    ------
    EngineError
        If there is no such engine, or it is not installed.
    """
    if name not in ENGINES:
        raise EngineError(f"there is no engine {name!r}: choose one of {', '.join(ENGINES)}.")
    if name not in installed_engines():
        raise EngineError(
            f"engine {name!r} was asked for, but {name} is not installed; there is {', '.join(installed_engines())}. "
            f"Install it with: {HOW_TO_INSTALL[name]}"
        )
    return ENGINES[name](num_threads)
