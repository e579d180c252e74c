"""The case on disk: one folder with a small database and Parquet beside it."""

from netaudit.store.database import Store, case_json
from netaudit.store.events import EventSet

__all__ = ["EventSet", "Store", "case_json"]
