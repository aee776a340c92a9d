"""Back to how it came out of the box."""

from pathlib import Path

from flexedge.store import lock, swap


def factory_reset(folder: Path) -> None:
    """Take out of a data folder all that a gateway has put there; nothing else is touched.

    Needs the folder for itself. After a power cut it is all there, or all gone as soon as somebody
    opens it. Raises ``StoreLocked`` and ``StoreError``.
    """
    with lock.hold(folder):
        swap.begin(folder)
        swap.decide(folder, swap.ALL)
