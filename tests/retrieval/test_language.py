from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_service.retrieval.language import WORD, _words_of_lowered, language_of, languages_in, script_of, words_of

SENTENCES = {
    "en": "The bridge was closed because the river had risen over the road in the night.",
    "de": "Die Brücke wurde gesperrt, weil der Fluss in der Nacht über die Straße getreten war.",
    "es": "El puente se cerró porque el río había subido por la noche hasta la carretera.",
    "fr": "Le pont a été fermé parce que la rivière avait débordé sur la route pendant la nuit.",
    "it": "Il ponte è stato chiuso perché nella notte il fiume era salito fino alla strada.",
    "pt": "A ponte foi fechada porque o rio tinha subido até à estrada durante a noite.",
    "nl": "De brug werd gesloten omdat de rivier in de nacht over de weg was gestroomd.",
    "pl": "Most został zamknięty, ponieważ w nocy rzeka wylała na drogę i nie było przejazdu.",
    "sv": "Bron stängdes eftersom floden hade stigit över vägen under natten och det var för farligt.",
    "tr": "Köprü kapatıldı, çünkü nehir gece boyunca yükselmiş ve yola kadar çıkmış idi.",
    "ru": "Мост закрыли, потому что ночью река вышла на дорогу, и проехать было нельзя.",
    "uk": "Міст закрили, тому що вночі річка вийшла на дорогу і проїхати було неможливо.",
    "zh": "因为河水在夜里漫上了公路，所以大桥被关闭了。",
    "ja": "夜のうちに川の水が道路にあふれたため、橋は閉鎖されました。",
    "ko": "밤사이 강물이 도로로 넘쳐서 다리가 폐쇄되었습니다.",
    "ar": "أغلق الجسر لأن النهر ارتفع في الليل حتى وصل إلى الطريق.",
    "ro": "Podul a fost închis pentru că râul a crescut peste noapte până la drum.",
    "el": "Η γέφυρα έκλεισε γιατί το ποτάμι ανέβηκε τη νύχτα μέχρι τον δρόμο.",
    "he": "הגשר נסגר כי הנהר עלה בלילה עד הכביש.",
    "th": "สะพานถูกปิดเพราะแม่น้ำเอ่อล้นขึ้นมาบนถนนในตอนกลางคืน",
    "vi": "Cây cầu bị đóng vì nước sông dâng lên mặt đường trong đêm.",
    "hi": "पुल बंद कर दिया गया क्योंकि रात में नदी का पानी सड़क पर आ गया था।",
}


@pytest.mark.parametrize("code", SENTENCES)
def test_a_sentence_tells_its_language(code: str) -> None:
    assert language_of(SENTENCES[code]) == code
    assert languages_in(SENTENCES[code])[0] == code


def test_an_ending_after_a_number_tells_less_than_a_word() -> None:
    # "te" is a word of Spanish and French.
    assert language_of("Peki 2023'te?") == "tr"


def test_a_text_of_two_languages_names_both() -> None:
    assert {"en", "ru"} <= set(languages_in(SENTENCES["en"] + SENTENCES["ru"]))


def test_what_cannot_be_told_is_not() -> None:
    assert language_of("") is None
    assert language_of("1 234 567") is None
    assert language_of("RK3588") is None
    assert script_of("3.14 !?") is None


def test_scripts() -> None:
    assert script_of("電話を発明した") == "Kana"
    assert script_of("发明了电话 (telephone)") == "Han"
    assert script_of("телефон") == "Cyrillic"


def test_a_long_text_is_judged_by_all_of_it() -> None:
    assert language_of("Index. " * 200 + SENTENCES["de"] * 400) == "de"


@given(st.text(max_size=300))
def test_any_text_is_judged(text: str) -> None:
    code = language_of(text)
    if code is not None:
        assert code in languages_in(text)
        assert script_of(text) is not None


@given(st.text(st.sampled_from("abzäßéЖя'’-_1 \n.漢かक्ั\ud800") | st.characters()))
def test_words_are_the_same_whichever_way_they_are_split(text: str) -> None:
    lowered = text.lower()
    matched = WORD.findall(lowered.replace("’", "'"))
    assert words_of(text) == matched
    assert _words_of_lowered(lowered) == matched
