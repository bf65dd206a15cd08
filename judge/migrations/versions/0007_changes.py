"""Changes: how often something was written that the report of an arm or the standing of a judge may depend on.

A report is computed again when the count of one of its arms or judges has moved, so a report that was kept is never out of date
unnoticed. The index is for pages of answers, which begin after an answer of an arm.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Create table and index."""
    op.create_table(
        "changes",
        sa.Column("scope", sa.String, primary_key=True),
        sa.Column("number", sa.Integer, nullable=False),
    )
    op.create_index("answers_as_asked", "answers", ["arm", "sample"])
