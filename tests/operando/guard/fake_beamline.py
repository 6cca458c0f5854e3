"""A potentiostat with the ECLab names and a resistor-capacitor cell in real time, a thermometer, a load cell on a pty.

Run: python fake_beamline.py LINK. The ports come from the environment. ``FAKE:...`` variables break things on command.
"""

import asyncio
import os
import pty
import struct
import sys
import time
import tty
from pathlib import Path

from caproto import ChannelType
from caproto.asyncio.server import Context
from caproto.server import PVGroup, pvproperty

from operando.model.channel_access import repair_caproto

POLL_S = 0.05
CAPACITY_F = 1e-3  # 100 uA for 1 s is 0.1 V
RESISTANCE_OHM = 100.0
BEGIN_V = 2.0
CLOCK_OFFSET_S = 10.0
CLOCK_DRIFT = 50e-6  # more than the host's
IDS = {"OCV": 100, "CA": 101, "CP": 102, "CPLIMIT": 155, "CALIMIT": 157}
COMMON = ("REDT", "TB", "IRANGE", "ERANGE", "BW", "XCTR")
SCALARS = {
    "OCV": ("RTT", "REDE", *COMMON),
    "CA": ("REDI", "STEPN", "NCYCLES", *COMMON),
    "CP": ("REDE", "STEPN", "NCYCLES", *COMMON),
}
SCALARS["CPLIMIT"] = SCALARS["CP"]
SCALARS["CALIMIT"] = SCALARS["CA"]
TESTS = tuple(f"TEST{number}{what}" for number in (1, 2, 3) for what in ("CONF", "VAL"))
WAVEFORMS = {
    "OCV": (),
    "CA": ("VSTEP", "DURSTEP", "VSINIT"),
    "CP": ("ISTEP", "DURSTEP", "VSINIT"),
    "CPLIMIT": ("ISTEP", "DURSTEP", "VSINIT", *TESTS, "EXITCOND"),
    "CALIMIT": ("VSTEP", "DURSTEP", "VSINIT", *TESTS, "EXITCOND"),
}
NUM_ELEMENTS = 20
NUMBERS = ("EWE", "ECE", "I", "TIME", "Q", "AUX1")
WHOLE = ("TECHID", "TECHIND", "LOOP", "IOVERFLOW", "EOVERFLOW", "SATURATION", "OPTERR", "START", "STOP", "SAVEDATA:SP")


def variables() -> dict[str, object]:
    found: dict[str, object] = {name: pvproperty(name=f"FAKE:C0:{name}", value=0.0) for name in NUMBERS}
    found |= {name.replace(":", "_"): pvproperty(name=f"FAKE:C0:{name}", value=0) for name in WHOLE}
    found["STATE"] = pvproperty(
        name="FAKE:C0:STATE", value=0, dtype=ChannelType.ENUM, enum_strings=["Stopped", "Running", "Paused"]
    )
    found["LOADTECH"] = pvproperty(name="FAKE:C0:LOADTECH:SP", value="", dtype=ChannelType.STRING)
    for technique, waveforms in WAVEFORMS.items():
        for parameter in SCALARS[technique]:
            name = f"FAKE:C0:T:{technique}:0:{parameter}:SP"
            found[f"{technique}_{parameter}"] = pvproperty(name=name, value=0.0)
        for parameter in waveforms:
            name = f"FAKE:C0:T:{technique}:0:{parameter}:SP"
            found[f"{technique}_{parameter}"] = pvproperty(
                name=name, value=[0.0], dtype=ChannelType.FLOAT, max_length=NUM_ELEMENTS
            )
    found["TEMPERATURE"] = pvproperty(name="FAKE:TEMPERATURE", value=25.0)
    found["COUNTS"] = pvproperty(name="FAKE:COUNTS", value=7351)
    for name in ("SILENT", "FROZEN", "DEAF", "GARBAGE"):
        found[name] = pvproperty(name=f"FAKE:{name}", value=0)
    found["BEGIN"] = pvproperty(name="FAKE:BEGIN", value=0.0)  # s since 1970: when the instrument's clock began
    found["ADDED_V"] = pvproperty(name="FAKE:ADDED_V", value=0.0)
    return found


class Beamline(PVGroup):  # type: ignore[misc]
    locals().update(variables())

    def __init__(self) -> None:
        super().__init__(prefix="")
        self.begin_s = self.last_s = time.monotonic()
        self.running, self.index, self.since_s = False, 0, 0.0
        self.loaded: list[str] = []
        self.stored_v, self.charge_c = BEGIN_V, 0.0
        self.current_a = 0.0

    def get(self, name: str) -> float:
        value = getattr(self, name).value
        return float(value[0] if hasattr(value, "__len__") else value)

    async def show(self, **values: float) -> None:
        for name, value in values.items():
            await getattr(self, name).write(value, verify_value=False)

    def obey(self) -> None:
        if self.get("STOP") and not self.get("DEAF"):
            self.running, self.loaded = False, []
        if self.get("START"):
            text = str(self.LOADTECH.value)
            self.loaded = text.upper().split(",")
            self.running, self.index, self.since_s = True, 0, time.monotonic()

    def advance(self) -> None:
        now_s = time.monotonic()
        step_s, self.last_s = now_s - self.last_s, now_s
        self.current_a = 0.0
        if not self.running:
            return
        name = self.loaded[self.index]
        duration_s = self.get("OCV_RTT" if name == "OCV" else f"{name}_DURSTEP")
        if name in ("CP", "CPLIMIT"):
            self.current_a = self.get(f"{name}_ISTEP")
        if name in ("CA", "CALIMIT"):
            self.current_a = (self.get(f"{name}_VSTEP") - self.stored_v) / RESISTANCE_OHM
            step_s = min(step_s, RESISTANCE_OHM * CAPACITY_F)
        self.stored_v += self.current_a * step_s / CAPACITY_F
        self.charge_c += self.current_a * step_s
        reached = False
        if name == "CPLIMIT":
            sign = 1 if self.get("CPLIMIT_TEST1CONF") == 5 else -1
            reached = sign * (self.voltage_v() - self.get("CPLIMIT_TEST1VAL")) >= 0
            if reached and self.get("CPLIMIT_EXITCOND") == 2:
                self.running = False
                return
        if reached or now_s - self.since_s >= duration_s:
            self.index, self.since_s = self.index + 1, now_s
            self.running = self.index < len(self.loaded)

    def voltage_v(self) -> float:
        return self.stored_v + self.current_a * RESISTANCE_OHM + self.get("ADDED_V")

    async def poll_forever(self, link: Path) -> None:
        plug(self, link)
        await self.show(BEGIN=time.time() - (time.monotonic() - self.begin_s))
        while True:
            self.obey()
            await self.show(START=0, STOP=0)
            self.advance()
            if not self.get("FROZEN"):
                await self.show(
                    EWE=self.voltage_v(),
                    I=self.current_a if self.running else 0.0,
                    TIME=CLOCK_OFFSET_S + (time.monotonic() - self.begin_s) * (1 + CLOCK_DRIFT),
                    Q=self.charge_c / 3.6,
                    STATE=int(self.running),
                    TECHIND=min(self.index, max(len(self.loaded) - 1, 0)),
                    TECHID=IDS[self.loaded[min(self.index, len(self.loaded) - 1)]] if self.loaded else 0,
                )
            if self.get("GARBAGE"):
                await self.show(EWE=float("inf"), I=float("nan"), TIME=float("nan"), Q=float("-inf"), TECHIND=2**31 - 1)
            await asyncio.sleep(POLL_S)


def sums(body: bytes) -> bytes:
    plain = weighted = 0
    for byte in body:
        plain = (plain + byte) & 0xFF
        weighted += plain
        weighted = (weighted + (weighted > 0xFF)) & 0xFF
    return bytes([plain, weighted])


def plug(beamline: Beamline, link: Path) -> None:
    device, port = pty.openpty()
    tty.setraw(port)
    os.set_blocking(device, False)
    link.unlink(missing_ok=True)
    # The terminal's own name is given to the next test when this process is killed, and its guard would follow it.
    link.symlink_to(f"/proc/{os.getpid()}/fd/{port}")

    def read() -> None:
        request = os.read(device, 256)
        if not request.endswith(bytes.fromhex("41 01 ff 00 41 06")) or beamline.get("SILENT"):
            return
        counts = int(beamline.get("COUNTS"))
        body = bytes([0x41, 0xFF, 0x01, 9]) + struct.pack(">hhhhB", counts, 0, counts, 0, 0)
        os.write(device, b"\x02" + (body + sums(body)).replace(b"\x02", b"\x02\x02"))

    asyncio.get_running_loop().add_reader(device, read)


async def main(link: Path) -> None:
    repair_caproto()
    beamline = Beamline()

    async def on_start(_: object) -> None:
        asyncio.get_running_loop().create_task(beamline.poll_forever(link))
        print("READY", flush=True)

    await Context(beamline.pvdb, ["127.0.0.1"]).run(startup_hook=on_start)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
