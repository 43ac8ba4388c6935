"""Text that came in one line with menus, banners and bars of links: the prose stays, of the rest what can be told."""

from __future__ import annotations

import pytest

from rag_service.retrieval.clean import clean
from rag_service.retrieval.types import Source

BANNERS = {
    "en": (
        "We use cookies to improve your visit. Read about cookies in our policy. Accept all",
        "The ferry crosses the bay every hour, and in the summer it takes bicycles as well. It stops at six.",
    ),
    "de": (
        "Diese Website verwendet Cookies, um Inhalte zu zeigen.",
        "Die Fähre fährt jede Stunde über die Bucht, und im Sommer nimmt sie auch Fahrräder mit.",
    ),
    "fr": (
        "Nous utilisons des cookies pour mesurer les visites.",
        "Le bac traverse la baie toutes les heures, et en été il prend aussi les vélos des voyageurs.",
    ),
    "ru": (
        "Мы используем файлы cookie, чтобы улучшить сайт.",
        "Паром пересекает залив каждый час, а летом он берёт и велосипеды, если на борту есть место.",
    ),
    "it": (
        "Utilizziamo i cookie per migliorare il sito.",
        "Il traghetto attraversa la baia ogni ora, e in estate porta anche le biciclette dei viaggiatori.",
    ),
    "pl": (
        "Używamy plików cookie, aby ulepszyć stronę.",
        "Prom przepływa zatokę co godzinę, a latem zabiera także rowery, jeśli jest na nim miejsce.",
    ),
    "ro": (
        "Folosim cookie-uri pentru a îmbunătăți site-ul.",
        "Feribotul traversează golful în fiecare oră, iar vara ia la bord și bicicletele călătorilor.",
    ),
    "vi": (
        "Chúng tôi sử dụng cookie để cải thiện trang web.",
        "Phà chạy qua vịnh mỗi giờ một chuyến, và vào mùa hè nó chở cả xe đạp của hành khách.",
    ),
    "el": (
        "Χρησιμοποιούμε cookies για να βελτιώσουμε τον ιστότοπο.",
        "Το πλοίο διασχίζει τον κόλπο κάθε ώρα, και το καλοκαίρι παίρνει μαζί και τα ποδήλατα των επιβατών.",
    ),
    "zh": ("我们使用Cookie来改善您的体验。", "渡轮每小时穿越海湾一次，夏天也可以带自行车上船。冬天只在周末开航。"),
    "ja": (
        "当サイトではCookieを使用しています。",
        "フェリーは一時間ごとに湾を渡り、夏には自転車も乗せることができます。冬は週末だけ運航します。",
    ),
    "ar": (
        "نستخدم ملفات تعريف الارتباط لتحسين زيارتك.",
        "تعبر العبّارة الخليج كل ساعة، وفي الصيف تنقل الدراجات مع الركاب أيضا إلى الجزيرة.",
    ),
}


def cleaned(text: str) -> str:
    return clean(Source("1", text, kind="web")).text


@pytest.mark.parametrize("language", BANNERS)
@pytest.mark.parametrize("order", ["before", "behind", "between"])
def test_a_banner_goes_and_the_prose_in_its_line_stays(language: str, order: str) -> None:
    banner, prose = BANNERS[language]
    lines = {"before": f"{banner} {prose}", "behind": f"{prose} {banner}", "between": f"{prose} {banner} {prose}"}
    text = cleaned(lines[order])
    assert "".join(text.split()) == "".join(prose.split()) * (2 if order == "between" else 1)


@pytest.mark.parametrize("language", BANNERS)
def test_a_banner_that_touches_the_prose_goes_alone(language: str) -> None:
    banner, prose = BANNERS[language]
    text = cleaned(f"HomeNewsContact{banner}{prose}© 2024 Bay Lines")
    assert prose in text
    assert "ookie" not in text
    assert "©" not in text


@pytest.mark.parametrize(
    ("bar", "prose"),
    [
        ("Share on Facebook Share on Twitter Email this", "The bridge was closed because the river had risen."),
        ("Facebook | Twitter | WhatsApp", "Nobody knew how long the water would stay on the road to the mill."),
        ("Auf Facebook teilen Drucken", "Die Brücke wurde gesperrt, weil der Fluss in der Nacht gestiegen war."),
        ("首页 关于我们 登录 注册", "河水在夜里漫上了公路，大桥因此被关闭。居民只好绕道而行。"),
        ("分享到微信 微博", "河水在夜里漫上了公路，大桥因此被关闭。居民只好绕道而行。"),
        ("ログイン 会員登録 サイトマップ", "夜のうちに川の水が道路にあふれたため、橋は閉鎖されました。"),
    ],
)
def test_a_bar_of_links_goes_and_the_prose_beside_it_stays(bar: str, prose: str) -> None:
    for line in (f"{bar} {prose}", f"{prose} {bar}"):
        assert cleaned(line) == prose


@pytest.mark.parametrize(
    "sentence",
    [
        "Facebook, Twitter and Reddit were asked about it, but none of them gave an answer to the paper.",
        "Readers who log in or sign up can read more about the privacy policy of the town on its site.",
        "用户可以登录或注册后再发表评论，也可以在首页上找到关于我们的介绍，而不必离开这个网站。",
        "The site says that we use cookies to improve the visit, and the court found that to be too little.",
    ],
)
def test_phrases_inside_a_sentence_cut_nothing(sentence: str) -> None:
    if "use cookies" in sentence:  # a sentence that asks for consent is lost, but only that one
        after = "The judges said so in a letter of the same day, which was read in all the papers."
        assert cleaned(f"{sentence} {after}") == after
    else:
        assert cleaned(sentence) == sentence


CHINESE = (
    "培顿·曼宁成为史上首位带领两支不同球队多次进入超级碗的四分卫。他也以39岁高龄参加超级碗而成为史上年龄最大的四分卫。",
    "在实验室中，地层学家分析可从现场带回的地层剖面样本，例如来自岩心的样本（见图）。[需要引证]",
    "他最喜欢的手机是iPhone和MacBook以及iPad，这些产品都由苹果公司设计，而零件来自许多国家。",
)
JAPANESE = (
    "夜のうちに川の水が道路にあふれたため、橋は閉鎖されました。住民は遠回りをしなければなりませんでした。",
    "この町では毎年夏に祭りが行われ、多くの人が川のほとりに集まって花火を見ます。",
)


@pytest.mark.parametrize("prose", ["".join(CHINESE), *CHINESE, "".join(JAPANESE), *JAPANESE])
@pytest.mark.parametrize(
    ("head", "foot"),
    [
        ("The DailyWorldSportWe use cookies to improve this site. Accept allRiversBy our staff", "Most readContact"),
        ("HomeBlogArchiveAboutRivers", "NewsletterSubscribe© 2021 The blog. Privacy policy"),
        ("首页新闻体育关于我们联系我们登录注册", "相关阅读上一篇下一篇版权所有"),
        ("ForumMembersRivers", "Reply Quote ReportPowered by a forum program"),
    ],
)
def test_unspaced_prose_in_one_line_with_its_page_stays_whole(prose: str, head: str, foot: str) -> None:
    text = cleaned(f"{head}{prose}{foot}")
    assert prose in text
    for gone in ("cookies", "HomeBlog", "NewsletterSubscribe", "登录注册", "相关阅读"):
        assert gone not in text


STOPLESS = {
    "th": (
        "เรือข้ามฟากแล่นข้ามอ่าวทุกชั่วโมงและในฤดูร้อนก็รับจักรยานของผู้โดยสารด้วย ส่วนในฤดูหนาวเรือจะออกเฉพาะวันเสาร์และวันอาทิตย์เท่านั้น",
        ("หน้าแรก", "ข่าว", "กีฬา", "ติดต่อเรา"),
    ),
    "lo": (
        "ເຮືອຂ້າມຟາກແລ່ນຂ້າມອ່າວທຸກຊົ່ວໂມງແລະໃນລະດູຮ້ອນກໍຮັບລົດຖີບຂອງຜູ້ໂດຍສານນຳ ສ່ວນໃນລະດູໜາວເຮືອຈະອອກສະເພາະວັນເສົາແລະວັນອາທິດເທົ່ານັ້ນ",
        ("ໜ້າຫຼັກ", "ຂ່າວ", "ກິລາ", "ຕິດຕໍ່"),
    ),
    "km": (
        "សាឡាងឆ្លងកាត់ឈូងសមុទ្ររៀងរាល់ម៉ោងហើយនៅរដូវក្ដៅវាក៏ដឹកកង់របស់អ្នកដំណើរផងដែរ ចំណែកនៅរដូវរងាសាឡាងចេញដំណើរតែថ្ងៃសៅរ៍និងថ្ងៃអាទិត្យប៉ុណ្ណោះ",
        ("ទំព័រដើម", "ព័ត៌មាន", "កីឡា", "ទំនាក់ទំនង"),
    ),
}
ENGLISH = "The timetable of the ferry is printed every year in May, and it can be bought on board for a small fee. "


@pytest.mark.parametrize("language", STOPLESS)
def test_prose_without_full_stops_stays_and_its_menu_goes(language: str) -> None:
    prose, menu = STOPLESS[language]
    listed = "\n".join(menu * 2)
    for page in (f"{listed}\n\n{prose}\n\n© 2024", f"{listed}\n\n{prose}\n\n{listed}\n\n{ENGLISH * 4}"):
        text = cleaned(page)
        assert prose in text
        assert menu[0] not in text
    assert prose in cleaned(f"{' '.join(menu)} {prose}")


def test_a_menu_without_full_stops_in_one_line_is_no_prose() -> None:
    for prose, menu in STOPLESS.values():
        text = cleaned(f"{' '.join(menu * 6)}\n\n{prose}\n\n{prose}")
        assert text.count(prose) == 2
        assert menu[0] not in text


def test_the_quote_that_ends_a_sentence_stays_with_it() -> None:
    prose = '"From now on you should pay more for oil, as we have to pay more for bread and for cloth."'
    assert cleaned(f"Home\nLog in\n{prose}\n\nSubscribe") == prose


def test_a_german_quote_stays_with_its_sentence() -> None:
    prose = "Er sagte am Abend: „Die Brücke ist gesperrt, und niemand weiß, wann sie wieder geöffnet wird.“"
    assert cleaned(f"{prose}Most readTen ways to sleepContact") == prose


def test_latin_words_that_begin_a_chinese_sentence_are_no_menu() -> None:
    prose = "ARPANET和SITA于1969年开始运营。在1973年之前，大约开发了二十种不同的网络技术。"
    assert prose in cleaned(f"Packet switchingCart (0)Log inPacket switching{prose}")


def test_a_name_behind_a_menu_is_not_cut() -> None:
    prose = "BSkyB's broadcasts are sent in two formats, and most of them can be seen in the whole of the country."
    assert prose in cleaned(f"Sky (United Kingdom)HomeBlogAboutSky (United Kingdom){prose}")


@pytest.mark.parametrize(
    "sentence",
    [
        "Six-time Grammy winner Lady Gaga sang, while Academy Award winner Marlee Matlin provided American Sign "
        "Language translation, Coldplay headlined, Bruno Mars danced.",
        "著名校友有：首席执行官萨蒂亚·纳德拉，甲骨文公司创始人拉里·埃伦斯，高盛首席执行官荣·柯赞，麦肯锡公司创始人、"
        "经济学家阿瑟·卡梅伦，芝加哥小熊队老板汤姆·里基茨。",
    ],
)
def test_a_long_sentence_of_names_is_prose(sentence: str) -> None:
    other = "\n\n".join([ENGLISH if sentence.isascii() else "".join(CHINESE)] * 4)
    page = f"Home\nNews\nSport\nContact\nLog in\n\n{sentence}\n\nShare\nMost read\nContact\nFares\nHelp\n\n{other}"
    assert sentence in cleaned(page)


def test_a_sentence_of_names_that_touches_the_foot_of_its_page_stays() -> None:
    prose = (
        "It is said that the ferry has crossed the bay every hour since the war, and that in the summer it takes the "
        "bicycles of those who ask as well. It stops at six, as all of them do, and is then washed. What there is to "
        "see from it is told in the book of the line."
    )
    names = (
        "Two-time world champion and harbour pilot Anna Berg opened the summer regatta, while former race director "
        "Peter Lund provided live English (EN) commentary and Danish Radio (DR) music."
    )
    head, foot = "Bay Lines 50Jump to contentBay Lines 50", "Categories: FerriesThis page was last edited on 3 May."
    text = cleaned(f"{head}{prose}{names}{foot} Text is available under a free licence.")
    assert names in text
    assert "Jump" not in text


def test_a_banner_whose_first_word_a_link_touches_is_found() -> None:
    prose = "Il camoscio abita i boschi alti e i prati sopra il limite degli alberi. Si nutre di erbe e di muschi."
    text = cleaned(f"HomeChi siamoPubblicitàUtilizziamo i cookie per il sito. Accetta tuttiCamoscio{prose}")
    assert prose in text
    assert "cookie" not in text


def test_a_thai_banner_ends_at_a_space() -> None:
    banner = "เว็บไซต์นี้ใช้คุกกี้เพื่อปรับปรุงการใช้งานของท่าน"
    prose = "เรือข้ามฟากแล่นผ่านอ่าวทุกชั่วโมง ในฤดูร้อนเรือรับจักรยานของผู้โดยสารด้วย เรือจอดตอนหกโมงเย็น"
    text = cleaned(f"{banner} {prose}")
    assert prose in text
    assert banner not in text
