"""Whether there is any of what most have none of is answered by an index"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None


def upgrade() -> None:
    chat, holds = sa.text('chat IS NOT NULL'), sa.text('revoked_at IS NULL')
    op.create_index('ix_people_chat', 'people', ['email'], sqlite_where=chat, postgresql_where=chat)
    op.create_index('ix_absences_ends_at', 'absences', ['ends_at'], sqlite_where=holds, postgresql_where=holds)
    op.create_index('ix_delegations_ends_at', 'delegations', ['ends_at'], sqlite_where=holds, postgresql_where=holds)
    op.create_index('ix_conditions_rollout_id', 'conditions', ['rollout_id'])
