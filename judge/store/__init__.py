"""The only folder that knows the database: SQLAlchemy Core, SQLite in WAL mode by default, PostgreSQL by URL.

The store appends: a settled unit is written once, in one transaction, as it completes; failures are listed and leave the unit
owed. In WAL mode with ``synchronous=NORMAL`` a killed process loses nothing that was written, and a power cut may lose the last
moments but never the file. A new kind of record is a file of its own here, with its table in ``tables`` and a migration.
"""

from judge.store.answers import Answers
from judge.store.comparisons import Comparisons
from judge.store.database import HEAD, utc_now
from judge.store.exams import Exams
from judge.store.jobs import Jobs
from judge.store.judgements import Judgements
from judge.store.reviews import Reviews
from judge.store.runs import Runs

__all__ = ["HEAD", "Store", "utc_now"]


class Store(Runs, Answers, Judgements, Comparisons, Exams, Reviews, Jobs):
    """All that is kept on disk, runs, human labels and jobs included. Every method raises StoreError when it cannot be used."""
