"""Reads what a person has chosen to see inside the cell; in the reading thread, each file once."""

from dataclasses import dataclass, replace
from typing import Any

from operando.model.grey_window import GreyWindow
from operando.model.plane_wish import PlaneWish
from operando.model.run_directory import RunDirectory
from operando.monitor.inside.choice import Choice, Comparison, Relative, RunLevels, Side
from operando.monitor.inside.colour_scale import ColourScale, DifferenceScale, GreyScale, difference_scale
from operando.monitor.inside.displacement_arrows import Arrows, arrows, read_displacement
from operando.monitor.inside.finished_planes import FinishedPlanes
from operando.monitor.inside.frames_pictures import FramePicture
from operando.monitor.inside.projections_reader import ProjectionsReader, ShownProjections
from operando.monitor.inside.published import NOTHING_PUBLISHED, PublishedNumbers, PublishedReader
from operando.monitor.inside.run_window import RunWindow
from operando.monitor.inside.slice_picture import SlicePicture, slice_picture
from operando.monitor.inside.state_planes import StatePlanes, difference, planes_of_preview
from operando.monitor.reading.pictures import Picture, PictureReader
from operando.monitor.reading.preview_reader import PreviewReader
from operando.monitor.reading.run_view import RunView, TomogramView

SETTLED = "The analysis is still adding projections"


@dataclass(frozen=True)
class InsideRead:
    """What the page shows.

    Parameters
    ----------
    pictures
        Of slices: none, one, or two beside each other.
    picture
        A picture of another kind, where there are no slices.
    projections
        Frames and sinogram, if they were chosen.
    caption
        What is seen, or why nothing is.
    follows
        Whether the analysis follows where a person puts the planes of the first picture.
    automatic
        Levels and largest difference that the run has by itself.
    published
        Numbers of the publication that the experiment is compared with.
    settled
        Whether the next reading would find the same, if nothing happens meanwhile.
    """

    pictures: tuple[SlicePicture, ...] = ()
    picture: Picture | None = None
    projections: ShownProjections | None = None
    caption: str = ""
    follows: bool = False
    automatic: RunLevels | None = None
    published: PublishedNumbers = NOTHING_PUBLISHED
    settled: bool = True


@dataclass(frozen=True)
class _Found:
    planes: StatePlanes | None
    tomogram: TomogramView | None
    live_window: GreyWindow | None = None
    why: str = ""


class InsideReader:
    """Reads one run; asked from one thread."""

    def __init__(self, run: RunDirectory) -> None:
        self._run = run
        self._pictures, self._previews = PictureReader(run), PreviewReader(run)
        self._finished, self._window = FinishedPlanes(run), RunWindow(run)
        self._frames = ProjectionsReader(run)
        self._published = PublishedReader(run.experiment)
        self._planes: tuple[Any, StatePlanes] | None = None
        self._difference: tuple[StatePlanes, StatePlanes, StatePlanes | str] | None = None
        self._drawn: dict[int, tuple[tuple[Any, ...], SlicePicture]] = {}
        self._with_projection: tuple[SlicePicture, FramePicture, SlicePicture] | None = None

    def read(self, view: RunView, choice: Choice) -> InsideRead:
        """Return what is to be shown now; pictures are the same objects as before where nothing has changed."""
        published = self._published.newest()
        if choice.side is Side.PROJECTIONS:
            return replace(self._read_projections(view, choice), published=published)
        return replace(self._read_slices(view, choice), published=published)

    def _read_projections(self, view: RunView, choice: Choice) -> InsideRead:
        tomogram = _chosen(view, choice.state) or (view.tomograms[-1] if view.tomograms else None)
        if tomogram is None:
            return InsideRead(caption="No tomogram yet")
        shown = self._frames.newest(tomogram, choice.row)
        caption = f"{tomogram.name} (attempt {tomogram.attempt}), as the camera wrote it"
        if shown == ShownProjections(None, None, None):
            caption = f"{tomogram.name} (attempt {tomogram.attempt}) has no frames that can be read"
        return InsideRead(projections=shown, caption=caption)

    def _read_slices(self, view: RunView, choice: Choice) -> InsideRead:
        found = self._chosen_planes(view, choice)
        running = view.running_tomogram
        if found.planes is None:
            if choice.state is not None:
                return InsideRead(caption=found.why)
            picture = self._pictures.newest(running)
            return InsideRead(picture=picture, caption="No picture yet" if picture is None else picture.caption)
        planes, live = found.planes, found.live_window is not None
        window = self._window.window(view.tomograms, planes.unit) or found.live_window or GreyWindow(0.0, 1.0)
        span = difference_scale(window, planes.unit)
        grey: ColourScale = GreyScale(window if choice.levels_per_cm is None else _window(choice), planes.unit)
        caption = self._caption(found, choice)
        before, why = self._compared(view, found, choice)
        if before is None:
            pictures: tuple[SlicePicture, ...] = (self._draw(0, planes, grey, choice, found.tomogram),)
            caption = why or caption
        elif choice.comparison is Comparison.DIFFERENCE:
            change = self._subtract(planes, before)
            if isinstance(change, str):
                other = self._draw(1, before, grey, choice, None)
                pictures = self._draw(0, planes, grey, choice, found.tomogram), other
                caption = change
            else:
                largest = choice.largest_difference_per_cm or span.largest
                scale = DifferenceScale(largest, planes.unit)
                pictures = (self._draw(0, change, scale, choice, found.tomogram),)
        else:
            other_tomogram = _compared_tomogram(view, found.tomogram, choice)
            pictures = (
                self._draw(0, planes, grey, choice, found.tomogram),
                self._draw(1, before, grey, choice, other_tomogram),
            )
        if live and running is not None and (projection := self._frames.projection(running)) is not None:
            if len(pictures) == 1:  # two states beside each other shall be of one size
                pictures = (self._joined(pictures[0], projection),)
            caption = caption if caption != SETTLED else f"{projection.title} · {projection.scale.words}"
        return InsideRead(
            pictures=pictures,
            caption=caption,
            follows=live,
            automatic=RunLevels(window, span.largest, planes.unit),
            settled=self._window.holds_all,
        )

    def _chosen_planes(self, view: RunView, choice: Choice) -> _Found:
        """Return the planes of the chosen state; of the newest that has any, if none was chosen."""
        chosen = _chosen(view, choice.state)
        last = view.tomograms[-1] if view.tomograms else None
        if chosen is None or chosen == last:
            preview = self._previews.newest(last)
            if preview is not None:
                if self._planes is None or self._planes[0] is not preview:
                    self._planes = preview, planes_of_preview(preview.slices)
                return _Found(self._planes[1], last, preview.window)
        if chosen is not None:
            planes = self._finished.planes(chosen, choice.planes)
            if planes is not None:
                return _Found(planes, chosen)
            num = sum(entry.tomogram == chosen.name for entry in view.measurements)
            return _Found(None, chosen, why=self._finished.why_none(chosen, num_measurements=num))
        if choice.state is not None:
            return _Found(None, None, why=f"Attempt {choice.state} is not in this run.")
        if view.running_tomogram is not None and self._frames.projection(view.running_tomogram) is not None:
            return _Found(None, None)
        for tomogram in reversed(view.tomograms):
            if self._finished.has_slices(tomogram):
                planes = self._finished.planes(tomogram, choice.planes)
                if planes is not None:
                    return _Found(planes, tomogram)
        return _Found(None, None)

    def _compared(self, view: RunView, found: _Found, choice: Choice) -> tuple[StatePlanes | None, str]:
        """Return the planes to compare with, or why there are none."""
        if choice.compared is None or found.tomogram is None or found.planes is None:
            return None, ""
        tomogram = _compared_tomogram(view, found.tomogram, choice)
        if tomogram is None:
            return None, f"Nothing to compare {found.tomogram.name} with: no state was taken before it."
        if tomogram.attempt == found.tomogram.attempt:
            return None, f"{tomogram.name} is not compared with itself; choose another state."
        wish = choice.planes
        if found.live_window is not None:  # in the voxels of the preview, which are those of the whole view
            row, y, x = (int(index) for index in found.planes.at)
            wish = PlaneWish.of_voxels((row, y, x), found.planes.shape)
        planes = self._finished.planes(tomogram, wish)
        if planes is None:
            num = sum(entry.tomogram == tomogram.name for entry in view.measurements)
            return None, self._finished.why_none(tomogram, num_measurements=num)
        return planes, ""

    def _caption(self, found: _Found, choice: Choice) -> str:
        assert found.planes is not None
        planes, tomogram = found.planes, found.tomogram
        if found.live_window is not None:
            return SETTLED
        words = [] if tomogram is None else [f"{tomogram.name}, attempt {tomogram.attempt}"]
        size = "" if planes.voxel_size_um is None else f", voxels of {planes.voxel_size_um:.4g} µm"
        if planes.source == "live.h5":
            words.append(f"cut from the volume of the whole view, whose greys are not anchored to the reference{size}")
        elif planes.source == "preview.h5":
            words.append(f"last slices of the preview{size}")
        else:
            words.append(f"slices through the middle of the finished volume{size}")
            if choice.planes is not None:
                words.append("other planes cannot be cut: live.h5 cannot be read")
        if choice.masks and not planes.masks:
            words.append("no masks for these planes")
        return " · ".join(words)

    def _subtract(self, state: StatePlanes, before: StatePlanes) -> StatePlanes | str:
        if self._difference is None or self._difference[0] is not state or self._difference[1] is not before:
            self._difference = state, before, difference(state, before)
        return self._difference[2]

    def _draw(
        self, place: int, planes: StatePlanes, scale: ColourScale, choice: Choice, tomogram: TomogramView | None
    ) -> SlicePicture:
        """Draw planes into one of the places, unless they are there already."""
        over: Arrows | None = None
        attempt = tomogram.attempt if tomogram is not None and choice.displacement else None
        known = self._drawn.get(place)
        key = planes, scale, choice.masks, attempt
        if known is not None and known[0][0] is planes and known[0][1:] == key[1:]:
            return known[1]
        if attempt is not None and (moved := read_displacement(self._run.volume(attempt))) is not None:
            over = arrows(moved, planes)
        drawn = slice_picture(planes, scale, masks=choice.masks, arrows=over)
        self._drawn[place] = key, drawn
        return drawn

    def _joined(self, picture: SlicePicture, projection: FramePicture) -> SlicePicture:
        """Return a picture of slices with the newest projection beside them."""
        known = self._with_projection
        if known is None or known[0] is not picture or known[1] is not projection:
            joined = replace(picture, images={**picture.images, "projection": projection.image})
            self._with_projection = known = picture, projection, joined
        return known[2]


def _chosen(view: RunView, attempt: int | None) -> TomogramView | None:
    return next((tomogram for tomogram in view.tomograms if tomogram.attempt == attempt), None)


def _compared_tomogram(view: RunView, shown: TomogramView | None, choice: Choice) -> TomogramView | None:
    """Return the tomogram to compare with; attempts that were given up are no state."""
    if not isinstance(choice.compared, Relative):
        return _chosen(view, choice.compared)
    if shown is None:
        return None
    earlier = [
        tomogram
        for tomogram in view.tomograms
        if tomogram.attempt < shown.attempt and tomogram.exit_status == "success" and tomogram.name != shown.name
    ]
    if not earlier:
        return None
    return earlier[0] if choice.compared is Relative.FIRST else earlier[-1]


def _window(choice: Choice) -> GreyWindow:
    assert choice.levels_per_cm is not None
    return GreyWindow(*choice.levels_per_cm)
