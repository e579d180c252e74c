"""An office's logs written line by line, and the whole pipeline over them."""

from __future__ import annotations

import base64
import datetime as dt
import json

import pytest

from netaudit import pipeline
from netaudit.config import Segment, Settings, Unit
from netaudit.matching.blocklist import read_list_file
from netaudit.matching.index import build_index
from netaudit.sources import Options
from netaudit.store import EventSet

START = dt.datetime(2026, 11, 4, 6, 0, tzinfo=dt.UTC)
NOW = dt.datetime(2026, 11, 9, 1, 0, tzinfo=dt.UTC)
PHONE, DESK, RESOLVER = "10.66.3.55", "10.66.1.20", "10.66.0.53"
BAD, BAD_IP = "bad.example", "198.51.100.77"
MAC = "52:54:00:aa:00:01"

SETTINGS = Settings(
    unit=Unit(name="Office", code="NA", timezone="Asia/Shanghai", egress=("203.0.113.5",)),
    segment=(Segment("office", ("10.66.0.0/16",), purpose="office", addressing="dhcp"),),
)

ZEEK = {
    "dns": "ts uid id.orig_h id.orig_p id.resp_h id.resp_p proto query qtype_name rcode_name answers",
    "conn": "ts uid id.orig_h id.orig_p id.resp_h id.resp_p proto duration orig_bytes resp_bytes conn_state history",
    "ssl": "ts uid id.orig_h id.orig_p id.resp_h id.resp_p version server_name established",
    "http": "ts uid id.orig_h id.orig_p id.resp_h id.resp_p trans_depth method host status_code",
}
HISTORIES = {
    "data": "ShADadFf",
    "shaken": "ShAFf",
    "tried": "S",
    "refused": "Sr",
    "udp": "Dd",
    "udp out": "D",
}


def at(seconds):
    return START + dt.timedelta(seconds=seconds)


def epoch(seconds):
    return f"{at(seconds).timestamp():.6f}"


class Office:
    """Writes logs into a folder. Times are seconds after `START`."""

    def __init__(self, folder):
        self.folder = folder
        self.lists = []
        self.settings = SETTINGS
        self.scans = 0

    def zeek(self, log, *rows, name=""):
        fields = ZEEK[log].split()
        lines = [
            "#separator \\x09",
            "#set_separator\t,",
            "#empty_field\t(empty)",
            "#unset_field\t-",
            f"#path\t{log}",
        ]
        lines += ["#fields\t" + "\t".join(fields), *("\t".join(map(str, row)) for row in rows)]
        return self.file(name or f"{log}.log", "\n".join(lines) + "\n")

    def dns(self, *rows, name=""):
        """Rows are (seconds, client, name, answers[, rcode])."""
        cells = []
        for seconds, client, asked, answers, *rest in rows:
            rcode = rest[0] if rest else "NOERROR"
            ends = (epoch(seconds), "C1", client, 40001, RESOLVER, 53, "udp")
            cells.append((*ends, asked, "A", rcode, ",".join(answers) or "-"))
        return self.zeek("dns", *cells, name=name)

    def conn(self, *rows, name=""):
        """Rows are (seconds, client, client port, server, what of `HISTORIES`)."""
        cells = []
        for seconds, client, port, server, what in rows:
            proto = "udp" if what.startswith("udp") else "tcp"
            history = HISTORIES[what]
            out, back = (100 if "D" in history else 0), (200 if "d" in history else 0)
            ends = (epoch(seconds), "C2", client, port, server, 443, proto)
            cells.append((*ends, "1.0", out, back, "SF", history))
        return self.zeek("conn", *cells, name=name)

    def ssl(self, *rows, name=""):
        """Rows are (seconds, client, client port, server, SNI)."""
        cells = [
            (epoch(s), "C3", client, port, server, 443, "TLSv13", sni, "T")
            for s, client, port, server, sni in rows
        ]
        return self.zeek("ssl", *cells, name=name)

    def http(self, *rows, name=""):
        """Rows are (seconds, client, client port, server, Host, status or -)."""
        cells = [
            (epoch(s), "C4", c, p, server, 80, 1, "GET", host, st) for s, c, p, server, host, st in rows
        ]
        return self.zeek("http", *cells, name=name)

    def bind(self, *rows, name="queries.log"):
        """Rows are (seconds, client, name); UTC."""
        text = "".join(
            f"{at(s):%d-%b-%Y %H:%M:%S}.{at(s).microsecond // 1000:03d} queries: info: client @0x7fea21a32098"
            f" {client}#54767 ({asked}): query: {asked} IN A +E(0)K ({RESOLVER})\n"
            for s, client, asked in rows
        )
        return self.file(name, text)

    def adguard(self, *rows, name="querylog.json"):
        """Rows are (seconds, client, name, answer or "", filtered)."""
        text = "".join(json.dumps(_adguard(*row)) + "\n" for row in rows)
        return self.file(name, text)

    def accounting(self, *rows):
        """Text of a FreeRADIUS detail file; rows are (seconds, MAC, address, status)."""
        return "".join(
            f'{at(s):%a %b %e %H:%M:%S %Y}\n\tAcct-Status-Type = {status}\n\tAcct-Session-Id = "S{mac[-2:]}"\n'
            f'\tUser-Name = "u{mac[-2:]}"\n\tCalling-Station-Id = "{mac}"\n\tFramed-IP-Address = {ip}\n'
            f"\tNAS-IP-Address = 10.66.0.2\n\tTimestamp = {int(at(s).timestamp())}\n\n"
            for s, mac, ip, status in rows
        )

    def leases(self, *rows, name="dnsmasq.leases"):
        """Rows are (seconds of expiry, MAC, address)."""
        return self.file(name, "".join(f"{int(at(s).timestamp())} {mac} {ip} * *\n" for s, mac, ip in rows))

    def nat(self, *rows, name="conntrack.log"):
        """Rows are (seconds, client, client port, server, public port)."""
        lines = []
        for number, (seconds, client, port, server, public) in enumerate(rows):
            tuples = (
                f"src={client} dst={server} sport={port} dport=443"
                f" src={server} dst=203.0.113.5 sport=443 dport={public} id={1000 + number}"
            )
            lines.append(
                f"[{epoch(seconds)}]\t    [NEW] tcp      6 120 SYN_SENT {tuples.replace(' src', ' [UNREPLIED] src', 1)}"
            )
            lines.append(f"[{epoch(seconds + 5)}]\t[DESTROY] tcp      6 {tuples} [ASSURED]")
        return self.file(name, "\n".join(lines) + "\n")

    def file(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def listed(self, *entries, id_="bad", format_="domains-subtree", **options):
        path = self.file(f"lists/{id_}.txt", "".join(f"{e}\n" for e in entries))
        self.lists.append(read_list_file(path, format_, id_, options.pop("category", "malware"), **options))

    @property
    def index(self):
        return build_index(tuple(self.lists))

    def scan(self, *files, notice=None, rules=(), timezone="UTC", **options):
        self.scans += 1
        return pipeline.scan(
            [str(f) for f in files],
            self.settings,
            index=self.index,
            events=EventSet(self.folder / f"events{self.scans}"),
            rules=rules,
            notice=notice,
            now=NOW,
            options=Options("", timezone),
            **options,
        )

    def one(self, *files, **options):
        """The only finding."""
        (finding,) = self.scan(*files, **options).findings
        return finding


def _adguard(seconds, client, name, answer, filtered):
    import dns.flags
    import dns.message
    import dns.rrset

    query = dns.message.make_query(name, "A", id=1)
    response = dns.message.make_response(query)
    if answer:
        response.answer.append(dns.rrset.from_text(name + ".", 60, "IN", "A", answer))
    result = {"IsFiltered": True, "Reason": 3} if filtered else {}
    return {
        "T": at(seconds).isoformat().replace("+00:00", "Z"),
        "QH": name,
        "QT": "A",
        "QC": "IN",
        "CP": "",
        "Answer": base64.b64encode(response.to_wire()).decode(),
        "IP": client,
        "Result": result,
        "Elapsed": 1,
    }


@pytest.fixture
def office(tmp_path):
    """An office whose list names ``bad.example`` and what is below it."""
    made = Office(tmp_path)
    made.listed("other-bad.example", BAD)
    return made
