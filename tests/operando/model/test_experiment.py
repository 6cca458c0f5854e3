"""An experiment file is read whole or refused with sentences that name file, key, value and what is allowed."""

from pathlib import Path

import pytest

from operando.model.experiment_file import load_experiment
from operando.model.schedule import ConstantCurrent
from operando.model.toml_file import FileFormatError

SHIPPED = Path(__file__).parents[3] / "experiments" / "cus_26mpa.toml"


def edited(tmp_path: Path, old: str, new: str) -> Path:
    text = SHIPPED.read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "edited.toml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path


def test_shipped_experiment_asks_for_10_milliampere_per_gram() -> None:
    experiment = load_experiment(SHIPPED)
    discharge = experiment.schedule[1]
    assert isinstance(discharge, ConstantCurrent)
    assert experiment.current_a(discharge) == pytest.approx(-11.52e-6)  # 10 mA/g x 1.152 mg
    assert [tomogram.name for _, step in experiment.steps for tomogram in step.tomograms] == [
        "OCV",
        "D1.7V",
        "D1.2V",
        "D0.7V",
        "C2.5V",
        "C3.0V",
        "D0.7V_cycle50",
        "C3.0V_cycle50",
    ]


@pytest.mark.parametrize(
    ("name", "tomograms"),
    [
        ("cus_40mpa", {"D0.7V_cycle10": 10, "C3.0V_cycle10": 10, "D0.7V_cycle50": 50, "C3.0V_cycle50": 50}),
        ("cus_26mpa", {"D0.7V_cycle50": 50, "C3.0V_cycle50": 50}),
        ("cus_26mpa_rig", {}),
        ("cus_40mpa_rig", {}),
    ],
)
def test_tomograms_of_later_cycles_lie_in_the_cycle_of_their_name(name: str, tomograms: dict[str, int]) -> None:
    experiment = load_experiment(SHIPPED.with_name(f"{name}.toml"))
    num_discharges, found = 0, dict[str, int]()
    for _, step in experiment.steps:
        num_discharges += isinstance(step, ConstantCurrent) and experiment.current_a(step) < 0
        found |= {asked.name: num_discharges for asked in step.tomograms if "cycle" in asked.name}
    assert found == tomograms
    published = {int(entry.id.removeprefix("A-")) for entry in experiment.published}
    assert published == set(range(1, 18))  # all that was published, measured here or elsewhere


def test_a_step_may_be_sampled_more_rarely_in_a_rehearsal_only() -> None:
    experiment = load_experiment(SHIPPED)
    steps = {step.name: step for _, step in experiment.steps}
    assert experiment.sampling_period_s(steps["cycling_charge"], rehearsal=True) == 300
    assert experiment.sampling_period_s(steps["discharge"], rehearsal=True) == 60
    assert experiment.sampling_period_s(steps["cycling_charge"], rehearsal=False) == 1


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('title = "CuS', 'colour = "red"\ntitle = "CuS', ["experiment.colour", "unknown key", "title"]),
        ('duration = "24 h"', "duration = 24", ["duration", "24", "no unit"]),
        ('duration = "24 h"', 'duration = "24 kg"', ["duration", "24 kg", "quantity in s"]),
        ('until_voltage = "0.7 V"', 'until_voltage = "0.6 V"', ["discharge", "0.6 V", "0.7 to 3 V"]),
        (
            'name = "D0.7V", voltage = "0.7 V"',
            'name = "D0.7V", voltage = "0.66 V"',
            ["discharge.until_voltage = 0.7 V", "0.66 V"],
        ),
        ('max_voltage = "3.10 V"', 'max_voltage = "2.9 V"', ["charge", "3 V", "trip the guard", "2.9 V"]),
        ('current = "-10 mA/g"', 'current = "-100 mA/g"', ["discharge", "-100 mA/g", "115.2 uA", "100 uA"]),
        ('exposure = "0.7 s"', 'exposure = "0.8 s"', ["exposure 0.8 s", "frame_period 0.7 s"]),
        ('pixel_size = "3.52 um"', 'pixel_size = "3.0 um"', ["geometry.quick", "1.920 mm", "2.253 mm"]),
        ('name = "D1.2V"', 'name = "D1.7V"', ["D1.7V", "named twice"]),
        ('name = "D1.2V"', 'name = "../evil"', ["../evil"]),
        ('{ name = "D1.7V", voltage = "1.7 V" }', '{ name = "D1.7V" }', ["D1.7V", "voltage, at, every"]),
        ('step = "rest"', 'step = "nap"', ["nap", "constant_current"]),
        ('energy = "35 keV"', 'energy = "nan keV"', ["beam.energy", "nan keV"]),
        ('current = "-10 mA/g"', 'current = "-10 mA"', ["discharge.current", "'-10 mA'", "100 uA", "mA/g"]),
        ('duration = "24 h"', 'duration = "-24 h"', ["rest.duration", "'-24 h'", "greater than 0"]),
        ('duration = "24 h"', 'duration = "1 ms"', ["rest.duration", "0.001 s", "at least 3 s"]),
        ('max_duration = "70 h"', 'max_duration = "70 uh"', ["discharge.max_duration", "0.252 s", "at least 3 s"]),
        ('duration = "24 h"', "duration = nan", ["rest.duration", "nan", "no unit"]),
        ('step = "rest"', "", ["schedule.rest.step", "is missing"]),
        ('at = "end"', 'every = "30 h"', ["rest.OCV.every", "108000 s", "86400 s"]),
        ('at = "end"', 'att = "end"', ["rest.tomograms.OCV.att", "unknown key", "every, name, voltage, window"]),
        ('voltage = "1.7 V"', 'voltage = "1.7 V", window = "5 V"', ["D1.7V.window", "5 V", "at most 0.1 V"]),
        ('voltage = "1.2 V"', 'voltage = "1.7 V"', ["discharge.tomograms", "1.7", "one voltage twice"]),
        ('sync = "firmware"', 'sync = "free"', ["discharge.until_voltage", "0.7 V", "'D0.7V'", "cycle on"]),
        ('in_tomogram = "1 s"', 'in_tomogram = "1 ms"', ["sampling.in_tomogram", "0.001 s", "0.05 s"]),
        ('cell = "cus_26mpa.cell.toml"', f'cell = "{"x" * 300}"', ["rehearsal.cell", "255 characters"]),
    ],
)
def test_a_mistake_is_told_with_key_value_and_what_is_allowed(
    tmp_path: Path, old: str, new: str, said: list[str]
) -> None:
    path = edited(tmp_path, old, new)
    with pytest.raises(FileFormatError) as caught:
        load_experiment(path)
    for part in [str(path), *said]:
        assert part in str(caught.value)
    assert "Traceback" not in str(caught.value)


def test_steps_whose_names_the_guard_cannot_tell_apart_are_refused(tmp_path: Path) -> None:
    path = edited(tmp_path, 'name = "rest"', f'name = "{"r" * 39}_of_the_cell"')
    load_experiment(path)
    path.write_text(path.read_text().replace('name = "discharge"', f'name = "{"r" * 39}_of_the_lead"', 1))
    with pytest.raises(FileFormatError, match="begin with the same 39 letters") as caught:
        load_experiment(path)
    assert f"'{'r' * 39}_of_the_cell' and '{'r' * 39}_of_the_lead'" in str(caught.value)


def test_every_mistake_gets_its_own_sentence(tmp_path: Path) -> None:
    path = edited(tmp_path, 'energy = "35 keV"', 'energy = "35"\nflux = 3')
    with pytest.raises(FileFormatError) as caught:
        load_experiment(path)
    assert len(str(caught.value).splitlines()) == 2


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"[experiment", b"experiment = 3\n"])
def test_a_damaged_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "damaged.toml"
    path.write_bytes(content)
    with pytest.raises(FileFormatError, match=r"damaged\.toml"):
        load_experiment(path)


def test_an_absent_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match="no such file"):
        load_experiment(tmp_path / "absent.toml")


def first_cycle() -> str:
    return SHIPPED.read_text(encoding="utf-8").split("# Cycles 2 to 49", 1)[0]


def test_a_loop_repeats_the_steps_before_it(tmp_path: Path) -> None:
    path = tmp_path / "loop.toml"
    loop = '[[schedule]]\nstep = "loop"\nname = "again"\nback_to = "discharge"\ntimes = 2\n'
    path.write_text(first_cycle() + loop, encoding="utf-8")
    steps = load_experiment(path).steps
    assert [(cycle, step.name) for cycle, step in steps] == [
        (1, "rest"),
        (1, "discharge"),
        (1, "charge"),
        (2, "discharge"),
        (2, "charge"),
        (3, "discharge"),
        (3, "charge"),
    ]


LOOP = '[[schedule]]\nstep = "loop"\nname = "again{number}"\nback_to = "{back_to}"\ntimes = {times}\n'


@pytest.mark.parametrize(
    ("loops", "said"),
    [
        ([("nothing", 1)], ["'again0'", "'nothing'", "rest, discharge, charge"]),
        ([("again0", 1)], ["'again0'", "rest, discharge, charge"]),
        ([("rest", 0)], ["again0.times = 0", "1"]),
        ([("rest", 9999)] * 3, ["'again1'", "100000 steps"]),
    ],
)
def test_a_loop_that_cannot_be_gone_through_is_refused(
    tmp_path: Path, loops: list[tuple[str, int]], said: list[str]
) -> None:
    text = "".join(LOOP.format(number=n, back_to=back, times=times) for n, (back, times) in enumerate(loops))
    path = tmp_path / "loops.toml"
    path.write_text(first_cycle() + text, encoding="utf-8")
    with pytest.raises(FileFormatError) as caught:
        load_experiment(path)
    assert all(part in str(caught.value) for part in said)


def test_a_name_that_a_repeated_tomogram_gets_cannot_be_anothers(tmp_path: Path) -> None:
    path = edited(tmp_path, 'name = "OCV", at = "end"', 'name = "OCV", every = "8 h"')
    path.write_text(path.read_text().replace("D1.7V", "OCV_001").replace('tomogram = "OCV"', 'tomogram = "OCV_002"'))
    with pytest.raises(FileFormatError, match="'OCV_001' has a name that tomogram 'OCV' gets") as caught:
        load_experiment(path)
    assert "published" not in str(caught.value)  # a repetition can be named there


def test_a_name_is_free_where_the_tomogram_that_could_get_it_is_not_repeated(tmp_path: Path) -> None:
    path = tmp_path / "loop.toml"
    again = '[[schedule]]\nstep = "loop"\nname = "again"\nback_to = "discharge"\ntimes = 1\n'
    path.write_text(first_cycle().replace('"C3.0V"', '"D0.7V_cycle2"'), encoding="utf-8")
    load_experiment(path)
    path.write_text(path.read_text(encoding="utf-8") + again, encoding="utf-8")
    with pytest.raises(FileFormatError, match=r"'D0\.7V_cycle2' has a name that tomogram 'D0\.7V' gets"):
        load_experiment(path)


def test_millivolts_are_the_same_voltage(tmp_path: Path) -> None:
    path = edited(tmp_path, 'until_voltage = "0.7 V"', 'until_voltage = "700 mV"')
    discharge = load_experiment(path).schedule[1]
    assert isinstance(discharge, ConstantCurrent)
    assert discharge.until_voltage == 0.7
