use std::array::from_fn;

use super::functions::{gelu, gelu_tanh};
use super::rows::Quantized;
use super::{BLOCK, Bytes, Floats, Ints, Isa, LANES, Op};

/// What becomes of a product's sums, once the bias is added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Then {
    /// They are the output.
    Store,
    /// They are added to the output.
    Add,
    /// x·Φ(x) of them is the output.
    Gelu,
    /// The same with the approximation by tanh.
    GeluTanh,
}

/// Weights of a product in f32. Sixteen outputs make a panel, in which each input has a line of sixteen weights.
pub(crate) struct FloatWeights {
    panels: Vec<Floats>,
    bias: Vec<Floats>,
    depth: usize,
}

/// Weights of a product in int8, each the nearest multiple of 1/127 of its output's largest.
pub(crate) struct IntWeights {
    /// As in [`FloatWeights`], with a line for four inputs; inputs are padded with weights of zero to full 64.
    pub(super) panels: Vec<Bytes>,
    /// Inputs in fours.
    pub(super) groups: usize,
    pub(super) bias: Vec<Floats>,
    /// What one step of an output's weights is worth.
    scale: Vec<Floats>,
    /// The sum of an output's weights, in f32.
    sum: Vec<Floats>,
    /// 128 times the sum of an output's weights, in steps.
    begin: Vec<Ints>,
}

pub(super) fn lines(values: &[f32]) -> Vec<Floats> {
    values.as_chunks().0.iter().map(|&line| Floats(line)).collect()
}

impl FloatWeights {
    /// Packs `bias.len()` rows of as many weights as there are inputs; the outputs must be a multiple of 16.
    pub(crate) fn new(rows: &[f32], bias: &[f32]) -> Self {
        let depth = rows.len() / bias.len();
        let mut panels = vec![Floats::ZERO; bias.len() / LANES * depth];
        for (output, row) in rows.chunks_exact(depth).enumerate() {
            let panel = &mut panels[output / LANES * depth..][..depth];
            for (line, &weight) in panel.iter_mut().zip(row) {
                line.0[output % LANES] = weight;
            }
        }
        Self { panels, bias: lines(bias), depth }
    }
}

impl IntWeights {
    /// Packs and rounds `bias.len()` rows; the outputs must be a multiple of 16, the inputs of 4.
    pub(crate) fn new(rows: &[f32], bias: &[f32]) -> Self {
        let depth = rows.len() / bias.len();
        let groups = groups(depth);
        let mut panels = vec![Bytes([0; 64]); bias.len() / LANES * groups];
        let (mut scales, mut sums, mut begins) = (Vec::new(), Vec::new(), Vec::new());
        for (output, row) in rows.chunks_exact(depth).enumerate() {
            let largest = row.iter().fold(0.0_f32, |most, weight| most.max(weight.abs()));
            let (scale, steps) = if largest > 0.0 { (largest / 127.0, 127.0 / largest) } else { (0.0, 0.0) };
            let panel = &mut panels[output / LANES * groups..][..groups];
            let mut sum = 0;
            for (line, four) in panel.iter_mut().zip(row.chunks(4)) {
                for (at, weight) in four.iter().enumerate() {
                    let rounded = (weight * steps).round_ties_even().clamp(-127.0, 127.0) as i8;
                    line.0[output % LANES * 4 + at] = rounded;
                    sum += i32::from(rounded);
                }
            }
            scales.push(scale);
            sums.push(sum as f32 * scale);
            begins.push(128 * sum);
        }
        let begin = begins.as_chunks().0.iter().map(|&line| Ints(line)).collect();
        Self { panels, groups, bias: lines(bias), scale: lines(&scales), sum: lines(&sums), begin }
    }
}

/// Inputs in fours, padded to full 64.
pub(super) fn groups(inputs: usize) -> usize {
    inputs.div_ceil(64) * 16
}

/// Rows of f32 in the order in which products read them: of twelve rows the first numbers, then the second.
#[derive(Default)]
pub(crate) struct FloatInput {
    values: Vec<f32>,
}

impl FloatInput {
    /// Takes over `rows` of `width` lines each.
    pub(crate) fn fill(&mut self, rows: &[Floats], width: usize) {
        let depth = width * LANES;
        let blocks = (rows.len() / width).div_ceil(BLOCK);
        if self.values.len() < blocks * depth * BLOCK {
            self.values.resize(blocks * depth * BLOCK, 0.0);
        }
        // Line by line, so that what is written lies close together.
        for (rows, block) in rows.chunks(BLOCK * width).zip(self.values.chunks_exact_mut(depth * BLOCK)) {
            for (column, block) in block.chunks_exact_mut(LANES * BLOCK).enumerate() {
                for (at, row) in rows.chunks_exact(width).enumerate() {
                    for (twelve, value) in block.as_chunks_mut::<BLOCK>().0.iter_mut().zip(row[column].0) {
                        twelve[at] = value;
                    }
                }
            }
        }
    }
}

/// out = then(input × weights + bias), row by row.
pub(crate) struct FloatProduct<'a> {
    pub(crate) weights: &'a FloatWeights,
    pub(crate) input: &'a FloatInput,
    /// The first row of the input to read. A multiple of [`BLOCK`].
    pub(crate) first: usize,
    /// As many lines a row as the weights have panels.
    pub(crate) out: &'a mut [Floats],
    pub(crate) then: Then,
}

/// The same in int8: out = then(input × weights + bias).
pub(crate) struct IntProduct<'a> {
    pub(crate) weights: &'a IntWeights,
    pub(crate) input: &'a Quantized,
    /// The first row of the input to read. A multiple of [`BLOCK`].
    pub(crate) first: usize,
    /// As many lines a row as the weights have panels.
    pub(crate) out: &'a mut [Floats],
    pub(crate) then: Then,
}

/// A tile of `R` rows and `C` panels: for each of `depth` steps, `a` holds a number of each row and each panel a line.
/// Numbers of `a` are `step` apart from step to step and `row` from row to row.
///
/// # Safety
/// `a` is valid for so many reads; `b` for `C` panels of `depth` lines.
#[inline(always)]
pub(super) unsafe fn float_tile<S: Isa, const R: usize, const C: usize>(
    isa: S,
    a: *const f32,
    [step, row]: [usize; 2],
    b: *const Floats,
    depth: usize,
) -> [[S::F; C]; R] {
    let mut sums = [[isa.splat(0.0); C]; R];
    for at in 0..depth {
        // SAFETY: both are within what the caller promises.
        let a = unsafe { a.add(at * step) };
        let mut lines = [isa.splat(0.0); C];
        for (c, line) in lines.iter_mut().enumerate() {
            // SAFETY: as above.
            *line = isa.load(unsafe { &*b.add(c * depth + at) });
        }
        for (r, sums) in sums.iter_mut().enumerate() {
            // SAFETY: as above.
            let value = isa.splat(unsafe { *a.add(r * row) });
            for (sum, &line) in sums.iter_mut().zip(&lines) {
                *sum = isa.fma(value, line, *sum);
            }
        }
    }
    sums
}

/// As [`float_tile`], with four inputs a step in bytes, and sums that begin with `begin`.
///
/// # Safety
/// As [`float_tile`], with steps of [`BLOCK`] and rows of 1.
#[inline(always)]
unsafe fn int_tile<S: Isa, const R: usize, const C: usize>(
    isa: S,
    a: *const S::Four,
    b: *const Bytes,
    depth: usize,
    begin: [S::I; 2],
) -> [[S::I; C]; R] {
    let mut sums: [[S::I; C]; R] = [from_fn(|c| begin[c]); R];
    for step in 0..depth {
        // SAFETY: both are within what the caller promises.
        let a = unsafe { a.add(step * BLOCK) };
        for (r, sums) in sums.iter_mut().enumerate() {
            // SAFETY: as above.
            let value = unsafe { &*a.add(r) };
            for (c, sum) in sums.iter_mut().enumerate() {
                // SAFETY: as above.
                *sum = isa.dot(*sum, value, unsafe { &*b.add(c * depth + step) });
            }
        }
    }
    sums
}

/// Adds a line to the output, or puts it there.
#[inline(always)]
fn put<S: Isa>(isa: S, then: Then, value: S::F, out: &mut Floats) {
    let value = match then {
        Then::Store => value,
        Then::Add => isa.add(isa.load(out), value),
        Then::Gelu => gelu(isa, value),
        Then::GeluTanh => gelu_tanh(isa, value),
    };
    isa.store(value, out);
}

impl Op for FloatProduct<'_> {
    #[inline(always)]
    fn run<S: Isa>(self, isa: S) {
        let Self { weights, input, first, out, then } = self;
        let (depth, width) = (weights.depth, weights.bias.len());
        let rows = out.len() / width;
        let input = &input.values[first * depth..];
        assert!(input.len() >= rows.div_ceil(BLOCK) * BLOCK * depth, "the input has fewer rows");
        assert!(weights.panels.len() == width * depth, "a panel has a line for each input");
        let mut sums = [[Floats::ZERO; 2]; BLOCK];
        for panel in (0..width).step_by(S::PANELS) {
            let columns = S::PANELS.min(width - panel);
            for block in 0..rows.div_ceil(BLOCK) {
                for part in (0..BLOCK).step_by(S::FLOAT_ROWS) {
                    // SAFETY: the block and the panels are within their vectors by the assertions above.
                    unsafe {
                        let a = input.as_ptr().add(block * BLOCK * depth + part);
                        let b = weights.panels.as_ptr().add(panel * depth);
                        match (S::FLOAT_ROWS, columns) {
                            (12, 2) => keep(
                                isa,
                                float_tile::<S, 12, 2>(isa, a, [BLOCK, 1], b, depth),
                                &mut sums,
                                part,
                            ),
                            (12, _) => keep(
                                isa,
                                float_tile::<S, 12, 1>(isa, a, [BLOCK, 1], b, depth),
                                &mut sums,
                                part,
                            ),
                            (6, _) => keep(
                                isa,
                                float_tile::<S, 6, 1>(isa, a, [BLOCK, 1], b, depth),
                                &mut sums,
                                part,
                            ),
                            _ => keep(
                                isa,
                                float_tile::<S, 4, 1>(isa, a, [BLOCK, 1], b, depth),
                                &mut sums,
                                part,
                            ),
                        }
                    }
                }
                let rows = &mut out[block * BLOCK * width..];
                finish_floats(isa, &weights.bias, &sums, rows, panel, columns, then);
            }
        }
    }
}

/// From sums of floats to the output, for as many rows of it as there are sums and `columns` panels from `panel`.
#[inline(always)]
pub(super) fn finish_floats<S: Isa>(
    isa: S,
    bias: &[Floats],
    sums: &[[Floats; 2]],
    rows: &mut [Floats],
    panel: usize,
    columns: usize,
    then: Then,
) {
    for (row, sums) in rows.chunks_exact_mut(bias.len()).zip(sums) {
        for column in 0..columns {
            let value = isa.add(isa.load(&sums[column]), isa.load(&bias[panel + column]));
            put(isa, then, value, &mut row[panel + column]);
        }
    }
}

#[inline(always)]
pub(super) fn keep<S: Isa, const R: usize, const C: usize>(
    isa: S,
    tile: [[S::F; C]; R],
    sums: &mut [[Floats; 2]; BLOCK],
    part: usize,
) {
    for (row, tile) in sums[part..].iter_mut().zip(&tile) {
        for (line, &value) in row.iter_mut().zip(tile) {
            isa.store(value, line);
        }
    }
}

#[inline(always)]
fn keep_ints<S: Isa, const R: usize, const C: usize>(
    isa: S,
    tile: [[S::I; C]; R],
    sums: &mut [[Ints; 2]; BLOCK],
    part: usize,
) {
    for (row, tile) in sums[part..].iter_mut().zip(&tile) {
        for (line, &value) in row.iter_mut().zip(tile) {
            isa.store_ints(value, line);
        }
    }
}

impl IntProduct<'_> {
    /// How many rows are computed.
    pub(super) fn rows(&self) -> usize {
        self.out.len() / self.weights.bias.len()
    }

    /// From sums of integers to the output, for rows from `first` of it and up to two panels from `panel`.
    #[inline(always)]
    pub(super) fn finish<S: Isa>(&mut self, isa: S, sums: &[[Ints; 2]], first: usize, panel: usize) {
        let weights = self.weights;
        let width = weights.bias.len();
        let columns = (width - panel).min(2).min(if S::PANELS == 1 { 1 } else { 2 });
        let rows = self.out[first * width..].chunks_exact_mut(width);
        let places = &self.input.places[self.first + first..];
        for ((row, sums), &(step, least)) in rows.zip(sums).zip(places) {
            let (step, least) = (isa.splat(step), isa.splat(least));
            for (column, (out, sum)) in row[panel..].iter_mut().zip(sums).enumerate().take(columns) {
                let at = panel + column;
                // x ≈ least + step·q, so Σ x·w = step·Σ q·w + least·Σ w.
                let base = isa.fma(least, isa.load(&weights.sum[at]), isa.load(&weights.bias[at]));
                let sum = isa.mul(isa.to_float(isa.load_ints(sum)), step);
                put(isa, self.then, isa.fma(sum, isa.load(&weights.scale[at]), base), out);
            }
        }
    }
}

impl Op for IntProduct<'_> {
    #[inline(always)]
    fn run<S: Isa>(mut self, isa: S) {
        let (depth, width, rows) = (self.weights.groups, self.weights.bias.len(), self.rows());
        let blocks = rows.div_ceil(BLOCK);
        let four = size_of::<S::Four>() / 4;
        let input = &self.input.groups[self.first * depth * four..];
        assert!(input.len() >= blocks * BLOCK * depth * four, "the input has fewer rows");
        assert!(self.weights.panels.len() == width * depth, "a panel has a line for four inputs");
        let mut sums = [[Ints([0; LANES]); 2]; BLOCK];
        for panel in (0..width).step_by(S::PANELS) {
            let columns = S::PANELS.min(width - panel);
            let begin = from_fn(|c| match self.weights.begin.get(panel + c) {
                Some(begin) if S::SIGNED => isa.load_ints(begin),
                _ => isa.no_sums(),
            });
            for block in 0..blocks {
                for part in (0..BLOCK).step_by(S::INT_ROWS) {
                    // SAFETY: the block and the panels are within their vectors by the assertions above.
                    unsafe {
                        let a = input.as_ptr().cast::<S::Four>().add(block * BLOCK * depth + part);
                        let b = self.weights.panels.as_ptr().add(panel * depth);
                        match (S::INT_ROWS, columns) {
                            (12, 2) => {
                                keep_ints(isa, int_tile::<S, 12, 2>(isa, a, b, depth, begin), &mut sums, part)
                            }
                            (12, _) => {
                                keep_ints(isa, int_tile::<S, 12, 1>(isa, a, b, depth, begin), &mut sums, part)
                            }
                            _ => {
                                keep_ints(isa, int_tile::<S, 4, 1>(isa, a, b, depth, begin), &mut sums, part)
                            }
                        }
                    }
                }
                self.finish(isa, &sums, block * BLOCK, panel);
            }
        }
    }
}
