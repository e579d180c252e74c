"""The console: cases in the browser, on this machine only, read-only for now."""
