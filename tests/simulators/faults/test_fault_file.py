import re
from pathlib import Path

import pytest

from operando.model.toml_file import FileFormatError
from simulators.faults.fault_file import FaultError, fault_from, load_faults
from simulators.faults.frame_faults import LostFrames

README = Path(__file__).parents[3] / "docs" / "faults.md"


def test_a_file_of_faults_is_read_in_order(tmp_path: Path) -> None:
    file = tmp_path / "faults.toml"
    file.write_text('[[fault]]\nkind = "lost_frames"\nnum_frames = 3\n\n[[fault]]\nkind = "stage_stop"\n')
    first, second = load_faults(file)
    assert isinstance(first, LostFrames)
    assert (first.num_frames, second.lasts_s) == (3, None)


def test_an_unknown_fault_or_parameter_is_told_with_its_place(tmp_path: Path) -> None:
    file = tmp_path / "faults.toml"
    file.write_text('[[fault]]\nkind = "earthquake"\n')
    with pytest.raises(FileFormatError, match=r"kind = 'earthquake': must be one of .*beam_loss"):
        load_faults(file)
    file.write_text('[[fault]]\nkind = "beam_loss"\n')
    with pytest.raises(FileFormatError, match="duration: is missing"):
        load_faults(file)


def test_a_fault_of_a_command_is_checked_like_one_of_a_file() -> None:
    with pytest.raises(FaultError, match="num_frames"):
        fault_from({"kind": "lost_frames", "num_frames": 0})


def test_every_kind_of_fault_stands_in_the_documentation() -> None:
    told = README.read_text()
    with pytest.raises(FaultError) as refused:
        fault_from({"kind": "earthquake"})
    kinds = re.findall(r"'(\w+)'", str(refused.value).partition("tags")[2])
    assert len(kinds) > 20
    assert [kind for kind in sorted(kinds) if f"`{kind}`" not in told] == []


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ({"kind": "spike", "sensor": "load_cell", "size": "3 V"}, "'3 V' is not a quantity in N"),
        ({"kind": "spike", "sensor": "thermometer", "size": 3}, "3 has no unit"),
        ({"kind": "stage_slip", "distance": "1 mm"}, "'1 mm' is not a quantity in deg"),
        ({"kind": "stage_slip"}, "distance: Field required"),
    ],
)
def test_a_size_is_written_in_the_unit_of_what_it_changes(fault: dict[str, object], told: str) -> None:
    with pytest.raises(FaultError, match=told):
        fault_from(fault)
