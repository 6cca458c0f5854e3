"""What the potentiostat's server says of itself and its instrument, before any channel."""

from caproto import ChannelType
from caproto.server import PVGroup, pvproperty

DEVICE_CODE = 16  # SP-300 in the EC-Lab library's list of devices


class PotentiostatIdentity(PVGroup):  # type: ignore[misc]
    """The prefix is the server's, as in ``"ECLAB:"``. ``HOST`` is the address with which the public IOC simulates."""

    version = pvproperty(name="VERSION", value="simulated", dtype=ChannelType.STRING, read_only=True)
    host = pvproperty(name="HOST", value="SIM", dtype=ChannelType.STRING, read_only=True)
    device_code = pvproperty(name="DEVCODE", value=DEVICE_CODE, read_only=True)
    num_channels = pvproperty(name="NUMCHANNELS", value=1, read_only=True)
    num_slots = pvproperty(name="NUMSLOTS", value=1, read_only=True)
