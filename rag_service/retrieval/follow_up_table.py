"""Words by which a question leans on what was said before, by language: an own compilation.

Entries stand between commas; ``*`` at the end stands for any ending.
"""

from __future__ import annotations

from typing import Final

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
    "es": "él, ella, ellos, ellas, lo, le, les, su, sus, suyo, suya, eso, esa, ese, esos, esas, aquello, allí, "
    "allá, ahí, ésta, éste, el mismo, la misma, lo mismo, dicho, dicha, las uso, los uso",
    "fr": "il, elle, ils, elles, lui, leur, leurs, son, sa, ses, celui, celle, ceux, celles, celui ci, celle ci, "
    "celui là, celle là, là bas, dessus, dedans, ça, cela, ceci, le même, la même, t il, t elle",
    "it": "esso, essa, essi, esse, egli, lui, lei, loro, suo, sua, suoi, sue, quello, quella, quelli, quelle, lì, "
    "là, lo stesso, la stessa, ciò",
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
    "该, 前者, 后者, 两者, 当时, 那时, 它的, 他的, 她的, 这样, 那样, 这位, 那位, 这",
    "ja": "それ, その, それら, そこ, そちら, あれ, あの, あそこ, これ, この, ここ, 彼, 彼女, 彼ら, そう, そのとき, "
    "その後, 同じ, 前者, 後者, 両方, どちら, そんな",
    "ko": "그것, 그것은, 그것이, 그것을, 그것의, 그건, 그게, 그걸, 그거, 그, 그는, 그가, 그의, 그를, 그녀, 그녀는, "
    "그녀의, 그녀가, 그들, 그들은, 그들의, 거기, 거기서, 거기에, 거기는, 그곳, 그곳의, 그곳은, 그때, 이것, "
    "이건, 이것은, 저것, 둘 다, 그런, 같은, 해당",
    "tr": "o, onu, onun, ona, ondan, onda, onlar, onları, onların, onlara, orada, oranın, oraya, oradan, bunu, "
    "bunun, buna, bundan, bu, şu, şunu, bunlar, bunların, aynısı, aynı, kendisi, ikisi, hangisi, öyle, böyle",
    "ar": "هو, هي, هم, هن, هناك, هذا, هذه, ذلك, تلك, هؤلاء, أولئك, فيه, فيها, منه, منها, له, لها, لهم, عنه, عنها, "
    "به, بها, عليه, عليها, إليه, إليها, نفسه, نفسها, عددهم, سكانها, عاصمتها, مساحتها, كلاهما",
}

# As often without any such meaning ("it is true that …", "das Haus"); they count in short questions only.
WEAK_PRONOUNS: Final[dict[str, str]] = {
    "en": "this, that, these, those, there, then, here, one, ones, such, do so, did so, does so, which one, "
    "which ones, any, others, another, other, more, else, most, both, all of them, first, instead",
    "de": "es, das, dies, dieses, den, der, dem, da, hier, man das, andere, anderen, anderes, weitere, noch, mehr, "
    "solche, welche davon, so, sonst, stattdessen, gilt das, auch",
    "es": "esto, esta, este, estos, estas, la, las, los, aquí, más, otro, otra, otros, otras, cuál, cuáles, tal, "
    "también, ambos",
    "fr": "ce, c, cet, cette, ces, l, lequel, laquelle, lesquels, lesquelles, autre, autres, d'autres, plus, "
    "encore, ici, aussi, là",
    "it": "questo, questa, questi, queste, lo, la, li, le, altro, altra, altri, altre, più, ancora, quale, quali, "
    "qui, anche, entrambi",
    "pt": "isto, este, esta, estes, estas, o, a, os, as, outro, outra, outros, outras, mais, qual, quais, aqui, "
    "também, ambos",
    "nl": "dit, dat, deze, het, andere, anderen, meer, nog, hier, welke, zo, ook, beide",
    "pl": "to, ten, ta, te, tu, inne, inny, inna, więcej, jeszcze, który, która, które, taki, też, oba, się",
    "ru": "то, тут, здесь, другой, другая, другие, других, еще, больше, какой из, также, оба, так, такое",
    "zh": "那, 还, 更多, 其他, 别的, 另外, 哪个, 哪些, 也, 呢, 又, 再",
    "ja": "他, ほか, もっと, さらに, どれ, も, 別の, 他の",
    "ko": "이, 저, 다른, 더, 또, 어느, 도, 여기",
    "tr": "başka, diğer, daha, burada, biri, da, de, ikisi de, hangileri",
    "ar": "هنا, أخرى, آخر, أكثر, المزيد, غير ذلك, أي منها, كذلك, أيضا",
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
}

# Names the last answer, where a document could be meant too.
SAID: Final[dict[str, str]] = {
    "en": "that, your answer, your last answer, your reply, your response, the answer, you said, what you said, "
    "you just said",
    "de": "das, deine antwort, deine letzte antwort, ihre antwort, die antwort, du gesagt",
    "es": "eso, tu respuesta, tu última respuesta, su respuesta, la respuesta, dijiste",
    "fr": "ça, cela, ta réponse, ta dernière réponse, votre réponse, la réponse, tu as dit",
    "it": "quello, ciò, la tua risposta, tua risposta, la risposta, hai detto",
    "pt": "isso, sua resposta, tua resposta, a resposta, disseste, você disse",
    "nl": "dat, je antwoord, jouw antwoord, uw antwoord, het antwoord, je zei",
    "pl": "tę odpowiedź, twoja odpowiedź, twoją odpowiedź, swoją odpowiedź, odpowiedź",
    "ru": "твой ответ, свой ответ, ваш ответ, ответ, сказал",
    "zh": "回答, 答案, 刚才说, 刚刚说, 上面的回答",
    "ja": "回答, 答え, 今の, さっきの",
    "ko": "답변, 대답, 답변을, 대답을",
    "tr": "cevabını, cevabın, cevabı, yanıtını, yanıtı",
    "ar": "إجابتك, جوابك, ردك, الإجابة, قلت",
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
    "zh": "那么, 是不是, 其实, 其中, 如此, 因此, 应该, 其他, 这么说, 彼此, 这座, 这部, 那座, 那部",
    "ja": "そのまま, このような, この文書, この記事, そうですか, これから, それぞれ, それでは, 彼岸",
    "ko": "그래서, 그리고, 그런데, 그러면",
    "tr": "var mı, var mıdır, bir şey, ne demek, o kadar, bu yüzden",
    "ar": "هل هناك, هناك, ما هو, ما هي, من هو, من هي, ما هذا, هذا العام, هذا الشهر, هل هذا صحيح",
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
}

# Asks to go on or for reasons: needs both what was said and the texts.
CONTINUE: Final[dict[str, str]] = {
    "en": "tell me more, more, more details, more info, more information, go on, continue, keep going, carry on, "
    "elaborate, please elaborate, can you elaborate, expand on that, details, more detail, in more detail, "
    "and then, what then, what next, then what, why, why not, why so, why is that, how come, how so, how, "
    "what for, really, are you sure, is that true, is that right, sure about that, source, what else, "
    "anything else, any others, such as, like what, for example, example, examples, an example, "
    "give me an example, give an example, since when, until when, where, when, who, which, which one, "
    "how much, how many, how long, how often, what",
    "de": "erzähl mir mehr, erzähl mehr, mehr, mehr dazu, mehr details, mehr infos, weiter, mach weiter, "
    "und weiter, genauer, details, warum, wieso, weshalb, warum nicht, warum das, wieso das, wie, wie das, "
    "wozu, echt jetzt, wirklich, bist du sicher, sicher, stimmt das, ist das sicher, quelle, was noch, "
    "noch etwas, was sonst, zum beispiel, beispiel, beispiele, ein beispiel, gib mir ein beispiel, "
    "seit wann, bis wann, wo, wann, wer, welche, welcher, welches, wie viel, wie viele, wie lange, wie oft, "
    "was, kannst du das ausführen, kannst du mehr dazu sagen",
    "es": "cuéntame más, dime más, más, más detalles, más información, sigue, continúa, y qué más, qué más, "
    "por qué, por qué no, cómo, para qué, de verdad, en serio, estás seguro, seguro, fuente, por ejemplo, "
    "ejemplo, ejemplos, dame un ejemplo, desde cuándo, hasta cuándo, dónde, cuándo, quién, cuál, cuáles, "
    "cuánto, cuántos, cuánto tiempo, qué, detalles, algo más",
    "fr": "dis m'en plus, en savoir plus, plus, plus de détails, plus d'informations, continue, continuez, "
    "vas y continue, développe, pourquoi, pourquoi pas, pourquoi ça, comment, comment ça, pour quoi faire, "
    "vraiment, tu es sûr, es tu sûr, source, quoi d'autre, et ensuite, et après, par exemple, exemple, "
    "exemples, un exemple, donne moi un exemple, depuis quand, jusqu'à quand, où, quand, qui, lequel, "
    "laquelle, combien, combien de temps, quoi, détails, parle m'en plus",
    "it": "dimmi di più, raccontami di più, di più, più dettagli, altri dettagli, continua, vai avanti, prosegui, "
    "approfondisci, perché, perché no, come, come mai, davvero, sei sicuro, fonte, cos'altro, che altro, "
    "e poi, per esempio, esempio, esempi, un esempio, fammi un esempio, da quando, fino a quando, dove, "
    "quando, chi, quale, quali, quanto, quanti, quanto tempo, cosa, dettagli",
    "pt": "conte me mais, conta me mais, fale mais, me conte mais, mais, mais detalhes, mais informações, "
    "continue, continua, prossiga, por quê, porquê, por que, por que não, como, como assim, para quê, sério, "
    "tem certeza, fonte, o que mais, que mais, por exemplo, exemplo, exemplos, um exemplo, dê um exemplo, "
    "desde quando, até quando, onde, quando, quem, qual, quais, quanto, quantos, quanto tempo, o quê, "
    "detalhes",
    "nl": "vertel me meer, vertel meer, meer, meer details, meer informatie, ga door, ga verder, verder, waarom, "
    "waarom niet, hoe, hoezo, waarvoor, echt waar, weet je het zeker, bron, wat nog meer, wat nog, en dan, "
    "bijvoorbeeld, voorbeeld, voorbeelden, een voorbeeld, geef een voorbeeld, sinds wanneer, tot wanneer, "
    "waar, wanneer, wie, welke, hoeveel, hoe lang, hoe vaak, wat, details",
    "pl": "powiedz więcej, opowiedz więcej, więcej, więcej szczegółów, więcej informacji, kontynuuj, dalej, "
    "mów dalej, rozwiń, dlaczego, czemu, dlaczego nie, jak, jak to, po co, naprawdę, jesteś pewien, "
    "na pewno, źródło, co jeszcze, co dalej, na przykład, przykład, przykłady, podaj przykład, od kiedy, "
    "do kiedy, gdzie, kiedy, kto, który, która, które, ile, jak długo, jak często, co, szczegóły",
    "ru": "расскажи подробнее, подробнее, расскажи больше, еще, больше, больше информации, продолжай, продолжи, "
    "дальше, а дальше, почему, зачем, почему нет, как, как это, как так, для чего, правда, точно, ты уверен, "
    "вы уверены, источник, что еще, что дальше, например, пример, примеры, приведи пример, с каких пор, "
    "до каких пор, где, когда, кто, какой, какая, какие, сколько, как долго, как часто, что, детали",
    "zh": "为什么, 为何, 怎么, 怎么会, 怎么办, 如何, 继续, 请继续, 接着说, 继续说, 详细, 详细一点, 详细说说, "
    "说详细点, 更多, 还有吗, 还有呢, 还有什么, 然后呢, 接下来呢, 真的吗, 确定吗, 你确定吗, 例如, 比如, 举例, "
    "举个例子, 例子, 来源, 从什么时候开始, 哪里, 什么时候, 谁, 哪个, 多少, 多久, 什么, 具体呢, 再说说, "
    "多说一点, 原因是什么, 原因呢",
    "ja": "なぜ, なぜですか, どうして, どうしてですか, なんで, どうやって, どのように, 続けて, 続けてください, "
    "続き, もっと, もっと詳しく, 詳しく, 詳しく教えて, 詳しく教えてください, もっと教えて, "
    "もっと教えてください, 他には, ほかには, 他にありますか, それで, 次は, 本当ですか, 本当に, 確かですか, "
    "例えば, 例, 例を挙げて, 例を教えて, いつから, どこ, いつ, 誰, どれ, いくら, どのくらい, 何, 具体的に, "
    "理由は",
    "ko": "왜, 왜요, 왜 그래, 왜 그런가요, 어째서, 어떻게, 어떻게요, 계속, 계속해, 계속해 줘, 계속해주세요, 더, "
    "더 알려줘, 더 알려주세요, 더 자세히, 자세히, 더 자세히 알려줘, 자세히 알려줘, 또 뭐가 있어, 다른 건, "
    "그다음은, 정말이야, 정말인가요, 확실해, 확실한가요, 예를 들면, 예를 들어, 예시, 예를 들어 줘, 언제부터, "
    "어디, 언제, 누구, 어느, 얼마, 얼마나, 뭐, 무엇, 구체적으로, 이유는, 이유가 뭐야",
    "tr": "daha fazla anlat, daha fazla, daha fazla bilgi, daha fazla bilgi ver, devam et, devam, biraz daha, "
    "detay, detay ver, ayrıntı, neden, niye, niçin, neden öyle, neden peki, nasıl, nasıl yani, gerçekten mi, "
    "emin misin, kaynak, başka ne var, başka, sonra, mesela, örneğin, örnek, örnek ver, bir örnek ver, "
    "ne zamandan beri, nerede, ne zaman, kim, hangi, hangisi, ne kadar, kaç, kaç tane, ne, hani",
    "ar": "أخبرني المزيد, أخبرني أكثر, المزيد, مزيد من التفاصيل, تفاصيل أكثر, أكمل, استمر, تابع, واصل, لماذا, "
    "لم لا, لماذا لا, كيف, كيف ذلك, حقا, هل أنت متأكد, متأكد, المصدر, ماذا أيضا, ماذا بعد, ثم ماذا, مثلا, "
    "مثال, أمثلة, على سبيل المثال, أعطني مثالا, منذ متى, حتى متى, أين, متى, من, أي, أيهما, كم, ماذا, "
    "التفاصيل, وضح أكثر",
}

# Asks to say the last answer another way; with nothing else named, it needs no texts.
REWORK: Final[dict[str, str]] = {
    "en": "rephrase, reword, rewrite, paraphrase, simplify, shorten, shorter, summarize, summarise, sum up, "
    "explain, explain again, translate, translation, repeat, say, write, put, make, turn, convert, format, "
    "reformat, simpler, in simple terms, in simple words, like i'm five, like im five, like i am five, eli5, "
    "dumb it down, didn't understand, don't understand, dont understand, didnt understand, "
    "did not understand, do not understand, what did you say, what did you just say, say again, too long, "
    "too short, too complicated, too complex, too technical, longer, more briefly, more formal, less formal, "
    "formal, informal, funnier, poem, rhyme, more polite, rewrite it, clearer, clarify, expand, again, "
    "one more time, once more, in your own words, first question, last question, previous question, "
    "first message, last message, what did i ask, what i asked, did i say, did i ask, you just said, "
    "you said, your answer, your last answer, your previous answer, your reply, your response, answer in, "
    "reply in, respond in, fix the grammar, as a, into a, bold, headings",
    "de": "umformulieren, formuliere, formulier, anders ausdrücken, anders, vereinfache, vereinfachen, kürze, "
    "kürzer, kürzen, fass, fasse, zusammen, zusammenfassen, erklär, erkläre, erklären, erklärst, übersetze, "
    "übersetz, übersetzen, übersetzung, wiederhole, wiederhol, wiederholen, sag, sagen, schreib, schreibe, "
    "schreiben, mach, mache, machen, einfacher, einfachen worten, einfach, für dummies, für kinder, "
    "wie einem kind, nicht verstanden, verstehe nicht, versteh ich nicht, verstehe ich nicht, nicht kapiert, "
    "was hast du gesagt, was hast du gerade gesagt, zu lang, zu kurz, zu kompliziert, länger, ausführlicher, "
    "förmlicher, formeller, lustiger, gedicht, nochmal, noch mal, noch einmal, erste frage, letzte frage, "
    "was habe ich gefragt, was hab ich gefragt, deine antwort, deine letzte antwort, du hast gesagt, "
    "antworte auf, als tabelle, als liste, in stichpunkten, deutlicher, verständlicher, umschreiben, "
    "in eigenen worten, formatiere",
    "es": "reformula, reformular, reescribe, reescribir, simplifica, simplificar, acorta, acórtalo, más corto, "
    "más breve, resume, resúmelo, explica, explícame, explícamelo, explícalo, explicar, explicármelo, "
    "traduce, tradúcelo, traducir, repite, repítelo, repetir, di, dilo, escribe, escríbelo, ponlo, pon, haz, "
    "hazlo, convierte, conviértelo, más simple, más sencillo, más fácil, palabras sencillas, "
    "como si tuviera cinco, no entendí, no entiendo, no lo entiendo, no he entendido, no comprendo, "
    "qué dijiste, qué has dicho, demasiado largo, muy largo, muy complicado, más largo, más formal, poema, "
    "otra vez, de nuevo, una vez más, primera pregunta, última pregunta, qué te pregunté, qué pregunté, "
    "tu respuesta, tu última respuesta, dijiste, responde en, contesta en, con otras palabras, más claro, "
    "en una tabla, formato, pásalo",
    "fr": "reformule, reformuler, réécris, réécrire, simplifie, simplifier, raccourcis, raccourcir, plus court, "
    "plus bref, résume, résumer, explique, explique moi, expliquer, expliquez, traduis, traduire, traduisez, "
    "répète, répéter, dis le, redis, écris, écris le, mets, mets le, fais, fais en, transforme, plus simple, "
    "plus simplement, mots simples, comme si j'avais cinq, pas compris, je ne comprends pas, "
    "je comprends pas, qu'as tu dit, tu as dit quoi, trop long, trop compliqué, plus long, plus formel, "
    "poème, encore une fois, à nouveau, de nouveau, première question, dernière question, "
    "qu'est ce que j'ai demandé, j'ai demandé, ta réponse, ta dernière réponse, votre réponse, tu as dit, "
    "réponds en, répondez en, autrement, d'une autre façon, plus clair, plus clairement, sous forme de, "
    "en tableau, en liste",
    "it": "riformula, riformulare, riscrivi, riscrivere, riscrivilo, semplifica, semplificare, accorcia, "
    "più corto, più breve, riassumi, riassumilo, spiega, spiegami, spiegamelo, spiegalo, spiegare, "
    "spiegarlo, spiegarmelo, traduci, traducilo, tradurre, ripeti, ripetilo, ripetere, dillo, dimmelo, "
    "scrivi, scrivilo, mettilo, metti, fai, fallo, trasforma, più semplice, in modo più semplice, "
    "parole semplici, come se avessi cinque, non ho capito, non capisco, cosa hai detto, troppo lungo, "
    "troppo complicato, più lungo, più formale, poesia, di nuovo, ancora una volta, un'altra volta, "
    "prima domanda, ultima domanda, cosa ho chiesto, la tua risposta, tua risposta, hai detto, rispondi in, "
    "in altre parole, più chiaro, in una tabella, modo",
    "pt": "reformule, reformula, reformular, reescreva, reescreve, simplifique, simplifica, encurte, encurta, "
    "mais curto, mais breve, resuma, resume, resumir, explique, explica, explicar, me explique, traduza, "
    "traduz, traduzir, repita, repete, repetir, diga, diz, escreva, escreve, coloque, coloca, põe, faça, "
    "faz, transforme, mais simples, palavras simples, como se eu tivesse cinco, não entendi, não percebi, "
    "não compreendi, o que você disse, o que disseste, muito longo, muito complicado, mais longo, "
    "mais formal, poema, de novo, outra vez, mais uma vez, primeira pergunta, última pergunta, "
    "o que eu perguntei, o que perguntei, sua resposta, tua resposta, você disse, disseste, responda em, "
    "responde em, em outras palavras, por outras palavras, mais claro, numa tabela, em tabela, maneira",
    "nl": "herformuleer, herformuleren, herschrijf, herschrijven, vereenvoudig, verkort, korter, vat, samen, "
    "samenvatten, leg, uitleggen, leg uit, uit, vertaal, vertalen, herhaal, herhalen, zeg, zeggen, schrijf, "
    "schrijven, zet, maak, simpeler, eenvoudiger, makkelijker, eenvoudige woorden, simpele woorden, "
    "alsof ik vijf ben, niet begrepen, begrijp het niet, begrijp ik niet, snap ik niet, snap het niet, "
    "wat zei je, te lang, te ingewikkeld, te moeilijk, langer, formeler, gedicht, nog een keer, nogmaals, "
    "opnieuw, eerste vraag, laatste vraag, wat vroeg ik, je antwoord, jouw antwoord, uw antwoord, je zei, "
    "antwoord in, met andere woorden, in eigen woorden, duidelijker, als tabel, als lijst",
    "pl": "przeformułuj, sformułuj, przepisz, uprość, skróć, krócej, streść, podsumuj, wyjaśnij, wytłumacz, "
    "wyjaśnić, wytłumaczyć, przetłumacz, przetłumaczyć, powtórz, powtórzyć, powiedz, napisz, zrób, zamień, "
    "przedstaw, prościej, prostszymi słowami, prostymi słowami, jak dziecku, nie rozumiem, nie zrozumiałem, "
    "nie zrozumiałam, co powiedziałeś, za długie, za długo, zbyt skomplikowane, dłużej, bardziej formalnie, "
    "wiersz, jeszcze raz, ponownie, pierwsze pytanie, ostatnie pytanie, o co pytałem, o co zapytałem, "
    "twoja odpowiedź, twoją odpowiedź, powiedziałeś, odpowiedz po, innymi słowami, inaczej, jaśniej, "
    "w tabeli, w punktach",
    "ru": "перефразируй, переформулируй, перепиши, упрости, сократи, короче, покороче, кратко, резюмируй, объясни, "
    "объясните, поясни, объяснить, переведи, переведите, перевести, повтори, повторите, повторить, скажи, "
    "напиши, сделай, преврати, представь, оформи, проще, попроще, простыми словами, как ребенку, не понял, "
    "не поняла, не понимаю, непонятно, что ты сказал, слишком длинно, слишком длинный, слишком сложно, "
    "длиннее, подлиннее, формальнее, стих, стихотворение, еще раз, ещё раз, снова, заново, первый вопрос, "
    "последний вопрос, что я спросил, что я спрашивал, о чем я спросил, твой ответ, твой последний ответ, "
    "ваш ответ, ты сказал, ответь на, другими словами, иначе, понятнее, яснее, в виде таблицы, таблицей, "
    "списком, таблицу",
    "zh": "解释, 翻译, 翻成, 译成, 改写, 改成, 换成, 换句话, 换种说法, 换个说法, 重复, 再说一遍, 再说一次, "
    "再讲一遍, 再解释, 重新, 重说, 简化, 简单, 简单点, 简短, 短一点, 短点, 缩短, 精简, 太长, 太长了, 太短了, "
    "太复杂, 太复杂了, 长一点, 通俗, 简单的话, 说人话, 听不懂, 没听懂, 看不懂, 没看懂, 不明白, 不懂, 没明白, "
    "你刚才说, 你刚刚说, 你说了什么, 我刚才问, 我问了什么, 第一个问题, 上一个问题, 最后一个问题, 上一条, "
    "你的回答, 上面的回答, 你的答案, 总结, 概括, 做成, 写成, 整理成, 列成, 变成, 表格, 列表, 列出来, "
    "正式一点, 诗, 再来一次, 写, 说, 讲, 用",
    "ja": "説明して, 説明してください, 言い換えて, 言い換えてください, 翻訳して, 翻訳してください, 訳して, "
    "訳してください, 短く, 短くして, 短くしてください, 簡潔に, 簡単に, わかりやすく, 分かりやすく, 易しく, "
    "やさしく, かみ砕いて, もう一度, もう一回, 繰り返して, 繰り返してください, 書き直して, 書いて, "
    "書き換えて, まとめて, 要約して, 表にして, リストにして, 箇条書きに, 箇条書きにして, 表に, 表で, 長すぎ, "
    "長すぎます, 長い, 難しい, 難しすぎ, わからない, わかりません, わかりませんでした, 分かりません, "
    "理解できません, さっき, 最初の質問, 前の質問, 何と言いました, あなたの答え, あなたの回答, 今の回答, "
    "今の答え, 回答, 言って, 言ってください, 答えて, 答えてください, 丁寧に, 詩, して, してください, にして, "
    "もっと",
    "ko": "설명해, 설명해 줘, 설명해줘, 설명해 주세요, 설명해주세요, 다시, 다시 말해, 다시 말해 줘, 말해 줘, "
    "말해줘, 말해주세요, 번역해, 번역해 줘, 번역해줘, 번역해 주세요, 번역해주세요, 요약해, 요약해 줘, "
    "요약해줘, 요약해 주세요, 줄여, 줄여 줘, 줄여줘, 짧게, 더 짧게, 더 쉽게, 쉽게, 간단하게, 간단히, 반복해, "
    "반복해 줘, 바꿔, 바꿔 줘, 바꿔줘, 써, 써 줘, 써줘, 만들어, 만들어 줘, 정리해, 정리해 줘, 정리해줘, "
    "표로, 목록으로, 이해가 안 돼, 이해가 안 돼요, 이해 못 했어, 모르겠어, 모르겠어요, 너무 길어, "
    "너무 길어요, 너무 어려워, 너무 복잡해, 첫 번째 질문, 마지막 질문, 내가 뭐라고, 네 답변, 답변, 대답, "
    "해 줘, 해줘, 한 번 더, 시",
    "tr": "açıkla, açıklar, açıklayabilir, açıklar mısın, anlat, anlatır, anlatır mısın, anlatabilir, çevir, "
    "çevirir, çevirir misin, tercüme et, tekrarla, tekrar, tekrar et, tekrar söyle, bir daha, bir kez daha, "
    "kısalt, kısaltır, daha kısa, kısaca, özetle, basitleştir, daha basit, daha kolay, daha sade, "
    "basit bir dille, yeniden yaz, yeniden, yaz, yazar mısın, söyle, yap, dönüştür, tablo, tabloya, "
    "tablo yap, tablo olarak, liste olarak, liste yap, anlamadım, anlayamadım, ne dedin, çok uzun, "
    "çok karmaşık, daha uzun, daha resmi, şiir, ilk soru, ilk sorum, son soru, ne sordum, cevabını, cevabın, "
    "yanıtını, dedin, başka bir deyişle, daha açık, şekilde",
    "ar": "اشرح, اشرحي, وضح, فسر, أعد صياغة, اعد صياغة, أعد, اعد, كرر, ترجم, ترجمي, ترجمه, ترجمها, اختصر, اختصره, "
    "لخص, لخصه, بسط, بسطه, أبسط, ابسط, أقصر, اقصر, بطريقة أبسط, بطريقة أخرى, بطريقة, بكلمات بسيطة, "
    "كلمات بسيطة, مرة أخرى, مرة ثانية, ثانية, من جديد, لم أفهم, لا أفهم, ما فهمت, ماذا قلت, طويل جدا, "
    "معقد جدا, أطول, رسمية, قصيدة, سؤالي الأول, السؤال الأول, سؤالي السابق, ماذا سألت, إجابتك, جوابك, ردك, "
    "قلت, أجب, اكتب, اكتبه, قل, ضع, ضعه, اجعل, اجعله, حول, في جدول, كجدول, كقائمة, بشكل",
}
