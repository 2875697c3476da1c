use super::*;
use crate::record::NodeProfile;

fn shape(element_type: &str, dims: &[u64]) -> TensorShape {
    TensorShape {
        element_type: element_type.into(),
        dims: dims.to_vec(),
    }
}

fn node(operator: &str, inputs: &[TensorShape], output: TensorShape) -> NodeProfile {
    NodeProfile {
        operator: operator.into(),
        inputs: Some(inputs.to_vec()),
        outputs: Some(vec![output]),
        ..NodeProfile::default()
    }
}

/// Work in float on inputs of these sizes.
fn found(operator: &str, inputs: &[&[u64]], output: &[u64]) -> Observed<Work> {
    work(&node(
        operator,
        &inputs
            .iter()
            .map(|dims| shape("float", dims))
            .collect::<Vec<_>>(),
        shape("float", output),
    ))
}

fn computes(operator: &str, inputs: &[&[u64]], output: &[u64], operations: u64) {
    assert_eq!(
        found(operator, inputs, output).unwrap().operations_count,
        operations,
        "{operator}: {inputs:?}"
    );
}

#[test]
fn a_convolution_computes_what_its_weight_holds_for_each_output() {
    // The third convolution of digits fp32: 64 outputs of 8 x 8, each the sum over 64 channels of 3
    // x 3.
    computes(
        "Conv",
        &[&[1, 64, 8, 8], &[64, 64, 3, 3], &[64]],
        &[1, 64, 8, 8],
        2 * 4096 * 576,
    );
    // 32 x 128 x 128 outputs, each the sum over 32 channels of 3 x 3: 2 * 524,288 * 288.
    computes(
        "Conv",
        &[&[1, 32, 128, 128], &[32, 32, 3, 3]],
        &[1, 32, 128, 128],
        301_989_888,
    );
    // 64 channels in 64 groups: 9 products an output element.
    computes(
        "Conv",
        &[&[1, 64, 8, 8], &[64, 1, 3, 3]],
        &[1, 64, 8, 8],
        2 * 4096 * 9,
    );
}

#[test]
fn a_batch_multiplies_what_is_computed() {
    // Eight samples of the first convolution of digits, fused with an addition in the layout of
    // blocked channels: 32 outputs of 8 x 8, each the sum over 3 x 3, and what is added begins with
    // the batch as well.
    computes(
        "Conv",
        &[&[8, 1, 8, 8], &[32, 1, 3, 3], &[32], &[8, 32, 8, 8]],
        &[8, 32, 8, 8],
        8 * 2 * 2048 * 9,
    );
    // Its last dense layer, and the same with the first matrix transposed.
    computes("Gemm", &[&[8, 128]], &[8, 10], 2 * 8 * 10 * 128);
    computes("Gemm", &[&[128, 8]], &[8, 10], 2 * 8 * 10 * 128);
    computes(
        "FusedMatMul",
        &[&[8, 12, 128, 64], &[8, 12, 128, 64]],
        &[8, 12, 128, 128],
        2 * 8 * 12 * 128 * 128 * 64,
    );
}

#[test]
fn a_quantized_convolution_reads_its_weight_behind_scales_and_zero_points() {
    let inputs = [
        shape("uint8", &[1, 8, 8, 32]),
        shape("float", &[]),
        shape("uint8", &[]),
        shape("int8", &[64, 32, 3, 3]),
        shape("float", &[64]),
        shape("int8", &[64]),
        shape("float", &[]),
        shape("uint8", &[]),
        shape("int32", &[64]),
    ];
    let [all, packed] = [inputs.to_vec(), [&inputs[..3], &inputs[4..]].concat()].map(|inputs| {
        work(&node(
            "QLinearConv",
            &inputs,
            shape("uint8", &[1, 8, 8, 64]),
        ))
    });
    let expected = Work {
        operations_count: 2 * 4096 * 288,
        arithmetic: Arithmetic::Integer,
    };
    assert_eq!(all, Ok(expected));
    assert!(packed.is_err());
}

#[test]
fn a_product_needs_its_first_matrix_alone() {
    // The first dense layer of digits: 2048 x 128.
    computes(
        "FusedGemm",
        &[&[1, 2048], &[128]],
        &[1, 128],
        2 * 2048 * 128,
    );
    // Transposed: 2048 x 8 against 2048 x 128.
    computes("Gemm", &[&[2048, 8]], &[8, 128], 2 * 8 * 128 * 2048);
    // Attention scores of 4 heads: (4, 128, 16) x (4, 16, 128).
    computes(
        "MatMul",
        &[&[1, 4, 128, 16], &[1, 4, 16, 128]],
        &[1, 4, 128, 128],
        2 * 65_536 * 16,
    );
    let broadcast = found("FusedMatMul", &[&[4, 16]], &[8, 4, 2]);
    assert!(broadcast.unwrap_err().contains("broadcast"));
    // One matrix for a batch of 8.
    computes("MatMul", &[&[4, 16], &[8, 16, 2]], &[8, 4, 2], 2 * 64 * 16);
}

#[test]
fn attention_is_scores_and_sums_of_every_query_and_key_with_its_projection_where_it_has_one() {
    // 2 samples of 5 queries of 8 over 7 keys: 2 * 5 * 7 pairs, each a product and a weighted sum
    // over 8.
    computes(
        "Attention",
        &[&[2, 5, 8], &[2, 7, 8], &[2, 7, 8]],
        &[2, 5, 8],
        4 * 2 * 5 * 7 * 8,
    );
    let [queries, keys, kept] = [5, 7, 9].map(|length| [2, 2, length, 4]);
    computes(
        "Attention",
        &[&queries, &keys, &keys, &[5, 16], &kept, &kept],
        &queries,
        4 * 2 * 5 * 16 * 8,
    );
    computes(
        "Attention",
        &[&[1, 128, 64], &[64, 192], &[192]],
        &[1, 128, 64],
        2 * 128 * 64 * 192 + 2 * (2 * 128 * 128 * 64),
    );
}

#[test]
fn a_recurrence_multiplies_both_weights_in_every_step() {
    let output = [10, 1, 2, 16];
    computes(
        "LSTM",
        &[&[10, 2, 8], &[1, 64, 8], &[1, 64, 16]],
        &output,
        2 * 10 * 2 * (512 + 1024),
    );
    assert!(found("LSTM", &[&[10, 2, 8], &[1, 2, 16], &[1, 2, 16]], &output).is_err());
}

#[test]
fn moves_compute_nothing_and_unknown_operators_are_said() {
    computes("Reshape", &[&[8]], &[2, 4], 0);
    computes("Relu", &[&[8]], &[8], 8);
    computes("Softmax", &[&[8]], &[8], 32);
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
