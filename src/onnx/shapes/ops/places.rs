//! Operators that pick elements by place, or make values of a size that is given.

use super::{Call, Dims, Expr, Known, Side, number, owned, roles, unknown};

pub(super) fn dims(call: &Call<'_>, known: &mut Known) -> Option<Vec<Dims>> {
    let made = match call.node.operator.as_str() {
        "Gather" | "GatherBlockQuantized" => gather(call, known),
        "GatherElements" => gather_elements(call, known),
        "GatherND" => gather_nd(call),
        "OneHot" => one_hot(call),
        "Expand" => expand(call, known),
        "Tile" => tile(call),
        "ConstantOfShape" => filled(call),
        "Range" => range(call),
        "EyeLike" => owned(call.dims(0)),
        "RandomNormal" | "RandomUniform" => call
            .integers("shape")
            .map(|sizes| sizes.into_iter().map(Expr::Number).collect()),
        "NonZero" => call
            .dims(0)
            .map(|dims| vec![number(dims.len() as i64), Expr::Unknown])
            .or_else(|| unknown(2)),
        "Unique" => return Some(unique(call)),
        "Compress" => compress(call),
        "Multinomial" => call.dims(0).and_then(|dims| {
            Some(vec![
                dims.first()?.clone(),
                number(call.integer("sample_size", 1)),
            ])
        }),
        _ => return None,
    };
    Some(vec![made])
}

fn gather(call: &Call<'_>, known: &mut Known) -> Dims {
    let (table, indices) = (call.dims(0)?, call.dims(1)?);
    let axis = call.axis(call.integer("axis", 0), table.len())?;
    reached(call, known, table.get(axis)?);
    looked_up(call, known, axis);
    Some([&table[..axis], indices, &table[axis + 1..]].concat())
}

/// Positions must lie in the table; positions that go as far as an axis is long bound that axis.
fn looked_up(call: &Call<'_>, known: &mut Known, axis: usize) {
    roles::positions(call, known);
    if let Some(rows) = call.dims(0).and_then(|dims| dims[axis].number())
        && let Some(below) = call.input(1).and_then(|index| index.below.as_ref())
        && call.is_stored(0)
    {
        known.at_most(below, rows, || {
            format!("{} looks positions up in a table of {rows}", call.words())
        });
    }
}

/// Places that are known must be there, from whichever end they count.
pub(super) fn reached(call: &Call<'_>, known: &mut Known, size: &Expr) {
    let least = match call.numbers(1) {
        Some(places) => places.iter().map(reach).max(),
        None => call
            .input(1)
            .and_then(|places| places.below.as_ref()?.number()),
    };
    if let Some(least) = least {
        known.at_least(size, least, || {
            format!("{} picks out of {least} or more", call.words())
        });
    }
}

/// The least number of elements among which a place is.
fn reach(place: &i64) -> i64 {
    match *place {
        from_end @ ..0 => from_end.saturating_neg(),
        place => place.saturating_add(1),
    }
}

fn gather_elements(call: &Call<'_>, known: &mut Known) -> Dims {
    if let Some(dims) = call.dims(0)
        && let Some(axis) = call.axis(call.integer("axis", 0), dims.len())
        && let Some(size) = dims.get(axis)
    {
        reached(call, known, size);
    }
    owned(call.dims(1))
}

fn gather_nd(call: &Call<'_>) -> Dims {
    let (data, indices) = (call.dims(0)?, call.dims(1)?);
    let batch = usize::try_from(call.integer("batch_dims", 0)).ok()?;
    let (last, outer) = indices.split_last()?;
    let taken = batch + usize::try_from(last.number()?).ok()?;
    Some([outer, data.get(taken..)?].concat())
}

fn one_hot(call: &Call<'_>) -> Dims {
    let mut made = owned(call.dims(0))?;
    let depth = call.first(1).cloned().unwrap_or(Expr::Unknown);
    let axis = call.axis(call.integer("axis", -1), made.len() + 1)?;
    made.insert(axis, depth);
    Some(made)
}

fn expand(call: &Call<'_>, known: &mut Known) -> Dims {
    let dims = call.dims(0)?;
    let Some(wanted) = call.elements(1) else {
        let rank = usize::try_from(call.dims(1)?.first()?.number()?).ok()?;
        return unknown(rank.max(dims.len()));
    };
    let [one, other] = [dims, wanted].map(|dims| Side {
        dims,
        is_stored: false,
    });
    Some(known.broadcast(&one, &other, &|| call.words()))
}

fn tile(call: &Call<'_>) -> Dims {
    let dims = call.dims(0)?;
    match call.elements(1) {
        Some(times) if times.len() == dims.len() => Some(
            dims.iter()
                .zip(times)
                .map(|(size, times)| size.times(times))
                .collect(),
        ),
        _ => unknown(dims.len()),
    }
}

fn filled(call: &Call<'_>) -> Dims {
    match call.elements(0) {
        Some(sizes) => Some(sizes.to_vec()),
        None => unknown(usize::try_from(call.dims(0)?.first()?.number()?).ok()?),
    }
}

/// How many numbers lie between the ends; unknown where an end or the step is.
fn range(call: &Call<'_>) -> Dims {
    let (Some(start), Some(end), Some(step)) = (call.first(0), call.first(1), call.first(2)) else {
        return unknown(1);
    };
    let count = match step.number() {
        Some(step @ 1..) => end.minus(start).over_up(step),
        Some(step @ ..=-1) => start.minus(end).over_up(step.saturating_neg()),
        _ => Expr::Unknown,
    };
    Some(vec![count.larger(&number(0))])
}

fn unique(call: &Call<'_>) -> Vec<Dims> {
    vec![compress(call), unknown(1), unknown(1), unknown(1)]
}

fn compress(call: &Call<'_>) -> Dims {
    let Some(axis) = call.node.integer("axis") else {
        return unknown(1);
    };
    let mut made = owned(call.dims(0))?;
    let axis = call.axis(axis, made.len())?;
    made[axis] = Expr::Unknown;
    Some(made)
}
