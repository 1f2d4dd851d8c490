use super::functions::exp2;
use super::product::float_tile;
use super::{BLOCK, Floats, Isa, LANES, Op};

/// Queries that are computed side by side.
const QUERIES: usize = 2 * LANES;

/// Memory of [`Attention`], kept from run to run.
#[derive(Default)]
pub(crate) struct Scratch {
    /// Of twelve keys the first numbers, then the second.
    keys: Vec<f32>,
    /// A line for each key and sixteen dimensions: for the first sixteen dimensions all keys.
    values: Vec<Floats>,
    /// Two panels of queries: a line for each dimension.
    queries: Vec<Floats>,
    /// Two panels of scores: a line for each key.
    scores: Vec<Floats>,
}

/// Scaled dot-product attention of one text, after Vaswani et al., "Attention Is All You Need" (2017), section 3.2.
///
/// Scores lie with the keys below each other and queries side by side, so that softmax needs no sums across lanes and
/// its result is, as it lies, the right side of the product with the values.
pub(crate) struct Attention<'a> {
    pub(crate) heads: usize,
    /// Of each token, query, key and value, each of `width` lines.
    pub(crate) qkv: &'a [Floats],
    /// Of each token, `width` lines.
    pub(crate) context: &'a mut [Floats],
    pub(crate) width: usize,
    pub(crate) scratch: &'a mut Scratch,
}

impl Op for Attention<'_> {
    #[inline(always)]
    fn run<S: Isa>(mut self, isa: S) {
        let count = self.context.len() / self.width;
        let lines = self.width / self.heads;
        let size = lines * LANES;
        let padded = count.next_multiple_of(BLOCK);
        assert!(self.qkv.len() == count * 3 * self.width, "each token has a query, a key and a value");
        grow(&mut self.scratch.keys, padded * size, 0.0);
        grow(&mut self.scratch.values, count * lines, Floats::ZERO);
        grow(&mut self.scratch.queries, 2 * size, Floats::ZERO);
        grow(&mut self.scratch.scores, 2 * count, Floats::ZERO);
        for head in 0..self.heads {
            self.gather(head, lines);
            for first in (0..count).step_by(QUERIES) {
                self.ask(first, head, lines);
                let panels = (count - first).div_ceil(LANES).min(2);
                self.score(isa, count, size, panels);
                for panel in 0..panels {
                    let scores = &mut self.scratch.scores[panel * count..][..count];
                    let whole = softmax(isa, scores, size);
                    self.mix(isa, head, first + panel * LANES, panel, lines, whole);
                }
            }
        }
    }
}

impl Attention<'_> {
    /// Lays out keys and values of a head.
    #[inline(always)]
    fn gather(&mut self, head: usize, lines: usize) {
        let count = self.context.len() / self.width;
        let size = lines * LANES;
        for (at, token) in self.qkv.chunks_exact(3 * self.width).enumerate() {
            let key = &token[self.width + head * lines..][..lines];
            let block = &mut self.scratch.keys[at / BLOCK * BLOCK * size..][..BLOCK * size];
            for (line, out) in key.iter().zip(block.chunks_exact_mut(BLOCK * LANES)) {
                for (value, twelve) in line.0.iter().zip(out.as_chunks_mut::<BLOCK>().0) {
                    twelve[at % BLOCK] = *value;
                }
            }
            let value = &token[2 * self.width + head * lines..][..lines];
            for (line, number) in value.iter().zip(0..) {
                self.scratch.values[number * count + at] = *line;
            }
        }
    }

    /// Lays out the queries from `first` of a head. Lanes beyond the last keep what they held: nobody reads them.
    #[inline(always)]
    fn ask(&mut self, first: usize, head: usize, lines: usize) {
        let size = lines * LANES;
        let tokens = self.qkv.chunks_exact(3 * self.width).skip(first).take(QUERIES);
        for (at, token) in tokens.enumerate() {
            let query = token[head * lines..][..lines].iter();
            let panel = &mut self.scratch.queries[at / LANES * size..][..size];
            for (line, out) in query.zip(panel.as_chunks_mut::<LANES>().0) {
                for (value, out) in line.0.iter().zip(out) {
                    out.0[at % LANES] = *value;
                }
            }
        }
    }

    #[inline(always)]
    fn score<S: Isa>(&mut self, isa: S, count: usize, size: usize, panels: usize) {
        let Scratch { keys, queries, scores, .. } = &mut *self.scratch;
        for panel in (0..panels).step_by(S::PANELS) {
            let columns = S::PANELS.min(panels - panel);
            for first in (0..count).step_by(S::FLOAT_ROWS) {
                // SAFETY: `keys` holds blocks of twelve for all of `count`, of which a tile's rows are a part, each of
                // `size` steps; `queries` holds two panels of `size` lines.
                unsafe {
                    let a = keys.as_ptr().add(first / BLOCK * BLOCK * size + first % BLOCK);
                    let b = queries.as_ptr().add(panel * size);
                    let mut out = scores[panel * count..].chunks_mut(count);
                    match (S::FLOAT_ROWS, columns) {
                        (12, 2) => keep(isa, float_tile::<S, 12, 2>(isa, a, BLOCK, b, size), &mut out, first),
                        (12, _) => keep(isa, float_tile::<S, 12, 1>(isa, a, BLOCK, b, size), &mut out, first),
                        (6, _) => keep(isa, float_tile::<S, 6, 1>(isa, a, BLOCK, b, size), &mut out, first),
                        _ => keep(isa, float_tile::<S, 4, 1>(isa, a, BLOCK, b, size), &mut out, first),
                    }
                }
            }
        }
    }

    /// The values, weighted by a panel of scores, become the context of the queries from `first`.
    #[inline(always)]
    fn mix<S: Isa>(&mut self, isa: S, head: usize, first: usize, panel: usize, lines: usize, whole: S::F) {
        let width = self.width;
        let count = self.context.len() / width;
        let Scratch { values, scores, .. } = &*self.scratch;
        let scores = &scores[panel * count..][..count];
        for line in 0..lines {
            let mut mixed = [Floats::ZERO; LANES];
            for part in (0..LANES).step_by(S::VALUE_ROWS) {
                // SAFETY: `values` holds for each line of the head one of sixteen numbers for each of `count` keys, and
                // `scores` a line for each of them.
                unsafe {
                    let a = values.as_ptr().add(line * count).cast::<f32>().add(part);
                    let b = scores.as_ptr();
                    match S::VALUE_ROWS {
                        16 => weigh(
                            isa,
                            float_tile::<S, 16, 1>(isa, a, LANES, b, count),
                            &mut mixed[part..],
                            whole,
                        ),
                        _ => weigh(
                            isa,
                            float_tile::<S, 4, 1>(isa, a, LANES, b, count),
                            &mut mixed[part..],
                            whole,
                        ),
                    }
                }
            }
            let rows = self.context.chunks_exact_mut(width).skip(first).take(LANES);
            for (lane, row) in rows.enumerate() {
                let out = &mut row[head * lines + line];
                for (value, mixed) in out.0.iter_mut().zip(&mixed) {
                    *value = mixed.0[lane];
                }
            }
        }
    }
}

fn grow<T: Clone>(buffer: &mut Vec<T>, length: usize, with: T) {
    if buffer.len() < length {
        buffer.resize(length, with);
    }
}

#[inline(always)]
fn keep<'s, S: Isa, const R: usize, const C: usize>(
    isa: S,
    tile: [[S::F; C]; R],
    panels: &mut impl Iterator<Item = &'s mut [Floats]>,
    first: usize,
) {
    for (column, panel) in panels.take(C).enumerate() {
        for (line, tile) in panel[first..].iter_mut().zip(&tile) {
            isa.store(tile[column], line);
        }
    }
}

#[inline(always)]
fn weigh<S: Isa, const R: usize>(isa: S, tile: [[S::F; 1]; R], out: &mut [Floats], whole: S::F) {
    for (line, tile) in out.iter_mut().zip(&tile) {
        isa.store(isa.mul(tile[0], whole), line);
    }
}

/// Scores become powers of e, less the largest of their query; gives what makes their sum one.
#[inline(always)]
fn softmax<S: Isa>(isa: S, scores: &mut [Floats], size: usize) -> S::F {
    let factor = isa.splat(std::f32::consts::LOG2_E / (size as f32).sqrt());
    let mut greatest = isa.splat(f32::MIN);
    for line in &*scores {
        greatest = isa.max(isa.load(line), greatest);
    }
    let mut sum = isa.splat(0.0);
    for line in scores {
        let power = exp2(isa, isa.mul(isa.sub(isa.load(line), greatest), factor));
        isa.store(power, line);
        sum = isa.add(sum, power);
    }
    isa.div(isa.splat(1.0), sum)
}
