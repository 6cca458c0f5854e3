"""When the guard and the simulated beamline of a rehearsal end by themselves: nobody attends them any more."""

LONGEST_ALONE_S = 600.0  # of the host's time, after the last client; always so long before the first one
