//! Operators that make fewer elements of an axis, or one.

use super::{Call, Dims, Expr, Known, number, owned, unknown};

pub(super) fn dims(call: &Call<'_>, known: &mut Known) -> Option<Vec<Dims>> {
    let made = match call.node.operator.as_str() {
        "ArgMax" | "ArgMin" => one_axis(call),
        "TopK" => {
            let both = top(call, known);
            return Some(vec![both.clone(), both]);
        }
        "Det" => call
            .dims(0)
            .and_then(|dims| Some(dims.get(..dims.len().checked_sub(2)?)?.to_vec())),
        operator if operator.starts_with("Reduce") || operator == "QLinearReduceMean" => {
            reduced(call)
        }
        _ => return None,
    };
    Some(vec![made])
}

fn reduced(call: &Call<'_>) -> Dims {
    let dims = call.dims(0)?;
    let keeps = call.integer("keepdims", 1) == 1;
    let axes = match call.attribute_or_input("axes", 1) {
        Some(axes) => axes,
        None if call.input(1).is_some() && call.node.operator != "QLinearReduceMean" => {
            return if keeps { unknown(dims.len()) } else { None };
        }
        None => Vec::new(),
    };
    if axes.is_empty() && call.integer("noop_with_empty_axes", 0) == 1 {
        return Some(dims.to_vec());
    }
    let gone: Vec<usize> = axes
        .iter()
        .filter_map(|&axis| call.axis(axis, dims.len()))
        .collect();
    let is_gone = |axis: &usize| gone.is_empty() || gone.contains(axis);
    let left = dims
        .iter()
        .enumerate()
        .filter(|(axis, _)| keeps || !is_gone(axis));
    Some(
        left.map(|(axis, size)| {
            if is_gone(&axis) {
                number(1)
            } else {
                size.clone()
            }
        })
        .collect(),
    )
}

fn one_axis(call: &Call<'_>) -> Dims {
    let mut made = owned(call.dims(0))?;
    let axis = call.axis(call.integer("axis", 0), made.len())?;
    if call.integer("keepdims", 1) == 1 {
        made[axis] = number(1);
    } else {
        made.remove(axis);
    }
    Some(made)
}

fn top(call: &Call<'_>, known: &mut Known) -> Dims {
    let mut made = owned(call.dims(0))?;
    let axis = call.axis(call.integer("axis", -1), made.len())?;
    let count = match call.node.integer("k") {
        Some(count) => number(count),
        None => call.first(1).cloned().unwrap_or(Expr::Unknown),
    };
    if let Some(count) = count.number() {
        known.at_least(&made[axis], count, || {
            format!("{} takes the {count} largest", call.words())
        });
    }
    made[axis] = count;
    Some(made)
}
