use std::mem::take;

use super::product::groups;
use super::{BLOCK, Floats, Isa, Kernels, LANES, Op};

/// Rows rounded to bytes, each between its own smallest and largest number: a row does not depend on its neighbors.
#[derive(Default)]
pub(crate) struct Quantized {
    /// Of twelve rows the first four bytes, then the next; or, where products read rows, row by row. Each four as the
    /// instruction set reads it, which may be wider.
    pub(super) groups: Vec<[u8; 4]>,
    /// Of each row, what a step is worth and what zero stands for.
    pub(super) places: Vec<(f32, f32)>,
    /// Fours in a row.
    depth: usize,
    /// Whether rows lie row by row.
    by_row: bool,
}

/// Rows beyond the last that products may read.
pub(super) const SLACK: usize = 32;

impl Quantized {
    /// Makes room for `rows` of `width` lines; what they hold is left from the last use.
    pub(crate) fn shape(&mut self, rows: usize, width: usize, kernels: Kernels) {
        self.depth = groups(width * LANES);
        self.by_row = kernels.by_row();
        let length = (rows + SLACK).next_multiple_of(BLOCK) * self.depth * kernels.four();
        if self.groups.len() < length {
            self.groups.resize(length, [0; 4]);
        }
        if self.places.len() < rows {
            self.places.resize(rows, (0.0, 0.0));
        }
    }

    /// Rounds `row`, whose smallest and largest number are known, as number `at`.
    #[inline(always)]
    fn put<S: Isa>(&mut self, isa: S, at: usize, row: &[Floats], least: f32, greatest: f32) {
        let range = greatest - least;
        let steps = if range > 0.0 { 255.0 / range } else { 0.0 };
        self.places[at] = (range / 255.0, least);
        let (least, steps) = (isa.splat(least), isa.splat(steps));
        let (start, apart) = if self.by_row {
            (at * self.depth, 1)
        } else {
            (at / BLOCK * BLOCK * self.depth + at % BLOCK, BLOCK)
        };
        let wide = size_of::<S::Four>() / 4;
        let groups = &mut self.groups[start * wide..][..((row.len() * 4 - 1) * apart + 1) * wide];
        for (column, line) in row.iter().enumerate() {
            let value = isa.mul(isa.sub(isa.load(line), least), steps);
            let fours = isa.to_fours(isa.round(isa.min(value, isa.splat(255.0))));
            for (group, four) in fours.iter().enumerate() {
                for (word, bytes) in four.as_ref().iter().enumerate() {
                    groups[(column * 4 + group) * apart * wide + word] = *bytes;
                }
            }
        }
    }
}

/// Rounds rows of `width` lines to bytes.
pub(crate) struct QuantizeRows<'a> {
    pub(crate) rows: &'a [Floats],
    pub(crate) width: usize,
    pub(crate) out: &'a mut Quantized,
}

impl Op for QuantizeRows<'_> {
    #[inline(always)]
    fn run<S: Isa>(self, isa: S) {
        for (at, row) in self.rows.chunks_exact(self.width).enumerate() {
            let mut least = isa.load(&row[0]);
            let mut greatest = least;
            for line in row {
                let value = isa.load(line);
                least = isa.min(value, least);
                greatest = isa.max(value, greatest);
            }
            self.out.put(isa, at, row, isa.least(least), isa.greatest(greatest));
        }
    }
}

/// A layer normalization: scale, bias and what is added to the variance.
pub(crate) struct Norm {
    scale: Vec<Floats>,
    bias: Vec<Floats>,
    epsilon: f32,
}

impl Norm {
    /// For rows as long as `scale` and `bias`, a multiple of 16.
    pub(crate) fn new(scale: &[f32], bias: &[f32], epsilon: f32) -> Self {
        let lines = |values: &[f32]| values.as_chunks().0.iter().map(|&line| Floats(line)).collect();
        Self { scale: lines(scale), bias: lines(bias), epsilon }
    }

    /// Lines of a row.
    pub(crate) fn width(&self) -> usize {
        self.scale.len()
    }
}

/// Normalizes rows, after Ba et al., "Layer Normalization" (2016), equation 4, and rounds them to bytes besides.
pub(crate) struct NormRows<'a> {
    pub(crate) norm: &'a Norm,
    pub(crate) rows: &'a mut [Floats],
    pub(crate) quantized: Option<&'a mut Quantized>,
}

impl Op for NormRows<'_> {
    #[inline(always)]
    fn run<S: Isa>(mut self, isa: S) {
        let width = self.norm.width();
        let rows = take(&mut self.rows);
        let (blocks, rest) = rows.split_at_mut(rows.len() / (ROWS * width) * ROWS * width);
        let rest_at = blocks.len() / width;
        for (block, rows) in blocks.chunks_exact_mut(ROWS * width).enumerate() {
            self.some::<S, ROWS>(isa, block * ROWS, rows);
        }
        for (at, row) in rest.chunks_exact_mut(width).enumerate() {
            self.some::<S, 1>(isa, rest_at + at, row);
        }
    }
}

/// Rows that are summed side by side, since each addition waits for the one before.
const ROWS: usize = 4;

impl NormRows<'_> {
    /// Normalizes `R` rows, the first of which is number `first`.
    #[inline(always)]
    fn some<S: Isa, const R: usize>(&mut self, isa: S, first: usize, rows: &mut [Floats]) {
        let Norm { scale, bias, epsilon } = self.norm;
        let width = scale.len();
        let size = (width * LANES) as f32;
        let mut sums = [isa.splat(0.0); R];
        for column in 0..width {
            for (sum, row) in sums.iter_mut().zip(rows.chunks_exact(width)) {
                *sum = isa.add(*sum, isa.load(&row[column]));
            }
        }
        let means = sums.map(|sum| isa.splat(isa.sum(sum) / size));
        let mut squares = [isa.splat(0.0); R];
        for column in 0..width {
            for ((square, &mean), row) in squares.iter_mut().zip(&means).zip(rows.chunks_exact(width)) {
                let off = isa.sub(isa.load(&row[column]), mean);
                *square = isa.fma(off, off, *square);
            }
        }
        for (at, row) in rows.chunks_exact_mut(width).enumerate() {
            let variance = isa.sum(squares[at]) / size;
            let factor = isa.splat((variance + epsilon).sqrt().recip());
            let mut least = isa.splat(f32::MAX);
            let mut greatest = isa.splat(f32::MIN);
            for ((line, scale), bias) in row.iter_mut().zip(scale).zip(bias) {
                let off = isa.mul(isa.sub(isa.load(line), means[at]), factor);
                let value = isa.fma(off, isa.load(scale), isa.load(bias));
                isa.store(value, line);
                least = isa.min(value, least);
                greatest = isa.max(value, greatest);
            }
            if let Some(quantized) = &mut self.quantized {
                quantized.put(isa, first + at, row, isa.least(least), isa.greatest(greatest));
            }
        }
    }
}
