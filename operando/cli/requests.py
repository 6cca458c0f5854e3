"""Commands by which a person reaches into a run that goes on."""

from typing import Annotated

import typer

from operando.cli.options import RunFolder, terminal


def ask(
    run: RunFolder,
    what: Annotated[
        str,
        typer.Argument(
            metavar="tomogram|skip|note|stop-after|edit|clear-trip", help="What is asked of the running experiment."
        ),
    ],
    argument: Annotated[
        str,
        typer.Argument(
            metavar="TEXT",
            help="Name of the tomogram or step, text of the note, file of the steps to come, or why the cell is safe.",
        ),
    ] = "",
    person: Annotated[str, typer.Option("--person", help="Who asks.")] = "",
) -> None:
    """Ask a running experiment for something.

    operando ask RUN tomogram [NAME]: one more tomogram, now. operando ask RUN note TEXT: a line in the cell's log.
    operando ask RUN skip [NAME]: leave out a step or tomogram that is to come; without a name end the present step.
    operando ask RUN stop-after STEP: end after that step, or after 'tomogram', the present one.
    operando ask RUN edit FILE: put the [[schedule]] of FILE in the place of all steps that have not begun.
    operando ask RUN clear-trip REASON: let the guard accept techniques again; it refuses while the danger is there.
    """
    from operando.session.asking import ask_run

    raise typer.Exit(ask_run(run, what, argument, person, terminal()))


def inject(
    run: RunFolder,
    kind: Annotated[str, typer.Argument(metavar="KIND", help="As in a file of faults: beam_loss, lost_frames ...")],
    options: Annotated[
        list[str] | None, typer.Argument(metavar="KEY=VALUE", help="Its parameters, as in duration='30 s'.")
    ] = None,
) -> None:
    """Let something go wrong in a rehearsal that runs.

    operando inject RUN beam_loss duration='30 s' at='projection 20'. What was done, and when, is written to
    RUN/simulation/faults.jsonl, which the product never reads. Exit code: 0 accepted, 2 refused.
    """
    from operando.session.injecting import inject as inject_fault
    from operando.session.injecting import parsed

    numbers = inject_fault(run, parsed(kind, options or []))
    terminal().print(f"fault {', '.join(map(str, numbers))}: accepted")
