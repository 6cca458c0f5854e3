"""Gets that pyepics could not send because the circuit had just broken, and would otherwise await for ever."""

from epics import ca

ECA_DISCONN = 192  # "Virtual circuit disconnect" in EPICS base's cadef.h


def forget_unsent_gets(pv_name: str) -> None:
    """Let gets of a process variable be sent again after the circuit to its server broke.

    pyepics 3.5 marks a get as pending before it hands it to libca. If libca refuses it, because the circuit broke a
    moment ago, the mark stays, also when the server is back: every later get of the channel is not sent but waits for
    an answer that cannot come. Call it when a get was refused or the channel is seen disconnected.
    """
    entry = ca.get_cache(pv_name)
    if entry is None:
        return
    with entry.lock:
        for result in entry.get_results.values():
            if result[0] is ca.GET_PENDING:
                result[0] = ca.ChannelAccessGetFailure("The circuit broke.", chid=entry.chid, status=ECA_DISCONN)
