//! Which instructions an arithmetic wants, and which of them the processor has.

use super::explanation::{Instructions, ReducedArithmetic};
use crate::plan::ElementType;
use crate::record::{Quantization, QuantizationFormat, RunRecord};

/// Extensions for an arithmetic on an architecture, by the kernel's names, the fastest first. Sums
/// of 8-bit products in 32 bits: Intel's AMX and VNNI, ARM's i8mm and dot products
/// (`onnxruntime/core/mlas/lib/platform.cpp` chooses kernels by them). Half-precision arithmetic:
/// AVX512-FP16 and AMX-FP16, ARM's half-precision vectors.
const WANTED: [(&str, ReducedArithmetic, &[&str]); 4] = [
    (
        "x86_64",
        ReducedArithmetic::Int8,
        &["amx_int8", "avx512_vnni", "avx_vnni"],
    ),
    (
        "x86_64",
        ReducedArithmetic::Float16,
        &["amx_fp16", "avx512_fp16"],
    ),
    (
        "aarch64",
        ReducedArithmetic::Int8,
        &["i8mm", "svei8mm", "asimddp"],
    ),
    ("aarch64", ReducedArithmetic::Float16, &["asimdhp"]),
];

/// An arithmetic that ONNX Runtime has no kernels for on an architecture, whatever the processor:
/// half precision is computed on ARM alone (`MlasFp16AccelerationSupported` in
/// `onnxruntime/core/mlas/lib/halfgemm.cpp`, 1.31).
const WITHOUT_KERNELS: (&str, ReducedArithmetic) = ("x86_64", ReducedArithmetic::Float16);

/// `None` where its arithmetic needs none, and where processor or architecture are not known.
pub(super) fn instructions(
    record: &RunRecord,
    session: usize,
    quantization: Option<&Quantization>,
) -> Option<Instructions> {
    let quantization = quantization.filter(|_| !record.plan.sessions[session].is_accelerated())?;
    let arithmetic = reduced_arithmetic(quantization)?;
    let architecture = record.host.architecture.exact();
    let flags = &record.host.cpu.isa_flags;
    let wanted = wanted(architecture, arithmetic).filter(|_| !flags.is_empty())?;
    let present: Vec<&'static str> = wanted
        .iter()
        .copied()
        .filter(|wanted| flags.iter().any(|flag| flag == wanted))
        .collect();
    let saturates = arithmetic == ReducedArithmetic::Int8
        && architecture == "x86_64"
        && present.is_empty()
        && has_mixed_signs(quantization);
    Some(Instructions {
        arithmetic,
        wanted: wanted.to_vec(),
        present,
        has_kernels: (architecture, arithmetic) != WITHOUT_KERNELS,
        saturates,
    })
}

fn reduced_arithmetic(quantization: &Quantization) -> Option<ReducedArithmetic> {
    match quantization.format {
        QuantizationFormat::Qdq | QuantizationFormat::QOperator | QuantizationFormat::Dynamic => {
            Some(ReducedArithmetic::Int8)
        }
        QuantizationFormat::Float16 => Some(ReducedArithmetic::Float16),
        QuantizationFormat::WeightOnly | QuantizationFormat::None => None,
    }
}

fn wanted(architecture: &str, arithmetic: ReducedArithmetic) -> Option<&'static [&'static str]> {
    WANTED.iter().find_map(|&(name, wants, wanted)| {
        ((name, wants) == (architecture, arithmetic)).then_some(wanted)
    })
}

fn has_mixed_signs(quantization: &Quantization) -> bool {
    (quantization.activations, quantization.weights)
        == (Some(ElementType::Uint8), Some(ElementType::Int8))
}
