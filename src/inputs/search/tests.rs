//! From models to sizes, batches and what is tried next.

mod batches;
mod bounds;
mod caches;
mod sizes;

use std::collections::BTreeMap;

use super::*;
use crate::onnx::testing::{list, node, tensor, with};
use crate::onnx::{AttributeValue, Node};
use crate::plan::ElementType;
use crate::record::{AxisReason, Dim, ValueType};
use crate::text::Plain;

const FLOAT: ElementType = ElementType::Float;
const INT: ElementType = ElementType::Int64;

/// A dimension by its word: a number, a name, or nothing known.
fn dim(word: &str) -> Dim {
    match word.parse() {
        Ok(size) => Dim::Fixed(size),
        Err(_) if word.is_empty() => Dim::Unknown,
        Err(_) => Dim::Symbolic(word.to_owned().into()),
    }
}

fn info(name: &str, element_type: ElementType, dims: &[&str]) -> TensorInfo {
    let dims = Some(dims.iter().map(|word| dim(word)).collect());
    TensorInfo {
        name: name.to_owned().into(),
        value_type: ValueType::Tensor { element_type, dims },
    }
}

fn model(inputs: &[TensorInfo]) -> Model {
    Model {
        graph: Graph {
            inputs: inputs.to_vec(),
            ..Graph::default()
        },
        ..Model::default()
    }
}

fn with_nodes(inputs: &[TensorInfo], nodes: Vec<Node>) -> Model {
    let mut model = model(inputs);
    model.graph.nodes = nodes;
    model
}

fn asked(dims: &[(&str, u64)]) -> InputRequest {
    InputRequest {
        dims: dims
            .iter()
            .map(|&(name, size)| (name.to_owned(), size))
            .collect(),
        ..Default::default()
    }
}

fn search(model: &Model, request: &InputRequest) -> Search {
    Search::new(model, request, &Shape::default()).unwrap()
}

fn planned(model: &Model, dims: &[(&str, u64)]) -> InputPlan {
    search(model, &asked(dims)).next().unwrap()
}

fn shapes(plan: &InputPlan) -> Vec<Vec<Option<u64>>> {
    plan.fed.iter().map(|fed| fed.dims.clone()).collect()
}

fn axes(plan: &InputPlan) -> Vec<(&str, u64)> {
    plan.batch_axis
        .axes
        .iter()
        .map(|(name, &axis)| (name.exact(), axis))
        .collect()
}

/// A decoder that keeps keys, with masks of this length.
fn decoder(mask: &str) -> Model {
    model(&[
        info("ids", INT, &["batch_size", "sequence_length"]),
        info("mask", INT, &["batch_size", mask]),
        info(
            "kept",
            FLOAT,
            &["batch_size", "2", "past_sequence_length", "16"],
        ),
    ])
}

#[test]
fn images_are_known_by_their_colours_whatever_sizes_are_called() {
    for words in [
        ["?", "?", "?"],
        ["unk__1", "unk__2", "unk__3"],
        ["N", "D1", "D2"],
        ["", "", ""],
    ] {
        let [batch, rows, columns] = words;
        let last = planned(
            &model(&[info("x", ElementType::Uint8, &[batch, rows, columns, "3"])]),
            &[],
        );
        assert_eq!(
            shapes(&last),
            [[None, Some(224), Some(224), Some(3)]],
            "{words:?}"
        );
        let first = planned(
            &model(&[info("x", FLOAT, &[batch, "3", rows, columns])]),
            &[],
        );
        assert_eq!(
            shapes(&first),
            [[None, Some(3), Some(224), Some(224)]],
            "{words:?}"
        );
        assert_eq!(axes(&first), [("x", 0)]);
    }
}

#[test]
fn dimension_is_set_by_name_by_place_or_by_what_a_converter_called_it() {
    let image = model(&[info("x", ElementType::Uint8, &["?", "?", "?", "3"])]);
    assert_eq!(
        shapes(&planned(&image, &[("?", 320)])),
        [[None, Some(320), Some(320), Some(3)]]
    );
    assert_eq!(
        shapes(&planned(&image, &[("x.1", 480)])),
        [[None, Some(480), Some(224), Some(3)]]
    );
    let named = model(&[info("x", FLOAT, &["batch", "h", "w"])]);
    assert_eq!(
        shapes(&planned(&named, &[("h", 5), ("x.2", 6)])),
        [[None, Some(5), Some(6)]]
    );
    assert_eq!(
        planned(&named, &[("h", 5)]).fed[0].sources[1],
        SizeSource::Asked
    );
}

#[test]
fn batch_dimension_that_is_given_a_size_is_no_batch() {
    let plan = planned(
        &model(&[info("x", FLOAT, &["batch", "3"])]),
        &[("batch", 4)],
    );
    assert_eq!(
        (plan.batch_axis.reason, shapes(&plan)),
        (AxisReason::NoAxis, vec![vec![Some(4), Some(3)]])
    );
    assert_eq!(
        plan.notes,
        ["dimension `batch` is set to 4 by --dim, so it is no batch"]
    );
    assert_eq!(
        plan.supports_batch(2),
        Err("there is no batch: dimension `batch` is set to 4 by --dim".to_owned())
    );
}

#[test]
fn batch_that_the_user_names_overrules() {
    let rows = model(&[
        info("x", FLOAT, &["batch", "t", "4"]),
        info("state", FLOAT, &["2", "t", "4"]),
    ]);
    let named = |name: &str| InputRequest {
        batch_dim: Some(name.to_owned()),
        ..Default::default()
    };
    let along = search(&rows, &named("t")).next().unwrap();
    assert_eq!(
        (along.batch_axis.reason, axes(&along)),
        (AxisReason::Given, vec![("state", 1), ("x", 1)])
    );
    assert_eq!(
        axes(&search(&rows, &named("x.1")).next().unwrap()),
        axes(&along)
    );
    let none = search(&rows, &named("none")).next().unwrap();
    assert_eq!(
        (none.batch_axis.reason, none.batch_axis.proof),
        (AxisReason::NoAxis, crate::record::BatchProof::Given)
    );
    assert_eq!(
        search(&rows, &named("state.0"))
            .next()
            .unwrap()
            .batch_axis
            .fixed_size,
        Some(2)
    );
    let error = Search::new(&rows, &named("rows"), &Shape::default()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "no input has a dimension `rows`; the dimensions are `batch`, `t`"
    );
}

#[test]
fn unknown_and_fixed_dimensions_are_errors() {
    let ids = model(&[info("ids", INT, &["batch", "tokens", "7"])]);
    let error = |dims| {
        Search::new(&ids, &asked(dims), &Shape::default())
            .unwrap_err()
            .to_string()
    };
    let unknown = "no input has a dimension `sequence`; the dimensions are `batch`, `tokens`";
    assert_eq!(error(&[("sequence", 7)]), unknown);
    assert_eq!(
        error(&[("ids.2", 8)]),
        "dimension `ids.2` is fixed at 7 by the model"
    );
}

#[test]
fn lengths_follow_their_names() {
    let both = decoder("past_sequence_length + sequence_length");
    let decode = planned(&both, &[]);
    assert_eq!(shapes(&decode)[..2], [[None, Some(1)], [None, Some(129)]]);
    let from = "past_sequence_length + sequence_length".to_owned();
    assert_eq!(
        decode.fed[1].sources[1],
        SizeSource::Derived { from: from.into() }
    );
    let prompt = planned(&both, &[("past_sequence_length", 0)]);
    assert_eq!(shapes(&prompt)[..2], [[None, Some(128)], [None, Some(128)]]);
    let swept = planned(
        &both,
        &[("past_sequence_length", 511), ("sequence_length", 1)],
    );
    assert_eq!(shapes(&swept)[1], [None, Some(512)]);
    let back = planned(
        &both,
        &[
            ("past_sequence_length + sequence_length", 128),
            ("sequence_length", 1),
        ],
    );
    assert_eq!(shapes(&back)[2][2], Some(127));
    // A mask without a rule counts the past and the new.
    let plan = planned(
        &decoder("total_sequence_length"),
        &[("past_sequence_length", 511), ("sequence_length", 1)],
    );
    assert_eq!(shapes(&plan)[1], [None, Some(512)]);
}

#[test]
fn a_mask_that_counts_the_past_in_one_branch_alone_counts_it() {
    let inputs = [
        info("x1", FLOAT, &["b", "s", "8"]),
        info("x2", FLOAT, &["b", "m"]),
        info("x3", FLOAT, &["b", "p", "8"]),
    ];
    let out = |name: &str| info(name, FLOAT, &[]);
    let shapeless = |name: &str| TensorInfo {
        value_type: ValueType::Tensor {
            element_type: FLOAT,
            dims: None,
        },
        ..out(name)
    };
    let integers = |value| AttributeValue::Integers(vec![value]);
    let sum = |values: &str, tag: &str| {
        let (flat, total) = (format!("flat_{tag}"), format!("total_{tag}"));
        let reduced = with(node("ReduceMax", &[values], &flat), "axes", integers(2));
        (
            vec![
                with(reduced, "keepdims", integers(0)),
                node("Add", &["x2", &flat], &total),
            ],
            total,
        )
    };
    let (alone, new) = sum("x1", "new");
    let (later, all) = sum("both", "all");
    let joined = with(node("Concat", &["x3", "x1"], "both"), "axis", integers(1));
    let branch = |nodes: Vec<Node>, output: &str| {
        AttributeValue::Graphs(vec![Graph {
            nodes,
            outputs: vec![shapeless(output)],
            ..Graph::default()
        }])
    };
    let later = [vec![joined], later].concat();
    let choose = with(
        node("If", &["flag"], "y"),
        "then_branch",
        branch(later, &all),
    );
    let choose = with(choose, "else_branch", branch(alone, &new));
    let flagged = [&inputs[..], &[info("flag", ElementType::Bool, &["1"])]].concat();
    let mut chosen = with_nodes(&flagged, vec![choose]);
    chosen.graph.outputs = vec![shapeless("y")];
    assert_eq!(
        shapes(&planned(&chosen, &[("s", 1), ("p", 20)]))[1],
        [None, Some(21)]
    );
    assert_eq!(
        shapes(&planned(&chosen, &[("s", 9), ("p", 0)]))[1],
        [None, Some(9)]
    );
}

#[test]
fn sizes_that_contradict_each_other_are_an_error() {
    let both = decoder("past_sequence_length + sequence_length");
    let dims = [
        ("past_sequence_length", 4),
        ("sequence_length", 1),
        ("past_sequence_length + sequence_length", 9),
    ];
    let error = Search::new(&both, &asked(&dims), &Shape::default()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "dimension `past_sequence_length + sequence_length` is set to 9, and past_sequence_length + sequence_length is \
         5 with `past_sequence_length` = 4 and `sequence_length` = 1"
    );
}

#[test]
fn products_with_the_batch_follow_it() {
    let fused = model(&[
        info("ids", INT, &["batch_size", "sequence_length"]),
        info(
            "kept",
            FLOAT,
            &["batch_size x num_heads", "past_sequence_length", "16"],
        ),
    ]);
    let plan = planned(&fused, &[]);
    assert_eq!(
        plan.batch_axis.symbol.as_ref().map(Plain::exact),
        Some("batch_size")
    );
    assert_eq!(axes(&plan), [("ids", 0), ("kept", 0)]);
    let given = planned(&fused, &[("batch_size x num_heads", 2)]);
    assert_eq!(given.fed[1].shape(8), [16, 128, 16]);
    assert_eq!(given.fed[1].rows_per_sample, BTreeMap::from([(0, 2)]));
    // Messages to workers are told apart by a tag.
    #[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
    #[serde(tag = "kind")]
    enum Message {
        Plan { plan: InputPlan },
    }
    let message = Message::Plan { plan: given };
    let text = serde_json::to_string(&message).unwrap();
    assert_eq!(serde_json::from_str::<Message>(&text).unwrap(), message);
    let alone = planned(&fused, &[("batch_size", 1)]);
    assert_eq!(alone.batch_axis.reason, AxisReason::NoAxis);
}

#[test]
fn rows_that_are_parted_into_samples_follow_those_and_so_does_the_factor_of_a_name() {
    let rows = |first: &str, kept: &str| {
        let inputs = [
            info("query", FLOAT, &[first, "2"]),
            info("kept", FLOAT, &[kept, "2"]),
        ];
        let mut parted = with_nodes(
            &inputs,
            vec![
                node("Reshape", &["kept", "by_sample"], "rows"),
                node("Unsqueeze", &["query", "one"], "wide"),
                node("Mul", &["rows", "wide"], "y"),
            ],
        );
        parted
            .graph
            .initializers
            .extend([list("by_sample", &[-1.0, 3.0, 2.0]), list("one", &[1.0])]);
        planned(&parted, &[])
    };
    for (first, kept) in [("?", "?"), ("a", "b")] {
        let plan = rows(first, kept);
        assert_eq!(
            plan.fed[1].shape(1)[0],
            3 * plan.fed[0].shape(1)[0],
            "{first}, {kept}"
        );
    }
    let named = rows("batch", "batch x groups");
    assert_eq!(axes(&named), [("kept", 0), ("query", 0)]);
    assert_eq!(named.fed[1].rows_per_sample, BTreeMap::from([(0, 3)]));
}

#[test]
fn sizes_are_taken_from_the_metadata_and_files_beside_the_model() {
    let folder = tempfile::tempdir().unwrap();
    let mut image = model(&[info("x", FLOAT, &["", "3", "", ""])]);
    image.path = folder.path().join("m.onnx");
    std::fs::write(
        folder.path().join("config.json"),
        r#"{"image_size": 96, "max_position_embeddings": 64}"#,
    )
    .unwrap();
    let plan = planned(&image, &[]);
    assert_eq!(shapes(&plan), [[None, Some(3), Some(96), Some(96)]]);
    let entry = "config.json: image_size".to_owned();
    assert_eq!(
        plan.fed[0].sources[2],
        SizeSource::File {
            entry: entry.into()
        }
    );
    image
        .metadata
        .insert("imgsz".to_owned(), "[128, 160]".to_owned());
    let plan = planned(&image, &[]);
    assert_eq!(shapes(&plan), [[None, Some(3), Some(128), Some(160)]]);
    assert_eq!(
        plan.fed[0].sources[3],
        SizeSource::Metadata {
            key: "imgsz".to_owned().into()
        }
    );
    let mut kept = decoder("past_sequence_length + sequence_length");
    kept.path = image.path.clone();
    let shapes: Vec<u64> = usual_shapes(&kept, &InputRequest::default())
        .iter()
        .flat_map(|shape| shape.dims.values().copied())
        .collect();
    assert_eq!(shapes, [0, 64, 63, 1]);
}

#[test]
fn a_refusal_leads_to_the_size_that_it_names() {
    let wide = model(&[
        info("x", FLOAT, &["batch", "p"]),
        info("y", FLOAT, &["batch", "q"]),
    ]);
    let mut search = search(&wide, &InputRequest::default());
    assert_eq!(
        shapes(&search.next().unwrap()),
        [[None, Some(16)], [None, Some(16)]]
    );
    search.refused(
        "Non-zero status code returned while running Gemm node. Name:'fc' Status Message: GEMM: Dimension mismatch, \
         W: {32,8} K: 16 N:8",
    );
    assert_eq!(
        shapes(&search.next().unwrap()),
        [[None, Some(32)], [None, Some(16)]]
    );
    search.refused(
        "Non-zero status code returned while running MatMul node. Name:'later' Status Message: matmul_helper.h:59 \
         Compute MatMul dimension mismatch",
    );
    // The other node shows that the first change was right: it is kept, and other sizes are tried
    // one by one.
    assert_eq!(
        shapes(&search.next().unwrap()),
        [[None, Some(32)], [None, Some(1)]]
    );
    search.refused("Name:'fc' Status Message: no");
    assert_eq!(
        shapes(&search.next().unwrap()),
        [[None, Some(1)], [None, Some(16)]]
    );
    assert_eq!(search.tried().len(), 4);
}

#[test]
fn trials_come_to_an_end_and_are_all_unlike() {
    let many: Vec<String> = (0..6).map(|index| format!("x{index}")).collect();
    let inputs: Vec<TensorInfo> = many
        .iter()
        .map(|name| info(name, FLOAT, &["", "", ""]))
        .collect();
    let mut search = search(&model(&inputs), &InputRequest::default());
    let mut count = 0;
    while search.next().is_some() {
        count += 1;
        search.refused(&format!("Name:'node{count}' Status Message: no"));
    }
    assert_eq!(count, TRIALS_LIMIT);
    let tried: BTreeSet<String> = search.tried().into_iter().collect();
    assert_eq!(tried.len(), TRIALS_LIMIT);
}

#[test]
fn error_of_a_model_that_nothing_runs_with_says_what_to_give() {
    let mut search = search(
        &model(&[info("ids", INT, &["batch", "my dim"])]),
        &InputRequest::default(),
    );
    search.next();
    let error = search.nothing_runs("no");
    assert_eq!(
        error.to_string(),
        "found no inputs that the model runs with: input `ids` leaves `batch`, `my dim` open; tried ids [1, 128]"
    );
    let hint = "say what to feed with --dim batch=N, or --dim 'my dim'=N, or --range ids=LO..HI, or --data FILE.npz with real \
                inputs";
    assert_eq!(error.hint(), Some(hint));
    assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "no");
}

#[test]
fn a_batch_may_be_moved_and_taken_away() {
    let rows = model(&[info("x", FLOAT, &["", "", "4"])]);
    let mut search = search(&rows, &InputRequest::default());
    let plan = search.next().unwrap();
    let candidates = search.batch_candidates();
    let found: Vec<u64> = candidates
        .iter()
        .map(|axis| axis.axes[&"x".into()])
        .collect();
    assert_eq!(found, [0, 1]);
    let moved = search.with_batch(&plan, Some(&candidates[1])).unwrap();
    assert_eq!(
        (shapes(&moved), axes(&moved)),
        (vec![vec![Some(16), None, Some(4)]], vec![("x", 1)])
    );
    let none = search.with_batch(&plan, None).unwrap();
    assert_eq!(shapes(&none), [[Some(16), Some(16), Some(4)]]);
    assert_eq!(none.batch_axis.reason, AxisReason::NoAxis);
}

#[test]
fn names_of_inputs_say_nothing_that_sizes_depend_on() {
    let fed = |ids: &str, image: &str| {
        let inputs = [
            info(ids, INT, &["", ""]),
            info(image, FLOAT, &["", "3", "", ""]),
        ];
        let nodes = vec![
            node("Gather", &["table", ids], "rows"),
            node("Conv", &[image, "kernel"], "maps"),
        ];
        shapes(&planned(&with_nodes(&inputs, nodes), &[]))
    };
    assert_eq!(fed("input_ids", "pixel_values"), fed("x1", "x2"));
}
