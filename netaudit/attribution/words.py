"""What the logs' own words mean for a span: it begins, goes on, ends, or says nothing.

Formats keep the word of the product in `message`, captures have that of the protocol. A message of
a protocol is looked up as a whole, for what a client asks for is not yet so. Any other word is cut
at everything that is no letter, and the parts are looked up; each word once, however often it occurs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import IntEnum

import numpy as np

from netaudit.attribution.columns import Records


class Role(IntEnum):
    """What a record means for the span that it belongs to."""

    IGNORE = 0
    START = 1
    SEEN = 2
    END = 3
    RESET = 4
    """The access server restarted: all its sessions are over."""


_PART = re.compile(r"[^\W\d_]+")

_DENIED = frozenset({"deny", "denied", "drop", "dropped", "reject", "rejected", "refused", "blocked"}) | {
    "拒绝", "丢弃", "阻断", "阻止", "禁止", "拦截", "封堵"
}  # fmt: skip
_NAT_END = frozenset(
    {
        "destroy",
        "teardown",
        "close",
        "closed",
        "end",
        "delete",
        "deleted",
        "del",
        "free",
        "freed",
        "release",
        "released",
        "over",
        "stop",
        "expire",
        "expired",
        "aged",
        "timeout",
        "deallocated",
        "backout",
        "withdraw",
        "withdrawn",
        "sessionbasedw",
        "userbasedw",
        *(
            "结束",
            "会话结束",
            "删除",
            "会话删除",
            "释放",
            "回收",
            "老化",
            "会话老化",
            "超时",
            "关闭",
            "断开",
            "拆除",
        ),
    }
)
_NAT_MOMENT = frozenset({"entry", "snapshot"})
_NAT_SEEN = _NAT_MOMENT | {"update", "interim"}
_NAT_ACTIVE = frozenset({"active", "flow"})
"""Both: H3C's report that a flow goes on (``Active data flow timeout``)."""

_LEASE_END = frozenset(
    {
        "release",
        "released",
        "expire",
        "expired",
        "reclaimed",
        "free",
        "backup",
        "decline",
        "declined",
        "abandoned",
        "delete",
        "deleted",
        "deleting",
        "del",
        "remove",
        "removed",
        "terminating",
        "end",
        "revoke",
        "freed",
        "deassigned",
    }
)
_LEASE_START = frozenset(
    {
        "ack",
        "active",
        "lease",
        "leased",
        "bound",
        "assign",
        "assigned",
        "renew",
        "renewed",
        "rebind",
        "binding",
        "snooping",
        "add",
        "allocated",
        "extend",
        "extended",
        "old",
        "reply",
        "issued",
    }
)

_ACCESS_NOTHING = frozenset(
    {
        "fail",
        "failed",
        "failure",
        "incorrect",
        "reject",
        "rejected",
        "denied",
        "request",
        "challenge",
        "security",
        "duplicate",
        "unauth",
        "unauthorized",
        "unauthenticated",
        "authenticating",
        "running",
        "invalid",
        "admin",
    }
)
_ACCESS_END = frozenset(
    {
        "stop",
        "stopped",
        "disconnect",
        "disconnected",
        "disassociated",
        "deauthenticated",
        "deauth",
        "offline",
        "deleted",
        "logoff",
        "logout",
        "leave",
        "left",
        "terminated",
        "terminating",
        "expired",
        "timeout",
    }
)
_ACCESS_START = frozenset(
    {
        "start",
        "associated",
        "association",
        "connected",
        "connect",
        "online",
        "roam",
        "roamed",
        "roaming",
        "session",
        "created",
        "run",
        "accept",
        "accepted",
        "ok",
        "success",
        "login",
        "authenticated",
        "join",
        "joined",
    }
)


_LEASE_MESSAGES = {
    # RFC 2131, RFC 3203, RFC 4388, RFC 951
    **dict.fromkeys(("discover", "offer", "request", "nak", "inform", "forcerenew"), Role.IGNORE),
    **dict.fromkeys(("leasequery", "leaseunassigned", "leaseunknown", "bootp-request"), Role.IGNORE),
    **dict.fromkeys(("ack", "bootp-reply"), Role.START),
    **dict.fromkeys(("decline", "release"), Role.END),
    "leaseactive": Role.SEEN,
    # RFC 8415, RFC 5007, RFC 5460, RFC 7341
    **dict.fromkeys(("solicit", "advertise", "confirm", "renew-request", "rebind-request"), Role.IGNORE),
    **dict.fromkeys(("reconfigure", "information-request", "dhcpv4-query", "dhcpv4-response"), Role.IGNORE),
    **dict.fromkeys(("leasequery-reply", "leasequery-done", "leasequery-data"), Role.IGNORE),
    "reply": Role.START,
}
"""What the messages of DHCP mean: only a server's word is a lease."""

_ACCESS_MESSAGES = {
    # RFC 2865, RFC 2866, RFC 5176; a request is no presence, and an answer to one tells nothing new
    **dict.fromkeys(("access-request", "access-reject", "access-challenge"), Role.IGNORE),
    **dict.fromkeys(("accounting-request", "accounting-response", "failed"), Role.IGNORE),
    **dict.fromkeys(
        ("status-server", "status-client", "disconnect-request", "disconnect-nak"), Role.IGNORE
    ),
    **dict.fromkeys(("coa-request", "coa-ack", "coa-nak"), Role.IGNORE),
    **dict.fromkeys(("access-accept", "start"), Role.START),
    **dict.fromkeys(("stop", "disconnect-ack"), Role.END),
    **dict.fromkeys(("interim-update", "alive"), Role.SEEN),
    **dict.fromkeys(("accounting-on", "accounting-off"), Role.RESET),
    # an authentication that begins, a MAC on two ports, what a new association tells as well
    **dict.fromkeys(("mab start", "dot1x start", "auth start", "mac flap", "moved away"), Role.IGNORE),
    # Cisco ISE; Huawei, whose tags name the message and add "failed" where it was none
    **dict.fromkeys(("passed-authentication", "user_info_authentication"), Role.START),
    "guest authentication passed": Role.START,
    **dict.fromkeys(("wlan_sta_info_authentication", "wlan_sta_info_ap_associate"), Role.START),
    # of a print: the session was there before
    "authz success": Role.SEEN,
    # RFC 2867: of a tunnel between servers, not of a user's session, which has its own start and stop
    **dict.fromkeys(("tunnel-start", "tunnel-stop", "tunnel-reject"), Role.IGNORE),
    **dict.fromkeys(("tunnel-link-start", "tunnel-link-stop", "tunnel-link-reject"), Role.IGNORE),
    # IEEE 802.11: on the air a station asks, of any network near; who let it in is in no frame that is read
    **dict.fromkeys(("association", "reassociation", "beacon"), Role.IGNORE),
    **dict.fromkeys(("probe-request", "probe-response"), Role.IGNORE),
}
"""What the messages of RADIUS and of the air mean for a session."""

_UNKNOWN_MESSAGE = re.compile(r"(?:type|code|status)-\d+")
"""Numbers that no table of a protocol names."""


def nat_role(word: str) -> Role:
    """Of a translation record. What is no end and no update begins a session."""
    parts = _parts(word)
    if parts & _DENIED or parts == {"block"}:
        return Role.IGNORE
    if parts & _NAT_END and not parts >= _NAT_ACTIVE:
        return Role.END
    return Role.SEEN if parts & _NAT_SEEN or parts >= _NAT_ACTIVE else Role.START


def lease_role(word: str) -> Role:
    """Of a lease record. Offers, requests and updates of DNS are no lease.

    An unknown word counts as seen, and is a lease where the record bounds it.
    """
    if (role := _of_message(word, _LEASE_MESSAGES)) is not None:
        return role
    parts = _parts(word)
    if parts & _LEASE_END:
        return Role.END
    if "ack" in parts:
        return Role.START
    if parts & (
        _DENIED
        | {"discover", "offer", "request", "inform", "nak", "nack", "dns", "waiting", "conflict", "failed"}
        | {"solicit", "advertise", "confirm", "offered", "selecting"}
    ):
        return Role.IGNORE
    return Role.START if parts & _LEASE_START else Role.SEEN


def access_role(word: str) -> Role:
    """Of an association, authentication or accounting record. A failure is no presence."""
    if (role := _of_message(word, _ACCESS_MESSAGES)) is not None:
        return role
    parts = _parts(word)
    if "accounting" in parts and parts & {"on", "off"}:
        return Role.RESET
    if parts & _ACCESS_NOTHING:
        return Role.IGNORE
    if parts & _ACCESS_END:
        return Role.END
    return Role.START if parts & _ACCESS_START else Role.SEEN


_READERS = {"nat": nat_role, "dhcp": lease_role, "radius": access_role, "wlan": access_role}


def roles(kind: str, records: Records) -> np.ndarray:
    """``(n,)`` int64 `Role` of each record of a kind, by its `message`."""
    codes, words = records.words("message")
    by_word = np.array([_READERS[kind](word) for word in words] + [_READERS[kind]("")], np.int64)
    role: np.ndarray = by_word[codes]  # -1, no word, is the last
    return role


def momentary(records: Records) -> np.ndarray:
    """``(n,)`` bool: entries of a table of translations, which tell of their own moment only."""
    codes, words = records.words("message")
    by_word = np.array([bool(_parts(word) & _NAT_MOMENT) for word in words] + [False])
    moment: np.ndarray = by_word[codes]
    return moment


def denied(records: Records) -> np.ndarray:
    """``(n,)`` bool: what the device did not let through (`action`)."""
    codes, words = records.words("action")
    by_word = np.array([bool(_parts(word) & (_DENIED | {"block"})) for word in words] + [False])
    stopped: np.ndarray = by_word[codes]
    return stopped


def _of_message(word: str, messages: Mapping[str, Role]) -> Role | None:
    """The role of a protocol's message; None where the word is none."""
    whole = word.lower()
    return Role.IGNORE if _UNKNOWN_MESSAGE.fullmatch(whole) else messages.get(whole)


def _parts(word: str) -> set[str]:
    return set(_PART.findall(word.lower().replace("_", " ")))
