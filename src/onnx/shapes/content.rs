//! Elements of small values that follow from sizes and constants: what shapes are computed with.

use super::Expr;
use super::ops::{Cut, cuts, shape_range};
use super::value::{Call, Dims, FOLLOWED_ELEMENTS, product};
use crate::onnx::AttributeValue;

/// The number by which the standard calls truth values.
pub(super) const BOOL_TYPE: i64 = 9;

/// Elements of a node's first output, whose sizes are these; absent where they are many or do not follow.
pub(super) fn elements(call: &Call<'_>, dims: &Dims) -> Option<Vec<Expr>> {
    let found = match call.node.operator.as_str() {
        "Shape" => {
            let dims = call.dims(0)?;
            Some(dims[shape_range(call, dims.len())].to_vec())
        }
        "Size" => Some(vec![product(call.dims(0)?)]),
        "Cast" if call.node.integer("to") == Some(BOOL_TYPE) => Some(
            call.elements(0)?
                .iter()
                .map(|value| not(&not(value)))
                .collect(),
        ),
        "Identity" | "Cast" | "CastLike" | "Squeeze" | "Unsqueeze" | "Reshape" | "Flatten"
        | "Floor" | "Ceil" | "Round" | "Dropout" => call.elements(0).map(<[Expr]>::to_vec),
        "Neg" => Some(
            call.elements(0)?
                .iter()
                .map(|value| value.times(&Expr::Number(-1)))
                .collect(),
        ),
        "Not" => Some(call.elements(0)?.iter().map(not).collect()),
        "Abs" | "Relu" => {
            let values = call.elements(0)?;
            values
                .iter()
                .all(Expr::is_not_negative)
                .then(|| values.to_vec())
        }
        "Concat" => joined(call),
        "Gather" => gathered(call),
        "Slice" => sliced(call),
        "ConstantOfShape" => filled(call, dims),
        "Range" => counted(call, dims),
        "Expand" | "Tile" => repeated(call, dims),
        "ReduceProd" => whole(call, dims, Expr::times),
        "ReduceSum" => whole(call, dims, Expr::plus),
        "ReduceMax" => whole(call, dims, Expr::larger),
        "ReduceMin" => whole(call, dims, Expr::smaller),
        "Where" => chosen(call, dims),
        "Add" | "Sum" => paired(call, dims, Expr::plus),
        "Sub" => paired(call, dims, Expr::minus),
        "Mul" => paired(call, dims, Expr::times),
        "Div" => paired(call, dims, |one, other| divided(call, one, other)),
        "Mod" => paired(call, dims, remainder),
        "Max" => paired(call, dims, Expr::larger),
        "Min" => paired(call, dims, Expr::smaller),
        "Equal" => paired(call, dims, equal),
        "Greater" => paired(call, dims, |one, other| truth(above(one, other))),
        "Less" => paired(call, dims, |one, other| truth(above(other, one))),
        "GreaterOrEqual" => paired(call, dims, |one, other| not(&truth(above(other, one)))),
        "LessOrEqual" => paired(call, dims, |one, other| not(&truth(above(one, other)))),
        "And" => paired(call, dims, Expr::times),
        "Or" => paired(call, dims, Expr::larger),
        _ => None,
    };
    let count = count(dims);
    found.filter(|found| {
        found.len() <= FOLLOWED_ELEMENTS && count.is_none_or(|count| count == found.len())
    })
}

fn count(dims: &Dims) -> Option<usize> {
    let sizes: Option<Vec<i64>> = dims.as_ref()?.iter().map(Expr::number).collect();
    usize::try_from(
        sizes?
            .iter()
            .try_fold(1_i64, |all, &size| all.checked_mul(size))?,
    )
    .ok()
}

/// How many elements there are, where they are followed.
fn few(dims: &Dims) -> Option<usize> {
    count(dims).filter(|&count| count <= FOLLOWED_ELEMENTS)
}

fn truth(known: Option<bool>) -> Expr {
    known.map_or(Expr::Unknown, |known| Expr::Number(known.into()))
}

fn not(value: &Expr) -> Expr {
    truth(value.number().map(|value| value == 0))
}

fn equal(one: &Expr, other: &Expr) -> Expr {
    let gap = one.minus(other);
    let below = |gap: &Expr| gap.plus(&Expr::Number(-1)).is_not_negative();
    truth(match gap.number() {
        Some(gap) => Some(gap == 0),
        None if below(&gap) || below(&gap.times(&Expr::Number(-1))) => Some(false),
        None => None,
    })
}

/// Whether the first is larger, where that holds whatever sizes are.
fn above(one: &Expr, other: &Expr) -> Option<bool> {
    let gap = one.minus(other);
    match () {
        () if gap.plus(&Expr::Number(-1)).is_not_negative() => Some(true),
        () if other.minus(one).is_not_negative() => Some(false),
        () => None,
    }
}

/// Whole numbers lose what is left; of fractions only what divides is followed.
fn divided(call: &Call<'_>, one: &Expr, other: &Expr) -> Expr {
    let quotient = one.over(other);
    let is_whole =
        call.input(0).is_some_and(|value| value.is_integer) || quotient.times(other) == *one;
    if is_whole { quotient } else { Expr::Unknown }
}

fn remainder(one: &Expr, other: &Expr) -> Expr {
    match other.number() {
        Some(1..) => one.minus(&one.over(other).times(other)),
        _ => Expr::Unknown,
    }
}

/// The operands' elements, place by place, where each has one or as many as the output.
fn by_place<'e>(operands: &[&'e [Expr]], dims: &Dims) -> Option<Vec<Vec<&'e Expr>>> {
    let count = few(dims)?;
    operands
        .iter()
        .all(|values| values.len() == count || values.len() == 1)
        .then_some(())?;
    let at = |place: usize| {
        operands
            .iter()
            .map(|values| values.get(place).or(values.first()))
            .collect()
    };
    (0..count).map(at).collect()
}

fn paired(call: &Call<'_>, dims: &Dims, with: impl Fn(&Expr, &Expr) -> Expr) -> Option<Vec<Expr>> {
    let operands: Option<Vec<&[Expr]>> = (0..call.inputs.len())
        .map(|index| call.elements(index))
        .collect();
    let combined = |values: Vec<&Expr>| {
        values
            .into_iter()
            .cloned()
            .reduce(|all, value| with(&all, &value))
    };
    by_place(&operands?, dims)?
        .into_iter()
        .map(combined)
        .collect()
}

fn chosen(call: &Call<'_>, dims: &Dims) -> Option<Vec<Expr>> {
    let places = by_place(
        &[call.elements(0)?, call.elements(1)?, call.elements(2)?],
        dims,
    )?;
    let choice = |values: Vec<&Expr>| match (values[0].number(), values[1], values[2]) {
        (Some(0), _, no) => no.clone(),
        (Some(_), yes, _) => yes.clone(),
        (None, yes, no) if yes == no => yes.clone(),
        _ => Expr::Unknown,
    };
    Some(places.into_iter().map(choice).collect())
}

fn joined(call: &Call<'_>) -> Option<Vec<Expr>> {
    let one_axis = call.dims(0)?.len() == 1;
    let parts: Option<Vec<&[Expr]>> = (0..call.inputs.len())
        .map(|index| call.elements(index))
        .collect();
    parts.filter(|_| one_axis).map(|parts| parts.concat())
}

fn gathered(call: &Call<'_>) -> Option<Vec<Expr>> {
    let (values, places) = (call.elements(0)?, call.numbers(1)?);
    let [_] = call.dims(0)? else { return None };
    let count = values.len() as i64;
    let place = |&place: &i64| usize::try_from(if place < 0 { place + count } else { place }).ok();
    places
        .iter()
        .map(|at| values.get(place(at)?).cloned())
        .collect()
}

fn sliced(call: &Call<'_>) -> Option<Vec<Expr>> {
    let values = call.elements(0)?;
    let [_] = call.dims(0)? else { return None };
    let cuts = cuts(call, 1)?;
    let [
        Cut {
            start, end, step, ..
        },
    ] = cuts.as_slice()
    else {
        return None;
    };
    let count = values.len() as i64;
    let (start, end) = (start.number()?, end.number()?);
    let from_end = |place: i64| {
        if place < 0 {
            place.saturating_add(count)
        } else {
            place
        }
    };
    if *step > 0 {
        let range = from_end(start).clamp(0, count)..from_end(end).clamp(0, count);
        return range
            .step_by(usize::try_from(*step).ok()?)
            .map(|place| values.get(place as usize).cloned())
            .collect();
    }
    let step = usize::try_from(step.checked_neg()?)
        .ok()
        .filter(|&step| step > 0)?;
    let (start, end) = (
        from_end(start).min(count - 1),
        from_end(end).clamp(-1, count),
    );
    let places = (end + 1..=start).rev().step_by(step);
    places
        .map(|place| values.get(usize::try_from(place).ok()?).cloned())
        .collect()
}

fn filled(call: &Call<'_>, dims: &Dims) -> Option<Vec<Expr>> {
    let value = match call.node.attribute("value") {
        Some(AttributeValue::Tensor(tensor)) => *tensor.values.as_ref()?.first()?,
        None => 0.0,
        Some(_) => return None,
    };
    let count = few(dims)?;
    (value.fract() == 0.0).then(|| vec![Expr::Number(value as i64); count])
}

fn counted(call: &Call<'_>, dims: &Dims) -> Option<Vec<Expr>> {
    let count = few(dims)?;
    let (start, step) = (
        call.elements(0)?.first()?.clone(),
        call.numbers(2)?.first().copied()?,
    );
    Some(
        (0..count as i64)
            .map(|place| start.plus(&Expr::Number(place).times(&Expr::Number(step))))
            .collect(),
    )
}

fn repeated(call: &Call<'_>, dims: &Dims) -> Option<Vec<Expr>> {
    let count = few(dims)?;
    match call.elements(0)? {
        values if values.len() == count => Some(values.to_vec()),
        [value] => Some(vec![value.clone(); count]),
        _ => None,
    }
}

fn whole(call: &Call<'_>, dims: &Dims, with: impl Fn(&Expr, &Expr) -> Expr) -> Option<Vec<Expr>> {
    let values = call.elements(0)?;
    let (first, rest) = values.split_first()?;
    (count(dims)? == 1).then(|| {
        vec![
            rest.iter()
                .fold(first.clone(), |all, value| with(&all, value)),
        ]
    })
}

pub(super) fn below(call: &Call<'_>) -> Option<Expr> {
    let before = |index: usize| call.input(index).and_then(|value| value.below.clone());
    let one = |index: usize| call.first(index).cloned();
    match call.node.operator.as_str() {
        "Range" => (one(2)? == Expr::Number(1)).then(|| one(1)).flatten(),
        "Identity" | "Cast" | "Squeeze" | "Unsqueeze" | "Reshape" | "Expand" | "Tile"
        | "Transpose" | "Flatten" => before(0),
        "Add" => match (
            before(0).filter(|_| one(0).is_none()),
            before(1).filter(|_| one(1).is_none()),
        ) {
            (Some(below), None) => one(1).map(|more| below.plus(&more)),
            (None, Some(below)) => one(0).map(|more| below.plus(&more)),
            _ => None,
        },
        "Sub" => before(0)
            .filter(|_| one(0).is_none())
            .and_then(|below| Some(below.minus(&one(1)?))),
        // Stored positions that are cut: those at the start go as far as they are many.
        "Slice" => cut_positions(call),
        _ => None,
    }
    .filter(Expr::is_known)
}

fn cut_positions(call: &Call<'_>) -> Option<Expr> {
    let dims = call.dims(0)?;
    let cuts = cuts(call, dims.len())?;
    let [cut] = cuts.as_slice() else { return None };
    let last = dims.last()?;
    let counts_up =
        call.input(0)?.below.as_ref()? == last && cut.axis + 1 == dims.len() && cut.step == 1;
    (counts_up && cut.end.is_not_negative()).then(|| cut.end.clone())
}
