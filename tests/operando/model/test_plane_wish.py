import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operando.model.plane_wish import PlaneWish, PlaneWishError, PlaneWishReader, write_plane_wish

SIZES = st.integers(1, 4096)
PARTS = st.floats(0, 1)


@given(st.tuples(SIZES, SIZES, SIZES), PARTS, PARTS, PARTS)
def test_every_wish_is_a_voxel_and_the_voxel_wishes_itself(
    shape: tuple[int, int, int], z: float, y: float, x: float
) -> None:
    at = PlaneWish(z, y, x).voxels(shape)
    assert all(0 <= index < num for index, num in zip(at, shape, strict=True))
    assert PlaneWish.of_voxels(at, shape).voxels(shape) == at


def test_a_wish_is_read_once_and_again_when_it_has_changed(tmp_path: Path) -> None:
    path = tmp_path / "volumes" / "preview_planes.json"
    reader = PlaneWishReader(path)
    assert reader.newest() is None
    write_plane_wish(path, PlaneWish(y=0.25))
    assert json.loads(path.read_text()) == {"z": 0.5, "y": 0.25, "x": 0.5}
    assert reader.newest() == PlaneWish(y=0.25)
    assert reader.newest() is None
    write_plane_wish(path, PlaneWish(z=0.75))
    assert reader.newest() == PlaneWish(z=0.75)
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_a_place_outside_the_volume_is_no_wish() -> None:
    with pytest.raises(PlaneWishError, match=r"x = 1\.5 is no place in the volume: give parts of it, from 0 to 1"):
        PlaneWish(x=1.5)
