"""Phrases that only keep a conversation going, by language: an own compilation.

Entries stand between commas. ``GREETINGS``, ``THANKS``, … differ in what may follow: a name after a greeting or
thanks ("hi Anna"), nothing elsewhere.
"""

from __future__ import annotations

from typing import Final

from rag_service.retrieval.turn_languages import phrases_for

GREETINGS: Final[dict[str, str]] = {
    "en": "hi, hello, hey, hiya, heya, yo, howdy, hi there, hello there, hey there, good morning, good afternoon, "
    "good evening, good day, greetings, morning, evening, gm, hello again, hi again, welcome back, dear, sup",
    "de": "hallo, hi, hey, moin, moin moin, servus, grüß gott, grüß dich, grüezi, guten tag, guten morgen, tag, "
    "guten abend, gute nacht, tach, hallöchen, na, sei gegrüßt, hallo zusammen, morgen",
    "es": "hola, buenas, buenos días, buen día, buenas tardes, buenas noches, qué tal, holi, saludos, hola de nuevo",
    "fr": "bonjour, bonsoir, salut, coucou, bjr, slt, re, bonjour à tous, rebonjour, hello, allô",
    "it": "ciao, salve, buongiorno, buonasera, buon giorno, buona sera, buon pomeriggio, ehi, ehilà, ciao a tutti",
    "pt": "olá, oi, bom dia, boa tarde, boa noite, oi tudo bem, e aí, oie, viva",
    "nl": "hallo, hoi, hey, hi, goedemorgen, goedemiddag, goedenavond, goedendag, goeiemorgen, dag, hallootjes",
    "pl": "cześć, hej, witam, witaj, siema, dzień dobry, dobry wieczór, dobry, hejka, siemka, dobranoc",
    "ru": "привет, здравствуй, здравствуйте, добрый день, доброе утро, добрый вечер, приветик, хай, салют, "
    "доброго времени суток, всем привет, приветствую",
    "zh": "你好, 您好, 你们好, 大家好, 嗨, 哈喽, 哈啰, 喂, 早, 早上好, 上午好, 中午好, 下午好, 晚上好, 早安, 晚安, "
    "在吗, 在不在, 你好呀, hello",
    "ja": "こんにちは, こんにちわ, こんばんは, おはよう, おはようございます, はじめまして, もしもし, どうも, やあ, "
    "おやすみ, おやすみなさい, よろしく, よろしくお願いします, よろしくお願いいたします, お疲れ様, "
    "お疲れ様です, ハロー",
    "ko": "안녕, 안녕하세요, 안녕하십니까, 하이, 헬로, 반가워, 반가워요, 반갑습니다, 좋은 아침, 좋은 아침이에요, "
    "처음 뵙겠습니다, 여보세요",
    "tr": "merhaba, merhabalar, selam, selamlar, slm, mrb, günaydın, iyi günler, iyi akşamlar, iyi geceler, "
    "tünaydın, selamün aleyküm, selamun aleykum, aleyküm selam, hey",
    "ar": "مرحبا, مرحبا بك, أهلا, أهلا وسهلا, اهلين, السلام عليكم, السلام عليكم ورحمة الله, "
    "السلام عليكم ورحمة الله وبركاته, وعليكم السلام, صباح الخير, صباح النور, مساء الخير, مساء النور, هلا, "
    "هاي, تحية طيبة",
    **phrases_for("GREETINGS"),
}

THANKS: Final[dict[str, str]] = {
    "en": "thanks, thank you, thank u, thx, thnx, tnx, ty, tysm, tyvm, cheers, ta, many thanks, thanks a lot, "
    "thanks a bunch, thanks a million, thanks so much, thanks very much, thank you so much, "
    "thank you very much, much appreciated, appreciate it, i appreciate it, i appreciate that, "
    "i appreciate your help, thanks again, thank you again, thanks for your help, thank you for your help, "
    "thanks for the help, thank you for the help, thanks for the info, thanks for the information, "
    "thanks for the answer, thanks for that, thanks for this, thanks for explaining, "
    "thank you for explaining, thanks for the explanation, thanks for everything, thanks in advance, "
    "thank you in advance, thanks anyway, no thanks, no thank you, nope thanks",
    "de": "danke, dankeschön, danke schön, danke sehr, dank dir, danke dir, danke ihnen, danke euch, vielen dank, "
    "herzlichen dank, besten dank, tausend dank, lieben dank, vielen lieben dank, danke vielmals, merci, "
    "dankee, danke für die hilfe, danke für deine hilfe, danke für ihre hilfe, danke für die info, "
    "danke für die auskunft, danke für die antwort, vielen dank für die hilfe, vielen dank für deine hilfe, "
    "vielen dank für ihre hilfe, vielen dank für die auskunft, danke im voraus, vielen dank im voraus, "
    "nein danke, ne danke, ich danke dir, ich danke ihnen, danke trotzdem, thx",
    "es": "gracias, muchas gracias, mil gracias, muchísimas gracias, gracias por tu ayuda, gracias por su ayuda, "
    "gracias por la ayuda, gracias por todo, gracias por la información, gracias por la respuesta, "
    "te lo agradezco, se lo agradezco, no gracias, gracias de nuevo, gracias de antemano, grax, "
    "muy agradecido, muy agradecida",
    "fr": "merci, merci beaucoup, merci bcp, mille mercis, mille merci, merci bien, merci à toi, merci à vous, "
    "merci infiniment, grand merci, un grand merci, merci pour ton aide, merci pour votre aide, "
    "merci pour l'aide, merci pour tout, merci pour l'info, merci pour la réponse, merci de votre aide, "
    "merci d'avance, je te remercie, je vous remercie, non merci, merci encore, mci, remerciements",
    "it": "grazie, grazie mille, mille grazie, molte grazie, grazie tante, tante grazie, ti ringrazio, "
    "la ringrazio, grazie per l'aiuto, grazie dell'aiuto, grazie di tutto, grazie per la risposta, "
    "no grazie, grazie infinite, grazie ancora, grazie in anticipo, grazie a te, grazie a lei",
    "pt": "obrigado, obrigada, muito obrigado, muito obrigada, obg, brigado, brigada, obrigadão, "
    "obrigado pela ajuda, obrigada pela ajuda, muito obrigado pela ajuda, muito obrigada pela ajuda, valeu, "
    "vlw, agradeço, agradecido, agradecida, não obrigado, não obrigada, obrigado por tudo, "
    "obrigada por tudo, obrigado desde já",
    "nl": "bedankt, dank, dank je, dank u, dankjewel, dankuwel, dank je wel, dank u wel, hartelijk dank, "
    "heel erg bedankt, hartstikke bedankt, bedankt voor je hulp, bedankt voor uw hulp, bedankt voor de hulp, "
    "bedankt voor de info, nee dank je, nee bedankt, veel dank, alvast bedankt, thanks",
    "pl": "dzięki, dziękuję, dziękuję bardzo, bardzo dziękuję, dziękuję ci, dzięki wielkie, wielkie dzięki, "
    "dzięki za pomoc, dziękuję za pomoc, dziękuję za odpowiedź, nie dziękuję, nie dzięki, "
    "dziękuję serdecznie, z góry dziękuję, dziękować",
    "ru": "спасибо, спасибо большое, большое спасибо, огромное спасибо, спасибо огромное, благодарю, "
    "благодарю вас, спасибо за помощь, спасибо за ответ, спасибо за информацию, спасибки, спс, пасиб, "
    "нет спасибо, спасибо вам, спасибо тебе, заранее спасибо, спасибо заранее",
    "zh": "谢谢, 谢谢你, 谢谢您, 谢谢啦, 谢谢了, 多谢, 多谢你, 多谢您, 多谢了, 感谢, 感谢你, 感谢您, 非常感谢, "
    "十分感谢, 太感谢了, 谢了, 谢谢你的帮助, 谢谢您的帮助, 感谢你的帮助, 感谢您的帮助, 谢谢帮助, "
    "谢谢你的回答, 不用了谢谢, 不用谢谢, 辛苦了, 辛苦, 麻烦你了, 麻烦了, 3q",
    "ja": "ありがとう, ありがとうございます, ありがとうございました, どうもありがとう, どうもありがとうございます, "
    "サンキュー, 感謝します, 感謝, 助かります, 助かりました, 助かった, お世話になりました, いいえ結構です, "
    "結構です, 大丈夫です",
    "ko": "고마워, 고마워요, 고맙습니다, 감사합니다, 감사해요, 감사, 정말 고마워, 정말 고마워요, 정말 감사합니다, "
    "도와줘서 고마워, 도와주셔서 감사합니다, 땡큐, ㄱㅅ, 감사드립니다, 괜찮아요, 괜찮습니다, 아니요 괜찮아요",
    "tr": "teşekkürler, teşekkür ederim, çok teşekkürler, çok teşekkür ederim, teşekkür, tşk, tşkler, sağ ol, "
    "sağol, sağ olun, sağolun, çok sağ ol, eyvallah, eyv, yardımın için teşekkürler, "
    "yardımınız için teşekkürler, hayır teşekkürler, hayır teşekkür ederim, minnettarım",
    "ar": "شكرا, شكرا لك, شكرا لكم, شكرا جزيلا, شكرا جزيلا لك, شكرا كثيرا, الشكر لك, أشكرك, اشكركم, مشكور, مشكورة, "
    "شكرا على المساعدة, شكرا على مساعدتك, شكرا لمساعدتك, لا شكرا, متشكر, تسلم, جزاك الله خيرا, "
    "يعطيك العافية, ألف شكر",
    **phrases_for("THANKS"),
}

CLOSINGS: Final[dict[str, str]] = {
    "en": "that's all for today, that's it for today, that will be all for today, that's all i wanted, i have to go, "
    "bye, bye bye, goodbye, good bye, see you, see ya, see you later, see you soon, cya, later, take care, "
    "good night, gn, farewell, talk to you later, ttyl, have a nice day, have a good day, have a great day, "
    "have a nice evening, have a good evening, have a good one, have a nice weekend, have a good weekend, "
    "until next time, that's all, that is all, that's all for now, that's it, that is it, that will be all, "
    "that's everything, nothing else, i'm done, we're done, all good, all set, no problem, no worries, np, "
    "you're welcome, you too, same to you, never mind, nevermind, nvm, forget it, sorry, my bad, my mistake, "
    "good luck, enjoy your day, you're done, i'm fine",
    "de": "das war's für heute, das wars für heute, das ist alles für heute, das reicht für heute, "
    "das reicht mir, ich muss los, "
    "tschüss, tschüß, tschau, ciao, auf wiedersehen, wiedersehen, bis bald, bis später, bis dann, "
    "bis morgen, bis zum nächsten mal, mach's gut, machs gut, schönen tag, schönen tag noch, "
    "einen schönen tag, einen schönen tag noch, schönen abend, schönen abend noch, schönes wochenende, "
    "gute nacht, das war's, das wars, das war alles, das wäre alles, das ist alles, mehr brauche ich nicht, "
    "kein problem, keine ursache, gern geschehen, bitte schön, egal, vergiss es, schon gut, gleichfalls, "
    "ebenso, entschuldigung, sorry, tut mir leid, viele grüße, lg, mfg, liebe grüße, "
    "mit freundlichen grüßen, ich bin fertig",
    "es": "eso es todo por hoy, es todo por hoy, con eso me basta, eso era todo, me tengo que ir, "
    "adiós, chao, chau, hasta luego, hasta pronto, hasta mañana, hasta la próxima, nos vemos, "
    "buen fin de semana, que tengas un buen día, que tenga un buen día, que tengas buen día, buena tarde, "
    "cuídate, eso es todo, es todo, nada más, de nada, no hay problema, igualmente, perdón, lo siento, "
    "no importa, olvídalo, un saludo, saludos",
    "fr": "c'est tout pour aujourd'hui, ce sera tout, ce sera tout pour aujourd'hui, c'était tout, je dois y aller, "
    "au revoir, à bientôt, à plus, à plus tard, a+, à demain, à la prochaine, bonne journée, bonne soirée, "
    "bonne nuit, bon week-end, bonne fin de journée, ciao, adieu, c'est tout, ce sera tout, rien d'autre, "
    "de rien, je t'en prie, pas de problème, pas de souci, désolé, désolée, pardon, laisse tomber, tant pis, "
    "à vous aussi, toi aussi, cordialement, excusez-moi, excuse-moi",
    "it": "arrivederci, a presto, a dopo, a domani, ci vediamo, alla prossima, buona giornata, buona serata, "
    "buona notte, buonanotte, buon fine settimana, addio, è tutto, nient'altro, basta così, prego, "
    "di niente, nessun problema, scusa, scusami, mi dispiace, non importa, altrettanto, lascia stare, "
    "cordiali saluti",
    "pt": "tchau, adeus, até logo, até já, até mais, até breve, até amanhã, até à próxima, bom fim de semana, "
    "tenha um bom dia, boa semana, é tudo, é só isso, é só, nada mais, mais nada, de nada, sem problema, "
    "não tem problema, desculpe, desculpa, igualmente, deixa pra lá, deixa para lá, abraço, abraços",
    "nl": "doei, doeg, tot ziens, tot later, tot snel, tot straks, tot de volgende keer, tot morgen, fijne dag, "
    "fijne dag nog, fijne avond, fijne avond nog, fijn weekend, goedenacht, welterusten, dat was het, "
    "dat was alles, dat is alles, meer niet, graag gedaan, geen probleem, geen dank, sorry, laat maar, "
    "insgelijks, groetjes, de groeten, houdoe",
    "pl": "pa, papa, do widzenia, do zobaczenia, na razie, nara, do jutra, do usłyszenia, miłego dnia, "
    "miłego wieczoru, miłego weekendu, dobranoc, to wszystko, to tyle, nic więcej, proszę bardzo, "
    "nie ma za co, nie ma problemu, nie ma sprawy, przepraszam, sorki, nieważne, wzajemnie, pozdrawiam, "
    "żegnaj",
    "ru": "пока, пока пока, до свидания, до встречи, до завтра, до скорого, всего доброго, всего хорошего, "
    "хорошего дня, хорошего вечера, хороших выходных, спокойной ночи, удачи, прощай, это все, это всё, "
    "больше ничего, все, пожалуйста, не за что, без проблем, ничего страшного, извини, извините, простите, "
    "неважно, забудь, взаимно, с уважением",
    "zh": "今天就到这里, 就到这里, 就这些, 没有别的了, 没别的了, 我先走了, 先这样, "
    "再见, 拜拜, 拜, 回头见, 回见, 下次见, 明天见, 一会儿见, 祝你好运, 祝你愉快, 祝您愉快, 周末愉快, 就这些, "
    "就这样, 就这样吧, 没有了, 没了, 没事了, 没事, 没什么了, 不用了, 不需要了, 不客气, 不用谢, 没关系, "
    "对不起, 抱歉, 不好意思, 算了, 886, 88",
    "ja": "さようなら, さよなら, またね, じゃあね, じゃあまた, ではまた, また明日, また今度, バイバイ, 失礼します, "
    "失礼しました, 以上です, これで終わりです, これで大丈夫です, もういいです, 特にありません, "
    "どういたしまして, 問題ありません, すみません, ごめんなさい, ごめん, 良い一日を, よい一日を, 良い週末を, "
    "お元気で",
    "ko": "잘 가, 안녕히 가세요, 안녕히 계세요, 다음에 봐, 다음에 봐요, 또 봐, 내일 봐, 나중에 봐요, "
    "좋은 하루 보내세요, 좋은 하루 되세요, 좋은 하루, 수고하세요, 수고하셨습니다, 수고, 이상입니다, "
    "그게 다예요, 더 없어요, 없어요, 천만에요, 별말씀을요, 문제없어요, 죄송합니다, 죄송해요, 미안, 미안해, "
    "잘 자, 안녕히 주무세요, 바이, 바이바이, 됐어, 됐어요",
    "tr": "görüşürüz, görüşmek üzere, hoşça kal, hoşçakal, hoşça kalın, güle güle, bay bay, baybay, bb, "
    "kendine iyi bak, kolay gelsin, iyi çalışmalar, iyi hafta sonları, bu kadar, hepsi bu, hepsi bu kadar, "
    "başka yok, yeter, rica ederim, bir şey değil, sorun değil, önemli değil, özür dilerim, pardon, "
    "kusura bakma, boş ver, sana da, size de, saygılar",
    "ar": "وداعا, مع السلامة, إلى اللقاء, باي, أراك لاحقا, أراك قريبا, تصبح على خير, يوم سعيد, نهارك سعيد, "
    "طاب يومك, هذا كل شيء, هذا كل شي, لا شيء آخر, عفوا, العفو, لا مشكلة, لا بأس, آسف, اسف, معذرة, لا يهم, "
    "في أمان الله, وأنت أيضا",
    **phrases_for("CLOSINGS"),
}

ABOUT_YOU: Final[dict[str, str]] = {
    "en": "how are you, how are you doing, how are you today, how r u, how are u, how do you do, how is it going, "
    "how's it going, how's everything, how have you been, what's up, whats up, wassup, who are you, who r u, "
    "what are you, what's your name, what is your name, whats your name, do you have a name, "
    "what can you do, what can you do for me, what do you do, can you help me, could you help me, help me, "
    "i need help, i need your help, i have a question, are you there, you there, anybody there, "
    "are you a robot, are you a bot, are you human, are you real, are you an ai, are you chatgpt, "
    "who made you, who created you, who built you, which model are you, what model are you, how old are you, "
    "where are you from, nice to meet you, pleased to meet you, tell me a joke, tell me another joke, test, "
    "testing, just testing, this is a test, ping, i'm bored, do you like me, do you love me, i love you, "
    "how can you help me, what languages do you speak, hope you're doing well, hope you are doing well, "
    "i hope you're doing well, hope you are well, hope you're well, i hope you are well, i hope all is well, "
    "hope all is well, long time no see",
    "de": "wie geht es dir, wie geht's dir, wie gehts dir, wie geht's, wie gehts, wie geht es ihnen, wie läuft's, "
    "wie läufts, alles gut bei dir, was geht, was geht ab, wer bist du, wer sind sie, was bist du, "
    "wie heißt du, wie heißen sie, was kannst du, was kannst du alles, was kannst du für mich tun, "
    "kannst du mir helfen, können sie mir helfen, ich brauche hilfe, ich brauche deine hilfe, "
    "ich habe eine frage, ich hab eine frage, hab eine frage, bist du da, bist du ein roboter, "
    "bist du ein bot, bist du ein mensch, bist du eine ki, welches modell bist du, wer hat dich gemacht, "
    "wer hat dich erschaffen, wie alt bist du, woher kommst du, freut mich dich kennenzulernen, "
    "erzähl mir einen witz, erzähle einen witz, erzähl einen witz, test, nur ein test, na wie geht's, "
    "mir ist langweilig, mir geht es gut, mir geht's gut, und dir, und selbst, ich hoffe es geht dir gut, "
    "hoffe es geht dir gut, ich hoffe es geht ihnen gut, hoffe dir geht es gut, lange nicht gesehen",
    "es": "cómo estás, cómo está, cómo está usted, cómo te va, qué tal, qué tal estás, qué tal todo, qué pasa, "
    "qué hay, todo bien, quién eres, qué eres, cómo te llamas, cuál es tu nombre, qué puedes hacer, "
    "qué sabes hacer, puedes ayudarme, me puedes ayudar, me ayudas, necesito ayuda, necesito tu ayuda, "
    "tengo una pregunta, una pregunta, tengo una duda, estás ahí, eres un robot, eres un bot, eres humano, "
    "eres una ia, quién te creó, quién te hizo, qué modelo eres, cuántos años tienes, de dónde eres, "
    "mucho gusto, encantado, encantada, cuéntame un chiste, prueba, esto es una prueba, estoy bien, y tú, "
    "espero que estés bien, espero que esté bien, cuánto tiempo",
    "fr": "ça va, comment ça va, comment vas-tu, comment allez-vous, comment tu vas, comment va, quoi de neuf, "
    "tu vas bien, vous allez bien, qui es-tu, t'es qui, tu es qui, qui êtes-vous, c'est quoi ton nom, "
    "comment tu t'appelles, comment t'appelles-tu, comment vous appelez-vous, quel est ton nom, "
    "que peux-tu faire, que sais-tu faire, qu'est-ce que tu peux faire, qu'est-ce que tu sais faire, "
    "tu peux faire quoi, peux-tu m'aider, tu peux m'aider, pouvez-vous m'aider, j'ai besoin d'aide, "
    "j'ai besoin de ton aide, j'ai une question, une question, tu es là, es-tu là, es-tu un robot, "
    "tu es un robot, es-tu humain, es-tu une ia, quel modèle es-tu, qui t'a créé, quel âge as-tu, "
    "d'où viens-tu, enchanté, enchantée, raconte-moi une blague, test, c'est un test, ça va bien, et toi, "
    "et vous, j'espère que tu vas bien, j'espère que vous allez bien, ça fait longtemps",
    "it": "come stai, come sta, come va, come va la vita, tutto bene, tutto ok, che fai, chi sei, cosa sei, "
    "come ti chiami, qual è il tuo nome, cosa puoi fare, cosa sai fare, che cosa sai fare, puoi aiutarmi, "
    "mi puoi aiutare, mi aiuti, ho bisogno di aiuto, ho una domanda, una domanda, ci sei, sei un robot, "
    "sei un bot, sei umano, sei un'ia, che modello sei, chi ti ha creato, quanti anni hai, di dove sei, "
    "piacere, piacere di conoscerti, raccontami una barzelletta, prova, questa è una prova, sto bene, e tu, "
    "spero che tu stia bene, spero tutto bene, da quanto tempo",
    "pt": "tudo bem, tudo bom, como vai, como está, como estás, como você está, como vai você, e aí, beleza, "
    "quem é você, quem és tu, quem és, o que você é, qual é o seu nome, qual é o teu nome, como se chama, "
    "como te chamas, o que você pode fazer, o que você faz, o que podes fazer, o que sabes fazer, "
    "pode me ajudar, você pode me ajudar, podes ajudar-me, pode ajudar-me, me ajuda, preciso de ajuda, "
    "tenho uma pergunta, tenho uma dúvida, uma pergunta, está aí, você é um robô, és um robô, você é humano, "
    "que modelo é você, quem te criou, quantos anos você tem, de onde você é, prazer, muito prazer, "
    "conta uma piada, conte uma piada, teste, isto é um teste, estou bem, e você, e tu, "
    "espero que esteja bem, espero que estejas bem, há quanto tempo",
    "nl": "hoe gaat het, hoe gaat het met je, hoe gaat het met u, hoe is het, hoe is het met je, hoe ist, "
    "alles goed, alles goed met je, wie ben je, wie ben jij, wie bent u, wat ben je, hoe heet je, "
    "hoe heet jij, wat is je naam, wat kun je, wat kan je, wat kun je doen, wat kun je voor me doen, "
    "kun je me helpen, kan je me helpen, kunt u mij helpen, ik heb hulp nodig, ik heb een vraag, ben je er, "
    "ben je een robot, ben je een mens, welk model ben je, wie heeft je gemaakt, hoe oud ben je, "
    "waar kom je vandaan, aangenaam, aangenaam kennis te maken, vertel een mop, vertel een grap, test, "
    "dit is een test, met mij gaat het goed, en met jou, ik hoop dat het goed gaat, "
    "hoop dat het goed met je gaat, lang niet gezien",
    "pl": "jak się masz, co słychać, co tam, co u ciebie, jak leci, jak się pan ma, jak się pani ma, kim jesteś, "
    "czym jesteś, jak masz na imię, jak się nazywasz, co potrafisz, co umiesz, co możesz zrobić, "
    "pomożesz mi, możesz mi pomóc, czy możesz mi pomóc, potrzebuję pomocy, mam pytanie, jesteś tam, "
    "jesteś robotem, czy jesteś robotem, czy jesteś człowiekiem, jaki to model, jakim modelem jesteś, "
    "kto cię stworzył, ile masz lat, skąd jesteś, miło mi, miło cię poznać, opowiedz dowcip, opowiedz żart, "
    "test, to jest test, wszystko dobrze, a ty, a u ciebie, mam nadzieję że wszystko dobrze, "
    "mam nadzieję że u ciebie dobrze",
    "ru": "как дела, как ты, как вы, как поживаешь, как поживаете, как жизнь, как сам, что нового, что делаешь, "
    "кто ты, кто вы, ты кто, что ты такое, как тебя зовут, как вас зовут, что ты умеешь, что умеешь, "
    "что ты можешь, что вы умеете, можешь помочь, можешь мне помочь, ты можешь мне помочь, "
    "вы можете мне помочь, помоги мне, помоги, помогите, мне нужна помощь, нужна помощь, у меня вопрос, "
    "есть вопрос, у меня есть вопрос, ты здесь, ты тут, ты робот, ты бот, ты человек, какая ты модель, "
    "кто тебя создал, сколько тебе лет, откуда ты, приятно познакомиться, расскажи анекдот, расскажи шутку, "
    "тест, это тест, проверка, все хорошо, а ты, а у тебя, надеюсь у тебя все хорошо, "
    "надеюсь у вас все хорошо, надеюсь все хорошо",
    "zh": "你好吗, 你怎么样, 最近怎么样, 最近好吗, 你还好吗, 吃了吗, 你是谁, 你是什么, 你是哪位, 你叫什么, "
    "你叫什么名字, 你的名字是什么, 您是谁, 你能做什么, 你会做什么, 你会什么, 你能干什么, 你可以做什么, "
    "你有什么功能, 你能帮我吗, 可以帮我吗, 能帮我吗, 能不能帮我, 帮帮我, 我需要帮助, 我有一个问题, "
    "我有个问题, 有个问题, 请教一下, 你在吗, 你是机器人吗, 你是人吗, 你是真人吗, 你是什么模型, 你是哪个模型, "
    "谁创造了你, 谁开发了你, 你几岁, 你多大了, 你来自哪里, 很高兴认识你, 讲个笑话, 给我讲个笑话, 测试, "
    "测试一下, 我很好, 你呢, 我爱你, 希望你一切都好, 好久不见",
    "ja": "お元気ですか, 元気ですか, 元気, 調子はどう, 調子はどうですか, あなたは誰, あなたは誰ですか, "
    "あなたは何ですか, 君は誰, 誰ですか, 名前は, お名前は, あなたの名前は, 名前は何ですか, "
    "あなたの名前は何ですか, 何ができますか, 何ができるの, あなたは何ができますか, 手伝ってください, "
    "手伝ってくれますか, 助けてください, 助けて, 質問があります, 質問です, ちょっと質問, いますか, "
    "ロボットですか, あなたはロボットですか, 人間ですか, あなたは人間ですか, aiですか, 何歳ですか, "
    "どこから来ましたか, ジョークを言って, 冗談を言って, テスト, テストです, 元気です, お久しぶりです, "
    "久しぶり",
    "ko": "잘 지내, 잘 지내요, 잘 지내세요, 잘 지냈어, 어떻게 지내, 어떻게 지내세요, 기분 어때, 누구야, 누구세요, "
    "너는 누구야, 넌 누구야, 당신은 누구세요, 당신은 누구입니까, 이름이 뭐야, 이름이 뭐예요, "
    "이름이 무엇인가요, 뭐 할 수 있어, 뭘 할 수 있어, 무엇을 할 수 있나요, 무엇을 할 수 있어, 도와줘, "
    "도와주세요, 도와줄 수 있어, 도와줄 수 있나요, 질문 있어, 질문이 있어, 질문이 있어요, 질문이 있습니다, "
    "거기 있어, 로봇이야, 너 로봇이야, 사람이야, 누가 만들었어, 몇 살이야, 만나서 반가워, 만나서 반갑습니다, "
    "농담 해 줘, 농담 하나 해줘, 테스트, 심심해, 오랜만이야, 오랜만이에요, 잘 지내고 있죠",
    "tr": "nasılsın, nasılsınız, nasıl gidiyor, naber, ne haber, nbr, ne var ne yok, iyi misin, sen kimsin, "
    "kimsin, siz kimsiniz, nesin, adın ne, adınız ne, ismin ne, senin adın ne, ne yapabilirsin, "
    "neler yapabilirsin, ne işe yararsın, bana yardım eder misin, yardım eder misin, yardım edebilir misin, "
    "bana yardım edebilir misin, yardıma ihtiyacım var, bir sorum var, sorum var, orada mısın, robot musun, "
    "insan mısın, yapay zeka mısın, hangi modelsin, seni kim yaptı, kaç yaşındasın, nerelisin, memnun oldum, "
    "tanıştığımıza memnun oldum, fıkra anlat, bana bir fıkra anlat, şaka yap, deneme, test, iyiyim, ya sen, "
    "sen nasılsın, umarım iyisindir, umarım iyisinizdir, uzun zaman oldu",
    "ar": "كيف حالك, كيف حالكم, كيف الحال, كيفك, كيف أنت, ما أخبارك, شو أخبارك, شلونك, من أنت, من انت, ما أنت, "
    "ما اسمك, ما هو اسمك, ماذا تستطيع أن تفعل, ماذا يمكنك أن تفعل, ماذا تفعل, هل يمكنك مساعدتي, "
    "هل تستطيع مساعدتي, ساعدني, أحتاج مساعدة, أحتاج إلى مساعدة, أحتاج مساعدتك, لدي سؤال, عندي سؤال, "
    "هل أنت هنا, هل أنت روبوت, هل أنت إنسان, أي نموذج أنت, من صنعك, كم عمرك, من أين أنت, تشرفنا, "
    "تشرفت بمعرفتك, احك لي نكتة, قل لي نكتة, اختبار, أنا بخير, وأنت, أتمنى أن تكون بخير, أرجو أن تكون بخير",
    **phrases_for("ABOUT_YOU"),
}
