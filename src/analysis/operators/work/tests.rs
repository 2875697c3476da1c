use super::*;
use crate::record::NodeProfile;

fn shape(element_type: &str, dims: &[u64]) -> TensorShape {
    TensorShape {
        element_type: element_type.into(),
        dims: dims.to_vec(),
    }
}

fn node(operator: &str, inputs: &[TensorShape], output: TensorShape) -> NodeProfile {
    let (inputs, outputs) = (Some(inputs.to_vec()), Some(vec![output]));
    NodeProfile {
        operator: operator.into(),
        inputs,
        outputs,
        ..NodeProfile::default()
    }
}

/// Work in float on inputs of these sizes.
fn found(operator: &str, inputs: &[&[u64]], output: &[u64]) -> Observed<Work> {
    let inputs: Vec<TensorShape> = inputs.iter().map(|dims| shape("float", dims)).collect();
    work(&node(operator, &inputs, shape("float", output)))
}

fn operations(operator: &str, inputs: &[&[u64]], output: &[u64]) -> u64 {
    found(operator, inputs, output).unwrap().operations_count
}

#[test]
fn a_convolution_computes_what_its_weight_holds_for_each_output() {
    // The third convolution of digits fp32: 64 outputs of 8 x 8, each the sum over 64 channels of 3
    // x 3.
    let third = operations(
        "Conv",
        &[&[1, 64, 8, 8], &[64, 64, 3, 3], &[64]],
        &[1, 64, 8, 8],
    );
    assert_eq!(third, 2 * 4096 * 576);
    // 32 x 128 x 128 outputs, each the sum over 32 channels of 3 x 3: 2 * 524,288 * 288.
    let of_milliseconds = operations(
        "Conv",
        &[&[1, 32, 128, 128], &[32, 32, 3, 3]],
        &[1, 32, 128, 128],
    );
    assert_eq!(of_milliseconds, 301_989_888);
    // 64 channels in 64 groups: 9 products an output element.
    assert_eq!(
        operations("Conv", &[&[1, 64, 8, 8], &[64, 1, 3, 3]], &[1, 64, 8, 8]),
        2 * 4096 * 9
    );
}

#[test]
fn a_batch_multiplies_what_is_computed() {
    // Eight samples of the first convolution of digits, fused with an addition in the layout of
    // blocked channels: 32 outputs of 8 x 8, each the sum over 3 x 3, and what is added begins with
    // the batch as well.
    let inputs: [&[u64]; 4] = [&[8, 1, 8, 8], &[32, 1, 3, 3], &[32], &[8, 32, 8, 8]];
    assert_eq!(
        operations("Conv", &inputs, &[8, 32, 8, 8]),
        8 * 2 * 2048 * 9
    );
    // Its last dense layer, and the same with the first matrix transposed.
    assert_eq!(operations("Gemm", &[&[8, 128]], &[8, 10]), 2 * 8 * 10 * 128);
    assert_eq!(operations("Gemm", &[&[128, 8]], &[8, 10]), 2 * 8 * 10 * 128);
    let scores = operations(
        "FusedMatMul",
        &[&[8, 12, 128, 64], &[8, 12, 128, 64]],
        &[8, 12, 128, 128],
    );
    assert_eq!(scores, 2 * 8 * 12 * 128 * 128 * 64);
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
    let found = work(&node(
        "QLinearConv",
        &inputs,
        shape("uint8", &[1, 8, 8, 64]),
    ))
    .unwrap();
    assert_eq!(
        found,
        Work {
            operations_count: 2 * 4096 * 288,
            arithmetic: Arithmetic::Integer
        }
    );
    let packed = [&inputs[..3], &inputs[4..]].concat();
    assert!(
        work(&node(
            "QLinearConv",
            &packed,
            shape("uint8", &[1, 8, 8, 64])
        ))
        .is_err()
    );
}

#[test]
fn a_product_needs_its_first_matrix_alone() {
    // The first dense layer of digits: 2048 x 128.
    assert_eq!(
        operations("FusedGemm", &[&[1, 2048], &[128]], &[1, 128]),
        2 * 2048 * 128
    );
    // Transposed: 2048 x 8 against 2048 x 128.
    assert_eq!(
        operations("Gemm", &[&[2048, 8]], &[8, 128]),
        2 * 8 * 128 * 2048
    );
    // Attention scores of 4 heads: (4, 128, 16) x (4, 16, 128).
    assert_eq!(
        operations(
            "MatMul",
            &[&[1, 4, 128, 16], &[1, 4, 16, 128]],
            &[1, 4, 128, 128]
        ),
        2 * 65_536 * 16
    );
    assert!(
        found("FusedMatMul", &[&[4, 16]], &[8, 4, 2])
            .unwrap_err()
            .contains("broadcast")
    );
    // One matrix for a batch of 8.
    assert_eq!(
        operations("MatMul", &[&[4, 16], &[8, 16, 2]], &[8, 4, 2]),
        2 * 64 * 16
    );
}

#[test]
fn attention_is_scores_and_sums_of_every_query_and_key_with_its_projection_where_it_has_one() {
    // 2 samples of 5 queries of 8 over 7 keys: 2 * 5 * 7 pairs, each a product and a weighted sum
    // over 8.
    assert_eq!(
        operations(
            "Attention",
            &[&[2, 5, 8], &[2, 7, 8], &[2, 7, 8]],
            &[2, 5, 8]
        ),
        4 * 2 * 5 * 7 * 8
    );
    let heads = |length| [2, 2, length, 4];
    let kept: [&[u64]; 6] = [
        &heads(5),
        &heads(7),
        &heads(7),
        &[5, 16],
        &heads(9),
        &heads(9),
    ];
    assert_eq!(
        operations("Attention", &kept, &heads(5)),
        4 * 2 * 5 * 16 * 8
    );
    let expected = 2 * 128 * 64 * 192 + 2 * (2 * 128 * 128 * 64);
    assert_eq!(
        operations(
            "Attention",
            &[&[1, 128, 64], &[64, 192], &[192]],
            &[1, 128, 64]
        ),
        expected
    );
}

#[test]
fn a_recurrence_multiplies_both_weights_in_every_step() {
    let weights = operations(
        "LSTM",
        &[&[10, 2, 8], &[1, 64, 8], &[1, 64, 16]],
        &[10, 1, 2, 16],
    );
    assert_eq!(weights, 2 * 10 * 2 * (512 + 1024));
    assert!(
        found(
            "LSTM",
            &[&[10, 2, 8], &[1, 2, 16], &[1, 2, 16]],
            &[10, 1, 2, 16]
        )
        .is_err()
    );
}

#[test]
fn moves_compute_nothing_and_unknown_operators_are_said() {
    assert_eq!(operations("Reshape", &[&[8]], &[2, 4]), 0);
    assert_eq!(operations("Relu", &[&[8]], &[8]), 8);
    assert_eq!(operations("Softmax", &[&[8]], &[8]), 32);
    assert!(
        found("Mystery", &[], &[8])
            .unwrap_err()
            .contains("`Mystery`")
    );
    let unknown = NodeProfile {
        inputs: None,
        ..node("Relu", &[], shape("float", &[8]))
    };
    assert!(work(&unknown).is_err());
}
