"""The offline coach's own words for what it heard and saw: plain, warm, and without a number."""

from collections.abc import Mapping

from coaching.providers.local.signal_judgement import Hesitation
from media_tools.cook_events import Appearance, Doubt, Happening, HappeningKind, ReadingKind

# What happened, and what could be heard or seen of it.
HAPPENINGS: Mapping[HappeningKind, tuple[str, str]] = {
    HappeningKind.CAMERA_COVERED: ("カメラに手が重なる", "画面が隠れて、鍋の中が見えません"),
    HappeningKind.CUT: ("場面が切り替わる", "映像がここで別の場面に移っています"),
    HappeningKind.CHOPPING: ("まな板で刻む", "トントンと規則正しい音が続いています"),
    HappeningKind.BURNER_LIT: ("火がつく", "火の低い音が鳴りはじめました"),
    HappeningKind.BURNER_OFF: ("火が消える", "火の低い音が止まりました"),
    HappeningKind.FOOD_ADDED: ("鍋に食材や油が入る", "鍋の中の色合いが変わりました"),
    HappeningKind.SIZZLE_STARTS: ("鍋が鳴りはじめる", "ジューッという音が一気に立ち上がりました"),
    HappeningKind.SIZZLE_CREEPS_UP: ("鍋がゆっくり鳴りはじめる", "ジューッという音が、少しずつ大きくなっていきました"),
    HappeningKind.SIZZLE_COLLAPSES: ("鍋の音が沈む", "火はついたままなのに、ジューッという音が急に弱まりました"),
    HappeningKind.HAZE_RISES: ("煙が立ちこめる", "画面全体が白くかすみ、しばらく晴れませんでした"),
    HappeningKind.FOOD_DARKENS: ("食材の色が濃くなる", "鍋の中だけが暗い色に変わっていきました"),
    HappeningKind.VIGOROUS_STIRRING: ("手早く混ぜる", "鍋の中が大きく動きつづけています"),
    HappeningKind.HAND_RESTS: ("手が止まる", "鍋の中がしばらく動いていません"),
}

APPEARANCES: Mapping[Appearance, str] = {
    Appearance.PALE: "白っぽい色のものが、鍋の中に広がりました",
    Appearance.GOLDEN: "黄みのある明るい色のものが、鍋の中に広がりました",
    Appearance.OTHER: "鍋の中の色合いが変わりました",
}

READINGS: Mapping[ReadingKind, tuple[str, str]] = {
    ReadingKind.FOOD_MET_COLD_PAN: (
        "音のしない鍋に食材が入る",
        "入れた瞬間は静かなままで、ジューッという音はあとから少しずつ聞こえてきました",
    ),
    ReadingKind.PAN_LOST_ITS_VOICE: (
        "食材が入り、鍋の音が沈む",
        "入れたとたんにジューッという音が弱まり、なかなか戻りませんでした",
    ),
    ReadingKind.SMOKED_WHILE_FRYING: (
        "煙が立ち、色が濃くなっていく",
        "画面が煙でかすみ、同じころから鍋の中の色が暗く変わっていきました",
    ),
    ReadingKind.SMOKED_BEFORE_FOOD: ("食材の前に煙が立つ", "食材が入る前から、画面が煙でかすんでいました"),
    ReadingKind.FIRST_FOOD_WAITED: (
        "先に入れた食材が固まる",
        "次の食材を待つあいだに鍋の音が細くなり、入れたときにまた大きくなりました",
    ),
    ReadingKind.PAN_ANSWERED: ("鍋がすぐに応える", "食材が入った瞬間に、ジューッという音が立ち上がりました"),
    ReadingKind.VOICE_HELD: ("鍋の音が続く", "次の食材が入っても、ジューッという音が弱まりませんでした"),
    ReadingKind.JOINED_IN_TIME: (
        "次の食材がすぐに加わる",
        "先に入れた食材の音が勢いよく続いているうちに、次の食材が加わりました",
    ),
}

DIAGNOSES: Mapping[str, str] = {
    "cold_pan_start": (
        "食材を入れた瞬間に音が立たず、ジューッという音はあとから少しずつ出てきました。"
        "フライパンが温まりきる前に入れたようです。"
    ),
    "oil_cold": (
        "食材を入れた瞬間に音が立たず、泡立つ音はあとから少しずつ出てきました。油が温まる前に入れたようです。"
    ),
    "overcrowded_pan": (
        "食材を入れたとたんに、ジューッという音が沈んで、なかなか戻りませんでした。"
        "一度にたくさん入れて、鍋の熱が追いつかなくなったようです。"
    ),
    "cold_ingredients_dumped": (
        "食材を入れたとたんに、ジューッという音が沈んで、なかなか戻りませんでした。"
        "まとめて入れたために、鍋の温度が落ちたようです。"
    ),
    "waterlogged_pan": (
        "食材を入れたあと、はじける音が消えて、こもった音が続きました。水分が鍋にたまったまま炒めていたようです。"
    ),
    "heat_too_high_throughout": (
        "炒めている途中で煙が立ちこめ、鍋の中の色が急に濃くなっていきました。火が強いまま進んで、焦げはじめたようです。"
    ),
    "stirring_too_slow": (
        "手が止まっているあいだに煙が立ちこめ、鍋の中の色が濃くなっていきました。底が焦げはじめたようです。"
    ),
    "overheated_smoking_pan": "食材が入る前から煙が立っていました。フライパンを熱しすぎたようです。",
    "oil_smoking": "食材が入る前から煙が立っていました。油を熱しすぎたようです。",
    "over_cook_egg_before_combining": (
        "卵が先に入ってから、ご飯が加わるまでに間があき、鍋の音が細くなっていました。"
        "ご飯を入れるころには、卵が固まりきっていたようです。"
    ),
}

PRAISES: Mapping[ReadingKind, str] = {
    ReadingKind.PAN_ANSWERED: (
        "食材を入れた瞬間に、ジューッという音がしっかり立ち上がりました。フライパンがよく温まっていた証拠です。"
    ),
    ReadingKind.VOICE_HELD: (
        "次の食材が入っても、ジューッという音が弱まりませんでした。鍋の熱を落とさずに進められています。"
    ),
    ReadingKind.JOINED_IN_TIME: (
        "卵が勢いよく鳴っているうちにご飯が加わり、そのあとも鍋の音が続きました。卵とご飯を合わせる間合いがよくできています。"
    ),
}

DOUBTS: Mapping[Doubt | Hesitation, str] = {
    Doubt.NO_SOUND_TRACK: "動画に音が入っていないため、鍋の音を確かめられませんでした。",
    Doubt.SOUND_IS_SILENT: "音がほとんど録れていないため、鍋の音を確かめられませんでした。",
    Doubt.NO_SOUND_OF_FRYING: "炒める音をはっきり聞き取れませんでした。",
    Doubt.NO_PICTURE: "映像を読み取れませんでした。",
    Doubt.PICTURE_TOO_DARK: "映像が暗く、鍋の中の様子を見分けられませんでした。",
    Doubt.PICTURE_HARDLY_CHANGES: "映像にほとんど動きがなく、鍋の中の様子を見分けられませんでした。",
    Doubt.NO_FOOD_SEEN_GOING_IN: "炒める音は聞こえましたが、食材が鍋に入るところを見分けられませんでした。",
    Hesitation.ONLY_ONE_WITNESS: "気になる様子はありましたが、音と映像の両方では確かめられませんでした。",
    Hesitation.READINGS_TIE: "気になる様子がいくつか重なり、どれがいちばんの理由かを決めきれませんでした。",
    Hesitation.ORDER_UNCLEAR: "炒める音は聞こえましたが、食材が入った順番をはっきり見分けられませんでした。",
    Hesitation.NO_WORD_FOR_IT: "鍋の音や様子に変化はありましたが、この料理の大事な点には結びつけられませんでした。",
}


def describe_happening(happening: Happening) -> tuple[str, str]:
    """What happened, and its state, in Japanese."""
    description, state = HAPPENINGS[happening.kind]
    return description, APPEARANCES[happening.appearance] if happening.appearance else state
