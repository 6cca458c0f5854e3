"""What a soak calls flat."""

from dataclasses import replace

from campaigns.soak_samples import ProcessSample, SoakSample
from campaigns.soak_verdict import trends

NUM_LOOKS = 300


def soaked(*, bytes_per_look: float = 0, descriptors_per_look: float = 0, slower: float = 0) -> list[SoakSample]:
    """Looks at a guard of 100 MB that takes a sample in 10 ms of processor time, after a warm-up of 5 % of the run."""
    found, spent_s = [], 0.0
    for index in range(NUM_LOOKS):
        spent_s += 1.0 * (1 + slower * index / NUM_LOOKS)
        warm = min(index / (0.05 * NUM_LOOKS), 1.0)
        process = ProcessSample(
            "guard",
            4711,
            int(60e6 + 40e6 * warm + bytes_per_look * index),
            int(30 + descriptors_per_look * index),
            9,
            spent_s,
        )
        found.append(SoakSample(10.0 * index, 100 * index, index // 3, (process,)))
    return found


def broken(samples: list[SoakSample]) -> set[str]:
    return {trend.quantity for trend in trends(samples) if not trend.holds}


def test_a_run_that_only_warms_up_is_flat() -> None:
    assert broken(soaked()) == set()


def test_six_per_cent_of_memory_three_descriptors_and_a_fifth_of_speed_are_seen() -> None:
    two_thirds = NUM_LOOKS * (1 - 0.15) * 2 / 3  # between the middles of the first and the last third
    assert broken(soaked(bytes_per_look=0.065 * 100e6 / two_thirds)) == {"private memory"}
    assert broken(soaked(descriptors_per_look=4 / two_thirds)) == {"descriptors"}
    assert broken(soaked(slower=0.4)) == {"samples per processor time"}


def test_a_process_that_was_started_again_is_not_called_flat() -> None:
    samples = soaked()
    again = [replace(sample, processes=(replace(sample.processes[0], pid=4712),)) for sample in samples[200:]]
    assert broken(samples[:200] + again) == {"starts"}


def test_a_line_of_the_file_gives_the_sample_back() -> None:
    sample = soaked()[7]
    assert SoakSample.of_line(sample.as_line()) == sample
