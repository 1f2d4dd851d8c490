use super::product::{Then, finish_floats, keep, lines};
use super::rows::SLACK;
use super::{BLOCK, Floats, Isa, LANES, Op};

/// Weights of sixteen outputs for two inputs, in bfloat16: the two of the first output first.
#[repr(C, align(64))]
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pairs(pub(crate) [u16; 32]);

/// Weights of a product, each rounded to the nearest bfloat16.
pub(crate) struct PairWeights {
    /// Sixteen outputs make a panel, with a line for two inputs; inputs are padded with zeros to full 32.
    pub(super) panels: Vec<Pairs>,
    /// Inputs in twos.
    pub(super) depth: usize,
    pub(super) bias: Vec<Floats>,
}

/// The nearest bfloat16, half to even, which is the upper half of an f32. For finite numbers.
#[inline(always)]
pub(super) fn round(value: f32) -> u16 {
    let bits = value.to_bits();
    (bits.wrapping_add(0x7fff + (bits >> 16 & 1)) >> 16) as u16
}

/// The number that a bfloat16 stands for.
#[inline(always)]
pub(super) fn widen(value: u16) -> f32 {
    f32::from_bits(u32::from(value) << 16)
}

impl PairWeights {
    /// Packs and rounds `bias.len()` rows; the outputs must be a multiple of 16, the inputs of 2.
    pub(crate) fn new(rows: &[f32], bias: &[f32]) -> Self {
        let inputs = rows.len() / bias.len();
        let depth = pairs(inputs);
        let mut panels = vec![Pairs([0; 32]); bias.len() / LANES * depth];
        for (output, row) in rows.chunks_exact(inputs).enumerate() {
            let panel = &mut panels[output / LANES * depth..][..depth];
            for (line, two) in panel.iter_mut().zip(row.as_chunks::<2>().0) {
                line.0[output % LANES * 2..][..2].copy_from_slice(&two.map(round));
            }
        }
        Self { panels, depth, bias: lines(bias) }
    }
}

/// Inputs in twos, padded to full 32.
fn pairs(inputs: usize) -> usize {
    inputs.div_ceil(2 * LANES) * LANES
}

/// Rows rounded to bfloat16.
#[derive(Default)]
pub(crate) struct PairInput {
    /// Of twelve rows the first two numbers, then the next; or, where products read rows, row by row.
    pub(super) groups: Vec<[u16; 2]>,
}

/// Rounds rows of `width` lines to bfloat16.
pub(crate) struct PairRows<'a> {
    pub(crate) rows: &'a [Floats],
    pub(crate) width: usize,
    /// Whether the product reads rows one by one.
    pub(crate) by_row: bool,
    pub(crate) out: &'a mut PairInput,
}

impl Op for PairRows<'_> {
    #[inline(always)]
    fn run<S: Isa>(self, isa: S) {
        let depth = pairs(self.width * LANES);
        let count = self.rows.len() / self.width;
        let groups = &mut self.out.groups;
        let length = (count + SLACK).next_multiple_of(BLOCK) * depth;
        if groups.len() < length {
            groups.resize(length, [0; 2]);
        }
        for (at, row) in self.rows.chunks_exact(self.width).enumerate() {
            let (start, apart) =
                if self.by_row { (at * depth, 1) } else { (at / BLOCK * BLOCK * depth + at % BLOCK, BLOCK) };
            let groups = &mut groups[start..][..(depth - 1) * apart + 1];
            for (column, line) in row.iter().enumerate() {
                let rounded = isa.to_bf16(isa.load(line));
                for (pair, two) in rounded.as_chunks::<2>().0.iter().enumerate() {
                    groups[(column * LANES / 2 + pair) * apart] = *two;
                }
            }
            // What is left there from another use might not be finite, and so not vanish with a weight of zero.
            for pair in row.len() * LANES / 2..depth {
                groups[pair * apart] = [0; 2];
            }
        }
    }
}

/// out = then(input × weights + bias), row by row. The order of the sum is the instruction set's own.
pub(crate) struct PairProduct<'a> {
    pub(crate) weights: &'a PairWeights,
    pub(crate) input: &'a PairInput,
    /// The first row of the input to read. A multiple of [`BLOCK`].
    pub(crate) first: usize,
    /// As many lines a row as the weights have panels.
    pub(crate) out: &'a mut [Floats],
    pub(crate) then: Then,
}

/// A tile of `R` rows and `C` panels, as [`super::product::float_tile`], with two inputs a step.
///
/// # Safety
/// `a` is valid for `R` reads behind each of `depth` steps of [`BLOCK`]; `b` for `C` panels of `depth` lines.
#[inline(always)]
unsafe fn pair_tile<S: Isa, const R: usize, const C: usize>(
    isa: S,
    a: *const [u16; 2],
    b: *const Pairs,
    depth: usize,
) -> [[S::F; C]; R] {
    let mut sums = [[isa.splat(0.0); C]; R];
    for step in 0..depth {
        for (r, sums) in sums.iter_mut().enumerate() {
            // SAFETY: within what the caller promises.
            let two = unsafe { *a.add(step * BLOCK + r) };
            for (c, sum) in sums.iter_mut().enumerate() {
                // SAFETY: as above.
                *sum = isa.dot_pair(*sum, two, unsafe { &*b.add(c * depth + step) });
            }
        }
    }
    sums
}

impl Op for PairProduct<'_> {
    #[inline(always)]
    fn run<S: Isa>(self, isa: S) {
        let Self { weights, input, first, out, then } = self;
        let (depth, width) = (weights.depth, weights.bias.len());
        let blocks = (out.len() / width).div_ceil(BLOCK);
        let input = &input.groups[first * depth..];
        assert!(input.len() >= blocks * BLOCK * depth, "the input has fewer rows");
        assert!(weights.panels.len() == width * depth, "a panel has a line for two inputs");
        let mut sums = [[Floats::ZERO; 2]; BLOCK];
        for panel in (0..width).step_by(S::PANELS) {
            let columns = S::PANELS.min(width - panel);
            for block in 0..blocks {
                for part in (0..BLOCK).step_by(S::PAIR_ROWS) {
                    // SAFETY: the block and the panels are within their vectors by the assertions above.
                    unsafe {
                        let a = input.as_ptr().add(block * BLOCK * depth + part);
                        let b = weights.panels.as_ptr().add(panel * depth);
                        match (S::PAIR_ROWS, columns) {
                            (12, 2) => keep(isa, pair_tile::<S, 12, 2>(isa, a, b, depth), &mut sums, part),
                            (12, _) => keep(isa, pair_tile::<S, 12, 1>(isa, a, b, depth), &mut sums, part),
                            _ => keep(isa, pair_tile::<S, 4, 1>(isa, a, b, depth), &mut sums, part),
                        }
                    }
                }
                let rows = &mut out[block * BLOCK * width..];
                finish_floats(isa, &weights.bias, &sums, rows, panel, columns, then);
            }
        }
    }
}
