"""Phrases of pages that are about the page and not about its subject, by language.

Words are compared whole, in lower case; a phrase of a script without spaces is looked for as it stands. Three tables,
because not every phrase is as sure: ``PHRASES`` mark a short line that consists mostly of them, ``SURE_PHRASES`` are
lines of their own for which nobody writes a document, ``CONSENT_PHRASES`` mark a banner even where it is a whole
paragraph.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

# Services whose names stand on buttons.
NETWORKS: Final = """
    facebook | twitter | instagram | linkedin | pinterest | reddit | whatsapp | telegram | youtube | tumblr
    | flipboard | tiktok | snapchat | messenger | email | rss | mastodon | bluesky | threads | weibo | vk | xing
    | 微信 | 微博"""

PHRASES: Final[Mapping[str, str]] = {
    "en": """
        about us | accept | accept all | accept cookies | add to cart | advertise | advertise with us
        | advertisement | all rights reserved | already a subscriber | article continues below | back to home
        | back to top | breadcrumb | careers | click here | click to share | close menu | comments are closed
        | contact us | cookie policy | cookie preferences | cookie settings | copy link | copyright
        | create account | do not sell | download the app | email address | email this | enable javascript
        | faq | feedback | follow us | forgot password | get the app | help center | home page | image credit
        | image source | imprint | jump to | leave a comment | leave a reply | load more | log in | log out
        | login | logout | main menu | manage cookies | more from | more in | more news | more stories
        | most popular | most read | must read | my account | navigation | navigation menu | newsletter
        | newsletters | next article | next post | open in app | opens in new window | our picks
        | page not found | photo credit | popular posts | post a comment | post comment | powered by
        | press release | previous article | previous post | print this page | privacy | privacy notice
        | privacy policy | privacy statement | read also | read more | read next | recent comments
        | recent posts | recommended for you | register | reject all | related articles | related content
        | related news | related posts | related stories | related topics | related videos | report a problem
        | report this ad | required fields are marked | rss | save article | search | see all | see more
        | send us a tip | share on | share this | shopping cart | show comments | show more | sidebar
        | sign in | sign up | sign up for | site index | site map | sitemap | skip ad | skip to content
        | skip to main content | skip to navigation | skip to search | skip to site index | social media
        | sponsored | sponsored content | stay connected | submit a tip | subscribe | subscribe now
        | subscribe to | tags | terms and conditions | terms of sale | terms of service | terms of use
        | thank you for subscribing | this article was | toggle navigation | top stories | trending
        | trending news | trending now | tweet | unsubscribe | up next | view all | view comments
        | view gallery | view more | watch live | we recommend | what's hot | write a comment | you are here
        | you may also like | you might also like | your email address will not be published""",
    "de": """
        abmelden | agb | alle akzeptieren | alle ablehnen | alle rechte vorbehalten | anmelden | anzeige
        | artikel teilen | auch interessant | auf facebook teilen | barrierefreiheit | cookie einstellungen
        | cookies akzeptieren | das könnte sie auch interessieren | datenschutz | datenschutzerklärung
        | drucken | einloggen | folgen sie uns | hauptmenü | hauptnavigation | hilfe | hier klicken
        | impressum | in den warenkorb | jetzt abonnieren | jetzt lesen | kommentar schreiben | kommentare
        | kontakt | lesen sie auch | mehr anzeigen | mehr erfahren | mehr lesen | mehr zum thema | mein konto
        | meistgelesen | merkliste | nach oben | newsletter | newsletter abonnieren | nutzungsbedingungen
        | registrieren | startseite | suche | teilen | über uns | vorheriger beitrag | nächster beitrag
        | warenkorb | weiterlesen | weitere artikel | werbung | zum inhalt springen | zum hauptinhalt springen
        | zur navigation springen | zurück zur startseite""",
    "es": """
        acceder | aceptar | aceptar cookies | aceptar todas | acerca de nosotros | anterior
        | añadir al carrito | artículos relacionados | aviso legal | carrito | cerrar sesión | compartir
        | compartir en | condiciones de uso | configurar cookies | contacto | contáctenos | deja un comentario
        | deja una respuesta | ir al contenido | haz clic aquí | iniciar sesión | inicio | leer más
        | lee también | más leídas | más leído | más noticias | mapa del sitio | mi cuenta
        | noticias relacionadas | política de cookies | política de privacidad | preferencias | publicidad
        | quiénes somos | rechazar | rechazar todas | regístrate | saltar al contenido | siguiente | síguenos
        | sobre nosotros | suscríbete | suscríbete a nuestro boletín | te puede interesar
        | términos y condiciones | todos los derechos reservados
        | tu dirección de correo electrónico no será publicada | ver más | ver todo | volver arriba""",
    "fr": """
        à lire aussi | à propos | abonnez vous | accepter | accepter tout | accessibilité | accueil
        | aller au contenu | ajouter au panier | articles similaires | boutique | charger plus
        | conditions d'utilisation | conditions générales | connexion | contactez nous | créer un compte
        | cookies | en savoir plus | fil d'ariane | gérer les cookies | imprimer | inscription
        | inscrivez vous | laisser un commentaire | les plus lus | lire aussi | lire la suite
        | mentions légales | mon compte | mot de passe oublié | newsletter | nous contacter | nous suivre
        | panier | partager | partager sur | plan du site | plus d'articles | politique de confidentialité
        | politique de cookies | publicité | qui sommes nous | recherche | refuser | retour en haut
        | s'abonner | se connecter | s'identifier | suivez nous | sur le même sujet | tous droits réservés
        | tout accepter | tout refuser | voir plus | voir tout""",
    "it": """
        accedi | accetta | accetta tutti | accetta i cookie | aggiungi al carrello | area riservata
        | articoli correlati | carrello | cerca | chi siamo | clicca qui | condividi | condividi su
        | condizioni d'uso | contatti | contattaci | cookie policy | esci | gestisci i cookie | home page
        | impostazioni cookie | informativa sulla privacy | iscriviti | iscriviti alla newsletter
        | lascia un commento | leggi anche | leggi tutto | mappa del sito | note legali
        | potrebbe interessarti | più letti | pubblicità | registrati | rifiuta | rifiuta tutti
        | salta al contenuto | scopri di più | seguici | seguici su | stampa | termini e condizioni | torna su
        | tutti i diritti riservati | vai al contenuto | vedi tutti""",
    "pt": """
        aceitar | aceitar cookies | aceitar todos | artigos relacionados | assine | assine nossa newsletter
        | adicionar ao carrinho | carrinho | cadastre se | clique aqui | compartilhar | compartilhe | contato
        | contactos | deixe um comentário | deixe uma resposta | definições de cookies | entrar | fale conosco
        | início | iniciar sessão | ir para o conteúdo | leia mais | leia também | ler mais | mais lidas
        | mais notícias | mapa do site | minha conta | notícias relacionadas | partilhar | política de cookies
        | política de privacidade | pular para o conteúdo | publicidade | quem somos | recusar | redes sociais
        | rejeitar todos | saiba mais | saltar para o conteúdo | siga nos | sobre nós | termos de uso
        | termos e condições | todos os direitos reservados | veja também | ver mais | ver todos
        | voltar ao topo""",
    "nl": """
        aanmelden | abonneer | abonneren | accepteer alle | accepteren | advertentie | algemene voorwaarden
        | alle rechten voorbehouden | alles accepteren | alles weigeren | bekijk alle | bekijk meer
        | cookie instellingen | cookiebeleid | deel dit | delen | ga naar de inhoud | gerelateerde artikelen
        | gerelateerde berichten | gebruiksvoorwaarden | hoofdmenu | inloggen | in winkelwagen | klik hier
        | lees meer | lees ook | lees verder | meest gelezen | meld je aan | mijn account | naar boven
        | nieuwsbrief | neem contact op | over ons | privacybeleid | privacyverklaring | registreren
        | reacties | schrijf je in | spring naar de inhoud | uitloggen | volg ons | winkelwagen | zoeken""",
    "pl": """
        akceptuj | akceptuj wszystkie | czytaj dalej | czytaj także | czytaj więcej | dodaj do koszyka
        | dodaj komentarz | kontakt | koszyk | mapa strony | moje konto | najczęściej czytane | newsletter
        | o nas | obserwuj nas | odrzuć wszystkie | polityka cookies | polityka prywatności
        | powiązane artykuły | przejdź do treści | regulamin | reklama | strona główna | szukaj | udostępnij
        | ustawienia cookies | wszelkie prawa zastrzeżone | wszystkie prawa zastrzeżone | wyloguj
        | zaloguj się | zapisz się | zarejestruj się | zobacz także | zobacz więcej""",
    "sv": """
        acceptera alla | alla rättigheter förbehållna | annons | användarvillkor | cookieinställningar | dela
        | dela på | följ oss | godkänn alla | gå till innehåll | hoppa till innehåll | integritetspolicy
        | klicka här | kontakta oss | kundvagn | logga in | logga ut | läs mer | läs också | läs även
        | mest läst | mina sidor | nyhetsbrev | om oss | personuppgiftspolicy | prenumerera | registrera dig
        | relaterade artiklar | startsida | till toppen | visa alla | visa fler | visa mer""",
    "tr": """
        abone ol | aydınlatma metni | ana sayfa | anasayfa | bizi takip edin | bülten | çerez politikası
        | çerez ayarları | devamını oku | daha fazla | en çok okunanlar | giriş yap | gizlilik politikası
        | hakkımızda | hesabım | içeriğe geç | içeriğe atla | ilgili haberler | ilgili yazılar | iletişim
        | kabul et | kayıt ol | kullanım koşulları | künye | paylaş | reddet | reklam | sepetim | sepete ekle
        | site haritası | tüm hakları saklıdır | tümünü gör | tümünü kabul et | yorum yap | üye ol
        | yukarı çık""",
    "ru": """
        в корзину | ваш комментарий | войти | вход | выйти | все новости | все права защищены | главная
        | главное меню | добавить в корзину | зарегистрироваться | карта сайта | комментарии | контакты
        | корзина | личный кабинет | мы в социальных сетях | на главную | наверх | обратная связь | о компании
        | о нас | о проекте | оставить комментарий | отклонить все | перейти к содержанию
        | перейти к содержимому | подписаться | подписывайтесь на нас | поделиться | поиск | показать ещё
        | показать еще | политика конфиденциальности | пользовательское соглашение | последние новости
        | похожие статьи | принять | принять все | регистрация | реклама | рекомендуем | самое читаемое
        | читайте также | читать далее | читать ещё""",
    "uk": """
        вийти | використання матеріалів | вхід | всі новини | усі права захищені | всі права захищені
        | головна | головне меню | додати в кошик | залишити коментар | зареєструватися | карта сайту
        | контакти | кошик | ми в соцмережах | нагору | останні новини | перейти до вмісту | перейти до змісту
        | підписатися | поділитися | політика конфіденційності | політика приватності | пошук
        | правила користування | прийняти всі | про нас | прочитати також | реєстрація | реклама
        | схожі статті | увійти | читайте також | читати далі | читати більше""",
    "zh": """
        首页 | 首頁 | 网站首页 | 关于我们 | 關於我們 | 联系我们 | 聯絡我們 | 版权所有 | 版權所有
        | 保留所有权利 | 保留所有權利 | 隐私政策 | 隱私政策 | 隐私权政策 | 隱私權政策 | 使用条款 | 服务条款
        | 用户协议 | 网站地图 | 免责声明 | 登录 | 登入 | 注册 | 註冊 | 退出登录 | 立即注册 | 忘记密码
        | 加入收藏 | 设为首页 | 分享到 | 返回顶部 | 回到頂部 | 阅读更多 | 查看更多 | 加载更多 | 点击加载更多
        | 相关阅读 | 相关文章 | 相关推荐 | 相关新闻 | 猜你喜欢 | 热门推荐 | 热门文章 | 上一篇 | 下一篇
        | 发表评论 | 我要评论 | 网友评论 | 扫一扫 | 扫码下载 | 下载客户端 | 关注我们 | 微信公众号 | 广告
        | 廣告 | 跳转到内容 | 跳至内容 | 跳到主要内容 | 接受所有 | 接受全部 | 订阅 | 友情链接 | 京公网安备
        | 责任编辑 | 延伸閱讀""",
    "ja": """
        ホーム | トップページ | サイトマップ | お問い合わせ | 会社概要 | プライバシーポリシー | 利用規約
        | 無断転載を禁じます | 無断転載禁止 | ログイン | ログアウト | 新規登録 | 会員登録 | 続きを読む
        | もっと見る | 関連記事 | 人気記事 | おすすめ記事 | 前の記事 | 次の記事 | ページトップへ
        | ページの先頭へ | 本文へスキップ | 本文へ移動 | コンテンツへスキップ | シェアする | ツイートする
        | コメントを残す | メールマガジン | 広告 | すべて許可 | すべて受け入れる | 特定商取引法に基づく表記
        | カート | カートに入れる | 購読する | よく読まれている記事 | 返信 | 広告掲載 | すべて拒否 | 運営会社""",
    "ko": """
        개인정보처리방침 | 개인정보 처리방침 | 공유하기 | 관련기사 | 관련 기사 | 광고 | 광고문의 | 구독하기
        | 기사제보 | 다음 글 | 더보기 | 로그아웃 | 로그인 | 맨 위로 | 많이 본 뉴스 | 메뉴 바로가기 | 모두 동의
        | 모두 수락 | 무단전재 및 재배포 금지 | 바로가기 | 본문 바로가기 | 본문으로 바로가기 | 사이트맵
        | 이용약관 | 이전 글 | 인기 기사 | 장바구니 | 저작권자 | 청소년보호정책 | 홈으로 | 회사소개 | 회원가입
        | 댓글쓰기 | 댓글 남기기 | 뉴스레터
        | 문의하기 | 답글 달기 | 오시는 길 | 모두 거부 | 장바구니 담기""",
    "ar": """
        اتصل بنا | اشترك | اشترك الآن | اقرأ أيضا | اقرأ أيضاً | اقرأ المزيد | الأكثر قراءة | التالي
        | التعليقات | الرئيسية | السابق | الشروط والأحكام | الصفحة الرئيسية | القائمة الرئيسية | المزيد
        | النشرة البريدية | إعلان | إنشاء حساب | انتقل إلى المحتوى | تابعنا | تخطى إلى المحتوى | تسجيل الدخول
        | جميع الحقوق محفوظة | حقوق النشر | خريطة الموقع | رفض الكل | سياسة الخصوصية | سياسة ملفات الارتباط
        | شارك | شروط الاستخدام | قبول الكل | مقالات ذات صلة | مواضيع ذات صلة | من نحن | اترك تعليقا
        | اترك تعليقاً
        | سلة التسوق | أعلن معنا | رد | أضف إلى السلة | اتصلوا بنا | إنشاء حساب جديد | بحث""",
    "hi": """
        अगला लेख | अधिक पढ़ें | और पढ़ें | ये भी पढ़ें | यह भी पढ़ें | कुकी नीति | कुकी सेटिंग | खोजें
        | गोपनीयता नीति | टिप्पणी करें | पंजीकरण करें | पिछला लेख | फॉलो करें | मुख्य पृष्ठ
        | मुख्य सामग्री पर जाएं | लॉग इन | लॉग इन करें | विज्ञापन | शेयर करें | संपर्क करें | संबंधित खबरें
        | संबंधित लेख | सब स्वीकार करें | सभी अधिकार सुरक्षित | सदस्यता लें | साइन इन करें | हमारे बारे में
        | हमसे संपर्क करें | होम
        | कार्ट | कार्ट में जोड़ें | सभी स्वीकार करें | सभी अस्वीकार करें | उपयोग की शर्तें | सबसे ज़्यादा पढ़े गए | सबसे ज्यादा पढ़ी गई
        | विज्ञापन दें | जवाब दें | संपर्क | साझा करें""",
    "el": """
        αρχική | αρχική σελίδα | σχετικά με εμάς | ποιοι είμαστε | επικοινωνία | επικοινωνήστε μαζί μας
        | πολιτική απορρήτου | πολιτική cookies | όροι χρήσης | εγγραφή | εγγραφείτε | σύνδεση | αποσύνδεση
        | καλάθι | το καλάθι μου | προσθήκη στο καλάθι | σχετικά άρθρα | διαβάστε επίσης | διαβάστε περισσότερα
        | περισσότερα | δημοφιλή | δημοφιλέστερα | διαφήμιση | διαφημιστείτε | μετάβαση στο περιεχόμενο
        | με επιφύλαξη παντός δικαιώματος | αποδοχή όλων | απόρριψη όλων | κοινοποίηση | αναζήτηση
        | ακολουθήστε μας | αφήστε ένα σχόλιο | σχόλια | χάρτης ιστότοπου | επιστροφή στην κορυφή""",
    "he": """
        דף הבית | ראשי | עמוד ראשי | אודות | אודותינו | צור קשר | צרו קשר | מדיניות פרטיות | תנאי שימוש
        | הצהרת נגישות | הרשמה | הירשמו | התחברות | התחבר | התנתקות | עגלת קניות | הוסף לסל | כתבות קשורות
        | כתבות נוספות | קראו עוד | קרא עוד | לקריאה נוספת | הנקראות ביותר | פרסום | פרסמו אצלנו | דלג לתוכן
        | דילוג לתוכן | כל הזכויות שמורות | קבל הכול | קבל הכל | אישור הכול | דחה הכול | שתף | שתפו | חיפוש
        | עקבו אחרינו | הוסף תגובה | תגובות | מפת האתר | חזרה למעלה | תפריט ראשי""",
    "ro": """
        acasă | prima pagină | despre noi | contact | contactați ne | contactează ne | politica de confidențialitate
        | politica de cookies | politica cookies | termeni și condiții | abonează te | abonați vă | autentificare
        | conectare | deconectare | înregistrare | contul meu | coșul meu | coș de cumpărături | adaugă în coș
        | articole similare | citește și | citește mai mult | citiți și | mai mult | cele mai citite | publicitate
        | sari la conținut | salt la conținut | toate drepturile rezervate | acceptă toate | accept toate
        | respinge toate | distribuie | căutare | urmărește ne | lasă un comentariu | comentarii | harta site ului
        | înapoi sus""",
    "th": """
        หน้าแรก | หน้าหลัก | เกี่ยวกับเรา | ติดต่อเรา | นโยบายความเป็นส่วนตัว | นโยบายคุกกี้ | ข้อกำหนดการใช้งาน | เงื่อนไขการใช้งาน
        | ข้อกำหนดและเงื่อนไข | สมัครสมาชิก | สมัครรับข่าวสาร | เข้าสู่ระบบ | ออกจากระบบ | ลงทะเบียน | ตะกร้าสินค้า | หยิบใส่ตะกร้า
        | บทความที่เกี่ยวข้อง | ข่าวที่เกี่ยวข้อง | อ่านเพิ่มเติม | อ่านต่อ | ดูเพิ่มเติม | ดูทั้งหมด | อ่านมากที่สุด | ยอดนิยม | โฆษณา | ลงโฆษณา
        | ข้ามไปยังเนื้อหา | ข้ามไปที่เนื้อหา | สงวนลิขสิทธิ์ | ยอมรับทั้งหมด | ปฏิเสธทั้งหมด | ตั้งค่าคุกกี้ | ตอบกลับ | แสดงความคิดเห็น
        | แผนผังเว็บไซต์ | กลับขึ้นด้านบน | ติดตามเรา | แชร์""",
    "vi": """
        trang chủ | giới thiệu | về chúng tôi | liên hệ | chính sách bảo mật | chính sách cookie | điều khoản sử dụng
        | điều khoản dịch vụ | đăng ký | đăng nhập | đăng xuất | giỏ hàng | thêm vào giỏ hàng | bài viết liên quan
        | tin liên quan | xem thêm | xem tất cả | đọc thêm | đọc tiếp | đọc nhiều nhất | tin mới nhất | quảng cáo
        | liên hệ quảng cáo | chuyển đến nội dung | bỏ qua nội dung | bảo lưu mọi quyền | chấp nhận tất cả
        | từ chối tất cả | trả lời | chia sẻ | tìm kiếm | theo dõi chúng tôi | để lại bình luận | bình luận
        | sơ đồ trang web | lên đầu trang""",
}

SURE_PHRASES: Final = """
    skip to content | skip to main content | skip to navigation | skip to search | toggle navigation
    | back to top | accept all cookies | accept cookies | reject all cookies | manage cookies
    | cookie settings | share on facebook | share on twitter | share on linkedin | share on whatsapp
    | share on x | all rights reserved | your email address will not be published | sign up for our newsletter
    | subscribe to our newsletter | zum inhalt springen | zum hauptinhalt springen | zur navigation springen
    | alle cookies akzeptieren | nach oben | auf facebook teilen | auf twitter teilen | cookie einstellungen
    | newsletter abonnieren | saltar al contenido | ir al contenido | aceptar todas las cookies
    | volver arriba | compartir en facebook | aller au contenu | accepter tous les cookies | retour en haut
    | partager sur facebook | gérer les cookies | vai al contenuto | salta al contenuto
    | accetta tutti i cookie | torna su | condividi su facebook | pular para o conteúdo
    | saltar para o conteúdo | aceitar todos os cookies | voltar ao topo | ga naar de inhoud
    | alle cookies accepteren | terug naar boven | delen op facebook | przejdź do treści
    | akceptuj wszystkie pliki cookie | udostępnij na facebooku | hoppa till innehåll | godkänn alla cookies
    | dela på facebook | till toppen | içeriğe geç | içeriğe atla | tüm çerezleri kabul et
    | facebook'ta paylaş | yukarı çık | перейти к содержанию | перейти к содержимому | принять все cookie
    | поделиться в фейсбук | перейти до вмісту | перейти до змісту | прийняти всі файли cookie | 跳转到内容
    | 跳至内容 | 跳到主要内容 | 返回顶部 | 回到頂部 | 接受所有cookie | 加载更多 | 点击加载更多 | 扫一扫分享
    | 本文へスキップ | 本文へ移動 | コンテンツへスキップ | ページトップへ | ページの先頭へ
    | すべてのcookieを受け入れる | 본문 바로가기 | 본문으로 바로가기 | 메뉴 바로가기 | 맨 위로
    | 모든 쿠키 수락 | انتقل إلى المحتوى | تخطى إلى المحتوى | قبول جميع ملفات تعريف الارتباط
    | मुख्य सामग्री पर जाएं | सभी कुकी स्वीकार करें | μετάβαση στο περιεχόμενο | αποδοχή όλων των cookies
    | επιστροφή στην κορυφή | דלג לתוכן | דילוג לתוכן | sari la conținut | salt la conținut
    | acceptă toate cookie urile | ข้ามไปยังเนื้อหา | ข้ามไปที่เนื้อหา | ยอมรับคุกกี้ทั้งหมด | chuyển đến nội dung
    | chấp nhận tất cả cookie"""

CONSENT_PHRASES: Final = """
    we use cookies | we and our partners use cookies | this site uses cookies | this website uses cookies
    | our website uses cookies | our site uses cookies | by continuing to use this site
    | by using this site you agree | by continuing to browse | we value your privacy | wir verwenden cookies
    | wir nutzen cookies | diese website verwendet cookies | diese seite verwendet cookies
    | diese website nutzt cookies | diese webseite verwendet cookies | unsere website verwendet cookies
    | utilizamos cookies | usamos cookies | este sitio utiliza cookies | este sitio web utiliza cookies
    | nous utilisons des cookies | ce site utilise des cookies | en poursuivant votre navigation
    | utilizziamo i cookie | questo sito utilizza i cookie | questo sito utilizza cookie | usiamo i cookie
    | este site utiliza cookies | este site usa cookies | nós usamos cookies | wij gebruiken cookies
    | we gebruiken cookies | deze website gebruikt cookies | deze site gebruikt cookies
    | używamy plików cookie | używamy plików cookies | ta strona używa plików cookie
    | korzysta z plików cookie | vi använder cookies | vi använder kakor | webbplatsen använder cookies
    | çerezleri kullanıyoruz | çerezler kullanıyoruz | bu site çerezleri kullanır | sitemizde çerezler
    | мы используем файлы cookie | мы используем cookie | сайт использует cookie
    | сайт использует файлы cookie | ми використовуємо файли cookie | ми використовуємо cookie
    | сайт використовує файли cookie | 我们使用cookie | 本网站使用cookie | 本站使用cookie | 我們使用cookie
    | 本網站使用cookie | 当サイトではcookieを使用 | 当サイトはcookieを使用 | このサイトはcookieを使用
    | cookieを使用しています | 쿠키를 사용합니다 | 쿠키를 사용하고 있습니다 | نستخدم ملفات تعريف الارتباط
    | يستخدم هذا الموقع ملفات تعريف الارتباط | हम कुकीज़ का उपयोग | यह वेबसाइट कुकीज़ का उपयोग
    | कुकीज़ का उपयोग करते हैं | कुकीज़ का उपयोग करती है | χρησιμοποιούμε cookies | ο ιστότοπος χρησιμοποιεί cookies
    | αυτός ο ιστότοπος χρησιμοποιεί cookies | אנו משתמשים בעוגיות | אנחנו משתמשים בעוגיות | האתר משתמש בעוגיות
    | אתר זה משתמש בעוגיות | משתמשים בעוגיות כדי | משתמש בעוגיות כדי | ملفات تعريف الارتباط لتحسين
    | ملفات تعريف الارتباط لضمان | ملفات تعريف الارتباط لتقديم | אנו משתמשים בקובצי cookie
    | folosim cookie uri | folosim cookies | utilizăm cookie uri
    | utilizăm cookies | folosim module cookie | acest site folosește cookie uri | acest site folosește cookies
    | acest site utilizează cookie uri | เว็บไซต์นี้ใช้คุกกี้ | เราใช้คุกกี้ | เว็บไซต์ของเราใช้คุกกี้ | chúng tôi sử dụng cookie
    | trang web này sử dụng cookie | website này sử dụng cookie | サイトではcookieを使用 | 쿠키를 사용하여"""

# What a sentence beside one that asks for consent is about, if it belongs to the same banner.
CONSENT_WORDS: Final = """
    cookie | kakor | çerez | クッキー | 쿠키 | कुकी | कुकीज़ | עוגיות | คุกกี้
    | ملفات تعريف الارتباط | tracking technolog"""
