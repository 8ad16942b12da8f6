import pyopenjtalk
import pytest

from coaching.providers.local.readings import write_as_read


@pytest.mark.parametrize(
    ("text", "reading"),
    [
        ("面に柔らかな照りが出る", "テリガデル"),
        ("照り焼きのたれ", "テリヤキノタレ"),
        ("盛り付けの直前", "モリツケノチョクゼン"),
        ("鍋の縁がこんがりする", "ナベノフチガ"),
        ("具に直接かける", "グニチョクセツ"),
        ("家具に触る", "カグニ"),
        ("中は柔らかく残す", "ナカワヤワラカク"),
        ("目と手を鍋に向ける", "メトテヲ"),
        ("レモンを搾ると", "シボルト"),
        ("火の止めどき", "トメドキ"),
        ("鶏に火が通ってから", "トリニヒガトーッテ"),
        ("鶏もも肉", "トリモモニク"),
        ("終わり際に加える", "オワリギワニ"),
        ("するりと炒まります", "イタマリマス"),
        ("少し重めの音", "オモメノオト"),
        ("皿を重ねる", "カサネル"),
        ("紙で押さえる", "カミデ"),
        ("ぽこぽこと間のある音", "マノアルオト"),
        ("牛ステーキ", "ギューステーキ"),
        ("辛さが引き立つ", "カラサガ"),
        ("塩辛い", "シオカライ"),
        ("弱火から強火にする", "ヨワビカラツヨビニ"),
        ("第1回のチャーハン", "ダイイッカイノチャーハン"),
    ],
)
def test_the_kitchens_words_are_read_as_cooks_say_them(text: str, reading: str) -> None:
    assert reading in pyopenjtalk.g2p(write_as_read(text), kana=True)


@pytest.mark.parametrize(
    ("name", "reading"),
    [
        ("Yuki", "ユキサン"),
        ("KEN", "ケンサン"),
        ("Ａｋｉ", "アキサン"),
        ("Anna", "アンナサン"),
        ("Jun'ichi", "ジュンイチサン"),
        ("Teppei", "テッペイサン"),
        ("Shinnosuke", "シンノスケサン"),
        ("Machiko", "マチコサン"),
        ("John", "ジョンサン"),
        ("太郎", "タローサン"),
    ],
)
def test_names_in_latin_letters_are_read_as_names(name: str, reading: str) -> None:
    read = str(pyopenjtalk.g2p(write_as_read(f"{name}さん、こんにちは。"), kana=True))
    assert read.startswith(reading)


@pytest.mark.parametrize("text", ["IH", "OK", "Wi-Fi", "Zhang", "5g", "卵とご飯を合わせます。"])
def test_what_is_not_known_to_be_misread_is_left_alone(text: str) -> None:
    assert write_as_read(text) == text
