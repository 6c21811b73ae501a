"""Where a server is, as it is written, in the one form in which two spellings are compared.

No name is looked up: a name is what it is called, wherever the network takes it today.
"""

import os

DEFAULT_PORT = "5432"


def places_of(host: str, port: str) -> list[tuple[str, str]]:
    """Pair each of several hosts with its port, as libpq does (its manual, 32.1.1.3).

    Raises:
        ValueError: there are several ports, but not one for each host.
    """
    hosts, ports = host.split(","), port.split(",")
    if len(ports) == 1:
        ports *= len(hosts)
    pairs = zip(hosts, ports, strict=True)
    return list(dict.fromkeys((_host(one), _port(two)) for one, two in pairs))


def shown(host: str, port: str) -> str:
    """Return a place as a URL has it."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _host(text: str) -> str:
    if text.startswith("/"):  # the folder of a socket
        return os.path.realpath(text)
    if text.startswith("@"):  # a socket without a file: its name is what it is, to the letter
        return text
    if ":" in text:
        return _ipv6(text)
    low = text.lower()
    return low.removesuffix(".") or low


def _ipv6(text: str) -> str:
    from ipaddress import AddressValueError, IPv6Address

    address, percent, scope = text.partition("%")
    try:
        return f"{IPv6Address(address)}{percent}{scope}"
    except AddressValueError:
        return text.lower()


def _port(text: str) -> str:
    stripped = text.strip()
    return str(int(stripped)) if stripped.isdecimal() else stripped or DEFAULT_PORT
