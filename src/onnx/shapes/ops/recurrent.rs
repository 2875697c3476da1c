//! Recurrent layers.

use super::super::known::Known;
use super::super::roles;
use super::super::value::{Call, Dims, number};
use crate::onnx::shapes::Expr;

pub(super) fn dims(call: &Call<'_>, known: &mut Known) -> Option<Vec<Dims>> {
    match call.node.operator.as_str() {
        "LSTM" | "GRU" | "RNN" | "DynamicQuantizeLSTM" => {}
        _ => return None,
    }
    let count = call.node.outputs.len();
    Some(recurrence(call, known).unwrap_or_else(|| vec![None; count]))
}

fn recurrence(call: &Call<'_>, known: &mut Known) -> Option<Vec<Dims>> {
    let [first, second, features] = call.dims(0)? else { return None };
    roles::sequence(call, known);
    if let (Some([_, _, wanted]), false) = (call.dims(1), call.node.operator.starts_with("Dynamic")) {
        known.equal(features, wanted, || format!("{} reads {} features", call.words(), shown(wanted)));
    }
    let directions = number(if call.text("direction") == "bidirectional" { 2 } else { 1 });
    let hidden = match call.node.integer("hidden_size") {
        Some(size) => number(size),
        None => call.dims(2)?.last()?.clone(),
    };
    let batch_first = call.integer("layout", 0) == 1;
    let [steps, batch] = if batch_first { [second, first] } else { [first, second] };
    states_fit(call, known, if batch_first { 0 } else { 1 }, batch);
    let order = |parts: [&Expr; 3]| Some(parts.into_iter().cloned().collect::<Vec<_>>());
    let state = if batch_first { order([batch, &directions, &hidden]) } else { order([&directions, batch, &hidden]) };
    let all = match batch_first {
        true => vec![batch.clone(), steps.clone(), directions.clone(), hidden],
        false => vec![steps.clone(), directions.clone(), batch.clone(), hidden],
    };
    Some(vec![Some(all), state.clone(), state])
}

fn shown(size: &Expr) -> String {
    size.number().map_or_else(|| "as many".to_owned(), |size| size.to_string())
}

/// States that are given have the batch of what is read.
fn states_fit(call: &Call<'_>, known: &mut Known, axis: usize, batch: &Expr) {
    for state in [5, 6] {
        if let Some(size) = call.dims(state).filter(|dims| dims.len() == 3).map(|dims| dims[axis].clone()) {
            known.equal(batch, &size, || format!("{} keeps a state a sample", call.words()));
        }
    }
    if let Some([lengths]) = call.dims(4) {
        known.equal(batch, &lengths.clone(), || format!("{} reads a length a sample", call.words()));
    }
}
