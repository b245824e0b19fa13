#!/usr/bin/env python3
"""Writes the small address databases that the tests of the geoip filter read: make_mmdb.py DIRECTORY.

The format is public: https://maxmind.github.io/MaxMind-DB/. The places are invented.
"""
import ipaddress
import pathlib
import struct
import sys


class Short(int):
    """A number of at most 16 bits, as the metadata must have some."""


class Long(int):
    """One of 64 bits."""


def control(kind, size):
    extended = kind > 7
    first = (0 if extended else kind) << 5
    if size < 29:
        head, more = first | size, b""
    elif size < 285:
        head, more = first | 29, bytes([size - 29])
    else:
        head, more = first | 30, struct.pack(">H", size - 285)
    return bytes([head]) + (bytes([kind - 7]) if extended else b"") + more


def encode(value):
    if isinstance(value, bool):
        return control(14, int(value))
    if isinstance(value, dict):
        return control(7, len(value)) + b"".join(encode(k) + encode(v) for k, v in value.items())
    if isinstance(value, list):
        return control(11, len(value)) + b"".join(encode(v) for v in value)
    if isinstance(value, str):
        return control(2, len(value.encode())) + value.encode()
    if isinstance(value, float):
        return control(3, 8) + struct.pack(">d", value)
    raw = value.to_bytes(8, "big").lstrip(b"\0")
    kind = 5 if isinstance(value, Short) else 9 if isinstance(value, Long) else 6
    return control(kind, len(raw)) + raw


def database(kind, networks):
    nodes = [[None, None]]
    data = b""
    for network, record in networks.items():
        network = ipaddress.ip_network(network)
        bits = int(network.network_address)
        bits, length = (bits, network.prefixlen + 96) if network.version == 4 else (bits, network.prefixlen)
        at = 0
        for i in range(length - 1):
            side = bits >> (127 - i) & 1
            if nodes[at][side] is None:
                nodes.append([None, None])
                nodes[at][side] = len(nodes) - 1
            at = nodes[at][side]
        nodes[at][bits >> (128 - length) & 1] = ("data", len(data))
        data += encode(record)

    count = len(nodes)

    def record_of(side):
        if side is None:
            return count
        return count + 16 + side[1] if isinstance(side, tuple) else side

    tree = b"".join(record_of(side).to_bytes(3, "big") for node in nodes for side in node)
    about = {"node_count": count, "record_size": Short(24), "ip_version": Short(6), "database_type": kind,
             "languages": ["en"],
             "binary_format_major_version": Short(2), "binary_format_minor_version": Short(0),
             "build_epoch": Long(1767225600), "description": {"en": "Invented places for tests"}}
    return tree + b"\0" * 16 + data + b"\xab\xcd\xefMaxMind.com" + encode(about)


def place(city, region, code, country, iso, continent, letters, lat, lon, zone, **more):
    found = {"country": {"iso_code": iso, "names": {"en": country, "de": country + " (de)"}},
             "continent": {"code": letters, "names": {"en": continent}},
             "location": {"latitude": lat, "longitude": lon, "time_zone": zone, **more.get("location", {})}}
    if city:
        found["city"] = {"names": {"en": city}}
    if region:
        found["subdivisions"] = [{"iso_code": "XX", "names": {"en": "Outer"}},
                                 {"iso_code": code, "names": {"en": region}}]
    if "postal" in more:
        found["postal"] = {"code": more["postal"]}
    return found


def main(directory):
    city = {
        "192.0.2.0/24": place("Seldwyla", "Gold Coast", "SE", "Helvetia", "HV", "Europe", "EU", 47.25, 8.5,
                              "Europe/Zurich", postal="8000", location={"metro_code": Short(501)}),
        "198.51.100.0/25": place(None, None, None, "Lilliput", "LP", "Oceania", "OC", -21.5, 105.25,
                                 "Asia/Jakarta"),
        "198.51.100.128/25": {"country": {"iso_code": "ZZ", "names": {"en": "Nowhere"}}},
        "2001:db8::/32": place("Sechs", "Six", "66", "Sixland", "SX", "Europe", "EU", 1.0, 2.0, "UTC"),
    }
    asn = {
        "192.0.2.0/24": {"autonomous_system_number": 64500, "autonomous_system_organization": "Example Net"},
        "2001:db8::/32": {"autonomous_system_number": 4200000000, "autonomous_system_organization": "Big Number"},
    }
    country = {"192.0.2.0/24": {"country": {"iso_code": "HV", "names": {"en": "Helvetia"}},
                                "continent": {"code": "EU", "names": {"en": "Europe"}}}}
    for name, kind, networks in (("city", "GeoLite2-City", city), ("asn", "GeoLite2-ASN", asn),
                                 ("country", "GeoLite2-Country", country), ("other", "Somebody-Else", asn)):
        pathlib.Path(directory, name + ".mmdb").write_bytes(database(kind, networks))


main(sys.argv[1])
