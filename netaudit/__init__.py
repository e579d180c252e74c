"""netaudit: network-access audit and rectification for an organisation's own IT staff."""

__version__ = "0.1.0"
