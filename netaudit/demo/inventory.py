"""The asset register as an office keeps it: a CSV saved by a spreadsheet, UTF-8 with BOM, CRLF."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from netaudit.demo.access import NAS, NAS_MAC
from netaudit.demo.office import GOV, HALL, NET, NET_RESOLVER_MAC, Device, documentation_mac, office_devices

HEADERS = (
    "资产编号",
    "名称",
    "使用部门",
    "责任人",
    "IP地址",
    "MAC地址",
    "位置",
    "网段",
    "交换机",
    "端口",
)
_CENTRE, _KEEPER, _ROOM = "信息中心", "信息中心设备管理员", "2号楼405机房"


def write_inventory(path: Path) -> dict[str, int]:
    """Write the register; returns the line number of each asset."""
    rows = [*(_device_row(device) for device in office_devices()), *_infrastructure()]
    text = io.StringIO(newline="")
    table = csv.writer(text, lineterminator="\r\n")
    table.writerow(HEADERS)
    table.writerows(sorted(rows))
    path.write_bytes(b"\xef\xbb\xbf" + text.getvalue().encode())
    return {row[0]: line for line, row in enumerate(sorted(rows), start=2)}


def _device_row(device: Device) -> tuple[str, ...]:
    return (
        device.asset,
        f"{device.title} {device.name}",
        device.department,
        device.owner,
        "",
        device.mac.upper(),
        device.location,
        device.segment.id,
        device.switch,
        device.port,
    )


def _infrastructure() -> list[tuple[str, ...]]:
    def row(asset: str, title: str, ip: str, mac: str, segment: str) -> tuple[str, ...]:
        return asset, title, _CENTRE, _KEEPER, ip, mac.upper().replace("-", ":"), _ROOM, segment, "", ""

    return [
        row("ZF-2022-0001", "域名解析服务器 ns1", "10.66.0.53", documentation_mac(0xF0), "servers"),
        row("ZF-2022-0002", "域名解析服务器 ns2", "192.168.20.53", NET_RESOLVER_MAC, NET.id),
        row("ZF-2022-0003", "接入交换机 SW-ZW-01", "10.66.1.2", documentation_mac(0xF2), GOV.id),
        row("ZF-2022-0004", "接入交换机 SW-HL-01", NAS, NAS_MAC, NET.id),
        row("ZF-2022-0005", "政务外网出口网关", "10.66.1.1", GOV.gateway_mac, GOV.id),
        row("ZF-2022-0006", "互联网出口网关", "192.168.20.1", NET.gateway_mac, NET.id),
        (
            *row("ZF-2022-0007", "大厅无线接入点", "10.66.3.2", documentation_mac(0xF4), HALL.id)[:6],
            "政务服务大厅",
            HALL.id,
            "",
            "",
        ),
    ]
