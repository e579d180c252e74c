"""List formats, one a file, each with a `FORMAT`; found by `list_format.list_formats`."""
