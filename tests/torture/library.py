"""The library that listens to, and fails, what a program does to its files."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

SOURCE = Path(__file__).with_name("disk.c")
QUICK = Path("/dev/shm")
"""A file system in memory, where syncs cost nothing."""


def built(folder: Path) -> Path:
    """Compile it into a folder; needs gcc."""
    library = folder / "disk.so"
    words = ["gcc", "-O2", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared", "-o"]
    subprocess.run([*words, str(library), str(SOURCE)], check=True)
    return library


def environment(library: Path, folder: Path, **more: Path) -> Mapping[str, str]:
    """What a program must be started with; ``more``: trace, acks, fault."""
    told = {f"TORTURE_{name.upper()}": str(path) for name, path in more.items()}
    quiet = {"LD_PRELOAD": str(library), "OPENBLAS_NUM_THREADS": "1"}
    return os.environ | told | quiet | {"TORTURE_FOLDER": str(folder)}
