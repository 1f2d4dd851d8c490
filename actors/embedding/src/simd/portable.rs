use std::array::from_fn;

use super::bf16::{Pairs, round, widen};
use super::{Bytes, Floats, Ints, Isa, LANES};

/// Any processor: what defines the result of every other instruction set.
#[derive(Clone, Copy)]
pub(super) struct Portable;

type Row = [f32; LANES];

#[inline(always)]
fn each(a: Row, b: Row, f: impl Fn(f32, f32) -> f32) -> Row {
    from_fn(|lane| f(a[lane], b[lane]))
}

#[inline(always)]
fn fold(mut a: Row, f: impl Fn(f32, f32) -> f32) -> f32 {
    let mut half = LANES / 2;
    while half > 0 {
        for lane in 0..half {
            a[lane] = f(a[lane], a[lane + half]);
        }
        half /= 2;
    }
    a[0]
}

#[inline(always)]
fn smaller(a: f32, b: f32) -> f32 {
    if a < b { a } else { b }
}

#[inline(always)]
fn larger(a: f32, b: f32) -> f32 {
    if a > b { a } else { b }
}

impl Isa for Portable {
    type F = Row;
    type I = [i32; LANES];
    type Four = [[u8; 4]; 1];
    const FLOAT_ROWS: usize = 4;
    const INT_ROWS: usize = 4;
    const PAIR_ROWS: usize = 4;
    const VALUE_ROWS: usize = 4;
    const PANELS: usize = 1;

    #[inline(always)]
    fn splat(self, value: f32) -> Row {
        [value; LANES]
    }
    #[inline(always)]
    fn load(self, from: &Floats) -> Row {
        from.0
    }
    #[inline(always)]
    fn store(self, value: Row, to: &mut Floats) {
        to.0 = value;
    }
    #[inline(always)]
    fn add(self, a: Row, b: Row) -> Row {
        each(a, b, |a, b| a + b)
    }
    #[inline(always)]
    fn sub(self, a: Row, b: Row) -> Row {
        each(a, b, |a, b| a - b)
    }
    #[inline(always)]
    fn mul(self, a: Row, b: Row) -> Row {
        each(a, b, |a, b| a * b)
    }
    #[inline(always)]
    fn div(self, a: Row, b: Row) -> Row {
        each(a, b, |a, b| a / b)
    }
    #[inline(always)]
    fn fma(self, a: Row, b: Row, c: Row) -> Row {
        from_fn(|lane| a[lane].mul_add(b[lane], c[lane]))
    }
    #[inline(always)]
    fn min(self, a: Row, b: Row) -> Row {
        each(a, b, smaller)
    }
    #[inline(always)]
    fn max(self, a: Row, b: Row) -> Row {
        each(a, b, larger)
    }
    #[inline(always)]
    fn round(self, a: Row) -> [i32; LANES] {
        a.map(|value| value.round_ties_even() as i32)
    }
    #[inline(always)]
    fn to_float(self, a: [i32; LANES]) -> Row {
        a.map(|value| value as f32)
    }
    #[inline(always)]
    fn exp2_int(self, n: [i32; LANES]) -> Row {
        n.map(|n| f32::from_bits((n.wrapping_add(127) as u32) << 23))
    }
    #[inline(always)]
    fn no_sums(self) -> [i32; LANES] {
        [0; LANES]
    }
    #[inline(always)]
    fn load_ints(self, from: &Ints) -> [i32; LANES] {
        from.0
    }
    #[inline(always)]
    fn store_ints(self, value: [i32; LANES], to: &mut Ints) {
        to.0 = value;
    }
    #[inline(always)]
    fn to_fours(self, value: [i32; LANES]) -> [Self::Four; 4] {
        from_fn(|four| [from_fn(|at| value[four * 4 + at] as u8)])
    }
    #[inline(always)]
    fn dot(self, sums: [i32; LANES], [input]: &Self::Four, weights: &Bytes) -> [i32; LANES] {
        from_fn(|lane| {
            let four = input.iter().zip(&weights.0[lane * 4..lane * 4 + 4]);
            sums[lane] + four.map(|(&a, &w)| i32::from(a) * i32::from(w)).sum::<i32>()
        })
    }
    #[inline(always)]
    fn to_bf16(self, value: Row) -> [u16; LANES] {
        value.map(round)
    }
    #[inline(always)]
    fn dot_pair(self, sums: Row, input: [u16; 2], weights: &Pairs) -> Row {
        let [first, second] = input.map(widen);
        from_fn(|lane| {
            let sum = first.mul_add(widen(weights.0[lane * 2]), sums[lane]);
            second.mul_add(widen(weights.0[lane * 2 + 1]), sum)
        })
    }
    #[inline(always)]
    fn sum(self, a: Row) -> f32 {
        fold(a, |a, b| a + b)
    }
    #[inline(always)]
    fn least(self, a: Row) -> f32 {
        fold(a, smaller)
    }
    #[inline(always)]
    fn greatest(self, a: Row) -> f32 {
        fold(a, larger)
    }
}
