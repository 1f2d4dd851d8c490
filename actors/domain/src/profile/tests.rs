use super::*;

#[test]
fn spans_take_only_whole_characters() {
    let text = "aé";
    assert_eq!(Span::new(1, 3).of(text), Some("é"));
    assert_eq!(Span::new(1, 2).of(text), None);
    assert_eq!(Span::new(1, 9).of(text), None);
    assert_eq!(Span::new(3, 1), Span::new(3, 3));
}

#[test]
fn levels_are_ordered() {
    assert!(RequirementLevel::Must > RequirementLevel::Required);
    assert!(RequirementLevel::Preferred > RequirementLevel::Nice);
    assert!(EducationLevel::Doctorate > EducationLevel::Bachelor);
    assert!(LanguageLevel::Native > LanguageLevel::Fluent);
}

#[test]
fn language_codes_are_two_lower_case_letters() {
    assert_eq!(LanguageCode::new("ar"), Some(LanguageCode::ARABIC));
    for bad in ["", "a", "EN", "eng", "é"] {
        assert_eq!(LanguageCode::new(bad), None, "{bad}");
    }
}
