"""The hops of the walk, in the order in which they are walked."""

from netaudit.attribution.hops import asset, lease, nat, port, station

HOPS = (
    nat.look_up,
    *((nat.inner,) * (nat.LAYERS - 1)),
    lease.look_up,
    station.look_up,
    port.look_up,
    asset.look_up,
)
