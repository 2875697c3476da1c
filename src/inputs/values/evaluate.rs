//! What operators make of values of which something is known.

use super::extent::axes;
use super::guess::{Guess, Sign, SignKind, added, multiplied, truth};
use super::{AttributeValue, ElementType, Flow, Node, lengths, place};

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Evaluated {
    pub result: Guess,
    pub sign: Option<Sign>,
}

impl From<Guess> for Evaluated {
    fn from(result: Guess) -> Evaluated {
        Evaluated { result, sign: None }
    }
}

pub(super) fn evaluate(flow: &Flow<'_>, node: &Node, operands: &[Guess]) -> Evaluated {
    let first = operands.first().unwrap_or(&Guess::Data);
    let operator = node.qualified_operator();
    if let Some(sign) = lengths::sign(flow, node, operands) {
        return Evaluated {
            result: Guess::Data,
            sign: Some(sign),
        };
    }
    match operator.as_str() {
        "Shape" => shape(flow, node).into(),
        "Size" => {
            let elements = node.inputs.first().and_then(|value| flow.elements(value));
            elements
                .map_or(Guess::Data, |elements| Guess::all(elements as f64))
                .into()
        }
        "Constant" | "RandomNormalLike" | "RandomUniformLike" | "EyeLike" => Guess::Data.into(),
        "ConstantOfShape" => Guess::all(constant_of_shape(node)).into(),
        "Cast" => cast(node, first).into(),
        "Gather" if operands.len() > 1 => gather(node, first, &operands[1]),
        "Slice" => slice(operands).into(),
        "Concat" => concat(operands).into(),
        "Range" => range(operands).into(),
        "CumSum" => if first.uniform() == Some(1.0) {
            Guess::Places(None)
        } else {
            zero(first)
        }
        .into(),
        "ReduceMax" | "ReduceMin" | "ReduceMean" => {
            first.uniform().map_or(Guess::Data, Guess::all).into()
        }
        "ReduceSum" => summed(flow, node, first).into(),
        "ReduceProd" => product(first).into(),
        "Where" if operands.len() > 2 => choose(&operands[0], &operands[1], &operands[2]),
        "If" => Evaluated {
            result: Guess::Data,
            sign: mark(SignKind::Branch, first.worth(truth)),
        },
        "Loop" | "Compress" => Evaluated {
            result: Guess::Data,
            sign: operands.get(1).and_then(keeps),
        },
        "NonZero" => Evaluated {
            result: Guess::Places(None),
            sign: keeps(first),
        },
        "Clip" => clipped(operands).into(),
        "Einsum" | "MatMul" if operands.len() > 1 && !with_weight(flow, node) => {
            product_of_data(operands)
        }
        "CastLike" | "Dropout" | "Expand" | "Flatten" | "GatherElements" | "GatherND"
        | "Identity" | "Pad" | "Reshape" | "ReverseSequence" | "Split" | "Squeeze" | "Tile"
        | "Transpose" | "Unsqueeze" => first.clone().into(),
        _ => match unary(&operator) {
            Some(change) => first.map(change).into(),
            None if operands.len() == 2 => binary(flow, node, operands),
            None => other(operands),
        },
    }
}

/// An operator that nothing here knows of: what is known of its operands ends there.
fn other(operands: &[Guess]) -> Evaluated {
    let known = operands.iter().any(|operand| *operand != Guess::Data);
    Evaluated {
        result: Guess::Data,
        sign: mark(SignKind::Other, known.then_some(1.0)),
    }
}

fn mark(kind: SignKind, share: Option<f64>) -> Option<Sign> {
    share.map(|share| Sign { kind, share })
}

fn keeps(mask: &Guess) -> Option<Sign> {
    mark(SignKind::Mask, mask.worth(truth))
}

fn unary(operator: &str) -> Option<fn(f64) -> f64> {
    Some(match operator {
        "Not" => |value| f64::from(u8::from(value == 0.0)),
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
        "IsNaN" => |value| f64::from(u8::from(value.is_nan())),
        _ => return None,
    })
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
        "And" | "BitwiseAnd" => |a, b| f64::from(u8::from(a != 0.0 && b != 0.0)),
        "Or" | "BitwiseOr" => |a, b| f64::from(u8::from(a != 0.0 || b != 0.0)),
        "Xor" => |a, b| f64::from(u8::from((a != 0.0) != (b != 0.0))),
        "Equal" => |a, b| f64::from(u8::from(a == b)),
        "Less" => |a, b| f64::from(u8::from(a < b)),
        "LessOrEqual" => |a, b| f64::from(u8::from(a <= b)),
        "Greater" => |a, b| f64::from(u8::from(a > b)),
        "GreaterOrEqual" => |a, b| f64::from(u8::from(a >= b)),
        _ => return None,
    })
}

fn binary(flow: &Flow<'_>, node: &Node, operands: &[Guess]) -> Evaluated {
    let [one, two] = operands else {
        return other(operands);
    };
    let Some(combine) = arithmetic(&node.operator).filter(|_| node.is_standard()) else {
        return other(operands);
    };
    match (one, two) {
        (Guess::Places(size), limit) if limit.uniform().is_some() => {
            places(&node.operator, *size, limit)
        }
        (limit, Guess::Places(size)) if limit.uniform().is_some() => {
            places(turned(&node.operator), *size, limit)
        }
        (Guess::Data, _) | (_, Guess::Data) if with_weight(flow, node) => other(operands),
        (Guess::Data, Guess::Blend { .. }) => with_data(&node.operator, two, 1),
        (Guess::Blend { .. }, Guess::Data) => with_data(&node.operator, one, 0),
        (Guess::Data, _) | (_, Guess::Data) => other(operands),
        _ => {
            let result = one.zip(two, combine);
            let is_whole = |input: &String| {
                flow.element_type(input)
                    .is_some_and(ElementType::is_integer)
            };
            let whole = node.operator == "Div" && node.inputs.iter().any(is_whole);
            if whole {
                result.map(f64::trunc).into()
            } else {
                result.into()
            }
        }
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
        Some(size) if size > 0.0 => {
            let share = (below / size).clamp(0.0, 1.0);
            // An axis that is as long as the one element that counts is made from the count itself.
            let own = (size == 1.0 && below == 1.0).then_some(Sign {
                kind: SignKind::Length,
                share: 1.0,
            });
            Evaluated {
                result: Guess::Blend {
                    share,
                    yes,
                    no: 1.0 - yes,
                },
                sign: own,
            }
        }
        _ => Evaluated {
            result: Guess::Data,
            sign: Some(Sign {
                kind: SignKind::Length,
                share: 1.0,
            }),
        },
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
    Evaluated {
        result: Guess::Data,
        sign: mark(kind, share),
    }
}

/// Whether an operand is a weight of which nothing is known.
fn with_weight(flow: &Flow<'_>, node: &Node) -> bool {
    node.inputs.iter().any(|input| {
        flow.stored(input)
            .is_some_and(|stored| stored.values.is_none() || stored.dims.len() > 1)
    })
}

fn clipped(operands: &[Guess]) -> Guess {
    let limit = |operand: usize, none: f64| {
        operands
            .get(operand)
            .and_then(Guess::uniform)
            .unwrap_or(none)
    };
    let (low, high) = (limit(1, f64::NEG_INFINITY), limit(2, f64::INFINITY));
    operands[0].map(|value| value.max(low).min(high))
}

/// A product with data that sums up what a mask keeps.
fn product_of_data(operands: &[Guess]) -> Evaluated {
    match operands {
        [Guess::Data, known] | [known, Guess::Data] if known.worth(truth).is_some() => Evaluated {
            result: Guess::Data,
            sign: mark(SignKind::Scale, known.worth(multiplied)),
        },
        _ => Guess::Data.into(),
    }
}

fn choose(condition: &Guess, yes: &Guess, no: &Guess) -> Evaluated {
    let picks = |of_yes: f64, of_no: f64| {
        condition.worth(|value| if truth(value) > 0.0 { of_yes } else { of_no })
    };
    let Some(share) = condition.worth(truth) else {
        // The data decides: what is known on one side is as in a sum of it with data.
        let known = [yes, no]
            .into_iter()
            .find(|side| side.worth(truth).is_some());
        return Evaluated {
            result: Guess::Data,
            sign: mark(SignKind::Other, known.map(|_| 1.0)),
        };
    };
    match (yes, no, yes.uniform(), no.uniform()) {
        (_, _, Some(yes), Some(no)) => Guess::Blend { share, yes, no }.into(),
        (Guess::Data, _, _, Some(_)) => Evaluated {
            result: Guess::Data,
            sign: mark(SignKind::Mask, picks(1.0, 0.0)),
        },
        (_, Guess::Data, Some(_), _) => Evaluated {
            result: Guess::Data,
            sign: mark(SignKind::Mask, picks(0.0, 1.0)),
        },
        _ => Guess::Data.into(),
    }
}

fn shape(flow: &Flow<'_>, node: &Node) -> Guess {
    let Some(dims) = node.inputs.first().and_then(|value| flow.dims(value)) else {
        return Guess::Data;
    };
    let end = |at: i64| {
        if at < 0 { at + dims.len() as i64 } else { at }.clamp(0, dims.len() as i64) as usize
    };
    let from = end(node.integer("start").unwrap_or(0));
    let to = node.integer("end").map_or(dims.len(), end);
    let size = |size: &Option<u64>| size.map_or(f64::NAN, |size| size as f64);
    Guess::list(
        dims.get(from..to.max(from))
            .into_iter()
            .flatten()
            .map(size)
            .collect(),
    )
}

fn constant_of_shape(node: &Node) -> f64 {
    let Some(AttributeValue::Tensor(tensor)) = node.attribute("value") else {
        return 0.0;
    };
    tensor
        .values
        .as_ref()
        .and_then(|values| values.first().copied())
        .unwrap_or(0.0)
}

/// Numbers of element types, as the format writes them: truth values, and whole numbers.
const BOOL: i64 = 9;
const WHOLE: [i64; 8] = [2, 3, 4, 5, 6, 7, 12, 13];

fn cast(node: &Node, from: &Guess) -> Guess {
    match (node.integer("to"), from) {
        (_, Guess::Places(_)) => from.clone(),
        (Some(BOOL), _) => from.map(truth),
        (Some(to), _) if WHOLE.contains(&to) => from.map(f64::trunc),
        _ => from.clone(),
    }
}

fn gather(node: &Node, data: &Guess, index: &Guess) -> Evaluated {
    let along_first = node.integer("axis").unwrap_or(0) == 0;
    match (data, index) {
        (Guess::List(values), index) if along_first => {
            let at = |index: f64| {
                let index = if index < 0.0 {
                    index + values.len() as f64
                } else {
                    index
                };
                values.get(index as usize).copied().unwrap_or(f64::NAN)
            };
            match index {
                Guess::List(places) => Guess::list(places.iter().copied().map(at).collect()).into(),
                Guess::Places(Some(count)) => {
                    Guess::list((0..*count as usize).map(|i| at(i as f64)).collect()).into()
                }
                _ => index
                    .uniform()
                    .map_or(Guess::Data, |index| Guess::list(vec![at(index)]))
                    .into(),
            }
        }
        (Guess::Data, index) if index.worth(truth).is_some() => other(std::slice::from_ref(index)),
        _ => data.clone().into(),
    }
}

fn slice(operands: &[Guess]) -> Guess {
    let number = |operand: usize| operands.get(operand).and_then(Guess::uniform);
    match (&operands[0], number(1), number(2)) {
        (Guess::List(values), Some(start), Some(end)) => {
            let at = |place: f64| {
                (if place < 0.0 {
                    place + values.len() as f64
                } else {
                    place
                })
                .max(0.0) as usize
            };
            let (start, end) = (at(start).min(values.len()), at(end).min(values.len()));
            Guess::list(values[start..end.max(start)].to_vec())
        }
        (Guess::Places(size), Some(0.0), Some(end)) if end >= 0.0 => {
            Guess::Places(Some(size.map_or(end, |size| size.min(end))))
        }
        (Guess::Places(_), ..) => Guess::Places(None),
        (first, ..) => first.clone(),
    }
}

/// One list of several, or what is known of one part where nothing is of the others.
fn concat(operands: &[Guess]) -> Guess {
    let mut list = Vec::new();
    for operand in operands {
        match operand {
            Guess::List(values) => list.extend(values),
            _ => list.push(operand.uniform().unwrap_or(f64::NAN)),
        }
    }
    if operands
        .iter()
        .any(|operand| matches!(operand, Guess::List(_)))
        || list.iter().all(|value| !value.is_nan())
    {
        return Guess::list(list);
    }
    let known = operands
        .iter()
        .find(|operand| matches!(operand, Guess::Blend { .. }));
    known.cloned().unwrap_or(Guess::Data)
}

fn range(operands: &[Guess]) -> Guess {
    let number = |operand: usize| operands.get(operand).and_then(Guess::uniform);
    match (number(0), number(1), number(2)) {
        (Some(0.0), end, Some(1.0)) => Guess::Places(end),
        (Some(start), Some(end), Some(1.0)) => Guess::Places(Some(end - start)),
        (_, _, Some(1.0)) => Guess::Places(None),
        _ => Guess::Data,
    }
}

/// A sum is known where all is 0.
fn zero(from: &Guess) -> Guess {
    if from.uniform() == Some(0.0) {
        Guess::all(0.0)
    } else {
        Guess::Data
    }
}

/// A sum of one number over axes of known sizes, without an axis: over all.
fn summed(flow: &Flow<'_>, node: &Node, from: &Guess) -> Guess {
    let Some(value) = from.uniform() else {
        return Guess::Data;
    };
    let count = || {
        let dims = flow.dims(node.inputs.first()?)?;
        let size = |axis: i64| dims[place(axis, dims.len())?];
        let axes = axes(flow, node).unwrap_or_else(|| (0..dims.len() as i64).collect());
        axes.into_iter()
            .try_fold(1.0, |product, axis| Some(product * size(axis)? as f64))
    };
    match count() {
        Some(count) => Guess::all(value * count),
        None => zero(from),
    }
}

fn product(from: &Guess) -> Guess {
    match from {
        Guess::List(values) => Guess::list(vec![values.iter().product()]),
        _ => Guess::Data,
    }
}
