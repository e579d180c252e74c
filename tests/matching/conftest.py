import pytest

from netaudit.matching.blocklist import read_list_file
from netaudit.matching.index import build_index


@pytest.fixture
def read(tmp_path):
    """Read list text in a format: ``read(text, format, **options)``."""
    count = 0

    def read_text(text, format_, **options):
        nonlocal count
        count += 1
        path = tmp_path / f"list{count}"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        options = {"checked": False, **options}
        return read_list_file(path, format_, options.pop("list_id", f"L{count}"), "other", **options)

    return read_text


@pytest.fixture
def index_of(read):
    """An index over one list."""
    return lambda text, format_, **options: build_index([read(text, format_, **options)])
