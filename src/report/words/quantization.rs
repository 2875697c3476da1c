//! How a model is quantized, in words.

use crate::record::{Granularity, Quantization, QuantizationFormat};
use crate::report::words::{counted_noun, number};

/// How a model is quantized: format, types, scales, and how many matrix nodes it is about.
#[must_use]
pub fn quantization(found: &Quantization) -> String {
    let pairs = found.qdq_pairs_count;
    let mut parts = vec![format(found).to_owned()];
    parts.extend(nodes_and_types(found));
    parts.extend((pairs > 0).then(|| {
        format!(
            "{} of quantize and dequantize nodes",
            counted_noun(pairs, "pair")
        )
    }));
    parts.join(", ")
}

/// Types with their scales, and the nodes that have them.
fn nodes_and_types(found: &Quantization) -> Vec<String> {
    match found.format {
        QuantizationFormat::None => Vec::new(),
        QuantizationFormat::Float16 => {
            let kind = found
                .weights
                .map(|kind| kind.to_string())
                .unwrap_or_else(|| "half precision".into());
            vec![format!("{} in {kind}", nodes(found))]
        }
        QuantizationFormat::Qdq
        | QuantizationFormat::QOperator
        | QuantizationFormat::Dynamic
        | QuantizationFormat::WeightOnly => {
            let weights = found
                .weights
                .map(|kind| format!("{kind} weights {}", scales(found)));
            let symmetry = symmetry(found.activations_symmetric);
            let activations = found
                .activations
                .map(|kind| format!("{kind} activations{symmetry}"));
            weights
                .into_iter()
                .chain(activations)
                .chain([nodes(found)])
                .collect()
        }
    }
}

/// `12 of 14 matrix nodes`.
fn nodes(found: &Quantization) -> String {
    let reduced = found.reduced_matrix_nodes_count;
    let all = reduced + found.full_precision_matrix_nodes_count;
    format!(
        "{} of {}",
        number::count(reduced),
        counted_noun(all, "matrix node")
    )
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
