"""For which kinds of arguments kernels are compiled by now."""

import sys
from typing import Any

from numba.core.dispatcher import Dispatcher


def compiled_kinds(package: str) -> dict[str, set[Any]]:
    """Return the signatures of every kernel in the modules of a package that are imported."""
    found = {}
    for name, module in list(sys.modules.items()):
        if name.startswith(f"{package}."):
            for kernel, value in vars(module).items():
                if isinstance(value, Dispatcher):
                    found[f"{name}.{kernel}"] = set(value.signatures)
    return found
