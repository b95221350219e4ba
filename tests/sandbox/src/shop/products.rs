//! The demo shop's products: a tea shop's sweets and tableware, names, codes and prices made up.
//! It must keep codes within what both services take: 1 to 20 printable ASCII characters.

/// A product: code, name, price with tax in yen, tax rate in percent.
pub type Row = (&'static str, &'static str, i64, u8);

/// Products that both sides know and whose stock is managed.
pub const GOODS: [Row; 50] = [
    ("TEA-SEN-100", "深蒸し煎茶 100g", 1080, 8),
    ("TEA-SEN-200", "深蒸し煎茶 200g", 1998, 8),
    ("TEA-GYO-050", "玉露 50g", 1620, 8),
    ("TEA-GYO-100", "玉露 100g", 3024, 8),
    ("TEA-HOJ-100", "炭火ほうじ茶 100g", 756, 8),
    ("TEA-HOJ-TB20", "ほうじ茶ティーバッグ 20包", 864, 8),
    ("TEA-GEN-200", "玄米茶 200g", 810, 8),
    ("TEA-KUK-100", "茎茶 100g", 648, 8),
    ("TEA-MAT-030", "宇治抹茶 30g缶", 2160, 8),
    ("TEA-MAT-100", "製菓用抹茶 100g", 1728, 8),
    ("TEA-KOK-TB15", "和紅茶ティーバッグ 15包", 972, 8),
    ("TEA-SET-3", "飲みくらべ三種セット", 2700, 8),
    ("TEA-MZD-TB30", "水出し煎茶 30包", 1296, 8),
    ("SWT-YOK-ODA", "小倉羊羹", 1404, 8),
    ("SWT-YOK-MAT", "抹茶羊羹", 1512, 8),
    ("SWT-MAN-10", "酒饅頭 10個入", 1836, 8),
    ("SWT-DOR-05", "どら焼き 5個入", 1134, 8),
    ("SWT-DOR-10", "どら焼き 10個入", 2214, 8),
    ("SWT-SEN-SYO", "醤油せんべい 12枚", 918, 8),
    ("SWT-SEN-GOM", "胡麻せんべい 12枚", 918, 8),
    ("SWT-KON-070", "金平糖 70g", 540, 8),
    ("SWT-MON-12", "最中 12個入", 2592, 8),
    ("SWT-KAR-200", "黒糖かりんとう 200g", 594, 8),
    ("SWT-FIN-06", "抹茶フィナンシェ 6個入", 1674, 8),
    ("SWT-COO-ABA", "ほうじ茶クッキー缶", 1944, 8),
    ("SWT-WAR-04", "わらび餅 4個入", 1242, 8),
    ("WRE-KYU-AI", "急須 藍", 5500, 10),
    ("WRE-KYU-SHU", "急須 朱泥", 6600, 10),
    ("WRE-YUN-AI", "湯呑 藍", 1650, 10),
    ("WRE-YUN-KO", "湯呑 粉引", 1760, 10),
    ("WRE-YUN-PAIR", "夫婦湯呑 化粧箱入", 4400, 10),
    ("WRE-CHW-KUR", "抹茶碗 黒", 8800, 10),
    ("WRE-CHW-SAK", "抹茶碗 桜", 7700, 10),
    ("WRE-GLS-MZD", "冷茶グラス", 1320, 10),
    ("WRE-MUG-SIR", "マグカップ 白磁", 2200, 10),
    ("WRE-KOZ-MAM", "豆皿 梅", 660, 10),
    ("WRE-KOZ-TOR", "豆皿 千鳥", 660, 10),
    ("WRE-BON-KAK", "角盆 欅", 9900, 10),
    ("WRE-BON-MAR", "丸盆 桜皮", 12100, 10),
    ("TOL-CHS-080", "茶筅 八十本立", 3300, 10),
    ("TOL-CHS-100", "茶筅 百本立", 3850, 10),
    ("TOL-SYK-TAK", "茶杓 白竹", 1100, 10),
    ("TOL-CKS-STN", "茶こし ステンレス", 880, 10),
    ("TOL-CDU-160", "茶筒 160g 和紙貼", 1980, 10),
    ("TOL-CDU-KAB", "茶筒 樺細工", 11000, 10),
    ("TOL-FIL-100", "お茶パック 100枚", 330, 10),
    ("TOL-FUR-MIN", "風呂敷 小", 1540, 10),
    ("TOL-FUR-LRG", "風呂敷 大", 2750, 10),
    ("TOL-TEN-CHA", "手ぬぐい 茶摘み", 1210, 10),
    ("GFT-WRP-BOX", "化粧箱(中)", 220, 10),
];

/// Products that only Smaregi knows, without stock: what fees, shipping and other costs are booked on.
pub const SERVICES: [Row; 3] = [
    ("EC-FEE", "手数料", 0, 10),
    ("EC-SHIPPING", "送料", 0, 10),
    ("EC-OTHER", "その他費用", 0, 10),
];

/// A product that only Next Engine knows.
pub const ONLY_NEXT_ENGINE: Row = ("WEB-LIMITED-01", "通販限定 福袋", 5400, 8);
