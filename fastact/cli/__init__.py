"""The commands of ``python -m fastact``, one module each, and what they share."""

from __future__ import annotations

import importlib


class CommandError(Exception):
    """What a command cannot do, and why, in one line for the user."""


def require(command: str, extras: str, *modules: str) -> None:
    """Say what to install, unless all the modules that a command needs can be imported."""
    try:
        for module in modules:
            importlib.import_module(module)
    except ImportError as error:
        missing = (error.name or str(error)).partition(".")[0].replace("sklearn", "scikit-learn")
        raise CommandError(f'{command} needs {missing}: pip install "fastact[{extras}]"') from None
