//! Texts to encode, and the arithmetic that they ask for.

use std::fs;
use std::path::Path;

use serde_json::Value;
use tandem_embedding::Encoder;

pub(crate) const TEXTS: usize = 512;

/// Text `n` with about this many word pieces.
fn text(n: usize, pieces: usize) -> String {
    let verbs = ["Led", "Built", "Migrated", "Reduced", "Trained", "Designed", "Automated", "Audited"];
    let things =
        ["the billing platform", "a team of eight nurses", "night shift handovers", "the reporting pipeline"];
    let ends = ["cutting costs by 23%", "within six months", "with zero downtime", "across three sites"];
    let sentence = |n: usize| {
        let (verb, thing, end) = (verbs[n % 8], things[n / 3 % 4], ends[n / 5 % 4]);
        format!("{verb} {thing} at Northwind Ledger, {end}.")
    };
    let text = (0..20).map(|m| sentence(n * 7 + m)).collect::<Vec<_>>().join(" ");
    // A word of these sentences has 1.25 pieces.
    text.split(' ').take(pieces * 4 / 5).collect::<Vec<_>>().join(" ")
}

/// Of 20 to 250 word pieces, and of about 110.
pub(crate) fn sets() -> [Vec<String>; 2] {
    [(0..TEXTS).map(|n| text(n, 20 + n * 97 % 231)).collect(), (0..TEXTS).map(|n| text(n, 108)).collect()]
}

/// Multiplications and additions of a text, each counted.
#[derive(Clone, Copy)]
pub(crate) struct Work {
    /// Those of the products with weights.
    pub(crate) products: f64,
    /// Those of attention: scores, and the sum of the values.
    pub(crate) attention: f64,
}

/// The work of a text of the set on average.
pub(crate) fn work(dir: &Path, encoder: &Encoder, set: &[String]) -> Work {
    let config: Value = serde_json::from_slice(&fs::read(dir.join("config.json")).unwrap()).unwrap();
    let get = |key: &str| config[key].as_f64().unwrap();
    let (layers, hidden) = (get("num_hidden_layers"), get("hidden_size"));
    let weights = layers * (4.0 * hidden * hidden + 2.0 * hidden * get("intermediate_size"));
    let (mut tokens, mut squares) = (0.0, 0.0);
    for text in set {
        let count = (encoder.tokenizer().count(text).unwrap() + 2).min(encoder.max_tokens()) as f64;
        tokens += count;
        squares += count * count;
    }
    let texts = set.len() as f64;
    Work { products: 2.0 * weights * tokens / texts, attention: 4.0 * layers * hidden * squares / texts }
}
