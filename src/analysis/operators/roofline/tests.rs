use super::super::work::NO_WEIGHT;
use super::*;
use crate::record::{Peak, PeakRates, Profiled, TensorShape};

fn peak(per_sec: f64) -> Observed<Peak> {
    Ok(Peak {
        highest_per_sec: per_sec,
        median_per_sec: per_sec,
        n: 5,
    })
}

/// 50 GFLOP/s, 100 Gop/s, 10 GB/s.
fn machine() -> MachinePeaks {
    MachinePeaks {
        runtime: "library".into(),
        runtime_version: "1.31.1".into(),
        intra_threads: 1,
        rates: PeakRates {
            fp32_flops_per_sec: peak(50e9),
            int8_ops_per_sec: peak(100e9),
            memory_bytes_per_sec: peak(10e9),
        },
        measured_at: "2026-01-01T00:00:00Z".into(),
    }
}

/// A node that takes `time_ns`, of which the profiler cut off half a microsecond.
fn node(operator: &str, time_ns: u64, dims: &[u64]) -> NodeProfile {
    let shape = TensorShape {
        element_type: "float".into(),
        dims: dims.to_vec(),
    };
    let bytes = Some(Bytes(shape.elements_count().saturating_mul(4)));
    NodeProfile {
        operator: operator.into(),
        calls_count: 10,
        time_ns: Nanos(time_ns - 500),
        inputs: Some(vec![shape.clone(); 2]),
        outputs: Some(vec![shape]),
        activation_bytes: bytes,
        parameter_bytes: Some(Bytes(0)),
        output_bytes: bytes,
        ..NodeProfile::default()
    }
}

fn hot_nodes(nodes: Vec<NodeProfile>, peaks: Peaks<'_>) -> Vec<HotNode> {
    let profiled = Profiled {
        inferences_count: 10,
        mean_inference_ns: Nanos(1),
        nodes,
        ..Profiled::default()
    };
    let times = Undistorted::side_by_side(&profiled);
    profiled
        .nodes
        .iter()
        .map(|node| hot_node(node, &times, peaks))
        .collect()
}

#[test]
fn what_takes_longer_at_the_peaks_is_the_bound() {
    let nodes = vec![
        // 2 * 512^3 operations in 10 ms are 26.8 GFLOP/s; 2 MiB in 10 ms are 0.2 GB/s.
        node("MatMul", 10_000_000, &[512, 512]),
        // A million elements: 8 MiB in 1 ms are 8.4 GB/s.
        node("Relu", 1_000_000, &[1024, 1024]),
        node("Transpose", 900_000, &[512, 512]),
    ];
    let all = hot_nodes(nodes, Peaks(Some(&machine())));
    let shares = bound_shares(&all);
    let [product, relu] = &hottest(all)[..] else {
        panic!("the third lies beyond 90%")
    };
    assert_eq!(product.bound, Ok(Bound::Compute));
    assert_eq!(relu.bound, Ok(Bound::Memory));
    for (found, expected) in [
        (product.compute_ratio.unwrap().0, 0.5369),
        (product.intensity.unwrap(), 128.0),
        (relu.memory_ratio.unwrap().0, 0.8389),
        (shares[1].1.0, 1.0 / 11.9),
    ] {
        assert!((found - expected).abs() < 1e-4, "{found}, not {expected}");
    }
    let bounds: Vec<Bound> = shares.iter().map(|(bound, _)| *bound).collect();
    assert_eq!(bounds, [Bound::Compute, Bound::Memory, Bound::Conversion]);
}

#[test]
fn conversions_are_told_without_peaks_and_small_nodes_far_from_both_limits_with_them() {
    let machine = machine();
    for (conversion, peaks, bound) in [
        ("QuantizeLinear", Peaks(Some(&machine)), Ok(Bound::Overhead)),
        ("Cast", Peaks(None), Err(NO_PEAKS.into())),
    ] {
        let hot = hottest(hot_nodes(
            ["Relu", conversion]
                .map(|operator| node(operator, 3000, &[64]))
                .into(),
            peaks,
        ));
        assert_eq!(
            (&hot[0].bound, &hot[1].bound),
            (&bound, &Ok(Bound::Conversion))
        );
        assert!(hot[0].operations_per_sec.is_some());
        assert_eq!(hot[0].compute_ratio.is_some(), bound.is_ok());
    }
}

/// At batch 1, without the second matrix, which its kernel packed for itself.
fn packed_product(time_ns: u64, width: u64) -> NodeProfile {
    let mut node = node("MatMul", time_ns, &[1, width]);
    node.inputs.as_mut().unwrap().truncate(1);
    node
}

fn only(node: NodeProfile) -> HotNode {
    hot_nodes(vec![node], Peaks(Some(&machine()))).remove(0)
}

#[test]
fn large_product_at_batch_1_is_memory_bound_by_weights_that_the_trace_leaves_out() {
    // 10,240 x 10,240 floats are 400 MiB: 42 ms at 10 GB/s, and 4.2 ms at 50 GFLOP/s.
    let product = only(packed_product(52_000_000, 10_240));
    assert_eq!(product.bound, Ok(Bound::Memory));
    assert_eq!(
        product.bytes,
        Ok(Bytes(2 * 4 * 10_240 + 4 * 10_240 * 10_240))
    );
    assert!((product.attained().unwrap().0 - 0.807).abs() < 1e-3);
}

#[test]
fn no_limit_is_claimed_where_weights_are_missing() {
    let mut node = packed_product(52_000_000, 10_240);
    node.operator = "MatMulNBits".into();
    let blocks = only(node);
    assert_eq!(blocks.bound, Err(NO_WEIGHT.into()));
    assert_eq!((blocks.bytes_per_sec, blocks.intensity), (None, None));
}

#[test]
fn long_calls_below_thirty_percent_of_both_peaks_are_far_from_both() {
    // 4 MiB and 4 operations for each of 512 Ki elements.
    let softmax = |time_ns| only(node("Softmax", time_ns, &[512, 1024]));
    assert_eq!(softmax(8_400_000).bound, Ok(Bound::FarFromBoth));
    assert!((softmax(8_400_000).attained().unwrap().0 - 0.05).abs() < 1e-3);
    assert_eq!(softmax(1_395_000).bound, Ok(Bound::Memory));
    assert_eq!(softmax(1_400_000).bound, Ok(Bound::FarFromBoth));
    // 26.8 GFLOP/s are 54% of the peak, 13.4 are 27%.
    let product = |time_ns| only(node("MatMul", time_ns, &[512, 512]));
    assert_eq!(product(10_000_000).bound, Ok(Bound::Compute));
    assert_eq!(product(20_000_000).bound, Ok(Bound::FarFromBoth));
}
