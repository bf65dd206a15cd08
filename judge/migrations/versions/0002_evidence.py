"""Evidence: what executing an answer showed, once per answer and version of its checks."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "evidence",
        sa.Column("unit", sa.String, primary_key=True),
        sa.Column("run_id", sa.String, nullable=False, index=True),
        sa.Column("answer_unit", sa.String, nullable=False, index=True),
        sa.Column("created_at", sa.String, nullable=False),
        sa.Column("doc", sa.Text, nullable=False),
    )
