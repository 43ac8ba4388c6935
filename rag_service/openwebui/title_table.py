"""Words for titles and tags, by language: what to call a chat of courtesies, and what says no subject.

An own compilation. Entries stand between commas.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

# A tag for a chat without a subject; in English it is the one that Open WebUI's template asks for.
GENERAL: Final[Mapping[str, str]] = {
    "en": "General",
    "de": "Allgemein",
    "fr": "Général",
    "es": "General",
    "zh": "综合",
    "it": "Generale",
    "pt": "Geral",
    "ru": "Общее",
    "ja": "一般",
    "ko": "일반",
    "nl": "Algemeen",
    "pl": "Ogólne",
    "tr": "Genel",
}

# The title of a chat of greetings and thanks alone.
SMALL_TALK: Final[Mapping[str, str]] = {
    "en": "Small talk",
    "de": "Kurzes Gespräch",
    "fr": "Petite conversation",
    "es": "Charla breve",
    "zh": "闲聊",
    "it": "Due chiacchiere",
    "pt": "Conversa breve",
    "ru": "Короткая беседа",
    "ja": "雑談",
    "ko": "잡담",
    "nl": "Kort gesprek",
    "pl": "Krótka rozmowa",
    "tr": "Kısa sohbet",
}
SMALL_TALK_EMOJI: Final = "💬"

# What a request is made with, and says nothing of its subject.
PLAIN_WORDS: Final[Mapping[str, str]] = {
    "en": "dear, sincerely, regards, hates, attached, cheapest, "
    "write, writes, writing, make, makes, making, do, does, doing, use, uses, used, using, get, gets, "
    "give, gives, tell, show, find, help, need, needs, want, wants, explain, explaining, describe, create, "
    "creates, work, works, working, mean, means, know, think, thinks, like, love, loved, loves, let, say, says, "
    "keep, keeps, put, go, goes, take, takes, have, has, had, having, exactly, really, actually, currently, "
    "please, thing, things, way, ways, good, better, best, great, nice, some, something, anything, someone, lot, "
    "lots, example, examples, question, questions, following, answer, answers, briefly, short, long, step, "
    "steps, try, trying, tried, look, looking, possible, able, recommend, suggest, suggestion, suggestions, "
    "idea, ideas, happen, happens, happened, start, started, usually, often, many, much, new, one, ones, kind, "
    "sort, different, first, second, last, today, properly, correctly, quickly, easily, again, also, maybe, "
    "course, sure, wonder, wondering, consider, should, own, read, reads, build, building, fix, fixes, run, "
    "runs, come, comes, see, feel, feels, list, lists, plan, call, called, difference between us, important, "
    "main, ask, asking, talk, discuss, compare, choose, there, still, yesterday, tomorrow, since, ago, morning, "
    "night",
    "de": "kostet, kosten, fasse, fass, zusammen, zusammenfassen, angehängte, angehängten, geehrte, geehrter, "
    "grüße, wichtige, "
    "schreib, schreibe, schreiben, mach, mache, machen, macht, tun, nutze, nutzen, verwende, verwenden, "
    "gib, geben, gibt, sag, sage, sagen, zeig, zeige, zeigen, finde, finden, hilf, hilfe, helfen, brauche, "
    "brauchen, braucht, will, möchte, erkläre, erklär, erklären, beschreibe, erstelle, erstellen, funktioniert, "
    "funktionieren, bedeutet, weiß, weißt, denke, mag, liebe, lass, genau, wirklich, eigentlich, aktuell, bitte, "
    "ding, dinge, gut, gute, guten, gutes, guter, besser, beste, besten, bestes, schön, etwas, beispiel, "
    "beispiele, frage, fragen, folgende, folgenden, antwort, kurz, kurze, lang, lange, schritt, schritte, "
    "versuche, probiere, möglich, empfiehl, empfehlen, empfiehlst, vorschlag, vorschläge, idee, ideen, passiert, "
    "beginnen, anfangen, oft, viel, viele, neu, neue, neuen, heute, richtig, schnell, einfach, sollte, soll, "
    "lese, lesen, liest, backe, baue, bauen, sehen, sollten, mir, uns, gehen, geht, liegt, ist, sind, bekomme, "
    "bekommt, habe, hat, haben, kommt, kommen, gestern, morgen, seit, wichtig, wichtigsten, wichtigste, "
    "vergleiche, repariere, reparieren, pflege, hoch, groß, dauert, heißt",
    "fr": "cher, chère, cordialement, madame, monsieur, résume, résumer, résumez, joint, jointe, "
    "écris, écrire, écrivez, fais, faire, fait, faites, utilise, utiliser, donne, donner, donnez, dis, "
    "dire, montre, montrer, trouve, trouver, aide, aider, besoin, veux, voudrais, veut, explique, expliquer, "
    "expliquez, décris, crée, créer, fonctionne, fonctionnent, marche, signifie, sais, savoir, pense, aime, "
    "adore, vraiment, exactement, chose, choses, bon, bonne, bons, bonnes, mieux, meilleur, meilleure, "
    "meilleurs, meilleures, quelque, exemple, exemples, question, questions, suivant, suivante, réponse, court, "
    "courte, long, longue, étape, étapes, essaie, possible, recommande, recommander, recommandes, suggère, "
    "suggestion, suggestions, idée, idées, passe, commencer, souvent, nouveau, nouvelle, aujourd, bien, "
    "rapidement, facilement, devrais, lire, lis, construire, réparer, voir, va, aller, important, principaux, "
    "principales, compare, comparer, choisir, peux, peut, faut, hier, demain, depuis, dure, coûte, appelle, "
    "petit, petite, grand, grande, préparer, prépare",
    "es": "recomiéndame, sugiéreme, enséñame, estimado, estimada, saludos, resume, resumir, adjunto, adjunta, "
    "escribe, escribir, haz, hacer, hace, hago, hacen, usa, usar, utilizar, da, dame, dar, di, dime, "
    "decir, muestra, muéstrame, encuentra, encontrar, ayuda, ayúdame, ayudar, necesito, necesita, quiero, "
    "quisiera, quiere, explica, explícame, explicar, describe, crea, crear, funciona, funcionan, significa, "
    "sabes, saber, pienso, gusta, realmente, exactamente, cosa, cosas, buen, bueno, buena, buenos, buenas, "
    "mejor, mejores, algo, algún, alguna, ejemplo, ejemplos, pregunta, preguntas, siguiente, respuesta, corto, "
    "corta, largo, paso, pasos, intento, posible, recomienda, recomiendas, recomendar, sugiere, sugerencia, "
    "idea, ideas, pasa, pasó, empezar, a menudo, nuevo, nueva, hoy, bien, rápidamente, fácilmente, debería, "
    "debo, leer, leo, construir, arreglar, ver, ir, va, importante, importantes, principales, compara, comparar, "
    "elegir, puedo, puede, puedes, hay, dura, cuesta, llama, preparar, preparo, ayer, mañana, desde",
    "zh": "写一封, 写一份, 写一篇, 写一段, 一封, 一份, 一家, 一段, 很大, 很大的, 一个很大的, 占用, 太多, "
    "怎么做, 而不, 里怎么, 才不, 工作了, 会不会, 是不是, 有没有, 尊敬的, "
    "帮我, 告诉, 告诉我, 解释, 解释一下, 介绍, 介绍一下, 说明, 推荐, 给我, 一下, "
    "一些, 一个, 一篇, 一首, 什么, 怎么, 怎样, 如何, 为什么, 哪些, 哪个, "
    "多少, 需要, 想要, 可以, 能不能, 应该, 知道, 觉得, 喜欢, 非常, 最好, "
    "好的, 例子, 问题, 回答, 方法, 建议, 谢谢, 使用, 我们, 怎么办, 是多少",
}

# Words that are written short, so that the full stop behind them ends nothing.
ABBREVIATIONS: Final = frozenset(
    ("mr", "mrs", "ms", "dr", "prof", "st", "sr", "sra", "srta", "dra", "mme", "mlle", "hr", "fr", "nr", "no", "vs")
)  # fmt: skip

# Articles before what is not there yet.
INDEFINITE: Final = "a, an, ein, eine, einen, einem, einer, kein, keine, keinen, un, une, una, uno, um, uma"

# Words that hold a title's words together ("unit tests in Rust").
JOINTS: Final[Mapping[str, str]] = {
    "en": "of, in, for, with, and, or, on, to, from, vs, versus, between, without, by, at, the, a, an, under, "
    "per, into, as, about, against, during, after, before, near",
    "de": "von, in, für, mit, und, oder, auf, zu, zum, zur, aus, vs, zwischen, ohne, bei, am, im, der, die, das, "
    "den, dem, des, ein, eine, einen, einem, einer, eines, unter, pro, als, über, gegen, nach, vor, beim, vom, an",
    "fr": "de, du, des, d, à, au, aux, en, pour, avec, et, ou, sur, entre, sans, par, le, la, les, l, un, une, "
    "dans, sous, contre, chez, après, avant, vers",
    "es": "de, del, en, para, con, y, e, o, sobre, entre, sin, por, el, la, los, las, un, una, a, al, contra, "
    "bajo, desde, hasta, tras",
    "it": "di, del, della, dei, delle, in, per, con, e, o, su, tra, fra, senza, da, il, la, i, le, un, una, a, al",
    "pt": "de, do, da, dos, das, em, no, na, para, com, e, ou, sobre, entre, sem, por, o, a, os, as, um, uma",
    "nl": "van, in, voor, met, en, of, op, tussen, zonder, door, de, het, een, uit, bij",
    "zh": "的, 是, 而, 却, 和, 与, 在, 中, 对, 及, 或, 到, 之, 三, 二, 两",
    "ja": "は, が, も, の, と, や, で, に, を, から",
    "ru": "в, на, для, с, и, или, о, об, между, без, из, по, к, от, до",
}
