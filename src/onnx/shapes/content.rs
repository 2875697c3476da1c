//! Elements of small values that follow from sizes and constants: what shapes are computed with.

use super::Expr;
use super::ops::{Cut, cuts, shape_range};
use super::value::{Call, Dims, FOLLOWED_ELEMENTS, from_start, product};
use crate::onnx::AttributeValue;

/// The number by which the standard calls truth values.
pub(super) const BOOL_TYPE: i64 = 9;

/// Elements of a node's first output, whose sizes are these; absent where they are many or do not
/// follow.
pub(super) fn elements(call: &Call<'_>, dims: &Dims) -> Option<Vec<Expr>> {
    let found = one_by_one(call)
        .or_else(|| moved(call, dims))
        .or_else(|| computed(call, dims));
    let count = count(dims);
    found.filter(|found| {
        found.len() <= FOLLOWED_ELEMENTS && count.is_none_or(|count| count == found.len())
    })
}

/// Elements of operators that read sizes, or change each element by itself if at all.
fn one_by_one(call: &Call<'_>) -> Option<Vec<Expr>> {
    match call.node.operator.as_str() {
        "Shape" => {
            let dims = call.dims(0)?;
            Some(dims[shape_range(call, dims.len())].to_vec())
        }
        "Size" => Some(vec![product(call.dims(0)?)]),
        "Cast" if call.node.integer("to") == Some(BOOL_TYPE) => {
            each(call, |value| not(&not(value)))
        }
        "Identity" | "Cast" | "CastLike" | "Squeeze" | "Unsqueeze" | "Reshape" | "Flatten"
        | "Floor" | "Ceil" | "Round" | "Dropout" => call.elements(0).map(<[Expr]>::to_vec),
        "Neg" => each(call, |value| value.times(&Expr::Number(-1))),
        "Not" => each(call, not),
        "Abs" | "Relu" => {
            let values = call.elements(0)?;
            values
                .iter()
                .all(Expr::is_not_negative)
                .then(|| values.to_vec())
        }
        _ => None,
    }
}

fn each(call: &Call<'_>, change: impl Fn(&Expr) -> Expr) -> Option<Vec<Expr>> {
    Some(call.elements(0)?.iter().map(change).collect())
}

/// Elements of operators that pick, order or repeat.
fn moved(call: &Call<'_>, dims: &Dims) -> Option<Vec<Expr>> {
    match call.node.operator.as_str() {
        "Concat" => joined(call),
        "Gather" => gathered(call),
        "Slice" => sliced(call),
        "ConstantOfShape" => filled(call, dims),
        "Range" => counted(call, dims),
        "Expand" | "Tile" => repeated(call, dims),
        "Where" => chosen(call, dims),
        _ => None,
    }
}

/// Elements of operators that compute one of several.
fn computed(call: &Call<'_>, dims: &Dims) -> Option<Vec<Expr>> {
    match call.node.operator.as_str() {
        "ReduceProd" => whole(call, dims, Expr::times),
        "ReduceSum" => whole(call, dims, Expr::plus),
        "ReduceMax" => whole(call, dims, Expr::larger),
        "ReduceMin" => whole(call, dims, Expr::smaller),
        "Add" | "Sum" => paired(call, dims, Expr::plus),
        "Sub" => paired(call, dims, Expr::minus),
        "Mul" | "And" => paired(call, dims, Expr::times),
        "Div" => paired(call, dims, |one, other| divided(call, one, other)),
        "Mod" => paired(call, dims, remainder),
        "Max" | "Or" => paired(call, dims, Expr::larger),
        "Min" => paired(call, dims, Expr::smaller),
        "Equal" => paired(call, dims, equal),
        "Greater" => paired(call, dims, |one, other| truth(above(one, other))),
        "Less" => paired(call, dims, |one, other| truth(above(other, one))),
        "GreaterOrEqual" => paired(call, dims, |one, other| not(&truth(above(other, one)))),
        "LessOrEqual" => paired(call, dims, |one, other| not(&truth(above(one, other)))),
        _ => None,
    }
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
    truth(match gap.number() {
        Some(gap) => Some(gap == 0),
        None if is_positive(&gap) || is_positive(&gap.times(&Expr::Number(-1))) => Some(false),
        None => None,
    })
}

/// Whether it is above 0 whatever sizes are.
fn is_positive(gap: &Expr) -> bool {
    gap.plus(&Expr::Number(-1)).is_not_negative()
}

/// Whether the first is larger, where that holds whatever sizes are.
fn above(one: &Expr, other: &Expr) -> Option<bool> {
    if is_positive(&one.minus(other)) {
        return Some(true);
    }
    other.minus(one).is_not_negative().then_some(false)
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
    (0..count).map(|place| at_place(operands, place)).collect()
}

fn at_place<'e>(operands: &[&'e [Expr]], place: usize) -> Option<Vec<&'e Expr>> {
    operands
        .iter()
        .map(|values| values.get(place).or(values.first()))
        .collect()
}

fn paired(call: &Call<'_>, dims: &Dims, with: impl Fn(&Expr, &Expr) -> Expr) -> Option<Vec<Expr>> {
    let operands: Option<Vec<&[Expr]>> = (0..call.inputs.len())
        .map(|index| call.elements(index))
        .collect();
    by_place(&operands?, dims)?
        .into_iter()
        .map(|values| combined(&values, &with))
        .collect()
}

fn combined(values: &[&Expr], with: impl Fn(&Expr, &Expr) -> Expr) -> Option<Expr> {
    let (&first, rest) = values.split_first()?;
    let all = rest
        .iter()
        .fold(first.clone(), |all, value| with(&all, value));
    Some(all)
}

fn chosen(call: &Call<'_>, dims: &Dims) -> Option<Vec<Expr>> {
    let operands = [call.elements(0)?, call.elements(1)?, call.elements(2)?];
    let places = by_place(&operands, dims)?;
    places
        .iter()
        .map(|values| match values[..] {
            [condition, yes, no] => Some(choice(condition, yes, no)),
            _ => None,
        })
        .collect()
}

fn choice(condition: &Expr, yes: &Expr, no: &Expr) -> Expr {
    match condition.number() {
        Some(0) => no.clone(),
        Some(_) => yes.clone(),
        None if yes == no => yes.clone(),
        None => Expr::Unknown,
    }
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
    places
        .iter()
        .map(|&place| usize::try_from(from_start(place, count)).ok())
        .map(|place| values.get(place?).cloned())
        .collect()
}

fn sliced(call: &Call<'_>) -> Option<Vec<Expr>> {
    let values = call.elements(0)?;
    let [_] = call.dims(0)? else { return None };
    let cuts = cuts(call, 1)?;
    let [cut] = cuts.as_slice() else {
        return None;
    };
    let places = match cut.step {
        1.. => forwards(cut, values.len() as i64)?,
        _ => backwards(cut, values.len() as i64)?,
    };
    places
        .into_iter()
        .map(|place| values.get(usize::try_from(place).ok()?).cloned())
        .collect()
}

/// Places of so many that a cut leaves.
fn forwards(cut: &Cut, count: i64) -> Option<Vec<i64>> {
    let start = from_start(cut.start.number()?, count).clamp(0, count);
    let end = from_start(cut.end.number()?, count).clamp(0, count);
    let step = usize::try_from(cut.step).ok()?;
    Some((start..end).step_by(step).collect())
}

/// The same from the last to the first.
fn backwards(cut: &Cut, count: i64) -> Option<Vec<i64>> {
    let start = from_start(cut.start.number()?, count).min(count - 1);
    let end = from_start(cut.end.number()?, count).clamp(-1, count);
    let step = usize::try_from(cut.step.checked_neg()?).ok();
    let step = step.filter(|&step| step > 0)?;
    Some((end + 1..=start).rev().step_by(step).collect())
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
    let one = |index: usize| call.first(index).cloned();
    match call.node.operator.as_str() {
        "Range" => (one(2)? == Expr::Number(1)).then(|| one(1)).flatten(),
        "Identity" | "Cast" | "Squeeze" | "Unsqueeze" | "Reshape" | "Expand" | "Tile"
        | "Transpose" | "Flatten" => call.input(0)?.below.clone(),
        "Add" => match (below_of_many(call, 0), below_of_many(call, 1)) {
            (Some(below), None) => one(1).map(|more| below.plus(&more)),
            (None, Some(below)) => one(0).map(|more| below.plus(&more)),
            _ => None,
        },
        "Sub" => below_of_many(call, 0).and_then(|below| Some(below.minus(&one(1)?))),
        // Stored positions that are cut: those at the start go as far as they are many.
        "Slice" => cut_positions(call),
        _ => None,
    }
    .filter(Expr::is_known)
}

/// What the elements of an input lie below that is not one number.
fn below_of_many(call: &Call<'_>, index: usize) -> Option<Expr> {
    match call.first(index) {
        Some(_) => None,
        None => call.input(index)?.below.clone(),
    }
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
