//! Arithmetic of the encoder, written once for lanes of sixteen and compiled for each instruction set.
//!
//! Every instruction set gives the same bits: sums of integers are exact, sums of floats are chains of fused
//! multiply-adds in the order of their index or trees over sixteen lanes, and `exp` and `erf` are one polynomial each.
#![allow(unsafe_code)]

use std::str::FromStr;
use std::{env, fmt};

use crate::EmbeddingError;

#[cfg(target_arch = "x86_64")]
mod amx;
mod attention;
#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod bf16;
mod functions;
#[cfg(target_arch = "aarch64")]
mod neon;
mod peak;
mod portable;
mod product;
mod rows;

pub(crate) use attention::{Attention, Scratch as AttentionScratch};
pub(crate) use bf16::{PairInput, PairProduct, PairRows, PairWeights};
pub(crate) use product::{FloatInput, FloatProduct, FloatWeights, IntProduct, IntWeights, Then};
pub(crate) use rows::{Norm, NormRows, QuantizeRows, Quantized};

use bf16::Pairs;
use portable::Portable;

/// Numbers that are computed side by side. Rows are padded to it nowhere: their lengths must be multiples of it.
pub(crate) const LANES: usize = 16;
/// Rows that lie interleaved for a product, so that a step of it reads them one behind the other.
pub(crate) const BLOCK: usize = 12;

/// Sixteen floats on a cache line of their own.
#[repr(C, align(64))]
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Floats(pub(crate) [f32; LANES]);

/// Sixteen sums of products of bytes.
#[repr(C, align(64))]
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ints(pub(crate) [i32; LANES]);

/// Weights of sixteen outputs for four inputs: the four of the first output first.
#[repr(C, align(64))]
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bytes(pub(crate) [i8; 64]);

impl Floats {
    pub(crate) const ZERO: Self = Self([0.0; LANES]);
}

/// The instruction sets that the encoder has kernels for, the fastest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cpu {
    /// AMX for products of bytes and of bfloat16, AVX-512 for the rest.
    Amx,
    /// AVX-512 F, BW, DQ, VL and VNNI; for products of bfloat16 also BF16, where there is that.
    Avx512,
    /// AVX2 and FMA.
    Avx2,
    /// NEON with the dot product of Armv8.2, which servers with ARM have.
    Neon,
    /// What the compiler makes for any processor.
    Portable,
}

/// The environment variable that forces an instruction set.
const FORCE: &str = "TANDEM_CPU";

impl Cpu {
    /// All of them, the fastest first.
    pub const ALL: [Self; 5] = [Self::Amx, Self::Avx512, Self::Avx2, Self::Neon, Self::Portable];

    /// Those that this processor has.
    #[must_use]
    pub fn available() -> Vec<Self> {
        Self::ALL.into_iter().filter(|&cpu| Kernels::detect(cpu).is_some()).collect()
    }

    /// What `TANDEM_CPU` asks for; None when it is not set.
    ///
    /// # Errors
    /// [`EmbeddingError::Cpu`] for a name that is none.
    pub fn forced() -> Result<Option<Self>, EmbeddingError> {
        match env::var(FORCE) {
            Ok(name) if !name.is_empty() => name.parse().map(Some),
            _ => Ok(None),
        }
    }
}

impl fmt::Display for Cpu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Amx => "amx",
            Self::Avx512 => "avx512",
            Self::Avx2 => "avx2",
            Self::Neon => "neon",
            Self::Portable => "portable",
        })
    }
}

impl FromStr for Cpu {
    type Err = EmbeddingError;

    fn from_str(name: &str) -> Result<Self, EmbeddingError> {
        let found = Self::ALL.into_iter().find(|cpu| cpu.to_string() == name);
        found.ok_or_else(|| EmbeddingError::Cpu {
            reason: format!("{FORCE} is {name:?}; it must be amx, avx512, avx2, neon or portable"),
        })
    }
}

/// Kernels of an instruction set that this processor is known to have.
#[derive(Clone, Copy)]
pub(crate) struct Kernels(Path);

#[derive(Clone, Copy)]
enum Path {
    #[cfg(target_arch = "x86_64")]
    Amx(amx::Amx),
    #[cfg(target_arch = "x86_64")]
    Avx512(avx512::Avx512<false>),
    #[cfg(target_arch = "x86_64")]
    Avx2(avx2::Avx2),
    #[cfg(target_arch = "aarch64")]
    Neon(neon::Neon),
    Portable(Portable),
}

impl Kernels {
    /// The kernels of `cpu`, or the fastest that this processor has.
    ///
    /// # Errors
    /// [`EmbeddingError::Cpu`] when the processor lacks them.
    pub(crate) fn new(cpu: Option<Cpu>) -> Result<Self, EmbeddingError> {
        let Some(cpu) = cpu else {
            return Ok(Cpu::ALL.into_iter().find_map(Self::detect).unwrap_or(Self(Path::Portable(Portable))));
        };
        let has = || Cpu::available().iter().map(Cpu::to_string).collect::<Vec<_>>().join(", ");
        #[cfg(all(test, target_arch = "x86_64", target_os = "linux"))]
        if let (Cpu::Amx, Some(amx)) = (cpu, amx::Amx::emulated()) {
            return Ok(Self(Path::Amx(amx)));
        }
        Self::detect(cpu).ok_or_else(|| EmbeddingError::Cpu {
            reason: format!("this processor cannot do {cpu}, which was asked for; it can do {}", has()),
        })
    }

    #[cfg(target_arch = "x86_64")]
    fn detect(cpu: Cpu) -> Option<Self> {
        Some(Self(match cpu {
            Cpu::Amx => Path::Amx(amx::Amx::detect()?),
            Cpu::Avx512 => Path::Avx512(avx512::Avx512::detect()?),
            Cpu::Avx2 => Path::Avx2(avx2::Avx2::detect()?),
            Cpu::Neon => return None,
            Cpu::Portable => Path::Portable(Portable),
        }))
    }

    #[cfg(not(target_arch = "x86_64"))]
    fn detect(cpu: Cpu) -> Option<Self> {
        Some(Self(match cpu {
            #[cfg(target_arch = "aarch64")]
            Cpu::Neon => Path::Neon(neon::Neon::detect()?),
            Cpu::Portable => Path::Portable(Portable),
            _ => return None,
        }))
    }

    /// Which instruction set it is.
    pub(crate) fn cpu(self) -> Cpu {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Path::Amx(_) => Cpu::Amx,
            #[cfg(target_arch = "x86_64")]
            Path::Avx512(_) => Cpu::Avx512,
            #[cfg(target_arch = "x86_64")]
            Path::Avx2(_) => Cpu::Avx2,
            #[cfg(target_arch = "aarch64")]
            Path::Neon(_) => Cpu::Neon,
            Path::Portable(_) => Cpu::Portable,
        }
    }

    /// Whether products of bytes and of bfloat16 read their input row by row.
    pub(crate) fn by_row(self) -> bool {
        self.cpu() == Cpu::Amx
    }

    /// What four bytes of input occupy, in fours of bytes.
    pub(crate) fn four(self) -> usize {
        let bytes = match self.0 {
            #[cfg(target_arch = "x86_64")]
            Path::Amx(_) | Path::Avx512(_) => size_of::<<avx512::Avx512<false> as Isa>::Four>(),
            #[cfg(target_arch = "x86_64")]
            Path::Avx2(_) => size_of::<<avx2::Avx2 as Isa>::Four>(),
            #[cfg(target_arch = "aarch64")]
            Path::Neon(_) => size_of::<<neon::Neon as Isa>::Four>(),
            Path::Portable(_) => size_of::<<Portable as Isa>::Four>(),
        };
        bytes / 4
    }

    /// Runs `op`, compiled for the instruction set.
    pub(crate) fn run(self, op: impl Op) {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Path::Amx(amx) => amx.lanes().run(op),
            #[cfg(target_arch = "x86_64")]
            Path::Avx512(isa) => isa.run(op),
            #[cfg(target_arch = "x86_64")]
            Path::Avx2(isa) => isa.run(op),
            #[cfg(target_arch = "aarch64")]
            Path::Neon(isa) => isa.run(op),
            Path::Portable(isa) => op.run(isa),
        }
    }

    /// A product of bytes, on the unit that the processor has for it.
    pub(crate) fn int_product(self, op: IntProduct<'_>) {
        #[cfg(target_arch = "x86_64")]
        if let Path::Amx(amx) = self.0 {
            return amx.product(op);
        }
        self.run(op);
    }

    /// A product of bfloat16, on the unit that the processor has for it.
    pub(crate) fn pair_product(self, op: PairProduct<'_>) {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Path::Amx(amx) => amx.pair_product(op),
            #[cfg(target_arch = "x86_64")]
            Path::Avx512(isa) => match isa.with_bf16() {
                Some(isa) => isa.run(op),
                None => isa.run(op),
            },
            #[cfg(target_arch = "x86_64")]
            Path::Avx2(isa) => isa.run(op),
            #[cfg(target_arch = "aarch64")]
            Path::Neon(isa) => isa.run(op),
            Path::Portable(isa) => op.run(isa),
        }
    }
}

/// Something to compute. `run` and all that it calls must be `#[inline(always)]`: what is not inlined is not compiled
/// for the instruction set.
pub(crate) trait Op {
    fn run<S: Isa>(self, isa: S);
}

/// Sixteen lanes of an instruction set. A value of the type proves that the processor has it.
pub(crate) trait Isa: Copy {
    /// Sixteen floats.
    type F: Copy;
    /// Sixteen integers.
    type I: Copy;
    /// Four bytes of input, as `dot` reads them.
    type Four: Copy + AsRef<[[u8; 4]]>;
    /// Rows of a tile of floats that the registers hold. Divides [`BLOCK`].
    const FLOAT_ROWS: usize;
    /// The same of integers.
    const INT_ROWS: usize;
    /// The same of pairs of bfloat16.
    const PAIR_ROWS: usize;
    /// Queries of a tile of values in attention. Divides [`LANES`].
    const VALUE_ROWS: usize;
    /// Columns of a tile, in sixteens: 1 or 2.
    const PANELS: usize;
    /// Whether `dot` reads bytes less 128: then sums begin with 128 times the sum of their weights.
    const SIGNED: bool = false;

    fn splat(self, value: f32) -> Self::F;
    fn load(self, from: &Floats) -> Self::F;
    fn store(self, value: Self::F, to: &mut Floats);
    fn add(self, a: Self::F, b: Self::F) -> Self::F;
    fn sub(self, a: Self::F, b: Self::F) -> Self::F;
    fn mul(self, a: Self::F, b: Self::F) -> Self::F;
    fn div(self, a: Self::F, b: Self::F) -> Self::F;
    /// a · b + c, rounded once.
    fn fma(self, a: Self::F, b: Self::F, c: Self::F) -> Self::F;
    /// The smaller; `b` when they do not compare.
    fn min(self, a: Self::F, b: Self::F) -> Self::F;
    /// The larger; `b` when they do not compare.
    fn max(self, a: Self::F, b: Self::F) -> Self::F;
    /// The nearest integer, half to even, for magnitudes below 2³¹.
    fn round(self, a: Self::F) -> Self::I;
    fn to_float(self, a: Self::I) -> Self::F;
    /// 2ⁿ for -126..=127.
    fn exp2_int(self, n: Self::I) -> Self::F;
    fn load_ints(self, from: &Ints) -> Self::I;
    fn store_ints(self, value: Self::I, to: &mut Ints);
    /// Sixteen zeros.
    fn no_sums(self) -> Self::I;
    /// The lanes as `dot` reads them, for 0..=255.
    fn to_fours(self, value: Self::I) -> [Self::Four; 4];
    /// To each of sixteen sums, the products of `input` with that output's four weights.
    fn dot(self, sums: Self::I, input: &Self::Four, weights: &Bytes) -> Self::I;
    /// The lanes rounded to bfloat16, half to even, for finite numbers.
    fn to_bf16(self, value: Self::F) -> [u16; LANES];
    /// To each of sixteen sums, the products of `input` with that output's two weights. How often it rounds on the way,
    /// and whether numbers below 2⁻¹²⁶ count, is the instruction set's own.
    fn dot_pair(self, sums: Self::F, input: [u16; 2], weights: &Pairs) -> Self::F;
    /// The sum of the lanes: l with l + 8, then l + 4, l + 2, l + 1.
    fn sum(self, a: Self::F) -> f32;
    /// The smallest lane, in the same order.
    fn least(self, a: Self::F) -> f32;
    /// The largest lane, in the same order.
    fn greatest(self, a: Self::F) -> f32;
}

#[cfg(test)]
mod tests;
