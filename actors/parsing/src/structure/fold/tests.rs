use super::*;

#[test]
fn case_accents_digits_and_arabic_forms_fold() {
    assert_eq!(fold_str("Résumé – ÉCOLE"), "resume – ecole");
    assert_eq!(fold_str("أحمد إلى آخر المدرسة"), "احمد الي اخر المدرسه");
    assert_eq!(fold_str("٢٠١٩ – ۲۰۲۱"), "2019 – 2021");
    assert_eq!(fold_str("مـحـمّـد"), "محمد");
}

#[test]
fn a_folded_range_leads_back_to_its_source() {
    let text = "é أَحمد X";
    let folded = fold(text);
    let at = folded.text.find("احمد").expect("folded name");
    let span = folded.source(at, at + "احمد".len());
    assert_eq!(span.of(text), Some("أَحمد"));
    assert_eq!(folded.of(span), "احمد");
}

#[test]
fn the_article_goes_but_stays_in_the_span() {
    let text = "في الرياض والدمام";
    let folded = fold(text);
    let plain = plain(&folded, |_| false);
    assert_eq!(plain.text, "في رياض دمام");
    let at = plain.text.find("رياض").expect("town");
    assert_eq!(plain.source(at, at + "رياض".len()).of(text), Some("الرياض"));
}

#[test]
fn hyphens_inside_words_are_spaces_and_bullets_stay() {
    assert_eq!(plain_str("Front-End  Developer"), "front end developer");
    assert_eq!(plain_str("- item"), "- item");
}

#[test]
fn ranges_outside_are_empty() {
    let folded = fold("abc");
    assert_eq!(folded.source(2, 2), Span::default());
    assert_eq!(folded.source(5, 9), Span::default());
    assert_eq!(folded.range(Span::new(90, 99)), 3..3);
}
