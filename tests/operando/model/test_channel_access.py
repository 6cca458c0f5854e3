"""A site's own addresses are kept; ours are added to them."""

from operando.model.channel_access import client_environment, server_environment


def test_our_addresses_are_appended_to_the_sites() -> None:
    site = {"EPICS_CA_ADDR_LIST": "10.0.0.255", "EPICS_CA_AUTO_ADDR_LIST": "YES"}
    variables = client_environment(["127.0.0.1:5001", "127.0.0.1:5002"], site, repeater_port=None)
    assert variables["EPICS_CA_ADDR_LIST"] == "10.0.0.255 127.0.0.1:5001 127.0.0.1:5002"
    assert variables["EPICS_CA_AUTO_ADDR_LIST"] == "YES"
    assert "EPICS_CA_REPEATER_PORT" not in variables


def test_without_a_site_nothing_is_broadcast() -> None:
    assert client_environment(["127.0.0.1:5001"], {}, repeater_port=5002)["EPICS_CA_AUTO_ADDR_LIST"] == "NO"


def test_servers_answer_on_loopback_unless_told() -> None:
    assert server_environment(5001)["EPICS_CAS_INTF_ADDR_LIST"] == "127.0.0.1"
