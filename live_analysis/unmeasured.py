"""Which tomograms and steps of a run have not been measured to their end."""

from live_analysis.results import read_analysis_runs
from live_analysis.run_follower import RunFollower
from operando.model.run_directory import RunDirectory


def unmeasured(run: RunDirectory) -> list[str]:
    """Return the names of what was taken or ended and has no final analysis run, tomograms first, each once.

    What could not be analysed has one, which says why.
    """
    done = {(entry.raw_run, entry.tomogram) for entry in read_analysis_runs(run.results) if entry.is_final}
    follower = RunFollower(run.documents)
    while follower.poll():
        pass
    taken = [(tomogram.uid, tomogram.name) for tomogram in follower.runs.tomograms]
    taken += [(step.outer_run, step.name) for step in follower.runs.steps]
    return list(dict.fromkeys(name for uid, name in taken if (uid, name) not in done))
