//! Elements of small values that follow from sizes and constants: what shapes are computed with.

use super::expr::{Expr, number};
use super::ops::Cut;
use super::value::{Call, Dims, Elements, FOLLOWED_ELEMENTS, from_start, product};
use crate::onnx::AttributeValue;

/// The number by which the standard calls truth values.
pub(super) const BOOL_TYPE: i64 = 9;

impl Call<'_> {
    /// Elements of a node's first output, whose sizes are these; absent where they are many or do
    /// not follow.
    pub(super) fn made_elements(&self, dims: &Dims) -> Elements {
        self.one_by_one(dims).filter(|found| {
            let fits = count(dims).is_none_or(|count| count == found.len());
            fits && found.len() <= FOLLOWED_ELEMENTS
        })
    }

    /// Elements of operators that read sizes, or change each element by itself if at all.
    fn one_by_one(&self, dims: &Dims) -> Elements {
        match self.operator() {
            "Shape" => self.shape().map(<[Expr]>::to_vec),
            "Size" => Some(vec![product(self.dims(0)?)]),
            "Cast" if self.node.integer("to") == Some(BOOL_TYPE) => {
                self.each(|value| not(&not(value)))
            }
            "Identity" | "Cast" | "CastLike" | "Squeeze" | "Unsqueeze" | "Reshape" | "Flatten"
            | "Floor" | "Ceil" | "Round" | "Dropout" => self.each(Expr::clone),
            "Neg" => self.each(|value| value.times(&number(-1))),
            "Not" => self.each(not),
            "Abs" | "Relu" => self
                .each(Expr::clone)
                .filter(|values| values.iter().all(Expr::is_not_negative)),
            _ => self.moved(dims),
        }
    }

    fn each(&self, change: impl Fn(&Expr) -> Expr) -> Elements {
        Some(self.elements(0)?.iter().map(change).collect())
    }

    /// Elements of operators that pick, order or repeat.
    fn moved(&self, dims: &Dims) -> Elements {
        match self.operator() {
            "Concat" => self.joined(),
            "Gather" => self.gathered(),
            "Slice" => self.sliced(),
            "ConstantOfShape" => self.filled(dims),
            "Range" => self.counted(dims),
            "Expand" | "Tile" => self.repeated(dims),
            "Where" => self.paired(dims, choice),
            _ => self.computed(dims),
        }
    }

    /// Elements of operators that compute one of several.
    fn computed(&self, dims: &Dims) -> Elements {
        match self.operator() {
            "ReduceProd" => self.summed_up(dims, Expr::times),
            "ReduceSum" => self.summed_up(dims, Expr::plus),
            "ReduceMax" => self.summed_up(dims, Expr::larger),
            "ReduceMin" => self.summed_up(dims, Expr::smaller),
            "Add" | "Sum" => self.folded(dims, Expr::plus),
            "Sub" => self.folded(dims, Expr::minus),
            "Mul" | "And" => self.folded(dims, Expr::times),
            // Whole numbers lose what is left; of fractions only what divides is followed.
            "Div" if self.is_integer(0) => self.folded(dims, Expr::over),
            "Div" => self.folded(dims, divided),
            "Mod" => self.folded(dims, remainder),
            "Max" | "Or" => self.folded(dims, Expr::larger),
            "Min" => self.folded(dims, Expr::smaller),
            "Equal" => self.folded(dims, equal),
            "Greater" => self.folded(dims, above),
            "Less" => self.folded(dims, |one, other| above(other, one)),
            "GreaterOrEqual" => self.folded(dims, |one, other| not(&above(other, one))),
            "LessOrEqual" => self.folded(dims, |one, other| not(&above(one, other))),
            _ => None,
        }
    }

    /// Elements made of those of all operands, place by place, where each operand has one or as
    /// many as the output.
    fn paired(&self, dims: &Dims, with: impl Fn(&[&Expr]) -> Option<Expr>) -> Elements {
        let (operands, count) = (self.all_elements()?, few(dims)?);
        let mut counts = operands.iter().map(|values| values.len());
        if !counts.all(|len| len == count || len == 1) {
            return None;
        }
        let places = (0..count).map(|place| {
            let values = operands.iter();
            let values = values.map(|values| &values[place.min(values.len() - 1)]);
            with(&values.collect::<Vec<_>>())
        });
        places.collect()
    }

    fn folded(&self, dims: &Dims, with: Fold) -> Elements {
        self.paired(dims, |values| all(values.iter().copied(), with))
    }

    fn summed_up(&self, dims: &Dims, with: Fold) -> Elements {
        let sum = all(self.elements(0)?.iter(), with)?;
        (count(dims)? == 1).then(|| vec![sum])
    }

    fn joined(&self) -> Elements {
        self.listed()?;
        Some(self.all_elements()?.concat())
    }

    /// The elements of the first input, if that is a list.
    fn listed(&self) -> Option<&[Expr]> {
        let [_] = self.array(0)?;
        self.elements(0)
    }

    fn gathered(&self) -> Elements {
        let values = self.listed()?;
        let places = self.numbers(1)?.into_iter();
        picked(
            values,
            places.map(|place| from_start(place, values.len() as i64)),
        )
    }

    fn sliced(&self) -> Elements {
        let values = self.listed()?;
        let [cut] = &self.cuts(1)?[..] else {
            return None;
        };
        picked(values, cut.places(values.len() as i64)?)
    }

    fn filled(&self, dims: &Dims) -> Elements {
        let value = match self.node.attribute("value") {
            Some(AttributeValue::Tensor(tensor)) => *tensor.values.as_ref()?.first()?,
            None => 0.0,
            Some(_) => return None,
        };
        let count = few(dims).filter(|_| value.fract() == 0.0)?;
        Some(vec![number(value as i64); count])
    }

    fn counted(&self, dims: &Dims) -> Elements {
        let (start, step) = (self.first(0)?, self.first_number(2)?);
        let places = 0..few(dims)? as i64;
        let steps = places.map(|place| number(place).times(&number(step)));
        Some(steps.map(|step| start.plus(&step)).collect())
    }

    fn repeated(&self, dims: &Dims) -> Elements {
        let count = few(dims)?;
        match self.elements(0)? {
            values if values.len() == count => Some(values.to_vec()),
            [value] => Some(vec![value.clone(); count]),
            _ => None,
        }
    }

    /// Bound that the elements of a node's first output lie below.
    pub(super) fn made_below(&self) -> Option<Expr> {
        match self.operator() {
            "Range" => self
                .first(1)
                .filter(|_| self.first_number(2) == Some(1))
                .cloned(),
            "Identity" | "Cast" | "Squeeze" | "Unsqueeze" | "Reshape" | "Expand" | "Tile"
            | "Transpose" | "Flatten" => self.below(0).cloned(),
            "Add" => match (self.below_of_many(0), self.below_of_many(1)) {
                (Some(below), None) => Some(below.plus(self.first(1)?)),
                (None, Some(below)) => Some(below.plus(self.first(0)?)),
                _ => None,
            },
            "Sub" => Some(self.below_of_many(0)?.minus(self.first(1)?)),
            // Stored positions that are cut: those at the start go as far as they are many.
            "Slice" => self.cut_positions(),
            _ => None,
        }
        .filter(Expr::is_known)
    }

    /// Bound that the elements of an input lie below, where it is not one number.
    fn below_of_many(&self, index: usize) -> Option<&Expr> {
        self.below(index).filter(|_| self.first(index).is_none())
    }

    fn cut_positions(&self) -> Option<Expr> {
        let (last, others) = self.dims(0)?.split_last()?;
        let [cut] = &self.cuts(others.len() + 1)?[..] else {
            return None;
        };
        let counts_up = self.below(0)? == last && cut.axis == others.len() && cut.step == 1;
        (counts_up && cut.end.is_not_negative()).then(|| cut.end.clone())
    }
}

/// How two are computed with.
type Fold = fn(&Expr, &Expr) -> Expr;

/// All values combined, one after the other; absent where there are none.
fn all<'e>(values: impl Iterator<Item = &'e Expr>, with: Fold) -> Option<Expr> {
    let values = values.cloned();
    values.reduce(|all, value| with(&all, &value))
}

impl Cut {
    /// Places of so many that it leaves.
    fn places(&self, count: i64) -> Option<Vec<i64>> {
        let [start, end] =
            [self.start.number()?, self.end.number()?].map(|place| from_start(place, count));
        let step = usize::try_from(self.step.checked_abs()?).ok()?;
        Some(match self.step {
            1.. => (start.clamp(0, count)..end.clamp(0, count))
                .step_by(step)
                .collect(),
            0 => return None,
            ..0 => (end.clamp(-1, count) + 1..=start.min(count - 1))
                .rev()
                .step_by(step)
                .collect(),
        })
    }
}

fn count(dims: &Dims) -> Option<usize> {
    let mut sizes = dims.as_ref()?.iter();
    let count = sizes.try_fold(1_i64, |all, size| all.checked_mul(size.number()?))?;
    usize::try_from(count).ok()
}

/// How many elements there are, where they are followed.
fn few(dims: &Dims) -> Option<usize> {
    count(dims).filter(|&count| count <= FOLLOWED_ELEMENTS)
}

fn truth(known: Option<bool>) -> Expr {
    known.map(|known| number(known.into())).unwrap_or_default()
}

fn not(value: &Expr) -> Expr {
    truth(value.number().map(|value| value == 0))
}

fn equal(one: &Expr, other: &Expr) -> Expr {
    let same = one.minus(other) == number(0);
    let differ = is_above(one, other) || is_above(other, one);
    truth((same || differ).then_some(same))
}

/// Whether it is larger whatever sizes are.
fn is_above(one: &Expr, other: &Expr) -> bool {
    one.minus(other).plus(&number(-1)).is_not_negative()
}

/// Whether the first is larger, where that holds whatever sizes are.
fn above(one: &Expr, other: &Expr) -> Expr {
    let is_above = is_above(one, other);
    truth((is_above || other.is_at_least(one)).then_some(is_above))
}

/// The quotient where nothing is left.
fn divided(one: &Expr, other: &Expr) -> Expr {
    let quotient = one.over(other);
    match quotient.times(other) == *one {
        true => quotient,
        false => Expr::Unknown,
    }
}

fn remainder(one: &Expr, other: &Expr) -> Expr {
    match other.number() {
        Some(1..) => one.minus(&one.over(other).times(other)),
        _ => Expr::Unknown,
    }
}

fn choice(operands: &[&Expr]) -> Option<Expr> {
    let &[condition, yes, no] = operands else {
        return None;
    };
    Some(match condition.number() {
        Some(0) => no.clone(),
        Some(_) => yes.clone(),
        None if yes == no => yes.clone(),
        None => Expr::Unknown,
    })
}

fn picked(values: &[Expr], places: impl IntoIterator<Item = i64>) -> Elements {
    let places = places.into_iter();
    places
        .map(|place| values.get(usize::try_from(place).ok()?).cloned())
        .collect()
}
