"""Column titles of inventories in Chinese and English, and what a table with them is."""

from __future__ import annotations

import re

from netaudit.sources.formats._delimited import title

_TITLES = {
    "ip": (
        "ip ip地址 ipaddress ipaddr ipv4 ipv4地址 ipv4address ipv6 ipv6地址 ipv6address 终端ip "
        "主机ip 设备ip 内网ip 管理ip 终端ip地址 主机ip地址 设备ip地址 内网ip地址 管理ip地址 "
        "lastip devlastip 网络地址 ipv4addresses networkip 网络ip 网络端口ip primaryip primaryip4 primaryip6 用户ip "
        "接入ip 终端ipv4地址 终端ipv6地址 计算机ip 计算机ip地址 电脑ip 电脑ip地址 本机ip ip位址 ipv4位址 ipv6位址 "
        "réseauip adresseip adresseipv4"
    ),
    "mac": (
        "mac mac地址 macaddress macaddr 物理地址 物理地址mac 硬件地址 网卡地址 网卡mac "
        "网卡mac地址 终端mac 终端mac地址 设备mac 设备mac地址 有线mac 有线mac地址 无线mac "
        "无线mac地址 wifimac wlanmac lanmac ethernetmac hardwareaddress physicaladdress devmac "
        "networkmac networkportsmac networkportsmacaddress 网络端口mac 网络端口mac地址 用户mac 接入mac "
        "计算机mac 计算机mac地址 电脑mac 电脑mac地址 mac位址 實體位址 網卡位址 硬體位址 réseaumac réseauadressemac "
        "portsréseaumac portsréseauadressemac adressemac"
    ),
    "hostname": (
        "主机名 主机名称 计算机名 计算机名称 电脑名 电脑名称 机器名 终端名 终端名称 设备名 "
        "设备名称 hostname host hostnames computername computer devicename device devname "
        "dnshostname dnsname name 名称 nom 终端主机名 主機名稱 電腦名稱 設備名稱 裝置名稱"
    ),
    "asset": (
        "资产编号 固定资产编号 资产编码 固定资产编码 资产号 固定资产号 资产标签 设备编号 assettag "
        "asset assetno assetnumber assetid inventorynumber inventoryno numérodinventaire 资产管理编号 固定资产代码 "
        "实物资产编号 資產編號 財產編號 設備編號"
    ),
    "model": "型号 设备型号 规格型号 品牌型号 model devicemodel models modèle devicetype 终端型号 型號 規格型號",
    "vendor": "品牌 厂商 厂家 生产厂家 制造商 vendor manufacturer brand make devvendor manufacturers fabricant 终端厂商 廠牌 廠商",
    "owner": (
        "使用人 使用人姓名 使用者 使用者姓名 领用人 领用人姓名 保管人 责任人 负责人 使用责任人 设备责任人 资产责任人 管理人 姓名 "
        "用户 user owner username assignedto assignee custodian responsible devowner alternateusername users utilisateur managedby tenant 用户姓名 "
        "員工姓名 保管人員 負責人 使用人員 员工姓名 使用人员"
    ),
    "department": (
        "部门 科室 处室 使用部门 所属部门 责任部门 所在部门 使用科室 所属科室 单位 所属单位 "
        "使用单位 department dept division organizationalunit unit 用户分组 用户组 group groups entity entité 实体 "
        "部门名称 使用部门名称 部門 單位 使用部門 使用單位 所屬部門 所屬單位"
    ),
    "location": (
        "位置 房间 房间号 房号 办公室 地点 存放地点 存放位置 安装位置 安装地点 物理位置 所在位置 "
        "使用地点 location room office place devlocation locations lieu 地點 房間 "
        "存放地點 放置地點 地点名称"
    ),
    "site": "站点 园区 院区 楼宇 办公区 site campus building devsite",
    "segment": "网段 所属网段 子网 所属子网 网络段 segment subnet network prefix 網段",
    "vlan": "vlan vlanid vlan号 vlan编号 所属vlan vid",
    "switch": (
        "接入设备名称 接入设备ip 接入设备ip地址 交换机 接入交换机 上联交换机 所属交换机 交换机名称 接入设备 switch switchname "
        "accessswitch devparentmac 交換器 交換機"
    ),
    "switch_port": (
        "端口 接入端口 交换机端口 交换机端口号 上联端口 端口号 接口 接入接口 接入交换机端口 port "
        "switchport interface devparentport 連接埠 交換器埠"
    ),
    "ts": "启用日期 启用时间 领用日期 领用时间 生效日期 开始日期 validfrom startdate",
    "ts_end": (
        "停用日期 停用时间 报废日期 报废时间 注销日期 归还日期 失效日期 结束日期 validto "
        "validuntil enddate retired decommissioned"
    ),
}
"""Titles by column, the preferred one first; in the form that `_delimited.title` gives."""

_COLUMN = {name: column for column, names in _TITLES.items() for name in names.split()}
_RANK = {name: rank for names in _TITLES.values() for rank, name in enumerate(names.split())}
_KEYS = frozenset({"ip", "mac", "asset"})
_VAGUE = frozenset({"name", "名称", "host", "hostnames", "device", "computer"})
"""Names of anything: alone they make no inventory."""
_OF_A_DIRECTORY = frozenset({"distinguishedname", "samaccountname"})
"""Titles of Active Directory's computers, which may have a name and nothing else."""
_LOG_TITLES = (
    "time date datetime timestamp ts 时间 日期 开始时间 结束时间 上线时间 下线时间 登录时间 访问时间 "
    "记录时间 发生时间 starttime endtime event 事件 action 动作 protocol proto 协议 sourceip srcip 源ip "
    "源地址 源端口 destinationip dstip 目的ip 目的地址 目的端口 sourceport destinationport url qname "
    "queryname expire validlifetime leasetime leaseexpires acctsessionid sessionid age message"
)
_OF_A_LOG = frozenset(_LOG_TITLES.split())
"""Titles of what happened; a table that has one is a log and no inventory."""


def columns_of(cells: list[str]) -> dict[str, list[int]]:
    """Which cells of a header hold which column, the preferred first; empty where it is no header.

    A header names at least two columns, one of them an address, an asset number or plainly a host; or
    the computers of a directory.
    Numbered titles (``MAC1``, ``MAC2``) are the same column.
    """
    titles = [_known(title(cell)) for cell in cells]
    found: dict[str, list[int]] = {}
    for position, name in enumerate(titles):
        if name in _COLUMN:
            found.setdefault(_COLUMN[name], []).append(position)
    plainly = any(name not in _VAGUE for name in titles if _COLUMN.get(name) == "hostname")
    listed = "hostname" in found and bool(_OF_A_DIRECTORY.intersection(titles))
    if not listed and (len(found) < 2 or not (_KEYS & set(found) or plainly)):
        return {}
    return {column: sorted(at, key=lambda i: _RANK[titles[i]]) for column, at in found.items()}


def _known(name: str) -> str:
    return name if name in _COLUMN else re.sub(r"\d$", "", name)


def is_inventory(cells: list[str]) -> bool:
    """Whether these are the titles of an inventory and not of a log."""
    return bool(columns_of(cells)) and not _OF_A_LOG.intersection(title(cell) for cell in cells)
