"""Words that ask for more of an answer, or for the same answer another way, by language: an own compilation.

Entries stand between commas; ``*`` at the end stands for any ending.
"""

from __future__ import annotations

from typing import Final

from rag_service.retrieval.turn_languages import phrases_for

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
    **phrases_for("CONTINUE"),
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
    "reply in, respond in, fix the grammar, as a, into a, bold, headings, don't get it, do not get it, "
    "didn't get it, didnt get it, dont get it, plain english, plain language, layman's terms, laymans terms, "
    "bullet list, more detail, in english, too vague",
    "de": "umformulieren, formuliere, formulier, anders ausdrücken, anders, vereinfache, vereinfachen, kürze, "
    "kürzer, kürzen, fass, fasse, zusammen, zusammenfassen, erklär, erkläre, erklären, erklärst, übersetze, "
    "übersetz, übersetzen, übersetzung, wiederhole, wiederhol, wiederholen, sag, sagen, schreib, schreibe, "
    "schreiben, mach, mache, machen, einfacher, einfachen worten, einfach, für dummies, für kinder, "
    "wie einem kind, nicht verstanden, verstehe nicht, versteh ich nicht, verstehe ich nicht, nicht kapiert, "
    "was hast du gesagt, was hast du gerade gesagt, zu lang, zu kurz, zu kompliziert, länger, ausführlicher, "
    "förmlicher, formeller, lustiger, gedicht, nochmal, noch mal, noch einmal, erste frage, letzte frage, "
    "was habe ich gefragt, was hab ich gefragt, deine antwort, deine letzte antwort, du hast gesagt, "
    "antworte auf, als tabelle, als liste, in stichpunkten, deutlicher, verständlicher, umschreiben, "
    "in eigenen worten, formatiere, genauer, verständlich, einfachere, einfacheren worten, leichter sprache, "
    "fassen, knapper",
    "es": "reformula, reformular, reescribe, reescribir, simplifica, simplificar, acorta, acórtalo, más corto, "
    "más breve, resume, resúmelo, explica, explícame, explícamelo, explícalo, explicar, explicármelo, "
    "traduce, tradúcelo, traducir, repite, repítelo, repetir, di, dilo, escribe, escríbelo, ponlo, pon, haz, "
    "hazlo, convierte, conviértelo, más simple, más sencillo, más fácil, palabras sencillas, "
    "como si tuviera cinco, no entendí, no entiendo, no lo entiendo, no he entendido, no comprendo, "
    "qué dijiste, qué has dicho, demasiado largo, muy largo, muy complicado, más largo, más formal, poema, "
    "otra vez, de nuevo, una vez más, primera pregunta, última pregunta, qué te pregunté, qué pregunté, "
    "tu respuesta, tu última respuesta, dijiste, responde en, contesta en, con otras palabras, más claro, "
    "en una tabla, formato, pásalo, no me queda claro, no está claro, más detallado",
    "fr": "reformule, reformuler, réécris, réécrire, simplifie, simplifier, raccourcis, raccourcir, plus court, "
    "plus bref, résume, résumer, explique, explique moi, expliquer, expliquez, traduis, traduire, traduisez, "
    "répète, répéter, dis le, redis, écris, écris le, mets, mets le, fais, fais en, transforme, plus simple, "
    "plus simplement, mots simples, comme si j'avais cinq, pas compris, je ne comprends pas, "
    "je comprends pas, qu'as tu dit, tu as dit quoi, trop long, trop compliqué, plus long, plus formel, "
    "poème, encore une fois, à nouveau, de nouveau, première question, dernière question, "
    "qu'est ce que j'ai demandé, j'ai demandé, ta réponse, ta dernière réponse, votre réponse, tu as dit, "
    "réponds en, répondez en, autrement, d'une autre façon, plus clair, plus clairement, sous forme de, "
    "en tableau, en liste, pas tout compris, je n'ai pas compris, pas clair, plus détaillé",
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
    "正式一点, 诗, 再来一次, 写, 说, 讲, 用, 说得简单, 简单一点, 讲得简单, 说简单, 通俗一点, 更简单",
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
    **phrases_for("REWORK"),
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
    **phrases_for("SAID"),
}

# Helps another word to ask for another wording ("put that in a table"), and asks for nothing alone.
REWORK_HELPERS: Final[dict[str, str]] = {
    "en": "say, write, put, make, turn, again, formal, summary, convert, format, repeat, translation, more detail",
    "de": "sag, sagen, schreib, schreibe, schreiben, mach, mache, machen, anders, einfach, zusammen, genauer, fassen",
    "es": "di, dilo, escribe, haz, pon, de nuevo, otra vez, formato",
    "fr": "fais, mets, écris, à nouveau, de nouveau, répéter",
    "it": "fai, metti, scrivi, modo, di nuovo",
    "pt": "faça, faz, diga, diz, coloque, coloca, escreva, escreve, maneira, de novo, põe",
    "nl": "zeg, zeggen, schrijf, schrijven, zet, maak, uit, leg, samen, opnieuw",
    "pl": "powiedz, napisz, zrób, inaczej, ponownie, zamień",
    "ru": "скажи, напиши, сделай, снова, еще раз, иначе, кратко",
    "zh": "写, 说, 讲, 用, 简单, 诗, 重新, 遍, 一遍, 次, 话, 点, 下, 得, 一点, 能不能, 这么",
    "ja": "して, してください, にして, 言って, 言ってください, もっと, さっき, 書いて, 長い, 難しい, 簡単に, 表に, "
    "表で, 答えて, 答えてください, 回答, 詩",
    "ko": "해 줘, 해줘, 써, 써 줘, 써줘, 만들어, 만들어 줘, 답변, 대답, 말해 줘, 말해줘, 말해주세요, 시, 다시",
    "tr": "yaz, söyle, yap, şekilde, anlat, anlatır, tekrar, yeniden",
    "ar": "قل, اكتب, بشكل, قلت, ضع, اجعل, حول, ثانية, بطريقة",
    **phrases_for("REWORK_HELPERS"),
}
