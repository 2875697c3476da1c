//! Models that are slow for a known reason, through the real library: what the explanation rests
//! on. Whether it names the reason depends on what the machine takes, which `cargo bench --bench
//! validity -- real-causes` tries.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use serde_json::{Value, json};

use crate::support::protobuf::Message;
use crate::support::{Onnxprof, model};
use crate::workbench::Workbench;

/// What a short run finds of all models of a planted family.
fn planted(family: &str, baseline: &str) -> (Workbench, Value) {
    let bench = Workbench::new();
    let words = [
        "--baseline",
        baseline,
        "--rounds",
        "6",
        "--alternations",
        "2",
        "--block",
        "10ms",
        "--batch",
        "1",
    ];
    bench
        .profile_of(&model(&format!("fixtures/planted/{family}")), words)
        .run()
        .assert_code(0);
    let output = Onnxprof::new()
        .arg("report")
        .arg(bench.run_folder())
        .arg("--json")
        .run();
    (bench, output.assert_code(0).data())
}

/// The explanation of a variant, and its clause of that name.
fn clause<'f>(findings: &'f Value, variant: &str, name: &str) -> (&'f Value, Option<&'f Value>) {
    let session = findings["sessions"]
        .as_array()
        .unwrap()
        .iter()
        .find(|session| session["label"] == variant);
    let session = &session.unwrap_or_else(|| panic!("no {variant}"))["session"];
    let explanations = findings["explanations"].as_array().unwrap();
    let explanation = explanations
        .iter()
        .find(|explanation| explanation["session"] == *session)
        .unwrap();
    let clauses = explanation["clauses"].as_array().unwrap();
    (
        explanation,
        clauses.iter().find(|clause| clause["clause"] == name),
    )
}

fn sum_of_steps(explanation: &Value) -> i64 {
    let steps = explanation["steps"].as_array().unwrap().iter();
    steps
        .map(|step| step["after_ns"].as_i64().unwrap() - step["before_ns"].as_i64().unwrap())
        .sum()
}

#[test]
fn pairs_that_cannot_be_fused_are_named_and_scales_per_channel_are_no_obstacle() {
    let (_bench, findings) = planted("pairs", "fp32");
    let (explanation, not_fused) = clause(&findings, "unfused", "not_fused");
    let not_fused = not_fused.unwrap_or_else(|| panic!("{explanation:#}"));
    assert_eq!(
        (
            not_fused["meant_nodes_count"].as_u64(),
            not_fused["ran_nodes_count"].as_u64()
        ),
        (Some(3), Some(0))
    );
    assert!(not_fused["after_ns"].as_i64() > Some(0) && not_fused["before_ns"].as_i64() > Some(0));
    let latency = &explanation["latency"];
    let difference =
        latency["session_ns"].as_i64().unwrap() - latency["reference_ns"].as_i64().unwrap();
    assert_eq!(sum_of_steps(explanation), difference);
    let quantize = explanation["operators"].as_array().unwrap().iter();
    let quantize = quantize.filter(|change| change["operator"] == "QuantizeLinear");
    assert_eq!(
        quantize
            .map(|change| change["after_nodes_count"].as_u64())
            .collect::<Vec<_>>(),
        [Some(3)]
    );

    let (explanation, per_channel) = clause(&findings, "per-channel", "per_channel");
    let per_channel = per_channel.unwrap_or_else(|| panic!("{explanation:#}"));
    assert_eq!(
        (
            per_channel["ran_nodes_count"].as_u64(),
            per_channel["of_count"].as_u64()
        ),
        (Some(3), Some(3))
    );
    assert_eq!(explanation["quantization"]["granularity"], "per_channel");
    assert_eq!(clause(&findings, "per-channel", "not_fused").1, None);
}

#[test]
fn half_precision_that_is_computed_in_float_is_named_with_its_casts() {
    let (bench, findings) = planted("half", "fp32");
    let (explanation, in_float) = clause(&findings, "fp16", "computed_in_float");
    let in_float = in_float.unwrap_or_else(|| panic!("{explanation:#}"));
    assert_eq!(
        (
            in_float["nodes_count"].as_u64(),
            in_float["of_count"].as_u64()
        ),
        (Some(3), Some(3))
    );
    assert!(in_float["casts_count"].as_u64() >= Some(5), "{in_float}");
    let present = explanation["instructions"]["present"].as_array().unwrap();
    let flags = &bench.record().host.cpu.isa_flags;
    let known = ["avx512_fp16", "amx_fp16", "asimdhp"]
        .iter()
        .filter(|flag| flags.iter().any(|own| own == *flag));
    assert_eq!(present.len(), known.count());
}

#[test]
fn conversions_of_dynamic_quantization_are_counted() {
    let (_bench, findings) = planted("dynamic", "fp32");
    let (explanation, _) = clause(&findings, "int8", "step");
    let conversions = explanation["steps"]
        .as_array()
        .unwrap()
        .iter()
        .find(|step| step["kind"] == "conversion")
        .unwrap();
    assert_eq!(conversions["after_nodes_count"].as_u64(), Some(6));
    let named = |operator: &str| {
        let changes = explanation["operators"].as_array().unwrap().iter();
        let change = changes
            .into_iter()
            .find(|change| change["operator"] == operator)
            .unwrap();
        (
            change["before_nodes_count"].as_u64(),
            change["after_nodes_count"].as_u64(),
        )
    };
    assert_eq!(
        [named("DynamicQuantizeLinear"), named("Cast")],
        [(Some(0), Some(3)); 2]
    );
    assert_eq!(explanation["quantization"]["format"], "dynamic");
}

#[test]
fn sessions_are_held_against_themselves_with_denormals_flushed() {
    let (bench, findings) = planted("denormals", "normal");
    let contrasts = &bench.record().contrasts;
    assert!(
        contrasts.len() == 2 && contrasts.iter().all(|contrast| contrast.found.is_ok()),
        "{contrasts:?}"
    );
    let (explanation, denormals) = clause(&findings, "denormal", "denormals");
    let loses =
        |denormals: &Value| denormals["flushed_ns"].as_i64() < denormals["unchanged_ns"].as_i64();
    assert!(denormals.is_none_or(loses), "{explanation:#}");
}

/// Rows and columns of a matrix of 400 MiB.
const SIDE: u64 = 10_240;

fn new() -> Message {
    Message::default()
}

/// An input or output of rows of so many numbers.
fn rows(name: &str, size: u64) -> Message {
    let dims = new()
        .message(1, new().bytes(2, "N"))
        .message(1, new().number(1, size));
    let tensor = new().number(1, 1_u8).message(2, dims);
    new().bytes(1, name).message(2, new().message(1, tensor))
}

/// A model that multiplies by a matrix of zeros, which take no room on the disk: they are the last
/// bytes of the file.
fn write_product(path: &Path) {
    let bytes = SIDE * SIDE * 4;
    let weights = new()
        .number(1, SIDE)
        .number(1, SIDE)
        .number(2, 1_u8)
        .bytes(8, "w")
        .length(9, bytes);
    let product = new()
        .bytes(1, "x")
        .bytes(1, "w")
        .bytes(2, "y")
        .bytes(4, "MatMul");
    let graph = new()
        .message(1, product)
        .bytes(2, "product")
        .message(11, rows("x", SIDE))
        .message(12, rows("y", SIDE))
        .length(5, weights.0.len() as u64 + bytes);
    let model = new()
        .number(1, 8_u8)
        .message(8, new().bytes(1, "").number(2, 17_u8))
        .length(7, (graph.0.len() + weights.0.len()) as u64 + bytes);
    let head = [model.0, graph.0, weights.0].concat();
    let mut file = fs::File::create(path).unwrap();
    file.write_all(&head).unwrap();
    file.set_len(head.len() as u64 + bytes).unwrap();
}

/// Operators that dominate a session, and what bounds the longest node of each.
fn dominating(findings: &Value) -> Vec<(String, Value)> {
    let all = findings["bottlenecks"].as_array().unwrap().iter();
    all.filter_map(|found| found["kind"].get("dominating_operator"))
        .map(|found| {
            let operator = found["operator"].as_str().unwrap();
            (operator.to_owned(), found["bound"]["Ok"].clone())
        })
        .collect()
}

#[test]
fn product_with_a_large_matrix_at_batch_1_is_bound_by_memory() {
    let bench = Workbench::new();
    let path = bench.path("product.onnx");
    write_product(&path);
    let words = [
        "--batch",
        "1",
        "--rounds",
        "1",
        "--alternations",
        "2",
        "--block",
        "10ms",
    ];
    bench.profile_of(&path, words).run().assert_code(0);
    let output = Onnxprof::new()
        .arg("report")
        .arg(bench.run_folder())
        .arg("--json")
        .run();
    let found = dominating(&output.assert_code(0).data());
    // Beside other work it may come to less than 30% of what memory gives, which is said then.
    let bounds = [json!("memory"), json!("far_from_both")];
    assert!(
        matches!(found.as_slice(), [(operator, bound)] if operator == "MatMul" && bounds.contains(bound)),
        "{found:?}"
    );
}

/// A softmax over the channels of images that come with their channels last, between transposes and
/// casts there and back, six times over.
fn wasteful() -> Message {
    let integers = |name: &str, values: &[u64]| {
        let attribute = values
            .iter()
            .fold(new().bytes(1, name), |all, &value| all.number(8, value));
        // The type of a list of whole numbers, in field 20.
        Message([attribute.0, vec![0xa0, 1, 7]].concat())
    };
    let integer = |name: &str, value: u64| {
        Message([new().bytes(1, name).number(3, value).0, vec![0xa0, 1, 2]].concat())
    };
    let node = |operator: &str, from: &str, to: &str, attribute: Message| {
        new()
            .bytes(1, from)
            .bytes(2, to)
            .bytes(4, operator)
            .message(5, attribute)
    };
    let mut graph = new();
    let mut from = "x".to_owned();
    for place in 0..6 {
        let name = |step: &str| format!("{step}{place}");
        let steps = [
            ("Transpose", "t", integers("perm", &[0, 3, 1, 2])),
            ("Softmax", "s", integer("axis", 1)),
            ("Cast", "d", integer("to", 11)),
            ("Cast", "f", integer("to", 1)),
            ("Transpose", "o", integers("perm", &[0, 2, 3, 1])),
        ];
        for (operator, step, attribute) in steps {
            let to = name(step);
            graph = graph.message(1, node(operator, &from, &to, attribute));
            from = to;
        }
    }
    let images = |name: &str| {
        let dims = [32, 32, 16_u64]
            .into_iter()
            .fold(new().message(1, new().bytes(2, "N")), |dims, size| {
                dims.message(1, new().number(1, size))
            });
        let tensor = new().number(1, 1_u8).message(2, dims);
        new().bytes(1, name).message(2, new().message(1, tensor))
    };
    let graph = graph
        .bytes(2, "wasteful")
        .message(11, images("x"))
        .message(12, images(&from));
    new()
        .number(1, 8_u8)
        .message(8, new().bytes(1, "").number(2, 17_u8))
        .message(7, graph)
}

#[test]
fn graph_of_transposes_and_casts_is_not_bound_by_arithmetic() {
    let bench = Workbench::new();
    let path = bench.write("wasteful.onnx", wasteful().0);
    let words = [
        "--batch",
        "1",
        "--rounds",
        "6",
        "--block",
        "10ms",
        "--intra-threads",
        "1",
    ];
    bench.profile_of(&path, words).run().assert_code(0);
    let output = Onnxprof::new()
        .arg("report")
        .arg(bench.run_folder())
        .arg("--json")
        .run();
    let findings = output.assert_code(0).data();
    assert_ne!(findings["rooflines"], json!([]), "{findings}");
    let found = dominating(&findings);
    assert!(
        found.iter().all(|(_, bound)| bound != "compute"),
        "{found:?}"
    );
    let report = fs::read_to_string(bench.run_folder().join("report.md")).unwrap();
    assert!(!report.contains("CPU: arithmetic"), "{report}");
}

#[test]
fn inspect_tells_the_scheme() {
    let folder = Path::new("fixtures/planted/pairs");
    let output = Onnxprof::new()
        .arg("inspect")
        .arg(model(
            &folder.join("pairs-per-channel.onnx").to_string_lossy(),
        ))
        .run();
    output.assert_code(0).assert_stdout(
        "quantize and dequantize nodes (QDQ), int8 weights per channel (symmetric), uint8 activations (asymmetric), 3 of 3 \
         matrix nodes, 7 pairs of quantize and dequantize nodes",
    );
}
