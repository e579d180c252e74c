"""Writers, one per file format: `WRITER` takes a `Document` and gives bytes. Copy `html.py`."""
