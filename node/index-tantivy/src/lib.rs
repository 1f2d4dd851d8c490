//! One index shard: BM25 by Tantivy, int8 vectors and features beside it.
//!
//! A shard is a folder:
//!
//! ```text
//! manifest        what there is: see `manifest`. Replacing it is the one atomic commit point.
//! lock            held while the shard is open
//! segment-7/      written once, then only read; removed once no manifest names it
//!   rows          vectors, ids, digests and features, column by column: see `rows`
//!   ...           the words, as a Tantivy index of one segment
//! ```
//!
//! Row `n` of `rows` is document `n` of the Tantivy index. A replaced or removed document stays in its segment and is
//! marked dead in the manifest, until a merge leaves it behind.

mod words;

mod rows;

mod segment;

mod manifest;

mod snapshot;

mod lexical;

mod dense;

mod tiers;

mod shard;

mod files;

pub use lexical::query as lexical_query;
pub use shard::{Options, TantivyIndex};
