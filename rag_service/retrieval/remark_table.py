"""Remarks on an answer that ask for nothing, by language: an own compilation.

Entries stand between commas.
"""

from __future__ import annotations

from typing import Final

from rag_service.retrieval.turn_languages import phrases_for

PRAISE: Final[dict[str, str]] = {
    "en": "well explained, nicely explained, clearly explained, great explanation, "
    "good explanation, well said, well put, "
    "great, good, nice, cool, awesome, perfect, excellent, amazing, brilliant, wonderful, fantastic, lovely, "
    "super, sweet, wow, splendid, superb, impressive, interesting, very interesting, how interesting, "
    "good to know, nice to know, good one, good job, great job, nice job, nice work, well done, nicely done, "
    "good bot, good answer, great answer, nice answer, good work, great work, that helps, this helps, "
    "that helped, helpful, very helpful, really helpful, super helpful, so helpful, that's helpful, "
    "that was helpful, that was very helpful, that was really helpful, that helps a lot, this is great, "
    "that's great, that is great, that's awesome, that's good, that's nice, that's cool, that's perfect, "
    "that's amazing, that's interesting, you're great, you're the best, you are the best, you rock, "
    "you're awesome, you're amazing, i love it, love it, i like it, sounds good, sounds great, looks good, "
    "works for me, works now, it works, it works now, that works, it worked, that worked, lol, lmao, rofl, "
    "haha, hahaha, hehe, ha, hah, yay, woohoo, hooray, omg, too bad, what a pity, pity, oh no, oh dear, "
    "fair enough, makes sense, that makes sense, ok that makes sense, exactly, indeed, right, correct, true, "
    "that's right, that's correct, that's true, you're right, you are right, agreed, congrats, "
    "congratulations, very good, very nice, really nice, really good, so good, so cool, pretty good, "
    "pretty cool, exactly what i needed, just what i needed, that's what i needed, "
    "that's exactly what i needed, that's all i needed, that's all i need, i didn't know that, "
    "i did not know that, didn't know that, i had no idea, had no idea, never knew that, good news, "
    "great news, bad news, that's good news, that's great news, what a relief, i'll remember that, "
    "i'll keep that in mind, i'll do that, i'll have a look, i'll look into it, that was quick, "
    "that was fast, cool stuff, good stuff, that's what i thought, that answers my question, "
    "this answers my question, you answered my question, i like that, i'll take it, all clear now, "
    "you've been very helpful, you've been a great help, you have been very helpful, what a shame, "
    "that's a shame, that's sad, how nice, how lovely",
    "de": "super erklärt, gut erklärt, toll erklärt, sehr gut erklärt, schön erklärt, "
    "gute erklärung, super erklärung, gut gesagt, "
    "super, toll, klasse, prima, perfekt, gut, sehr gut, wunderbar, großartig, spitze, genial, cool, geil, "
    "hammer, interessant, sehr interessant, ach so, achso, aha, ah, oh, oha, wow, krass, schön, sehr schön, "
    "fein, ausgezeichnet, hervorragend, gut zu wissen, das hilft, das hilft mir, hilft mir sehr, "
    "das hat geholfen, das hat mir geholfen, das hat mir sehr geholfen, hat mir sehr geholfen, "
    "hat mir geholfen, sehr hilfreich, hilfreich, das war hilfreich, das war sehr hilfreich, das ist super, "
    "das ist toll, das ist gut, das ist nett, das freut mich, freut mich, nett, gut gemacht, gute arbeit, "
    "gute antwort, du bist super, du bist toll, du bist der beste, klingt gut, sieht gut aus, passt, "
    "passt so, stimmt, das stimmt, richtig, genau, eben, schade, sehr schade, echt schade, oh nein, haha, "
    "hihi, hehe, lol, läuft, funktioniert, es funktioniert, es klappt, jetzt geht es, macht sinn, "
    "ergibt sinn, na dann, na gut, tja, leider, echt, wirklich, top, glückwunsch, hab ich nicht gewusst, "
    "das wusste ich nicht, wusste ich nicht, das habe ich nicht gewusst, wusste ich noch nicht, "
    "das wusste ich noch nicht, keine ahnung, gute nachrichten, gute nachricht, tolle nachrichten, "
    "was für ein glück, merke ich mir, das merke ich mir, schau ich mir an, das schaue ich mir an, "
    "das ging schnell, dachte ich mir schon, das beantwortet meine frage, damit ist meine frage beantwortet, "
    "frage beantwortet, du hast mir sehr geholfen, du hast mir geholfen, sie haben mir sehr geholfen, "
    "wie schön, das ist schade, gut so, sehr gute antwort",
    "es": "bien explicado, muy bien explicado, buena explicación, muy buena explicación, "
    "bien dicho, muy claro, muy bien, "
    "genial, perfecto, excelente, estupendo, fantástico, bien, muy bien, qué bien, bueno, muy bueno, guay, "
    "chévere, increíble, maravilloso, súper, super, interesante, muy interesante, qué interesante, muy útil, "
    "útil, me ayudó, me ayudó mucho, me ha ayudado, me ha ayudado mucho, me sirve, eso me sirve, me sirvió, "
    "me sirvió mucho, buen trabajo, bien hecho, eres genial, eres el mejor, me encanta, me gusta, "
    "suena bien, funciona, ya funciona, jaja, jajaja, jeje, jajajaja, exacto, exactamente, correcto, cierto, "
    "es cierto, tienes razón, tiene sentido, qué pena, qué lástima, lástima, qué chulo, wow, guau, ajá, ah, "
    "oh, buenísimo, felicidades, no lo sabía, eso no lo sabía, no sabía eso, no tenía ni idea, ni idea, "
    "buenas noticias, qué alivio, lo tendré en cuenta, lo miraré, eso pensaba, eso responde mi pregunta, "
    "has sido de gran ayuda, me has ayudado mucho, qué rápido, qué triste, qué bonito, me alegro, me alegra",
    "fr": "bien expliqué, très bien expliqué, bonne explication, très bonne explication, bien dit, "
    "très clair, très bien, "
    "super, génial, parfait, excellent, bien, très bien, bon, top, nickel, formidable, magnifique, cool, "
    "chouette, impeccable, impec, intéressant, très intéressant, utile, très utile, c'est utile, "
    "c'était très utile, ça m'aide, ça m'aide beaucoup, ça m'a aidé, ça m'a beaucoup aidé, bien joué, "
    "bon travail, beau travail, bravo, félicitations, c'est super, c'est génial, c'est parfait, c'est bien, "
    "c'est bon, c'est cool, c'est gentil, trop bien, trop cool, tu es le meilleur, j'adore, j'aime bien, "
    "ça marche, ça fonctionne, ça me va, mdr, lol, ptdr, haha, héhé, exact, exactement, c'est vrai, "
    "c'est ça, tu as raison, vous avez raison, dommage, c'est dommage, zut, ah, oh, ah bon, ah ok, waouh, "
    "wow, logique, c'est logique, tant mieux, bonne réponse, je ne savais pas, je savais pas, "
    "je ne le savais pas, je l'ignorais, aucune idée, bonne nouvelle, bonnes nouvelles, quel soulagement, "
    "je m'en souviendrai, je vais regarder, c'est ce que je pensais, ça répond à ma question, "
    "cela répond à ma question, tu m'as bien aidé, vous m'avez bien aidé, c'était rapide, c'est triste, "
    "tant pis, je suis content, je suis contente",
    "it": "ottimo, perfetto, eccellente, fantastico, bene, molto bene, benissimo, bello, bellissimo, bravo, "
    "bravissimo, grande, super, fico, figo, interessante, molto interessante, utile, molto utile, "
    "mi è stato utile, mi hai aiutato, mi hai aiutato molto, mi aiuta, ben fatto, ottimo lavoro, "
    "buon lavoro, sei il migliore, sei grande, mi piace, funziona, adesso funziona, haha, ahah, ahahah, lol, "
    "esatto, esattamente, giusto, vero, è vero, hai ragione, ha senso, peccato, che peccato, mannaggia, ah, "
    "oh, wow, buono a sapersi, complimenti, non lo sapevo, questo non lo sapevo, non ne avevo idea, "
    "nessuna idea, buone notizie, ottima notizia, che sollievo, me lo ricorderò, darò un'occhiata, "
    "è quello che pensavo, risponde alla mia domanda, sei stato molto utile, sei stato di grande aiuto, "
    "che bello, che triste, mi fa piacere",
    "pt": "ótimo, perfeito, excelente, fantástico, bom, muito bom, que bom, bem, muito bem, maravilha, "
    "maravilhoso, legal, que legal, fixe, bacana, massa, show, top, incrível, interessante, "
    "muito interessante, útil, muito útil, ajudou, ajudou muito, me ajudou muito, isso ajuda, bom trabalho, "
    "belo trabalho, você é demais, adorei, gostei, funciona, funcionou, kkk, kkkk, rsrs, haha, exato, "
    "exatamente, certo, correto, verdade, é verdade, tem razão, faz sentido, que pena, pena, ah, oh, uau, "
    "nossa, parabéns, bom saber, não sabia, eu não sabia, não sabia disso, eu não sabia disso, "
    "não fazia ideia, boas notícias, boa notícia, que alívio, vou lembrar, vou ver, era o que eu pensava, "
    "isso responde à minha pergunta, você ajudou muito, ajudaste muito, que triste, que bonito, fico feliz",
    "nl": "super, top, geweldig, perfect, prima, mooi, heel mooi, goed, heel goed, fijn, leuk, gaaf, cool, "
    "fantastisch, uitstekend, interessant, heel interessant, nuttig, heel nuttig, handig, heel handig, "
    "daar heb ik wat aan, dat helpt, dat helpt me, goed gedaan, goed werk, goed bezig, je bent de beste, "
    "klinkt goed, het werkt, werkt, haha, hihi, lol, precies, klopt, dat klopt, juist, je hebt gelijk, "
    "logisch, jammer, wat jammer, helaas, ah, oh, aha, wow, goed om te weten, gefeliciteerd, "
    "dat wist ik niet, wist ik niet, dat wist ik nog niet, geen idee, goed nieuws, wat een opluchting, "
    "dat zal ik onthouden, ik zal kijken, dat dacht ik al, dat beantwoordt mijn vraag, "
    "je hebt me goed geholpen, dat ging snel, wat erg, wat leuk",
    "pl": "super, świetnie, świetne, ekstra, doskonale, idealnie, dobrze, bardzo dobrze, dobre, fajnie, fajne, "
    "ciekawe, bardzo ciekawe, interesujące, pomocne, bardzo pomocne, to pomogło, bardzo mi to pomogło, "
    "bardzo pomogłeś, pomogło, dobra robota, dobra odpowiedź, jesteś najlepszy, podoba mi się, działa, haha, "
    "hehe, lol, dokładnie, racja, masz rację, zgadza się, prawda, ma sens, szkoda, aha, ach, och, wow, "
    "brawo, gratulacje, dobrze wiedzieć, rewelacja, bomba, nie wiedziałem, nie wiedziałam, "
    "tego nie wiedziałem, tego nie wiedziałam, nie miałem pojęcia, dobra wiadomość, dobre wieści, "
    "co za ulga, zapamiętam, zobaczę, tak myślałem, tak myślałam, to odpowiada na moje pytanie, "
    "bardzo pomogłaś, to przykre, jak miło",
    "ru": "отлично, супер, класс, классно, круто, прекрасно, замечательно, здорово, хорошо, очень хорошо, "
    "идеально, превосходно, интересно, очень интересно, полезно, очень полезно, помогло, это помогло, "
    "очень помогли, ты мне помог, вы мне очень помогли, ты мне очень помог, молодец, хорошая работа, "
    "ты лучший, мне нравится, работает, заработало, ахах, хаха, хахаха, лол, точно, верно, правильно, "
    "правда, ты прав, вы правы, логично, согласен, согласна, жаль, очень жаль, ага, ах, ох, ого, вау, браво, "
    "поздравляю, буду знать, супер ответ, хороший ответ, не знал, не знала, я не знал, я не знала, "
    "я этого не знал, я этого не знала, этого я не знал, понятия не имел, хорошая новость, хорошие новости, "
    "какое облегчение, запомню, посмотрю, так и думал, так и думала, это ответ на мой вопрос, "
    "вы очень помогли, очень помог, как жаль, как мило, рад, рада, рад слышать",
    "zh": "讲得很好, 讲得很清楚, 说得很好, 说得很清楚, 解释得很好, 解释得很清楚, 讲得真好, 很清楚, "
    "很好, 太好了, 真好, 好棒, 太棒了, 真棒, 很棒, 棒, 厉害, 真厉害, 太厉害了, 不错, 很不错, 真不错, 完美, "
    "有意思, 很有意思, 真有意思, 有用, 很有用, 很有帮助, 有帮助, 非常有帮助, 非常有用, 帮大忙了, 帮了大忙, "
    "牛, 赞, 点赞, 哈, 哈哈, 哈哈哈, 嘿嘿, 呵呵, 哇, 哇塞, 对, 对的, 没错, 正确, 是的没错, 你说得对, 有道理, "
    "可惜, 太可惜了, 真可惜, 遗憾, 原来如此, 原来是这样, 真的, 真的吗, 干得好, 做得好, 666, 优秀, 喜欢, "
    "我喜欢, 我不知道, 不知道, 我之前不知道, 原来我不知道, 没想到, 真没想到, 好消息, 太可惜, 松了口气, "
    "放心了, 我会记住, 我回头看看, 跟我想的一样, 回答了我的问题, 你帮了我大忙, 学到了, 长知识了, 涨知识了, "
    "真快, 有意思啊",
    "ja": "すごい, すごいですね, 素晴らしい, 素晴らしいです, いいね, いいですね, 完璧, 完璧です, 最高, 最高です, "
    "なるほど, なるほどですね, 面白い, 面白いですね, 興味深い, 興味深いです, 役に立ちました, 役立ちました, "
    "とても役に立ちました, 参考になりました, とても参考になりました, 勉強になりました, よくできました, "
    "うまくいきました, 動きました, できました, 笑, ははは, はは, わあ, へえ, へー, そうですね, そうですか, "
    "そうなんですか, そうなんですね, そうなんだ, そっか, その通り, その通りです, 正解, 残念, 残念です, "
    "よかった, よかったです, さすが, おめでとう, 知らなかった, 知りませんでした, 知らなかったです, "
    "初めて知りました, 思いもしなかった, いい知らせです, 良い知らせです, 安心しました, ほっとしました, "
    "覚えておきます, 見てみます, 思った通りです, よくわかりました, よく分かりました, 大変助かりました, "
    "とても助かりました, 嬉しいです, うれしいです, 悲しいです",
    "ko": "좋아, 좋아요, 좋네요, 좋습니다, 완벽해, 완벽해요, 최고, 최고예요, 최고야, 대단해, 대단해요, 대단하네요, "
    "멋져, 멋져요, 멋지다, 훌륭해, 훌륭해요, 훌륭합니다, 재미있네, 재미있네요, 재밌네요, 흥미롭네요, "
    "유용하네요, 도움이 됐어, 도움이 됐어요, 도움이 되었습니다, 큰 도움이 됐어요, 많은 도움이 되었습니다, "
    "도움 됐어요, 잘했어, 잘했어요, 맞아, 맞아요, 맞습니다, 정확해, 그렇군요, 그렇구나, 그래요, 아쉽네요, "
    "아쉽다, 와, 우와, 오, 아하, 하하, 하하하, ㅋㅋ, ㅋㅋㅋ, ㅎㅎ, 축하해, 다행이네요, 다행이다, 정말, 진짜, "
    "대박, 몰랐어, 몰랐어요, 몰랐네요, 몰랐습니다, 그건 몰랐어요, 그건 몰랐네요, 처음 알았어요, "
    "좋은 소식이네요, 다행입니다, 기억할게요, 볼게요, 찾아볼게요, 예상대로네요, 궁금증이 풀렸어요, "
    "큰 도움이 되었어요, 도움이 많이 됐어요, 기뻐요, 슬프네요, 신기하네요, 신기하다",
    "tr": "harika, süper, mükemmel, güzel, çok güzel, iyi, çok iyi, muhteşem, şahane, efsane, ilginç, çok ilginç, "
    "faydalı, çok faydalı, çok faydalı oldu, yardımcı oldu, çok yardımcı oldun, çok yardımcı oldunuz, "
    "işime yaradı, çok işime yaradı, aferin, bravo, tebrikler, helal, eline sağlık, ellerine sağlık, "
    "beğendim, çok beğendim, çalıştı, çalışıyor, oldu, haha, hahaha, aynen, doğru, haklısın, haklısınız, "
    "kesinlikle, mantıklı, yazık, ne yazık, tüh, vay, vay be, ya, aa, hmm, bilmiyordum, bunu bilmiyordum, "
    "hiç bilmiyordum, haberim yoktu, iyi haber, güzel haber, çok güzel haber, içim rahatladı, "
    "aklımda tutarım, bakarım, tahmin etmiştim, sorumun cevabını aldım, çok yardımın dokundu, çok hızlı, "
    "ne güzel, üzücü, sevindim",
    "ar": "رائع, ممتاز, جميل, جيد, جيد جدا, حسن, عظيم, مذهل, مدهش, مثالي, مفيد, مفيد جدا, مثير للاهتمام, هذا رائع, "
    "هذا مفيد, كان مفيدا, هذا ممتاز, أحسنت, عمل جيد, عمل رائع, أنت رائع, أنت الأفضل, أعجبني, يعمل, هههه, "
    "ههه, هه, صحيح, هذا صحيح, بالضبط, معك حق, منطقي, للأسف, يا للأسف, واو, آه, مبروك, برافو, سعدت بذلك, "
    "لم أكن أعرف, لم أكن أعلم, لم أعرف ذلك, لم أكن أعرف ذلك, ما كنت أعرف, لا فكرة لدي, خبر جيد, خبر رائع, "
    "أخبار جيدة, الحمد لله, سأتذكر ذلك, سألقي نظرة, هذا ما ظننته, هذا يجيب على سؤالي, ساعدتني كثيرا, "
    "لقد ساعدتني كثيرا, سعيد بذلك, هذا محزن",
    **phrases_for("PRAISE"),
}

ACKNOWLEDGEMENTS: Final[dict[str, str]] = {
    "en": "ok, okay, okey, okie, oki, kk, k, ok ok, alright, all right, fine, got it, i got it, gotcha, "
    "understood, i understand, i see, noted, roger, copy that, yes, yeah, yep, yup, yea, sure, of course, "
    "certainly, absolutely, no, nope, nah, ah, oh, ah ok, oh ok, oh i see, ah i see, aha, hm, hmm, mhm, "
    "uh huh, well, clear, all clear, crystal clear, will do, as expected, i know, i thought so, good point, "
    "ok then, i'll try that, i'll try it, i will try that, let me try, let me check, i'll check, "
    "i will do that, i'll do that, now i get it, i get it, now i understand, done",
    "de": "ok, okay, okey, oki, alles klar, alles gut, klar, na klar, verstanden, ich verstehe, verstehe, "
    "hab verstanden, ich habe verstanden, hab's verstanden, kapiert, ja, jo, jup, jawohl, nein, nee, nö, ne, "
    "gut, in ordnung, einverstanden, gern, gerne, sicher, natürlich, selbstverständlich, hm, hmm, mhm, ach, "
    "ach ja, ach ok, na ja, naja, tja, so, weiß ich, weiß ich schon, dachte ich mir, notiert, mach ich, "
    "werde ich machen, probiere ich, ich probiere es, ich probier's, erledigt, jetzt verstehe ich, "
    "jetzt verstehe ich es, geht klar, von mir aus",
    "es": "ok, okay, okey, vale, de acuerdo, entendido, entiendo, ya entiendo, ya veo, comprendo, comprendido, "
    "claro, claro que sí, por supuesto, sí, si, sip, no, nop, ya, listo, está bien, esta bien, bueno, pues, "
    "pues nada, anotado, hmm, mmm, ah vale, ah ok, seguro, lo sé, ya lo sabía, lo intentaré, lo probaré, "
    "voy a probar, hecho, dale, órale, venga",
    "fr": "ok, okay, d'accord, dac, dacc, compris, j'ai compris, je comprends, je vois, entendu, c'est noté, noté, "
    "oui, ouais, ouep, non, nan, bien sûr, certainement, évidemment, bien reçu, ça va, ça roule, hmm, mmh, "
    "euh, ben, bah, voilà, ok ok, ah d'accord, je sais, je vais essayer, j'essaie, j'essaierai, c'est clair, "
    "c'est fait, pas grave, c'est pas grave, soit, volontiers",
    "it": "ok, okay, va bene, d'accordo, capito, ho capito, capisco, ora capisco, vedo, certo, certamente, "
    "ovviamente, sì, si, no, chiaro, tutto chiaro, ricevuto, intesi, hmm, mah, beh, allora, lo so, ci provo, "
    "proverò, fatto, ah ok, a posto, tutto a posto",
    "pt": "ok, okay, tá, tá bom, tá bem, está bem, está bom, certo, entendi, entendido, percebi, compreendo, "
    "entendo, claro, com certeza, sim, não, beleza, blz, combinado, de acordo, anotado, hmm, ah ok, ah tá, "
    "pois, pois é, eu sei, vou tentar, vou experimentar, feito",
    "nl": "ok, oké, okay, okee, akkoord, begrepen, ik begrijp het, ik snap het, snap ik, duidelijk, helder, ja, "
    "jawel, jep, nee, natuurlijk, zeker, tuurlijk, goed, is goed, in orde, genoteerd, hm, hmm, nou, tja, "
    "ach, ach zo, weet ik, ik ga het proberen, gedaan",
    "pl": "ok, okej, okay, dobra, dobrze, w porządku, rozumiem, zrozumiałem, zrozumiałam, zrozumiano, jasne, "
    "oczywiście, tak, nie, no, pewnie, zgoda, niech będzie, zanotowane, hmm, no tak, no dobra, wiem, "
    "spróbuję, zrobione, spoko",
    "ru": "ок, окей, ладно, хорошо, понятно, понял, поняла, я понял, я поняла, понимаю, ясно, все ясно, всё ясно, "
    "все понятно, всё понятно, да, ага, угу, нет, не, неа, конечно, разумеется, договорились, принято, хм, "
    "ну, ну ладно, ну да, вижу, знаю, попробую, сделаю, готово, так, ok",
    "zh": "好, 好的, 好吧, 好了, 好嘞, 好滴, 行, 行吧, 可以, 可以的, 没问题, 明白, 明白了, 我明白了, 懂了, 我懂了, "
    "知道了, 我知道了, 了解, 了解了, 清楚了, 收到, 嗯, 嗯嗯, 哦, 噢, 喔, 哦哦, 是, 是的, 是啊, 对啊, 当然, "
    "不, 不是, 不要, 不用, 不需要, 没有, ok, 那好, 那好吧, 这样啊, 我试试, 我去试试, 我试一下, 记住了, "
    "记下了, 我看看, 同意",
    "ja": "はい, ええ, うん, いいえ, いや, いえ, オッケー, オーケー, おけ, ok, 了解, 了解です, 了解しました, "
    "わかりました, わかった, 分かりました, 分かった, 承知しました, かしこまりました, 理解しました, 納得です, "
    "納得しました, そうです, もちろん, いいよ, いいです, 試してみます, やってみます, 確認します, "
    "確認しました, まあ, あー, ああ, うーん, ふむ, じゃあ, では",
    "ko": "네, 예, 응, 어, 그래, 아니, 아니요, 아니오, 아뇨, 오케이, 오키, ㅇㅋ, ㅇㅇ, 알겠어, 알겠어요, "
    "알겠습니다, 알았어, 알았어요, 이해했어, 이해했어요, 이해했습니다, 이해됐어요, 물론, 물론이죠, 당연하지, "
    "확인했습니다, 확인했어요, 음, 흠, 아, 아 네, 그럼, 해볼게, 해볼게요, 해보겠습니다, ok",
    "tr": "tamam, tamamdır, tmm, ok, okey, peki, olur, anladım, anlaşıldı, anlıyorum, evet, hayır, yok, he, hı hı, "
    "tabii, tabi, tabii ki, elbette, kesinlikle, iyi, not aldım, biliyorum, deneyeceğim, denerim, yaptım, "
    "hım, hmm, şey, eh",
    "ar": "حسنا, طيب, تمام, اوكي, أوكي, اوك, فهمت, لقد فهمت, مفهوم, واضح, نعم, أجل, ايوه, أيوا, لا, كلا, بالطبع, "
    "طبعا, أكيد, بالتأكيد, موافق, علم, همم, آها, أعرف, سأحاول, سأجرب, تم, ماشي, خلاص",
    **phrases_for("ACKNOWLEDGEMENTS"),
}

# Words that carry nothing of their own between such phrases.
FILLERS: Final[dict[str, str]] = {
    "en": "and, so, very, really, very much, so much, a lot, again, for now, now, then, just, please, pls, plz, "
    "man, mate, buddy, dude, bro, guys, sir, friend, my friend, everyone, everybody, today, for your help, "
    "for the help, for that, that, it was, that was, but, there, too, also, all, much, oh, ah, to you, you, "
    "bot, assistant, :), xd, that's, dear, folks, for me",
    "de": "und, sehr, wirklich, dann, nochmal, noch mal, erstmal, bitte, leute, mein freund, aber, doch, so, mal, "
    "ja, auch, das, das ist, das war, echt, ganz, für alles, für deine hilfe, für die hilfe, dir, ihnen, "
    "euch, heute, mir, na",
    "es": "y, muy, mucho, por todo, por favor, amigo, amiga, pero, pues, también, de nuevo, otra vez, entonces, "
    "por tu ayuda, por la ayuda, hoy, eso, es, está",
    "fr": "et, très, beaucoup, bcp, vraiment, pour tout, stp, svp, s'il te plaît, s'il vous plaît, mon ami, mais, "
    "alors, donc, aussi, encore, pour ton aide, pour votre aide, pour l'aide, à toi, à vous, c'est, "
    "tout le monde, hein",
    "it": "e, molto, davvero, tanto, per tutto, per favore, amico, ma, allora, anche, ancora, per l'aiuto, "
    "dell'aiuto, di tutto, a te, è, tutti, oggi",
    "pt": "e, muito, mesmo, por tudo, por favor, amigo, amiga, mas, então, também, pela ajuda, de novo, hoje, "
    "isso, é, gente, pessoal, cara, mano",
    "nl": "en, heel, erg, echt, veel, voor alles, alsjeblieft, alstublieft, aub, maar, dan, ook, nog, weer, "
    "voor je hulp, hoor, dat is, dat was, vandaag, iedereen",
    "pl": "i, a, bardzo, naprawdę, za wszystko, za pomoc, proszę, ale, więc, też, jeszcze, no, to, jest, to jest, "
    "dzisiaj, wszystkim, ci, panu, pani",
    "ru": "и, а, очень, за все, за всё, за помощь, пожалуйста, но, тогда, тоже, еще, ещё, ну, это, так, сегодня, "
    "всем, друг, вам, тебе, мне",
    "zh": "啊, 呀, 吧, 了, 哦, 呢, 啦, 哈, 嘛, 喽, 哟, 你, 您, 的, 那, 那么, 真, 很, 太, 非常, 非常非常, 大家, "
    "朋友, 亲, 我, 也, 就, 都, 今天",
    "ja": "ね, よ, です, ました, さん, とても, 本当に, ほんとに, 大変, どうも, また, それでは, では, ございます, "
    "みなさん, 皆さん, 今日, 今日は, は, も, な, ー, 〜",
    "ko": "정말, 진짜, 너무, 많이, 아주, 매우, 그럼, 그리고, 다, 또, 오늘, 여러분, 모두, 요, 네",
    "tr": "ve, çok, gerçekten, ama, o zaman, da, de, bir, bu, her şey için, yardım için, yardımın için, "
    "yardımınız için, lütfen, dostum, kanka, hocam, arkadaşlar, bugün, ya",
    "ar": "و, جدا, كثيرا, حقا, لك, لكم, على المساعدة, على كل شيء, من فضلك, لو سمحت, يا, صديقي, يا صديقي, أخي, "
    "اليوم, هذا, لكن, إذن",
    **phrases_for("FILLERS"),
}

# Answers that take up an offer of the assistant ("Shall I go on?").
CONSENT: Final[dict[str, str]] = {
    "en": "yes, yes please, yeah, yep, yup, sure, ok, okay, please, please do, do it, go ahead, go on, of course, "
    "absolutely, definitely, y, yes do that, yes go ahead, why not, sounds good, i would, i'd like that, "
    "i would like that, yes i would, would be nice, great",
    "de": "ja, ja bitte, ja gern, ja gerne, gern, gerne, bitte, ok, okay, klar, mach das, mach mal, jo, unbedingt, "
    "na klar, auf jeden fall, ja mach das, sehr gerne, natürlich, ja klar",
    "es": "sí, si, sí por favor, si por favor, claro, claro que sí, vale, ok, dale, adelante, por favor, "
    "de acuerdo, hazlo, por supuesto",
    "fr": "oui, oui merci, oui s'il te plaît, oui stp, oui svp, oui s'il vous plaît, ok, d'accord, volontiers, "
    "vas-y, allez-y, avec plaisir, bien sûr, ouais, je veux bien",
    "it": "sì, si, sì grazie, si grazie, sì per favore, certo, va bene, ok, volentieri, d'accordo, vai, procedi",
    "pt": "sim, sim por favor, claro, ok, pode ser, com certeza, por favor, quero, pode, vai, sim pode, sim quero",
    "nl": "ja, ja graag, graag, ok, oké, doe maar, natuurlijk, ja hoor, zeker, ja alsjeblieft, prima",
    "pl": "tak, tak proszę, poproszę, jasne, ok, dobrze, chętnie, oczywiście, pewnie, no",
    "ru": "да, да пожалуйста, конечно, давай, давайте, хорошо, ок, ага, хочу, да хочу, валяй, угу",
    "zh": "是, 是的, 好, 好的, 要, 想, 可以, 请, 需要, 行, 当然, 嗯, 好啊, 要的, 继续, 请继续",
    "ja": "はい, はいお願いします, お願いします, うん, ええ, ぜひ, もちろん, 続けて, 続けてください, はい続けて, "
    "いいよ, 頼む",
    "ko": "네, 예, 응, 네 부탁해요, 부탁해요, 부탁합니다, 네 부탁합니다, 그래, 좋아, 좋아요, 해줘, 계속, 계속해, "
    "계속해 줘, 물론",
    "tr": "evet, evet lütfen, lütfen, olur, tamam, tabii, elbette, isterim, evet isterim, devam et, iyi olur",
    "ar": "نعم, نعم من فضلك, أجل, أكيد, طبعا, بالتأكيد, حسنا, تفضل, من فضلك, أريد, نعم أريد, ايوه, موافق, تابع",
    **phrases_for("CONSENT"),
}
