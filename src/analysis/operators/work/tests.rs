use super::*;
use crate::record::NodeProfile;
use crate::units::Nanos;

fn shape(element_type: &str, dims: &[u64]) -> TensorShape {
    TensorShape { element_type: element_type.into(), dims: dims.to_vec() }
}

fn node(operator: &str, inputs: &[TensorShape], output: TensorShape) -> NodeProfile {
    NodeProfile {
        name: "node".into(),
        node_index: Some(0),
        operator: operator.into(),
        execution_provider: "CPUExecutionProvider".into(),
        calls_count: 1,
        time_ns: Nanos(1000),
        inputs: Some(inputs.to_vec()),
        outputs: Some(vec![output]),
        activation_bytes: None,
        parameter_bytes: None,
        output_bytes: None,
        arena_peak_bytes: None,
    }
}

fn operations(operator: &str, inputs: &[TensorShape], output: TensorShape) -> u64 {
    work(&node(operator, inputs, output)).unwrap().operations_count
}

#[test]
fn lists_are_sorted() {
    assert!(ELEMENTWISE.is_sorted() && PER_INPUT.is_sorted() && MOVES.is_sorted());
    assert!(SEVERAL.is_sorted_by_key(|(name, _)| *name));
}

#[test]
fn a_convolution_of_digits_has_36_864_products_a_place() {
    // The third convolution of digits fp32: 64 outputs of 8 x 8, each the sum over 64 channels of 3 x 3.
    let inputs = [shape("float", &[1, 64, 8, 8]), shape("float", &[64, 64, 3, 3]), shape("float", &[64])];
    assert_eq!(operations("Conv", &inputs, shape("float", &[1, 64, 8, 8])), 2 * 4096 * 576);
}

#[test]
fn a_convolution_of_milliseconds_has_302_million_operations() {
    // 32 x 128 x 128 outputs, each the sum over 32 channels of 3 x 3: 2 * 524,288 * 288.
    let inputs = [shape("float", &[1, 32, 128, 128]), shape("float", &[32, 32, 3, 3])];
    assert_eq!(operations("Conv", &inputs, shape("float", &[1, 32, 128, 128])), 301_989_888);
}

#[test]
fn a_grouped_convolution_computes_with_its_groups_channels_alone() {
    // 64 channels in 64 groups: 9 products an output element.
    let inputs = [shape("float", &[1, 64, 8, 8]), shape("float", &[64, 1, 3, 3])];
    assert_eq!(operations("Conv", &inputs, shape("float", &[1, 64, 8, 8])), 2 * 4096 * 9);
}

#[test]
fn a_batch_multiplies_what_is_computed() {
    // Eight samples of the first convolution of digits, fused with an addition in the layout of blocked channels: 32
    // outputs of 8 x 8, each the sum over 3 x 3, and what is added begins with the batch as well.
    let added = shape("float", &[8, 32, 8, 8]);
    let inputs = [shape("float", &[8, 1, 8, 8]), shape("float", &[32, 1, 3, 3]), shape("float", &[32]), added.clone()];
    assert_eq!(operations("Conv", &inputs, added), 8 * 2 * 2048 * 9);
    // Its last dense layer, and the same with the first matrix transposed.
    assert_eq!(operations("Gemm", &[shape("float", &[8, 128])], shape("float", &[8, 10])), 2 * 8 * 10 * 128);
    assert_eq!(operations("Gemm", &[shape("float", &[128, 8])], shape("float", &[8, 10])), 2 * 8 * 10 * 128);
    let scores = [shape("float", &[8, 12, 128, 64]), shape("float", &[8, 12, 128, 64])];
    assert_eq!(operations("FusedMatMul", &scores, shape("float", &[8, 12, 128, 128])), 2 * 8 * 12 * 128 * 128 * 64);
}

#[test]
fn a_quantized_convolution_reads_its_weight_behind_scales_and_zero_points() {
    let scalar = |kind| shape(kind, &[]);
    let inputs = [
        shape("uint8", &[1, 8, 8, 32]),
        scalar("float"),
        scalar("uint8"),
        shape("int8", &[64, 32, 3, 3]),
        shape("float", &[64]),
        shape("int8", &[64]),
        scalar("float"),
        scalar("uint8"),
        shape("int32", &[64]),
    ];
    let found = work(&node("QLinearConv", &inputs, shape("uint8", &[1, 8, 8, 64]))).unwrap();
    assert_eq!(found, Work { operations_count: 2 * 4096 * 288, arithmetic: Arithmetic::Integer });
    let packed = [&inputs[..3], &inputs[4..]].concat();
    assert!(work(&node("QLinearConv", &packed, shape("uint8", &[1, 8, 8, 64]))).is_err());
}

#[test]
fn a_product_needs_its_first_matrix_alone() {
    // The first dense layer of digits: 2048 x 128.
    let inputs = [shape("float", &[1, 2048]), shape("float", &[128])];
    assert_eq!(operations("FusedGemm", &inputs, shape("float", &[1, 128])), 2 * 2048 * 128);
    // Transposed: 2048 x 8 against 2048 x 128.
    assert_eq!(operations("Gemm", &[shape("float", &[2048, 8])], shape("float", &[8, 128])), 2 * 8 * 128 * 2048);
    // Attention scores of 4 heads: (4, 128, 16) x (4, 16, 128).
    let scores = [shape("float", &[1, 4, 128, 16]), shape("float", &[1, 4, 16, 128])];
    assert_eq!(operations("MatMul", &scores, shape("float", &[1, 4, 128, 128])), 2 * 65_536 * 16);
    let fused = work(&node("FusedMatMul", &[shape("float", &[4, 16])], shape("float", &[8, 4, 2])));
    assert!(fused.unwrap_err().contains("broadcast"));
    // One matrix for a batch of 8.
    let broadcast = [shape("float", &[4, 16]), shape("float", &[8, 16, 2])];
    assert_eq!(operations("MatMul", &broadcast, shape("float", &[8, 4, 2])), 2 * 64 * 16);
}

#[test]
fn attention_of_the_standard_multiplies_every_query_with_every_key() {
    // 2 samples of 5 queries of 8 over 7 keys: 2 * 5 * 7 pairs, each a product and a weighted sum over 8.
    let keys = [2, 7, 8];
    let inputs = [shape("float", &[2, 5, 8]), shape("float", &keys), shape("float", &keys)];
    assert_eq!(operations("Attention", &inputs, shape("float", &[2, 5, 8])), 4 * 2 * 5 * 7 * 8);
    let heads = |length| shape("float", &[2, 2, length, 4]);
    let kept = [heads(5), heads(7), heads(7), shape("float", &[5, 16]), heads(9), heads(9)];
    assert_eq!(operations("Attention", &kept, heads(5)), 4 * 2 * 5 * 16 * 8);
}

#[test]
fn attention_is_projection_scores_and_sums() {
    let inputs = [shape("float", &[1, 128, 64]), shape("float", &[64, 192]), shape("float", &[192])];
    let expected = 2 * 128 * 64 * 192 + 2 * (2 * 128 * 128 * 64);
    assert_eq!(operations("Attention", &inputs, shape("float", &[1, 128, 64])), expected);
}

#[test]
fn a_recurrence_multiplies_both_weights_in_every_step() {
    let inputs = [shape("float", &[10, 2, 8]), shape("float", &[1, 64, 8]), shape("float", &[1, 64, 16])];
    assert_eq!(operations("LSTM", &inputs, shape("float", &[10, 1, 2, 16])), 2 * 10 * 2 * (512 + 1024));
    let states = [shape("float", &[10, 2, 8]), shape("float", &[1, 2, 16]), shape("float", &[1, 2, 16])];
    assert!(work(&node("LSTM", &states, shape("float", &[10, 1, 2, 16]))).is_err());
}

#[test]
fn moves_compute_nothing_and_unknown_operators_are_said() {
    assert_eq!(operations("Reshape", &[shape("float", &[8])], shape("float", &[2, 4])), 0);
    assert_eq!(operations("Relu", &[shape("float", &[8])], shape("float", &[8])), 8);
    assert_eq!(operations("Softmax", &[shape("float", &[8])], shape("float", &[8])), 32);
    assert!(work(&node("Mystery", &[], shape("float", &[8]))).unwrap_err().contains("`Mystery`"));
    let unknown = NodeProfile { inputs: None, ..node("Relu", &[], shape("float", &[8])) };
    assert!(work(&unknown).is_err());
}
