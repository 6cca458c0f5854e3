"""What in the limits of an experiment file contradicts itself, the cell or the sampling."""

from collections.abc import Iterator

from operando.model.limit_rules import LimitAction, LimitClass, LimitKind, LimitRule, Quantity
from operando.model.limits_table import MAX_DELAY_S, Limits

STALE_KEYS = {
    Quantity.POTENTIOSTAT: "stale_potentiostat",
    Quantity.LOAD_CELL: "stale_force",
    Quantity.THERMOMETER: "stale_temperature",
}
MUST_STOP = (  # without them the ranges of voltage and current would watch nothing
    (Quantity.VOLTAGE, LimitKind.NOT_A_NUMBER),
    (Quantity.CURRENT, LimitKind.NOT_A_NUMBER),
    (Quantity.POTENTIOSTAT, LimitKind.STALE),
)


def limit_contradictions(limits: Limits, *, pressure_mpa: float, longest_period_s: float) -> Iterator[str]:
    """Yield a sentence for everything in the limits that cannot hold together.

    Parameters
    ----------
    pressure_mpa
        Stack pressure at which the cell was built.
    longest_period_s
        Longest time between two samples at a beamline.
    """
    yield from _ranges(limits, pressure_mpa)
    seen: dict[tuple[Quantity, LimitKind, LimitAction], int] = {}
    for number, written in enumerate(limits.rule, start=1):
        key, rule = f"limits.rule.{number}", written.rule(limits.delay)
        first = seen.setdefault((rule.quantity, rule.kind, rule.action), number)
        if first != number:
            yield (
                f"{key}: says {rule.kind} of {rule.quantity} with action {rule.action} as limits.rule.{first} does. "
                "Keep one of them."
            )
        stale_key = STALE_KEYS.get(rule.quantity, "") if rule.kind is LimitKind.STALE else ""
        if stale_key in limits.model_fields_set:
            yield f"{key}: says what limits.{stale_key} says, too. Keep one of them."
        if rule.severity is LimitClass.CELL_DANGER and rule.delay_s > MAX_DELAY_S and rule.kind is not LimitKind.FROZEN:
            yield (
                f"{key}.delay = {rule.delay_s:g} s: leaves the cell in danger for too long; allowed is at most "
                f"{MAX_DELAY_S:g} s."
            )
        if 0 < rule.over_s < 2 * longest_period_s:
            yield (
                f"{key}.over = {rule.over_s:g} s: holds fewer than two samples, taken every {longest_period_s:g} s. "
                "Make it longer or sample more often."
            )
        yield from _never_acts(limits, key, rule)
    for quantity, kind in MUST_STOP:
        watching = [rule for rule in limits.rules if (rule.quantity, rule.kind) == (quantity, kind)]
        if all(rule.action is not LimitAction.OPEN_CIRCUIT for rule in watching):
            yield (
                f"limits.rule: nothing opens the circuit when {kind} is true of the {quantity}, so its limits would "
                "watch nothing. Add a rule with action = 'open_circuit' or leave the warning out."
            )


def _ranges(limits: Limits, pressure_mpa: float) -> Iterator[str]:
    for quantity, low, high, unit in (
        ("voltage", limits.min_voltage, limits.max_voltage, "V"),
        ("stack_pressure", limits.min_stack_pressure, limits.max_stack_pressure, "MPa"),
        ("temperature", limits.min_temperature, limits.max_temperature, "degC"),
    ):
        if low >= high:
            yield f"limits.max_{quantity} = {high:g} {unit}: must be above limits.min_{quantity}, {low:g} {unit}."
    if not limits.min_stack_pressure < pressure_mpa < limits.max_stack_pressure:
        yield (
            f"cell.stack_pressure = {pressure_mpa:g} MPa: would trip the guard; the limits are "
            f"{limits.min_stack_pressure:g} to {limits.max_stack_pressure:g} MPa."
        )


def _never_acts(limits: Limits, key: str, rule: LimitRule) -> Iterator[str]:
    """Say of a rule that another one opens the circuit before it."""
    if rule.kind is LimitKind.ABSOLUTE:
        for stop in limits.ranges:
            if stop.quantity is rule.quantity and stop.delay_s <= rule.delay_s and _holds(rule, stop):
                yield (
                    f"{key}: never acts, for the circuit is open beyond {stop.low:g} to {stop.high:g} already. "
                    "Make it narrower."
                )
    if rule.kind is LimitKind.DISCONNECT:
        for stop in limits.rules:
            stops = stop.action is LimitAction.OPEN_CIRCUIT and stop.kind is LimitKind.STALE
            if stops and stop.quantity is rule.quantity and stop.delay_s <= rule.delay_s:
                yield (
                    f"{key}.delay = {rule.delay_s:g} s: never acts, for a silence of {stop.delay_s:g} s, which a lost "
                    "connection is, opens the circuit already. Make it shorter."
                )


def _holds(outer: LimitRule, inner: LimitRule) -> bool:
    """Whether everything that ``inner`` allows is within ``outer``."""
    return outer.low <= inner.low and inner.high <= outer.high
