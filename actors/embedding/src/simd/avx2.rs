use std::arch::x86_64::*;

use super::bf16::{Pairs, widen};
use super::{Bytes, Floats, Ints, Isa, LANES, Op};

/// AVX2 with FMA: a lane of sixteen is two registers, of which there are sixteen.
#[derive(Clone, Copy)]
pub(super) struct Avx2(());

/// An intrinsic of AVX2.
macro_rules! avx2 {
    ($call:expr) => {
        // SAFETY: an Avx2 is made by `detect` alone, so the processor has the instruction; what is read or written is
        // behind a reference to as many bytes.
        unsafe { $call }
    };
}

/// The same intrinsic on both halves.
macro_rules! both {
    ($call:ident, $($value:expr),+) => {
        avx2!([$call($($value[0]),+), $call($($value[1]),+)])
    };
}

/// Folds the lanes by halves with an operation on 256 and the same on 128 bits.
macro_rules! fold {
    ($value:expr, $wide:ident, $narrow:ident) => {
        avx2!({
            let [low, high] = $value;
            let eight = $wide(low, high);
            let four = $narrow(_mm256_castps256_ps128(eight), _mm256_extractf128_ps::<1>(eight));
            let two = $narrow(four, _mm_movehl_ps(four, four));
            _mm_cvtss_f32($narrow(two, _mm_shuffle_ps::<1>(two, two)))
        })
    };
}

impl Avx2 {
    pub(super) fn detect() -> Option<Self> {
        (is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")).then_some(Self(()))
    }

    pub(super) fn run<O: Op>(self, op: O) {
        avx2!(enter(self, op));
    }
}

#[target_feature(enable = "avx2,fma")]
fn enter<O: Op>(isa: Avx2, op: O) {
    op.run(isa);
}

type F = [__m256; 2];
type I = [__m256i; 2];

impl Isa for Avx2 {
    type F = F;
    type I = I;
    /// In words of 16 bits: the first and the third, the second and the fourth.
    type Four = [[u8; 4]; 2];
    const FLOAT_ROWS: usize = 6;
    const INT_ROWS: usize = 4;
    const PAIR_ROWS: usize = 4;
    const VALUE_ROWS: usize = 4;
    const PANELS: usize = 1;

    #[inline(always)]
    fn splat(self, value: f32) -> F {
        avx2!([_mm256_set1_ps(value); 2])
    }
    #[inline(always)]
    fn load(self, from: &Floats) -> F {
        let at = from.0.as_ptr();
        avx2!([_mm256_load_ps(at), _mm256_load_ps(at.add(8))])
    }
    #[inline(always)]
    fn store(self, value: F, to: &mut Floats) {
        let at = to.0.as_mut_ptr();
        avx2!({
            _mm256_store_ps(at, value[0]);
            _mm256_store_ps(at.add(8), value[1]);
        });
    }
    #[inline(always)]
    fn add(self, a: F, b: F) -> F {
        both!(_mm256_add_ps, a, b)
    }
    #[inline(always)]
    fn sub(self, a: F, b: F) -> F {
        both!(_mm256_sub_ps, a, b)
    }
    #[inline(always)]
    fn mul(self, a: F, b: F) -> F {
        both!(_mm256_mul_ps, a, b)
    }
    #[inline(always)]
    fn div(self, a: F, b: F) -> F {
        both!(_mm256_div_ps, a, b)
    }
    #[inline(always)]
    fn fma(self, a: F, b: F, c: F) -> F {
        both!(_mm256_fmadd_ps, a, b, c)
    }
    #[inline(always)]
    fn min(self, a: F, b: F) -> F {
        both!(_mm256_min_ps, a, b)
    }
    #[inline(always)]
    fn max(self, a: F, b: F) -> F {
        both!(_mm256_max_ps, a, b)
    }
    #[inline(always)]
    fn round(self, a: F) -> I {
        both!(_mm256_cvtps_epi32, a)
    }
    #[inline(always)]
    fn to_float(self, a: I) -> F {
        both!(_mm256_cvtepi32_ps, a)
    }
    #[inline(always)]
    fn exp2_int(self, n: I) -> F {
        let bias = avx2!([_mm256_set1_epi32(127); 2]);
        let biased = both!(_mm256_add_epi32, n, bias);
        let [low, high] = avx2!([_mm256_slli_epi32::<23>(biased[0]), _mm256_slli_epi32::<23>(biased[1])]);
        avx2!([_mm256_castsi256_ps(low), _mm256_castsi256_ps(high)])
    }
    #[inline(always)]
    fn no_sums(self) -> I {
        avx2!([_mm256_setzero_si256(); 2])
    }
    #[inline(always)]
    fn load_ints(self, from: &Ints) -> I {
        let at = from.0.as_ptr().cast::<__m256i>();
        avx2!([_mm256_load_si256(at), _mm256_load_si256(at.add(1))])
    }
    #[inline(always)]
    fn store_ints(self, value: I, to: &mut Ints) {
        let at = to.0.as_mut_ptr().cast::<__m256i>();
        avx2!({
            _mm256_store_si256(at, value[0]);
            _mm256_store_si256(at.add(1), value[1]);
        });
    }
    #[inline(always)]
    fn to_fours(self, value: I) -> [Self::Four; 4] {
        let mut fours = [[[0; 4]; 2]; 4];
        avx2!({
            // Within each 128 bits, of four numbers the lower 16 bits of the first and the third, then of the others.
            let order = _mm256_broadcastsi128_si256(_mm_setr_epi8(
                0, 1, 8, 9, 4, 5, 12, 13, -1, -1, -1, -1, -1, -1, -1, -1,
            ));
            let [low, high] = value.map(|half| _mm256_shuffle_epi8(half, order));
            // Of each half a four at the lower end of each 128 bits.
            let all = _mm256_permute4x64_epi64::<0b11_01_10_00>(_mm256_unpacklo_epi64(low, high));
            _mm256_storeu_si256(fours.as_mut_ptr().cast(), all);
        });
        fours
    }
    /// By products of 16 bits, which are exact: inputs and weights at even places in one, those at odd places in another.
    #[inline(always)]
    fn dot(self, sums: I, [even, odd]: &Self::Four, weights: &Bytes) -> I {
        let at = weights.0.as_ptr().cast::<__m256i>();
        avx2!({
            let even = _mm256_set1_epi32(i32::from_le_bytes(*even));
            let odd = _mm256_set1_epi32(i32::from_le_bytes(*odd));
            let mut sums = sums;
            for (half, sums) in sums.iter_mut().enumerate() {
                let weights = _mm256_load_si256(at.add(half));
                let lower = _mm256_srai_epi16::<8>(_mm256_slli_epi16::<8>(weights));
                let upper = _mm256_srai_epi16::<8>(weights);
                *sums = _mm256_add_epi32(*sums, _mm256_madd_epi16(even, lower));
                *sums = _mm256_add_epi32(*sums, _mm256_madd_epi16(odd, upper));
            }
            sums
        })
    }
    #[inline(always)]
    fn to_bf16(self, value: F) -> [u16; LANES] {
        let mut lines = Ints([0; LANES]);
        avx2!({
            let upper = value.map(|half| {
                let bits = _mm256_castps_si256(half);
                let odd = _mm256_and_si256(_mm256_srli_epi32::<16>(bits), _mm256_set1_epi32(1));
                let rounded = _mm256_add_epi32(bits, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff)));
                _mm256_srli_epi32::<16>(rounded)
            });
            self.store_ints(upper, &mut lines);
        });
        lines.0.map(|bits| bits as u16)
    }
    #[inline(always)]
    fn dot_pair(self, sums: F, input: [u16; 2], weights: &Pairs) -> F {
        let at = weights.0.as_ptr().cast::<__m256i>();
        let [first, second] = input.map(|value| self.splat(widen(value)));
        let pairs = avx2!([_mm256_load_si256(at), _mm256_load_si256(at.add(1))]);
        let lower = avx2!(pairs.map(|half| _mm256_castsi256_ps(_mm256_slli_epi32::<16>(half))));
        let mask = avx2!(_mm256_set1_epi32(-0x1_0000));
        let upper = avx2!(pairs.map(|half| _mm256_castsi256_ps(_mm256_and_si256(half, mask))));
        self.fma(second, upper, self.fma(first, lower, sums))
    }
    #[inline(always)]
    fn sum(self, a: F) -> f32 {
        fold!(a, _mm256_add_ps, _mm_add_ps)
    }
    #[inline(always)]
    fn least(self, a: F) -> f32 {
        fold!(a, _mm256_min_ps, _mm_min_ps)
    }
    #[inline(always)]
    fn greatest(self, a: F) -> f32 {
        fold!(a, _mm256_max_ps, _mm_max_ps)
    }
}
