"""The claim code: who can read it on the box may become its owner."""

import os
import secrets
from pathlib import Path

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LOOKALIKES = str.maketrans("OIL", "011", "- ")
_LENGTH = 8


def new_code() -> str:
    """Eight random characters (40 bits), as people read them: XXXX-XXXX."""
    code = "".join(secrets.choice(CROCKFORD) for _ in range(_LENGTH))
    return f"{code[:4]}-{code[4:]}"


def plain(typed: str) -> str:
    """What a person typed, without dashes, spaces, case and look-alikes."""
    return typed.upper().translate(_LOOKALIKES)


def keep(path: Path, code: str) -> None:
    """Write the code where only the gateway's user can read it; all of it or nothing."""
    beside = path.with_name(path.name + ".new")
    beside.unlink(missing_ok=True)
    with os.fdopen(os.open(beside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
        file.write(code + "\n")
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def kept(path: Path) -> str | None:
    """The code in the file; None without one."""
    try:
        return path.read_text(encoding="ascii").strip() or None
    except (FileNotFoundError, UnicodeDecodeError):
        return None
