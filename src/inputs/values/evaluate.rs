//! Knowledge of an operator's results, from that of its operands.

use super::arithmetic::unary;
use super::flow::Call;
use super::guess::{Evaluated, Guess, Sign, SignKind, multiplied, truth};
use super::{Node, number_lists};

impl Call<'_> {
    pub(super) fn evaluate(self, operands: &[Guess]) -> Evaluated {
        let first = operands.first().unwrap_or(&Guess::Data);
        let operator = self.operator();
        if let Some(sign) = self.length_sign(operands) {
            return Evaluated::data(Some(sign));
        }
        let result = match operator.as_str() {
            "Shape" => self.shape(),
            "Size" => self.elements(),
            "Constant" | "RandomNormalLike" | "RandomUniformLike" | "EyeLike" => Guess::Data,
            "ConstantOfShape" => self.constant_of_shape(),
            "Cast" => cast(self.node, first),
            "Gather" if operands.len() > 1 => return self.gather(first, &operands[1]),
            "Slice" => number_lists::slice(operands),
            "Concat" => number_lists::concat(operands),
            "Range" => number_lists::range(operands),
            "CumSum" => number_lists::running_sums(first),
            "ReduceMax" | "ReduceMin" | "ReduceMean" => Guess::known(first.uniform()),
            "ReduceSum" => self.summed(first),
            "ReduceProd" => number_lists::product(first),
            "Where" if operands.len() > 2 => {
                return choose(&operands[0], &operands[1], &operands[2]);
            }
            "If" => return Evaluated::data(Sign::of(SignKind::Branch, first.worth(truth))),
            "Loop" | "Compress" => return Evaluated::data(operands.get(1).and_then(keeps)),
            "NonZero" => {
                return Evaluated {
                    result: Guess::Places(None),
                    sign: keeps(first),
                };
            }
            "Clip" => clipped(operands),
            "Einsum" | "MatMul" if operands.len() > 1 && !self.has_weight() => {
                return product_of_data(operands);
            }
            "CastLike" | "Dropout" | "Expand" | "Flatten" | "GatherElements" | "GatherND"
            | "Identity" | "Pad" | "Reshape" | "ReverseSequence" | "Split" | "Squeeze" | "Tile"
            | "Transpose" | "Unsqueeze" => first.clone(),
            _ => match unary(&operator) {
                Some(change) => first.map(change),
                None => return self.binary(operands),
            },
        };
        result.into()
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
        [Guess::Data, known] | [known, Guess::Data] => {
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
