//! Inputs that steer the work, by what small graphs do with them. Names say nothing.

mod lists;

use super::*;
use crate::onnx::StoredTensor;
use crate::onnx::testing::{input, node, tensor, whole, with};

const INT: ElementType = ElementType::Int64;
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
    let mut shapes = Shapes::new();
    for (name, dims) in of {
        let open = dims.iter().map(|&size| (size > 0).then_some(size));
        shapes.insert((*name).to_owned(), open.collect());
    }
    shapes
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

/// The number that is everywhere in `x1`, as it is best filled.
fn number(fills: &[Fill]) -> f64 {
    match fills[0].kind {
        FillKind::Constant(number) => number,
        _ => panic!("{fills:?}"),
    }
}

fn first(nodes: Vec<Node>, element_type: ElementType, dims: &[u64]) -> f64 {
    number(&fills(nodes, element_type, dims))
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
    let kinds: Vec<_> = found.iter().map(|fill| fill.kind.clone()).collect();
    assert_eq!(kinds, [0.0, 1.0].map(FillKind::Constant));
    assert!(
        found[0].steers && found[0].reason.contains("Where `Where_masked`"),
        "{found:?}"
    );

    let kept = vec![node("Where", &["x1", "scores", "low"], "masked")];
    let turned = vec![
        node("Not", &["x1"], "no"),
        node("Where", &["no", "low", "scores"], "masked"),
    ];
    // Of two conditions one is taken alone.
    let causal = vec![
        node("Greater", &["x0", "one"], "causal"),
        node("And", &["causal", "x1"], "both"),
        node("Where", &["both", "scores", "low"], "masked"),
    ];
    for mask in [kept, turned, causal] {
        let found = first(attention(mask.clone()), ElementType::Bool, &[0, 12]);
        assert_eq!(found, 1.0, "{mask:?}");
    }
}

#[test]
fn numbers_that_become_a_penalty_keep_everything_and_those_added_to_scores_are_zero() {
    for (left, element_type, expected) in [
        (["one", "m"], INT, 1.0),
        (["m", "nothing"], INT, 0.0),
        // Twelve places in every sample are more numbers than a factor has.
        (["one", "x1"], ElementType::Float, 1.0),
    ] {
        let penalty = attention(vec![
            cast("x1", FLOAT, "m"),
            node("Sub", &left, "left"),
            node("Mul", &["left", "penalty"], "bias"),
            node("Add", &["scores", "bias"], "masked"),
        ]);
        assert_eq!(first(penalty, element_type, &[0, 12]), expected, "{left:?}");
    }
    let added = attention(vec![node("Add", &["scores", "x1"], "masked")]);
    assert_eq!(first(added, ElementType::Float, &[0, 1, 12, 12]), 0.0);
}

/// Nodes that use a comparison of places along axis 1 of the data.
fn compared(comparison: &str, used: &[&str]) -> Vec<Node> {
    vec![
        node("Shape", &["x0"], "shape"),
        node("Gather", &["shape", "axis"], "size"),
        node("Squeeze", &["size"], "end"),
        node("Range", &["zero", "end", "step"], "places"),
        node(comparison, &["places", "x1"], "found"),
        node("Where", used, "y"),
    ]
}

#[test]
fn length_is_the_whole_axis_that_it_is_compared_along() {
    let inside = compared("Less", &["found", "x0", "nothing"]);
    let found = fills(inside, INT, &[0, 1]);
    assert_eq!(number(&found), 12.0);
    assert!(
        found[0].reason.contains("all 12 along axis 1 of `x0`"),
        "{found:?}"
    );
    let outside = compared("GreaterOrEqual", &["found", "nothing", "x0"]);
    assert_eq!(first(outside, ElementType::Int32, &[0, 1]), 12.0);
}

#[test]
fn length_that_is_divided_is_the_whole_axis_before() {
    let half = node("Conv", &["x0", "kernel"], "half");
    let size = node("Gather", &["shape", "two"], "size");
    let nodes = vec![
        with(half, "strides", integers(4)),
        node("Shape", &["half"], "shape"),
        with(size, "axis", integers(0)),
        node("Squeeze", &["size"], "end"),
        node("Range", &["zero", "end", "step"], "places"),
        node("Div", &["x1", "four"], "fewer"),
        node("Less", &["places", "fewer"], "inside"),
        node("Where", &["inside", "half", "nothing"], "y"),
    ];
    assert_eq!(number(&beside(&[0, 8, 400], nodes, INT, &[0])), 400.0);
}

#[test]
fn length_of_a_recurrent_network_is_all_of_its_steps() {
    let lstm = node("LSTM", &["x0", "w", "r", "", "x1"], "y");
    let batch_first = vec![with(lstm, "layout", integers(1))];
    assert_eq!(first(batch_first, ElementType::Int32, &[0]), 12.0);
    // Steps along axis 0, of which the batch counts as one.
    let narrow = vec![
        cast("x1", INT32, "n"),
        node("LSTM", &["x0", "w", "r", "", "n"], "y"),
    ];
    assert_eq!(first(narrow, INT, &[0]), 1.0);
}

#[test]
fn factors_and_divisors_are_one_and_steer() {
    let scaled = vec![node("Mul", &["x0", "x1"], "y")];
    let found = fills(scaled, ElementType::Float, &[1]);
    assert!(found[0].reason.contains("a factor in Mul"), "{found:?}");
    let divisor = fills(vec![node("Div", &["four", "x1"], "y")], INT, &[]);
    for fills in [found, divisor] {
        assert_eq!((number(&fills), fills[0].steers), (1.0, true));
    }
    let divided = vec![node("Div", &["x0", "x1"], "y")];
    assert_eq!(first(divided, ElementType::Float, &[]), 1.0);
    let parts = vec![
        node("Gather", &["x1", "zero"], "part"),
        node("Mul", &["x0", "part"], "y"),
    ];
    assert_eq!(first(parts, ElementType::Float, &[3]), 1.0);
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
        let found = fills(nodes, ElementType::Float, &dims).remove(0);
        assert!(matches!(found.kind, FillKind::Uniform(_)), "{found:?}");
    }
}

fn choice(condition: &str, first: Node, second: Node) -> Node {
    let [first, second] = [first, second].map(|node| {
        AttributeValue::Graphs(vec![Graph {
            nodes: vec![node],
            ..Graph::default()
        }])
    });
    let choice = with(node("If", &[condition], "y"), "then_branch", first);
    with(choice, "else_branch", second)
}

#[test]
fn rate_is_one_that_it_is_compared_with() {
    let (same, other) = (node("Identity", &["x0"], "a"), node("Neg", &["x0"], "b"));
    let nodes = vec![
        node("Equal", &["x1", "fast"], "is_fast"),
        choice("is_fast", same, other),
    ];
    let found = fills(nodes, INT, &[]);
    assert_eq!(number(&found), 16_000.0);
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
    for (past, expected) in [(0, 0.0), (128, 1.0)] {
        let inputs = vec![
            input("x0", ElementType::Float, &[0, 0, 8]),
            input("past", ElementType::Float, &[0, 0, 8]),
            input("x1", ElementType::Bool, &[1]),
        ];
        let mut shapes = shapes(&[("x0", &[0, 4, 8]), ("x1", &[1])]);
        shapes.insert("past".to_owned(), vec![None, Some(past), Some(8)]);
        let found = last(vec![choice.clone()], inputs, &shapes);
        assert_eq!(number(&found), expected);
    }
}

#[test]
fn counts_and_sizes_are_small_or_those_of_the_data() {
    for (operator, operands, expected) in [
        ("Loop", &["x1", "", "x0"][..], 1.0),
        ("TopK", &["x0", "x1"], 8.0),
        ("Tile", &["x0", "x1"], 1.0),
        ("Slice", &["x0", "zero", "x1", "axis"], 12.0),
    ] {
        let found = first(vec![node(operator, operands, "y")], INT, &[1]);
        assert_eq!(found, expected, "{operator}");
    }
}

/// How position ids of two new tokens are filled that index a table after a past.
fn positions(element_type: ElementType, past: u64) -> FillKind {
    let nodes = vec![
        node("Cast", &["position_ids"], "wide"),
        node("Gather", &["table", "wide"], "y"),
    ];
    let inputs = vec![
        input("input_ids", INT, &[0, 0]),
        input("mask", INT, &[0, 0]),
        input("past", ElementType::Float, &[0, 0, 8]),
        input("position_ids", element_type, &[0, 0]),
    ];
    let shapes = shapes(&[
        ("input_ids", &[0, 2]),
        ("position_ids", &[0, 2]),
        ("mask", &[0, past + 2]),
        ("past", &[0, past, 8]),
    ]);
    last(nodes, inputs, &shapes).swap_remove(0).kind
}

#[test]
fn positions_go_on_after_the_past_with_numbers_that_their_type_holds() {
    for (element_type, past, kind) in [
        (INT, 10, FillKind::AscendingFrom(10)),
        (ElementType::Int8, 126, FillKind::AscendingFrom(126)),
        (ElementType::Int8, 127, FillKind::Ascending),
        (ElementType::Uint8, 254, FillKind::AscendingFrom(254)),
        (ElementType::Uint8, 255, FillKind::Ascending),
        (INT, 255, FillKind::AscendingFrom(255)),
    ] {
        let found = positions(element_type, past);
        assert_eq!(found, kind, "{element_type:?}, {past}");
    }
}

/// Values that can be looked up where these nodes read `x0`.
fn range(nodes: Vec<Node>) -> Option<RangeInclusive<f64>> {
    let info = input("x0", INT, &[0, 2]);
    let graph = Graph {
        nodes,
        inputs: vec![info.clone()],
        initializers: vec![
            tensor("rows", &[50, 4], None),
            tensor("limit", &[], Some(&[49.0])),
        ],
        ..Graph::default()
    };
    let shapes = shapes(&[("x0", &[0, 2])]);
    let (range, _) = Values::new(&graph, &shapes).table(&info, INT)?;
    Some(range)
}

#[test]
fn table_is_known_where_every_number_is_looked_up() {
    let [wide, cut, within] =
        ["wide", "cut", "x0"].map(|value| node("Gather", &["rows", value], "y"));
    let all = vec![node("Identity", &["x0"], "wide"), wide];
    assert_eq!(range(all), Some(-50.0..=49.0));
    let some = vec![node("Min", &["x0", "limit"], "cut"), cut];
    assert_eq!(range(some), None);
    let choice = choice("c", within, node("Identity", &["x0"], "z"));
    assert_eq!(range(vec![choice]), None);
}

#[test]
fn what_only_a_name_or_a_type_tells_steers_as_well() {
    let all: &[u64] = &[0, 45];
    for (name, element_type, dims, steers) in [
        ("done_lens", INT, &[0][..], true),
        ("some_mask", INT, all, true),
        ("b", ElementType::Bool, &[], true),
        ("b", ElementType::Bool, all, false),
        ("token_type_ids", INT, all, false),
        ("a", INT, all, false),
        ("a", ElementType::Float, all, false),
    ] {
        let info = input(name, element_type, dims);
        let graph = Graph {
            inputs: vec![
                input("frames", ElementType::Float, &[0, 45, 8]),
                info.clone(),
            ],
            initializers: constants(),
            ..Graph::default()
        };
        let shapes = shapes(&[("frames", &[0, 45, 8]), (name, dims)]);
        let found = Values::new(&graph, &shapes).steers(&info, element_type);
        assert_eq!(found, steers, "{name}, {element_type:?}");
    }
}
