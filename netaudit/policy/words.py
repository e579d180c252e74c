"""Words of the fixed vocabularies (zones, purposes, steps) in the three languages."""

from __future__ import annotations

from netaudit.attribution.reasons import EXPLANATIONS
from netaudit.i18n.text import Text

UNKNOWN = Text("[to be confirmed]", "【待核】", "【待查】")
"""Stands where a paper needs a value that no data give."""

_ZONE = {
    "gov_extranet": Text("government extranet", "政务外网", "政務外網"),
    "internet": Text("Internet", "互联网", "網際網路"),
    "office": Text("office", "办公", "辦公"),
    "server": Text("server", "服务器", "伺服器"),
}
_PURPOSE = {
    "office": Text("office", "办公", "辦公"),
    "staff": Text("staff", "内部人员", "內部人員"),
    "guest": Text("guests", "访客", "訪客"),
    "public": Text("the public", "公众", "公眾"),
    "server": Text("servers", "服务器", "伺服器"),
    "device": Text("devices", "专用设备", "專用設備"),
}

WORDS: dict[str, dict[str, Text]] = {
    "zone": _ZONE,
    "purpose": _PURPOSE,
    "segment_purpose": _PURPOSE,
    "purposes": _PURPOSE,
    "auth": {
        "open": Text("no authentication", "无认证", "無認證"),
        "wep": Text("WEP", "WEP", "WEP"),
        "psk": Text("a pre-shared key (PSK)", "预共享密钥（PSK）", "預先共用金鑰（PSK）"),
        "sae": Text("a shared password (SAE)", "共享口令（SAE）", "共用密碼（SAE）"),
        "802.1x": Text("802.1X", "802.1X", "802.1X"),
        "portal": Text("a portal", "门户认证", "入口網站認證"),
        "certificate": Text("certificates (WAPI)", "证书（WAPI）", "憑證（WAPI）"),
    },
    "broken_hop": {
        "nat": Text("address translation", "地址转换", "位址轉換"),
        "lease": Text("address lease", "地址租约", "位址租約"),
        "station": Text("access authentication", "接入认证", "接取認證"),
        "asset": Text("asset register", "资产台账", "資產清冊"),
    },
    "reason": {
        str(reason): Text(*(sentence.rstrip(".。") for sentence in explanation.sentence))
        for reason, explanation in EXPLANATIONS.items()
    },
    "what": {
        "asset": Text("assets", "资产", "資產"),
        "segment": Text("segments", "网段", "網段"),
        "wireless": Text("wireless networks", "无线网络", "無線網路"),
    },
}
"""Column to its words; columns that are not here print as they are."""

SEPARATOR = ", "
"""Joins the values of a list in a slot."""

_JOINED = {"en": ", ", "zh-CN": "、", "zh-TW": "、"}


def in_words(column: str, value: str, locale: str) -> str:
    """A slot's value as a reader of `locale` says it."""
    words = WORDS.get(column)
    if words is None:
        return value
    parts = (words[part].in_(locale) if part in words else part for part in value.split(SEPARATOR))
    return _JOINED.get(locale, SEPARATOR).join(parts)
