"""Words that say how a sentence is built and not what it is about, by language.

Short lists on purpose: a word that may be a name or a subject ("may", "will", "state") stays out. Articles, pronouns,
prepositions, conjunctions, auxiliary verbs and question words, written down for this project from the grammar of each
language; keys are ISO 639-1. Letters that stand alone after an apostrophe ("d'eau", "don't") are words here.
"""

from __future__ import annotations

from typing import Final

_TABLE: Final = {
    "ar": "في من على إلى عن مع هذا هذه ذلك تلك التي الذي الذين ما ماذا هل كيف متى أين كم لماذا أي هو هي هم كان كانت "
    "يكون أن إن لا لم لن قد أو ثم و ف ب ل بين بعد قبل عند كل",
    "ca": "el la els les un una uns unes de del dels d l a al als en amb per i o que què qui com quan on quin quina "
    "quins quines quant quants és són era va ha han s es se no més aquest aquesta seu seva",
    "cs": "a i o u v ve k ke s se z ze na do od po pro při za že který která které kteří co kdo jak kdy kde proč "
    "kolik jaký jaká jaké je jsou byl byla bylo byly být by si ho jeho její jejich to ten ta tento tato nebo ale "
    "jako než",
    "da": "en et den det de der som og eller men i på af til fra med for om ved at er var har havde blev bliver kan "
    "hvad hvem hvor hvornår hvordan hvorfor hvilken hvilket hvilke ikke han hun sin sit sine",
    "de": "der die das den dem des ein eine einer eines einem einen und oder aber in im ins an am auf aus bei beim "
    "mit nach von vom vor zu zum zur über unter für um durch gegen ohne bis seit während wegen als wie wenn dass daß "
    "ob ist sind war waren wird werden wurde wurden hat haben hatte hatten kann können konnte sein seine seiner "
    "seinem seinen ihr ihre ihrer ihrem ihren er sie es ich du wir man sich nicht auch noch nur was wer wen wem "
    "wessen wann wo woher wohin warum welche welcher welches welchen welchem wieviel viel viele diese dieser dieses "
    "diesem diesen worin woran worauf woraus wobei wodurch wofür womit wonach worüber wovon wozu darin daran darauf "
    "daraus dabei dadurch dafür damit danach darüber davon dazu",
    "el": "ο η το οι τα του της των τον την τους τις στο στη στην στον στα στους στις σε από με για και ή να που "
    "πού πως πώς πότε ποιος ποια ποιο ποιοι ποιες τι πόσο πόσα πόσοι γιατί είναι ήταν έχει έχουν είχε δεν θα ως "
    "κατά μετά αυτό αυτή ένα μια ένας",
    "en": "a an the and or but if of in on at by for from to with without into onto over under about between through "
    "during as than that this these those it its he him his she her hers they them their we us our you your i me my "
    "is are was were be been being am do does did done has have had having can could would should shall not no nor "
    "so such there here what which who whom whose when where why how many much s t d ll re ve",
    "es": "el la los las un una unos unas de del a al en con por para sin sobre entre desde hasta y e o u pero si no "
    "que qué quien quién quienes quiénes cual cuál cuales cuáles como cómo cuando cuándo donde dónde cuanto cuánto "
    "cuanta cuánta cuantos cuántos cuantas cuántas es son era eran fue fueron ser ha han había se su sus lo le les "
    "este esta estos estas ese esa esto eso más muy también cuyo cuya cuyos cuyas según",
    "et": "ja või aga et kui on oli olid ei see seda selle mis mida mille kes keda kelle kus kuidas millal miks mitu "
    "ta tema nad oma ka ning",
    "fa": "و در به از که این آن با را است بود برای یا هم تا بر چه کی کجا چرا چگونه چند آیا می شد شده کدام",
    "fi": "ja tai mutta että jos kun kuin on oli ovat olivat ei se sen sitä ne niiden hän hänen he mikä mitä minkä "
    "missä mistä mihin kuka ketkä kenen kuinka miten milloin miksi joka jotka jonka jossa josta myös",
    "fr": "le la les l un une des de du d à au aux en dans sur sous par pour avec sans chez entre vers et ou mais "
    "si ne n pas que qu qui quoi dont où quand comment pourquoi combien quel quelle quels quelles est sont était "
    "étaient fut a ont avait être été il elle ils elles on je j tu nous vous se s son sa ses leur leurs ce c cet "
    "cette ces y plus aussi t m",
    "he": "של את על עם אל מן כי אם או גם לא אין יש זה זו זאת הוא היא הם הן היה הייתה היו אשר כאשר מה מי מתי איפה "
    "היכן למה מדוע איך כיצד כמה איזה איזו אילו באיזה באיזו האם בידי ידי בין לאחר לפני עד כל מהו מהי",
    "hi": "का के की को में से पर ने और या है हैं था थे थी हो यह ये वह वे क्या कौन कब कहाँ कहां कैसे क्यों कितने कितना कितनी किस किसने "
    "जो कि भी तो ही एक लिए साथ नहीं",
    "hu": "a az egy és vagy de hogy ha nem is van volt voltak lesz mi mit ki kit kik mely melyik milyen mikor hol "
    "hová honnan hogyan miért mennyi hány ez ezt azt amely aki ami mint meg csak",
    "hy": "և ու կամ է են էր էին մի այդ այս որ որը ինչ ով երբ որտեղ ինչպես ինչու քանի չի նա նրա իր",
    "id": "yang dan atau di ke dari pada untuk dengan oleh dalam adalah ini itu tidak akan telah sudah apa siapa "
    "kapan mana bagaimana mengapa berapa ada sebagai juga ia nya para",
    "it": "il lo la i gli le l un uno una di del dello della dei degli delle a al allo alla ai agli alle da dal "
    "dalla dai dalle in nel nello nella nei nelle su sul sulla sui sulle con per tra fra e ed o ma se che chi cui "
    "quale quali quando dove come perché quanto quanta quanti quante è sono era erano fu ha hanno aveva essere stato "
    "si suo sua suoi loro questo questa questi queste non più anche ci d c dell nell all dall sull",
    "lt": "ir ar bet kad jei kai yra buvo ne tai tas ta šis ši kas ką kuris kuri kurie kur kada kaip kodėl kiek jis "
    "ji jie jo jos su iš į po per už nuo iki apie",
    "nl": "de het een en of maar in op aan van voor met bij naar uit over door om te tot als dan dat die dit deze er "
    "is zijn was waren wordt worden werd werden heeft hebben had kan kunnen niet ook wat wie wiens wanneer waar "
    "waarom hoe hoeveel welke welk hij zij ze hun haar zich waarin waaraan waarop waaruit waarmee waarvoor waarover "
    "waarvan daarin daaraan daarop daaruit daarmee daarvoor daarover daarvan",
    "no": "en et ei den det de som og eller men i på av til fra med for om ved at er var har hadde ble blir kan hva "
    "hvem hvor når hvordan hvorfor hvilken hvilket hvilke ikke han hun sin sitt sine",
    "pl": "i a w we z ze na do od po o u dla przez przy za pod nad że który która które którzy których co kto kogo "
    "jak kiedy gdzie dlaczego ile jaki jaka jakie jest są był była było były być się jego jej ich to ten ta te nie "
    "lub oraz ale jako",
    "pt": "o a os as um uma uns umas de do da dos das em no na nos nas por pelo pela pelos pelas para com sem sobre "
    "entre até e ou mas se não que quem qual quais quando onde como porque quanto quanta quantos quantas é são era "
    "eram foi foram ser há tem têm tinha seu sua seus suas ele ela eles elas este esta esse essa isso ao aos à às",
    "ro": "un o al a ai ale cel cea cei cele de la în din pe cu pentru prin la sub spre între și sau dar dacă nu că "
    "ce cine care când unde cum cât câți câte câtă este e sunt era erau fost a au avea se își său sa lui ei lor "
    "acest această",
    "ru": "и в во не что он на я с со как а то все она так его но да ты к у же вы за бы по только ее её мне было вот "
    "от о из ему когда кто какой какая какое какие каком который которая которое которые где почему сколько чем чего "
    "для до или при был была были быть есть их это этот эта эти об",
    "sr": "и у на је су се да од за са из о по до код као који која које што шта ко када где како зашто колико био "
    "била било не али или i u na je su se da od za sa iz o po do kod kao koji koja koje što šta ko kada gde kako "
    "zašto koliko bio bila bilo ne ali ili",
    "sv": "en ett den det de som och eller men i på av till från med för om vid att är var har hade blev blir kan "
    "vad vem vilka vilken vilket var när hur varför många inte han hon sin sitt sina",
    "ta": "ஒரு மற்றும் இந்த அந்த என்று என்ன யார் எப்போது எங்கே எப்படி ஏன் எத்தனை இது அது உள்ளது இருந்து என",
    "tr": "ve veya ile bir bu şu o da de ki mi mı mu mü için gibi kadar ne neden nasıl nerede nereye ne kim kimin "
    "hangi kaç zaman olan olarak oldu olduğu değil çok en daha ama",
    "uk": "і й та в у на не що він вона вони воно з із зі як а до від за по про для або але це цей ця ці який яка "
    "яке які хто коли де чому скільки чим був була було були бути є його її їх",
    "vi": "và của là có trong cho với các những một được không này đó khi từ đến ở tại bởi như thì mà ai gì nào đâu "
    "bao nhiêu sao thế",
}

FUNCTION_WORDS: Final[dict[str, frozenset[str]]] = {
    language: frozenset(word.casefold() for word in words.split()) for language, words in _TABLE.items()
}
"""Function words by language, folded as the analyser folds words."""

# Unspaced scripts have no words to leave out: a pair of characters that is only grammar is left out instead.
_PAIRS: Final = (
    "什么 怎么 怎样 如何 为何 哪个 哪些 哪里 哪儿 哪位 哪种 多少 几个 是谁 谁是 是什 么是 为什 的是 是哪 了多 有多 "
    "什麼 怎麼 怎樣 為何 哪裡 哪裏 哪兒 為什 麼是 有哪 在哪 "
    "です ます でし まし した して いる ある する れる から まで こと もの これ それ あれ どこ だれ なに いつ "
    "どの どう なぜ すか"
)
FUNCTION_PAIRS: Final = frozenset(_PAIRS.split())
"""Pairs of characters of Chinese and Japanese that only ask or join."""
