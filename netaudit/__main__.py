"""``python -m netaudit``."""

from netaudit.cli import main

if __name__ == "__main__":
    main()
