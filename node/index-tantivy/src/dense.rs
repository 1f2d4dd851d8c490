//! The dense arm: the exact scan of all vectors.

use rten_simd::{Isa, SimdOp};
use tandem_domain::embedding::{Embedding, cosine};
use tandem_domain::score::BASIS;
use tandem_ports::index::{Filter, Hit};

use crate::rows::Tag;
use crate::snapshot::{Best, Part, Snapshot};

/// With this many times fewer candidates than rows it is cheaper to look each of them up than to scan.
const LOOK_UP: usize = 16;

pub(crate) fn search(snapshot: &Snapshot, vector: &Embedding, filter: &Filter, limit: usize) -> Vec<Hit> {
    let mut best = Best::new(limit);
    let square = vector.dot(vector);
    for part in &snapshot.parts {
        let Some(tag) = part.tag(filter) else { continue };
        let query = Query { vector: vector.coordinates(), square, part, tag, filter };
        match &filter.among {
            Some(among) if among.len() * LOOK_UP < part.segment.rows.len() => {
                let rows = among.iter().filter_map(|id| part.find(&filter.owner, *id));
                rows.for_each(|row| query.weigh(row, &mut best));
            }
            _ if limit > 0 => Scan { query: &query, best: &mut best }.dispatch(),
            _ => {}
        }
    }
    best.into_hits()
}

/// What one part is searched for.
struct Query<'a> {
    vector: &'a [i8],
    square: i32,
    part: &'a Part,
    tag: Tag,
    filter: &'a Filter,
}

impl Query<'_> {
    /// Offers one row.
    fn weigh(&self, row: usize, best: &mut Best) {
        let rows = &self.part.segment.rows;
        let width = self.vector.len();
        let bytes = rows.vectors().get(row * width..(row + 1) * width).unwrap_or_default();
        let square = rows.squares().get(row).map_or(0, |square| i32::from_le_bytes(*square));
        self.offer(row, product(self.vector, bytes), square, best);
    }

    fn offer(&self, row: usize, product: i32, square: i32, best: &mut Best) {
        if self.part.passes(row, self.tag, self.filter) {
            best.offer(self.part.hit(row, i64::from(cosine(product, self.square, square))));
        }
    }
}

/// One pass over a part's vectors. As a [`SimdOp`] it is compiled once per instruction set, and the best one that the
/// machine has is taken; the integers are the same in all of them.
struct Scan<'a, 'b> {
    query: &'a Query<'b>,
    best: &'a mut Best,
}

impl SimdOp for Scan<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn eval<I: Isa>(self, _: I) {
        let Self { query, best } = self;
        let rows = &query.part.segment.rows;
        let vectors = rows.vectors().chunks_exact(query.vector.len().max(1));
        let mut floor = threshold(best);
        for (row, (bytes, square)) in vectors.zip(rows.squares()).enumerate() {
            let product = product(query.vector, bytes);
            let square = i32::from_le_bytes(*square);
            // Most rows end here: certainly under the worst hit so far. The floored norm that the exact cosine divides
            // by is less than one smaller than this one.
            let norm = (f64::from(query.square) * f64::from(square)).sqrt() - 1.0;
            if f64::from(product) * f64::from(BASIS) < floor * norm.max(0.0) {
                continue;
            }
            query.offer(row, product, square, best);
            floor = threshold(best);
        }
    }
}

/// A score under which nothing gets in, for certain. Negative ones let everything in: there the rounding of the cosine
/// goes the other way.
fn threshold(best: &Best) -> f64 {
    let floor = best.floor();
    if floor > 0 { (floor - 1) as f64 } else { f64::NEG_INFINITY }
}

/// The exact dot product of a vector with coordinates as they lie in a file.
#[inline(always)]
fn product(left: &[i8], right: &[u8]) -> i32 {
    left.iter().zip(right).map(|(&a, &b)| i32::from(a) * i32::from(b.cast_signed())).sum()
}
