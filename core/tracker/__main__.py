"""`python -m tracker`: the command."""

from .cli.main import main

main()
