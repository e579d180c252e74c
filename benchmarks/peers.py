"""The Python peers of `captures`, each as a program of its own: ``python benchmarks/peers.py NAME CAPTURE``."""

from __future__ import annotations

import sys
from pathlib import Path


def nfstream(path: str) -> int:
    """Flows, each with the name that nDPI reads in it."""
    from nfstream import NFStreamer

    return sum(
        bool(flow.requested_server_name) for flow in NFStreamer(source=path, statistical_analysis=False)
    )


def dpkt(path: str) -> int:
    """A loop by hand: question names of DNS, and SNI where the hello is in one segment; nothing is put together."""
    import dpkt

    names = 0
    with Path(path).open("rb") as stream:
        for _, data in dpkt.pcap.Reader(stream):
            ip = dpkt.ethernet.Ethernet(data).data
            if not isinstance(ip, dpkt.ip.IP | dpkt.ip6.IP6):
                continue
            packet = ip.data
            if isinstance(packet, dpkt.udp.UDP) and 53 in {packet.sport, packet.dport}:
                try:
                    names += bool(dpkt.dns.DNS(packet.data).qd)
                except dpkt.UnpackError:
                    continue
            elif (
                isinstance(packet, dpkt.tcp.TCP)
                and packet.data[:1] == b"\x16"
                and packet.data[5:6] == b"\x01"
            ):
                try:
                    hello = dpkt.ssl.TLSHandshake(dpkt.ssl.TLSRecord(packet.data).data).data
                except dpkt.UnpackError:
                    continue
                names += any(kind == 0 for kind, _ in getattr(hello, "extensions", []))
    return names


def scapy(path: str) -> int:
    """All layers of every packet, and the question names of DNS."""
    from scapy.layers.dns import DNSQR
    from scapy.utils import PcapReader

    with PcapReader(path) as packets:
        return sum(packet.haslayer(DNSQR) for packet in packets)


PEERS = {"nfstream": nfstream, "dpkt": dpkt, "scapy": scapy}

if __name__ == "__main__":
    print(PEERS[sys.argv[1]](sys.argv[2]))
