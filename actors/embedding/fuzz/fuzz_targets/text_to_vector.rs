//! Bytes become text, word pieces, chunks, windows and vectors; what must hold on the way stands in
//! ../../src/testing/journey.rs.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use tandem_embedding::{
    Chunk, ChunkOptions, Chunker, Cpu, Encoder, EncoderOptions, Piece, Precision, Scratch,
};

// What the tests of the crate use, too; in there `crate` is this file.
#[allow(dead_code, reason = "the tests use more of it")]
#[path = "../../src"]
mod shared {
    pub(crate) mod testing;
}

static JOURNEY: LazyLock<shared::testing::journey::Journey> =
    LazyLock::new(shared::testing::journey::Journey::new);

fuzz_target!(|bytes: &[u8]| JOURNEY.take(bytes));
