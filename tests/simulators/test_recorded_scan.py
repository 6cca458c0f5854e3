from pathlib import Path

import h5py
import numpy as np
import pytest
import tifffile
from PIL import Image

from operando.model.experiment_file import load_experiment
from simulators.frame_source import FrameSource
from simulators.recorded_data import AngleUnit, RecordedScanError
from simulators.recorded_frames import RecordedFrames
from simulators.recorded_scan import load_recorded_scan
from simulators.replay_experiment import replay_experiment

NUM_PROJECTIONS, ROWS, COLUMNS = 36, 5, 7
STEP_DEG = 5.0


@pytest.fixture
def savu() -> Path:
    folder = Path(__file__).parents[3] / "shared" / "data" / "savu-tomogram"
    if not folder.is_dir():
        pytest.skip("the recorded savu tomogram is not on this machine")
    return folder


def frames(num: int, level: int, dtype: str = "u2") -> np.ndarray:
    return (level + np.arange(num * ROWS * COLUMNS).reshape(num, ROWS, COLUMNS)).astype(dtype)


DARKS, FLATS, PROJECTIONS = frames(2, 100), frames(3, 40_000), frames(NUM_PROJECTIONS, 20_000)
ANGLES_DEG = -90.0 + STEP_DEG * np.arange(NUM_PROJECTIONS)


def write_nxtomo(path: Path, *, angles: np.ndarray | None = None, num_keys: int | None = None) -> Path:
    keys = np.array([2] * 2 + [1] * 3 + [0] * NUM_PROJECTIONS + [3])
    everything = np.concatenate([DARKS, FLATS, PROJECTIONS, np.zeros((1, ROWS, COLUMNS), "u2")])
    rotation = np.concatenate([np.full(5, -90.0), ANGLES_DEG, [0.0]]) if angles is None else angles
    with h5py.File(path, "w") as file:
        for name, kind in (
            ("scan_17", "NXentry"),
            ("scan_17/beamline", "NXinstrument"),
            ("scan_17/beamline/eye", "NXdetector"),
            ("scan_17/cell", "NXsample"),
            ("scan_17/light", "NXbeam"),
            ("scan_17/ring", "NXsource"),
        ):
            file.create_group(name).attrs["NX_class"] = kind
        eye = file["scan_17/beamline/eye"]
        eye["data"], eye["image_key"] = everything, keys[:num_keys]
        eye["x_pixel_size"] = 1.5e-6
        eye["x_pixel_size"].attrs["units"] = "m"
        file["scan_17/cell/rotation_angle"] = rotation
        file["scan_17/cell/rotation_angle"].attrs["units"] = "degrees"
        file["scan_17/ring/energy"] = 3.0e9
        file["scan_17/ring/energy"].attrs["units"] = "eV"
        file["scan_17/light/incident_energy"] = 35_000.0
        file["scan_17/light/incident_energy"].attrs["units"] = "eV"
    return path


def write_data_exchange(path: Path, *, theta: np.ndarray | None, units: str | None = "deg", dtype: str = "u2") -> Path:
    with h5py.File(path, "w") as file:
        for name, values in (("data", PROJECTIONS), ("data_white", FLATS), ("data_dark", DARKS)):
            file[f"exchange/{name}"] = values.astype(dtype)
        if theta is not None:
            file["exchange/theta"] = theta
            if units is not None:
                file["exchange/theta"].attrs["units"] = units
        file["measurement/instrument/detection_system/objective/resolution"] = np.array([0.88])
        file["measurement/instrument/detection_system/objective/resolution"].attrs["units"] = "micron"
    return path


def write_tiffs(folder: Path, angles: list[float]) -> Path:
    (folder / "tiffs").mkdir(parents=True)
    for number, frame in enumerate(PROJECTIONS):
        tifffile.imwrite(folder / "tiffs" / f"p_{number}.tif", frame)  # without leading zeros: 10 comes after 9
    tifffile.imwrite(folder / "dark.tif", DARKS[0].astype("f4"))
    tifffile.imwrite(folder / "flats.tif", FLATS, photometric="minisblack")  # one file, three pages
    (folder / "angles.txt").write_text("\n".join(str(angle) for angle in angles))
    return folder


def test_the_recorded_savu_scan_keeps_its_middle_91_of_111_angles(savu: Path) -> None:
    scan = load_recorded_scan(savu)
    assert scan.projections.shape == (91, 135, 160)
    assert scan.angles_deg[0] == pytest.approx(-88.2)
    assert scan.angles_deg[-1] == pytest.approx(91.8, abs=1e-3)  # written with four decimals
    assert "first and last 10" in scan.notes[0]


def test_the_recorded_savu_counts_are_served_exactly_although_its_flats_are_32_bit(savu: Path) -> None:
    scan = load_recorded_scan(savu)
    served = RecordedFrames(scan, sample_out_mm=10.0, step_deg=2.0)
    flat = served.frame(0.0, 0.1, 0.0, 10.0, True, 0)
    assert scan.flats.dtype == np.float32
    assert flat.dtype == np.uint16
    assert np.array_equal(flat, tifffile.imread(savu / "flat_00001.tiff"))
    assert np.array_equal(served.frame(0.0, 0.1, 180.0, 0.0, True, 0), tifffile.imread(savu / "tiffs/raw_00090.tiff"))


def test_every_projection_of_the_savu_scan_is_met_once_in_its_replay(savu: Path, tmp_path: Path) -> None:
    scan = load_recorded_scan(savu)
    file = tmp_path / "replay.toml"
    file.write_text(replay_experiment(scan, 5.0))
    experiment = load_experiment(file)
    geometry = experiment.geometry["recorded"]
    step_deg = experiment.tomogram.angle_range / geometry.num_projections
    served = RecordedFrames(scan, sample_out_mm=experiment.tomogram.sample_out, step_deg=step_deg)
    met = [served.frame_angle_deg(number * step_deg) for number in range(geometry.num_projections)]
    assert met == list(scan.angles_deg)
    assert experiment.analysis is None


def test_an_nxtomo_is_found_by_classes_whatever_its_groups_are_called(tmp_path: Path) -> None:
    scan = load_recorded_scan(write_nxtomo(tmp_path / "scan.nxs"))
    assert np.array_equal(scan.projections.read(3), PROJECTIONS[3])
    assert np.array_equal(scan.flats.read(2), FLATS[2])
    assert np.array_equal(scan.darks.read(1), DARKS[1])
    assert np.array_equal(scan.angles_deg, ANGLES_DEG)
    assert scan.pixel_size_um == pytest.approx(1.5)
    assert scan.energy_kev == pytest.approx(35.0)  # the beam's, not the ring's 3 GeV
    assert any("1 frames are marked invalid" in note for note in scan.notes)


def test_a_data_exchange_file_is_read_with_its_pixel_size(tmp_path: Path) -> None:
    scan = load_recorded_scan(write_data_exchange(tmp_path / "scan.h5", theta=ANGLES_DEG))
    assert np.array_equal(scan.projections.read(35), PROJECTIONS[35])
    assert scan.pixel_size_um == pytest.approx(0.88)


def test_radians_said_by_the_file_are_converted(tmp_path: Path) -> None:
    scan = load_recorded_scan(write_data_exchange(tmp_path / "a.h5", theta=np.radians(ANGLES_DEG), units="rad"))
    assert np.allclose(scan.angles_deg, ANGLES_DEG)


def test_angles_that_look_like_radians_are_refused_until_a_person_says_so(tmp_path: Path) -> None:
    path = write_data_exchange(tmp_path / "a.h5", theta=np.radians(ANGLES_DEG), units=None)
    with pytest.raises(RecordedScanError, match="look like radians"):
        load_recorded_scan(path)
    assert np.allclose(load_recorded_scan(path, angle_unit=AngleUnit.RADIANS).angles_deg, ANGLES_DEG)


def test_angles_in_a_unit_of_something_else_are_refused_until_a_person_says_so(tmp_path: Path) -> None:
    path = write_data_exchange(tmp_path / "a.h5", theta=ANGLES_DEG, units="mV")
    with pytest.raises(RecordedScanError, match=r"unit 'mv'.*'deg' or 'rad'"):
        load_recorded_scan(path)
    assert np.allclose(load_recorded_scan(path, angle_unit=AngleUnit.DEGREES).angles_deg, ANGLES_DEG)


def test_missing_theta_says_what_to_add(tmp_path: Path) -> None:
    with pytest.raises(RecordedScanError, match=r"/exchange/theta is missing.*Add it"):
        load_recorded_scan(write_data_exchange(tmp_path / "a.h5", theta=None))


def test_tiffs_are_taken_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    scan = load_recorded_scan(write_tiffs(tmp_path / "scan", list(ANGLES_DEG)))
    assert np.array_equal(scan.projections.read(10), PROJECTIONS[10])
    assert scan.flats.shape[0] == 3


def test_an_odd_surplus_of_angles_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordedScanError, match="39 angles for 36 projections"):
        load_recorded_scan(write_tiffs(tmp_path / "scan", [*ANGLES_DEG, 90.0, 90.0, 90.0]))


def test_an_angle_that_is_not_a_number_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordedScanError, match="the angle of projection 4 is nan"):
        load_recorded_scan(write_tiffs(tmp_path / "scan", [*ANGLES_DEG[:4], np.nan, *ANGLES_DEG[5:]]))


def test_a_tiff_of_another_size_is_named(tmp_path: Path) -> None:
    folder = write_tiffs(tmp_path / "scan", list(ANGLES_DEG))
    tifffile.imwrite(folder / "tiffs" / "p_7.tif", np.ones((4, 4), "u2"))
    with pytest.raises(RecordedScanError, match=r"p_7\.tif: page 0 has 4 rows x 4 columns"):
        load_recorded_scan(folder)


@pytest.mark.parametrize("num_bytes", [0, 30, 200])
def test_a_tiff_that_was_cut_short_is_named(tmp_path: Path, num_bytes: int) -> None:
    folder = write_tiffs(tmp_path / "scan", list(ANGLES_DEG))
    cut = folder / "tiffs" / "p_7.tif"
    cut.write_bytes(cut.read_bytes()[:num_bytes])
    with pytest.raises(RecordedScanError, match=r"p_7\.tif: is damaged"):
        load_recorded_scan(folder)


def test_a_blank_projection_is_named_before_the_replay_begins(tmp_path: Path) -> None:
    folder = write_tiffs(tmp_path / "scan", list(ANGLES_DEG))
    tifffile.imwrite(folder / "tiffs" / "p_7.tif", np.zeros((ROWS, COLUMNS), "u2"))
    with pytest.raises(RecordedScanError, match="projection 7 is blank"):
        RecordedFrames(load_recorded_scan(folder), sample_out_mm=10.0, step_deg=1.0)


def test_a_truncated_hdf5_file_is_refused_with_a_sentence(tmp_path: Path) -> None:
    path = write_data_exchange(tmp_path / "a.h5", theta=ANGLES_DEG)
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(RecordedScanError, match="damaged or still being written"):
        load_recorded_scan(path)


def test_fewer_image_keys_than_frames_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordedScanError, match="42 frames, 40 image keys and 42 rotation angles"):
        load_recorded_scan(write_nxtomo(tmp_path / "scan.nxs", num_keys=40))


@pytest.mark.parametrize(("name", "content"), [("nothing.h5", None), ("note.txt", "hello"), ("empty.h5", "")])
def test_what_is_no_scan_is_refused_with_what_to_give(tmp_path: Path, name: str, content: str | None) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_text(content)
    with pytest.raises(RecordedScanError):
        load_recorded_scan(path)


def test_an_hdf5_file_of_something_else_is_refused(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["numbers"] = np.arange(3)
    with pytest.raises(RecordedScanError, match="neither NXtomo nor Data Exchange"):
        load_recorded_scan(tmp_path / "a.h5")


def test_fractional_values_are_scaled_with_one_factor_that_transmission_does_not_see(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    rng = np.random.default_rng(1)
    shown = {"data_dark": (2, -0.1, 0.1), "data_white": (2, 0.9, 1.1), "data": (4, 0.2, 0.8)}
    with h5py.File(path, "w") as file:
        for name, (num, low, high) in shown.items():
            file[f"exchange/{name}"] = rng.uniform(low, high, (num, ROWS, COLUMNS)).astype("f4")
        file["exchange/theta"] = np.array([0.0, 45.0, 90.0, 135.0])
    scan = load_recorded_scan(path)
    served = RecordedFrames(scan, sample_out_mm=10.0, step_deg=45.0)
    dark, flat, projection = (
        served.frame(0.0, 0.1, 45.0, out_mm, is_open, 0).astype(float)
        for out_mm, is_open in ((0.0, False), (10.0, True), (0.0, True))
    )
    recorded = (scan.projections.read(1) - scan.darks.read(0)) / (scan.flats.read(0) - scan.darks.read(0))
    # three roundings of half a count in about 43,000 counts between dark and flat
    assert np.allclose((projection - dark) / (flat - dark), recorded, atol=5e-5)
    assert "counts = value x" in served.note


def test_darks_and_flats_are_served_in_turn(tmp_path: Path) -> None:
    scan = load_recorded_scan(write_data_exchange(tmp_path / "a.h5", theta=ANGLES_DEG))
    served = RecordedFrames(scan, sample_out_mm=-10.0, step_deg=5.0)
    camera_side: FrameSource = served
    assert camera_side.frame_shape == (ROWS, COLUMNS)
    assert np.array_equal(served.frame(0.0, 0.1, 33.0, 0.0, False, 3), DARKS[1])
    assert np.array_equal(served.frame(0.0, 0.1, 33.0, -10.0, True, 5), FLATS[2])
    assert np.array_equal(served.frame(0.0, 0.1, 11.0, 0.0, True, 5), PROJECTIONS[2])
    assert served.frame_angle_deg(11.0) == -80.0  # the third of those recorded


def test_a_replay_without_pixel_size_says_so_and_one_with_it_does_not(tmp_path: Path) -> None:
    scan = load_recorded_scan(write_tiffs(tmp_path / "scan", list(ANGLES_DEG)))
    assert "pixel_size_known = false" in replay_experiment(scan)
    assert "The size of a pixel is not recorded" in replay_experiment(scan)
    assert "pixel_size_known = true" in replay_experiment(scan, 2.5)
    assert "not recorded: lengths" not in replay_experiment(scan, 2.5)


def test_an_energy_that_is_not_that_of_x_rays_through_a_cell_is_passed_over(tmp_path: Path) -> None:
    scan = load_recorded_scan(write_tiffs(tmp_path / "scan", list(ANGLES_DEG)))
    assert "energy_known = false" in replay_experiment(scan)
    neutrons = replay_experiment(scan, energy_kev=2.5e-5)
    assert "energy_known = false" in neutrons
    assert "The recorded energy, 2.5e-05 keV, is passed over" in neutrons
    assert 'energy = "35 keV"\nenergy_known = true' in replay_experiment(scan, energy_kev=35.0)


def test_frames_for_alignment_are_left_out_and_the_pixel_size_is_that_in_the_sample(tmp_path: Path) -> None:
    path = write_nxtomo(tmp_path / "scan.nx")  # as the ESRF writes it: alignment frames have a key of projections
    with h5py.File(path, "a") as file:
        eye = file["scan_17/beamline/eye"]
        control = eye["image_key"][()]
        control[-3:-1] = -1
        eye["image_key_control"] = control
        eye["x_magnified_pixel_size"] = 0.7e-6
        eye["x_magnified_pixel_size"].attrs["units"] = "m"
    scan = load_recorded_scan(path)
    assert np.array_equal(scan.angles_deg, ANGLES_DEG[:-2])
    assert any("2 frames were taken for alignment" in note for note in scan.notes)
    assert scan.pixel_size_um == pytest.approx(0.7)


@pytest.mark.parametrize("is_there", [True, False])
def test_frames_in_another_file_are_read_or_missed_by_its_name(tmp_path: Path, is_there: bool) -> None:
    path = write_nxtomo(tmp_path / "scan.nxs")
    with h5py.File(path, "a") as file, h5py.File(tmp_path / "raw_17.hdf", "w") as raw:
        raw["entry/data/frames"] = file["scan_17/beamline/eye/data"][()]
        del file["scan_17/beamline/eye/data"]
        file["scan_17/beamline/eye/data"] = h5py.ExternalLink("raw_17.hdf", "/entry/data/frames")
    if is_there:
        assert np.array_equal(load_recorded_scan(path).projections.read(3), PROJECTIONS[3])
        return
    (tmp_path / "raw_17.hdf").unlink()
    with pytest.raises(RecordedScanError, match=r"lie in raw_17\.hdf, which is not there"):
        load_recorded_scan(path)


def test_the_names_of_nxtomo_are_enough_without_its_classes(tmp_path: Path) -> None:
    path = tmp_path / "scan.nxs"
    with h5py.File(path, "w") as file:
        file["entry/tomo_entry/instrument/detector/data"] = np.concatenate([DARKS, FLATS, PROJECTIONS])
        file["entry/tomo_entry/instrument/detector/image_key"] = [2] * 2 + [1] * 3 + [0] * NUM_PROJECTIONS
        file["entry/tomo_entry/sample/rotation_angle"] = np.concatenate([np.zeros(5), ANGLES_DEG])
    scan = load_recorded_scan(path)
    assert np.array_equal(scan.projections.read(3), PROJECTIONS[3])
    assert np.array_equal(scan.angles_deg, ANGLES_DEG)


def test_a_dark_and_a_flat_may_be_single_frames_without_an_axis_of_frames(tmp_path: Path) -> None:
    path = write_data_exchange(tmp_path / "a.h5", theta=ANGLES_DEG)
    with h5py.File(path, "a") as file:
        for name, frames_of_kind in (("data_dark", DARKS), ("data_white", FLATS)):
            del file[f"exchange/{name}"]
            file[f"exchange/{name}"] = frames_of_kind[1]
    scan = load_recorded_scan(path)
    assert np.array_equal(scan.darks.read(0), DARKS[1])
    assert scan.flats.shape == (1, ROWS, COLUMNS)


@pytest.mark.parametrize(
    ("projection", "dark", "flat"),
    [
        ("projections/img_{}.tif", "darks/img_{}.tif", "flats/img_{}.tif"),
        ("raw/img_{}.tif", "dark_before/img_{}.tif", "flat_before/img_{}.tif"),
        ("scan_{}.tif", "scan_dark_{}.tif", "scan_flat_{}.tif"),
        ("tomo_{}.TIF", "di_{}.TIF", "OB_{}.TIF"),
        ("proj_{}.tiff", "DarkField{}.tiff", "white{}.tiff"),
    ],
)
def test_darks_and_flats_are_known_by_the_names_of_files_or_folders(
    tmp_path: Path, projection: str, dark: str, flat: str
) -> None:
    for name, frames_of_kind in ((projection, PROJECTIONS), (dark, DARKS), (flat, FLATS)):
        for number, frame in enumerate(frames_of_kind):
            path = tmp_path / name.format(number)
            path.parent.mkdir(exist_ok=True)
            tifffile.imwrite(path, frame)
    np.savetxt(tmp_path / "scan_angles.csv", ANGLES_DEG)
    scan = load_recorded_scan(tmp_path)
    for stack, frames_of_kind in ((scan.projections, PROJECTIONS), (scan.darks, DARKS), (scan.flats, FLATS)):
        assert stack.shape[0] == len(frames_of_kind)
        assert np.array_equal(stack.read(1), frames_of_kind[1])


@pytest.mark.parametrize("dtype", ["u1", "u2", "i4", "f4"])
def test_tiffs_compressed_by_lzw_are_read(tmp_path: Path, dtype: str) -> None:
    folder = write_tiffs(tmp_path / "scan", list(ANGLES_DEG))
    packed = (PROJECTIONS // 256).astype(dtype)
    pages = [Image.fromarray(frame) for frame in packed]
    for path in (folder / "tiffs").iterdir():
        path.unlink()
    pages[0].save(folder / "tiffs" / "all.tif", compression="tiff_lzw", save_all=True, append_images=pages[1:])
    scan = load_recorded_scan(folder)
    assert np.array_equal(scan.projections.read(7), packed[7])


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["volume.tif"], "no darks and no flats .it holds 1 TIFF files"),
        (["dark.tif", "flat.tif"], "no projections"),
        (["dark.tif", "flat.tif", "one/a.tif", "two/a.tif"], "one, two hold TIFF files; which of them"),
        (["dark.tif", "flat.tif", "a_1.tif", "a_2.tif"], "there is no file of angles, and none are assumed"),
    ],
)
def test_a_folder_that_is_no_scan_is_refused_with_what_is_missing(tmp_path: Path, names: list[str], said: str) -> None:
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        tifffile.imwrite(tmp_path / name, PROJECTIONS[0])
    with pytest.raises(RecordedScanError, match=said):
        load_recorded_scan(tmp_path)


def test_one_tiff_file_is_refused_with_what_else_belongs_to_a_scan(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "volume.tif", PROJECTIONS, photometric="minisblack")
    with pytest.raises(RecordedScanError, match=r"volume\.tif: is one TIFF file"):
        load_recorded_scan(tmp_path / "volume.tif")
