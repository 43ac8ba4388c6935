"""Texts in several scripts, and a question to each with the text that answers it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Corpus:
    """``texts[0]`` answers ``question``."""

    question: str
    texts: tuple[str, ...]


CORPORA: Final = {
    "en": Corpus(
        "When was the lighthouse of Amberly built?",
        (
            "The lighthouse of Amberly was built of red stone in 1874.",
            "The harbour of Amberly was deepened twice for larger ships.",
            "Bread rises because yeast makes gas in the dough.",
            "A violin has four strings, which are tuned in fifths.",
        ),
    ),
    "zh": Corpus(
        "灯塔是哪一年建成的？",
        (
            "这座灯塔用红色石头砌成，建成于1874年。",
            "港口为了停靠更大的船只，先后疏浚了两次。",
            "酵母在面团中产生气体，所以面包会膨胀。",
            "小提琴有四根弦，按五度音程定弦。",
        ),
    ),
    "ja": Corpus(
        "灯台はいつ建てられましたか。",
        (
            "この灯台は赤い石で1874年に建てられました。",
            "港は大きな船のために二度深く掘られた。",
            "パンが膨らむのは酵母がガスを出すからです。",
            "バイオリンには四本の弦があります。",
        ),
    ),
    "ko": Corpus(
        "등대는 언제 지어졌습니까?",
        (
            "이 등대는 붉은 돌로 1874년에 지어졌다.",
            "항구는 더 큰 배를 위해 두 번 깊어졌다.",
            "빵은 효모가 가스를 내기 때문에 부푼다.",
            "바이올린에는 네 개의 현이 있다.",
        ),
    ),
    "th": Corpus(
        "ประภาคารสร้างเมื่อไร",
        (
            "ประภาคารแห่งนี้สร้างด้วยหินสีแดงในปี 1874",
            "ท่าเรือถูกขุดให้ลึกขึ้นสองครั้งสำหรับเรือขนาดใหญ่",
            "ขนมปังพองตัวเพราะยีสต์ปล่อยก๊าซ",
            "ไวโอลินมีสี่สาย",
        ),
    ),
    "mixed": Corpus(
        "RK3588 芯片的 NPU 算力是多少？",
        (
            "RK3588 的 NPU 算力为 6 TOPS，支持 INT4 和 INT8 运算。",
            "RK3576 芯片采用八核 CPU，面向物联网设备。",
            "Orange Pi 5 is a board with up to 32 GB of memory.",
            "安装驱动之前，请先更新系统。",
        ),
    ),
    "de": Corpus(
        "Wie hoch ist die Geschwindigkeit auf der Autobahn begrenzt?",
        (
            "Die Geschwindigkeitsbegrenzung liegt dort bei 120 km/h, auf Autobahnabschnitten mit Baustellen bei 80.",
            "Der Bahnhof wurde im vergangenen Jahr umgebaut und hat nun vier Gleise.",
            "Brot geht auf, weil die Hefe im Teig Gas bildet.",
            "Eine Geige hat vier Saiten, die in Quinten gestimmt sind.",
        ),
    ),
}

ARTICLE: Final = (
    "The old lighthouse of Amberly stands on a cliff above the bay and can be seen from far away.",
    "It was built of red stone in 1874, after three ships had been lost on the rocks in one winter.",
    "Since 1990 its lamp has worked without a keeper, and the house beside it is open to visitors in summer.",
)
MENU: Final = ("Home", "Products", "Log in", "Subscribe to our newsletter")
FOOTER: Final = "© 2024 Amberly Times. All rights reserved."

PAGE: Final = (
    "<!DOCTYPE html><html><head><title>The lighthouse of Amberly</title></head><body><nav><ul>"
    + "".join(f'<li><a href="/{number}">{item}</a></li>' for number, item in enumerate(MENU))
    + "</ul></nav><main><article><h1>The lighthouse</h1>"
    + "".join(f"<p>{text}</p>" for text in ARTICLE)
    + f"</article></main><footer><p>{FOOTER}</p></footer></body></html>"
)
FLATTENED: Final = "\n".join((*MENU, "", *ARTICLE, "", FOOTER))
