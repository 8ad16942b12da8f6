"""What the offline coach says, as phrases with gaps: its voice in one place, to be read and mended by a native speaker.

Gaps are filled by `coach_writing` with whole grammatical phrases: {who} "花子さん、" or nothing, {dish}, {nth} the
session's number, {name} a principle, {time} a time that takes に and は ("盛り付けの前"), {slip} a sentence on what
went wrong, without its mark, {watch} a clause, {sense} with which it is noticed ("目で"), {evidence} a polite sentence.
No phrase has a number but the session's, and none ends without です or ます.
"""

from collections.abc import Mapping
from dataclasses import dataclass

ASPECTS: Mapping[str, str] = {"appearance": "見た目", "taste": "味", "texture": "食感", "aroma": "香り"}

GREETINGS = (
    "{who}{dish}作りの第{nth}回セッション、おつかれさまでした。",
    "{who}おつかれさまでした。{dish}作りの第{nth}回セッションを、じっくり見せていただきました。",
    "{who}第{nth}回の{dish}作りを、最後まで見せてくださってありがとうございます。",
    "{who}こんにちは。第{nth}回の{dish}作りを、一緒に振り返っていきましょう。",
)
GREETINGS_OF_A_FIRST = (
    "{who}はじめまして。{dish}作りの第{nth}回セッション、よく最後まで作りきりましたね。",
    "{who}{dish}作りの第{nth}回セッション、はじめの一皿を見せてくださってありがとうございます。",
)
GREETINGS_OF_A_RETURN = (
    "{who}また{dish}を作ってくださって、うれしいです。これで第{nth}回のセッションですね。",
    "{who}第{nth}回の{dish}作りですね。続けて台所に立てていること、それがもう力になっています。",
)

# --- answers to what the learner said and marked --------------------------------------------------------------------

MEMO_NAMED_THE_SAME = (
    "感想でおっしゃっていた気がかりは、映像にもちゃんと表れていました。よく気づかれましたね。",
    "ご自身で気づかれたところと、映像から見えたところが、ぴったり重なりました。その感覚は確かです。",
)
MEMO_NAMED_ANOTHER = (
    "感想にあった「{issue}」のことも、受けとめました。まずは、仕上がりがいちばん変わるところからお話しします。",
    "「{issue}」も気にされていたのですね。それより先に、整えておきたいところがあります。",
)
MEMO_NAMED_WHAT_WENT_WELL = ("「{issue}」を気にされていましたが、映像では落ち着いて見えましたよ。",)
MEMO_GAVE_A_HINT = (
    "「{issue}」が気になったとのこと、そこを手がかりにしましょう。",
    "感想で聞かせてくださった「{issue}」のことから、考えていきますね。",
)
MEMO_ASKED_THIS = (
    "いただいたご質問の答えも、このあとのお話の中にありますよ。",
    "お尋ねのことは、ちょうどこれからお話しするところです。",
)
MEMO_ASKED_SOMETHING_ELSE = ("いただいたご質問は、チャットでもう一度聞かせてくださいね。",)
FEELINGS: Mapping[str, tuple[str, ...]] = {
    "frustrated": (
        "思うようにいかず、悔しい気持ちもあったのですね。その悔しさは、次の一皿の力になります。",
        "心残りのある一皿だったのですね。そう感じられること自体が、上達のしるしです。",
    ),
    "uncertain": (
        "迷いながらも最後まで作りきったこと、それがまず立派です。",
        "不安なところを言葉にしてくださって、ありがとうございます。",
    ),
    "proud": (
        "うれしそうな感想を聞いて、こちらまで笑顔になりました。",
        "手ごたえのある一皿だったようで、何よりです。",
    ),
    "tired": ("お疲れのなか、台所に立ってくださったのですね。",),
    "curious": ("もっと知りたいというお気持ちが、感想から伝わってきました。",),
    "calm": (
        "作ったあとの感想まで聞かせてくださって、ありがとうございます。",
        "落ち着いた感想から、丁寧に向き合われたことが伝わってきました。",
    ),
}
RATED_BOTH = ("{high}には手ごたえが、{low}には心残りがあったようですね。",)
RATED_HIGH = ("{high}には、手ごたえを感じられたようですね。",)
RATED_LOW = ("{low}には、もう少しという気持ちがあるようですね。",)

PRAISES = (
    "とくに「{done}」は、とてもよくできていました。",
    "「{done}」がきちんとできていて、見ていて気持ちがよかったです。",
)
REPEATED = (
    "前にもお話ししたところですが、あせらなくて大丈夫です。見るところがわかれば、手は必ず変わります。",
    "同じところでまた迷うのは、上手になる途中のしるしですよ。",
)
GONE = (
    "前回の課題だった「{gone}」は、もう気になりませんでした。よく直されましたね。",
    "前回お話しした「{gone}」が、ずいぶん良くなりましたね。",
)

# --- one thing to change ---------------------------------------------------------------------------------------------

SLIPS = (
    "今回いちばんお伝えしたいのは、{time}のことです。{slip}。",
    "映像でいちばん目に留まったのは、{time}です。ここで、{slip}。",
    "もったいなかったのは、{time}です。{slip}。",
    "{time}に、{slip}。ここが、いちばんもったいないところでした。",
)
SLIPS_AS_SCENES = ("ひとつだけ変えるとしたら、{time}です。{mistake}場面がありました。",)
SLIPS_WITHOUT_TIME = (
    "今回いちばんお伝えしたいのは、「{name}」のことです。映像では、{slip}。",
    "もったいなかったのは、{slipped}ところです。",
    "映像でいちばん目に留まったのは、{slipped}ところです。",
)
WHY_LEADS = (
    "なぜ大切なのか、少しだけお話ししますね。",
    "これには、ちゃんと理由があります。",
    "どうしてそうなるのか、見てみましょう。",
)
PRINCIPLES = (
    "そこで、「{name}」を身につけていきましょう。",
    "覚えておきたいのは、「{name}」という考え方ですね。",
    "だからこそ、「{name}」を一緒に身につけていきましょう。",
    "次の一皿では、「{name}」を心に留めておきましょう。",
)
CLOSERS = (
    "むずかしく考えなくて大丈夫です。見るところは、決まっていますからね。",
    "ここがつかめると、次の一皿はぐっと変わりますよ。",
    "あせらず、少しずつ整えていきましょう。",
    "その変わり目は、ちゃんと感じ取れますよ。",
    "これだけで、料理がぐんと楽しくなります。",
)

CHANGES = (
    "いちばん変えたいのは、{change}ところです。",
    "今回の改善点は、{change}ところです。",
    "{changed}ことが、今回のいちばんの改善点です。",
)
EVIDENCE = (
    "映像では、{evidence}。",
    "映像を見返すと、{evidence}。",
)
PLACES = (
    "{place}に、その様子が表れています。",
    "{place}を見ると、よくわかります。",
)
RATING_MAY_COME_FROM_IT = ("{low}の自己評価が控えめだったのも、ここが関わっているのかもしれません。",)
REST_IS_FINE = (
    "ほかのところは、いまのままで大丈夫ですよ。",
    "変えるのは、ここだけで十分です。",
    "ここが整うだけで、仕上がりは見違えますよ。",
)
SAFETY_COMES_FIRST = (
    "安心して食べられることが、何よりのおいしさです。",
    "ここは、味より先に守っていきたいところです。",
)

# --- it went well ----------------------------------------------------------------------------------------------------

SUCCESSES = (
    "映像を見ていて、いちばんうれしかったのは、{time}です。「{name}」が、きちんとできていました。",
    "光っていたのは、{time}です。「{name}」が、自然にできていましたね。",
    "{time}の動きが、とてもよかったです。「{name}」が、しっかりできていました。",
)
SUCCESSES_WITHOUT_TIME = (
    "映像を見ていて、いちばんうれしかったのは、「{name}」がきちんとできていたことです。",
    "「{name}」が、自然にできていましたね。とてもよかったです。",
)
SUCCESS_WHY_LEADS = (
    "これができると何が違うのか、少しお話ししますね。",
    "うまくいったわけを、言葉にしておきましょう。",
)
NEXT_STEPS = (
    "次の小さな一歩は、「{next}」です。",
    "次の一皿では、「{next}」にも目を向けてみましょう。",
)
SUCCESS_CLOSERS = (
    "いまの感覚を、どうぞ大切にしてください。",
    "この調子で、一皿ずつ重ねていきましょう。",
    "できたことは、次の一皿でもきっと助けてくれますよ。",
    "その手つきに、自信を持ってくださいね。",
)
NOTHING_TO_MEND = (
    "今回は、直したいところは見当たりませんでした。",
    "今回の映像に、大きく直すところはありませんでした。",
)
WENT_WELL = (
    "{time}は、「{name}」がよくできていました。",
    "よかったのは、{time}の「{name}」です。",
)
WENT_WELL_WITHOUT_TIME = ("「{name}」が、とてもよくできていました。",)
SMALL_STEPS = (
    "次は、{next_time}に少しだけ気を配ると、もう一段おいしくなります。",
    "このあと伸ばせるとしたら、{next_time}です。",
)
SMALL_STEPS_WITHOUT_TIME = ("このあと伸ばせるとしたら、「{next}」です。",)

# --- it could not be told --------------------------------------------------------------------------------------------

HONEST = (
    "正直にお伝えしますと、今回の映像では、どこを直すとよいのか見きわめられませんでした。",
    "今回の映像だけでは、仕上がりの分かれ目を見きわめられませんでした。",
)
HONEST_IN_SHORT = (
    "改善点は、今回は見きわめられませんでした。",
    "ここを直しましょう、と言えるところまでは見きわめられませんでした。",
)
GIFTS = (
    "そのかわりに、{dish}作りで頼りになる「{name}」のお話をしますね。",
    "今日は、いつでも役に立つ「{name}」を、一緒に確かめておきましょう。",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FilmingAdvice:
    """Why nothing could be told, and what helps: once to be heard, once to be read."""

    heard_reason: str
    heard_advice: str
    read_advice: str


_SOUND_FAR = FilmingAdvice(
    heard_reason="鍋の音が、はっきり届いていなかったためです。",
    heard_advice="次に撮るときは、スマートフォンを鍋の近くに置いてみてください。",
    read_advice="マイクが鍋のそばにあると、音の変わり目まで聴き取れます。手の届くところに立てかけて撮ると、うまく入りますよ。",
)
_NO_SOUND = FilmingAdvice(
    heard_reason="音が入っていなかったためです。",
    heard_advice="次に撮るときは、音も一緒に録ってみてください。",
    read_advice="音が入っていない映像でした。マイクを切らずに、鍋のそばで撮ると、焼ける音まで届きますよ。",
)
_DARK = FilmingAdvice(
    heard_reason="鍋の中が、暗く映っていたためです。",
    heard_advice="次に撮るときは、鍋の上の明かりをつけてみてください。",
    read_advice="明るい手元を撮ると、色やつやの変わり目まで見えます。換気扇の明かりをつけるだけでも、ずいぶん変わりますよ。",
)
_NO_PICTURE = FilmingAdvice(
    heard_reason="映像が、うまく読み取れなかったためです。",
    heard_advice="次に撮るときは、はじめに試し撮りをして、映りを確かめてみてください。",
    read_advice="レンズを拭いてから、鍋がまるごと映る位置で撮ると、中の様子まで見えますよ。",
)
_FRAMING = FilmingAdvice(
    heard_reason="鍋の中の動きが、映像に入りきっていなかったためです。",
    heard_advice="次に撮るときは、鍋がまるごと映る位置にカメラを置いてみてください。",
    read_advice="鍋がまるごと画面に入ると、食材の変わり目がわかります。三脚や台を使い、少し上から撮ってみてください。",
)
_SHAKY = FilmingAdvice(
    heard_reason="映像が揺れて、鍋の中を追いきれなかったためです。",
    heard_advice="次に撮るときは、三脚や台でカメラを支えてみてください。",
    read_advice="カメラを動かさずに撮ると、鍋の中の変化を追えます。三脚がなければ、台に立てかけるだけでも大丈夫ですよ。",
)
_PIECES = FilmingAdvice(
    heard_reason="映像が途切れていて、流れを追いきれなかったためです。",
    heard_advice="次に撮るときは、火をつける前から続けて撮ってみてください。",
    read_advice="火をつける前から盛り付けまでひと続きに撮れていると、流れがつかめます。",
)
_UNCLEAR = FilmingAdvice(
    heard_reason="気になる様子はあっても、はっきりそうと言いきれなかったためです。",
    heard_advice="次に撮るときは、鍋の音と中身が両方わかるように、近くから撮ってみてください。",
    read_advice="鍋のそばに固定して、音と中身が一緒に入るように撮ると、もっと具体的にお伝えできます。",
)

# The first row of which a word is part of a reason decides; reasons are slugs, or sentences of an operator.
FILMING_ADVICE: tuple[tuple[tuple[str, ...], FilmingAdvice], ...] = (
    (("no_sound_track", "no_audio", "silent", "mute"), _NO_SOUND),
    (("sound", "audio", "noise", "quiet", "sizzle"), _SOUND_FAR),
    (("dark", "light", "exposure"), _DARK),
    (("shak", "motion", "blur"), _SHAKY),
    (("cut", "short", "pieces"), _PIECES),
    (("no_picture",), _NO_PICTURE),
    (("picture", "frame", "framing", "seen", "visible", "covered"), _FRAMING),
    (("",), _UNCLEAR),
)

# --- the key moment --------------------------------------------------------------------------------------------------

LOOK_HERE = (
    "{time}に注目してください。",
    "見てほしいのは、{time}です。",
    "いま映っているのが、{time}の様子です。",
)
LOOK_HERE_WITHOUT_TIME = (
    "この場面の、鍋の様子に注目してください。",
    "この場面を、ゆっくり見てみてください。",
)
LOOK_HERE_WITH_PRIDE = (
    "ここが、よかったところです。",
    "{time}の様子、とてもいいですね。",
)
LOOK_FOR_IT = (
    "映像の中で、{time}を探してみてください。",
    "{time}の様子を、一緒に見てみてください。",
)
LOOK_FOR_IT_WITHOUT_TIME = ("映像の中の鍋を、ゆっくり見てみてください。",)
WATCHES = (
    "{watch}か、{sense}確かめてください。",
    "次は、{watch_noun}ことを目印にしてください。",
    "目印は、{watch_noun}ことです。",
    "{watch_polite}。これが目印です。",
)
WATCHES_WITH_PRIDE = (
    "{watch_polite}。これが、うまくいっているときの姿です。",
    "{watch_polite}。この様子が、いいですね。",
    "{watch}か、もう一度{sense}確かめてみてください。",
)
SOUNDS = (
    "音の目安は、こうです。{sound_polite}。",
    "音も手がかりになります。{sound_polite}。",
    "音も覚えておいてください。{sound_polite}。",
)
SOUNDS_WITHOUT_LEAD = ("{sound}か、耳でも確かめてください。",)
SOUNDS_IN_SHORT = ("{sound_polite}。",)
LOOKS_IN_SHORT = ("{look_polite}。",)
LOOKS = (
    "目で見る目安は、こうです。{look_polite}。",
    "目でも確かめられます。{look_polite}。",
)
RULE_LEADS = (
    "決め手は、これです。",
    "合言葉は、これだけです。",
    "覚えておくのは、これだけです。",
)
# What the recording shows at the key moment, by the slug of the event there; in the present, as it is seen.
OBSERVATIONS: Mapping[str, tuple[str, ...]] = {
    "food_met_cold_pan": ("食材が入っても、鍋の音は静かなままです。", "入れた瞬間の音が、まだ立っていません。"),
    "pan_lost_its_voice": ("ここで、鍋の音がすっと沈んでいます。", "元気だった音が、ここで急に静まっています。"),
    "sizzle_collapses": ("ここで、鍋の音がすっと沈んでいます。", "元気だった音が、ここで急に静まっています。"),
    "smoked_while_frying": ("うっすらと、煙が上がりはじめています。", "鍋の上に、煙が見えはじめています。"),
    "smoked_before_food": ("食材が入る前から、煙が上がっています。", "鍋の上に、もう煙が見えています。"),
    "haze_rises": ("うっすらと、煙が上がりはじめています。", "鍋の上に、煙が見えはじめています。"),
    "first_food_waited": (
        "次の食材を待つあいだに、音が細くなっています。",
        "待っているうちに、音が静まってきています。",
    ),
    "pan_answered": ("ここで、音がはっきり立っていますね。", "入れた瞬間の音が、しっかり立っていますね。"),
    "voice_held": ("次の食材が入っても、音が弱まっていませんね。", "食材が加わっても、元気な音のままですね。"),
    "joined_in_time": ("音が元気なうちに、次の食材が入っていますね。",),
}
SHOWS_SUCCESS = frozenset({"pan_answered", "voice_held", "joined_in_time"})

# --- what to practise ------------------------------------------------------------------------------------------------

EXAMPLE_LEADS = (
    "たとえば、{example}",
    "ほかの料理でも同じです。{example}",
    "この考え方は、ほかの料理でも助けになります。{example}",
)
NEXT_ACTIONS = (
    "次回は、{action}",
    "次に作るときは、{action}",
)
ONLY_THIS = (
    "試すのは、これだけで十分です。",
    "変化に気づけたら、それだけで大きな一歩ですよ。",
    "ほかのことは、いつもどおりで大丈夫です。",
    "ゆっくりで大丈夫です。一皿ごとに、感覚は育っていきます。",
)
SIGNS = (
    "{sign_polite}。",
    "こんな様子になれば、うまくいっています。{sign_polite}。",
    "{sign_polite}。それが、うまくいった合図です。",
)
SIGNS_OF_SMELL = ("{organ}でも確かめられます。{feel_polite}。",)
