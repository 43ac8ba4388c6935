"""What shows where the verbs of a question stand, by language. An own compilation; entries stand between commas."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

# Stand before a noun alone: a word that names something, directly before one of these, is a verb ("moves the water").
DETERMINERS: Final[Mapping[str, str]] = {
    "en": "the, a, an, my, your, our, their, its, his, her, this, these, no, every, each, any, all",
    "de": "der, die, das, den, dem, ein, eine, einen, einem, einer, mein, meine, meinen, kein, keine, keinen",
    "fr": "le, la, les, l, un, une, mon, ma, mes, ton, ta, tes, son, sa, ses, notre, nos, leur, leurs, "
    "ce, cette, ces",
    "es": "el, la, los, las, un, una, unos, unas, mi, mis, tu, tus, su, sus, este, esta, estos, estas",
    "pt": "o, os, um, uma, uns, umas, meu, minha, meus, minhas, seu, sua, seus, suas, este, esta, esse, essa",
    "it": "il, lo, la, i, gli, le, l, un, uno, una, mio, mia, miei, mie, suo, sua",
}

# Who does something, or to whom, and what denies: a verb follows ("I moved", "se calienta", "no arranca").
SUBJECTS: Final[Mapping[str, str]] = {
    "en": "i, you, he, she, it, we, they, who, not, never, don t, doesn t, didn t, won t, can t, cannot",
    "fr": "je, j, tu, il, elle, on, nous, vous, ils, elles, se, s, m, t, qui, ne, n",
    "es": "yo, ella, nosotros, usted, ustedes, se, me, te, nos, quién, quiénes, no, nunca",
    "pt": "eu, você, vocês, ele, ela, nós, eles, elas, se, me, quem, não, nunca",
    "it": "io, lui, lei, noi, voi, loro, si, mi, ti, chi, non",
}

# An infinitive follows: what somebody wants to do, which reads well in front of what it is done to.
INFINITIVE_LEADERS: Final[Mapping[str, str]] = {
    "en": "how to, want to, need to, try to, trying to, way to, ways to, like to, where to, when to, able to, "
    "how do i, how can i, how do you, how can you, how do we, how should i, can i, can you, can we, should i, "
    "should we, could i",
    "fr": "comment, pour, sans, on, puis, peut, peux, faut, dois, doit, veux, voudrais, puis je",
    "es": "cómo, para, puedo, puede, puedes, podemos, quiero, quiere, debo, debe, debería, sin, al, que, a, por",
    "pt": "como, para, posso, pode, podemos, quero, preciso, devo, deve, sem, ao, que, a, por",
    "it": "come, per, posso, può, possiamo, voglio, devo, deve, senza, che, a",
}
# Between a leader and its infinitive.
CLITICS: Final[Mapping[str, str]] = {
    "fr": "l, le, la, les, se, s, me, m, te, t, y, en, ne, pas, lui, leur",
    "es": "se, me, te, le, lo, la, los, las, no",
    "pt": "se, me, te, lhe, o, os, não",
    "it": "si, mi, ti, lo, la, li, le, non",
}
# How infinitives end; in English any word may be one.
INFINITIVE_ENDINGS: Final[Mapping[str, tuple[str, ...]]] = {
    "fr": ("er", "ir", "re"),
    "es": ("ar", "er", "ir", "arlo", "arla", "erlo", "erla", "irlo", "irla", "arlos", "arlas", "arme", "arse"),
    "pt": ("ar", "er", "ir", "or"),
    "it": ("are", "ere", "ire", "rre", "arlo", "arla"),
}
# Nouns that end so, of those that are asked for.
NO_INFINITIVES: Final[Mapping[str, str]] = {
    "fr": "hiver, mer, fer, ver, fier, dîner, mètre, verre, terre, guerre, lettre, fenêtre, théâtre, centre, arbre, "
    "livre, beurre, sucre, poivre, chambre, nombre, membre, tigre, air, désir, plaisir, avenir, soir, cuir, loir, "
    "métier, papier, panier, quartier, escalier, cahier, clavier, courrier, janvier, février, fevrier, premier, "
    "dernier, acier, pommier, poirier, olivier, rosier, atelier, évier, calendrier, chantier, foyer, loyer, ordre, "
    "montre, offre, maître, lumière, bière, rivière, frontière, pierre, salaire, affaire, grammaire, contraire",
    "es": "mar, bar, azúcar, lugar, hogar, lunar, solar, par, ejemplar, militar, familiar, escolar, celular, dólar, "
    "altar, mujer, taller, ayer, poder, placer, alquiler, alfiler, carácter, súper, líder, póster, cáncer, ordenador",
    "pt": "mar, bar, açúcar, lugar, lar, par, ar, celular, militar, familiar, escolar, dólar, mulher, colher, "
    "talher, poder, prazer, caráter, super, líder, câncer, cor, dor, flor, amor, calor, valor, motor, computador, "
    "professor, melhor, maior, menor, pior, exterior, interior, vapor, sabor, setor, fator, autor, jogador, vendedor",
    "it": "mare, altare, cellulare, militare, familiare, potere, piacere, mestiere, quartiere, bicchiere, cantiere, "
    "infermiere, genere, cenere, polvere",
}

# A clause that has one of these has its verb already.
FINITE: Final[Mapping[str, str]] = {
    "en": "is, are, was, were, am, be, been, has, have, had, s, re",
    "fr": "est, sont, était, étaient, a, ont, avait, suis, fait, font, peut, peuvent, faut, doit, va, vont, ai",
    "es": "es, son, está, están, era, fue, hay, ha, han, tiene, tienen, puede, pueden, debe, deben, va, van, hace",
    "pt": "é, são, está, estão, era, foi, há, tem, têm, pode, podem, deve, devem, vai, vão, faz",
    "it": "è, sono, era, ha, hanno, può, possono, deve, devono, va, vanno, fa, c",
}

# A participle behind one of these is a verb ("has stopped", "a inventé").
HAVING: Final[Mapping[str, str]] = {
    "en": "has, have, had",
    "fr": "a, ont, ai, avait",
    "es": "ha, han, he, había",
    "it": "ha, hanno, ho",
}
PARTICIPLE_ENDINGS: Final[Mapping[str, tuple[str, ...]]] = {
    "en": ("ed",),
    "fr": ("é", "ée", "és", "ées"),
    "es": ("ado", "ido"),
    "it": ("ato", "uto", "ito"),
}

# Open a clause whose verb stands behind its subject.
OPENERS: Final[Mapping[str, str]] = {
    "en": "do, does, did, can, could, will, would, should, must, may, might, doesn, didn, won, why, "
    "when, if, because",
    "fr": "que, pourquoi, quand, comment, si, mon, ma, mes",
    "es": "por qué, cuándo, cómo, dónde, si, porque, mi, mis",
    "pt": "por que, porque, quando, como, onde, se, quanto, quanta, quantos, quantas, meu, minha",
    "it": "perché, quando, come, dove, se, mio, mia",
}
AUXILIARIES: Final = (
    "do, does, did, can, could, will, would, should, must, may, might, doesn, didn, won, couldn, wouldn"
)
# Of them those that a verb may follow at once, where none of the question words below is before.
MODALS: Final = "can, could, will, would, should, must, may, might"
ASKING_HOW: Final = "how, why, when, where"
# English verbs of requests, which no title names anyway, behind the subject that they are asked of.
PLAIN_VERBS: Final = (
    "work, works, make, makes, do, need, needs, use, uses, get, gets, take, takes, have, go, come, help, mean"
)
# A form in -ing behind one of these is a verb ("without damaging its roots").
GERUND_LEADERS: Final = "without, by, while, when, before, after, keep, keeps, start, starts, stop, stops"

# Prepositions of possession: what follows belongs to the noun before, so that this one is no verb.
POSSESSION: Final = "of, de, d, du, des, del, do, da, dos, das, di, della, dello, dei"

# A verb in the plural behind a noun in the plural, where a word for how it is would have a plural of its own.
PLURAL_ENDINGS: Final[Mapping[str, tuple[str, ...]]] = {
    "fr": ("ent",),
    "es": ("an", "en"),
    "pt": ("am", "em"),
}

# Past forms that are no nouns: behind a subject they are its verb.
PASTS: Final = (
    "became, began, blew, broke, brought, built, bought, came, caught, chose, died, drew, drove, ate, fell, felt, "
    "fought, flew, forgot, froze, gave, grew, heard, held, kept, knew, lost, made, meant, met, paid, "
    "ran, rose, said, "
    "sang, sank, saw, sent, shook, sold, spoke, spread, stole, stood, swam, taught, thought, threw, "
    "told, took, went, "
    "woke, won, wore, wrote"
)

# English verbs that are often asked about, in the form they have behind "does" and "can".
ENGLISH_VERBS: Final = (
    "absorb, accept, achieve, add, adapt, affect, allow, apply, arrive, attack, attract, avoid, become, "
    "begin, behave, "
    "belong, bite, bleed, bloom, boil, borrow, break, breathe, breed, bring, burn, carry, catch, cause, change, "
    "charge, clean, clog, collapse, collect, combine, communicate, compete, conduct, connect, consume, contain, "
    "control, convert, corrode, cost, cover, crash, crack, damage, decay, decide, decrease, defeat, deliver, depend, "
    "destroy, detect, develop, die, differ, digest, disappear, dissolve, divide, dry, earn, eat, end, enter, erode, "
    "evaporate, evolve, exist, expand, expire, explode, express, fade, fail, fall, feed, fight, fit, float, flow, "
    "flower, fly, follow, form, freeze, generate, grow, handle, hatch, heal, hear, heat, hibernate, hold, hurt, "
    "improve, include, increase, influence, inhibit, interact, invade, invent, join, kill, last, lay, lead, leak, "
    "learn, leave, lift, live, lose, lower, maintain, manage, measure, melt, migrate, move, obey, occur, "
    "offer, open, "
    "operate, orbit, outperform, overheat, pay, perform, persist, pollinate, predict, prefer, prevent, process, "
    "produce, protect, prove, provide, pull, pump, push, raise, reach, react, receive, recover, reduce, reflect, "
    "refuse, regenerate, regulate, release, remain, remove, replace, represent, reproduce, require, resist, respond, "
    "restart, return, rise, rotate, run, rust, save, scale, sell, send, separate, serve, shed, shrink, sink, sleep, "
    "slow, smell, solve, spin, spoil, spread, stay, stick, stop, store, stretch, suffer, supply, support, "
    "survive, sweat, swell, swim, switch, taste, tolerate, transform, translate, transmit, travel, trigger, turn, "
    "vary, vibrate, wake, warm, warp, wear, weigh, win, withstand, yield"
)

# German numbers in words and the like, which have no capital and are no verbs.
GERMAN_COUNTS: Final = "zwei, drei, vier, fünf, sechs, sieben, acht, neun, zehn, elf, zwölf, beide, alle, mehrere"
GERMAN_VERB_ENDINGS: Final = ("t", "e", "n")
GERMAN_ADJECTIVE_ENDINGS: Final = ("e", "en", "er", "es", "em")
# Begin a clause of their own within a sentence.
CONJUNCTIONS: Final[Mapping[str, str]] = {
    "en": "when, if, because, while, after, before, since, although, so, but, whether",
    "de": "wenn, weil, dass, ob, aber, nachdem, damit, sodass",
    "fr": "quand, si, que, qu, parce, lorsque, car, mais, comment, pourquoi",
    "es": "cuando, si, porque, pero, mientras",
    "pt": "quando, porque, mas, enquanto",
    "it": "quando, se, perché, ma, mentre",
}

# Pairs of letters that tell relatives apart where function words do not.
LETTER_CLUES: Final[Mapping[str, tuple[str, ...]]] = {
    "es": ("¿", "¡", "ñ", "ll", "ción", "cion", "ie"),
    "pt": ("ã", "õ", "ç", "lh", "nh", "ei", "ou", "ss", "dade", "ê"),
    "it": ("gli", "zion", "cch", "zz", "tt", "gn"),
    "fr": ("eau", "eux", "ph", "è", "aux", "oeu"),
}
# And words: what is often asked for in few words, and called alike in none of the others, nor in English.
TELLING_WORDS: Final[Mapping[str, str]] = {
    "es": "receta, recetas, hoy, precio, mejor, mejores, hacer, viaje, resumen, dolor, mi, mis, hola, "
    "ayuda, horario, horarios, trenes, tren, significado, necesito, barato, cómo, qué, cuánto, cuál, ejemplos, "
    "ciudad, el, los, las, ayer, mañana, ahora",
    "pt": "receita, receitas, hoje, preço, melhor, melhores, fazer, viagem, resumo, dor, meu, minha, olá, oi, ajuda, "
    "trens, trem, significado, preciso, celular, quanto, qual, exemplos, cidade, sobre o, para o, com o, o que, "
    "bolo, obrigado, obrigada, ao, da, das, dos, na, nas, nos, ontem, amanhã, agora",
    "it": "ricetta, ricette, oggi, prezzo, migliore, fare, viaggio, riassunto, mio, mia, ciao, aiuto, orario, orari, "
    "treni, di, che",
    "fr": "recette, recettes, prix, meilleur, faire, voyage, résumé, mon, ma, bonjour, aide, horaires, trains",
}
