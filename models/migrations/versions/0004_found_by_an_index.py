"""What is looked for all day is found by an index, however many rollouts there are"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None


def upgrade() -> None:
    in_place = sa.text("on_behalf_of != ''")
    op.create_index('ix_requests_rollout_id', 'requests', ['rollout_id'])
    op.create_index('ix_requests_in_place', 'requests', ['rollout_id'], sqlite_where=in_place,
                    postgresql_where=in_place)
