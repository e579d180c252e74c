"""The ``netaudit.toml`` of the office."""

from __future__ import annotations

from pathlib import Path

from netaudit.demo.office import GOV, HALL, NET, SSID, SUPERIOR, UNIT, UNIT_CODE
from netaudit.demo.world import ENCRYPTED_DNS

OWN_LIST = "office-encrypted-dns"
_CONFIGURATION = """\
# A made-up office; see docs/configuration.md for every setting.

[unit]
name = "{unit}"
code = "{code}"
timezone = "Asia/Shanghai"
egress = ["{gov.egress}", "{net.egress}"]
superior = "{superior}"
resolvers = ["{gov.resolver}", "{net.resolver}"]
nat = true

[[segment]]
id = "{gov.id}"
name = "政务外网办公网段"
network = ["{gov.prefix}.0/24", "{gov.prefix6}::/64"]
zone = "gov_extranet"
purpose = "office"
addressing = "dhcp"
vlan = {gov.vlan}
owner = "信息中心网络管理员"
department = "信息中心"
egress = "{gov.egress}"

[[segment]]
id = "{hall.id}"
name = "政务服务大厅无线网段"
network = ["{hall.prefix}.0/24"]
zone = "gov_extranet"
purpose = "guest"
addressing = "dhcp"
vlan = {hall.vlan}
owner = "行政审批科设备管理员"
department = "行政审批科"
egress = "{hall.egress}"

[[segment]]
id = "{net.id}"
name = "互联网办公网段"
network = ["{net.prefix}.0/24"]
zone = "internet"
purpose = "office"
addressing = "dhcp"
owner = "信息中心网络管理员"
department = "信息中心"
egress = "{net.egress}"

[[segment]]
id = "servers"
name = "政务外网服务器网段"
network = ["10.66.0.0/24"]
zone = "gov_extranet"
purpose = "server"
addressing = "static"
owner = "信息中心网络管理员"
department = "信息中心"
egress = "{gov.egress}"

[[wireless]]
ssid = "{ssid}"
segment = "{hall.id}"
purpose = "guest"
auth = "psk"
per_user_auth = false
portal_realname = false
key_changed_at = 2022-03-01
opened_at = 2022-03-01
isolation = false
location = "政务服务大厅"
owner = "行政审批科设备管理员"
department = "行政审批科"

# Mirror ports of the core switch; each packet carries its own time.
[[source]]
id = "mirror-ports"
path = "evidence/capture/mirror.pcapng"
role = "capture"

# BIND writes local time without a zone: it must be declared.
[[source]]
id = "dns-gov"
path = "evidence/dns/queries-gov.log"
role = "dns"
timezone = "Asia/Shanghai"
retention_days = 90
segments = ["{gov.id}", "{hall.id}", "servers"]

[[source]]
id = "dns-internet"
path = "evidence/dns/queries-internet.log"
role = "dns"
timezone = "Asia/Shanghai"
retention_days = 200
segments = ["{net.id}"]

# conntrack stamps are epoch seconds: no zone needed.
[[source]]
id = "nat-gov"
path = "evidence/nat/conntrack-gov.log"
role = "nat"
retention_days = 200
segments = ["{gov.id}", "{hall.id}", "servers"]

[[source]]
id = "nat-internet"
path = "evidence/nat/conntrack-internet.log"
role = "nat"
retention_days = 200
segments = ["{net.id}"]

# Three DHCP servers: `segments` keeps their coverage apart, so that one's silence is seen.
# dhcpd writes its leases in UTC.
[[source]]
id = "dhcp-gov"
path = "evidence/dhcp/gov-offices.leases"
role = "dhcp"
retention_days = 200
segments = ["{gov.id}"]

[[source]]
id = "dhcp-hall"
path = "evidence/dhcp/service-hall.leases"
role = "dhcp"
retention_days = 200
segments = ["{hall.id}"]

[[source]]
id = "dhcp-internet"
path = "evidence/dhcp/internet-offices-dnsmasq.log"
role = "dhcp"
timezone = "Asia/Shanghai"
retention_days = 200
segments = ["{net.id}"]

[[source]]
id = "radius-internet"
path = "evidence/access/radius-detail"
role = "access"
timezone = "Asia/Shanghai"
retention_days = 200
segments = ["{net.id}"]

# hostapd names the radio, not the network: the options say which it is.
[[source]]
id = "wifi-hall"
path = "evidence/access/hall-ap.log"
role = "access"
timezone = "Asia/Shanghai"
retention_days = 200
segments = ["{hall.id}"]
options = {{ "ssid.wlan0" = "{ssid}", "ssid.wlan1" = "{ssid}" }}

[inventory]
path = "inventory.csv"
reviewed_at = 2026-09-15

[[blocklist]]
id = "demo-flagged"

[[blocklist]]
id = "demo-phishing"

[[blocklist]]
id = "demo-mining"

[[blocklist]]
id = "public-encrypted-dns"

# The office's own list.
[[blocklist]]
id = "{own_list}"
path = "lists/{own_list}.txt"
format = "domains-subtree"
category = "doh-resolver"

[privacy]
key_file = "demo.key"
retention_days = 90

[report.facts]
contact_role = "信息中心网络管理员"
hall_name = "政务服务大厅"
"""


def write_configuration(path: Path) -> None:
    """Write the office's configuration."""
    text = _CONFIGURATION.format(
        unit=UNIT,
        code=UNIT_CODE,
        superior=SUPERIOR,
        gov=GOV,
        hall=HALL,
        net=NET,
        ssid=SSID,
        own_list=OWN_LIST,
    )
    path.write_text(text, encoding="utf-8", newline="\n")


def write_demo_key(path: Path) -> None:
    """Write the key of the demo's pseudonyms: no secret, so that each demo has the same papers."""
    path.write_text("netaudit demo: not a secret, never use it\n", encoding="utf-8", newline="\n")


def write_own_list(folder: Path) -> None:
    """Write the block list that the office keeps itself."""
    text = f"# Encrypted DNS that the office has met; each name stands for its subdomains too.\n{ENCRYPTED_DNS}\n"
    (folder / f"{OWN_LIST}.txt").write_text(text, encoding="utf-8", newline="\n")
