//! Why a session takes the time that it takes.

mod causes;
mod device;
mod limits;

use onnxprof::analysis::{self, Clause, Explanation, Findings, Step, StepKind, Verdict};
use onnxprof::plan::{ElementType, ExecutionMode, RuntimeChoice};
use onnxprof::record::{
    Contrast, Contrasted, Granularity, NodeProfile, OperatorProfile, Profiled, Quantization,
    QuantizationFormat, RunRecord, RuntimeInfo,
};
use onnxprof::report::{self, Color, Report};
use onnxprof::units::{Bytes, Nanos};

use crate::support::record::{self, RunShape, VariantShape};
use crate::support::shown;

const CPU: &str = "CPUExecutionProvider";

/// fp32 at 200 us, int8 at 150 us, over eight rounds.
fn two() -> RunRecord {
    two_with(150_000.0)
}

/// fp32 at 200 us, and int8.
fn two_with(int8_ns: f64) -> RunRecord {
    let fp32 = VariantShape::new("fp32", "fp32", 200_000.0, 1_000);
    let variants = vec![fp32, VariantShape::new("int8", "int8 QDQ", int8_ns, 300)];
    let mut run = record::build(&RunShape {
        name: "net".into(),
        variants,
        batch_sizes: vec![1, 2],
        rounds: 8,
        alternations: 2,
        block_inferences: 20,
        samples: 0,
    });
    let model = run.variants[1].model.as_mut().unwrap();
    model.quantization = Some(quantization(QuantizationFormat::Qdq));
    run
}

fn quantization(format: QuantizationFormat) -> Quantization {
    Quantization {
        format,
        weights: Some(ElementType::Int8),
        activations: Some(ElementType::Uint8),
        granularity: Some(Granularity::PerTensor),
        weights_symmetric: Some(true),
        activations_symmetric: Some(false),
        reduced_matrix_nodes_count: 2,
        full_precision_matrix_nodes_count: 0,
        qdq_pairs_count: 3,
    }
}

/// A node that runs once an inference.
fn node(operator: &str, time_ns: u64) -> NodeProfile {
    NodeProfile {
        name: format!("{operator}_{time_ns}").into(),
        node_index: None,
        operator: operator.into(),
        execution_provider: CPU.into(),
        calls_count: 10,
        time_ns: Nanos(time_ns),
        inputs: None,
        outputs: None,
        activation_bytes: None,
        parameter_bytes: None,
        output_bytes: None,
        arena_peak_bytes: None,
        device: None,
    }
}

/// A profile of ten inferences at batch 1, which the profiler did not slow down.
fn profile(session: usize, whole_ns: u64, nodes: Vec<NodeProfile>) -> OperatorProfile {
    let profiled = Profiled {
        inferences_count: 10,
        disturbed_inferences_count: 0,
        inference_ns: Nanos(whole_ns),
        mean_inference_ns: Nanos(whole_ns),
        unprofiled_ns: Some(Nanos(whole_ns)),
        distortion_ratios: vec![1.0],
        complete: true,
        unreadable_events_count: 0,
        trace_file: None,
        nodes,
        device: None,
    };
    OperatorProfile {
        session,
        shape: 0,
        batch_size: 1,
        profile: Ok(profiled),
    }
}

/// `two` with profiles: a convolution and a product become integers, with conversions around.
fn profiled() -> RunRecord {
    let mut run = two();
    run.operators.push(profile(
        0,
        200_000,
        vec![
            node("FusedConv", 149_500),
            node("FusedGemm", 29_500),
            node("Softmax", 9_500),
        ],
    ));
    run.operators.push(profile(
        1,
        150_000,
        vec![
            node("QuantizeLinear", 9_500),
            node("QLinearConv", 59_500),
            node("QGemm", 19_500),
            node("DequantizeLinear", 19_500),
            node("Softmax", 9_500),
        ],
    ));
    run
}

fn only(findings: &Findings) -> &Explanation {
    let [explanation] = findings.causes.explanations.as_slice() else {
        panic!("{:?}", findings.causes.explanations)
    };
    explanation
}

fn step(explanation: &Explanation, kind: StepKind) -> &Step {
    explanation
        .steps
        .iter()
        .find(|step| step.kind == kind)
        .unwrap_or_else(|| panic!("no {kind:?} in {explanation:?}"))
}

#[test]
fn steps_add_up_to_the_difference_of_the_medians() {
    let findings = analysis::findings(&profiled());
    let explanation = only(&findings);
    let latency = explanation.latency.as_ref().unwrap();
    assert!(
        latency.batch_size == 1 && latency.change.verdict == Verdict::Faster,
        "{latency:?}"
    );
    let sum: i64 = explanation.steps.iter().map(Step::change_ns).sum();
    assert_eq!(sum, latency.difference_ns());
    assert_eq!(
        latency.difference_ns(),
        latency.session_ns - latency.reference_ns
    );
    let kinds: Vec<StepKind> = explanation.steps.iter().map(|step| step.kind).collect();
    assert_eq!(
        kinds,
        [
            StepKind::Matrix,
            StepKind::Conversion,
            StepKind::Other,
            StepKind::Rest
        ]
    );
}

#[test]
fn times_of_nodes_are_brought_to_the_level_of_the_timed_launches() {
    let mut run = profiled();
    let findings = analysis::findings(&run);
    let latency = only(&findings).latency.clone().unwrap();
    // Half a microsecond is added to each run: the nodes take 150 and 30 of the whole 200 us.
    let expected = latency.reference_ns as f64 * 180.0 / 200.0;
    let matrix = step(only(&findings), StepKind::Matrix);
    assert!(
        (matrix.before_ns as f64 - expected).abs() <= 1.0,
        "{matrix:?}, not {expected}"
    );
    // Half a microsecond for each of two runs on both sides, and the interval of the ratio.
    let scales = only(&findings).profiles.unwrap();
    let ratio = latency.change.ratio.measured().unwrap();
    let spread = 1.0 - ratio.interval.unwrap().low / ratio.value;
    let open = 500.0 * 2.0 * (scales.reference_scale.0 + scales.session_scale.0)
        + spread * matrix.after_ns as f64;
    let found = matrix.change_ns() as f64 - matrix.bounds.unwrap().low;
    assert!(
        (found - open).abs() < 1.0 && matrix.is_resolved(),
        "{found}, not {open}"
    );
    // The profiled launch ran twice as slow, with the profiler and without: nothing changes.
    for profiled in run.operators[..1]
        .iter_mut()
        .filter_map(|profile| profile.profile.as_mut().ok())
    {
        profiled.mean_inference_ns = Nanos(400_000);
        profiled.unprofiled_ns = Some(Nanos(400_000));
        profiled
            .nodes
            .iter_mut()
            .for_each(|node| node.time_ns = Nanos(node.time_ns.0 * 2 + 500));
    }
    assert_eq!(
        step(only(&analysis::findings(&run)), StepKind::Matrix).before_ns,
        matrix.before_ns
    );
}

#[test]
fn what_the_profiler_adds_to_a_node_is_taken_off() {
    let mut run = profiled();
    let plain = step(only(&analysis::findings(&run)), StepKind::Matrix).before_ns;
    // 24 us more for three nodes, of which half lies within their times.
    let profiled = run.operators[0].profile.as_mut().unwrap();
    profiled.mean_inference_ns = Nanos(224_000);
    profiled
        .nodes
        .iter_mut()
        .for_each(|node| node.time_ns = Nanos(node.time_ns.0 + 4_000));
    assert_eq!(
        step(only(&analysis::findings(&run)), StepKind::Matrix).before_ns,
        plain
    );
}

#[test]
fn nodes_never_take_more_than_the_inference_and_are_unsure_by_what_they_did() {
    let mut run = profiled();
    let profiled = run.operators[0].profile.as_mut().unwrap();
    profiled
        .nodes
        .iter_mut()
        .for_each(|node| node.time_ns = Nanos(node.time_ns.0 * 2));
    let findings = analysis::findings(&run);
    let explanation = only(&findings);
    assert!(
        step(explanation, StepKind::Rest).before_ns.abs() <= 2,
        "{explanation:?}"
    );
    let matrix = step(explanation, StepKind::Matrix);
    let tells_matrix = |clause: &Clause| matches!(clause, Clause::Step { step, .. } if step.kind == StepKind::Matrix);
    assert!(
        !matrix.is_resolved() && !explanation.clauses.iter().any(tells_matrix),
        "{explanation:?}"
    );
}

#[test]
fn changed_operators_are_sorted_by_the_size_of_the_change() {
    let findings = analysis::findings(&profiled());
    let changes = &only(&findings).operators;
    let names: Vec<&str> = changes
        .iter()
        .map(|change| change.operator.exact())
        .collect();
    assert_eq!(names[..3], ["FusedConv", "QLinearConv", "FusedGemm"]);
    assert_eq!(
        (
            changes[0].before_nodes_count,
            changes[0].after_nodes_count,
            changes[0].after_ns
        ),
        (1, 0, 0)
    );
    assert!(changes[0].change_ns() < 0 && changes[1].change_ns() > 0 && changes[0].is_resolved());
}

#[test]
fn sentence_weighs_what_was_gained_against_what_it_cost() {
    let run = profiled();
    let view = Report::new(&run, &analysis::findings(&run));
    let why = shown::lines(&view, "why");
    let [sentence] = why.as_slice() else {
        panic!("{why:?}")
    };
    assert!(sentence.starts_with("int8 is 1.3"), "{sentence}");
    assert!(
        sentence.contains("matrix work fell by 10")
            && sentence.contains(", but 1 DequantizeLinear and 1 QuantizeLinear")
    );
    let text = report::terminal(&view, None, Color::Never);
    assert!(text.contains("\nWhy\n  int8 is 1.3"), "{text}");
    let markdown = report::markdown(&view).unwrap();
    assert!(
        markdown.contains("### Why: int8 against fp32") && markdown.contains("| Matrix work | -10"),
        "{markdown}"
    );
    assert!(markdown.contains("**Changed operators, fp32 to int8 at batch 1**"));
}

#[test]
fn difference_that_no_step_tells_is_said_to_be_unnamed() {
    let mut run = profiled();
    // Conversions take a little more; what made the session faster is not among the nodes.
    run.operators[1] = profile(
        1,
        150_000,
        vec![
            node("FusedConv", 109_500),
            node("FusedGemm", 19_500),
            node("Cast", 9_500),
            node("Softmax", 9_500),
        ],
    );
    run.variants[1].model.as_mut().unwrap().quantization = None;
    let findings = analysis::findings(&run);
    let told = |findings: &Findings| {
        only(findings)
            .clauses
            .iter()
            .any(|clause| matches!(clause, Clause::Unnamed { .. }))
    };
    assert!(
        !told(&findings),
        "matrix work fell by 50 of 50 us: {:?}",
        only(&findings).clauses
    );
    // A loop of a hundred runs, of each of which the profiler cuts off up to a microsecond.
    for profile in run
        .operators
        .iter_mut()
        .filter_map(|profile| profile.profile.as_mut().ok())
    {
        profile.nodes.retain(|node| node.operator == "Softmax");
        profile.nodes.push(NodeProfile {
            calls_count: 1_000,
            ..node("Relu", 30_000)
        });
    }
    let findings = analysis::findings(&run);
    assert!(told(&findings), "{:?}", only(&findings).clauses);
    let why = &shown::lines(&Report::new(&run, &findings), "why")[0];
    assert!(
        why.contains(" are in parts that are too small or too unsure to be named"),
        "{why}"
    );

    // What only a larger batch shows is said of that one.
    let larger = profiled()
        .operators
        .into_iter()
        .map(|profile| OperatorProfile {
            batch_size: 2,
            ..profile
        });
    run.operators.extend(larger);
    let why = shown::lines(&Report::new(&run, &analysis::findings(&run)), "why");
    let [told] = why.as_slice() else {
        panic!("two stories: {why:?}")
    };
    let (first, small) = told.split_once(". At batch 1 it is 1.3").unwrap();
    assert!(
        first.contains(" at batch 2 (") && first.contains("matrix work fell by"),
        "{told}"
    );
    assert!(small.contains(", of which no part is sure."), "{told}");
    let view = Report::new(&run, &analysis::findings(&run));
    assert_eq!(
        shown::sections(&view, "why")[0].title,
        "Why: int8 against fp32 at batch 2"
    );
    let chart = &shown::charts(&view, "why").charts[0];
    assert!(chart.title.ends_with(" at batch 2"), "{}", chart.title);
}

#[test]
fn matrix_work_that_explains_a_part_of_the_difference_says_how_large_and_how_sure() {
    let mut run = two_with(400_000.0);
    run.variants[1].model.as_mut().unwrap().quantization = None;
    let nodes = [
        ("FusedConv", 149_500),
        ("FusedGemm", 29_500),
        ("Softmax", 9_500),
    ];
    run.operators.push(profile(
        0,
        200_000,
        nodes.map(|(name, ns)| node(name, ns)).into(),
    ));
    // The profiler makes it 1.5 times as long, and nodes of their inferences still take 90 us more
    // than one without it: which of them is not known.
    let mut slowed = profile(
        1,
        600_000,
        vec![
            node("ConvInteger", 400_000),
            node("Mul", 90_000),
            node("Softmax", 9_500),
        ],
    );
    slowed.profile.as_mut().unwrap().unprofiled_ns = Some(Nanos(400_000));
    run.operators.push(slowed);
    let findings = analysis::findings(&run);
    let matrix = step(only(&findings), StepKind::Matrix);
    let bounds = matrix.bounds.unwrap();
    assert!(
        bounds.low > 0.0 && bounds.high - bounds.low > 10_000.0,
        "{matrix:?}"
    );
    let why = &shown::lines(&Report::new(&run, &findings), "why")[0];
    assert!(
        why.contains("matrix work rose by ") && why.contains(" µs (") && why.contains(" of the "),
        "{why}"
    );
    assert!(why.matches("but").count() <= 1, "{why}");
}

#[test]
fn operators_that_are_sure_are_named_where_no_step_is() {
    let mut run = profiled();
    // Nodes took more than the inference with the profiler: by so much their times are unsure.
    run.operators[1] = profile(
        1,
        150_000,
        vec![node("QLinearConv", 199_500), node("Softmax", 9_500)],
    );
    let findings = analysis::findings(&run);
    let explanation = only(&findings);
    assert!(!step(explanation, StepKind::Matrix).is_resolved());
    let named: Vec<&str> = explanation
        .clauses
        .iter()
        .find_map(|clause| match clause {
            Clause::Operators { changes } => Some(changes),
            _ => None,
        })
        .unwrap_or_else(|| panic!("{:?}", explanation.clauses))
        .iter()
        .map(|change| change.operator.exact())
        .collect();
    assert!(
        named.contains(&"FusedConv") && named.contains(&"QLinearConv"),
        "{named:?}"
    );
    let why = &shown::lines(&Report::new(&run, &findings), "why")[0];
    assert!(
        why.contains("of single operators, ") && why.contains("FusedConv takes 1"),
        "{why}"
    );
}

#[test]
fn two_files_with_one_sum_are_said_to_be_the_same_and_nothing_is_made_of_their_difference() {
    let mut run = profiled();
    run.variants[1].sha256 = run.variants[0].sha256.clone();
    let findings = analysis::findings(&run);
    assert!(only(&findings).steps.is_empty() && only(&findings).is_same_file);
    let view = Report::new(&run, &findings);
    let why = shown::lines(&view, "why");
    assert_eq!(why.len(), 1);
    assert!(
        why[0].starts_with(
            "int8 is the same file as fp32, by its SHA-256: any difference at batch 1 ("
        ) && why[0].ends_with(") is of the measurement, not of the model."),
        "{why:?}"
    );
    assert!(shown::charts(&view, "why").charts.is_empty());
    // With other options it is the same model in another way.
    run.plan.sessions[1].options.execution_mode = ExecutionMode::Parallel;
    assert!(!only(&analysis::findings(&run)).is_same_file);
}

#[test]
fn files_with_one_sum_are_the_same_if_their_weights_in_other_files_are() {
    let mut run = profiled();
    run.variants[1].sha256 = run.variants[0].sha256.clone();
    for variant in &mut run.variants {
        let model = variant.model.as_mut().unwrap();
        model.external_files.insert("weights.bin".into(), Bytes(1));
    }
    assert!(!only(&analysis::findings(&run)).is_same_file, "no sums");
    for (of_second, is_same) in [("a", true), ("b", false)] {
        for (variant, sum) in run.variants.iter_mut().zip(["a", of_second]) {
            let sums = &mut variant.external_sha256;
            sums.insert("weights.bin".into(), sum.into());
        }
        let findings = analysis::findings(&run);
        assert_eq!(only(&findings).is_same_file, is_same, "{of_second}");
        let why = shown::lines(&Report::new(&run, &findings), "why").join("\n");
        assert_eq!(why.contains("is the same file as"), is_same, "{why}");
        assert_eq!(run.is_one_file(0, 1), is_same);
    }
}

#[test]
fn sessions_that_were_not_compared_give_no_reason_that_is_none() {
    let mut run = profiled();
    for variant in &mut run.variants {
        variant.model.as_mut().unwrap().quantization =
            Some(quantization(QuantizationFormat::Float16));
    }
    run.blocks
        .retain(|block| block.key.session == 0 || block.round == 100);
    let findings = analysis::findings(&run);
    let reason = only(&findings).steps_absent_reason.clone().unwrap();
    let why = shown::lines(&Report::new(&run, &findings), "why");
    assert!(
        why[0].starts_with(&format!(
            "int8 was not compared with fp32: {}.",
            reason.exact()
        )),
        "{why:?}"
    );
}

#[test]
fn further_batch_sizes_have_sections_of_their_own_and_one_sentence_stands_for_all() {
    let mut run = profiled();
    for mut profile in run.operators.clone() {
        profile.batch_size = 2;
        run.operators.push(profile);
    }
    let third = (1.0_f64 / 3.0).ln();
    run.contrasts = vec![contrast(1, vec![vec![third; 3]; 6])];
    let findings = analysis::findings(&run);
    let sizes = findings
        .causes
        .explanations
        .iter()
        .map(|found| found.latency.as_ref().unwrap().batch_size);
    assert_eq!(sizes.collect::<Vec<_>>(), [1, 2]);
    let is_denormal = |clause: &Clause| matches!(clause, Clause::Denormals { .. });
    let told: Vec<bool> = findings
        .causes
        .explanations
        .iter()
        .map(|found| found.clauses.iter().any(is_denormal))
        .collect();
    assert_eq!(
        told,
        [true, false],
        "they were looked for at the smallest batch size"
    );
    let view = Report::new(&run, &findings);
    let why = shown::lines(&view, "why");
    assert_eq!(why.len(), 1, "{why:?}");
    let explanations = shown::sections(&view, "why");
    let titles: Vec<&str> = explanations
        .iter()
        .map(|section| section.title.as_str())
        .collect();
    assert_eq!(
        titles[..2],
        [
            "Why: int8 against fp32",
            "Why: int8 against fp32 at batch 2"
        ]
    );
    assert!(
        explanations[1].lines[0].contains(" at batch 2 ("),
        "{:?}",
        explanations[1].lines
    );
}

#[test]
fn waterfalls_that_are_not_drawn_are_counted() {
    let names: Vec<String> = (0..11)
        .map(|number| format!("variant-{number:02}"))
        .collect();
    let variant = |name: &String| VariantShape::new(name, "fp32", 200_000.0, 1_000);
    let mut run = record::build(&RunShape {
        name: "net".into(),
        variants: names.iter().map(variant).collect(),
        batch_sizes: vec![1],
        rounds: 8,
        alternations: 2,
        block_inferences: 20,
        samples: 0,
    });
    // Of two steps one is sure: relus take 40 us more, casts half a microsecond.
    run.operators = (0..11)
        .map(|session| {
            let more = if session > 0 { 40_000 } else { 0 };
            let nodes = vec![node("Relu", 99_500 + more), node("Cast", 9_500 + more / 80)];
            profile(session, 200_000, nodes)
        })
        .collect();
    let topic = shown::charts(&Report::new(&run, &analysis::findings(&run)), "why");
    assert_eq!(topic.charts.len(), 8);
    let [left_out] = topic.left_out.as_slice() else {
        panic!("{:?}", topic.left_out)
    };
    assert!(left_out.contains("of 10 pairs only 8 are"), "{left_out}");
    let table = &topic.charts[0].table;
    assert!(
        table.rows.iter().any(|row| row.cells[1].ends_with(" ~")),
        "{:?}",
        table.rows
    );
    for profile in &mut run.operators {
        profile.profile.as_mut().unwrap().nodes = vec![node("Relu", 99_500)];
    }
    let topic = shown::charts(&Report::new(&run, &analysis::findings(&run)), "why");
    assert!(
        topic.charts.is_empty() && topic.left_out[0].contains("no step from variant-00 is sure"),
        "{:?}",
        topic.left_out
    );
}

#[test]
fn without_a_profile_the_reason_stands_in_place_of_steps() {
    let reason = |run: &RunRecord| {
        let findings = analysis::findings(run);
        assert!(only(&findings).steps.is_empty() && only(&findings).latency.is_some());
        only(&findings).steps_absent_reason.clone().unwrap()
    };
    assert_eq!(reason(&two()), "the operators were not profiled");
    let mut run = profiled();
    run.operators[1].profile = Err("the trace is empty".into());
    assert_eq!(reason(&run), "the trace is empty");
    run.operators[1].batch_size = 4;
    assert_eq!(
        reason(&run),
        "the operators were profiled at another batch size or shape"
    );
    run.plan.sessions[0].options.execution_mode = ExecutionMode::Parallel;
    assert!(reason(&run).contains("side by side"));
    let report = Report::new(&two(), &analysis::findings(&two()));
    assert!(
        shown::lines(&report, "why").is_empty(),
        "records of old have no sentence"
    );
}

#[test]
fn runtimes_of_one_variant_are_compared_with_each_other() {
    let mut run = profiled();
    let runtime = |version: &str| RuntimeInfo {
        version: version.into(),
        ..run.runtimes[0].clone()
    };
    let newer = RuntimeInfo {
        path: "/opt/newer.so".into(),
        ..runtime("1.32.0")
    };
    // The second session is the same model under another library.
    run.plan.sessions[1].variant = 0;
    run.plan.sessions[1].runtime = RuntimeChoice::Library(newer.path.clone());
    run.runtimes.push(newer);
    let findings = analysis::findings(&run);
    assert_eq!((only(&findings).session, only(&findings).reference), (1, 0));
    let why = &shown::lines(&Report::new(&run, &findings), "why")[0];
    assert!(
        why.starts_with("fp32 (1.32.0) is 1.3") && why.contains("than fp32 (1.31.1) at batch 1"),
        "{why}"
    );
}

#[test]
fn further_sessions_of_a_variant_are_explained_against_its_first_one_too() {
    let names = [
        ("fp32", 200_000.0),
        ("int8", 150_000.0),
        ("other", 100_000.0),
    ];
    let mut run = record::build(&RunShape {
        name: "net".into(),
        variants: names
            .map(|(name, ns)| VariantShape::new(name, "fp32", ns, 1_000))
            .into(),
        batch_sizes: vec![1],
        rounds: 8,
        alternations: 2,
        block_inferences: 20,
        samples: 0,
    });
    run.plan.sessions[2].variant = 1;
    run.plan.sessions[2].runtime = RuntimeChoice::Library("/opt/newer.so".into());
    let findings = analysis::findings(&run);
    let explanations = findings.causes.explanations.iter();
    let pairs: Vec<(usize, usize)> = explanations
        .map(|found| (found.session, found.reference))
        .collect();
    assert_eq!(pairs, [(1, 0), (2, 0), (2, 1)]);
    let change = &findings.causes.explanations[2]
        .latency
        .as_ref()
        .unwrap()
        .change;
    assert_eq!(change.verdict, Verdict::Faster);
    assert!(
        (change.ratio.value().unwrap() - 2.0 / 3.0).abs() < 0.05,
        "{change:?}"
    );
}

fn contrast(session: usize, log_ratios: Vec<Vec<f64>>) -> Contrast {
    let found = Ok(Contrasted {
        log_ratios,
        changed_ns: Nanos(50_000),
        unchanged_ns: Nanos(150_000),
    });
    Contrast {
        session,
        shape: 0,
        batch_size: 1,
        option: "session.set_denormal_as_zero=1".into(),
        found,
    }
}
