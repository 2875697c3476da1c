//! Operators along the steps of a sequence: attention, the standard's and ONNX Runtime's, and
//! recurrent layers.

use super::{Call, DimRole, Dims, Expr, Known, number, owned, roles};

pub(super) fn dims(call: &Call<'_>, known: &mut Known) -> Option<Vec<Dims>> {
    let is_standard = call.node.is_standard();
    let made = match call.node.operator.as_str() {
        "Attention" if is_standard => standard(call, known),
        "Attention" | "QAttention" => packed(call, known),
        "MultiHeadAttention" => multi_head(call, known),
        "GroupQueryAttention" => grouped(call, known),
        "EmbedLayerNormalization" => return Some(embedded(call, known)),
        "LSTM" | "GRU" | "RNN" | "DynamicQuantizeLSTM" => recurrence(call, known),
        _ => return None,
    };
    let count = call.node.outputs.len();
    Some(made.unwrap_or_else(|| vec![None; count]))
}

/// Keys and values of all positions: those kept from before and the new ones.
fn kept(call: &Call<'_>, known: &mut Known, past: usize, new: &Expr) -> Dims {
    let mut made = owned(call.dims(past))?;
    let axis = made.len().checked_sub(2)?;
    known.role(&made[axis], DimRole::Past);
    made[axis] = made[axis].plus(new);
    Some(made)
}

/// Queries (batch, heads, new, width) or (batch, new, heads x width), as keys and values.
fn standard(call: &Call<'_>, known: &mut Known) -> Option<Vec<Dims>> {
    let (queries, keys, values) = (call.dims(0)?, call.dims(1)?, call.dims(2)?);
    let axis = queries.len().checked_sub(2)?;
    known.equal(&keys[axis], &values[axis], || {
        format!("{} has a value a key", call.words())
    });
    roles::attended(call, known, 0, axis);
    let mut output = queries.to_vec();
    let [key_heads, query_heads] =
        ["kv_num_heads", "q_num_heads"].map(|name| call.node.integer(name));
    let last = output.len() - 1;
    output[last] = match (queries.len(), key_heads, query_heads) {
        (4, ..) => values[last].clone(),
        (_, Some(keys), Some(queries)) => values[last].over(&number(keys)).times(&number(queries)),
        _ => Expr::Unknown,
    };
    let new = &keys[axis];
    let mut present = |past: usize, source: &[Expr]| match call.input(past) {
        Some(_) => kept(call, known, past, new),
        None => in_heads(source, new, key_heads?),
    };
    let (key, value) = (present(4, keys), present(5, values));
    Some(vec![Some(output), key, value, None])
}

/// Keys or values with an axis for the heads.
fn in_heads(source: &[Expr], new: &Expr, heads: i64) -> Dims {
    if source.len() == 4 {
        return Some(source.to_vec());
    }
    let (heads, width) = (number(heads), source.get(2)?);
    let width = width.over(&heads);
    Some(vec![source[0].clone(), heads, new.clone(), width])
}

/// Input (batch, length, width), weight (width, 3 x hidden).
fn packed(call: &Call<'_>, known: &mut Known) -> Option<Vec<Dims>> {
    let [batch, length, width] = call.dims(0)? else {
        return None;
    };
    let [rows, columns] = call.dims(1)? else {
        return None;
    };
    known.equal(width, rows, || {
        format!("{} multiplies as many features", call.words())
    });
    roles::attended(call, known, 0, 1);
    let hidden = match call.integers("qkv_hidden_sizes") {
        Some(sizes) => number(*sizes.get(2)?),
        None => columns.over(&number(3)),
    };
    let past = if call.node.operator == "QAttention" {
        8
    } else {
        4
    };
    let present = call.input(past).and_then(|_| {
        let mut made = owned(call.dims(past)).filter(|dims| dims.len() == 5)?;
        known.role(&made[3], DimRole::Past);
        made[3] = made[3].plus(length);
        Some(made)
    });
    Some(vec![
        Some(vec![batch.clone(), length.clone(), hidden]),
        present,
    ])
}

fn multi_head(call: &Call<'_>, known: &mut Known) -> Option<Vec<Dims>> {
    let [batch, length, hidden] = call.dims(0)? else {
        return None;
    };
    roles::attended(call, known, 0, 1);
    let width = call
        .dims(2)
        .filter(|dims| dims.len() == 3)
        .map_or(hidden, |dims| &dims[2]);
    let new = call
        .dims(1)
        .filter(|dims| dims.len() == 3)
        .map(|dims| dims[1].clone());
    let output = vec![batch.clone(), length.clone(), width.clone()];
    let mut present = |past: usize| match (&new, call.input(past)) {
        (Some(new), Some(_)) => kept(call, known, past, new),
        _ => None,
    };
    Some(vec![Some(output), present(6), present(7)])
}

/// Queries (batch, new, heads x width); keys and values kept (batch, heads, positions, width). ONNX
/// Runtime makes as many positions as the total says, or as the buffer has where that is shared.
fn grouped(call: &Call<'_>, known: &mut Known) -> Option<Vec<Dims>> {
    let [batch, length, hidden] = call.dims(0)? else {
        return None;
    };
    roles::attended(call, known, 0, 1);
    let heads = call.node.integer("num_heads")?;
    let kept_heads = call.node.integer("kv_num_heads")?;
    let is_packed = call.input(1).is_none();
    let output = match is_packed {
        true => hidden
            .over(&number(kept_heads.saturating_mul(2).saturating_add(heads)))
            .times(&number(heads)),
        false => hidden.clone(),
    };
    let made = Some(vec![batch.clone(), length.clone(), output]);
    let (keys, values) = (buffered(call, known, 3), buffered(call, known, 4));
    Some(vec![made, keys, values])
}

/// Keys or values of as many positions as nothing here tells.
fn buffered(call: &Call<'_>, known: &mut Known, past: usize) -> Dims {
    let mut made = owned(call.dims(past)).filter(|dims| dims.len() == 4)?;
    known.role(&made[2], DimRole::Past);
    made[2] = Expr::Unknown;
    Some(made)
}

/// Indices of words (batch, length), and tables of words, positions and segments.
fn embedded(call: &Call<'_>, known: &mut Known) -> Vec<Dims> {
    let (Some([batch, length]), Some([_, hidden])) = (call.dims(0), call.dims(2)) else {
        return vec![None; 3];
    };
    known.role(length, DimRole::Tokens);
    if let Some(most) = call
        .dims(3)
        .and_then(<[Expr]>::first)
        .and_then(Expr::number)
    {
        known.at_most(length, most, || {
            format!("{} has a table of {most} positions", call.words())
        });
    }
    if let Some([_, segments]) = call.dims(1) {
        known.equal(length, &segments.clone(), || {
            format!("{} reads a segment a word", call.words())
        });
    }
    let all = Some(vec![batch.clone(), length.clone(), hidden.clone()]);
    vec![all.clone(), Some(vec![batch.clone()]), all]
}

fn recurrence(call: &Call<'_>, known: &mut Known) -> Option<Vec<Dims>> {
    let [first, second, features] = call.dims(0)? else {
        return None;
    };
    roles::sequence(call, known);
    reads_features(call, known, features);
    let directions = number(match call.text("direction") {
        "bidirectional" => 2,
        _ => 1,
    });
    let hidden = match call.node.integer("hidden_size") {
        Some(size) => number(size),
        None => call.dims(2)?.last()?.clone(),
    };
    let (state, all) = if call.integer("layout", 0) == 1 {
        states_fit(call, known, 0, first);
        (
            vec![first, &directions, &hidden],
            vec![first, second, &directions, &hidden],
        )
    } else {
        states_fit(call, known, 1, second);
        (
            vec![&directions, second, &hidden],
            vec![first, &directions, second, &hidden],
        )
    };
    let state: Dims = Some(state.into_iter().cloned().collect());
    let all = Some(all.into_iter().cloned().collect());
    Some(vec![all, state.clone(), state])
}

/// An input has as many features as the weights.
fn reads_features(call: &Call<'_>, known: &mut Known, features: &Expr) {
    let Some([_, _, wanted]) = call.dims(1) else {
        return;
    };
    if call.node.operator.starts_with("Dynamic") {
        return;
    }
    known.equal(features, wanted, || match wanted.number() {
        Some(size) => format!("{} reads {size} features", call.words()),
        None => format!("{} reads as many features", call.words()),
    });
}

fn states_fit(call: &Call<'_>, known: &mut Known, axis: usize, batch: &Expr) {
    for state in [5, 6] {
        if let Some(size) = call
            .dims(state)
            .filter(|dims| dims.len() == 3)
            .map(|dims| dims[axis].clone())
        {
            known.equal(batch, &size, || {
                format!("{} keeps a state a sample", call.words())
            });
        }
    }
    if let Some([lengths]) = call.dims(4) {
        known.equal(batch, &lengths.clone(), || {
            format!("{} reads a length a sample", call.words())
        });
    }
}
