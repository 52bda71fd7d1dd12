"""``python -m ketkar``: the command line."""

import sys

from ketkar.cli import main

if __name__ == "__main__":
    sys.exit(main())
