"""Words for people: names of quantities and units as they are printed, flags explained."""

import re

RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
UNITS = {
    "um3": "µm³",
    "um2": "µm²",
    "um": "µm",
    "degC": "°C",
    "deg": "°",
    "1": "no unit",
    "1/cm": "1/cm",
    "column": "column",
}
FLAGS = {
    "near_resolution": "what was measured is hardly larger than the resolution: expect a bias",
    "below_detection": "nothing was found above the detection limit; that is not zero",
    "below_resolution": "smaller than the resolution; that is not zero",
    "quick": "told from the live volume within seconds; the measurement that replaces it had not been made",
    "run_not_closed": "measured although nobody had said how the tomogram ended",
    "partial": "some projections were missing or left out",
    "undersampled": "neighbouring projections are too far apart at the rim of the view: streaks",
    "region_cut": "the region of the experiment file reaches out of the view and was cut",
    "rotation_axis_uncertain": "the rotation axis was not found for certain: edges may be doubled",
    "grey_values_not_absolute": "offset and gain of the grey values are unknown: differences only",
    "cell_contradicted": "the grey reference is more than 3 % beside what the declared cell should give",
    "phase_retrieved": "a phase filter was applied: grey values hold for one material only",
    "beam_unsteady": "some projections had another beam than their neighbours, which nothing beside the sample tells",
    "axis_straightened": "the rotation axis leaned and was straightened",
    "projections_left_out": "projections without beam were left out",
    "rows_lost": "some detector rows could not be reconstructed",
    "flats_saturated": "the flats were saturated",
    "darks_or_flats_left_out": "darks or flats that did not fit were left out",
    "angles_missing": "angles were not recorded and had to be assumed",
    "no_grey_reference": "the slab of known attenuation was not seen: nothing anchors the grey values",
    "view_shifted": "stage, beam or camera moved between the two states; what they moved by was taken off",
    "view_not_checked": "nothing tells whether stage, beam or camera moved between the two states",
    "pristine_state_lost": "no pristine state can be read, so nothing was compared with it: operando analyse --again",
    "cracks_cross": "cracks cross more than half of the cuboids; what is left of these was followed",
    "streaks_outweigh_texture": "too few projections: streaks are followed too, and the uncertainty allows for it",
    "few_particles": "it rests on fewer than four particles",
    "mask_not_moved": "the particles were not followed: their mask lies where they were in the pristine state",
    "particles_above_interface": "particles reach above the interface that was found: it may be another face",
    "charge_beyond_theory": "more charge flowed than CuS can take up",
    "way_back_assumed": "while the cell is charged the way back is assumed to be the way there",
    "without_cracks": "cracks that open are not counted",
}


def quantity_text(name: str) -> str:
    """Return the name of a quantity as words."""
    return name.replace("_", " ")


def unit_text(unit: str) -> str:
    """Return a unit as it is printed."""
    return UNITS.get(unit, unit)


def flag_text(flag: str) -> str:
    """Return a flag as words."""
    return flag.replace("_", " ")


def flag_explained(flag: str) -> str:
    """Return what a flag means for a number, in a sentence without a full stop; empty where nobody wrote it down."""
    return FLAGS.get(flag, "")


def printed(text: str) -> str:
    """Return a number's text as it is printed: powers of ten and minus signs as in a book."""
    power = re.search(r"e([+-]?)0*([0-9]+)$", text)
    if power is not None:
        sign = "⁻" if power[1] == "-" else ""
        text = f"{text[: power.start()]} × 10{sign}{power[2].translate(RAISED)}"
    return text.replace("-", "−")


def size_text(num_bytes: int) -> str:
    """Write a size of a file."""
    size = float(num_bytes)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" or size >= 100 else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"
