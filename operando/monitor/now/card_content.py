"""What each of the large cards says at a moment; nothing here draws."""

from dataclasses import dataclass
from math import isfinite

from operando.model.limit_rules import Quantity as Limited
from operando.model.number_text import duration_text
from operando.monitor.now.limit_distance import Level, LimitDistance, limit_distance
from operando.monitor.reading.run_view import DISPLAYS, Quantity, RunView, age_text

QUALITY_WORDS = {  # the guard's words for what is not right with a reading
    "OVERRANGE": "OVER RANGE",
    "BADCS": "BAD CHECKSUM",
    "NAN": "NOT A NUMBER",
}
_LIMITED = {
    Quantity.VOLTAGE: Limited.VOLTAGE,
    Quantity.CURRENT: Limited.CURRENT,
    Quantity.CHARGE: Limited.CHARGE,
    Quantity.PRESSURE: Limited.STACK_PRESSURE,
    Quantity.TEMPERATURE: Limited.TEMPERATURE,
}
_WIDEST = {  # of the numbers that a card usually shows, so that its digits keep their size
    Quantity.VOLTAGE: "0.0000",
    Quantity.CURRENT: "−00.00",
    Quantity.CHARGE: "−0.0000",
    Quantity.PRESSURE: "000.00",
    Quantity.TEMPERATURE: "000.0",
}


@dataclass(frozen=True)
class CardContent:
    """One card.

    ``words`` are in capitals and say why a figure must not be trusted: the card is then drawn inverted. ``below`` is a
    second figure, ``limit`` where the value lies between its limits, ``limit_note`` what is said where nobody knows
    them. ``widest`` is the widest number that is to be expected.
    """

    heading: str
    number: str
    unit: str
    age: str
    words: tuple[str, ...] = ()
    below: str = ""
    limit: LimitDistance | None = None
    limit_note: str = ""
    widest: str = "−0.0000"

    @property
    def level(self) -> Level:
        """How the value lies to its limits."""
        return Level.FINE if self.limit is None else self.limit.level


def quality_word(quality: str) -> str:
    """Return what a person reads for a quality of the guard's log; empty if the reading is good."""
    return "" if quality in ("", "OK") else QUALITY_WORDS.get(quality, quality.upper())


def card_contents(view: RunView, wall_s: float) -> tuple[CardContent, ...]:
    """Return the six cards in order; ``wall_s`` is the host's present time."""
    return (
        _card(view, wall_s, Quantity.VOLTAGE, "Voltage"),
        _card(view, wall_s, Quantity.CURRENT, "Current"),
        _capacity(view, wall_s),
        _pressure(view, wall_s),
        _card(view, wall_s, Quantity.TEMPERATURE, "Temperature"),
        _ring_current(view),
    )


def _card(
    view: RunView, wall_s: float, quantity: Quantity, heading: str, *, below: str = "", doubt: str = ""
) -> CardContent:
    figure, display = view.figures[quantity], DISPLAYS[quantity]
    silent = view.is_stale(figure, wall_s) and not view.ended
    words = [quality_word(figure.quality), doubt, "SILENT" if silent else ""]
    age = age_text(wall_s - figure.wall_s)
    limits = view.situation.limits
    limit = None if limits is None else limit_distance(figure.value, _LIMITED[quantity], limits, display)
    return CardContent(
        heading=heading,
        number=display.text(figure.value).replace("-", "−"),
        unit=display.unit,
        age=f"last, {age}" if view.ended and age.endswith("ago") else age,
        words=tuple(dict.fromkeys(word for word in words if word)),
        below=below,
        limit=limit,
        limit_note="limits unknown" if limits is None and quantity is not Quantity.CHARGE else "",
        widest=_WIDEST[quantity],
    )


def _capacity(view: RunView, wall_s: float) -> CardContent:
    """Return the capacity of the half cycle where the active mass is known, else the charge alone."""
    capacity = view.situation.capacity
    charge = _card(view, wall_s, Quantity.CHARGE, "Charge", below="since the run began")
    if not isfinite(capacity.present_mah_per_g):
        return charge
    return CardContent(
        heading="Capacity",
        number=f"{capacity.present_mah_per_g:.1f}",
        unit="mAh/g",
        age=charge.age,
        words=charge.words,
        below=" · ".join(filter(None, ("this step", capacity.share_text))),
        limit=charge.limit,
        limit_note=f"{charge.number} mAh since the run began",
        widest="000.0",
    )


def _pressure(view: RunView, wall_s: float) -> CardContent:
    force = DISPLAYS[Quantity.FORCE].text(view.figures[Quantity.FORCE].value).replace("-", "−")
    doubt = "" if view.situation.is_calibrated else "UNCALIBRATED"
    return _card(view, wall_s, Quantity.PRESSURE, "Stack pressure", below=f"{force} N", doubt=doubt)


def _ring_current(view: RunView) -> CardContent:
    """Return the newest ring current that was written down; nothing follows it between tomograms."""
    ring = view.situation.ring_current
    if not isfinite(ring.time_s):
        return CardContent("Ring current", "–", "mA", "not in the run's files", widest="000.0")
    age = duration_text(max(view.now_s - ring.time_s, 0.0))
    is_last = bool(view.ended)
    return CardContent(
        heading="Ring current",
        number=f"{ring.current_ma:.1f}".replace("-", "−") if isfinite(ring.current_ma) else "–",
        unit="mA",
        age="last" if is_last else f"{age} ago",
        words=() if isfinite(ring.current_ma) else ("NOT A NUMBER",),
        below=f"at {ring.tomogram}" if ring.tomogram else "between tomograms",
        limit_note=f"{age} before the end" if is_last else "as last written down, not live",
        widest="000.0",
    )
