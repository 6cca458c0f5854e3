"""`operando phases` as a person uses it: files of all sorts, sentences where there is no volume."""

import json
from pathlib import Path

import h5py
import numpy as np
import pytest
import tifffile
import zarr
from numpy.typing import NDArray
from PIL import Image
from typer.testing import CliRunner

from operando.cli import application
from operando.session.errors import RequestError

Volume = NDArray[np.float64]


@pytest.fixture
def volume() -> Volume:
    """Two phases, 2 of 5 layers bright, without a voxel between them."""
    values = np.random.default_rng(0).normal(100, 5, (10, 12, 14))
    values[6:] += 100
    return values


def asked(path: Path | str, *options: str) -> dict[str, object]:
    result = CliRunner().invoke(application, ["phases", str(path), "--json", *options], catch_exceptions=False)
    assert result.exit_code == 0
    return dict(json.loads(result.stdout))


def fractions(path: Path | str, *options: str) -> list[float]:
    phases = asked(path, *options)["phases"]
    assert isinstance(phases, list)
    return [phase["fraction"] for phase in phases]


def test_volumes_of_many_programs_are_read(volume: Volume, tmp_path: Path) -> None:
    whole = volume.astype(np.uint16)
    tifffile.imwrite(tmp_path / "plain.tif", whole)
    tifffile.imwrite(tmp_path / "big_endian.tif", volume.astype(np.float32), byteorder=">", compression="zlib")
    tifffile.imwrite(tmp_path / "grey_colours.tif", np.stack([whole.astype(np.uint8)] * 3, -1), photometric="rgb")
    pages = [Image.fromarray(layer.astype(np.uint8)) for layer in whole]
    pages[0].save(tmp_path / "lzw.tif", compression="tiff_lzw", save_all=True, append_images=pages[1:])
    (tmp_path / "folder").mkdir()
    for index, layer in enumerate(whole):
        tifffile.imwrite(tmp_path / "folder" / f"slice_{index}.tif", layer)
    np.save(tmp_path / "numbers.npy", volume)
    group = zarr.create_group(tmp_path / "volume.zarr", zarr_format=2)
    group.create_array("0", data=volume.astype(np.float32), chunks=(4, 5, 6))
    group.attrs["multiscales"] = [
        {
            "axes": [{"name": name, "type": "space", "unit": "micrometer"} for name in "zyx"],
            "datasets": [{"path": "0", "coordinateTransformations": [{"type": "scale", "scale": [1.5, 1.5, 1.5]}]}],
        }
    ]
    with h5py.File(tmp_path / "region.h5", "w") as file:
        file["region"] = volume
        file["region"].attrs["voxel_size_um"] = 1.76
        file["other"] = volume
    for place in sorted(tmp_path.iterdir()):
        assert fractions(place, "--classes", "2") == pytest.approx([0.6, 0.4]), place.name
    assert fractions(f"{tmp_path / 'region.h5'}:/other", "--classes", "2") == pytest.approx([0.6, 0.4])
    assert asked(tmp_path / "volume.zarr", "--classes", "2")["voxel_size_zyx_um"] == [1.5, 1.5, 1.5]
    assert asked(tmp_path / "region.h5", "--classes", "2")["surface_unit"] == "1/um"


@pytest.mark.parametrize("size_um", [-3.0, 0.0, float("nan"), [1.0, 2.0, 3.0]])
def test_a_size_of_voxels_that_is_none_is_refused(volume: Volume, tmp_path: Path, size_um: object) -> None:
    with h5py.File(tmp_path / "region.h5", "w") as file:
        file["region"] = volume
        file["region"].attrs["voxel_size_um"] = size_um
    with pytest.raises(RequestError, match="voxel"):
        asked(tmp_path / "region.h5")


def test_the_table_says_what_was_found(volume: Volume, tmp_path: Path) -> None:
    np.save(tmp_path / "labels.npy", volume > 150)
    command = ["phases", str(tmp_path / "labels.npy"), "--voxel-size", "2 um", "--axis", "z"]
    printed = CliRunner().invoke(application, command).stdout
    for words in ("14 x 12 x 10 voxels", "2 um", "labels", "surface", "1/um", "fractions along z", "5 to 5"):
        assert words in printed
    assert "60 ±" in printed
    assert "40 ±" in printed


def test_missing_voxels_count_as_outside_and_the_median_takes_noise_away(volume: Volume, tmp_path: Path) -> None:
    volume[0], volume[3, 3, 3], volume[8, 8, 8] = np.nan, 200.0, 100.0
    np.save(tmp_path / "noisy.npy", volume)
    assert asked(tmp_path / "noisy.npy", "--classes", "2")["num_outside"] == 12 * 14
    assert fractions(tmp_path / "noisy.npy", "--classes", "2", "--median") == pytest.approx([5 / 9, 4 / 9])


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("image.npy", np.zeros((3, 4)), "three axes"),
        ("constant.npy", np.full((3, 4, 5), 2.5), "1 grey value"),
        ("nothing.npy", np.full((3, 4, 5), np.nan), "finite"),
        ("complex.npy", np.zeros((3, 4, 5), complex), "real or whole"),
        ("empty.npy", np.zeros((0, 4, 5)), "no voxel"),
        ("text.tif", b"hello", "is no TIFF"),
        ("text.npy", b"hello", "no array of numbers"),
        ("text.h5", b"hello", "cannot be opened as HDF5"),
        ("text.txt", b"hello", "no volume that is known"),
        ("missing.tif", None, "no such file"),
    ],
)
def test_what_is_no_volume_is_told_in_a_sentence(
    tmp_path: Path, name: str, content: bytes | NDArray[np.generic] | None, words: str
) -> None:
    if isinstance(content, bytes):
        (tmp_path / name).write_bytes(content)
    elif content is not None:
        np.save(tmp_path / name, content)
    with pytest.raises(RequestError, match=words):
        CliRunner().invoke(application, ["phases", str(tmp_path / name)], catch_exceptions=False)


def test_colours_lonely_slices_and_little_memory_are_told_too(volume: Volume, tmp_path: Path) -> None:
    whole = volume.astype(np.uint8)
    tifffile.imwrite(tmp_path / "colours.tif", np.stack([whole, whole // 2, whole], -1), photometric="rgb")
    tifffile.imwrite(tmp_path / "image.tif", whole[0])
    np.save(tmp_path / "volume.npy", volume)
    for options, words in (
        (["colours.tif"], "colour image"),
        (["image.tif"], "an image"),
        (["volume.npy", "--memory", "1 kB"], "kB|GB"),
        (["volume.npy", "--labels"], "different values"),
        (["volume.npy", "--labels", "--classes", "2"], "one of them"),
        (["volume.npy", "--connectivity", "7"], "6, 18 or 26"),
        (["volume.npy", "--voxel-size", "2"], "1 um"),
        (["volume.npy", "--axis", "t"], "z, y or x"),
    ):
        with pytest.raises(RequestError, match=words):
            CliRunner().invoke(
                application, ["phases", str(tmp_path / options[0]), *options[1:]], catch_exceptions=False
            )
