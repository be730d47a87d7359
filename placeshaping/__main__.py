"""`python -m placeshaping`, and the command `placeshaping`."""

from placeshaping.cli import main

if __name__ == "__main__":
    main()
