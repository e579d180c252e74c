"""Why a trace goes no further, and what would have made the next hop possible.

Content, not messages of the program: each sentence is written in the three languages here, next
to the others, so that nobody translates a reason without seeing what it must say.
"""

from __future__ import annotations

from dataclasses import dataclass

from netaudit.attribution.trace import Reason

LOCALES = ("en", "zh-CN", "zh-TW")


@dataclass(frozen=True, slots=True)
class Explanation:
    """Sentences by locale, in the order of `LOCALES`."""

    sentence: tuple[str, str, str]
    """Why it stops here."""
    needed: tuple[str, str, str]
    """What would have made the next hop possible."""


EXPLANATIONS: dict[Reason, Explanation] = {
    Reason.NO_PORT: Explanation(
        (
            "The question names no source port; many hosts share the public address at the same time.",
            "线索未提供源端口；同一公网地址同时由多台主机共用。",
            "線索未提供來源埠；同一公網位址同時由多台主機共用。",
        ),
        (
            "The source port, and the time to the second, from whoever saw the connection (RFC 6302).",
            "请通报单位补充源端口和精确到秒的时间（RFC 6302）。",
            "請通報單位補充來源埠與精確到秒的時間（RFC 6302）。",
        ),
    ),
    Reason.NO_NATLOG: Explanation(
        (
            "No translation is recorded for this address, port and time; the inside host cannot be told.",
            "没有该公网地址、端口和时间的地址转换（NAT）记录，无法确定内网主机。",
            "沒有該公網位址、埠和時間的位址轉換（NAT）紀錄，無法確定內網主機。",
        ),
        (
            "Session logging on the translating device, with both addresses, both ports, begin and end.",
            "在出口设备上启用会话日志，记录转换前后的地址和端口以及起止时间。",
            "在出口設備上啟用連線日誌，記錄轉換前後的位址與埠以及起訖時間。",
        ),
    ),
    Reason.NAT_AMBIGUOUS: Explanation(
        (
            "Several inside hosts had this public address, and port where named, within the time searched.",
            "在查询时段内，有多台内网主机使用过该公网地址（及所给端口）。",
            "在查詢時段內，有多台內網主機使用過該公網位址（及所給埠）。",
        ),
        (
            "A more exact time, the port, the transport or the destination of the connection.",
            "更精确的时间，或该连接的端口、传输协议、目的地址。",
            "更精確的時間，或該連線的埠、傳輸協定、目的位址。",
        ),
    ),
    Reason.LOG_GAP: Explanation(
        (
            "The log that the next hop needs does not cover the time asked for.",
            "下一环节所需的日志未覆盖所查时间。",
            "下一環節所需的日誌未涵蓋所查時間。",
        ),
        (
            "The missing part of this log (a rotated file, another server), or a log without interruption.",
            "该日志缺失的部分（轮转文件或另一台服务器的日志），或不中断的日志记录。",
            "該日誌缺少的部分（輪替檔案或另一台伺服器的日誌），或不中斷的日誌記錄。",
        ),
    ),
    Reason.CLOCK: Explanation(
        (
            "The times are not exact enough: several candidates fit, or a record lies just outside of the search.",
            "时间不够精确：有多个候选对象相符，或相近记录落在查询时段之外。",
            "時間不夠精確：有多個候選對象相符，或相近紀錄落在查詢時段之外。",
        ),
        (
            "Synchronised clocks on all devices, and a time to the second with its zone in the notice.",
            "各设备时钟同步，线索中的时间精确到秒并注明时区。",
            "各設備時鐘同步，線索中的時間精確到秒並註明時區。",
        ),
    ),
    Reason.LEASE_CONFLICT: Explanation(
        (
            "More than one device held this inside address at the time, or the address exists at several sites.",
            "所查时间有不止一台设备持有该内网地址，或多个地点使用同一地址。",
            "所查時間有不止一台設備持有該內網位址，或多個地點使用同一位址。",
        ),
        (
            "One DHCP server for each network, DHCP snooping against foreign addresses, and the site in the question.",
            "每个网段只有一台 DHCP 服务器，启用 DHCP 侦听，并在查询中指明地点。",
            "每個網段只有一台 DHCP 伺服器，啟用 DHCP 偵聽，並在查詢中指明地點。",
        ),
    ),
    Reason.STATIC_IP: Explanation(
        (
            "No lease shows which device used this address, as where it is set by hand or by the device itself.",
            "没有租约可证明该地址由哪台设备使用；该地址可能为静态配置或由设备自行设定。",
            "沒有租約可證明該位址由哪台設備使用；該位址可能為靜態設定或由設備自行設定。",
        ),
        (
            "A binding of address to MAC on the switch, or ARP tables collected at regular times.",
            "在交换机上进行 IP 与 MAC 绑定，或定期采集 ARP 表。",
            "在交換器上綁定 IP 與 MAC，或定期收集 ARP 表。",
        ),
    ),
    Reason.RANDOM_MAC: Explanation(
        (
            "The device used a random MAC address; it names no device in the register.",
            "该设备使用随机 MAC 地址，不能对应台账中的设备。",
            "該設備使用隨機 MAC 位址，無法對應清冊中的設備。",
        ),
        (
            "A login of each person (802.1X or a portal with real names), or registered devices without random MACs.",
            "按人认证（802.1X 或实名认证门户），或要求登记设备关闭随机 MAC。",
            "按人認證（802.1X 或實名認證入口），或要求登記設備關閉隨機 MAC。",
        ),
    ),
    Reason.SHARED_ACCOUNT: Explanation(
        (
            "The account was used on many devices at the same time; it stands for no single person.",
            "该账号同时在多台设备上使用，不能对应到个人。",
            "該帳號同時在多台設備上使用，無法對應到個人。",
        ),
        (
            "An account for each person, with a limit on devices at the same time.",
            "一人一账号，并限制同时在线的设备数。",
            "一人一帳號，並限制同時上線的設備數。",
        ),
    ),
    Reason.SHARED_KEY: Explanation(
        (
            "The wireless network is open or has one key for everybody; nobody can be told apart by it.",
            "该无线网络未设密码或共用同一密钥，不能区分使用者。",
            "該無線網路未設密碼或共用同一金鑰，無法區分使用者。",
        ),
        (
            "A login of each person to the wireless network: 802.1X, a key for each person, or a portal.",
            "无线网络按人认证：802.1X、一人一密钥或认证门户。",
            "無線網路按人認證：802.1X、一人一金鑰或認證入口。",
        ),
    ),
    Reason.NO_ACCT: Explanation(
        (
            "No log says who was logged in on this device.",
            "没有认证或计费记录，无法得知该设备的登录账号。",
            "沒有認證或計費紀錄，無法得知該設備的登入帳號。",
        ),
        (
            "Accounting (RADIUS start, interim and stop records) for this network.",
            "为该网络启用 RADIUS 计费记录（开始、中间更新、停止）。",
            "為該網路啟用 RADIUS 計費記錄（開始、中間更新、停止）。",
        ),
    ),
    Reason.ASSET_UNKNOWN: Explanation(
        (
            "The asset register names no single asset for this device at that time.",
            "资产台账在该时间没有与此设备唯一对应的资产。",
            "資產清冊在該時間沒有與此設備唯一對應的資產。",
        ),
        (
            "A register with the MAC addresses of all devices, kept with dates.",
            "登记全部设备 MAC 地址、注明起止日期的资产台账。",
            "登記全部設備 MAC 位址、註明起訖日期的資產清冊。",
        ),
    ),
    Reason.RETENTION_EXPIRED: Explanation(
        (
            "The time asked for lies before what this log keeps.",
            "所查时间已超出该日志的留存期限。",
            "所查時間已超出該日誌的保存期限。",
        ),
        (
            "A longer retention of this log, or its archive.",
            "延长该日志的留存期限，或提供其归档。",
            "延長該日誌的保存期限，或提供其歸檔。",
        ),
    ),
    Reason.UPSTREAM_NAT: Explanation(
        (
            "The address belongs to another translating device, or lies outside the segments of the plan.",
            "该地址属于另一台地址转换设备，或不在已登记的网段内。",
            "該位址屬於另一台位址轉換設備，或不在已登記的網段內。",
        ),
        (
            "The session log of that other device, or the segment in the configuration.",
            "提供该设备的会话日志，或在配置中登记该网段。",
            "提供該設備的連線日誌，或在設定中登記該網段。",
        ),
    ),
    Reason.NOT_OURS: Explanation(
        (
            "The address is none of this unit's addresses.",
            "该地址不属于本单位。",
            "該位址不屬於本單位。",
        ),
        (
            "The list of the unit's addresses at that time, if it has changed; else the notice concerns others.",
            "如地址曾变更，请提供当时的地址清单；否则线索与本单位无关。",
            "如位址曾變更，請提供當時的位址清單；否則線索與本單位無關。",
        ),
    ),
}


def sentence(reason: Reason, locale: str) -> str:
    """Why a trace stops, in a language; English for one that is not among `LOCALES`."""
    return EXPLANATIONS[reason].sentence[_column(locale)]


def needed(reason: Reason, locale: str) -> str:
    """What would have made the next hop possible, in a language."""
    return EXPLANATIONS[reason].needed[_column(locale)]


def _column(locale: str) -> int:
    return LOCALES.index(locale) if locale in LOCALES else 0
