use super::*;

/// The order of the paper of a line with an Arabic base, given what stands on it from left to right.
fn read(paper: &str) -> String {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut gap = None;
    for c in paper.chars() {
        match c {
            ' ' | '\t' => gap = Some(c),
            c => pieces.push(Piece { text: c.to_string(), gap: gap.take() }),
        }
    }
    reading_order(&pieces, true)
}

#[test]
fn arabic_words_and_lines_are_turned() {
    assert_eq!(read("لوأ سدنهم"), "مهندس أول");
}

#[test]
fn latin_words_and_numbers_inside_keep_their_order() {
    assert_eq!(read("REST API عم طبرلا"), "الربط مع REST API");
    assert_eq!(read("ةنس 2021 :ةربخ"), "خبرة: 2021 سنة");
    assert_eq!(read("05/2023 ذنم"), "منذ 05/2023");
    assert_eq!(read("21,000 ةحاسم"), "مساحة 21,000");
    assert_eq!(read("50% ةبسنب"), "بنسبة 50%");
    assert_eq!(read("%50 ةبسنب"), "بنسبة 50%");
    assert_eq!(read("تاونس +5"), "5+ سنوات");
    assert_eq!(read("تاونس 5+"), "5+ سنوات");
    assert_eq!(read("Go، Rust، SQL :تاراهم"), "مهارات: Go، Rust، SQL");
    assert_eq!(read("amal.h@example.com :ديرب"), "بريد: amal.h@example.com");
}

#[test]
fn numbers_behind_a_latin_word_belong_to_it() {
    assert_eq!(read("PMP – 2022"), "PMP – 2022");
    assert_eq!(read("ISO 9001 ةداهش"), "شهادة ISO 9001");
    assert_eq!(read("Google 2021 - 2019"), "2019 - 2021 Google");
}

#[test]
fn ranges_of_years_read_from_the_right() {
    assert_eq!(read("2021 - 2019"), "2019 - 2021");
    assert_eq!(read("نآلا ىتح – 2021"), "2021 – حتى الآن");
}

#[test]
fn telephone_numbers_keep_their_groups() {
    assert_eq!(read("+966 11 555 0132 :لاوجلا"), "الجوال: +966 11 555 0132");
    assert_eq!(read("0132 555 11 966+ :لاوجلا"), "الجوال: +966 11 555 0132");
}

#[test]
fn swapped_brackets_are_turned_and_proper_ones_stay() {
    assert_eq!(read(")رح لمع( ممصم"), "مصمم (عمل حر)");
    assert_eq!(read("(رح لمع) ممصم"), "مصمم (عمل حر)");
}

#[test]
fn signs_of_language_names_stay_behind_them() {
    assert_eq!(read("C++ ةغل"), "لغة C++");
    assert_eq!(read("++C ةغل"), "لغة C++");
    assert_eq!(read("C# ةغل"), "لغة C#");
}

#[test]
fn a_latin_line_turns_only_its_arabic_words() {
    let pieces: Vec<Piece> = ["N", "a", "m", "e", ":", "ل", "م", "أ", "(", "2", "0", ")"]
        .iter()
        .enumerate()
        .map(|(at, text)| Piece { text: (*text).to_owned(), gap: (at == 5 || at == 8).then_some(' ') })
        .collect();
    assert_eq!(reading_order(&pieces, false), "Name: أمل (20)");
}

#[test]
fn a_ligature_is_one_piece() {
    let pieces = ["م", "لا", "س"].map(|text| Piece { text: text.to_owned(), gap: None });
    assert_eq!(reading_order(&pieces, true), "سلام");
}
