//! WordPiece of our own against the crate `tokenizers`: the same pieces at the same places, of any text.

use std::env;
use std::sync::LazyLock;

use proptest::prelude::*;
use tokio::time::Instant;

use super::*;
use crate::ModelFiles;
use crate::testing::vocabulary_size;

static TINY: LazyLock<WordPieces> =
    LazyLock::new(|| pieces_of(&TinyModel::new().tokenizer, vocabulary_size()).unwrap());

/// The tokenizer of all-MiniLM-L6-v2, as far as it is on this machine.
static REAL: LazyLock<Option<WordPieces>> = LazyLock::new(|| {
    let files = ModelFiles::default_dir().and_then(|dir| ModelFiles::locate(&dir).ok());
    let required = env::var_os("TANDEM_REQUIRE_MODEL").is_some_and(|value| value == "1");
    assert!(files.is_some() || !required, "TANDEM_REQUIRE_MODEL=1, but there is no sentence model");
    files.map(|files| WordPieces::load(&files.tokenizer, usize::MAX).unwrap().0)
});

fn all() -> impl Iterator<Item = &'static WordPieces> {
    [&*TINY].into_iter().chain(REAL.as_ref())
}

/// A tokenizer like the tiny one, but for one setting of a part of it.
fn altered(part: &str, setting: &str, value: Value) -> WordPieces {
    let mut tokenizer = TinyModel::new().tokenizer;
    tokenizer[part][setting] = value;
    pieces_of(&tokenizer, vocabulary_size()).unwrap()
}

/// Whether the fast way did; in any case all ways must agree.
fn agrees(pieces: &WordPieces, text: &str) -> bool {
    let wanted = pieces.pieces_of_any(text).unwrap();
    let ids: Vec<u32> = wanted.iter().map(|piece| piece.id).collect();
    assert_eq!(pieces.pieces(text).unwrap(), wanted, "{text:?}");
    assert_eq!(pieces.ids(text).unwrap(), ids, "{text:?}");
    assert_eq!(pieces.count(text).unwrap(), ids.len(), "{text:?}");
    pieces.read(text, |piece| piece).is_some()
}

#[test]
fn texts_of_every_kind_have_the_same_pieces() {
    let long = "x".repeat(100);
    let texts = [
        "",
        " ",
        "The nurse leads.",
        "MIXED case, c++/C# and e-mail: who@example.org; 3.5%…",
        "[CLS] rust [SEP] data[PAD] [UNK][MASK] ##s [ SEP ] [sep]",
        "Ünïcödé naïve résumé RÉSUMÉ e\u{301}\u{323}\u{301} \u{301}a Å\u{30a} ǰ ẞ ß",
        "İstanbul ISPARTA ıI i\u{307} DŽ ǅ ﬁ ﬃ Ω K Å",
        "日本語の文章。株式会社 中\u{301}文 豈\u{f900}\u{2f800} \u{20000}x",
        "한국어 각 \u{1112}\u{1161}\u{11ab}",
        "مهندس بَرْمَجِيَّات في القاهرة ١٢٣، נִקּוּד हिन्दी ไทย",
        "👩\u{200d}👩\u{200d}👧 🇩🇪 🏴\u{200d}☠\u{fe0f} 1\u{fe0f}\u{20e3}",
        "a\u{0}b\u{7}c\u{fffd}d\u{ad}e\u{200b}f\u{feff}g\u{e000}h\u{f8ff}i\u{10ffff}j\u{ffff}k",
        "tab\tline\nreturn\r\nfeed\u{c}vt\u{b}nbsp\u{a0}em\u{2003}ls\u{2028}nel\u{85}ogham\u{1680}x",
        "≮≯≠ ;` · ΅ ½ ² ① ™ «quote» “q” – — ‿ ・ 、 ¿qué?",
        "\u{202e}abc\u{202c} \u{2066}x\u{2069}",
        &long,
        &(long.clone() + "y"),
        &"é".repeat(100),
        &"e\u{301}".repeat(101),
        &"ab\u{0}".repeat(70),
        &"中".repeat(300),
    ];
    for pieces in all() {
        for text in texts {
            assert!(agrees(pieces, text), "{text:?}");
            agrees(pieces, &format!("data {text}nurse"));
        }
    }
}

#[test]
fn every_character_has_the_same_pieces_in_and_between_words() {
    let characters: Vec<char> =
        (0..0x1_1000_u32).chain(0x1_f000..0x1_fa00).filter_map(char::from_u32).collect();
    for pieces in all() {
        let (mut texts, mut slow) = (0, 0);
        for some in characters.chunks(64) {
            let text: String = some.iter().map(|c| format!("a{c}b {c} E{c} ")).collect();
            texts += 1;
            slow += usize::from(!agrees(pieces, &text));
        }
        assert!(slow * 50 < texts, "{slow} of {texts} texts go the slow way");
    }
}

#[test]
fn a_mark_whose_place_depends_on_others_goes_the_slow_way() {
    // Of the classes 224 and 216, and not removed as accents are.
    for text in ["가\u{302e}\u{301}나 rust", "\u{1d15e}\u{334} data", "x\u{1d165}\u{302e}y"] {
        for pieces in all() {
            assert!(!agrees(pieces, text), "{text:?}");
        }
    }
}

#[test]
fn settings_of_the_normalizer_and_of_the_vocabulary_hold() {
    let texts =
        ["RÉSUMÉ İ Résumé rust\u{0} \u{fffd}data日本nurse 가\u{302e}\u{301}", "the DATA lead e\u{301}"];
    for setting in ["clean_text", "handle_chinese_chars", "strip_accents", "lowercase"] {
        for value in [true, false] {
            let pieces = altered("normalizer", setting, json!(value));
            for text in texts {
                agrees(&pieces, text);
            }
            assert!(agrees(&pieces, "plain Text, Ödland"), "{setting} {value}");
        }
    }
    for prefix in ["", "e", "é", "###"] {
        let pieces = altered("model", "continuing_subword_prefix", json!(prefix));
        assert!(agrees(&pieces, "the engineer led nurses; abc éa eé #a ##a"), "{prefix:?}");
    }
    for most in [0, 1, 7] {
        let pieces = altered("model", "max_input_chars_per_word", json!(most));
        assert!(agrees(&pieces, "engineers nurse nurses résumé"), "{most}");
    }
}

#[test]
fn a_tokenizer_of_another_kind_is_left_to_the_crate() {
    let mut added = TinyModel::new().tokenizer;
    added["added_tokens"][0]["special"] = json!(false);
    let other =
        [("normalizer", json!({"type": "Lowercase"})), ("pre_tokenizer", json!({"type": "Whitespace"}))];
    let other = other.map(|(part, value)| {
        let mut tokenizer = TinyModel::new().tokenizer;
        tokenizer[part] = value;
        tokenizer
    });
    for tokenizer in [added].into_iter().chain(other) {
        let pieces = pieces_of(&tokenizer, vocabulary_size()).unwrap();
        assert!(!agrees(&pieces, "the Nurse [PAD] rust's data"), "{tokenizer}");
    }
    let mut nameless = TinyModel::new().tokenizer;
    nameless["model"]["unk_token"] = json!("nothing");
    let pieces = pieces_of(&nameless, vocabulary_size()).unwrap();
    assert!(matches!(pieces.ids("日"), Err(EmbeddingError::Tokenize { bytes: 3 })));
}

#[test]
fn it_is_many_times_as_fast_as_the_crate() {
    let Some(pieces) = REAL.as_ref() else { return };
    let texts: Vec<String> = (0..64)
        .map(|n| {
            format!("Led {n} nurses at Northwind Ledger, cutting handover costs by 23% in Zürich. ").repeat(5)
        })
        .collect();
    let seconds = |tokenize: &dyn Fn(&str) -> usize| {
        let round = |_| {
            let begun = Instant::now();
            assert!(texts.iter().map(|text| tokenize(text)).sum::<usize>() > 64 * 75);
            begun.elapsed().as_secs_f64()
        };
        (0..9).map(round).fold(f64::MAX, f64::min)
    };
    let fast = seconds(&|text| pieces.ids(text).unwrap().len());
    let by_crate = seconds(&|text| pieces.ids_of_any(text).unwrap().len());
    println!("{:.1} µs a text, {:.1} times as fast", fast / 64.0 * 1e6, by_crate / fast);
    assert!(by_crate > 4.0 * fast, "{fast} s, the crate {by_crate} s");
}

/// What texts are made of: words, marks, scripts, and what is not to be seen.
fn text() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        4 => "[a-zA-Z]{1,12}",
        2 => "[ .,;:!?/\\-\\[\\]#()\t\r\n]{1,3}",
        1 => "\\PC{1,4}",
        1 => any::<String>(),
        1 => "[\u{c0}-\u{24f}\u{1e00}-\u{1eff}]{1,5}",
        1 => "[e\u{300}-\u{36f}\u{302e}\u{323}\u{1d165}]{1,6}",
        1 => "[\u{4e00}-\u{4e20}\u{3040}-\u{30ff}\u{ac00}-\u{ac20}\u{1100}-\u{11ff}\u{f900}-\u{f910}]{1,5}",
        1 => "[\u{5b0}-\u{5ea}\u{600}-\u{6ff}\u{900}-\u{97f}\u{e00}-\u{e4e}]{1,8}",
        1 => "[\u{0}-\u{1f}\u{7f}-\u{a0}\u{ad}\u{200b}-\u{200f}\u{2028}-\u{202e}\u{fe0f}\u{feff}\u{fffd}\u{e000}]{1,3}",
        1 => "[🚀🇩🇪👩🏽\u{200d}\u{20e3}]{1,6}",
        1 => prop::sample::select(&["[SEP]", "[CLS]", "[PAD]", "[UNK]", "##s", "İ", "ı", "ẞ", "ﬃ", "Σς"][..])
            .prop_map(str::to_owned),
        1 => "[a-zé]{90,130}",
    ];
    prop::collection::vec(part, 0..20).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_has_the_same_pieces(text in text()) {
        for pieces in all() {
            agrees(pieces, &text);
        }
    }
}
