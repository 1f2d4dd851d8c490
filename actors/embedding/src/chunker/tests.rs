use super::spans::spans;
use super::windows::cuts;
use super::{Chunk, ChunkOptions, Chunker};
use crate::testing::{TinyModel, vocabulary_size};
use crate::{Piece, WordPieces};
use proptest::prelude::*;
use std::sync::LazyLock;

static TOKENIZER: LazyLock<WordPieces> = LazyLock::new(|| {
    let dir = TinyModel::new().write();
    WordPieces::load(&dir.path().join("tokenizer.json"), vocabulary_size()).unwrap().0
});

fn small() -> ChunkOptions {
    ChunkOptions { chars: 70, overlap: 15, window_tokens: 10 }
}

fn part(text: &str, range: std::ops::Range<usize>) -> &str {
    text.get(range).expect("a range lies between two characters")
}

/// Cuts `text` and checks what holds for every text.
fn checked(text: &str, options: ChunkOptions) -> Vec<Chunk> {
    let chunks = Chunker::new(options).unwrap().chunks(text, &TOKENIZER).unwrap();
    let mut reached = 0;
    for (at, chunk) in chunks.iter().enumerate() {
        assert_eq!(chunk.index, at);
        let inside = part(text, chunk.range.clone());
        assert_eq!(inside.trim(), inside);
        assert!((1..=options.chars).contains(&inside.chars().count()));
        assert!(chunk.range.end > reached, "chunk {at} adds nothing");
        if chunk.range.start < reached {
            assert!(part(text, chunk.range.start..reached).chars().count() <= options.overlap);
        } else {
            assert_eq!(part(text, reached..chunk.range.start).trim(), "", "text is lost before chunk {at}");
        }
        reached = chunk.range.end;

        let mut from = chunk.range.start;
        for window in &chunk.windows {
            assert_eq!(window.range.start, from, "text is lost between windows");
            from = window.range.end;
            part(text, window.range.clone());
            assert!(window.tokens() <= options.window_tokens);
        }
        assert_eq!(from, chunk.range.end);
        let pieces: Vec<u32> = chunk.windows.iter().flat_map(|window| window.pieces.clone()).collect();
        assert_eq!(pieces, TOKENIZER.ids(inside).unwrap());
        assert!(chunk.windows.len() == 1 || chunk.windows.iter().all(|window| !window.pieces.is_empty()));
    }
    assert_eq!(part(text, reached..text.len()).trim(), "", "text is lost at the end");
    chunks
}

fn texts(text: &str, options: ChunkOptions) -> Vec<&str> {
    spans(text, &options).into_iter().map(|range| part(text, range)).collect()
}

#[test]
fn an_empty_text_has_no_chunks() {
    assert_eq!(checked("", ChunkOptions::default()), []);
    assert_eq!(checked(" \n\t\u{2003}\r\n", ChunkOptions::default()), []);
}

#[test]
fn a_short_text_is_one_chunk_without_the_white_space_around_it() {
    let chunks = checked("\n The nurse leads. \n", ChunkOptions::default());
    assert_eq!(chunks.len(), 1);
    assert_eq!((chunks[0].range.clone(), chunks[0].windows.len()), (2..18, 1));
    assert_eq!(chunks[0].tokens(), 2 + 5);
}

#[test]
fn a_chunk_ends_with_a_paragraph_if_one_ends_late_in_it() {
    let (first, second) = ("word ".repeat(11) + "end.", "Next one. ".repeat(8));
    let text = format!("{first}\n\n{second}");
    assert_eq!(texts(&text, small())[0], first);
}

#[test]
fn a_chunk_ends_with_a_sentence_and_the_next_begins_with_one() {
    let text = "Ten chars. ".repeat(20);
    let found = texts(&text, small());
    assert!(found.len() > 3);
    for chunk in &found {
        assert!(chunk.starts_with("Ten") && chunk.ends_with("chars."), "{chunk:?}");
    }
}

#[test]
fn without_sentences_words_stay_whole() {
    let text = "abcdefg ".repeat(40);
    for chunk in texts(&text, small()) {
        assert!(chunk.split(' ').all(|word| word == "abcdefg"), "{chunk:?}");
    }
}

#[test]
fn a_family_of_emoji_stays_together() {
    let family = "👨\u{200d}👩\u{200d}👧\u{200d}👦";
    let text = family.repeat(60);
    let found = texts(&text, small());
    assert!(found.len() > 5);
    for chunk in &found {
        assert_eq!(chunk.chars().last(), Some('👦'));
    }
}

#[test]
fn a_window_ends_with_a_sentence_then_with_a_word_then_anywhere() {
    let window = |text: &'static str| -> Vec<&str> {
        let chunks = checked(text, ChunkOptions { chars: 1_000, overlap: 0, window_tokens: 8 });
        chunks[0].windows.iter().map(|window| part(text, window.range.clone())).collect()
    };
    assert_eq!(
        window("Rust data. Data rust lead. The nurse."),
        ["Rust data. ", "Data rust lead. ", "The nurse."]
    );
    assert_eq!(window("rust data lead rust data abcd"), ["rust data lead rust data ", "abcd"]);
    assert_eq!(window("rust zzzzzzzzzzz"), ["rust ", "zzzzzz", "zzzzz"]);
}

#[test]
fn a_window_is_not_ended_by_a_sentence_that_leaves_it_nearly_empty() {
    let text = "A. ".to_owned() + &"rust ".repeat(30);
    let chunks = checked(&text, ChunkOptions { window_tokens: 18, ..ChunkOptions::default() });
    let pieces: Vec<usize> = chunks[0].windows.iter().map(|window| window.pieces.len()).collect();
    assert_eq!(pieces, [16, 16]);
}

#[test]
fn hostile_texts_are_cut_too() {
    let long = [
        "x".repeat(100_000),
        "é".repeat(20_000),
        "🚀".repeat(20_000),
        "مرحبا بالعالم ".repeat(2_000),
        "e\u{301}\u{302}\u{303}".repeat(5_000),
        "\u{301}".repeat(10_000),
        "\u{0}\u{7}\u{1b}".repeat(5_000),
        "a\n".repeat(20_000),
        "1. ".repeat(20_000),
        "....".repeat(10_000),
        "\u{2028}".repeat(4_000) + "a" + &"\u{2028}".repeat(9_000) + "b",
        "🇩🇪".repeat(5_000),
        "İ".repeat(9_000),
        "日本語の文章。".repeat(2_000),
    ];
    for text in &long {
        assert!(checked(text, ChunkOptions::default()).len() > 1 || text.starts_with('\u{2028}'));
    }
}

#[test]
fn options_out_of_bounds_are_refused() {
    let bad = [
        ChunkOptions { chars: 15, overlap: 0, ..small() },
        ChunkOptions { overlap: 18, ..small() },
        ChunkOptions { window_tokens: 2, ..small() },
    ];
    for options in bad {
        assert!(Chunker::new(options).is_err(), "{options:?}");
    }
    assert!(Chunker::new(ChunkOptions::default()).is_ok());
}

proptest! {
    #[test]
    fn any_text_is_covered_within_the_limits(
        text in "(\\PC|[ .!?\n\t]|[a-z]{1,30}|\r\n|\u{200d}|[\u{0}-\u{1f}]|[\u{600}-\u{6ff}]|🚀){0,400}",
        chars in 16_usize..200,
        share in 0_usize..=4,
        window_tokens in 3_usize..40,
    ) {
        checked(&text, ChunkOptions { chars, overlap: chars / 16 * share, window_tokens });
    }

    #[test]
    fn cutting_twice_gives_the_same(text in "[a-z .\n]{0,600}") {
        prop_assert_eq!(checked(&text, small()), checked(&text, small()));
    }

    #[test]
    fn windows_are_full_enough_and_keep_order(gaps in prop::collection::vec(0_usize..3, 0..200), limit in 1_usize..20) {
        let mut at = 0;
        let pieces: Vec<Piece> = gaps.iter().map(|gap| {
            let start = at + gap;
            at = start + 1;
            Piece { id: 0, start, end: at }
        }).collect();
        let text = "x".repeat(at);
        let cuts = cuts(&text, &pieces, limit);
        prop_assert_eq!(cuts[0].start, 0);
        prop_assert_eq!(cuts[cuts.len() - 1].end, pieces.len());
        for pair in cuts.windows(2) {
            prop_assert_eq!(pair[0].end, pair[1].start);
            prop_assert!(!pair[0].is_empty() && pair[0].len() <= limit && !pair[1].is_empty());
        }
    }
}
