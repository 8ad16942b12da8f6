"""What the learner of each sample cook says into the voice memo, and how they rate the plate.

Plain data: the product's own speech engine speaks it. The words are a learner's, a little hesitant, and none of them
names the catalogue's principle: finding that is the coach's work.
"""

from dataclasses import dataclass

from media_tools.sample_cook.truth import Variant


@dataclass(frozen=True, slots=True)
class VoiceMemo:
    """The memo's text, the question that is in it, and ratings from 1 (poor) to 5 (very good)."""

    text: str
    question: str
    ratings: dict[str, int]


def find_memo(variant: Variant) -> VoiceMemo:
    """The memo that belongs to a variant's cook."""
    return _MEMOS[variant]


def _compose(*, felt: str, question: str, ratings: dict[str, int]) -> VoiceMemo:
    return VoiceMemo(text=felt + question, question=question, ratings=ratings)


_MEMOS: dict[Variant, VoiceMemo] = {
    Variant.GOOD: _compose(
        felt=(
            "今日は、卵チャーハンを作りました。材料を全部並べてから火をつけたので、今回は落ち着いてできたと思います。"
            "卵がまだとろっとしているうちにご飯を入れたら、黄色がきれいに広がって、うれしかったです。"
            "食べてみると、ご飯もぱらっとしていて、今までで一番おいしくできました。"
        ),
        question="次はどこに気をつけたら、もっと香ばしくなりますか。",
        ratings={"appearance": 5, "taste": 4, "texture": 5, "aroma": 4},
    ),
    Variant.EGG_OVERCOOKED_BEFORE_RICE: _compose(
        felt=(
            "今日はチャーハンを作りました。卵を入れたあと、ご飯を入れるまでにもたもたしてしまって、"
            "気がついたら、卵がすっかり固くなっていました。"
            "食べてみたら、卵がぽろぽろで、ご飯と別々のものを食べているみたいでした。味は悪くないんですけど、ちょっと残念です。"
        ),
        question="卵とご飯をふんわりなじませるには、どうしたらいいですか。",
        ratings={"appearance": 3, "taste": 3, "texture": 2, "aroma": 3},
    ),
    Variant.PAN_NOT_PREHEATED: _compose(
        felt=(
            "チャーハンを作ってみました。早く作りたくて、油を入れてすぐに卵を流したんですけど、"
            "音が全然しなくて、卵がフライパンにべったりくっついてしまいました。"
            "はがすのに時間がかかって、仕上がりも、なんだか油っぽくて、べちゃっとした感じです。"
        ),
        question="どうして、こんなにくっついてしまったんでしょうか。",
        ratings={"appearance": 2, "taste": 3, "texture": 2, "aroma": 2},
    ),
    Variant.CROWDED_PAN: _compose(
        felt=(
            "今日はチャーハンです。家族のぶんもまとめて作ろうと思って、ご飯を一度にたくさん入れました。"
            "そうしたら、急に音がしなくなって、混ぜても混ぜても、ご飯が重たくて。"
            "できあがりは、べたっとしてしまって、お店みたいなぱらぱらには、なりませんでした。"
        ),
        question="ご飯がべたっとしないようにするには、何を変えたらいいですか。",
        ratings={"appearance": 3, "taste": 3, "texture": 1, "aroma": 2},
    ),
    Variant.BURNING: _compose(
        felt=(
            "チャーハンを作りました。強火がいいと聞いたので、ずっと強火のままでやってみました。"
            "途中で手を止めたら、煙が出てきて、あわててしまって。"
            "ご飯の底のほうが茶色く焦げて、食べると苦かったです。卵も固くなってしまいました。"
        ),
        question="焦がさないで、香ばしく作るには、どこを見ていたらいいですか。",
        ratings={"appearance": 2, "taste": 2, "texture": 2, "aroma": 1},
    ),
}
