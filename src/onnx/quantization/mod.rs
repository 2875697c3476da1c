//! How a model is quantized: which nodes, in which types, and by which scales.

mod found;
mod scan;
mod scheme;

use found::Found;
use scan::Scan;

use super::Model;
use crate::record::Quantization;

pub(super) fn quantization(model: &Model) -> Quantization {
    let mut found = Found::default();
    for graph in model.all_graphs() {
        Scan::new(graph).note_all(&graph.nodes, &mut found);
    }
    found.summed_up()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::plan::ElementType;
    use crate::record::{Granularity, QuantizationFormat};

    fn of(model: &str) -> Quantization {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("models")
            .join(model);
        quantization(&crate::onnx::read(&path).unwrap())
    }

    #[test]
    fn static_quantization_by_pairs_is_read() {
        let expected = Quantization {
            format: QuantizationFormat::Qdq,
            weights: Some(ElementType::Int8),
            activations: Some(ElementType::Uint8),
            granularity: Some(Granularity::PerChannel),
            weights_symmetric: Some(true),
            activations_symmetric: Some(false),
            reduced_matrix_nodes_count: 6,
            full_precision_matrix_nodes_count: 0,
            qdq_pairs_count: 9,
        };
        assert_eq!(of("digits/digits-int8-static.onnx"), expected);
    }

    #[test]
    fn dynamic_quantization_hinto_activations_without_fixed_zero_points() {
        let found = of("digits/digits-int8-dynamic.onnx");
        let expected = Quantization {
            format: QuantizationFormat::Dynamic,
            weights: Some(ElementType::Uint8),
            activations: Some(ElementType::Uint8),
            granularity: Some(Granularity::PerTensor),
            weights_symmetric: Some(false),
            activations_symmetric: None,
            reduced_matrix_nodes_count: 6,
            full_precision_matrix_nodes_count: 0,
            ..found
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn operators_on_integers_and_blocks_are_told_apart() {
        let found = of("fixtures/qoperator.onnx");
        let expected = Quantization {
            format: QuantizationFormat::QOperator,
            weights: Some(ElementType::Int8),
            activations: Some(ElementType::Uint8),
            ..found
        };
        assert_eq!(found, expected);
        let found = of("fixtures/int4-block.onnx");
        let expected = Quantization {
            format: QuantizationFormat::WeightOnly,
            weights: Some(ElementType::Uint4),
            granularity: Some(Granularity::PerBlock),
            reduced_matrix_nodes_count: 2,
            ..found
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn models_in_floating_point_are_not_quantized() {
        let half = of("digits/digits-fp16.onnx");
        let expected = Quantization {
            format: QuantizationFormat::Float16,
            weights: Some(ElementType::Float16),
            granularity: None,
            reduced_matrix_nodes_count: 6,
            ..half
        };
        assert_eq!(half, expected);
        let full = of("digits/digits-fp32.onnx");
        let expected = Quantization {
            format: QuantizationFormat::None,
            weights: None,
            reduced_matrix_nodes_count: 0,
            full_precision_matrix_nodes_count: 6,
            ..full
        };
        assert_eq!(full, expected);
    }
}
