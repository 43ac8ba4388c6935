"""Broad subjects of chats: what a tag calls them, their emoji, and the words that speak of them.

An own compilation. Entries stand between commas; ``*`` at the end stands for any ending.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Subject:
    """A broad subject: its emoji, its name and the words that speak of it by language.

    ``words`` under "" are the same in all languages: names of tools, units, and the like.
    """

    emoji: str
    names: Mapping[str, str]
    words: Mapping[str, str]


SUBJECTS: Final[tuple[Subject, ...]] = (
    Subject(
        "💻",
        {
            "en": "Programming",
            "de": "Programmierung",
            "fr": "Programmation",
            "es": "Programación",
            "zh": "编程",
            "it": "Programmazione",
            "pt": "Programação",
            "ru": "Программирование",
            "ja": "プログラミング",
        },
        {
            "": "python, javascript, typescript, java, rust, golang, c++, sql, html, css, git, github, docker, "
            "bash, regex, regexp, api, json, csv, numpy, pandas, pytorch, react, django, flask, fastapi, kotlin, "
            "php, kubernetes, asyncio, npm, debug*, compiler, def, stacktrace, traceback, postgres*, mysql, "
            "sqlite, async, yaml, xml, linux, unix, shell, php, ruby, perl, swift",
            "en": "code, coding, programm*, function, functions, algorithm*, script, scripts, loop, database*, "
            "software, unit test*, recursion, binary search, quicksort, exception, decorator*, class inheritance",
            "de": "code, programmier*, funktion, funktionen, algorithm*, skript*, schleife*, datenbank*, "
            "software, rekursion, ausnahme, quellcode",
            "fr": "code, programm*, algorithm*, script*, boucle*, base de données, bases de données, logiciel*, "
            "récursi*",
            "es": "código, programa*, algoritm*, script*, bucle*, base de datos, bases de datos, software, recursi*",
            "zh": "代码, 编程, 程序, 函数, 算法, 脚本, 循环, 数据库, 软件, 递归, 爬虫, 接口",
        },
    ),
    Subject(
        "🖥️",
        {
            "en": "Technology",
            "de": "Technik",
            "fr": "Technologie",
            "es": "Tecnología",
            "zh": "科技",
            "it": "Tecnologia",
            "pt": "Tecnologia",
            "ru": "Технологии",
            "ja": "テクノロジー",
        },
        {
            "": "npu, gpu, cpu, rk3588*, rk3576, rockchip, raspberry, arduino, usb, wifi, wlan, ssd, nvme, hdmi, "
            "tops, iphone, android, windows, macos, llm, ram, bluetooth, router, soc, gb, ghz, vpn, dns, tcp, "
            "udp, qwen*, nas, ethernet, vlan, ipv6, opencl, cuda, zigbee, mqtt, laptop, server, orange pi, jetson",
            "en": "computer*, chip, chips, processor*, hardware, boards, phone*, internet, network*, "
            "artificial intelligence, machine learning, neural network*, robot*, 3d printer, printer*, sensor*, "
            "battery, batteries, semiconductor*, microcontroller*, router",
            "de": "computer*, rechner, chip*, prozessor*, hardware, platine*, handy, smartphone*, internet, "
            "netzwerk*, künstliche intelligenz, maschinelles lernen, roboter*, drucker*, sensor*, akku*, "
            "bildschirm*",
            "fr": "ordinateur*, puce*, processeur*, matériel informatique, téléphone*, internet, réseau, "
            "réseaux, intelligence artificielle, robot*, imprimante*, capteur*, batterie*, écran*",
            "es": "ordenador*, computadora*, procesador*, hardware, teléfono*, móvil, internet, redes, "
            "inteligencia artificial, robot*, impresora*, sensor*, batería*, pantalla*",
            "zh": "电脑, 芯片, 处理器, 硬件, 手机, 网络, 互联网, 人工智能, 机器学习, 神经网络, 机器人, 打印机, "
            "传感器, 电池, 服务器, 路由器, 开发板",
        },
    ),
    Subject(
        "🔬",
        {
            "en": "Science",
            "de": "Wissenschaft",
            "fr": "Science",
            "es": "Ciencia",
            "zh": "科学",
            "it": "Scienza",
            "pt": "Ciência",
            "ru": "Наука",
            "ja": "科学",
        },
        {
            "": "dna, rna, nasa, crispr, quark*, photon*, co2",
            "en": "physics, chemistry, biology, atom*, molecul*, quantum, gravity, galaxy, galaxies, planet*, "
            "black hole*, cell, cells, evolution, photosynthesis, experiment*, energy, sky, telescope*, "
            "universe, moon, star, stars, climate, gene, genes, bacteria, protein*, volcano*, earthquake*, "
            "rainbow*",
            "de": "physik, chemie, biologie, atom*, molekül*, quanten*, schwerkraft, galaxie*, planet*, "
            "schwarzes loch, schwarze löcher, schwarzen löchern, zelle*, evolution, photosynthese, experiment*, "
            "energie, himmel, licht, teleskop*, universum, mond, stern, sterne, klima*, gene, bakterien, "
            "vulkan*, erdbeben, regenbogen",
            "fr": "physique, chimie, biologie, atome*, molécul*, quantique*, gravité, galaxie*, planète*, "
            "trou noir, trous noirs, cellule*, évolution, photosynthèse, expérience*, énergie, ciel, lumière, "
            "télescope*, univers, lune, étoile*, climat, gène*, bactérie*, volcan*, séisme*",
            "es": "física, química, biología, átomo*, molécul*, cuántic*, gravedad, galaxia*, planeta*, "
            "agujero negro, agujeros negros, célula*, evolución, fotosíntesis, experimento*, energía, cielo, "
            "luz, telescopio*, universo, luna, estrella*, clima, gen, genes, bacteria*, volcán, volcanes, "
            "terremoto*",
            "zh": "物理, 化学, 生物, 原子, 分子, 量子, 引力, 星系, 行星, 黑洞, 细胞, 进化, 光合作用, 实验, 能量, "
            "宇宙, 月球, 恒星, 气候, 基因, 细菌, 火山, 地震, 天空",
        },
    ),
    Subject(
        "🧮",
        {
            "en": "Mathematics",
            "de": "Mathematik",
            "fr": "Mathématiques",
            "es": "Matemáticas",
            "zh": "数学",
            "it": "Matematica",
            "pt": "Matemática",
            "ru": "Математика",
            "ja": "数学",
        },
        {
            "": "matrix, fibonacci",
            "en": "math*, equation*, integral*, derivative*, probabilit*, geometry, algebra, theorem*, "
            "prime number*, fraction*, statistic*, calculus, eigenvalue*, triangle*, logarithm*",
            "de": "mathe*, gleichung*, integral*, ableitung*, wahrscheinlichkeit*, geometrie, algebra, "
            "satz des pythagoras, primzahl*, bruchrechnung, statistik*, eigenwert*, dreieck*, logarithm*",
            "fr": "math*, équation*, intégrale*, dérivée*, probabilité*, géométrie, algèbre, théorème*, "
            "nombre premier, nombres premiers, fraction*, statistique*, triangle*, logarithme*",
            "es": "matemátic*, ecuaci*, integral*, derivada*, probabilidad*, geometría, álgebra, teorema*, "
            "número primo, números primos, fracci*, estadística*, triángulo*, logaritmo*",
            "zh": "数学, 方程, 积分, 导数, 概率, 几何, 代数, 定理, 质数, 素数, 分数, 统计, 矩阵, 三角形, 对数",
        },
    ),
    Subject(
        "🩺",
        {
            "en": "Health",
            "de": "Gesundheit",
            "fr": "Santé",
            "es": "Salud",
            "zh": "健康",
            "it": "Salute",
            "pt": "Saúde",
            "ru": "Здоровье",
            "ja": "健康",
        },
        {
            "": "covid*, vitamin*, yoga, ibuprofen, paracetamol",
            "en": "health*, doctor*, medicine*, medical, disease*, symptom*, headache*, migraine*, sleep, diet, "
            "blood pressure, diabetes, allerg*, pain, fever, knee, therapy, stress, calories, vaccin*, insomnia",
            "de": "gesundheit*, gesund, arzt, ärzt*, medizin*, medikament*, krankheit*, symptom*, kopfschmerz*, "
            "migräne, schlaf, schlafen, diät, blutdruck, diabetes, allerg*, schmerz*, rückenschmerz*, fieber, "
            "knie, therapie, stress, impf*, erkältung",
            "fr": "santé, médecin*, médicament*, maladie*, symptôme*, mal de tête, maux de tête, migraine*, "
            "sommeil, dormir, régime, tension artérielle, diabète, allergi*, douleur*, fièvre, genou, thérapie, "
            "stress, vaccin*",
            "es": "salud, médic*, medicamento*, enfermedad*, síntoma*, dolor*, migraña*, sueño, dormir, dieta, "
            "presión arterial, diabetes, alergi*, fiebre, rodilla, terapia, estrés, vacuna*",
            "zh": "健康, 医生, 药, 疾病, 症状, 头痛, 头疼, 失眠, 睡眠, 饮食, 血压, 糖尿病, 过敏, 疼痛, 发烧, "
            "感冒, 疫苗, 减肥",
        },
    ),
    Subject(
        "🍳",
        {
            "en": "Cooking",
            "de": "Kochen",
            "fr": "Cuisine",
            "es": "Cocina",
            "zh": "美食",
            "it": "Cucina",
            "pt": "Culinária",
            "ru": "Кулинария",
            "ja": "料理",
        },
        {
            "": "pizza, pasta, sushi, risotto, tofu, curry, paella, ramen, kimchi, tiramisu, carbonara",
            "en": "cook*, bake*, baking, recipe*, bread, sourdough, cake*, cookie*, soup*, chicken, dough, "
            "yeast, flour, oven, sauce*, vegetarian, vegan, dinner, breakfast, tomato*, garlic, cheese, coffee",
            "de": "koch*, backen, backe, rezept*, brot*, sauerteig*, kuchen, plätzchen, suppe*, hähnchen, huhn, "
            "teig*, hefe, mehl, ofen, backofen, sauce*, soße*, vegetarisch*, vegan*, abendessen, frühstück, "
            "tomate*, knoblauch, käse, kaffee",
            "fr": "cuisin*, cuire, cuisson, recette*, pain, levain, gâteau*, soupe*, poulet, pâte, levure, "
            "farine, four, sauce*, végétarien*, végan*, dîner, petit déjeuner, tomate*, ail, fromage*, café, "
            "ratatouille",
            "es": "cocin*, hornear, receta*, pan, masa madre, pastel*, galleta*, sopa*, pollo, masa, levadura, "
            "harina, horno, salsa*, vegetarian*, vegan*, cena, desayuno, tomate*, ajo, queso*, café, tortilla*, "
            "gazpacho",
            "zh": "做饭, 烹饪, 菜谱, 食谱, 面包, 蛋糕, 饼干, 汤, 鸡肉, 鸡丁, 红烧肉, 面团, 酵母, 面粉, 烤箱, 炒, "
            "素食, 晚餐, 早餐, 豆腐, 饺子, 火锅, 咖啡",
        },
    ),
    Subject(
        "✈️",
        {
            "en": "Travel",
            "de": "Reisen",
            "fr": "Voyage",
            "es": "Viajes",
            "zh": "旅行",
            "it": "Viaggi",
            "pt": "Viagens",
            "ru": "Путешествия",
            "ja": "旅行",
        },
        {
            "": "hotel*, airbnb, interrail, camping",
            "en": "travel*, trip, trips, vacation*, holiday*, flight*, itinerar*, visit*, sightseeing, tourist*, "
            "visa, passport*, luggage, train ticket*, road trip, beach*, hiking, airport*",
            "de": "reise*, urlaub*, flug, flüge, ferien, besuch*, sehenswürdigkeit*, tourist*, visum, reisepass, "
            "gepäck, zugfahrt, strand, strände, wander*, flughafen, ausflug*, städtereise",
            "fr": "voyage*, vacances, vol, vols, itinéraire*, visiter, tourist*, visa, passeport*, bagage*, "
            "plage*, randonnée*, aéroport*, séjour*",
            "es": "viaj*, vacaciones, vuelo*, itinerario*, visitar, turis*, visado, pasaporte*, equipaje, "
            "playa*, senderismo, aeropuerto*, excursi*",
            "zh": "旅行, 旅游, 度假, 机票, 航班, 行程, 景点, 签证, 护照, 行李, 酒店, 海滩, 徒步, 机场, 攻略",
        },
    ),
    Subject(
        "💰",
        {
            "en": "Finance",
            "de": "Finanzen",
            "fr": "Finance",
            "es": "Finanzas",
            "zh": "金融",
            "it": "Finanza",
            "pt": "Finanças",
            "ru": "Финансы",
            "ja": "金融",
        },
        {
            "": "etf, etfs, bitcoin, crypto*, paypal, iban, gdp",
            "en": "money, bank*, stock, stocks, invest*, tax, taxes, loan*, mortgage*, budget*, inflation, "
            "interest rate*, pension*, salary, insurance, savings, dividend*, economy, economics",
            "de": "geld, bank*, aktie*, anlage*, investier*, steuer*, kredit*, hypothek*, haushaltsplan, "
            "inflation, zins*, rente*, gehalt, versicherung*, sparen, spar*, dividende*, wirtschaft",
            "fr": "argent, banque*, bourse, investi*, impôt*, prêt, prêts, hypothèque*, budget*, inflation, "
            "taux d'intérêt, retraite*, salaire*, assurance*, épargn*, dividende*, économie",
            "es": "dinero, banco*, acciones, bolsa, inver*, impuesto*, préstamo*, hipoteca*, presupuesto*, "
            "inflación, tasa de interés, interés compuesto, pensión, pensiones, salario*, seguro*, ahorr*, "
            "dividendo*, economía",
            "zh": "钱, 银行, 股票, 基金, 投资, 税, 贷款, 房贷, 预算, 通货膨胀, 利率, 养老金, 工资, 保险, 理财, 经济",
        },
    ),
    Subject(
        "⚖️",
        {
            "en": "Law",
            "de": "Recht",
            "fr": "Droit",
            "es": "Derecho",
            "zh": "法律",
            "it": "Diritto",
            "pt": "Direito",
            "ru": "Право",
            "ja": "法律",
        },
        {
            "": "gdpr, dsgvo, rgpd, copyright",
            "en": "law, laws, legal, lawyer*, contract*, court*, lawsuit*, tenant*, landlord*, rental agreement, "
            "notice period, patent*, licence*, license*",
            "de": "gesetz*, rechtlich*, anwalt, anwält*, vertrag*, mietvertrag*, gericht*, klage, "
            "mieter*, vermieter*, kündigung*, kündigungsfrist, patent*, lizenz*",
            "fr": "loi, lois, juridique*, avocat*, contrat*, tribunal, procès, locataire*, propriétaire*, bail, "
            "préavis, brevet*, licence*",
            "es": "ley, leyes, legal*, abogad*, contrato*, tribunal*, demanda*, inquilin*, alquiler, patente*, "
            "licencia*",
            "zh": "法律, 律师, 合同, 法院, 诉讼, 租房, 租客, 房东, 专利, 许可证, 劳动法",
        },
    ),
    Subject(
        "📚",
        {
            "en": "Education",
            "de": "Bildung",
            "fr": "Éducation",
            "es": "Educación",
            "zh": "教育",
            "it": "Istruzione",
            "pt": "Educação",
            "ru": "Образование",
            "ja": "教育",
        },
        {
            "": "phd, toefl, ielts",
            "en": "school*, student*, teacher*, exam*, learn*, university, universities, homework, course*, "
            "essay*, vocabulary, grammar, language learning, translation",
            "de": "schule*, schüler*, student*, lehrer*, prüfung*, lern*, universität*, hausaufgabe*, kurs*, "
            "aufsatz, vokabel*, grammatik, abitur",
            "fr": "école*, élève*, étudiant*, professeur*, examen*, apprendre, apprentissage, université*, "
            "devoirs, dissertation*, vocabulaire, grammaire, baccalauréat",
            "es": "escuela*, alumn*, estudia*, profesor*, examen*, exámenes, aprend*, universidad*, deberes, "
            "curso*, ensayo*, vocabulario, gramática, selectividad",
            "zh": "学校, 学生, 老师, 考试, 学习, 大学, 作业, 课程, 作文, 词汇, 语法, 高考",
        },
    ),
    Subject(
        "🎵",
        {
            "en": "Arts",
            "de": "Kunst",
            "fr": "Arts",
            "es": "Arte",
            "zh": "艺术",
            "it": "Arte",
            "pt": "Artes",
            "ru": "Искусство",
            "ja": "芸術",
        },
        {
            "": "mozart, beethoven, netflix, jazz, blues, photoshop, anime, picasso",
            "en": "music*, song*, guitar*, piano, paint*, art, arts, film, films, movie*, novel*, poem*, poetry, "
            "photograph*, theatre, theater, book, books, author*, chord*, drawing*, short story, museum*",
            "de": "musik*, lied, lieder, gitarre*, klavier*, malerei, gemälde, kunst*, film*, roman*, gedicht*, "
            "foto*, theater*, buch, bücher, autor*, akkord*, zeichn*, kurzgeschichte, museum, museen",
            "fr": "musique*, chanson*, guitare*, piano, peinture*, art, film*, roman*, poème*, poésie, "
            "photograph*, théâtre*, livre, livres, auteur*, dessin*, musée*",
            "es": "música*, canción, canciones, guitarra*, piano, pintura*, arte, película*, novela*, poema*, "
            "poesía, fotograf*, teatro*, libro*, autor*, acorde*, dibujo*, cuento*, museo*",
            "zh": "音乐, 歌曲, 吉他, 钢琴, 绘画, 艺术, 电影, 小说, 诗, 摄影, 戏剧, 书籍, 作者, 博物馆",
        },
    ),
    Subject(
        "⚽",
        {
            "en": "Sports",
            "de": "Sport",
            "fr": "Sport",
            "es": "Deportes",
            "zh": "体育",
            "it": "Sport",
            "pt": "Esportes",
            "ru": "Спорт",
            "ja": "スポーツ",
        },
        {
            "": "fifa, nba, bundesliga, marathon*, tennis, golf, crossfit, uefa",
            "en": "sport*, football, soccer, basketball, running, workout*, training plan, world cup, olympic*, "
            "swim*, cycling, bicycle*, bike*, gym, exercise*, push-up*, match, league",
            "de": "sport*, fußball*, basketball, laufen, training*, weltmeisterschaft*, wm, olymp*, schwimm*, "
            "radfahren, fahrrad*, fitness*, übungen, liga",
            "fr": "sport*, football, basket, course à pied, entraînement*, coupe du monde, olympi*, natation, "
            "nager, cyclisme, vélo*, musculation, ligue",
            "es": "deport*, fútbol, baloncesto, correr, entrena*, mundial, olímpic*, natación, nadar, ciclismo, "
            "bicicleta*, gimnasio, ejercicio*, liga",
            "zh": "体育, 足球, 篮球, 跑步, 训练, 世界杯, 奥运, 游泳, 骑行, 自行车, 健身, 马拉松, 锻炼, 乒乓球",
        },
    ),
    Subject(
        "🏛️",
        {
            "en": "History",
            "de": "Geschichte",
            "fr": "Histoire",
            "es": "Historia",
            "zh": "历史",
            "it": "Storia",
            "pt": "História",
            "ru": "История",
            "ja": "歴史",
        },
        {
            "": "napoleon, napoléon, napoleón",
            "en": "history, historical, war, wars, empire*, roman, romans, medieval, ancient, century, "
            "revolution*, king*, queen*, treaty, berlin wall, dynasty, pharaoh*, world war",
            "de": "geschichte, historisch*, krieg*, weltkrieg*, reich, römer*, römisch*, mittelalter*, antike*, "
            "jahrhundert*, revolution*, könig*, mauerfall, berliner mauer, dynastie",
            "fr": "histoire, historique*, guerre*, empire*, romain*, médiéva*, moyen âge, antiqu*, siècle*, "
            "révolution*, roi, rois, reine*, traité*, dynastie",
            "es": "historia, históric*, guerra*, imperio*, roman*, medieval*, edad media, antigu*, siglo*, "
            "revolución, rey, reyes, reina*, tratado*, dinastía",
            "zh": "历史, 战争, 帝国, 罗马, 中世纪, 古代, 世纪, 革命, 皇帝, 国王, 条约, 朝, 长城, 唐朝, 明朝",
        },
    ),
    Subject(
        "🌱",
        {
            "en": "Home & Garden",
            "de": "Haus & Garten",
            "fr": "Maison & jardin",
            "es": "Casa y jardín",
            "zh": "家居",
            "it": "Casa e giardino",
            "pt": "Casa e jardim",
            "ru": "Дом и сад",
            "ja": "住まい",
        },
        {
            "": "ikea, bonsai, orchid*",
            "en": "garden*, plant, plants, lawn, furniture, kitchen sink, cleaning, laundry, wall paint, leak*, "
            "faucet, roof*, tomato plant*, compost*, houseplant*, soil, rose, roses, seeds",
            "de": "garten*, pflanze*, rasen*, möbel, putzen, wäsche, wandfarbe, wasserhahn, dach, dächer, "
            "tomatenpflanze*, kompost*, zimmerpflanze*, erde, rosen, samen, balkon*, umzug",
            "fr": "jardin*, plante*, pelouse*, meuble*, nettoy*, lessive, robinet*, toit*, compost*, terre, "
            "rosier*, graine*, balcon*, déménag*",
            "es": "jardín, jardines, planta*, césped, mueble*, limpi*, lavadora, grifo*, tejado*, compost*, "
            "tierra, rosal*, semilla*, balcón*, mudanza*",
            "zh": "花园, 植物, 草坪, 家具, 打扫, 清洁, 洗衣, 水龙头, 屋顶, 堆肥, 土壤, 种子, 阳台, 搬家, 绿萝, 装修",
        },
    ),
    Subject(
        "🐾",
        {
            "en": "Nature",
            "de": "Natur",
            "fr": "Nature",
            "es": "Naturaleza",
            "zh": "自然",
            "it": "Natura",
            "pt": "Natureza",
            "ru": "Природа",
            "ja": "自然",
        },
        {
            "": "panda*, labrador*",
            "en": "animal*, dog, dogs, puppy, cat, cats, bird*, fish, whale*, wolf, wolves, forest*, ocean*, "
            "river*, mountain*, tree, trees, insect*, bee, bees, weather, penguin*, dinosaur*, spider*",
            "de": "tier, tiere, hund*, welpe*, katze*, vogel, vögel, fisch*, wal, wale, wolf, wölfe, wald, "
            "wälder, ozean*, fluss, flüsse, berg, berge, baum, bäume, insekt*, biene*, wetter, pinguin*, "
            "dinosaurier*",
            "fr": "animal, animaux, chien*, chiot*, chat, chats, oiseau*, poisson*, baleine*, loup*, forêt*, "
            "océan*, fleuve*, montagne*, arbre*, insecte*, abeille*, météo, pingouin*, manchot*, dinosaure*",
            "es": "animal*, perro*, cachorro*, gato*, pájaro*, aves, pez, peces, ballena*, lobo*, bosque*, "
            "océano*, montaña*, árbol*, insecto*, abeja*, pingüino*, dinosaurio*, río, ríos",
            "zh": "动物, 狗, 猫, 鸟, 鱼, 鲸, 狼, 森林, 海洋, 河流, 山脉, 树木, 昆虫, 蜜蜂, 天气, 企鹅, 恐龙, 熊猫",
        },
    ),
    Subject(
        "💼",
        {
            "en": "Work",
            "de": "Beruf",
            "fr": "Travail",
            "es": "Trabajo",
            "zh": "职场",
            "it": "Lavoro",
            "pt": "Trabalho",
            "ru": "Работа",
            "ja": "仕事",
        },
        {
            "": "cv, linkedin, excel, powerpoint, startup*, marketing, homeoffice, email, e-mail",
            "en": "job*, career*, resume, cover letter*, interview*, manager*, meeting*, project plan*, "
            "employee*, employer*, remote work, customer*, business, boss, colleague*",
            "de": "job*, karriere*, beruf*, lebenslauf, bewerbung*, anschreiben, vorstellungsgespräch*, chef*, "
            "besprechung*, projektplan*, mitarbeiter*, arbeitgeber*, kunde*, firma, kollege*",
            "fr": "emploi*, carrière*, cv, lettre de motivation, entretien*, manager*, réunion*, salarié*, "
            "employeur*, télétravail, client*, entreprise*, patron*, collègue*",
            "es": "empleo*, carrera, currículum*, carta de presentación, entrevista*, jefe*, reunión, reuniones, "
            "emplead*, empresa*, teletrabajo, cliente*, negocio*",
            "zh": "工作, 职业, 简历, 求职信, 面试, 经理, 会议, 员工, 公司, 客户, 商业, 老板, 同事, 邮件",
        },
    ),
)
