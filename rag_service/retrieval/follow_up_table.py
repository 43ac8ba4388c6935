"""Words by which a question leans on what was said before, by language: an own compilation.

Entries stand between commas; ``*`` at the end stands for any ending.
"""

from __future__ import annotations

from typing import Final

from rag_service.retrieval.turn_languages import phrases_for

# Before a question that goes on from the last one.
OPENERS: Final[dict[str, str]] = {
    "en": "and, but, so, or, then, also, plus, what else, and also, and then, but then, but also, or else, next",
    "de": "und, aber, also, oder, dann, sowie, doch, und dann, und was, außerdem, aha, sonst",
    "es": "y, e, pero, entonces, o, también, además, y entonces, pero entonces",
    "fr": "et, mais, donc, ou, alors, aussi, puis, et puis, et alors, et donc",
    "it": "e, ed, ma, quindi, o, allora, anche, poi, e poi, e allora",
    "pt": "e, mas, então, ou, também, depois, e então, e depois",
    "nl": "en, maar, dus, of, dan, ook, en dan",
    "pl": "a, i, ale, więc, lub, czy, też, to, no a, a co, i co",
    "ru": "а, и, но, или, тогда, еще, значит, ну а, а как, так",
    "zh": "那, 那么, 那如果, 但是, 但, 可是, 还有, 另外, 然后, 所以, 而, 和, 或者, 不过, 如果",
    "ja": "では, じゃあ, でも, しかし, そして, それで, だから, また, あと, それでは, ちなみに, それなら, それと",
    "ko": "그럼, 그러면, 그런데, 근데, 그리고, 하지만, 그래서, 또, 또는, 그렇다면",
    "tr": "peki, ve, ama, ya, o zaman, fakat, veya, ayrıca, peki ya, sonra",
    "ar": "و, لكن, إذن, ثم, أو, أيضا, ولكن, وهل, طيب, إذا, وماذا, ومتى, وأين, وكيف, وكم, ولماذا, ومن, وما, وفي",
    **phrases_for("OPENERS"),
}

# Puts something else in the place of what was asked about.
WHAT_ABOUT: Final[dict[str, str]] = {
    "en": "what about, how about, what of, and what about, and how about, same for, the same for, and for, "
    "what if, and if, what happens if, what happens when, and with, compared to, as for, and as for, "
    "what's with",
    "de": "was ist mit, wie sieht es in, wie sieht es mit, wie sieht es aus mit, wie sieht es bei, "
    "wie sieht's mit, wie sieht's in, wie steht es mit, wie ist es mit, wie ist es in, wie ist es bei, "
    "wie ist das mit, wie ist das in, wie ist das bei, was wäre mit, und was ist mit, und wie ist es mit, "
    "und wie ist es in, und bei, und für, und mit, was wenn, was passiert wenn, was ist wenn",
    "es": "qué hay de, qué tal, qué pasa con, y qué hay de, y qué pasa con, qué pasa si, y si, y para, y con, "
    "y en, y el de, y la de, qué ocurre con, qué ocurre si, y lo de",
    "fr": "qu'en est il de, qu'en est il du, qu'en est il des, qu'en est il pour, et pour, et concernant, quid de, "
    "quid du, quid des, et celui, et celle, et ceux, et avec, et si, que se passe t il si, "
    "et en ce qui concerne, et le, et la, et les, et en, et à, et au",
    "it": "che dire di, e per, che ne è di, e con, e quello, e quella, e quelli, e invece, cosa succede se, "
    "che succede se, e se, e riguardo, e in, e nel, e a, che mi dici di, e il, e la",
    "pt": "e quanto a, e quanto ao, e quanto à, e para, e com, e se, o que acontece se, e no caso de, e em, e no, "
    "e na, e sobre, e o, e a, que tal, e os, e as",
    "nl": "hoe zit het met, en hoe zit het met, wat dacht je van, en met, en voor, en bij, en in, wat als, "
    "wat gebeurt er als, en wat met, wat met",
    "pl": "a co z, co z, a jak z, a jeśli, a gdyby, co jeśli, co się stanie jeśli, a dla, a w, a we, a na, "
    "a w przypadku, jak jest z, a jak jest z, a o",
    "ru": "а как насчет, как насчет, а что насчет, что насчет, а что с, а как же, а если, что если, а для, а в, "
    "а во, а на, а с, что будет если, как обстоит дело с, а у, а по, а про",
    "zh": "那么如果, 那如果, 如果, 要是, 换成, 至于, 相比, 那对于, 对于",
    "ja": "については, に関しては, の場合は, だったら, の方は, のほうは",
    "ko": "은 어때, 는 어때, 어때, 어때요, 어떤가요, 어떻습니까, 경우는, 경우에는, 만약",
    "tr": "peki ya, ya peki, ne olur, ya da, peki, için de, olursa, ne dersin",
    "ar": "ماذا عن, وماذا عن, وماذا لو, ماذا لو, وماذا بخصوص, وبالنسبة, وبالنسبة ل, بالنسبة إلى, ماذا يحدث إذا, "
    "ماذا إذا, وإذا, وعن",
    **phrases_for("WHAT_ABOUT"),
}

# Stand for somebody or something named before. Those that often do not are in WEAK_PRONOUNS.
PRONOUNS: Final[dict[str, str]] = {
    "en": "it, its, it's, they, them, their, theirs, they're, he, him, his, he's, she, her, hers, she's, "
    "themselves, itself, himself, herself, thereof, that one, this one, these ones, those ones, the former, "
    "the latter, the same, the first one, the second one, the third one, the last one, the other one, "
    "the others, the one in, the one from, the one of, the ones in, each of them, both of them, one of them",
    "de": "er, ihm, ihn, seine, seiner, seinen, seinem, seines, sie, ihr, ihre, ihrer, ihren, ihrem, ihres, ihnen, "
    "dessen, deren, dort, damit, dafür, dagegen, davon, dazu, daran, darauf, darin, darüber, davor, daraus, "
    "darunter, dabei, danach, dadurch, daher, derselbe, dieselbe, dasselbe, dieser, diesem, diesen, diese, "
    "jener, jene, jenes, beide, beiden, letzterer, ersterer, derjenige, deshalb",
    "es": "ella, ellos, ellas, lo, su, sus, suyo, suya, eso, esa, ese, esos, esas, aquello, allí, allá, ahí, ésta, "
    "éste, el mismo, la misma, lo mismo, dicho, dicha, las uso, los uso",
    "fr": "il, elle, ils, elles, lui, leur, leurs, son, sa, ses, celui, celle, ceux, celles, celui ci, celle ci, "
    "celui là, celle là, là bas, dessus, dedans, ça, cela, ceci, le même, la même, t il, t elle",
    "it": "esso, essa, essi, esse, egli, lui, lei, loro, suo, sua, suoi, sue, quello, quella, quelli, quelle, "
    "lo stesso, la stessa, ciò",
    "pt": "ele, ela, eles, elas, dele, dela, deles, delas, nele, nela, seu, sua, seus, suas, isso, disso, nisso, "
    "aquilo, lá, ali, o mesmo, a mesma, lhe, lhes, esse, essa, desse, dessa, nesse, nessa",
    "nl": "hij, hem, zij, haar, hun, hen, ze, ervan, erover, ermee, ervoor, erop, erin, daarvan, daarover, "
    "daarmee, daarvoor, daarop, daarin, daar, dezelfde, hetzelfde, eraan",
    "pl": "on, ona, ono, oni, one, jego, jej, ich, im, mu, nim, nią, nich, niego, niej, nimi, tam, ten sam, "
    "ta sama, to samo, tego, temu, tym, tej, tych, jemu, go, ją",
    "ru": "он, она, оно, они, его, ее, её, их, им, ему, ей, ним, ней, них, нем, нём, ними, него, нее, неё, там, "
    "туда, оттуда, этого, этому, этим, этом, этой, эту, этот, эта, эти, этих, тот, та, те, того, тому, той, "
    "тем, такой, тот же, то же самое, это",
    "zh": "它, 它们, 他, 他们, 她, 她们, 其, 那里, 那儿, 那边, 这里, 这儿, 这个, 那个, 这些, 那些, 这种, 那种, 此, "
    "该, 前者, 后者, 两者, 当时, 那时, 它的, 他的, 她的, 这样, 那样, 这位, 那位, 这, 其中, 里面, 他俩, 这一点",
    "ja": "それ, その, それら, そこ, そちら, あれ, あの, あそこ, これ, この, ここ, 彼, 彼女, 彼ら, そう, そのとき, "
    "その後, 同じ, 前者, 後者, 両方, どちら, そんな",
    "ko": "그것, 그것은, 그것이, 그것을, 그것의, 그건, 그게, 그걸, 그거, 그, 그는, 그가, 그의, 그를, 그녀, 그녀는, "
    "그녀의, 그녀가, 그들, 그들은, 그들의, 거기, 거기서, 거기에, 거기는, 그곳, 그곳의, 그곳은, 그때, 이것, "
    "이건, 이것은, 저것, 둘 다, 그런, 같은, 해당",
    "tr": "o, onu, onun, ona, ondan, onda, onlar, onları, onların, onlara, orada, oranın, oraya, oradan, bunu, "
    "bunun, buna, bundan, bu, şu, şunu, bunlar, bunların, aynısı, aynı, kendisi, ikisi, hangisi, öyle, böyle",
    "ar": "هو, هي, هم, هن, هناك, هذا, هذه, ذلك, تلك, هؤلاء, أولئك, فيه, فيها, منه, منها, له, لها, لهم, عنه, عنها, "
    "به, بها, عليه, عليها, إليه, إليها, نفسه, نفسها, عددهم, سكانها, عاصمتها, مساحتها, كلاهما",
    **phrases_for("PRONOUNS"),
}

# As often without any such meaning ("it is true that …", "das Haus"); they count in short questions only.
WEAK_PRONOUNS: Final[dict[str, str]] = {
    "en": "this, that, these, those, there, then, here, one, ones, such, do so, did so, does so, which one, "
    "which ones, any, others, another, other, more, else, most, both, all of them, first, instead",
    "de": "es, das, dies, dieses, den, der, dem, da, hier, man das, andere, anderen, anderes, weitere, noch, mehr, "
    "solche, welche davon, so, sonst, stattdessen, gilt das, auch",
    "es": "esto, esta, este, estos, estas, la, las, los, aquí, más, otro, otra, otros, otras, tal, también, ambos",
    "fr": "ce, c, cet, cette, ces, l, lequel, laquelle, lesquels, lesquelles, autre, autres, d'autres, plus, "
    "encore, ici, aussi, là",
    "it": "questo, questa, questi, queste, lo, la, li, le, altro, altra, altri, altre, più, ancora, qui, anche, "
    "entrambi",
    "pt": "isto, este, esta, estes, estas, o, a, os, as, outro, outra, outros, outras, mais, aqui, também, ambos",
    "nl": "dit, dat, deze, het, andere, anderen, meer, nog, hier, zo, ook, beide",
    "pl": "to, ten, ta, te, tu, inne, inny, inna, więcej, jeszcze, taki, też, oba, się",
    "ru": "то, тут, здесь, другой, другая, другие, других, еще, больше, какой из, также, оба, так, такое",
    "zh": "那, 还, 更多, 其他, 别的, 另外, 哪个, 哪些, 也, 呢, 又, 再",
    "ja": "他, ほか, もっと, さらに, どれ, も, 別の, 他の",
    "ko": "이, 저, 다른, 더, 또, 어느, 도, 여기",
    "tr": "başka, diğer, daha, burada, biri, da, de, ikisi de, hangileri",
    "ar": "هنا, أخرى, آخر, أكثر, المزيد, غير ذلك, أي منها, كذلك, أيضا",
    **phrases_for("WEAK_PRONOUNS"),
}

# Set something beside what was talked about; with few other words they lean on it.
COMPARING: Final[dict[str, str]] = {
    "en": "others, another, other, more, else, one, ones, same, any others, both, instead, too, as well, "
    "which one, which ones, the one",
    "de": "andere, anderen, anderes, weitere, weiteren, noch, mehr, auch, sonst, stattdessen, welche davon, beide, "
    "gleiche, gleichen",
    "es": "otro, otra, otros, otras, más, también, ambos, ambas, cuál de, mismo, misma, demás",
    "fr": "autre, autres, plus, aussi, encore, lequel, laquelle, même, également",
    "it": "altro, altra, altri, altre, più, anche, ancora, entrambi, stesso, stessa",
    "pt": "outro, outra, outros, outras, mais, também, ambos, mesmo, mesma",
    "nl": "andere, anderen, meer, nog, ook, beide, zelfde",
    "pl": "inne, inny, inna, innych, więcej, jeszcze, też, także, oba",
    "ru": "другой, другая, другие, других, еще, больше, тоже, также, оба",
    "zh": "还, 更多, 其他, 别的, 也, 另一个",
    "ja": "他の, 他に, ほかの, ほかに, もっと, さらに, 別の, 同じ",
    "ko": "다른, 더, 또, 도",
    "tr": "başka, diğer, daha, da, de, aynı",
    "ar": "أخرى, آخر, أكثر, المزيد, أيضا, كذلك",
    **phrases_for("COMPARING"),
}

# Hold a pronoun that stands for nothing.
EXPLETIVES: Final[dict[str, str]] = {
    "en": "is it true, is it possible, is it legal, is it allowed, is it safe, is it necessary, is it ok, "
    "is it okay, is it bad, is it good, is it worth, is it better, is it normal, is it correct that, "
    "does it take to, does it cost to, does it mean to, does it mean when, does it mean if, is it to, it is, "
    "how is it that, what time is it, is it called when, do it yourself, there is, there are, is there, "
    "are there, was there, were there, is it like to, was it like, is it still, it true that, so that, "
    "does it say, does it mention, is it raining, is it snowing, will it rain, is it hard to, is it easy to, "
    "is it healthy to, it possible to, is there a way",
    "de": "gibt es, gab es, es gibt, es gab, ist es möglich, ist es wahr, ist es erlaubt, ist es sinnvoll, "
    "ist es besser, ist es legal, ist es gefährlich, ist es normal, geht es, handelt es sich, es ist, "
    "ist es, kommt es zu, wird es, regnet es, stimmt es, gäbe es, können sie, könnten sie, haben sie, "
    "kennen sie, wissen sie, sagen sie, würden sie, geben sie, erklären sie, nennen sie, es sich, kommt es, "
    "trifft es zu, kann es sein",
    "es": "lo que, el que, la que, los que, las que, se le, dime lo, a lo largo, por lo, es lo, lo mejor, lo peor, "
    "lo más",
    "fr": "il y a, y a t il, y avait il, est il possible, est il vrai, est il nécessaire, est il obligatoire, "
    "est il permis, faut il, il faut, s'il, peut il y avoir, il existe, existe t il, il est possible, "
    "est il dangereux, c'est quoi, qu'est ce que, qu'est ce qu, est ce que, est ce qu, s'agit il, il s'agit, "
    "c'est vrai que, combien y a t il, pleut il, parle t on, il vrai, en quoi consiste, ce que, ce qui, "
    "quelle heure est il, en ligne",
    "it": "ci sono, c'è, c'era, ci vuole, ci vogliono, ci fu, ci furono, qual è, ciò che, quello che, quanto ci, "
    "è possibile, è vero",
    "pt": "é possível, é verdade, o que é, o que são, o que, há, qual é, quais são",
    "nl": "is er, zijn er, was er, waren er, er is, er zijn, is het mogelijk, is het waar, het is, bestaat er, "
    "bestaan er, hoe laat is het, kan het, zijn de, zijn die, zijn het, wat zijn, wie zijn, waar zijn, "
    "wonen er, komen er, gaat het om, wat is het",
    "pl": "co to jest, co to są, kto to jest, kim jest, czy to prawda, to jest, jest to, w tym celu, jak to, "
    "to znaczy, za to",
    "ru": "что это такое, это правда, что такое, правда ли, то есть, так как, это значит, в том числе, кто такой, "
    "кто такая",
    "zh": "那么, 是不是, 其实, 如此, 因此, 应该, 其他, 这么说, 彼此, 这座, 这部, 那座, 那部",
    "ja": "そのまま, このような, この文書, この記事, そうですか, これから, それぞれ, それでは, 彼岸",
    "ko": "그래서, 그리고, 그런데, 그러면",
    "tr": "var mı, var mıdır, bir şey, ne demek, o kadar, bu yüzden",
    "ar": "هل هناك, هناك, ما هو, ما هي, من هو, من هي, ما هذا, هذا العام, هذا الشهر, هل هذا صحيح",
    **phrases_for("EXPLETIVES"),
}

# Asks for something other than what was talked about.
NEW_SUBJECT: Final[dict[str, str]] = {
    "en": "different question, another question, new question, new topic, other topic, different topic, "
    "change of topic, changing topic, changing subject, change of subject, change the subject, unrelated, "
    "something else, something different, one more thing, another thing, by the way, btw, on another note, "
    "off topic, next question, separate question, different subject, different thing",
    "de": "andere frage, anderes thema, neue frage, neues thema, was anderes, etwas anderes, was ganz anderes, "
    "etwas ganz anderes, ganz anderes, themenwechsel, nächste frage, übrigens, nebenbei, apropos, anderes",
    "es": "otra pregunta, pregunta distinta, otra cosa, otro tema, cambiando de tema, cambio de tema, "
    "nueva pregunta, nuevo tema, por cierto, algo distinto, algo diferente, pregunta diferente, "
    "siguiente pregunta, tema distinto",
    "fr": "autre question, une autre question, autre chose, autre sujet, changement de sujet, nouvelle question, "
    "nouveau sujet, au fait, rien à voir, question différente, sans rapport, changeons de sujet, "
    "question suivante, par ailleurs",
    "it": "altra domanda, un'altra domanda, altra cosa, un'altra cosa, altro argomento, cambiando argomento, "
    "cambio argomento, nuova domanda, a proposito, tutt'altro, domanda diversa, prossima domanda",
    "pt": "outra pergunta, outra coisa, outro assunto, outro tema, mudando de assunto, nova pergunta, "
    "novo assunto, a propósito, pergunta diferente, próxima pergunta, assunto diferente",
    "nl": "andere vraag, iets anders, heel iets anders, ander onderwerp, nieuwe vraag, nieuw onderwerp, trouwens, "
    "volgende vraag, even iets anders",
    "pl": "inne pytanie, inna sprawa, inny temat, nowe pytanie, nowy temat, zmiana tematu, zmieniając temat, "
    "z innej beczki, przy okazji, następne pytanie, coś innego",
    "ru": "другой вопрос, другая тема, новый вопрос, новая тема, смена темы, сменим тему, кстати, о другом, "
    "еще вопрос, ещё вопрос, следующий вопрос, не по теме, на другую тему, совсем другое",
    "zh": "换个话题, 换个问题, 另一个问题, 另外一个问题, 别的问题, 其他问题, 新问题, 新话题, 顺便问, 顺便问一下, "
    "不相关, 下一个问题, 换一个",
    "ja": "話は変わりますが, 話が変わりますが, 話は変わるけど, 別の質問, 別件, 別の話, ところで, 話題を変えて, "
    "次の質問, 別のこと, 違う質問",
    "ko": "다른 질문, 다른 질문이, 다른 질문인데, 다른 주제, 다른 이야기, 화제를 바꿔서, 새로운 질문, 그건 그렇고, "
    "다음 질문, 다른 얘기, 딴 얘기",
    "tr": "başka bir soru, başka soru, farklı bir soru, farklı soru, başka bir konu, başka konu, konu değişikliği, "
    "konuyu değiştirelim, yeni soru, yeni konu, bu arada, alakasız, sıradaki soru",
    "ar": "سؤال آخر, سؤال مختلف, موضوع آخر, موضوع مختلف, سؤال جديد, موضوع جديد, بالمناسبة, شيء آخر, السؤال التالي, "
    "تغيير الموضوع, بعيدا عن الموضوع",
    **phrases_for("NEW_SUBJECT"),
}
