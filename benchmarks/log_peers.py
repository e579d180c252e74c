"""The peers of `logs`, each as a program of its own: ``python benchmarks/log_peers.py NAME LOG OUT``.

BIND query log to Parquet, as fast as each can: split at its blanks by the CSV reader, which holds only
for logs whose lines all have as many words. None tells bad lines, hashes the file or knows other dialects.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

WORDS = (
    "date", "clock", "category", "severity", "what", "object", "client", "asked", "query", "name", "class", "type",
    "flags", "server",
)  # fmt: skip


def duckdb(log: str, out: str) -> None:
    import duckdb

    columns = ", ".join(f"'{word}': 'VARCHAR'" for word in WORDS)
    duckdb.sql("SET preserve_insertion_order = false")
    duckdb.sql(f"""
        COPY (SELECT strptime(date || ' ' || clock, '%d-%b-%Y %H:%M:%S.%g')::TIMESTAMP AS ts,
                     split_part(client, '#', 1) AS client_ip, split_part(client, '#', 2)::USMALLINT AS client_port,
                     trim(server, '()') AS server_ip, if(contains(flags, 'T'), 'tcp', 'udp') AS transport,
                     rtrim(lower(name), '.') AS name, type AS qtype
              FROM read_csv('{log}', delim=' ', quote='', escape='', header=false, auto_detect=false,
                            columns={{{columns}}}))
        TO '{out}' (FORMAT parquet, COMPRESSION zstd)""")


def polars(log: str, out: str) -> None:
    import polars as pl

    table = pl.scan_csv(
        log,
        separator=" ",
        has_header=False,
        quote_char=None,
        new_columns=list(WORDS),
        schema_overrides=dict.fromkeys(WORDS, pl.String),
    )
    client = pl.col("client").str.splitn("#", 2).struct
    table.select(
        ts=(pl.col("date") + " " + pl.col("clock")).str.to_datetime(
            "%d-%b-%Y %H:%M:%S%.3f", time_unit="ns"
        ),
        client_ip=client.field("field_0"),
        client_port=client.field("field_1").cast(pl.UInt16),
        server_ip=pl.col("server").str.strip_chars("()"),
        transport=pl.when(pl.col("flags").str.contains("T", literal=True))
        .then(pl.lit("tcp"))
        .otherwise(pl.lit("udp")),
        name=pl.col("name").str.to_lowercase().str.strip_chars_end("."),
        qtype=pl.col("type"),
    ).sink_parquet(out, compression="zstd")


_QUERY = re.compile(r"client (?:@\S+ )?(\S+)#(\d+) \((\S+)\).*?: query: (\S+) (\S+) (\S+)")


def loop(log: str, out: str) -> None:
    """A plain Python loop with one regular expression a line, which writes nothing."""
    with Path(log).open(encoding="utf-8", errors="replace") as lines:
        Path(out).write_text(str(sum(_QUERY.search(line) is not None for line in lines)))


PEERS = {"duckdb": duckdb, "polars": polars, "loop": loop}

if __name__ == "__main__":
    PEERS[sys.argv[1]](sys.argv[2], sys.argv[3])
