//! Knowledge of an operator's results, from that of its operands.

use super::arithmetic::{binary, unary, with_weight};
use super::guess::{Evaluated, Guess, Sign, SignKind, multiplied, truth};
use super::{Flow, Node, lengths, number_lists};

pub(super) fn evaluate(flow: &Flow<'_>, node: &Node, operands: &[Guess]) -> Evaluated {
    let first = operands.first().unwrap_or(&Guess::Data);
    let operator = node.qualified_operator();
    if let Some(sign) = lengths::sign(flow, node, operands) {
        return Evaluated::data(Some(sign));
    }
    match operator.as_str() {
        "Shape" => number_lists::shape(flow, node).into(),
        "Size" => number_lists::size(flow, node).into(),
        "Constant" | "RandomNormalLike" | "RandomUniformLike" | "EyeLike" => Guess::Data.into(),
        "ConstantOfShape" => Guess::all(number_lists::constant_of_shape(node)).into(),
        "Cast" => cast(node, first).into(),
        "Gather" if operands.len() > 1 => number_lists::gather(node, first, &operands[1]),
        "Slice" => number_lists::slice(operands).into(),
        "Concat" => number_lists::concat(operands).into(),
        "Range" => number_lists::range(operands).into(),
        "CumSum" => number_lists::running_sums(first).into(),
        "ReduceMax" | "ReduceMin" | "ReduceMean" => {
            first.uniform().map_or(Guess::Data, Guess::all).into()
        }
        "ReduceSum" => number_lists::summed(flow, node, first).into(),
        "ReduceProd" => number_lists::product(first).into(),
        "Where" if operands.len() > 2 => choose(&operands[0], &operands[1], &operands[2]),
        "If" => Evaluated::data(Sign::of(SignKind::Branch, first.worth(truth))),
        "Loop" | "Compress" => Evaluated::data(operands.get(1).and_then(keeps)),
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
            None => Evaluated::other(operands),
        },
    }
}

fn keeps(mask: &Guess) -> Option<Sign> {
    Sign::of(SignKind::Mask, mask.worth(truth))
}

fn clipped(operands: &[Guess]) -> Guess {
    let low = Guess::uniform_of(operands, 1).unwrap_or(f64::NEG_INFINITY);
    let high = Guess::uniform_of(operands, 2).unwrap_or(f64::INFINITY);
    operands[0].map(|value| value.max(low).min(high))
}

/// A product with data that sums up what a mask keeps.
fn product_of_data(operands: &[Guess]) -> Evaluated {
    match operands {
        [Guess::Data, known] | [known, Guess::Data] if known.worth(truth).is_some() => {
            Evaluated::data(Sign::of(SignKind::Scale, known.worth(multiplied)))
        }
        _ => Guess::Data.into(),
    }
}

fn choose(condition: &Guess, yes: &Guess, no: &Guess) -> Evaluated {
    let Some(share) = condition.worth(truth) else {
        return chosen_by_data(yes, no);
    };
    match (yes, no, yes.uniform(), no.uniform()) {
        (_, _, Some(yes), Some(no)) => Guess::Blend { share, yes, no }.into(),
        (Guess::Data, _, _, Some(_)) => Evaluated::data(keeps(condition)),
        (_, Guess::Data, Some(_), _) => {
            let left = condition.worth(|value| 1.0 - truth(value));
            Evaluated::data(Sign::of(SignKind::Mask, left))
        }
        _ => Guess::Data.into(),
    }
}

/// Knowledge of one side counts as in a sum of it with data.
fn chosen_by_data(yes: &Guess, no: &Guess) -> Evaluated {
    let is_known = yes.worth(truth).is_some() || no.worth(truth).is_some();
    Evaluated::data(Sign::of(SignKind::Other, is_known.then_some(1.0)))
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
