"""As guard and acquisition at once: fits the simulated potentiostat's clock over hours, then over a tomogram."""

import json
import sys
import threading
from dataclasses import asdict
from pathlib import Path

from operando.model.beamline import load_beamline
from operando.model.channel_access import client_environment, prepare
from operando.model.clock import RehearsalClock
from operando.model.clock_fit import ClockFitter

path = Path(sys.argv[1])
beamline = load_beamline(path)
access = beamline.channel_access
prepare(client_environment([*access.instruments], {}, repeater_port=access.repeater_port))

from devices.potentiostat import Potentiostat  # noqa: E402
from operando.guard.potentiostat_clock import StampedReadOuts  # noqa: E402

assert beamline.clock is not None
address = beamline.clock.host, beamline.clock.port
guard = RehearsalClock(address, path.parent / beamline.clock.page, role="guard")
other = RehearsalClock(address, path.parent / beamline.clock.page, role="acquisition")
threading.Thread(target=other.sleep_until, args=(guard.now() + 1e6,), daemon=True).start()
potentiostat = Potentiostat(f"{beamline.potentiostat.prefix}C{beamline.potentiostat.channel}:", name="potentiostat")
potentiostat.connect()
read_outs, fitter = StampedReadOuts(), ClockFitter()
samples, fits, num_jumps = [], [], 0
for period_s, num in ((240.0, 60), (0.25, 40)):
    for _ in range(num):
        guard.sleep_until(guard.now() + period_s)
        snapshot = potentiostat.poll()
        assert snapshot is not None
        for pair in read_outs.pairs(snapshot):
            num_jumps += fitter.add(*pair) is not None
        samples.append((snapshot.elapsed_s, guard.now()))
    assert fitter.fit is not None
    fits.append(asdict(fitter.fit))
guard.close()
other.close()
print(json.dumps({"samples": samples, "fits": fits, "num_jumps": num_jumps}))
