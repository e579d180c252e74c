"""A small office with a letter, a query log, sessions, leases with accounts, and a register."""

from __future__ import annotations

import datetime as dt

import pytest

from netaudit import workflow
from netaudit.config import read_settings

NOW = dt.datetime(2026, 11, 9, 1, 0, tzinfo=dt.UTC)
START = dt.datetime(2026, 11, 4, 6, 5, tzinfo=dt.UTC)

CONFIGURATION = """\
[unit]
name = "Office"
code = "NA"
timezone = "Asia/Shanghai"
egress = ["203.0.113.5"]

[[segment]]
id = "office"
network = ["10.66.3.0/24"]
purpose = "office"
addressing = "dhcp"

[inventory]
path = "register.csv"

[[source]]
path = "logs/detail"
role = "access"
timezone = "UTC"

[[source]]
path = "logs/queries.log"
role = "dns"
timezone = "UTC"

[[blocklist]]
id = "own"
path = "own.txt"
format = "domains-subtree"
category = "fraud"

[privacy]
key_file = "pseudonym.key"
"""

LETTER = """示办通〔2026〕12号

关于核查异常网络访问行为的通知

经监测发现，2026年11月4日14时05分许，你单位出口IP地址 203.0.113.5（源端口 31877）访问违规网站 \
bad[.]example（目的IP地址 198.51.100.77，目的端口 443，协议 TCP）。
请于2026年11月12日前报送情况。
"""

QUERY = (
    "04-Nov-2026 06:05:09.012 queries: info: client @0x7fea21a32098 10.66.3.55#54767 ({0}):"
    " query: {0} IN A +E(0)K (10.66.0.53)\n"
)

DETAIL = """\
Wed Nov  4 {time} 2026
	Acct-Status-Type = {status}
	Acct-Session-Id = "S1"
	User-Name = "zhang.san"
	Calling-Station-Id = "52:54:00:aa:00:01"
	Framed-IP-Address = 10.66.3.55
	NAS-IP-Address = 10.66.0.2
	Timestamp = {epoch}

"""

SESSION = (
    "src=10.66.3.55 dst=198.51.100.77 sport=50000 dport=443{0}"
    " src=198.51.100.77 dst=203.0.113.5 sport=443 dport=31877 id=77"
)


class Desk:
    """A folder with everything, and the verbs with its settings."""

    now = NOW

    def __init__(self, folder):
        self.folder = folder
        self.case = folder / "case"
        self.write("netaudit.toml", CONFIGURATION)
        self.write("own.txt", "bad.example\n")
        self.write("pseudonym.key", "no secret, for tests only\n")
        self.write("letter.txt", LETTER)
        self.write(
            "register.csv",
            "asset,hostname,IP address,MAC address,owner,department\nA-1,pc-1,10.66.3.55,52:54:00:aa:00:01,Li Si,Hall\n",
        )
        self.write("logs/queries.log", QUERY.format("www.bad.example") + QUERY.format("good.example"))
        begin, end = START - dt.timedelta(hours=1), START + dt.timedelta(hours=1)
        self.write(
            "logs/detail",
            "".join(
                DETAIL.format(time=f"{t:%H:%M:%S}", status=s, epoch=int(t.timestamp()))
                for t, s in ((begin, "Start"), (end, "Stop"))
            ),
        )
        seen = START.timestamp() + 9
        self.write(
            "logs/conntrack.log",
            f"[{seen:.6f}]\t    [NEW] tcp      6 120 SYN_SENT {SESSION.format(' [UNREPLIED]')}\n"
            f"[{seen + 9:.6f}]\t[DESTROY] tcp      6 {SESSION.format('')} [ASSURED]\n",
        )

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    @property
    def settings(self):
        return read_settings(self.folder / "netaudit.toml")

    def open(self, case=None):
        return workflow.open_case(
            case or self.case, self.settings, now=NOW, notice_path=self.folder / "letter.txt", actor="desk"
        )

    def scan(self, case=None, **options):
        settings = self.settings
        return workflow.scan(
            [str(self.folder / "logs"), str(self.folder / "register.csv")],
            settings,
            workflow.lists_in_use(settings),
            now=options.pop("now", NOW),
            case_folder=case or self.case,
            actor="desk",
            **options,
        )

    def report(self, case=None, **options):
        return workflow.report(case or self.case, self.settings, now=NOW, actor="desk", **options)


@pytest.fixture(scope="session")
def _scanned(tmp_path_factory):
    desk = Desk(tmp_path_factory.mktemp("desk"))
    desk.open()
    desk.scan()
    return desk.folder


@pytest.fixture
def desk(tmp_path):
    """An office whose case is not yet opened."""
    return Desk(tmp_path / "desk")


@pytest.fixture
def scanned(desk):
    """An office whose case was scanned."""
    desk.open()
    desk.scan()
    return desk


@pytest.fixture
def done(_scanned):
    """The same, for tests that change nothing."""
    desk = object.__new__(Desk)
    desk.folder, desk.case = _scanned, _scanned / "case"
    return desk
