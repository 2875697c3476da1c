//! Values of inputs that say how much is computed: masks, lengths, factors, and truth values that
//! choose a branch.
//!
//! Every value that could be meant is taken to be everywhere in the input, and what the operators
//! would make of it is worked out. The best one lets all of the data count.

use super::flow::{Call, Flow};
use super::guess::{Sign, SignKind};
use super::simulate::{Known, Trial};
use super::{ElementType, Fill, Question};

/// An input of more numbers than this is data, unless operators treat it as a mask.
const FEW: u64 = 8;
/// By how much the share of the data that counts must differ between values, for the input to
/// decide it.
const DECIDES: f64 = 0.2;
/// Values that are handed out beside the best one.
const OTHERS: usize = 2;

/// A value that could be meant, and the size that it is, in words.
type Candidate = (f64, Option<String>);

impl Question<'_> {
    /// Ways to fill the input if its values decide how much is computed, the best first.
    pub(super) fn steering(&self) -> Option<Vec<Fill>> {
        if self.element_type == ElementType::String {
            return None;
        }
        let trials = self.trials();
        if self.element_type.is_float() && self.is_data(&trials) {
            return None;
        }
        self.judged(&trials)
            .or_else(|| self.unscored_length(&trials))
            .or_else(|| self.added_to_scores(&trials))
            .or_else(|| self.branches(&trials))
    }

    fn trials(&self) -> Vec<Trial> {
        let known = Known::new(self.flow);
        let mut trials: Vec<Trial> = Vec::new();
        for (value, size) in self.candidates() {
            if self.allows(value) && trials.iter().all(|trial| trial.value != value) {
                let signs = known.signs(self.info.name.exact(), value);
                trials.push(Trial { value, size, signs });
            }
        }
        trials
    }

    fn candidates(&self) -> Vec<Candidate> {
        let mut candidates = vec![(1.0, None), (0.0, None)];
        if self.element_type != ElementType::Bool && self.elements() <= FEW {
            let compared = self.uses.compared.iter();
            candidates.extend(compared.map(|&value| (value, None)));
        }
        if self.element_type.is_integer() {
            candidates.extend(self.sizes());
        }
        candidates
    }

    /// Sizes of the other inputs and of the past, smallest first, and what they are.
    fn sizes(&self) -> Vec<Candidate> {
        let mut found = Vec::new();
        for info in self.others() {
            for (axis, size) in self.shape_of(info).iter().enumerate() {
                if let Some(size) = size.filter(|&size| size > 1) {
                    let words = format!("all {size} along axis {axis} of `{}`", info.name.exact());
                    found.push((size as f64, Some(words)));
                }
            }
        }
        for total in self.flow.totals() {
            let words = format!("the past and the new tokens, {total} together");
            let last = format!("the last of {words}");
            found.extend([(total, Some(words)), (total - 1.0, Some(last))]);
        }
        found.sort_by(|(one, _), (two, _)| one.total_cmp(two));
        found
    }

    /// Whether floating-point numbers are data: many that no operator treats as a mask, or read by
    /// one that knows no masks.
    fn is_data(&self, trials: &[Trial]) -> bool {
        let elements = self.elements();
        if elements == 0 || trials.iter().any(|trial| trial.is_read(self.flow)) {
            return true;
        }
        elements > FEW
            && !trials.iter().any(|trial| trial.is_mask(self.flow))
            && !self.follows_softmax(trials)
    }

    /// The values in the order of how much of the data counts, if that differs.
    fn judged(&self, trials: &[Trial]) -> Option<Vec<Fill>> {
        let mut ranked: Vec<(&Trial, Sign)> = Vec::new();
        ranked.extend(
            trials
                .iter()
                .filter_map(|trial| Some((trial, trial.worst()?.1))),
        );
        ranked.sort_by(|(_, one), (_, two)| two.share.total_cmp(&one.share));
        let (best, most) = ranked.first()?;
        let (last, least) = ranked.last()?;
        if most.share - least.share < DECIDES || best.has(SignKind::Length) {
            return None;
        }
        let place = self.flow.call(last.worst()?.0).words();
        let fills = ranked.iter().take(1 + OTHERS).map(|(trial, sign)| {
            let value = self.shown(trial.value);
            let reason = match (&trial.size, least.kind) {
                _ if sign.share < most.share => {
                    format!("{value}, another value that {place} could want")
                }
                (Some(size), _) => format!("a length that {place} decides by: {size}"),
                (None, SignKind::Scale) => format!("a factor in {place}: {value} changes nothing"),
                (None, _) => format!("a mask of {place}: {value} keeps everything"),
            };
            self.constant(trial.value, reason)
        });
        Some(fills.collect())
    }

    /// A length that is compared with places along an axis of unknown size: the size of the longest
    /// open axis.
    fn unscored_length(&self, trials: &[Trial]) -> Option<Vec<Fill>> {
        let mut lengths = trials.iter();
        let (node, _) = lengths.find_map(|trial| trial.sign(SignKind::Length))?;
        if !self.element_type.is_integer() {
            return None;
        }
        let size = self.length()? as f64;
        let sizes = trials.iter().filter(|trial| trial.size.is_some());
        let others = sizes
            .map(|trial| trial.value)
            .filter(|&value| value != size);
        let words = self.flow.call(node).words();
        let values = std::iter::once(size).chain(others.take(OTHERS));
        let fills = values.map(|value| {
            let reason = format!("a length in {words}: all {value} of an input's dimension");
            self.constant(value, reason)
        });
        Some(fills.collect())
    }

    /// Numbers that are added to scores: 0 leaves all of them.
    fn added_to_scores(&self, trials: &[Trial]) -> Option<Vec<Fill>> {
        if !self.element_type.is_float() || !self.follows_softmax(trials) {
            return None;
        }
        let (node, _) = trials.iter().find_map(Trial::worst)?;
        let words = self.flow.call(node).words();
        let reason = format!("added to scores in {words}: 0 keeps everything");
        Some(vec![self.constant(0.0, reason)])
    }

    /// Whether all that operators do with the input is to add it to what goes into a softmax.
    fn follows_softmax(&self, trials: &[Trial]) -> bool {
        let signs: Vec<_> = trials.iter().flat_map(|trial| &trial.signs).collect();
        !signs.is_empty()
            && signs.into_iter().all(|(&node, sign)| {
                sign.kind == SignKind::Bias && self.flow.leads_to_softmax(node)
            })
    }
}

impl Trial {
    fn judged(&self) -> impl Iterator<Item = (usize, Sign)> {
        let signs = self.signs.iter().map(|(&node, &sign)| (node, sign));
        signs.filter(|(_, sign)| sign.kind.judges())
    }

    /// The node that lets the least of the data count, and how much.
    fn worst(&self) -> Option<(usize, Sign)> {
        self.judged()
            .min_by(|(_, one), (_, two)| one.share.total_cmp(&two.share))
    }

    fn has(&self, kind: SignKind) -> bool {
        self.sign(kind).is_some()
    }

    /// Whether an operator reads the values that knows no masks.
    fn is_read(&self, flow: &Flow<'_>) -> bool {
        self.has(SignKind::Other) || self.judged().any(|(node, _)| flow.call(node).is_product())
    }

    /// Whether an operator treats the values as a mask.
    fn is_mask(&self, flow: &Flow<'_>) -> bool {
        self.has(SignKind::Mask) || self.judged().any(|(node, _)| flow.call(node).spreads())
    }
}

impl Call<'_> {
    fn is_product(self) -> bool {
        matches!(self.node.operator.as_str(), "MatMul" | "Einsum")
    }

    /// Whether one of the operands is spread over the other, as a mask is over features.
    fn spreads(self) -> bool {
        let mut inputs = self.node.inputs.iter();
        let sizes = inputs.clone().map(|value| self.flow.elements(value));
        match sizes.collect::<Option<Vec<u64>>>() {
            Some(sizes) => sizes.iter().min() != sizes.iter().max(),
            None => inputs.any(|value| {
                let producer = self.flow.producer(value);
                producer.is_some_and(|producer| producer.node.operator == "Unsqueeze")
            }),
        }
    }
}
