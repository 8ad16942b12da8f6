"""What went wrong with media, in the product's own errors and the learner's words."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from coaching.errors import MediaWorkFailed, Misconfigured, UnusableMedia
from media_tools.errors import InvalidMedia, MediaFault, MediaToolFailed, MissingTool

VIDEO_MESSAGES: dict[MediaFault, str] = {
    MediaFault.EMPTY: "動画ファイルが空でした。撮った動画を選び直して、もう一度お送りください。",
    MediaFault.UNREADABLE: "動画ファイルを読み取れませんでした。別の動画を選ぶか、撮り直してお送りください。",
    MediaFault.FORMAT_NOT_ACCEPTED: "この形式の動画は受け取れません。スマホで撮った動画をそのままお送りください。",
    MediaFault.CODEC_NOT_ACCEPTED: "この形式の動画は受け取れません。スマホの標準カメラの動画をお送りください。",
    MediaFault.NO_VIDEO: "映像が入っていませんでした。料理の様子が映った動画をお送りください。",
    MediaFault.NO_AUDIO: "音が入っていませんでした。音の入った動画をお送りください。",
    MediaFault.TOO_SHORT: "動画が短すぎました。料理の様子がわかる長さで撮ってお送りください。",
    MediaFault.TOO_LONG: "動画が長すぎました。火を使う場面を中心に、短めに撮ってお送りください。",
    MediaFault.TOO_LARGE: "動画のファイルが大きすぎました。画質を少し下げて撮り直してみてください。",
    MediaFault.DIMENSIONS_NOT_ACCEPTED: "この大きさの映像は扱えません。スマホの標準カメラの動画をお送りください。",
    MediaFault.TRUNCATED: "動画が途中で切れていました。もう一度、最後までアップロードしてください。",
}
MEMO_MESSAGES: dict[MediaFault, str] = {
    MediaFault.EMPTY: "音声メモが空でした。もう一度録音してみてください。",
    MediaFault.NO_AUDIO: "音声メモに音が入っていませんでした。もう一度録音してみてください。",
    MediaFault.TOO_SHORT: "音声メモが短すぎました。料理をしてみて感じたことを、少し長めに話してみてください。",
    MediaFault.TOO_LONG: "音声メモが長すぎました。感じたことをしぼって、短めに話してみてください。",
    MediaFault.TOO_LARGE: "音声メモのファイルが大きすぎました。短めに録音し直してみてください。",
}
MEMO_MESSAGE = "音声メモを読み取れませんでした。もう一度録音してみてください。"


@contextmanager
def translate_media_errors(subject: Literal["video", "memo"] = "video") -> Iterator[None]:
    """Raise the product's errors for those of media_tools; `MediaCancelled` passes, it is no fault."""
    try:
        yield
    except InvalidMedia as error:
        words = VIDEO_MESSAGES[error.fault] if subject == "video" else MEMO_MESSAGES.get(error.fault, MEMO_MESSAGE)
        raise UnusableMedia(f"{subject}: {error}", fault=error.fault.value, learner_message=words) from error
    except MediaToolFailed as error:
        raise MediaWorkFailed(f"{subject}: {error}", stderr_tail=error.stderr_tail) from error
    except MissingTool as error:
        raise Misconfigured(str(error)) from error
