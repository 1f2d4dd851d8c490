//! Similarity of the two texts, from their vectors.

use tandem_domain::embedding::{Embedding, cosine};
use tandem_domain::ranked::Features;
use tandem_domain::score::{CategoryState, Points, Score};

use super::interpolate;

/// From cosine to points, both in parts of 10_000. Raw cosines of sentence models are squeezed: two unrelated English
/// texts of this kind lie near .15 to .25 with MiniLM, a job and its résumé near .55 to .75. The table stretches that
/// range; it is monotone, so it never changes an order.
const TABLE: [(Points, Points); 8] = [
    (1_000, 0),
    (2_000, 500),
    (3_000, 1_800),
    (4_000, 3_800),
    (5_000, 6_000),
    (6_000, 8_000),
    (7_000, 9_300),
    (8_000, 10_000),
];

/// The best similarity among all pairs of chunks and the pair of document vectors. Taking the best one makes it
/// independent of how much else either text holds. Vectors of different models are never compared, nor texts of
/// different languages: between those a sentence model mostly measures the language itself.
pub(super) fn state(job: &Features, resume: &Features) -> CategoryState {
    let asked = directions(job);
    let given = directions(resume);
    if asked.is_empty() {
        return CategoryState::NotAsked;
    }
    if given.is_empty() || job.model != resume.model || job.profile.language != resume.profile.language {
        return CategoryState::Unknown;
    }
    let documents = similarity(&Direction::of(&job.document), &Direction::of(&resume.document));
    let chunks = asked.iter().flat_map(|left| given.iter().map(|right| similarity(left, right)));
    let best = chunks.fold(documents, Points::max);
    CategoryState::Known(Score::clamped(i64::from(interpolate(&TABLE, best))))
}

/// A vector with its squared length, which every one of its pairs needs.
struct Direction<'a> {
    vector: &'a Embedding,
    square: i32,
}

impl<'a> Direction<'a> {
    fn of(vector: &'a Embedding) -> Self {
        Self { vector, square: vector.dot(vector) }
    }
}

/// The chunks that have a direction; the document's where there are none.
fn directions(features: &Features) -> Vec<Direction<'_>> {
    let usable = |vector| Some(Direction::of(vector)).filter(|direction| direction.square > 0);
    let chunks: Vec<_> = features.chunks.iter().filter_map(usable).collect();
    if chunks.is_empty() { usable(&features.document).into_iter().collect() } else { chunks }
}

fn similarity(left: &Direction<'_>, right: &Direction<'_>) -> Points {
    cosine(left.vector.dot(right.vector), left.square, right.square)
}
