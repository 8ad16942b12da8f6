"""The nouns of the product. Models guard their own fields; services write them, queries read them."""

from coaching.models.audit import AuditEntry
from coaching.models.chat import ChatRoom, Message
from coaching.models.content_index import ContentIndex
from coaching.models.dish import Dish, Principle, UserDishProgress
from coaching.models.heartbeat import Heartbeat
from coaching.models.learner import LearnerState
from coaching.models.mail import OutboxMail
from coaching.models.reply import Reply, ReplyState
from coaching.models.run import PipelineRun, RunState, Stage, StageRun, StageState
from coaching.models.session import Session, SessionStatus, Upload
from coaching.models.user import Consent, User

__all__ = [
    "AuditEntry",
    "ChatRoom",
    "Consent",
    "ContentIndex",
    "Dish",
    "Heartbeat",
    "LearnerState",
    "Message",
    "OutboxMail",
    "PipelineRun",
    "Principle",
    "Reply",
    "ReplyState",
    "RunState",
    "Session",
    "SessionStatus",
    "Stage",
    "StageRun",
    "StageState",
    "Upload",
    "User",
    "UserDishProgress",
]
