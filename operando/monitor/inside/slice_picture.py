"""One picture of three planes: images, what is laid over them, and what all of it means."""

from dataclasses import dataclass

from operando.monitor.inside.colour_scale import ColourScale
from operando.monitor.inside.displacement_arrows import Arrows
from operando.monitor.inside.drawn_image import DrawnImage, draw_values
from operando.monitor.inside.state_planes import PLANES, StatePlanes
from operando.monitor.theme import COLOURS

MASK_NAMES = ("high attenuation", "cracks")  # by their numbers in masks.h5, from 1 on
MASK_SERIES = (4, 6)  # colours that no plane's line has


@dataclass(frozen=True, eq=False)
class SlicePicture:
    """What a view of slices shows.

    Parameters
    ----------
    planes
        What is seen, and where the planes lie.
    images
        Its planes by name, and ``projection`` if there is one.
    scale
        What the colours of the planes mean.
    legend
        Colour and words of each mask that is laid over.
    arrows
        Displacement that is laid over.
    """

    planes: StatePlanes
    images: dict[str, DrawnImage]
    scale: ColourScale
    legend: tuple[tuple[str, str], ...] = ()
    arrows: Arrows | None = None

    def shares_planes_with(self, other: "SlicePicture") -> bool:
        """Whether nothing but the projection differs from another picture."""
        same = self.planes is other.planes and self.scale == other.scale and self.arrows is other.arrows
        return (
            same
            and self.images.keys() == other.images.keys()
            and all(self.images[name] is other.images[name] for name in PLANES)
        )


def slice_picture(
    planes: StatePlanes,
    scale: ColourScale,
    *,
    masks: bool = False,
    arrows: Arrows | None = None,
) -> SlicePicture:
    """Draw the three planes."""
    over = tuple(COLOURS[scale.ground].series[number] for number in MASK_SERIES) if masks and planes.masks else ()
    images = {name: draw_values(planes.values[name], scale, planes.masks.get(name), over) for name in PLANES}
    legend = tuple(zip(over, MASK_NAMES, strict=True)) if over else ()
    return SlicePicture(planes, images, scale, legend, arrows)
