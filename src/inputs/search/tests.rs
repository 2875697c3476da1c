//! From models to sizes, batches and what is tried next.

mod batches;
mod bounds;
mod caches;
mod sizes;

use std::collections::BTreeMap;

use super::*;
use crate::onnx::testing::{list, node, nodes, tensor, with};
use crate::onnx::{AttributeValue, Node};
use crate::plan::ElementType;
use crate::record::{AxisReason, Dim, ValueType};
use crate::text::Plain;

const FLOAT: ElementType = ElementType::Float;
const INT: ElementType = ElementType::Int64;

/// A dimension by its word: a number, a name, or nothing and `_` where it is not known.
fn dim(word: &str) -> Dim {
    match word.parse() {
        Ok(size) => Dim::Fixed(size),
        Err(_) if matches!(word, "" | "_") => Dim::Unknown,
        Err(_) => Dim::Symbolic(word.into()),
    }
}

fn info(name: &str, element_type: ElementType, dims: &[&str]) -> TensorInfo {
    let dims = Some(dims.iter().map(|word| dim(word)).collect());
    TensorInfo {
        name: name.into(),
        value_type: ValueType::Tensor { element_type, dims },
    }
}

/// An input of floats with such dimensions, as in `batch, 3, _`.
fn float(name: &str, dims: &str) -> TensorInfo {
    info(name, FLOAT, &dims.split(", ").collect::<Vec<_>>())
}

fn int(name: &str, dims: &str) -> TensorInfo {
    info(name, INT, &dims.split(", ").collect::<Vec<_>>())
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

fn shapeless(name: &str) -> TensorInfo {
    TensorInfo {
        name: name.into(),
        value_type: ValueType::Tensor {
            element_type: FLOAT,
            dims: None,
        },
    }
}

fn branch(nodes: Vec<Node>, output: &str) -> AttributeValue {
    AttributeValue::Graphs(vec![Graph {
        nodes,
        outputs: vec![shapeless(output)],
        ..Graph::default()
    }])
}

/// The node of `y`, for which a flag chooses a branch.
fn choice(flag: &str, then: AttributeValue, otherwise: AttributeValue) -> Node {
    let choice = with(node("If", &[flag], "y"), "then_branch", then);
    with(choice, "else_branch", otherwise)
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
            .map(|&(name, size)| (name.into(), size))
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

fn unasked(model: &Model) -> InputPlan {
    planned(model, &[])
}

/// Plan for inputs of which nothing else is known.
fn fed(inputs: &[TensorInfo]) -> InputPlan {
    unasked(&model(inputs))
}

/// Sizes of the shapes that a model is asked about, in the order of their names.
fn usual_sizes(model: &Model) -> Vec<u64> {
    usual_shapes(model, &InputRequest::default())
        .iter()
        .flat_map(|shape| shape.dims.values())
        .copied()
        .collect()
}

/// Why a model cannot be searched.
fn refused(model: &Model, request: &InputRequest) -> String {
    Search::new(model, request, &Shape::default())
        .unwrap_err()
        .to_string()
}

fn along(name: &str) -> InputRequest {
    InputRequest {
        batch_dim: Some(name.to_owned().into()),
        ..Default::default()
    }
}

/// Sizes of the inputs, with `N` for that of the batch: `N 3 224 224`.
fn shapes(plan: &InputPlan) -> Vec<String> {
    plan.fed
        .iter()
        .map(|fed| {
            fed.dims
                .iter()
                .map(|size| size.map_or("N".to_owned(), |size| size.to_string()))
        })
        .map(|sizes| sizes.collect::<Vec<_>>().join(" "))
        .collect()
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
        int("ids", "batch_size, sequence_length"),
        info("mask", INT, &["batch_size", mask]),
        float("kept", "batch_size, 2, past_sequence_length, 16"),
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
        let last = fed(&[info("x", ElementType::Uint8, &[batch, rows, columns, "3"])]);
        assert_eq!(shapes(&last), ["N 224 224 3"], "{words:?}");
        let first = fed(&[info("x", FLOAT, &[batch, "3", rows, columns])]);
        assert_eq!(shapes(&first), ["N 3 224 224"], "{words:?}");
        assert_eq!(axes(&first), [("x", 0)]);
    }
}

#[test]
fn dimension_is_set_by_name_by_place_or_by_what_a_converter_called_it() {
    let image = model(&[info("x", ElementType::Uint8, &["?", "?", "?", "3"])]);
    assert_eq!(shapes(&planned(&image, &[("?", 320)])), ["N 320 320 3"]);
    assert_eq!(shapes(&planned(&image, &[("x.1", 480)])), ["N 480 224 3"]);
    let named = model(&[float("x", "batch, h, w")]);
    assert_eq!(shapes(&planned(&named, &[("h", 5), ("x.2", 6)])), ["N 5 6"]);
    assert_eq!(
        planned(&named, &[("h", 5)]).fed[0].sources[1],
        SizeSource::Asked
    );
}

#[test]
fn batch_dimension_that_is_given_a_size_is_no_batch() {
    let plan = planned(&model(&[float("x", "batch, 3")]), &[("batch", 4)]);
    assert_eq!(
        (plan.batch_axis.reason, shapes(&plan)),
        (AxisReason::NoAxis, vec!["4 3".to_owned()])
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
    let rows = model(&[float("x", "batch, t, 4"), float("state", "2, t, 4")]);
    let axis = |name: &str| search(&rows, &along(name)).next().unwrap().batch_axis;
    assert_eq!(axis("t").reason, AxisReason::Given);
    let axes = [("state", 1), ("x", 1)].map(|(name, axis)| (Plain::from(name), axis));
    assert_eq!(axis("t").axes, BTreeMap::from(axes));
    assert_eq!(axis("x.1").axes, axis("t").axes);
    let none = axis("none");
    assert_eq!(
        (none.reason, none.proof),
        (AxisReason::NoAxis, crate::record::BatchProof::Given)
    );
    assert_eq!(axis("state.0").fixed_size, Some(2));
    assert_eq!(
        refused(&rows, &along("rows")),
        "no input has a dimension `rows`; the dimensions are `batch`, `t`"
    );
}

#[test]
fn unknown_and_fixed_dimensions_are_errors() {
    let ids = model(&[int("ids", "batch, tokens, 7")]);
    for (name, said) in [
        (
            "sequence",
            "no input has a dimension `sequence`; the dimensions are `batch`, `tokens`",
        ),
        ("ids.2", "dimension `ids.2` is fixed at 7 by the model"),
    ] {
        assert_eq!(refused(&ids, &asked(&[(name, 8)])), said);
    }
}

#[test]
fn lengths_follow_their_names() {
    let both = decoder("past_sequence_length + sequence_length");
    let [old, new, all] = [
        "past_sequence_length",
        "sequence_length",
        "past_sequence_length + sequence_length",
    ];
    for (dims, expected) in [
        (&[][..], ["N 1", "N 129", "N 2 128 16"]),
        (&[(old, 0)], ["N 128", "N 128", "N 2 0 16"]),
        (&[(old, 511), (new, 1)], ["N 1", "N 512", "N 2 511 16"]),
        (&[(all, 128), (new, 1)], ["N 1", "N 128", "N 2 127 16"]),
    ] {
        assert_eq!(shapes(&planned(&both, dims)), expected);
    }
    let from = all.into();
    let source = &unasked(&both).fed[1].sources[1];
    assert_eq!(*source, SizeSource::Derived { from });
    // A mask without a rule counts the past and the new.
    let plan = planned(
        &decoder("total_sequence_length"),
        &[("past_sequence_length", 511), ("sequence_length", 1)],
    );
    assert_eq!(shapes(&plan)[1], "N 512");
}

#[test]
fn a_mask_that_counts_the_past_in_one_branch_alone_counts_it() {
    let inputs = [
        float("x1", "b, s, 8"),
        float("x2", "b, m"),
        float("x3", "b, p, 8"),
    ];
    let sum = |values: &str, tag: &str| {
        nodes(&[
            &format!("flat_{tag} = ReduceMax {values} axes=2 keepdims=0"),
            &format!("total_{tag} = Add x2 flat_{tag}"),
        ])
    };
    let later = [nodes(&["both = Concat x3 x1 axis=1"]), sum("both", "all")].concat();
    let alone = branch(sum("x1", "new"), "total_new");
    let choice = choice("flag", branch(later, "total_all"), alone);
    let flagged = [&inputs[..], &[info("flag", ElementType::Bool, &["1"])]].concat();
    let mut chosen = with_nodes(&flagged, vec![choice]);
    chosen.graph.outputs = vec![shapeless("y")];
    assert_eq!(shapes(&planned(&chosen, &[("s", 1), ("p", 20)]))[1], "N 21");
    assert_eq!(shapes(&planned(&chosen, &[("s", 9), ("p", 0)]))[1], "N 9");
}

#[test]
fn sizes_that_contradict_each_other_are_an_error() {
    let both = decoder("past_sequence_length + sequence_length");
    let dims = [
        ("past_sequence_length", 4),
        ("sequence_length", 1),
        ("past_sequence_length + sequence_length", 9),
    ];
    assert_eq!(
        refused(&both, &asked(&dims)),
        "dimension `past_sequence_length + sequence_length` is set to 9, and past_sequence_length + sequence_length is \
         5 with `past_sequence_length` = 4 and `sequence_length` = 1"
    );
}

#[test]
fn products_with_the_batch_follow_it() {
    let fused = model(&[
        int("ids", "batch_size, sequence_length"),
        float("kept", "batch_size x num_heads, past_sequence_length, 16"),
    ]);
    let plan = unasked(&fused);
    assert_eq!(plan.batch_axis.symbol, Some("batch_size".into()));
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
            nodes(&[
                "rows = Reshape kept by_sample",
                "wide = Unsqueeze query one",
                "y = Mul rows wide",
            ]),
        );
        parted
            .graph
            .initializers
            .extend([list("by_sample", &[-1.0, 3.0, 2.0]), list("one", &[1.0])]);
        unasked(&parted)
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
    let mut image = model(&[float("x", "_, 3, _, _")]);
    image.path = folder.path().join("m.onnx");
    std::fs::write(
        folder.path().join("config.json"),
        r#"{"image_size": 96, "max_position_embeddings": 64}"#,
    )
    .unwrap();
    let plan = unasked(&image);
    assert_eq!(shapes(&plan), ["N 3 96 96"]);
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
    let plan = unasked(&image);
    assert_eq!(shapes(&plan), ["N 3 128 160"]);
    assert_eq!(
        plan.fed[0].sources[3],
        SizeSource::Metadata {
            key: "imgsz".into()
        }
    );
    let mut kept = decoder("past_sequence_length + sequence_length");
    kept.path = image.path.clone();
    assert_eq!(usual_sizes(&kept), [0, 64, 63, 1]);
}

#[test]
fn a_refusal_leads_to_the_size_that_it_names() {
    let wide = model(&[float("x", "batch, p"), float("y", "batch, q")]);
    let mut search = search(&wide, &InputRequest::default());
    assert_eq!(shapes(&search.next().unwrap()), ["N 16", "N 16"]);
    search.refused(
        "Non-zero status code returned while running Gemm node. Name:'fc' Status Message: GEMM: Dimension mismatch, \
         W: {32,8} K: 16 N:8",
    );
    assert_eq!(shapes(&search.next().unwrap()), ["N 32", "N 16"]);
    search.refused(
        "Non-zero status code returned while running MatMul node. Name:'later' Status Message: matmul_helper.h:59 \
         Compute MatMul dimension mismatch",
    );
    // The other node shows that the first change was right: it is kept, and other sizes are tried
    // one by one.
    assert_eq!(shapes(&search.next().unwrap()), ["N 32", "N 1"]);
    search.refused("Name:'fc' Status Message: no");
    assert_eq!(shapes(&search.next().unwrap()), ["N 1", "N 16"]);
    assert_eq!(search.tried().len(), 4);
}

#[test]
fn trials_come_to_an_end_and_are_all_unlike() {
    let many: Vec<String> = (0..6).map(|index| format!("x{index}")).collect();
    let inputs: Vec<TensorInfo> = many.iter().map(|name| float(name, "_, _, _")).collect();
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
        &model(&[int("ids", "batch, my dim")]),
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
    let rows = model(&[float("x", "_, _, 4")]);
    let mut search = search(&rows, &InputRequest::default());
    let plan = search.next().unwrap();
    let candidates = search.batch_candidates();
    let found: Vec<u64> = candidates
        .iter()
        .map(|axis| axis.axes[&"x".into()])
        .collect();
    assert_eq!(found, [0, 1]);
    let moved = search.with_batch(&plan, Some(&candidates[1])).unwrap();
    assert_eq!(shapes(&moved), ["16 N 4"]);
    assert_eq!(axes(&moved), [("x", 1)]);
    let none = search.with_batch(&plan, None).unwrap();
    assert_eq!(shapes(&none), ["16 16 4"]);
    assert_eq!(none.batch_axis.reason, AxisReason::NoAxis);
}

#[test]
fn names_of_inputs_say_nothing_that_sizes_depend_on() {
    let fed = |ids: &str, image: &str| {
        let inputs = [int(ids, "_, _"), float(image, "_, 3, _, _")];
        let nodes = vec![
            node("Gather", &["table", ids], "rows"),
            node("Conv", &[image, "kernel"], "maps"),
        ];
        shapes(&unasked(&with_nodes(&inputs, nodes)))
    };
    assert_eq!(fed("input_ids", "pixel_values"), fed("x1", "x2"));
}
