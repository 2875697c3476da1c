//! Operators on single elements, of one operand and of two.

use super::ElementType;
use super::flow::Call;
use super::guess::{Evaluated, Guess, Sign, SignKind, added, multiplied};

/// The function of an element that an operator of one operand is.
pub(super) fn unary(operator: &str) -> Option<fn(f64) -> f64> {
    Some(match operator {
        "Not" => |value| from_bool(value == 0.0),
        "Neg" => |value| -value,
        "Abs" => f64::abs,
        "Floor" => f64::floor,
        "Ceil" => f64::ceil,
        "Round" => f64::round_ties_even,
        "Sqrt" => f64::sqrt,
        "Exp" => f64::exp,
        "Log" => f64::ln,
        "Relu" => |value| value.max(0.0),
        "Sigmoid" => |value| 1.0 / (1.0 + (-value).exp()),
        "Tanh" => f64::tanh,
        "Reciprocal" => |value| 1.0 / value,
        "IsNaN" => |value| from_bool(value.is_nan()),
        _ => return None,
    })
}

fn from_bool(value: bool) -> f64 {
    f64::from(u8::from(value))
}

fn arithmetic(operator: &str) -> Option<fn(f64, f64) -> f64> {
    Some(match operator {
        "Add" => |a, b| a + b,
        "Sub" => |a, b| a - b,
        "Mul" => |a, b| a * b,
        "Div" => |a, b| a / b,
        "Pow" => f64::powf,
        "Mod" => f64::rem_euclid,
        "Min" => f64::min,
        "Max" => f64::max,
        "And" | "BitwiseAnd" => |a, b| from_bool(a != 0.0 && b != 0.0),
        "Or" | "BitwiseOr" => |a, b| from_bool(a != 0.0 || b != 0.0),
        "Xor" => |a, b| from_bool((a != 0.0) != (b != 0.0)),
        "Equal" => |a, b| from_bool(a == b),
        "Less" => |a, b| from_bool(a < b),
        "LessOrEqual" => |a, b| from_bool(a <= b),
        "Greater" => |a, b| from_bool(a > b),
        "GreaterOrEqual" => |a, b| from_bool(a >= b),
        _ => return None,
    })
}

impl Call<'_> {
    pub(super) fn binary(self, operands: &[Guess]) -> Evaluated {
        let operator = self.node.operator.as_str();
        let combine = arithmetic(operator).filter(|_| self.node.is_standard());
        let ([one, two], Some(combine)) = (operands, combine) else {
            return Evaluated::other(operands);
        };
        match (one, two) {
            (&Guess::Places(size), limit) if limit.uniform().is_some() => {
                places(operator, size, limit)
            }
            (limit, &Guess::Places(size)) if limit.uniform().is_some() => {
                places(turned(operator), size, limit)
            }
            (Guess::Data, _) | (_, Guess::Data) if self.has_weight() => Evaluated::other(operands),
            (Guess::Data, Guess::Blend { .. }) => with_data(operator, two, 1),
            (Guess::Blend { .. }, Guess::Data) => with_data(operator, one, 0),
            (Guess::Data, _) | (_, Guess::Data) => Evaluated::other(operands),
            _ if operator == "Div" && self.has_integer() => {
                one.zip(two, combine).map(f64::trunc).into()
            }
            _ => one.zip(two, combine).into(),
        }
    }

    fn has_integer(self) -> bool {
        let types = self.node.inputs.iter();
        types
            .filter_map(|input| self.flow.element_type(input))
            .any(ElementType::is_integer)
    }

    /// Whether an operand is a weight of which nothing is known.
    pub(super) fn has_weight(self) -> bool {
        let stored = self.node.inputs.iter();
        stored
            .filter_map(|input| self.flow.stored(input))
            .any(|stored| stored.values.is_none() || stored.dims.len() > 1)
    }
}

fn turned(operator: &str) -> &str {
    match operator {
        "Less" => "Greater",
        "Greater" => "Less",
        "LessOrEqual" => "GreaterOrEqual",
        "GreaterOrEqual" => "LessOrEqual",
        same => same,
    }
}

/// 0, 1, 2 ... on the left of an operator, one number on its right.
fn places(operator: &str, size: Option<f64>, limit: &Guess) -> Evaluated {
    let limit = limit.uniform().unwrap_or(f64::NAN);
    let (below, yes) = match operator {
        "Less" => (limit.ceil(), 1.0),
        "LessOrEqual" => (limit.floor() + 1.0, 1.0),
        "GreaterOrEqual" => (limit.ceil(), 0.0),
        "Greater" => (limit.floor() + 1.0, 0.0),
        "Add" | "Sub" | "Min" | "Max" => return Guess::Places(size).into(),
        _ => return Guess::Data.into(),
    };
    match size {
        Some(size) if size > 0.0 => counted(size, below, yes),
        _ => Evaluated::data(Some(Sign::LENGTH)),
    }
}

/// Places along an axis of a known size, of which those before `below` are `yes`, and the others
/// the contrary.
fn counted(size: f64, below: f64, yes: f64) -> Evaluated {
    Evaluated {
        result: Guess::Blend {
            share: (below / size).clamp(0.0, 1.0),
            yes,
            no: 1.0 - yes,
        },
        // An axis that is as long as the one element that counts is made from the count itself.
        sign: (size == 1.0 && below == 1.0).then_some(Sign::LENGTH),
    }
}

/// An operator between data and what is known, which is operand `place`.
fn with_data(operator: &str, known: &Guess, place: usize) -> Evaluated {
    let negative = known.map(|value| -value);
    let (kind, share) = match (operator, place) {
        ("Add", _) => (SignKind::Bias, known.worth(added)),
        ("Sub", 1) => (SignKind::Bias, negative.worth(added)),
        ("Min", _) => (
            SignKind::Bias,
            known.worth(|value| if value < 0.0 { added(value) } else { 1.0 }),
        ),
        ("Mul", _) | ("Div", 1) => (SignKind::Scale, known.worth(multiplied)),
        // Of two conditions the other one, which nothing is known of, is taken to hold.
        ("And" | "Or", _) => return known.clone().into(),
        _ => (SignKind::Other, Some(1.0)),
    };
    Evaluated::data(Sign::of(kind, share))
}
