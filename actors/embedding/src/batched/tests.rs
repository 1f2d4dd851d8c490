use futures::future::try_join_all;

use super::*;
use crate::EncoderOptions;
use crate::testing::TinyModel;

/// Texts of many lengths, some of them twice, some empty.
fn texts() -> Vec<String> {
    let text =
        |n: usize| ["the nurse", " kept ", "the ward", ". ", "a ß 漢 🙂\u{0}\u{301} "].concat().repeat(n % 7);
    (0..60).map(text).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vector_depends_on_its_text_alone() {
    let folder = TinyModel::new().write();
    let options = EncoderOptions { max_tokens: 24, ..EncoderOptions::new(folder.path()) };
    let encoder = Arc::new(Encoder::load(&options).unwrap());
    let mut scratch = Scratch::new();
    let alone: Vec<Vec<f32>> =
        texts().iter().map(|text| encoder.encode(text, &mut scratch).unwrap()).collect();
    for threads in [1, 3] {
        let embedder = BatchedEmbedder::new(Arc::clone(&encoder), NonZeroUsize::new(threads).unwrap());
        assert_eq!(embedder.identity(), encoder.identity());
        let asked = (1..=12).map(|size| {
            let urgency = if size % 2 == 0 { Urgency::Bulk } else { Urgency::Interactive };
            let texts = texts();
            let embedder = &embedder;
            async move {
                let parts = texts.chunks(size * 5).map(|part| embedder.embed(part.to_vec(), urgency));
                try_join_all(parts).await.map(|parts| parts.concat())
            }
        });
        for vectors in try_join_all(asked).await.unwrap() {
            assert_eq!(vectors, alone);
        }
    }
}
