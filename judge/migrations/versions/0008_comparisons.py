"""Comparisons: which of two answers a judge prefers, shown in this order; the other order is a comparison of its own.

As with judgements, settled ones are unique by unit, and failures are an append-only list that leaves the unit owed.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "comparisons",
        sa.Column("unit", sa.String, primary_key=True),
        sa.Column("run_id", sa.String, nullable=False, index=True),
        sa.Column("first", sa.String, nullable=False, index=True),
        sa.Column("second", sa.String, nullable=False, index=True),
        sa.Column("judge_fingerprint", sa.String, nullable=False),
        sa.Column("created_at", sa.String, nullable=False),
        sa.Column("doc", sa.Text, nullable=False),
    )
    op.create_table(
        "comparison_failures",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("unit", sa.String, nullable=False, index=True),
        sa.Column("run_id", sa.String, nullable=False, index=True),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("created_at", sa.String, nullable=False),
        sa.Column("doc", sa.Text, nullable=False),
    )
