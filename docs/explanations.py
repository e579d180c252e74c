"""Why netaudit and the expected tables differ, for `conformance`; whatever is not here fails the run."""  # noqa: INP001 -- of a script

from __future__ import annotations

_PORT = "the Host field's port is left off behind an address in brackets too (RFC 3986 section 3.2.2); the table keeps it"
_MAPPED = "the addresses are IPv6 ones that map IPv4 (RFC 4291 section 2.5.5.2): netaudit prints the IPv4 address, the table `::ffff:`"
_LABEL = "the dot is inside a label, which the table cannot show: netaudit prints `\\.`"
_VERSION = "tshark gives up at a section of version 2.0; netaudit reads it, and the section behind it"
_XZ = "tshark does not read xz"
_NO_ARP = "the header gives its addresses an impossible size, so that the packet has none; it is counted"
_INFINIBAND = "IP over InfiniBand (link type 242) is not read; the ledger says so"
_CUT = "the row is empty, since tshark stops where the packet is cut; netaudit reads the options that are there"
ABSENT = {
    ("dns", "packetq__sample-rfc1035escape.pcap.gz", "dot.embeded.in.a.label.test"): _LABEL,
    ("http", "suricata__http-ipv6.pcap", "[::1]:8000"): _PORT,
    ("http", "suricata__http-response-line.pcap", "www.openinfosecfoundation.org"): _MAPPED,
    ("arp", "ndpi__fuzz-2006-06-26-2594.pcap", "276"): _NO_ARP,
    ("arp", "ndpi__fuzz-2006-06-26-2594.pcap", "586"): _NO_ARP,
    ("arp", "tcpdump__ipoib.pcap", "6"): _INFINIBAND,
    ("arp", "tcpdump__ipoib.pcap", "7"): _INFINIBAND,
    ("dhcp", "pcapng-gen__be__basic__test012.pcapng", "2"): _CUT,
    ("dhcp", "pcapng-gen__le__basic__test012.pcapng", "2"): _CUT,
    ("radius", "tcpdump__radius_rfc5447_invalid_length.pcap", "1"): (
        "an attribute's length is impossible; the packet is counted as malformed, and nothing of it believed"
    ),
}
"""Why a name or row of the expected tables is not among the events, by kind, file and name (or packet)."""

MORE = {
    ("dns", "dnscap__dns.pcap.xz"): (_XZ, b""),
    ("tls", "suricata__bug-2512__sample_10.62.112.41_62227.pcap"): (
        "inside an HTTP proxy's tunnel, whose answer to CONNECT the capture lacks: tshark goes on reading HTTP", b"",
    ),
    ("tls", "zeek__tls__ssl-to-http-server.pcap"): ("on port 80, where tshark expects HTTP", b""),
    ("quic", "ndpi__quic_q50.pcap"): (
        "gQUIC 50: tshark reads the name, but the table leaves it out; the octets are sealed and show the version", b"Q050",
    ),
    ("http", "ndpi__http_on_sip_port.pcap"): ("from port 5060, where tshark expects SIP", b""),
    ("http", "suricata__http-ipv6.pcap"): (_PORT, b""),
    ("http", "suricata__http-response-line.pcap"): (_MAPPED, b""),
    ("dns", "packetq__sample-rfc1035escape.pcap.gz"): (_LABEL, b""),
    ("dhcp", "pcapng-gen__be__basic__test012.pcapng"): (_CUT, b""),
    ("dhcp", "pcapng-gen__le__basic__test012.pcapng"): (_CUT, b""),
    ("dhcp", "gopacket__be__test901.pcapng"): (_VERSION, b""),
    ("dhcp", "gopacket__le__test901.pcapng"): (_VERSION, b""),
    ("arp", "dnscap__dns.pcap.xz"): (_XZ, b""),
    ("arp", "libpcap__shb-option-too-long.pcapng"): (
        "tshark gives up at an option of the section header that is too long", b"",
    ),
}  # fmt: skip
"""Why netaudit finds a name that the tables do not have, by kind and file, and octets to look for where
the name is not in the clear."""
