//! Operands of fused operators that say how much of the data counts.

use super::ElementType;
use super::flow::Call;
use super::guess::{Guess, Sign, SignKind, added, truth};

/// The sign of a number of elements, of the `whole`.
fn counted(count: Option<f64>, whole: Option<f64>) -> Sign {
    match (whole, count) {
        (Some(whole), Some(count)) if whole > 0.0 => {
            let share = count / whole;
            Sign {
                kind: SignKind::Mask,
                share: if share > 1.0 { 0.0 } else { share.max(0.0) },
            }
        }
        _ => Sign::LENGTH,
    }
}

impl Call<'_> {
    /// The sign that it shows of those of its operands that say how much counts, if anything is
    /// known of one.
    pub(super) fn length_sign(self, operands: &[Guess]) -> Option<Sign> {
        let mut operands = operands.iter().enumerate();
        operands.find_map(|(operand, guess)| self.sign_of(operand, guess))
    }

    fn sign_of(self, operand: usize, guess: &Guess) -> Option<Sign> {
        let keeps = Sign::of(SignKind::Mask, guess.worth(truth))?;
        let is_list = self.dims(operand).is_some_and(|dims| dims.len() == 1);
        let number = guess.uniform();
        Some(match (self.operator().as_str(), operand) {
            ("LSTM" | "GRU" | "RNN", 4) => {
                let axis = usize::from(self.node.integer("layout") == Some(1));
                counted(number, self.size(0, axis))
            }
            ("ReverseSequence", 1) => {
                let axis = usize::try_from(self.integer("time_axis", 0)).unwrap_or(0);
                counted(number, self.size(0, axis))
            }
            ("com.microsoft.Attention", 3) | ("com.microsoft.QAttention", 5) if is_list => {
                counted(number, self.size(0, 1))
            }
            ("com.microsoft.MultiHeadAttention", 4) if is_list => {
                counted(number, self.size(1, 1).or_else(|| self.size(0, 1)))
            }
            ("com.microsoft.Attention", 3)
            | ("com.microsoft.QAttention", 5)
            | ("com.microsoft.MultiHeadAttention", 4)
            | (
                "com.microsoft.EmbedLayerNormalization" | "com.microsoft.QEmbedLayerNormalization",
                7,
            ) => keeps,
            ("Attention", 3) if self.is_bool(operand) => keeps,
            ("Attention" | "com.microsoft.LongformerAttention", 3)
            | ("com.microsoft.Attention" | "com.microsoft.MultiHeadAttention", 5)
            | ("com.microsoft.GroupQueryAttention", 10) => {
                Sign::of(SignKind::Bias, guess.worth(added))?
            }
            ("com.microsoft.GroupQueryAttention", 5) => {
                // It is one less than what counts.
                counted(number.map(|last| last + 1.0), self.all_tokens())
            }
            ("com.microsoft.GroupQueryAttention", 6) => counted(number, self.all_tokens()),
            _ => return None,
        })
    }

    fn is_bool(self, operand: usize) -> bool {
        let value = self.node.inputs.get(operand);
        value.and_then(|value| self.flow.element_type(value)) == Some(ElementType::Bool)
    }
}
