"""``python -m copycost``."""

from copycost.cli import main

if __name__ == "__main__":
    main()
