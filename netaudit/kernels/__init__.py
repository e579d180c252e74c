"""Arrays in, arrays out: the heavy reading of packets, in NumPy, safe on any bytes.

Nothing here raises for bad data, knows a path or the time of day, or reads outside its window:
what cannot be read is a row with a `status.Status`.
"""

ROOM = 64
"""Octets that must follow the text that a kernel scans: it looks ahead by whole vectors."""
