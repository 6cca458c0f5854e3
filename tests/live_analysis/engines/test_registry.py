import pytest

from live_analysis.engines import registry
from live_analysis.engines.registry import EngineError, engine_named, installed_engines


def test_an_engine_is_found_by_its_name() -> None:
    assert engine_named("native").name == "native"
    assert "native" in installed_engines()


def test_an_unknown_engine_is_refused_with_those_there_are() -> None:
    with pytest.raises(EngineError, match="no engine 'savu': choose one of native, astra, tomopy"):
        engine_named("savu")


def test_an_engine_that_is_not_installed_is_refused_with_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "find_spec", lambda _name: None)
    with pytest.raises(EngineError, match=r"there is native\. Install it with: conda env create"):
        engine_named("tomopy")
