//! Operators that give elements another order of axes.

use super::{Call, Dims, Expr, Known, number, owned, product, unknown};

pub(super) fn dims(call: &Call<'_>, known: &mut Known) -> Option<Vec<Dims>> {
    let made = match call.node.operator.as_str() {
        "Reshape" => reshape(call, known),
        "Transpose" => transpose(call),
        "Squeeze" => squeeze(call, known),
        "Unsqueeze" => unsqueeze(call),
        "Flatten" => flatten(call),
        "Concat" | "QLinearConcat" => concat(call, known),
        "Split" | "SplitToSequence" => return Some(split(call, known)),
        "Shape" => call
            .dims(0)
            .map(|dims| vec![number(shape_range(call, dims.len()).len() as i64)])
            .or_else(|| unknown(1)),
        "Size" => Some(Vec::new()),
        _ => return None,
    };
    Some(vec![made])
}

pub(in super::super) fn shape_range(call: &Call<'_>, rank: usize) -> std::ops::Range<usize> {
    let start = within(call.integer("start", 0), rank);
    start..within(call.node.integer("end").unwrap_or(rank as i64), rank).max(start)
}

/// A place that may count from the end, as one of 0 to the rank.
fn within(place: i64, rank: usize) -> usize {
    let rank = rank as i64;
    let place = if place < 0 { place + rank } else { place };
    place.clamp(0, rank) as usize
}

fn reshape(call: &Call<'_>, known: &mut Known) -> Dims {
    let wanted = match call.integers("shape") {
        Some(stored) => stored.into_iter().map(Expr::Number).collect(),
        None => match call.elements(1) {
            Some(elements) => elements.to_vec(),
            // It is known at most how many axes there are.
            None => return unknown(usize::try_from(call.dims(1)?.first()?.number()?).ok()?),
        },
    };
    let before = call.dims(0);
    let keeps_zero = call.integer("allowzero", 0) == 1;
    let mut made: Vec<Expr> = wanted
        .iter()
        .enumerate()
        .map(|(axis, size)| match size {
            Expr::Number(0) if !keeps_zero => before
                .and_then(|dims| dims.get(axis))
                .cloned()
                .unwrap_or(Expr::Unknown),
            size => size.clone(),
        })
        .collect();
    let open = made.iter().position(|size| *size == number(-1));
    let Some(before) = before else {
        open.into_iter().for_each(|axis| made[axis] = Expr::Unknown);
        return Some(made);
    };
    match open {
        Some(axis) => made[axis] = rest(call, known, before, &made),
        None => elements_alike(call, known, before, &mut made),
    }
    Some(made)
}

fn rest(call: &Call<'_>, known: &mut Known, before: &[Expr], made: &[Expr]) -> Expr {
    let mut others: Vec<Expr> = made
        .iter()
        .filter(|size| **size != number(-1))
        .cloned()
        .collect();
    let mut whole = before.to_vec();
    // Axes that stay as they are cancel even where they are not known to be above 0.
    others.retain(|size| {
        let place = whole
            .iter()
            .position(|known| known == size && known.is_known());
        place.map(|place| whole.remove(place)).is_none()
    });
    let (whole, others) = (product(&whole), product(&others));
    if let Some(part) = others.number().filter(|&part| part > 1) {
        known.multiple(&whole, part, || {
            format!("{} parts elements by {part}", call.words())
        });
    }
    whole.over(&others)
}

/// Both sides hold as many elements; an unknown size follows where it is the only one.
fn elements_alike(call: &Call<'_>, known: &mut Known, before: &[Expr], made: &mut [Expr]) {
    let whole = product(before);
    let gaps: Vec<usize> = (0..made.len())
        .filter(|&axis| !made[axis].is_known())
        .collect();
    match gaps.as_slice() {
        [] => {
            let after = product(made);
            if after.is_known() && whole.is_known() {
                known.equal(&whole, &after, || {
                    format!("{} keeps the number of elements", call.words())
                });
            }
        }
        [gap] => {
            let others = made
                .iter()
                .filter(|size| size.is_known())
                .fold(number(1), |all, size| all.times(size));
            let size = whole.over(&others);
            if size.times(&others) == whole {
                made[*gap] = size;
            }
        }
        _ => {}
    }
}

fn transpose(call: &Call<'_>) -> Dims {
    let dims = call.dims(0)?;
    match call.integers("perm") {
        Some(order) if order.len() == dims.len() => order
            .iter()
            .map(|&axis| {
                usize::try_from(axis)
                    .ok()
                    .and_then(|axis| dims.get(axis))
                    .cloned()
            })
            .collect(),
        Some(_) => None,
        None => Some(dims.iter().rev().cloned().collect()),
    }
}

fn squeeze(call: &Call<'_>, known: &mut Known) -> Dims {
    let dims = call.dims(0)?;
    let given = call.attribute_or_input("axes", 1);
    if call.input(1).is_some() && given.is_none() {
        return None;
    }
    let Some(axes) = given else {
        // Which axes go depends on which are 1 long.
        let is_known = dims.iter().all(|size| size.number().is_some());
        return is_known.then(|| {
            dims.iter()
                .filter(|size| **size != number(1))
                .cloned()
                .collect()
        });
    };
    let gone: Vec<usize> = axes
        .iter()
        .filter_map(|&axis| call.axis(axis, dims.len()))
        .collect();
    for &axis in &gone {
        known.equal(&dims[axis], &number(1), || {
            format!("{} leaves out an axis that must be 1 long", call.words())
        });
    }
    Some(
        dims.iter()
            .enumerate()
            .filter(|(axis, _)| !gone.contains(axis))
            .map(|(_, size)| size.clone())
            .collect(),
    )
}

fn unsqueeze(call: &Call<'_>) -> Dims {
    let dims = call.dims(0)?;
    let axes = call.attribute_or_input("axes", 1)?;
    let rank = dims.len() + axes.len();
    let new: Vec<usize> = axes
        .iter()
        .filter_map(|&axis| call.axis(axis, rank))
        .collect();
    let mut rest = dims.iter();
    (0..rank)
        .map(|axis| {
            if new.contains(&axis) {
                Some(number(1))
            } else {
                rest.next().cloned()
            }
        })
        .collect()
}

fn flatten(call: &Call<'_>) -> Dims {
    let Some(dims) = call.dims(0) else {
        return unknown(2);
    };
    let axis = call.integer("axis", 1);
    let axis = if axis < 0 {
        axis + dims.len() as i64
    } else {
        axis
    };
    let (rows, columns) = dims.split_at(usize::try_from(axis).ok()?.min(dims.len()));
    Some(vec![product(rows), product(columns)])
}

fn concat(call: &Call<'_>, known: &mut Known) -> Dims {
    let quantized = call.node.operator == "QLinearConcat";
    // There, scale and zero point of the output come first, and each input has its own after it.
    let places: Vec<usize> = if quantized {
        (2..call.inputs.len()).step_by(3).collect()
    } else {
        (0..call.inputs.len()).collect()
    };
    let mut made = owned(call.dims(*places.first()?))?;
    let axis = call.axis(call.integer("axis", 1), made.len())?;
    for &place in &places[1..] {
        let dims = call.dims(place)?;
        if dims.len() != made.len() {
            return None;
        }
        for (at, size) in dims.iter().enumerate() {
            made[at] = if at == axis {
                made[at].plus(size)
            } else {
                known.equal(&made[at], size, || {
                    format!("{} joins what is alike on other axes", call.words())
                })
            };
        }
    }
    Some(made)
}

fn split(call: &Call<'_>, known: &mut Known) -> Vec<Dims> {
    if call.node.operator != "Split" {
        return vec![None];
    }
    let count = call.node.outputs.len();
    let Some(dims) = call.dims(0) else {
        return vec![None; count];
    };
    let Some(axis) = call.axis(call.integer("axis", 0), dims.len()) else {
        return vec![None; count];
    };
    let with = |size: Expr| {
        let mut part = dims.to_vec();
        part[axis] = size;
        Some(part)
    };
    let given = call
        .integers("split")
        .map(|sizes| sizes.into_iter().map(Expr::Number).collect::<Vec<_>>());
    let given = given.or_else(|| call.elements(1).map(<[Expr]>::to_vec));
    match given {
        Some(sizes) => {
            let whole = sizes.iter().fold(number(0), |sum, size| sum.plus(size));
            known.equal(&dims[axis], &whole, || {
                format!("{} parts what is as long as its parts", call.words())
            });
            sizes.into_iter().map(with).collect()
        }
        None if call.input(1).is_some() => vec![with(Expr::Unknown); count],
        None => equal_parts(&dims[axis], count as i64)
            .into_iter()
            .map(with)
            .collect(),
    }
}

/// Parts of one size; the last takes what is left, which is as much where the size divides.
fn equal_parts(size: &Expr, count: i64) -> Vec<Expr> {
    let part = size.over_up(count);
    let last = size.minus(&part.times(&number(count - 1)));
    (0..count)
        .map(|place| {
            if place + 1 == count {
                last.clone()
            } else {
                part.clone()
            }
        })
        .collect()
}
