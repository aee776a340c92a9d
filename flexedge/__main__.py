"""python -m flexedge."""

import sys

from flexedge.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
