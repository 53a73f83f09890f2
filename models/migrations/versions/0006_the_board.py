"""A page of the board reads as few rows among many rollouts as among few"""

from __future__ import annotations

from alembic import op

revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index('ix_rollouts_ended_at_created_at_id', 'rollouts', ['ended_at', 'created_at', 'id'])
