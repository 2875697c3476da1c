//! Inputs that steer the work, by what small graphs do with them. Names say nothing.

mod lists;

use super::*;
use crate::onnx::StoredTensor;
use crate::onnx::testing::{input, node, tensor, whole, with};

const FLOAT: i64 = 1;
const INT32: i64 = 6;

fn integers(value: i64) -> AttributeValue {
    AttributeValue::Integers(vec![value])
}

fn cast(from: &str, to: i64, output: &str) -> Node {
    with(node("Cast", &[from], output), "to", integers(to))
}

fn constants() -> Vec<StoredTensor> {
    vec![
        tensor("low", &[], Some(&[f64::NEG_INFINITY])),
        tensor("penalty", &[], Some(&[-10_000.0])),
        tensor("one", &[], Some(&[1.0])),
        tensor("nothing", &[], Some(&[0.0])),
        whole("zero", &[], &[0.0]),
        whole("step", &[], &[1.0]),
        whole("axis", &[1], &[1.0]),
        whole("four", &[], &[4.0]),
        whole("fast", &[], &[16_000.0]),
        tensor("weight", &[8, 8], None),
        tensor("kernel", &[8, 8, 4], None),
        whole("two", &[1], &[2.0]),
        whole("space", &[2], &[2.0, 3.0]),
        whole("zeros", &[2], &[0.0, 0.0]),
        tensor("table", &[512, 8], None),
    ]
}

/// Shapes of inputs by name; a size of 0 is that of the batch.
fn shapes(of: &[(&str, &[u64])]) -> Shapes {
    let open = |dims: &[u64]| {
        dims.iter()
            .map(|&size| (size > 0).then_some(size))
            .collect()
    };
    of.iter()
        .map(|&(name, dims)| (name.to_owned(), open(dims)))
        .collect()
}

/// Ways to fill the last input.
fn last(nodes: Vec<Node>, inputs: Vec<TensorInfo>, shapes: &Shapes) -> Vec<Fill> {
    let last = inputs[inputs.len() - 1].clone();
    let (element_type, _) = last.value_type.as_tensor().unwrap();
    let graph = Graph {
        nodes,
        inputs,
        initializers: constants(),
        ..Graph::default()
    };
    Values::new(&graph, shapes).fills(&last, element_type)
}

/// Ways to fill `x1` beside data `x0`; a size of 0 is that of the batch.
fn beside(data: &[u64], nodes: Vec<Node>, element_type: ElementType, dims: &[u64]) -> Vec<Fill> {
    let inputs = vec![
        input("x0", ElementType::Float, data),
        input("x1", element_type, dims),
    ];
    last(nodes, inputs, &shapes(&[("x0", data), ("x1", dims)]))
}

/// Ways to fill `x1`, beside data `x0` of `[batch, 12, 8]`.
fn fills(nodes: Vec<Node>, element_type: ElementType, dims: &[u64]) -> Vec<Fill> {
    beside(&[0, 12, 8], nodes, element_type, dims)
}

fn first(nodes: Vec<Node>, element_type: ElementType, dims: &[u64]) -> FillKind {
    fills(nodes, element_type, dims).swap_remove(0).kind
}

/// Scores of the data with itself, and what follows a mask of them.
fn attention(mut mask: Vec<Node>) -> Vec<Node> {
    mask.insert(0, node("MatMul", &["x0", "x0"], "scores"));
    mask.push(node("Softmax", &["masked"], "shares"));
    mask
}

#[test]
fn polarity_of_a_mask_is_that_of_what_is_done_with_it() {
    let ignored = attention(vec![node("Where", &["x1", "low", "scores"], "masked")]);
    let found = fills(ignored, ElementType::Bool, &[0, 12]);
    assert_eq!(
        found
            .iter()
            .map(|fill| fill.kind.clone())
            .collect::<Vec<_>>(),
        [0.0, 1.0].map(FillKind::Constant)
    );
    assert!(
        found[0].steers && found[0].reason.contains("Where `Where_masked`"),
        "{}",
        found[0].reason
    );

    let kept = vec![node("Where", &["x1", "scores", "low"], "masked")];
    let turned = vec![
        node("Not", &["x1"], "no"),
        node("Where", &["no", "low", "scores"], "masked"),
    ];
    let causal = vec![
        node("Greater", &["x0", "one"], "causal"),
        node("And", &["causal", "x1"], "both"),
        node("Where", &["both", "scores", "low"], "masked"),
    ];
    for (mask, name) in [
        (kept, "kept"),
        (turned, "turned"),
        (causal, "of two conditions that is taken alone"),
    ] {
        assert_eq!(
            first(attention(mask), ElementType::Bool, &[0, 12]),
            FillKind::Constant(1.0),
            "{name}"
        );
    }
}

#[test]
fn numbers_that_become_a_penalty_keep_everything_and_those_added_to_scores_are_zero() {
    let penalty = |of: &[&str]| {
        attention(vec![
            cast("x1", FLOAT, "m"),
            node("Sub", of, "left"),
            node("Mul", &["left", "penalty"], "bias"),
            node("Add", &["scores", "bias"], "masked"),
        ])
    };
    assert_eq!(
        first(penalty(&["one", "m"]), ElementType::Int64, &[0, 12]),
        FillKind::Constant(1.0)
    );
    assert_eq!(
        first(penalty(&["m", "nothing"]), ElementType::Int64, &[0, 12]),
        FillKind::Constant(0.0)
    );
    // Twelve places in every sample are more numbers than a factor has.
    assert_eq!(
        first(penalty(&["one", "x1"]), ElementType::Float, &[0, 12]),
        FillKind::Constant(1.0)
    );
    let added = attention(vec![node("Add", &["scores", "x1"], "masked")]);
    assert_eq!(
        first(added, ElementType::Float, &[0, 1, 12, 12]),
        FillKind::Constant(0.0)
    );
}

/// Places along axis 1 of the data, what compares them, and what uses that.
fn compared(comparison: Node, used: Node) -> Vec<Node> {
    vec![
        node("Shape", &["x0"], "shape"),
        node("Gather", &["shape", "axis"], "size"),
        node("Squeeze", &["size"], "end"),
        node("Range", &["zero", "end", "step"], "places"),
        comparison,
        used,
    ]
}

#[test]
fn length_is_the_whole_axis_that_it_is_compared_along() {
    let keep = node("Less", &["places", "x1"], "inside");
    let where_inside = node("Where", &["inside", "x0", "nothing"], "y");
    let found = fills(compared(keep, where_inside), ElementType::Int64, &[0, 1]);
    assert_eq!(found[0].kind, FillKind::Constant(12.0));
    assert!(
        found[0].reason.contains("all 12 along axis 1 of `x0`"),
        "{}",
        found[0].reason
    );

    let padding = node("GreaterOrEqual", &["places", "x1"], "outside");
    let where_outside = node("Where", &["outside", "nothing", "x0"], "y");
    assert_eq!(
        first(
            compared(padding, where_outside),
            ElementType::Int32,
            &[0, 1]
        ),
        FillKind::Constant(12.0)
    );
}

#[test]
fn length_that_is_divided_is_the_whole_axis_before() {
    let nodes = vec![
        with(
            node("Conv", &["x0", "kernel"], "half"),
            "strides",
            integers(4),
        ),
        node("Shape", &["half"], "shape"),
        with(
            node("Gather", &["shape", "two"], "size"),
            "axis",
            integers(0),
        ),
        node("Squeeze", &["size"], "end"),
        node("Range", &["zero", "end", "step"], "places"),
        node("Div", &["x1", "four"], "fewer"),
        node("Less", &["places", "fewer"], "inside"),
        node("Where", &["inside", "half", "nothing"], "y"),
    ];
    let found = beside(&[0, 8, 400], nodes, ElementType::Int64, &[0]);
    assert_eq!(found[0].kind, FillKind::Constant(400.0), "{found:?}");
}

#[test]
fn length_of_a_recurrent_network_is_all_of_its_steps() {
    let lstm = node("LSTM", &["x0", "w", "r", "", "x1"], "y");
    let narrow = vec![
        cast("x1", INT32, "n"),
        node("LSTM", &["x0", "w", "r", "", "n"], "y"),
    ];
    assert_eq!(
        first(
            vec![with(lstm, "layout", integers(1))],
            ElementType::Int32,
            &[0]
        ),
        FillKind::Constant(12.0)
    );
    // Steps along axis 0, of which the batch counts as one.
    assert_eq!(
        first(narrow, ElementType::Int64, &[0]),
        FillKind::Constant(1.0)
    );
}

#[test]
fn factors_and_divisors_are_one_and_steer() {
    let scaled = vec![node("Mul", &["x0", "x1"], "y")];
    let found = fills(scaled, ElementType::Float, &[1]);
    assert_eq!(found[0].kind, FillKind::Constant(1.0));
    assert!(
        found[0].steers && found[0].reason.contains("a factor in Mul"),
        "{}",
        found[0].reason
    );
    assert_eq!(
        first(
            vec![node("Div", &["x0", "x1"], "y")],
            ElementType::Float,
            &[]
        ),
        FillKind::Constant(1.0)
    );
    let parts = vec![
        node("Gather", &["x1", "zero"], "part"),
        node("Mul", &["x0", "part"], "y"),
    ];
    assert_eq!(
        first(parts, ElementType::Float, &[3]),
        FillKind::Constant(1.0)
    );
    let divisor = fills(
        vec![node("Div", &["four", "x1"], "y")],
        ElementType::Int64,
        &[],
    );
    assert_eq!(
        (divisor[0].steers, divisor[0].kind.clone()),
        (true, FillKind::Constant(1.0))
    );
}

#[test]
fn features_are_no_factors() {
    let features = vec![node("MatMul", &["x1", "weight"], "y")];
    let gated = vec![
        node("MatMul", &["x1", "weight"], "gate"),
        node("Mul", &["x1", "gate"], "y"),
    ];
    let keys = vec![node("MatMul", &["x0", "x1"], "y")];
    for (nodes, dims) in [(features, [0, 8]), (gated, [0, 8]), (keys, [8, 1])] {
        assert!(
            matches!(
                first(nodes.clone(), ElementType::Float, &dims),
                FillKind::Uniform(_)
            ),
            "{nodes:?}"
        );
    }
}

fn choice(condition: &str, first: Node, second: Node) -> Node {
    let branch = |node| {
        AttributeValue::Graphs(vec![Graph {
            nodes: vec![node],
            ..Graph::default()
        }])
    };
    let choice = with(node("If", &[condition], "y"), "then_branch", branch(first));
    with(choice, "else_branch", branch(second))
}

#[test]
fn rate_is_one_that_it_is_compared_with() {
    let choice = choice(
        "is_fast",
        node("Identity", &["x0"], "a"),
        node("Neg", &["x0"], "b"),
    );
    let found = fills(
        vec![node("Equal", &["x1", "fast"], "is_fast"), choice],
        ElementType::Int64,
        &[],
    );
    assert_eq!(found[0].kind, FillKind::Constant(16_000.0));
    assert!(
        found.len() > 1 && found[0].reason.contains("If `If_y`"),
        "{found:?}"
    );
}

#[test]
fn branch_that_reads_what_is_empty_is_not_taken() {
    let choice = choice(
        "x1",
        node("Concat", &["past", "x0"], "a"),
        node("Identity", &["x0"], "b"),
    );
    let inputs = [
        input("x0", ElementType::Float, &[0, 0, 8]),
        input("past", ElementType::Float, &[0, 0, 8]),
        input("x1", ElementType::Bool, &[1]),
    ];
    let first = |past: u64| {
        let mut shapes = shapes(&[("x0", &[0, 4, 8]), ("x1", &[1])]);
        shapes.insert("past".to_owned(), vec![None, Some(past), Some(8)]);
        last(vec![choice.clone()], inputs.to_vec(), &shapes)
            .swap_remove(0)
            .kind
    };
    assert_eq!(
        (first(0), first(128)),
        (FillKind::Constant(0.0), FillKind::Constant(1.0))
    );
}

#[test]
fn counts_and_sizes_are_small_or_those_of_the_data() {
    let of = |nodes: Vec<Node>| first(nodes, ElementType::Int64, &[1]);
    assert_eq!(
        of(vec![node("Loop", &["x1", "", "x0"], "y")]),
        FillKind::Constant(1.0)
    );
    assert_eq!(
        of(vec![node("TopK", &["x0", "x1"], "y")]),
        FillKind::Constant(8.0)
    );
    assert_eq!(
        of(vec![node("Tile", &["x0", "x1"], "y")]),
        FillKind::Constant(1.0)
    );
    assert_eq!(
        of(vec![node("Slice", &["x0", "zero", "x1", "axis"], "y")]),
        FillKind::Constant(12.0)
    );
}

/// How position ids of two new tokens are filled that index a table after a past.
fn positions(element_type: ElementType, past: u64, is_cast: bool) -> FillKind {
    let nodes = match is_cast {
        true => vec![
            node("Cast", &["position_ids"], "wide"),
            node("Gather", &["table", "wide"], "y"),
        ],
        false => vec![node("Gather", &["table", "position_ids"], "y")],
    };
    let inputs = vec![
        input("input_ids", ElementType::Int64, &[0, 0]),
        input("mask", ElementType::Int64, &[0, 0]),
        input("past", ElementType::Float, &[0, 0, 8]),
        input("position_ids", element_type, &[0, 0]),
    ];
    let two: &[u64] = &[0, 2];
    let shapes = shapes(&[
        ("input_ids", two),
        ("position_ids", two),
        ("mask", &[0, past + 2]),
        ("past", &[0, past, 8]),
    ]);
    last(nodes, inputs, &shapes).swap_remove(0).kind
}

#[test]
fn positions_go_on_after_the_past_with_numbers_that_their_type_holds() {
    for (element_type, past, is_cast, kind) in [
        (ElementType::Int64, 10, false, FillKind::AscendingFrom(10)),
        (ElementType::Int8, 126, true, FillKind::AscendingFrom(126)),
        (ElementType::Int8, 127, true, FillKind::Ascending),
        (ElementType::Uint8, 254, true, FillKind::AscendingFrom(254)),
        (ElementType::Uint8, 255, true, FillKind::Ascending),
        (ElementType::Int64, 255, true, FillKind::AscendingFrom(255)),
    ] {
        assert_eq!(
            positions(element_type, past, is_cast),
            kind,
            "{element_type:?}, {past}"
        );
    }
}

#[test]
fn table_is_known_where_every_number_is_looked_up() {
    let range = |nodes: Vec<Node>| {
        let info = input("x0", ElementType::Int64, &[0, 2]);
        let initializers = vec![
            tensor("rows", &[50, 4], None),
            tensor("limit", &[], Some(&[49.0])),
        ];
        let graph = Graph {
            nodes,
            inputs: vec![info.clone()],
            initializers,
            ..Graph::default()
        };
        Values::new(&graph, &shapes(&[("x0", &[0, 2])]))
            .table(&info, ElementType::Int64)
            .map(|(range, _)| range)
    };
    let lookup = |value: &str| node("Gather", &["rows", value], "y");
    assert_eq!(
        range(vec![node("Identity", &["x0"], "wide"), lookup("wide")]),
        Some(-50.0..=49.0)
    );
    assert_eq!(
        range(vec![node("Min", &["x0", "limit"], "cut"), lookup("cut")]),
        None
    );
    let within = Graph {
        nodes: vec![lookup("x0")],
        ..Graph::default()
    };
    let choice = with(
        node("If", &["c"], "z"),
        "then_branch",
        AttributeValue::Graphs(vec![within]),
    );
    assert_eq!(range(vec![choice]), None);
}

#[test]
fn what_only_a_name_or_a_type_tells_steers_as_well() {
    let named = |name: &str, element_type: ElementType, dims: &[u64]| {
        let inputs = vec![
            input("frames", ElementType::Float, &[0, 45, 8]),
            input(name, element_type, dims),
        ];
        let graph = Graph {
            inputs: inputs.clone(),
            initializers: constants(),
            ..Graph::default()
        };
        let shapes = shapes(&[("frames", &[0, 45, 8]), (name, dims)]);
        Values::new(&graph, &shapes).steers(&inputs[1], element_type)
    };
    assert!(named("done_lens", ElementType::Int64, &[0]));
    assert!(named("some_mask", ElementType::Int64, &[0, 45]));
    assert!(named("b", ElementType::Bool, &[]));
    for (name, element_type) in [
        ("b", ElementType::Bool),
        ("token_type_ids", ElementType::Int64),
        ("a", ElementType::Int64),
        ("a", ElementType::Float),
    ] {
        assert!(
            !named(name, element_type, &[0, 45]),
            "{name}, {element_type:?}"
        );
    }
}
