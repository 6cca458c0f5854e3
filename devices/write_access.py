"""What a client may write after a server was silent for a while: ophyd forgets it, the channel knows it."""

from ophyd import EpicsSignal


def repair_ophyd() -> None:
    """Let every signal take the write access that its channel has.

    A server that is silent for 10 s (a stopped process, a cable) is taken for gone, without any access. When it goes
    on, libca tells of the connection only, and ophyd 1.11 refuses every put for the rest of its life, open circuit
    too.

    Raises
    ------
    RuntimeError
        If ophyd changed, so that the repair must be measured again.
    """
    if not isinstance(EpicsSignal.write_access, property):
        raise RuntimeError("ophyd's EpicsSignal.write_access is no property any more: renew this repair.")
    EpicsSignal.write_access = property(_write_access)


def _write_access(signal: EpicsSignal) -> bool:
    return bool(signal._metadata["write_access"] or signal._write_pv.write_access)  # noqa: SLF001
