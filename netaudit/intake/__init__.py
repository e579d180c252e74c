"""From bytes on disk to lines, blocks and times: what every reader of files stands on.

Nothing here knows what a line means. Captures, logs, tables and block lists all open their files
here, so hashing, decompression, bounds, encodings and time zones exist once.
"""
