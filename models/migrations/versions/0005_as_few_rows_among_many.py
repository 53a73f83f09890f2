"""What is looked for again and again reads as few rows among many rollouts as among few"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None


def upgrade() -> None:
    overdue, stalled = sa.text('overdue_at IS NOT NULL'), sa.text('stalled_since IS NOT NULL')
    op.create_index('ix_gates_overdue_at', 'gates', ['overdue_at'], sqlite_where=overdue, postgresql_where=overdue)
    op.create_index('ix_stages_stalled_since', 'stages', ['stalled_since'], sqlite_where=stalled,
                    postgresql_where=stalled)
    op.create_index('ix_rollouts_plan_version_id_state', 'rollouts', ['plan_version_id', 'state'])
    op.create_index('ix_rollouts_created_at_id', 'rollouts', ['created_at', 'id'])
