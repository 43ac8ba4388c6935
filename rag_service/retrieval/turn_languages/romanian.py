"""Phrases of Romanian turns."""

from __future__ import annotations

from typing import Final

PHRASES: Final = {
    "GREETINGS": "bună, bună ziua, bună dimineața, bună seara, salut, salutare, noroc, servus",
    "THANKS": "mulțumesc, mulțumesc mult, mulțumesc frumos, mulțumim, mulțumesc foarte mult, mersi, "
    "mersi mult, mulțumesc pentru ajutor, îți mulțumesc, vă mulțumesc, nu mulțumesc, mii de mulțumiri",
    "CLOSINGS": "la revedere, pe curând, pe mâine, noapte bună, o zi bună, o seară bună, asta e tot, "
    "asta a fost tot, atât, nimic altceva, cu plăcere, pentru nimic, nicio problemă, scuze, îmi pare rău, "
    "nu contează",
    "ABOUT_YOU": "ce mai faci, ce faci, cine ești, cum te cheamă, ce poți face, mă poți ajuta, "
    "poți să mă ajuți, am o întrebare, ești robot",
    "PRAISE": "foarte bine, excelent, perfect, grozav, minunat, super, interesant, foarte interesant, util, "
    "foarte util, m a ajutat, m a ajutat mult, bravo, corect, exact, nu știam, ce păcat, frumos, bun",
    "ACKNOWLEDGEMENTS": "bine, în regulă, am înțeles, înțeleg, da, nu, desigur, sigur, clar, de acord, a înțeles",
    "FILLERS": "și, foarte, mult, acum, deci, pentru ajutor, pentru tot, asta",
    "CONSENT": "da, da te rog, sigur, desigur, te rog, bine, continuă, cu plăcere",
    "SUMMARY": "rezumă, rezumați, rezumat, rezumatul, rezuma, rezumi, rezume, sintetizează, sinteză, sinteza, "
    "pe scurt, prezentare generală, sumarizează, rezumă mi",
    "DOCUMENT": "document*, fișier*, articol*, text, textul, textului, texte, textele, pdf, raport*, pagina, "
    "pagini, paginii, site, anex*, atașament*, carte, cartea, cărții, scrisoare, scrisoarea, contract, "
    "contractul, studiu, studiul, conținut*, tot, poveste, povestea",
    "PART": "capitol*, secțiun*, paragraf*, tabel, tabelul, parte, partea, figura, rând, rândul, pas, pasul, clauz*",
    "SUBJECT": "despre ce e vorba, despre ce este vorba, despre ce este, despre ce e, despre ce vorbește, "
    "ce spune, ce zice, puncte principale, punctele principale, idei principale, ideile principale, "
    "ideea principală, tema principală, puncte importante, punctele importante, cele mai importante puncte, "
    "care este subiectul, care e tema, ce conține, concluziile principale",
    "WHOLE_TASKS": "tradu, traduceți, traduci, traducă, traducere, traducerea, corectează, analizează, "
    "verifică, explică, citește, rescrie",
    "SHAPE": "scurt, scurtă, pe scurt, lung, detaliat, detaliată, simplu, propoziții, propoziție, fraze, "
    "cuvinte, rânduri, puncte, listă, paragraf, paragrafe, tabel, engleză, română, germană, franceză, întreg, "
    "întregul, două, trei, cinci",
    "QUESTION_WORDS": "ce, cine, cui, când, unde, de ce, cum, care, cât, câtă, câți, câte, pe cine",
    "DEFINING": "ce este, ce e, ce sunt, cine este, cine e, cine a fost, ce înseamnă, definește, cum funcționează",
    "REQUESTS": "te rog, vă rog, poți, puteți, ai putea, să, îmi, mi, spune, spuneți, fă, faceți, dă, arată, "
    "vreau, aș vrea, știi, scrie, găsește, este, e, sunt, era, are, există, un, o, întrebare, explică",
    "RELATIONS": "de, din, în, la, pe, pentru, cu, lui, al, a, ale",
    "SAME_RELATIONS": "în din, la al a ale",
    "ARTICLES": "un, o, niște, acest, această",
    "MONTHS": "ianuarie, februarie, martie, aprilie, mai, iunie, iulie, august, septembrie, octombrie, "
    "noiembrie, decembrie",
    "OPENERS": "și, dar, iar, deci, sau, atunci, apoi, și apoi, de asemenea, păi",
    "WHAT_ABOUT": "dar la, dar în, dar despre, dar pentru, dar cu, și la, și în, și pentru, și cu, "
    "ce zici de, cum rămâne cu, și dacă, dar dacă, ce se întâmplă dacă, cât despre, iar în, iar la",
    "PRONOUNS": "el, ea, ei, ele, lui, lor, său, sa, săi, sale, acolo, aceea, acela, acestuia, acesteia, "
    "acestora, același, aceeași, îl, îi",
    "WEAK_PRONOUNS": "asta, acest, această, aceste, acești, alt, altă, alți, alte, mai, aici, și, tot, atunci",
    "COMPARING": "alt, altă, alți, alte, mai, mai mult, și, același, aceeași",
    "EXPLETIVES": "ce este asta, este adevărat, este posibil, despre ce este vorba, care e",
    "NEW_SUBJECT": "altă întrebare, alt subiect, altceva, întrebare nouă, subiect nou, apropo, schimbând subiectul",
    "CONTINUE": "continuă, spune mi mai multe, mai multe, mai multe detalii, detalii, de ce, cum, exemplu, "
    "dă un exemplu, un exemplu, ești sigur, și apoi, ce altceva",
    "REWORK": "mai simplu, mai scurt, din nou, încă o dată, repetă, tradu, explică, explică mi, "
    "nu am înțeles, n am înțeles, cu alte cuvinte, reformulează, rescrie, rezumă, într un tabel, ca listă, "
    "răspunsul tău",
    "SAID": "răspunsul tău, răspunsul, ai spus, ai zis",
    "REWORK_HELPERS": "spune, scrie, fă, din nou, pune",
}
