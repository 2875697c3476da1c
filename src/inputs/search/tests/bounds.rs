//! Sizes that stored tables and columns bound.

use super::*;
use crate::onnx::StoredTensor;
use crate::onnx::testing::whole;

fn scalar(name: &str, value: f64) -> StoredTensor {
    whole(name, &[], &[value])
}

/// Indices of words, whose positions, counted from `first`, are looked up in a table of so many.
fn text(dims: [&str; 2], rows: u64, first: f64) -> Model {
    let mut text = with_nodes(
        &[info("ids", INT, &dims)],
        nodes(&[
            "known = Gather words ids",
            "sizes = Shape ids",
            "count = Gather sizes one",
            "steps = Range zero count one",
            "places = Add steps first",
            "placed = Gather table places",
            "y = Add known placed",
        ]),
    );
    text.graph.initializers.extend([
        tensor("words", &[900, 8], None),
        tensor("table", &[rows, 8], None),
        scalar("zero", 0.0),
        scalar("one", 1.0),
        scalar("first", first),
    ]);
    text
}

/// Frames of a spectrum, to each of which a row of a table of so many is added.
fn spectrum(dims: [&str; 2], rows: u64) -> Model {
    let [batch, frames] = dims;
    let mut spectrum = with_nodes(
        &[info("mel", FLOAT, &[batch, frames, "80"])],
        nodes(&[
            "sizes = Shape mel",
            "count = Slice sizes one two zero",
            "placed = Slice table zero count one",
            "y = Add mel placed",
        ]),
    );
    let table = tensor("table", &[1, rows, 80], None);
    spectrum.graph.initializers.extend([
        table,
        list("zero", &[0.0]),
        list("one", &[1.0]),
        list("two", &[2.0]),
    ]);
    spectrum
}

const NAMINGS: [[&str; 2]; 3] = [["batch", "sequence"], ["", ""], ["unk__1", "unk__2"]];

#[test]
fn a_text_is_as_long_as_the_table_of_its_positions_where_that_is_short() {
    for dims in NAMINGS {
        for rows in [40, 50, 77, 100, 128, 512] {
            let size = rows.min(128);
            let plan = unasked(&text(dims, rows, 0.0));
            assert_eq!(shapes(&plan), [format!("N {size}")], "{dims:?}, {rows}");
            let reason = format!("Gather `Gather_placed` reads positions from a table of {rows}");
            let source = if size < 128 {
                SizeSource::Demand {
                    reason: reason.into(),
                }
            } else {
                SizeSource::MadeUp
            };
            assert_eq!(plan.fed[0].sources[1], source, "{dims:?}, {rows}");
        }
        // Positions that are counted from 2 leave as many fewer.
        for (rows, shape) in [(42, "N 40"), (514, "N 128")] {
            assert_eq!(
                shapes(&unasked(&text(dims, rows, 2.0))),
                [shape],
                "{dims:?}"
            );
        }
    }
}

#[test]
fn frames_are_as_many_as_a_table_of_positions_has_where_those_are_few() {
    for dims in NAMINGS {
        for rows in [40, 50, 100, 512] {
            let size = rows.min(100);
            let plan = unasked(&spectrum(dims, rows));
            assert_eq!(shapes(&plan), [format!("N {size} 80")], "{dims:?}, {rows}");
        }
        let reason = "a stored table has 40 positions".into();
        assert_eq!(
            unasked(&spectrum(dims, 40)).fed[0].sources[1],
            SizeSource::Demand { reason }
        );
    }
}

#[test]
fn a_prompt_leaves_out_rows_of_a_table_that_stand_for_no_position() {
    let mut kept = decoder("past_sequence_length + sequence_length");
    kept.graph.nodes = nodes(&[
        "kept_sizes = Shape kept",
        "past = Gather kept_sizes two",
        "sizes = Shape ids",
        "new = Gather sizes one",
        "all = Add past new",
        "steps = Range past all one",
        "places = Add steps two",
        "y = Gather table places",
    ]);
    let table = tensor("table", &[66, 8], None);
    kept.graph
        .initializers
        .extend([table, scalar("one", 1.0), scalar("two", 2.0)]);
    assert_eq!(usual_sizes(&kept), [0, 64, 63, 1]);
}

/// Rows and columns that an operator of `ai.onnx.ml` with a list of whole numbers, or of others,
/// reads.
fn table(dims: [&str; 2], operator: &str, attribute: (&str, AttributeValue)) -> Model {
    let (name, value) = attribute;
    let reads = with(
        node(&format!("ai.onnx.ml.{operator}"), &["facts"], "y"),
        name,
        value,
    );
    with_nodes(&[info("facts", FLOAT, &dims)], vec![reads])
}

/// Whether a demand with these words decided the second size.
fn says(plan: &InputPlan, words: &str) -> bool {
    matches!(&plan.fed[0].sources[1], SizeSource::Demand { reason } if reason.ends_with(words))
}

#[test]
fn a_table_has_as_many_columns_as_a_model_reads() {
    for dims in NAMINGS {
        for (last, size) in [(0, 1), (4, 5), (29, 30)] {
            let columns = ("nodes_featureids", AttributeValue::Integers(vec![0, last]));
            let plan = unasked(&table(dims, "TreeEnsembleRegressor", columns));
            assert_eq!(
                (axes(&plan), shapes(&plan)),
                (vec![("facts", 0)], vec![format!("N {size}")]),
                "{dims:?}"
            );
            let reason = format!("reads columns up to {last}, counted from 0");
            assert!(says(&plan, &reason), "{dims:?}, {last}");
        }
        let linear = table(
            dims,
            "LinearRegressor",
            ("coefficients", AttributeValue::Numbers(vec![0.5; 7])),
        );
        let plan = unasked(&linear);
        assert_eq!(shapes(&plan), ["N 7"], "{dims:?}");
        assert!(says(&plan, "multiplies 7 features"), "{dims:?}");
    }
}
