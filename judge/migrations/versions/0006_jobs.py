"""Jobs that were asked for over HTTP, and what happened in them.

The state of a job is here and not in the process that serves the pages, so a job outlives it. Events are numbered by the table:
whoever follows a job asks for those after the last one that it has seen.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

STATES = "'queued', 'running', 'cancelling', 'cancelled', 'done', 'failed', 'interrupted'"


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "jobs",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("options", sa.Text, nullable=False),
        sa.Column("state", sa.String, nullable=False, index=True),
        sa.Column("run_id", sa.String, nullable=True, index=True),
        sa.Column("created_at", sa.String, nullable=False, index=True),
        sa.Column("started_at", sa.String, nullable=True),
        sa.Column("ended_at", sa.String, nullable=True),
        sa.Column("error", sa.Text, nullable=True),
        sa.Column("exit_code", sa.Integer, nullable=True),
        sa.Column("resumes", sa.Integer, nullable=False),
        sa.Column("progress", sa.Text, nullable=True),
        sa.CheckConstraint("kind IN ('run', 'score')", name="a_kind"),
        sa.CheckConstraint(f"state IN ({STATES})", name="a_state"),
    )
    op.create_table(
        "job_events",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("job", sa.String, sa.ForeignKey("jobs.id"), nullable=False),
        sa.Column("created_at", sa.String, nullable=False),
        sa.Column("doc", sa.Text, nullable=False),
    )
    op.create_index("ix_job_events_job", "job_events", ["job", "id"])
