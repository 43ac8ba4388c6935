"""Function words of many languages: articles, pronouns, prepositions, conjunctions, auxiliaries, particles.

They tell prose from menus, and languages from one another. The lists are long on purpose and are no list of words to
leave out of a search. Languages are named by ISO 639-1 codes, words are in lower case.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_WORDS: Final[Mapping[str, str]] = {
    "en": """
        a about above after again against all almost along already also although always among an and another any
        are around as at away back be became because become been before behind being below between both but by
        came can cannot could did do does doing done down during each either enough even ever every few first
        for from further gave get give go got had has have having he her here hers herself him himself his how
        however i if in indeed into is it its itself just last least less let like made make many may me might
        mine more most much must my myself neither never next no nor not nothing now of off often on once one
        only onto or other others our ours out over own per perhaps put quite rather really said same say says
        she should since so some soon still such take than that the their theirs them themselves then there
        therefore these they this those though through thus to together too toward towards under until up upon
        us very was we well went were what when where whether which while who whom whose why will with within
        without would yet you your yours yourself don't doesn't didn't isn't aren't wasn't weren't can't
        couldn't won't wouldn't it's i'm he's she's that's there's we're they're you're i've we've they've
        you've i'd he'd they'd we'd i'll we'll they'll you'll let's""",
    "de": """
        ab aber alle allein allem allen aller alles als also am an andere anderem anderen anderer anderes auch
        auf aus außer außerdem bei beide beiden beim bereits besonders bevor bin bis bist bisher da dabei
        dadurch dafür dagegen daher damals damit danach daneben daran darauf daraus darin darüber darum darunter
        das dass davon davor dazu dein deine deinem deinen deiner dem demnach den denen denn dennoch der deren
        des deshalb dessen desto dich die dies diese diesem diesen dieser dieses dir doch dort du durch dürfen
        ebenso ein eine einem einen einer eines einige einigen einmal entweder er erst es etwa etwas euch euer
        eure falls fast für gab gar gegen gegenüber gemacht geworden gewesen gibt ging hab habe haben hat hatte
        hatten hätte hätten her heute hier hin hinter ich ihm ihn ihnen ihr ihre ihrem ihren ihrer im immer in
        indem innerhalb ins irgend ist ja je jede jedem jeden jeder jedes jedoch jene jener jetzt kam kann
        kannst kaum kein keine keinem keinen keiner können könnte könnten lassen läßt lässt machen macht man
        manche mehr mein meine meinem meinen meiner meist mich mir mit möchte müssen muss musste nach nachdem
        nämlich neben nein nicht nichts nie niemand noch nun nur ob oder oft ohne schon sehr sein seine seinem
        seinen seiner seit seitdem selbst sich sie sind so sobald sodass sogar solche sollen sollte sondern
        sonst soweit sowie sowohl statt teils trotz über um und uns unser unsere unserem unseren unter viel
        viele vielen vom von vor während wann war waren warum was wegen weil weit weiter welche welchem welchen
        welcher welches wenig weniger wenn wer werde werden weshalb wie wieder wir wird wo wobei wodurch wohl
        wollen wollte womit worden wurde wurden würde würden zu zum zur zwar zwischen""",
    "es": """
        a además ahí ahora al algo alguien algún alguna algunas alguno algunos allí ante antes aquel aquella
        aquellos aquí así aún aunque bajo bastante bien cada casi como cómo con conmigo contra cual cuál cuales
        cualquier cuando cuándo cuanto cuya cuyo da dado de debe deben decir del demás dentro desde después dice
        dicho donde dónde dos durante e el él ella ellas ello ellos en entonces entre era eran eres es esa esas
        ese eso esos esta está estaba estaban estado están estar estas este esto estos estoy etc fue fuera
        fueron gran ha había habían haber hace hacen hacer hacia han hasta hay he hemos hizo hoy incluso la las
        le les lo los luego más me mediante menos mi mientras mis mismo mismos misma mismas mucha muchas mucho
        muchos muy nada nadie ni ningún ninguna no nos nosotros nuestra nuestro nuestras nuestros nunca o os
        otra otras otro otros para parte pero poco por porque pudo puede pueden pues que qué quien quién quienes
        se sea sean según ser será si sí sido siempre siendo sin sino sobre solo sólo son soy su sus tal también
        tampoco tan tanto te tener tenía tiene tienen toda todas todavía todo todos tras tu tú tus un una unas
        uno unos usted ustedes va vez y ya yo""",
    "fr": """
        à afin ai aient ainsi alors après assez au aucun aucune aujourd'hui auprès aussi autre autres aux
        avaient avait avant avec avez avoir avons ayant beaucoup bien c'est car ce ceci cela celle celles celui
        cependant certains ces cet cette ceux chaque chez ci comme comment contre d'un d'une dans de dehors déjà
        depuis dernier des dès deux devant doit doivent donc dont du elle elles en encore enfin entre envers es
        est et étaient était étant été être eu eux fait faire fois font furent fut grâce hors ici il ils j'ai je
        jusqu jusque l'on la là laquelle le lequel les lesquels leur leurs lors lorsque lui m'a ma mais malgré
        me même mêmes mes mieux moi moins mon n'a n'est ne ni non nos notre nous on ont ou où par parce parmi
        pas pendant peu peut peuvent plus plusieurs plutôt pour pourquoi pouvait pouvoir près presque puis
        puisque qu'il qu'elle qu'on qu'un qu'une quand que quel quelle quelles quels quelque quelques qui quoi
        s'est sa sans se selon sera serait ses seulement si sinon soi soit son sont sous souvent suis sur
        surtout ta tandis tant te tel telle tes toi ton toujours tous tout toute toutefois toutes très trop tu
        un une vers voici voilà vos votre vous y""",
    "it": """
        a abbia abbiamo ad adesso agli ai al alcuna alcune alcuni alcuno alla alle allo allora altra altre altri
        altro anche ancora anzi appena assai attraverso avanti avere aveva avevano avuto ben bene benché c'è
        c'era che chi ci ciascuno ciò cioè coi col come con contro così cui da dagli dai dal dall dalla dalle
        dallo de degli dei del dell della delle dello dentro deve di dietro dopo dove dovrebbe due dunque
        durante e è ed egli ella entrambi era erano essa esse essendo essere essi fa fanno far fare fatto fino
        fra fu fuori furono gli già grazie ha hanno ho i il in infatti infine insieme intorno invece io l'ha la
        là lì le lei li lo loro lui lungo ma mai me meno mentre mi mia mie mio molta molte molti molto ne né
        negli nei nel nell nella nelle nello nessun nessuna nessuno niente no noi non nostra nostro nulla o od
        ogni ognuno oltre oppure ora parte per perché perciò però più piuttosto po poco poi può possono presso
        prima proprio qua qual quale quali qualche qualcosa quando quanti quanto quasi quei quegli quel quella
        quelle quelli quello questa queste questi questo qui quindi sarà sarebbe se sé secondo sei sempre senza
        si sia siamo siano sino solo soltanto sono sopra sotto sta stata state stati stato stesso su sua subito
        sue sugli sui sul sull sulla sulle suo suoi tale tali tanto te ti tra tre troppo tu tutta tuttavia tutte
        tutti tutto un una uno va verso vi voi vostro""",
    "pt": """
        a à agora ainda alguém algum alguma algumas alguns ali além ambos ante antes ao aos apenas após aquela
        aquelas aquele aqueles aqui aquilo as às assim até através cada cerca com como contra contudo cuja cujo
        da daquele das de dela delas dele deles depois desde dessa desse desta deste devem deve deverá dia disse
        disso do dois dos durante e é ela elas ele eles em embora enquanto então entre era eram essa essas esse
        esses esta está estão estar estas estava este estes eu faz fazer foi fora foram há havia isso isto já la
        lá lhe lhes lo logo mais mas me menos mesma mesmo mesmos meu minha muita muitas muito muitos na nada não
        nas nela nele nem nenhum nenhuma nessa nesse nesta neste ninguém no nos nós nossa nosso num numa nunca o
        onde os ou outra outras outro outros para pela pelas pelo pelos per perante pode podem pois por porém
        porque porquê pouco pouca quais qual qualquer quando quanto quase que quê quem são se segundo seja sem
        sempre sendo ser será seu seus si sido sob sobre só sua suas tal também tampouco tanto tão te tem têm
        tendo ter teve tinha tinham toda todas todavia todo todos tu tudo um uma umas uns vai você vocês vos""",
    "nl": """
        aan achter af al alle alleen alles als altijd ander andere anders behalve beide ben beneden bij bijna
        binnen boven buiten daar daarbij daarmee daarna daarom daarvoor dan dat de deze die dit doch doen doet
        door dus een echter eens eerst elk elke en enige er eraan erg ergens ervan even geen geweest gewoon gaat
        had hadden hare heb hebben heeft heel hem hen het hier hij hoe hoewel hun ieder iedere iemand iets ik in
        inmiddels is ja je jij jou jouw jullie kan kon konden kunnen laat langs liever maar mag me meer men met
        mij mijn minder misschien moest moet moeten mogen na naar naast nadat net niemand niet niets nog nogal
        nooit nu of om omdat ons onder onze ook op opnieuw over pas reeds sinds soms staat steeds tegen ten
        tenzij ter terwijl te toch toen tot totdat tussen uit uw van vanaf vanwege veel vele verder via volgens
        voor vooral voordat waar waarbij waarin waarom wanneer want waren was wat we weer wel welke werd werden
        wie wij wil worden wordt zal ze zei zelf zeer zich zij zijn zo zoals zodat zonder zou zouden zowel zulke""",
    "pl": """
        a aby ale albo ani aż bardziej bardzo bez będą będzie bo bowiem by być byli był była było były chce
        chociaż choć co coś czasem czego czy czyli dla dlaczego dlatego do dopiero dość dwa gdy gdyby gdyż gdzie
        go i ich ile im inne innych inny iż ja jak jaka jakie jakiś jako jakże je jeden jednak jedna jedno jego
        jej jemu jest jestem jeszcze jeśli jeżeli już każdy każda każde kiedy kilka ktoś kto która które którego
        której który których którym którzy ku lecz lub ma mają mam mi miał miała mieć między mimo mnie może
        można mój moja moje mu musi my na nad nam nami nas nasz nasza nawet nią nic nich nie niego niej nim nimi
        niż no nowe o obok od ode on ona one oni ono oraz pan po pod podczas ponad ponieważ poza potem powinien
        prawie przed przede przez przy raz również są sam sama się skąd sobą sobie swój swoje swoich ta tak taka
        taki takie także tam te tego tej temu ten też to tobie tu tutaj twój ty tych tylko tym u w wam wami was
        we według wiele wielu więc wszystko wszystkich wszyscy wtedy wy właśnie z za zaś zawsze ze został
        została zostały że żeby""",
    "sv": """
        aldrig alla allt alltid än andra annan annat att av bakom bara bland blev bli blir borde både de dem den
        denna deras dess dessa det detta dig din ditt dock du där därför då efter eftersom ej eller en enligt er
        ett fick flera från får få för före först genom ger går gör göra ha hade han hans har hela henne hennes
        hon honom hur här i ibland icke in inga ingen inget innan inom inte ja jag just kan kanske kom komma
        kommer kunde kunna liksom lite man med medan mellan men mer mest mig min mina mitt mot mycket måste
        många när nu någon något några nästan och också om oss på redan sade sedan sen sig sin sina sitt själv
        ska skall skulle som så sådan sätt till tills trots under upp ur ut utan utom vad var vara varför varit
        varje vars vem vet vi vid vilka vilken vilket vill väl är även över""",
    "da": """
        af aldrig alle alt altid altså anden andet andre at bare begge blev blive bliver blandt da de dem den
        denne der deres derfor des det dette dig din disse dog du efter eftersom ej eller en end endnu er et fik
        flere for fordi fra få får før først gennem gik gjorde gør går ham han hans har havde have hele hende
        hendes her hos hun hvad hvem hver hvilken hvilke hvis hvor hvordan hvorfor hvornår i ifølge igen ikke
        ind indtil ingen intet ja jeg jer jo kan kom komme kommer kun kunne lidt ligesom man mange med meget
        mellem men mens mere mig min mine mod må måske når nej ned noget nogle nogen nok nu ny og også om
        omkring op os over på samme sammen selv selvom siden sig sin sine sit skal skulle som store så sådan til
        under ud uden var ved vi vil ville være været én""",
    "no": """
        alle alltid andre annen at av bare begge ble blei bli blir blitt da de dem den denne der deres derfor
        det dette din disse du eller en enn er et etter ett fikk flere for fordi fra få får før først gikk
        gjennom gjør gjøre går ha hadde han hans har hele hennes her hos hun hva hvem hver hvilken hvis hvor
        hvordan hvorfor i ifølge igjen ikke ingen inn ja jeg kan kom komme kommer kun kunne litt man mange med
        meg meget mellom men mens mer min mitt mot mye må måtte når nei ned noe noen nok nå og også om opp oss
        over på samme sammen seg selv siden sin sine sitt skal skulle slik som svært så sånn til under ut uten
        var ved vi vil ville vår være vært""",
    "fi": """
        ei eikä eivät ellei en enemmän ennen että eli emme entä ette he heidän heille heitä hän häneen hänelle
        hänen häntä hyvin ilman itse ja jo jokainen joka jolla jonka jos joskus jossa josta jota jotain jotka
        jotta joukossa juuri jälkeen kaikki kaikkien kanssa kautta kerran keskellä koko koska koskaan kuin
        kuinka kuitenkin kuka kun kuten lisäksi lähes me meidän mikä mikäli minkä minua minulla minun minä missä
        mistä mitä mukaan mutta muun muut myös myöskin ne niiden niille niin niitä noin nyt näin näiden näitä
        nämä ole olemme olen olet oli olisi olivat olla olleet ollut on ovat paitsi paljon pian pitää päälle se
        sekä sellainen sen siellä siihen siinä siis siitä sillä sinun sinä sitten sitä tai takia te toinen tuli
        tulla tuo tästä tähän tällä tämä tämän tässä täytyy usein vaan vai vaikka vain varten vasta verran vielä
        voi voidaan voivat vuoksi yhä yli ympäri""",
    "tr": """
        acaba ama ancak artık asla aslında az bana bazen bazı belki ben beni benim beri bile bir biraz birçok
        biri birkaç birlikte biz bize bizim böyle bu buna bunda bundan bunlar bunları bunun burada bütün çok
        çoğu çünkü da daha dahi dan de defa değil dek den diğer diye doğru dolayı dolayısıyla eden edilen ederek
        eğer en et etmek etti fakat fazla gerek gibi göre hala halen hangi hatta hem henüz hep hepsi her
        herhangi herkes hiç hiçbir için içinde iki ile ilgili ilk ise işte itibaren kadar karşı kendi kendini
        kez ki kim kimse kısa mı mi mu mü nasıl ne neden nedenle nerede niçin niye o olan olarak oldu olduğu
        olduğunu olmak olması olsa olup olur ona ondan onlar onların onu onun orada oysa öyle önce rağmen sadece
        peki sanki sen senin siz sizin son sonra şey şimdi şöyle şu tarafından tüm üzere var ve veya ya yani yapılan
        yerine yine yok yoksa zaten""",
    "cs": """
        a aby ale ani asi až bez bude budou by byl byla byli bylo byly být co což či další do dokud ho i jak
        jako jaký je jeho její jejich jemu jen ještě jestli jestliže ji jiný již jsem jsi jsme jsou jste k kam
        každý kde kdo když ke která které kterého který kteří kterou ku má mají mezi mi mimo mít mně mnoho mohou
        možná můj může my na nad nám nás náš ne nebo nebyl neboť něco nějaký nejsou není než nic nich nimi o od
        on ona oni ono pak po pod podle pokud pouze právě pro proč proto protože před přede přes při s se si
        sice své svůj svých ta tak také takže tam tato té tedy ten tento teto těch tím to tohle toho tohoto tom
        tomu tu tuto tvůj ty tyto u už v vám vás váš ve vedle více však všechno všech všichni vy z za zda zde ze
        že""",
    "ro": """
        a acea aceasta această aceea acel acela acele acest acesta aceste acestea acestui acum ai aici al ale
        alt alta alte altele alți am ar are as astfel asupra atât atunci au avea avem avut azi că când care
        căreia căror cât câte câteva către ce cea cei cel cele celor chiar cine cineva cu cum cumva da dacă dar
        dat de deci deja deoarece departe despre deși din dintre doar după ea ei el ele era erau este eu face
        fără fi fie fiecare fiind foarte fost i iar îl îi în încă înainte îmi însă între într-o într-un își la
        le li lor lui mai mea mei mult multe mulți ne nici nimic niște noastre noi nostru nu o oricare or ori pe
        pentru peste poate pot prea prin printre sa să săi sale sau se său sunt și spre sub tot toate toată toți
        totuși tu un una unde unei unele unii unor unui va vă voi vor vostru vreo""",
    "hu": """
        a abban ahhoz ahol aki akik akkor alatt által általában amely amelyek amelyet ami amíg amikor amit annak
        arra az azért azok azonban azt aztán azután be belül benne bár cikk csak de ebben egész egy egyéb egyes
        egyik egyre együtt el elég ellen előtt első én erre ez ezek ezért ezt ezzel fel felé ha hanem hiszen
        hogy hogyan honnan igen így ill illetve ilyen is ismét itt jó jobban kell kellett keresztül ki kívül
        közé között közül le legalább legyen lehet lenne lesz lett maga magát majd már más meg mellett mely mert
        mi miatt míg mikor milyen minden mindig mint mintha mit most nagyon ne néha nekem neki nélkül nem nincs
        olyan ott össze ő ők őket pedig persze rá s saját sem semmi sok sokat számára szerint szinte tehát
        teljes tovább továbbá több úgy ugyanis új után utána vagy vagyis valaki valami van vannak vele viszont
        volna volt voltak""",
    "id": """
        ada adalah agar akan akibat aku anda antara apa apabila apakah atas atau bagi bagaimana bahwa banyak
        baru beberapa begitu belum berada berbagai bila bisa bukan dalam dan dapat dari daripada dengan demikian
        di dia dilakukan dua guna hal hanya harus hingga ia ialah ingin ini itu jika juga kalau kami kamu karena
        ke kecuali kemudian kepada ketika kita lagi lain lalu lebih maka mana masih melalui melakukan membuat
        mempunyai menjadi menurut mereka merupakan meskipun mungkin namun nya oleh pada paling para pernah pula
        pun saat saja salah sambil sampai sangat satu saya sebab sebagai sebelum sebuah secara sedang sehingga
        sejak sekarang selain selama seluruh semua sendiri seorang seperti sering serta sesuatu setelah setiap
        siapa suatu sudah supaya tanpa tapi telah tentang terhadap termasuk tersebut tetapi tiap tidak untuk
        walaupun yaitu yang""",
    "vi": """
        ai anh bà bạn bao bất bằng bị bởi các cái càng cần chỉ cho chưa chúng có còn con của cùng cũng cứ đã
        đang đây để đến đều đi đó do đối được gì giữa hay hơn khi không là lại làm lên loại lúc mà mặc mỗi một
        mới muốn này nào nên nếu ngay nhiều như nhưng những nữa ở phải qua ra rằng rất rồi sau sẽ so sự tại tất
        theo thì tôi trên trong trước từ từng và vẫn vào vậy về vì việc với vừa""",
    "ru": """
        а без более будет будто будут был была были было быть в вам вас ваш ведь весь во вот впрочем все всегда
        всего всё всех всю вы где говорит да даже два для до другие другой его ее её ей ему если есть еще ещё ж
        же за здесь и из из-за или им именно ими иногда их к каждый как какая какие какой когда конечно кроме
        которая которого которой которые который которых кто куда ли либо лишь лучше между меня менее мне много
        могут может можно мой моя мы на над надо наиболее нас наш не него нее неё ней некоторые нельзя нет ни
        нибудь никогда ним них ничего но ну о об однако один одна одной он она они оно опять от очень перед по
        под поэтому после потом потому почти при про просто раз разве с сам самый самых свой своего своей своих
        своё себе себя со совсем так также такой такие там те тебя тем теперь то тогда того тоже той только том
        тот ту ты тут у уже хорошо хоть чего чем через что чтоб чтобы чуть эта эти этих это этого этой этом этот
        эту я является являются""",
    "uk": """
        а або адже але б без більш більше був буде будуть була були було бути в вам вас ваш вже ви від він вона
        вони воно все всі всіх вся втім де деякі для до дуже дві два є же за завжди з задля зі зокрема і із
        інших інші її їй їм їх його йому й каже кожен коли котрий крім краще куди ледве лише має мають мене мені
        менше ми між мій може можна можуть моя на навіть над нам нас наш не него неї немає ним них ні ніж ніколи
        нічого ну о об однак один одна ось от отже перед під після по поки при про проте саме свій своєї свого
        своїх себе собі сам та так також такий такі там те теж тепер ти тим тих то тобто тоді того той тому
        треба тут у хоча хто цей це цього цих ця ці через чи чий чим чого чому що щоб ще щось я як яка якби який
        яких якого якої які якщо якість""",
    "bg": """
        а ако ала без беше би бил била били било бъде в вас ваш вече ви вие все всеки всички всичко във г ги го
        да дали до докато дори е един една едно ето за заради защо защото и из или им има имат их как какво
        както като когато което които кой който която към ли м между ме мен му много може могат на над най нас
        наш не него нея ни ние никой нито но няма някои някой о обаче около освен от отново още по под поне
        поради после почти пред през при са сам само се сега си след според сред срещу съм със също т така такъв
        там те тези ти то това тогава този той том тоест тук тъй тя тях у че често чрез ще щом я""",
    "el": """
        αλλά αν ανά αντί από αυτά αυτές αυτή αυτής αυτό αυτοί αυτός αυτού αυτούς αυτών αφού για γιατί δε δεν
        διότι εάν εγώ είναι είχαν είχε εκεί εκείνος εκτός εμείς ένα έναν ένας εναντίον ενός ενώ επειδή επί
        επίσης έτσι έχει έχουν η ή ήδη ήταν θα ίδιο κάθε και καθώς κάποια κάποιος κατά κι λίγο μα μας με μέσα
        μετά μέχρι μη μην μια μιας μόνο μου μπορεί να ναι ο οι όλα όλες όλοι όμως όπου όπως όσο όταν ότι ούτε
        όχι πάντα παρά περί περισσότερο πιο πολύ που πού πρέπει πριν προς πως πώς σαν σας σε στα στη στην στις
        στο στον στους συν σχεδόν τα τη την της τι τις το τον τόσο τότε του τους τρόπο των ύστερα χωρίς ως ώστε""",
    "ar": """
        إذ إذا إلا إلى أم أما أمام أن إن أنا أنت أنه إنه أنها إنها أو أول أي أيضا أيضاً أين الآن التي الذي الذين
        اللذان اللواتي اليوم بأن بعد بعض بل بما به بها بين بينما تحت تكون تلك تم ثم جدا جميع حتى حول حيث حين
        خلال دون ذلك رغم سوف سوى ضد ضمن على عليه عليها عن عند عندما عنه عنها غير فإن فقد فقط فوق في فيه فيها قبل
        قد كان كانت كانوا كل كلا كما كيف كم لا لأن لأنه لدى لذلك لقد لكن لكي لم لما لماذا لن له لها لهم لو ليس
        ليست ما ماذا مازال متى مثل مع معظم من منذ منه منها مما نحن نحو نفس هذا هذه هذان هل هم هما هن هنا هناك هو
        هؤلاء هي وأن وإن وذلك وقد وكان وكانت ولا ولكن ولم وهذا وهذه وهو وهي وفي وعلى ومن ومع يا يجب يكون يمكن""",
    "fa": """
        آن آنها آنچه از است اگر اما او ایشان این اینکه اینجا با باید بدون بر برای برخی بسیار بسیاری بعد بلکه بود
        بودن بودند به بی بیش بین پس پیش تا تر تمام تنها تو جا چرا چنان چند چنین چه چون چگونه حتی خود خواهد خیلی
        داد دارد دارند داشت داشته در دیگر را روی زیر زیرا سپس سوی شد شده شما شود شوند طور علیه فقط قبل که کرد
        کردن کرده کسی کن کند کنند گفت ما مانند مگر من می میان نباید نیز نیست نمی نه و ولی هر هرچند هستند هم همان
        همه همیشه همین هنوز هیچ وی وقتی یا یک یکی""",
    "he": """
        אבל או אולי אותה אותו אותם אז אחר אחרי אחת אחד אי איך אילו אין איפה אך אל אלא אלה אלו אם אמר אנחנו אני
        אף אצל אשר את אתה אתם ב בגלל בו בה בין בכל בלי בעוד בעת בשביל גם דרך ה הוא היא היה היו היתה הייתה הם הן
        הזה הזאת הנה הרי ואת והוא והיא ו זאת זה זו חוץ יותר יש כאשר כאן כבר כדי כי כך כל כלל כמה כמו כן כפי לא
        לאחר לה להיות להם לו לי לכן למה לנו לפי לפני לפיכך מאד מאוד מאז מדוע מה מול מי מן מעל מפני מתוך מתחת נגד
        נו עד עוד על עליו עליה עם עצמו עצמה פי פחות פעם צריך ש של שלה שלהם שלו שלי שלנו שם תוך תחת""",
    "hi": """
        अगर अत अथवा अन्य अपना अपनी अपने अब अभी आदि आप इतना इन इनका इनकी इनके इस इसका इसकी इसके इसमें इसलिए इसी
        इसे उन उनका उनकी उनके उनको उन्हें उन्होंने उस उसका उसकी उसके उसने उसमें उसी उसे एक एवं ऐसा ऐसी ऐसे और कई
        कब कभी कर करता करते करना करने करें कहा कहाँ का काफी कि कितना किन किया किस किसी की कुछ के कैसे को कोई कौन
        क्या क्यों गई गए गया गयी चाहिए जब जहाँ जा जाता जाती जाते जाने जिन जिस जिसका जिसकी जिसके जिसमें जिसे जैसा
        जैसे जो तक तब तथा तरह तो था थी थे दिया दो दोनों द्वारा न नहीं ना नीचे ने पर परंतु पहले फिर बहुत बाद बारे
        बिना भी मगर में मेरा मेरे मैं यदि यह यहाँ या ये रहा रही रहे लिए लेकिन लगा लोग व वह वहाँ वाला वाली वाले
        वे सकता सकती सकते सब सभी साथ से हम हर ही हुआ हुई हुए हूँ है हैं हो होता होती होते होना होने""",
    "ko": """
        그 그가 그것은 그는 그녀는 그들은 그러나 그런 그런데 그리고 그래서 그의 나는 내가 너무 누가 다른 다시
        대한 대해 더 더욱 또 또는 또한 때 때문에 따라 따라서 모두 모든 매우 및 바로 반면 보다 수 아니라 아주 약
        어떤 어떻게 언제 여기 여러 왜 우리 우리는 위한 위해 이 이것은 이는 이러한 이런 있는 있다 있었다 있으며
        있고 있습니다 없는 없다 없습니다 자신의 잘 저는 저 정말 제 중 즉 지금 지난 통해 하고 하는 하지만 한 할
        함께 합니다 했다 했습니다 것 것은 것을 것이 것이다 것입니다 경우 같은 같이 된 된다 되는 되었다 됩니다 등
        많은 입니다""",
}

FUNCTION_WORDS: Final[Mapping[str, frozenset[str]]] = {
    code: frozenset(words.split()) for code, words in _WORDS.items()
}

# Where words are not set apart by spaces, single characters that are grammar and little else.
FUNCTION_CHARACTERS: Final[Mapping[str, frozenset[str]]] = {
    "zh": frozenset(
        "的了是在和有不这這这那也就都而及与與或但被把于於从從对對为為以之其所得地着著过過很更最还還又再却卻并並且因如若虽雖"
        "我你他她它们們個个上下中后後前会會能可要将將已向由至等给給让讓吗嗎呢吧啊么麼什谁誰哪没沒只"
    ),
    "ja": frozenset("のはがをにでともやへかられるますしたていなどよりねよだです"),
    "th": frozenset("เแโใไ็่้์ำะาิีึืุู"),
}

# Korean particles and endings are written on the word they belong to.
FUNCTION_ENDINGS: Final[Mapping[str, tuple[str, ...]]] = {
    "ko": (
        *"은는이가을를에의로와과도만다고며면서지요",
        *("에서", "에게", "까지", "부터", "보다"),
    ),
}

# Letters that few of the languages of a script write.
TELLING_LETTERS: Final[Mapping[str, str]] = {
    "de": "ßäöü",
    "es": "ñ¿¡áéíóú",
    "fr": "œéêèçùîûàâ",
    "it": "ìòàèù",
    "pt": "ãõçáâêé",
    "pl": "łąęśżźćń",
    "sv": "åäö",
    "da": "æøå",
    "no": "æøå",
    "fi": "äö",
    "tr": "ğışİçö",
    "cs": "ěřůčžšýáéí",
    "ro": "ăâîșțşţ",
    "hu": "őűáéöü",
    "vi": "ơưđạảấầậắằệốồộớờợ",
    "ru": "ыэъё",
    "uk": "іїєґ",
    "bg": "ъщ",
    "fa": "پچژگک",
}
