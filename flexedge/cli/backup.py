"""flexedge backup create, verify and restore: state and readings in one file."""

import argparse
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import IO

from flexedge.cli.output import print_json
from flexedge.config.settings import load_settings
from flexedge.daemon.clock import WallClock
from flexedge.errors import FlexedgeError
from flexedge.store import backup
from flexedge.store.bundle import Manifest
from flexedge.store.local.durable import make_folder
from flexedge.store.owner import acting_as_owner


def run(options: argparse.Namespace) -> int:
    """Do what was asked for and print what the backup holds."""
    return int({"create": _create, "verify": _verify, "restore": _restore}[options.what](options))


def _create(options: argparse.Namespace) -> int:
    now = WallClock().now()
    target = options.file or Path(f"flexedge-backup-{now:%Y%m%dT%H%M%SZ}.tar")
    manifest = backup.create(_folder(options), target.absolute(), now)
    _tell(options, f"{target}: {_in_words(manifest)}", manifest)
    return 0


def _verify(options: argparse.Namespace) -> int:
    with _opened(options.file) as file:
        manifest = backup.verify(file)
    _tell(options, f"{options.file} is whole: {_in_words(manifest)}", manifest)
    return 0


def _restore(options: argparse.Namespace) -> int:
    folder = _folder(options)
    with _opened(options.file) as file:
        make_folder(folder)
        with acting_as_owner(folder):
            manifest = backup.restore(file, folder, WallClock().now(), force=options.force)
    _tell(options, f"{folder} is restored from {options.file}: {_in_words(manifest)}", manifest)
    return 0


def _folder(options: argparse.Namespace) -> Path:
    return load_settings(options.settings, os.environ).whole_folder()


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    try:
        file = path.open("rb")
    except OSError as error:
        raise FlexedgeError(f"{path}: {error.strerror}") from error
    with file:
        yield file


def _in_words(manifest: Manifest) -> str:
    return (
        f"{len(manifest.items)} files, {manifest.size / 1e6:.1f} MB,"
        f" made {manifest.made} by flexedge {manifest.flexedge}"
    )


def _tell(options: argparse.Namespace, words: str, manifest: Manifest) -> None:
    print_json(asdict(manifest)) if options.json else print(words)
