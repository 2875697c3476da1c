//! How a model is quantized, in words.

use crate::record::{Granularity, Quantization, QuantizationFormat};
use crate::report::words::{number, plural};

/// How a model is quantized: format, types, scales, and how many matrix nodes it is about.
#[must_use]
pub fn quantization(found: &Quantization) -> String {
    let reduced = found.reduced_matrix_nodes_count;
    let all = reduced + found.full_precision_matrix_nodes_count;
    let nodes = format!(
        "{} of {} matrix node{}",
        number::count(reduced),
        number::count(all),
        plural(all)
    );
    let mut parts = vec![format(found).to_owned()];
    match found.format {
        QuantizationFormat::None => {}
        QuantizationFormat::Float16 => {
            let kind = found
                .weights
                .map_or("half precision".into(), |kind| kind.to_string());
            parts.push(format!("{nodes} in {kind}"));
        }
        _ => {
            parts.extend(
                found
                    .weights
                    .map(|kind| format!("{} weights {}", kind, scales(found))),
            );
            let symmetry = symmetry(found.activations_symmetric);
            parts.extend(
                found
                    .activations
                    .map(|kind| format!("{kind} activations{symmetry}")),
            );
            parts.push(nodes);
        }
    }
    if found.qdq_pairs_count > 0 {
        let pairs = found.qdq_pairs_count;
        parts.push(format!(
            "{} pair{} of quantize and dequantize nodes",
            number::count(pairs),
            plural(pairs)
        ));
    }
    parts.join(", ")
}

fn format(found: &Quantization) -> &'static str {
    match found.format {
        QuantizationFormat::Qdq => "quantize and dequantize nodes (QDQ)",
        QuantizationFormat::QOperator => "operators on integers (QOperator)",
        QuantizationFormat::Dynamic => "dynamic",
        QuantizationFormat::WeightOnly => "weights only",
        QuantizationFormat::Float16 => "half precision",
        QuantizationFormat::None => "none",
    }
}

fn scales(found: &Quantization) -> String {
    let granularity = match found.granularity {
        Some(Granularity::PerTensor) => "per tensor",
        Some(Granularity::PerChannel) => "per channel",
        Some(Granularity::PerBlock) => "per block",
        Some(Granularity::Mixed) => "per tensor and per channel",
        None => "with scales that the graph does not tell",
    };
    format!("{granularity}{}", symmetry(found.weights_symmetric))
}

fn symmetry(symmetric: Option<bool>) -> &'static str {
    match symmetric {
        Some(true) => " (symmetric)",
        Some(false) => " (asymmetric)",
        None => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::ElementType;

    #[test]
    fn scheme_is_told_in_one_line() {
        let found = Quantization {
            format: QuantizationFormat::Qdq,
            weights: Some(ElementType::Int8),
            activations: Some(ElementType::Uint8),
            granularity: Some(Granularity::PerChannel),
            weights_symmetric: Some(true),
            activations_symmetric: Some(false),
            reduced_matrix_nodes_count: 3,
            full_precision_matrix_nodes_count: 1,
            qdq_pairs_count: 5,
        };
        assert_eq!(
            quantization(&found),
            "quantize and dequantize nodes (QDQ), int8 weights per channel (symmetric), uint8 activations (asymmetric), \
             3 of 4 matrix nodes, 5 pairs of quantize and dequantize nodes"
        );
    }
}
