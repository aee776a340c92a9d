"""The runs of one portion on their way to a centre: posted one after another, each till stored.

What a centre refuses is halved until the values are found that it does not like; they are set
aside, and the rest goes on. Where it refuses everything, whatever part it is shown, all of it is
set aside in one piece: more questions would not find out more.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from pydantic_core import to_json

from flexedge.domain.runs import Run, as_json
from flexedge.errors import CentreAway, CentreRefused
from flexedge.gateway.sync.duty import Linked
from flexedge.gateway.sync.runs import EARLY, count, pieces
from flexedge.gateway.sync.sizes import Sizes
from flexedge.gateway.sync.unwanted import set_aside
from flexedge.store.state import State
from flexedge.store.tables.centres import Link

PATIENCE: Final = timedelta(minutes=10)
"""For so long a centre may work on a job before the same is posted once more; then for twice as
long, and so on: where jobs queue up, more of them are no help."""
REST: Final = timedelta(minutes=1), timedelta(minutes=10)
"""So long after its job failed for the first, and the second time the same is posted again."""
_HOPELESS: Final = 31  # refused so often, five levels of halves, and nothing was taken
_TRIES: Final = len(REST) + 1  # how often a job may fail or vanish
_MOST_PATIENT: Final = 6  # doublings
_DOUBTS: Final = 3  # runs of which no job was done, while no other was done either
_FAILED: Final = "JOB_FAILED"
_ABOUT_VALUES: Final = frozenset({400, 422})
_REPLACEMENT: Final = "INVALID_REPLACEMENT"
_REPLACED: Final = "timed_belief_pkey"
"""In what FlexMeasures says of a job that would have replaced values."""
_LARGE: Final = 413
_HEAD_BYTES: Final = 600
"""About what a request takes beside its body."""


def about_values(refused: CentreRefused) -> bool:
    """Whether a refusal is about the values, and not about the sensor or us."""
    return refused.status in _ABOUT_VALUES or refused.code == _REPLACEMENT


def size(run: Run) -> int:
    """About how many bytes a request with a run takes."""
    return _HEAD_BYTES + len(to_json(as_json(run)))


@dataclass(slots=True)
class Tally:
    """What has been done since the start."""

    requests: int = 0
    bytes: int = 0
    values: int = 0
    known: int = 0
    """Values that the centre had already."""
    refused: int = 0
    """Values that were set aside."""
    left_out: int = 0
    """Values that no server takes: quantiles, infinite ones."""


@dataclass(slots=True)
class Job:
    """A job of the centre that stores what was posted."""

    name: str
    since: datetime


@dataclass(slots=True)
class Delivery:
    """The runs of one portion. For one thread.

    Whatever is raised on the way, it goes on from there when it is called again.
    """

    state: State
    link: tuple[int, Link]
    runs: deque[Run]
    sizes: Sizes
    tally: Tally
    hopeless: int = 0
    """Of how many runs nothing was taken."""
    taken: int = 0
    """How many requests were stored."""
    job: Job | None = None
    pause: timedelta = timedelta(0)
    """So long nothing is to be posted."""
    _whole: tuple[Run, ...] = ()
    _pieces: deque[Run] = field(default_factory=deque)
    _refused: int = 0
    _accepted: int = 0
    _failed: int = 0
    _late: int = 0
    """How often a job was not done in time."""
    _doubtful: list[Run] = field(default_factory=list)
    """Single values whose jobs failed while none was done: are they bad, or is the centre?"""

    @classmethod
    def of(
        cls, state: State, link: tuple[int, Link], runs: Iterable[Run], sizes: Sizes, tally: Tally
    ) -> "Delivery":
        """A delivery that has not begun."""
        return cls(state, link, deque(runs), sizes, tally)

    def next(self) -> Run | None:
        """What is to be posted next, or is on its way; None: everything is done."""
        while not self._pieces and (self.runs or self._doubtful):
            if not self.runs:
                self.runs.extend(self._doubtful)
                self._doubtful.clear()
            self._whole = tuple(pieces(self.runs.popleft(), self.sizes.most))
            self._pieces.extend(self._whole)
            self._refused = self._accepted = self._failed = 0
        if self._pieces and len(self._pieces[0].values) > self.sizes.most and self.job is None:
            parts = list(pieces(self._pieces.popleft(), self.sizes.most))
            self._pieces.extendleft(reversed(parts))
        return self._pieces[0] if self._pieces else None

    def step(self, linked: Linked, now: datetime) -> bool:
        """Make one request; whether the next one should wait, for a job is not done.

        Raises ``CentreAway`` and ``CentreLocked``, and ``CentreRefused`` where it is not the values
        that were refused; ``StoreError`` where values cannot be set aside.
        """
        piece = self.next()
        if piece is None:
            return False
        before = self.tally.requests, self.tally.bytes
        try:
            if self.job is not None:
                return self._ask(linked, self.job, now)
            return self._post(linked, piece, now)
        except CentreRefused as refused:
            if refused.status == _LARGE and len(piece.values) > 1:
                self._too_large(piece)
            elif about_values(refused):
                if refused.code == _REPLACEMENT and self._has(linked, piece):
                    self.tally.known += 1
                    self._stored()
                else:
                    self._split(refused, now)
            else:
                raise
        except CentreAway as away:
            if away.kind == "paced":  # nobody was asked
                self.tally.requests, self.tally.bytes = before
            raise
        return False

    def _post(self, linked: Linked, piece: Run, now: datetime) -> bool:
        self.pause = timedelta(0)
        self.tally.requests += 1
        self.tally.bytes += size(piece)
        posted = linked.central.post(self.link[1].central_id, piece)
        if posted.known:
            self.tally.known += count(piece)
        if posted.job is None:
            self._stored()
        else:
            self.sizes.queued()
            self.job = Job(posted.job, now)
        return self.job is not None

    def _ask(self, linked: Linked, job: Job, now: datetime) -> bool:
        """How far the centre is with a job."""
        self.tally.requests += 1
        told = linked.central.job(job.name)
        if told.state == "finished":
            self._stored()
        elif told.state == "failed":
            self._fail(told.message or "its job failed")
        elif told.state == "gone":
            self._again("it does not know its job any more")
        elif now - job.since > PATIENCE * 2**self._late or now < job.since:
            self.job = None
            self._late = min(self._late + 1, _MOST_PATIENT)
            self.sizes.too_slow()
        else:
            return True
        return bool(self.pause)

    def _fail(self, why: str) -> None:
        """A job that failed for what it was to store would fail again."""
        if _REPLACED in why:
            self.job = None
            raise CentreRefused("", 403, _REPLACEMENT, why)
        if not self._refused:
            self.sizes.too_slow()  # there are time limits for jobs, too
        self._again(why)

    def _again(self, why: str) -> None:
        """Post it once more; what fails time and again is refused. Parts need no such patience."""
        self.job = None
        self._failed += 1
        if self._failed < _TRIES and not self._refused:
            self.pause = REST[self._failed - 1]
        else:
            raise CentreRefused("", 422, _FAILED, why)

    def _has(self, linked: Linked, piece: Run) -> bool:
        """Whether a centre that does not replace a single value holds just that one.

        FlexMeasures drops what it has already, but not all of it: instants it compares with what
        was believed a step later than what they are kept as (seen with 1.0.1).
        """
        if len(piece.values) > 1 or piece.prior is None:
            return False
        link = self.link[1]
        instants = not link.details.get("resolution")
        early = instants and linked.centre.details.get("server") == EARLY
        at = piece.prior - piece.step if early else piece.prior
        self.tally.requests += 1
        return linked.central.believed(link.central_id, piece, at).values == piece.values

    def _stored(self) -> None:
        self.job = None
        self.sizes.stored()
        self.tally.values += count(self._pieces.popleft())
        self._accepted += 1
        self._failed = self._late = 0
        self.taken += 1

    def _too_large(self, piece: Run) -> None:
        """Less at once, here and from now on; of a single value that is not true: others say it."""
        while self.sizes.most >= len(piece.values):
            self.sizes.too_large()

    def _split(self, refused: CentreRefused, now: datetime) -> None:
        """Find the bad values: halves go to the end, so that all of the run is looked at alike."""
        self._refused += 1
        self._failed = 0
        piece = self._pieces[0]
        hopeless = self._refused >= _HOPELESS and not self._accepted
        if refused.code == _FAILED and not self.taken and (hopeless or len(piece.values) == 1):
            self._doubt(refused, hopeless=hopeless)
        elif hopeless:
            if all(len(one.values) > 1 for one in self._pieces):  # none of it is set aside already
                self._pieces = deque(self._whole)
            while self._pieces:
                self._set_aside(refused, now)
            self.hopeless += 1
        elif len(piece.values) == 1:
            self._set_aside(refused, now)
        else:
            half = -(-len(piece.values) // 2)
            self._pieces.popleft()
            self._pieces.extend(pieces(piece, half))

    def _doubt(self, refused: CentreRefused, *, hopeless: bool) -> None:
        """See how others fare first: where no job is ever done, it is not the values."""
        others = len(self._pieces) > 1 or self.runs
        if hopeless or not others or len(self._doubtful) + 1 >= _DOUBTS:
            raise CentreRefused("", 503, _FAILED, refused.message.partition(": ")[2])
        self._doubtful.append(self._pieces.popleft())

    def _set_aside(self, refused: CentreRefused, now: datetime) -> None:
        piece = self._pieces[0]
        set_aside(self.state, self.link, piece, refused, now)
        self.tally.refused += count(piece)
        self._pieces.popleft()
