use super::functions::exp2;
use super::product::float_tile;
use super::{BLOCK, Floats, Isa, LANES, Op};

/// Queries that are computed side by side.
const QUERIES: usize = 2 * LANES;

/// Memory of [`Attention`], kept from run to run.
#[derive(Default)]
pub(crate) struct Scratch {
    /// Key by key.
    keys: Vec<Floats>,
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
/// its result is, as it lies, the left side of the product with the values.
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
        grow(&mut self.scratch.keys, padded * lines, Floats::ZERO);
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
        for (at, token) in self.qkv.chunks_exact(3 * self.width).enumerate() {
            let key = &token[self.width + head * lines..][..lines];
            self.scratch.keys[at * lines..][..lines].copy_from_slice(key);
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
                // `size` numbers; `queries` holds two panels of `size` lines.
                unsafe {
                    let a = keys.as_ptr().cast::<f32>().add(first * size);
                    let b = queries.as_ptr().add(panel * size);
                    let mut out = scores[panel * count..].chunks_mut(count);
                    match (S::FLOAT_ROWS, columns) {
                        (12, 2) => {
                            keep(isa, float_tile::<S, 12, 2>(isa, a, [1, size], b, size), &mut out, first)
                        }
                        (12, _) => {
                            keep(isa, float_tile::<S, 12, 1>(isa, a, [1, size], b, size), &mut out, first)
                        }
                        (6, _) => {
                            keep(isa, float_tile::<S, 6, 1>(isa, a, [1, size], b, size), &mut out, first)
                        }
                        _ => keep(isa, float_tile::<S, 4, 1>(isa, a, [1, size], b, size), &mut out, first),
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
        let mut wholes = Floats::ZERO;
        isa.store(whole, &mut wholes);
        for line in (0..lines).step_by(S::PANELS) {
            let columns = S::PANELS.min(lines - line);
            let mut rows = self.context[first * width..].chunks_exact_mut(width);
            for (part, wholes) in (0..LANES).step_by(S::VALUE_ROWS).zip(wholes.0.chunks(S::VALUE_ROWS)) {
                let out = rows.by_ref().map(|row| &mut row[head * lines + line..][..columns]);
                // SAFETY: `scores` holds a line for each of `count` keys, of which `part` begins some numbers, and
                // `values` as many lines for each line of the head.
                unsafe {
                    let a = scores.as_ptr().cast::<f32>().add(part);
                    let b = values.as_ptr().add(line * count);
                    match (S::VALUE_ROWS, columns) {
                        (8, 2) => {
                            weigh(isa, float_tile::<S, 8, 2>(isa, a, [LANES, 1], b, count), wholes, out)
                        }
                        (8, _) => {
                            weigh(isa, float_tile::<S, 8, 1>(isa, a, [LANES, 1], b, count), wholes, out)
                        }
                        _ => weigh(isa, float_tile::<S, 4, 1>(isa, a, [LANES, 1], b, count), wholes, out),
                    }
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

/// Puts rows of a tile, each times a number, where they belong.
#[inline(always)]
fn weigh<'s, S: Isa, const R: usize, const C: usize>(
    isa: S,
    tile: [[S::F; C]; R],
    wholes: &[f32],
    rows: impl Iterator<Item = &'s mut [Floats]>,
) {
    for ((tile, &whole), row) in tile.iter().zip(wholes).zip(rows) {
        for (line, &value) in row.iter_mut().zip(tile) {
            isa.store(isa.mul(value, isa.splat(whole)), line);
        }
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
