//! Where the elements of a small input stand among those of a value that is made of it, such as a
//! list of sizes.

use std::collections::BTreeSet;

use super::{Flow, Node};

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
) -> Vec<(&'f Node, usize, Part)> {
    let mut found = Vec::new();
    let mut queue = vec![(input, Part::whole(count))];
    let mut seen: BTreeSet<(&str, Part)> = queue.iter().copied().collect();
    while let Some((value, part)) = queue.pop().filter(|_| seen.len() < MOST_STEPS) {
        let mut next: Vec<(&str, Part)> = flow.aliases(value).map(|alias| (alias, part)).collect();
        for (node, operand) in flow.consumers(value) {
            match passed(flow, node, operand, part) {
                Some(part) => {
                    next.extend(node.outputs.first().map(|output| (output.as_str(), part)))
                }
                None => found.push((node, operand, part)),
            }
        }
        queue.extend(next.into_iter().filter(|step| seen.insert(*step)));
    }
    found
}

impl Part {
    /// All elements of an input, as it is.
    fn whole(count: usize) -> Part {
        Part {
            first: 0,
            count,
            before: Some(0),
            behind: Some(0),
        }
    }

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

/// The elements in the results of an operator; absent if it does not hand them on as they are.
fn passed(flow: &Flow<'_>, node: &Node, operand: usize, part: Part) -> Option<Part> {
    match (node.qualified_operator().as_str(), operand) {
        (
            "Cast" | "CastLike" | "Ceil" | "Clip" | "Dropout" | "Flatten" | "Floor" | "Identity"
            | "Reshape" | "Round" | "Squeeze" | "Unsqueeze",
            0,
        )
        | ("Max" | "Min", _) => Some(part),
        ("Concat", _) => joined(flow, node, operand, part),
        ("Gather", 0) => gathered(flow, node, part),
        // Before version 10 its ends are attributes.
        ("Slice", 0) if node.inputs.len() > 2 && number(flow, node, 4, 1.0) == Some(1.0) => {
            sliced(flow, node, part)
        }
        _ => None,
    }
}

fn gathered(flow: &Flow<'_>, node: &Node, part: Part) -> Option<Part> {
    let places = flow.constant(node.inputs.get(1)?)?;
    if !is_along_list(flow, node, node.integer("axis").unwrap_or(0))? {
        return (places.len() == 1).then_some(part);
    }
    let follow = places.windows(2).all(|pair| pair[1] == pair[0] + 1.0);
    let start = at(*places.first().filter(|_| follow)?, part)?;
    part.pick(start, start.checked_add(places.len())?)
}

fn sliced(flow: &Flow<'_>, node: &Node, part: Part) -> Option<Part> {
    if !is_along_list(flow, node, number(flow, node, 3, 0.0)? as i64)? {
        return Some(part);
    }
    let start = at(number(flow, node, 1, 0.0)?, part)?;
    part.pick(start, at(number(flow, node, 2, f64::INFINITY)?, part)?)
}

/// Whether an axis is that along which a value lists its elements, and not one of a single place;
/// absent where it is neither. A value whose shape is not known is taken for a list.
fn is_along_list(flow: &Flow<'_>, node: &Node, axis: i64) -> Option<bool> {
    let Some(dims) = flow.dims(node.inputs.first()?) else {
        return Some(true);
    };
    let axis = usize::try_from(if axis < 0 {
        axis.checked_add_unsigned(dims.len() as u64)?
    } else {
        axis
    })
    .ok()?;
    let Some((_, others)) = dims.split_last() else {
        return Some(true);
    };
    if axis >= others.len() {
        return others
            .iter()
            .all(|size| size.is_none_or(|size| size == 1))
            .then_some(true);
    }
    (dims[axis] == Some(1)).then_some(false)
}

/// The first number of an operand; the default where it is left out, and absent where it is no
/// constant.
fn number(flow: &Flow<'_>, node: &Node, operand: usize, default: f64) -> Option<f64> {
    match node.inputs.get(operand).filter(|name| !name.is_empty()) {
        Some(name) => flow.constant(name)?.first().copied(),
        None => Some(default),
    }
}

/// A place in the value, of which negative ones count from its end; none is behind that, as far as
/// it is known.
fn at(place: f64, part: Part) -> Option<usize> {
    if place < 0.0 {
        return part.total()?.checked_sub(-place as usize);
    }
    Some(
        part.total()
            .map_or(place as usize, |total| total.min(place as usize)),
    )
}

/// The elements among those of all operands; absent where these are more than a list for axes has.
fn joined(flow: &Flow<'_>, node: &Node, operand: usize, part: Part) -> Option<Part> {
    if node.inputs.len() > LONGEST {
        return None;
    }
    let (before, behind) = (
        with_operands(flow, part.before, &node.inputs[..operand]),
        with_operands(flow, part.behind, &node.inputs[operand + 1..]),
    );
    (is_short(before) && is_short(behind)).then_some(Part {
        before,
        behind,
        ..part
    })
}

/// So many elements and those of the operands, where all are known.
fn with_operands(flow: &Flow<'_>, own: Option<usize>, operands: &[String]) -> Option<usize> {
    operands.iter().try_fold(own?, |sum, value| {
        sum.checked_add(usize::try_from(flow.elements(value)?).ok()?)
    })
}

fn is_short(elements: Option<usize>) -> bool {
    elements.is_none_or(|elements| elements <= LONGEST)
}
