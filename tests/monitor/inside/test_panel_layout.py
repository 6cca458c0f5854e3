import pytest
from hypothesis import given
from hypothesis import strategies as st

from operando.monitor.inside.panel_layout import Place, arranged
from operando.monitor.inside.slices_view import ARRANGEMENTS

LENGTHS = st.floats(1, 4000)


@given(st.tuples(LENGTHS, LENGTHS), st.booleans(), st.floats(150, 4000), st.floats(120, 3000))
def test_panels_share_a_scale_lie_in_their_place_and_never_on_each_other(
    size: tuple[float, float], with_projection: bool, width: float, height: float
) -> None:
    across, down = size
    sizes = {"xy": (across, across), "xz": (across, down), "yz": (across, down)}
    if with_projection:
        sizes["projection"] = across, down
    area = Place(0.0, 18.0, width, height)
    places = arranged(sizes, ARRANGEMENTS, area, gap=10.0, above=18.0)
    assert places.keys() == sizes.keys()
    slack = 1e-6 * (width + height)
    for name, place in places.items():
        assert place.width / places["xy"].width == pytest.approx(sizes[name][0] / across)
        assert place.height * sizes[name][0] == pytest.approx(place.width * sizes[name][1])
        assert place.x >= area.x
        assert place.y >= area.y + 18.0
        assert place.x + place.width <= area.x + area.width + slack
        assert place.y + place.height <= area.y + area.height + slack
        for other in places.values():
            apart_x = place.x + place.width <= other.x + slack or other.x + other.width <= place.x + slack
            apart_y = place.y + place.height <= other.y + slack or other.y + other.height <= place.y + slack
            assert other is place or apart_x or apart_y


def test_flat_slices_stand_above_each_other_and_tall_ones_beside() -> None:
    area = Place(0.0, 0.0, 730.0, 300.0)
    flat = arranged({"xy": (320, 320), "xz": (320, 56), "yz": (320, 56)}, ARRANGEMENTS, area, gap=10.0, above=18.0)
    assert flat["xz"].x == flat["yz"].x
    assert flat["xy"].height == pytest.approx(282.0)
    tall = arranged({"xy": (320, 320), "xz": (320, 300), "yz": (320, 300)}, ARRANGEMENTS, area, gap=10.0, above=18.0)
    assert tall["xz"].y == tall["yz"].y
