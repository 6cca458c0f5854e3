"""Whether a long run costs at its end what it cost at its beginning."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from campaigns.soak_samples import SoakSample

WARM_UP = 0.15  # of the run: caches fill, every kind of step and tomogram has come once
LARGEST_GROWTH = 0.05
MORE_DESCRIPTORS = 2  # two files that happen to be open at one look and not at another
SLOWER = 0.10  # samples of the guard per processor time of all processes, which does not depend on what else runs


@dataclass(frozen=True)
class Trend:
    """A quantity's median in the first third after warm-up and in the last one; ``holds`` says if that is allowed."""

    role: str
    quantity: str
    unit: str
    first: float
    last: float
    holds: bool


def trends(samples: Sequence[SoakSample]) -> list[Trend]:
    """Compare first and last third of a soak after warm-up, each process by itself, then all together.

    A process that was started again hides what it had grown by: it does not hold.
    """
    running = [sample for sample in samples if any(process.role == "guard" for process in sample.processes)]
    if not running:
        return []
    warm = [sample for sample in running if sample.time_s >= WARM_UP * running[-1].time_s]
    third = max(len(warm) // 3, 1)
    first, last = warm[:third], warm[-third:]
    found = []
    for role in sorted({process.role for sample in last for process in sample.processes}):
        memory, memory_last = (_of(part, role, "private_bytes") / 1e6 for part in (first, last))
        open_first, open_last = (_of(part, role, "num_descriptors") for part in (first, last))
        num_starts = len({process.pid for sample in warm for process in sample.processes if process.role == role})
        found += [
            Trend(role, "private memory", "MB", memory, memory_last, memory_last <= (1 + LARGEST_GROWTH) * memory),
            Trend(role, "descriptors", "1", open_first, open_last, open_last <= open_first + MORE_DESCRIPTORS),
            Trend(role, "starts", "1", 1, num_starts, num_starts == 1),
        ]
    rate, rate_last = (_samples_per_processor_s(part) for part in (first, last))
    found.append(Trend("all", "samples per processor time", "1/s", rate, rate_last, rate_last >= (1 - SLOWER) * rate))
    return found


def _of(samples: Sequence[SoakSample], role: str, field: str) -> float:
    values = [getattr(process, field) for sample in samples for process in sample.processes if process.role == role]
    return float(median(values)) if values else 0.0


def _samples_per_processor_s(samples: Sequence[SoakSample]) -> float:
    begin, end = samples[0], samples[-1]
    spent_s = sum(process.processor_s for process in end.processes) - sum(
        process.processor_s for process in begin.processes
    )
    return (end.num_guard_samples - begin.num_guard_samples) / spent_s if spent_s > 0 else 0.0
