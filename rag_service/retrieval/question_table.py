"""Words of questions, by language: what asks, what only asks politely, what relates. An own compilation.

Entries stand between commas; ``*`` at the end stands for any ending.
"""

from __future__ import annotations

from typing import Final

from rag_service.retrieval.turn_languages import phrases_for

# What a question asks with.
QUESTION_WORDS: Final[dict[str, str]] = {
    "en": "what, who, whom, whose, when, where, why, which, how, how many, how much, how long, how often, how far, "
    "what's, who's, where's, whats",
    "de": "was, wer, wen, wem, wessen, wann, wo, woher, wohin, warum, wieso, weshalb, wie, wieviel, wie viel, "
    "wie viele, welche, welcher, welches, welchen, welchem, wozu, womit, wodurch, worüber, wofür, woran, "
    "welch*, in welchem, seit wann, bis wann",
    "es": "qué, que, quién, quiénes, cuándo, dónde, por qué, cómo, cuál, cuáles, cuánto, cuánta, cuántos, cuántas, "
    "adónde",
    "fr": "que, qui, quoi, quand, où, pourquoi, comment, quel, quelle, quels, quelles, combien, qu, lequel, "
    "laquelle, depuis quand",
    "it": "che, chi, cosa, che cosa, quando, dove, perché, come, quale, quali, quanto, quanta, quanti, quante, "
    "cos, qual",
    "pt": "que, quem, o que, quando, onde, por que, porque, como, qual, quais, quanto, quanta, quantos, quantas, "
    "aonde",
    "nl": "wat, wie, wiens, wanneer, waar, waarom, hoe, welk, welke, hoeveel, waarheen, waarvoor, waarmee, "
    "hoelang, sinds wanneer, welk jaar",
    "pl": "co, kto, kogo, komu, czyj, kiedy, gdzie, dlaczego, czemu, jak, jaki, jaka, jakie, który, która, które, "
    "ile, ilu, skąd, dokąd, kim, czym, jakim, czego, któr*, jak*, ile*, czyja, czyje",
    "ru": "что, кто, кого, кому, чей, когда, где, куда, откуда, почему, зачем, как, какой, какая, какое, какие, "
    "какую, сколько, который, чем, кем, каков, какова, каково, как*, котор*, скольк*, чем*, насколько",
    "zh": "什么, 谁, 哪里, 哪儿, 哪个, 哪些, 哪年, 哪一年, 哪, 多少, 几, 怎么, 怎样, 怎么样, 如何, 为什么, 为何, "
    "何时, 什么时候, 多久, 多长, 多高, 多大, 多远, 多深, 是否, 有没有, 是不是, 能不能, 吗, 哪一本, 哪一个, "
    "哪一种, 哪一位, 第几",
    "ja": "何, なに, なん, 誰, だれ, どこ, どちら, いつ, なぜ, どうして, なんで, どう, どの, どれ, どんな, いくら, "
    "いくつ, どのくらい, どれくらい, 何年, 何人, 何時, か",
    "ko": "무엇, 무엇을, 무엇이, 무엇인가요, 뭐, 뭐야, 뭐예요, 누구, 누가, 언제, 어디, 어디서, 어디에, 어디에서, "
    "왜, 어떻게, 어떤, 어느, 몇, 얼마, 얼마나, 얼마였나요, 얼마인가요, 무슨, 누구인가요",
    "tr": "ne, kim, kimin, kime, ne zaman, nerede, nereden, nereye, neden, niçin, niye, nasıl, hangi, hangisi, "
    "kaç, kaçtı, kaçtır, ne kadar, nedir, kimdir, mı, mi, mu, mü, hangi yıl, hangi yılda, kaçta, kaçıncı, "
    "nereli, neresi, neyi",
    "ar": "ما, ماذا, من, متى, أين, لماذا, كيف, كم, أي, أية, هل, بكم, لمن",
    **phrases_for("QUESTION_WORDS"),
}

# Questions of these with one word more ("what is inflation?") are complete.
DEFINING: Final[dict[str, str]] = {
    "en": "what is, what are, what was, what were, what's, whats, who is, who was, who are, who were, who's, "
    "what does, define, explain, meaning of, how does, how do, describe",
    "de": "was ist, was sind, was war, wer ist, wer war, wer sind, was bedeutet, was heißt, definiere, erkläre, "
    "bedeutung von, wie funktioniert, wie funktionieren, was versteht man",
    "es": "qué es, qué son, qué era, quién es, quién fue, quién era, qué significa, define, explica, "
    "cómo funciona, cómo funcionan",
    "fr": "qu'est ce que, qu'est ce qu, qui est, qui était, qui sont, c'est quoi, que signifie, définis, explique, "
    "comment fonctionne, comment marche",
    "it": "cos'è, cosa è, cosa sono, che cos'è, che cosa è, chi è, chi era, chi fu, cosa significa, definisci, "
    "spiega, come funziona",
    "pt": "o que é, o que são, quem é, quem foi, quem era, o que significa, defina, explique, como funciona",
    "nl": "wat is, wat zijn, wat was, wie is, wie was, wie zijn, wat betekent, definieer, hoe werkt",
    "pl": "co to jest, co to, czym jest, czym są, kim jest, kim był, kim była, kto to, co oznacza, co znaczy, "
    "zdefiniuj, jak działa",
    "ru": "что такое, кто такой, кто такая, кто это, кто был, что значит, что означает, определи, как работает",
    "zh": "什么是, 是什么, 什么叫, 是谁, 谁是, 的意思, 怎么工作",
    "ja": "とは, 何ですか, 何, 誰ですか, 誰, どういう意味",
    "ko": "뭐예요, 뭐야, 무엇인가요, 무엇입니까, 이란, 란, 누구, 누구인가요, 누구예요",
    "tr": "nedir, kimdir, ne demek, ne demektir, nasıl çalışır",
    "ar": "ما هو, ما هي, من هو, من هي, ما معنى, ماذا يعني",
    **phrases_for("DEFINING"),
}

# Make a question of a sentence, and ask for nothing in particular.
YES_NO: Final[dict[str, str]] = {
    "pl": "czy",
    "ru": "ли",
    "zh": "吗, 是否, 有没有, 是不是, 能不能, 可不可以, 会不会",
    "ja": "か",
    "ko": "나요, 까",
    "tr": "mı, mi, mu, mü, misin, mısın",
    "ar": "هل",
    **phrases_for("YES_NO"),
}

# Words of asking and being polite: they say nothing of what is asked for.
REQUESTS: Final[dict[str, str]] = {
    "en": "please, pls, plz, can, could, would, you, tell, me, know, want, like, need, to, give, show, explain, "
    "describe, find, search, look, help, us, i'd, i, exactly, actually, btw, question, about, d, ll, m, s, "
    "t, re, ve, say, says, said, mean, means, u, let, want to know, get, do, did, happens, happen, kind of, "
    "some, own, got, question is, use, used, make, go",
    "de": "bitte, kannst, können, könntest, könnten, du, sie, mir, sag, sagen, sage, erzähl, erzähle, erkläre, "
    "erklär, erklären, nenne, zeig, zeige, such, suche, finde, finden, wissen, weißt, möchte, will, würde, "
    "gern, gerne, gib, geben, genau, eigentlich, denn, mal, frage, steht, sagt, bedeutet, ich, man, gilt, "
    "passiert, macht, braucht, ist, s, eben, aha, verrate, verraten, kurz mal, angehängte, angehängten, "
    "hochgeladene, hochgeladenen, beigefügte, geht, handelt, ging",
    "es": "por favor, puedes, puede, podrías, podría, me, decir, dime, di, explica, explícame, cuéntame, busca, "
    "encuentra, saber, quiero, quisiera, necesito, dame, muestra, muéstrame, exactamente, pregunta, dice, "
    "significa, favor, hay, pasa, es, son, fue, era, hacer, hizo, hace, tiene, decirme, explicarme, "
    "ayudarme, mostrarme, darme, contarme, hacerme, podría usted, usted",
    "fr": "stp, svp, s'il te plaît, s'il vous plaît, peux, peut, pouvez, pourrais, pourriez, tu, vous, me, moi, "
    "dire, dis, explique, expliquer, raconte, cherche, trouve, savoir, sais, savez, veux, voudrais, besoin, "
    "donne, montre, exactement, question, dit, signifie, plaît, est ce que, est ce qu, qu'est ce que, t, c, "
    "j, l, d, n, s, m, a, y, fait, faites",
    "it": "per favore, puoi, può, potresti, potrebbe, mi, dire, dimmi, spiega, spiegami, racconta, raccontami, "
    "cerca, trova, sapere, voglio, vorrei, bisogno, dammi, mostra, mostrami, esattamente, domanda, dice, "
    "significa, favore, c, l, d, s, è, ha, fare, solito, aiutarmi, dirmi, spiegarmi, farmi, darmi, "
    "mostrarmi, fammi",
    "pt": "por favor, pode, podes, poderia, podia, você, me, dizer, diga, explica, explique, conte, procure, "
    "encontre, saber, quero, queria, gostaria, preciso, dê, mostre, exatamente, pergunta, diz, significa, "
    "favor, é, são, há, tem, fazer, dizer me, fazer me, explicar me, mostrar me, ajudar, posso",
    "nl": "alsjeblieft, alstublieft, aub, kun, kan, kunt, zou, je, u, mij, me, zeggen, zeg, leg, uit, vertel, "
    "zoek, vind, weten, wil, graag, nodig, geef, toon, laat, precies, eigenlijk, vraag, staat, betekent, eens",
    "pl": "proszę, czy, możesz, może, mógłbyś, mi, mnie, powiedzieć, powiedz, wyjaśnij, opowiedz, znajdź, szukaj, "
    "wiedzieć, chcę, chciałbym, chciałabym, potrzebuję, daj, pokaż, dokładnie, pytanie, mówi, znaczy, jest, "
    "są, był, było",
    "ru": "пожалуйста, можешь, можете, мог, могли, ли, ты, вы, мне, сказать, скажи, скажите, объясни, объясните, "
    "расскажи, расскажите, найди, найдите, знать, знаешь, хочу, хотел, нужно, дай, покажи, точно, именно, "
    "вопрос, говорит, значит, это, есть, было, был, была, же, сделал, такое, подскажи, подскажите, "
    "будь добр, будьте добры, прошу",
    "zh": "和, 与, 请, 请问, 请你, 能, 可以, 能否, 告诉, 告诉我, 我, 你, 想, 想知道, 知道, 解释, 介绍, 介绍一下, "
    "说, 说一下, 讲, 给, 帮, 帮我, 查, 查一下, 搜索, 找, 一下, 关于, 有, 是, 的, 了, 吗, 呢, 吧, 啊, 在, 做, "
    "问, 写, 用, 怎么说, 需要, 会, 怎样, 能不能, 可不可以, 麻烦, 帮忙, 给我, 把, 份, 篇, 个, 成",
    "ja": "ください, 教えて, 教えてください, 知りたい, 知りたいです, お願い, お願いします, 説明, 説明して, "
    "について, とは, です, ですか, ます, ますか, ました, ましたか, か, どうか, もらえますか, いただけますか, "
    "は, が, を, に, の, で, と, も, へ, から, まで, より, ね, よ, って, という, ある, いる, する, した, "
    "して, れました, た, だ, な",
    "ko": "주세요, 줘, 알려, 알려줘, 알려주세요, 말해, 설명해, 설명해줘, 궁금해요, 궁금합니다, 싶어요, 좀, 정확히, "
    "대해, 대하여, 관해, 있나요, 있어요, 인가요, 입니까, 했나요, 했어요, 만들었나요, 하나요, 되나요, 은, 는, "
    "이, 가, 을, 를, 의, 에, 에서, 년, 년은, 년은요, 년에, 년에는, 월, 월은, 월은요, 요, 은요, 는요",
    "tr": "lütfen, bana, söyle, söyler misin, anlat, açıkla, bul, ara, bilmek, istiyorum, gerek, ver, göster, tam, "
    "tam olarak, soru, diyor, demek, var, yok, de, da, te, ta, nin, nın, nun, nün, in, ın, un, ün, i, ı, u, "
    "ü, e, a, den, dan, ten, tan, ki, olan, oldu, peki, edebilir, misin, misiniz, miyim",
    "ar": "من فضلك, لو سمحت, هل, يمكنك, تستطيع, أن, تخبرني, أخبرني, قل, لي, اشرح, أريد, معرفة, أعرف, أحتاج, أعطني, "
    "ابحث, بالضبط, سؤال, يقول, يعني, عن, في, على, إلى, مع, كان, كانت, هو, هي, وفي, ماذا, تم",
    **phrases_for("REQUESTS"),
}

# Between what is asked and what it is asked of: what follows them can change places.
RELATIONS: Final[dict[str, str]] = {
    "en": "of, in, for, at, on, from, by, with, near, to, between",
    "de": "von, vom, in, im, für, bei, beim, an, am, aus, auf, mit, zu, zum, zur, der, des, nach, zwischen, über",
    "es": "de, del, en, para, por, con, desde, a",
    "fr": "de, du, des, d, en, à, au, aux, dans, pour, par, avec, chez, sur",
    "it": "di, del, della, dello, dei, degli, delle, in, nel, nella, a, al, per, da, con, su",
    "pt": "de, do, da, dos, das, em, no, na, nos, nas, para, por, com, a, ao",
    "nl": "van, in, voor, op, bij, uit, met, te, aan, naar, richting, over",
    "pl": "w, we, z, ze, dla, na, od, do, o, u, przy",
    "ru": "в, во, на, из, для, от, у, о, об, с, со, по, при",
    "zh": "在, 从, 对",
    "ja": "の",
    "ko": "의",
    "tr": "için",
    "ar": "في, من, عن, على, إلى, وفي",
    **phrases_for("RELATIONS"),
}

# Forms of one relation, between spaces.
SAME_RELATIONS: Final[dict[str, str]] = {
    "de": "in im, an am, bei beim, von vom der des, zu zum zur",
    "es": "de del, a al",
    "fr": "de du des d, à au aux en",
    "it": "di del della dello dei degli delle, in nel nella nello nei a al, da dal dalla, su sul sulla",
    "pt": "de do da dos das, em no na nos nas, a ao à",
    "pl": "w we, z ze",
    "ru": "в во, с со, о об",
    "ar": "في وفي, عن وعن",
    **phrases_for("SAME_RELATIONS"),
}

# Stand before a noun and say nothing.
ARTICLES: Final[dict[str, str]] = {
    "en": "the, a, an, its, their, his, her, my, our",
    "de": "der, die, das, den, dem, des, ein, eine, einen, einem, einer, eines",
    "es": "el, la, los, las, un, una, unos, unas",
    "fr": "le, la, les, l, un, une, des",
    "it": "il, lo, la, i, gli, le, l, un, uno, una",
    "pt": "o, a, os, as, um, uma",
    "nl": "de, het, een",
    "pl": "ten, ta, to",
    "ru": "этот, эта",
    "tr": "bir, bu",
    "ar": "ال, هذا, هذه",
    **phrases_for("ARTICLES"),
}

# Any of these can stand in another's place.
MONTHS: Final[dict[str, str]] = {
    "en": "january, february, march, april, may, june, july, august, september, october, november, december",
    "de": "januar, jänner, februar, märz, april, mai, juni, juli, august, september, oktober, november, dezember",
    "es": "enero, febrero, marzo, abril, mayo, junio, julio, agosto, septiembre, octubre, noviembre, diciembre",
    "fr": "janvier, février, mars, avril, mai, juin, juillet, août, septembre, octobre, novembre, décembre",
    "it": "gennaio, febbraio, marzo, aprile, maggio, giugno, luglio, agosto, settembre, ottobre, novembre, dicembre",
    "pt": "janeiro, fevereiro, março, abril, maio, junho, julho, agosto, setembro, outubro, novembro, dezembro",
    "nl": "januari, februari, maart, april, mei, juni, juli, augustus, september, oktober, november, december",
    "pl": "styczeń, styczniu, luty, lutym, marzec, marcu, kwiecień, kwietniu, maj, maju, czerwiec, czerwcu, "
    "lipiec, lipcu, sierpień, sierpniu, wrzesień, wrześniu, październik, październiku, listopad, "
    "listopadzie, grudzień, grudniu",
    "ru": "январ*, феврал*, март, марте, марта, апрел*, мае, мая, май, июн*, июл*, август*, сентябр*, октябр*, "
    "ноябр*, декабр*",
    "tr": "ocak*, şubat*, mart*, nisan*, mayıs*, haziran*, temmuz*, ağustos*, eylül*, ekim*, kasım*, aralık*",
    "ar": "يناير, فبراير, مارس, أبريل, مايو, يونيو, يوليو, أغسطس, سبتمبر, أكتوبر, نوفمبر, ديسمبر",
    **phrases_for("MONTHS"),
}

# Likewise.
WEEKDAYS: Final[dict[str, str]] = {
    "en": "monday*, tuesday*, wednesday*, thursday*, friday*, saturday*, sunday*",
    "de": "montag*, dienstag*, mittwoch*, donnerstag*, freitag*, samstag*, sonnabend*, sonntag*",
    "es": "lunes, martes, miércoles, jueves, viernes, sábado*, domingo*",
    "fr": "lundi*, mardi*, mercredi*, jeudi*, vendredi*, samedi*, dimanche*",
    "it": "lunedì, martedì, mercoledì, giovedì, venerdì, sabato, domenica",
    "pt": "segunda, terça, quarta, quinta, sexta, sábado*, domingo*",
    "nl": "maandag*, dinsdag*, woensdag*, donderdag*, vrijdag*, zaterdag*, zondag*",
    "pl": "poniedziałek, wtorek, środa, środę, czwartek, piątek, sobota, sobotę, niedziela, niedzielę",
    "ru": "понедельник*, вторник*, сред*, четверг*, пятниц*, суббот*, воскресень*",
    "tr": "pazartesi*, salı, çarşamba*, perşembe*, cuma, cumartesi*, pazar, pazarları",
    "ar": "الاثنين, الثلاثاء, الأربعاء, الخميس, الجمعة, السبت, الأحد",
    **phrases_for("WEEKDAYS"),
}
