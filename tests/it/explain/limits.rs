//! What limits sessions whose limit is known beforehand.

use onnxprof::record::{Conditions, TensorShape};
use onnxprof::units::{Bytes, Ratio};

use super::causes::peaks;
use super::*;

fn tensor(element_type: &str, dims: &[u64]) -> TensorShape {
    TensorShape {
        element_type: element_type.into(),
        dims: dims.to_vec(),
    }
}

/// A node whose trace tells these shapes, and of bytes those of input and output alone.
fn shaped(
    operator: &str,
    time_ns: u64,
    inputs: &[TensorShape],
    output: &TensorShape,
) -> NodeProfile {
    let bytes = |shape: &TensorShape| Some(Bytes(4 * shape.elements_count()));
    NodeProfile {
        inputs: Some(inputs.to_vec()),
        outputs: Some(vec![output.clone()]),
        activation_bytes: bytes(&inputs[0]),
        parameter_bytes: Some(Bytes(0)),
        output_bytes: bytes(output),
        ..node(operator, time_ns - 500)
    }
}

/// Bottlenecks of two sessions of one node each, on a machine of 100 GFLOP/s, 100 Gop/s and 10 GB/s.
fn bottlenecks(first: NodeProfile, second: NodeProfile) -> String {
    let mut run = two();
    run.peaks = vec![peaks(&run)];
    run.operators = [first, second]
        .into_iter()
        .enumerate()
        .map(|(session, node)| profile(session, node.time_ns.0 + 500, vec![node]))
        .collect();
    let findings = analysis::findings(&run);
    let markdown = report::markdown(&Report::new(&run, &findings)).unwrap();
    let (_, after) = markdown
        .split_once("## Performance Bottleneck Analysis")
        .unwrap();
    after.split("\n## ").next().unwrap().to_owned()
}

#[track_caller]
fn assert_says(text: &str, all: &[&str]) {
    for words in all {
        assert!(text.contains(words), "no `{words}` in {text}");
    }
}

#[test]
fn product_of_400_megabytes_is_memory_bound_and_a_slow_softmax_is_not_arithmetic() {
    let row = tensor("float", &[1, 10_240]);
    let rows = tensor("float", &[512, 1024]);
    let text = bottlenecks(
        shaped("MatMul", 52_000_000, std::slice::from_ref(&row), &row),
        shaped("Softmax", 8_400_000, std::slice::from_ref(&rows), &rows),
    );
    assert_says(
        &text,
        &[
            "**Dominating operator, memory-bound**",
            "fp32: at batch 1 MatMul takes 100.0% of the operators' time; the longest of its nodes is memory-bound, at \
             80.7% of the machine's peak memory bandwidth",
            "**Dominating operator, far from the machine's peaks**",
            "int8: at batch 1 Softmax takes 100.0% of the operators' time; the longest of its nodes is far from both \
             peaks, at 5.0% of the nearer of the machine's peaks",
            "neither arithmetic nor memory bandwidth: its kernel, threads or overhead",
            "compare graph optimization levels and numbers of threads",
        ],
    );
    assert!(!text.contains("CPU: arithmetic") && !text.contains("compute-bound"));
}

#[test]
fn dynamic_convolution_beside_a_static_one_is_an_inefficient_kernel() {
    let image = |element_type: &str| tensor(element_type, &[1, 64, 32, 32]);
    let weight = tensor("int8", &[64, 64, 3, 3]);
    // 75.5 Mop: 755 us at the peak.
    let dynamic = [image("uint8"), weight.clone()];
    let scale = tensor("float", &[]);
    let fixed = [image("uint8"), scale.clone(), scale, weight];
    let text = bottlenecks(
        shaped("ConvInteger", 7_550_000, &dynamic, &image("int32")),
        shaped("QLinearConv", 1_258_000, &fixed, &image("uint8")),
    );
    assert_says(
        &text,
        &[
            "**Inefficient kernel**",
            "fp32: at batch 1 ConvInteger takes 100.0% of the operators' time; the longest of its nodes is at 10.0% of \
             the machine's peak integer rate; QLinearConv of int8 attains 60.0% with as many operations",
            "**Optimization Opportunity**: quantize convolutions statically (QDQ)",
            "compute-bound, at 60.0% of the machine's peak integer rate",
        ],
    );
}

#[test]
fn cpus_that_other_processes_took_are_no_idle_threads() {
    let mut run = two();
    for launch in &mut run.launches {
        launch.effective.as_mut().unwrap().cpus = vec![0, 1];
    }
    for block in &mut run.blocks {
        block.cpu_time_ns = Nanos(block.elapsed_ns.0 * 2 / 5);
    }
    let text = |run: &RunRecord| {
        let findings = analysis::findings(run);
        report::markdown(&Report::new(run, &findings)).unwrap()
    };
    let alone = "CPU, in part: why the rest was idle was not measured";
    assert_says(&text(&run), &["**Idle threads**", alone]);
    let mut seen = Conditions {
        online_cpus_count: Some(2),
        ..Conditions::default()
    };
    seen.others_busy_ratio = Some(Ratio(0.7));
    run.conditions = Some(seen);
    let text = text(&run);
    assert_says(
        &text,
        &[
            "**CPUs taken by other processes**",
            "CPU: other processes took 70.0% of all CPUs' time",
        ],
    );
    assert!(!text.contains("Idle threads") && !text.contains("fewer intra-op threads"));
}
