"""Turns in the languages whose phrases stand in modules of their own."""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType

import pytest

from rag_service.retrieval import (
    document_table,
    follow_up_table,
    question_table,
    remark_table,
    rework_table,
    smalltalk_table,
)
from rag_service.retrieval.turn_languages import LANGUAGES
from rag_service.retrieval.turns import Decision, decide
from rag_service.retrieval.types import Source, Turn

TABLES: tuple[ModuleType, ...] = (
    document_table,
    follow_up_table,
    question_table,
    remark_table,
    rework_table,
    smalltalk_table,
)
# A question and its answer, which the turn that is told follows.
FIRST = {
    "el": ("Πόσους κατοίκους έχει η Λάρισα;", "Περίπου εκατόν πενήντα χιλιάδες."),
    "he": ("כמה תושבים יש בבאר שבע?", "כמאתיים אלף."),
    "hi": ("जयपुर की जनसंख्या कितनी है?", "लगभग तीस लाख।"),
    "ro": ("Câți locuitori are Brașovul?", "Aproximativ două sute cincizeci de mii."),
    "th": ("ขอนแก่นมีประชากรกี่คน", "ประมาณหนึ่งแสนคน"),
    "uk": ("Скільки мешканців у Полтаві?", "Близько трьохсот тисяч."),
    "vi": ("Dân số của Đà Lạt là bao nhiêu?", "Khoảng hai trăm năm mươi nghìn."),
}
SMALL_TALK = {
    "el": ("Γεια σου!", "Σε ευχαριστώ πολύ για τη βοήθεια", "εντάξει, κατάλαβα", "Καληνύχτα!"),
    "he": ("שלום!", "תודה רבה על העזרה", "בסדר, הבנתי", "לילה טוב!"),
    "hi": ("नमस्ते!", "मदद के लिए बहुत धन्यवाद", "ठीक है, समझ गई", "शुभ रात्रि!"),
    "ro": ("Bună ziua!", "Mulțumesc mult pentru ajutor", "bine, am înțeles", "Noapte bună!"),
    "th": ("สวัสดีครับ", "ขอบคุณมากค่ะ", "โอเค เข้าใจแล้วค่ะ", "ราตรีสวัสดิ์"),
    "uk": ("Добрий день!", "Щиро дякую за допомогу", "гаразд, зрозуміло", "На все добре!"),
    "vi": ("Xin chào!", "Cảm ơn bạn rất nhiều", "được rồi, tôi hiểu", "Tạm biệt nhé!"),
}
WHOLE = {
    "el": (
        "Δώσε μου μια σύντομη περίληψη του άρθρου",
        "Ποια είναι τα κύρια σημεία;",
        "Μετάφρασε το κείμενο στα γερμανικά",
    ),
    "he": ("תן לי תקציר של המאמר", "מה הן הנקודות העיקריות?", "תרגם את הטקסט לגרמנית"),
    "hi": ("इस लेख का संक्षेप में सारांश बताइए", "मुख्य बिंदु क्या हैं?", "इस रिपोर्ट का जर्मन में अनुवाद कीजिए"),
    "ro": ("Fă un rezumat scurt al articolului", "Care sunt ideile principale?", "Traduceți textul în germană"),
    "th": ("ช่วยสรุปบทความนี้ให้หน่อย", "ประเด็นสำคัญคืออะไร", "ช่วยแปลรายงานนี้เป็นภาษาเยอรมัน"),
    "uk": ("Зроби короткий переказ статті", "Які основні думки?", "Перекладіть текст німецькою"),
    "vi": ("Tóm tắt ngắn gọn bài báo này", "Những ý chính là gì?", "Dịch văn bản này sang tiếng Đức"),
}
LEANING = {
    "el": ("Και στον Βόλο;", "Και το 2015;"),
    "he": ("ומה לגבי אילת?", "ובשנת 2015?"),
    "hi": ("और उदयपुर के बारे में क्या?", "और 2015 में?"),
    "ro": ("Dar la Sibiu?", "Și în 2015?"),
    "th": ("แล้วอุดรธานีล่ะ", "แล้วในปี 2015 ล่ะ"),
    "uk": ("А щодо Сум?", "А у 2015 році?"),
    "vi": ("Còn Nha Trang thì sao?", "Thế còn năm 2015?"),
}
CARRIED = {"el": "Λάρισα", "he": "באר", "hi": "जयपुर", "ro": "Brașovul", "th": "ประชากร", "uk": "Полтаві", "vi": "Dân"}
COMPLETE = {
    "el": "Ποιος ζωγράφισε το ταβάνι της εκκλησίας της Μεσσήνης;",
    "he": "מי צייר את תקרת הכנסייה בנצרת?",
    "hi": "ताजमहल का निर्माण किस राजा ने कराया था?",
    "ro": "Cine a pictat tavanul bisericii din Suceava?",
    "th": "ใครวาดภาพบนเพดานโบสถ์วัดสุทัศน์กรุงเทพมหานคร",
    "uk": "Хто розписав стелю церкви в Чернігові?",
    "vi": "Ai vẽ bức tranh trên trần nhà thờ Phát Diệm?",
}


def turn_after(language: str, text: str, *, kind: str = "web") -> Decision:
    question, answer = FIRST[language]
    source = Source("1", answer, kind="attached" if kind == "attached" else "web")
    return decide([Turn("user", question), Turn("assistant", answer), Turn("user", text)], [source])


def cases(table: Mapping[str, tuple[str, ...]]) -> list[tuple[str, str]]:
    return [(language, text) for language, texts in table.items() for text in texts]


def test_every_phrase_belongs_to_a_table() -> None:
    tables = {
        name
        for module in TABLES
        for name, value in vars(module).items()
        if isinstance(value, dict) and name.isupper()
    }
    for code, phrases in LANGUAGES.items():
        assert set(phrases) <= tables, code
    assert all(smalltalk_table.THANKS[code] == phrases["THANKS"] for code, phrases in LANGUAGES.items())


@pytest.mark.parametrize(("language", "text"), cases(SMALL_TALK))
def test_small_talk_reads_nothing(language: str, text: str) -> None:
    assert turn_after(language, text).small_talk


@pytest.mark.parametrize(("language", "text"), cases(WHOLE))
def test_a_whole_document_is_asked_for(language: str, text: str) -> None:
    assert decide([Turn("user", text)], [Source("1", FIRST[language][1])]).coverage


@pytest.mark.parametrize(("language", "text"), cases(LEANING))
def test_a_follow_up_carries_the_topic(language: str, text: str) -> None:
    decision = turn_after(language, text)
    assert decision.use == "both"
    assert decision.query != text
    if "2015" in text:
        assert "2015" in decision.query
        assert CARRIED[language] in decision.query


@pytest.mark.parametrize("language", COMPLETE)
def test_a_complete_question_stands_on_its_own(language: str) -> None:
    decision = turn_after(language, COMPLETE[language])
    assert (decision.use, decision.query) == ("passages", COMPLETE[language])
    assert not decision.coverage
