#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
pub(super) mod tiles;

use proptest::prelude::*;

use super::*;
use crate::Precision;

/// Numbers from a seed, between -1 and 1 times `size`.
fn numbers(seed: u64, count: usize, size: f32) -> Vec<f32> {
    let mut state = seed.wrapping_mul(2).wrapping_add(1);
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 40) as f32 / (1_u64 << 23) as f32 - 1.0) * size
    };
    (0..count).map(|_| next()).collect()
}

fn lines(values: &[f32]) -> Vec<Floats> {
    values.as_chunks().0.iter().map(|&line| Floats(line)).collect()
}

fn bits(lines: &[Floats]) -> Vec<u32> {
    lines.iter().flat_map(|line| line.0.map(f32::to_bits)).collect()
}

/// The same of every instruction set that this processor has, or that is computed in software, the portable one last.
fn on_each<T>(work: impl Fn(Kernels) -> T) -> Vec<(Cpu, T)> {
    let kernels = Cpu::ALL.into_iter().filter_map(|cpu| Some((cpu, Kernels::new(Some(cpu)).ok()?)));
    kernels.map(|(cpu, kernels)| (cpu, work(kernels))).collect()
}

fn agree<T: PartialEq + std::fmt::Debug>(results: &[(Cpu, T)]) {
    let (_, portable) = results.last().unwrap();
    for (cpu, result) in results {
        assert!(result == portable, "{cpu} differs from portable");
    }
}

const THENS: [Then; 4] = [Then::Store, Then::Add, Then::Gelu, Then::GeluTanh];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn products_are_the_same_bits_on_every_path(
        seed: u64, rows in 1..40_usize, inputs in 1..11_usize, outputs in 1..6_usize, then in 0..4_usize,
        size in 0.01_f32..30.0, late: bool,
    ) {
        let (inputs, outputs, then) = (inputs * LANES, outputs * LANES, THENS[then]);
        let first = if late { BLOCK } else { 0 };
        let weights = numbers(seed, inputs * outputs, 0.5);
        let bias = numbers(seed ^ 1, outputs, 1.0);
        let input = lines(&numbers(seed ^ 2, (first + rows) * inputs, size));
        let before = lines(&numbers(seed ^ 3, rows * outputs, 2.0));
        let (ints, floats) = (IntWeights::new(&weights, &bias), FloatWeights::new(&weights, &bias));
        agree(&on_each(|kernels| {
            let (mut quantized, mut fed) = (Quantized::default(), FloatInput::default());
            let width = inputs / LANES;
            quantized.shape(first + rows, width, kernels);
            kernels.run(QuantizeRows { rows: &input, width, out: &mut quantized });
            fed.fill(&input, width);
            let (mut small, mut full) = (before.clone(), before.clone());
            kernels.int_product(IntProduct { weights: &ints, input: &quantized, first, out: &mut small, then });
            kernels.run(FloatProduct { weights: &floats, input: &fed, first, out: &mut full, then });
            (bits(&small), bits(&full))
        }));
    }

    #[test]
    fn products_of_bfloat16_are_near_the_exact_one_on_every_path(
        seed: u64, rows in 1..40_usize, inputs in 1..11_usize, outputs in 1..6_usize, size in 0.01_f32..30.0, late: bool,
    ) {
        let (inputs, outputs, first) = (inputs * LANES, outputs * LANES, if late { BLOCK } else { 0 });
        let (weights, bias) = (numbers(seed, inputs * outputs, 0.5), numbers(seed ^ 1, outputs, 1.0));
        let input = numbers(seed ^ 2, (first + rows) * inputs, size);
        let packed = PairWeights::new(&weights, &bias);
        let half = |value: &f32| f64::from(bf16::widen(bf16::round(*value)));
        for (cpu, out) in on_each(|kernels| {
            // What is left from another use is not read.
            let stale = lines(&vec![f32::INFINITY; (first + rows) * 2 * inputs]);
            let mut fed = PairInput::default();
            for (rows, width) in [(&stale, 2 * inputs / LANES), (&lines(&input), inputs / LANES)] {
                kernels.run(PairRows { rows, width, by_row: kernels.by_row(), out: &mut fed });
            }
            let mut out = vec![Floats([2.0; LANES]); rows * outputs / LANES];
            let (weights, input) = (&packed, &fed);
            kernels.pair_product(PairProduct { weights, input, first, out: &mut out, then: Then::Add });
            out.iter().flat_map(|line| line.0).collect::<Vec<f32>>()
        }) {
            for (row, out) in input[first * inputs..].chunks_exact(inputs).zip(out.chunks_exact(outputs)) {
                for ((weights, bias), out) in weights.chunks_exact(inputs).zip(&bias).zip(out) {
                    let terms = row.iter().zip(weights).map(|(a, w)| half(a) * half(w));
                    let exact = 2.0 + f64::from(*bias) + terms.clone().sum::<f64>();
                    let bound = 3.0 + terms.map(f64::abs).sum::<f64>();
                    prop_assert!((f64::from(*out) - exact).abs() < 3e-6 * bound, "{cpu}: {out}, not {exact}");
                }
            }
        }
    }

    #[test]
    fn bfloat16_is_the_nearest_on_every_path(seed: u64, exponent in -100..120_i32) {
        let values = numbers(seed, LANES, 2.0_f32.powi(exponent));
        agree(&on_each(|kernels| {
            let mut fed = PairInput::default();
            kernels.run(PairRows { rows: &lines(&values), width: 1, by_row: true, out: &mut fed });
            fed.groups[..LANES / 2].to_vec()
        }));
        for value in values {
            let near = bf16::widen(bf16::round(value));
            prop_assert!((near - value).abs() <= value.abs() / 256.0, "{value} becomes {near}");
        }
    }

    #[test]
    fn rows_are_normalized_and_rounded_to_the_same_bits(
        seed: u64, rows in 1..30_usize, width in 1..9_usize, size in 0.0_f32..100.0,
    ) {
        let (scale, bias) = (numbers(seed ^ 1, width * LANES, 2.0), numbers(seed ^ 2, width * LANES, 1.0));
        let norm = Norm::new(&scale, &bias, 1e-12);
        let weights = IntWeights::new(&numbers(seed ^ 3, width * LANES * LANES, 1.0), &[0.0; LANES]);
        agree(&on_each(|kernels| {
            let mut states = lines(&numbers(seed, rows * width * LANES, size));
            let mut quantized = Quantized::default();
            quantized.shape(rows, width, kernels);
            kernels.run(NormRows { norm: &norm, rows: &mut states, quantized: Some(&mut quantized) });
            // The order of the rounded bytes differs, so a product reads them.
            let mut out = vec![Floats::ZERO; rows];
            let (input, out_lines) = (&quantized, &mut out);
            kernels.int_product(IntProduct { weights: &weights, input, first: 0, out: out_lines, then: Then::Store });
            (bits(&states), bits(&out))
        }));
    }

    #[test]
    fn attention_is_the_same_bits(
        seed: u64, count in 1..80_usize, heads in 1..4_usize, lines_each in 1..3_usize, size in 0.1_f32..30.0,
    ) {
        let width = heads * lines_each;
        let qkv = lines(&numbers(seed, count * 3 * width * LANES, size));
        agree(&on_each(|kernels| {
            let mut context = vec![Floats::ZERO; count * width];
            let mut scratch = AttentionScratch::default();
            // Twice, so that the second time the memory is full of old numbers.
            for qkv in [&numbers_as_lines(seed ^ 1, qkv.len()), &qkv] {
                kernels.run(Attention { heads, qkv, context: &mut context, width, scratch: &mut scratch });
            }
            bits(&context)
        }));
    }
}

fn numbers_as_lines(seed: u64, count: usize) -> Vec<Floats> {
    lines(&numbers(seed, count * LANES, 5.0))
}

#[test]
fn halves_are_rounded_to_even() {
    let of = |bits: u32| bf16::round(f32::from_bits(bits));
    assert_eq!(
        [0x3f80_8000, 0x3f80_8001, 0x3f81_7fff, 0x3f81_8000].map(of),
        [0x3f80, 0x3f81, 0x3f81, 0x3f82]
    );
    assert_eq!(
        [0.0, -0.0, -2.5].map(|value| bf16::widen(bf16::round(value)).to_bits()),
        [0.0_f32, -0.0, -2.5].map(f32::to_bits)
    );
}

#[test]
fn a_product_of_bytes_is_near_the_exact_one() {
    let (rows, inputs, outputs) = (25, 384, 48);
    let weights = numbers(1, inputs * outputs, 0.1);
    let bias = numbers(2, outputs, 1.0);
    let values = numbers(3, rows * inputs, 2.0);
    let kernels = Kernels::new(None).unwrap();
    let mut quantized = Quantized::default();
    quantized.shape(rows, inputs / LANES, kernels);
    kernels.run(QuantizeRows { rows: &lines(&values), width: inputs / LANES, out: &mut quantized });
    let packed = IntWeights::new(&weights, &bias);
    let mut out = vec![Floats::ZERO; rows * outputs / LANES];
    kernels.int_product(IntProduct {
        weights: &packed,
        input: &quantized,
        first: 0,
        out: &mut out,
        then: Then::Store,
    });
    for (row, out) in values.chunks_exact(inputs).zip(out.chunks_exact(outputs / LANES)) {
        let out = out.iter().flat_map(|line| line.0);
        for ((weights, bias), out) in weights.chunks_exact(inputs).zip(&bias).zip(out) {
            let exact: f32 = row.iter().zip(weights).map(|(a, w)| a * w).sum();
            assert!((out - exact - bias).abs() < 0.03, "{out} is not {}", exact + bias);
        }
    }
}

struct Apply<'a> {
    values: &'a mut [Floats],
    tanh: bool,
}

impl Op for Apply<'_> {
    #[inline(always)]
    fn run<S: Isa>(self, isa: S) {
        for line in self.values {
            let value = isa.load(line);
            let value =
                if self.tanh { functions::gelu_tanh(isa, value) } else { functions::gelu(isa, value) };
            isa.store(value, line);
        }
    }
}

#[test]
fn activations_are_near_their_definition() {
    let xs: Vec<f32> = (-16_000..16_000).map(|n| n as f32 / 1000.0).collect();
    for tanh in [false, true] {
        let mut values = lines(&xs);
        Kernels::new(None).unwrap().run(Apply { values: &mut values, tanh });
        for (x, y) in xs.iter().zip(values.iter().flat_map(|line| line.0)) {
            let x = f64::from(*x);
            let inner =
                if tanh { (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044_715 * x.powi(3)) } else { x };
            let exact = match (tanh, x.abs() > 5.0) {
                (true, _) => x * 0.5 * (1.0 + inner.tanh()),
                (false, true) => x.max(0.0),
                (false, false) => crate::testing::gelu(x),
            };
            assert!((exact - f64::from(y)).abs() < 5e-6, "{x}: {y}, not {exact}");
        }
    }
}

#[test]
fn operations_are_counted_on_every_path() {
    for precision in Precision::ALL {
        for cpu in Cpu::ALL.into_iter().filter(|&cpu| Kernels::new(Some(cpu)).is_ok()) {
            let [one, three] = [1, 3].map(|rounds| cpu.burn(precision, rounds).unwrap());
            assert!(one >= 2.0 * 4.0 * 16.0 && three == 3.0 * one, "{cpu} {precision}: {one}, {three}");
        }
    }
}

#[test]
fn an_instruction_set_is_forced_by_its_name_alone() {
    for cpu in Cpu::ALL {
        assert_eq!(cpu.to_string().parse::<Cpu>().unwrap(), cpu);
        match Kernels::new(Some(cpu)) {
            Ok(kernels) => assert_eq!(kernels.cpu(), cpu),
            Err(error) => assert!(error.to_string().contains(&format!("cannot do {cpu}")), "{error}"),
        }
    }
    // So that no path is left untested on a machine that is able to.
    let emulated = Cpu::available().contains(&Cpu::Avx512) && cfg!(target_os = "linux");
    assert!(!emulated || Kernels::new(Some(Cpu::Amx)).is_ok());
    let message = "avx1024".parse::<Cpu>().unwrap_err().to_string();
    assert_eq!(message, "TANDEM_CPU is \"avx1024\"; it must be amx, avx512, avx2, neon or portable");
    assert_eq!(Cpu::available().last(), Some(&Cpu::Portable));
    assert_eq!(Kernels::new(None).unwrap().cpu(), Cpu::available()[0]);
}
