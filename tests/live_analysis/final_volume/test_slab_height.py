"""Slabs fit into the memory and share no chunk at any level."""

from hypothesis import assume, given
from hypothesis import strategies as st

from live_analysis.final_volume.raw_scan import VolumeError
from live_analysis.final_volume.slab_height import MOST_ROWS, levels_for, peak_bytes, slab_height


@given(
    num_rows=st.integers(1, 3000),
    num_columns=st.integers(16, 4000),
    num_levels=st.integers(1, 8),
    memory_gb=st.floats(0.5, 100),
    whole_frames=st.booleans(),
)
def test_slabs_hold_whole_chunks_of_every_level_and_fit(
    num_rows: int, num_columns: int, num_levels: int, memory_gb: float, whole_frames: bool
) -> None:
    sizes = (1500, num_columns, 2, num_columns, num_columns**2)
    try:
        slab, chunk = slab_height(round(memory_gb * 1e9), num_rows, *sizes, num_levels, whole_frames=whole_frames)
    except VolumeError:
        assert peak_bytes(2 ** (num_levels - 1), *sizes) > memory_gb * 1e9 - 1
        assume(False)
    assert peak_bytes(slab, *sizes) <= memory_gb * 1e9 + 1
    assert whole_frames or slab <= max(MOST_ROWS, 2 ** (num_levels - 1))
    assert slab < num_rows + max(2 ** (num_levels - 1), 1)
    for level in range(num_levels):
        assert slab % 2**level == 0
        assert (slab >> level) % max(chunk >> level, 1) == 0


def test_memory_does_not_grow_with_the_number_of_rows() -> None:
    heights = {
        slab_height(8_000_000_000, num_rows, 1500, 2048, 2, 2048, 2048**2, 4, whole_frames=False)
        for num_rows in (256, 2048, 20_000)
    }
    assert heights == {(32, 32)}


def test_levels_end_when_a_slice_is_no_wider_than_a_chunk() -> None:
    assert [levels_for(num, num) for num in (20, 256, 257, 512, 2048)] == [1, 1, 2, 2, 4]
