"""The office: segments, and the devices on them. Nobody in it has a name.

Hardware addresses of the office's devices are those reserved for documentation (RFC 7042,
section 2.1.2); visitors' phones use locally administered ones, as phones do.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

UNIT = "示例县综合服务局"
UNIT_CODE = "SXZF"
SUPERIOR = "中共示例县委网络安全和信息化委员会办公室"
SSID = "ServiceHall-WiFi"


@dataclass(frozen=True, slots=True)
class Segment:
    """A network segment of the office."""

    id: str
    prefix: str
    """First three octets."""
    egress: str
    resolver: str
    gateway_mac: str
    lease_s: int
    mirror: int
    """Interface of the capture that sees it: 0 is the tagged trunk, 1 the Internet office."""
    vlan: int
    """0 where the mirror shows no tag."""
    prefix6: str = ""


GOV = Segment(
    "gov-offices", "10.66.1", "203.0.113.5", "10.66.0.53", "00:00:5e:00:01:0a", 7200, 0, 10, "2001:db8:66:1"
)
HALL = Segment("service-hall", "10.66.3", "203.0.113.5", "10.66.0.53", "00:00:5e:00:01:1e", 3600, 0, 30)
NET = Segment(
    "internet-offices", "192.168.20", "203.0.113.9", "192.168.20.53", "00:00:5e:00:01:14", 7200, 1, 0
)
SEGMENTS = (GOV, HALL, NET)
NET_RESOLVER_MAC = "00:00:5e:00:53:f1"


@dataclass(frozen=True, slots=True)
class Device:
    """A device, whether the office knows of it or not."""

    name: str
    """Host name that it tells the DHCP server; may be empty."""
    mac: str
    segment: Segment
    host: int = 0
    """Last octet of its usual address; 0 = takes what the pool gives."""
    always_on: bool = False
    asset: str = ""
    title: str = ""
    department: str = ""
    owner: str = ""
    location: str = ""
    switch: str = ""
    port: str = ""
    account: str = ""
    """802.1X account."""


@dataclass(frozen=True, slots=True)
class Department:
    """A department: its name, its code in account names, its room."""

    name: str
    code: str
    room: str


DEPARTMENTS = (
    Department("办公室", "bgs", "2号楼201"),
    Department("财务科", "cwk", "2号楼205"),
    Department("人事科", "rsk", "2号楼208"),
    Department("综合科", "zhk", "2号楼301"),
    Department("政策法规科", "fgk", "2号楼303"),
    Department("行政审批科", "spk", "1号楼102"),
    Department("信息中心", "xxzx", "2号楼405"),
)
CASINO_ASSET = "ZF-2023-0117"
OWNERLESS_ASSET = "ZF-2019-0042"


def documentation_mac(number: int) -> str:
    """The `number`-th hardware address reserved for documentation (0 to 255)."""
    return f"00:00:5e:00:53:{number:02x}"


def random_mac(random: Random) -> str:
    """A locally administered unicast address, as phones make them up for each network."""
    first = random.choice((0x2A, 0x36, 0x5E, 0x7A, 0x8E, 0xDA, 0xF2))
    return ":".join(f"{octet:02x}" for octet in (first, *random.randbytes(5)))


def office_devices() -> tuple[Device, ...]:
    """Every device that belongs to the office, and the one laptop that does not."""
    return (*_gov_devices(), *_net_devices(), *_hall_devices())


def unregistered_laptop() -> Device:
    """Somebody's own laptop at a desk of the extranet; in no inventory."""
    return Device("LAPTOP-7Q2M", documentation_mac(0x6F), GOV, host=61)


def _gov_devices() -> list[Device]:
    computers = [
        Device(
            f"ZW-{department.code.upper()}-{index + 1:02}",
            documentation_mac(0x10 + index),
            GOV,
            host=21 + index,
            asset=f"ZF-{2021 + index % 4}-{201 + index:04}",
            title="台式计算机",
            department=department.name,
            owner=f"{department.name}设备管理员",
            location=department.room,
            switch="SW-ZW-01",
            port=f"GigabitEthernet1/0/{index + 1}",
        )
        for index in range(19)
        for department in [DEPARTMENTS[index % len(DEPARTMENTS)]]
    ]
    printer = Device(
        "ZW-PRINTER-1",
        documentation_mac(0x30),
        GOV,
        host=51,
        always_on=True,
        asset=OWNERLESS_ASSET,
        title="网络打印机",
        location="2号楼二层走廊",
        switch="SW-ZW-01",
        port="GigabitEthernet1/0/21",
    )
    clock = Device(
        "ZW-KAOQIN-1",
        documentation_mac(0x31),
        GOV,
        host=52,
        always_on=True,
        asset="ZF-2022-0051",
        title="考勤终端",
        department="人事科",
        owner="人事科设备管理员",
        location="2号楼大厅",
        switch="SW-ZW-01",
        port="GigabitEthernet1/0/22",
    )
    return [*computers, printer, clock]


def _net_devices() -> list[Device]:
    computers = []
    for index in range(17):
        department = DEPARTMENTS[index % len(DEPARTMENTS)]
        asset = CASINO_ASSET if index == 8 else f"ZF-{2020 + index % 5}-{301 + index:04}"
        computers.append(
            Device(
                f"HL-{department.code.upper()}-{index + 1:02}",
                documentation_mac(0x40 + index),
                NET,
                host=31 + index,
                asset=asset,
                title="台式计算机",
                department=department.name,
                owner=f"{department.name}设备管理员",
                location=department.room,
                switch="SW-HL-01",
                port=f"GigabitEthernet1/0/{index + 1}",
                account=f"{department.code}-{index + 1:02}",
            )
        )
    printer = Device(
        "HL-PRINTER-1",
        documentation_mac(0x60),
        NET,
        host=71,
        always_on=True,
        asset="ZF-2021-0061",
        title="网络打印机",
        department="办公室",
        owner="办公室设备管理员",
        location="2号楼三层走廊",
        switch="SW-HL-01",
        port="GigabitEthernet1/0/21",
        account="printer-01",
    )
    return [*computers, printer]


def _hall_devices() -> list[Device]:
    titles = ("叫号屏", "自助查询机", "自助填单机")
    return [
        Device(
            f"HALL-KIOSK-{index + 1}",
            documentation_mac(0x70 + index),
            HALL,
            host=11 + index,
            always_on=True,
            asset=f"ZF-2022-{71 + index:04}",
            title=title,
            department="行政审批科",
            owner="行政审批科设备管理员",
            location="政务服务大厅",
        )
        for index, title in enumerate(titles)
    ]
