//! Inputs that list one number for each axis, or a part of such numbers: sizes, scales, ends,
//! parts, axes.

use super::places::{self, Part};
use super::{
    AttributeValue, Fill, FillKind, Flow, Graph, IndexBound, Node, Shapes, measured, place, words,
};

const MOST_NUMBERS: u64 = 16;
/// Colours of an image, by which its layout is told.
const COLOURS: [f64; 3] = [1.0, 3.0, 4.0];

/// The content of an operand that is a list.
#[derive(Clone, Copy, Debug)]
enum Rule {
    /// Sizes along the axes that `axes` names, or along all.
    Sizes,
    /// By how much the data grows along those.
    Scales,
    /// Where a region of the data begins along each axis, and then where it ends, in shares.
    Region,
    /// Ends along axes that an operand names, or the first ones.
    Ends,
    Parts,
    Shape,
    /// Axes that the results have beside those of the data.
    NewAxes,
    /// Axes of one element.
    SingleAxes,
    Axes,
    /// The number that stands for no, then the one for yes.
    NoAndYes,
}

/// The content of an operand, its name, and the part that is taken.
fn rule(operator: &str, operand: usize) -> Option<(Rule, &'static str, &'static str)> {
    Some(match (operator, operand) {
        ("Resize", 3) | ("CenterCropPad", 1) => (Rule::Sizes, "the sizes in", "those of the data"),
        ("Resize", 2) | ("Upsample", 1) => (Rule::Scales, "the scales of", "twice as large"),
        ("Resize", 1) => (Rule::Region, "the region of", "all of the data"),
        ("Slice", 2) => (Rule::Ends, "the ends of", "all of the data"),
        ("Split" | "SplitToSequence", 1) => (Rule::Parts, "the parts of", "of one size"),
        ("Reshape", 1) => (Rule::Shape, "the shape in", "that of the data"),
        ("Unsqueeze", 1) => (Rule::NewAxes, "the axes of", "behind the first one"),
        ("Squeeze", 1) => (Rule::SingleAxes, "the axes of", "those of one element"),
        ("CumSum" | "CumProd", 1) | ("Pad" | "Slice", 3) => {
            (Rule::Axes, "the axes of", "the last ones")
        }
        (reduce, 1) if reduce.starts_with("Reduce") => (Rule::Axes, "the axes of", "the last ones"),
        ("OneHot", 2) => (Rule::NoAndYes, "the values of", "0 and 1"),
        _ => return None,
    })
}

/// Whether 1 everywhere is worth a try where the numbers are refused.
fn has_plain_form(rule: Rule) -> bool {
    matches!(rule, Rule::Sizes | Rule::Scales | Rule::Shape)
}

/// Ways to fill an input that lists such numbers, the best first; absent too where they are unknown
/// or fail elsewhere.
pub(super) fn fills(
    flow: &Flow<'_>,
    graph: &Graph,
    shapes: &Shapes,
    input: &str,
    bound: Option<&IndexBound>,
) -> Option<Vec<Fill>> {
    let Listed {
        numbers,
        rule,
        reason,
    } = listed(flow, graph, shapes, input)?;
    if !numbers.iter().all(|number| is_within(bound, number)) {
        return None;
    }
    let kind = whole(numbers);
    let plain =
        Some(FillKind::Constant(1.0)).filter(|plain| has_plain_form(rule) && *plain != kind);
    let plain = plain.map(|kind| Fill {
        kind,
        reason: format!("{reason}, or 1 everywhere"),
        steers: true,
    });
    Some(
        [Fill {
            kind,
            reason,
            steers: true,
        }]
        .into_iter()
        .chain(plain)
        .collect(),
    )
}

fn is_within(bound: Option<&IndexBound>, number: &FillKind) -> bool {
    match number {
        FillKind::Constant(value) => {
            bound.is_none_or(|bound| (bound.low..=bound.high).contains(value))
        }
        _ => true,
    }
}

/// An operand that the input ends in, or a part of it, and how it lists numbers.
struct Operand<'f> {
    node: &'f Node,
    part: Part,
    rule: Rule,
    what: &'static str,
    taken: &'static str,
}

fn operands<'f>(flow: &'f Flow<'_>, input: &'f str, count: usize) -> Vec<Operand<'f>> {
    places::operands(flow, input, count)
        .into_iter()
        .filter_map(|(node, operand, part)| {
            let (rule, what, taken) = rule(&node.qualified_operator(), operand)?;
            Some(Operand {
                node,
                part,
                rule,
                what,
                taken,
            })
        })
        .collect()
}

struct Listed {
    numbers: Vec<FillKind>,
    rule: Rule,
    reason: String,
}

fn listed(flow: &Flow<'_>, graph: &Graph, shapes: &Shapes, input: &str) -> Option<Listed> {
    let count = numbers_of(shapes.get(input)?)?;
    let operands = operands(flow, input, count);
    if operands.is_empty() {
        return None;
    }
    let sizes = Sizes::new(flow, graph, shapes);
    let (mut numbers, mut decided, mut is_whole) = (vec![None; count], None, true);
    for Operand {
        node,
        part,
        rule,
        what,
        taken,
    } in operands
    {
        let list = sizes.listed(node, rule, part).unwrap_or_default();
        let Some(own) = part.of(&list).filter(|own| !own.contains(&None)) else {
            is_whole = false;
            continue;
        };
        for (number, own) in numbers[part.first..].iter_mut().zip(own) {
            *number = number.take().or_else(|| own.clone());
        }
        decided.get_or_insert_with(|| (rule, format!("{what} {}: {taken}", words(node))));
    }
    let (rule, reason) = decided.filter(|_| is_whole || !numbers.contains(&None))?;
    // Numbers that nothing reads as such.
    let numbers = numbers
        .into_iter()
        .map(|number| number.unwrap_or(FillKind::Constant(1.0)))
        .collect();
    Some(Listed {
        numbers,
        rule,
        reason,
    })
}

fn numbers_of(shape: &[Option<u64>]) -> Option<usize> {
    let count = match shape {
        [] => 1,
        [others @ .., Some(count)] if others.iter().all(|&size| size == Some(1)) => *count,
        _ => return None,
    };
    (1..=MOST_NUMBERS)
        .contains(&count)
        .then_some(count as usize)
}

fn whole(mut numbers: Vec<FillKind>) -> FillKind {
    let are_same = numbers.windows(2).all(|pair| pair[0] == pair[1]);
    if are_same {
        numbers.swap_remove(0)
    } else {
        FillKind::Columns(numbers)
    }
}

/// Sizes of values with one sample, and with two: what grows is the batch.
struct Sizes<'f, 'm> {
    flow: &'f Flow<'m>,
    of_two: Flow<'m>,
}

/// A number for each place, as far as each is known.
type List = Vec<Option<FillKind>>;

impl<'f, 'm> Sizes<'f, 'm> {
    fn new(flow: &'f Flow<'m>, graph: &'m Graph, shapes: &Shapes) -> Sizes<'f, 'm> {
        let mut of_two = shapes.clone();
        for size in of_two.values_mut().flatten() {
            size.get_or_insert(2);
        }
        Sizes {
            flow,
            of_two: measured(graph, &of_two),
        }
    }

    fn of_data(&self, node: &Node) -> Option<List> {
        let data = node.inputs.first()?;
        let (one, two) = (self.flow.dims(data)?, self.of_two.dims(data)?);
        (one.len() == two.len()).then(|| {
            let sizes = one.into_iter().zip(two);
            sizes.map(|(one, two)| growing(one?, two?)).collect()
        })
    }

    fn listed(&self, node: &Node, rule: Rule, part: Part) -> Option<List> {
        let data = self.of_data(node);
        let rank = data.as_ref().map(Vec::len);
        match rule {
            Rule::Sizes => self.sizes(node, &data?),
            Rule::Scales => scales(node, data.as_deref(), part),
            Rule::Region => part.total().map(region),
            Rule::Ends => self.ends(node, data.as_deref(), part.total()?),
            Rule::Parts => parts(node, &data?, part.total()?),
            Rule::Shape => shape(node, rank?, part),
            Rule::NewAxes => {
                let first = usize::from(rank.is_some_and(|rank| rank > 0));
                Some(numbers((0..part.total()?).map(|at| (first + at) as f64)))
            }
            Rule::SingleAxes => single_axes(&data?, part.total()?),
            Rule::Axes => Some(numbers(
                last_axes(rank, part.total()?)
                    .into_iter()
                    .map(|axis| axis as f64),
            )),
            Rule::NoAndYes => Some(numbers([0.0, 1.0].into_iter())),
        }
    }

    /// The data's own sizes; those of an image that is fed where an axis of space has none that is
    /// known.
    fn sizes(&self, node: &Node, data: &[Option<FillKind>]) -> Option<List> {
        let sizes = named_axes(node, data.len())?
            .into_iter()
            .map(|axis| data[axis].clone().or_else(|| self.of_image(axis)));
        Some(sizes.collect())
    }

    fn of_image(&self, axis: usize) -> Option<FillKind> {
        self.flow
            .image_size()
            .filter(|_| axis >= 2)
            .map(FillKind::Constant)
    }

    /// The data's own sizes along the axes that are cut; what is not known is cut nowhere.
    fn ends(&self, node: &Node, data: Option<&[Option<FillKind>]>, count: usize) -> Option<List> {
        let all = FillKind::Constant(f64::from(i32::MAX));
        let ends = self
            .cut_axes(node, data.map(<[_]>::len), count)
            .into_iter()
            .map(|axis| data.and_then(|data| data.get(place(axis, data.len())?)?.clone()))
            .map(|end| end.or_else(|| Some(all.clone())));
        Some(ends.collect())
    }

    fn cut_axes(&self, node: &Node, rank: Option<usize>, count: usize) -> Vec<i64> {
        let named = node.inputs.get(3).filter(|axes| !axes.is_empty());
        match named.map(|axes| self.flow.constant(axes)) {
            None => (0..count as i64).collect(),
            Some(Some(axes)) => axes.iter().map(|&axis| axis as i64).collect(),
            Some(None) => last_axes(rank, count),
        }
    }
}

/// A size that is `one` with one sample, and `two` with two.
fn growing(one: u64, two: u64) -> Option<FillKind> {
    if one == two {
        Some(FillKind::Constant(one as f64))
    } else {
        (one.checked_mul(2) == Some(two)).then_some(FillKind::PerSample(one))
    }
}

fn numbers(values: impl Iterator<Item = f64>) -> List {
    values
        .map(|value| Some(FillKind::Constant(value)))
        .collect()
}

fn named_axes(node: &Node, rank: usize) -> Option<Vec<usize>> {
    match node.attribute("axes") {
        Some(AttributeValue::Integers(axes)) => {
            axes.iter().map(|&axis| place(axis, rank)).collect()
        }
        _ => Some((0..rank).collect()),
    }
}

/// The last axes, counted from the end where it is not known how many there are.
fn last_axes(rank: Option<usize>, count: usize) -> Vec<i64> {
    let end = rank.filter(|&rank| rank >= count).unwrap_or(0) as i64;
    (end - count as i64..end).collect()
}

/// Twice as large along axes of space, which are neither that of the batch nor that of the colours.
fn scales(node: &Node, data: Option<&[Option<FillKind>]>, part: Part) -> Option<List> {
    let rank = data.map_or_else(|| part.total(), |data| Some(data.len()))?;
    let colours = colours_axis(data, rank);
    Some(numbers(named_axes(node, rank)?.into_iter().map(|axis| {
        let is_of_space = rank > 2 && axis != 0 && axis != colours;
        if is_of_space { 2.0 } else { 1.0 }
    })))
}

fn colours_axis(data: Option<&[Option<FillKind>]>, rank: usize) -> usize {
    if rank > 2 && are_colours(data, rank - 1) && !are_colours(data, 1) {
        rank - 1
    } else {
        1
    }
}

fn are_colours(data: Option<&[Option<FillKind>]>, axis: usize) -> bool {
    match data.and_then(|data| data.get(axis)?.as_ref()) {
        Some(FillKind::Constant(size)) => COLOURS.contains(size),
        _ => false,
    }
}

/// Parts that add up to the size of the axis, each as large as the others or one larger.
fn parts(node: &Node, data: &[Option<FillKind>], count: usize) -> Option<List> {
    let axis = place(node.integer("axis").unwrap_or(0), data.len())?;
    let Some(FillKind::Constant(size)) = data[axis] else {
        return None;
    };
    let (each, more) = ((size / count as f64).floor(), size % count as f64);
    Some(numbers((0..count).map(|at| {
        if (at as f64) < more { each + 1.0 } else { each }
    })))
}

/// A shape that keeps all elements, and the batch: 0 is the size that the data has, and -1 what is
/// left.
fn shape(node: &Node, rank: usize, part: Part) -> Option<List> {
    if !part.is_all() || node.integer("allowzero").unwrap_or(0) != 0 {
        return None;
    }
    Some(numbers((0..part.count).map(|at| match at {
        at if at >= rank => 1.0,
        at if at + 1 == part.count && part.count < rank => -1.0,
        _ => 0.0,
    })))
}

/// From 0 to 1 along each axis.
fn region(count: usize) -> List {
    numbers((0..count).map(|at| if 2 * at < count { 0.0 } else { 1.0 }))
}

/// Axes that have one element, whatever the batch is.
fn single_axes(data: &[Option<FillKind>], count: usize) -> Option<List> {
    let axes: Vec<usize> = (0..data.len())
        .filter(|&axis| data[axis] == Some(FillKind::Constant(1.0)))
        .take(count)
        .collect();
    (axes.len() == count).then(|| numbers(axes.into_iter().map(|axis| axis as f64)))
}
