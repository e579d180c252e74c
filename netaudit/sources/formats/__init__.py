"""Formats of logs, lease stores, sessions, tables: one file each. Copy `hostapd.py` to add one."""
