"""Several judges: a run names all of them, where it named one or none."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_RUNS = sa.table("runs", sa.column("id", sa.String), sa.column("doc", sa.Text))


def upgrade() -> None:
    """Rewrite the records of runs."""
    db = op.get_bind()
    for run_id, text in db.execute(sa.select(_RUNS.c.id, _RUNS.c.doc)).all():
        record = json.loads(text)
        judge = record.pop("judge", None)
        record["judges"] = [judge] if judge else []
        db.execute(_RUNS.update().where(_RUNS.c.id == run_id).values(doc=json.dumps(record, ensure_ascii=False)))
