"""What was spent since a moment, by the usage that stages and replies keep."""

from datetime import datetime

from django.db import connection

from coaching.models import User

# Stages that a re-run took over keep their old times, which lie before their run began: they are counted once.
_SPENT_SQL = """
SELECT coalesce(sum((entry ->> 'cost_usd')::numeric), 0)::float8
  FROM (
        SELECT stage.usage, session.user_id
          FROM coaching_stagerun AS stage
          JOIN coaching_pipelinerun AS run ON run.id = stage.run_id
          JOIN coaching_session AS session ON session.id = run.session_id
         WHERE stage.finished_at >= greatest(%(since)s, run.created_at)
         UNION ALL
        SELECT reply.usage, room.user_id
          FROM coaching_reply AS reply
          JOIN coaching_chatroom AS room ON room.id = reply.room_id
         WHERE reply.finished_at >= %(since)s
       ) AS ended
 CROSS JOIN LATERAL jsonb_array_elements(ended.usage) AS entry
 WHERE %(user_id)s::bigint IS NULL OR ended.user_id = %(user_id)s
"""


def sum_spent_usd(*, since: datetime, user: User | None = None) -> float:
    """US dollars, estimated; of one learner or of everybody."""
    with connection.cursor() as cursor:
        cursor.execute(_SPENT_SQL, {"since": since, "user_id": None if user is None else user.pk})
        (spent,) = cursor.fetchone()
    return float(spent)
