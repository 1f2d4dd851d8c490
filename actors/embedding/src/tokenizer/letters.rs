use std::sync::OnceLock;

use tokenizers::normalizers::{BertNormalizer, NFD};
use tokenizers::pre_tokenizers::bert::BertPreTokenizer;
use tokenizers::{
    NormalizedString, Normalizer, OffsetReferential, OffsetType, PreTokenizedString, PreTokenizer,
};

/// Bytes that a character may become; that is three letters of a Korean syllable.
const MOST_BYTES: usize = 9;
/// Characters that are asked for at once, which takes a quarter of a millisecond.
const PAGE: usize = 64;
const PAGES: usize = (char::MAX as usize + 1) / PAGE;

/// What BERT's normalizer and pre-tokenizer make of one character, whatever stands beside it.
#[derive(Clone, Copy)]
pub(super) struct Letter {
    pub(super) part: Part,
    /// How many characters it becomes.
    pub(super) chars: u8,
    length: u8,
    bytes: [u8; MOST_BYTES],
}

/// What a character is in a text.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// A part of a word.
    Inner,
    /// A word of its own.
    Alone,
    /// The end of a word.
    Break,
    /// Nothing at all.
    Gone,
    /// More than that, or its place depends on those beside it.
    Other,
}

impl Letter {
    const OTHER: Self = Self { part: Part::Other, chars: 0, length: 0, bytes: [0; MOST_BYTES] };

    /// What is left of it, in UTF-8.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }
}

/// The letters of all characters. Each page is asked of the crate `tokenizers` when it is first needed, so that its tables
/// of Unicode are the only ones.
pub(super) struct Letters {
    normalizer: BertNormalizer,
    pages: Box<[OnceLock<Box<[Letter; PAGE]>>]>,
}

impl Letters {
    pub(super) fn new(normalizer: BertNormalizer) -> Self {
        Self { normalizer, pages: (0..PAGES).map(|_| OnceLock::new()).collect() }
    }

    #[inline]
    pub(super) fn of(&self, c: char) -> &Letter {
        let code = c as usize;
        let page = self.pages[code / PAGE].get_or_init(|| self.page(code / PAGE * PAGE));
        &page[code % PAGE]
    }

    #[cold]
    fn page(&self, first: usize) -> Box<[Letter; PAGE]> {
        let mut page = Box::new([Letter::OTHER; PAGE]);
        for (letter, code) in page.iter_mut().zip(first..) {
            let c = u32::try_from(code).ok().and_then(char::from_u32);
            *letter = c.and_then(|c| self.letter(c)).unwrap_or(Letter::OTHER);
        }
        page
    }

    fn letter(&self, c: char) -> Option<Letter> {
        let mut normalized = NormalizedString::from(c.to_string());
        self.normalizer.normalize(&mut normalized).ok()?;
        let left = normalized.get();
        if left.is_empty() {
            return Some(Letter { part: Part::Gone, ..Letter::OTHER });
        }
        let decomposes = self.normalizer.strip_accents.unwrap_or(self.normalizer.lowercase);
        if decomposes && left.chars().any(moves) {
            return None;
        }
        let mut between = PreTokenizedString::from(format!("a{left}a"));
        BertPreTokenizer.pre_tokenize(&mut between).ok()?;
        let words = between.get_splits(OffsetReferential::Normalized, OffsetType::None);
        let words: Vec<&str> = words.into_iter().map(|(word, _, _)| word).collect();
        match *words {
            [_] => Letter::new(Part::Inner, left),
            [_, _] => Some(Letter { part: Part::Break, ..Letter::OTHER }),
            [_, word, _] => Letter::new(Part::Alone, word),
            _ => None,
        }
    }
}

impl Letter {
    fn new(part: Part, text: &str) -> Option<Self> {
        let mut bytes = [0; MOST_BYTES];
        bytes.get_mut(..text.len())?.copy_from_slice(text.as_bytes());
        Some(Self { part, chars: text.chars().count() as u8, length: text.len() as u8, bytes })
    }
}

/// Whether canonical ordering may move `c` (Unicode Standard Annex 15, section 1.3), which it does with marks of
/// a combining class other than 0: one of them changes places with a mark of the lowest class or of the highest.
fn moves(c: char) -> bool {
    const LOWEST: char = '\u{334}';
    const HIGHEST: char = '\u{345}';
    let changes = |text: String| {
        let mut ordered = NormalizedString::from(text.as_str());
        NFD.normalize(&mut ordered).is_err() || ordered.get() != text
    };
    changes(format!("{HIGHEST}{c}")) || changes(format!("{c}{LOWEST}"))
}
