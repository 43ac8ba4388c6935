"""Texts of many kinds, flattened: the content stays, the frame of the page goes."""

from __future__ import annotations

import pytest

from rag_service.retrieval.clean import clean
from rag_service.retrieval.types import Source

PROSE = "The ferry crosses the bay every hour, and in the summer it takes bicycles as well as people on foot."
KEPT = {
    "recipe": (
        "For four people you need:\n"
        "200 g flour\n"
        "2 eggs\n"
        "1 pinch of salt\n"
        "300 ml milk\n"
        "Mix the flour with the milk and let it rest for an hour before you fry it."
    ),
    "table": ("Port | Departure | Fare\nNorth | 08:15 | 3.20\nSouth | 08:55 | 4.10\nIsland | 09:40 | 7.00"),
    "csv": ("port,departure,fare\nnorth,0815,3.20\nsouth,0855,4.10\nisland,0940,7.00"),
    "code": ("def fare(zone):\n    if zone > 3:\n        raise ValueError(zone)\n    return 3.20 + zone * 0.9"),
    "chat": (
        "Anna: Is the ferry running today?\nBen: Yes, but only until six.\nAnna: Thanks, then I will come at five."
    ),
    "verse": (
        "The boats lie still, the nets are dry,\n"
        "the gulls have left the pier,\n"
        "and all the lamps along the quay\n"
        "are lit, but none is here."
    ),
    "data": ("1998  1204  17.5\n1999  1311  18.1\n2000  1298  16.9"),
    "specification": ("Length: 48 m\nWidth: 11.5 m\nPassengers: 380\nEngines: 2 x 900 kW"),
    "changelog": (
        "## 2.1.0\n"
        "- Fixed a crash when the timetable was empty\n"
        "- Added fares for groups of ten\n"
        "- Removed the old ticket format"
    ),
    "subtitles": (
        "1\n"
        "00:00:01,000 --> 00:00:04,000\n"
        "The ferry is late.\n"
        "\n"
        "2\n"
        "00:00:05,000 --> 00:00:07,000\n"
        "It always is.\n"
        "\n"
        "3\n"
        "00:00:08,000 --> 00:00:09,000\n"
        "We wait."
    ),
    "chinese": ("渡轮每小时穿越海湾一次，夏天也可以带自行车上船。\n冬天只在周末开航，请提前查看时刻表。"),
    "arabic": ("تعبر العبّارة الخليج كل ساعة، وفي الصيف تنقل الدراجات مع الركاب أيضا إلى الجزيرة."),
    "hindi": ("नाव हर घंटे खाड़ी पार करती है, और गर्मियों में वह साइकिलें भी ले जाती है।"),
}
MENUS = {
    "en": (
        "Home\nTimetable\nAbout us\nContact\nLog in",
        "We use cookies to improve your experience. Accept all",
        "© 2024 Bay Lines. All rights reserved.\nPrivacy policy",
    ),
    "de": (
        "Startseite\nFahrplan\nÜber uns\nKontakt\nAnmelden",
        "Wir verwenden Cookies, um unsere Seiten zu verbessern.",
        "© 2024 Buchtlinien. Alle Rechte vorbehalten.\nImpressum",
    ),
    "fr": (
        "Accueil\nHoraires\nÀ propos\nContactez-nous\nConnexion",
        "Nous utilisons des cookies pour améliorer votre visite.",
        "© 2024 Lignes de la baie. Tous droits réservés.\nMentions légales",
    ),
    "ru": (
        "Главная\nРасписание\nО нас\nКонтакты\nВойти",
        "Мы используем файлы cookie, чтобы улучшить сайт.",
        "© 2024 Линии залива. Все права защищены.\nПолитика конфиденциальности",
    ),
    "zh": (
        "首页\n时刻表\n关于我们\n联系我们\n登录",
        "我们使用Cookie来改善您的体验。",
        "© 2024 海湾航运 版权所有\n隐私政策",
    ),
}


def squeezed(text: str) -> str:
    return "".join(text.split())


@pytest.mark.parametrize("name", KEPT)
def test_content_of_every_kind_survives(name: str) -> None:
    text = f"{MENUS['en'][0]}\n\n{PROSE}\n\n{KEPT[name]}\n\n{PROSE}\n\n{MENUS['en'][2]}"
    document = clean(Source("1", text, kind="web"))
    assert squeezed(KEPT[name]) in squeezed(document.text)
    assert "Log in" not in document.text
    assert "All rights reserved" not in document.text


@pytest.mark.parametrize("language", MENUS)
def test_frames_go_in_many_languages(language: str) -> None:
    menu, banner, footer = MENUS[language]
    document = clean(Source("1", f"{menu}\n{banner}\n\n{PROSE}\n\n{KEPT['chinese']}\n\n{footer}", kind="web"))
    assert PROSE in document.text
    assert squeezed(KEPT["chinese"]) in squeezed(document.text)
    for line in [*menu.split("\n"), banner, *footer.split("\n")]:
        assert line not in document.text.split("\n")
        assert any(line in note.text for note in document.notes)


@pytest.mark.parametrize(
    "sentence",
    [
        "The strike was dismissed by the court, and nobody was surprised by that.",
        "The mill was powered by water until the dam broke in the spring of 1911.",
        "Changes of design in the hull made the boat faster, but it was less safe.",
        "Cookies are small files, and a site that sets them must ask before it does.",
        "Read more than one book about the sea before you buy a boat of your own.",
    ],
)
def test_a_phrase_inside_a_sentence_is_no_boilerplate(sentence: str) -> None:
    assert clean(Source("1", f"Home\nLog in\n{PROSE}\n{sentence}", kind="web")).text.endswith(sentence)


def test_glued_menus_are_cut_from_the_text_beside_them() -> None:
    text = f"HomeTimetableFaresIslandsContact{PROSE}Tickets are sold on board.© 2024 Bay Lines"
    document = clean(Source("1", text, kind="web"))
    assert PROSE in document.text
    assert "Tickets are sold on board." in document.text
    assert "Timetable" not in document.text
    assert "©" not in document.text


def test_names_with_capitals_inside_do_not_cut_a_sentence() -> None:
    text = (
        "The film was put on YouTube by a programmer who likes JavaScript and drives a McLaren to the OpenAI office."
    )
    assert clean(Source("1", text, kind="web")).text == text


def test_rows_that_differ_in_digits_only_all_stay() -> None:
    rows = "\n".join(f"Platform {number} | 08:{number:02} | {number}" for number in range(10, 30))
    assert clean(Source("1", f"{PROSE}\n\n{rows}", kind="web")).text.endswith(rows)


def test_an_attached_text_keeps_all_but_what_is_certain() -> None:
    text = "Home\n\nAbout us\nContact: 555 0199\n\nCopyright 2024, the authors\nPrivacy policy\nx"
    document = clean(Source("1", f"Skip to content\n{text}\nAccept all cookies"))
    assert document.text == text
    assert [note.text for note in document.notes] == ["Skip to content", "Accept all cookies"]


def test_scripts_in_flattened_pages_go() -> None:
    script = "window.dataLayer = window.dataLayer || []; function gtag(){dataLayer.push(arguments);}"
    document = clean(Source("1", f"{script}\n{PROSE}\n.menu{{color:red;width:20px}}", kind="web"))
    assert document.text == PROSE


@pytest.mark.parametrize("language", MENUS)
def test_pages_lose_their_frame(language: str) -> None:
    menu, _, footer = MENUS[language]
    items = "".join(f'<li><a href="/x">{line}</a></li>' for line in menu.split("\n"))
    rows = "<tr><th>Port</th><th>Fare</th></tr><tr><td>North</td><td>3.20</td></tr>"
    main = f"<h2>Crossing</h2><p>{PROSE}</p><p>{KEPT['chinese']}</p><table>{rows}</table><pre>a = 1\n  b = 2</pre>"
    page = f"<body><nav><ul>{items}</ul></nav><main>{main}</main><footer><p>{footer}</p></footer></body>"
    document = clean(Source("1", f"<html>{page}</html>", kind="web", html=True))
    for kept in ("Crossing", PROSE, "Port\tFare\nNorth\t3.20", "a = 1\n  b = 2"):
        assert kept in document.text
    assert squeezed(KEPT["chinese"]) in squeezed(document.text)
    assert menu.split("\n")[0] not in document.text
    assert footer.split("\n")[0] not in document.text
    assert [block.kind for block in document.blocks] == ["heading", "prose", "prose", "table", "table", "code"]
