use std::hint::black_box;

use super::bf16::Pairs;
use super::{Bytes, Cpu, Floats, Ints, Isa, Kernels, LANES, Op};
use crate::{EmbeddingError, Precision};

impl Cpu {
    /// Multiplies and adds `rounds` times, in registers alone and by the instruction that products of `precision` use;
    /// gives how many operations that were. What a core does of them in a second is the most that products can reach.
    ///
    /// # Errors
    /// [`EmbeddingError::Cpu`] when the processor lacks the instruction set.
    pub fn burn(self, precision: Precision, rounds: usize) -> Result<f64, EmbeddingError> {
        let kernels = Kernels::new(Some(self))?;
        let mut operations = 0.0;
        let op = Burn { precision, rounds, operations: &mut operations };
        match (kernels.0, precision) {
            #[cfg(target_arch = "x86_64")]
            (super::Path::Amx(amx), Precision::Int8 | Precision::Bf16) => {
                operations = amx.burn(precision, rounds)
            }
            #[cfg(target_arch = "x86_64")]
            (super::Path::Avx512(isa), Precision::Bf16) => match isa.with_bf16() {
                Some(isa) => isa.run(op),
                None => isa.run(op),
            },
            _ => kernels.run(op),
        }
        Ok(operations)
    }
}

/// Adds to sums in turn: to more than the instruction takes to follow another, to no more than there are registers.
struct Burn<'a> {
    precision: Precision,
    rounds: usize,
    operations: &'a mut f64,
}

impl Op for Burn<'_> {
    #[inline(always)]
    fn run<S: Isa>(self, isa: S) {
        let rows = match self.precision {
            Precision::Int8 => S::INT_ROWS,
            Precision::Bf16 => S::PAIR_ROWS,
            Precision::F32 => S::FLOAT_ROWS,
        };
        let inputs = match rows {
            12 => self.add::<S, 12>(isa),
            6 => self.add::<S, 6>(isa),
            _ => self.add::<S, 4>(isa),
        };
        *self.operations = 2.0 * (inputs * LANES * rows * self.rounds) as f64;
    }
}

impl Burn<'_> {
    /// Gives the inputs of a step.
    #[inline(always)]
    fn add<S: Isa, const N: usize>(&self, isa: S) -> usize {
        // Hidden from the compiler, which would else add up equal numbers once.
        let starts = black_box([Floats([1.0; LANES]); N]);
        match self.precision {
            Precision::Int8 => {
                let weights = [Bytes([1; 64]); N];
                let four = black_box(isa.to_fours(isa.load_ints(&Ints([1; LANES])))[0]);
                let mut sums = starts.map(|start| isa.round(isa.load(&start)));
                for _ in 0..self.rounds {
                    // Read anew each time, as products do: where an instruction set multiplies and adds in two steps,
                    // the compiler would else multiply once for all.
                    let weights = black_box(&weights);
                    for (sum, weights) in sums.iter_mut().zip(weights) {
                        *sum = isa.dot(*sum, &four, weights);
                    }
                }
                black_box(sums.map(|sum| isa.sum(isa.to_float(sum))));
                4
            }
            Precision::Bf16 => {
                let (weights, two) = (black_box(Pairs([0x3f80; 32])), black_box([0x3f80; 2]));
                let mut sums = starts.map(|start| isa.load(&start));
                for _ in 0..self.rounds {
                    sums = sums.map(|sum| isa.dot_pair(sum, two, &weights));
                }
                black_box(sums.map(|sum| isa.sum(sum)));
                2
            }
            Precision::F32 => {
                let [a, b] = black_box([Floats([1.0; LANES]); 2]).map(|line| isa.load(&line));
                let mut sums = starts.map(|start| isa.load(&start));
                for _ in 0..self.rounds {
                    sums = sums.map(|sum| isa.fma(a, b, sum));
                }
                black_box(sums.map(|sum| isa.sum(sum)));
                1
            }
        }
    }
}
