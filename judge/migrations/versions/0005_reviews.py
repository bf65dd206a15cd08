"""Human labels: two queues and their ratings.

Each queue has a table of its own, and ratings refer to the items of their own queue alone: a rating of a repair item cannot be a
row of ``audit_ratings``, from which estimates of bias and agreement are made (D11).
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "audit_items",
        *_item_columns(),
        sa.Column("stratum", sa.String, nullable=False),
        sa.Column("inclusion_probability", sa.Float, nullable=False),
        sa.CheckConstraint("inclusion_probability > 0 AND inclusion_probability <= 1", name="a_probability"),
        sa.UniqueConstraint("answer_unit", "criterion", "rubric", name="one_audit_item_a_unit"),
    )
    op.create_table(
        "repair_items",
        *_item_columns(),
        sa.Column("reason", sa.String, nullable=False),
        sa.CheckConstraint("reason IN ('tests', 'veto', 'spread', 'threshold')", name="a_reason"),
        sa.UniqueConstraint("answer_unit", "criterion", "rubric", name="one_repair_item_a_unit"),
    )
    for queue in ("audit", "repair"):
        op.create_table(
            f"{queue}_ratings",
            sa.Column("id", sa.String, primary_key=True),
            sa.Column("item", sa.String, sa.ForeignKey(f"{queue}_items.id"), nullable=False, index=True),
            sa.Column("rater", sa.String, nullable=False),
            sa.Column("created_at", sa.String, nullable=False),
            sa.Column("score", sa.Integer, nullable=True),
            sa.Column("doc", sa.Text, nullable=False),
            sa.CheckConstraint("score BETWEEN 1 AND 5", name=f"{queue}_score_on_the_scale"),
        )


def _item_columns() -> tuple[sa.Column[str], ...]:
    return (
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("run_id", sa.String, nullable=False, index=True),
        sa.Column("answer_unit", sa.String, nullable=False, index=True),
        sa.Column("criterion", sa.String, nullable=False),
        sa.Column("rubric", sa.String, nullable=False),
        sa.Column("created_at", sa.String, nullable=False),
        sa.Column("doc", sa.Text, nullable=False),
    )
