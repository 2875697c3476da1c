//! Where the elements of a small input stand among those of a value that is made of it, such as a
//! list of sizes.

use std::collections::BTreeSet;

use super::Flow;
use super::flow::Call;

/// Most elements of a list of numbers for axes, and most operands that such a list is joined from:
/// no tensor has more axes.
const LONGEST: usize = 64;
/// Most places that are gone to: joined values may be joined with themselves again and again.
const MOST_STEPS: usize = 4096;

/// Elements of an input that follow each other in a value too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Part {
    pub first: usize,
    pub count: usize,
    /// Elements of the value before them, as far as that is known.
    before: Option<usize>,
    /// Elements of the value behind them.
    behind: Option<usize>,
}

/// Operands that hold elements of an input as they are: which operator's, which operand, and which
/// elements.
pub(super) fn operands<'f>(
    flow: &'f Flow<'_>,
    input: &'f str,
    count: usize,
) -> Vec<(Call<'f>, usize, Part)> {
    let whole = Part {
        first: 0,
        count,
        before: Some(0),
        behind: Some(0),
    };
    let mut found = Vec::new();
    let mut queue = vec![(input, whole)];
    let mut seen = BTreeSet::from([(input, whole)]);
    while let Some((value, part)) = queue.pop().filter(|_| seen.len() < MOST_STEPS) {
        let mut next: Vec<(&str, Part)> = flow.aliases(value).map(|alias| (alias, part)).collect();
        for (call, operand) in flow.consumers(value) {
            match call.part(operand, part) {
                Some(part) => {
                    next.extend(call.node.outputs.first().map(|output| (&output[..], part)))
                }
                None => found.push((call, operand, part)),
            }
        }
        queue.extend(next.into_iter().filter(|step| seen.insert(*step)));
    }
    found
}

impl Part {
    /// Elements of the whole value, as far as that is known.
    pub fn total(self) -> Option<usize> {
        Some(self.before? + self.count + self.behind?)
    }

    pub fn is_all(self) -> bool {
        self.total() == Some(self.count)
    }

    /// Those of a list's numbers that stand where these elements do, where the value is that list.
    pub fn of<T>(self, list: &[T]) -> Option<&[T]> {
        let start = self
            .before
            .or_else(|| list.len().checked_sub(self.count + self.behind?))?;
        list.get(start..start + self.count)
    }

    /// A place in the value, of which negative ones count from its end; none is behind that, as far
    /// as it is known.
    fn at(self, place: f64) -> Option<usize> {
        if place < 0.0 {
            return self.total()?.checked_sub(-place as usize);
        }
        Some((place as usize).min(self.total().unwrap_or(usize::MAX)))
    }

    /// The rest of the elements where those from `start` up to `end` of the value are taken.
    fn pick(self, start: usize, end: usize) -> Option<Part> {
        let before = self.before?;
        let (first, last) = (start.max(before), end.min(before + self.count));
        let count = last.checked_sub(first).filter(|&count| count > 0)?;
        // Where it is not known what is behind, there may be less than is taken.
        let behind = (end == last || self.behind.is_some()).then_some(end - last);
        Some(Part {
            first: self.first + first - before,
            count,
            before: Some(first - start),
            behind,
        })
    }
}

impl Call<'_> {
    /// The elements in the results of an operator; absent if it does not hand them on as they are.
    fn part(self, operand: usize, part: Part) -> Option<Part> {
        match (self.operator().as_str(), operand) {
            (
                "Cast" | "CastLike" | "Ceil" | "Clip" | "Dropout" | "Flatten" | "Floor"
                | "Identity" | "Reshape" | "Round" | "Squeeze" | "Unsqueeze",
                0,
            )
            | ("Max" | "Min", _) => Some(part),
            ("Concat", _) => self.joined_part(operand, part),
            ("Gather", 0) => self.gathered_part(part),
            // Before version 10 its ends are attributes.
            ("Slice", 0) if self.node.inputs.len() > 2 && self.number(4, 1.0) == Some(1.0) => {
                self.sliced_part(part)
            }
            _ => None,
        }
    }

    fn gathered_part(self, part: Part) -> Option<Part> {
        let places = self.constant(1)?;
        if !self.is_along_list(self.integer("axis", 0))? {
            return (places.len() == 1).then_some(part);
        }
        let follow = places.windows(2).all(|pair| pair[1] == pair[0] + 1.0);
        let start = part.at(*places.first().filter(|_| follow)?)?;
        part.pick(start, start.checked_add(places.len())?)
    }

    fn sliced_part(self, part: Part) -> Option<Part> {
        if !self.is_along_list(self.number(3, 0.0)? as i64)? {
            return Some(part);
        }
        let start = part.at(self.number(1, 0.0)?)?;
        part.pick(start, part.at(self.number(2, f64::INFINITY)?)?)
    }

    /// Whether an axis is that along which a value lists its elements, and not one of a single
    /// place; absent where it is neither. A value whose shape is not known is taken for a list.
    fn is_along_list(self, axis: i64) -> Option<bool> {
        let Some(dims) = self.dims(0) else {
            return Some(true);
        };
        let from_end = if axis < 0 { dims.len() as u64 } else { 0 };
        let axis = usize::try_from(axis.checked_add_unsigned(from_end)?).ok()?;
        let mut others = dims.iter().rev().skip(1);
        if axis + 1 < dims.len() {
            return (dims[axis] == Some(1)).then_some(false);
        }
        others
            .all(|size| size.is_none_or(|size| size == 1))
            .then_some(true)
    }

    /// The first number of an operand; the default where it is left out, and absent where it is no
    /// constant.
    fn number(self, operand: usize, default: f64) -> Option<f64> {
        match self.operand(operand) {
            "" => Some(default),
            name => self.flow.constant(name)?.first().copied(),
        }
    }

    /// The elements among those of all operands; absent where these are more than a list for axes
    /// has.
    fn joined_part(self, operand: usize, part: Part) -> Option<Part> {
        let inputs = &self.node.inputs;
        if inputs.len() > LONGEST {
            return None;
        }
        let before = with_operands(self.flow, part.before, &inputs[..operand]);
        let behind = with_operands(self.flow, part.behind, &inputs[operand + 1..]);
        let mut known = [before, behind].into_iter().flatten();
        known.all(|elements| elements <= LONGEST).then_some(Part {
            before,
            behind,
            ..part
        })
    }
}

/// So many elements and those of the operands, where all are known.
fn with_operands(flow: &Flow<'_>, own: Option<usize>, operands: &[String]) -> Option<usize> {
    operands.iter().try_fold(own?, |sum, value| {
        sum.checked_add(flow.elements(value)? as usize)
    })
}
