"""Words by which a whole document is asked for, by language: an own compilation.

Entries stand between commas; ``*`` at the end stands for any ending.
"""

from __future__ import annotations

from typing import Final

from rag_service.retrieval.turn_languages import phrases_for

# To say the whole more shortly. With nothing else named, it is the document that is meant.
SUMMARY: Final[dict[str, str]] = {
    "en": "summarize, summarise, summarized, summarised, summarizing, summarising, summary, summaries, summery, "
    "summarization, sum up, sum it up, sum this up, sum all, tldr, tl dr, recap, recapitulate, gist, "
    "overview, synopsis, condense, abridge, outline, boil down, digest, precis, brief me, summarizes, "
    "summarises, give me the gist, summarisation, wrap up",
    "de": "zusammenfassung*, zusammenfassen, fass, fasse, fasst, zusammengefasst, überblick, kurzfassung, "
    "inhaltsangabe, kurz gesagt, resümee, resümiere, übersicht, tldr, quintessenz, kernaussage*, "
    "zusammenzufassen, zusammenfasst, zusammenfass",
    "es": "resume, resúmeme, resumir, resumas, resuma, resumen, resumido, sintetiza, sintetizar, síntesis, "
    "resumelo, sinopsis, tldr, panorama general, visión general, resumirme, resumirlo, haz un resumen",
    "fr": "résume, résumer, résumez, résumé, résumes, synthèse, synthétise, synthétiser, récapitule, récapituler, "
    "récapitulatif, aperçu, tldr, condensé, synopsis",
    "it": "riassumi, riassumere, riassumimi, riassumilo, riassunto, riassuma, riassumete, sintesi, sintetizza, "
    "sintetizzare, riepilogo, riepiloga, sunto, panoramica, tldr, sinossi, riassumermi, riassumerlo, "
    "fai un riassunto",
    "pt": "resuma, resumir, resumo, resume, resumes, resumido, sintetize, sintetizar, síntese, sinopse, "
    "visão geral, tldr, panorama geral",
    "nl": "samenvatting*, samenvatten, vat, samengevat, overzicht, korte inhoud, tldr, kort samen, vatten, "
    "samen te vatten",
    "pl": "streść, streszczenie, streszczenia, streścić, podsumuj, podsumowanie, podsumować, podsumowania, skrót, "
    "w skrócie, tldr, przegląd, omówienie, streszczaj, streszczać, podsumowując",
    "ru": "резюмируй, резюмировать, резюме, обобщи, обобщение, перескажи, пересказ, кратко изложи, "
    "краткое изложение, краткое содержание, краткий пересказ, краткого содержания, суммируй, суммаризируй, "
    "подытожь, выжимка, выжимку, конспект, сократи, обзор, изложи, содержание, пересказать, обобщить, "
    "суммировать, изложить, подытожить, краткую выжимку, конспектируй, законспектируй",
    "zh": "总结, 概括, 摘要, 归纳, 概述, 简述, 综述, 總結, 概要, 提炼, 梗概, 小结, 汇总, 缩写, 太长不看",
    "ja": "要約, まとめ, まとめて, 概要, あらすじ, 要旨, 概略, サマリー, サマリ, 要約して",
    "ko": "요약*, 정리*, 개요*, 간추려*, 줄거리*, 요약해",
    "tr": "özetle, özet, özeti, özetini, özetler, özetleyin, özetleyebilir, özetlesene, özetler misin, özetlemeni, "
    "genel bakış, kısaca anlat, tldr, özetlemek, özetini çıkar, özet çıkar",
    "ar": "لخص, لخصي, لخصلي, تلخيص, تلخيصا, ملخص, ملخصا, الملخص, خلاصة, الخلاصة, أوجز, موجز, موجزا, اختصر, نبذة, "
    "نظرة عامة, لي خص",
    **phrases_for("SUMMARY"),
}

# What a document is called.
DOCUMENT: Final[dict[str, str]] = {
    "en": "document*, doc, docs, file*, article*, text, texts, pdf, pdfs, paper, papers, report*, page, pages, "
    "webpage*, website*, site, attachment*, attached, upload*, book, books, story, essay, letter, email, "
    "mail, transcript*, manual, contract, protocol, minutes, presentation, slides, study, studies, source, "
    "sources, content, contents, post, blog, results, material, whole thing, entire thing, everything, "
    "it all, thing",
    "de": "dokument*, datei*, artikel*, text, texte, textes, texts, pdf, pdfs, papier, paper, bericht*, seite, "
    "seiten, webseite*, website*, anhang, anhänge, buch, buches, aufsatz, brief, mail, e mail, protokoll*, "
    "handbuch, vertrag, vertrags, präsentation, folien, studie*, quelle*, inhalt*, beitrag*, unterlage*, "
    "das ganze, alles, geschichte",
    "es": "documento*, archivo*, fichero*, artículo*, texto*, pdf, pdfs, informe*, página*, sitio, web, adjunto*, "
    "libro*, ensayo, carta, correo, acta, manual, contrato, presentación, estudio*, fuente*, contenido*, "
    "todo, reporte*, historia",
    "fr": "document*, fichier*, article*, texte*, pdf, pdfs, rapport*, page, pages, site, pièce jointe, livre*, "
    "essai, lettre, mail, courriel, compte rendu, procès verbal, manuel, contrat, présentation, étude*, "
    "source*, contenu*, tout, histoire, papier",
    "it": "documento, documenti, file, articolo, articoli, testo, testi, pdf, relazione, rapporto, pagina, pagine, "
    "sito, allegato, allegati, libro, saggio, lettera, mail, verbale, manuale, contratto, presentazione, "
    "studio, fonte, fonti, contenuto, contenuti, tutto, storia",
    "pt": "documento*, arquivo*, ficheiro*, artigo*, texto*, pdf, pdfs, relatório*, página*, site, anexo*, livro*, "
    "ensaio, carta, email, ata, manual, contrato, apresentação, estudo*, fonte*, conteúdo*, tudo, matéria, "
    "história",
    "nl": "document*, bestand*, artikel*, tekst*, pdf, pdfs, rapport*, verslag*, pagina*, website*, site, "
    "bijlage*, boek*, essay, brief, mail, notulen, handleiding, contract, presentatie, studie*, bron, "
    "bronnen, inhoud, alles, geheel, stuk, verhaal",
    "pl": "dokument*, plik*, artykuł*, tekst*, pdf, raport*, strona, stronę, strony, stronie, załącznik*, książk*, "
    "esej, list, mail*, protokół, protokołu, instrukcj*, umow*, prezentacj*, badani*, źródł*, treść, treści, "
    "całość, całości, sprawozdani*, opowiadani*",
    "ru": "документ*, файл*, стать*, статей, текст*, pdf, пдф, отчет*, доклад*, страниц*, сайт*, вложени*, книг*, "
    "эссе, письм*, протокол*, инструкци*, договор*, контракт*, презентаци*, исследовани*, источник*, "
    "содержани*, содержимо*, все, материал*, рассказ*",
    "zh": "文档, 文件, 文章, 文本, 全文, 原文, 正文, 报告, 论文, 网页, 页面, 附件, 书, 这本书, 信, 邮件, 合同, "
    "手册, 资料, 材料, 内容, 文中, 全部, 整个, 整篇, pdf, 本文, 故事, 文稿, 来源",
    "ja": "文書, 文章, 記事, テキスト, 資料, ファイル, ドキュメント, 報告書, レポート, 論文, ページ, サイト, 添付, "
    "本, 手紙, メール, 契約書, マニュアル, 全文, 本文, 内容, 全体, pdf, 全部, 物語, 話",
    "ko": "문서*, 글, 글을, 글은, 글이, 글의, 기사*, 텍스트*, 파일*, 보고서*, 논문*, 페이지*, 사이트*, 첨부*, 책*, "
    "편지*, 이메일*, 메일*, 계약서*, 설명서*, 자료*, 내용*, 전체*, 본문*, pdf*, 전부, 이야기*",
    "tr": "belge*, dosya*, makale*, metin, metni, metnin, metinde, yazı, yazıyı, yazının, yazıda, pdf*, rapor*, "
    "sayfa*, site*, ek, eki, ekteki, kitap, kitabı, kitabın, mektub*, mektup, eposta*, sözleşme*, kılavuz*, "
    "sunum*, çalışma*, kaynak*, içerik*, içeriği*, doküman*, hepsini, tamamını, tümünü, haber*, hikaye*",
    "ar": "مستند, المستند, مستندات, المستندات, وثيقة, الوثيقة, ملف, الملف, الملفات, مقال, المقال, مقالة, المقالة, "
    "نص, النص, تقرير, التقرير, صفحة, الصفحة, موقع, الموقع, مرفق, المرفق, كتاب, الكتاب, رسالة, الرسالة, عقد, "
    "العقد, دليل, الدليل, دراسة, الدراسة, بحث, البحث, المحتوى, محتوى, مضمون, كله, كل شيء, للمستند, للمقال, "
    "للنص, للتقرير, للملف",
    **phrases_for("DOCUMENT"),
}

# A part of a document: who names one wants that and not the whole.
PART: Final[dict[str, str]] = {
    "en": "chapter*, section*, paragraph*, clause*, part, table, figure, appendix, annex, page number, article no, "
    "sentence, line, row, column, item, step, footnote, bullet, verse, act, scene",
    "de": "kapitel*, abschnitt*, absatz, absatzes, absätze, paragraph*, klausel*, teil, teils, tabelle, abbildung, "
    "seite, zeile, satz, satzes, spalte, punkt, schritt, fußnote, ziffer, akt, szene",
    "es": "capítulo*, sección, secciones, párrafo*, cláusula*, parte, tabla, figura, anexo, apartado*, línea, "
    "fila, columna, punto, paso, inciso",
    "fr": "chapitre*, section*, paragraphe*, clause*, partie, tableau, figure, annexe, alinéa, ligne, colonne, "
    "point, étape, phrase",
    "it": "capitolo, capitoli, sezione, sezioni, paragrafo, paragrafi, clausola, parte, tabella, figura, riga, "
    "colonna, punto, passo, comma, frase",
    "pt": "capítulo*, seção, seções, secção, parágrafo*, cláusula*, parte, tabela, figura, linha, coluna, ponto, "
    "passo, alínea, frase",
    "nl": "hoofdstuk*, paragraaf, paragrafen, sectie*, alinea*, clausule, deel, tabel, figuur, regel, kolom, punt, "
    "stap, zin, lid",
    "pl": "rozdział*, sekcj*, akapit*, paragraf*, klauzul*, część, części, tabel*, rysunek, wiersz, kolumn*, "
    "punkt, krok, zdani*, ustęp*",
    "ru": "глав*, раздел*, абзац*, параграф*, пункт*, част*, таблиц*, рисун*, строк*, столб*, шаг*, предложени*",
    "zh": "章, 节, 段, 段落, 条, 条款, 部分, 表, 图, 页, 行, 步骤, 小节",
    "ja": "章, 節, 段落, 条, 項, 部分, 表, 図, 頁, 行, 手順, ページ目",
    "ko": "장*, 절, 절을, 단락*, 문단*, 조항*, 부분*, 표, 그림, 쪽, 줄, 단계*",
    "tr": "bölüm*, kısım, kısmı*, paragraf*, madde*, tablo*, şekil, satır*, sütun*, adım*, fıkra*",
    "ar": "فصل, الفصل, قسم, القسم, فقرة, الفقرة, بند, البند, مادة, المادة, جزء, الجزء, جدول, الجدول, الشكل, سطر, "
    "السطر",
    **phrases_for("PART"),
}

# Questions for the subject or the substance; with nothing else named, of the document.
SUBJECT: Final[dict[str, str]] = {
    "en": "what is it about, what is the about, what's the about, what are these about, what are the about, "
    "what was it about, what was this about, what was the about, what's it about, what is this about, "
    "what's this about, whats this about, what it's about, what it is about, what this is about, about what, "
    "what are they about, what about is, is about, it's about, its about, main point*, main idea*, "
    "main topic*, main theme*, main message*, main argument*, main finding*, main conclusion*, "
    "main takeaway*, main content*, key point*, key idea*, key message*, key finding*, key takeaway*, "
    "key topic*, key fact*, key insight*, key argument*, central idea*, central theme*, central message*, "
    "most important point*, most important fact*, most important finding*, most important things, "
    "most important information, important points, takeaway*, highlights, core message*, essence, "
    "bottom line, in a nutshell, what does it say, what does this say, what's in it, what is in it, "
    "what's in this, what is in this, what do they say, tell me what's in, deal with, what topics, "
    "which topics, what subjects, what is the topic, what's the topic, talk about, talks about, "
    "what is the subject, what is in, what is in the, what's in the, what does the say, "
    "what does the contain, what does this contain, most important finding, most important points, "
    "most important takeaways, central argument*, what did they find, what the is about, what the says, "
    "main result*, key result*, major point*, major finding*, main thing*",
    "de": "worum geht es, worum geht's, worum gehts, um was geht es, um was geht's, um was gehts, worum es geht, "
    "worum es da geht, wovon handelt, worüber, wovon, um was es geht, worum dreht es sich, wovon erzählt, "
    "wichtigste punkte, wichtigsten punkte, wichtigste aussage*, wichtigsten aussagen, wichtigste*, "
    "wichtigsten erkenntnisse, wichtigsten informationen, wichtigsten fakten, wichtigsten inhalte, "
    "hauptpunkt*, hauptaussage*, hauptidee*, hauptthema, hauptthemen, kernpunkt*, kernaussage*, kernthese*, "
    "kernbotschaft*, zentrale aussage*, zentrale punkte, zentralen punkte, zentralen aussagen, wesentliche*, "
    "das wichtigste, was steht drin, was steht da drin, was steht denn drin, was steht darin, thema, themen, "
    "handelt von, handelt, was steht in, was steht im, was enthält, was sagt, inhalt von, worum handelt, "
    "worum es sich handelt, wichtigsten ergebnisse, wichtigsten themen, zentralen ergebnisse, "
    "hauptergebnisse, grundaussage, fazit, worum es, um was es, wovon es handelt",
    "es": "de qué trata, de que se trata, de qué se trata, de qué va, de qué habla, qué dice, sobre qué trata, "
    "sobre qué es, trata de, puntos principales, puntos clave, puntos más importantes, puntos importantes, "
    "ideas principales, idea principal, ideas clave, tema principal, temas principales, "
    "conclusiones principales, principales conclusiones, principales puntos, principales ideas, "
    "lo más importante, lo esencial, lo principal, mensaje principal, aspectos principales, "
    "aspectos más importantes, aspectos clave, qué contiene, conclusiones, hallazgos principales, "
    "principales hallazgos, de lo que trata",
    "fr": "de quoi parle, de quoi ça parle, de quoi cela parle, de quoi s'agit il, de quoi il s'agit, "
    "de quoi il parle, de quoi parlent, de quoi traite, de quoi est il question, il parle de quoi, "
    "ça parle de quoi, parle de quoi, points principaux, point principal, points clés, points essentiels, "
    "points importants, points les plus importants, idées principales, idée principale, idées clés, "
    "idées essentielles, principaux points, principales idées, principales conclusions, grandes lignes, "
    "thème principal, thèmes principaux, message principal, sujet principal, l'essentiel, à retenir, "
    "faut il retenir, le sujet, quel est le sujet, que dit, que raconte, que contient, principaux résultats, "
    "résultats principaux, conclusions principales, points forts",
    "it": "di cosa parla, di che parla, di cosa si parla, di che cosa parla, di cosa tratta, di che cosa tratta, "
    "di cosa si tratta, di che si tratta, che cosa dice, cosa dice, cosa c'è scritto, punti principali, "
    "punti chiave, punti salienti, punti essenziali, punti più importanti, principali punti, "
    "idee principali, idea principale, tema principale, temi principali, messaggio principale, "
    "principali conclusioni, conclusioni principali, l'essenziale, cose più importanti, aspetti principali, "
    "argomento principale, qual è l'argomento, cosa contiene, risultati principali, principali risultati",
    "pt": "do que se trata, de que se trata, do que trata, de que trata, do que fala, de que fala, sobre o que é, "
    "sobre o que fala, sobre o que trata, sobre que, fala sobre o quê, pontos principais, pontos chave, "
    "pontos mais importantes, pontos importantes, principais pontos, ideias principais, ideia principal, "
    "principais ideias, tema principal, temas principais, mensagem principal, principais conclusões, "
    "conclusões principais, o essencial, o mais importante, o que diz, qual é o assunto, qual o assunto, "
    "aspectos principais, o que contém, resultados principais, principais resultados",
    "nl": "waar gaat over, waar gaat het over, waar gaat dit over, waar gaat dat over, waarover gaat, waarover, "
    "waar het over gaat, waar dit over gaat, gaat over, waar over, belangrijkste punten, hoofdpunten, "
    "hoofdpunt, kernpunten, kern, belangrijkste ideeën, hoofdidee, hoofdgedachte, hoofdlijnen, hoofdthema, "
    "kernboodschap, belangrijkste boodschap, belangrijkste conclusies, belangrijkste informatie, "
    "belangrijkste bevindingen, het belangrijkste, belangrijkste, wat staat er in, onderwerp, waar gaat, "
    "wat staat in, wat zegt, belangrijkste resultaten",
    "pl": "o czym jest, o czym, o czym mówi, o czym to jest, o czym opowiada, czego dotyczy, główne punkty, "
    "główny punkt, główne myśli, główna myśl, główne tezy, główna teza, główny temat, główne tematy, "
    "główne wnioski, kluczowe punkty, kluczowe wnioski, kluczowe informacje, najważniejsze punkty, "
    "najważniejsze informacje, najważniejsze wnioski, najważniejsze rzeczy, najważniejsze, co jest w, temat, "
    "istota, sedno, co zawiera, co jest napisane w, główne wyniki",
    "ru": "о чем, о чём, о чем говорится, о чем идет речь, про что, в чем суть, в чём суть, суть, основные мысли, "
    "основная мысль, основную мысль, основные идеи, основная идея, основную идею, главная мысль, "
    "главную мысль, главная идея, главные мысли, основные моменты, главные моменты, ключевые моменты, "
    "основные пункты, ключевые пункты, основные тезисы, тезисы, ключевые тезисы, основные выводы, "
    "главные выводы, ключевые выводы, основное, главное, самое важное, основная тема, главная тема, тема, "
    "что говорится, чему посвящен*, что написано, идет речь, говорится, что написано в, что говорится в, "
    "что содержит, основные результаты, основное содержание",
    "zh": "讲了什么, 讲什么, 讲的是什么, 讲的什么, 讲些什么, 讲了些什么, 说了什么, 说什么, 说的是什么, 说的什么, "
    "写了什么, 写的是什么, 写什么, 关于什么, 是关于什么的, 大意, 中心思想, 主要内容, 主要观点, 主要讲, "
    "主要说, 主要信息, 主要结论, 主旨, 要点, 重点, 关键点, 核心观点, 核心内容, 核心思想, 主题, 要点是什么, "
    "有哪些要点, 哪些要点, 主要论点, 谈了什么, 谈什么, 介绍了什么, 介绍什么, 主要结果, 结论是什么, 讲的内容, "
    "讲述了什么",
    "ja": "何について, 何について書かれています, 何について述べて, 書かれています, 書いてあります, "
    "何が書いて, 何が書かれて, 何を言って, 何の話, どんな内容, どういう内容, どのような内容, "
    "内容は何, 要点, ポイント, 主な内容, 主な論点, 主な主張, 主題, テーマ, 主旨, 趣旨, 言いたいこと, 結論, "
    "重要な点, 大事な点, 主な点, 書かれている, 書いてある, 主な結論, 主な結果, 主要な結論, 何が書いてあり, "
    "書いてありますか",
    "ko": "무엇에 대한, 무엇에 관한, 무엇에 대한 것인가요, 무엇에 관한 것인가요, 무엇에 관한 건가요, "
    "무엇에 대해, 뭐에 대한, 뭐에 관한, 무슨 내용, 무슨 내용이야, 무슨 내용인가요, "
    "무슨 내용이에요, 어떤 내용, 어떤 내용이야, 어떤 내용인가요, 무슨 이야기, 요점*, 핵심*, 주요 내용*, "
    "주제*, 요지*, 주요 논점*, 중요한 점*, 주요 포인트*, 포인트*, 주요 요점*, 중심 내용*",
    "tr": "ne hakkında, ne hakkındadır, ne anlatıyor, neyi anlatıyor, neden bahsediyor, neyden bahsediyor, "
    "nelerden bahsediyor, ne diyor, konusu ne, konusu nedir, konu ne, ana fikir, ana fikri, ana fikirler, "
    "ana fikirleri, ana noktalar, ana noktaları, ana konu, ana konusu, ana tema, önemli noktalar, "
    "önemli noktaları, en önemli noktalar, en önemli noktaları, temel noktalar, kilit noktalar, ana hatları, "
    "ana mesajı, önemli yerleri, konusu, özü",
    "ar": "عن ماذا, عن ماذا يتحدث, عم يتحدث, عما يتحدث, عم يدور, حول ماذا, عن ماذا تتحدث, ما موضوع, ما هو موضوع, "
    "موضوع, الموضوع, ماذا يقول, ماذا يتناول, عن أي شيء, النقاط الرئيسية, النقاط الأساسية, النقاط المهمة, "
    "أهم النقاط, الأفكار الرئيسية, الفكرة الرئيسية, الفكرة العامة, أهم الأفكار, أبرز النقاط, "
    "الرسالة الرئيسية, يتحدث عن, مضمون",
    **phrases_for("SUBJECT"),
}

# What is done to a text as a whole; the document must be named.
WHOLE_TASKS: Final[dict[str, str]] = {
    "en": "translate, translation, proofread, rewrite, rephrase, paraphrase, review, analyze, analyse, read, "
    "read through, go through, look through, look at, check, correct, explain, simplify, describe, quote, "
    "shorten, evaluate, criticize, edit, list all topics, extract all, walk me through, tell me about, "
    "discuss",
    "de": "übersetze, übersetzen, übersetz, übersetzung, korrigiere, korrigieren, lies, lesen, schreib um, "
    "umschreiben, überarbeite, prüfe, analysiere, analysieren, erkläre, erklär, beschreibe, vereinfache, "
    "geh durch, schau an, kürze, bewerte, erzähl von",
    "es": "traduce, traducir, tradúceme, traducción, corrige, corregir, revisa, revisar, reescribe, reescribir, "
    "analiza, analizar, lee, leer, explica, explícame, simplifica, describe, describir, evalúa, acorta",
    "fr": "traduis, traduire, traduisez, traduction, corrige, corriger, corrigez, relis, relire, réécris, "
    "réécrire, reformule, analyse, analyser, analysez, lis, lire, explique, expliquez, simplifie, décris, "
    "décrire, raccourcis, évalue",
    "it": "traduci, tradurre, traduzione, correggi, correggere, revisiona, riscrivi, riscrivere, analizza, "
    "analizzare, leggi, leggere, spiega, spiegami, semplifica, descrivi, accorcia, valuta",
    "pt": "traduza, traduz, traduzir, tradução, corrija, corrige, corrigir, revise, revisar, reescreva, "
    "reescrever, analise, analisar, leia, lê, ler, explique, explica, simplifique, descreva, avalie, encurte",
    "nl": "vertaal, vertalen, vertaling, corrigeer, corrigeren, herschrijf, herschrijven, controleer, analyseer, "
    "analyseren, lees, lezen, leg uit, vereenvoudig, beschrijf, verkort, beoordeel",
    "pl": "przetłumacz, tłumaczenie, przetłumaczyć, popraw, poprawić, przepisz, sprawdź, przeanalizuj, przeczytaj, "
    "wyjaśnij, uprość, opisz, skróć, oceń",
    "ru": "переведи, перевод, перевести, переведите, исправь, исправить, проверь, проверить, перепиши, переписать, "
    "проанализируй, анализ, прочитай, прочти, объясни, упрости, опиши, сократи, оцени",
    "zh": "翻译, 校对, 改写, 润色, 检查, 分析, 阅读, 读一下, 解释, 简化, 看一下, 看看, 读, 介绍, 评价, 缩短",
    "ja": "翻訳, 訳して, 校正, 書き直して, 添削, チェックして, 分析, 読んで, 説明して, 解説, 紹介して, 短くして",
    "ko": "번역*, 교정*, 다시 써*, 고쳐*, 검토*, 분석*, 읽어*, 설명*, 해석*, 줄여*",
    "tr": "çevir, çevirir, tercüme, düzelt, kontrol et, incele, analiz et, oku, okur, açıkla, anlat, yeniden yaz, "
    "sadeleştir, değerlendir, kısalt",
    "ar": "ترجم, ترجمة, ترجمي, صحح, دقق, راجع, حلل, تحليل, اقرأ, اقرا, اشرح, شرح, أعد كتابة, بسط, صف, قيم, اختصر",
    **phrases_for("WHOLE_TASKS"),
}

# How long, and in what shape: says nothing of what.
SHAPE: Final[dict[str, str]] = {
    "en": "short, shorter, shortly, brief, briefly, quick, quickly, concise, concisely, long, longer, detailed, "
    "detail, details, in detail, simple, simpler, simply, plain, easy, sentence, sentences, word, words, "
    "line, lines, bullet, bullets, bullet point*, point form, point, points, list, paragraph, paragraphs, "
    "table, max, maximum, at most, about, around, roughly, approximately, less than, no more than, under, "
    "few, couple, one, two, three, four, five, six, seven, eight, nine, ten, language, terms, english, "
    "german, french, spanish, chinese, italian, portuguese, dutch, polish, russian, japanese, korean, "
    "turkish, arabic, version, form, format, style, page, half a page, tweet, key, main, important, most, "
    "full, complete, whole, entire, whole thing, all, general, overall, executive, high level, nutshell, "
    "markdown, headings, good, nice, great, own, topic, content",
    "de": "kurz, kurze, kurzen, kurzer, kürzer, knapp, knappe, knappen, lang, lange, ausführlich, ausführliche, "
    "detailliert, einfach, einfacher, einfachen, einfache, leicht, satz, sätze, sätzen, wort, worte, wörter, "
    "wörtern, worten, zeile, zeilen, stichpunkt*, stichwort*, stichworte, punkte, punkten, punkt, liste, "
    "absatz, absätzen, tabelle, maximal, höchstens, etwa, ungefähr, circa, ca, wenige, wenigen, paar, ein, "
    "zwei, drei, vier, fünf, sechs, sieben, acht, neun, zehn, sprache, deutsch, englisch, französisch, "
    "spanisch, chinesisch, italienisch, portugiesisch, niederländisch, polnisch, russisch, japanisch, "
    "koreanisch, türkisch, arabisch, version, form, ganze, ganzen, ganzes, gesamte, gesamten, komplette, "
    "kompletten, vollständig, vollständige, wichtigste*, grobe, groben, grob, allgemeine, inhaltlich",
    "es": "corto, corta, breve, brevemente, rápido, rápida, conciso, concisa, largo, detallado, detallada, "
    "detalle, simple, sencillo, sencilla, fácil, frase, frases, oración, oraciones, palabra, palabras, "
    "línea, líneas, punto, puntos, viñetas, lista, párrafo, párrafos, tabla, máximo, menos, unas, pocas, "
    "pocos, uno, una, dos, tres, cuatro, cinco, seis, siete, ocho, nueve, diez, idioma, español, inglés, "
    "alemán, francés, chino, italiano, portugués, ruso, japonés, versión, forma, formato, completo, "
    "completa, entero, entera, todo, toda, general, principales, principal, importantes, ejecutivo",
    "fr": "court, courte, bref, brève, brièvement, rapide, rapidement, concis, concise, long, longue, détaillé, "
    "détaillée, détail, simple, simplement, facile, phrase, phrases, mot, mots, ligne, lignes, point, "
    "points, puces, tirets, liste, paragraphe, paragraphes, tableau, maximum, max, environ, quelques, peu, "
    "un, une, deux, trois, quatre, cinq, six, sept, huit, neuf, dix, langue, français, anglais, allemand, "
    "espagnol, chinois, italien, portugais, russe, japonais, version, forme, format, entier, entière, "
    "complet, complète, tout, toute, général, générale, principaux, principales, importants",
    "it": "corto, corta, breve, brevemente, rapido, rapida, conciso, lungo, dettagliato, dettaglio, semplice, "
    "facile, frase, frasi, parola, parole, riga, righe, punto, punti, elenco, puntato, lista, paragrafo, "
    "tabella, massimo, circa, poche, pochi, qualche, uno, una, due, tre, quattro, cinque, sei, sette, otto, "
    "nove, dieci, lingua, italiano, inglese, tedesco, francese, spagnolo, cinese, portoghese, russo, "
    "giapponese, versione, forma, intero, intera, completo, completa, tutto, tutta, generale, principali, "
    "importanti",
    "pt": "curto, curta, breve, brevemente, rápido, rápida, conciso, longo, detalhado, detalhe, simples, fácil, "
    "frase, frases, palavra, palavras, linha, linhas, ponto, pontos, tópicos, lista, parágrafo, tabela, "
    "máximo, cerca, poucas, poucos, algumas, um, uma, dois, duas, três, quatro, cinco, seis, sete, oito, "
    "nove, dez, língua, português, inglês, alemão, francês, espanhol, chinês, italiano, russo, japonês, "
    "versão, forma, inteiro, inteira, completo, completa, todo, toda, geral, principais, importantes",
    "nl": "kort, korte, korter, beknopt, beknopte, snel, snelle, lang, lange, uitgebreid, uitgebreide, simpel, "
    "eenvoudig, eenvoudige, zin, zinnen, woord, woorden, regel, regels, punt, punten, opsomming, bullets, "
    "lijst, alinea, tabel, maximaal, ongeveer, paar, enkele, een, twee, drie, vier, vijf, zes, zeven, acht, "
    "negen, tien, taal, nederlands, engels, duits, frans, spaans, chinees, italiaans, russisch, versie, "
    "vorm, hele, gehele, volledige, volledig, compleet, belangrijkste, algemeen, algemene, samen",
    "pl": "krótko, krótkie, krótki, krótka, krótkiego, zwięźle, zwięzłe, szybko, szybkie, długie, szczegółowo, "
    "szczegółowe, prosto, proste, prostsze, zdanie, zdania, zdaniach, zdań, słowa, słów, słowach, punkt, "
    "punkty, punktach, punktów, lista, listę, akapit, tabela, tabeli, maksymalnie, około, kilka, kilku, "
    "jeden, jedno, jednym, dwa, dwóch, trzy, trzech, cztery, pięć, pięciu, język, po polsku, po angielsku, "
    "polski, angielski, cały, cała, całe, całego, całą, pełne, ogólne, najważniejsze, główne",
    "ru": "коротко, короткий, короткое, краткий, краткое, краткую, кратко, вкратце, быстро, быстрый, сжато, "
    "длинный, подробно, подробный, подробное, просто, простыми, словами, слов, слова, предложение, "
    "предложения, предложениях, предложений, строк, пунктов, пунктах, пунктам, список, списком, списка, "
    "абзац, таблица, таблице, максимум, не более, около, несколько, нескольких, один, одном, двух, трех, "
    "четырех, пяти, десяти, два, три, пять, язык, русском, русский, английском, английский, немецкий, "
    "китайский, весь, вся, все, всего, всей, всю, полный, полное, общий, общее, основные, главные",
    "zh": "简短, 简单, 简要, 简洁, 短, 长, 详细, 句, 句话, 字, 字以内, 个字, 点, 几点, 条, 列表, 段, 段话, 表格, "
    "以内, 大约, 左右, 一, 二, 两, 三, 四, 五, 六, 七, 八, 九, 十, 几, 中文, 英文, 英语, 德语, 法语, "
    "西班牙语, 日语, 汉语, 语言, 整, 整个, 整篇, 全部, 全, 所有, 完整, 主要, 重要, 大概, 快速, 成, 用, 分, 版",
    "ja": "短く, 短い, 簡潔に, 簡潔な, 簡単に, 簡単な, 手短に, 詳しく, 詳細に, 文で, 行で, 字で, 文字, 字以内, "
    "文字以内, 箇条書き, 箇条書きで, リスト, 表, 段落, 以内, 程度, 約, 一, 二, 三, 四, 五, 六, 七, 八, 九, "
    "十, つ, 日本語, 英語, 中国語, ドイツ語, フランス語, 全体, 全部, 主な, 主要な, 重要な, ざっと, 大まかに",
    "ko": "짧게, 짧은, 간단히, 간단하게, 간단한, 간략히, 간략하게, 간략한, 자세히, 자세하게, 쉽게, 문장, 문장으로, "
    "줄, 줄로, 단어, 글자, 항목, 가지로, 가지, 목록, 목록으로, 표로, 단락, 이내로, 정도로, 약, 한, 두, 세, "
    "네, 다섯, 열, 한국어로, 영어로, 한국어, 영어, 중국어로, 일본어로, 독일어로, 전체, 모두, 주요, 중요한, "
    "전반적인",
    "tr": "kısa, kısaca, kısa bir, kısaltılmış, hızlı, hızlıca, uzun, detaylı, ayrıntılı, basit, basitçe, kolay, "
    "cümle, cümlede, cümleyle, cümlelik, kelime, kelimeyle, satır, satırda, madde madde, maddeler halinde, "
    "maddede, maddeyle, liste, liste halinde, paragraf, tablo, en fazla, yaklaşık, birkaç, bir, iki, üç, "
    "dört, beş, altı, yedi, sekiz, dokuz, on, dil, türkçe*, ingilizce*, almanca*, fransızca*, bütün, tüm, "
    "tamamı, tam, genel, ana, önemli, temel",
    "ar": "قصير, قصيرا, باختصار, مختصر, مختصرا, مختصرة, بإيجاز, سريع, سريعا, طويل, مفصل, مفصلا, بالتفصيل, بسيط, "
    "ببساطة, سهل, جملة, جمل, جملتين, كلمة, كلمات, سطر, أسطر, نقطة, نقاط, قائمة, فقرة, فقرات, جدول, تقريبا, "
    "حوالي, واحد, واحدة, اثنين, ثلاث, ثلاثة, أربع, أربعة, خمس, خمسة, عشر, اللغة, العربية, الإنجليزية, "
    "الانجليزية, كامل, كاملا, بالكامل, كل, عام, رئيسية, مهمة",
    **phrases_for("SHAPE"),
}
