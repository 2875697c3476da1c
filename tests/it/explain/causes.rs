//! What makes a session slow or fast: fusions, instructions, memory, denormals.

use onnxprof::analysis::ReducedArithmetic;
use onnxprof::record::{MachinePeaks, Peak, PeakRates, TensorShape};

use super::*;

#[test]
fn quantized_nodes_that_ran_in_float_were_not_fused() {
    let mut run = profiled();
    run.operators[1] = profile(
        1,
        150_000,
        vec![
            node("QuantizeLinear", 9_500),
            node("DequantizeLinear", 9_500),
            node("FusedConv", 99_500),
            node("QGemm", 19_500),
        ],
    );
    let findings = analysis::findings(&run);
    let explanation = only(&findings);
    let not_fused = explanation.clauses.iter().find_map(|clause| match clause {
        Clause::NotFused {
            meant_nodes_count,
            ran_nodes_count,
            before_ns,
            after_ns,
        } => Some((*meant_nodes_count, *ran_nodes_count, *before_ns, *after_ns)),
        _ => None,
    });
    let full = step(explanation, StepKind::FullPrecision);
    assert_eq!(not_fused, Some((2, 1, full.before_ns, full.after_ns)));
    assert_eq!(
        (full.before_nodes_count, full.after_nodes_count),
        (0, 1),
        "no node of fp32 has its name or shapes"
    );
    // The node of the same name but for what the optimizer adds.
    for (session, name) in [(0, "conv_nchwc"), (1, "fused conv")] {
        let nodes = &mut run.operators[session].profile.as_mut().unwrap().nodes;
        nodes
            .iter_mut()
            .find(|node| node.operator == "FusedConv")
            .unwrap()
            .name = name.into();
    }
    let findings = analysis::findings(&run);
    assert_eq!(
        step(only(&findings), StepKind::FullPrecision).before_nodes_count,
        1
    );
}

#[test]
fn scales_per_channel_are_told_of_where_matrix_nodes_ran_alone() {
    let mut run = profiled();
    let model = run.variants[1].model.as_mut().unwrap();
    model.quantization.as_mut().unwrap().granularity = Some(Granularity::PerChannel);
    let counts = |run: &RunRecord| {
        let findings = analysis::findings(run);
        let mut clauses = only(&findings).clauses.iter();
        clauses.find_map(|clause| match clause {
            Clause::PerChannel {
                ran_nodes_count,
                of_count,
            } => Some((*ran_nodes_count, *of_count)),
            _ => None,
        })
    };
    assert_eq!(counts(&run), Some((2, 2)));
    run.operators[1] = profile(1, 150_000, vec![node("compiled_subgraph", 99_500)]);
    assert_eq!(counts(&run), None, "0 of 0 tell nothing");
}

#[test]
fn activations_that_are_no_longer_fused_are_a_step_of_their_own() {
    let mut run = profiled();
    for variant in &mut run.variants {
        variant.model.as_mut().unwrap().operators = [("Relu".into(), 2)].into();
    }
    let nodes = &mut run.operators[1].profile.as_mut().unwrap().nodes;
    nodes.extend([node("Relu", 14_500), node("Relu", 14_500)]);
    let findings = analysis::findings(&run);
    let explanation = only(&findings);
    let fusion = explanation
        .fusions
        .iter()
        .find(|fusion| fusion.operator == "Relu")
        .unwrap();
    assert_eq!(
        (fusion.before_absorbed_count, fusion.after_absorbed_count),
        (2, 0)
    );
    assert_eq!(step(explanation, StepKind::Fusion).after_nodes_count, 2);
    let why = &shown::lines(&Report::new(&run, &findings), "why")[0];
    assert!(
        why.contains("2 Relu nodes that are not fused into others any more add 30"),
        "{why}"
    );
}

#[test]
fn operators_that_only_one_file_holds_are_no_fusions() {
    let mut run = profiled();
    for (variant, operators) in [(0, vec![("Relu", 2)]), (1, vec![("Relu", 2), ("Mul", 4)])] {
        let operators = operators
            .into_iter()
            .map(|(name, count)| (name.into(), count))
            .collect();
        run.variants[variant].model.as_mut().unwrap().operators = operators;
    }
    let mut nodes = run.operators[1].profile.as_ref().unwrap().nodes.clone();
    nodes.extend([
        node("Relu", 19_500),
        node("Mul", 9_500),
        node("Mul", 9_500),
        node("Mul", 9_500),
    ]);
    run.operators[1] = profile(1, 200_000, nodes);
    let findings = analysis::findings(&run);
    let explanation = only(&findings);
    let fused: Vec<&str> = explanation
        .fusions
        .iter()
        .map(|fusion| fusion.operator.exact())
        .collect();
    assert_eq!(
        fused,
        ["Relu"],
        "of four Mul one was absorbed, but none was there before"
    );
    assert_eq!(step(explanation, StepKind::Fusion).after_nodes_count, 1);
    let why = &shown::lines(&Report::new(&run, &findings), "why")[0];
    assert!(
        why.contains("1 Relu nodes that are not fused into others any more add 1"),
        "{why}"
    );
    assert!(why.contains("3 Mul nodes add "), "{why}");
}

/// 100 GFLOP/s, and 10 GB/s.
pub(super) fn peaks(run: &RunRecord) -> MachinePeaks {
    let peak = |per_sec: f64| {
        Ok(Peak {
            highest_per_sec: per_sec,
            median_per_sec: per_sec,
            n: 9,
        })
    };
    let spec = &run.plan.sessions[1];
    MachinePeaks {
        runtime: spec.runtime.path().to_owned(),
        runtime_version: "1.31.1".into(),
        intra_threads: spec.options.intra_threads,
        rates: PeakRates {
            fp32_flops_per_sec: peak(100e9),
            int8_ops_per_sec: peak(100e9),
            memory_bytes_per_sec: peak(10e9),
        },
        measured_at: "2026-01-01T00:00:00Z".into(),
    }
}

#[test]
fn moving_data_is_named_where_it_limits_most_of_the_time() {
    let mut run = profiled();
    run.peaks = vec![peaks(&run)];
    // An addition of 100,000 numbers: 1.2 MB in 100 us are 12 GB/s; and a product of 256 x 256 in
    // the rest.
    let shaped = |operator: &str, time_ns: u64, dims: &[u64]| {
        let shape = TensorShape {
            element_type: "float".into(),
            dims: dims.to_vec(),
        };
        let bytes = Bytes(4 * dims.iter().product::<u64>());
        NodeProfile {
            inputs: Some(vec![shape.clone(), shape.clone()]),
            outputs: Some(vec![shape]),
            activation_bytes: Some(Bytes(2 * bytes.0)),
            parameter_bytes: Some(Bytes(0)),
            output_bytes: Some(bytes),
            ..node(operator, time_ns)
        }
    };
    let nodes = |add_ns: u64| {
        vec![
            shaped("Add", add_ns, &[100_000]),
            shaped("MatMul", 49_500, &[256, 256]),
        ]
    };
    run.operators[1] = profile(1, 150_000, nodes(99_500));
    let share = |run: &RunRecord| {
        only(&analysis::findings(run))
            .clauses
            .iter()
            .find_map(|clause| match clause {
                Clause::MemoryBound { share } => Some(share.0),
                _ => None,
            })
    };
    assert!((share(&run).unwrap() - 100.0 / 150.0).abs() < 1e-9);
    let findings = analysis::findings(&run);
    let view = Report::new(&run, &findings);
    let why = shown::lines(&view, "why");
    assert!(
        why[0].contains("moving data limits nodes that take 66.7% of the time in operators"),
        "{why:?}"
    );
    let markdown = report::markdown(&view).unwrap();
    let roofline = markdown.split_once("### Roofline").unwrap().1;
    assert!(
        roofline.contains("of peak of Add\\_99500 not measured: its data lies in a cache"),
        "{roofline}"
    );
    run.operators[1] = profile(1, 150_000, nodes(39_500));
    assert_eq!(share(&run), None, "the product takes more");
    run.peaks.clear();
    assert_eq!(share(&run), None, "nothing is known of the memory");
}

#[test]
fn missing_instructions_are_named_where_nothing_was_gained() {
    let mut run = profiled();
    let instructions = only(&analysis::findings(&run))
        .instructions
        .clone()
        .unwrap();
    assert_eq!(
        (instructions.arithmetic, instructions.present.len()),
        (ReducedArithmetic::Int8, 0)
    );
    assert!(instructions.saturates);
    let is_told = |run: &RunRecord| {
        let is_it = |clause: &Clause| matches!(clause, Clause::MissingInstructions(_));
        only(&analysis::findings(run)).clauses.iter().any(is_it)
    };
    assert!(!is_told(&run) && is_told(&two_with(200_000.0)) && is_told(&two_with(250_000.0)));
    run.host.cpu.isa_flags.push("avx_vnni".into());
    let instructions = only(&analysis::findings(&run))
        .instructions
        .clone()
        .unwrap();
    assert_eq!(
        (instructions.present.as_slice(), instructions.saturates),
        (["avx_vnni"].as_slice(), false)
    );
    run.host.architecture = "aarch64".into();
    run.host.cpu.isa_flags = vec!["asimd".into(), "asimddp".into()];
    assert_eq!(
        only(&analysis::findings(&run))
            .instructions
            .clone()
            .unwrap()
            .present,
        ["asimddp"]
    );
    run.host.cpu.isa_flags.clear();
    assert_eq!(
        only(&analysis::findings(&run)).instructions,
        None,
        "nothing is known of the processor"
    );
}

#[test]
fn half_precision_without_instructions_is_computed_in_float() {
    let mut run = two();
    let quantization = Quantization {
        weights: Some(ElementType::Float16),
        granularity: None,
        ..quantization(QuantizationFormat::Float16)
    };
    run.variants[1].model.as_mut().unwrap().quantization = Some(quantization);
    let findings = analysis::findings(&run);
    let instructions = only(&findings).instructions.clone().unwrap();
    assert_eq!(instructions.arithmetic, ReducedArithmetic::Float16);
    assert!(instructions.present.is_empty() && !instructions.saturates);
    // What a processor has is of no use where the kernels do without it.
    run.host.cpu.isa_flags.push("avx512_fp16".into());
    let found = |run: &RunRecord| only(&analysis::findings(run)).instructions.clone().unwrap();
    assert_eq!(
        (found(&run).present.as_slice(), found(&run).has_kernels),
        (["avx512_fp16"].as_slice(), false)
    );
    run.host.architecture = "aarch64".into();
    run.host.cpu.isa_flags = vec!["asimdhp".into()];
    assert_eq!(
        (found(&run).present.as_slice(), found(&run).has_kernels),
        (["asimdhp"].as_slice(), true)
    );
}

#[test]
fn denormals_are_blamed_only_on_enough_pairs_of_launches() {
    let third = (1.0_f64 / 3.0).ln();
    let mut run = profiled();
    run.contrasts = vec![
        contrast(0, vec![vec![0.01, -0.02]]),
        contrast(1, vec![vec![third, third + 0.01]; 6]),
    ];
    let findings = analysis::findings(&run);
    assert_eq!(
        findings.causes.denormals[0]
            .change
            .as_ref()
            .unwrap()
            .verdict,
        Verdict::Inconclusive
    );
    assert_eq!(
        findings.causes.denormals[1]
            .change
            .as_ref()
            .unwrap()
            .verdict,
        Verdict::Faster
    );
    let why = &shown::lines(&Report::new(&run, &findings), "why")[0];
    assert!(
        why.contains("with them flushed to zero it is 3x faster")
            && why.contains("(50.0 µs instead of 150 µs)"),
        "{why}"
    );
    run.contrasts = vec![contrast(1, vec![vec![third; 3]; 5])];
    let view = Report::new(&run, &analysis::findings(&run));
    assert!(!shown::lines(&view, "why")[0].contains("denormal"));
    let explanations = shown::sections(&view, "why");
    let line = &explanations.last().unwrap().lines[0];
    assert!(
        line.contains("seem to slow it down, but there was time for 5 pairs of launches"),
        "{line}"
    );
    run.contrasts = vec![contrast(0, vec![vec![third; 3]; 6])];
    let why = shown::lines(&Report::new(&run, &analysis::findings(&run)), "why");
    assert!(
        why[1].starts_with("fp32 is slow from denormal numbers"),
        "{why:?}"
    );
}
