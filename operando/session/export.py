"""Writing one tomogram of a run in a format of other programs."""

from pathlib import Path

from rich.console import Console

from live_analysis.data_exchange import write_data_exchange
from live_analysis.frame_reader import FrameFileError
from live_analysis.run_follower import RunFollower, TomogramRun
from operando.model.run_directory import RunDirectory
from operando.session.errors import EXIT_COMPLETE, RequestError
from operando.session.layout import open_run_directory

FORMATS = ("dxfile",)


def export_tomogram(
    path: Path, name: str, console: Console, *, file_format: str, output: Path | None, linked: bool
) -> int:
    """Export a tomogram; return the exit code.

    Parameters
    ----------
    path
        Run directory.
    name
        Name of the tomogram, of which the last attempt is taken, or the number of an attempt.
    file_format
        ``dxfile``, Data Exchange.
    output
        New file; by default beside the run's NXtomo file.
    linked
        Whether the images stay in the run's frames files.

    Raises
    ------
    RunDirectoryError, RequestError
        If there is no such run, tomogram or format, a kind of frames is missing, or the file cannot be written.
    """
    if file_format not in FORMATS:
        raise RequestError(f"--format {file_format}: is not known; allowed is {' or '.join(FORMATS)}.")
    run = open_run_directory(path)
    tomogram = find_tomogram(run, name)
    file = output or run.tomogram_file(tomogram.attempt, tomogram.name).with_suffix(".h5")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_data_exchange(run, tomogram, file, copied=not linked)
    except (FrameFileError, FileExistsError) as error:
        raise RequestError(str(error)) from error
    except OSError as error:
        raise RequestError(f"{file}: cannot be written ({error}). Give another --output.") from error
    where = "; its images stay in the run, move both together" if linked else ""
    console.print(f"{tomogram.name}, attempt {tomogram.attempt}: {file} (Data Exchange){where}", soft_wrap=True)
    if not tomogram.ended:
        console.print("The tomogram is still being taken; the file holds what there was.")
    return EXIT_COMPLETE


def find_tomogram(run: RunDirectory, name: str | None) -> TomogramRun:
    """Return a tomogram of a run by its name (the last attempt) or by the number of an attempt.

    Parameters
    ----------
    name
        None for the only tomogram of the run.

    Raises
    ------
    RequestError
        If there is none, or several and none was named.
    """
    follower = RunFollower(run.documents)
    follower.poll()
    tomograms = follower.runs.tomograms
    there = ", ".join(dict.fromkeys(entry.name for entry in tomograms)) or "none yet"
    if name is None:
        if len({entry.name for entry in tomograms}) != 1:
            raise RequestError(f"{run.path}: say which tomogram; there are: {there}.")
        return tomograms[-1]
    named = [entry for entry in tomograms if entry.name == name]
    found = named or [entry for entry in tomograms if name in (str(entry.attempt), f"{entry.attempt:04d}")]
    if not found:
        raise RequestError(f"{run.path}: there is no tomogram {name!r}; there are: {there}.")
    return found[-1]
