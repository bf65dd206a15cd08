"""First tables: runs, launches, arms, answers and judgements with their failures.

Settled outcomes are unique by unit; failures are an append-only list, since the same unit may fail many times.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create all tables."""
    op.create_table(
        "runs",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("created_at", sa.String, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("doc", sa.Text, nullable=False),
    )
    op.create_table(
        "arms",
        sa.Column("fingerprint", sa.String, primary_key=True),
        sa.Column("arm", sa.Text, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
    )
    op.create_table(
        "launches",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("run_id", sa.String, nullable=False, index=True),
        sa.Column("arm", sa.String, nullable=False, index=True),
        sa.Column("created_at", sa.String, nullable=False),
        sa.Column("doc", sa.Text, nullable=False),
    )
    op.create_table(
        "answers",
        sa.Column("unit", sa.String, primary_key=True),
        sa.Column("run_id", sa.String, nullable=False, index=True),
        sa.Column("arm", sa.String, nullable=False, index=True),
        sa.Column("question_id", sa.String, nullable=False),
        sa.Column("sample", sa.Integer, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("created_at", sa.String, nullable=False),
        sa.Column("doc", sa.Text, nullable=False),
    )
    op.create_table(
        "answer_failures",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("unit", sa.String, nullable=False, index=True),
        sa.Column("run_id", sa.String, nullable=False, index=True),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("created_at", sa.String, nullable=False),
        sa.Column("doc", sa.Text, nullable=False),
    )
    op.create_table(
        "judgements",
        sa.Column("unit", sa.String, primary_key=True),
        sa.Column("run_id", sa.String, nullable=False, index=True),
        sa.Column("answer_unit", sa.String, nullable=False, index=True),
        sa.Column("judge_fingerprint", sa.String, nullable=False),
        sa.Column("created_at", sa.String, nullable=False),
        sa.Column("doc", sa.Text, nullable=False),
    )
    op.create_table(
        "judge_failures",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("unit", sa.String, nullable=False, index=True),
        sa.Column("run_id", sa.String, nullable=False, index=True),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("created_at", sa.String, nullable=False),
        sa.Column("doc", sa.Text, nullable=False),
    )
