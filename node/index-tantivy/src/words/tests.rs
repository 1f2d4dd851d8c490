use proptest::prelude::*;

use super::*;

#[test]
fn words_by_example() {
    for (text, words) in [
        ("Senior C++/C# developer", "senior c++ c# developer"),
        ("(.NET, ASP.NET; Node.js)", ".net asp.net node.js"),
        ("a+b = c + d; item#5 end.Next 3.5", "a b c d item 5 end next 3 5"),
        ("F#.", "f#"),
        (
            "companies, databases, boxes; analysis gas bus class",
            "company database boxe analysi gas bus class",
        ),
        ("shoes trees", "shoes trees"),
        ("Straße ÉCOLE", "straße école"),
        ("المُهَنْدِسـون إدارة الأعمال ٢٠٢٤", "مهندسون اداره اعمال 2024"),
        ("الى", "الي"),
        ("", ""),
        (" \n-- ++ ## ..", ""),
    ] {
        assert_eq!(cut(text).join(" "), words, "of {text:?}");
    }
}

#[test]
fn encoded_data_is_no_word() {
    let text = format!("before {} after", "a1".repeat(40));
    assert_eq!(cut(&text), ["before", "after"]);
}

#[test]
fn tantivy_sees_the_same_words() {
    let mut tokenizer = Words;
    let mut stream = tokenizer.token_stream("Kafka queues, C++");
    let mut seen = Vec::new();
    while let Some(token) = stream.next() {
        seen.push((token.position, token.text.clone()));
    }
    assert_eq!(seen, [(0, "kafka".to_owned()), (1, "queue".to_owned()), (2, "c++".to_owned())]);
}

proptest! {
    #[test]
    fn any_text_gives_clean_words(text in "\\PC{0,80}") {
        for word in cut(&text) {
            prop_assert!(!word.is_empty() && word.len() <= MAX_WORD);
            prop_assert!(!word.contains(char::is_whitespace));
        }
    }

    #[test]
    fn texts_side_by_side_give_the_words_of_both(left in "\\PC{0,40}", right in "\\PC{0,40}") {
        let both = cut(&format!("{left}\n{right}"));
        prop_assert_eq!(both, [cut(&left), cut(&right)].concat());
    }
}
