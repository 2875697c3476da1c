//! Bytes that a node moves, with the weights that a trace leaves out.

use super::formula::Formula;
use super::work::{NO_WEIGHT, Shapes, times};
use crate::observed::Observed;
use crate::record::{NodeProfile, without_domain};
use crate::units::Bytes;

/// A matrix of few bits takes this share of a byte an element at least; scales and zero points of
/// its blocks, of 16 elements or more, take less.
const FEWEST_BITS: u64 = 8;

/// Bytes that one call reads and writes at least: inputs, weights and outputs, each once.
///
/// A trace leaves out weights that a kernel packed for itself. Of a product they follow from the
/// other shapes: kernels pack matrices of two dimensions alone.
///
/// # Errors
/// Why they are not known, as a lowercase fragment: the trace tells neither them nor what they
/// follow from.
pub fn bytes(node: &NodeProfile) -> Observed<Bytes> {
    let told = node.bytes().ok_or("the trace does not tell its bytes")?;
    // Without shapes nothing says that a weight is missing.
    let Ok(shapes) = Shapes::of(node) else {
        return Ok(told);
    };
    let packed = packed(&shapes, without_domain(node.operator.exact()))?;
    Ok(Bytes(told.0.saturating_add(packed)))
}

/// Bytes of the weights that the trace leaves out.
fn packed(shapes: &Shapes<'_>, operator: &str) -> Observed<u64> {
    match Formula::of(operator) {
        Some(Formula::Product) => packed_matrix(shapes, operator, shapes.inner()?),
        Some(Formula::FlatProduct) => packed_matrix(shapes, operator, shapes.flat_inner()?),
        Some(
            Formula::Convolution
            | Formula::TransposedConvolution
            | Formula::Attention
            | Formula::Recurrence,
        ) => shapes.operations(operator).map(|_| 0),
        Some(Formula::MultiHeadAttention | Formula::PerInput | Formula::PerOutput(_)) | None => {
            Ok(0)
        }
    }
}

/// The second matrix of a product with so many elements in a row of the first one, where no input
/// is large enough to be it.
fn packed_matrix(shapes: &Shapes<'_>, operator: &str, inner: u64) -> Observed<u64> {
    let elements = times(&[inner, columns(shapes)?]);
    let has_few_bits = matches!(operator, "MatMulNBits" | "MatMulBnb4");
    let least = if has_few_bits {
        elements / FEWEST_BITS
    } else {
        elements
    };
    let mut others = shapes.inputs.iter().skip(1);
    if others.any(|input| input.elements_count() >= least) {
        return Ok(0);
    }
    // How many bits an element has is an attribute, which a trace does not hold.
    let element = element_size(shapes, operator).filter(|_| !has_few_bits);
    Ok(times(&[elements, element.ok_or(NO_WEIGHT)?]))
}

/// Columns of the second matrix: a vector has one, and leaves the output a dimension less.
fn columns(shapes: &Shapes<'_>) -> Observed<u64> {
    let rank = shapes.input(0)?.dims.len();
    let output = &shapes.output.dims;
    Ok(if rank > 1 && output.len() < rank {
        1
    } else {
        output.last().copied().unwrap_or(1)
    })
}

/// Bytes of an element of the second matrix: that of the first, unless that is quantized within the
/// operator.
fn element_size(shapes: &Shapes<'_>, operator: &str) -> Option<u64> {
    if operator == "DynamicQuantizeMatMul" {
        return Some(1);
    }
    match shapes.inputs.first()?.element_type.exact() {
        "double" => Some(8),
        "float" => Some(4),
        "float16" | "bfloat16" | "int16" | "uint16" => Some(2),
        "int8" | "uint8" => Some(1),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::TensorShape;

    const KIB: u64 = 1 << 10;

    fn shape(element_type: &str, dims: &[u64]) -> TensorShape {
        TensorShape {
            element_type: element_type.into(),
            dims: dims.to_vec(),
        }
    }

    /// With 32 KiB told.
    fn of(operator: &str, inputs: &[TensorShape], output: TensorShape) -> Observed<u64> {
        let node = NodeProfile {
            operator: operator.into(),
            inputs: Some(inputs.to_vec()),
            outputs: Some(vec![output]),
            activation_bytes: Some(Bytes(16 * KIB)),
            parameter_bytes: Some(Bytes(0)),
            output_bytes: Some(Bytes(16 * KIB)),
            ..NodeProfile::default()
        };
        bytes(&node).map(|bytes| bytes.0)
    }

    #[test]
    fn packed_matrix_of_a_product_follows_from_what_it_is_fed_and_gives() {
        let float = |dims: &[u64]| shape("float", dims);
        let row = float(&[1, 4096]);
        let all = 32 * KIB + 4096 * 4096 * 4;
        for (operator, inputs, output, expected) in [
            ("MatMul", vec![row.clone()], row.clone(), all),
            (
                "FusedGemm",
                vec![row.clone(), row.clone()],
                row.clone(),
                all,
            ),
            // The second matrix is there, or a vector, or one for each of a batch.
            (
                "MatMul",
                vec![row.clone(), float(&[4096, 4096])],
                row.clone(),
                32 * KIB,
            ),
            (
                "MatMul",
                vec![float(&[8, 64]), float(&[64])],
                float(&[8]),
                32 * KIB,
            ),
            (
                "FusedMatMul",
                vec![float(&[2, 8, 64]), float(&[2, 8, 64])],
                float(&[2, 8, 8]),
                32 * KIB,
            ),
            (
                "MatMulIntegerToFloat",
                vec![shape("uint8", &[1, 64]), float(&[1]), float(&[32])],
                float(&[1, 32]),
                32 * KIB + 64 * 32,
            ),
            (
                "DynamicQuantizeMatMul",
                vec![float(&[1, 64]), float(&[32])],
                float(&[1, 32]),
                32 * KIB + 64 * 32,
            ),
            ("Relu", vec![row.clone()], row, 32 * KIB),
        ] {
            assert_eq!(of(operator, &inputs, output), Ok(expected), "{operator}");
        }
    }

    #[test]
    fn packed_weights_that_nothing_tells_leave_the_bytes_unknown() {
        let float = |dims: &[u64]| shape("float", dims);
        let blocks = shape("uint8", &[4096, 128, 16]);
        let scales = float(&[4096 * 128]);
        let row = float(&[1, 4096]);
        for (operator, inputs, output, is_known) in [
            (
                "MatMulNBits",
                vec![row.clone(), scales.clone()],
                &row,
                false,
            ),
            ("MatMulNBits", vec![row.clone(), blocks, scales], &row, true),
            (
                "QLinearConv",
                vec![shape("uint8", &[1, 3, 8, 8]), float(&[]), float(&[16])],
                &float(&[1, 16, 8, 8]),
                false,
            ),
            (
                "LSTM",
                vec![float(&[10, 1, 32])],
                &float(&[10, 1, 1, 64]),
                false,
            ),
            (
                "MatMul",
                vec![shape("complex64", &[1, 8])],
                &float(&[1, 8]),
                false,
            ),
        ] {
            let found = of(operator, &inputs, output.clone());
            assert_eq!(found.is_ok(), is_known, "{operator}: {found:?}");
        }
    }
}
